#include "widgets/draw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 4096

/* Glyphs of ours that have a stand-in of the same width where there is no Unicode. */
static const struct {
    uint32_t glyph;
    char ascii;
} stand_ins[] = {
    {0x25B8, '>'}, {0x25AA, '*'}, {0x25CC, '.'}, {0x27F3, '~'}, {0x2713, '+'}, {0x25C9, '*'},
    {0x2B22, '#'}, {0x2717, 'x'}, {0x21BA, '<'}, {0x2219, '-'}, {0x25B4, '^'}, {0x25BE, 'v'},
    {0x22EF, '.'}, {0x2588, '#'}, {0x2589, '+'}, {0x258A, '+'}, {0x258B, '+'}, {0x258C, '+'},
    {0x258D, '+'}, {0x258E, '+'}, {0x258F, '+'}, {0x2591, '.'}, {0x2503, '!'}, {0x2581, '.'},
    {0x2582, '_'}, {0x2583, '-'}, {0x2584, '='}, {0x2585, '+'}, {0x2586, '+'}, {0x2587, '#'},
    {0x2500, '-'}, {0x2502, '|'}, {0x250C, '+'}, {0x2510, '+'}, {0x2514, '+'}, {0x2518, '+'},
    {0x251C, '+'}, {0x2524, '+'}, {0x252C, '+'}, {0x2534, '+'}, {0x253C, '+'}, {0x21BB, '@'},
    {0x2039, '<'}, {0x203A, '>'}, {0x00B7, '.'}, {0x2022, '*'},
};

static uint32_t without_unicode(uint32_t c)
{
    if (c < 0x7F) {
        return c;
    }
    for (size_t i = 0; i < WPA_COUNT(stand_ins); i++) {
        if (stand_ins[i].glyph == c) {
            return (uint32_t)stand_ins[i].ascii;
        }
    }
    return '?';
}

wpa_canvas wpa_canvas_of(wpa_grid *grid, bool is_ascii)
{
    return (wpa_canvas){
        .grid = grid, .rows = grid->rows, .cols = grid->cols, .is_ascii = is_ascii, .paint = -1};
}

wpa_canvas wpa_canvas_part(const wpa_canvas *canvas, int row, int col, int rows, int cols)
{
    wpa_canvas part = *canvas;
    row = row < 0 ? 0 : row > canvas->rows ? canvas->rows : row;
    col = col < 0 ? 0 : col > canvas->cols ? canvas->cols : col;
    part.row = canvas->row + row;
    part.col = canvas->col + col;
    part.rows = rows < 0 ? 0 : rows > canvas->rows - row ? canvas->rows - row : rows;
    part.cols = cols < 0 ? 0 : cols > canvas->cols - col ? canvas->cols - col : cols;
    return part;
}

void wpa_zone_add(const wpa_canvas *canvas, int row, int col, int rows, int cols,
                  wpa_zone_kind kind, int value)
{
    wpa_grid *grid = canvas->grid;
    wpa_canvas part = wpa_canvas_part(canvas, row, col, rows, cols);
    if (grid->n_zones < WPA_ZONES_MAX) {
        grid->zones[grid->n_zones++] =
            (wpa_zone){part.row, part.col, part.rows, part.cols, kind, value};
    }
}

static wpa_cell *cell_at(const wpa_canvas *canvas, int row, int col)
{
    if (row < 0 || row >= canvas->rows || col < 0 || col >= canvas->cols) {
        return NULL;
    }
    return &canvas->grid->cells[(size_t)(canvas->row + row) * (size_t)canvas->grid->cols +
                                (size_t)(canvas->col + col)];
}

/* Half of a wide character must not stay behind when the other half is drawn over. */
static void break_wide(const wpa_canvas *canvas, int row, int col)
{
    wpa_cell *cell = cell_at(canvas, row, col);
    int grid_col = canvas->col + col;
    if (!cell) {
        return;
    }
    if (!cell->base && grid_col > 0) {
        cell[-1].base = ' ';
        memset(cell[-1].marks, 0, sizeof cell[-1].marks);
    }
    if (grid_col + 1 < canvas->grid->cols && !cell[1].base) {
        cell[1].base = ' ';
    }
}

static void set_cell(const wpa_canvas *canvas, int row, int col, uint32_t c, wpa_paint paint)
{
    wpa_cell *cell = cell_at(canvas, row, col);
    if (!cell) {
        return;
    }
    break_wide(canvas, row, col);
    *cell = (wpa_cell){.base = c,
                       .paint = (uint16_t)(canvas->paint >= 0 ? canvas->paint : (int)paint),
                       .flags = canvas->flags};
}

static void add_mark(const wpa_canvas *canvas, int row, int col, uint32_t c)
{
    wpa_cell *cell = cell_at(canvas, row, col);
    if (cell && !cell->base) {
        cell = cell_at(canvas, row, col - 1);
    }
    if (!cell || canvas->is_ascii) {
        return;
    }
    for (int i = 0; i < WPA_CELL_MARKS; i++) {
        if (!cell->marks[i]) {
            cell->marks[i] = c;
            return;
        }
    }
}

/* Draws a character and returns the cells it took. */
static int put_char(const wpa_canvas *canvas, int row, int col, uint32_t c, wpa_paint paint)
{
    int width = wpa_char_width(c);
    if (width == 0) {
        add_mark(canvas, row, col - 1, c);
        return 0;
    }
    if (canvas->is_ascii) {
        set_cell(canvas, row, col, without_unicode(c), paint);
        if (width == 2) {
            set_cell(canvas, row, col + 1, ' ', paint);
        }
        return width;
    }
    if (width == 2 && col + 1 >= canvas->cols) {
        set_cell(canvas, row, col, ' ', paint);
        return width;
    }
    set_cell(canvas, row, col, c, paint);
    if (width == 2) {
        set_cell(canvas, row, col + 1, ' ', paint);
        wpa_cell *right = cell_at(canvas, row, col + 1);
        if (right) {
            right->base = 0;
        }
    }
    return width;
}

/* "‹1b›" for what must not reach a terminal; bytes > 0 means these bytes were no UTF-8. */
static int hidden_mark(uint32_t c, bool is_byte, char *mark, size_t size_bytes)
{
    (void)wpa_text_format(mark, size_bytes, c > 0xFF && !is_byte ? "‹u%x›" : "‹%02x›", c);
    return (int)strlen(mark) - 4; /* the angle quotes are three bytes each and one cell */
}

/* Next character of text; marks tells that it has to be shown as a mark. */
static uint32_t next_char(const char *text, size_t length, size_t *at, bool *is_marked,
                          bool *is_byte)
{
    size_t before = *at;
    uint32_t c = wpa_utf8_next(text, length, at);
    *is_byte = c == 0xFFFD && *at - before == 1;
    if (*is_byte) {
        c = (uint32_t)(unsigned char)text[before];
    }
    *is_marked = *is_byte || wpa_char_is_hidden(c);
    return c;
}

int wpa_text_cells(const char *text)
{
    int cells = 0;
    size_t length = text ? strlen(text) : 0, at = 0;
    while (at < length) {
        bool is_marked = false, is_byte = false;
        uint32_t c = next_char(text, length, &at, &is_marked, &is_byte);
        char mark[32];
        cells += is_marked ? hidden_mark(c, is_byte, mark, sizeof mark) : wpa_char_width(c);
    }
    return cells;
}

const char *wpa_text_behind(const char *text, int *cells)
{
    size_t length = strlen(text), at = 0;
    int wanted = *cells, passed = 0;
    while (passed < wanted && at < length) {
        bool is_marked = false, is_byte = false;
        uint32_t c = next_char(text, length, &at, &is_marked, &is_byte);
        char mark[32];
        passed += is_marked ? hidden_mark(c, is_byte, mark, sizeof mark) : wpa_char_width(c);
    }
    *cells = passed;
    return text + at;
}

static int put_marked(const wpa_canvas *canvas, int row, int col, uint32_t c, bool is_byte)
{
    char mark[32];
    (void)hidden_mark(c, is_byte, mark, sizeof mark);
    size_t length = strlen(mark), at = 0;
    while (at < length) {
        col += put_char(canvas, row, col, wpa_utf8_next(mark, length, &at), WPA_PAINT_WARN);
    }
    return col;
}

int wpa_put(const wpa_canvas *canvas, int row, int col, wpa_paint paint, const char *text)
{
    size_t length = text ? strlen(text) : 0, at = 0;
    while (at < length && col < canvas->cols) {
        bool is_marked = false, is_byte = false;
        uint32_t c = next_char(text, length, &at, &is_marked, &is_byte);
        col = is_marked ? put_marked(canvas, row, col, c, is_byte)
                        : col + put_char(canvas, row, col, c, paint);
    }
    return col;
}

int wpa_putf(const wpa_canvas *canvas, int row, int col, wpa_paint paint, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(text, sizeof text, format, values);
    va_end(values);
    return wpa_put(canvas, row, col, paint, text);
}

int wpa_put_fit(const wpa_canvas *canvas, int row, int col, int width, wpa_paint paint,
                const char *text)
{
    if (width <= 0) {
        return col;
    }
    int cells = wpa_text_cells(text);
    wpa_canvas part = wpa_canvas_part(canvas, 0, col, canvas->rows, width);
    if (cells <= part.cols) {
        return col + wpa_put(&part, row, 0, paint, text);
    }
    wpa_canvas cut = wpa_canvas_part(&part, 0, 0, part.rows, part.cols - 1);
    (void)wpa_put(&cut, row, 0, paint, text);
    (void)put_char(&part, row, part.cols - 1, '~', paint);
    return col + part.cols;
}

int wpa_put_fitf(const wpa_canvas *canvas, int row, int col, int width, wpa_paint paint,
                 const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(text, sizeof text, format, values);
    va_end(values);
    return wpa_put_fit(canvas, row, col, width, paint, text);
}

int wpa_put_right(const wpa_canvas *canvas, int row, int end, wpa_paint paint, const char *text)
{
    int cells = wpa_text_cells(text);
    if (cells > end) {
        return wpa_put_fit(canvas, row, 0, end, paint, text);
    }
    return wpa_put(canvas, row, end - cells, paint, text);
}

void wpa_fill(const wpa_canvas *canvas, int row, int col, int count, wpa_paint paint, uint32_t c)
{
    for (int i = 0; i < count && col + i < canvas->cols; i++) {
        (void)put_char(canvas, row, col + i, c, paint);
    }
}

void wpa_flag(const wpa_canvas *canvas, int row, int col, int count, uint16_t flags)
{
    for (int i = 0; i < count; i++) {
        wpa_cell *cell = cell_at(canvas, row, col + i);
        if (cell) {
            cell->flags = (uint16_t)(cell->flags | flags);
        }
    }
}

void wpa_blank(const wpa_canvas *canvas)
{
    for (int row = 0; row < canvas->rows; row++) {
        for (int col = 0; col < canvas->cols; col++) {
            set_cell(canvas, row, col, ' ', WPA_PAINT_TEXT);
        }
    }
}

void wpa_rest_cursor(const wpa_canvas *canvas, int row, int col)
{
    if (cell_at(canvas, row, col)) {
        canvas->grid->cursor_row = canvas->row + row;
        canvas->grid->cursor_col = canvas->col + col;
    }
}

void wpa_rule(const wpa_canvas *canvas, int row, const char *title, const char *right,
              bool is_focused)
{
    wpa_fill(canvas, row, 0, canvas->cols, WPA_PAINT_RULE, 0x2500);
    int end = canvas->cols - 2;
    if (right && *right) {
        int cells = wpa_text_cells(right);
        if (cells + 8 < canvas->cols) {
            (void)wpa_putf(canvas, row, end - cells - 1, WPA_PAINT_MUTED, " %s ", right);
            end -= cells + 2;
        }
    }
    if (title && *title && end > 4) {
        wpa_paint paint = is_focused ? WPA_PAINT_FOCUS : WPA_PAINT_TITLE;
        wpa_fill(canvas, row, 1, 1, paint, ' ');
        int col = is_focused ? wpa_put(canvas, row, 2, paint, "▸") : 2;
        col = wpa_put_fit(canvas, row, col, end - col - 1, paint, title);
        wpa_fill(canvas, row, col, 1, paint, ' ');
    }
}

bool wpa_rule_note(const wpa_canvas *canvas, int row, const char *text)
{
    int best = 0, end = 0, run = 0;
    for (int col = 0; col < canvas->cols; col++) {
        const wpa_cell *cell = cell_at(canvas, row, col);
        uint32_t line = canvas->is_ascii ? '-' : 0x2500;
        bool is_line = cell && cell->base == line && cell->paint == WPA_PAINT_RULE;
        run = is_line ? run + 1 : 0;
        if (run > best) {
            best = run;
            end = col + 1;
        }
    }
    int cells = wpa_text_cells(text);
    if (best < cells + 4) {
        return false;
    }
    (void)wpa_putf(canvas, row, end - cells - 3, WPA_PAINT_CHECK_NEAR, " %s ", text);
    return true;
}

void wpa_meter(const wpa_canvas *canvas, int row, int col, int width, double value, double limit,
               wpa_paint fill)
{
    if (width <= 0) {
        return;
    }
    value = !(value > 0) ? 0 : value > 1 ? 1 : value;
    int eighths = (int)lround(value * width * 8);
    if (value > 0 && eighths == 0) {
        eighths = 1;
    }
    for (int i = 0; i < width; i++) {
        int here = eighths - i * 8;
        uint32_t c = here >= 8 ? 0x2588 : here > 0 ? 0x2590 - (uint32_t)here : 0x2591;
        (void)put_char(canvas, row, col + i, c, here > 0 ? fill : WPA_PAINT_METER_REST);
    }
    if (limit >= 0) {
        int at = (int)lround((limit > 1 ? 1 : limit) * (width - 1));
        (void)put_char(canvas, row, col + at, 0x2503, WPA_PAINT_METER_LIMIT);
    }
}

int wpa_spark(const wpa_canvas *canvas, int row, int col, int width, const double *values, size_t n,
              double low, double high, wpa_paint paint)
{
    size_t first = n > (size_t)width ? n - (size_t)width : 0;
    for (size_t i = first; i < n; i++, col++) {
        if (values[i] < 0) {
            (void)put_char(canvas, row, col, ' ', paint);
            continue;
        }
        double part = high > low ? (values[i] - low) / (high - low) : 1;
        int level = (int)lround(part * 7);
        level = level < 0 ? 0 : level > 7 ? 7 : level;
        (void)put_char(canvas, row, col, 0x2581 + (uint32_t)level, paint);
    }
    return col;
}

void wpa_box(const wpa_canvas *canvas, const char *title)
{
    wpa_blank(canvas);
    int bottom = canvas->rows - 1, right = canvas->cols - 1;
    wpa_fill(canvas, 0, 1, right - 1, WPA_PAINT_RULE, 0x2500);
    wpa_fill(canvas, bottom, 1, right - 1, WPA_PAINT_RULE, 0x2500);
    for (int row = 1; row < bottom; row++) {
        wpa_fill(canvas, row, 0, 1, WPA_PAINT_RULE, 0x2502);
        wpa_fill(canvas, row, right, 1, WPA_PAINT_RULE, 0x2502);
    }
    wpa_fill(canvas, 0, 0, 1, WPA_PAINT_RULE, 0x250C);
    wpa_fill(canvas, 0, right, 1, WPA_PAINT_RULE, 0x2510);
    wpa_fill(canvas, bottom, 0, 1, WPA_PAINT_RULE, 0x2514);
    wpa_fill(canvas, bottom, right, 1, WPA_PAINT_RULE, 0x2518);
    if (title) {
        wpa_fill(canvas, 0, 2, 1, WPA_PAINT_TITLE, ' ');
        int col = wpa_put_fit(canvas, 0, 3, right - 5, WPA_PAINT_FOCUS, title);
        wpa_fill(canvas, 0, col, 1, WPA_PAINT_TITLE, ' ');
    }
}

/* Bytes of the longest piece of text that fits and ends at a blank, or where the width ends. */
static size_t wrap_at(const char *text, int width)
{
    size_t length = strlen(text), at = 0, last_blank = 0;
    int cells = 0;
    while (at < length && text[at] != '\n') {
        size_t before = at;
        bool is_marked = false, is_byte = false;
        uint32_t c = next_char(text, length, &at, &is_marked, &is_byte);
        char mark[32];
        cells += is_marked ? hidden_mark(c, is_byte, mark, sizeof mark) : wpa_char_width(c);
        if (cells > width) {
            return last_blank ? last_blank : before ? before : at;
        }
        if (c == ' ') {
            last_blank = before;
        }
    }
    return at;
}

/* What stands behind a piece of n bytes: the blanks or the line break that ended it are passed. */
static const char *next_line(const char *text, size_t n)
{
    text += n;
    while (*text == ' ') {
        text++;
    }
    return text + (*text == '\n');
}

int wpa_wrapped_rows(const char *text, int width)
{
    int rows = 0;
    while (text && *text && width > 0) {
        text = next_line(text, wrap_at(text, width));
        rows++;
    }
    return rows;
}

int wpa_put_wrapped(const wpa_canvas *canvas, int row, int col, int width, wpa_paint paint,
                    const char *text)
{
    while (text && *text && row < canvas->rows && width > 0) {
        size_t n = wrap_at(text, width);
        char line[LINE_MAX_BYTES];
        (void)wpa_text_format(line, sizeof line, "%.*s", (int)n, text);
        (void)wpa_put(canvas, row++, col, paint, line);
        text = next_line(text, n);
    }
    return row;
}
