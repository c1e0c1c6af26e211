/*
 * Drawing into a part of a grid. A canvas clips: nothing drawn through it leaves its rectangle.
 * Whatever comes from outside is made fit here: control characters and their like become marks
 * such as ‹1b› in the warn role, wide characters are never cut in half.
 */
#pragma once

#include <stdarg.h>

#include <wpa/text.h>

#include "widgets/grid.h"

typedef struct wpa_canvas {
    wpa_grid *grid;
    int row, col, rows, cols; /* rectangle in the grid */
    bool is_ascii;            /* no Unicode: glyphs are replaced by their ASCII stand-ins */
    uint16_t flags;           /* WPA_CELL_* put on everything drawn */
    int paint;                /* wpa_paint that replaces every other, or -1 (a selected row) */
} wpa_canvas;

wpa_canvas wpa_canvas_of(wpa_grid *grid, bool is_ascii);
/** The part of canvas at row, col; cut to what is there. */
wpa_canvas wpa_canvas_part(const wpa_canvas *canvas, int row, int col, int rows, int cols);

/** Text from col on, one line; returns the column behind it (also past the edge). */
int wpa_put(const wpa_canvas *canvas, int row, int col, wpa_paint paint, const char *text);
int wpa_putf(const wpa_canvas *canvas, int row, int col, wpa_paint paint, const char *format, ...)
    WPA_PRINTF(5, 6);
/** Text cut to width cells, "~" at the end if cut. Returns the column behind the text. */
int wpa_put_fit(const wpa_canvas *canvas, int row, int col, int width, wpa_paint paint,
                const char *text);
int wpa_put_fitf(const wpa_canvas *canvas, int row, int col, int width, wpa_paint paint,
                 const char *format, ...) WPA_PRINTF(6, 7);
/** Text that ends before column end; cut at the left edge of the canvas by "~". */
int wpa_put_right(const wpa_canvas *canvas, int row, int end, wpa_paint paint, const char *text);
/** One code point, count times. */
void wpa_fill(const wpa_canvas *canvas, int row, int col, int count, wpa_paint paint, uint32_t c);
/** Cells the text takes when put. */
int wpa_text_cells(const char *text);
/** Where the text goes on behind so many cells; cells receives those that were passed. */
const char *wpa_text_behind(const char *text, int *cells);
/** One cell's flags set. */
void wpa_flag(const wpa_canvas *canvas, int row, int col, int count, uint16_t flags);
/** Blank the whole canvas. */
void wpa_blank(const wpa_canvas *canvas);
/** What a click there means; beyond WPA_ZONES_MAX it means nothing. */
void wpa_zone_add(const wpa_canvas *canvas, int row, int col, int rows, int cols,
                  wpa_zone_kind kind, int value);
/** The terminal's cursor rests here. */
void wpa_rest_cursor(const wpa_canvas *canvas, int row, int col);

/**
 * A title rule: "─ ▸Workflows, worst first ───── 5 of 412 ─".
 *
 * right may be NULL; a title that does not fit is cut.
 */
void wpa_rule(const wpa_canvas *canvas, int row, const char *title, const char *right,
              bool is_focused);
/** Words in the line of a title rule that is drawn already, where it is longest; false: no room. */
bool wpa_rule_note(const wpa_canvas *canvas, int row, const char *text);
/** A meter of width cells: value in 0..1 in eighths, limit in 0..1 as ┃, negative for none. */
void wpa_meter(const wpa_canvas *canvas, int row, int col, int width, double value, double limit,
               wpa_paint fill);
/** One bar ▁ to █ for each of the last width values, scaled low..high; negative = blank. */
int wpa_spark(const wpa_canvas *canvas, int row, int col, int width, const double *values, size_t n,
              double low, double high, wpa_paint paint);
/** A box with a title along the canvas' edge, blank inside. */
void wpa_box(const wpa_canvas *canvas, const char *title);
/** Words wrapped to the canvas' width from row on; returns the row behind. */
int wpa_put_wrapped(const wpa_canvas *canvas, int row, int col, int width, wpa_paint paint,
                    const char *text);
/** Rows that wpa_put_wrapped takes for it. */
int wpa_wrapped_rows(const char *text, int width);
