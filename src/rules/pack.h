/*
 * Results as bytes: what a report needs of a file, and nothing that points into its tree. Kept
 * while a run lasts (results.h) and between runs (core/cache.h), so what is read back is
 * treated as bytes from outside.
 */
#pragma once

#include <wpa/buf.h>

#include "rules/engine.h"

/** Lines a finding's excerpt shows at most, one for each span of it. */
#define WPA_EXCERPT_LINES_MAX 3

/** Append a result. Secrets are masked in the lines that go with it. */
void wpa_result_pack(const wpa_result *result, bool has_excerpts, wpa_buf *out);

/**
 * Read a result back: source is NULL, lines take its place.
 *
 * path, prefix   of the file as shown now, and what stands in front of repository-relative paths;
 *                borrowed.
 *
 * Returns        false if the bytes are not those of a result of this program.
 */
bool wpa_result_unpack(const void *data, size_t size_bytes, const char *path, const char *prefix,
                       wpa_arena *arena, wpa_result *result) WPA_CHECK;
