/* Backward: failing targets first, then the last applied first, each by a revert commit; the end.
 */
#include <string.h>

#include <wpa/text.h>

#include "deploy/fault.h"
#include "deploy/run.h"
#include "gen/sql.h"

#define VERIFY_MS (INT64_C(30) * 60 * 1000)
#define VERIFY_EVERY_US (INT64_C(2) * 1000000)

/* ---- which target is next ---- */

static bool failing_targets(wpa_deploy_run *run, const int64_t **ids, size_t *n, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(run->d->id, id), "0"};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(run->job->db, WPA_SQL_DEPLOY_PROBES, params, 2, err);
    if (rows == NULL) {
        return false;
    }
    int64_t *found = wpa_arena_array(run->arena, wpa_rows_count(rows) + 1, sizeof *found);
    *n = 0;
    for (size_t i = 0; i < wpa_rows_count(rows); i++) {
        if (wpa_text_is(wpa_rows_text(rows, i, 10), "failure")) {
            found[(*n)++] = wpa_rows_int(rows, i, 2);
        }
    }
    *ids = found;
    return true;
}

static bool is_failing(int64_t id, const int64_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (ids[i] == id) {
            return true;
        }
    }
    return false;
}

/* Failing ones first, then what was changed last: users of a shared part before the part itself. */
static bool comes_before(const wpa_deploy_target *a, bool a_fails, const wpa_deploy_target *b,
                         bool b_fails)
{
    if (a_fails != b_fails) {
        return a_fails;
    }
    return a->n != b->n ? a->n > b->n : a->ordinal > b->ordinal;
}

/* Has something of this target still to be done now? Those that wait set the alarm. */
static bool is_due(wpa_deploy_run *run, const wpa_deploy_target *target)
{
    static const char *const open_states[] = {"applied", "verified", "revert_intended", "intended"};
    const bool is_open = wpa_text_index(target->state, open_states, WPA_COUNT(open_states)) >= 0 ||
                         (wpa_text_is(target->state, "revert_blocked") && target->retry_at_us != 0);
    if (!is_open) {
        return false;
    }
    if (target->retry_at_us > run->d->now_us) {
        wpa_deploy_wake(run, target->retry_at_us);
        return false;
    }
    return true;
}

static bool next_target(wpa_deploy_run *run, const wpa_deploy_target **next, wpa_error *err)
{
    const int64_t *failing = NULL;
    size_t n_failing = 0;
    *next = NULL;
    if (!failing_targets(run, &failing, &n_failing, err)) {
        return false;
    }
    for (size_t i = 0; i < run->d->n_targets; i++) {
        const wpa_deploy_target *target = &run->d->targets[i];
        if (is_due(run, target) &&
            (*next == NULL || comes_before(target, is_failing(target->id, failing, n_failing),
                                           *next, is_failing((*next)->id, failing, n_failing)))) {
            *next = target;
        }
    }
    return true;
}

/* ---- the end ---- */

static bool write_stuck(wpa_deploy_run *run, const void *what, wpa_error *err)
{
    const char *reason = what;
    const bool is_known = wpa_text_is(run->d->patch_state, "failed");
    return wpa_deploy_summarise(run, err) && wpa_deploy_move(run, "stuck", reason, NULL, err) &&
           (is_known || wpa_deploy_patch_move(run, "failed", "rollback_incomplete", err)) &&
           wpa_deploy_notify(run, "alarm",
                             wpa_arena_printf(run->arena, "d-%lld could not be rolled back: %s",
                                              (long long)run->d->id, reason),
                             err);
}

static bool write_rolled_back(wpa_deploy_run *run, const void *what, wpa_error *err)
{
    const char *reason = what;
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(run->d->id, id), "not changed: the deployment was rolled "
                                                           "back before"};
    return wpa_db_run(run->job->db, WPA_SQL_DEPLOY_TARGETS_SKIP, params, 2, err) &&
           wpa_db_run(run->job->db, WPA_SQL_DEPLOY_STAGES_SKIP, params, 1, err) &&
           wpa_db_run(run->job->db, WPA_SQL_DEPLOY_STAGES_REVERTED, params, 1, err) &&
           wpa_deploy_summarise(run, err) &&
           wpa_deploy_move(run, "rolled_back", reason, NULL, err) &&
           wpa_deploy_patch_move(run, "rolled_back", NULL, err) &&
           wpa_db_run(run->job->db, WPA_SQL_DEPLOY_UNCLAIM, params, 1, err) &&
           wpa_deploy_order_scans(run, err) &&
           wpa_deploy_notify(run, "note",
                             wpa_arena_printf(run->arena, "d-%lld is rolled back: %s",
                                              (long long)run->d->id, reason),
                             err);
}

/* When was the last target restored? 0 if none had been changed. */
static int64_t restored_at(const wpa_deploy_run *run)
{
    int64_t at_us = 0;
    for (size_t i = 0; i < run->d->n_targets; i++) {
        const int64_t reverted_us = run->d->targets[i].reverted_at_us;
        at_us = reverted_us > at_us ? reverted_us : at_us;
    }
    return at_us;
}

/* All is restored; do the checks say so too, or was the patch not the cause? */
static bool finish(wpa_deploy_run *run, wpa_error *err)
{
    bool is_good = false;
    const char *why = "";
    const char *reason = run->d->reason;
    const int64_t restored_us = restored_at(run);
    const int64_t limit_us = wpa_deployment_setting(run->d, "rollback_verify_ms", VERIFY_MS) * 1000;
    wpa_fault("before-checks-again");
    if (restored_us != 0 && !wpa_deploy_checks_again(run, &is_good, &why, err)) {
        return false;
    }
    if (restored_us != 0 && !is_good) {
        if (run->d->now_us - restored_us < limit_us) {
            wpa_deploy_wake(run, run->d->now_us + VERIFY_EVERY_US);
            return true;
        }
        reason = wpa_arena_printf(run->arena, "%s; rolled back, cause persists: %s", reason, why);
    }
    wpa_fault("before-rolled-back");
    return wpa_deploy_transact(run, write_rolled_back, reason, err);
}

bool wpa_deploy_rollback_step(wpa_deploy_run *run, wpa_error *err)
{
    const wpa_deploy_target *next = NULL;
    if (!next_target(run, &next, err)) {
        return false;
    }
    if (next != NULL) {
        wpa_fault("between-reverts");
        return wpa_text_is(next->state, "intended") ? wpa_target_settle(run, next, err)
                                                    : wpa_target_revert(run, next, err);
    }
    const wpa_deploy_target *blocked = NULL;
    for (size_t i = 0; i < run->d->n_targets; i++) {
        const wpa_deploy_target *target = &run->d->targets[i];
        if (wpa_text_is(target->state, "revert_blocked")) {
            blocked = blocked != NULL ? blocked : target;
        } else if (wpa_deploy_target_is_changed(target) || wpa_text_is(target->state, "intended")) {
            return true; /* it waits; the alarm is set */
        }
    }
    if (blocked != NULL) {
        return wpa_deploy_transact(
            run, write_stuck, blocked->note != NULL ? blocked->note : "a target is blocked", err);
    }
    return finish(run, err);
}
