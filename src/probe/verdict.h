/*
 * From measurements to verdicts: pure functions over rows, so that a verdict can be computed again
 * at any time, by anybody, with the same answer.
 */
#pragma once

#include <stdint.h>

#include "probe/check.h"

typedef enum wpa_measured {
    WPA_MEASURED_SUCCESS,
    WPA_MEASURED_FAILURE,
    WPA_MEASURED_INCONCLUSIVE,
    WPA_MEASURED_ERROR
} wpa_measured;

/** "success", "failure", "inconclusive", "error": stored. */
const char *wpa_measured_name(wpa_measured result);
bool wpa_measured_from_name(const char *name, wpa_measured *result) WPA_CHECK;

/** What a condition says: three values, since it may be absent. */
typedef enum wpa_truth {
    WPA_TRUTH_ABSENT,
    WPA_TRUTH_FALSE,
    WPA_TRUTH_TRUE
} wpa_truth;

/** Table of the two conditions; *is_contradictory if both hold. */
wpa_measured wpa_measured_of(wpa_truth success, wpa_truth failure, bool *is_contradictory);

typedef enum wpa_verdict {
    WPA_VERDICT_RUNNING,
    WPA_VERDICT_SUCCESS,
    WPA_VERDICT_FAILURE,
    WPA_VERDICT_INCONCLUSIVE
} wpa_verdict;

/** "running", "success", "failure", "inconclusive": stored. */
const char *wpa_verdict_name(wpa_verdict verdict);
bool wpa_verdict_from_name(const char *name, wpa_verdict *verdict) WPA_CHECK;

typedef struct wpa_verdict_state {
    wpa_verdict verdict;
    const char *reason;      /* static, "" while running without trouble */
    int64_t hits;            /* towards what ends it: failures counted, or their streak */
    int64_t hits_limit;      /* hits above (or, for a streak, at) which it fails */
    bool needs_confirmation; /* measure again after WPA_CONFIRM_AFTER_MS: one failure is open */
} wpa_verdict_state;

#define WPA_CONFIRM_AFTER_MS 5000
#define WPA_COVERAGE_NEEDED 0.9

/** What is left of a bake. */
typedef enum wpa_bake_time {
    WPA_BAKE_TIME_LEFT, /* some of its time */
    WPA_BAKE_OVERTIME,  /* none, but it may go on for measurements that were missed */
    WPA_BAKE_OVER       /* neither */
} wpa_bake_time;

/**
 * A bake is judged by the measurements made in it, not by the clock alone: where too few of those
 * due were made (nobody worked, the machine was busy, they ended as errors) it runs on in overtime.
 *
 * rows      [n_rows] results in order of time, without those of phase baseline.
 * n_due     measurements due in the whole bake (where the check has a count, that is meant).
 * time      a count that is full ends the check whatever is left.
 */
wpa_verdict_state wpa_verdict_of(const wpa_probe_check *check, const wpa_measured rows[],
                                 size_t n_rows, int64_t n_due, wpa_bake_time time);

/** Of a stage: what its checks say; is_dry[i] ones are not counted. Without any: running. */
wpa_verdict wpa_verdict_join(const wpa_verdict verdicts[], const bool is_dry[], size_t n);
