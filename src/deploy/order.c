/*
 * What guardians order of a deployment that has been started: each one transaction that moves rows
 * and wakes the job.
 */
#include "deploy/order.h"

#include <string.h>

#include <wpa/text.h>

#include "deploy/model.h"
#include "gen/sql.h"

#define PRIORITY 10

typedef struct order {
    wpa_db *db;
    const wpa_actor *actor;
    int64_t id;
    const wpa_deployment *d;
    const char *reason;
    wpa_arena *arena;
} order;

bool wpa_deploy_order_job(wpa_db *db, const wpa_actor *actor, int64_t deployment_id,
                          int64_t delay_ms, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_job_spec spec = {
        .kind = "deploy",
        .subject = wpa_arena_printf(arena, "deployment:%lld", (long long)deployment_id),
        .label = wpa_arena_printf(arena, "deploy d-%lld", (long long)deployment_id),
        .priority = PRIORITY,
        .max_attempts = 20,
        .delay_ms = delay_ms,
        .requested_by = actor->principal_id,
    };
    return wpa_job_enqueue(db, &spec, NULL, err);
}

static bool wake_job(const order *o, int64_t delay_ms, wpa_error *err)
{
    return wpa_deploy_order_job(o->db, o->actor, o->id, delay_ms, err);
}

static bool move(const order *o, const char *to, const char *reason, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(o->id, id), o->d->state, to, reason, "0", NULL};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(o->db, WPA_SQL_DEPLOY_MOVE, params, WPA_COUNT(params), err);
    if (rows == NULL) {
        return false;
    }
    return wpa_rows_count(rows) == 1 ||
           WPA_FAIL(err, WPA_E_CONFLICT, "d-%lld is not %s any more; look again", (long long)o->id,
                    o->d->state);
}

static bool run_on_id(const order *o, const wpa_sql *statement, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(o->id, id)};
    return wpa_db_run(o->db, statement, params, 1, err);
}

static bool need_state(const order *o, const char *const *states, size_t n, const char *what,
                       wpa_error *err)
{
    return wpa_text_index(o->d->state, states, n) >= 0 ||
           WPA_FAIL(err, WPA_E_REFUSED, "d-%lld is %s: it cannot be %s", (long long)o->id,
                    o->d->state, what);
}

typedef bool order_work(order *o, const void *what, wpa_error *err);

/* Check the role, read the deployment inside the transaction, work, wake the job, commit. */
static bool carry_out(wpa_db *db, const wpa_actor *actor, wpa_action action, int64_t id,
                      const char *reason, order_work *work, const void *what, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    order o = {.db = db, .actor = actor, .id = id, .reason = reason, .arena = arena};
    if (!wpa_actor_check(actor, action, err) || !wpa_db_begin(db, actor, err)) {
        return false;
    }
    o.d = wpa_deployment_load(db, id, arena, err);
    if (o.d == NULL || !work(&o, what, err)) {
        wpa_db_rollback(db);
        const char *name = wpa_arena_printf(arena, "d-%lld", (long long)id);
        return !wpa_text_starts(err->message, name) && wpa_error_within(err, "%s", name);
    }
    return wpa_db_commit(db, err);
}

static bool check_version(const order *o, int64_t if_version, wpa_error *err)
{
    return if_version < 0 || o->d->version == if_version ||
           WPA_FAIL(err, WPA_E_CONFLICT, "d-%lld has changed meanwhile: it is %s now",
                    (long long)o->id, o->d->state);
}

static const char *reason_or(const order *o, const char *unsaid)
{
    return o->reason != NULL && *o->reason != '\0' ? o->reason : unsaid;
}

static bool need_reason(const order *o, wpa_error *err)
{
    return reason_or(o, NULL) != NULL || WPA_FAIL(err, WPA_E_INVALID, "say why");
}

/* ---- pause, resume, promote, abort, conclude ---- */

static bool do_pause(order *o, const void *what, wpa_error *err)
{
    static const char *const states[] = {"running"};
    const char *reason = reason_or(o, "held by a guardian");
    return check_version(o, *(const int64_t *)what, err) && need_state(o, states, 1, "held", err) &&
           run_on_id(o, WPA_SQL_DEPLOY_STAGE_CLOCK_STOP, err) && move(o, "paused", reason, err) &&
           wake_job(o, 0, err);
}

bool wpa_deploy_pause(wpa_db *db, const wpa_actor *actor, int64_t id, int64_t if_version,
                      const char *reason, wpa_error *err)
{
    return carry_out(db, actor, WPA_ACTION_CONTROL_DEPLOYMENT, id, reason, do_pause, &if_version,
                     err);
}

/* Nothing goes on while an order to roll back waits for its time. */
static bool refuse_ordered(const order *o, wpa_error *err)
{
    return o->d->rollback_at_us == 0 ||
           WPA_FAIL(err, WPA_E_REFUSED, "a rollback is ordered: cancel it first");
}

static bool do_resume(order *o, const void *what, wpa_error *err)
{
    static const char *const states[] = {"paused"};
    if (!check_version(o, *(const int64_t *)what, err) ||
        !need_state(o, states, 1, "resumed", err) || !refuse_ordered(o, err)) {
        return false;
    }
    return run_on_id(o, WPA_SQL_DEPLOY_STAGE_CLOCK_GO, err) &&
           run_on_id(o, WPA_SQL_DEPLOY_GATE_OPEN, err) && move(o, "running", NULL, err) &&
           wake_job(o, 0, err);
}

bool wpa_deploy_resume(wpa_db *db, const wpa_actor *actor, int64_t id, int64_t if_version,
                       wpa_error *err)
{
    return carry_out(db, actor, WPA_ACTION_CONTROL_DEPLOYMENT, id, NULL, do_resume, &if_version,
                     err);
}

static bool refuse_critical(const order *o, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(o->id, id)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(o->db, WPA_SQL_DEPLOY_CRITICAL_FAILURE, params, 1, err);
    return rows != NULL && (wpa_rows_count(rows) == 0 ||
                            WPA_FAIL(err, WPA_E_REFUSED, "the critical check '%s' has failed",
                                     wpa_rows_text(rows, 0, 0)));
}

static bool do_promote(order *o, const void *what, wpa_error *err)
{
    static const char *const states[] = {"running", "paused"};
    if (!check_version(o, *(const int64_t *)what, err) || !need_reason(o, err) ||
        !need_state(o, states, 2, "promoted", err) || !refuse_ordered(o, err) ||
        !refuse_critical(o, err)) {
        return false;
    }
    char id[WPA_DB_NUMBER_SIZE];
    char guardian[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(o->id, id),
                            wpa_db_number(o->actor->principal_id, guardian), o->reason};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(o->db, WPA_SQL_DEPLOY_STAGE_PROMOTE, params, 3, err);
    if (rows == NULL) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_REFUSED, "no stage is baking");
    }
    const bool is_held = wpa_text_is(o->d->state, "paused");
    return (!is_held || move(o, "running", NULL, err)) && wake_job(o, 0, err);
}

bool wpa_deploy_promote(wpa_db *db, const wpa_actor *actor, int64_t id, int64_t if_version,
                        const char *reason, wpa_error *err)
{
    return carry_out(db, actor, WPA_ACTION_CONTROL_DEPLOYMENT, id, reason, do_promote, &if_version,
                     err);
}

static bool fail_patch(const order *o, const char *reason, wpa_error *err)
{
    char patch[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(o->d->patch_id, patch), "failed", reason};
    return wpa_text_is(o->d->patch_state, "failed") ||
           wpa_db_run(o->db, WPA_SQL_DEPLOY_PATCH_MOVE, params, 3, err);
}

/* What has not been changed when the deployment ends never will be by it. */
static bool skip_targets(const order *o, const char *reason, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(o->id, id), reason};
    return wpa_db_run(o->db, WPA_SQL_DEPLOY_TARGETS_SKIP, params, WPA_COUNT(params), err);
}

/* A push of which nobody knows whether it arrived: its target would stay claimed by its intent. */
static bool refuse_unsettled(const order *o, wpa_error *err)
{
    static const char *const states[] = {"intended", "revert_intended"};
    for (size_t i = 0; i < o->d->n_targets; i++) {
        if (wpa_text_index(o->d->targets[i].state, states, WPA_COUNT(states)) >= 0) {
            return WPA_FAIL(err, WPA_E_REFUSED,
                            "target %s is being changed: resume or roll back instead",
                            o->d->targets[i].repository);
        }
    }
    return true;
}

static bool do_abort(order *o, const void *what, wpa_error *err)
{
    static const char *const states[] = {"planned"};
    const char *reason = reason_or(o, "cancelled by a guardian");
    return check_version(o, *(const int64_t *)what, err) &&
           need_state(o, states, 1, "cancelled; hold it or roll it back", err) &&
           skip_targets(o, reason, err) && move(o, "aborted", reason, err) &&
           run_on_id(o, WPA_SQL_DEPLOY_UNCLAIM, err) && wake_job(o, 0, err);
}

bool wpa_deploy_abort(wpa_db *db, const wpa_actor *actor, int64_t id, int64_t if_version,
                      const char *reason, wpa_error *err)
{
    return carry_out(db, actor, WPA_ACTION_CONTROL_DEPLOYMENT, id, reason, do_abort, &if_version,
                     err);
}

static bool do_conclude(order *o, const void *what, wpa_error *err)
{
    static const char *const states[] = {"paused", "stuck"};
    return check_version(o, *(const int64_t *)what, err) && need_reason(o, err) &&
           need_state(o, states, 2, "concluded; hold it first", err) && refuse_unsettled(o, err) &&
           skip_targets(o, o->reason, err) &&
           fail_patch(o, wpa_deployment_has_changed(o->d) ? "partial" : "deploy_failed", err) &&
           move(o, "aborted", o->reason, err) && run_on_id(o, WPA_SQL_DEPLOY_UNCLAIM, err) &&
           wake_job(o, 0, err);
}

bool wpa_deploy_conclude(wpa_db *db, const wpa_actor *actor, int64_t id, int64_t if_version,
                         const char *reason, wpa_error *err)
{
    return carry_out(db, actor, WPA_ACTION_CONCLUDE_DEPLOYMENT, id, reason, do_conclude,
                     &if_version, err);
}

/* ---- rolling back ---- */

typedef struct rollback_request {
    int64_t if_version;
    int64_t delay_ms;
} rollback_request;

/* The claims must be had, or had again after success. */
static bool take_claims(const order *o, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(o->id, id)};
    if (!wpa_db_run(o->db, WPA_SQL_DEPLOY_CLAIM, params, 1, err)) {
        return false;
    }
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(o->db, WPA_SQL_DEPLOY_CLAIM_HOLDERS, params, 1, err);
    if (rows == NULL) {
        return false;
    }
    return wpa_rows_count(rows) == 0 ||
           WPA_FAIL(err, WPA_E_CONFLICT, "%s is being changed by d-%lld; wait for its end",
                    wpa_rows_text(rows, 0, 0), (long long)wpa_rows_int(rows, 0, 2));
}

static bool roll_back_now(order *o, const char *reason, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *desire[] = {wpa_db_number(o->id, id), "0", "original"};
    return take_claims(o, err) && run_on_id(o, WPA_SQL_DEPLOY_BLOCKED_RETRY, err) &&
           move(o, "rolling_back", reason, err) &&
           wpa_db_run(o->db, WPA_SQL_DEPLOY_DESIRE, desire, 3, err) && wake_job(o, 0, err);
}

/* With a window: the order stands in the row, so it is carried out whatever becomes of us. */
static bool roll_back_later(order *o, int64_t delay_ms, const char *reason, wpa_error *err)
{
    const bool was_running = wpa_text_is(o->d->state, "running");
    char id[WPA_DB_NUMBER_SIZE];
    char delay[WPA_DB_NUMBER_SIZE];
    char guardian[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(o->id, id), wpa_db_number(delay_ms, delay),
                            wpa_db_number(o->actor->principal_id, guardian), reason,
                            wpa_db_bool(was_running)};
    if (!take_claims(o, err) ||
        !wpa_db_run(o->db, WPA_SQL_DEPLOY_ORDER_ROLLBACK, params, WPA_COUNT(params), err)) {
        return false;
    }
    if (was_running && (!run_on_id(o, WPA_SQL_DEPLOY_STAGE_CLOCK_STOP, err) ||
                        !move(o, "paused", "held: a rollback is ordered", err))) {
        return false;
    }
    return wake_job(o, delay_ms, err);
}

static bool do_roll_back(order *o, const void *what, wpa_error *err)
{
    static const char *const states[] = {"running", "paused", "succeeded", "stuck"};
    const rollback_request *request = what;
    const char *reason = reason_or(o, "ordered by a guardian");
    if (!check_version(o, request->if_version, err) ||
        !need_state(o, states, WPA_COUNT(states), "rolled back", err)) {
        return false;
    }
    const bool is_later = request->delay_ms > 0 && !wpa_text_is(o->d->state, "stuck");
    return is_later ? roll_back_later(o, request->delay_ms, reason, err)
                    : roll_back_now(o, reason, err);
}

bool wpa_deploy_roll_back(wpa_db *db, const wpa_actor *actor, int64_t id, int64_t if_version,
                          int64_t delay_ms, const char *reason, wpa_error *err)
{
    const rollback_request request = {if_version, delay_ms};
    return carry_out(db, actor, WPA_ACTION_ROLL_BACK, id, reason, do_roll_back, &request, err);
}

static bool do_roll_back_now(order *o, const void *what, wpa_error *err)
{
    (void)what;
    if (o->d->rollback_at_us == 0) {
        return WPA_FAIL(err, WPA_E_REFUSED, "no rollback waits");
    }
    return roll_back_now(o, o->d->rollback_reason, err);
}

bool wpa_deploy_rollback_now(wpa_db *db, const wpa_actor *actor, int64_t id, wpa_error *err)
{
    return carry_out(db, actor, WPA_ACTION_ROLL_BACK, id, NULL, do_roll_back_now, NULL, err);
}

static bool do_cancel(order *o, const void *what, wpa_error *err)
{
    (void)what;
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(o->id, id)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(o->db, WPA_SQL_DEPLOY_CANCEL_ROLLBACK, params, 1, err);
    if (rows == NULL) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_REFUSED, "no rollback waits: it has begun, or none was ordered");
    }
    if (wpa_text_is(o->d->state, "succeeded") && !run_on_id(o, WPA_SQL_DEPLOY_UNCLAIM, err)) {
        return false;
    }
    if (!wpa_rows_bool(rows, 0, 0)) {
        return wake_job(o, 0, err);
    }
    return run_on_id(o, WPA_SQL_DEPLOY_STAGE_CLOCK_GO, err) && move(o, "running", NULL, err) &&
           wake_job(o, 0, err);
}

bool wpa_deploy_cancel_rollback(wpa_db *db, const wpa_actor *actor, int64_t id, wpa_error *err)
{
    return carry_out(db, actor, WPA_ACTION_ROLL_BACK, id, NULL, do_cancel, NULL, err);
}

/* ---- single targets and stages ---- */

typedef struct skip_request {
    int64_t if_version;
    const char *repository;
} skip_request;

static bool do_skip(order *o, const void *what, wpa_error *err)
{
    const skip_request *request = what;
    if (!check_version(o, request->if_version, err) || !need_reason(o, err)) {
        return false;
    }
    for (size_t i = 0; i < o->d->n_targets; i++) {
        if (!wpa_text_is(o->d->targets[i].repository, request->repository)) {
            continue;
        }
        char id[WPA_DB_NUMBER_SIZE];
        char target[WPA_DB_NUMBER_SIZE];
        const char *params[] = {wpa_db_number(o->id, id),
                                wpa_db_number(o->d->targets[i].id, target), o->reason};
        WPA_AUTO(wpa_rows) *rows = wpa_db_exec(o->db, WPA_SQL_DEPLOY_TARGET_SKIP, params, 3, err);
        if (rows == NULL) {
            return false;
        }
        return wpa_rows_count(rows) == 1
                   ? wake_job(o, 0, err)
                   : WPA_FAIL(err, WPA_E_REFUSED, "target %s is %s: it cannot be skipped",
                              request->repository, o->d->targets[i].state);
    }
    return WPA_FAIL(err, WPA_E_NOT_FOUND, "no target '%s'", request->repository);
}

bool wpa_deploy_skip_target(wpa_db *db, const wpa_actor *actor, int64_t id, int64_t if_version,
                            const char *repository, const char *reason, wpa_error *err)
{
    const skip_request request = {if_version, repository};
    return carry_out(db, actor, WPA_ACTION_CONCLUDE_DEPLOYMENT, id, reason, do_skip, &request, err);
}

static bool do_retry(order *o, const void *what, wpa_error *err)
{
    static const char *const states[] = {"running", "paused"};
    if (!check_version(o, *(const int64_t *)what, err) ||
        !need_state(o, states, 2, "tried again", err) || !refuse_ordered(o, err)) {
        return false;
    }
    for (size_t i = 0; i < o->d->n_stages; i++) {
        if (!wpa_text_is(o->d->stages[i].state, "failed")) {
            continue;
        }
        char id[WPA_DB_NUMBER_SIZE];
        char n[WPA_DB_NUMBER_SIZE];
        const char *params[] = {wpa_db_number(o->id, id), wpa_db_number(o->d->stages[i].n, n),
                                "failed", "applying", NULL};
        const bool is_held = wpa_text_is(o->d->state, "paused");
        return run_on_id(o, WPA_SQL_DEPLOY_TARGET_RETRY, err) &&
               wpa_db_run(o->db, WPA_SQL_DEPLOY_STAGE_MOVE, params, WPA_COUNT(params), err) &&
               (!is_held || move(o, "running", NULL, err)) && wake_job(o, 0, err);
    }
    return WPA_FAIL(err, WPA_E_REFUSED, "no stage has failed");
}

bool wpa_deploy_retry_stage(wpa_db *db, const wpa_actor *actor, int64_t id, int64_t if_version,
                            wpa_error *err)
{
    return carry_out(db, actor, WPA_ACTION_CONCLUDE_DEPLOYMENT, id, NULL, do_retry, &if_version,
                     err);
}
