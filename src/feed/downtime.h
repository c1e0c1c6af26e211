/* Inside src/feed only: measured downtime of a deployment. */
#pragma once

#include <stdint.h>

#include "feed/reader.h"

#define WPA_FEED_STAGES_MAX 64
#define WPA_FEED_MEASUREMENTS_MAX 50000

/** Sums over the probes (http and command) of all targets, from the first to the last look. */
typedef struct wpa_feed_downtime {
    bool is_measured; /* false: nothing was measured yet, or more than can be read at once */
    int64_t certain_ms, possible_ms, unknown_ms;
    int64_t n_probes, n_failed;
    int64_t interval_ms;                   /* the longest: the resolution */
    int64_t stage_ms[WPA_FEED_STAGES_MAX]; /* possible, of the targets of stage [n - 1] */
} wpa_feed_downtime;

bool wpa_feed_downtime_of(wpa_db *db, int64_t deployment_id, wpa_arena *arena,
                          wpa_feed_downtime *sum, wpa_error *err) WPA_CHECK;
