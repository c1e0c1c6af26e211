/* What a deployment cost: downtime of its targets, and who was touched. */
#include <string.h>

#include <wpa/text.h>

#include "deploy/run.h"
#include "gen/sql.h"
#include "probe/downtime.h"

static void add_target(const wpa_deploy_run *run, const wpa_downtime *down, int64_t target_id,
                       wpa_json *list)
{
    for (size_t i = 0; i < run->d->n_targets; i++) {
        if (run->d->targets[i].id == target_id) {
            wpa_json *row = wpa_json_push_object(list);
            wpa_json_set_text(row, "repository", run->d->targets[i].repository);
            wpa_json_set_real(row, "certain_s", (double)down->certain_us / 1e6);
            wpa_json_set_real(row, "possible_s", (double)down->possible_us / 1e6);
            wpa_json_set_real(row, "unknown_s", (double)down->unknown_us / 1e6);
        }
    }
}

typedef struct totals {
    wpa_downtime *items; /* one a probe */
    size_t n, capacity;
    int64_t first_failure_us; /* start of the first failing measurement, 0: none failed */
} totals;

/* The rows of one probe are one after the other: [from, to). */
static wpa_downtime of_probe(const wpa_rows *rows, size_t from, size_t to, wpa_arena *arena,
                             totals *sum)
{
    wpa_downtime_row *seen = wpa_arena_array(arena, to - from, sizeof *seen);
    for (size_t i = from; i < to; i++) {
        wpa_measured result = WPA_MEASURED_ERROR;
        const int64_t started_us = wpa_rows_time_us(rows, i, 3);
        if (wpa_measured_from_name(wpa_rows_text(rows, i, 5), &result) &&
            result == WPA_MEASURED_FAILURE &&
            (sum->first_failure_us == 0 || started_us < sum->first_failure_us)) {
            sum->first_failure_us = started_us;
        }
        seen[i - from] = (wpa_downtime_row){started_us, result};
    }
    return wpa_downtime_of(seen, to - from, wpa_rows_int(rows, from, 2), seen[0].at_us,
                           seen[to - from - 1].at_us, arena);
}

static void write_times(const wpa_deploy_run *run, const totals *sum, wpa_json *summary)
{
    int64_t n_changed = 0;
    int64_t last_reverted_us = 0;
    for (size_t i = 0; i < run->d->n_targets; i++) {
        const wpa_deploy_target *target = &run->d->targets[i];
        n_changed += target->applied != NULL ? 1 : 0;
        last_reverted_us =
            target->reverted_at_us > last_reverted_us ? target->reverted_at_us : last_reverted_us;
    }
    wpa_json_set_int(summary, "n_targets", (int64_t)run->d->n_targets);
    wpa_json_set_int(summary, "n_changed", n_changed);
    wpa_json_set_real(summary, "blast_radius",
                      run->d->n_targets > 0 ? (double)n_changed / (double)run->d->n_targets : 0);
    if (sum->first_failure_us != 0 && run->d->started_at_us != 0) {
        wpa_json_set_real(summary, "detect_s",
                          (double)(sum->first_failure_us - run->d->started_at_us) / 1e6);
    }
    if (sum->first_failure_us != 0 && last_reverted_us > sum->first_failure_us) {
        wpa_json_set_real(summary, "restore_s",
                          (double)(last_reverted_us - sum->first_failure_us) / 1e6);
    }
    if (sum->n > 0) {
        wpa_json_set_real(summary, "availability", wpa_downtime_availability(sum->items, sum->n));
    }
    wpa_json_set_bool(summary, "zero_downtime",
                      sum->n > 0 && wpa_downtime_is_zero(sum->items, sum->n));
}

bool wpa_deploy_summarise(wpa_deploy_run *run, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(run->d->id, id)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(run->job->db, WPA_SQL_DEPLOY_DOWNTIME_ROWS, params, 1, err);
    if (rows == NULL) {
        return false;
    }
    totals sum = {0};
    wpa_json *summary = wpa_json_new_object(run->arena);
    wpa_json *list = wpa_json_set_array(summary, "downtime");
    size_t from = 0;
    for (size_t i = 1; i <= wpa_rows_count(rows); i++) {
        if (i < wpa_rows_count(rows) && wpa_rows_int(rows, i, 1) == wpa_rows_int(rows, from, 1)) {
            continue;
        }
        const wpa_downtime down = of_probe(rows, from, i, run->arena, &sum);
        sum.items = wpa_arena_grow(run->arena, sum.items, sum.n, &sum.capacity, sizeof *sum.items);
        sum.items[sum.n++] = down;
        add_target(run, &down, wpa_rows_int(rows, from, 0), list);
        from = i;
    }
    write_times(run, &sum, summary);
    const char *store[] = {id, wpa_json_dump(summary, run->arena)};
    return wpa_db_run(run->job->db, WPA_SQL_DEPLOY_SUMMARY, store, 2, err);
}

bool wpa_deploy_order_scans(wpa_deploy_run *run, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(run->d->id, id)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(run->job->db, WPA_SQL_DEPLOY_SCAN_TARGETS, params, 1, err);
    if (rows == NULL) {
        return false;
    }
    for (size_t i = 0; i < wpa_rows_count(rows); i++) {
        const wpa_job_spec spec = {
            .kind = "scan",
            .subject = wpa_arena_printf(run->arena, "repository:%s", wpa_rows_text(rows, i, 0)),
            .label = wpa_arena_printf(run->arena, "scan %s", wpa_rows_text(rows, i, 1)),
            .priority = 50,
        };
        if (!wpa_job_enqueue(run->job->db, &spec, NULL, err)) {
            return false;
        }
    }
    return true;
}
