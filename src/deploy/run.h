/* What the parts of the deploy job share: the job, the deployment as just read, and the tools. */
#pragma once

#include "deploy/deploy.h"
#include "deploy/model.h"

#define WPA_DEPLOY_NETWORK_MS 60000

typedef struct wpa_deploy_run {
    wpa_job_context *job;
    wpa_deployment *d;
    const wpa_deploy_tools *tools;
    wpa_arena *arena;
    int64_t wake_us; /* when something is due next; 0: nothing is */
    bool has_moved;  /* a row has changed: read the deployment again and go on */
} wpa_deploy_run;

typedef bool wpa_deploy_work(wpa_deploy_run *run, const void *what, wpa_error *err);

/** Begin, fence, work, commit; rolled back if anything fails. */
bool wpa_deploy_transact(wpa_deploy_run *run, wpa_deploy_work *work, const void *what,
                         wpa_error *err) WPA_CHECK;
/** Ask for another look at that time, if nothing is due before. */
void wpa_deploy_wake(wpa_deploy_run *run, int64_t at_us);

/** Move the deployment's own state (inside a transaction). rule: "R1" … (they are listed beside the
 * column deployment.rule) or NULL. */
bool wpa_deploy_move(wpa_deploy_run *run, const char *to, const char *reason, const char *rule,
                     wpa_error *err) WPA_CHECK;
bool wpa_deploy_stage_move(wpa_deploy_run *run, const wpa_deploy_stage *stage, const char *to,
                           const char *reason, wpa_error *err) WPA_CHECK;
/** The same in a transaction of its own. */
bool wpa_deploy_stage_move_alone(wpa_deploy_run *run, const wpa_deploy_stage *stage, const char *to,
                                 const char *reason, wpa_error *err) WPA_CHECK;
/** Move the patch as the deployment's end wants it (inside a transaction). Errors CONFLICT. */
bool wpa_deploy_patch_move(wpa_deploy_run *run, const char *to, const char *reason,
                           wpa_error *err) WPA_CHECK;
/** A notice about the deployment (inside a transaction). level: "note", "ok", "error", "alarm". */
bool wpa_deploy_notify(wpa_deploy_run *run, const char *level, const char *message,
                       wpa_error *err) WPA_CHECK;
/** Roll back by a rule: running or paused → rolling_back in a transaction of its own. */
bool wpa_deploy_roll_back_by(wpa_deploy_run *run, const char *rule, const char *reason,
                             wpa_error *err) WPA_CHECK;
/** Open the target's repository as it is now. */
wpa_git *wpa_deploy_reach(wpa_deploy_run *run, const wpa_deploy_target *target, wpa_error *err);

/* target.c */
bool wpa_target_apply(wpa_deploy_run *run, const wpa_deploy_target *target,
                      wpa_error *err) WPA_CHECK;
bool wpa_target_verify(wpa_deploy_run *run, const wpa_deploy_target *target,
                       wpa_error *err) WPA_CHECK;
bool wpa_target_revert(wpa_deploy_run *run, const wpa_deploy_target *target,
                       wpa_error *err) WPA_CHECK;
/** Settle an intent to apply that was open when the rollback began; nothing is pushed. */
bool wpa_target_settle(wpa_deploy_run *run, const wpa_deploy_target *target,
                       wpa_error *err) WPA_CHECK;

/* stage.c, bake.c, rollback.c: one step each; has_moved if a row changed */
bool wpa_deploy_preflight(wpa_deploy_run *run, wpa_error *err) WPA_CHECK;
bool wpa_deploy_stage_step(wpa_deploy_run *run, wpa_error *err) WPA_CHECK;
bool wpa_deploy_paused_step(wpa_deploy_run *run, wpa_error *err) WPA_CHECK;
bool wpa_deploy_bake_step(wpa_deploy_run *run, const wpa_deploy_stage *stage,
                          wpa_error *err) WPA_CHECK;
bool wpa_deploy_baselines(wpa_deploy_run *run, wpa_error *err) WPA_CHECK;
bool wpa_deploy_rollback_step(wpa_deploy_run *run, wpa_error *err) WPA_CHECK;
/** After all is restored: do the checks succeed again? */
bool wpa_deploy_checks_again(wpa_deploy_run *run, bool *is_good, const char **why,
                             wpa_error *err) WPA_CHECK;
/** Downtime and blast radius into deployment.summary (inside a transaction). */
bool wpa_deploy_summarise(wpa_deploy_run *run, wpa_error *err) WPA_CHECK;
/** Order a scan of every repository that was changed (inside a transaction). */
bool wpa_deploy_order_scans(wpa_deploy_run *run, wpa_error *err) WPA_CHECK;
