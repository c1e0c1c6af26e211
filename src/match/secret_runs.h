/*
 * Runs of the bytes that secrets are made of, in one pass over a text and 64 bytes at a time: most
 * texts have hardly any run as long as a secret is. Private to src/match.
 */
#pragma once

#include <wpa/span.h>

/** Letters, digits and "+/_=.~-". */
extern const bool wpa_is_secret_byte[256];

/* No shorter ones are looked for: their bits would be counted in other steps. */
#define WPA_SECRET_RUN_MIN_BYTES 9

/**
 * Look at each run of least bytes or more, from its first byte to behind its last, in order.
 *
 * least  WPA_SECRET_RUN_MIN_BYTES or more.
 */
void wpa_secret_runs_each(const char *text, size_t length, size_t least,
                          void (*look)(void *context, wpa_span run), void *context);
