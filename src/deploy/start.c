/* The order that starts a deployment: its plan is frozen in rows, and the job is woken. */
#include <string.h>

#include <wpa/text.h>

#include "deploy/order.h"
#include "gen/sql.h"

typedef struct order {
    wpa_db *db;
    const wpa_actor *actor;
    int64_t id; /* once there is one */
    wpa_arena *arena;
} order;

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
    if (!wpa_actor_check(o->actor, WPA_ACTION_APPROVE_PATCH, err)) {
        return wpa_error_within(err, "p-%lld is tested, not approved", (long long)patch_id);
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
    return insert_stages(o, plan, err) && wpa_deploy_order_job(o->db, o->actor, o->id, 0, err);
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
