/* Unified diffs from outside: applied exactly as they say, or not at all. */
#pragma once

#include <wpa/arena.h>
#include <wpa/error.h>

#define WPA_UNIFIED_MAX_BYTES ((size_t)4 << 20)

/** Does a text look like a unified diff of a file, rather than like the file itself? */
bool wpa_unified_is(const char *text, size_t size_bytes);

/** A file with a diff applied; bytes NULL: it is deleted. */
typedef struct wpa_unified_result {
    char *bytes; /* [size_bytes], NUL-terminated, in the arena */
    size_t size_bytes;
} wpa_unified_result;

/**
 * Apply the diff of one file. Strict: every line of a hunk stands where its head says, byte for
 * byte; nothing is searched for, and no blank is forgiven. Linear in the sizes of both.
 *
 * path      that the diff must name, if it names any ("a/" and "b/" do not count).
 * before    [before_bytes], or NULL: there is no such file yet.
 *
 * Errors    WPA_E_INVALID (with the line of the diff), WPA_E_LIMIT.
 */
bool wpa_unified_apply(const char *diff, size_t diff_bytes, const char *path, const char *before,
                       size_t before_bytes, wpa_arena *arena, wpa_unified_result *result,
                       wpa_error *err) WPA_CHECK;
