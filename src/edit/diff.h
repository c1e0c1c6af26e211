/* Unified diffs of two texts: what people read and `git apply` takes. */
#pragma once

#include <wpa/arena.h>

/**
 * Diff of one file with three lines of context; "" if nothing differs.
 *
 * path           as named in the head: "a/<path>", "b/<path>"; made visible.
 * before, after  [n] bytes; NULL: the file is not there ("/dev/null").
 *
 * The lines are the bytes as they are: make them visible before they reach a terminal. Equal lines
 * are found by Myers' algorithm; texts that differ too much for it (more than 2,000 lines) are
 * compared in pieces between lines that each of them has once.
 */
char *wpa_diff_unified(const char *path, const char *before, size_t before_bytes, const char *after,
                       size_t after_bytes, wpa_arena *arena);
