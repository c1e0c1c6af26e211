#include <string.h>

#include "console/ui.h"

#define HELP_COLS 8                       /* "? help" and the blanks before it */
#define SILENT_US ((int64_t)10 * 1000000) /* a feed that lives sends more often */

static void draw_clock(wpa_ui *ui, const wpa_canvas *canvas, int *end)
{
    char clock[WPA_SHORT];
    (void)wpa_clock_text(wpa_ui_clock(ui), clock, sizeof clock);
    if (!ui->config.has_seconds) {
        clock[5] = '\0';
    }
    wpa_put_right(canvas, 0, *end, WPA_PAINT_TEXT, "Z");
    wpa_put_right(canvas, 0, *end - 1, WPA_PAINT_TEXT, clock);
    *end -= (int)strlen(clock) + 1;
}

static void put_before(const wpa_canvas *canvas, int *end, wpa_paint paint, const char *text)
{
    *end -= 2;
    (void)wpa_put_right(canvas, 0, *end, paint, text);
    *end -= wpa_text_cells(text);
}

/* In a word whether what is shown is true now: LIVE, or how old it is. */
static wpa_paint link_text(const wpa_ui *ui, char *text, size_t size_bytes)
{
    char age[WPA_SHORT];
    int64_t silent_us = ui->heard_us ? ui->local_us - ui->heard_us : 0;
    if (ui->is_frozen) {
        (void)wpa_text_format(text, size_bytes, "FROZEN %s",
                              wpa_age_text(ui->frozen_us, wpa_ui_clock(ui), age, sizeof age));
        return WPA_PAINT_BANNER_FROZEN;
    }
    if (wpa_ui_is_live(ui) && silent_us > SILENT_US) {
        (void)wpa_text_format(text, size_bytes, "STALE %s",
                              wpa_age_text(ui->heard_us, ui->local_us, age, sizeof age));
        return WPA_PAINT_BANNER_LOST;
    }
    if (wpa_ui_is_live(ui)) {
        (void)wpa_text_copy(text, size_bytes, "LIVE");
        return WPA_PAINT_CHECK_OK;
    }
    if (wpa_ui_is_lost(ui)) {
        (void)wpa_text_format(
            text, size_bytes, "LOST %s",
            wpa_age_text(ui->link->lost_at_us, wpa_ui_clock(ui), age, sizeof age));
        return WPA_PAINT_BANNER_LOST;
    }
    (void)wpa_text_copy(text, size_bytes, "starting");
    return WPA_PAINT_MUTED;
}

static void draw_link(const wpa_ui *ui, const wpa_canvas *canvas, int *end)
{
    char text[WPA_SHORT];
    wpa_paint paint = link_text(ui, text, sizeof text);
    put_before(canvas, end, paint, text);
}

static void draw_top(wpa_ui *ui, const wpa_canvas *canvas)
{
    char who[128], fleet[256];
    int end = canvas->cols;
    const wpa_session_view *session = ui->session;
    draw_clock(ui, canvas, &end);
    if (wpa_ui_is_signed_in(ui)) {
        (void)wpa_text_format(who, sizeof who, "%s %s", session->name ? session->name : "nobody",
                              session->role == WPA_ROLE_GUARDIAN ? "guardian" : "viewer");
        put_before(canvas, &end, WPA_PAINT_TEXT, who);
        if (session->is_read_only) {
            put_before(canvas, &end, WPA_PAINT_CHECK_NEAR, "RO");
        }
        draw_link(ui, canvas, &end);
    } else {
        put_before(canvas, &end, WPA_PAINT_MUTED, "not signed in");
    }
    int col = wpa_put(canvas, 0, 1, WPA_PAINT_TITLE, "wpa");
    (void)wpa_text_format(fleet, sizeof fleet, "%s",
                          session && session->fleet ? session->fleet : "");
    col = wpa_put_fit(canvas, 0, col + 2, end - col - 4, WPA_PAINT_TEXT, fleet);
    if (ui->scope.kind != WPA_OBJECT_NONE) {
        (void)wpa_text_format(fleet, sizeof fleet, "scope %s", ui->scope_name);
        (void)wpa_put_fit(canvas, 0, col + 2, end - col - 4, WPA_PAINT_FOCUS, fleet);
    } else if (canvas->cols >= 100 && ui->dash) {
        char workflows[WPA_SHORT], repositories[WPA_SHORT];
        (void)wpa_putf(canvas, 0, col + 3, WPA_PAINT_MUTED, "%s workflow%s  %s repo%s",
                       wpa_count_text(ui->dash->n_workflows, workflows, sizeof workflows),
                       ui->dash->n_workflows == 1 ? "" : "s",
                       wpa_count_text(ui->dash->n_repositories, repositories, sizeof repositories),
                       ui->dash->n_repositories == 1 ? "" : "s");
    }
}

/* The tab that is marked: of the view, or of the kind of thing it shows. */
static int marked_tab(wpa_ui *ui)
{
    const wpa_page *page = wpa_ui_page(ui);
    return page->view->tab ? page->view->tab : wpa_tab_of_object(page->object.kind);
}

static const char *const tab_names[WPA_TABS] = {"Dash",    "Workflows", "Findings", "Patches",
                                                "Deploys", "Map",       "Runs",     "Audit"};

static void draw_tabs(wpa_ui *ui, const wpa_canvas *canvas)
{
    int col = 0; /* brackets take the place of the blanks around a name */
    for (int i = 0; i < WPA_TABS; i++) {
        bool is_active = marked_tab(ui) == i + 1;
        wpa_canvas part = *canvas;
        part.paint = is_active ? WPA_PAINT_SELECTED : WPA_PAINT_MUTED;
        int end = wpa_putf(&part, 1, col, WPA_PAINT_TEXT, is_active ? "[%d %s]" : " %d %s ", i + 1,
                           tab_names[i]);
        wpa_zone_add(canvas, 1, col, 1, end - col, WPA_ZONE_TAB, i + 1);
        col = end;
    }
}

static bool is_tiny(const wpa_grid *grid)
{
    return grid->rows < 24 || grid->cols < 80;
}

/*
 * "connection to server at "10.2.0.5", port 5432 failed: Connection refused" is too long for a
 * line: what it says stands first, where behind it.
 */
static const char *short_reason(const char *reason, char *text, size_t size_bytes)
{
    static const char *const begins[] = {"database: ", "connection to server "};
    const char *why = NULL;
    for (size_t i = 0; i < WPA_COUNT(begins); i++) {
        reason += wpa_text_starts(reason, begins[i]) ? strlen(begins[i]) : 0;
    }
    for (const char *at = strstr(reason, " failed: "); at; at = strstr(at + 1, " failed: ")) {
        why = at;
    }
    if (!why) {
        return reason;
    }
    (void)wpa_text_format(text, size_bytes, "%s, %.*s", why + strlen(" failed: "),
                          (int)(why - reason), reason);
    return text;
}

static int draw_lost(wpa_ui *ui, const wpa_canvas *canvas, int row)
{
    if (!wpa_ui_is_lost(ui)) {
        return row;
    }
    bool is_narrow = canvas->cols < 60;
    char age[WPA_SHORT], clock[WPA_SHORT], wait[WPA_SHORT] = "trying now";
    char reason[WPA_MESSAGE_MAX], from[WPA_SHORT];
    int64_t now = wpa_ui_clock(ui);
    if (ui->link->next_try_us > now) {
        (void)wpa_text_format(wait, sizeof wait, is_narrow ? "Next in %d s" : "Next try in %d s",
                              (int)((ui->link->next_try_us - now) / 1000000) + 1);
    }
    wpa_canvas part = *canvas;
    part.paint = WPA_PAINT_BANNER_LOST;
    wpa_fill(&part, row, 0, canvas->cols, WPA_PAINT_BANNER_LOST, ' ');
    (void)wpa_text_format(from, sizeof from, "What you see is from %sZ.  ",
                          wpa_clock_text(ui->link->lost_at_us, clock, sizeof clock));
    (void)wpa_putf(&part, row, 1, WPA_PAINT_BANNER_LOST, "DATABASE LOST %s ago.  %s%s",
                   wpa_age_text(ui->link->lost_at_us, now, age, sizeof age), is_narrow ? "" : from,
                   wait);
    char tries[WPA_SHORT] = "Ctrl-R";
    if (!is_narrow) {
        (void)wpa_text_format(tries, sizeof tries, "try %d   Ctrl-R try now", ui->link->attempt);
    }
    (void)wpa_put_right(canvas, row + 1, canvas->cols - 1, WPA_PAINT_KEY, tries);
    (void)wpa_put_fit(
        canvas, row + 1, 1, canvas->cols - wpa_text_cells(tries) - 4, WPA_PAINT_TEXT,
        short_reason(ui->link->reason ? ui->link->reason : "no answer", reason, sizeof reason));
    return row + 2;
}

static int draw_alarm(wpa_ui *ui, const wpa_canvas *canvas, int row)
{
    size_t n = 0;
    const wpa_notice_row *alarms = wpa_ui_alarms(ui, &n);
    if (!n) {
        return row;
    }
    char more[WPA_SHORT] = "";
    if (n > 1) {
        (void)wpa_text_format(more, sizeof more, "  (+%zu)", n - 1);
    }
    wpa_canvas part = *canvas;
    part.paint = WPA_PAINT_BANNER_ALARM;
    wpa_fill(&part, row, 0, canvas->cols, WPA_PAINT_BANNER_ALARM, ' ');
    (void)wpa_put_fitf(&part, row, 1, canvas->cols - 18, WPA_PAINT_BANNER_ALARM, "ALARM  %s%s",
                       alarms[0].text, more);
    (void)wpa_put_right(&part, row, canvas->cols - 1, WPA_PAINT_BANNER_ALARM, "K acknowledge");
    return row + 1;
}

static void draw_marks(wpa_ui *ui, const wpa_canvas *canvas, int row)
{
    const wpa_cursor *marks = wpa_ui_marks(ui);
    int list = wpa_ui_page(ui)->view->list;
    char n[WPA_SHORT], out[WPA_SHORT];
    if (!marks || !wpa_cursor_has_marks(marks) || wpa_ui_is_lost(ui)) {
        return;
    }
    (void)wpa_count_text((int64_t)marks->n_marks, out, sizeof out);
    if (!marks->marks_all) {
        (void)wpa_putf(canvas, row, 1, WPA_PAINT_MARK, "%s marked", out);
    } else if (list >= 0 && ui->lists[list].view) {
        const wpa_list_view *view = ui->lists[list].view;
        int64_t n_marked = view->n_matching - (int64_t)marks->n_marks;
        (void)wpa_putf(canvas, row, 1, WPA_PAINT_MARK, "%s%s marked, all that match%s%s",
                       view->is_at_least ? ">=" : "", wpa_count_text(n_marked, n, sizeof n),
                       marks->n_marks ? " but " : "", marks->n_marks ? out : "");
    }
}

static void draw_message(wpa_ui *ui, const wpa_canvas *canvas, int row)
{
    if (!ui->message.text[0]) {
        draw_marks(ui, canvas, row);
        if (wpa_ui_is_lost(ui)) {
            (void)wpa_put(canvas, row, 1, WPA_PAINT_CHECK_NEAR,
                          canvas->cols < 78
                              ? "Only looking works until it is back."
                              : "Looking works on what was loaded.  Nothing can be changed until "
                                "it is back.");
        }
        return;
    }
    static const char *const words[] = {"ok", "note", "error", "ALARM"};
    char clock[WPA_SHORT], more[WPA_SHORT] = "";
    if (ui->n_more_messages) {
        (void)wpa_text_format(more, sizeof more, "  +%d in !", ui->n_more_messages);
    }
    int col = wpa_putf(canvas, row, 1, WPA_PAINT_MUTED, "%s ",
                       wpa_clock_text(ui->message.at_us, clock, sizeof clock));
    wpa_paint paint = wpa_notice_paint(ui->message.level);
    col = wpa_putf(canvas, row, col, paint, "%-4s ",
                   words[ui->message.level < WPA_COUNT(words) ? ui->message.level : 0]);
    (void)wpa_put_fitf(canvas, row, col, canvas->cols - col - 1, WPA_PAINT_TEXT, "%s%s",
                       ui->message.text, more);
}

/* One key and its word from col on, if they end before end; returns the column behind them. */
static int draw_hint(wpa_ui *ui, const wpa_canvas *canvas, int row, int col, int end, wpa_verb verb)
{
    const wpa_verb_info *info = wpa_verb_info_of(verb);
    bool is_allowed = wpa_ui_may(ui, info->action);
    const char *word = wpa_verb_hint(verb, wpa_ui_contexts(ui));
    char key[32];
    (void)wpa_keymap_key(&ui->keymap, verb, key, sizeof key);
    if (col + wpa_text_cells(key) + 1 + wpa_text_cells(word) >= end) {
        return col;
    }
    int first = col;
    col = wpa_putf(canvas, row, col, is_allowed ? WPA_PAINT_KEY : WPA_PAINT_MUTED, "%s ", key);
    col = wpa_put(canvas, row, col, is_allowed ? WPA_PAINT_TEXT : WPA_PAINT_MUTED, word);
    wpa_zone_add(canvas, row, first, 1, col - first, WPA_ZONE_HINT, (int)verb);
    return col + 2;
}

/* Most used first, as many as fit; help tells of the others, so it always has its place. */
static void draw_hints(wpa_ui *ui, const wpa_canvas *canvas, int row)
{
    unsigned contexts = wpa_ui_contexts(ui) | WPA_ANYWHERE;
    int col = 1, end = canvas->cols;
    wpa_page *page = wpa_ui_page(ui);
    const wpa_verb *hints =
        page->view->hints_for ? page->view->hints_for(ui, page) : page->view->hints;
    bool is_help_seen = false;
    for (int i = 0; hints && hints[i] != WPA_VERB_NONE; i++) {
        is_help_seen |= hints[i] == WPA_VERB_HELP;
        if (wpa_verb_info_of(hints[i])->contexts & contexts) {
            col = draw_hint(ui, canvas, row, col, is_help_seen ? end : end - HELP_COLS, hints[i]);
        }
    }
    if (!is_help_seen) {
        (void)draw_hint(ui, canvas, row, col, end, WPA_VERB_HELP);
    }
}

static void draw_foot(wpa_ui *ui, const wpa_canvas *canvas)
{
    draw_message(ui, canvas, canvas->rows - 2);
    if (ui->mode == WPA_MODE_NORMAL || ui->mode == WPA_MODE_HELP) {
        draw_hints(ui, canvas, canvas->rows - 1);
    }
}

static void draw_too_small(wpa_ui *ui, const wpa_canvas *canvas)
{
    size_t n = 0;
    const wpa_notice_row *alarms = wpa_ui_alarms(ui, &n);
    const char *alarm = n ? alarms[0].text : NULL;
    (void)wpa_put_fitf(canvas, 0, 0, canvas->cols, WPA_PAINT_TEXT, "wpa needs %dx%d%s%s",
                       WPA_LEAST_COLS, WPA_LEAST_ROWS, alarm ? "  ALARM " : "", alarm ? alarm : "");
}

/* Below 80x24: top line, a view as a plain list, hints. */
static void draw_tiny(wpa_ui *ui, const wpa_canvas *canvas)
{
    char clock[WPA_SHORT], score[WPA_SHORT], link[WPA_SHORT], health[WPA_SHORT] = "";
    (void)wpa_clock_text(wpa_ui_clock(ui), clock, sizeof clock);
    clock[5] = '\0';
    wpa_paint paint = link_text(ui, link, sizeof link);
    int col = wpa_put(canvas, 0, 1, WPA_PAINT_TITLE, "wpa ");
    col = wpa_put(canvas, 0, col, paint, link);
    if (ui->session->is_read_only) {
        col = wpa_put(canvas, 0, col + 1, WPA_PAINT_CHECK_NEAR, "RO");
    }
    if (ui->dash) {
        (void)wpa_text_format(health, sizeof health, "health %s",
                              wpa_score_text(ui->dash->scores.overall, score, sizeof score));
        (void)wpa_put_right(canvas, 0, canvas->cols - 1, WPA_PAINT_TEXT, health);
    }
    int room = canvas->cols - 1 - wpa_text_cells(health) - col - 2;
    (void)wpa_put_fitf(canvas, 0, col + 1, room < 24 ? room : 24, WPA_PAINT_TEXT, "%s %sZ",
                       ui->session->name ? ui->session->name : "", clock);
}

static void draw_signed_in(wpa_ui *ui, const wpa_canvas *canvas)
{
    wpa_page *page = wpa_ui_page(ui);
    int row = 2;
    if (is_tiny(canvas->grid)) {
        draw_tiny(ui, canvas);
        row = 1;
    } else {
        draw_top(ui, canvas);
        draw_tabs(ui, canvas);
    }
    row = wpa_rollback_draw(ui, canvas, row);
    row = draw_alarm(ui, canvas, row);
    row = draw_lost(ui, canvas, row);
    row = wpa_tour_draw(ui, canvas, row);
    row = wpa_moves_draw_back(ui, canvas, row);
    wpa_canvas body = wpa_canvas_part(canvas, row, 0, canvas->rows - row - 2, canvas->cols);
    page->view->draw(ui, page, &body);
    draw_foot(ui, canvas);
    wpa_place_draw(ui, canvas, &body);
    switch (ui->mode) {
    case WPA_MODE_FILTER:
        wpa_filter_draw(ui, canvas);
        break;
    case WPA_MODE_PALETTE:
        wpa_palette_draw(ui, canvas);
        break;
    case WPA_MODE_ASK:
        wpa_ask_draw(ui, canvas);
        break;
    case WPA_MODE_HELP:
        wpa_help_draw(ui, canvas);
        break;
    case WPA_MODE_NORMAL:
    case WPA_MODE_SIGN_IN:
        break;
    }
}

void wpa_ui_paint(wpa_ui *ui)
{
    wpa_grid_clear(ui->grid);
    wpa_canvas canvas = wpa_canvas_of(ui->grid, ui->is_ascii);
    ui->frame++;
    ui->is_dirty = false;
    if (canvas.rows < WPA_LEAST_ROWS || canvas.cols < WPA_LEAST_COLS) {
        draw_too_small(ui, &canvas);
    } else if (ui->mode == WPA_MODE_SIGN_IN || !wpa_ui_is_signed_in(ui)) {
        draw_top(ui, &canvas);
        wpa_sign_in_draw(ui, &canvas);
        draw_message(ui, &canvas, canvas.rows - 2);
        if (ui->mode == WPA_MODE_HELP) {
            wpa_help_draw(ui, &canvas);
        }
    } else {
        draw_signed_in(ui, &canvas);
    }
}
