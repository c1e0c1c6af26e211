/*
 * Whole runs that are kept: of a run that would see what an earlier one has seen, the reports are
 * told again, and nothing is read for them. Private to check.
 */
#pragma once

#include "cli/check_options.h"

/** Of one run, … */
#define WPA_KEPT_RUN_MAX_BYTES ((size_t)32 << 20)
/** … and of all of them together. */
#define WPA_KEPT_MAX_BYTES ((size_t)64 << 20)
#define WPA_KEPT_MAX_RUNS 64

typedef struct wpa_check_kept wpa_check_kept;

/* What a run has said, as it was kept. */
typedef struct wpa_check_told {
    const char *texts[WPA_CHECK_FORMATS_MAX]; /* of the reports, in the order of the formats */
    size_t text_bytes[WPA_CHECK_FORMATS_MAX];
    const char *said; /* [said_bytes] on standard error */
    size_t said_bytes;
    int code;
} wpa_check_told;

/**
 * The place for a run with these options; NULL if it depends on more than what it looks at in
 * folders (standard input, a revision, a baseline, other analysers) or changes something.
 */
wpa_check_kept *wpa_check_kept_open(const wpa_check_run *run);
void wpa_check_kept_close(wpa_check_kept *kept);
WPA_DEFINE_AUTO(wpa_check_kept, wpa_check_kept_close);

/** What an earlier run has said, if nothing lies otherwise now; borrowed until the end. */
const wpa_check_told *wpa_check_kept_find(wpa_check_kept *kept);
/** Write and say it once more; the exit code, or WPA_CLI_FAILED. */
int wpa_check_tell_again(const wpa_check_run *run, const wpa_check_told *told, wpa_error *err);

/* Keeping, by calls in this order; kept may be NULL. What cannot be written is not kept. */

/** Behind the analysis, if all it depends on can be told later. */
void wpa_check_kept_begin(wpa_check_kept *kept, const wpa_check_run *run, wpa_tree *tree);
/** A part of the i-th report. */
void wpa_check_kept_add(wpa_check_kept *kept, size_t i, const void *data, size_t size_bytes);
void wpa_check_kept_finish(wpa_check_kept *kept, const char *said, size_t said_bytes, int code);
