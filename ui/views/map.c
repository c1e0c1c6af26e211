#include "views/map.h"

#include <string.h>
#include <strings.h>

#define NOTE_FROM_COLS 70 /* names need the room before */
#define PAGE_LEAST 2

static const wpa_verb hints[] = {WPA_VERB_OPEN,   WPA_VERB_LEFT, WPA_VERB_RIGHT,
                                 WPA_VERB_TABLE,  WPA_VERB_COPY, WPA_VERB_BACK,
                                 WPA_VERB_FILTER, WPA_VERB_HELP, WPA_VERB_NONE};
static const wpa_verb table_hints[] = {WPA_VERB_OPEN, WPA_VERB_TABLE,  WPA_VERB_COPY,
                                       WPA_VERB_BACK, WPA_VERB_FILTER, WPA_VERB_HELP,
                                       WPA_VERB_NONE};

/* ---- what is shown --------------------------------------------------------------------------- */

/* Its detail if it has come; NULL not yet, or there is none. */
static const wpa_workflow_detail *shown(const wpa_ui *ui, const wpa_map_state *state)
{
    const wpa_detail_view *detail = wpa_ui_detail(ui, state->centre);
    bool is_there = state->centre.kind == WPA_OBJECT_WORKFLOW && detail && !detail->missing;
    return is_there ? detail->workflow : NULL;
}

const wpa_use_row *wpa_map_rows(const wpa_workflow_detail *it, wpa_map_side side, size_t *n)
{
    *n = side == WPA_MAP_USES ? it->n_uses : side == WPA_MAP_USED_BY ? it->n_used_by : 0;
    return side == WPA_MAP_USES ? it->uses : it->used_by;
}

const wpa_use_row *wpa_map_row(const wpa_workflow_detail *it, const wpa_map_state *state)
{
    size_t n = 0;
    const wpa_use_row *rows = wpa_map_rows(it, state->side, &n);
    size_t index = (size_t)state->columns[state->side].index;
    return index < n ? &rows[index] : NULL;
}

static void centre_on(wpa_page *page, wpa_object object)
{
    wpa_map_state *state = page->state;
    page->object = state->centre = object;
    state->is_placed = false;
    state->side = WPA_MAP_CENTRE;
    memset(state->columns, 0, sizeof state->columns);
    wpa_doc_restart(&state->detail.doc);
}

/* The thing in the middle: what was scoped or asked for when the map was opened. */
static void open(wpa_ui *ui, wpa_page *page)
{
    wpa_object object = page->object.kind == WPA_OBJECT_WORKFLOW ? page->object : ui->scope;
    if (object.kind != WPA_OBJECT_WORKFLOW && ui->dash && ui->dash->n_worst) {
        object = (wpa_object){WPA_OBJECT_WORKFLOW, ui->dash->worst[0].id};
    }
    centre_on(page, object);
}

/* ---- the selection --------------------------------------------------------------------------- */

static void select_row(wpa_map_state *state, const wpa_workflow_detail *it, wpa_map_side side,
                       int64_t index)
{
    size_t n = 0;
    const wpa_use_row *rows = wpa_map_rows(it, side, &n);
    wpa_map_column *column = &state->columns[side];
    index = index >= (int64_t)n ? (int64_t)n - 1 : index;
    column->index = index < 0 ? 0 : (int)index;
    if (n) {
        const wpa_use_row *row = &rows[column->index];
        (void)wpa_text_copy(column->ref, sizeof column->ref, row->ref);
        column->object = row->object;
        column->line = row->line;
    }
}

static bool is_row(const wpa_map_column *column, const wpa_use_row *row)
{
    return wpa_object_is(column->object, row->object) && column->line == row->line &&
           strncmp(column->ref, row->ref, sizeof column->ref - 1) == 0;
}

/* Rows may have come and gone: the one that was selected is found again, else its neighbour. */
static void follow(wpa_map_state *state, const wpa_workflow_detail *it, wpa_map_side side)
{
    size_t n = 0;
    const wpa_use_row *rows = wpa_map_rows(it, side, &n);
    const wpa_map_column *column = &state->columns[side];
    int64_t found = -1;
    for (size_t i = 0; i < n && found < 0; i++) {
        found = is_row(column, &rows[i]) ? (int64_t)i : -1;
    }
    select_row(state, it, side, found < 0 ? column->index : found);
}

static size_t count_of(const wpa_workflow_detail *it, wpa_map_side side)
{
    size_t n = 0;
    (void)wpa_map_rows(it, side, &n);
    return n;
}

static void place(wpa_map_state *state, const wpa_workflow_detail *it)
{
    if (!state->is_placed) {
        state->is_placed = true;
        state->side = it->n_used_by ? WPA_MAP_USED_BY : it->n_uses ? WPA_MAP_USES : WPA_MAP_CENTRE;
    }
    if (state->side != WPA_MAP_CENTRE && !count_of(it, state->side)) {
        state->side = WPA_MAP_CENTRE;
    }
    follow(state, it, WPA_MAP_USES);
    follow(state, it, WPA_MAP_USED_BY);
}

static void changed(wpa_ui *ui, wpa_page *page)
{
    wpa_map_state *state = page->state;
    if (state->centre.kind == WPA_OBJECT_NONE) {
        open(ui, page);
    }
}

/* ---- searching ------------------------------------------------------------------------------- */

/* Both sides as one list, the left one first. */
static const wpa_use_row *row_at(const wpa_workflow_detail *it, int64_t i)
{
    return i < (int64_t)it->n_uses ? &it->uses[i] : &it->used_by[i - (int64_t)it->n_uses];
}

static bool has_match(const wpa_use_row *row, const char *search)
{
    return strcasestr(row->name, search) || strcasestr(row->ref, search);
}

/* To the next row that has what is searched, around the end; the one that is selected counts while
   it is typed. */
static void search(wpa_map_state *state, const wpa_workflow_detail *it)
{
    wpa_doc_state *doc = &state->detail.doc;
    int64_t n = (int64_t)(it->n_uses + it->n_used_by), step = doc->search_step;
    if (!step || !doc->search[0]) {
        return;
    }
    bool is_right = state->side == WPA_MAP_USED_BY;
    int64_t at = state->columns[is_right ? WPA_MAP_USED_BY : WPA_MAP_USES].index +
                 (is_right ? (int64_t)it->n_uses : 0);
    int64_t first = doc->match < 0 ? 0 : 1;
    doc->search_step = 0;
    doc->has_no_match = true;
    for (int64_t i = first; i <= n && n && doc->has_no_match; i++) {
        int64_t k = ((at + step * i) % n + n) % n;
        if (has_match(row_at(it, k), doc->search)) {
            bool is_used = k < (int64_t)it->n_uses;
            state->side = is_used ? WPA_MAP_USES : WPA_MAP_USED_BY;
            select_row(state, it, state->side, is_used ? k : k - (int64_t)it->n_uses);
            doc->has_no_match = false;
            doc->match = 0; /* the first has been found: n goes on from it */
        }
    }
}

/* ---- drawing --------------------------------------------------------------------------------- */

static void draw_table_side(wpa_doc *doc, const char *title, const wpa_use_row *rows, size_t n)
{
    char right[WPA_SHORT];
    wpa_doc_rule(doc, title, wpa_count_text((int64_t)n, right, sizeof right));
    for (size_t i = 0; i < n && doc->row < WPA_DOC_ROWS - 4; i++) {
        bool is_selected = wpa_doc_item(doc, rows[i].object);
        wpa_canvas line = wpa_canvas_part(&doc->canvas, doc->row, 0, 1, doc->canvas.cols);
        if (is_selected) {
            line.paint = WPA_PAINT_SELECTED;
            wpa_fill(&line, 0, 0, line.cols, WPA_PAINT_SELECTED, ' ');
            (void)wpa_put(&line, 0, 0, WPA_PAINT_FOCUS, "▸");
        }
        char at[WPA_SHORT] = "", score[WPA_SHORT];
        if (rows[i].line > 0) {
            (void)wpa_text_format(at, sizeof at, "line %d", rows[i].line);
        }
        bool is_wide = line.cols >= NOTE_FROM_COLS,
             is_ours = rows[i].object.kind != WPA_OBJECT_NONE;
        int width = is_wide && is_ours ? line.cols / 2 - 4
                    : is_wide          ? line.cols - 20
                                       : line.cols - 4 - wpa_text_cells(at);
        (void)wpa_put_fit(&line, 0, 2, width, WPA_PAINT_TEXT, rows[i].name);
        if (is_wide && is_ours) {
            (void)wpa_put_fit(&line, 0, width + 3, line.cols - width - 23, WPA_PAINT_MUTED,
                              rows[i].ref);
            (void)wpa_put_right(&line, 0, line.cols - 14, wpa_score_paint(rows[i].score),
                                wpa_score_text(rows[i].score, score, sizeof score));
        }
        (void)wpa_put_right(&line, 0, line.cols - 1, WPA_PAINT_MUTED, at);
        doc->row++;
    }
    if (!n) {
        wpa_doc_text(doc, WPA_PAINT_MUTED, "nothing");
    }
}

static void draw_table(wpa_ui *ui, wpa_map_state *state, const wpa_workflow_detail *it,
                       const wpa_canvas *canvas)
{
    char title[512], right[WPA_SHORT];
    (void)wpa_text_format(title, sizeof title, "Map: %s", it->row.name);
    (void)wpa_text_format(right, sizeof right, "uses %zu   used by %zu", it->n_uses, it->n_used_by);
    wpa_doc doc = wpa_doc_begin(&state->detail.doc, ui->scratch, canvas);
    wpa_doc_rule(&doc, title, right);
    draw_table_side(&doc, "Uses", it->uses, it->n_uses);
    draw_table_side(&doc, "Used by: a change here reaches these", it->used_by, it->n_used_by);
    wpa_detail_end(ui, &doc, canvas);
}

static void draw_nothing(const wpa_ui *ui, const wpa_map_state *state, const wpa_canvas *canvas)
{
    const wpa_detail_view *detail = wpa_ui_detail(ui, state->centre);
    const char *text = state->centre.kind == WPA_OBJECT_NONE
                           ? "No workflow to show: choose one in view 2, press . and come back."
                       : detail && detail->missing ? detail->missing
                       : wpa_ui_is_lost(ui) ? "Not loaded before the database was lost: it comes "
                                              "when the database is back."
                                            : "reading what uses what ...";
    wpa_rule(canvas, 0, "Map", NULL, true);
    (void)wpa_put_wrapped(canvas, 2, 3, canvas->cols - 6, WPA_PAINT_MUTED, text);
}

static void draw_alone(const wpa_workflow_detail *it, const wpa_canvas *canvas)
{
    char title[512];
    (void)wpa_text_format(title, sizeof title, "Map: %s", it->row.name);
    wpa_rule(canvas, 0, title, "uses 0   used by 0", true);
    (void)wpa_put_wrapped(canvas, 2, 3, canvas->cols - 6, WPA_PAINT_MUTED,
                          it->row.analysed_at_us
                              ? "This workflow uses nothing and nothing uses it."
                              : "Not analysed yet: what it uses is not known.  a analyses it.");
}

static void draw(wpa_ui *ui, wpa_page *page, const wpa_canvas *canvas)
{
    wpa_map_state *state = page->state;
    const wpa_workflow_detail *it = shown(ui, state);
    state->is_drawn_as_table = state->is_table || !wpa_map_fits(canvas);
    if (!it) {
        draw_nothing(ui, state, canvas);
    } else if (!it->n_uses && !it->n_used_by) {
        draw_alone(it, canvas);
    } else if (state->is_drawn_as_table) {
        draw_table(ui, state, it, canvas);
    } else {
        place(state, it);
        search(state, it);
        wpa_map_draw(canvas, it, state);
    }
}

/* ---- keys ------------------------------------------------------------------------------------ */

static wpa_object selected(wpa_ui *ui, wpa_page *page)
{
    const wpa_map_state *state = page->state;
    const wpa_workflow_detail *it = shown(ui, state);
    if (!it || (!it->n_uses && !it->n_used_by)) {
        return state->centre;
    }
    if (state->is_drawn_as_table) {
        return state->detail.doc.n_items ? state->detail.doc.selected_object : state->centre;
    }
    const wpa_use_row *row = wpa_map_row(it, state);
    return row ? row->object : state->centre;
}

static wpa_object watched(wpa_ui *ui, wpa_page *page)
{
    (void)ui;
    return ((wpa_map_state *)page->state)->centre;
}

/* Enter puts what is selected in the middle; in the middle it opens. */
static void go_in(wpa_ui *ui, wpa_page *page)
{
    wpa_map_state *state = page->state;
    wpa_object object = selected(ui, page);
    if (object.kind != WPA_OBJECT_WORKFLOW) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "that is no workflow of this fleet");
    } else if (wpa_object_is(object, state->centre)) {
        wpa_ui_open(ui, object);
    } else {
        if (state->n_before == WPA_MAP_BEFORE_MAX) {
            memmove(&state->before[0], &state->before[1],
                    (--state->n_before) * sizeof state->before[0]);
        }
        state->before[state->n_before++] = state->centre;
        centre_on(page, object);
    }
}

static bool go_back(wpa_page *page)
{
    wpa_map_state *state = page->state;
    if (!state->n_before) {
        return false;
    }
    centre_on(page, state->before[--state->n_before]);
    return true;
}

/* Sideways to the next side that has something; the middle always is there. */
static void walk(wpa_map_state *state, const wpa_workflow_detail *it, int by)
{
    int side = (int)state->side + by;
    if (side >= WPA_MAP_USES && side < WPA_MAP_SIDES &&
        (side == WPA_MAP_CENTRE || count_of(it, (wpa_map_side)side))) {
        state->side = (wpa_map_side)side;
    }
}

static bool move(wpa_map_state *state, const wpa_workflow_detail *it, wpa_verb verb)
{
    wpa_map_column *column = &state->columns[state->side];
    int page = column->n_shown > PAGE_LEAST ? column->n_shown : PAGE_LEAST;
    static const struct {
        wpa_verb verb;
        int rows, pages, halves;
    } steps[] = {{WPA_VERB_DOWN, 1, 0, 0},
                 {WPA_VERB_UP, -1, 0, 0},
                 {WPA_VERB_PAGE_DOWN, 0, 1, 0},
                 {WPA_VERB_PAGE_UP, 0, -1, 0},
                 {WPA_VERB_HALF_DOWN, 0, 0, 1},
                 {WPA_VERB_HALF_UP, 0, 0, -1},
                 {WPA_VERB_FIRST, -WPA_USES_MAX, 0, 0},
                 {WPA_VERB_LAST, WPA_USES_MAX, 0, 0}};
    for (size_t i = 0; i < WPA_COUNT(steps); i++) {
        if (steps[i].verb == verb) {
            select_row(state, it, state->side,
                       (int64_t)column->index + steps[i].rows + steps[i].pages * page +
                           steps[i].halves * page / 2);
            return true;
        }
    }
    return false;
}

static bool walk_verb(wpa_map_state *state, const wpa_workflow_detail *it, wpa_verb verb)
{
    switch ((int)verb) {
    case WPA_VERB_LEFT:
    case WPA_VERB_RIGHT:
        walk(state, it, verb == WPA_VERB_LEFT ? -1 : 1);
        return true;
    case WPA_VERB_NEXT_MATCH:
    case WPA_VERB_PREVIOUS_MATCH:
        state->detail.doc.search_step = verb == WPA_VERB_NEXT_MATCH ? 1 : -1;
        return true;
    default:
        return move(state, it, verb);
    }
}

static bool verb(wpa_ui *ui, wpa_page *page, wpa_verb verb)
{
    wpa_map_state *state = page->state;
    const wpa_workflow_detail *it = shown(ui, state);
    switch ((int)verb) {
    case WPA_VERB_OPEN:
        go_in(ui, page);
        return true;
    case WPA_VERB_BACK:
        return go_back(page);
    case WPA_VERB_TABLE:
        state->is_table = !state->is_table;
        if (!state->is_table && state->is_drawn_as_table && ui->grid->cols < 80) {
            wpa_ui_say(ui, WPA_NOTICE_NOTE, "the diagram needs a wider terminal");
        }
        return true;
    default:
        break;
    }
    if (state->is_drawn_as_table || !it) {
        return wpa_doc_verb(&state->detail.doc, verb);
    }
    return walk_verb(state, it, verb);
}

static const wpa_verb *hints_for(wpa_ui *ui, wpa_page *page)
{
    (void)ui;
    return ((const wpa_map_state *)page->state)->is_drawn_as_table ? table_hints : hints;
}

static char *row_text(wpa_ui *ui, wpa_page *page, wpa_arena *arena)
{
    const wpa_map_state *state = page->state;
    const wpa_workflow_detail *it = shown(ui, state);
    const wpa_use_row *row = it && !state->is_drawn_as_table ? wpa_map_row(it, state) : NULL;
    return row ? wpa_arena_text(arena, row->ref) : NULL;
}

const wpa_view wpa_view_map = {
    .id = "map",
    .tab = 6,
    .topic = "the map",
    .state_bytes = sizeof(wpa_map_state),
    .contexts = WPA_IN_DETAIL | WPA_IN_MAP,
    .list = -1,
    .hints = hints,
    .hints_for = hints_for,
    .open = open,
    .draw = draw,
    .verb = verb,
    .selected = selected,
    .watched = watched,
    .doc = wpa_detail_doc,
    .changed = changed,
    .row_text = row_text,
};
