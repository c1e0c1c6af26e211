/* Filters as the database takes them, for the console's lists and for the REST API's. */
#pragma once

#include <wpa/arena.h>
#include <wpa/command.h>

/**
 * Terms as JSON for wpa.row_matches, in the arena.
 *
 * ignored   receives the names of fields that do not exist; untouched if there are none.
 */
const char *wpa_feed_terms(const wpa_filter_term *terms, size_t n, wpa_arena *arena,
                           const char **ignored);
