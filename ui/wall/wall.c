#include "wall/wall.h"

#include <string.h>

#include "panes/panes.h"
#include "views/tables.h"

#define STALE_US ((int64_t)10 * 1000000)
#define REFRESH_US ((int64_t)4 * 1000000)
#define GONE_US ((int64_t)60 * 1000000)
#define OVERVIEW_ROWS 24
#define TURN_US ((int64_t)20 * 1000000)
#define DIGIT_COLS 14

void wpa_wall_start(wpa_ui *ui)
{
    ui->mode = WPA_MODE_NORMAL;
    ui->wall_turn_us = ui->local_us;
}

void wpa_wall_key(wpa_ui *ui, const wpa_key *key)
{
    if (key->code == WPA_KEY_CTRL && key->character == 'c') {
        ui->is_quitting = true;
    } else if (key->code == WPA_KEY_CHAR && key->character == ' ') {
        ui->wall_page++;
        ui->wall_turn_us = ui->local_us;
        ui->is_dirty = true;
    } else if (key->code == WPA_KEY_CHAR && key->character == '?') {
        wpa_ui_say(ui, WPA_NOTICE_NOTE,
                   "wall display: Space next page, Ctrl-C leaves; it cannot "
                   "change anything");
    }
}

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

static int64_t age_us(const wpa_ui *ui)
{
    return ui->dash ? wpa_ui_clock(ui) - ui->dash->taken_at_us : GONE_US + 1;
}

static bool is_stale(const wpa_ui *ui)
{
    return age_us(ui) > STALE_US;
}

/* A quiet fleet sends nothing by itself: ask, so that the age on the wall is the truth. */
static void refresh(wpa_ui *ui)
{
    if (age_us(ui) > REFRESH_US && ui->local_us - ui->wall_asked_us > REFRESH_US) {
        ui->wall_asked_us = ui->local_us;
        (void)wpa_ui_send(ui, wpa_command_new(WPA_COMMAND_REFRESH));
    }
}

static void draw_top(wpa_ui *ui, const wpa_canvas *canvas)
{
    char workflows[WPA_SHORT], repositories[WPA_SHORT], clock[WPA_SHORT], right[128];
    if (!ui->dash) {
        (void)wpa_text_copy(right, sizeof right, "no data yet");
    } else {
        (void)wpa_text_format(right, sizeof right,
                              is_stale(ui) ? "STALE %.0f s" : "data %.1f s old",
                              (double)age_us(ui) / 1e6);
    }
    size_t used = strlen(right);
    (void)wpa_text_format(right + used, sizeof right - used, "   %s",
                          wpa_ui_is_live(ui) ? "LIVE" : "LOST");
    if (canvas->cols >= 80) { /* what it is true for comes before what it is now */
        used = strlen(right);
        (void)wpa_text_format(right + used, sizeof right - used, "   %sZ",
                              wpa_clock_text(wpa_ui_clock(ui), clock, sizeof clock));
    }
    (void)wpa_put_right(canvas, 0, canvas->cols - 1,
                        is_stale(ui) ? WPA_PAINT_BANNER_LOST : WPA_PAINT_TEXT, right);
    wpa_canvas left =
        wpa_canvas_part(canvas, 0, 0, 1, canvas->cols - 1 - wpa_text_cells(right) - 2);
    int col = wpa_putf(&left, 0, 1, WPA_PAINT_TITLE, "wpa  %s",
                       ui->session && ui->session->fleet ? ui->session->fleet : "");
    col = wpa_put(&left, 0, col + 3, WPA_PAINT_FOCUS, "WALL");
    col = wpa_put(&left, 0, col + 2, WPA_PAINT_MUTED, "read-only");
    if (ui->dash && canvas->cols >= 100) {
        (void)wpa_putf(&left, 0, col + 3, WPA_PAINT_MUTED, "%s workflow%s  %s repo%s",
                       wpa_count_text(ui->dash->n_workflows, workflows, sizeof workflows),
                       ui->dash->n_workflows == 1 ? "" : "s",
                       wpa_count_text(ui->dash->n_repositories, repositories, sizeof repositories),
                       ui->dash->n_repositories == 1 ? "" : "s");
    }
}

static void draw_health(wpa_ui *ui, const wpa_canvas *canvas)
{
    char text[WPA_SHORT];
    const wpa_scores *scores = &ui->dash->scores;
    wpa_rule(canvas, 0, "FLEET HEALTH", NULL, false);
    int overall = (int)(scores->overall + 0.5), col = 8;
    if (scores->overall < 0) {
        (void)wpa_put(canvas, 3, col, WPA_PAINT_MUTED, "nothing analysed yet");
    } else {
        char number[8];
        (void)wpa_text_format(number, sizeof number, "%d", overall);
        for (const char *c = number; *c; c++, col += DIGIT_COLS) {
            draw_digit(canvas, 2, col, *c - '0', wpa_score_paint(scores->overall));
        }
    }
    if (ui->dash->change_24h >= 0.5 || ui->dash->change_24h <= -0.5) {
        (void)wpa_putf(canvas, 8, 8, WPA_PAINT_TEXT, "%s%.0f since yesterday",
                       ui->dash->change_24h > 0 ? "▴" : "▾",
                       ui->dash->change_24h > 0 ? ui->dash->change_24h : -ui->dash->change_24h);
    }
    for (int i = 0; i < WPA_DIMENSION_COUNT; i++) {
        double score = scores->dimension[i];
        (void)wpa_put(canvas, 10 + i, 2, WPA_PAINT_TEXT, wpa_dimension_text((wpa_dimension)i));
        (void)wpa_put_right(canvas, 10 + i, 19, wpa_score_paint(score),
                            wpa_score_text(score, text, sizeof text));
        wpa_meter(canvas, 10 + i, 20, canvas->cols - 22, score / 100, -1, wpa_score_paint(score));
    }
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

static void draw_overview(wpa_ui *ui, const wpa_canvas *canvas)
{
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

static int draw_alarm(wpa_ui *ui, const wpa_canvas *canvas)
{
    if (!ui->dash || !ui->dash->n_alarms) {
        return 1;
    }
    int rows = canvas->rows / 3;
    wpa_canvas part = wpa_canvas_part(canvas, 1, 0, rows, canvas->cols);
    part.paint = WPA_PAINT_BANNER_ALARM;
    for (int i = 0; i < rows; i++) {
        wpa_fill(&part, i, 0, part.cols, WPA_PAINT_BANNER_ALARM, ' ');
    }
    (void)wpa_put(&part, rows / 2 - 1, 4, WPA_PAINT_BANNER_ALARM, "A L A R M");
    (void)wpa_put_fit(&part, rows / 2 + 1, 4, part.cols - 8, WPA_PAINT_BANNER_ALARM,
                      ui->dash->alarms[0].text);
    return 1 + rows;
}

static bool is_pinned(const wpa_ui *ui)
{
    bool has_hits = false;
    for (size_t i = 0; ui->dash && i < ui->dash->n_live; i++) {
        const wpa_check_row *nearest = ui->dash->live[i].nearest;
        has_hits |= nearest && nearest->hits > 0;
        has_hits |= ui->dash->live[i].state == WPA_DEPLOYMENT_ROLLING_BACK;
    }
    return has_hits || (ui->dash && ui->dash->n_alarms);
}

static void turn_page(wpa_ui *ui)
{
    if (is_pinned(ui)) {
        ui->wall_page = 0;
        ui->wall_turn_us = ui->local_us;
    } else if (ui->local_us - ui->wall_turn_us > TURN_US) {
        ui->wall_page++;
        ui->wall_turn_us = ui->local_us;
    }
}

void wpa_wall_paint(wpa_ui *ui)
{
    wpa_grid_clear(ui->grid);
    wpa_canvas canvas = wpa_canvas_of(ui->grid, ui->is_ascii);
    ui->frame++;
    ui->is_dirty = false;
    turn_page(ui);
    refresh(ui);
    draw_top(ui, &canvas);
    int row = draw_alarm(ui, &canvas);
    wpa_canvas body = wpa_canvas_part(&canvas, row, 0, canvas.rows - row - 1, canvas.cols);
    /* The overview needs room: without it there is the other page alone. */
    bool has_overview = body.rows >= OVERVIEW_ROWS;
    int page = has_overview ? ui->wall_page % 2 : 1;
    if (!ui->dash || age_us(ui) > GONE_US) {
        (void)wpa_put(&body, body.rows / 2, 4, WPA_PAINT_MUTED,
                      ui->dash ? "--   no data for over a minute, connecting again" : "connecting");
        const char *reason = ui->link ? ui->link->reason : NULL;
        (void)wpa_put_fit(&body, body.rows / 2 + 1, 4, body.cols - 8, WPA_PAINT_MUTED,
                          reason ? reason : "");
    } else if (page == 0) {
        draw_overview(ui, &body);
    } else {
        draw_findings(ui, &body);
    }
    if (ui->message.text[0]) {
        (void)wpa_put(&canvas, canvas.rows - 1, 1, WPA_PAINT_TEXT, ui->message.text);
        return;
    }
    if (!has_overview) {
        (void)wpa_put(&canvas, canvas.rows - 1, 1, WPA_PAINT_MUTED,
                      "findings; a higher terminal shows the overview     Ctrl-C leaves");
        return;
    }
    int left = (int)((TURN_US - (ui->local_us - ui->wall_turn_us)) / 1000000);
    if (is_pinned(ui)) {
        (void)wpa_put(&canvas, canvas.rows - 1, 1, WPA_PAINT_MUTED,
                      "page 1 of 2 overview, pinned while something is in trouble     Ctrl-C "
                      "leaves the wall display");
    } else {
        (void)wpa_putf(&canvas, canvas.rows - 1, 1, WPA_PAINT_MUTED,
                       "page %d of 2 %s, next in %d s     Ctrl-C leaves the wall display", page + 1,
                       page ? "findings" : "overview", left < 0 ? 0 : left);
    }
}
