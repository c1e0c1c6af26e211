/* Forward: preflight, stages one after the other, the end. */
#include <string.h>

#include <wpa/text.h>

#include "deploy/fault.h"
#include "deploy/run.h"
#include "gen/sql.h"

#define CLAIM_WAIT_US (INT64_C(5) * 1000000)
#define REACH_WAIT_US (INT64_C(10) * 1000000)

/* ---- preflight ---- */

/* Nothing was changed: the deployment ends, and with it the patch's turn. */
static bool write_abort(wpa_deploy_run *run, const void *what, wpa_error *err)
{
    const char *reason = what;
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(run->d->id, id), reason};
    return wpa_db_run(run->job->db, WPA_SQL_DEPLOY_TARGETS_SKIP, params, 2, err) &&
           wpa_db_run(run->job->db, WPA_SQL_DEPLOY_STAGES_SKIP, params, 1, err) &&
           wpa_deploy_summarise(run, err) && wpa_deploy_move(run, "aborted", reason, NULL, err) &&
           wpa_deploy_patch_move(run, "failed", "deploy_failed", err) &&
           wpa_db_run(run->job->db, WPA_SQL_DEPLOY_UNCLAIM, params, 1, err) &&
           wpa_deploy_notify(run, "error",
                             wpa_arena_printf(run->arena,
                                              "d-%lld was aborted before anything changed: %s",
                                              (long long)run->d->id, reason),
                             err);
}

static bool write_claims(wpa_deploy_run *run, const void *what, wpa_error *err)
{
    (void)what;
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(run->d->id, id)};
    if (!wpa_db_run(run->job->db, WPA_SQL_DEPLOY_CLAIM, params, 1, err)) {
        return false;
    }
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(run->job->db, WPA_SQL_DEPLOY_CLAIM_HOLDERS, params, 1, err);
    if (rows == NULL) {
        return false;
    }
    return wpa_rows_count(rows) == 0 ||
           WPA_FAIL(err, WPA_E_UNAVAILABLE, "waits for d-%lld, which holds %s %s",
                    (long long)wpa_rows_int(rows, 0, 2), wpa_rows_text(rows, 0, 0),
                    wpa_rows_text(rows, 0, 1));
}

static bool write_running(wpa_deploy_run *run, const void *what, wpa_error *err)
{
    (void)what;
    char id[WPA_DB_NUMBER_SIZE];
    char token[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(run->d->id, id),
                            wpa_db_number(run->job->job->token, token)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(run->job->db, WPA_SQL_DEPLOY_BEGIN_RUNNING, params, 2, err);
    run->has_moved = true;
    return rows != NULL &&
           (wpa_rows_count(rows) == 1 ||
            WPA_FAIL(err, WPA_E_CONFLICT, "d-%lld is not planned any more", (long long)run->d->id));
}

/* Can every target be reached and moved, and moved back? *why stays empty if so. */
static bool can_move_all(wpa_deploy_run *run, wpa_error *why)
{
    for (size_t i = 0; i < run->d->n_targets; i++) {
        const wpa_deploy_target *target = &run->d->targets[i];
        WPA_AUTO(wpa_git) *git = wpa_deploy_reach(run, target, why);
        char tip[WPA_OID_SIZE];
        if (git == NULL || !wpa_git_ref_read(git, target->ref, tip, why) ||
            !wpa_git_can_push(git, target->ref, why)) {
            return wpa_error_within(why, "target %s", target->repository);
        }
    }
    return true;
}

static bool say_waiting(wpa_deploy_run *run, const wpa_error *why, int64_t wait_us, wpa_error *err)
{
    wpa_deploy_wake(run, run->d->now_us + wait_us);
    return wpa_job_progress(run->job, 0, (int64_t)run->d->n_targets, why->message, err);
}

/* Time has passed since it was ordered: an approval may have ended, or be of no guardian any more.
 */
static bool is_approved_still(wpa_deploy_run *run, const char **why, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(run->d->patch_id, id), "0"};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(run->job->db, WPA_SQL_DEPLOY_APPROVALS, params, WPA_COUNT(params), err);
    *why = NULL;
    if (rows != NULL && wpa_rows_int(rows, 0, 1) < wpa_rows_int(rows, 0, 0)) {
        *why = wpa_arena_printf(run->arena, "%lld of %lld approvals count now",
                                (long long)wpa_rows_int(rows, 0, 1),
                                (long long)wpa_rows_int(rows, 0, 0));
    }
    return rows != NULL;
}

bool wpa_deploy_preflight(wpa_deploy_run *run, wpa_error *err)
{
    wpa_error why = {0};
    const char *missing;
    if (!is_approved_still(run, &missing, err)) {
        return false;
    }
    if (missing != NULL) {
        return wpa_deploy_transact(run, write_abort, missing, err);
    }
    if (!can_move_all(run, &why)) {
        if (why.code == WPA_E_UNAVAILABLE || why.code == WPA_E_TIMEOUT) {
            return say_waiting(run, &why, REACH_WAIT_US, err);
        }
        char text[sizeof why.message + sizeof why.context];
        return wpa_deploy_transact(run, write_abort,
                                   wpa_arena_printf(run->arena, "preflight failed: %s",
                                                    wpa_error_text(&why, text, sizeof text)),
                                   err);
    }
    if (!wpa_deploy_transact(run, write_claims, NULL, &why)) {
        if (why.code == WPA_E_UNAVAILABLE && !wpa_db_is_lost(run->job->db)) {
            return say_waiting(run, &why, CLAIM_WAIT_US, err);
        }
        *err = why;
        return false;
    }
    if (!wpa_deploy_baselines(run, err)) {
        return false;
    }
    wpa_fault("before-running");
    return wpa_deploy_transact(run, write_running, NULL, err);
}

/* ---- a stage ---- */

static bool write_applying(wpa_deploy_run *run, const void *what, wpa_error *err)
{
    const wpa_deploy_stage *stage = what;
    char id[WPA_DB_NUMBER_SIZE];
    char n[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(run->d->id, id), wpa_db_number(stage->n, n), "patched"};
    return wpa_deploy_stage_move(run, stage, "applying", NULL, err) &&
           wpa_db_run(run->job->db, WPA_SQL_DEPLOY_DESIRE, params, 3, err) &&
           wpa_db_run(run->job->db, WPA_SQL_DEPLOY_CURRENT_STAGE, params, 2, err);
}

static bool write_pause(wpa_deploy_run *run, const void *what, wpa_error *err)
{
    const char *reason = what;
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(run->d->id, id)};
    return wpa_db_run(run->job->db, WPA_SQL_DEPLOY_STAGE_CLOCK_STOP, params, 1, err) &&
           wpa_deploy_move(run, "paused", reason, NULL, err) &&
           wpa_deploy_notify(
               run, "error",
               wpa_arena_printf(run->arena, "d-%lld is held: %s", (long long)run->d->id, reason),
               err);
}

static bool begin_stage(wpa_deploy_run *run, const wpa_deploy_stage *stage, wpa_error *err)
{
    const bool is_gated = stage->n > 1 &&
                          wpa_text_is(wpa_deployment_text(run->d, "gate", "auto"), "guardian") &&
                          !wpa_text_is(stage->reason, "gate open");
    if (is_gated) {
        return wpa_deploy_transact(
            run, write_pause,
            wpa_arena_printf(run->arena, "stage %lld waits for a guardian", (long long)stage->n),
            err);
    }
    wpa_fault("before-applying");
    return wpa_deploy_transact(run, write_applying, stage, err);
}

typedef struct stage_tally {
    int64_t n_failed, n_conflicts, n_open;
    const char *first_note;
    const wpa_deploy_target *next; /* to be worked on now */
} stage_tally;

static stage_tally tally_of(wpa_deploy_run *run, const wpa_deploy_stage *stage)
{
    stage_tally t = {0};
    for (size_t i = 0; i < run->d->n_targets; i++) {
        const wpa_deploy_target *target = &run->d->targets[i];
        if (target->n != stage->n) {
            continue;
        }
        const bool is_failed = wpa_text_is(target->state, "failed");
        const bool is_conflict = wpa_text_is(target->state, "conflict");
        t.n_failed += is_failed ? 1 : 0;
        t.n_conflicts += is_conflict ? 1 : 0;
        if ((is_failed || is_conflict) && t.first_note == NULL) {
            t.first_note = target->note;
        }
        static const char *const open_states[] = {"planned", "intended", "applied"};
        if (wpa_text_index(target->state, open_states, WPA_COUNT(open_states)) < 0) {
            continue;
        }
        t.n_open++;
        if (target->retry_at_us > run->d->now_us) {
            wpa_deploy_wake(run, target->retry_at_us);
        } else if (t.next == NULL) {
            t.next = target;
        }
    }
    return t;
}

static bool apply_stage(wpa_deploy_run *run, const wpa_deploy_stage *stage, wpa_error *err)
{
    const stage_tally t = tally_of(run, stage);
    const int64_t deadline_us = wpa_deployment_setting(run->d, "deadline_ms", 3600000) * 1000;
    if (t.n_failed > wpa_deployment_setting(run->d, "max_failures", 0) ||
        t.n_conflicts > wpa_deployment_setting(run->d, "max_conflicts", 0)) {
        const char *reason = wpa_arena_printf(
            run->arena, "%lld failed, %lld in conflict: %s", (long long)t.n_failed,
            (long long)t.n_conflicts, t.first_note != NULL ? t.first_note : "no reason given");
        return wpa_deploy_stage_move_alone(run, stage, "failed", reason, err);
    }
    if (t.n_open > 0 && run->d->now_us - stage->started_at_us > deadline_us) {
        return wpa_deploy_stage_move_alone(run, stage, "failed", "the stage's deadline has passed",
                                           err);
    }
    if (t.next != NULL) {
        wpa_fault("between-targets");
        return wpa_text_is(t.next->state, "applied") ? wpa_target_verify(run, t.next, err)
                                                     : wpa_target_apply(run, t.next, err);
    }
    if (t.n_open > 0) {
        return true;
    }
    wpa_fault("before-baking");
    return wpa_deploy_stage_move_alone(run, stage, "baking", NULL, err);
}

/* A failed stage: nothing changed anywhere → over; else as the plan says. */
static bool leave_failed_stage(wpa_deploy_run *run, const wpa_deploy_stage *stage, wpa_error *err)
{
    const char *why = stage->reason != NULL ? stage->reason : "failed";
    const char *reason = wpa_arena_printf(run->arena, "stage %lld: %s", (long long)stage->n, why);
    if (!wpa_deployment_has_changed(run->d)) {
        return wpa_deploy_transact(run, write_abort, reason, err);
    }
    if (wpa_text_is(wpa_deployment_text(run->d, "on_failure", "rollback"), "hold")) {
        return wpa_deploy_transact(run, write_pause, reason, err);
    }
    const bool is_verdict = stage->bake_until_us != 0;
    return wpa_deploy_roll_back_by(run, is_verdict ? "R1" : "R2", reason, err);
}

/* ---- the end ---- */

static bool write_success(wpa_deploy_run *run, const void *what, wpa_error *err)
{
    (void)what;
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(run->d->id, id), NULL};
    return wpa_db_run(run->job->db, WPA_SQL_DEPLOY_TARGETS_SKIP, params, 2, err) &&
           wpa_deploy_summarise(run, err) && wpa_deploy_move(run, "succeeded", NULL, NULL, err) &&
           wpa_deploy_patch_move(run, "deployed", NULL, err) &&
           wpa_db_run(run->job->db, WPA_SQL_DEPLOY_UNCLAIM, params, 1, err) &&
           wpa_deploy_order_scans(run, err) &&
           wpa_deploy_notify(run, "ok",
                             wpa_arena_printf(run->arena, "d-%lld: %s is deployed",
                                              (long long)run->d->id, run->d->patch_name),
                             err);
}

bool wpa_deploy_stage_step(wpa_deploy_run *run, wpa_error *err)
{
    for (size_t i = 0; i < run->d->n_stages; i++) {
        const wpa_deploy_stage *stage = &run->d->stages[i];
        if (wpa_text_is(stage->state, "passed") || wpa_text_is(stage->state, "skipped")) {
            continue;
        }
        if (wpa_text_is(stage->state, "waiting")) {
            return begin_stage(run, stage, err);
        }
        if (wpa_text_is(stage->state, "applying")) {
            return apply_stage(run, stage, err);
        }
        if (wpa_text_is(stage->state, "baking")) {
            return wpa_deploy_bake_step(run, stage, err);
        }
        return leave_failed_stage(run, stage, err);
    }
    wpa_fault("before-success");
    return wpa_deploy_transact(run, write_success, NULL, err);
}

/* Held because the checks could not tell, for longer than the plan allows. */
bool wpa_deploy_paused_step(wpa_deploy_run *run, wpa_error *err)
{
    const int64_t limit_us =
        wpa_deployment_setting(run->d, "inconclusive_deadline_ms", 86400000) * 1000;
    for (size_t i = 0; i < run->d->n_stages; i++) {
        const wpa_deploy_stage *stage = &run->d->stages[i];
        if (!wpa_text_is(stage->state, "baking") || stage->reason == NULL ||
            !wpa_text_starts(stage->reason, "inconclusive")) {
            continue;
        }
        if (run->d->now_us - run->d->paused_at_us <= limit_us) {
            wpa_deploy_wake(run, run->d->paused_at_us + limit_us);
            continue;
        }
        return wpa_deploy_roll_back_by(run, "R4",
                                       wpa_arena_printf(run->arena, "stage %lld: %s for too long",
                                                        (long long)stage->n, stage->reason),
                                       err);
    }
    return true;
}
