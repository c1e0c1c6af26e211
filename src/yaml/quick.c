/*
 * The YAML that nearly all workflows are written in, read in one pass over the bytes: block
 * mappings and sequences, scalars of one line, literal and folded blocks, flow collections. What
 * is anything else, or might be a mistake, is given up at once and left to libyaml, which stays
 * the judge of all that: what is read here comes out as libyaml reads it, to the byte.
 */
#include <string.h>

#include "core/room.h"
#include "yaml/builder.h"

#define DEPTH_MAX 40
#define EVENTS_MAX 100000
/* libyaml takes nothing longer than 1024 characters for a key. */
#define KEY_MAX_BYTES 1000
#define NO_COLUMN (-1)

typedef struct reader {
    const char *text; /* no '\0' in it, one behind it */
    size_t at;
    size_t line_start; /* of the line of the token at hand */
    int column;        /* of the token at hand; NO_COLUMN: there is none left */
    int depth;
    wpa_yaml_builder *b;
    size_t n;    /* of events */
    char *block; /* room for the text of any literal or folded block */
} reader;

static bool is_end(char c)
{
    return c == '\n' || c == '\0';
}

static bool is_blank_or_end(char c)
{
    return c == ' ' || is_end(c);
}

static void add_event(reader *r, const wpa_yaml_event *event)
{
    r->n++;
    wpa_yaml_build(r->b, event);
}

static void add(reader *r, wpa_yaml_event_kind kind, wpa_yaml_style style, size_t start, size_t end)
{
    const wpa_yaml_event event = {.kind = kind, .style = style, .span = {start, end}, .text = ""};
    add_event(r, &event);
}

/* ---- from token to token ----------------------------------------------------------------------*/

static void skip_spaces(reader *r)
{
    while (r->text[r->at] == ' ') {
        r->at++;
    }
}

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
    skip_spaces(r);
    if (r->text[r->at] == '#' && r->at > from) {
        take_comment(r, false);
    }
    return is_end(r->text[r->at]);
}

static bool is_marker(const char *at)
{
    bool is_three = (at[0] == '-' || at[0] == '.') && at[1] == at[0] && at[2] == at[0];
    return is_three && (is_blank_or_end(at[3]) || at[3] == '\t');
}

/** To the next token of this line, which has only begun, or of one below. */
static bool find_token(reader *r)
{
    for (;; r->at++) {
        r->line_start = r->at;
        skip_spaces(r);
        char c = r->text[r->at];
        if (c == '#') {
            take_comment(r, true);
            c = r->text[r->at];
        }
        if (c == '\0') {
            r->column = NO_COLUMN;
            return true;
        }
        if (c != '\n') {
            r->column = (int)(r->at - r->line_start);
            bool is_odd = r->column == 0 && (c == '%' || is_marker(r->text + r->at));
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
    return r->text[r->at] == '-' && is_blank_or_end(r->text[r->at + 1]);
}

/* ---- scalars of one line ----------------------------------------------------------------------*/

/* What may end a plain scalar, or may not be in one. */
static const bool is_special[256] = {
    ['\0'] = true, ['\n'] = true, ['\t'] = true, [' '] = true, ['#'] = true, [':'] = true,
    [','] = true,  ['['] = true,  [']'] = true,  ['{'] = true, ['}'] = true, ['?'] = true,
};

/* What none begins with. */
static const bool is_indicator[256] = {
    ['\0'] = true, ['\n'] = true, ['\t'] = true, [' '] = true,  ['?'] = true, [':'] = true,
    [','] = true,  ['['] = true,  [']'] = true,  ['{'] = true,  ['}'] = true, ['#'] = true,
    ['&'] = true,  ['*'] = true,  ['!'] = true,  ['|'] = true,  ['>'] = true, ['\''] = true,
    ['"'] = true,  ['%'] = true,  ['@'] = true,  ['`'] = true,
};

static bool begins_plain(const char *at)
{
    return *at == '-' ? !is_blank_or_end(at[1]) && at[1] != '\t'
                      : !is_indicator[(unsigned char)*at];
}

/* The scalar's end is behind its last character that is no blank. */
static bool scan_plain(reader *r, bool is_flow, wpa_yaml_event *scalar)
{
    const char *text = r->text;
    size_t start = r->at, at = start;
    if (!begins_plain(text + at)) {
        return false;
    }
    for (;; at++) {
        while (!is_special[(unsigned char)text[at]]) {
            at++;
        }
        char c = text[at];
        if (is_end(c) || (c == ' ' && text[at + 1] == '#') ||
            (c == ':' && is_blank_or_end(text[at + 1])) ||
            (is_flow && c != '?' && c != ':' && c != ' ' && c != '#' && c != '\t')) {
            break;
        }
        if (c == '\t' || (c == ':' && text[at + 1] == '\t') || (is_flow && c == '?') ||
            (is_flow && c == ':' && strchr(",?[]{}", text[at + 1]))) {
            return false;
        }
    }
    r->at = at;
    while (text[at - 1] == ' ') {
        at--;
    }
    *scalar = (wpa_yaml_event){.kind = WPA_YAML_EVENT_SCALAR,
                               .style = WPA_YAML_PLAIN,
                               .span = {start, at},
                               .text = text + start,
                               .length = at - start};
    return true;
}

/* The few escapes that are written; '\0' for others. */
static char unescaped(char c)
{
    static const char written[] = "\\\"/nrt", meant[] = "\\\"/\n\r\t";
    const char *at = c ? strchr(written, c) : NULL;
    return at ? meant[at - written] : '\0';
}

static bool scan_quoted(reader *r, wpa_yaml_event *scalar)
{
    const char *text = r->text;
    char quote = text[r->at];
    size_t start = r->at, end = start + 1, n_escapes = 0;
    for (; text[end] != quote || (quote == '\'' && text[end + 1] == quote); end++) {
        bool is_escape = text[end] == quote || (quote == '"' && text[end] == '\\');
        if (is_end(text[end]) || (is_escape && text[end] == '\\' && !unescaped(text[end + 1]))) {
            return false;
        }
        n_escapes += is_escape;
        end += is_escape;
    }
    r->at = end + 1;
    *scalar =
        (wpa_yaml_event){.kind = WPA_YAML_EVENT_SCALAR,
                         .style = quote == '\'' ? WPA_YAML_SINGLE_QUOTED : WPA_YAML_DOUBLE_QUOTED,
                         .span = {start, end + 1},
                         .text = text + start + 1,
                         .length = end - start - 1 - n_escapes,
                         .is_escaped = n_escapes && quote == '"'};
    if (n_escapes) {
        char *value = wpa_arena_room(r->b->scratch, scalar->length + 1);
        for (size_t i = start + 1, n = 0; i < end; i++) {
            bool is_escape = text[i] == quote || (quote == '"' && text[i] == '\\');
            i += is_escape;
            value[n++] = is_escape && quote == '"' ? unescaped(text[i]) : text[i];
        }
        scalar->text = value;
    }
    return true;
}

static bool scan_scalar(reader *r, bool is_flow, wpa_yaml_event *scalar)
{
    char c = r->text[r->at];
    return c == '\'' || c == '"' ? scan_quoted(r, scalar) : scan_plain(r, is_flow, scalar);
}

/** Past the colon if the scalar before it is a key. */
static bool take_colon(reader *r, const wpa_yaml_event *scalar)
{
    size_t at = r->at;
    while (r->text[at] == ' ') {
        at++;
    }
    bool is_key = r->text[at] == ':' && is_blank_or_end(r->text[at + 1]) &&
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
    memset(b->text + b->n, '\n', n);
    b->n += n;
}

/* Past empty lines and the indentation of the line behind them. */
static bool skip_breaks(reader *r, block *b, bool *is_over)
{
    for (;;) {
        size_t line = r->at;
        while (r->at - line < b->indent && r->text[r->at] == ' ') {
            r->at++;
        }
        bool is_inside = r->at - line == b->indent;
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
    return !is_end(r->text[at]) && r->text[at] != '\t' && (int)b->indent > parent &&
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
    b.text = r->block;
    for (bool is_over = false; skip_breaks(r, &b, &is_over);) {
        if (!is_over) {
            put_line(r, &b);
            continue;
        }
        put_breaks(&b, b.has_break && chomping != '-');
        put_breaks(&b, chomping == '+' ? b.n_breaks : 0);
        const wpa_yaml_event scalar = {.kind = WPA_YAML_EVENT_SCALAR,
                                       .style = b.is_folded ? WPA_YAML_FOLDED : WPA_YAML_LITERAL,
                                       .span = {start, b.end},
                                       .text = b.text,
                                       .length = b.n};
        add_event(r, &scalar);
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
        skip_spaces(r);
        char c = r->text[r->at];
        bool is_line = from > 0 && r->text[from - 1] == '\n';
        if (is_line && r->at == from && (c == '%' || is_marker(r->text + from))) {
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
    if (r->n > EVENTS_MAX || !scan_scalar(r, true, &scalar)) {
        return false;
    }
    add_event(r, &scalar);
    return true;
}

static bool read_flow_key(reader *r)
{
    wpa_yaml_event key;
    if (!scan_scalar(r, true, &key) || !take_colon(r, &key)) {
        return false;
    }
    add_event(r, &key);
    return skip_flow_space(r);
}

static bool read_flow(reader *r)
{
    bool is_mapping = r->text[r->at] == '{';
    char close = is_mapping ? '}' : ']';
    if (++r->depth > DEPTH_MAX) {
        return false;
    }
    add(r, is_mapping ? WPA_YAML_EVENT_MAPPING : WPA_YAML_EVENT_SEQUENCE, WPA_YAML_FLOW, r->at,
        r->at + 1);
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
    add(r, WPA_YAML_EVENT_END, WPA_YAML_FLOW, r->at - 1, r->at);
    r->depth--;
    return true;
}

/* ---- block collections ------------------------------------------------------------------------*/

/* Each of these begins at its first token and ends at the first token behind it. */
static bool read_node(reader *r, int parent);

/** A plain scalar goes on in a line below that is deeper than what it is in: libyaml folds it. */
static bool end_scalar(reader *r, int parent)
{
    return next_line(r) && r->column <= parent;
}

/** Behind a colon, or a dash, which ends at empty_at. */
static bool read_below(reader *r, int parent, bool is_value, size_t empty_at);

static bool read_sequence(reader *r, int parent)
{
    int column = r->column;
    add(r, WPA_YAML_EVENT_SEQUENCE, WPA_YAML_BLOCK, r->at, r->at);
    while (r->column == column && is_entry(r)) {
        size_t dash_end = ++r->at;
        skip_spaces(r);
        r->column = (int)(r->at - r->line_start);
        bool is_empty = is_end(r->text[r->at]) || r->text[r->at] == '#';
        if (is_empty ? !read_below(r, column, false, dash_end) : !read_node(r, column)) {
            return false;
        }
    }
    add(r, WPA_YAML_EVENT_END, WPA_YAML_BLOCK, r->at, r->at);
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
    add(r, WPA_YAML_EVENT_SCALAR, WPA_YAML_PLAIN, empty_at, empty_at);
    return true;
}

static bool read_value(reader *r, int parent)
{
    size_t colon_end = r->at;
    skip_spaces(r);
    char c = r->text[r->at];
    if (is_end(c) || c == '#') {
        return read_below(r, parent, true, colon_end);
    }
    if (c == '|' || c == '>') {
        return read_block(r, parent);
    }
    wpa_yaml_event scalar;
    if (c == '[' || c == '{') {
        return read_flow(r) && next_line(r);
    }
    if (!scan_scalar(r, false, &scalar)) {
        return false;
    }
    add_event(r, &scalar);
    return end_scalar(r, parent);
}

static bool read_mapping(reader *r, wpa_yaml_event *key, int column)
{
    add(r, WPA_YAML_EVENT_MAPPING, WPA_YAML_BLOCK, key->span.start, key->span.start);
    for (;;) {
        add_event(r, key);
        if (!read_value(r, column)) {
            return false;
        }
        if (r->column != column) {
            break;
        }
        if (!scan_scalar(r, false, key) || !take_colon(r, key)) {
            return false;
        }
    }
    add(r, WPA_YAML_EVENT_END, WPA_YAML_BLOCK, r->at, r->at);
    return r->column < column;
}

static bool read_node_at(reader *r, int parent)
{
    wpa_yaml_event scalar;
    int column = r->column;
    char c = r->text[r->at];
    if (is_entry(r)) {
        return read_sequence(r, parent);
    }
    if (c == '|' || c == '>') {
        return read_block(r, parent);
    }
    if (c == '[' || c == '{') {
        return read_flow(r) && next_line(r);
    }
    if (!scan_scalar(r, false, &scalar)) {
        return false;
    }
    if (take_colon(r, &scalar)) {
        return read_mapping(r, &scalar, column);
    }
    add_event(r, &scalar);
    return end_scalar(r, parent);
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
    if (memchr(text, '\r', doc->size_bytes)) {
        return false;
    }
    reader r = {.text = text, .b = b, .block = wpa_arena_room(b->scratch, doc->size_bytes + 2)};
    return begin(&r) && r.column != NO_COLUMN && read_node(&r, NO_COLUMN) &&
           r.column == NO_COLUMN && doc->root->kind != WPA_YAML_SCALAR;
}
