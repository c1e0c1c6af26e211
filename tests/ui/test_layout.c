/* Panes of the dashboard as a guardian chooses them. */
#include <wpa/file.h>

#include "stage.h"

static const struct {
    const char *name, *title;
} panes[WPA_DASH_PANES] = {
    {"workflows", "Workflows, worst first"},
    {"live", "Live tests and deploys"},
    {"needs_you", "Needs you"},
    {"findings", "Findings ─"},
    {"queue", "Patch queue"},
    {"activity", "Activity ─"},
    {"jobs", "Jobs ─"},
    {"engine", "Engine ─"},
};

static int row_of(stage *s, const char *text)
{
    for (int row = 0; row < s->ui->grid->rows; row++) {
        if (strstr(wpa_grid_row_text(s->ui->grid, row, s->arena), text)) {
            return row;
        }
    }
    return -1;
}

static void layout(stage *s, const char *rest)
{
    wpa_layout_run(s->ui, rest);
    step(s);
}

static void test_each_pane_by_its_name(void **state)
{
    stage *s = *state;
    for (size_t i = 0; i < WPA_COUNT(panes); i++) {
        assert_string_equal(wpa_pane_names[i], panes[i].name);
        layout(s, panes[i].name);
        for (size_t k = 0; k < WPA_COUNT(panes); k++) {
            if ((row_of(s, panes[k].title) >= 0) != (k == i)) {
                fail_msg("%s, alone: %s\n%s", panes[i].name, panes[k].title, screen(s));
            }
        }
    }
}

static void test_in_their_order(void **state)
{
    stage *s = *state;
    press(s, "3");
    press(s, ":");
    type(s, "layout needs_you live workflows");
    press(s, "Enter");
    EXPECT("[1 Dash]");
    EXPECT("▸Workflows"); /* what had the keys is still shown */
    assert_true(row_of(s, "Needs you") < row_of(s, "Live tests"));
    assert_true(row_of(s, "Live tests") < row_of(s, "Workflows, worst"));
    assert_int_equal(row_of(s, "Patch queue"), -1);
    layout(s, "live needs_you");
    EXPECT("▸Live tests and deploys"); /* keys act on what is seen */
    press(s, "Tab");
    EXPECT("▸Needs you");
    wpa_ui_resize(s->ui, 40, 120);
    step(s);
    assert_int_equal(row_of(s, "Needs you"), row_of(s, "Live tests")); /* side by side */
    wpa_ui_resize(s->ui, 10, 40);
    step(s);
    EXPECT("d-1042");
    EXPECT("f-99812");
    wpa_ui_resize(s->ui, 24, 80);
    layout(s, "default");
    EXPECT("Patch queue");
}

static void test_mistakes_change_nothing(void **state)
{
    stage *s = *state;
    layout(s, "live needs_you");
    layout(s, "live neds_you");
    EXPECT("there is no pane 'neds_you', did you mean 'needs_you'?");
    press(s, "Esc");
    layout(s, "live live");
    EXPECT("'live' stands there twice");
    press(s, "Esc");
    layout(s, "save live");
    EXPECT("'live' cannot be a name");
    layout(s, "");
    EXPECT("layout: live needs_you");
    assert_int_equal(s->ui->layout.n, 2);
}

static void test_saved_under_a_name(void **state)
{
    stage *s = *state;
    wpa_error err = {0};
    char *folder = wpa_dir_temp("/tmp/wpa-layout-XXXXXX", s->arena, &err);
    wpa_ui_options here = {.config = wpa_path_join(s->arena, folder, "console.yaml"),
                           .theme = "dark"};
    s->ui->options = &here;
    layout(s, "live activity");
    layout(s, "save night");
    EXPECT("layout night is live activity");
    layout(s, "default");
    layout(s, "");
    EXPECT("layout: by the size of the screen   saved: night");
    s->ui->layouts.n = 0;
    assert_true(wpa_names_read(s->ui, &s->ui->layouts, &err)); /* as at the next start */
    layout(s, "night");
    assert_int_equal(s->ui->layout.n, 2);
    layout(s, "default");
    layout(s, "save night"); /* nothing is chosen: it is forgotten */
    EXPECT("layout night is no more");
    layout(s, "night");
    EXPECT("there is no pane 'night'");
    s->ui->options = &options;
    assert_true(wpa_dir_remove(folder, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_pane_by_its_name, open_signed_in, close_stage),
        cmocka_unit_test_setup_teardown(test_in_their_order, open_signed_in, close_stage),
        cmocka_unit_test_setup_teardown(test_mistakes_change_nothing, open_signed_in, close_stage),
        cmocka_unit_test_setup_teardown(test_saved_under_a_name, open_signed_in, close_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
