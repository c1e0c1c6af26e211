#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <wpa/buf.h>
#include <wpa/clock.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "db/pg.h"

#define ARRAY_MAX_BYTES ((size_t)64 << 20)

void wpa_rows_free(wpa_rows *rows)
{
    if (rows) {
        PQclear(rows->result);
        wpa_free(rows);
    }
}

size_t wpa_rows_count(const wpa_rows *rows)
{
    return (size_t)PQntuples(rows->result);
}

size_t wpa_rows_columns(const wpa_rows *rows)
{
    return (size_t)PQnfields(rows->result);
}

const char *wpa_rows_name(const wpa_rows *rows, size_t col)
{
    assert(col < wpa_rows_columns(rows));
    return PQfname(rows->result, (int)col);
}

/* Object ids of the server's own types never change (pg_type.dat). */
static const struct {
    Oid type;
    wpa_column_kind kind;
} kinds[] = {
    {16, WPA_COLUMN_BOOL},    {20, WPA_COLUMN_NUMBER},    {21, WPA_COLUMN_NUMBER},
    {23, WPA_COLUMN_NUMBER},  {114, WPA_COLUMN_JSON},     {700, WPA_COLUMN_NUMBER},
    {701, WPA_COLUMN_NUMBER}, {1007, WPA_COLUMN_NUMBERS}, {1016, WPA_COLUMN_NUMBERS},
    {1184, WPA_COLUMN_TIME},  {1700, WPA_COLUMN_NUMBER},  {3802, WPA_COLUMN_JSON},
};

wpa_column_kind wpa_rows_kind(const wpa_rows *rows, size_t col)
{
    assert(col < wpa_rows_columns(rows));
    Oid type = PQftype(rows->result, (int)col);
    for (size_t i = 0; i < WPA_COUNT(kinds); i++) {
        if (kinds[i].type == type) {
            return kinds[i].kind;
        }
    }
    return WPA_COLUMN_TEXT;
}

int64_t wpa_rows_affected(const wpa_rows *rows)
{
    int64_t n = 0;
    return wpa_text_to_int(PQcmdTuples(rows->result), 0, INT64_MAX, &n) ? n : 0;
}

bool wpa_rows_is_null(const wpa_rows *rows, size_t row, size_t col)
{
    assert(row < (size_t)PQntuples(rows->result) && col < (size_t)PQnfields(rows->result));
    return PQgetisnull(rows->result, (int)row, (int)col) != 0;
}

const char *wpa_rows_text(const wpa_rows *rows, size_t row, size_t col)
{
    return wpa_rows_is_null(rows, row, col) ? NULL : PQgetvalue(rows->result, (int)row, (int)col);
}

size_t wpa_rows_length(const wpa_rows *rows, size_t row, size_t col)
{
    return wpa_rows_is_null(rows, row, col) ? 0
                                            : (size_t)PQgetlength(rows->result, (int)row, (int)col);
}

const char *wpa_rows_value(const wpa_rows *rows, size_t row, size_t col, size_t *length)
{
    assert(row < (size_t)PQntuples(rows->result) && col < (size_t)PQnfields(rows->result));
    *length = (size_t)PQgetlength(rows->result, (int)row, (int)col);
    bool is_null = *length == 0 && PQgetisnull(rows->result, (int)row, (int)col);
    return is_null ? NULL : PQgetvalue(rows->result, (int)row, (int)col);
}

int64_t wpa_rows_int(const wpa_rows *rows, size_t row, size_t col)
{
    const char *text = wpa_rows_text(rows, row, col);
    int64_t value = 0;
    return text && wpa_text_to_int(text, INT64_MIN, INT64_MAX, &value) ? value : 0;
}

double wpa_rows_double(const wpa_rows *rows, size_t row, size_t col)
{
    const char *text = wpa_rows_text(rows, row, col);
    double value = 0;
    return text && wpa_text_to_double(text, &value) ? value : 0;
}

bool wpa_rows_bool(const wpa_rows *rows, size_t row, size_t col)
{
    const char *text = wpa_rows_text(rows, row, col);
    return text && text[0] == 't';
}

int64_t wpa_rows_time_us(const wpa_rows *rows, size_t row, size_t col)
{
    const char *text = wpa_rows_text(rows, row, col);
    wpa_error ignored;
    int64_t time_us = 0;
    if (!text) {
        return 0;
    }
    if (wpa_text_is(text, "infinity")) {
        return INT64_MAX;
    }
    if (wpa_text_is(text, "-infinity")) {
        return INT64_MIN;
    }
    return wpa_timestamp_parse(text, &time_us, &ignored) ? time_us : 0;
}

uint8_t *wpa_rows_bytes(const wpa_rows *rows, size_t row, size_t col, wpa_arena *arena,
                        size_t *size_bytes)
{
    const char *text = wpa_rows_text(rows, row, col);
    *size_bytes = 0;
    if (!text) {
        return NULL;
    }
    size_t n = wpa_rows_length(rows, row, col);
    assert(n >= 2 && text[0] == '\\' && text[1] == 'x');
    n = (n - 2) / 2;
    uint8_t *data = wpa_arena_alloc(arena, n + 1);
    if (wpa_hex_decode(text + 2, data, n)) {
        *size_bytes = n;
    }
    return data;
}

char *wpa_rows_dup(const wpa_rows *rows, size_t row, size_t col, wpa_arena *arena)
{
    return wpa_arena_text(arena, wpa_rows_text(rows, row, col));
}

/* ---- parameters ------------------------------------------------------------------------------ */

char *wpa_db_number(int64_t value, char *text)
{
    (void)snprintf(text, WPA_DB_NUMBER_SIZE, "%lld", (long long)value);
    return text;
}

const char *wpa_db_bool(bool value)
{
    return value ? "true" : "false";
}

char *wpa_db_bytes(wpa_arena *arena, const void *data, size_t size_bytes)
{
    char *text = wpa_arena_alloc(arena, 2 * size_bytes + 3);
    text[0] = '\\';
    text[1] = 'x';
    wpa_hex_encode(data, size_bytes, text + 2);
    return text;
}

static void append_quoted(wpa_buf *buf, const char *item)
{
    wpa_buf_char(buf, '"');
    for (const char *at = item; *at; at++) {
        if (*at == '"' || *at == '\\') {
            wpa_buf_char(buf, '\\');
        }
        wpa_buf_char(buf, *at);
    }
    wpa_buf_char(buf, '"');
}

char *wpa_db_array(wpa_arena *arena, const char *const items[], size_t n)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(ARRAY_MAX_BYTES);
    wpa_buf_char(buf, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0) {
            wpa_buf_char(buf, ',');
        }
        if (items[i]) {
            append_quoted(buf, items[i]);
        } else {
            wpa_buf_text(buf, "NULL");
        }
    }
    wpa_buf_char(buf, '}');
    return wpa_buf_dup(buf, arena);
}

char *wpa_db_array_int(wpa_arena *arena, const int64_t items[], size_t n)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(ARRAY_MAX_BYTES);
    wpa_buf_char(buf, '{');
    for (size_t i = 0; i < n; i++) {
        wpa_buf_printf(buf, "%s%lld", i > 0 ? "," : "", (long long)items[i]);
    }
    wpa_buf_char(buf, '}');
    return wpa_buf_dup(buf, arena);
}
