/*
 * The deploy job: a step machine that can be left and entered anywhere. Each step reads the rows,
 * does one thing, and writes rows; when nothing is due it asks to be called again.
 */
#include <string.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "deploy/fault.h"
#include "deploy/run.h"
#include "gen/sql.h"

#define STEPS_MAX 10000
#define TROUBLES_MAX 5
/* Shorter waits are not worth a trip through the queue. */
#define NAP_MAX_US (INT64_C(1500) * 1000)
#define NAP_SLICE_MS 50
#define TURN_MAX_MS 1000 /* then others may have the worker */
#define IDLE_AGAIN_MS INT64_C(30000)

bool wpa_deploy_transact(wpa_deploy_run *run, wpa_deploy_work *work, const void *what,
                         wpa_error *err)
{
    if (!wpa_job_begin(run->job, err)) {
        return false;
    }
    if (!work(run, what, err)) {
        wpa_db_rollback(run->job->db);
        return false;
    }
    return wpa_db_commit(run->job->db, err);
}

void wpa_deploy_wake(wpa_deploy_run *run, int64_t at_us)
{
    if (run->wake_us == 0 || at_us < run->wake_us) {
        run->wake_us = at_us;
    }
}

bool wpa_deploy_move(wpa_deploy_run *run, const char *to, const char *reason, const char *rule,
                     wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    char token[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(run->d->id, id),
                            run->d->state,
                            to,
                            reason,
                            wpa_db_number(run->job->job->token, token),
                            rule};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(run->job->db, WPA_SQL_DEPLOY_MOVE, params, WPA_COUNT(params), err);
    run->has_moved = true;
    if (rows == NULL) {
        return wpa_error_within(err, "d-%lld %s -> %s", (long long)run->d->id, run->d->state, to);
    }
    return wpa_rows_count(rows) == 1 || WPA_FAIL(err, WPA_E_CONFLICT, "d-%lld is not %s any more",
                                                 (long long)run->d->id, run->d->state);
}

bool wpa_deploy_stage_move(wpa_deploy_run *run, const wpa_deploy_stage *stage, const char *to,
                           const char *reason, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    char n[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(run->d->id, id), wpa_db_number(stage->n, n), stage->state,
                            to, reason};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(run->job->db, WPA_SQL_DEPLOY_STAGE_MOVE, params, WPA_COUNT(params), err);
    run->has_moved = true;
    if (rows == NULL) {
        return wpa_error_within(err, "stage %lld -> %s", (long long)stage->n, to);
    }
    return wpa_rows_count(rows) == 1 ||
           WPA_FAIL(err, WPA_E_CONFLICT, "stage %lld is not %s any more", (long long)stage->n,
                    stage->state);
}

typedef struct stage_change {
    const wpa_deploy_stage *stage;
    const char *to, *reason;
} stage_change;

static bool write_stage(wpa_deploy_run *run, const void *what, wpa_error *err)
{
    const stage_change *change = what;
    return wpa_deploy_stage_move(run, change->stage, change->to, change->reason, err);
}

bool wpa_deploy_stage_move_alone(wpa_deploy_run *run, const wpa_deploy_stage *stage, const char *to,
                                 const char *reason, wpa_error *err)
{
    const stage_change change = {stage, to, reason};
    return wpa_deploy_transact(run, write_stage, &change, err);
}

bool wpa_deploy_patch_move(wpa_deploy_run *run, const char *to, const char *reason, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(run->d->patch_id, id), to, reason};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(run->job->db, WPA_SQL_DEPLOY_PATCH_MOVE, params, WPA_COUNT(params), err);
    return rows != NULL && (wpa_rows_count(rows) == 1 ||
                            WPA_FAIL(err, WPA_E_CONFLICT, "p-%s is %s: it cannot be %s", id,
                                     run->d->patch_state, to));
}

bool wpa_deploy_notify(wpa_deploy_run *run, const char *level, const char *message, wpa_error *err)
{
    const char *subject = wpa_arena_printf(run->arena, "deployment:%lld", (long long)run->d->id);
    const char *params[] = {level, subject, subject, message};
    return wpa_db_run(run->job->db, WPA_SQL_DEPLOY_NOTICE, params, WPA_COUNT(params), err);
}

typedef struct rollback_order {
    const char *rule;
    const char *reason;
} rollback_order;

static bool write_rollback(wpa_deploy_run *run, const void *what, wpa_error *err)
{
    const rollback_order *order = what;
    char id[WPA_DB_NUMBER_SIZE];
    const char *desire[] = {wpa_db_number(run->d->id, id), "0", "original"};
    if (!wpa_deploy_move(run, "rolling_back", order->reason, order->rule, err) ||
        !wpa_db_run(run->job->db, WPA_SQL_DEPLOY_DESIRE, desire, 3, err)) {
        return false;
    }
    if (order->rule == NULL) {
        return true;
    }
    return wpa_deploy_notify(run, "alarm",
                             wpa_arena_printf(run->arena, "d-%lld is rolled back by rule %s: %s",
                                              (long long)run->d->id, order->rule, order->reason),
                             err);
}

bool wpa_deploy_roll_back_by(wpa_deploy_run *run, const char *rule, const char *reason,
                             wpa_error *err)
{
    const rollback_order order = {rule, reason};
    return wpa_deploy_transact(run, write_rollback, &order, err);
}

wpa_git *wpa_deploy_reach(wpa_deploy_run *run, const wpa_deploy_target *target, wpa_error *err)
{
    return wpa_git_reach(target->url, target->branch,
                         wpa_path_join(run->arena, run->job->cache_folder, "git"),
                         WPA_DEPLOY_NETWORK_MS, err);
}

/* ---- steps ---- */

/* An order to roll back whose time has come. A succeeded deployment needs its claims again. */
static bool write_due_order(wpa_deploy_run *run, const void *what, wpa_error *err)
{
    (void)what;
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(run->d->id, id)};
    const rollback_order order = {NULL, run->d->rollback_reason != NULL &&
                                                *run->d->rollback_reason != '\0'
                                            ? run->d->rollback_reason
                                            : "ordered by a guardian"};
    return wpa_db_run(run->job->db, WPA_SQL_DEPLOY_CLAIM, params, 1, err) &&
           write_rollback(run, &order, err);
}

static bool is_one_of(const char *state, const char *const *states, size_t n)
{
    return wpa_text_index(state, states, n) >= 0;
}

static bool step(wpa_deploy_run *run, wpa_error *err)
{
    static const char *const open_states[] = {"running", "paused", "succeeded"};
    const wpa_deployment *d = run->d;
    if (d->rollback_at_us != 0 && is_one_of(d->state, open_states, WPA_COUNT(open_states))) {
        if (d->rollback_at_us <= d->now_us) {
            wpa_fault("before-due-rollback");
            return wpa_deploy_transact(run, write_due_order, NULL, err);
        }
        wpa_deploy_wake(run, d->rollback_at_us);
    }
    static const struct {
        const char *state;
        bool (*step)(wpa_deploy_run *, wpa_error *);
    } steps[] = {
        {"planned", wpa_deploy_preflight},
        {"running", wpa_deploy_stage_step},
        {"paused", wpa_deploy_paused_step},
        {"rolling_back", wpa_deploy_rollback_step},
    };
    for (size_t i = 0; i < WPA_COUNT(steps); i++) {
        if (wpa_text_is(d->state, steps[i].state)) {
            return steps[i].step(run, err);
        }
    }
    return true;
}

static bool is_over(const wpa_deployment *d)
{
    static const char *const ends[] = {"succeeded", "aborted", "rolled_back", "stuck"};
    return is_one_of(d->state, ends, WPA_COUNT(ends)) && d->rollback_at_us == 0;
}

/* Sleep through a short wait, looking up if the worker is told to stop. */
static void nap(wpa_job_context *context, int64_t wait_us)
{
    const int64_t until_ms = wpa_monotonic_ms() + wait_us / 1000;
    while (!wpa_job_should_stop(context)) {
        const int64_t left_ms = until_ms - wpa_monotonic_ms();
        if (left_ms <= 0) {
            return;
        }
        wpa_sleep_ms(left_ms < NAP_SLICE_MS ? left_ms : NAP_SLICE_MS);
    }
}

typedef enum turn {
    TURN_ON,    /* go on with the next step */
    TURN_DONE,  /* nothing is left to do */
    TURN_LATER, /* something is due later; the job has been deferred */
    TURN_FAILED
} turn;

/* Somebody changed the rows between our reading and our writing: read again, a few times. */
static bool is_passing(const wpa_error *err)
{
    return err->code == WPA_E_REFUSED || err->code == WPA_E_CONFLICT;
}

static turn take_turn(wpa_job_context *context, const wpa_deploy_tools *tools, int64_t id,
                      int64_t until_ms, int *n_troubles, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_deploy_run run = {.job = context, .tools = tools, .arena = arena};
    if (!wpa_job_check(context, err)) {
        return TURN_FAILED;
    }
    run.d = wpa_deployment_load(context->db, id, arena, err);
    if (run.d == NULL) {
        return TURN_FAILED;
    }
    if (is_over(run.d)) {
        return TURN_DONE;
    }
    if (!step(&run, err)) {
        *n_troubles += 1;
        if (!is_passing(err) || *n_troubles > TROUBLES_MAX) {
            return TURN_FAILED;
        }
        wpa_log_write(context->log, WPA_LOG_WARN, "deploy", "d-%lld: %s; looking again",
                      (long long)id, err->message);
        wpa_error_clear(err);
        return TURN_ON;
    }
    *n_troubles = 0;
    if (run.has_moved) {
        return TURN_ON;
    }
    const int64_t wait_us = run.wake_us == 0 ? IDLE_AGAIN_MS * 1000 : run.wake_us - run.d->now_us;
    if (wait_us <= NAP_MAX_US && wpa_monotonic_ms() < until_ms) {
        nap(context, wait_us);
        return TURN_ON;
    }
    const int64_t wait_ms = wait_us < 0 ? 0 : wait_us / 1000;
    wpa_job_again(context, wait_ms < IDLE_AGAIN_MS ? wait_ms : IDLE_AGAIN_MS);
    return TURN_LATER;
}

bool wpa_deploy_job_with(wpa_job_context *context, const wpa_deploy_tools *tools, wpa_error *err)
{
    static const char prefix[] = "deployment:";
    int64_t id = 0;
    const char *subject = context->job->subject;
    if (!wpa_text_starts(subject, prefix) ||
        !wpa_text_to_int(subject + strlen(prefix), 1, INT64_MAX, &id)) {
        return WPA_FAIL(err, WPA_E_INVALID, "'%s' is no deployment", subject);
    }
    int n_troubles = 0;
    const int64_t until_ms = wpa_monotonic_ms() + TURN_MAX_MS;
    turn now = TURN_ON;
    for (int i = 0; i < STEPS_MAX && now == TURN_ON; i++) {
        now = take_turn(context, tools, id, until_ms, &n_troubles, err);
    }
    if (now == TURN_FAILED) {
        return wpa_error_within(err, "deployment d-%lld", (long long)id);
    }
    return now == TURN_ON ? wpa_job_again(context, 0) : true;
}
