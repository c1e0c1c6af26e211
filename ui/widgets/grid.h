/*
 * A grid of cells: what one frame of the console looks like. Screens draw into it, tests compare
 * it, and only ui/term turns it into what a terminal understands.
 */
#pragma once

#include <stdint.h>

#include <wpa/arena.h>

#include "paint.h"

#define WPA_CELL_MARKS 4

enum {
    WPA_CELL_REVERSE = 1,   /* selected row */
    WPA_CELL_UNDERLINE = 2, /* changed, link, exact place */
};

typedef struct wpa_cell {
    uint32_t base;                  /* code point; 0 = right half of the cell before */
    uint32_t marks[WPA_CELL_MARKS]; /* combining, 0 = none */
    uint16_t paint;                 /* wpa_paint */
    uint16_t flags;                 /* no padding: cells are compared as bytes */
} wpa_cell;

/** What a click on a part of the screen means. */
typedef enum wpa_zone_kind {
    WPA_ZONE_TAB,    /* value: its number, from 1 */
    WPA_ZONE_HINT,   /* its verb */
    WPA_ZONE_COLUMN, /* title of a table's column: its wpa_sort */
    WPA_ZONE_PANE,   /* its place in the order of the panes */
    WPA_ZONE_ROW,    /* its index in the list, the pane or the page */
} wpa_zone_kind;

typedef struct wpa_zone {
    int row, col, rows, cols;
    wpa_zone_kind kind;
    int value;
} wpa_zone;

#define WPA_ZONES_MAX 400

typedef struct wpa_grid {
    int rows, cols;
    wpa_cell *cells;            /* [rows * cols], row by row */
    int cursor_row, cursor_col; /* where the terminal's cursor rests; row -1 = hidden */
    wpa_zone zones[WPA_ZONES_MAX];
    size_t n_zones;
} wpa_grid;

/** Blank, rows and cols at least 1 and at most WPA_GRID_MAX. */
wpa_grid *wpa_grid_new(int rows, int cols);
void wpa_grid_free(wpa_grid *grid);
WPA_DEFINE_AUTO(wpa_grid, wpa_grid_free);

#define WPA_GRID_MAX 1000

/** Other size, blank. */
void wpa_grid_resize(wpa_grid *grid, int rows, int cols);
void wpa_grid_clear(wpa_grid *grid);
bool wpa_grid_is_same(const wpa_grid *a, const wpa_grid *b);
void wpa_grid_copy(wpa_grid *to, const wpa_grid *from);
/** The zone of this kind that is there, the one drawn last; NULL none. */
const wpa_zone *wpa_grid_zone(const wpa_grid *grid, int row, int col, wpa_zone_kind kind);
/** Text of one row without trailing blanks. */
char *wpa_grid_row_text(const wpa_grid *grid, int row, wpa_arena *arena);
/** All rows, each ending in a line feed. */
char *wpa_grid_text(const wpa_grid *grid, wpa_arena *arena);

/** Cells a code point takes: 0 combining, 1, 2. Our own table: the terminal's width, not libc's. */
int wpa_char_width(uint32_t code_point);
