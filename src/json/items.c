/*
 * Lists of which one item is read at a time. Only where items begin and end is found here, by
 * brackets and strings: each of them has to be JSON by itself, and so has what is around the list,
 * which is the same as that all of it is.
 */
#include <string.h>

#include <wpa/buf.h>

#include "json/value.h"

/* How far a text was read. */
typedef struct scan {
    const char *text; /* [length] */
    size_t length, at, line_start;
    int line, depth;
} scan;

static json_place place_of(const scan *s)
{
    return (json_place){s->line, (int)(s->at - s->line_start) + 1};
}

static void skip_string(scan *s)
{
    while (s->at < s->length && s->text[s->at] != '"') {
        s->at += s->text[s->at] == '\\' ? 2 : 1; /* a line end in it is refused anyway */
    }
    s->at = s->at < s->length ? s->at + 1 : s->length;
}

/** Past a byte or a whole string; what it began with. */
static char step(scan *s)
{
    char c = s->text[s->at++];
    if (c == '\n') {
        s->line++;
        s->line_start = s->at;
    } else if (c == '"') {
        skip_string(s);
    } else if (c == '[' || c == '{') {
        s->depth++;
    } else if (c == ']' || c == '}') {
        s->depth--;
    }
    return c;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(scan *s)
{
    while (s->at < s->length && is_blank(s->text[s->at])) {
        (void)step(s);
    }
}

/** Past blanks and, if it comes next, that character. */
static bool take(scan *s, char wanted)
{
    skip_blanks(s);
    return s->at < s->length && s->text[s->at] == wanted && step(s) == wanted;
}

/** Behind the bracket that opens the list. */
static bool find_list(scan *s, const char *key)
{
    size_t key_length = strlen(key);
    while (s->at < s->length) {
        size_t start = s->at;
        bool is_key = step(s) == '"' && s->depth == 1 && s->at - start == key_length + 2 &&
                      memcmp(s->text + start + 1, key, key_length) == 0;
        if (is_key && take(s, ':') && take(s, '[')) {
            return true;
        }
    }
    return false;
}

/** Past the comma or the bracket that ends an item of the list; where that is. */
static size_t skip_item(scan *s, bool *is_last)
{
    const int depth = s->depth;
    while (s->at < s->length) {
        size_t before = s->at;
        char c = step(s);
        if (s->depth < depth || (c == ',' && s->depth == depth)) {
            *is_last = c != ',';
            return before;
        }
    }
    *is_last = true;
    return s->at;
}

/** Without what stands in the list; what stands behind it is on the lines where it was. */
static void copy_around(const char *text, size_t length, const wpa_json_items *items, wpa_buf *out)
{
    wpa_buf_append(out, text, items->start);
    for (size_t i = items->start; i < items->end; i++) {
        if (text[i] == '\n') {
            wpa_buf_char(out, '\n');
        }
    }
    wpa_buf_append(out, text + items->end, length - items->end);
}

wpa_json *wpa_json_parse_around(const char *text, size_t length, size_t max_bytes, const char *key,
                                wpa_arena *arena, wpa_json_items *items, wpa_error *err)
{
    scan s = {.text = text, .length = length, .line = 1};
    *items = (wpa_json_items){0};
    if (!wpa_json_check_size(text, length, max_bytes, err)) {
        return NULL;
    }
    WPA_AUTO(wpa_buf) *around = wpa_buf_new(length);
    if (find_list(&s, key)) {
        *items = (wpa_json_items){
            .text = text, .start = s.at, .line = s.line, .line_start = s.line_start};
        for (bool is_last = false; !is_last;) {
            items->end = skip_item(&s, &is_last);
        }
        copy_around(text, length, items, around);
        text = wpa_buf_data(around);
        length = wpa_buf_size(around);
    }
    wpa_json *document = wpa_json_parse_part(text, length, (json_place){1, 1}, arena, err);
    const wpa_json *list = wpa_json_find(document, key);
    items->list = wpa_json_kind_of(list) == WPA_JSON_ARRAY ? list : NULL;
    return document;
}

/** The next one, which goes up to the comma behind it. */
static bool visit_item(const wpa_json_items *items, scan *s, size_t i, bool *is_last,
                       wpa_json_visit visit, void *context, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    const json_place place = place_of(s);
    const size_t start = s->at, end = skip_item(s, is_last);
    wpa_json *item = wpa_json_parse_part(s->text + start, end - start, place, scratch, err);
    if (!item) {
        return false;
    }
    item->parent = items->list;
    item->position = i;
    return visit(context, item, err);
}

bool wpa_json_visit_items(const wpa_json_items *items, wpa_json_visit visit, void *context,
                          wpa_error *err)
{
    scan s = {.text = items->text,
              .length = items->end,
              .at = items->start,
              .line = items->line,
              .line_start = items->line_start};
    for (size_t i = 0; i < wpa_json_count(items->list); i++) { /* its key has escapes */
        if (!visit(context, wpa_json_at(items->list, i), err)) {
            return false;
        }
    }
    skip_blanks(&s);
    bool is_last = s.at == s.length;
    for (size_t i = 0; !is_last; i++) {
        if (!visit_item(items, &s, i, &is_last, visit, context, err)) {
            return false;
        }
    }
    return true;
}
