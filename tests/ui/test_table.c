#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "widgets/table.h"

typedef struct sample {
    const char *left, *right, *last;
    double share;
} sample;

#define CELL(name) static void name(const wpa_canvas *cell, const void *row, int64_t now_us)

CELL(left)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_TEXT, ((const sample *)row)->left);
}

CELL(right)
{
    (void)now_us;
    wpa_cell_right(cell, WPA_PAINT_TEXT, ((const sample *)row)->right);
}

/* Draws without looking at its width, as a careless cell would. */
CELL(meter)
{
    (void)now_us;
    wpa_meter(cell, 0, -2, cell->cols + 9, ((const sample *)row)->share, 0.5, WPA_PAINT_METER_FILL);
}

CELL(last)
{
    (void)now_us;
    (void)wpa_put(cell, 0, 0, WPA_PAINT_TEXT, ((const sample *)row)->last);
}

static const wpa_column columns[] = {
    {.title = "LEFT", .width = 6, .grows = true, .draw = left},
    {.title = "RIGHT", .width = 6, .is_right = true, .draw = right},
    {.title = "METER", .width = 4, .priority = 1, .draw = meter},
    {.title = "LAST", .width = 4, .draw = last},
};
static const wpa_table table = {
    .columns = columns, .n_columns = WPA_COUNT(columns), .row_bytes = sizeof(sample)};

static const struct {
    const char *title;
    sample row;
    int cols;
    const char *wanted;
} cases[] = {
    {"all fit", {"a", "1", "ok", 0}, 25, "  a           1 ░░░░ ok"},
    {"long text is cut", {"abcdefghijkl", "1", "ok", 0}, 25, "  abcde~      1 ░░░░ ok"},
    {"long text on the right is cut too",
     {"abc", ".github/workflows/preview.yml", "ok", 0},
     25,
     "  abc    .gith~ ░░░░ ok"},
    {"a careless cell stays inside", {"a", "1", "longer than four", 1}, 25, NULL},
    {"hidden characters", {"a\033b", "1\r2", "ok", 0}, 25, "  a‹1b›b 1‹0d›2 ░░░░ ok"},
    {"wide characters", {"漢字漢字漢字", "漢字漢字", "ok", 0}, 25, NULL},
    {"narrow: a column is dropped", {"abc", "123456789", "ok", 0}, 20, "  abc    12345~ ok"},
    {"narrower than its columns", {"abcdefgh", "123456789", "ok", 1}, 12, NULL},
};

/* The blank before each column stays blank, whatever its neighbours hold. */
static void check_gaps(const wpa_grid *grid, int cols)
{
    if (cols != 25) {
        return;
    }
    static const int gaps[] = {0, 1, 8, 15, 20};
    for (size_t i = 0; i < WPA_COUNT(gaps); i++) {
        assert_int_equal(grid->cells[gaps[i]].base, ' ');
    }
}

static void test_cells_keep_to_their_columns(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        WPA_AUTO(wpa_grid) *grid = wpa_grid_new(2, cases[i].cols);
        wpa_canvas canvas = wpa_canvas_of(grid, false);
        wpa_table_row(&table, &canvas, 0, &cases[i].row, 0, " ", false, false);
        check_gaps(grid, cases[i].cols);
        const char *got = wpa_grid_row_text(grid, 0, arena);
        if (cases[i].wanted && strcmp(got, cases[i].wanted) != 0) {
            (void)fprintf(stderr, "%s: '%s', wanted '%s'\n", cases[i].title, got, cases[i].wanted);
            fail();
        }
        assert_string_equal(wpa_grid_row_text(grid, 1, arena), "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cells_keep_to_their_columns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
