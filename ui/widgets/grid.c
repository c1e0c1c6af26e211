#include "widgets/grid.h"

#include <string.h>

#include <wpa/buf.h>
#include <wpa/memory.h>
#include <wpa/text.h>

typedef struct range {
    uint32_t first, last;
} range;

/* Unicode 15 general categories Mn and Me of the scripts that occur in names and messages. */
static const range combining[] = {
    {0x0300, 0x036F},   {0x0483, 0x0489},   {0x0591, 0x05BD},   {0x05BF, 0x05BF}, {0x05C1, 0x05C2},
    {0x05C4, 0x05C5},   {0x05C7, 0x05C7},   {0x0610, 0x061A},   {0x064B, 0x065F}, {0x0670, 0x0670},
    {0x06D6, 0x06DC},   {0x06DF, 0x06E4},   {0x06E7, 0x06E8},   {0x06EA, 0x06ED}, {0x0711, 0x0711},
    {0x0730, 0x074A},   {0x07A6, 0x07B0},   {0x0816, 0x082D},   {0x08D3, 0x0902}, {0x093A, 0x093A},
    {0x093C, 0x093C},   {0x0941, 0x0948},   {0x094D, 0x094D},   {0x0951, 0x0957}, {0x0962, 0x0963},
    {0x0981, 0x0981},   {0x09BC, 0x09BC},   {0x09C1, 0x09C4},   {0x09CD, 0x09CD}, {0x0A01, 0x0A02},
    {0x0A3C, 0x0A3C},   {0x0A41, 0x0A51},   {0x0ABC, 0x0ABC},   {0x0AC1, 0x0ACD}, {0x0B01, 0x0B01},
    {0x0B3C, 0x0B3C},   {0x0BCD, 0x0BCD},   {0x0C3E, 0x0C40},   {0x0C46, 0x0C56}, {0x0E31, 0x0E31},
    {0x0E34, 0x0E3A},   {0x0E47, 0x0E4E},   {0x0EB1, 0x0EB1},   {0x0EB4, 0x0EBC}, {0x0EC8, 0x0ECD},
    {0x0F18, 0x0F19},   {0x0F71, 0x0F7E},   {0x0F80, 0x0F84},   {0x135D, 0x135F}, {0x1AB0, 0x1AFF},
    {0x1DC0, 0x1DFF},   {0x20D0, 0x20F0},   {0x2CEF, 0x2CF1},   {0x302A, 0x302D}, {0x3099, 0x309A},
    {0xA66F, 0xA672},   {0xA6F0, 0xA6F1},   {0xA8E0, 0xA8F1},   {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},
    {0x1D167, 0x1D169}, {0x1F3FB, 0x1F3FF}, {0xE0100, 0xE01EF},
};

/* East Asian Wide and Fullwidth, and emoji that are shown wide by default. */
static const range wide[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x2329, 0x232A},   {0x23E9, 0x23EC},
    {0x23F0, 0x23F0},   {0x23F3, 0x23F3},   {0x25FD, 0x25FE},   {0x2614, 0x2615},
    {0x2648, 0x2653},   {0x267F, 0x267F},   {0x2693, 0x2693},   {0x26A1, 0x26A1},
    {0x26AA, 0x26AB},   {0x26BD, 0x26BE},   {0x26C4, 0x26C5},   {0x26CE, 0x26CE},
    {0x26D4, 0x26D4},   {0x26EA, 0x26EA},   {0x26F2, 0x26F3},   {0x26F5, 0x26F5},
    {0x26FA, 0x26FA},   {0x26FD, 0x26FD},   {0x2705, 0x2705},   {0x270A, 0x270B},
    {0x2728, 0x2728},   {0x274C, 0x274C},   {0x274E, 0x274E},   {0x2753, 0x2755},
    {0x2757, 0x2757},   {0x2795, 0x2797},   {0x27B0, 0x27B0},   {0x27BF, 0x27BF},
    {0x2B1B, 0x2B1C},   {0x2B50, 0x2B50},   {0x2B55, 0x2B55},   {0x2E80, 0x303E},
    {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0xA4CF},   {0xA960, 0xA97F},
    {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6},   {0x16FE0, 0x18CFF}, {0x1B000, 0x1B2FF}, {0x1F004, 0x1F004},
    {0x1F0CF, 0x1F0CF}, {0x1F18E, 0x1F18E}, {0x1F191, 0x1F19A}, {0x1F200, 0x1F320},
    {0x1F32D, 0x1F335}, {0x1F337, 0x1F37C}, {0x1F37E, 0x1F393}, {0x1F3A0, 0x1F3CA},
    {0x1F3CF, 0x1F3D3}, {0x1F3E0, 0x1F3F0}, {0x1F3F4, 0x1F3F4}, {0x1F3F8, 0x1F43E},
    {0x1F440, 0x1F440}, {0x1F442, 0x1F4FC}, {0x1F4FF, 0x1F53D}, {0x1F54B, 0x1F54E},
    {0x1F550, 0x1F567}, {0x1F57A, 0x1F57A}, {0x1F595, 0x1F596}, {0x1F5A4, 0x1F5A4},
    {0x1F5FB, 0x1F64F}, {0x1F680, 0x1F6C5}, {0x1F6CC, 0x1F6CC}, {0x1F6D0, 0x1F6D2},
    {0x1F6D5, 0x1F6DF}, {0x1F6EB, 0x1F6EC}, {0x1F6F4, 0x1F6FC}, {0x1F7E0, 0x1F7EB},
    {0x1F90C, 0x1F9FF}, {0x1FA70, 0x1FAFF}, {0x20000, 0x3FFFD},
};

static bool is_in(const range *ranges, size_t n, uint32_t c)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c > ranges[middle].last) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < n && c >= ranges[low].first;
}

int wpa_char_width(uint32_t code_point)
{
    if (code_point < 0x300) {
        return 1;
    }
    if (is_in(combining, WPA_COUNT(combining), code_point)) {
        return 0;
    }
    return is_in(wide, WPA_COUNT(wide), code_point) ? 2 : 1;
}

static int clamp(int value)
{
    return value < 1 ? 1 : value > WPA_GRID_MAX ? WPA_GRID_MAX : value;
}

wpa_grid *wpa_grid_new(int rows, int cols)
{
    wpa_grid *grid = wpa_alloc(sizeof *grid);
    wpa_grid_resize(grid, rows, cols);
    return grid;
}

void wpa_grid_free(wpa_grid *grid)
{
    if (grid) {
        wpa_free(grid->cells);
        wpa_free(grid);
    }
}

void wpa_grid_resize(wpa_grid *grid, int rows, int cols)
{
    grid->rows = clamp(rows);
    grid->cols = clamp(cols);
    wpa_free(grid->cells);
    grid->cells = wpa_alloc((size_t)grid->rows * (size_t)grid->cols * sizeof(wpa_cell));
    wpa_grid_clear(grid);
}

void wpa_grid_clear(wpa_grid *grid)
{
    size_t n = (size_t)grid->rows * (size_t)grid->cols;
    memset(grid->cells, 0, n * sizeof(wpa_cell));
    for (size_t i = 0; i < n; i++) {
        grid->cells[i].base = ' ';
        grid->cells[i].paint = WPA_PAINT_TEXT;
    }
    grid->cursor_row = -1;
    grid->cursor_col = 0;
    grid->n_zones = 0;
}

const wpa_zone *wpa_grid_zone(const wpa_grid *grid, int row, int col, wpa_zone_kind kind)
{
    for (size_t i = grid->n_zones; i-- > 0;) {
        const wpa_zone *zone = &grid->zones[i];
        if (zone->kind == kind && row >= zone->row && row < zone->row + zone->rows &&
            col >= zone->col && col < zone->col + zone->cols) {
            return zone;
        }
    }
    return NULL;
}

bool wpa_grid_is_same(const wpa_grid *a, const wpa_grid *b)
{
    return a->rows == b->rows && a->cols == b->cols && a->cursor_row == b->cursor_row &&
           a->cursor_col == b->cursor_col &&
           memcmp(a->cells, b->cells, (size_t)a->rows * (size_t)a->cols * sizeof(wpa_cell)) == 0;
}

void wpa_grid_copy(wpa_grid *to, const wpa_grid *from)
{
    if (to->rows != from->rows || to->cols != from->cols) {
        wpa_grid_resize(to, from->rows, from->cols);
    }
    memcpy(to->cells, from->cells, (size_t)to->rows * (size_t)to->cols * sizeof(wpa_cell));
    to->cursor_row = from->cursor_row;
    to->cursor_col = from->cursor_col;
}

static void append_char(wpa_buf *buf, uint32_t c)
{
    char bytes[4];
    wpa_buf_append(buf, bytes, wpa_utf8_encode(c, bytes));
}

static void append_row(const wpa_grid *grid, int row, wpa_buf *buf)
{
    const wpa_cell *cells = &grid->cells[(size_t)row * (size_t)grid->cols];
    int end = grid->cols;
    while (end > 0 && cells[end - 1].base == ' ' && !cells[end - 1].marks[0]) {
        end--;
    }
    for (int col = 0; col < end; col++) {
        if (!cells[col].base) {
            continue;
        }
        append_char(buf, cells[col].base);
        for (int i = 0; i < WPA_CELL_MARKS && cells[col].marks[i]; i++) {
            append_char(buf, cells[col].marks[i]);
        }
    }
}

char *wpa_grid_row_text(const wpa_grid *grid, int row, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new((size_t)WPA_GRID_MAX * 4 * (1 + WPA_CELL_MARKS));
    if (row >= 0 && row < grid->rows) {
        append_row(grid, row, buf);
    }
    return wpa_buf_dup(buf, arena);
}

char *wpa_grid_text(const wpa_grid *grid, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new((size_t)64 * 1024 * 1024);
    for (int row = 0; row < grid->rows; row++) {
        append_row(grid, row, buf);
        wpa_buf_char(buf, '\n');
    }
    return wpa_buf_dup(buf, arena);
}
