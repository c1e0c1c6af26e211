/* Downtime of a deployment out of its measurements, while it runs as well as afterwards. */
#include "feed/downtime.h"

#include "gen/sql.h"
#include "probe/downtime.h"

static void add_probe(const wpa_rows *rows, size_t from, size_t to, wpa_arena *arena,
                      wpa_feed_downtime *sum)
{
    wpa_downtime_row *seen = wpa_arena_array(arena, to - from, sizeof *seen);
    size_t stage = (size_t)wpa_rows_int(rows, from, 0);
    int64_t interval_ms = wpa_rows_int(rows, from, 2);
    for (size_t i = from; i < to; i++) {
        wpa_measured result = WPA_MEASURED_ERROR;
        if (!wpa_measured_from_name(wpa_rows_text(rows, i, 4), &result)) {
            result = WPA_MEASURED_ERROR;
        }
        seen[i - from] = (wpa_downtime_row){wpa_rows_int(rows, i, 3), result};
        sum->n_failed += result == WPA_MEASURED_FAILURE;
    }
    wpa_downtime down = wpa_downtime_of(seen, to - from, interval_ms, seen[0].at_us,
                                        seen[to - from - 1].at_us, arena);
    sum->n_probes += (int64_t)(to - from);
    sum->certain_ms += down.certain_us / 1000;
    sum->possible_ms += down.possible_us / 1000;
    sum->unknown_ms += down.unknown_us / 1000;
    if (!sum->interval_ms || interval_ms > sum->interval_ms) {
        sum->interval_ms = interval_ms;
    }
    if (stage >= 1 && stage <= WPA_FEED_STAGES_MAX) {
        int64_t *of_stage = &sum->stage_ms[stage - 1];
        *of_stage = (*of_stage < 0 ? 0 : *of_stage) + down.possible_us / 1000;
    }
}

bool wpa_feed_downtime_of(wpa_db *db, int64_t deployment_id, wpa_arena *arena,
                          wpa_feed_downtime *sum, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(deployment_id, id)};
    *sum = (wpa_feed_downtime){.is_measured = false};
    for (size_t i = 0; i < WPA_FEED_STAGES_MAX; i++) {
        sum->stage_ms[i] = WPA_UNKNOWN;
    }
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FEED_DOWNTIME, params, 1, err);
    if (!rows) {
        return false;
    }
    size_t n = wpa_rows_count(rows), from = 0;
    if (n == 0 || n > WPA_FEED_MEASUREMENTS_MAX) {
        return true; /* a part of them would tell too little */
    }
    for (size_t i = 1; i <= n; i++) {
        if (i == n || wpa_rows_int(rows, i, 1) != wpa_rows_int(rows, from, 1)) {
            add_probe(rows, from, i, arena, sum);
            from = i;
        }
    }
    sum->is_measured = true;
    return true;
}
