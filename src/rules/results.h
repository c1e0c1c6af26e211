/*
 * The results of a run, however many files it has: packed, in memory while they are few and in a
 * file without a name beyond that.
 */
#pragma once

#include "rules/pack.h"

/** How many findings there are, by state and by what they are. */
typedef struct wpa_result_counts {
    size_t n_open, n_ignored, n_baseline, n_fixable, n_notes;
    size_t by_severity[WPA_SEVERITY_COUNT]; /* open ones */
    size_t by_kind[WPA_KIND_COUNT];
    size_t by_dimension[WPA_DIMENSION_COUNT];
    size_t by_both[WPA_KIND_COUNT][WPA_SEVERITY_COUNT];
} wpa_result_counts;

typedef struct wpa_results wpa_results;

wpa_results *wpa_results_new(void);
void wpa_results_free(wpa_results *results);
WPA_DEFINE_AUTO(wpa_results, wpa_results_free);

/**
 * Keep a packed result; by any thread, before the close. path and prefix as for wpa_result_unpack,
 * borrowed until the end; identity, its path in its repository, and packed are copied, but for an
 * identity that is how the path ends.
 */
void wpa_results_put(wpa_results *results, const char *path, const char *prefix,
                     const char *identity, const void *packed, size_t size_bytes,
                     const wpa_result_counts *counts);
/** Behind the last put: in the order of their paths from then on. */
void wpa_results_close(wpa_results *results);

size_t wpa_results_count(const wpa_results *results);
/** All in all; of those put so far. */
const wpa_result_counts *wpa_results_total(const wpa_results *results);
wpa_result_counts wpa_results_counts_at(const wpa_results *results, size_t i);
/** Its path in its repository. */
const char *wpa_results_identity(const wpa_results *results, size_t i);
/** The i-th, read back into the arena; in the place of one that cannot be read there is a note. */
wpa_result wpa_results_at(const wpa_results *results, size_t i, wpa_arena *arena);
/** Could all that were asked for be read back? Otherwise there is more than was told. */
bool wpa_results_are_whole(const wpa_results *results);

void wpa_result_count(const wpa_result *result, wpa_result_counts *counts);
void wpa_result_counts_add(wpa_result_counts *total, const wpa_result_counts *counts);
