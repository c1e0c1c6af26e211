/* What guardians order: each one transaction that moves rows and wakes the job. */
#include <string.h>

#include <wpa/text.h>

#include "deploy/deploy.h"
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

static bool wake_job(const order *o, int64_t delay_ms, wpa_error *err)
{
    const wpa_job_spec spec = {
        .kind = "deploy",
        .subject = wpa_arena_printf(o->arena, "deployment:%lld", (long long)o->id),
        .label = wpa_arena_printf(o->arena, "deploy d-%lld", (long long)o->id),
        .priority = PRIORITY,
        .max_attempts = 20,
        .delay_ms = delay_ms,
        .requested_by = o->actor->principal_id,
    };
    return wpa_job_enqueue(o->db, &spec, NULL, err);
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
        return wpa_error_within(err, "d-%lld", (long long)id);
    }
    return wpa_db_commit(db, err);
}

static bool check_version(const order *o, int64_t if_version, wpa_error *err)
{
    return if_version < 0 || o->d->version == if_version ||
           WPA_FAIL(err, WPA_E_CONFLICT, "d-%lld has changed meanwhile: it is %s now",
                    (long long)o->id, o->d->state);
}

static bool need_reason(const char *reason, wpa_error *err)
{
    return (reason != NULL && *reason != '\0') || WPA_FAIL(err, WPA_E_INVALID, "say why");
}

/* ---- start ---- */

static bool insert_probe(const order *o, const char *n, const char *target, const wpa_json *json,
                         wpa_error *err)
{
    const wpa_probe_check *check = wpa_probe_check_parse(json, o->arena, err);
    if (check == NULL) {
        return false;
    }
    const int64_t hits =
        check->failure_streak > 0 ? check->failure_streak : check->failure_limit + 1;
    const bool has_latency = check->kind == WPA_PROBE_HTTP && check->http.max_latency_ms > 0;
    char deployment[WPA_DB_NUMBER_SIZE];
    char interval[WPA_DB_NUMBER_SIZE];
    char hits_limit[WPA_DB_NUMBER_SIZE];
    char latency[WPA_DB_NUMBER_SIZE];
    const char *params[] = {
        wpa_db_number(o->id, deployment),
        n,
        target,
        check->name,
        wpa_probe_kind_name(check->kind),
        wpa_json_dump(json, o->arena),
        wpa_db_number(check->interval_ms, interval),
        wpa_db_bool(check->is_critical),
        wpa_db_bool(check->is_dry_run),
        wpa_probe_limit_text(check, o->arena),
        has_latency ? wpa_db_number(check->http.max_latency_ms, latency) : NULL,
        wpa_db_number(hits, hits_limit),
    };
    return wpa_db_run(o->db, WPA_SQL_DEPLOY_PROBE_INSERT, params, WPA_COUNT(params), err);
}

static bool insert_probes(const order *o, const char *n, const wpa_json *target, wpa_error *err)
{
    const wpa_json *checks = wpa_json_find(target, "checks");
    char id[WPA_DB_NUMBER_SIZE];
    wpa_db_number(wpa_json_int_of(wpa_json_find(target, "id"), 0), id);
    for (size_t i = 0; i < wpa_json_count(checks); i++) {
        if (!insert_probe(o, n, id, wpa_json_at(checks, i), err)) {
            return wpa_error_within(err, "check of %s",
                                    wpa_json_text_of(wpa_json_find(target, "repository")));
        }
    }
    return true;
}

static bool insert_targets(const order *o, const char *n, const wpa_json *targets, wpa_error *err)
{
    char deployment[WPA_DB_NUMBER_SIZE];
    wpa_db_number(o->id, deployment);
    for (size_t i = 0; i < wpa_json_count(targets); i++) {
        const wpa_json *target = wpa_json_at(targets, i);
        char id[WPA_DB_NUMBER_SIZE];
        char ordinal[WPA_DB_NUMBER_SIZE];
        const char *params[] = {
            deployment, n, wpa_db_number(wpa_json_int_of(wpa_json_find(target, "id"), 0), id),
            wpa_json_text_of(wpa_json_find(target, "ref")), wpa_db_number((int64_t)i, ordinal)};
        if (!wpa_db_run(o->db, WPA_SQL_DEPLOY_TARGET_INSERT, params, WPA_COUNT(params), err) ||
            !insert_probes(o, n, target, err)) {
            return false;
        }
    }
    return true;
}

static bool insert_stages(const order *o, const wpa_json *plan, wpa_error *err)
{
    const wpa_json *stages = wpa_json_find(plan, "stages");
    char deployment[WPA_DB_NUMBER_SIZE];
    wpa_db_number(o->id, deployment);
    for (size_t i = 0; i < wpa_json_count(stages); i++) {
        const wpa_json *stage = wpa_json_at(stages, i);
        char n[WPA_DB_NUMBER_SIZE];
        char bake[WPA_DB_NUMBER_SIZE];
        const char *params[] = {
            deployment,
            wpa_db_number((int64_t)i + 1, n),
            wpa_json_text_of(wpa_json_find(stage, "name")),
            wpa_arena_printf(o->arena, "%.3f",
                             wpa_json_real_of(wpa_json_find(stage, "percent"), 100)),
            wpa_db_number(wpa_json_int_of(wpa_json_find(stage, "bake_ms"), 0), bake),
            "{}",
        };
        if (!wpa_db_run(o->db, WPA_SQL_DEPLOY_STAGE_INSERT, params, WPA_COUNT(params), err) ||
            !insert_targets(o, n, wpa_json_find(stage, "targets"), err)) {
            return false;
        }
    }
    return true;
}

/* What policy wants of approvals, and what there is of them now. */
typedef struct approvals {
    int64_t needed, valid, of_others;
    bool is_separate; /* whoever starts it must not be its only approver */
} approvals;

static bool count_approvals(const order *o, int64_t patch_id, approvals *a, wpa_error *err)
{
    char patch[WPA_DB_NUMBER_SIZE];
    char guardian[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(patch_id, patch),
                            wpa_db_number(o->actor->principal_id, guardian)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(o->db, WPA_SQL_DEPLOY_APPROVALS, params, WPA_COUNT(params), err);
    if (rows == NULL) {
        return false;
    }
    *a = (approvals){wpa_rows_int(rows, 0, 0), wpa_rows_int(rows, 0, 1), wpa_rows_int(rows, 0, 2),
                     wpa_rows_bool(rows, 0, 3)};
    return true;
}

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

/* Starting a tested patch is his approval of it, unless policy wants more than that. */
static bool approve_by_start(const order *o, int64_t patch_id, const approvals *a, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *settings = wpa_db_exec(o->db, WPA_SQL_DEPLOY_SETTINGS, NULL, 0, err);
    if (settings == NULL) {
        return false;
    }
    if (a->needed > 1 || wpa_text_is(wpa_rows_text(settings, 0, 1), "on")) {
        int64_t missing = a->needed > a->valid ? a->needed - a->valid : 0;
        return WPA_FAIL(err, WPA_E_REFUSED,
                        "p-%lld is tested, not approved: policy wants %lld explicit approval%s, "
                        "and %lld more %s missing%s",
                        (long long)patch_id, (long long)a->needed, plural(a->needed),
                        (long long)missing, missing == 1 ? "is" : "are",
                        a->needed > 1 ? " (whoever wrote or ordered it does not count)" : "");
    }
    if (a->is_separate && a->of_others == 0) {
        return WPA_FAIL(err, WPA_E_REFUSED,
                        "p-%lld is tested, not approved: policy wants that somebody else than "
                        "'%s', who starts it, approves it first",
                        (long long)patch_id, o->actor->name);
    }
    char patch[WPA_DB_NUMBER_SIZE];
    char guardian[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(patch_id, patch),
                            wpa_db_number(o->actor->principal_id, guardian),
                            wpa_rows_text(settings, 0, 2)};
    return wpa_db_run(o->db, WPA_SQL_DEPLOY_APPROVE, params, 3, err) &&
           wpa_db_run(o->db, WPA_SQL_DEPLOY_PATCH_APPROVED, params, 1, err);
}

/* Approvals that were given may have ended, or were of people who are no guardians any more. */
static bool need_approvals(const order *o, int64_t patch_id, const approvals *a, wpa_error *err)
{
    if (a->valid < a->needed) {
        return WPA_FAIL(err, WPA_E_REFUSED,
                        "p-%lld was approved, but %lld of the %lld approval%s that policy wants "
                        "count%s now: %lld more %s missing",
                        (long long)patch_id, (long long)a->valid, (long long)a->needed,
                        plural(a->needed), a->valid == 1 ? "s" : "",
                        (long long)(a->needed - a->valid),
                        a->needed - a->valid == 1 ? "is" : "are");
    }
    return !a->is_separate || a->of_others > 0 ||
           WPA_FAIL(err, WPA_E_REFUSED,
                    "'%s' is the only one who has approved p-%lld: policy wants that somebody else "
                    "starts it",
                    o->actor->name, (long long)patch_id);
}

static bool need_startable(order *o, int64_t patch_id, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    approvals a;
    const char *params[] = {wpa_db_number(patch_id, id)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(o->db, WPA_SQL_DEPLOY_PLAN_PATCH, params, 1, err);
    if (rows == NULL || !count_approvals(o, patch_id, &a, err)) {
        return false;
    }
    const char *state = wpa_rows_count(rows) > 0 ? wpa_rows_text(rows, 0, 2) : "unknown";
    if (wpa_text_is(state, "tested")) {
        return approve_by_start(o, patch_id, &a, err);
    }
    if (wpa_text_is(state, "approved")) {
        return need_approvals(o, patch_id, &a, err);
    }
    return WPA_FAIL(err, WPA_E_REFUSED, "p-%lld is %s: only a tested or approved patch is deployed",
                    (long long)patch_id, state);
}

static bool start(order *o, int64_t patch_id, const char *plan_digest, wpa_error *err)
{
    char digest[65];
    const wpa_json *plan = wpa_deploy_plan(o->db, patch_id, o->arena, digest, err);
    if (plan == NULL) {
        return false;
    }
    if (plan_digest != NULL && *plan_digest != '\0' && !wpa_text_is(plan_digest, digest)) {
        return WPA_FAIL(err, WPA_E_CONFLICT, "the plan is another one now; look at it again");
    }
    if (!need_startable(o, patch_id, err)) {
        return false;
    }
    char patch[WPA_DB_NUMBER_SIZE];
    char guardian[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(patch_id, patch), wpa_json_dump(plan, o->arena),
                            wpa_db_number(o->actor->principal_id, guardian)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(o->db, WPA_SQL_DEPLOY_INSERT, params, 3, err);
    if (rows == NULL) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_REFUSED, "p-%s is being deployed already", patch);
    }
    o->id = wpa_rows_int(rows, 0, 0);
    return insert_stages(o, plan, err) && wake_job(o, 0, err);
}

bool wpa_deploy_start(wpa_db *db, const wpa_actor *actor, int64_t patch_id, const char *plan_digest,
                      int64_t *deployment_id, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    order o = {.db = db, .actor = actor, .arena = arena};
    if (!wpa_actor_check(actor, WPA_ACTION_START_DEPLOYMENT, err) ||
        !wpa_db_begin(db, actor, err)) {
        return false;
    }
    if (!start(&o, patch_id, plan_digest, err)) {
        wpa_db_rollback(db);
        return wpa_error_within(err, "deploy p-%lld", (long long)patch_id);
    }
    *deployment_id = o.id;
    return wpa_db_commit(db, err);
}

/* ---- pause, resume, promote, abort, conclude ---- */

static bool do_pause(order *o, const void *what, wpa_error *err)
{
    static const char *const states[] = {"running"};
    const char *reason = o->reason != NULL && *o->reason != '\0' ? o->reason : "held by a guardian";
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
    if (!check_version(o, *(const int64_t *)what, err) || !need_reason(o->reason, err) ||
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
    const char *reason =
        o->reason != NULL && *o->reason != '\0' ? o->reason : "cancelled by a guardian";
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
    return check_version(o, *(const int64_t *)what, err) && need_reason(o->reason, err) &&
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
    const char *reason =
        o->reason != NULL && *o->reason != '\0' ? o->reason : "ordered by a guardian";
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
    if (!check_version(o, request->if_version, err) || !need_reason(o->reason, err)) {
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
