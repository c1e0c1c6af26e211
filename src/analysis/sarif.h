/*
 * What programs outside report in SARIF 2.1.0, as findings of the rule "ext". Read as hostile
 * input: bounded, made visible, and what makes no sense is left out.
 */
#pragma once

#include "rules/results.h"

#define WPA_SARIF_MAX_BYTES ((size_t)16 << 20)
#define WPA_SARIF_MAX_RESULTS 5000

/** Findings by file. */
typedef struct wpa_outside wpa_outside;

wpa_outside *wpa_outside_new(wpa_arena *arena);
/**
 * Take the results of a log.
 *
 * name   of the analyser: findings are "ext/<name>/<ruleId>".
 * root   what stands in front of absolute paths in the log ("/repo"), or "".
 *
 * Errors    INVALID (no SARIF), LIMIT.
 */
bool wpa_outside_read(wpa_outside *outside, const char *name, const char *root, const char *text,
                      size_t size_bytes, wpa_error *err) WPA_CHECK;
/** How many findings were taken, of how many files. */
size_t wpa_outside_count(const wpa_outside *outside);
/** Are there any of a file, by its path in the repository? */
bool wpa_outside_has(const wpa_outside *outside, const char *identity);
/**
 * Add those of a file to its result; what its comments and the settings say of them holds. Any
 * thread.
 *
 * source    the file, read; NULL: it could not be, and they are taken as they are.
 */
void wpa_outside_apply(const wpa_outside *outside, const char *identity, const wpa_source *source,
                       const wpa_settings *settings, wpa_result *result, wpa_arena *arena);
