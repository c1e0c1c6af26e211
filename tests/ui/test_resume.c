/* The console goes on where its Guardian was. */
#include <wpa/file.h>

#include "ui/stage.h"

typedef struct place {
    wpa_arena *arena;
    wpa_ui_options options;
    const char *folder;
} place;

static place make_place(void)
{
    wpa_error err = {0};
    place it = {.arena = wpa_arena_new()};
    it.folder = wpa_dir_temp("/tmp/wpa-resume-", it.arena, &err);
    it.options = (wpa_ui_options){
        .config = wpa_arena_printf(it.arena, "%s/console.yaml", it.folder), .theme = "dark"};
    return it;
}

static void remove_place(place *it)
{
    wpa_error err = {0};
    assert_true(wpa_dir_remove(it->folder, &err));
    wpa_arena_free(it->arena);
}

static stage *sign_in(place *it, int rows, int cols, size_t n_findings)
{
    void *state = NULL;
    (void)open_stage(&state);
    stage *s = state;
    s->ui->options = &it->options;
    wpa_ui_resize(s->ui, rows, cols);
    wpa_scripted_set_findings(s->engine, n_findings);
    wpa_scripted_sign_in(s->engine, WPA_ROLE_GUARDIAN);
    step(s);
    step(s);
    return s;
}

static void leave(stage *s)
{
    void *state = s;
    wpa_resume_keep(s->ui);
    (void)close_stage(&state);
}

static void test_it_goes_on_where_it_was(void **state)
{
    (void)state;
    place mine = make_place();
    stage *s = sign_in(&mine, 24, 80, 12);
    EXPECT("[1 Dash]");
    press(s, "2");
    press(s, "s");
    press(s, "S");
    press(s, "j");
    press(s, "j");
    press(s, "3");
    press(s, "/");
    type(s, "\"cache\" !rule:a\\b"); /* what YAML would take otherwise */
    press(s, "Enter");
    press(s, "4");
    press(s, "j");
    press(s, "Enter");
    EXPECT("─ p-2214");
    leave(s);

    s = sign_in(&mine, 24, 80, 12);
    EXPECT("─ p-2214");
    press(s, "Esc");
    EXPECT("▸ p-2214");
    press(s, "2");
    EXPECT("▸  58"); /* mobile/nightly.yml */
    assert_int_equal(s->ui->lists[WPA_LIST_WORKFLOWS].sort, WPA_SORT_NAME);
    assert_true(s->ui->lists[WPA_LIST_WORKFLOWS].is_descending);
    press(s, "3");
    assert_string_equal(s->ui->lists[WPA_LIST_FINDINGS].filter, "\"cache\" !rule:a\\b");
    leave(s);

    s = sign_in(&mine, 40, 120, 12); /* another size is another place */
    EXPECT("[1 Dash]");
    leave(s);
    remove_place(&mine);
}

/* A row far down is asked for by its key, with those around it. */
static void test_a_row_far_down_is_found_again(void **state)
{
    (void)state;
    place mine = make_place();
    stage *s = sign_in(&mine, 24, 80, 5000);
    press(s, "3");
    for (int i = 0; i < 20; i++) {
        press(s, "j");
    }
    EXPECT("21 of 5,000");
    leave(s);
    s = sign_in(&mine, 24, 80, 5000);
    EXPECT("[3 Findings]");
    EXPECT("21 of 5,000");
    assert_int_equal(wpa_ui_selected(s->ui).id, 99832);
    leave(s);
    s = sign_in(&mine, 24, 80, 5); /* it is gone: nothing else is meant by it */
    EXPECT("1 of 5");
    leave(s);
    remove_place(&mine);
}

static void test_locking_keeps_it_and_others_are_not_told(void **state)
{
    (void)state;
    place mine = make_place();
    stage *s = sign_in(&mine, 24, 80, 12);
    wpa_error err = {0};
    press(s, "5");
    wpa_palette_run(s->ui, "lock");
    step(s);
    EXPECT("Passphrase");
    const char *path = wpa_arena_printf(mine.arena, "%s/console-mira-small.yaml", mine.folder);
    assert_true(wpa_path_exists(path));
    void *stage_state = s;
    (void)close_stage(&stage_state);
    static const char odd[] = "tab: 99\nopen: q-1\nfindings: {sort: nonsense, selected: x}\n";
    static const char broken[] = "tab: [\n";
    assert_true(wpa_file_replace(path, odd, strlen(odd), 0600, &err));
    s = sign_in(&mine, 24, 80, 12);
    EXPECT("[1 Dash]");
    stage_state = s;
    (void)close_stage(&stage_state);
    assert_true(wpa_file_replace(path, broken, strlen(broken), 0600, &err));
    s = sign_in(&mine, 24, 80, 12);
    EXPECT("[1 Dash]");
    EXPECT("where you were: ");
    s->ui->config.restores = false;
    leave(s);
    size_t size_bytes = 0;
    assert_string_equal(wpa_file_read(path, 4096, mine.arena, &size_bytes, &err), broken);
    remove_place(&mine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_goes_on_where_it_was),
        cmocka_unit_test(test_a_row_far_down_is_found_again),
        cmocka_unit_test(test_locking_keeps_it_and_others_are_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
