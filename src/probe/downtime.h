/* How long a target was down: a pure function over what its probe saw. */
#pragma once

#include <stdint.h>

#include "probe/verdict.h"

typedef struct wpa_downtime_row {
    int64_t at_us;
    wpa_measured result; /* error and inconclusive measure nothing: as if not probed */
} wpa_downtime_row;

typedef struct wpa_downtime_interval {
    int64_t certain_from_us, certain_to_us;   /* first to last failure */
    int64_t possible_from_us, possible_to_us; /* last success before to next success after */
} wpa_downtime_interval;

typedef struct wpa_downtime {
    int64_t certain_us, possible_us, unknown_us, window_us;
    double coverage;                  /* probes made ÷ due, at most 1 */
    wpa_downtime_interval *intervals; /* [n_intervals] */
    size_t n_intervals;
} wpa_downtime;

#define WPA_DOWNTIME_COVERAGE_NEEDED 0.99

/**
 * rows          [n_rows] in order of time, within the window.
 * interval_ms   between probes; a gap of more than two is unknown: neither up nor down.
 */
wpa_downtime wpa_downtime_of(const wpa_downtime_row rows[], size_t n_rows, int64_t interval_ms,
                             int64_t from_us, int64_t to_us, wpa_arena *arena);

/** 1 − possible ÷ (targets × window) over items[n]; 1 without a window. */
double wpa_downtime_availability(const wpa_downtime items[], size_t n);

/** May "zero downtime" be said of these? */
bool wpa_downtime_is_zero(const wpa_downtime items[], size_t n);
