#include "wall/wall.h"

#include <string.h>

#include "wall/pages.h"

#define STALE_US ((int64_t)10 * 1000000)
#define REFRESH_US ((int64_t)4 * 1000000)
#define GONE_US ((int64_t)60 * 1000000)
#define SHIFT_US ((int64_t)600 * 1000000)

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
    if (canvas->cols >= 79) { /* what it is true for comes before what it is now */
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

/* A critical finding that nobody has taken on: no patch is made of it, and it is not ignored. */
static bool has_untriaged(const wpa_ui *ui)
{
    bool has = false;
    for (size_t i = 0; ui->dash && i < ui->dash->n_needs; i++) {
        const wpa_needs_row *row = &ui->dash->needs[i];
        has |=
            row->object.kind == WPA_OBJECT_FINDING && !row->who && wpa_text_is(row->verb, "triage");
    }
    return has;
}

/* What holds the first page, in the words of the last line; NULL: nothing does. */
static const char *pin_of(const wpa_ui *ui)
{
    bool has_hits = false;
    for (size_t i = 0; ui->dash && i < ui->dash->n_live; i++) {
        const wpa_check_row *nearest = ui->dash->live[i].nearest;
        has_hits |= nearest && nearest->hits > 0;
        has_hits |= ui->dash->live[i].state == WPA_DEPLOYMENT_ROLLING_BACK;
    }
    return has_hits || (ui->dash && ui->dash->n_alarms) ? "while something is in trouble"
           : has_untriaged(ui)                          ? "until the CRIT finding is taken on"
                                                        : NULL;
}

static int64_t turn_us(const wpa_ui *ui)
{
    return ui->config.wall.turn_ms * 1000;
}

static void turn_page(wpa_ui *ui)
{
    if (pin_of(ui)) {
        ui->wall_page = 0;
        ui->wall_turn_us = ui->local_us;
    } else if (ui->local_us - ui->wall_turn_us > turn_us(ui)) {
        ui->wall_page++;
        ui->wall_turn_us = ui->local_us;
    }
}

/* Rows that only a page of the wall shows are watched by it. */
static void watch_runs(wpa_ui *ui)
{
    if (wpa_ui_is_signed_in(ui) && wpa_wall_wants_runs(ui) &&
        !ui->lists[WPA_LIST_RUNS].request_id) {
        wpa_ui_watch_list(ui, WPA_LIST_RUNS, NULL, false);
    }
}

static void draw_nothing(const wpa_ui *ui, const wpa_canvas *body)
{
    (void)wpa_put_fit(body, body->rows / 2, 4, body->cols - 8, WPA_PAINT_MUTED,
                      ui->dash ? "--   no data for over a minute, connecting again" : "connecting");
    const char *reason = ui->link ? ui->link->reason : NULL;
    (void)wpa_put_fit(body, body->rows / 2 + 1, 4, body->cols - 8, WPA_PAINT_MUTED,
                      reason ? reason : "");
}

/* Which page, and when the next one comes; narrow screens say less. */
static void draw_foot(const wpa_ui *ui, const wpa_canvas *canvas, const wpa_wall_page *page, int at,
                      int n)
{
    int row = canvas->rows - 1, room = canvas->cols - 2;
    int64_t left_us = turn_us(ui) - (ui->local_us - ui->wall_turn_us);
    char text[WPA_MESSAGE_MAX];
    if (ui->message.text[0]) {
        (void)wpa_put_fit(canvas, row, 1, room, WPA_PAINT_TEXT, ui->message.text);
        return;
    }
    const char *pin = pin_of(ui);
    if (pin) {
        (void)wpa_text_format(text, sizeof text, "page %d of %d %s, pinned %s", at + 1, n,
                              page->name, pin);
    } else if (n > 1) {
        (void)wpa_text_format(text, sizeof text, "page %d of %d %s, next in %d s", at + 1, n,
                              page->name, left_us < 0 ? 0 : (int)(left_us / 1000000));
    } else {
        (void)wpa_text_copy(text, sizeof text, page->name);
    }
    int col = wpa_put_fit(canvas, row, 1, room, WPA_PAINT_MUTED, text);
    static const char leave[] = "Ctrl-C leaves the wall display";
    if (col + 5 + (int)strlen(leave) < canvas->cols) {
        (void)wpa_put(canvas, row, col + 5, WPA_PAINT_MUTED, leave);
    }
}

/* In the hours of wall.dim nothing but an alarm is bright. */
static bool is_dim(const wpa_ui *ui)
{
    const wpa_wall_config *wall = &ui->config.wall;
    int now = (int)(wpa_ui_clock(ui) / 60000000 % (24 * 60));
    if (wall->dim_from == wall->dim_to) {
        return false;
    }
    return wall->dim_from < wall->dim_to ? now >= wall->dim_from && now < wall->dim_to
                                         : now >= wall->dim_from || now < wall->dim_to;
}

void wpa_wall_paint(wpa_ui *ui)
{
    wpa_grid_clear(ui->grid);
    wpa_canvas whole = wpa_canvas_of(ui->grid, ui->is_ascii);
    ui->frame++;
    ui->is_dirty = false;
    turn_page(ui);
    refresh(ui);
    watch_runs(ui);
    /* To spare the panel nothing stands in one place for longer than ten minutes. */
    int shift = (int)(wpa_ui_clock(ui) / SHIFT_US % 2);
    wpa_canvas canvas = wpa_canvas_part(&whole, 0, shift, whole.rows, whole.cols - 1);
    if (is_dim(ui)) {
        canvas.paint = WPA_PAINT_MUTED;
    }
    draw_top(ui, &canvas);
    int row = draw_alarm(ui, &canvas);
    wpa_canvas body = wpa_canvas_part(&canvas, row, 0, canvas.rows - row - 1, canvas.cols);
    const wpa_wall_page *pages[WPA_WALL_PAGES];
    int n = wpa_wall_pages(ui, pages), at = ui->wall_page % n;
    ui->wall_page = at;
    if (!ui->dash || age_us(ui) > GONE_US) {
        draw_nothing(ui, &body);
    } else {
        pages[at]->draw(ui, &body);
    }
    draw_foot(ui, &canvas, pages[at], at, n);
}
