/* Service: what is decided about patches. Guards of the database have the last word. */
#include <wpa/text.h>

#include "agent/call.h"
#include "agent/revise.h"
#include "gen/sql.h"
#include "patch/patch.h"

typedef struct decision {
    int64_t patch_id;
    const char *text; /* comment or reason */
    const char *check_id;
    int64_t until_us;
    int64_t job_id;
} decision;

/** Locks the patch; its state and the reason of a failed one. */
static bool look(wpa_db *db, int64_t patch_id, char state[16], char reason[32], wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(patch_id, id)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_SERVICE_PATCH, params, 1, err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no p-%s", id);
    }
    (void)wpa_text_copy(state, 16, wpa_rows_text(rows, 0, 0));
    (void)wpa_text_copy(reason, 32, wpa_rows_text(rows, 0, 1));
    return true;
}

/* ---- test -------------------------------------------------------------------------------------
 */

static bool order_test(wpa_db *db, const wpa_actor *actor, void *context, wpa_error *err)
{
    decision *d = context;
    char id[WPA_DB_NUMBER_SIZE];
    char state[16];
    char reason[32];
    const char *params[] = {wpa_db_number(d->patch_id, id)};
    if (!look(db, d->patch_id, state, reason, err)) {
        return false;
    }
    bool is_back = wpa_text_is(state, "tested") || wpa_text_is(state, "failed");
    if (!is_back && !wpa_text_is(state, "pending") && !wpa_text_is(state, "testing")) {
        return WPA_FAIL(err, WPA_E_REFUSED, "p-%s is %s: it is not tested again", id, state);
    }
    if (is_back && !wpa_db_run(db, WPA_SQL_SERVICE_PATCH_PENDING, params, 1, err)) {
        return false;
    }
    return wpa_patch_order_test(db, actor, d->patch_id, &d->job_id, err);
}

bool wpa_agent_test_patch(wpa_engine *engine, const wpa_actor *actor, int64_t patch_id,
                          int64_t *job_id, wpa_error *err)
{
    decision d = {.patch_id = patch_id};
    if (!wpa_call(engine, actor, WPA_ACTION_ORDER_TEST, order_test, &d, err)) {
        return false;
    }
    if (job_id) {
        *job_id = d.job_id;
    }
    return true;
}

static bool stop_test(wpa_db *db, const wpa_actor *actor, void *context, wpa_error *err)
{
    const decision *d = context;
    char subject[64];
    (void)actor;
    (void)wpa_text_format(subject, sizeof subject, "patch:%lld", (long long)d->patch_id);
    const char *params[] = {"test", subject};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_SERVICE_LIVE_JOB, params, 2, err);
    if (rows && wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_REFUSED, "p-%lld is not being tested", (long long)d->patch_id);
    }
    return rows && wpa_job_cancel(db, wpa_rows_int(rows, 0, 0), err);
}

bool wpa_agent_stop_test(wpa_engine *engine, const wpa_actor *actor, int64_t patch_id,
                         wpa_error *err)
{
    decision d = {.patch_id = patch_id};
    return wpa_call(engine, actor, WPA_ACTION_ORDER_TEST, stop_test, &d, err);
}

/* ---- approval ---------------------------------------------------------------------------------
 */

/** One more is wanted, and his would be one that counts. */
static bool need_approval(wpa_db *db, const char *const params[2], const char *state,
                          const wpa_actor *actor, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_SERVICE_APPROVALS, params, 2, err);
    if (!rows) {
        return false;
    }
    bool is_short = wpa_rows_int(rows, 0, 1) < wpa_rows_int(rows, 0, 0);
    if (!wpa_text_is(state, "tested") && !(wpa_text_is(state, "approved") && is_short)) {
        return WPA_FAIL(err, WPA_E_REFUSED, "p-%s is %s: only a tested patch is approved",
                        params[0], state);
    }
    return wpa_rows_bool(rows, 0, 2) ||
           WPA_FAIL(err, WPA_E_REFUSED,
                    "'%s' has written or ordered p-%s: policy wants %lld approvals, all of others",
                    actor->name, params[0], (long long)wpa_rows_int(rows, 0, 0));
}

static bool approve(wpa_db *db, const wpa_actor *actor, void *context, wpa_error *err)
{
    const decision *d = context;
    char id[WPA_DB_NUMBER_SIZE];
    char who[WPA_DB_NUMBER_SIZE];
    char state[16];
    char reason[32];
    const char *params[] = {wpa_db_number(d->patch_id, id), wpa_db_number(actor->principal_id, who),
                            d->text ? d->text : ""};
    if (!look(db, d->patch_id, state, reason, err)) {
        return false;
    }
    return need_approval(db, params, state, actor, err) &&
           wpa_db_run(db, WPA_SQL_SERVICE_APPROVE, params, WPA_COUNT(params), err) &&
           wpa_db_run(db, WPA_SQL_SERVICE_APPROVED, params, 1, err);
}

bool wpa_agent_approve_patch(wpa_engine *engine, const wpa_actor *actor, int64_t patch_id,
                             const char *comment, wpa_error *err)
{
    decision d = {.patch_id = patch_id, .text = comment};
    return wpa_call(engine, actor, WPA_ACTION_APPROVE_PATCH, approve, &d, err);
}

static bool withdraw(wpa_db *db, const wpa_actor *actor, void *context, wpa_error *err)
{
    const decision *d = context;
    char id[WPA_DB_NUMBER_SIZE];
    char who[WPA_DB_NUMBER_SIZE];
    char state[16];
    char reason[32];
    const char *params[] = {wpa_db_number(d->patch_id, id),
                            wpa_db_number(actor->principal_id, who)};
    if (!look(db, d->patch_id, state, reason, err)) {
        return false;
    }
    if (!wpa_text_is(state, "tested") && !wpa_text_is(state, "approved")) {
        return WPA_FAIL(err, WPA_E_REFUSED, "p-%s is %s: it has no approval that can be withdrawn",
                        id, state);
    }
    WPA_AUTO(wpa_rows) *live = wpa_db_exec(db, WPA_SQL_SERVICE_LIVE_DEPLOYMENT, params, 1, err);
    if (!live || wpa_rows_count(live) > 0) {
        return live && WPA_FAIL(err, WPA_E_REFUSED,
                                "p-%s is being deployed by d-%lld: no approval of it is withdrawn "
                                "any more",
                                id, (long long)wpa_rows_int(live, 0, 0));
    }
    return wpa_call_one(db, WPA_SQL_SERVICE_WITHDRAW, params, WPA_COUNT(params),
                        "you have given no approval that could be withdrawn", err) &&
           wpa_db_run(db, WPA_SQL_SERVICE_UNAPPROVE, params, 1, err);
}

bool wpa_agent_withdraw_approval(wpa_engine *engine, const wpa_actor *actor, int64_t patch_id,
                                 wpa_error *err)
{
    decision d = {.patch_id = patch_id};
    return wpa_call(engine, actor, WPA_ACTION_APPROVE_PATCH, withdraw, &d, err);
}

static bool reject(wpa_db *db, const wpa_actor *actor, void *context, wpa_error *err)
{
    const decision *d = context;
    char id[WPA_DB_NUMBER_SIZE];
    char state[16];
    char reason[32];
    char subject[64];
    (void)actor;
    const char *params[] = {wpa_db_number(d->patch_id, id), d->text};
    if (!look(db, d->patch_id, state, reason, err)) {
        return false;
    }
    (void)wpa_text_format(subject, sizeof subject, "patch:%s", id);
    const char *job_params[] = {"test", subject};
    WPA_AUTO(wpa_rows) *job = wpa_db_exec(db, WPA_SQL_SERVICE_LIVE_JOB, job_params, 2, err);
    if (!job || (wpa_rows_count(job) > 0 && wpa_text_is(state, "pending") &&
                 !wpa_job_cancel(db, wpa_rows_int(job, 0, 0), err))) {
        return false;
    }
    char missing[96];
    (void)wpa_text_format(missing, sizeof missing, "p-%s is %s: it cannot be rejected%s", id, state,
                          wpa_text_is(state, "approved") ? " before its approval is withdrawn"
                                                         : "");
    return wpa_call_one(db, WPA_SQL_SERVICE_REJECT, params, WPA_COUNT(params), missing, err);
}

bool wpa_agent_reject_patch(wpa_engine *engine, const wpa_actor *actor, int64_t patch_id,
                            const char *reason, wpa_error *err)
{
    if (!reason || !reason[0]) {
        return WPA_FAIL(err, WPA_E_INVALID, "rejecting a patch needs a reason");
    }
    decision d = {.patch_id = patch_id, .text = reason};
    return wpa_call(engine, actor, WPA_ACTION_APPROVE_PATCH, reject, &d, err);
}

static bool waive(wpa_db *db, const wpa_actor *actor, void *context, wpa_error *err)
{
    const decision *d = context;
    char id[WPA_DB_NUMBER_SIZE];
    char who[WPA_DB_NUMBER_SIZE];
    char until[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(d->patch_id, id), d->check_id,
                            wpa_db_number(actor->principal_id, who), d->text,
                            wpa_db_number(d->until_us, until)};
    return wpa_call_one(db, WPA_SQL_SERVICE_WAIVE, params, WPA_COUNT(params),
                        "there is no such patch", err);
}

bool wpa_agent_waive_check(wpa_engine *engine, const wpa_actor *actor, int64_t patch_id,
                           const char *check_id, const char *reason, int64_t until_us,
                           wpa_error *err)
{
    if (!reason || !reason[0] || until_us <= 0) {
        return WPA_FAIL(err, WPA_E_INVALID, "waiving a check needs a reason and an end date");
    }
    decision d = {.patch_id = patch_id, .check_id = check_id, .text = reason, .until_us = until_us};
    return wpa_call(engine, actor, WPA_ACTION_WAIVE_CHECK, waive, &d, err);
}

/* ---- all at once ------------------------------------------------------------------------------
 */

static const struct {
    wpa_call_work decide; /* NULL: nothing to decide */
    wpa_action action;
} verdicts[WPA_VERDICT_COUNT] = {
    [WPA_VERDICT_APPROVE] = {approve, WPA_ACTION_APPROVE_PATCH},
    [WPA_VERDICT_WITHDRAW] = {withdraw, WPA_ACTION_APPROVE_PATCH},
    [WPA_VERDICT_REJECT] = {reject, WPA_ACTION_APPROVE_PATCH},
    [WPA_VERDICT_TEST] = {order_test, WPA_ACTION_ORDER_TEST},
};

typedef struct changing {
    decision decided; /* first: what the verdicts take */
    const wpa_patch_change *change;
    wpa_arena *arena;
} changing;

/** Nobody else changes the patch from here to the end of the transaction. */
static bool check_version(wpa_db *db, int64_t patch_id, int64_t wanted, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    char state[16];
    char reason[32];
    const char *params[] = {wpa_db_number(patch_id, id)};
    if (!look(db, patch_id, state, reason, err)) {
        return false;
    }
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_PATCH_VERSION, params, 1, err);
    bool is_it = rows && (wanted < 0 || wpa_rows_int(rows, 0, 0) == wanted);
    return is_it || (rows && WPA_FAIL(err, WPA_E_CONFLICT, "p-%s has changed: it is v%lld now", id,
                                      (long long)wpa_rows_int(rows, 0, 0)));
}

static bool change_all(wpa_db *db, const wpa_actor *actor, void *context, wpa_error *err)
{
    changing *c = context;
    const wpa_patch_change *change = c->change;
    wpa_call_work decide = verdicts[change->verdict].decide;
    return check_version(db, c->decided.patch_id, change->if_version, err) &&
           (!change->revision ||
            wpa_revise_patch(db, c->decided.patch_id, -1, change->revision, c->arena, err)) &&
           (!decide || decide(db, actor, &c->decided, err));
}

bool wpa_agent_change_patch(wpa_engine *engine, const wpa_actor *actor, int64_t patch_id,
                            const wpa_patch_change *change, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    changing c = {{.patch_id = patch_id, .text = change->text}, change, arena};
    bool has_reason = change->text && change->text[0];
    if (change->verdict == WPA_VERDICT_REJECT && !has_reason) {
        return WPA_FAIL(err, WPA_E_INVALID, "rejecting a patch needs a reason");
    }
    if (change->verdict != WPA_VERDICT_NONE &&
        !wpa_actor_check(actor, verdicts[change->verdict].action, err)) {
        return false;
    }
    wpa_action action =
        change->revision ? wpa_revise_action(change->revision) : verdicts[change->verdict].action;
    return wpa_call(engine, actor, action, change_all, &c, err);
}
