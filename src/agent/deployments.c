/* Service: deployments. The orders themselves are the deploy module's; each is one transaction. */
#include "agent/call.h"
#include "deploy/deploy.h"

static bool give(wpa_engine *engine, wpa_db *db, bool is_done)
{
    wpa_engine_give(engine, db);
    return is_done;
}

bool wpa_agent_deploy_patch(wpa_engine *engine, const wpa_actor *actor, int64_t patch_id,
                            const char *plan_digest, int64_t *deployment_id, wpa_error *err)
{
    wpa_db *db = wpa_engine_take(engine, err);
    return give(engine, db,
                db && wpa_deploy_start(db, actor, patch_id, plan_digest, deployment_id, err));
}

bool wpa_agent_pause(wpa_engine *engine, const wpa_actor *actor, int64_t deployment_id,
                     int64_t if_version, const char *reason, wpa_error *err)
{
    wpa_db *db = wpa_engine_take(engine, err);
    return give(engine, db,
                db && wpa_deploy_pause(db, actor, deployment_id, if_version, reason, err));
}

bool wpa_agent_resume(wpa_engine *engine, const wpa_actor *actor, int64_t deployment_id,
                      int64_t if_version, wpa_error *err)
{
    wpa_db *db = wpa_engine_take(engine, err);
    return give(engine, db, db && wpa_deploy_resume(db, actor, deployment_id, if_version, err));
}

bool wpa_agent_promote(wpa_engine *engine, const wpa_actor *actor, int64_t deployment_id,
                       int64_t if_version, const char *reason, wpa_error *err)
{
    wpa_db *db = wpa_engine_take(engine, err);
    return give(engine, db,
                db && wpa_deploy_promote(db, actor, deployment_id, if_version, reason, err));
}

bool wpa_agent_abort(wpa_engine *engine, const wpa_actor *actor, int64_t deployment_id,
                     int64_t if_version, const char *reason, wpa_error *err)
{
    wpa_db *db = wpa_engine_take(engine, err);
    return give(engine, db,
                db && wpa_deploy_abort(db, actor, deployment_id, if_version, reason, err));
}

bool wpa_agent_conclude(wpa_engine *engine, const wpa_actor *actor, int64_t deployment_id,
                        int64_t if_version, const char *reason, wpa_error *err)
{
    wpa_db *db = wpa_engine_take(engine, err);
    return give(engine, db,
                db && wpa_deploy_conclude(db, actor, deployment_id, if_version, reason, err));
}

bool wpa_agent_skip_target(wpa_engine *engine, const wpa_actor *actor, int64_t deployment_id,
                           int64_t if_version, const char *repository, const char *reason,
                           wpa_error *err)
{
    wpa_db *db = wpa_engine_take(engine, err);
    return give(engine, db,
                db && wpa_deploy_skip_target(db, actor, deployment_id, if_version, repository,
                                             reason, err));
}

bool wpa_agent_retry_stage(wpa_engine *engine, const wpa_actor *actor, int64_t deployment_id,
                           int64_t if_version, wpa_error *err)
{
    wpa_db *db = wpa_engine_take(engine, err);
    return give(engine, db,
                db && wpa_deploy_retry_stage(db, actor, deployment_id, if_version, err));
}

bool wpa_agent_rollback_patch(wpa_engine *engine, const wpa_actor *actor, int64_t deployment_id,
                              int64_t if_version, int64_t delay_ms, const char *reason,
                              wpa_error *err)
{
    wpa_db *db = wpa_engine_take(engine, err);
    return give(
        engine, db,
        db && wpa_deploy_roll_back(db, actor, deployment_id, if_version, delay_ms, reason, err));
}

bool wpa_agent_rollback_now(wpa_engine *engine, const wpa_actor *actor, int64_t deployment_id,
                            wpa_error *err)
{
    wpa_db *db = wpa_engine_take(engine, err);
    return give(engine, db, db && wpa_deploy_rollback_now(db, actor, deployment_id, err));
}

bool wpa_agent_cancel_rollback(wpa_engine *engine, const wpa_actor *actor, int64_t deployment_id,
                               wpa_error *err)
{
    wpa_db *db = wpa_engine_take(engine, err);
    return give(engine, db, db && wpa_deploy_cancel_rollback(db, actor, deployment_id, err));
}
