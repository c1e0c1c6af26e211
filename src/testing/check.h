/*
 * What a check of a test phase is: a row of a table, with a function that looks at the patch and
 * fills an outcome. A new check is its function, its row, and its place in registry.c.
 */
#pragma once

#include "testing/subject.h"

typedef enum wpa_test_phase_kind {
    WPA_TEST_ISOLATED,
    WPA_TEST_INTEGRATION,
    WPA_TEST_SAFETY,
    WPA_TEST_COMPATIBILITY,
    WPA_TEST_PHASES
} wpa_test_phase_kind;

typedef enum wpa_test_result {
    WPA_TEST_PASS,
    WPA_TEST_WARN,
    WPA_TEST_FAIL,
    WPA_TEST_SKIPPED,
    WPA_TEST_ERROR
} wpa_test_result;

/** What a check looks at in one go; it is run once for each. */
typedef enum wpa_test_scope {
    WPA_TEST_OF_PATCH,
    WPA_TEST_OF_TARGET,
    WPA_TEST_OF_FILE
} wpa_test_scope;

/** Why a check was skipped: policy may allow some of these. */
typedef enum wpa_test_skip {
    WPA_TEST_SKIP_NONE,
    WPA_TEST_SKIP_NO_SANDBOX,
    WPA_TEST_SKIP_NO_FORGE,
    WPA_TEST_SKIP_NO_HISTORY,
    WPA_TEST_SKIP_NO_TOOL,
    WPA_TEST_SKIP_OTHER /* never allowed: not proven is not passed */
} wpa_test_skip;

typedef struct wpa_test_outcome {
    wpa_test_result result;
    wpa_test_skip skip;
    const char *reason; /* one line, of all but pass; then it may be "" */
    wpa_json *evidence; /* array of {label, text, file, line, column, …}; never NULL */
    const char *output; /* excerpt of what a command wrote, visible characters; "" */
    int64_t n_cases, n_cases_failed; /* of a test command; -1: none counted */
    double coverage;                 /* percent; -1: not measured */
    int64_t duration_ms;
} wpa_test_outcome;

typedef struct wpa_test_context {
    wpa_test_patch *patch;
    wpa_test_target *target; /* of a check of a target or file; else NULL */
    wpa_test_file *file;     /* of a check of a file; else NULL */
    wpa_arena *arena;
    const char *scratch;                 /* folder for what is needed for a while; NULL: /tmp */
    const char *no_sandbox;              /* why there is none; NULL: there is one */
    bool (*is_cancelled)(void *context); /* may be NULL */
    void *context;
} wpa_test_context;

/**
 * Analysis of an image that is there, made when first asked for: within its repository in that
 * version, all definitions of it joined, or if that cannot be read with what is known of its paths.
 */
const struct wpa_analysis *wpa_test_image_analysis(const wpa_test_context *context,
                                                   const wpa_test_file *file,
                                                   wpa_test_image *image);
/** Of an image of the file at hand; NULL if there is none, or it holds no workflow. */
const struct wpa_workflow *wpa_test_workflow_of(const wpa_test_context *context,
                                                wpa_test_image *image);
/** For checks of what a workflow has before the patch. */
bool wpa_test_had_workflow(const wpa_test_context *context);

typedef struct wpa_test_check {
    const char *id; /* "T102" */
    wpa_test_phase_kind phase;
    int version; /* of the check itself: a result counts for this version only */
    wpa_test_scope scope;
    bool is_waivable;
    /** Nobody may waive what it found; what it could not ask is left to who approves all the same.
     */
    bool may_be_unproven;
    const char *title; /* a few words, lower case: what it proves */
    /** Has it a subject here? Without one it is not listed. NULL: always. */
    bool (*applies)(const wpa_test_context *context);
    /** Fills the outcome, which says pass beforehand. Returns false with *err for "error". */
    bool (*run)(const wpa_test_context *context, wpa_test_outcome *outcome, wpa_error *err);
} wpa_test_check;

/** Every check, by phase and id. */
const wpa_test_check *const *wpa_test_checks(size_t *n);

/** "isolated", ...; "pass", ...: as stored. */
const char *wpa_test_phase_name(wpa_test_phase_kind phase);
const char *wpa_test_result_name(wpa_test_result result);

/* ---- for checks: outcomes and evidence ---- */

/** Make it worse: fail outweighs error, skipped, warn, pass; the first reason of a kind stays. */
void wpa_test_fail(wpa_test_outcome *outcome, wpa_arena *arena, const char *format, ...)
    WPA_PRINTF(3, 4);
void wpa_test_warn(wpa_test_outcome *outcome, wpa_arena *arena, const char *format, ...)
    WPA_PRINTF(3, 4);
void wpa_test_skip_with(wpa_test_outcome *outcome, wpa_test_skip skip, wpa_arena *arena,
                        const char *format, ...) WPA_PRINTF(4, 5);
/** {"label": label, "text": text}, text made visible and cut; returns it for more fields. */
wpa_json *wpa_test_evidence(wpa_test_outcome *outcome, wpa_arena *arena, const char *label,
                            const char *text);
/** The same with file, line and column of a byte offset in an image. */
wpa_json *wpa_test_evidence_at(wpa_test_outcome *outcome, wpa_arena *arena,
                               const wpa_test_file *file, const wpa_test_image *image,
                               size_t offset, const char *label, const char *text);
/** Is that change declared by the patch? bit is one of wpa_declares. */
bool wpa_test_is_declared(const wpa_test_context *context, unsigned bit);

/**
 * Make the rehearsal commits of a target, once: the patch on its base, and the revert on that. No
 * ref moves.
 */
bool wpa_test_rehearse(const wpa_test_context *context, wpa_error *err) WPA_CHECK;
