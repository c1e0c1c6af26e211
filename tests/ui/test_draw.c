#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "widgets/draw.h"
#include "widgets/format.h"

static const struct {
    const char *title, *text, *want;
    bool is_ascii;
} cases[] = {
    {"plain", "payments/ci.yml", "payments/~", false},
    {"fits", "ci.yml", "ci.yml", false},
    {"escape sequence", "\033[2J", "‹1b›[2J", false},
    {"bidirectional override", "a\342\200\256b", "a‹u202e›b", false},
    {"bad UTF-8", "a\377b", "a‹ff›b", false},
    {"line feed", "a\nb", "a‹0a›b", false},
    {"wide", "漢字", "漢字", false},
    {"wide is never cut in half", "abcdefgh漢漢", "abcdefgh ~", false},
    {"combining", "e\314\201", "e\314\201", false},
    {"too many marks", "e\314\201\314\201\314\201\314\201\314\201\314\201",
     "e\314\201\314\201\314\201\314\201", false},
    {"ASCII", "▸ é ✓", "> ? +", true},
    {"ASCII and wide", "漢x", "? x", true},
};

static void test_put_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        WPA_AUTO(wpa_grid) *grid = wpa_grid_new(1, 10);
        wpa_canvas canvas = wpa_canvas_of(grid, cases[i].is_ascii);
        (void)wpa_put_fit(&canvas, 0, 0, 10, WPA_PAINT_TEXT, cases[i].text);
        const char *got = wpa_grid_row_text(grid, 0, arena);
        if (strcmp(got, cases[i].want) != 0) {
            (void)fprintf(stderr, "%s: '%s', wanted '%s'\n", cases[i].title, got, cases[i].want);
            fail();
        }
    }
}

/* Nothing leaves its canvas, whatever is drawn where. */
static void test_clipping(void **state)
{
    (void)state;
    WPA_AUTO(wpa_grid) *grid = wpa_grid_new(5, 9);
    wpa_canvas all = wpa_canvas_of(grid, false);
    wpa_fill(&all, 0, 0, 9, WPA_PAINT_TEXT, 'x');
    wpa_canvas part = wpa_canvas_part(&all, 1, 2, 3, 4);
    for (int row = -3; row < 9; row++) {
        for (int col = -9; col < 12; col++) {
            (void)wpa_put(&part, row, col, WPA_PAINT_TEXT, "漢字 long text\033");
            wpa_meter(&part, row, col, 9, 0.5, 0.7, WPA_PAINT_METER_FILL);
            (void)wpa_put_right(&part, row, col, WPA_PAINT_TEXT, "right");
        }
    }
    wpa_rule(&part, 0, "a title that is too long", "right side", true);
    wpa_box(&part, "box");
    for (int col = 0; col < 9; col++) {
        assert_int_equal(grid->cells[col].base, 'x');
        assert_int_equal(grid->cells[4 * 9 + col].base, ' ');
    }
    for (int row = 1; row < 4; row++) {
        assert_int_equal(grid->cells[row * 9 + 1].base, ' ');
        assert_int_equal(grid->cells[row * 9 + 6].base, ' ');
    }
}

static void test_overwriting_wide(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_grid) *grid = wpa_grid_new(1, 6);
    wpa_canvas canvas = wpa_canvas_of(grid, false);
    (void)wpa_put(&canvas, 0, 0, WPA_PAINT_TEXT, "漢漢漢");
    (void)wpa_put(&canvas, 0, 1, WPA_PAINT_TEXT, "ab");
    assert_string_equal(wpa_grid_row_text(grid, 0, arena), " ab 漢");
}

static void test_meter(void **state)
{
    (void)state;
    static const struct {
        double value, limit;
        const char *want;
    } meters[] = {{0, -1, "░░░░"}, {1, -1, "████"},  {0.5, -1, "██░░"}, {0.001, -1, "▏░░░"},
                  {2, -1, "████"}, {-1, -1, "░░░░"}, {0.5, 1, "██░┃"},  {0.34, -1, "█▍░░"}};
    for (size_t i = 0; i < WPA_COUNT(meters); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        WPA_AUTO(wpa_grid) *grid = wpa_grid_new(1, 4);
        wpa_canvas canvas = wpa_canvas_of(grid, false);
        wpa_meter(&canvas, 0, 0, 4, meters[i].value, meters[i].limit, WPA_PAINT_METER_FILL);
        assert_string_equal(wpa_grid_row_text(grid, 0, arena), meters[i].want);
    }
}

static void test_wrapping(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_grid) *grid = wpa_grid_new(4, 12);
    wpa_canvas canvas = wpa_canvas_of(grid, false);
    int rows =
        wpa_put_wrapped(&canvas, 0, 0, 12, WPA_PAINT_TEXT, "hold is always safe\nunbreakableword");
    assert_int_equal(rows, 4);
    assert_string_equal(wpa_grid_text(grid, arena), "hold is\nalways safe\nunbreakablew\nord\n");
}

static void test_formats(void **state)
{
    (void)state;
    char text[WPA_SHORT];
    int64_t now = 1763796130000000; /* 2025-11-22T07:22:10Z */
    assert_string_equal(wpa_count_text(1000000, text, sizeof text), "1,000,000");
    assert_string_equal(wpa_count_text(999, text, sizeof text), "999");
    assert_string_equal(wpa_count_text(-1, text, sizeof text), "-");
    assert_string_equal(wpa_age_text(now - 12000000, now, text, sizeof text), "12 s");
    assert_string_equal(wpa_age_text(0, now, text, sizeof text), "-");
    assert_string_equal(wpa_took_text(192000, text, sizeof text), "3 m 12");
    assert_string_equal(wpa_took_text(400, text, sizeof text), "0.4 s");
    assert_string_equal(wpa_timer_text(252000, text, sizeof text), "04:12");
    assert_string_equal(wpa_timer_text(-1, text, sizeof text), "--:--");
    assert_string_equal(wpa_downtime_text(0, text, sizeof text), "0.0 s");
    assert_string_equal(wpa_downtime_text(-1, text, sizeof text), "-");
    assert_string_equal(wpa_score_text(-1, text, sizeof text), "-");
    assert_string_equal(wpa_clock_text(now, text, sizeof text), "07:22:10");
    wpa_job_row job = {.state = WPA_JOB_RUNNING, .attempt = 2, .max_attempts = 5};
    assert_string_equal(wpa_attempt_text(&job, text, sizeof text), "2 of 5");
    job.state = WPA_JOB_DEAD;
    assert_string_equal(wpa_attempt_text(&job, text, sizeof text), "2");
    wpa_object object = wpa_object_parse("d-1042");
    assert_int_equal(object.kind, WPA_OBJECT_DEPLOYMENT);
    assert_int_equal(object.id, 1042);
    assert_int_equal(wpa_object_parse("d-").kind, WPA_OBJECT_NONE);
    assert_int_equal(wpa_object_parse("x-1").kind, WPA_OBJECT_NONE);
}

/* A question's box is as high as its text: one that is not broken evenly needs more rows. */
static void test_wrapped_rows(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int rows;
    } wanted[] = {
        {"", 0},
        {"one", 1},
        {"Deploy p-34  a-very-long-name  to 1 workflow?", 4},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 3},
        {"a\n\nb", 3},
        {"a   \nb", 2},
        {"\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6"
         "\x97\xa5",
         2},
    };
    WPA_AUTO(wpa_grid) *grid = wpa_grid_new(20, 40);
    wpa_canvas canvas = wpa_canvas_of(grid, false);
    for (size_t i = 0; i < WPA_COUNT(wanted); i++) {
        assert_int_equal(wpa_put_wrapped(&canvas, 0, 0, 15, WPA_PAINT_TEXT, wanted[i].text),
                         wanted[i].rows);
        assert_int_equal(wpa_wrapped_rows(wanted[i].text, 15), wanted[i].rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_fit),          cmocka_unit_test(test_clipping),
        cmocka_unit_test(test_overwriting_wide), cmocka_unit_test(test_meter),
        cmocka_unit_test(test_wrapping),         cmocka_unit_test(test_wrapped_rows),
        cmocka_unit_test(test_formats)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
