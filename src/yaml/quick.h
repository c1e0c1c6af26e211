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
    char *room;         /* for the text of any scalar of several lines */
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
 * The scalar that begins here, plain or quoted; false if it has to be left to libyaml. What is in
 * quotes may end some lines below, what is plain ends on this one. Its text is good until the next.
 */
bool wpa_quick_scan(wpa_quick_reader *r, bool is_flow, wpa_yaml_event *scalar);
/** The lines below that are part of a plain scalar as well: those deeper than what it is in. */
bool wpa_quick_go_on(wpa_quick_reader *r, int parent, wpa_yaml_event *scalar);
