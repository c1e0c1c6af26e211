/*
 * Filters as people type them, and what the fields of each list take. The console tells what
 * cannot be meant while it is typed, the feed and the REST API go by the same tables.
 */
#pragma once

#include <wpa/snapshot.h>

/** One term of a filter: all terms must hold. */
typedef struct wpa_filter_term {
    bool is_negated;
    const char *field; /* "sev" "rule" "cat" "wf" "repo" "path" "state" "age" "score" "has" "by"
                          "requester";
                          "text" for bare and quoted words; "regex" for ~...~; "@" for a saved
                          filter; or a name that is none of these, which the reader of the terms
                          refuses or tells of */
    const char *op;    /* ":" "<" "<=" ">" ">=" */
    const char *const *values; /* any of; with * and ? unless quoted; ages as "7d" */
    size_t n_values;
    bool is_exact;     /* quoted: no wildcards */
    size_t at, length; /* bytes of the text that it was read from */
} wpa_filter_term;

/** Terms of a filter text, in the arena; what has no field in front is a word. Never fails. */
const wpa_filter_term *wpa_filter_parse(const char *text, wpa_arena *arena, size_t *n);

/** Fields that rows of this list have, as help shows them, NULL at the end. */
const char *const *wpa_filter_fields(wpa_list list);
/** Does the list have the field? Text and regular expressions are had by all. */
bool wpa_filter_has_field(wpa_list list, const char *field);
/** Words that a field of the list takes; NULL: it takes any text, a number or an age. */
const char *const *wpa_filter_words(wpa_list list, const char *field, size_t *n);
/** Can this value of the term's hold for any row of the list? */
bool wpa_filter_takes(wpa_list list, const wpa_filter_term *term, const char *value);
/** What of the term cannot be meant, as typed ("nope", "sev:hihg"), in the arena; NULL: nothing. */
const char *wpa_filter_fault(wpa_list list, const wpa_filter_term *term, wpa_arena *arena);
