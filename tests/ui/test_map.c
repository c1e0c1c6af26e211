/* The map: a diagram of what uses what, walked by keys; a table where there is no room. */
#include "ui/stage.h"

static void show_map(stage *s, const char *command)
{
    wpa_palette_run(s->ui, command);
    step(s);
    step(s);
}

static void test_it_stands_in_the_middle(void **state)
{
    stage *s = *state;
    press(s, "6");
    EXPECT("USES                        THIS                    USED BY");
    EXPECT("  actions/checkout v4 ────┐                        ┌▸ web/release.yml ↻      49");
    EXPECT("  org/setup 11bd719 ──────┼── payments/ci.yml  41 ─┼─ mobile/nightly.yml     58");
    EXPECT("  web/release.yml ↻  49 ──┘   reusable workflow    ├─ infra/terraform-plan~  63");
    EXPECT("└─ docs/pages.yml         73");
    EXPECT("8 workflows in 8");
    EXPECT("─ web/release.yml uses payments/ci.yml ──");
    EXPECT("line 21  uses: org/payments/ci.yml@main   each uses the other ↻");
    EXPECT("main can move, and web/release.yml with it at once");
}

static void test_keys_walk_it(void **state)
{
    stage *s = *state;
    press(s, "6");
    press(s, "j");
    EXPECT("┼▸ mobile/nightly.yml");
    press(s, "G");
    EXPECT("└▸ docs/pages.yml");
    press(s, "j");
    EXPECT("└▸ docs/pages.yml");
    press(s, "g");
    EXPECT("┌▸ web/release.yml");
    press(s, "h");
    EXPECT("┼─▸ payments/ci.yml");
    EXPECT("18 open findings   .github/workflows/ci.yml   Enter opens it");
    press(s, "h");
    EXPECT("▸ actions/checkout v4");
    EXPECT("v4 can move, and payments/ci.yml with it at once");
    press(s, "j");
    EXPECT("fixed: it changes when this line names another");
    press(s, "Enter");
    EXPECT("that is no workflow of this fleet");
    press(s, "y");
    assert_string_equal(s->ui->clipboard, "org/setup@11bd71901bbe5b1630ceea73d27597364c9af683");
    press(s, "j");
    EXPECT("one repository: both change in one commit");
    press(s, "y");
    assert_string_equal(s->ui->clipboard, "w-2");
    press(s, "h");
    EXPECT("▸ web/release.yml");
}

static void test_enter_moves_the_middle_and_esc_goes_back(void **state)
{
    stage *s = *state;
    press(s, "6");
    press(s, "j");
    press(s, "Enter");
    step(s);
    EXPECT("Map: mobile/nightly.yml");
    EXPECT("used by 53");
    press(s, "G");
    EXPECT("└▸ data/backfill.yml");
    press(s, "Enter");
    step(s);
    EXPECT("Map: data/backfill.yml");
    press(s, "Esc");
    step(s);
    EXPECT("Map: mobile/nightly.yml");
    press(s, "Esc");
    step(s);
    EXPECT("Map: payments/ci.yml");
    press(s, "Esc");
    EXPECT("Map: payments/ci.yml");
    press(s, "h");
    press(s, "Enter");
    step(s);
    EXPECT("─ w-1  payments/ci.yml");
    press(s, "Esc");
    EXPECT("Map: payments/ci.yml");
}

/* More callers than rows: both ends say how many there are, and the selected one is in view. */
static void test_a_long_side_scrolls(void **state)
{
    stage *s = *state;
    show_map(s, "depends w-3");
    EXPECT("42 more");
    for (int i = 0; i < 60; i++) {
        const wpa_grid *grid = s->ui->grid;
        press(s, i < 30 ? "j" : "k");
        assert_true(grid->cursor_row >= 4 && grid->cursor_row < 20);
    }
    press(s, "PgDn");
    press(s, "PgDn");
    EXPECT("more");
    press(s, "G");
    EXPECT("42 more");
    EXPECT("└▸ data/backfill.yml");
}

static void test_table_and_search(void **state)
{
    stage *s = *state;
    press(s, "6");
    press(s, "/");
    type(s, "sea");
    EXPECT("▸ search/ci.yml");
    type(s, "zz");
    EXPECT("not found");
    press(s, "Esc");
    press(s, "/");
    type(s, "release");
    press(s, "Enter");
    EXPECT("─ payments/ci.yml uses web/release.yml");
    press(s, "n");
    EXPECT("─ web/release.yml uses payments/ci.yml");
    press(s, "N");
    EXPECT("─ payments/ci.yml uses web/release.yml");
    press(s, "=");
    EXPECT("─ Used by: a change here reaches these ─");
    EXPECT("./.github/workflows/~    49      line 31");
    press(s, "=");
    EXPECT("USED BY");
    wpa_ui_resize(s->ui, 10, 40);
    step(s);
    EXPECT("8 more below");
    wpa_ui_resize(s->ui, 12, 70);
    step(s);
    EXPECT("more below");
    wpa_ui_resize(s->ui, 60, 200);
    step(s);
    EXPECT("infra/terraform-plan.yml");
}

static void test_depends_asks_for_a_name(void **state)
{
    stage *s = *state;
    show_map(s, "depends w-4");
    EXPECT("This workflow uses nothing and nothing uses it.");
    assert_int_equal(s->ui->tab, 6);
    show_map(s, "depends p-7");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_FIND), 1);
    press(s, "2");
    press(s, "j");
    show_map(s, "depends");
    EXPECT("Map: web/release.yml");
    press(s, "5");
    show_map(s, "depends");
    EXPECT("depends: of which workflow? Give its name or id");
    assert_int_equal(s->ui->tab, 5);
}

static void test_lost_before_it_was_read(void **state)
{
    stage *s = *state;
    press(s, "2");
    wpa_scripted_set_slow(s->engine, true);
    wpa_scripted_lose(s->engine, "refused");
    step(s);
    show_map(s, "depends w-9");
    EXPECT("Not loaded before the database was lost");
    press(s, "j");
    press(s, "h");
    press(s, "=");
    EXPECT("Not loaded before the database was lost");
}

static void test_the_middle_takes_the_room_it_has(void **state)
{
    stage *s = *state;
    wpa_scripted_rename(s->engine, "platform/deploys");
    press(s, "6");
    EXPECT("┼── platform/deploys 41");
}

/* Names that are wide, long or hostile leave no column but their own, whatever the size. */
static void test_names_keep_to_their_columns(void **state)
{
    stage *s = *state;
    static const char *const names[] = {
        "支払い/統合テスト統合テスト統合テスト.yml",
        "a\033[2J\u202E/very-long-name-very-long-name-very-long.yml"};
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        wpa_scripted_rename(s->engine, names[i]);
        press(s, "6");
        for (int cols = 40; cols < 210; cols += 7) {
            wpa_ui_resize(s->ui, 10 + cols % 30, cols);
            step(s);
            assert_true(shows(s, "Map: "));
            press(s, cols % 2 ? "h" : "l");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_it_stands_in_the_middle, open_signed_in, close_stage),
        cmocka_unit_test_setup_teardown(test_keys_walk_it, open_signed_in, close_stage),
        cmocka_unit_test_setup_teardown(test_enter_moves_the_middle_and_esc_goes_back,
                                        open_signed_in, close_stage),
        cmocka_unit_test_setup_teardown(test_a_long_side_scrolls, open_signed_in, close_stage),
        cmocka_unit_test_setup_teardown(test_table_and_search, open_signed_in, close_stage),
        cmocka_unit_test_setup_teardown(test_depends_asks_for_a_name, open_signed_in, close_stage),
        cmocka_unit_test_setup_teardown(test_lost_before_it_was_read, open_signed_in, close_stage),
        cmocka_unit_test_setup_teardown(test_the_middle_takes_the_room_it_has, open_signed_in,
                                        close_stage),
        cmocka_unit_test_setup_teardown(test_names_keep_to_their_columns, open_signed_in,
                                        close_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
