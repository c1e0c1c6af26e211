/* Wheel and clicks: what they mean where, and that they change nothing of the fleet. */
#include "stage.h"

static void press_mouse(stage *s, uint32_t button, int row, int col)
{
    const wpa_key key = {.code = WPA_KEY_MOUSE, .character = button, .row = row, .col = col};
    wpa_ui_key(s->ui, &key);
    step(s);
}

static void test_moves_and_opens(void **state)
{
    stage *s = *state;
    assert_true(s->ui->has_mouse); /* auto, and not over ssh */
    press(s, "m");
    EXPECT("mouse off");
    press(s, "m");
    EXPECT("mouse on");
    press_mouse(s, 0, 1, 25); /* the third tab */
    EXPECT("[3 Findings]");
    EXPECT("1 of 12");
    press_mouse(s, 65, 10, 10); /* wheel */
    EXPECT("4 of 12");
    press_mouse(s, 64, 10, 10);
    EXPECT("1 of 12");
    press_mouse(s, 0, 6, 10); /* third row of the list */
    EXPECT("3 of 12");
    press_mouse(s, 0, 20, 10); /* below the list */
    EXPECT("3 of 12");
    pass_time(s, 600);
    press_mouse(s, 0, 6, 10);
    EXPECT("3 of 12");
    press_mouse(s, 0, 6, 10); /* twice */
    EXPECT("Why and what to do");
    press(s, "4");
    press(s, "D");
    press_mouse(s, 0, 21, 5); /* the answers are no buttons */
    press_mouse(s, 65, 10, 10);
    assert_int_equal(s->ui->mode, WPA_MODE_ASK);
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_DEPLOY), 0);
}

static void let_go_of_mouse(stage *s, int row, int col)
{
    const wpa_key key = {.code = WPA_KEY_MOUSE_LET_GO, .row = row, .col = col};
    wpa_ui_key(s->ui, &key);
    step(s);
}

/* The screen's row on which a text stands. */
static int row_with_text(stage *s, const char *text)
{
    for (int row = 0; row < s->ui->grid->rows; row++) {
        if (strstr(wpa_grid_row_text(s->ui->grid, row, s->arena), text)) {
            return row;
        }
    }
    fail_msg("no %s on\n%s", text, screen(s));
    return 0;
}

static void test_on_panes(void **state)
{
    stage *s = *state;
    EXPECT("▸Workflows, worst first");
    press_mouse(s, 0, row_with_text(s, "Needs you"), 5); /* a title gives the keys to its pane */
    EXPECT("▸Needs you");
    int patch = row_with_text(s, "p-2217");
    press_mouse(s, 0, patch, 10);
    EXPECT("▸ p-2217");
    let_go_of_mouse(s, patch, 11);
    assert_false(shows(s, "Shift-drag"));
    press_mouse(s, 65, row_with_text(s, "web/release.yml"), 10); /* without taking the keys */
    EXPECT("▸ p-2217");
    press_mouse(s, 0, patch, 10);
    press_mouse(s, 0, patch, 10);
    EXPECT("Test report");
    press(s, "Esc");
    press_mouse(s, 0, 10, 10);
    let_go_of_mouse(s, 12, 40);
    EXPECT("Shift-drag selects text; m turns the mouse off");
}

static void test_on_titles_and_hints(void **state)
{
    stage *s = *state;
    press(s, "2");
    EXPECT("[2 Workflows]");
    const wpa_rows *rows = &s->ui->lists[WPA_LIST_WORKFLOWS];
    press_mouse(s, 0, 3, 35); /* WORKFLOW */
    assert_int_equal(rows->sort, WPA_SORT_NAME);
    assert_false(rows->is_descending);
    press_mouse(s, 0, 3, 35);
    assert_true(rows->is_descending);
    press_mouse(s, 0, 3, 3); /* SCO */
    assert_int_equal(rows->sort, WPA_SORT_DEFAULT);
    assert_false(rows->is_descending);
    press_mouse(s, 0, 3, 14); /* SEC sorts nothing */
    assert_int_equal(rows->sort, WPA_SORT_DEFAULT);
    press_mouse(s, 0, 23, 3); /* Enter open */
    EXPECT("web/release.yml");
    press(s, "4");
    press(s, "4");
    EXPECT("D deploy");
    const char *hints = wpa_grid_row_text(s->ui->grid, 23, s->arena);
    press_mouse(s, 0, 23, (int)(strstr(hints, "D deploy") - hints));
    EXPECT("D is pressed on the keyboard: the mouse only looks");
    assert_int_equal(s->ui->mode, WPA_MODE_NORMAL);
    press_mouse(s, 0, 23, (int)(strstr(hints, "d diff") - hints));
    EXPECT("hunk");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_DEPLOY), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_moves_and_opens, open_signed_in, close_stage),
        cmocka_unit_test_setup_teardown(test_on_panes, open_signed_in, close_stage),
        cmocka_unit_test_setup_teardown(test_on_titles_and_hints, open_signed_in, close_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
