/* What is known of terminals by their names. Its library has macros for words as "lines": nothing
 * else is included where that is. Private to ui/term. */
#pragma once

#include <wpa/error.h>

/**
 * Count the colours of the terminal that TERM names.
 *
 * fd        of it, where complaints would go.
 * n         receives their number; below 0 if that is not known.
 *
 * Errors    UNAVAILABLE: the library is not there.
 */
bool wpa_terminfo_count_colors(int fd, int *n, wpa_error *err) WPA_CHECK;
