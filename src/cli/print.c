#include "cli/print.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

enum {
    MAX_COLUMNS = 24,
    CELL_MAX_CHARS = 80
};

/* ---- cells ---- */

static const char *format_time(wpa_arena *arena, int64_t time_us)
{
    char text[WPA_TIMESTAMP_SIZE];
    wpa_timestamp_format(time_us, text); /* to the second: 2026-01-02T03:04:05Z */
    return wpa_arena_printf(arena, "%.19sZ", text);
}

static const char *format_cell(wpa_arena *arena, const wpa_rows *rows, size_t row, size_t col,
                               const wpa_cli_column *column, bool keeps_lines)
{
    const char *text = wpa_rows_text(rows, row, col);
    char duration[WPA_TIMESTAMP_SIZE];
    if (!text) {
        return "-";
    }
    switch (column->type) {
    case WPA_CLI_AS_ID:
        return column->letter ? wpa_arena_printf(arena, "%c-%s", column->letter, text)
                              : wpa_arena_text(arena, text);
    case WPA_CLI_AS_REAL:
        return wpa_arena_printf(arena, "%.1f", wpa_rows_double(rows, row, col));
    case WPA_CLI_AS_BOOL:
        return wpa_rows_bool(rows, row, col) ? "yes" : "no";
    case WPA_CLI_AS_TIME:
        return format_time(arena, wpa_rows_time_us(rows, row, col));
    case WPA_CLI_AS_DURATION:
        return wpa_arena_text(arena, wpa_duration_format(wpa_rows_int(rows, row, col), duration));
    case WPA_CLI_AS_TEXT:
    case WPA_CLI_AS_INT:
    case WPA_CLI_AS_JSON:
        break;
    }
    return wpa_text_visible(arena, text, strlen(text), keeps_lines);
}

static bool is_right_aligned(wpa_cli_type type)
{
    return type == WPA_CLI_AS_INT || type == WPA_CLI_AS_REAL;
}

static size_t count_chars(const char *text)
{
    size_t n = 0, length = strlen(text);
    for (size_t at = 0; at < length; n++) {
        wpa_utf8_next(text, length, &at);
    }
    return n;
}

/* ---- as JSON ---- */

static void set_member(wpa_json *object, const wpa_rows *rows, size_t row, size_t col,
                       const wpa_cli_column *column, wpa_arena *arena)
{
    const char *text = wpa_rows_text(rows, row, col);
    wpa_error unread = {0};
    char time[WPA_TIMESTAMP_SIZE];
    wpa_json *value = NULL;
    if (!text) {
        wpa_json_set_null(object, column->key);
        return;
    }
    switch (column->type) {
    case WPA_CLI_AS_TEXT:
        wpa_json_set_text(object, column->key, text);
        break;
    case WPA_CLI_AS_ID:
    case WPA_CLI_AS_INT:
    case WPA_CLI_AS_DURATION:
        wpa_json_set_int(object, column->key, wpa_rows_int(rows, row, col));
        break;
    case WPA_CLI_AS_REAL:
        wpa_json_set_real(object, column->key, wpa_rows_double(rows, row, col));
        break;
    case WPA_CLI_AS_BOOL:
        wpa_json_set_bool(object, column->key, wpa_rows_bool(rows, row, col));
        break;
    case WPA_CLI_AS_TIME:
        wpa_json_set_text(object, column->key,
                          wpa_timestamp_format(wpa_rows_time_us(rows, row, col), time));
        break;
    case WPA_CLI_AS_JSON:
        value = wpa_json_parse(text, strlen(text), WPA_JSON_MAX_BYTES, arena, &unread);
        wpa_json_set(object, column->key, value ? value : wpa_json_new_null(arena));
        break;
    }
}

wpa_json *wpa_cli_row_json(const wpa_rows *rows, size_t row, const wpa_cli_column columns[],
                           size_t n_columns, wpa_arena *arena)
{
    wpa_json *object = wpa_json_new_object(arena);
    for (size_t col = 0; col < n_columns; col++) {
        set_member(object, rows, row, col, &columns[col], arena);
    }
    return object;
}

wpa_json *wpa_cli_rows_json(const wpa_rows *rows, const wpa_cli_column columns[], size_t n_columns,
                            wpa_arena *arena)
{
    wpa_json *list = wpa_json_new_array(arena);
    for (size_t row = 0; row < wpa_rows_count(rows); row++) {
        wpa_json_push(list, wpa_cli_row_json(rows, row, columns, n_columns, arena));
    }
    return list;
}

/* ---- as text ---- */

static void print_padded(FILE *out, const char *text, size_t width, bool is_right, bool is_last)
{
    size_t n = count_chars(text);
    int pad = n < width ? (int)(width - n) : 0;
    if (is_right) {
        fprintf(out, "%*s%s", pad, "", text);
    } else {
        fprintf(out, "%s%*s", text, is_last ? 0 : pad, "");
    }
    (void)fputs(is_last ? "\n" : "  ", out);
}

static size_t last_column(const wpa_cli_column columns[], size_t n_columns)
{
    size_t last = 0;
    for (size_t col = 0; col < n_columns; col++) {
        last = columns[col].title ? col : last;
    }
    return last;
}

/* Cells are cut where others follow them; a text that ends the line stands whole. */
static void print_table(wpa_cli *cli, const wpa_rows *rows, const wpa_cli_column columns[],
                        size_t n_columns, wpa_arena *arena)
{
    size_t n_rows = wpa_rows_count(rows), widths[MAX_COLUMNS] = {0};
    size_t last = last_column(columns, n_columns);
    const char **cells = wpa_arena_array(arena, (n_rows + 1) * n_columns, sizeof *cells);
    for (size_t col = 0; col < n_columns; col++) {
        if (!columns[col].title) {
            continue;
        }
        bool is_whole = col == last && columns[col].type == WPA_CLI_AS_TEXT;
        for (size_t line = 0; line <= n_rows; line++) {
            const char *text = line == 0
                                   ? columns[col].title
                                   : format_cell(arena, rows, line - 1, col, &columns[col], false);
            size_t width = count_chars(text);
            cells[line * n_columns + col] = width > CELL_MAX_CHARS && !is_whole
                                                ? wpa_text_ellipsis(arena, text, CELL_MAX_CHARS)
                                                : text;
            width = width > CELL_MAX_CHARS ? CELL_MAX_CHARS : width;
            widths[col] = width > widths[col] ? width : widths[col];
        }
    }
    for (size_t line = 0; line <= n_rows; line++) {
        for (size_t col = 0; col < n_columns; col++) {
            if (columns[col].title) {
                print_padded(cli->out, cells[line * n_columns + col], widths[col],
                             is_right_aligned(columns[col].type), col == last);
            }
        }
    }
}

void wpa_cli_print_rows(wpa_cli *cli, const wpa_rows *rows, const wpa_cli_column columns[],
                        size_t n_columns, const char *none)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    if (wpa_cli_wants_json(cli)) {
        wpa_json *list = wpa_cli_rows_json(rows, columns, n_columns, arena);
        fprintf(cli->out, "%s\n", wpa_json_dump_pretty(list, arena));
    } else if (wpa_rows_count(rows) == 0) {
        fprintf(cli->out, "%s\n", none);
    } else {
        print_table(cli, rows, columns, n_columns < MAX_COLUMNS ? n_columns : MAX_COLUMNS, arena);
    }
}

/* A text of several lines, each below the first. */
static void print_lines(FILE *out, const char *text, size_t indent)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        fprintf(out, "%.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
        if (*text) {
            fprintf(out, "%*s", (int)indent + 2, "");
        }
    }
}

void wpa_cli_print_record(wpa_cli *cli, const wpa_rows *rows, size_t row,
                          const wpa_cli_column columns[], size_t n_columns)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    if (wpa_cli_wants_json(cli)) {
        fprintf(
            cli->out, "%s\n",
            wpa_json_dump_pretty(wpa_cli_row_json(rows, row, columns, n_columns, arena), arena));
        return;
    }
    size_t width = 0;
    for (size_t col = 0; col < n_columns; col++) {
        size_t length = columns[col].title ? count_chars(columns[col].title) : 0;
        width = length > width ? length : width;
    }
    for (size_t col = 0; col < n_columns; col++) {
        const char *text = wpa_rows_text(rows, row, col);
        if (columns[col].title && text && *text) { /* what is not known takes up no line */
            print_padded(cli->out, columns[col].title, width, false, false);
            print_lines(cli->out, format_cell(arena, rows, row, col, &columns[col], true), width);
        }
    }
}

void wpa_cli_print_visible(wpa_cli *cli, const char *text, bool keep_lines)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    (void)fputs(wpa_text_visible(arena, text, strlen(text), keep_lines), cli->out);
}

void wpa_cli_say(wpa_cli *cli, const char *format, ...)
{
    if (wpa_cli_wants_json(cli)) {
        return;
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    va_list values;
    va_start(values, format);
    char *text = wpa_arena_vprintf(arena, format, values);
    va_end(values);
    fprintf(cli->out, "%s\n", wpa_text_visible(arena, text, strlen(text), true));
}
