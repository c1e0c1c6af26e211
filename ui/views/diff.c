#include <inttypes.h>
#include <string.h>

#include <wpa/buf.h>

#include "views/detail.h"

#define SIDE_BY_SIDE_COLS 120

static const wpa_verb hints[] = {
    WPA_VERB_PREVIOUS_PLACE, WPA_VERB_NEXT_PLACE,   WPA_VERB_PREVIOUS_SIBLING,
    WPA_VERB_NEXT_SIBLING,   WPA_VERB_SIDE_BY_SIDE, WPA_VERB_WRAP,
    WPA_VERB_WHITESPACE,     WPA_VERB_FILTER,       WPA_VERB_COPY,
    WPA_VERB_BACK,           WPA_VERB_NONE,
};

typedef struct diff_state {
    wpa_detail_state detail;
    size_t file, hunk;
    int shift; /* columns scrolled sideways */
    bool wraps, hides_blanks, is_side_by_side;
    int hunk_rows[256];
} diff_state;

static const wpa_diff_file *file_of(wpa_ui *ui, const wpa_page *page)
{
    const diff_state *state = page->state;
    const wpa_detail_view *detail = wpa_ui_detail(ui, page->object);
    if (!detail || detail->missing || state->file >= detail->patch->n_files) {
        return NULL;
    }
    return &detail->patch->files[state->file];
}

/* Text from a cell on: scrolling sideways. */
static const char *shifted(const char *text, int cells)
{
    size_t length = strlen(text), at = 0;
    while (cells > 0 && at < length) {
        cells -= wpa_char_width(wpa_utf8_next(text, length, &at));
    }
    return text + at;
}

static wpa_paint paint_of(char kind)
{
    return kind == '+'   ? WPA_PAINT_DIFF_ADD
           : kind == '-' ? WPA_PAINT_DIFF_DEL
                         : WPA_PAINT_DIFF_CONTEXT;
}

static void put_number(const wpa_canvas *canvas, int row, int col, int number)
{
    if (number > 0) {
        (void)wpa_putf(canvas, row, col, WPA_PAINT_SOURCE_NUMBER, "%5d", number);
    }
}

static void put_line(wpa_doc *doc, const diff_state *state, int col, int width,
                     const wpa_diff_line *line)
{
    const char sign[2] = {line->kind, '\0'};
    wpa_paint paint = paint_of(line->kind);
    wpa_fill(&doc->canvas, doc->row, col, 1, WPA_PAINT_SOURCE_NUMBER, 0x2502);
    (void)wpa_put(&doc->canvas, doc->row, col + 1, paint, sign);
    if (state->wraps) {
        int next = wpa_put_wrapped(&doc->canvas, doc->row, col + 3, width - 3, paint, line->text);
        doc->row = next > doc->row ? next : doc->row + 1;
    } else {
        (void)wpa_put_fit(&doc->canvas, doc->row++, col + 3, width - 3, paint,
                          shifted(line->text, state->shift));
    }
}

static bool is_blank_change(const wpa_diff_hunk *hunk, size_t i)
{
    if (hunk->lines[i].kind == ' ' || i + 1 >= hunk->n_lines) {
        return false;
    }
    const char *a = hunk->lines[i].text, *b = hunk->lines[i + 1].text;
    if (hunk->lines[i].kind != '-' || hunk->lines[i + 1].kind != '+') {
        return false;
    }
    while (*a || *b) {
        a += strspn(a, " \t");
        b += strspn(b, " \t");
        if (*a != *b) {
            return false;
        }
        a += *a != '\0';
        b += *b != '\0';
    }
    return true;
}

static void draw_unified(wpa_doc *doc, const diff_state *state, const wpa_diff_hunk *hunk)
{
    for (size_t i = 0; i < hunk->n_lines && doc->row < WPA_DOC_ROWS - 4; i++) {
        if (state->hides_blanks && is_blank_change(hunk, i)) {
            i++;
            continue;
        }
        put_number(&doc->canvas, doc->row, 0, hunk->lines[i].old_line);
        put_number(&doc->canvas, doc->row, 6, hunk->lines[i].new_line);
        put_line(doc, state, 12, doc->canvas.cols - 13, &hunk->lines[i]);
    }
}

/* Old left, new right: a run of removed lines stands beside the run of added ones behind it. */
static void draw_sides(wpa_doc *doc, const diff_state *state, const wpa_diff_hunk *hunk)
{
    diff_state flat = *state;
    int half = doc->canvas.cols / 2;
    flat.wraps = false;
    for (size_t i = 0; i < hunk->n_lines && doc->row < WPA_DOC_ROWS - 4;) {
        size_t removed = i;
        while (removed < hunk->n_lines && hunk->lines[removed].kind == '-') {
            removed++;
        }
        size_t added = removed;
        while (added < hunk->n_lines && hunk->lines[added].kind == '+') {
            added++;
        }
        size_t rows = removed - i > added - removed ? removed - i : added - removed;
        for (size_t k = 0; k < rows && doc->row < WPA_DOC_ROWS - 4; k++) {
            int row = doc->row;
            if (i + k < removed) {
                put_number(&doc->canvas, row, 0, hunk->lines[i + k].old_line);
                put_line(doc, &flat, 6, half - 8, &hunk->lines[i + k]);
            }
            doc->row = row;
            if (removed + k < added) {
                put_number(&doc->canvas, row, half, hunk->lines[removed + k].new_line);
                put_line(doc, &flat, half + 6, half - 8, &hunk->lines[removed + k]);
            }
            doc->row = row + 1;
        }
        i = added;
        for (; i < hunk->n_lines && hunk->lines[i].kind == ' '; i++) {
            int row = doc->row;
            put_number(&doc->canvas, row, 0, hunk->lines[i].old_line);
            put_line(doc, &flat, 6, half - 8, &hunk->lines[i]);
            doc->row = row;
            put_number(&doc->canvas, row, half, hunk->lines[i].new_line);
            put_line(doc, &flat, half + 6, half - 8, &hunk->lines[i]);
        }
    }
}

static void draw_file(wpa_doc *doc, diff_state *state, const wpa_diff_file *file)
{
    bool is_side = state->is_side_by_side && doc->canvas.cols >= SIDE_BY_SIDE_COLS;
    for (size_t i = 0; i < file->n_hunks; i++) {
        const wpa_diff_hunk *hunk = &file->hunks[i];
        if (i < WPA_COUNT(state->hunk_rows)) {
            state->hunk_rows[i] = doc->row;
        }
        if (i || hunk->header) {
            (void)wpa_put_fitf(&doc->canvas, doc->row++, 2, doc->canvas.cols - 4, WPA_PAINT_MUTED,
                               "@@ %s @@", hunk->header ? hunk->header : "");
        }
        if (is_side) {
            draw_sides(doc, state, hunk);
        } else {
            draw_unified(doc, state, hunk);
        }
        doc->row++;
    }
}

static void draw(wpa_ui *ui, wpa_page *page, const wpa_canvas *canvas)
{
    diff_state *state = page->state;
    const wpa_detail_view *detail = wpa_detail_need(ui, page, canvas);
    if (!detail) {
        return;
    }
    const wpa_diff_file *file = file_of(ui, page);
    char title[1024], right[WPA_SHORT * 2], id[WPA_SHORT];
    (void)wpa_object_text(page->object, id, sizeof id);
    if (!file) {
        wpa_rule(canvas, 0, id, NULL, false);
        (void)wpa_put(canvas, 2, 3, WPA_PAINT_MUTED, "This patch changes no file.");
        return;
    }
    (void)wpa_text_format(title, sizeof title, "%s  %s/%s", id,
                          file->repository ? file->repository : "", file->path);
    (void)wpa_text_format(right, sizeof right, "file %zu of %zu  hunk %zu of %zu", state->file + 1,
                          detail->patch->n_files, file->n_hunks ? state->hunk + 1 : 0,
                          file->n_hunks);
    wpa_rule(canvas, 0, title, right, false);
    wpa_canvas body = wpa_canvas_part(canvas, 1, 0, canvas->rows - 3, canvas->cols);
    wpa_doc doc = wpa_doc_begin(&state->detail.doc, ui->scratch, &body);
    draw_file(&doc, state, file);
    wpa_doc_end(&doc, &body);
    wpa_fill(canvas, canvas->rows - 2, 0, canvas->cols, WPA_PAINT_RULE, 0x2500);
    int col = wpa_put(canvas, canvas->rows - 1, 2, WPA_PAINT_MUTED, "fixes ");
    for (size_t i = 0; i < detail->patch->n_findings && col < canvas->cols - 12; i++) {
        col = wpa_putf(canvas, canvas->rows - 1, col, WPA_PAINT_TEXT, "f-%" PRId64 " ",
                       detail->patch->findings[i].id);
    }
}

static void go_to_hunk(wpa_ui *ui, wpa_page *page, int by)
{
    diff_state *state = page->state;
    const wpa_diff_file *file = file_of(ui, page);
    int64_t next = (int64_t)state->hunk + by;
    if (file && next >= 0 && next < (int64_t)file->n_hunks) {
        state->hunk = (size_t)next;
        state->detail.doc.scroll =
            state->hunk < WPA_COUNT(state->hunk_rows) ? state->hunk_rows[state->hunk] : 0;
    }
}

static void go_to_file(wpa_ui *ui, wpa_page *page, int by)
{
    diff_state *state = page->state;
    const wpa_detail_view *detail = wpa_ui_detail(ui, page->object);
    int64_t next = (int64_t)state->file + by;
    if (detail && !detail->missing && next >= 0 && next < (int64_t)detail->patch->n_files) {
        state->file = (size_t)next;
        state->hunk = 0;
        state->detail.doc.scroll = 0;
    }
}

static void copy_hunk(wpa_ui *ui, wpa_page *page)
{
    const diff_state *state = page->state;
    const wpa_diff_file *file = file_of(ui, page);
    if (!file || state->hunk >= file->n_hunks) {
        return;
    }
    WPA_AUTO(wpa_buf) *text = wpa_buf_new((size_t)256 * 1024);
    const wpa_diff_hunk *hunk = &file->hunks[state->hunk];
    wpa_buf_printf(text, "--- a/%s\n+++ b/%s\n", file->path, file->path);
    for (size_t i = 0; i < hunk->n_lines; i++) {
        wpa_buf_printf(text, "%c%s\n", hunk->lines[i].kind, hunk->lines[i].text);
    }
    wpa_ui_copy(ui, wpa_buf_data(text));
    wpa_ui_say(ui, WPA_NOTICE_OK, "hunk copied by OSC 52");
}

static bool verb(wpa_ui *ui, wpa_page *page, wpa_verb verb)
{
    diff_state *state = page->state;
    switch ((int)verb) {
    case WPA_VERB_PREVIOUS_PLACE:
    case WPA_VERB_NEXT_PLACE:
        go_to_hunk(ui, page, verb == WPA_VERB_NEXT_PLACE ? 1 : -1);
        return true;
    case WPA_VERB_PREVIOUS_SIBLING:
    case WPA_VERB_NEXT_SIBLING:
        go_to_file(ui, page, verb == WPA_VERB_NEXT_SIBLING ? 1 : -1);
        return true;
    case WPA_VERB_LEFT:
    case WPA_VERB_RIGHT:
        state->shift += verb == WPA_VERB_RIGHT ? 8 : state->shift >= 8 ? -8 : 0;
        return true;
    case WPA_VERB_WRAP:
        state->wraps = !state->wraps;
        return true;
    case WPA_VERB_WHITESPACE:
        state->hides_blanks = !state->hides_blanks;
        return true;
    case WPA_VERB_SIDE_BY_SIDE:
        state->is_side_by_side = !state->is_side_by_side;
        if (ui->grid->cols < SIDE_BY_SIDE_COLS) {
            wpa_ui_say(ui, WPA_NOTICE_NOTE, "side by side needs 120 columns");
        }
        return true;
    case WPA_VERB_COPY:
    case WPA_VERB_COPY_ROW:
        copy_hunk(ui, page);
        return true;
    case WPA_VERB_DIFF:
    case WPA_VERB_OPEN:
        return true;
    default:
        return wpa_detail_verb(ui, page, verb);
    }
}

const wpa_view wpa_view_diff = {
    .id = "diff",
    .topic = "a diff",
    .state_bytes = sizeof(diff_state),
    .contexts = WPA_IN_DETAIL | WPA_IN_DIFF | WPA_IN_SOURCE,
    .list = -1,
    .hints = hints,
    .draw = draw,
    .verb = verb,
    .selected = wpa_detail_watched,
    .watched = wpa_detail_watched,
    .doc = wpa_detail_doc,
};
