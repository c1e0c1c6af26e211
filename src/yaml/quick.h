/* Where the quick reader of YAML is in a text; private to it. */
#pragma once

#include "yaml/builder.h"

#define WPA_QUICK_NO_COLUMN (-1)

typedef struct wpa_quick_reader {
    const char *text; /* no '\0' in it, one behind it */
    size_t at;
    size_t line_start; /* of the line of the token at hand */
    int column;        /* of the token at hand; WPA_QUICK_NO_COLUMN: there is none left */
    int depth;
    wpa_yaml_builder *b;
    size_t n;           /* of events */
    char *kept;         /* [size_bytes + 1] of the document: see wpa_quick_keep */
    const char *anchor; /* of the node that comes, or NULL */
    size_t anchor_at;
} wpa_quick_reader;

static inline bool wpa_quick_is_end(char c)
{
    return c == '\n' || c == '\0';
}

static inline bool wpa_quick_is_blank(char c)
{
    return c == ' ' || wpa_quick_is_end(c);
}

/** How many spaces begin here: a line's indentation, of which nobody can foresee where it ends. */
static inline size_t wpa_quick_indent_at(const char *text)
{
    for (size_t n = 0;; n += WPA_LANES) {
        unsigned others = wpa_lanes_bits((wpa_lanes)(wpa_lanes_at(text + n) != ' '));
        if (others) {
            return n + (size_t)__builtin_ctz(others);
        }
    }
}

static inline void wpa_quick_skip_spaces(wpa_quick_reader *r)
{
    while (r->text[r->at] == ' ') {
        r->at++;
    }
}

/** Does a line that begins here begin or end a document? */
static inline bool wpa_quick_is_marker(const char *at)
{
    bool is_three = (at[0] == '-' || at[0] == '.') && at[1] == at[0] && at[2] == at[0];
    return is_three && (wpa_quick_is_blank(at[3]) || at[3] == '\t');
}

/**
 * What a scalar says is no longer than what it is written with. So its text stays in a copy of the
 * file, at the offset where it begins, and its '\0' stands where the file has something that is no
 * part of it: a quote, a colon, a line break, the end.
 */
static inline void wpa_quick_keep(wpa_quick_reader *r, wpa_yaml_event *scalar, size_t start,
                                  size_t length)
{
    r->kept[start + length] = '\0';
    scalar->text = r->kept + start;
    scalar->length = length;
    scalar->is_kept = true;
}

/**
 * The scalar that begins here, plain or quoted; false if it has to be left to libyaml. What is in
 * quotes may end some lines below, what is plain ends on this one.
 */
bool wpa_quick_scan(wpa_quick_reader *r, bool is_flow, wpa_yaml_event *scalar);
/** The lines below that are part of a plain scalar as well: those deeper than what it is in. */
bool wpa_quick_go_on(wpa_quick_reader *r, int parent, wpa_yaml_event *scalar);
