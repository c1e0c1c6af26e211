#include "views/detail.h"

#define NOTE_FROM_COLS 70 /* names need the room before */

static const wpa_verb hints[] = {WPA_VERB_OPEN, WPA_VERB_COPY,    WPA_VERB_BACK,
                                 WPA_VERB_HELP, WPA_VERB_COMMAND, WPA_VERB_NONE};

typedef struct map_state {
    wpa_detail_state detail;
    wpa_object centre;
} map_state;

/* The thing in the middle: what was scoped or selected when the map was opened. */
static void open(wpa_ui *ui, wpa_page *page)
{
    map_state *state = page->state;
    state->centre = ui->scope;
    if (state->centre.kind != WPA_OBJECT_WORKFLOW && ui->dash && ui->dash->n_worst) {
        state->centre = (wpa_object){WPA_OBJECT_WORKFLOW, ui->dash->worst[0].id};
    }
}

static void changed(wpa_ui *ui, wpa_page *page)
{
    const map_state *state = page->state;
    if (state->centre.kind == WPA_OBJECT_NONE) {
        open(ui, page);
    }
}

static void draw_side(wpa_doc *doc, const char *title, const wpa_use_row *rows, size_t n)
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
        char at[WPA_SHORT] = "";
        if (rows[i].line > 0) {
            (void)wpa_text_format(at, sizeof at, "line %d", rows[i].line);
        }
        bool is_wide = line.cols >= NOTE_FROM_COLS;
        (void)wpa_put_fit(&line, 0, 2, line.cols - (is_wide ? 34 : 4 + wpa_text_cells(at)),
                          WPA_PAINT_TEXT, rows[i].name);
        if (is_wide) {
            (void)wpa_put_fit(&line, 0, line.cols - 31, 20, WPA_PAINT_MUTED,
                              rows[i].note ? rows[i].note : "");
        }
        (void)wpa_put_right(&line, 0, line.cols - 1, WPA_PAINT_MUTED, at);
        doc->row++;
    }
    if (!n) {
        wpa_doc_text(doc, WPA_PAINT_MUTED, "nothing");
    }
}

static void draw(wpa_ui *ui, wpa_page *page, const wpa_canvas *canvas)
{
    map_state *state = page->state;
    const wpa_detail_view *detail = wpa_ui_detail(ui, state->centre);
    char title[512], right[WPA_SHORT];
    if (state->centre.kind == WPA_OBJECT_NONE || !detail || detail->missing) {
        wpa_rule(canvas, 0, "Map", NULL, true);
        (void)wpa_put_wrapped(canvas, 2, 3, canvas->cols - 6, WPA_PAINT_MUTED,
                              state->centre.kind == WPA_OBJECT_NONE
                                  ? "No workflow to show: choose one in view 2, press . and come "
                                    "back."
                                  : "reading what uses what ...");
        return;
    }
    const wpa_workflow_detail *it = detail->workflow;
    (void)wpa_text_format(title, sizeof title, "Map: %s", it->row.name);
    (void)wpa_text_format(right, sizeof right, "uses %zu   used by %zu", it->n_uses, it->n_used_by);
    wpa_doc doc = wpa_doc_begin(&state->detail.doc, ui->scratch, canvas);
    wpa_doc_rule(&doc, title, right);
    if (!it->n_uses && !it->n_used_by) {
        wpa_doc_text(&doc, WPA_PAINT_MUTED,
                     it->row.analysed_at_us ? "This workflow uses nothing and nothing uses it."
                                            : "Not analysed yet: what it uses is not known.");
    } else {
        draw_side(&doc, "Uses", it->uses, it->n_uses);
        draw_side(&doc, "Used by: a change here reaches these", it->used_by, it->n_used_by);
    }
    wpa_detail_end(ui, &doc, canvas);
}

static bool verb(wpa_ui *ui, wpa_page *page, wpa_verb verb)
{
    map_state *state = page->state;
    wpa_object object = state->detail.doc.selected_object;
    if (verb != WPA_VERB_OPEN) {
        return wpa_doc_verb(&state->detail.doc, verb);
    }
    if (state->detail.doc.n_items && object.kind == WPA_OBJECT_WORKFLOW) {
        state->centre = object; /* Enter puts it in the middle */
        wpa_doc_restart(&state->detail.doc);
    } else if (state->detail.doc.n_items) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "that is no workflow of this fleet");
    }
    return true;
}

static wpa_object watched(wpa_ui *ui, wpa_page *page)
{
    (void)ui;
    return ((map_state *)page->state)->centre;
}

const wpa_view wpa_view_map = {
    .id = "map",
    .tab = 6,
    .topic = "the map",
    .state_bytes = sizeof(map_state),
    .contexts = WPA_IN_DETAIL,
    .list = -1,
    .hints = hints,
    .open = open,
    .draw = draw,
    .verb = verb,
    .selected = watched,
    .watched = watched,
    .doc = wpa_detail_doc,
    .changed = changed,
};
