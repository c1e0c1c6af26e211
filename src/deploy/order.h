/* What orders of guardians share: the one that starts a deployment, and those that change it. */
#pragma once

#include "deploy/deploy.h"

/** Let the job look at the deployment, now or after that time (inside a transaction). */
bool wpa_deploy_order_job(wpa_db *db, const wpa_actor *actor, int64_t deployment_id,
                          int64_t delay_ms, wpa_error *err) WPA_CHECK;
