/* Lists of the console: filter, completion, freezing, what is told when they cannot be read. */
#include <wpa/file.h>

#include "ui/stage.h"

static void test_filter(void **state)
{
    stage *s = *state;
    press(s, "3");
    press(s, "/");
    EXPECT("Enter keep   Esc undo");
    type(s, "cache");
    EXPECT("/cache");
    press(s, "Esc");
    EXPECT("1 of 12");
    press(s, "/");
    type(s, "nothing-like-it");
    press(s, "Enter");
    EXPECT("Nothing matches nothing-like-it.  Esc lifts the filter.");
    press(s, "Esc");
    EXPECT("1 of 12");
}

static void test_filter_tells_what_it_does_not_understand(void **state)
{
    stage *s = *state;
    press(s, "3");
    press(s, "/");
    type(s, "sev:hihg");
    EXPECT("not understood: sev:hihg");
    const wpa_cell *cell = &s->ui->grid->cells[(size_t)23 * 80 + 2];
    for (int i = 0; i < 8; i++) {
        assert_true(cell[i].flags & WPA_CELL_UNDERLINE);
    }
    assert_false(cell[8].flags & WPA_CELL_UNDERLINE);
    press(s, "Enter");
    EXPECT("left out, not understood: sev:hihg");
    EXPECT("12 of 12");
    press(s, "/");
    press(s, "Ctrl-U");
    type(s, "colour:red");
    EXPECT("not understood: colour");
    press(s, "Ctrl-U");
    type(s, "sev:high");
    assert_false(shows(s, "not understood"));
    assert_false(s->ui->grid->cells[(size_t)23 * 80 + 2].flags & WPA_CELL_UNDERLINE);
}

static void test_filter_names_the_term_that_is_in_the_way(void **state)
{
    stage *s = *state;
    press(s, "3");
    press(s, "/");
    type(s, "sev:crit wf:nowhere");
    press(s, "Enter");
    EXPECT("Nothing matches sev:crit wf:nowhere.  Without wf: there are 12.  Esc");
    press(s, "Esc");
    EXPECT("1 of 12");
}

static void test_filter_goes_over_what_is_loaded_while_lost(void **state)
{
    stage *s = *state;
    press(s, "3");
    EXPECT("1 of 12");
    wpa_scripted_set_slow(s->engine, true);
    wpa_scripted_lose(s->engine,
                      "database: connection to server at \"10.2.0.5\", port 5432 failed: refused");
    step(s);
    EXPECT("refused, at \"10.2.0.5\", port 5432");
    press(s, "/");
    type(s, "sev:crit");
    EXPECT("1 of 12 loaded rows match");
    EXPECT("1 of 1 of 12 loaded");
    type(s, ",hi");
    EXPECT("4 of 12 loaded rows match");
    press(s, "Enter");
    EXPECT("1 of 4 of 12 loaded");
    press(s, "j");
    EXPECT("2 of 4 of 12 loaded");
    press(s, "/");
    type(s, " path:x"); /* the rows do not tell it */
    EXPECT("not understood: path");
    press(s, "Ctrl-U");
    type(s, "nothing-like-it");
    EXPECT("Nothing of the 12 loaded rows matches nothing-like-it.");
    press(s, "Esc");
    EXPECT("1 of 4 of 12 loaded");
    press(s, "4");
    EXPECT("Not loaded before the database was lost");
    press(s, "3");
    press(s, "Esc");
    EXPECT("12 of 12 loaded");
    wpa_scripted_set_slow(s->engine, false);
    wpa_scripted_restore(s->engine);
    step(s);
    press(s, "/");
    type(s, "cache");
    press(s, "Enter");
    EXPECT("filtered");
    assert_false(shows(s, "loaded"));
}

static const char *prompt_after(stage *s, const char *text)
{
    press(s, "Ctrl-U");
    type(s, text);
    press(s, "Tab");
    return s->ui->prompt.text;
}

/* Each term as "[!]field op value", for what a filter stands for. */
static const char *meant(stage *s, const char *filter)
{
    size_t n = 0;
    const char *text = "";
    const wpa_filter_term *terms = wpa_filter_terms(s->ui, WPA_LIST_FINDINGS, filter, s->arena, &n);
    for (size_t i = 0; i < n; i++) {
        text = wpa_arena_printf(s->arena, "%s%s%s%s%s%s", text, i ? " " : "",
                                terms[i].is_negated ? "!" : "", terms[i].field, terms[i].op,
                                terms[i].values[0]);
    }
    return text;
}

static void save_filter(stage *s, const char *filter, const char *command)
{
    wpa_ui_filter_list(s->ui, WPA_LIST_FINDINGS, filter);
    wpa_palette_run(s->ui, command);
    step(s);
}

static void test_filters_are_saved_by_name(void **state)
{
    stage *s = *state;
    wpa_error err = {0};
    const char *folder = wpa_dir_temp("/tmp/wpa-filters-", s->arena, &err);
    wpa_ui_options mine = {.config = wpa_arena_printf(s->arena, "%s/console.yaml", folder)};
    const wpa_ui_options nowhere = {.config = "/proc/wpa/console.yaml"};
    press(s, "3");
    s->ui->options = &nowhere;
    save_filter(s, "sev:crit", "set filter worst");
    EXPECT("filter: ");
    EXPECT("/proc/wpa");
    press(s, "j");
    s->ui->options = &mine;
    s->ui->filters.n = 0;
    save_filter(s, "sev:crit", "set filter worst");
    EXPECT("@worst is sev:crit");
    save_filter(s, "\"a\\b\" @mine !wf:x/*", "set filter odd-1");
    save_filter(s, "sev:crit", "set filter Worst");
    EXPECT("'Worst' cannot be a name");
    save_filter(s, "sev:crit", "set filter mine");
    EXPECT("'mine' cannot be a name");
    s->ui->filters.n = 0;
    assert_true(wpa_names_read(s->ui, &s->ui->filters, &err));
    wpa_palette_run(s->ui, "set filter");
    step(s);
    EXPECT("saved:  @worst  @odd-1");
    assert_string_equal(meant(s, "@worst age<1d"), "sev:crit age<1d");
    assert_string_equal(meant(s, "!@worst"), "!sev:crit");
    assert_string_equal(meant(s, "@odd-1"), "text:a\\b @:mine !wf:x/*");
    assert_string_equal(meant(s, "!@odd-1"), "!@:odd-1"); /* not all of these: no such terms */
    assert_string_equal(meant(s, "@nope"), "@:nope");
    press(s, "/");
    assert_string_equal(prompt_after(s, "@wo"), "@worst");
    assert_false(shows(s, "not understood"));
    type(s, " @no");
    EXPECT("not understood: @no");
    press(s, "Ctrl-U");
    type(s, "@");
    EXPECT("saved:  @worst @odd-1");
    press(s, "Esc");
    save_filter(s, "", "set filter worst");
    EXPECT("@worst is no more");
    save_filter(s, "", "set filter worst");
    EXPECT("no filter is set here");
    assert_int_equal(s->ui->filters.n, 1);
    wpa_palette_run(s->ui, "set theme dark");
    step(s);
    EXPECT("set filter NAME is what can be set here");
    s->ui->options = &options;
    assert_true(wpa_dir_remove(folder, &err));
}

static const struct {
    const char *filter;
    int n; /* of twelve findings: CRIT SEC-014, three HIGH SEC-001, MED PRF-007, LOW ... */
} loaded_filters[] = {
    {"", 12},
    {"sev:crit", 1},
    {"!sev:crit", 11},
    {"sev>=high", 4},
    {"rule:SEC-*", -1},
    {"rule:sec-001", 3},
    {"wf:web/*", 1},
    {"wf:web/release.yml", 1},
    {"wf:web", 0},
    {"repo:web", 1},
    {"age<1s", 0},
    {"age>1s", 12},
    {"cat:sec", 4},
    {"has:nothing", 12},
    {"\"SEC-014\"", 0},
    {"~x~", 12},
    {"rule:?EC-014", 1},
    {"rule:\"SEC-0*\"", 0},
};

static void test_filter_over_loaded_rows_is_the_database_s(void **state)
{
    stage *s = *state;
    press(s, "3");
    wpa_scripted_lose(s->engine, "gone");
    step(s);
    for (size_t i = 0; i < WPA_COUNT(loaded_filters); i++) {
        wpa_ui_filter_list(s->ui, WPA_LIST_FINDINGS, loaded_filters[i].filter);
        int n = (int)s->ui->lists[WPA_LIST_FINDINGS].view->n_rows;
        if (loaded_filters[i].n >= 0 && n != loaded_filters[i].n) {
            fail_msg("'%s': %d, wanted %d", loaded_filters[i].filter, n, loaded_filters[i].n);
        }
    }
}

static void test_filter_completes(void **state)
{
    stage *s = *state;
    press(s, "3");
    press(s, "/");
    assert_string_equal(prompt_after(s, "se"), "sev:");
    EXPECT("sev:  critical high medium low opportunity");
    assert_string_equal(prompt_after(s, "sev:"), "sev:");
    assert_string_equal(prompt_after(s, "sev:cr"), "sev:critical");
    assert_string_equal(prompt_after(s, "sev:crit,hi"), "sev:crit,high");
    assert_string_equal(prompt_after(s, "cache !ru"), "cache !rule:");
    assert_string_equal(prompt_after(s, "ag"), "age<");
    assert_string_equal(prompt_after(s, "r"), "r"); /* rule, repo */
    assert_string_equal(prompt_after(s, "st"), "state:");
    assert_string_equal(prompt_after(s, "state:i"), "state:i"); /* ignored, in_patch */
    EXPECT("state:  ignored in_patch");
    assert_string_equal(prompt_after(s, "wf:web/r"), "wf:web/release.yml");
    assert_string_equal(prompt_after(s, "nothing-like-it"), "nothing-like-it");
    assert_string_equal(prompt_after(s, "nope:x"), "nope:x");
    assert_string_equal(prompt_after(s, "@"), "@"); /* findings do not tell by whom */
    assert_string_equal(prompt_after(s, "!"), "!");
    assert_string_equal(prompt_after(s, ""), "");
    press(s, "Ctrl-U");
    type(s, "sev:hi wf:web/*");
    press(s, "Home");
    for (int i = 0; i < 6; i++) {
        press(s, "Right");
    }
    press(s, "Tab"); /* the term at the cursor, not the last one */
    assert_string_equal(s->ui->prompt.text, "sev:high wf:web/*");
    assert_int_equal(s->ui->prompt.at, 8);
    press(s, "Esc");
    press(s, "4");
    press(s, "/");
    assert_string_equal(prompt_after(s, "@"), "@mine");
    assert_string_equal(prompt_after(s, "by:"), "by:mira");
}

static void test_filter_of_a_pane_is_that_of_its_view(void **state)
{
    stage *s = *state;
    press(s, "3");
    press(s, "Enter"); /* a finding is open in view 3: its list is meant nevertheless */
    press(s, "1");
    for (int i = 0; i < 3; i++) {
        press(s, "Tab");
    }
    press(s, "/");
    EXPECT("[3 Findings]");
    EXPECT("Tab complete");
    press(s, "Esc");
    press(s, "1");
    press(s, "Tab");
    press(s, "/");
    EXPECT("[4 Patches]");
    EXPECT("Tab complete");
}

static void test_mine_is_by_the_guardian(void **state)
{
    stage *s = *state;
    size_t n = 0;
    const wpa_filter_term *terms =
        wpa_filter_terms(s->ui, WPA_LIST_PATCHES, "!@mine", s->arena, &n);
    assert_int_equal(n, 1);
    assert_true(terms[0].is_negated);
    assert_string_equal(terms[0].field, "requester"); /* its author is the engine */
    assert_string_equal(terms[0].values[0], "mira");
    terms = wpa_filter_terms(s->ui, WPA_LIST_AUDIT, "@mine", s->arena, &n);
    assert_string_equal(terms[0].field, "by");
    assert_string_equal(terms[0].values[0], "mira");
    terms = wpa_filter_terms(s->ui, WPA_LIST_FINDINGS, "@mine", s->arena, &n);
    assert_string_equal(wpa_filter_fault(WPA_LIST_FINDINGS, &terms[0], s->arena), "@mine");
    terms = wpa_filter_terms(s->ui, WPA_LIST_PATCHES, "@yours", s->arena, &n);
    assert_string_equal(wpa_filter_fault(WPA_LIST_PATCHES, &terms[0], s->arena), "@yours");
}

static void test_filter_asks_one_question_at_a_time(void **state)
{
    stage *s = *state;
    press(s, "3");
    wpa_scripted_set_slow(s->engine, true);
    size_t before = wpa_scripted_count(s->engine, WPA_COMMAND_WATCH_LIST);
    press(s, "/");
    type(s, "nothing-like-it");
    EXPECT("looking ...");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_WATCH_LIST), before + 1);
    wpa_scripted_set_slow(s->engine, false);
    step(s);
    step(s);
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_WATCH_LIST), before + 2);
    EXPECT("0 match");
    assert_string_equal(s->ui->lists[WPA_LIST_FINDINGS].filter, "nothing-like-it");
}

static void test_a_list_that_cannot_be_read_is_told_of(void **state)
{
    stage *s = *state;
    press(s, "3");
    wpa_scripted_set_slow(s->engine, true);
    press(s, "/");
    type(s, "c");
    wpa_scripted_refuse_list(s->engine, "it takes too long");
    step(s);
    EXPECT("1 of 12");
    assert_false(shows(s, "looking ..."));
    press(s, "Enter");
    assert_false(s->ui->lists[WPA_LIST_FINDINGS].is_asking);
}

static void test_frozen(void **state)
{
    stage *s = *state;
    press(s, "2");
    press(s, "F");
    EXPECT("FROZEN");
    press(s, "3"); /* what was never read is no old picture: it is asked for and shown */
    EXPECT("1 of 12");
    press(s, "/");
    type(s, "nothing-like-it");
    EXPECT("0 match");
    press(s, "Esc");
    EXPECT("1 of 12");
    wpa_scripted_set_findings(s->engine, 9);
    wpa_scripted_send(s->engine);
    step(s);
    EXPECT("1 of 12");
    wpa_scripted_alarm(s->engine, "d-1042 rolled back automatically");
    step(s);
    press(s, "j"); /* alarms still come through, and stay */
    EXPECT("ALARM  d-1042 rolled back automatically");
    press(s, "F");
    step(s);
    EXPECT("2 of 9");
}

static void test_silence_is_not_called_live(void **state)
{
    stage *s = *state;
    EXPECT("LIVE");
    pass_time(s, 11000);
    EXPECT("STALE 11 s");
    wpa_ui_resize(s->ui, 10, 40);
    step(s);
    EXPECT("wpa STALE");
    wpa_scripted_send(s->engine);
    step(s);
    EXPECT("wpa LIVE");
    press(s, "F");
    EXPECT("wpa FROZEN");
}

static void test_marks_stay_if_the_order_failed(void **state)
{
    stage *s = *state;
    press(s, "3");
    press(s, "Space");
    press(s, "Space");
    const wpa_reply_view reply = {.kind = WPA_COMMAND_CREATE_PATCH,
                                  .error = {.code = WPA_E_REFUSED, .message = "no"}};
    wpa_ui_reply(s->ui, &reply);
    assert_int_equal(wpa_ui_marks(s->ui)->n_marks, 2);
    const wpa_reply_view done = {.kind = WPA_COMMAND_CREATE_PATCH};
    wpa_ui_reply(s->ui, &done);
    assert_int_equal(wpa_ui_marks(s->ui)->n_marks, 0);
}

static wpa_object same_thing(const void *rows, size_t i)
{
    const int64_t *ids = rows;
    return (wpa_object){WPA_OBJECT_PATCH, ids[i]};
}

static void test_cursor_stays_at_its_row_of_several_about_one_thing(void **state)
{
    (void)state;
    const int64_t before[] = {7, 3, 7, 5, 7}, after[] = {1, 7, 3, 7, 5, 7};
    wpa_cursor cursor = {0};
    wpa_cursor_follow(&cursor, before, WPA_COUNT(before), same_thing);
    wpa_cursor_move(&cursor, before, WPA_COUNT(before), same_thing, 4);
    wpa_cursor_follow(&cursor, before, WPA_COUNT(before), same_thing);
    assert_int_equal(cursor.index, 4);
    wpa_cursor_follow(&cursor, after, WPA_COUNT(after), same_thing);
    assert_int_equal(cursor.index, 5);
}

/* A page whose items are patches of these ids; which of them is drawn as selected. */
static int draw_items(wpa_doc_state *state, const int64_t *ids, int n)
{
    int selected = -1;
    WPA_AUTO(wpa_grid) *scratch = wpa_grid_new(1, 1);
    WPA_AUTO(wpa_grid) *grid = wpa_grid_new(10, 40);
    wpa_canvas canvas = wpa_canvas_of(grid, false);
    wpa_doc doc = wpa_doc_begin(state, scratch, &canvas);
    for (int i = 0; i < n; i++) {
        wpa_object object = {ids[i] ? WPA_OBJECT_PATCH : WPA_OBJECT_NONE, ids[i]};
        selected = wpa_doc_item(&doc, object) ? i : selected;
        doc.row++;
    }
    wpa_doc_end(&doc, &canvas);
    return selected;
}

static void test_selection_of_a_page_is_a_thing(void **state)
{
    (void)state;
    wpa_doc_state doc = {0};
    assert_int_equal(draw_items(&doc, (int64_t[]){4, 5, 6}, 3), 0);
    (void)wpa_doc_verb(&doc, WPA_VERB_DOWN);
    assert_int_equal(draw_items(&doc, (int64_t[]){4, 5, 6}, 3), 1);
    assert_int_equal(draw_items(&doc, (int64_t[]){3, 4, 5, 6}, 4), 2); /* a new one above */
    assert_false(doc.is_lost);
    assert_int_equal(draw_items(&doc, (int64_t[]){3, 4, 6}, 3), -1);
    assert_true(doc.is_lost); /* its neighbour, from the next frame on */
    assert_int_equal(doc.selected_object.id, 6);
    assert_int_equal(draw_items(&doc, (int64_t[]){3, 4, 6}, 3), 2);
    assert_false(doc.is_lost);
    (void)wpa_doc_verb(&doc, WPA_VERB_FIRST);
    assert_int_equal(doc.selected_object.id, 3);
    wpa_doc_restart(&doc);
    assert_int_equal(draw_items(&doc, (int64_t[]){7, 7, 8, 7}, 4), 0);
    for (int i = 1; i < 4; i++) { /* several about one thing are walked through */
        (void)wpa_doc_verb(&doc, WPA_VERB_DOWN);
        assert_int_equal(draw_items(&doc, (int64_t[]){7, 7, 8, 7}, 4), i);
    }
    assert_int_equal(draw_items(&doc, (int64_t[]){9, 7, 7, 8, 7}, 5), 4);
    wpa_doc_restart(&doc);
    assert_int_equal(draw_items(&doc, (int64_t[]){0, 0}, 2), 0); /* no things: their places */
    (void)wpa_doc_verb(&doc, WPA_VERB_DOWN);
    assert_int_equal(draw_items(&doc, (int64_t[]){0, 0}, 2), 1);
    assert_int_equal(draw_items(&doc, NULL, 0), -1);
    (void)wpa_doc_verb(&doc, WPA_VERB_LAST);
    assert_false(doc.is_lost);
}

static void test_an_end_that_does_not_come_leaves_the_rows(void **state)
{
    stage *s = *state;
    wpa_scripted_set_findings(s->engine, 5000);
    press(s, "3");
    wpa_scripted_set_slow(s->engine, true);
    press(s, "G");
    EXPECT("251 of 5,000"); /* the last that is loaded, until the others are there */
    EXPECT("▸ ");
    press(s, "k");
    EXPECT("250 of 5,000");
    press(s, "G");
    wpa_scripted_set_slow(s->engine, false);
    step(s);
    EXPECT("5,000 of 5,000");
    press(s, "g");
    EXPECT("1 of 5,000");
}

static void test_text_behind_so_many_cells(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int cells, passed;
        const char *rest;
    } wanted[] = {
        {"abc", 2, 2, "c"},
        {"abc", 9, 3, ""},
        {"\x1bxy", 4, 4, "xy"},              /* ‹1b› */
        {"\xe2\x80\xaexy", 7, 7, "xy"},      /* ‹u202e› */
        {"\xffxy", 4, 4, "xy"},              /* no UTF-8: ‹ff› */
        {"\xe6\x97\xa5xy", 1, 2, "xy"},      /* two cells wide */
        {"e\xcc\x81xy", 1, 1, "\xcc\x81xy"}, /* what combines takes none */
    };
    for (size_t i = 0; i < WPA_COUNT(wanted); i++) {
        int cells = wanted[i].cells;
        assert_string_equal(wpa_text_behind(wanted[i].text, &cells), wanted[i].rest);
        assert_int_equal(cells, wanted[i].passed);
    }
}

int main(void)
{
#define SIGNED_IN(test) cmocka_unit_test_setup_teardown(test, open_signed_in, close_stage)
    const struct CMUnitTest tests[] = {
        SIGNED_IN(test_filter),
        SIGNED_IN(test_filter_tells_what_it_does_not_understand),
        SIGNED_IN(test_filter_names_the_term_that_is_in_the_way),
        SIGNED_IN(test_filter_goes_over_what_is_loaded_while_lost),
        SIGNED_IN(test_filter_over_loaded_rows_is_the_database_s),
        SIGNED_IN(test_filters_are_saved_by_name),
        SIGNED_IN(test_filter_completes),
        SIGNED_IN(test_filter_of_a_pane_is_that_of_its_view),
        SIGNED_IN(test_mine_is_by_the_guardian),
        SIGNED_IN(test_filter_asks_one_question_at_a_time),
        SIGNED_IN(test_a_list_that_cannot_be_read_is_told_of),
        SIGNED_IN(test_frozen),
        SIGNED_IN(test_silence_is_not_called_live),
        SIGNED_IN(test_marks_stay_if_the_order_failed),
        SIGNED_IN(test_cursor_stays_at_its_row_of_several_about_one_thing),
        SIGNED_IN(test_an_end_that_does_not_come_leaves_the_rows),
        cmocka_unit_test(test_selection_of_a_page_is_a_thing),
        cmocka_unit_test(test_text_behind_so_many_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
