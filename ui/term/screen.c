#include <string.h>
#include <wchar.h>

#include "term/internal.h"

static int color_of(const wpa_term *term, int color_256, int color_16)
{
    if (term->depth == WPA_DEPTH_256) {
        return color_256;
    }
    return term->depth == WPA_DEPTH_8 && color_16 >= 8 ? color_16 - 8 : color_16;
}

static attr_t attrs_of(unsigned attrs)
{
    return (attrs & WPA_ATTR_BOLD ? A_BOLD : 0) | (attrs & WPA_ATTR_UNDERLINE ? A_UNDERLINE : 0) |
           (attrs & WPA_ATTR_REVERSE ? A_REVERSE : 0) | (attrs & WPA_ATTR_DIM ? A_DIM : 0);
}

void wpa_term_set_theme(wpa_term *term, const wpa_theme *theme)
{
    term->theme = theme;
    if (term->depth != WPA_DEPTH_MONO) {
        reset_color_pairs();
    }
    for (int i = 0; i < WPA_PAINT_COUNT; i++) {
        const wpa_style *style = &theme->styles[i];
        if (term->depth == WPA_DEPTH_MONO) {
            term->attrs[i] = attrs_of(style->mono_attrs);
            term->pairs[i] = 0;
            continue;
        }
        int pair = alloc_pair(color_of(term, style->fg_256, style->fg_16),
                              color_of(term, style->bg_256, style->bg_16));
        term->pairs[i] = pair < 0 ? 0 : pair;
        /* Without bright colours bold stands in for them. */
        bool is_bright = term->depth == WPA_DEPTH_8 && style->fg_16 >= 8;
        term->attrs[i] = attrs_of(style->attrs | (is_bright ? WPA_ATTR_BOLD : 0));
    }
    wpa_grid_resize(term->shown, 1, 1); /* every cell is drawn anew */
}

static void put_cell(const wpa_term *term, int row, int col, const wpa_cell *cell)
{
    wchar_t text[WPA_CELL_MARKS + 2] = {(wchar_t)cell->base};
    for (int i = 0; i < WPA_CELL_MARKS; i++) {
        text[i + 1] = (wchar_t)cell->marks[i];
    }
    attr_t attrs = term->attrs[cell->paint];
    if (cell->flags & WPA_CELL_REVERSE) {
        attrs ^= A_REVERSE;
    }
    if (cell->flags & WPA_CELL_UNDERLINE) {
        attrs |= A_UNDERLINE;
    }
    int pair = term->pairs[cell->paint];
    cchar_t out;
    if (setcchar(&out, text, attrs, 0, &pair) == OK) {
        (void)mvadd_wch(row, col, &out); /* ERR behind the last cell of the screen is expected */
    }
}

/* Nothing is seen of a blank but its ground. */
static bool has_plain_ground(const wpa_term *term, const wpa_cell *cell)
{
    return !(term->attrs[cell->paint] & (A_REVERSE | A_UNDERLINE)) &&
           !(cell->flags & (WPA_CELL_REVERSE | WPA_CELL_UNDERLINE));
}

static bool have_one_ground(const wpa_term *term, int a, int b)
{
    if (term->depth == WPA_DEPTH_MONO || a == b) {
        return true;
    }
    const wpa_style *styles = term->theme->styles;
    return color_of(term, styles[a].bg_256, styles[a].bg_16) ==
           color_of(term, styles[b].bg_256, styles[b].bg_16);
}

/*
 * Blanks take the role of what stands before them, where that looks the same: the pen need not be
 * changed for them and back.
 */
static void join_blanks(const wpa_term *term, wpa_grid *grid)
{
    for (int row = 0; row < grid->rows; row++) {
        wpa_cell *cells = &grid->cells[(size_t)row * (size_t)grid->cols];
        uint16_t before = WPA_PAINT_TEXT;
        for (int col = 0; col < grid->cols; col++) {
            bool is_plain = has_plain_ground(term, &cells[col]);
            bool is_blank = cells[col].base == ' ' && !cells[col].marks[0];
            if (is_plain && is_blank && have_one_ground(term, before, cells[col].paint)) {
                cells[col].paint = before;
            }
            before = is_plain ? cells[col].paint : WPA_PAINT_TEXT;
        }
    }
}

void wpa_screen_put(wpa_term *term, const wpa_grid *grid, bool is_full)
{
    if (LINES != grid->rows || COLS != grid->cols) {
        (void)resizeterm(grid->rows, grid->cols);
        is_full = true;
    }
    wpa_grid_copy(term->next, grid);
    join_blanks(term, term->next);
    bool is_all = is_full || term->shown->rows != grid->rows || term->shown->cols != grid->cols;
    for (int row = 0; row < grid->rows; row++) {
        for (int col = 0; col < grid->cols; col++) {
            size_t i = (size_t)row * (size_t)grid->cols + (size_t)col;
            const wpa_cell *cell = &term->next->cells[i];
            if (cell->base && (is_all || memcmp(cell, &term->shown->cells[i], sizeof *cell) != 0)) {
                put_cell(term, row, col, cell);
            }
        }
    }
    wpa_grid *old = term->shown;
    term->shown = term->next;
    term->next = old;
    (void)curs_set(grid->cursor_row >= 0);
    (void)move(grid->cursor_row >= 0 ? grid->cursor_row : grid->rows - 1,
               grid->cursor_row >= 0 ? grid->cursor_col : 0);
    if (is_full) {
        (void)clearok(curscr, TRUE);
    }
    (void)wnoutrefresh(stdscr);
    (void)doupdate();
}
