#include "views/list_view.h"

#include <string.h>

#define BESIDE_COLS 120
#define EDGE 60
#define FAR 1000000

static const wpa_list_kind *kind_of(const wpa_page *page)
{
    return page->view->data;
}

static const wpa_list_view *rows_of(const wpa_ui *ui, const wpa_page *page)
{
    return ui->lists[page->view->list].view;
}

const void *wpa_list_row(const wpa_ui *ui, const wpa_page *page)
{
    const wpa_list_state *state = page->state;
    const wpa_list_view *view = rows_of(ui, page);
    if (!view || state->cursor.index >= (int)view->n_rows) {
        return NULL;
    }
    return (const char *)view->rows + (size_t)state->cursor.index * kind_of(page)->table->row_bytes;
}

wpa_cursor *wpa_list_cursor(wpa_page *page)
{
    return &((wpa_list_state *)page->state)->cursor;
}

/* What reads otherwise than before the database was lost, and what was not there. */
static void note_changes(wpa_ui *ui, const wpa_page *page)
{
    wpa_rows *rows = &ui->lists[page->view->list];
    const wpa_table *table = kind_of(page)->table;
    if (!rows->was_lost || !rows->before) {
        return;
    }
    for (size_t i = 0; i < rows->view->n_rows; i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        int64_t id = 0, now_us = wpa_ui_now(ui);
        const char *row = (const char *)rows->view->rows + i * table->row_bytes;
        memcpy(&id, row, sizeof id);
        const void *old = wpa_moves_row(rows->before, id);
        if (!old || !wpa_text_is(wpa_table_text(table, row, now_us, arena),
                                 wpa_table_text(table, old, now_us, arena))) {
            wpa_moves_add(&rows->changed, id);
        }
    }
}

/* What all marked rows match is no longer what is shown: nobody sees what is marked. */
static void lift_marks(wpa_ui *ui, const wpa_page *page)
{
    wpa_list_state *state = page->state;
    const wpa_rows *rows = &ui->lists[page->view->list];
    bool is_same = wpa_text_is(rows->filter, state->marked_filter) &&
                   wpa_object_is(ui->scope, state->marked_scope);
    if (state->cursor.marks_all && !is_same) {
        (void)wpa_cursor_clear_marks(&state->cursor);
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "no longer marked: all that match is something else now");
    }
}

void wpa_list_changed(wpa_ui *ui, wpa_page *page)
{
    wpa_list_state *state = page->state;
    const wpa_list_view *view = rows_of(ui, page);
    if (!view) {
        return;
    }
    note_changes(ui, page);
    lift_marks(ui, page);
    bool is_other = state->request_id != view->request_id; /* another filter, sort or window */
    state->request_id = view->request_id;
    if (is_other && state->goes_to) {
        wpa_cursor_move(&state->cursor, view->rows, view->n_rows, kind_of(page)->table->at,
                        state->goes_to * FAR);
        state->goes_to = 0;
    }
    wpa_cursor_follow(&state->cursor, view->rows, view->n_rows, kind_of(page)->table->at);
    if (state->cursor.is_lost && !is_other) {
        ui->hold_keys_until_us = ui->local_us + (int64_t)750 * 1000;
    }
    state->cursor.is_lost = false;
}

void wpa_list_open(wpa_ui *ui, wpa_page *page)
{
    wpa_rows *rows = &ui->lists[page->view->list];
    wpa_list_state *state = page->state;
    state->cursor.selected = rows->resumes_at;
    rows->resumes_at = (wpa_object){WPA_OBJECT_NONE, 0};
    wpa_list_changed(ui, page);
}

static void put_title(wpa_ui *ui, const wpa_page *page, char *right, size_t size_bytes)
{
    static const char *const sorts[WPA_SORT_COUNT] = {"",         "name",  "age",     "state",
                                                      "severity", "score", "findings"};
    const wpa_list_view *view = rows_of(ui, page);
    const wpa_list_state *state = page->state;
    const wpa_rows *rows = &ui->lists[page->view->list];
    char at[WPA_SHORT] = "", n[WPA_SHORT], all[WPA_SHORT], extra[WPA_SHORT] = "";
    if (!view) {
        (void)wpa_text_copy(right, size_bytes, "⋯");
        return;
    }
    if (view->position >= 0 && view->n_rows) {
        (void)wpa_count_text(view->position + state->cursor.index + 1, at, sizeof at);
    }
    if (kind_of(page)->right) {
        kind_of(page)->right(ui, view, extra, sizeof extra);
    }
    bool is_filtered = rows->filter[0] != '\0' || rows->local;
    const char *sort = view->sort < WPA_SORT_COUNT ? sorts[view->sort] : "";
    const char *order = *sort ? sort : is_filtered ? "" : extra;
    int n_new = view->n_rows ? wpa_moves_new_above(rows, state->cursor.top) : 0;
    char moved[WPA_SHORT] = "";
    if (n_new) {
        (void)wpa_text_format(moved, sizeof moved, "%d new above   ", n_new);
    } else if (rows->is_order_held) {
        (void)wpa_text_copy(moved, sizeof moved, "order waits   ");
    }
    (void)wpa_text_format(right, size_bytes, "%s%s%s%s%s%s%s%s%s%s%s", moved, at, *at ? " of " : "",
                          view->is_at_least ? ">=" : "",
                          wpa_count_text(view->n_matching, n, sizeof n), is_filtered ? " of " : "",
                          is_filtered ? wpa_count_text(view->n_all, all, sizeof all) : "",
                          rows->local   ? " loaded"
                          : is_filtered ? "   filtered"
                                        : "",
                          *sort    ? "   sort "
                          : *order ? "   "
                                   : "",
                          order,
                          !view->is_descending ? ""
                          : *order             ? " turned"
                                               : "   turned");
}

/* Of the terms that are in the way, the one without which most is left. */
static const wpa_without *worst_term(const wpa_list_view *view)
{
    const wpa_without *worst = NULL;
    for (size_t i = 0; i < view->n_without; i++) {
        const wpa_without *it = &view->without[i];
        worst = !worst || it->n_matching > worst->n_matching ? it : worst;
    }
    return worst;
}

static void draw_empty(wpa_ui *ui, const wpa_page *page, const wpa_list_view *view,
                       const wpa_canvas *canvas)
{
    const wpa_rows *rows = &ui->lists[page->view->list];
    const wpa_without *worst = worst_term(view);
    char text[2048], without[1024] = "", n[WPA_SHORT];
    if (worst) {
        (void)wpa_text_format(without, sizeof without, "Without %s there %s %s.  ", worst->term,
                              worst->n_matching == 1 ? "is" : "are",
                              wpa_count_text(worst->n_matching, n, sizeof n));
    }
    if (rows->local) {
        (void)wpa_text_format(text, sizeof text,
                              "Nothing of the %s loaded rows matches %s.  The others are looked at "
                              "when the database is back.  Esc lifts the filter.",
                              wpa_count_text(view->n_all, n, sizeof n), rows->filter);
    } else if (rows->filter[0]) {
        (void)wpa_text_format(text, sizeof text, "Nothing matches %s.  %sEsc lifts the filter.",
                              rows->filter, without);
    } else {
        (void)wpa_text_copy(text, sizeof text, kind_of(page)->empty);
    }
    (void)wpa_put_wrapped(canvas, 2, 3, canvas->cols - 6, WPA_PAINT_TEXT, text);
}

static void draw_rows(wpa_ui *ui, wpa_page *page, const wpa_canvas *canvas)
{
    wpa_list_state *state = page->state;
    const wpa_list_view *view = rows_of(ui, page);
    wpa_rows *rows = &ui->lists[page->view->list];
    char right[256];
    wpa_canvas body = wpa_canvas_part(canvas, 1, 0, canvas->rows - 1, canvas->cols);
    if (!view) {
        (void)wpa_put_wrapped(&body, 1, 3, body.cols - 6, WPA_PAINT_MUTED,
                              wpa_ui_is_lost(ui) ? "Not loaded before the database was lost: it "
                                                   "comes when the database is back."
                                                 : "⋯");
    } else if (!view->n_rows) {
        draw_empty(ui, page, view, &body);
    } else {
        state->cursor.changed = rows->changed.ids;
        state->cursor.n_changed = rows->changed.n;
        wpa_table_draw(kind_of(page)->table, &body, view->rows, view->n_rows, wpa_ui_now(ui),
                       &state->cursor, true);
        wpa_moves_seen(rows, &state->cursor);
    }
    put_title(ui, page, right, sizeof right); /* knows by now what has been on the screen */
    wpa_rule(canvas, 0, kind_of(page)->title, right, true);
}

static void draw_strip(wpa_ui *ui, wpa_page *page, const wpa_canvas *canvas)
{
    const void *row = wpa_list_row(ui, page);
    if (row && canvas->rows > 1) {
        kind_of(page)->strip(ui, canvas, row, wpa_ui_detail(ui, wpa_list_selected(ui, page)));
    } else if (canvas->rows > 0) {
        wpa_rule(canvas, 0, NULL, NULL, false);
    }
}

void wpa_list_draw(wpa_ui *ui, wpa_page *page, const wpa_canvas *canvas)
{
    const wpa_list_kind *kind = kind_of(page);
    int strip = kind->strip_rows, rows = canvas->rows;
    bool is_tiny = canvas->rows < 18 || canvas->cols < 80;
    if (!kind->strip || is_tiny) {
        draw_rows(ui, page, canvas);
        return;
    }
    if (canvas->cols >= BESIDE_COLS) {
        int left = canvas->cols * 3 / 5;
        wpa_canvas list = wpa_canvas_part(canvas, 0, 0, rows, left);
        wpa_canvas side = wpa_canvas_part(canvas, 0, left + 1, rows, canvas->cols - left - 1);
        draw_rows(ui, page, &list);
        for (int i = 0; i < rows; i++) {
            wpa_fill(canvas, i, left, 1, WPA_PAINT_RULE, 0x2502);
        }
        draw_strip(ui, page, &side);
        return;
    }
    wpa_canvas list = wpa_canvas_part(canvas, 0, 0, rows - strip, canvas->cols);
    wpa_canvas below = wpa_canvas_part(canvas, rows - strip, 0, strip, canvas->cols);
    draw_rows(ui, page, &list);
    draw_strip(ui, page, &below);
}

/* Near the edge of what is loaded, the window moves on, around the row under the cursor. */
static void fetch_more(wpa_ui *ui, wpa_page *page)
{
    const wpa_list_state *state = page->state;
    const wpa_list_view *view = rows_of(ui, page);
    wpa_list list = (wpa_list)page->view->list;
    if (!view || ui->lists[list].is_asking || !view->n_rows) {
        return;
    }
    bool is_near_end = view->has_after && state->cursor.index + EDGE > (int)view->n_rows;
    bool is_near_start = view->has_before && state->cursor.index < EDGE;
    const char *cursor = wpa_loaded_cursor(view, (size_t)state->cursor.index);
    if ((is_near_end || is_near_start) && cursor) {
        wpa_ui_watch_list(ui, list, cursor, false);
    }
}

static void move(wpa_ui *ui, wpa_page *page, int by)
{
    wpa_list_state *state = page->state;
    const wpa_list_view *view = rows_of(ui, page);
    state->goes_to = 0;
    if (view) {
        wpa_cursor_move(&state->cursor, view->rows, view->n_rows, kind_of(page)->table->at, by);
        fetch_more(ui, page);
    }
}

static void go_to_end(wpa_ui *ui, wpa_page *page, bool is_last)
{
    wpa_list_state *state = page->state;
    const wpa_list_view *view = rows_of(ui, page);
    bool is_outside = view && (is_last ? view->has_after : view->has_before);
    if (is_outside) { /* the end of what is loaded at once, the other when it has come */
        state->goes_to = is_last ? 1 : -1;
        wpa_cursor_move(&state->cursor, view->rows, view->n_rows, kind_of(page)->table->at,
                        state->goes_to * FAR);
        wpa_ui_watch_list(ui, (wpa_list)page->view->list, NULL, is_last);
    } else {
        move(ui, page, is_last ? FAR : -FAR);
    }
}

/* Another order: asked for; while the database is lost it is that of the loaded rows. */
static void order(wpa_ui *ui, wpa_page *page)
{
    wpa_list list = (wpa_list)page->view->list;
    wpa_ui_ask_list(ui, list);
    wpa_loaded_filter(ui, list);
    wpa_list_changed(ui, page);
}

static void sort_next(wpa_ui *ui, wpa_page *page)
{
    wpa_rows *rows = &ui->lists[page->view->list];
    const wpa_sort *sorts = kind_of(page)->sorts;
    int at = 0;
    if (wpa_moves_settle(rows)) { /* the order that waits is what is asked for */
        wpa_list_changed(ui, page);
        return;
    }
    while (sorts && sorts[at] != WPA_SORT_COUNT && sorts[at] != rows->sort) {
        at++;
    }
    if (!sorts || sorts[at] == WPA_SORT_COUNT) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "this list has one order");
        return;
    }
    rows->sort = sorts[at + 1] == WPA_SORT_COUNT ? sorts[0] : sorts[at + 1];
    order(ui, page);
}

/* More than is loaded is marked by what it matches: only findings have something done to many. */
static void mark_matching(wpa_ui *ui, wpa_page *page)
{
    wpa_list_state *state = page->state;
    char n[WPA_SHORT];
    const wpa_rows *rows = &ui->lists[page->view->list];
    state->cursor.marks_all = true;
    state->marked_scope = ui->scope;
    (void)wpa_text_copy(state->marked_filter, sizeof state->marked_filter, rows->filter);
    wpa_ui_say(ui, WPA_NOTICE_NOTE, "%s%s marked, all that match; Space leaves one out",
               rows->view->is_at_least ? ">=" : "",
               wpa_count_text(rows->view->n_matching, n, sizeof n));
}

void wpa_list_pick(wpa_ui *ui, wpa_page *page, int pane, int index)
{
    (void)pane;
    if (index >= 0) {
        move(ui, page, index - wpa_list_cursor(page)->index);
    }
}

/* By another column; by the same one: the order is turned. */
void wpa_list_sort_by(wpa_ui *ui, wpa_page *page, wpa_sort sort)
{
    wpa_rows *rows = &ui->lists[page->view->list];
    const wpa_sort *sorts = kind_of(page)->sorts;
    while (sorts && *sorts != WPA_SORT_COUNT && *sorts != sort) {
        sorts++;
    }
    if (sorts && *sorts == sort) {
        rows->is_descending = rows->sort == sort && !rows->is_descending;
        rows->sort = sort;
        order(ui, page);
    }
}

static void mark_all(wpa_ui *ui, wpa_page *page)
{
    wpa_list_state *state = page->state;
    const wpa_list_view *view = rows_of(ui, page);
    if (wpa_cursor_clear_marks(&state->cursor) || !view) {
        return;
    }
    bool has_more = view->has_after || view->has_before || view->n_rows > WPA_MARKS_MAX;
    if (has_more && view->list == WPA_LIST_FINDINGS && !wpa_ui_is_lost(ui)) {
        mark_matching(ui, page);
        return;
    }
    for (size_t i = 0; i < view->n_rows && i < WPA_MARKS_MAX; i++) {
        wpa_cursor_mark(&state->cursor, kind_of(page)->table->at(view->rows, i));
    }
    if (has_more) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "%zu loaded rows marked", state->cursor.n_marks);
    }
}

bool wpa_list_verb(wpa_ui *ui, wpa_page *page, wpa_verb verb)
{
    wpa_list_state *state = page->state;
    int screen = ui->grid->rows > 10 ? ui->grid->rows - 8 : 2;
    switch ((int)verb) {
    case WPA_VERB_DOWN:
        move(ui, page, 1);
        return true;
    case WPA_VERB_UP:
        move(ui, page, -1);
        return true;
    case WPA_VERB_HALF_DOWN:
        move(ui, page, screen / 2);
        return true;
    case WPA_VERB_HALF_UP:
        move(ui, page, -screen / 2);
        return true;
    case WPA_VERB_PAGE_DOWN:
        move(ui, page, screen);
        return true;
    case WPA_VERB_PAGE_UP:
        move(ui, page, -screen);
        return true;
    case WPA_VERB_FIRST:
    case WPA_VERB_LAST:
        go_to_end(ui, page, verb == WPA_VERB_LAST);
        return true;
    case WPA_VERB_MARK:
        wpa_cursor_mark(&state->cursor, state->cursor.selected);
        move(ui, page, 1);
        return true;
    case WPA_VERB_MARK_ALL:
        mark_all(ui, page);
        return true;
    case WPA_VERB_SORT:
        sort_next(ui, page);
        return true;
    case WPA_VERB_SORT_TURN:
        ui->lists[page->view->list].is_descending = !ui->lists[page->view->list].is_descending;
        order(ui, page);
        return true;
    case WPA_VERB_BACK:
        return wpa_cursor_clear_marks(&state->cursor);
    default:
        return false;
    }
}

wpa_object wpa_list_selected(wpa_ui *ui, wpa_page *page)
{
    (void)ui;
    return ((wpa_list_state *)page->state)->cursor.selected;
}

char *wpa_list_row_text(wpa_ui *ui, wpa_page *page, wpa_arena *arena)
{
    const void *row = wpa_list_row(ui, page);
    return row ? wpa_table_text(kind_of(page)->table, row, wpa_ui_now(ui), arena) : NULL;
}
