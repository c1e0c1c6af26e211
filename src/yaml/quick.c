/*
 * The YAML that nearly all workflows are written in, read in one pass over the bytes: block
 * mappings and sequences, plain and quoted scalars, literal and folded blocks, flow collections,
 * anchors and aliases. What is anything else, or might be a mistake, is given up at once and left
 * to libyaml, which stays the judge of all that: what is read here comes out as libyaml reads it,
 * to the byte.
 */
#include "yaml/quick.h"

#include <string.h>

typedef wpa_quick_reader reader;

#define DEPTH_MAX 40
#define EVENTS_MAX 100000
/* libyaml takes nothing longer than 1024 characters for a key. */
#define KEY_MAX_BYTES 1000
/** What stands here has the anchor in front of it, if there is one. */
static void take_anchored(reader *r, wpa_yaml_event *event)
{
    r->n++;
    if (r->anchor) {
        event->anchor = r->anchor;
        event->span.start = r->anchor_at;
        r->anchor = NULL;
    }
}

static void add_scalar(reader *r, wpa_yaml_event *scalar)
{
    take_anchored(r, scalar);
#ifdef WPA_SANITIZED /* each text as an allocation of its own, so that overruns are seen */
    scalar->is_kept = false;
#endif
    wpa_yaml_build_scalar(r->b, scalar);
}

static void add_start(reader *r, wpa_yaml_kind kind, wpa_yaml_style style, wpa_span span)
{
    wpa_yaml_event event = {.style = style, .span = span};
    take_anchored(r, &event);
    wpa_yaml_build_start(r->b, kind, &event);
}

static void add_end(reader *r)
{
    r->n++;
    wpa_yaml_build_end(r->b, r->at);
}

/* ---- from token to token ----------------------------------------------------------------------*/

static void skip_line(reader *r)
{
    const char *rest = r->text + r->at;
    r->at += (size_t)(strchrnul(rest, '\n') - rest);
}

/** One begins here, and may be all that stands on its line. */
static void take_comment(reader *r, bool is_own_line)
{
    size_t start = r->at;
    skip_line(r);
    wpa_yaml_add_comment(r->b, (wpa_span){start, r->at}, is_own_line);
}

/** Through blanks and a comment; false if anything else is left on the line. */
static bool finish_line(reader *r)
{
    size_t from = r->at;
    wpa_quick_skip_spaces(r);
    if (r->text[r->at] == '#' && r->at > from) {
        take_comment(r, false);
    }
    return wpa_quick_is_end(r->text[r->at]);
}

/** To the next token of this line, which has only begun, or of one below. */
static bool find_token(reader *r)
{
    for (;; r->at++) {
        r->line_start = r->at;
        r->at += wpa_quick_indent_at(r->text + r->at);
        char c = r->text[r->at];
        if (c == '#') {
            take_comment(r, true);
            c = r->text[r->at];
        }
        if (c == '\0') {
            r->column = WPA_QUICK_NO_COLUMN;
            return true;
        }
        if (c != '\n') {
            r->column = (int)(r->at - r->line_start);
            bool is_odd = r->column == 0 && (c == '%' || wpa_quick_is_marker(r->text + r->at));
            return c != '\t' && !is_odd;
        }
    }
}

/** To the next token below; this line has to be over. */
static bool next_line(reader *r)
{
    if (!finish_line(r)) {
        return false;
    }
    r->at += r->text[r->at] == '\n';
    return find_token(r);
}

static bool is_entry(const reader *r)
{
    return r->text[r->at] == '-' && wpa_quick_is_blank(r->text[r->at + 1]);
}

/* ---- scalars ----------------------------------------------------------------------------------*/

/** Past the colon if the scalar before it is a key. */
static bool take_colon(reader *r, const wpa_yaml_event *scalar)
{
    size_t at = r->at;
    while (r->text[at] == ' ') {
        at++;
    }
    bool is_key = r->text[at] == ':' && wpa_quick_is_blank(r->text[at + 1]) &&
                  scalar->span.start >= r->line_start &&
                  wpa_span_length(scalar->span) <= KEY_MAX_BYTES &&
                  at - scalar->span.end <= KEY_MAX_BYTES - wpa_span_length(scalar->span);
    r->at = is_key ? at + 1 : r->at;
    return is_key;
}

/* ---- literal and folded blocks ----------------------------------------------------------------*/

/* Where the text is put together. */
typedef struct block {
    char *text;
    size_t n, indent;
    size_t n_breaks;                      /* empty lines above the line at hand */
    size_t end;                           /* behind the last line break */
    bool is_folded, has_break, was_blank; /* of the line before */
} block;

static void put_breaks(block *b, size_t n)
{
    if (n == 1) { /* as nearly all are */
        b->text[b->n] = '\n';
    } else {
        memset(b->text + b->n, '\n', n);
    }
    b->n += n;
}

/* Past empty lines and the indentation of the line behind them. */
static bool skip_breaks(reader *r, block *b, bool *is_over)
{
    for (;;) {
        size_t spaces = wpa_quick_indent_at(r->text + r->at);
        bool is_inside = spaces >= b->indent;
        r->at += is_inside ? b->indent : spaces;
        if (r->text[r->at] != '\n') {
            *is_over = !is_inside || r->text[r->at] == '\0';
            return is_inside || r->text[r->at] != '\t';
        }
        b->end = ++r->at;
        b->n_breaks++;
    }
}

static void put_line(reader *r, block *b)
{
    bool is_blank = wpa_yaml_is_blank(r->text[r->at]);
    if (b->is_folded && b->has_break && !b->was_blank && !is_blank) {
        b->text[b->n] = ' ';
        b->n += b->n_breaks == 0;
    } else {
        put_breaks(b, b->has_break);
    }
    put_breaks(b, b->n_breaks);
    size_t from = r->at;
    skip_line(r);
    memcpy(b->text + b->n, r->text + from, r->at - from);
    b->n += r->at - from;
    b->n_breaks = 0;
    b->was_blank = is_blank;
    b->has_break = r->text[r->at] == '\n';
    r->at += b->has_break;
    b->end = r->at;
}

/** The first line that is not empty tells the indentation; false if none is deep enough. */
static bool find_indent(reader *r, block *b, int parent)
{
    size_t widest = 0, at = r->at, line = at;
    for (;; line = ++at) {
        while (r->text[at] == ' ') {
            at++;
        }
        if (r->text[at] != '\n') {
            break;
        }
        widest = at - line > widest ? at - line : widest;
    }
    b->indent = at - line;
    return !wpa_quick_is_end(r->text[at]) && r->text[at] != '\t' && (int)b->indent > parent &&
           b->indent > 0 && widest <= b->indent;
}

static bool read_block(reader *r, int parent)
{
    size_t start = r->at;
    block b = {.is_folded = r->text[r->at++] == '>'};
    char chomping = r->text[r->at];
    r->at += chomping == '-' || chomping == '+';
    if (!finish_line(r) || r->text[r->at++] == '\0' || !find_indent(r, &b, parent)) {
        return false;
    }
    b.text = r->kept + start;
    for (bool is_over = false; skip_breaks(r, &b, &is_over);) {
        if (!is_over) {
            put_line(r, &b);
            continue;
        }
        put_breaks(&b, b.has_break && chomping != '-');
        put_breaks(&b, chomping == '+' ? b.n_breaks : 0);
        wpa_yaml_event scalar = {.kind = WPA_YAML_EVENT_SCALAR,
                                 .style = b.is_folded ? WPA_YAML_FOLDED : WPA_YAML_LITERAL,
                                 .span = {start, b.end}};
        wpa_quick_keep(r, &scalar, start, b.n);
        add_scalar(r, &scalar);
        r->at = b.end;
        return find_token(r);
    }
    return false;
}

/* ---- flow collections -------------------------------------------------------------------------*/

static bool skip_flow_space(reader *r)
{
    for (;; r->at++) {
        size_t from = r->at;
        wpa_quick_skip_spaces(r);
        char c = r->text[r->at];
        bool is_line = from > 0 && r->text[from - 1] == '\n';
        if (is_line && r->at == from && (c == '%' || wpa_quick_is_marker(r->text + from))) {
            return false;
        }
        if (c == '#') {
            if (r->at == from && !is_line) {
                return false;
            }
            take_comment(r, is_line);
            c = r->text[r->at];
        }
        if (c != '\n') {
            return c != '\t' && c != '\0';
        }
    }
}

static bool read_flow(reader *r);

static bool read_flow_item(reader *r)
{
    wpa_yaml_event scalar;
    char c = r->text[r->at];
    if (c == '[' || c == '{') {
        return read_flow(r);
    }
    if (r->n > EVENTS_MAX || !wpa_quick_scan(r, true, &scalar)) {
        return false;
    }
    add_scalar(r, &scalar);
    return true;
}

static bool read_flow_key(reader *r)
{
    wpa_yaml_event key;
    if (!wpa_quick_scan(r, true, &key) || !take_colon(r, &key)) {
        return false;
    }
    add_scalar(r, &key);
    return skip_flow_space(r);
}

static bool read_flow(reader *r)
{
    bool is_mapping = r->text[r->at] == '{';
    char close = is_mapping ? '}' : ']';
    if (++r->depth > DEPTH_MAX) {
        return false;
    }
    add_start(r, is_mapping ? WPA_YAML_MAPPING : WPA_YAML_SEQUENCE, WPA_YAML_FLOW,
              (wpa_span){r->at, r->at + 1});
    r->at++;
    for (;;) {
        if (!skip_flow_space(r)) {
            return false;
        }
        if (r->text[r->at] == close) {
            break;
        }
        if ((is_mapping && !read_flow_key(r)) || !read_flow_item(r) || !skip_flow_space(r)) {
            return false;
        }
        if (r->text[r->at] == ',') {
            r->at++;
        } else if (r->text[r->at] != close) {
            return false;
        }
    }
    r->at++;
    add_end(r);
    r->depth--;
    return true;
}

/* ---- block collections ------------------------------------------------------------------------*/

/* Each of these begins at its first token and ends at the first token behind it. */
static bool read_node(reader *r, int parent);

/** Nothing deeper than what the scalar is in comes behind it. */
static bool end_scalar(reader *r, int parent)
{
    return next_line(r) && r->column <= parent;
}

/** The line below is deeper than what a plain scalar is in: then it goes on there. */
static bool go_on(reader *r, int parent, wpa_yaml_event *scalar)
{
    if (scalar->style != WPA_YAML_PLAIN || !wpa_quick_go_on(r, parent, scalar)) {
        return false;
    }
    add_scalar(r, scalar);
    return end_scalar(r, parent);
}

static bool read_scalar(reader *r, int parent, wpa_yaml_event *scalar)
{
    size_t end = r->at, n_comments = r->b->doc->n_comments;
    if (!next_line(r)) {
        return false;
    }
    if (r->column > parent) {
        r->at = end;
        return r->b->doc->n_comments == n_comments && go_on(r, parent, scalar);
    }
    add_scalar(r, scalar);
    return true;
}

/** Past "&name" or "*name"; NULL if it is none, or something else comes right behind it. */
static const char *take_name(reader *r)
{
    static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t length = strspn(r->text + r->at + 1, chars);
    const char *name = wpa_arena_slice(r->b->scratch, r->text + r->at + 1, length);
    r->at += 1 + length;
    return length && wpa_quick_is_blank(r->text[r->at]) ? name : NULL;
}

/** Past an anchor, if there is one, to the node on its line; one in front of a key is the key's,
    and is given up. */
static bool take_anchor(reader *r)
{
    if (r->text[r->at] != '&') {
        return true;
    }
    size_t start = r->at;
    const char *name = r->anchor ? NULL : take_name(r);
    r->anchor = name;
    r->anchor_at = start;
    wpa_quick_skip_spaces(r);
    return name != NULL;
}

static bool read_alias(reader *r, int parent)
{
    size_t start = r->at;
    const char *name = r->anchor ? NULL : take_name(r);
    if (!name) {
        return false;
    }
    const wpa_yaml_event alias = {
        .kind = WPA_YAML_EVENT_ALIAS, .span = {start, r->at}, .anchor = name};
    r->n++;
    wpa_yaml_build(r->b, &alias);
    return end_scalar(r, parent);
}

/** Behind a colon, or a dash, which ends at empty_at. */
static bool read_below(reader *r, int parent, bool is_value, size_t empty_at);

static bool read_sequence(reader *r, int parent)
{
    int column = r->column;
    add_start(r, WPA_YAML_SEQUENCE, WPA_YAML_BLOCK, (wpa_span){r->at, r->at});
    while (r->column == column && is_entry(r)) {
        size_t dash_end = ++r->at;
        wpa_quick_skip_spaces(r);
        r->column = (int)(r->at - r->line_start);
        bool is_empty = wpa_quick_is_end(r->text[r->at]) || r->text[r->at] == '#';
        if (is_empty ? !read_below(r, column, false, dash_end) : !read_node(r, column)) {
            return false;
        }
    }
    add_end(r);
    return r->column < column || (r->column == column && column == parent);
}

static bool read_below(reader *r, int parent, bool is_value, size_t empty_at)
{
    if (r->text[r->at] == '#') {
        take_comment(r, false);
    }
    if (!next_line(r)) {
        return false;
    }
    if (r->column > parent) {
        return read_node(r, parent);
    }
    if (is_value && r->column == parent && is_entry(r)) {
        return read_sequence(r, parent);
    }
    if (r->anchor) {
        return false;
    }
    wpa_yaml_event empty = {.style = WPA_YAML_PLAIN, .span = {empty_at, empty_at}, .text = ""};
    add_scalar(r, &empty);
    return true;
}

static bool read_value(reader *r, int parent)
{
    size_t colon_end = r->at;
    wpa_quick_skip_spaces(r);
    if (!take_anchor(r)) {
        return false;
    }
    char c = r->text[r->at];
    if (wpa_quick_is_end(c) || c == '#') {
        return read_below(r, parent, true, colon_end);
    }
    if (c == '|' || c == '>') {
        return read_block(r, parent);
    }
    wpa_yaml_event scalar;
    if (c == '[' || c == '{') {
        return read_flow(r) && next_line(r);
    }
    if (c == '*') {
        return read_alias(r, parent);
    }
    return wpa_quick_scan(r, false, &scalar) && read_scalar(r, parent, &scalar);
}

static bool read_mapping(reader *r, wpa_yaml_event *key, int column)
{
    add_start(r, WPA_YAML_MAPPING, WPA_YAML_BLOCK, (wpa_span){key->span.start, key->span.start});
    for (;;) {
        add_scalar(r, key);
        if (!read_value(r, column)) {
            return false;
        }
        if (r->column != column) {
            break;
        }
        if (!wpa_quick_scan(r, false, key) || !take_colon(r, key)) {
            return false;
        }
    }
    add_end(r);
    return r->column < column;
}

static bool read_node_at(reader *r, int parent)
{
    wpa_yaml_event scalar;
    int column = r->column;
    size_t start = r->at;
    if (is_entry(r)) {
        return read_sequence(r, parent);
    }
    if (!take_anchor(r)) {
        return false;
    }
    char c = r->text[r->at];
    if (r->at > start && (wpa_quick_is_end(c) || c == '#')) {
        return read_below(r, parent, false, r->at);
    }
    if (c == '|' || c == '>') {
        return read_block(r, parent);
    }
    if (c == '[' || c == '{') {
        return read_flow(r) && next_line(r);
    }
    if (c == '*') {
        return read_alias(r, parent);
    }
    if (!wpa_quick_scan(r, false, &scalar)) {
        return false;
    }
    if (take_colon(r, &scalar)) {
        return r->text[start] != '&' && read_mapping(r, &scalar, column);
    }
    return read_scalar(r, parent, &scalar);
}

static bool read_node(reader *r, int parent)
{
    r->depth++;
    bool is_read = r->depth <= DEPTH_MAX && r->n <= EVENTS_MAX && read_node_at(r, parent);
    r->depth--;
    return is_read;
}

/* ---- the document -----------------------------------------------------------------------------*/

/** "---" above all else is no more than that. */
static bool begin(reader *r)
{
    if (find_token(r)) {
        return true;
    }
    if (r->column != 0 || strncmp(r->text + r->at, "---", 3) != 0) {
        return false;
    }
    r->at += 3;
    return next_line(r);
}

bool wpa_yaml_read_quickly(wpa_yaml_builder *b, const char *text)
{
    const wpa_yaml_doc *doc = b->doc;
    if (!doc->is_plain && memchr(text, '\r', doc->size_bytes)) {
        return false;
    }
    reader r = {.text = text, .b = b};
    r.kept = wpa_arena_dup(doc->arena, text, doc->size_bytes + 1);
    return begin(&r) && r.column != WPA_QUICK_NO_COLUMN && read_node(&r, WPA_QUICK_NO_COLUMN) &&
           r.column == WPA_QUICK_NO_COLUMN && doc->root->kind != WPA_YAML_SCALAR && !b->is_stopped;
}
