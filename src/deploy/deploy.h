/*
 * Deployments: a plan made of a patch and of what its repositories declare, started by a guardian,
 * carried out by a job that can be killed at any moment, and taken back by revert commits when a
 * check fails or a guardian says so.
 */
#pragma once

#include <wpa/actor.h>

#include "db/db.h"
#include "job/job.h"
#include "json/json.h"
#include "probe/measure.h"

/* ---- planning and orders: by a guardian -------------------------------------------------------
 *
 * Each order is one transaction and wakes the job. if_version: the deployment's version that the
 * guardian saw, or -1; another one is a CONFLICT.
 */

/**
 * The plan that a start would freeze: stages, targets, checks. Stored nowhere.
 *
 * digest    receives 64 hex digits of SHA-256 over the canonical plan; may be NULL.
 *
 * Errors    NOT_FOUND, REFUSED (which rule of a plan is broken, by which target).
 */
const wpa_json *wpa_deploy_plan(wpa_db *db, int64_t patch_id, wpa_arena *arena, char digest[65],
                                wpa_error *err);
/**
 * Start: approve the patch by this act if it is tested and policy allows it, then make the
 * deployment.
 *
 * plan_digest   of the plan that was shown, or NULL; another plan now is a CONFLICT.
 */
bool wpa_deploy_start(wpa_db *db, const wpa_actor *actor, int64_t patch_id, const char *plan_digest,
                      int64_t *deployment_id, wpa_error *err) WPA_CHECK;
bool wpa_deploy_pause(wpa_db *db, const wpa_actor *actor, int64_t id, int64_t if_version,
                      const char *reason, wpa_error *err) WPA_CHECK;
bool wpa_deploy_resume(wpa_db *db, const wpa_actor *actor, int64_t id, int64_t if_version,
                       wpa_error *err) WPA_CHECK;
/** End the bake of the current stage as passed; reason required. */
bool wpa_deploy_promote(wpa_db *db, const wpa_actor *actor, int64_t id, int64_t if_version,
                        const char *reason, wpa_error *err) WPA_CHECK;
/** Cancel a deployment that is still planned. */
bool wpa_deploy_abort(wpa_db *db, const wpa_actor *actor, int64_t id, int64_t if_version,
                      const char *reason, wpa_error *err) WPA_CHECK;
/** Leave a paused or stuck deployment as it is; reason required. */
bool wpa_deploy_conclude(wpa_db *db, const wpa_actor *actor, int64_t id, int64_t if_version,
                         const char *reason, wpa_error *err) WPA_CHECK;
/**
 * Roll back: at once, or after delay_ms during which it can be cancelled (a running deployment is
 * paused for so long).
 */
bool wpa_deploy_roll_back(wpa_db *db, const wpa_actor *actor, int64_t id, int64_t if_version,
                          int64_t delay_ms, const char *reason, wpa_error *err) WPA_CHECK;
/** Do not wait for the end of the window. */
bool wpa_deploy_rollback_now(wpa_db *db, const wpa_actor *actor, int64_t id,
                             wpa_error *err) WPA_CHECK;
bool wpa_deploy_cancel_rollback(wpa_db *db, const wpa_actor *actor, int64_t id,
                                wpa_error *err) WPA_CHECK;
/** Give a target up; try a failed stage again. */
bool wpa_deploy_skip_target(wpa_db *db, const wpa_actor *actor, int64_t id, int64_t if_version,
                            const char *repository, const char *reason, wpa_error *err) WPA_CHECK;
bool wpa_deploy_retry_stage(wpa_db *db, const wpa_actor *actor, int64_t id, int64_t if_version,
                            wpa_error *err) WPA_CHECK;

/* ---- the job -------------------------------------------------------------------------------- */

typedef struct wpa_measure_request {
    const wpa_probe_check *check;
    const char *repository; /* name */
    const char *url;        /* of the repository */
    const char *branch;
    const char *before;       /* commit without the patch, or NULL */
    const char *const *paths; /* [n_paths] that the patch changes */
    size_t n_paths;
    double baseline; /* NaN: none */
} wpa_measure_request;

/** How checks are measured; tests script it. False only if cancelled. */
typedef struct wpa_deploy_tools {
    bool (*measure)(wpa_job_context *job, const wpa_measure_request *request, wpa_arena *arena,
                    wpa_measurement *measurement, wpa_error *err);
} wpa_deploy_tools;

/** Job "deploy", subject "deployment:<id>". */
bool wpa_deploy_job(wpa_job_context *context, wpa_error *err);
/** The same with tools of the caller's. */
bool wpa_deploy_job_with(wpa_job_context *context, const wpa_deploy_tools *tools, wpa_error *err);
