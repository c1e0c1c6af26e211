/* Filters as the database takes them, for the console's lists and for the REST API's. */
#pragma once

#include <wpa/arena.h>
#include <wpa/filter.h>

/**
 * Terms as JSON for wpa.row_matches, in the arena.
 *
 * ignored   receives what cannot be meant in this list and was left out ("nope sev:hihg");
 *           untouched if all is understood.
 */
/** Does the list have the field, and can one of the values hold? */
bool wpa_feed_term_is_meant(wpa_list list, const wpa_filter_term *term);
const char *wpa_feed_terms(wpa_list list, const wpa_filter_term *terms, size_t n, wpa_arena *arena,
                           const char **ignored);
