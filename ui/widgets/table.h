/*
 * Rows in columns. A table that is too narrow drops the columns of the highest priority number;
 * ids, severities and states have priority 0 and stay. Spare width goes to the column that grows.
 */
#pragma once

#include "widgets/cursor.h"
#include "widgets/draw.h"

#define WPA_COLUMNS_MAX 20

typedef struct wpa_column {
    const char *title;
    int width; /* cells, at least */
    int gap;   /* cells before it, 0 = 1 */
    int priority;
    bool is_right, grows;
    bool can_sort; /* a click on the title sorts the list by it */
    wpa_sort sort;
    /** Draw one cell: row 0 of a canvas of the column's width. */
    void (*draw)(const wpa_canvas *cell, const void *row, int64_t now_us);
} wpa_column;

typedef struct wpa_table {
    const wpa_column *columns;
    size_t n_columns;
    size_t row_bytes;
    wpa_object_at at;
} wpa_table;

/** Text of a cell, on the side its column says. */
void wpa_cell_text(const wpa_canvas *cell, wpa_paint paint, const char *text);
void wpa_cell_right(const wpa_canvas *cell, wpa_paint paint, const char *text);

void wpa_table_head(const wpa_table *table, const wpa_canvas *canvas, int row);
/** mark: what stands in column 0; selected and focused choose the role of the whole row. */
void wpa_table_row(const wpa_table *table, const wpa_canvas *canvas, int row, const void *data,
                   int64_t now_us, const char *mark, bool is_selected, bool is_focused);
/** Head and as many rows as fit, following the cursor; rows as text are cut, never wrapped. */
void wpa_table_draw(const wpa_table *table, const wpa_canvas *canvas, const void *rows, size_t n,
                    int64_t now_us, wpa_cursor *cursor, bool is_focused);
/** A row as text, cells separated by two blanks, for Y. */
char *wpa_table_text(const wpa_table *table, const void *data, int64_t now_us, wpa_arena *arena);
