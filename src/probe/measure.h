/* One measurement of a health check: ask, evaluate its conditions, say what it resolved to. */
#pragma once

#include "probe/check.h"
#include "probe/verdict.h"

typedef struct wpa_probe_scores {
    double delta;         /* score after - score before */
    int64_t new_findings; /* of medium or higher */
    const char *summary;  /* "91 -> 94, nothing new" */
} wpa_probe_scores;

/** What a measurement may need of the world; what is NULL is not to be had. */
typedef struct wpa_probe_context {
    double baseline;  /* NaN: none */
    const char *tree; /* folder with the target's files at its tip, for commands */
    const char *(*secret)(void *context, const char *name); /* NULL: no such secret */
    /** Analyse the target's tip; false with *err: an error of the analysis. */
    bool (*rescore)(void *context, const wpa_probe_check *check, wpa_probe_scores *scores,
                    wpa_arena *arena, wpa_error *err);
    bool (*is_cancelled)(void *context);
    void *context;
} wpa_probe_context;

typedef struct wpa_measurement {
    int64_t started_us, ended_us;
    wpa_measured result;
    double value;           /* NaN: none */
    const char *value_text; /* status line, exit code: for people; may be NULL */
    int64_t latency_ms;     /* -1: not measured */
    int64_t samples;
    double baseline;        /* NaN: none */
    const char *resolved;   /* URL or command that was asked */
    const char *conditions; /* with numbers put in */
    const char *message;    /* why not success; "" otherwise; visible characters only */
} wpa_measurement;

/**
 * Measure once. Whatever goes wrong is a measurement, of result error.
 *
 * Returns   false only if cancelled (WPA_E_CANCELLED): nothing was measured.
 */
bool wpa_probe_measure(const wpa_probe_check *check, const wpa_probe_context *context,
                       wpa_arena *arena, wpa_measurement *measurement, wpa_error *err) WPA_CHECK;
