/*
 * The engine's service: what every front end acts through. One wpa_engine per process; each call
 * takes the actor in whose name it acts, and is refused if his role does not allow it.
 *
 * Calls do what is quick themselves (approve, start, hold, roll back) and queue the rest as jobs
 * (scan, analyse, test); wpa_agent_wait waits for a job. The workers of this process, if it has
 * any, and those of other hosts do the same jobs from the same database.
 *
 * Thread: any, unless said otherwise; each call takes a connection of its own.
 */
#pragma once

#include <stdint.h>

#include <wpa/actor.h>
#include <wpa/arena.h>
#include <wpa/audit.h>
#include <wpa/log.h>
#include <wpa/patch.h>

typedef struct wpa_engine wpa_engine;

typedef struct wpa_engine_options {
    const char *dsn;          /* NULL: PostgreSQL of our own below state_folder */
    const char *state_folder; /* NULL: wpa_path_state */
    const char *cache_folder; /* clones and scratch work; NULL: wpa_path_cache */
    int n_workers;            /* -1: as many as cores, at most 8; 0: none, others do the work */
    bool is_viewer;           /* connect as wpa_viewer only: no migration, no workers, no writing */
    const char *name;         /* of this agent, for the list of agents; NULL: host name */
    wpa_log *log;             /* borrowed; may be NULL */
    /* What is being done while opening ("create the database", "start the database", "migrate"):
       called in the opening thread; may be NULL. */
    void (*progress)(void *context, const char *step);
    void *context;
} wpa_engine_options;

/**
 * Start or find the database, migrate it, start heartbeat, listener and workers.
 *
 * Signals should be blocked in the calling thread, so that the engine's threads inherit that.
 *
 * Errors    WPA_E_UNAVAILABLE (no PostgreSQL, no connection), WPA_E_REFUSED (the database is newer
 *           than this program), WPA_E_DENIED, WPA_E_IO.
 */
wpa_engine *wpa_engine_open(const wpa_engine_options *options, wpa_error *err);
/** Stop claiming and tell the handlers to come to an end; returns at once. */
void wpa_engine_drain(wpa_engine *engine);
/**
 * Drain, wait until the workers have finished their step and given back their leases, close.
 * A second wpa_engine_drain from another thread while this waits makes handlers stop at once.
 */
void wpa_engine_close(wpa_engine *engine);
WPA_DEFINE_AUTO(wpa_engine, wpa_engine_close);

/** Conninfo of the database in use; valid until closed. For commands that only read. */
const char *wpa_engine_dsn(const wpa_engine *engine);
/** The principal in whose name agents act. */
const wpa_actor *wpa_engine_actor(const wpa_engine *engine);
bool wpa_engine_is_embedded(const wpa_engine *engine);

/* ---- jobs ---- */

typedef enum wpa_job_end {
    WPA_JOB_END_DONE,
    WPA_JOB_END_DEAD, /* gave up: message says why */
    WPA_JOB_END_CANCELLED,
} wpa_job_end;

typedef struct wpa_job_outcome {
    wpa_job_end end;
    char message[512]; /* last error; empty if none */
    char result[1024]; /* JSON that the job left; "{}" if none */
} wpa_job_outcome;

/**
 * Wait until a job has ended.
 *
 * Errors    WPA_E_TIMEOUT (it goes on), WPA_E_NOT_FOUND, WPA_E_UNAVAILABLE.
 */
bool wpa_agent_wait(wpa_engine *engine, int64_t job_id, int64_t timeout_ms,
                    wpa_job_outcome *outcome, wpa_error *err) WPA_CHECK;
/** Wait until no job of these kinds (NULL-terminated list) is queued for now or running. */
bool wpa_agent_wait_idle(wpa_engine *engine, const char *const kinds[], int64_t timeout_ms,
                         wpa_error *err) WPA_CHECK;
bool wpa_agent_cancel_job(wpa_engine *engine, const wpa_actor *actor, int64_t job_id,
                          wpa_error *err) WPA_CHECK;

/* ---- fleet, analysis ---- */

/** Order a scan of a repository (by name), or of all with NULL; analyses follow by themselves. */
bool wpa_agent_scan(wpa_engine *engine, const wpa_actor *actor, const char *repository,
                    size_t *n_ordered, wpa_error *err) WPA_CHECK;

/**
 * Order an analysis.
 *
 * workflow_id  0: all workflows of the fleet.
 * dimension    "security" ..., or NULL for all.
 * job_id       of the one workflow's job; 0 for the fleet; may be NULL.
 */
bool wpa_agent_analyze_workflow(wpa_engine *engine, const wpa_actor *actor, int64_t workflow_id,
                                const char *dimension, int64_t *job_id, wpa_error *err) WPA_CHECK;
/** A guardian has looked at it: its status becomes "reviewed". */
bool wpa_agent_review_analysis(wpa_engine *engine, const wpa_actor *actor, int64_t analysis_id,
                               wpa_error *err) WPA_CHECK;
/** Ignore findings until a date, with a reason; until_us 0: take the ignoring back. */
bool wpa_agent_ignore_findings(wpa_engine *engine, const wpa_actor *actor,
                               const int64_t finding_ids[], size_t n, const char *reason,
                               int64_t until_us, wpa_error *err) WPA_CHECK;
/** subject: "finding:12", "patch:7". */
bool wpa_agent_comment(wpa_engine *engine, const wpa_actor *actor, const char *subject,
                       const char *text, wpa_error *err) WPA_CHECK;

typedef struct wpa_health {
    double total, uncapped; /* 0 to 100 */
    double parts[6];        /* the five dimensions, run history; negative: no data */
    char grade[2];
    char cap_reason[128]; /* empty: not capped */
    int n_parts;
    char *explanation; /* JSON list, in the arena */
} wpa_health;

/** The health of a workflow as last computed. Errors NOT_FOUND (no such workflow, not analysed). */
bool wpa_agent_get_workflow_health(wpa_engine *engine, int64_t workflow_id, wpa_arena *arena,
                                   wpa_health *health, wpa_error *err) WPA_CHECK;

/* ---- patches ---- */

/**
 * Make a patch out of the fixes of findings; its test is queued in the same transaction.
 *
 * name        NULL: made from the rules it answers.
 * n_answered  how many of the findings it answers; its description says why not the others. May
 *             be NULL.
 */
bool wpa_agent_create_patch(wpa_engine *engine, const wpa_actor *actor, const int64_t finding_ids[],
                            size_t n, const char *name, int64_t *patch_id, size_t *n_answered,
                            wpa_error *err) WPA_CHECK;
/**
 * Make a patch as ordered: from contents or diffs, or from the fixable findings of an analysis.
 *
 * Errors    REFUSED (nothing to change, a secret in the content, a dependency with an advisory),
 *           INVALID (a diff that does not fit, a version, a path), NOT_FOUND, CONFLICT.
 */
bool wpa_agent_order_patch(wpa_engine *engine, const wpa_actor *actor, const wpa_patch_order *order,
                           int64_t *patch_id, wpa_error *err) WPA_CHECK;
typedef enum wpa_patch_verdict {
    WPA_VERDICT_NONE,
    WPA_VERDICT_APPROVE,
    WPA_VERDICT_WITHDRAW,
    WPA_VERDICT_REJECT, /* with a reason */
    WPA_VERDICT_TEST,
    WPA_VERDICT_COUNT
} wpa_patch_verdict;

typedef struct wpa_patch_change {
    int64_t if_version;                 /* that the guardian saw, or -1; another one: CONFLICT */
    const wpa_patch_revision *revision; /* NULL: none */
    wpa_patch_verdict verdict;
    const char *text; /* comment or reason; may be NULL */
} wpa_patch_change;

/**
 * Change what can still be changed of a patch (its rollout is planned anew) and decide about it:
 * all of it or nothing, and only if it is still as it was seen.
 *
 * Errors    CONFLICT (another version), REFUSED (its deployment has started, the new rollout breaks
 *           a rule of plans, the state forbids the verdict), INVALID (no reason), NOT_FOUND,
 * DENIED.
 */
bool wpa_agent_change_patch(wpa_engine *engine, const wpa_actor *actor, int64_t patch_id,
                            const wpa_patch_change *change, wpa_error *err) WPA_CHECK;
/** Queue the test of a pending patch; a tested or failed one becomes pending first. */
bool wpa_agent_test_patch(wpa_engine *engine, const wpa_actor *actor, int64_t patch_id,
                          int64_t *job_id, wpa_error *err) WPA_CHECK;
bool wpa_agent_stop_test(wpa_engine *engine, const wpa_actor *actor, int64_t patch_id,
                         wpa_error *err) WPA_CHECK;
/** Give one's approval; the patch becomes approved when there are enough. */
bool wpa_agent_approve_patch(wpa_engine *engine, const wpa_actor *actor, int64_t patch_id,
                             const char *comment, wpa_error *err) WPA_CHECK;
bool wpa_agent_withdraw_approval(wpa_engine *engine, const wpa_actor *actor, int64_t patch_id,
                                 wpa_error *err) WPA_CHECK;
/** Reject a patch that is pending, tested or failed; the reason is required. */
bool wpa_agent_reject_patch(wpa_engine *engine, const wpa_actor *actor, int64_t patch_id,
                            const char *reason, wpa_error *err) WPA_CHECK;
bool wpa_agent_waive_check(wpa_engine *engine, const wpa_actor *actor, int64_t patch_id,
                           const char *check_id, const char *reason, int64_t until_us,
                           wpa_error *err) WPA_CHECK;

/* ---- deployments ---- */

/**
 * Start the rollout of a tested or approved patch; the start of a tested one approves it, unless
 * policy wants that to be said.
 *
 * plan_digest  digest of the plan that the guardian was shown, in hex: REFUSED if the plan has
 *              changed since; NULL: any.
 */
bool wpa_agent_deploy_patch(wpa_engine *engine, const wpa_actor *actor, int64_t patch_id,
                            const char *plan_digest, int64_t *deployment_id,
                            wpa_error *err) WPA_CHECK;
bool wpa_agent_pause(wpa_engine *engine, const wpa_actor *actor, int64_t deployment_id,
                     int64_t if_version, const char *reason, wpa_error *err) WPA_CHECK;
bool wpa_agent_resume(wpa_engine *engine, const wpa_actor *actor, int64_t deployment_id,
                      int64_t if_version, wpa_error *err) WPA_CHECK;
/** The stage that bakes has baked enough. */
bool wpa_agent_promote(wpa_engine *engine, const wpa_actor *actor, int64_t deployment_id,
                       int64_t if_version, const char *reason, wpa_error *err) WPA_CHECK;
/** Give up a deployment that has changed nothing yet. */
bool wpa_agent_abort(wpa_engine *engine, const wpa_actor *actor, int64_t deployment_id,
                     int64_t if_version, const char *reason, wpa_error *err) WPA_CHECK;
/** Stop and leave changed targets changed. */
bool wpa_agent_conclude(wpa_engine *engine, const wpa_actor *actor, int64_t deployment_id,
                        int64_t if_version, const char *reason, wpa_error *err) WPA_CHECK;
bool wpa_agent_skip_target(wpa_engine *engine, const wpa_actor *actor, int64_t deployment_id,
                           int64_t if_version, const char *repository, const char *reason,
                           wpa_error *err) WPA_CHECK;
bool wpa_agent_retry_stage(wpa_engine *engine, const wpa_actor *actor, int64_t deployment_id,
                           int64_t if_version, wpa_error *err) WPA_CHECK;
/**
 * Order a rollback, at once or after a window in which it can still be cancelled. The order is in
 * the database when this returns: it happens whatever becomes of this process.
 *
 * delay_ms  0: at once.
 */
bool wpa_agent_rollback_patch(wpa_engine *engine, const wpa_actor *actor, int64_t deployment_id,
                              int64_t if_version, int64_t delay_ms, const char *reason,
                              wpa_error *err) WPA_CHECK;
/** Do not wait for the end of the window. */
bool wpa_agent_rollback_now(wpa_engine *engine, const wpa_actor *actor, int64_t deployment_id,
                            wpa_error *err) WPA_CHECK;
/** Within the window: take the order back; the rollout goes on as before. */
bool wpa_agent_cancel_rollback(wpa_engine *engine, const wpa_actor *actor, int64_t deployment_id,
                               wpa_error *err) WPA_CHECK;

/* ---- tokens of machines ---- */

typedef struct wpa_machine_token {
    const char *name;
    const char *acts_as;       /* a viewer; NULL: whoever makes it */
    const char *const *scopes; /* [n_scopes] "read", "analyse", ... */
    size_t n_scopes;
    int64_t expires_at_us; /* within a year */
    /* filled when made */
    int64_t id;
    const char *text; /* in the arena: what the machine sends; told this once, kept nowhere */
} wpa_machine_token;

bool wpa_agent_make_token(wpa_engine *engine, const wpa_actor *actor, wpa_machine_token *token,
                          wpa_arena *arena, wpa_error *err) WPA_CHECK;
/** It ends at once. Errors REFUSED (it has ended already). */
bool wpa_agent_revoke_token(wpa_engine *engine, const wpa_actor *actor, int64_t token_id,
                            wpa_error *err) WPA_CHECK;

/* ---- notices, audit ---- */

bool wpa_agent_acknowledge(wpa_engine *engine, const wpa_actor *actor, int64_t notice_id,
                           wpa_error *err) WPA_CHECK;
/** Read: notices that need no answer (not alarms) leave the unread; 0: all of them. */
bool wpa_agent_read_notices(wpa_engine *engine, const wpa_actor *actor, int64_t notice_id,
                            wpa_error *err) WPA_CHECK;
/** A key or command that his role does not allow: it stands in the audit log. */
bool wpa_agent_record_refusal(wpa_engine *engine, const wpa_actor *actor, const char *what,
                              const char *subject, wpa_error *err) WPA_CHECK;

/** Recompute the chain from one row to another (0, 0: all). Sound or not, true if it was checked.
 */
bool wpa_agent_verify_audit(wpa_engine *engine, int64_t from_seq, int64_t to_seq,
                            wpa_audit_report *report, wpa_error *err) WPA_CHECK;
