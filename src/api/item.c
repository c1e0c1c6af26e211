#include "api/item.h"

#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "json/json.h"

/* "2026-11-26 21:22:29.123456+00": date and time of day, then at most six digits. */
#define DATE_BYTES 10
#define SECOND_BYTES 19
#define FRACTION_DIGITS 6

typedef struct field {
    const char *lead; /* what stands before its value: the end of other objects, names, braces */
    size_t lead_bytes;
    wpa_column_kind kind;
    bool is_whole, is_spread;
} field;

struct wpa_api_form {
    size_t first, n;
    field *fields;   /* [n] */
    const char *end; /* behind the last value */
};

/* ---- the form -----------------------------------------------------------------------------------
 */

/** Bytes of the path that both names share, up to behind a dot. */
static size_t shared_path(const char *before, const char *name)
{
    size_t shared = 0;
    for (size_t i = 0; before[i] && before[i] == name[i]; i++) {
        shared = before[i] == '.' ? i + 1 : shared;
    }
    return shared;
}

static size_t count_dots(const char *text)
{
    size_t n = 0;
    for (; *text; text++) {
        n += *text == '.';
    }
    return n;
}

static void write_ends(const char *path, wpa_buf *out)
{
    for (size_t i = count_dots(path); i > 0; i--) {
        wpa_buf_char(out, '}');
    }
}

/** Leave the objects of the column before, enter those of this one, and say its name. */
static void write_lead(const char *before, const char *name, bool is_first, wpa_buf *out)
{
    size_t shared = shared_path(before, name);
    write_ends(before + shared, out);
    wpa_buf_char(out, is_first ? '{' : ',');
    const char *at = name + shared;
    for (size_t n = strcspn(at, "."); at[n]; n = strcspn(at, ".")) {
        wpa_json_append_text(out, at, n);
        wpa_buf_text(out, ":{");
        at += n + 1;
    }
    wpa_json_append_text(out, at, strlen(at));
    wpa_buf_char(out, ':');
}

const wpa_api_form *wpa_api_form_of(const wpa_rows *rows, size_t first, wpa_arena *arena)
{
    wpa_api_form *form = wpa_arena_alloc(arena, sizeof *form);
    const char *before = "";
    form->first = first;
    form->n = wpa_rows_columns(rows) - first;
    form->fields = wpa_arena_array(arena, form->n, sizeof *form->fields);
    for (size_t i = 0; i < form->n; i++) {
        WPA_AUTO(wpa_buf) *lead = wpa_buf_new(4096);
        const char *name = wpa_rows_name(rows, first + i);
        field *f = &form->fields[i];
        f->kind = wpa_rows_kind(rows, first + i);
        f->is_whole = wpa_text_is(name, "item");
        f->is_spread = wpa_text_is(name, "...");
        if (f->is_spread) {
            write_ends(before, lead);
            before = "";
        } else if (!f->is_whole) {
            write_lead(before, name, i == 0, lead);
            before = name;
        }
        f->lead = wpa_buf_dup(lead, arena);
        f->lead_bytes = wpa_buf_size(lead);
    }
    WPA_AUTO(wpa_buf) *end = wpa_buf_new(4096);
    write_ends(before, end);
    wpa_buf_text(end, form->n && form->fields[0].is_whole ? "" : "}");
    form->end = wpa_buf_dup(end, arena);
    return form;
}

/* ---- values -------------------------------------------------------------------------------------
 */

/** As RFC 3339 in UTC with microseconds; null for an infinity. */
static void write_time(const char *text, size_t length, wpa_buf *out)
{
    bool is_utc = length > SECOND_BYTES + 2 && memcmp(text + length - 3, "+00", 3) == 0 &&
                  text[DATE_BYTES] == ' ';
    if (!is_utc) {
        wpa_buf_text(out, "null"); /* a connection's time zone is UTC, see db_session */
        return;
    }
    size_t n_fraction = length - SECOND_BYTES - 3;
    wpa_buf_char(out, '"');
    wpa_buf_append(out, text, DATE_BYTES);
    wpa_buf_char(out, 'T');
    wpa_buf_append(out, text + DATE_BYTES + 1, SECOND_BYTES - DATE_BYTES - 1);
    wpa_buf_append(out, n_fraction ? text + SECOND_BYTES : ".", n_fraction ? n_fraction : 1);
    size_t digits = n_fraction ? n_fraction - 1 : 0;
    wpa_buf_append(out, "000000", digits < FRACTION_DIGITS ? FRACTION_DIGITS - digits : 0);
    wpa_buf_text(out, "Z\"");
}

/** "{1,2}" of an array as a list. */
static void write_numbers(const char *text, size_t length, wpa_buf *out)
{
    wpa_buf_char(out, '[');
    wpa_buf_append(out, text + 1, length - 2);
    wpa_buf_char(out, ']');
}

static void write_number(const char *text, size_t length, wpa_buf *out)
{
    bool is_finite = !strpbrk(text, "NI"); /* NaN, Infinity */
    wpa_buf_append(out, is_finite ? text : "null", is_finite ? length : 4);
}

static void write_value(wpa_column_kind kind, const char *text, size_t length, wpa_buf *out)
{
    switch (kind) {
    case WPA_COLUMN_TEXT:
        wpa_json_append_text(out, text, length);
        break;
    case WPA_COLUMN_NUMBER:
        write_number(text, length, out);
        break;
    case WPA_COLUMN_NUMBERS:
        write_numbers(text, length, out);
        break;
    case WPA_COLUMN_BOOL:
        wpa_buf_text(out, text[0] == 't' ? "true" : "false");
        break;
    case WPA_COLUMN_TIME:
        write_time(text, length, out);
        break;
    case WPA_COLUMN_JSON:
        wpa_buf_append(out, text, length);
        break;
    }
}

/** The members of an object without its braces, behind others if there are any. */
static void write_spread(const char *text, size_t length, bool is_first, wpa_buf *out)
{
    if (length > 2) {
        wpa_buf_char(out, is_first ? '{' : ',');
        wpa_buf_append(out, text + 1, length - 2);
    }
}

void wpa_api_form_write(const wpa_api_form *form, const wpa_rows *rows, size_t row, wpa_buf *out)
{
    for (size_t i = 0; i < form->n; i++) {
        const field *f = &form->fields[i];
        size_t length;
        const char *text = wpa_rows_value(rows, row, form->first + i, &length);
        wpa_buf_append(out, f->lead, f->lead_bytes);
        if (f->is_whole) {
            wpa_buf_append(out, text, length);
        } else if (f->is_spread) {
            write_spread(text, length, i == 0, out);
        } else if (text) {
            write_value(f->kind, text, length, out);
        } else {
            wpa_buf_text(out, "null");
        }
    }
    wpa_buf_text(out, form->end);
}
