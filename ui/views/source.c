#include "views/source.h"

#include <string.h>

#define GUTTER 9

/* Byte offset of a column counted in code points from 1. */
static size_t offset_of(const char *text, int column)
{
    size_t length = strlen(text), at = 0;
    for (int i = 1; i < column && at < length; i++) {
        (void)wpa_utf8_next(text, length, &at);
    }
    return at;
}

static int cells_to(const char *text, int column)
{
    char head[4096];
    (void)wpa_text_format(head, sizeof head, "%.*s", (int)offset_of(text, column), text);
    return wpa_text_cells(head);
}

/* What is drawn: columns before shift are scrolled away, so that the place itself is seen. */
typedef struct excerpt {
    const wpa_canvas *canvas;
    const wpa_finding_detail *finding;
    int shift, end;
} excerpt;

static int end_cells(const wpa_source_line *line, const wpa_place *place)
{
    return place->end_line == place->line ? cells_to(line->text, place->end_column)
                                          : wpa_text_cells(line->text);
}

/* Cells to scroll so that the end of the place is on the canvas, and its start if both fit. */
static int shift_for(const wpa_canvas *canvas, const wpa_source_line *line, const wpa_place *place)
{
    int room = canvas->cols - GUTTER - 2, from = cells_to(line->text, place->column);
    int over = end_cells(line, place) - room;
    over = over > from ? from : over;
    return over > 0 ? over + 8 > from ? over : over + 8 : 0;
}

static void draw_caret(const excerpt *view, int row, const wpa_source_line *line,
                       const wpa_place *place)
{
    const wpa_canvas *canvas = view->canvas;
    int from = cells_to(line->text, place->column) - view->shift;
    int to = end_cells(line, place) - view->shift;
    from = from < 0 ? 0 : from;
    int width = to - from < 1 ? 1 : to - from;
    wpa_fill(canvas, row, GUTTER - 2, 1, WPA_PAINT_SOURCE_NUMBER, 0x2502);
    wpa_fill(canvas, row, GUTTER + from, width, WPA_PAINT_SOURCE_UNDERLINE, '^');
    if (place->label) {
        (void)wpa_put_fit(canvas, row, GUTTER + from + width + 1,
                          canvas->cols - GUTTER - from - width - 2, WPA_PAINT_SOURCE_UNDERLINE,
                          place->label);
    }
}

static int draw_source_line(const excerpt *view, int row, const wpa_source_line *line)
{
    const wpa_canvas *canvas = view->canvas;
    const wpa_finding_detail *finding = view->finding;
    (void)wpa_putf(canvas, row, 1, WPA_PAINT_SOURCE_NUMBER, "%5d ", line->number);
    wpa_fill(canvas, row, GUTTER - 2, 1, WPA_PAINT_SOURCE_NUMBER, 0x2502);
    int passed = view->shift;
    const char *text = wpa_text_behind(line->text, &passed);
    int col = GUTTER + (passed > view->shift ? passed - view->shift : 0);
    (void)wpa_put_fit(canvas, row, col, canvas->cols - col - 1, WPA_PAINT_SOURCE_LINE, text);
    row++;
    for (size_t i = 0; i < finding->n_places && row < view->end; i++) {
        if (!finding->places[i].path && finding->places[i].line == line->number) {
            draw_caret(view, row++, line, &finding->places[i]);
        }
    }
    return row;
}

int wpa_source_draw(const wpa_canvas *canvas, int row, int rows, const wpa_finding_detail *finding,
                    size_t place, int context)
{
    excerpt view = {.canvas = canvas, .finding = finding, .end = row + rows};
    int middle = place < finding->n_places && !finding->places[place].path
                     ? finding->places[place].line
                     : finding->row.line;
    if (!finding->n_lines) {
        (void)wpa_put(canvas, row, 2, WPA_PAINT_MUTED, "the file could not be read at this commit");
        return row + 1;
    }
    for (size_t i = 0; i < finding->n_lines && place < finding->n_places; i++) {
        if (finding->lines[i].number == middle) {
            view.shift = shift_for(canvas, &finding->lines[i], &finding->places[place]);
        }
    }
    for (size_t i = 0; i < finding->n_lines && row < view.end; i++) {
        const wpa_source_line *line = &finding->lines[i];
        if (line->number >= middle - context && line->number <= middle + context) {
            row = draw_source_line(&view, row, line);
        }
    }
    return row;
}
