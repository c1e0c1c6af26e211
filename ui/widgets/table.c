#include "widgets/table.h"

#include <string.h>

#define LEFT 2

void wpa_cell_text(const wpa_canvas *cell, wpa_paint paint, const char *text)
{
    (void)wpa_put_fit(cell, 0, 0, cell->cols, paint, text ? text : "");
}

void wpa_cell_right(const wpa_canvas *cell, wpa_paint paint, const char *text)
{
    (void)wpa_put_right(cell, 0, cell->cols, paint, text ? text : "");
}

static int gap_of(const wpa_column *column)
{
    return column->gap ? column->gap : 1;
}

/* Widths of the columns that fit; 0 = dropped. */
static void lay_out(const wpa_table *table, int cols, int widths[WPA_COLUMNS_MAX])
{
    int used = LEFT, growing = -1;
    for (size_t i = 0; i < table->n_columns; i++) {
        widths[i] = table->columns[i].width;
        used += widths[i] + (i ? gap_of(&table->columns[i]) : 0);
        growing = table->columns[i].grows ? (int)i : growing;
    }
    while (used > cols) {
        int worst = -1;
        for (size_t i = 0; i < table->n_columns; i++) {
            int priority = table->columns[i].priority;
            if (widths[i] && priority &&
                (worst < 0 || priority >= table->columns[worst].priority)) {
                worst = (int)i;
            }
        }
        if (worst < 0) {
            break;
        }
        used -= widths[worst] + gap_of(&table->columns[worst]);
        widths[worst] = 0;
    }
    if (growing >= 0 && widths[growing]) {
        widths[growing] += cols - used;
        widths[growing] = widths[growing] < 4 ? 4 : widths[growing];
    }
}

void wpa_table_head(const wpa_table *table, const wpa_canvas *canvas, int row)
{
    int widths[WPA_COLUMNS_MAX], col = LEFT;
    lay_out(table, canvas->cols, widths);
    for (size_t i = 0; i < table->n_columns; i++) {
        const wpa_column *column = &table->columns[i];
        if (!widths[i]) {
            continue;
        }
        col += i ? gap_of(column) : 0;
        if (column->can_sort) {
            wpa_zone_add(canvas, row, col, 1, widths[i], WPA_ZONE_COLUMN, (int)column->sort);
        }
        if (column->is_right) {
            (void)wpa_put_right(canvas, row, col + widths[i], WPA_PAINT_MUTED, column->title);
        } else {
            (void)wpa_put_fit(canvas, row, col, widths[i], WPA_PAINT_MUTED, column->title);
        }
        col += widths[i];
    }
}

void wpa_table_row(const wpa_table *table, const wpa_canvas *canvas, int row, const void *data,
                   int64_t now_us, const char *mark, bool is_selected, bool is_focused)
{
    int widths[WPA_COLUMNS_MAX], col = LEFT;
    wpa_canvas line = wpa_canvas_part(canvas, row, 0, 1, canvas->cols);
    if (is_selected && is_focused) {
        line.paint = WPA_PAINT_SELECTED;
        wpa_fill(&line, 0, 0, line.cols, WPA_PAINT_SELECTED, ' ');
        wpa_rest_cursor(&line, 0, LEFT);
    }
    (void)wpa_put(&line, 0, 0, WPA_PAINT_MARK, mark);
    lay_out(table, canvas->cols, widths);
    for (size_t i = 0; i < table->n_columns; i++) {
        if (widths[i]) {
            col += i ? gap_of(&table->columns[i]) : 0;
            wpa_canvas cell = wpa_canvas_part(&line, 0, col, 1, widths[i]);
            table->columns[i].draw(&cell, data, now_us);
            col += widths[i];
        }
    }
}

/* What stands before a row: the selection, a mark, or that it is not as it was. */
static const char *mark_of(const wpa_table *table, const wpa_cursor *cursor, const void *rows,
                           size_t index)
{
    if ((int)index == cursor->index) {
        return "▸";
    }
    if (wpa_cursor_is_marked(cursor, table->at(rows, index))) {
        return "▪";
    }
    int64_t id = 0;
    memcpy(&id, (const char *)rows + index * table->row_bytes, sizeof id);
    for (size_t i = 0; i < cursor->n_changed; i++) {
        if (cursor->changed[i] == id) {
            return "+";
        }
    }
    return " ";
}

void wpa_table_draw(const wpa_table *table, const wpa_canvas *canvas, const void *rows, size_t n,
                    int64_t now_us, wpa_cursor *cursor, bool is_focused)
{
    int height = canvas->rows - 1;
    wpa_table_head(table, canvas, 0);
    wpa_cursor_show(cursor, n, height);
    for (int i = 0; i < height && cursor->top + i < (int)n; i++) {
        size_t index = (size_t)cursor->top + (size_t)i;
        const void *data = (const char *)rows + index * table->row_bytes;
        wpa_zone_add(canvas, i + 1, 0, 1, canvas->cols, WPA_ZONE_ROW, (int)index);
        wpa_table_row(table, canvas, i + 1, data, now_us, mark_of(table, cursor, rows, index),
                      (int)index == cursor->index, is_focused);
    }
}

char *wpa_table_text(const wpa_table *table, const void *data, int64_t now_us, wpa_arena *arena)
{
    WPA_AUTO(wpa_grid) *grid = wpa_grid_new(1, 160);
    wpa_canvas canvas = wpa_canvas_of(grid, false);
    wpa_table_row(table, &canvas, 0, data, now_us, " ", false, false);
    char *text = wpa_grid_row_text(grid, 0, arena);
    return text + strspn(text, " ");
}
