/* Plain and quoted scalars of the YAML that most write, of one line or of several. */
#include <string.h>

#include "yaml/quick.h"

typedef wpa_quick_reader reader;

/* What may end a plain scalar in a flow collection, or may not be in one. */
static const bool is_special[256] = {
    ['\0'] = true, ['\n'] = true, ['\t'] = true, [' '] = true, ['#'] = true, [':'] = true,
    [','] = true,  ['['] = true,  [']'] = true,  ['{'] = true, ['}'] = true, ['?'] = true,
};

/* What none begins with. */
static const bool is_indicator[256] = {
    ['\0'] = true, ['\n'] = true, ['\t'] = true, [' '] = true, ['?'] = true, [':'] = true,
    [','] = true,  ['['] = true,  [']'] = true,  ['{'] = true, ['}'] = true, ['#'] = true,
    ['&'] = true,  ['*'] = true,  ['!'] = true,  ['|'] = true, ['>'] = true, ['\''] = true,
    ['"'] = true,  ['%'] = true,  ['@'] = true,  ['`'] = true,
};

static bool begins_plain(const char *at)
{
    return *at == '-' ? !wpa_quick_is_blank(at[1]) && at[1] != '\t'
                      : !is_indicator[(unsigned char)*at];
}

static bool skip_flow_plain(reader *r)
{
    const char *text = r->text;
    size_t at = r->at;
    for (;; at++) {
        while (!is_special[(unsigned char)text[at]]) {
            at++;
        }
        char c = text[at];
        if (wpa_quick_is_end(c) || (c == ' ' && text[at + 1] == '#') ||
            (c == ':' && wpa_quick_is_blank(text[at + 1])) ||
            (c != '?' && c != ':' && c != ' ' && c != '#' && c != '\t')) {
            break;
        }
        if (c == '\t' || c == '?' || (c == ':' && strchr("\t,?[]{}", text[at + 1]))) {
            return false;
        }
    }
    r->at = at;
    return true;
}

/** To the next '\0', tab or line feed, or one of two other characters. */
static size_t find_special(const char *text, size_t at, char one, char other)
{
    for (;; at += WPA_LANES) {
        wpa_lanes bytes = wpa_lanes_at(text + at);
        wpa_lanes special = (wpa_lanes)(bytes < ' ') | (wpa_lanes)(bytes == (uint8_t)one) |
                            (wpa_lanes)(bytes == (uint8_t)other);
        unsigned hits = wpa_lanes_bits(special);
        if (hits) {
            return at + (size_t)__builtin_ctz(hits);
        }
    }
}

/** To what ends a plain scalar of a block collection on its line. */
static bool skip_plain(reader *r)
{
    const char *text = r->text;
    for (size_t at = r->at;; at++) {
        at = find_special(text, at, ':', '#');
        char c = text[at], next = text[at + 1];
        bool is_comment = c == '#' && text[at - 1] == ' ';
        if (wpa_quick_is_end(c) || is_comment || (c == ':' && wpa_quick_is_blank(next))) {
            r->at = at - is_comment;
            return true;
        }
        if (c == '\t' || (c == ':' && next == '\t')) {
            return false;
        }
    }
}

/* The scalar's end is behind its last character that is no blank. */
static bool scan_plain(reader *r, bool is_flow, wpa_yaml_event *scalar)
{
    const char *text = r->text;
    size_t start = r->at;
    if (!begins_plain(text + start) || !(is_flow ? skip_flow_plain(r) : skip_plain(r))) {
        return false;
    }
    size_t at = r->at;
    while (text[at - 1] == ' ') {
        at--;
    }
    *scalar = (wpa_yaml_event){
        .kind = WPA_YAML_EVENT_SCALAR, .style = WPA_YAML_PLAIN, .span = {start, at}};
    wpa_quick_keep(r, scalar, start, at - start);
    return true;
}

/** What so many line breaks between two words of a scalar come to; returns where the next goes. */
static size_t fold(char *to, size_t n, size_t n_breaks)
{
    to[n] = ' ';
    memset(to + n, '\n', n_breaks - 1);
    return n + (n_breaks > 1 ? n_breaks - 1 : 1);
}

/** To a line below that a plain scalar goes on in, since it is deeper than what that is in; 0:
   there is none, else how many breaks lie between. */
static size_t skip_to_more(reader *r, int parent)
{
    size_t at = r->at, line = at, n_breaks = 0;
    while (r->text[at] == '\n') {
        n_breaks++;
        line = ++at;
        while (r->text[at] == ' ') {
            at++;
        }
    }
    char c = r->text[at];
    if (!n_breaks || c == '\0' || c == '#' || c == '\t' || (int)(at - line) <= parent) {
        return 0;
    }
    r->at = at;
    r->line_start = line;
    return n_breaks;
}

bool wpa_quick_go_on(reader *r, int parent, wpa_yaml_event *scalar)
{
    char *to = r->kept + scalar->span.start;
    size_t n = scalar->length;
    for (size_t n_breaks; (n_breaks = skip_to_more(r, parent));) {
        size_t from = r->at;
        if (!skip_plain(r) || r->text[r->at] == ':') {
            return false;
        }
        size_t end = r->at;
        while (r->text[end - 1] == ' ') {
            end--;
        }
        n = fold(to, n, n_breaks);
        memcpy(to + n, r->text + from, end - from);
        n += end - from;
        scalar->span.end = end;
    }
    wpa_quick_keep(r, scalar, scalar->span.start, n);
    return true;
}

/* The few escapes that are written; '\0' for others. */
static char unescaped(char c)
{
    static const char written[] = "\\\"/nrt", meant[] = "\\\"/\n\r\t";
    const char *at = c ? strchr(written, c) : NULL;
    return at ? meant[at - written] : '\0';
}

/** Blanks, and line breaks among them, which are folded; false if a document may end there. */
static bool fold_blanks(reader *r, size_t *at, bool is_escaped, char *to, size_t *n)
{
    const char *text = r->text;
    size_t from = *at, n_breaks = 0;
    for (; wpa_yaml_is_blank(text[*at]) || text[*at] == '\n'; (*at)++) {
        if (text[*at] == '\n') {
            n_breaks++;
            r->line_start = *at + 1;
            if (wpa_quick_is_marker(text + r->line_start)) {
                return false;
            }
        }
    }
    if (is_escaped) { /* the break in front of them is nothing, and blanks begin a line */
        memset(to + *n, '\n', n_breaks);
        *n += n_breaks;
    } else if (n_breaks) {
        *n = fold(to, *n, n_breaks);
    } else {
        memcpy(to + *n, text + from, *at - from);
        *n += *at - from;
    }
    return true;
}

/** One of several lines. What is behind its first line cannot be a key. */
static bool scan_quoted_lines(reader *r, wpa_yaml_event *scalar)
{
    const char *text = r->text;
    char quote = text[r->at];
    size_t start = r->at, at = start + 1, n = 0;
    char *to = r->kept + start;
    while (text[at] != quote || (quote == '\'' && text[at + 1] == quote)) {
        bool is_escape = text[at] == quote || (quote == '"' && text[at] == '\\');
        bool is_break = is_escape && text[at + 1] == '\n';
        char meant = is_escape && quote == '"' ? unescaped(text[at + 1]) : text[at];
        scalar->is_escaped |= is_escape && quote == '"';
        if (is_break || wpa_yaml_is_blank(text[at]) || text[at] == '\n') {
            at += is_break ? 2 : 0;
            r->line_start = is_break ? at : r->line_start;
            if (wpa_quick_is_marker(text + r->line_start) ||
                !fold_blanks(r, &at, is_break, to, &n)) {
                return false;
            }
        } else if (!meant) {
            return false;
        } else {
            to[n++] = meant;
            at += 1 + is_escape;
        }
    }
    r->at = at + 1;
    scalar->kind = WPA_YAML_EVENT_SCALAR;
    scalar->style = quote == '\'' ? WPA_YAML_SINGLE_QUOTED : WPA_YAML_DOUBLE_QUOTED;
    scalar->span = (wpa_span){start, r->at};
    wpa_quick_keep(r, scalar, start, n);
    return true;
}

static bool scan_quoted(reader *r, wpa_yaml_event *scalar)
{
    const char *text = r->text;
    char quote = text[r->at];
    size_t start = r->at, end = start + 1, n_escapes = 0;
    for (;; end++) {
        end = find_special(text, end, quote, '\\');
        if (text[end] == quote && !(quote == '\'' && text[end + 1] == quote)) {
            break;
        }
        bool is_escape = text[end] == quote || (quote == '"' && text[end] == '\\');
        if (text[end] == '\n' || (is_escape && text[end + 1] == '\n')) {
            *scalar = (wpa_yaml_event){0};
            return scan_quoted_lines(r, scalar);
        }
        if (wpa_quick_is_end(text[end]) ||
            (is_escape && text[end] == '\\' && !unescaped(text[end + 1]))) {
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
                         .is_escaped = n_escapes && quote == '"'};
    char *to = r->kept + start + 1;
    for (size_t i = start + 1, n = 0; n_escapes && i < end; i++) {
        bool is_escape = text[i] == quote || (quote == '"' && text[i] == '\\');
        i += is_escape;
        to[n++] = is_escape && quote == '"' ? unescaped(text[i]) : text[i];
    }
    wpa_quick_keep(r, scalar, start + 1, end - start - 1 - n_escapes);
    return true;
}

bool wpa_quick_scan(reader *r, bool is_flow, wpa_yaml_event *scalar)
{
    char c = r->text[r->at];
    return c == '\'' || c == '"' ? scan_quoted(r, scalar) : scan_plain(r, is_flow, scalar);
}
