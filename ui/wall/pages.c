#include "wall/pages.h"

#include <string.h>

#include "panes/panes.h"
#include "views/tables.h"

#define OVERVIEW_ROWS 24 /* with less, or fewer columns, the overview is the small one */
#define OVERVIEW_COLS 110
#define NUMBER_ROWS 14 /* of the small one, from which on the number is large */
#define NUMBER_COLS 60
#define DIGIT_COLS 14
#define LEAST_WORST 4 /* rule, titles and two rows */

/* ---- parts ---- */

/* Digits of 5 rows by 12 cells, each bit two cells wide. */
static const unsigned char digits[10][5] = {
    {077, 063, 063, 063, 077}, {006, 006, 006, 006, 006}, {077, 003, 077, 060, 077},
    {077, 003, 077, 003, 077}, {063, 063, 077, 003, 003}, {077, 060, 077, 003, 077},
    {077, 060, 077, 063, 077}, {077, 003, 003, 003, 003}, {077, 063, 077, 063, 077},
    {077, 063, 077, 003, 077},
};

static void draw_digit(const wpa_canvas *canvas, int row, int col, int digit, wpa_paint paint)
{
    for (int y = 0; y < 5; y++) {
        for (int bit = 0; bit < 6; bit++) {
            if (digits[digit][y] & (32 >> bit)) {
                wpa_fill(canvas, row + y, col + 2 * bit, 2, paint, 0x2588);
            }
        }
    }
}

/* The score large enough for four metres: 5 rows. Returns the column behind. */
static int draw_number(const wpa_canvas *canvas, int row, int col, double score)
{
    char number[8];
    if (score < 0) {
        return wpa_put(canvas, row + 1, col, WPA_PAINT_MUTED, "nothing analysed yet");
    }
    (void)wpa_text_format(number, sizeof number, "%d", (int)(score + 0.5));
    for (const char *c = number; *c; c++, col += DIGIT_COLS) {
        draw_digit(canvas, row, col, *c - '0', wpa_score_paint(score));
    }
    return col;
}

/* "▴2 since yesterday", "" no change. */
static const char *change_text(const wpa_ui *ui, char *text, size_t size_bytes)
{
    double change = ui->dash->change_24h;
    text[0] = '\0';
    if (change >= 0.5 || change <= -0.5) {
        (void)wpa_text_format(text, size_bytes, "%s%.0f since yesterday", change > 0 ? "▴" : "▾",
                              change > 0 ? change : -change);
    }
    return text;
}

/* One row each, as wide as the canvas. */
static void draw_dimensions(wpa_ui *ui, const wpa_canvas *canvas, int row, int col)
{
    char text[WPA_SHORT];
    for (int i = 0; i < WPA_DIMENSION_COUNT; i++) {
        double score = ui->dash->scores.dimension[i];
        (void)wpa_put(canvas, row + i, col, WPA_PAINT_TEXT, wpa_dimension_text((wpa_dimension)i));
        (void)wpa_put_right(canvas, row + i, col + 17, wpa_score_paint(score),
                            wpa_score_text(score, text, sizeof text));
        wpa_meter(canvas, row + i, col + 18, canvas->cols - col - 20, score / 100, -1,
                  wpa_score_paint(score));
    }
}

/* ---- pages ---- */

static void draw_health(wpa_ui *ui, const wpa_canvas *canvas)
{
    const wpa_scores *scores = &ui->dash->scores;
    wpa_rule(canvas, 0, "FLEET HEALTH", NULL, false);
    draw_number(canvas, 2, 8, scores->overall);
    char change[WPA_SHORT];
    (void)wpa_put(canvas, 8, 8, WPA_PAINT_TEXT, change_text(ui, change, sizeof change));
    draw_dimensions(ui, canvas, 10, 2);
}

static void draw_live(wpa_ui *ui, const wpa_canvas *canvas)
{
    char right[WPA_SHORT];
    (void)wpa_text_format(right, sizeof right, "%zu running", ui->dash->n_live);
    wpa_rule(canvas, 0, "LIVE DEPLOYS", right, false);
    if (!ui->dash->n_live) {
        (void)wpa_put(canvas, 2, 2, WPA_PAINT_MUTED, "nothing is being deployed");
    }
    wpa_table_head(&wpa_live_wide_table, canvas, 1);
    for (size_t i = 0; i < ui->dash->n_live && (int)i + 2 < canvas->rows; i++) {
        wpa_table_row(&wpa_live_wide_table, canvas, (int)i + 2, &ui->dash->live[i], wpa_ui_now(ui),
                      " ", false, false);
    }
}

/* Number and dimensions side by side, or a line of them; returns the row behind. */
static int draw_small_health(wpa_ui *ui, const wpa_canvas *canvas)
{
    char change[WPA_SHORT];
    if (canvas->rows < NUMBER_ROWS || canvas->cols < NUMBER_COLS) {
        wpa_health_draw(ui, canvas, 0);
        return 1;
    }
    wpa_rule(canvas, 0, "FLEET HEALTH", change_text(ui, change, sizeof change), false);
    int col = draw_number(canvas, 1, 2, ui->dash->scores.overall);
    wpa_canvas part = wpa_canvas_part(canvas, 1, col, 5, canvas->cols - col);
    draw_dimensions(ui, &part, 0, 2);
    return 6;
}

/* What is dear on a small screen: how healthy, what is changing now, what waits for a person. */
static void draw_small_overview(wpa_ui *ui, const wpa_canvas *canvas)
{
    int row = draw_small_health(ui, canvas), rows = canvas->rows - row, cols = canvas->cols;
    int queue = rows >= 10 && cols >= NUMBER_COLS ? 2 : 0, live = wpa_pane_rows(ui, &wpa_pane_live);
    live = live > (rows - queue) / 2 ? (rows - queue) / 2 : live;
    wpa_cursor cursor = {.index = -1};
    wpa_canvas live_part = wpa_canvas_part(canvas, row, 0, live, cols);
    wpa_canvas queue_part = wpa_canvas_part(canvas, row + live, 0, queue, cols);
    row += live + queue;
    rows = canvas->rows - row;
    int needs = wpa_pane_rows(ui, &wpa_pane_needs_you);
    needs = rows - needs < LEAST_WORST ? rows : needs; /* what is left over is for the worst */
    wpa_canvas needs_part = wpa_canvas_part(canvas, row, 0, needs, cols);
    wpa_canvas worst_part = wpa_canvas_part(canvas, row + needs, 0, rows - needs, cols);
    wpa_pane_draw(ui, &wpa_pane_live, &live_part, &cursor, false);
    wpa_pane_draw(ui, &wpa_pane_queue, &queue_part, NULL, false);
    cursor = (wpa_cursor){.index = -1};
    wpa_pane_draw(ui, &wpa_pane_needs_you, &needs_part, &cursor, false);
    cursor = (wpa_cursor){.index = -1};
    wpa_pane_draw(ui, &wpa_pane_workflows, &worst_part, &cursor, false);
}

static void draw_overview(wpa_ui *ui, const wpa_canvas *canvas)
{
    if (canvas->rows < OVERVIEW_ROWS || canvas->cols < OVERVIEW_COLS) {
        draw_small_overview(ui, canvas);
        return;
    }
    int cols = canvas->cols, left = cols * 3 / 10, top = 15;
    wpa_canvas health = wpa_canvas_part(canvas, 0, 0, top, left);
    wpa_canvas live = wpa_canvas_part(canvas, 0, left + 1, top - 4, cols - left - 1);
    wpa_canvas queue = wpa_canvas_part(canvas, top - 4, left + 1, 4, cols - left - 1);
    draw_health(ui, &health);
    draw_live(ui, &live);
    wpa_pane_draw(ui, &wpa_pane_queue, &queue, NULL, false);
    for (int i = 0; i < top; i++) {
        wpa_fill(canvas, i, left, 1, WPA_PAINT_RULE, 0x2502);
    }
    wpa_cursor needs_cursor = {.index = -1}, worst_cursor = {.index = -1}; /* nothing selected */
    int needs = 6, worst = canvas->rows - top - needs;
    wpa_canvas needs_part = wpa_canvas_part(canvas, top, 0, needs, cols);
    wpa_canvas worst_part = wpa_canvas_part(canvas, top + needs, 0, worst, cols);
    wpa_pane_draw(ui, &wpa_pane_needs_you, &needs_part, &needs_cursor, false);
    wpa_pane_draw(ui, &wpa_pane_workflows, &worst_part, &worst_cursor, false);
}

static void draw_findings(wpa_ui *ui, const wpa_canvas *canvas)
{
    wpa_canvas findings = wpa_canvas_part(canvas, 0, 0, 8, canvas->cols);
    wpa_canvas activity = wpa_canvas_part(canvas, 8, 0, canvas->rows - 8, canvas->cols);
    wpa_cursor cursor = {.index = -1};
    wpa_pane_draw(ui, &wpa_pane_findings, &findings, NULL, false);
    wpa_pane_draw(ui, &wpa_pane_activity, &activity, &cursor, false);
}

/* The latest runs; the page takes turns only when there are some. */
static void draw_runs(wpa_ui *ui, const wpa_canvas *canvas)
{
    const wpa_list_view *view = ui->lists[WPA_LIST_RUNS].view;
    char n[WPA_SHORT];
    wpa_cursor cursor = {.index = -1};
    wpa_rule(canvas, 0, "Latest runs", view ? wpa_count_text(view->n_matching, n, sizeof n) : NULL,
             false);
    wpa_canvas body = wpa_canvas_part(canvas, 1, 0, canvas->rows - 1, canvas->cols);
    if (view) {
        wpa_table_draw(&wpa_run_table, &body, view->runs, view->n_rows, wpa_ui_now(ui), &cursor,
                       false);
    }
}

static const wpa_wall_page all[WPA_WALL_PAGES] = {
    {"overview", draw_overview},
    {"findings", draw_findings},
    {"runs", draw_runs},
};

bool wpa_wall_wants_runs(const wpa_ui *ui)
{
    const wpa_wall_config *wall = &ui->config.wall;
    for (int i = 0; i < wall->n_pages; i++) {
        if (all[wall->pages[i]].draw == draw_runs) {
            return true;
        }
    }
    return false;
}

int wpa_wall_pages(const wpa_ui *ui, const wpa_wall_page *pages[WPA_WALL_PAGES])
{
    const wpa_wall_config *wall = &ui->config.wall;
    const wpa_list_view *runs = ui->lists[WPA_LIST_RUNS].view;
    int n = 0;
    for (int i = 0; i < wall->n_pages && n < WPA_WALL_PAGES; i++) {
        const wpa_wall_page *page = &all[wall->pages[i]];
        if (page->draw != draw_runs || (runs && runs->n_rows)) {
            pages[n++] = page;
        }
    }
    if (!n) {
        pages[n++] = &all[0];
    }
    return n;
}
