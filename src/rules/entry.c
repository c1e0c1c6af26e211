/* Edits on whole entries of collections, for the repairs of rules. */
#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#include "rules/rule.h"

#define INSERT_MAX_BYTES ((size_t)64 * 1024)

static size_t start_of_entry(const wpa_yaml_node *value)
{
    return value->key ? wpa_yaml_full(value->key).start : wpa_yaml_dash(value);
}

static bool is_by_lines(const wpa_yaml_node *value)
{
    if (!value->parent || value->parent->style != WPA_YAML_BLOCK) {
        return false;
    }
    const wpa_yaml_doc *doc = value->doc;
    wpa_span entry = wpa_yaml_entry_span(value);
    /* Something else in front on the line is fine for what comes behind, if it ends its line. */
    return entry.end > entry.start &&
           (entry.end == doc->size_bytes || doc->source[entry.end - 1] == '\n');
}

/** Blanks up to the entry's column: what stands before it on the line may be a dash. */
static size_t column_of(const wpa_yaml_node *value)
{
    size_t start = start_of_entry(value);
    wpa_span line = wpa_yaml_line(value->doc, wpa_yaml_line_of(value->doc, start));
    return start - line.start;
}

static const char *indent_lines(const char *text, size_t n_blanks, const wpa_yaml_doc *doc,
                                wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(INSERT_MAX_BYTES);
    while (*text) {
        size_t length = strcspn(text, "\n");
        wpa_buf_printf(buf, "%*s", length ? (int)n_blanks : 0, "");
        wpa_buf_append(buf, text, length);
        wpa_buf_text(buf, doc->has_crlf ? "\r\n" : "\n");
        text += length + (text[length] == '\n');
    }
    return wpa_buf_is_full(buf) ? NULL : wpa_buf_dup(buf, arena);
}

static WPA_PRINTF(3, 0) const char *format_lines(wpa_rule_run *run, const wpa_yaml_node *value,
                                                 const char *format, va_list values)
{
    const char *text = wpa_arena_vprintf(run->arena, format, values);
    return indent_lines(text, column_of(value), value->doc, run->arena);
}

bool wpa_rule_insert_behind(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_node *value,
                            const char *format, ...)
{
    if (!is_by_lines(value)) {
        return false;
    }
    va_list values;
    va_start(values, format);
    const char *lines = format_lines(run, value, format, values);
    va_end(values);
    size_t end = wpa_yaml_entry_span(value).end;
    bool needs_break = end && value->doc->source[end - 1] != '\n';
    if (lines && needs_break) { /* the file ends without a line break, and goes on doing so */
        const char *line_break = value->doc->has_crlf ? "\r\n" : "\n";
        size_t length = strlen(lines) - strlen(line_break);
        wpa_rule_edit_in(run, fix, value->doc, (wpa_span){end, end}, "%s%.*s", line_break,
                         (int)length, lines);
    } else if (lines) {
        wpa_rule_edit_in(run, fix, value->doc, (wpa_span){end, end}, "%s", lines);
    }
    return lines != NULL;
}

static bool is_blank(const wpa_yaml_doc *doc, size_t line)
{
    wpa_span span = wpa_yaml_line(doc, line);
    return strspn(doc->source + span.start, " \t") >= wpa_span_length(span);
}

/*
 * The first of the comment lines right above this one, in its column: they are about what follows
 * them. The line itself if there are none, or if they are the first of the file, which are about
 * all of it.
 */
static size_t line_with_comments(const wpa_yaml_doc *doc, size_t line, size_t column)
{
    size_t first = line;
    for (; first > 1; first--) {
        const char *text = doc->source + wpa_yaml_line(doc, first - 1).start;
        if (strspn(text, " ") != column || text[column] != '#') {
            return wpa_text_starts(text, "---") ? line : first;
        }
    }
    return line;
}

/* Where an entry in front of this one begins; false: it stands behind something on its line. */
static bool find_line_before(const wpa_yaml_node *value, size_t *line)
{
    size_t start = start_of_entry(value);
    size_t own = wpa_yaml_line_of(value->doc, start);
    size_t column = start - wpa_yaml_line(value->doc, own).start;
    bool begins_line = strspn(value->doc->source + start - column, " ") == column;
    *line = begins_line ? line_with_comments(value->doc, own, column) : own;
    return begins_line && is_by_lines(value);
}

static bool insert_at(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_doc *doc, size_t line,
                      const char *lines)
{
    size_t start = wpa_yaml_line(doc, line).start;
    if (lines) {
        wpa_rule_edit_in(run, fix, doc, (wpa_span){start, start}, "%s", lines);
    }
    return lines != NULL;
}

bool wpa_rule_insert_before(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_node *value,
                            const char *format, ...)
{
    size_t line;
    if (!find_line_before(value, &line)) {
        return false;
    }
    va_list values;
    va_start(values, format);
    const char *lines = format_lines(run, value, format, values);
    va_end(values);
    return insert_at(run, fix, value->doc, line, lines);
}

bool wpa_rule_insert_section(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_node *value,
                             const char *text)
{
    size_t line;
    if (!find_line_before(value, &line)) {
        return false;
    }
    bool has_blank = line > 1 && is_blank(value->doc, line - 1);
    const char *lines = wpa_arena_printf(run->arena, "%s\n%s", text, has_blank ? "\n" : "");
    lines = indent_lines(lines, column_of(value), value->doc, run->arena);
    return insert_at(run, fix, value->doc, line, lines);
}

/* Of the i-th entry of a flow collection, key and anchor with it. */
static wpa_span span_in_flow(const wpa_yaml_node *flow, size_t i)
{
    bool is_list = flow->kind == WPA_YAML_SEQUENCE;
    const wpa_yaml_node *value = is_list ? flow->items[i] : flow->pairs[i].value;
    const wpa_yaml_node *first = is_list ? value : flow->pairs[i].key;
    wpa_span whole = {wpa_yaml_full(first).start, wpa_yaml_full(value).end};
    size_t key_end = wpa_yaml_full(first).end;
    return (wpa_span){whole.start, whole.end > key_end ? whole.end : key_end};
}

/* "[a, b]" loses b with the comma in front, or a with the one behind; within one line alone, where
 * no comment can stand between. */
static bool remove_in_flow(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_node *value)
{
    const wpa_yaml_node *flow = value->parent;
    bool is_list = flow->kind == WPA_YAML_SEQUENCE;
    size_t n = is_list ? flow->n_items : flow->n_pairs, i = 0;
    while (i < n && (is_list ? flow->items[i] : flow->pairs[i].value) != value) {
        i++;
    }
    if (n < 2 || i == n) {
        return false;
    }
    wpa_span own = span_in_flow(flow, i);
    wpa_span gone = i ? (wpa_span){span_in_flow(flow, i - 1).end, own.end}
                      : (wpa_span){own.start, span_in_flow(flow, 1).start};
    bool is_one_line = gone.end > gone.start &&
                       !memchr(value->doc->source + gone.start, '\n', wpa_span_length(gone));
    if (is_one_line) {
        wpa_rule_edit_in(run, fix, value->doc, gone, "%s", "");
    }
    return is_one_line;
}

/* With the blank line behind an entry that has one in front as well: one parts its neighbours. */
static wpa_span with_blank_line(const wpa_yaml_doc *doc, wpa_span entry)
{
    size_t first = wpa_yaml_line_of(doc, entry.start);
    bool has_both = first > 1 && entry.end < doc->size_bytes && is_blank(doc, first - 1) &&
                    is_blank(doc, wpa_yaml_line_of(doc, entry.end));
    return (wpa_span){entry.start, has_both ? wpa_yaml_line_end(doc, entry.end) : entry.end};
}

bool wpa_rule_remove_entry(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_node *value)
{
    if (value->parent && value->parent->style == WPA_YAML_FLOW) {
        return remove_in_flow(run, fix, value);
    }
    if (!is_by_lines(value)) {
        return false;
    }
    const wpa_yaml_node *parent = value->parent;
    wpa_span entry = wpa_yaml_entry_span(value);
    wpa_span line = wpa_yaml_line(value->doc, wpa_yaml_line_of(value->doc, entry.start));
    bool is_only = parent->n_pairs + parent->n_items <= 1;
    if (is_only || entry.start != line.start) {
        return false;
    }
    wpa_rule_edit_in(run, fix, value->doc, with_blank_line(value->doc, entry), "%s", "");
    return true;
}

/* "{a: b}" gets ", key: value" in front of its brace. */
static bool add_in_flow(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_node *flow, const char *key,
                        const char *value)
{
    size_t end =
        flow->n_pairs ? flow->pairs[flow->n_pairs - 1].value->span.end : flow->span.start + 1;
    wpa_rule_edit_in(run, fix, flow->doc, (wpa_span){end, end}, "%s%s: %s",
                     flow->n_pairs ? ", " : "", key, value);
    return true;
}

bool wpa_rule_add_in(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_node *mapping,
                     const char *group, const char *behind, const char *key, const char *value)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(mapping, group);
    if (!pair) {
        const wpa_yaml_pair *neighbour = wpa_yaml_find(mapping, behind);
        return neighbour && neighbour->value->parent == mapping &&
               wpa_rule_insert_behind(run, fix, neighbour->value, "%s:\n  %s: %s", group, key,
                                      value);
    }
    const wpa_yaml_node *entries = pair->value;
    if (entries->kind != WPA_YAML_MAPPING || wpa_yaml_n_uses(entries)) {
        return false; /* an alias, or an anchor: others would get it too */
    }
    if (entries->style == WPA_YAML_FLOW) {
        return add_in_flow(run, fix, entries, key, value);
    }
    return entries->n_pairs &&
           wpa_rule_insert_behind(run, fix, entries->pairs[entries->n_pairs - 1].value, "%s: %s",
                                  key, value);
}

wpa_fix *wpa_rule_rewrite(wpa_rule_run *run, wpa_finding *finding, const wpa_yaml_node *scalar,
                          const char *text)
{
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "write it as %s", text);
    wpa_rule_edit(run, fix, wpa_yaml_source_span(scalar, 0, scalar->length), "%s", text);
    return fix;
}
