/* The text of what is taken out, and of what stands in its place. */
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#include "rules/extract.h"
#include "rules/fix_internal.h"
#include "rules/work.h"

#define SLUG_MAX 40
#define TEXT_MAX_BYTES ((size_t)256 * 1024)

const char *wpa_extract_slug(const char *text, wpa_arena *arena)
{
    char slug[SLUG_MAX + 1];
    size_t n = 0;
    for (; *text && n < SLUG_MAX; text++) {
        bool is_word = isalnum((unsigned char)*text) && (unsigned char)*text < 0x80;
        if (is_word) {
            slug[n++] = (char)tolower((unsigned char)*text);
        } else if (n && slug[n - 1] != '-') {
            slug[n++] = '-';
        }
    }
    for (size_t i = n; *text && n == SLUG_MAX && i > SLUG_MAX / 2; i--) {
        n = slug[i - 1] == '-' ? i : n; /* no half words */
    }
    while (n && slug[n - 1] == '-') {
        n--;
    }
    return wpa_arena_slice(arena, slug, n);
}

const char *wpa_extract_words(const char *slug, wpa_arena *arena)
{
    char *words = wpa_arena_text(arena, slug);
    for (char *at = words; *at; at++) {
        *at = *at == '-' ? ' ' : *at;
    }
    words[0] = (char)(words[0] >= 'a' && words[0] <= 'z' ? words[0] - 'a' + 'A' : words[0]);
    return words;
}

const char *wpa_extract_title(const wpa_outline_step *steps, size_t n, wpa_arena *arena)
{
    const char *text = NULL;
    for (size_t i = 0; i < n && !text; i++) {
        const char *name = wpa_yaml_text(wpa_yaml_get(steps[i].node, "name"));
        text = name && !wpa_work_is_setup(&steps[i]) && !strstr(name, "${{") ? name : NULL;
    }
    for (size_t i = 0; i < n && !text; i++) {
        text = wpa_yaml_text(wpa_yaml_get(steps[i].node, "name"));
        text = text && !strstr(text, "${{") ? text : NULL;
    }
    if (!text) {
        text = wpa_arena_printf(arena, "%s steps", steps[0].job->id);
    }
    return text;
}

const char *wpa_extract_name(const char *title, const char *slug, wpa_arena *arena)
{
    static const char *const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789 -_./~+()";
    bool is_plain = isalpha((unsigned char)*title) && strchr(title, ' ') &&
                    title[strspn(title, letters)] == '\0' && title[strlen(title) - 1] != ' ';
    return is_plain ? title : wpa_extract_words(slug, arena);
}

void wpa_extract_edit(wpa_extract *x, wpa_span span, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    const char *text = wpa_arena_vprintf(x->run->arena, format, values);
    va_end(values);
    x->edits = wpa_arena_grow(x->run->arena, x->edits, x->n_edits, &x->capacity, sizeof *x->edits);
    x->edits[x->n_edits++] = (wpa_fix_edit){.bytes = span, .text = text};
}

static const char *shift_lines(const char *text, size_t size, size_t from, size_t to,
                               wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(TEXT_MAX_BYTES);
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - text) - at : size - at;
        size_t used = length && text[at + length - 1] == '\r' ? length - 1 : length;
        size_t blanks = 0;
        while (blanks < used && blanks < from && text[at + blanks] == ' ') {
            blanks++;
        }
        wpa_buf_printf(buf, "%*s", used > blanks ? (int)to : 0, "");
        wpa_buf_append(buf, text + at + blanks, used - blanks);
        wpa_buf_char(buf, '\n');
        at += length + 1;
    }
    return wpa_buf_is_full(buf) ? NULL : wpa_buf_dup(buf, arena);
}

const char *wpa_extract_text(wpa_extract *x, const wpa_yaml_doc *doc, wpa_span span, size_t from,
                             size_t to)
{
    wpa_arena *arena = x->run->arena;
    const wpa_fix_edit **inside = wpa_arena_array(arena, x->n_edits + 1, sizeof *inside);
    size_t n = 0, size;
    for (size_t i = 0; i < x->n_edits; i++) {
        if (wpa_span_contains(span, x->edits[i].bytes)) {
            wpa_fix_edit *moved = wpa_arena_dup(arena, &x->edits[i], sizeof *moved);
            moved->bytes.start -= span.start;
            moved->bytes.end -= span.start;
            inside[n++] = moved;
        }
    }
    const char *text =
        wpa_fix_text(doc->source + span.start, wpa_span_length(span), inside, n, arena, &size);
    return shift_lines(text, size, from, to, arena);
}

const char *wpa_extract_inputs(wpa_extract *x, size_t indent)
{
    wpa_arena *arena = x->run->arena;
    const char *text = x->n_holes ? wpa_arena_printf(arena, "%*sinputs:\n", (int)indent, "") : "";
    for (size_t i = 0; i < x->n_holes; i++) {
        const wpa_extract_hole *hole = &x->holes[i];
        const char *type = hole->type == WPA_YAML_INT    ? "number"
                           : hole->type == WPA_YAML_BOOL ? "boolean"
                                                         : "string";
        text = wpa_arena_printf(arena, "%s%*s%s:\n%*sdescription: %s\n%*srequired: true\n", text,
                                (int)indent + 2, "", hole->name, (int)indent + 4, "",
                                hole->is_path ? wpa_arena_printf(arena, "The caller's %s", hole->of)
                                              : "What differs from call to call",
                                (int)indent + 4, "");
        if (x->kind == WPA_EXTRACT_CALLEE) {
            text = wpa_arena_printf(arena, "%s%*stype: %s\n", text, (int)indent + 4, "", type);
        }
    }
    return text;
}

const char *wpa_extract_with(wpa_extract *x, size_t copy, size_t indent)
{
    wpa_arena *arena = x->run->arena;
    const char *text = x->n_holes ? wpa_arena_printf(arena, "%*swith:\n", (int)indent, "") : "";
    for (size_t i = 0; i < x->n_holes; i++) {
        text = wpa_arena_printf(arena, "%s%*s%s: %s\n", text, (int)indent + 2, "", x->holes[i].name,
                                x->holes[i].values[copy]);
    }
    return text;
}

const char *wpa_extract_lines(const wpa_yaml_doc *doc, const char *text, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(TEXT_MAX_BYTES);
    for (; *text; text++) {
        if (*text == '\n' && doc->has_crlf) {
            wpa_buf_char(buf, '\r');
        }
        wpa_buf_char(buf, *text);
    }
    return wpa_buf_is_full(buf) ? NULL : wpa_buf_dup(buf, arena);
}

size_t wpa_extract_line_start(const wpa_yaml_doc *doc, size_t offset)
{
    wpa_span line = wpa_yaml_line(doc, wpa_yaml_line_of(doc, offset));
    return strspn(doc->source + line.start, " ") == offset - line.start ? line.start : SIZE_MAX;
}
