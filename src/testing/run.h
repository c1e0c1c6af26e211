/*
 * The four phases of a test: which checks have a subject in this patch, in which order they run,
 * what comes of them all. Who keeps the results is told as it goes.
 */
#pragma once

#include "testing/check.h"

/** One check with its subject. */
typedef struct wpa_test_item {
    const wpa_test_check *check;
    wpa_test_target *target; /* NULL: the whole patch */
    wpa_test_file *file;
    const char *subject; /* "ledger-api/ci.yml", "" for the patch */
    int64_t row;         /* the recorder's */
    bool is_done;
    wpa_test_outcome outcome;
} wpa_test_item;

typedef enum wpa_test_verdict {
    WPA_TEST_PASSED,
    WPA_TEST_FAILED,    /* a required check failed */
    WPA_TEST_UNDECIDED, /* an error, or skipped for a reason that policy does not allow */
} wpa_test_verdict;

typedef struct wpa_test_run {
    wpa_test_item *items; /* [n_items] by phase, then check, then subject */
    size_t n_items;
    size_t n_done;
    wpa_test_verdict verdict;
    bool can_retry;     /* undecided because of an error: another try may tell */
    const char *reason; /* of the first that decided it; "" if passed */
} wpa_test_run;

/** Told as it goes; each may be NULL. Returning false ends the run with that error. */
typedef struct wpa_test_recorder {
    bool (*begin_phase)(void *context, wpa_test_run *run, wpa_test_phase_kind phase,
                        wpa_error *err);
    bool (*begin_check)(void *context, wpa_test_run *run, wpa_test_item *item, wpa_error *err);
    bool (*end_check)(void *context, wpa_test_run *run, wpa_test_item *item, wpa_error *err);
    void *context;
} wpa_test_recorder;

typedef struct wpa_test_options {
    bool runs_all; /* later phases too when an earlier one failed */
} wpa_test_options;

/**
 * Run the phases. around gives patch, arena, sandbox, cancelling; its target and file are set here.
 *
 * Errors    WPA_E_CANCELLED, and those of the recorder; what a check meets is its outcome.
 */
bool wpa_test_run_all(const wpa_test_context *around, const wpa_test_options *options,
                      const wpa_test_recorder *recorder, wpa_test_run *run,
                      wpa_error *err) WPA_CHECK;

/** Does policy let a check that was skipped so count as good enough? */
bool wpa_test_skip_is_allowed(const wpa_test_check *check, wpa_test_skip skip);

/**
 * The report: isolated_tests {passed, tests_run, tests_passed, coverage_percentage},
 * integration_tests {passed, tests_run, integration_points_verified}, safety_checks {passed,
 * checks {no_data_loss, …}}, compatibility_checks {passed, tests_run}, skipped [{check, subject,
 * reason}]; null where nothing was measured.
 */
wpa_json *wpa_test_report(const wpa_test_run *run, wpa_arena *arena);
