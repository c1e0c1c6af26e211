/*
 * What test frameworks report: JUnit XML, TAP, LCOV, Cobertura, told apart by their content, as
 * cases and a coverage.
 */
#pragma once

#include <stdint.h>

#include <wpa/map.h>

#define WPA_REPORT_MAX_CASES 200000

typedef enum wpa_case_result {
    WPA_CASE_PASSED,
    WPA_CASE_SKIPPED,
    WPA_CASE_FAILED, /* an assertion */
    WPA_CASE_ERROR   /* did not come to its end */
} wpa_case_result;

typedef struct wpa_case {
    const char *name; /* "suite / class / case", " #2" behind if that name came before */
    wpa_case_result result;
    int64_t time_ms;     /* -1: not told */
    const char *message; /* of a failure, first line, visible characters only; else "" */
} wpa_case;

typedef struct wpa_case_report {
    wpa_case *cases; /* [n_cases] in order of appearance */
    size_t n_cases, capacity;
    size_t n_passed, n_failed, n_skipped; /* errors count as failed */
    int64_t lines_found, lines_hit;       /* of all coverage read; 0 found: none */
    wpa_map *names;                       /* how often each came */
    wpa_arena *arena;
} wpa_case_report;

/** "passed", "skipped", "failed", "error". */
const char *wpa_case_result_name(wpa_case_result result);

wpa_case_report *wpa_case_report_new(wpa_arena *arena);

/**
 * Add what data[size_bytes] says.
 *
 * name      of the file, for errors.
 * *is_known is set false, without an error, if this is none of the formats.
 *
 * Errors    WPA_E_INVALID, WPA_E_LIMIT.
 */
bool wpa_case_report_add(wpa_case_report *report, const char *name, const uint8_t *data,
                         size_t size_bytes, bool *is_known, wpa_error *err) WPA_CHECK;

/** Percent of the lines found, or -1 without any. */
double wpa_case_report_coverage(const wpa_case_report *report);

/** What is worse in after than in before. */
typedef struct wpa_case_report_change {
    const wpa_case **broken; /* [n_broken] cases of after that passed before and do not now */
    size_t n_broken;
    const wpa_case **missing; /* [n_missing] cases that passed before and are not there now */
    size_t n_missing;
    const wpa_case **skipped; /* [n_skipped] cases that passed before and do not run now */
    size_t n_skipped;
} wpa_case_report_change;

wpa_case_report_change wpa_case_report_compare(const wpa_case_report *before,
                                               const wpa_case_report *after, wpa_arena *arena);
