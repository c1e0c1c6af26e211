#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#include "json/value.h"

#define DUMP_MAX_BYTES ((size_t)1 << 30) /* inputs were limited when they came in */
#define EXACT_INTEGER_LIMIT 1e15         /* below, every integral double prints exactly */

void wpa_json_append_text(wpa_buf *buf, const char *text, size_t length)
{
    static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    size_t start = 0; /* of what needs no escape and is not yet copied */
    wpa_buf_char(buf, '"');
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        wpa_buf_append(buf, text + start, i - start);
        const char *special = c ? strchr(escaped, c) : NULL;
        if (special) {
            wpa_buf_char(buf, '\\');
            wpa_buf_char(buf, letters[special - escaped]);
        } else {
            wpa_buf_printf(buf, "\\u%04x", c);
        }
        start = i + 1;
    }
    wpa_buf_append(buf, text + start, length - start);
    wpa_buf_char(buf, '"');
}

static void dump_text(const char *text, wpa_buf *buf)
{
    wpa_json_append_text(buf, text, strlen(text));
}

static void dump_real(double real, wpa_buf *buf)
{
    char text[40];
    if (fabs(real) < EXACT_INTEGER_LIMIT && real == floor(real)) {
        wpa_buf_printf(buf, "%" PRId64, (int64_t)real);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        wpa_text_format(text, sizeof text, "%.*g", digits, real);
        if (strtod(text, NULL) == real) {
            break;
        }
    }
    wpa_buf_text(buf, text);
}

static int compare_members(const void *a, const void *b)
{
    return strcmp(((const json_member *)a)->key, ((const json_member *)b)->key);
}

/** indent < 0: canonical, on one line. */
static void dump(const wpa_json *value, int indent, wpa_buf *buf, wpa_arena *arena);

static void start_line(int indent, wpa_buf *buf)
{
    if (indent >= 0) {
        wpa_buf_printf(buf, "\n%*s", indent * 2, "");
    }
}

static void dump_members(const wpa_json *value, int indent, wpa_buf *buf, wpa_arena *arena)
{
    bool is_object = value->kind == WPA_JSON_OBJECT;
    json_member *members = value->members;
    if (is_object && indent < 0 && value->n_members > 1) {
        members = wpa_arena_dup(arena, members, value->n_members * sizeof *members);
        qsort(members, value->n_members, sizeof *members, compare_members);
    }
    wpa_buf_char(buf, is_object ? '{' : '[');
    for (size_t i = 0; i < value->n_members; i++) {
        wpa_buf_text(buf, i ? "," : "");
        start_line(indent < 0 ? -1 : indent + 1, buf);
        if (is_object) {
            dump_text(members[i].key, buf);
            wpa_buf_text(buf, indent < 0 ? ":" : ": ");
        }
        dump(members[i].value, indent < 0 ? -1 : indent + 1, buf, arena);
    }
    start_line(value->n_members ? indent : -1, buf);
    wpa_buf_char(buf, is_object ? '}' : ']');
}

static void dump(const wpa_json *value, int indent, wpa_buf *buf, wpa_arena *arena)
{
    switch (value->kind) {
    case WPA_JSON_NULL:
        wpa_buf_text(buf, "null");
        return;
    case WPA_JSON_BOOL:
        wpa_buf_text(buf, value->truth ? "true" : "false");
        return;
    case WPA_JSON_INT:
        wpa_buf_printf(buf, "%" PRId64, value->integer);
        return;
    case WPA_JSON_REAL:
        dump_real(value->real, buf);
        return;
    case WPA_JSON_TEXT:
        dump_text(value->text, buf);
        return;
    case WPA_JSON_ARRAY:
    case WPA_JSON_OBJECT:
        dump_members(value, indent, buf, arena);
        return;
    }
}

static char *dump_all(const wpa_json *value, int indent, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(DUMP_MAX_BYTES);
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    dump(value, indent, buf, scratch);
    return wpa_buf_dup(buf, arena);
}

char *wpa_json_dump(const wpa_json *value, wpa_arena *arena)
{
    return dump_all(value, -1, arena);
}

char *wpa_json_dump_pretty(const wpa_json *value, wpa_arena *arena)
{
    return dump_all(value, 0, arena);
}
