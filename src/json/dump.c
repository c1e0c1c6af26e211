#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#include "json/value.h"

#define DUMP_MAX_BYTES ((size_t)1 << 30) /* inputs were limited when they came in */
#define EXACT_INTEGER_LIMIT 1e15         /* below, every integral double prints exactly */

/* Control characters, and what stands for something else. */
static const bool is_special[256] = {
    [0x00] = true, [0x01] = true, [0x02] = true, [0x03] = true, [0x04] = true, [0x05] = true,
    [0x06] = true, [0x07] = true, [0x08] = true, [0x09] = true, [0x0a] = true, [0x0b] = true,
    [0x0c] = true, [0x0d] = true, [0x0e] = true, [0x0f] = true, [0x10] = true, [0x11] = true,
    [0x12] = true, [0x13] = true, [0x14] = true, [0x15] = true, [0x16] = true, [0x17] = true,
    [0x18] = true, [0x19] = true, [0x1a] = true, [0x1b] = true, [0x1c] = true, [0x1d] = true,
    [0x1e] = true, [0x1f] = true, ['"'] = true,  ['\\'] = true,
};

/** Past what needs no escape, many bytes at a time. */
static size_t skip_plain(const char *text, size_t at, size_t length)
{
    typedef uint8_t lanes __attribute__((vector_size(16)));
    for (lanes bytes; at + sizeof bytes <= length; at += sizeof bytes) {
        memcpy(&bytes, text + at, sizeof bytes);
        lanes odd = (lanes)(bytes < 0x20) | (lanes)(bytes == '"') | (lanes)(bytes == '\\');
        uint64_t halves[2];
        memcpy(halves, &odd, sizeof odd);
        if (halves[0] | halves[1]) {
            break;
        }
    }
    while (at < length && !is_special[(unsigned char)text[at]]) {
        at++;
    }
    return at;
}

void wpa_json_append_text(wpa_buf *buf, const char *text, size_t length)
{
    static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    size_t start = 0; /* of what needs no escape and is not yet copied */
    size_t i = skip_plain(text, 0, length);
    char *whole = i == length ? wpa_buf_extend(buf, length + 2) : NULL;
    if (whole) {
        whole[0] = whole[length + 1] = '"';
        memcpy(whole + 1, text, length);
        return;
    }
    wpa_buf_char(buf, '"');
    for (; i < length; i = skip_plain(text, i + 1, length)) {
        unsigned char c = (unsigned char)text[i];
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

/** By hand: printf takes longer for a number than all else does for its member. */
static void dump_int(int64_t number, wpa_buf *buf)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (number < 0) {
        digits[--at] = '-';
    }
    wpa_buf_append(buf, digits + at, sizeof digits - at);
}

static void dump_real(double real, wpa_buf *buf)
{
    char text[40];
    if (fabs(real) < EXACT_INTEGER_LIMIT && real == floor(real)) {
        dump_int((int64_t)real, buf);
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

/* A member with the beginning of its key as a number: most keys differ in that. */
typedef struct ordered {
    uint64_t beginning;
    json_member member;
} ordered;

static uint64_t beginning_of(const char *key)
{
    uint64_t beginning = 0;
    for (size_t i = 0; i < sizeof beginning && key[i]; i++) {
        beginning |= (uint64_t)(unsigned char)key[i] << (56 - 8 * i);
    }
    return beginning;
}

static int compare_members(const void *a, const void *b)
{
    const ordered *x = a, *y = b;
    return x->beginning != y->beginning ? (x->beginning < y->beginning ? -1 : 1)
                                        : strcmp(x->member.key, y->member.key);
}

#define FEW 48 /* so many are ordered by insertion */

static void sort(ordered *members, size_t n)
{
    if (n > FEW) {
        qsort(members, n, sizeof *members, compare_members);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        ordered member = members[i];
        size_t k = i;
        for (; k > 0 && compare_members(&members[k - 1], &member) > 0; k--) {
            members[k] = members[k - 1];
        }
        members[k] = member;
    }
}

static const json_member *in_order(const wpa_json *object, wpa_arena *arena)
{
    size_t n = object->n_members;
    ordered few[FEW], *sorted = n > FEW ? wpa_arena_array(arena, n, sizeof *sorted) : few;
    for (size_t i = 0; i < n; i++) {
        const json_member *member = &object->members[i];
        sorted[i] = (ordered){beginning_of(member->key), *member};
    }
    sort(sorted, n);
    json_member *members = wpa_arena_array(arena, n, sizeof *members);
    for (size_t i = 0; i < n; i++) {
        members[i] = sorted[i].member;
    }
    return members;
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
    const json_member *members = value->members;
    if (is_object && indent < 0 && value->n_members > 1) {
        members = in_order(value, arena);
    }
    wpa_buf_char(buf, is_object ? '{' : '[');
    for (size_t i = 0; i < value->n_members; i++) {
        if (i) {
            wpa_buf_char(buf, ',');
        }
        start_line(indent < 0 ? -1 : indent + 1, buf);
        if (is_object) {
            dump_text(members[i].key, buf);
            wpa_buf_append(buf, ": ", indent < 0 ? 1 : 2);
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
        dump_int(value->integer, buf);
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

void wpa_json_append(wpa_buf *buf, const wpa_json *value)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    dump(value, -1, buf, scratch);
}

char *wpa_json_dump(const wpa_json *value, wpa_arena *arena)
{
    return dump_all(value, -1, arena);
}

char *wpa_json_dump_pretty(const wpa_json *value, wpa_arena *arena)
{
    return dump_all(value, 0, arena);
}
