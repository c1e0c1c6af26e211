/* Baking: checks measured when they are due, verdicts from the rows, and what follows. */
#include <math.h>
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "deploy/fault.h"
#include "deploy/run.h"
#include "gen/sql.h"

#define CONFIRM_US (INT64_C(1000) * WPA_CONFIRM_AFTER_MS)
#define STALE_INTERVALS 2
#define SPEC_MAX_BYTES ((size_t)1 << 20)

typedef struct probe {
    int64_t id;
    int64_t target_id;
    const wpa_probe_check *check;
    double baseline; /* NaN: none */
} probe;

typedef struct probes {
    probe *items;
    size_t n;
} probes;

/* What the rows of one probe say in the bake of now. */
typedef struct history {
    wpa_measured *results;
    size_t n;
    int64_t n_measured; /* those that are no errors */
    int64_t last_due_us, last_ended_us;
    const char *last_message;
} history;

static bool load_probes(wpa_deploy_run *run, int64_t n, probes *all, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    char number[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(run->d->id, id), wpa_db_number(n, number)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(run->job->db, WPA_SQL_DEPLOY_PROBES, params, 2, err);
    if (rows == NULL) {
        return false;
    }
    all->n = wpa_rows_count(rows);
    all->items = wpa_arena_array(run->arena, all->n + 1, sizeof *all->items);
    for (size_t i = 0; i < all->n; i++) {
        probe *p = &all->items[i];
        *p = (probe){
            .id = wpa_rows_int(rows, i, 0),
            .target_id = wpa_rows_int(rows, i, 2),
            .baseline = wpa_rows_is_null(rows, i, 9) ? NAN : wpa_rows_double(rows, i, 9),
        };
        const wpa_json *spec =
            wpa_json_parse(wpa_rows_text(rows, i, 5), wpa_rows_length(rows, i, 5), SPEC_MAX_BYTES,
                           run->arena, err);
        p->check = spec != NULL ? wpa_probe_check_parse(spec, run->arena, err) : NULL;
        if (p->check == NULL) {
            return wpa_error_within(err, "check '%s'", wpa_rows_text(rows, i, 3));
        }
    }
    return true;
}

static const wpa_deploy_target *target_of(const wpa_deploy_run *run, int64_t id)
{
    for (size_t i = 0; i < run->d->n_targets; i++) {
        if (run->d->targets[i].id == id) {
            return &run->d->targets[i];
        }
    }
    return NULL;
}

/* ---- one measurement ---- */

typedef struct measurement {
    const probe *of;
    const char *phase;
    int64_t due_us;
    wpa_measurement seen;
    bool is_baseline;
} measurement;

static const char *number_or_null(double value, wpa_arena *arena)
{
    return isfinite(value) ? wpa_arena_printf(arena, "%.17g", value) : NULL;
}

static bool write_measurement(wpa_deploy_run *run, const void *what, wpa_error *err)
{
    const measurement *m = what;
    char id[WPA_DB_NUMBER_SIZE];
    char due[WPA_TIMESTAMP_SIZE];
    char started[WPA_TIMESTAMP_SIZE];
    char ended[WPA_TIMESTAMP_SIZE];
    char samples[WPA_DB_NUMBER_SIZE];
    const char *value = number_or_null(m->seen.value, run->arena);
    const char *params[] = {
        wpa_db_number(m->of->id, id),
        wpa_timestamp_format(m->due_us, due),
        m->phase,
        wpa_timestamp_format(m->seen.started_us, started),
        wpa_timestamp_format(m->seen.ended_us, ended),
        wpa_measured_name(m->seen.result),
        value,
        m->seen.value_text,
        m->seen.latency_ms >= 0 ? number_or_null((double)m->seen.latency_ms, run->arena) : NULL,
        wpa_db_number(m->seen.samples, samples),
        number_or_null(m->of->baseline, run->arena),
        m->seen.resolved != NULL ? m->seen.resolved : "",
        m->seen.conditions != NULL ? m->seen.conditions : "",
        m->seen.message != NULL ? m->seen.message : "",
    };
    if (!wpa_db_run(run->job->db, WPA_SQL_DEPLOY_MEASURE, params, WPA_COUNT(params), err)) {
        return false;
    }
    const char *baseline[] = {id, value, m->seen.value_text};
    return !m->is_baseline || wpa_db_run(run->job->db, WPA_SQL_DEPLOY_BASELINE, baseline, 3, err);
}

static bool request_of(wpa_deploy_run *run, const probe *p, wpa_measure_request *request,
                       wpa_error *err)
{
    const wpa_deploy_target *target = target_of(run, p->target_id);
    if (target == NULL) {
        return WPA_FAIL(err, WPA_E_INTERNAL, "check '%s' has no target", p->check->name);
    }
    size_t n = 0;
    const wpa_git_edit *edits =
        wpa_deployment_edits(run->job->db, run->d, target, false, &n, run->arena, err);
    if (edits == NULL) {
        return false;
    }
    const char **paths = wpa_arena_array(run->arena, n, sizeof *paths);
    for (size_t i = 0; i < n; i++) {
        paths[i] = edits[i].path;
    }
    *request = (wpa_measure_request){
        .check = p->check,
        .repository = target->repository,
        .url = target->url,
        .branch = target->branch,
        .before = target->base != NULL ? target->base : target->tested_base,
        .paths = paths,
        .n_paths = n,
        .baseline = p->baseline,
    };
    return true;
}

/* No transaction is open while something outside is asked. */
static bool measure(wpa_deploy_run *run, const probe *p, const char *phase, int64_t due_us,
                    wpa_measured *result, const char **message, wpa_error *err)
{
    wpa_measure_request request;
    measurement m = {.of = p, .phase = phase, .due_us = due_us};
    m.is_baseline = wpa_text_is(phase, "baseline");
    if (!wpa_job_check(run->job, err) || !request_of(run, p, &request, err) ||
        !run->tools->measure(run->job, &request, run->arena, &m.seen, err)) {
        return false;
    }
    *result = m.seen.result;
    *message = m.seen.message;
    wpa_fault("before-measurement");
    return wpa_deploy_transact(run, write_measurement, &m, err);
}

/* rescore compares with before by itself: there is nothing to measure before the change. */
bool wpa_deploy_baselines(wpa_deploy_run *run, wpa_error *err)
{
    probes all;
    if (!load_probes(run, 0, &all, err)) {
        return false;
    }
    for (size_t i = 0; i < all.n; i++) {
        wpa_measured result;
        const char *message = NULL;
        if (all.items[i].check->kind != WPA_PROBE_RESCORE &&
            !measure(run, &all.items[i], "baseline", run->d->now_us, &result, &message, err)) {
            return false;
        }
    }
    return true;
}

/* ---- due times ---- */

static bool load_history(wpa_deploy_run *run, const probe *p, int64_t since_us, history *h,
                         wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    char since[WPA_TIMESTAMP_SIZE];
    const char *params[] = {wpa_db_number(p->id, id), wpa_timestamp_format(since_us, since),
                            "bake"};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(run->job->db, WPA_SQL_DEPLOY_MEASUREMENTS, params, 3, err);
    if (rows == NULL) {
        return false;
    }
    *h = (history){.n = wpa_rows_count(rows)};
    h->results = wpa_arena_array(run->arena, h->n + 1, sizeof *h->results);
    for (size_t i = 0; i < h->n; i++) {
        if (!wpa_measured_from_name(wpa_rows_text(rows, i, 1), &h->results[i])) {
            return WPA_FAIL(err, WPA_E_INTERNAL, "unknown result in measurement");
        }
        h->n_measured += h->results[i] != WPA_MEASURED_ERROR;
        h->last_due_us = wpa_rows_time_us(rows, i, 0);
        h->last_ended_us = wpa_rows_time_us(rows, i, 5);
        h->last_message = wpa_rows_dup(rows, i, 3, run->arena);
    }
    return true;
}

/* A bake runs on for measurements that were missed, for at most so long again and this. */
#define OVERTIME_US (INT64_C(600) * 1000000)

static wpa_bake_time time_of(const wpa_deploy_stage *stage, int64_t now_us)
{
    const int64_t end_us = stage->bake_until_us;
    if (now_us < end_us) {
        return WPA_BAKE_TIME_LEFT;
    }
    return now_us < end_us + stage->bake_ms * 1000 + OVERTIME_US ? WPA_BAKE_OVERTIME
                                                                 : WPA_BAKE_OVER;
}

typedef struct schedule {
    int64_t n_due;     /* in the whole bake */
    int64_t latest_us; /* the last time that has come, 0: none has */
    int64_t next_us;   /* the one behind it */
} schedule;

/* Missed times are not made up at once: only the latest that has come is measured. */
static schedule schedule_of(const probe *p, const wpa_deploy_stage *stage, int64_t now_us)
{
    const int64_t interval_us = p->check->interval_ms * 1000;
    const int64_t delay_us = p->check->initial_delay_ms * 1000;
    const int64_t first_us = stage->baking_at_us + delay_us;
    const int64_t span_us = stage->bake_ms * 1000 - delay_us;
    schedule s = {.n_due = span_us > 0 ? (span_us + interval_us - 1) / interval_us : 1,
                  .next_us = first_us};
    if (now_us >= first_us) {
        s.latest_us = first_us + (now_us - first_us) / interval_us * interval_us;
        s.next_us = s.latest_us + interval_us;
    }
    return s;
}

/* ---- a stage ---- */

typedef struct outcome {
    bool has_failure, has_inconclusive, is_running;
    const char *reason;
} outcome;

typedef struct judgement {
    const probe *of;
    wpa_verdict_state state;
    const char *reason; /* NULL: there is nothing to say */
} judgement;

static bool write_verdict(wpa_deploy_run *run, const void *what, wpa_error *err)
{
    const judgement *j = what;
    char id[WPA_DB_NUMBER_SIZE];
    char hits[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(j->of->id, id), wpa_verdict_name(j->state.verdict),
                            j->reason, wpa_db_number(j->state.hits, hits)};
    return wpa_db_run(run->job->db, WPA_SQL_DEPLOY_PROBE_VERDICT, params, WPA_COUNT(params), err);
}

static void add_outcome(wpa_deploy_run *run, const probe *p, wpa_verdict verdict,
                        const char *reason, outcome *all)
{
    if (p->check->is_dry_run) {
        return;
    }
    const wpa_deploy_target *target = target_of(run, p->target_id);
    const bool is_first =
        all->reason == NULL || (verdict == WPA_VERDICT_FAILURE && !all->has_failure);
    if ((verdict == WPA_VERDICT_FAILURE || verdict == WPA_VERDICT_INCONCLUSIVE) && is_first) {
        all->reason = wpa_arena_printf(run->arena, "check '%s' of %s: %s", p->check->name,
                                       target != NULL ? target->repository : "?", reason);
    }
    all->has_failure = all->has_failure || verdict == WPA_VERDICT_FAILURE;
    all->has_inconclusive = all->has_inconclusive || verdict == WPA_VERDICT_INCONCLUSIVE;
    all->is_running = all->is_running || verdict == WPA_VERDICT_RUNNING;
}

static bool is_counted_out(const probe *p, const history *h)
{
    return p->check->count > 0 && h->n_measured >= p->check->count;
}

/* Is the time that has come to be measured, going by what the rows say? */
static bool is_wanted(const probe *p, const schedule *s, const history *h,
                      const wpa_verdict_state *state, wpa_bake_time time, int64_t now_us)
{
    if (s->latest_us <= h->last_due_us || is_counted_out(p, h)) {
        return false;
    }
    /* Behind its time a bake ends on what is known, unless that is of long ago: then nobody has
     * looked for a while, and the end of the bake is looked at first. */
    const bool is_stale = now_us - h->last_due_us >= STALE_INTERVALS * p->check->interval_ms * 1000;
    return time == WPA_BAKE_TIME_LEFT || state->verdict == WPA_VERDICT_RUNNING || is_stale;
}

static bool measure_for(wpa_deploy_run *run, const probe *p, int64_t due_us, history *h,
                        wpa_error *err)
{
    wpa_measured *result = &h->results[h->n];
    if (!measure(run, p, "bake", due_us, result, &h->last_message, err)) {
        return false;
    }
    h->last_due_us = due_us;
    h->last_ended_us = wpa_now_us();
    h->n++;
    h->n_measured += *result != WPA_MEASURED_ERROR;
    return true;
}

/* A first failure, once more. */
static bool confirm(wpa_deploy_run *run, const probe *p, const schedule *s, history *h,
                    wpa_error *err)
{
    const int64_t confirm_us = h->last_ended_us + CONFIRM_US;
    const bool is_now = confirm_us <= run->d->now_us && confirm_us < s->next_us;
    return !is_now || measure_for(run, p, confirm_us, h, err);
}

static const char *full_reason(const wpa_deploy_run *run, const wpa_verdict_state *state,
                               const history *h)
{
    const bool has_message = h->last_message != NULL && *h->last_message != '\0';
    return *state->reason != '\0' && has_message
               ? wpa_arena_printf(run->arena, "%s (%s)", state->reason, h->last_message)
               : state->reason;
}

static bool look_at(wpa_deploy_run *run, const wpa_deploy_stage *stage, const probe *p,
                    outcome *all, wpa_error *err)
{
    history h;
    const int64_t now_us = run->d->now_us;
    const wpa_bake_time time = time_of(stage, now_us);
    const schedule s = schedule_of(p, stage, now_us);
    if (!load_history(run, p, stage->baking_at_us, &h, err)) {
        return false;
    }
    wpa_verdict_state state = wpa_verdict_of(p->check, h.results, h.n, s.n_due, time);
    const bool is_due = is_wanted(p, &s, &h, &state, time, now_us);
    if ((is_due && !measure_for(run, p, s.latest_us, &h, err)) ||
        (!is_due && state.needs_confirmation && !confirm(run, p, &s, &h, err))) {
        return false;
    }
    state = wpa_verdict_of(p->check, h.results, h.n, s.n_due, time);
    if (!is_counted_out(p, &h)) {
        wpa_deploy_wake(run, s.next_us);
    }
    if (state.needs_confirmation) {
        wpa_deploy_wake(run, h.last_ended_us + CONFIRM_US);
    }
    const char *reason = full_reason(run, &state, &h);
    add_outcome(run, p, state.verdict, reason, all);
    const judgement j = {p, state, *reason != '\0' ? reason : NULL};
    return wpa_deploy_transact(run, write_verdict, &j, err);
}

typedef struct hold {
    const wpa_deploy_stage *stage;
    const char *reason;
} hold;

/* The checks cannot tell. The stage remembers why, the clock stands, a guardian is asked. */
static bool write_inconclusive(wpa_deploy_run *run, const void *what, wpa_error *err)
{
    const hold *held = what;
    char id[WPA_DB_NUMBER_SIZE];
    char n[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(run->d->id, id), wpa_db_number(held->stage->n, n),
                            held->reason};
    const char *message =
        wpa_arena_printf(run->arena, "d-%lld is held: %s", (long long)run->d->id, held->reason);
    return wpa_db_run(run->job->db, WPA_SQL_DEPLOY_STAGE_CLOCK_STOP, params, 1, err) &&
           wpa_db_run(run->job->db, WPA_SQL_DEPLOY_STAGE_NOTE, params, 3, err) &&
           wpa_deploy_move(run, "paused", held->reason, NULL, err) &&
           wpa_deploy_notify(run, "error", message, err);
}

bool wpa_deploy_bake_step(wpa_deploy_run *run, const wpa_deploy_stage *stage, wpa_error *err)
{
    probes all;
    outcome seen = {0};
    if (!load_probes(run, stage->n, &all, err)) {
        return false;
    }
    for (size_t i = 0; i < all.n && !seen.has_failure; i++) {
        if (!look_at(run, stage, &all.items[i], &seen, err)) {
            return false;
        }
    }
    if (seen.has_failure) {
        wpa_fault("before-stage-failed");
        return wpa_deploy_stage_move_alone(run, stage, "failed", seen.reason, err);
    }
    if (seen.has_inconclusive) {
        const hold held = {stage, wpa_arena_printf(run->arena, "inconclusive: %s", seen.reason)};
        return wpa_deploy_transact(run, write_inconclusive, &held, err);
    }
    const bool is_over = run->d->now_us >= stage->bake_until_us;
    if (!is_over || seen.is_running) {
        wpa_deploy_wake(run, is_over ? run->d->now_us + CONFIRM_US : stage->bake_until_us);
        return true;
    }
    wpa_fault("before-passed");
    return wpa_deploy_stage_move_alone(run, stage, "passed", seen.reason, err);
}

/* ---- after the way back ---- */

bool wpa_deploy_checks_again(wpa_deploy_run *run, bool *is_good, const char **why, wpa_error *err)
{
    probes all;
    *is_good = true;
    *why = "";
    if (!load_probes(run, 0, &all, err)) {
        return false;
    }
    for (size_t i = 0; i < all.n && *is_good; i++) {
        const probe *p = &all.items[i];
        const wpa_deploy_target *target = target_of(run, p->target_id);
        const bool matters = !p->check->is_dry_run && p->check->kind != WPA_PROBE_RESCORE &&
                             target != NULL && target->reverted != NULL;
        wpa_measured result = WPA_MEASURED_SUCCESS;
        const char *message = NULL;
        if (matters && !measure(run, p, "after", run->d->now_us, &result, &message, err)) {
            return false;
        }
        if (result != WPA_MEASURED_SUCCESS) {
            *is_good = false;
            *why = wpa_arena_printf(run->arena, "check '%s' of %s: %s", p->check->name,
                                    target->repository, message != NULL ? message : "");
        }
    }
    return true;
}
