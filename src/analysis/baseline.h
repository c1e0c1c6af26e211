/*
 * Findings that were there when somebody looked: kept in a file, and not counted as open again.
 */
#pragma once

#include "rules/results.h"

#define WPA_BASELINE_MAX_BYTES ((size_t)64 << 20)

typedef struct wpa_baseline wpa_baseline;

wpa_baseline *wpa_baseline_new(const char *today);
void wpa_baseline_free(wpa_baseline *baseline);
WPA_DEFINE_AUTO(wpa_baseline, wpa_baseline_free);
/**
 * Add what a file holds ("wpa.baseline/1").
 *
 * Errors    WPA_E_INVALID (no such file's form), NOT_FOUND, LIMIT, IO.
 */
bool wpa_baseline_read(wpa_baseline *baseline, const char *path, wpa_error *err) WPA_CHECK;
/** As above, from bytes; path for messages. */
bool wpa_baseline_parse(wpa_baseline *baseline, const char *path, const char *text,
                        size_t size_bytes, wpa_error *err) WPA_CHECK;
/** Add a finding that stands in a result; reason is why it is no longer counted. */
void wpa_baseline_add(wpa_baseline *baseline, const wpa_finding *finding, const char *path,
                      const char *reason);

/**
 * Findings of a result that are in the baseline get that state. Any thread.
 *
 * identity   the file's path in its repository: what was looked at can be told from what was not.
 */
void wpa_baseline_apply(wpa_baseline *baseline, const char *identity, wpa_result *result);
/** Does a rule's silence mean that it finds nothing? Else its entries are never gone. */
typedef bool (*wpa_baseline_has_run)(void *context, const char *rule);
/**
 * What an entry that no finding answers to may mean.
 *
 * is_whole   the whole repository was looked at: entries of files that are not there are gone too.
 */
void wpa_baseline_judge(wpa_baseline *baseline, bool is_whole, wpa_baseline_has_run has_run,
                        void *context);
/** An entry that is gone. */
typedef struct wpa_baseline_gone {
    const char *fingerprint, *rule, *path;
} wpa_baseline_gone;
/** Those that no finding answers to though their files were looked at, into gone[max]; how many
 * these are. Their texts are the baseline's. */
size_t wpa_baseline_list_gone(const wpa_baseline *baseline, wpa_baseline_gone *gone, size_t max);
/** How many they are. */
size_t wpa_baseline_count_gone(const wpa_baseline *baseline);
/** Write it out, by path; without those that are gone if only_there. */
bool wpa_baseline_write(const wpa_baseline *baseline, const char *path, bool only_there,
                        wpa_error *err) WPA_CHECK;
