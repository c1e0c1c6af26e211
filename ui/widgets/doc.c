#include "widgets/doc.h"

#include <stdio.h>
#include <string.h>

#include "widgets/format.h"

#define LABEL 12

/* Before the item that is selected there may be others about the same thing. */
static int nth_of(const wpa_doc_state *state)
{
    int n = 0;
    for (int i = 0; i < state->selected && i < state->n_items; i++) {
        n += wpa_object_is(state->objects[i], state->selected_object);
    }
    return n;
}

wpa_doc wpa_doc_begin(wpa_doc_state *state, wpa_grid *scratch, const wpa_canvas *canvas)
{
    if (scratch->rows != WPA_DOC_ROWS || scratch->cols != (canvas->cols < 1 ? 1 : canvas->cols)) {
        wpa_grid_resize(scratch, WPA_DOC_ROWS, canvas->cols);
    } else {
        wpa_grid_clear(scratch);
    }
    state->nth = nth_of(state);
    state->n_items = state->n_seen = 0;
    state->is_found = false;
    state->page = canvas->rows;
    return (wpa_doc){
        .state = state, .canvas = wpa_canvas_of(scratch, canvas->is_ascii), .is_focused = true};
}

/* What is no thing of ours has no identity but its place. */
static bool is_selected(wpa_doc_state *state, int i, wpa_object object)
{
    if (state->is_found) {
        return false;
    }
    if (state->selected_object.kind == WPA_OBJECT_NONE) {
        return i == state->selected;
    }
    return wpa_object_is(object, state->selected_object) && state->n_seen++ == state->nth;
}

bool wpa_doc_item(wpa_doc *doc, wpa_object object)
{
    wpa_doc_state *state = doc->state;
    if (state->n_items >= WPA_DOC_ITEMS) {
        return false;
    }
    int i = state->n_items++;
    state->rows[i] = doc->row;
    state->objects[i] = object;
    if (!is_selected(state, i, object)) {
        return false;
    }
    state->is_found = true;
    state->selected = i;
    state->selected_object = object;
    (void)wpa_put(&doc->canvas, doc->row, 0, WPA_PAINT_FOCUS, "▸");
    wpa_rest_cursor(&doc->canvas, doc->row, 2);
    return true;
}

void wpa_doc_text(wpa_doc *doc, wpa_paint paint, const char *text)
{
    doc->row = wpa_put_wrapped(&doc->canvas, doc->row, 2, doc->canvas.cols - 4, paint, text);
}

void wpa_doc_field(wpa_doc *doc, const char *label, const char *text)
{
    (void)wpa_put(&doc->canvas, doc->row, 2, WPA_PAINT_MUTED, label);
    int next = wpa_put_wrapped(&doc->canvas, doc->row, LABEL, doc->canvas.cols - LABEL - 2,
                               WPA_PAINT_TEXT, text ? text : "-");
    doc->row = next > doc->row ? next : doc->row + 1;
}

void wpa_doc_fieldf(wpa_doc *doc, const char *label, const char *format, ...)
{
    char text[4096];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(text, sizeof text, format, values);
    va_end(values);
    wpa_doc_field(doc, label, text);
}

void wpa_doc_textf(wpa_doc *doc, wpa_paint paint, const char *format, ...)
{
    char text[4096];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(text, sizeof text, format, values);
    va_end(values);
    wpa_doc_text(doc, paint, text);
}

void wpa_doc_rule(wpa_doc *doc, const char *title, const char *right)
{
    wpa_rule(&doc->canvas, doc->row++, title, right, false);
}

static void place_window(wpa_doc_state *state, int shown)
{
    if (state->follows_item && state->n_items) {
        int row = state->rows[state->selected];
        state->scroll = row < state->scroll + 1 ? row - 1 : state->scroll;
        state->scroll = row >= state->scroll + shown - 1 ? row - shown + 2 : state->scroll;
        if (state->selected == 0) {
            state->scroll = row < shown ? 0 : state->scroll;
        }
    }
    state->follows_item = false;
    int last = state->height - shown;
    state->scroll = state->scroll > last ? last : state->scroll;
    state->scroll = state->scroll < 0 ? 0 : state->scroll;
}

static bool has_match(const wpa_doc *doc, int row)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    return strcasestr(wpa_grid_row_text(doc->canvas.grid, row, arena), doc->state->search) != NULL;
}

static void underline(const wpa_doc *doc, int row)
{
    wpa_flag(&doc->canvas, row, 0, doc->canvas.cols, WPA_CELL_UNDERLINE);
}

/* Matches are underlined; a step brings the next one to the top. */
static void search(wpa_doc *doc)
{
    wpa_doc_state *state = doc->state;
    if (!state->search[0]) {
        return;
    }
    int height = doc->row < doc->canvas.rows ? doc->row : doc->canvas.rows;
    for (int row = 0; row < height; row++) {
        if (has_match(doc, row)) {
            underline(doc, row);
        }
    }
    int row = state->match + state->search_step;
    while (state->search_step && row >= 0 && row < height && !has_match(doc, row)) {
        row += state->search_step;
    }
    if (state->search_step) {
        state->has_no_match = row < 0 || row >= height;
        if (!state->has_no_match) {
            state->match = row;
            state->scroll = row > 2 ? row - 2 : 0;
        }
    }
    state->search_step = 0;
}

/* The selected row is not there any more: the one in its place is selected. */
static void select_neighbour(wpa_doc *doc)
{
    wpa_doc_state *state = doc->state;
    state->is_lost = state->n_items > 0 && !state->is_found;
    if (state->selected >= state->n_items) {
        state->selected = state->n_items ? state->n_items - 1 : 0;
    }
    if (state->is_lost) {
        state->selected_object = state->objects[state->selected];
        (void)wpa_put(&doc->canvas, state->rows[state->selected], 0, WPA_PAINT_FOCUS, "▸");
    }
}

void wpa_doc_end(wpa_doc *doc, const wpa_canvas *canvas)
{
    wpa_doc_state *state = doc->state;
    const wpa_grid *from = doc->canvas.grid;
    state->height = doc->row;
    select_neighbour(doc);
    search(doc);
    /* What does not fit is announced on a row of its own, which covers nothing. */
    bool is_long = state->height > canvas->rows && canvas->rows > 2;
    int shown = is_long ? canvas->rows - 1 : canvas->rows;
    place_window(state, shown);
    int cols = from->cols < canvas->cols ? from->cols : canvas->cols;
    for (int row = 0; row < shown && row + state->scroll < doc->row; row++) {
        if (row + state->scroll >= from->rows) {
            break;
        }
        memcpy(&canvas->grid->cells[(size_t)(canvas->row + row) * (size_t)canvas->grid->cols +
                                    (size_t)canvas->col],
               &from->cells[(size_t)(row + state->scroll) * (size_t)from->cols],
               (size_t)cols * sizeof(wpa_cell));
    }
    for (int i = 0; i < state->n_items; i++) {
        int row = state->rows[i] - state->scroll;
        if (row >= 0 && row < shown) {
            wpa_zone_add(canvas, row, 0, 1, canvas->cols, WPA_ZONE_ROW, i);
        }
    }
    if (from->cursor_row >= state->scroll && from->cursor_row < state->scroll + shown) {
        wpa_rest_cursor(canvas, from->cursor_row - state->scroll, from->cursor_col);
    }
    if (is_long) {
        char more[WPA_SHORT];
        int below = state->height - state->scroll - shown;
        (void)wpa_text_format(more, sizeof more, below > 0 ? "%d more below" : "end", below);
        wpa_rule(canvas, shown, NULL, more, false);
    }
}

void wpa_doc_select(wpa_doc_state *state, int i)
{
    i = i >= state->n_items ? state->n_items - 1 : i;
    state->selected = i < 0 ? 0 : i;
    state->selected_object =
        state->n_items ? state->objects[state->selected] : (wpa_object){WPA_OBJECT_NONE, 0};
}

static void move(wpa_doc_state *state, int by)
{
    if (!state->n_items) {
        state->scroll += by;
        return;
    }
    wpa_doc_select(state, state->selected + by);
    state->follows_item = true;
}

void wpa_doc_restart(wpa_doc_state *state)
{
    state->scroll = state->selected = 0;
    state->selected_object = (wpa_object){WPA_OBJECT_NONE, 0};
}

bool wpa_doc_verb(wpa_doc_state *state, wpa_verb verb)
{
    switch ((int)verb) {
    case WPA_VERB_DOWN:
        move(state, 1);
        return true;
    case WPA_VERB_UP:
        move(state, -1);
        return true;
    case WPA_VERB_HALF_DOWN:
        state->scroll += state->page / 2;
        return true;
    case WPA_VERB_HALF_UP:
        state->scroll -= state->page / 2;
        return true;
    case WPA_VERB_PAGE_DOWN:
        state->scroll += state->page;
        return true;
    case WPA_VERB_PAGE_UP:
        state->scroll -= state->page;
        return true;
    case WPA_VERB_FIRST:
        state->scroll = 0;
        wpa_doc_select(state, 0);
        return true;
    case WPA_VERB_LAST:
        state->scroll = state->height;
        wpa_doc_select(state, state->n_items - 1);
        return true;
    case WPA_VERB_NEXT_MATCH:
    case WPA_VERB_PREVIOUS_MATCH:
        state->search_step = verb == WPA_VERB_NEXT_MATCH ? 1 : -1;
        return true;
    default:
        return false;
    }
}

void wpa_doc_search(wpa_doc_state *state, const char *text)
{
    (void)wpa_text_copy(state->search, sizeof state->search, text);
    state->match = -1;
    state->search_step = *text ? 1 : 0;
}
