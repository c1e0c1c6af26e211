/*
 * Regular expressions over text from outside: PCRE2 with limits, so that no pattern runs away. A
 * match that hits a limit is undecided, which is not the same as no match.
 */
#pragma once

#include <stdint.h>

#include <wpa/arena.h>
#include <wpa/span.h>

#define WPA_REGEX_MAX_PATTERN_BYTES 8192
#define WPA_REGEX_MAX_GROUPS 16

typedef struct wpa_regex wpa_regex;

enum {
    WPA_REGEX_CASELESS = 1 << 0,
    WPA_REGEX_MULTILINE = 1 << 1, /* ^ and $ at every line */
};

typedef enum wpa_regex_answer {
    WPA_REGEX_NO,
    WPA_REGEX_YES,
    WPA_REGEX_UNDECIDED /* a limit was hit */
} wpa_regex_answer;

/** Where it matched; spans[0] is the whole, groups that took no part are {0, 0} and not set. */
typedef struct wpa_regex_match {
    wpa_span spans[WPA_REGEX_MAX_GROUPS];
    bool is_set[WPA_REGEX_MAX_GROUPS];
    size_t n;
} wpa_regex_match;

/**
 * Compile. UTF-8 with Unicode classes; bad bytes in a subject match nothing.
 *
 * Returns   yours to free, or NULL.
 * Errors    WPA_E_INVALID "pattern 'x(': missing closing parenthesis at 2", WPA_E_LIMIT (length).
 * Thread    a compiled expression may be used by any number of threads at once.
 */
wpa_regex *wpa_regex_new(const char *pattern, unsigned flags, wpa_error *err);
void wpa_regex_free(wpa_regex *regex);
WPA_DEFINE_AUTO(wpa_regex, wpa_regex_free);

/** First match of text[length] at or behind from; match may be NULL. */
wpa_regex_answer wpa_regex_find(const wpa_regex *regex, const char *text, size_t length,
                                size_t from, wpa_regex_match *match);
