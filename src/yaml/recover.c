/*
 * What to leave out of a file that is no YAML, so that the rest of it can be read: the entry in
 * which the parser failed, up to the next line at which an item or a key of what is open may begin.
 * Indentation alone decides, since nothing else can be trusted there.
 */
#include <string.h>

#include "internal.h"

/* A line that an entry begins on. */
typedef struct level {
    size_t line; /* from 0 */
    size_t indent;
    bool is_item;
    bool has_tab; /* among the blanks before it: how deep it is meant to be cannot be told */
} level;

typedef struct lines {
    const wpa_yaml_doc *doc;
    const char *text; /* the file, with what was left out before as line breaks */
    level stack[WPA_YAML_MAX_DEPTH];
    size_t depth;
} lines;

static size_t line_start(const lines *l, size_t line)
{
    return line < l->doc->n_lines ? l->doc->line_starts[line] : l->doc->size_bytes;
}

/* Reads a line; false if nothing stands there but blanks or a comment. */
static bool read_line(const lines *l, size_t line, level *out)
{
    size_t start = line_start(l, line), end = line_start(l, line + 1), at = start;
    if (line == 0 && l->doc->has_bom) {
        start = at = 3;
    }
    while (at < end && wpa_yaml_is_blank(l->text[at])) {
        at++;
    }
    if (at >= end || strchr("\r\n#", l->text[at])) {
        return false;
    }
    bool is_dash = l->text[at] == '-' && (at + 1 >= end || strchr(" \t\r\n", l->text[at + 1]));
    *out = (level){line, at - start, is_dash, memchr(l->text + start, '\t', at - start) != NULL};
    return true;
}

/* Does the line end with a colon, so that what follows is meant to be deeper? */
static bool opens_block(const lines *l, size_t line)
{
    size_t end = line_start(l, line + 1);
    while (end > line_start(l, line) && strchr(" \t\r\n", l->text[end - 1])) {
        end--;
    }
    return end > line_start(l, line) && l->text[end - 1] == ':';
}

static void push(lines *l, level entry)
{
    while (l->depth > 0 && l->stack[l->depth - 1].indent >= entry.indent) {
        l->depth--;
    }
    if (l->depth < WPA_YAML_MAX_DEPTH) {
        l->stack[l->depth++] = entry;
    }
}

/* The entry that is lost: the innermost item around the line, else the line's own key. */
static level find_start(const lines *l, level broken)
{
    for (size_t i = l->depth; i-- > 0 && !broken.is_item;) {
        if (l->stack[i].indent < broken.indent && l->stack[i].is_item) {
            return l->stack[i];
        }
    }
    return broken;
}

static const level *find_level(const lines *l, size_t indent)
{
    for (size_t i = 0; i < l->depth; i++) {
        if (l->stack[i].indent == indent) {
            return &l->stack[i];
        }
    }
    return NULL;
}

wpa_yaml_broken wpa_yaml_find_broken(const wpa_yaml_doc *doc, const char *text, size_t at)
{
    lines l = {.doc = doc, .text = text};
    level broken = {0}, entry;
    size_t line = wpa_yaml_line_of(doc, at) - 1;
    bool is_found = false;
    for (size_t i = 0; i <= line && i < doc->n_lines; i++) {
        if (read_line(&l, i, &entry)) {
            if (is_found) {
                push(&l, broken);
            }
            broken = entry;
            is_found = true;
        }
    }
    if (!is_found) {
        return (wpa_yaml_broken){0};
    }
    if (broken.has_tab && l.depth > 0) {
        const level *before = &l.stack[l.depth - 1];
        broken.indent = before->indent + opens_block(&l, before->line);
    }
    level start = find_start(&l, broken);
    size_t end = broken.line + 1;
    for (; end < doc->n_lines; end++) {
        if (!read_line(&l, end, &entry) || entry.has_tab) {
            continue;
        }
        const level *known = find_level(&l, entry.indent);
        if (entry.indent == start.indent || (known && entry.indent < start.indent)) {
            break;
        }
        /* An item of a list that the broken line did not close by being indented too little. */
        if (known && known->is_item && entry.is_item) {
            start = broken.is_item ? broken : *known;
            break;
        }
    }
    size_t from = line_start(&l, start.line), to = line_start(&l, end);
    from += start.line == 0 && doc->has_bom && from == 0 ? 3 : 0;
    return (wpa_yaml_broken){{from, to}, start.indent, start.is_item};
}

/* ---- marking what a piece is missing from
 * ------------------------------------------------------*/

static size_t column_of(const wpa_yaml_doc *doc, size_t offset)
{
    size_t start = offset;
    while (start > 0 && doc->source[start - 1] != '\n' && doc->source[start - 1] != '\r') {
        start--;
    }
    return offset - start;
}

/* The last child that begins before the piece and is indented less; NULL if there is none. */
static wpa_yaml_node *child_before(const wpa_yaml_node *node, const wpa_yaml_broken *broken)
{
    wpa_yaml_node *found = NULL;
    for (size_t i = 0;
         i < node->n_items && wpa_yaml_full(node->items[i]).start < broken->span.start; i++) {
        found = node->items[i];
    }
    if (node->kind == WPA_YAML_SEQUENCE) {
        bool is_inside =
            found && column_of(node->doc, wpa_yaml_full(found).start) <= broken->indent;
        return is_inside ? found : NULL;
    }
    const wpa_yaml_pair *pair = NULL;
    for (size_t i = 0;
         i < node->n_pairs && wpa_yaml_full(node->pairs[i].key).start < broken->span.start; i++) {
        pair = &node->pairs[i];
    }
    size_t own = pair ? column_of(node->doc, wpa_yaml_full(pair->key).start) : 0;
    bool is_list = pair && (pair->value->kind == WPA_YAML_SEQUENCE || pair->value->length == 0);
    bool is_inside =
        pair && (broken->indent > own || (broken->indent == own && broken->is_item && is_list));
    return is_inside ? pair->value : NULL;
}

void wpa_yaml_mark_broken(wpa_yaml_doc *doc, const wpa_yaml_broken *broken)
{
    doc->is_partial = true;
    for (wpa_yaml_node *node = doc->root; node; node = child_before(node, broken)) {
        node->is_incomplete = true;
    }
}
