#include "edit/edit.h"

#include <stdlib.h>
#include <string.h>

#include "edit/lines.h"

static int compare(const void *a, const void *b)
{
    const wpa_edit *x = a, *y = b;
    if (x->bytes.start != y->bytes.start) {
        return x->bytes.start < y->bytes.start ? -1 : 1;
    }
    return x->bytes.end < y->bytes.end ? -1 : x->bytes.end > y->bytes.end;
}

bool wpa_edits_sort(wpa_edit *edits, size_t n, size_t size_bytes, wpa_error *err)
{
    if (n > 1) {
        qsort(edits, n, sizeof *edits, compare);
    }
    for (size_t i = 0; i < n; i++) {
        wpa_span span = edits[i].bytes;
        if (span.start > span.end || span.end > size_bytes) {
            return WPA_FAIL(err, WPA_E_INVALID, "edit of bytes %zu to %zu in a text of %zu",
                            span.start, span.end, size_bytes);
        }
        if (i > 0 &&
            (edits[i - 1].bytes.end > span.start || edits[i - 1].bytes.start == span.start)) {
            return WPA_FAIL(err, WPA_E_INVALID, "two edits overlap at byte %zu", span.start);
        }
    }
    return true;
}

char *wpa_edits_apply(const wpa_edit *edits, size_t n, const char *before, size_t before_bytes,
                      wpa_arena *arena, size_t *after_bytes)
{
    size_t total = before_bytes;
    for (size_t i = 0; i < n; i++) {
        total += edits[i].text_bytes;
    }
    char *after = wpa_arena_alloc(arena, total + 1);
    size_t at = 0, size = 0;
    for (size_t i = 0; i <= n; i++) {
        size_t kept_end = i < n ? edits[i].bytes.start : before_bytes;
        if (kept_end > at) {
            memcpy(after + size, before + at, kept_end - at);
            size += kept_end - at;
        }
        if (i < n && edits[i].text_bytes > 0) {
            memcpy(after + size, edits[i].text, edits[i].text_bytes);
            size += edits[i].text_bytes;
        }
        at = i < n ? edits[i].bytes.end : at;
    }
    *after_bytes = size;
    return after;
}

wpa_edit *wpa_edits_invert(const wpa_edit *edits, size_t n, const char *before, wpa_arena *arena)
{
    wpa_edit *inverse = wpa_arena_array(arena, n + 1, sizeof *inverse);
    size_t grown = 0, shrunk = 0;
    for (size_t i = 0; i < n; i++) {
        size_t start = edits[i].bytes.start + grown - shrunk;
        size_t length = wpa_span_length(edits[i].bytes);
        inverse[i] =
            (wpa_edit){{start, start + edits[i].text_bytes}, before + edits[i].bytes.start, length};
        grown += edits[i].text_bytes;
        shrunk += length;
    }
    return inverse;
}

/* ---- from two texts ---- */

static bool is_inside_character(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Take off what both sides have in common at head and tail, by whole characters. */
static wpa_edit narrow(wpa_slice a, wpa_slice b, size_t offset)
{
    size_t least = a.length < b.length ? a.length : b.length;
    size_t head = 0, tail = 0;
    while (head < least && a.at[head] == b.at[head]) {
        head++;
    }
    while (head > 0 && ((head < a.length && is_inside_character(a.at[head])) ||
                        (head < b.length && is_inside_character(b.at[head])))) {
        head--;
    }
    while (tail < least - head && a.at[a.length - 1 - tail] == b.at[b.length - 1 - tail]) {
        tail++;
    }
    while (tail > 0 && is_inside_character(a.at[a.length - tail])) {
        tail--;
    }
    return (wpa_edit){
        {offset + head, offset + a.length - tail}, b.at + head, b.length - head - tail};
}

wpa_edit *wpa_edits_between(const char *before, size_t before_bytes, const char *after,
                            size_t after_bytes, wpa_arena *arena, size_t *n)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    wpa_lines a = wpa_lines_split(before, before_bytes, scratch);
    wpa_lines b = wpa_lines_split(after, after_bytes, scratch);
    wpa_line_script script = wpa_lines_compare(a, b, scratch);
    wpa_edit *edits = NULL;
    size_t capacity = 0, at_before = 0, at_after = 0, x = 0, y = 0;
    *n = 0;
    for (size_t i = 0; i < script.n;) {
        wpa_slice old = {before + at_before, 0}, new = {after + at_after, 0};
        for (; i < script.n && script.ops[i] != ' '; i++) {
            old.length += script.ops[i] == '-' ? a.items[x++].length : 0;
            new.length += script.ops[i] == '+' ? b.items[y++].length : 0;
        }
        if (old.length + new.length > 0) {
            edits = wpa_arena_grow(arena, edits, *n, &capacity, sizeof *edits);
            edits[(*n)++] = narrow(old, new, at_before);
        }
        at_before += old.length;
        at_after += new.length;
        for (; i < script.n && script.ops[i] == ' '; i++) {
            at_before += a.items[x++].length;
            at_after += b.items[y++].length;
        }
    }
    return edits;
}
