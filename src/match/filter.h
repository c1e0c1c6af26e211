/*
 * GitHub's filter patterns (branches, tags, paths): "*" within a part, "**" across parts, "?" and
 * "+" repeat the character before them, "[a-z0-9]" is one of a set, "\" takes the next character
 * as it is, and a leading "!" takes out again what earlier patterns have let in.
 */
#pragma once

#include "match/regex.h"

typedef struct wpa_filter wpa_filter;

/**
 * Compile a list of patterns.
 *
 * index     receives which pattern is wrong; may be NULL.
 *
 * Errors    WPA_E_INVALID: "filter '[a': the set has no end".
 * Thread    a compiled filter may be used by any number of threads at once.
 */
wpa_filter *wpa_filter_new(const char *const patterns[], size_t n, size_t *index, wpa_error *err);
void wpa_filter_free(wpa_filter *filter);
WPA_DEFINE_AUTO(wpa_filter, wpa_filter_free);

/** Does the list let text in: the last pattern that fits decides; none: no. */
wpa_regex_answer wpa_filter_fits(const wpa_filter *filter, const char *text);
/** Does any of these paths fit: what decides whether "paths" starts a run. */
wpa_regex_answer wpa_filter_fits_any(const wpa_filter *filter, const char *const texts[], size_t n);
