/* The rows of all routes; each lives beside its code. */
#pragma once

#include "api/route.h"

extern const wpa_api_route wpa_api_healthz, wpa_api_readyz, wpa_api_openapi, wpa_api_docs;
extern const wpa_api_route wpa_api_sign_in, wpa_api_refresh, wpa_api_sign_out, wpa_api_whoami;
extern const wpa_api_route wpa_api_code_enrol, wpa_api_code_confirm, wpa_api_code_off,
    wpa_api_guardian_code_off, wpa_api_sessions, wpa_api_session_revoke;
extern const wpa_api_route wpa_api_analyze, wpa_api_analyses, wpa_api_analysis,
    wpa_api_analysis_review;
extern const wpa_api_route wpa_api_patch_create, wpa_api_patches, wpa_api_patch,
    wpa_api_patch_change;
extern const wpa_api_route wpa_api_patch_test, wpa_api_patch_deploy, wpa_api_patch_rollback;
extern const wpa_api_route wpa_api_health;
extern const wpa_api_route wpa_api_config, wpa_api_config_change, wpa_api_config_remove;
extern const wpa_api_route wpa_api_events, wpa_api_metrics;
extern const wpa_api_route wpa_api_findings, wpa_api_finding, wpa_api_finding_ignore,
    wpa_api_finding_unignore, wpa_api_finding_comment, wpa_api_deployments, wpa_api_deployment,
    wpa_api_deployment_pause, wpa_api_deployment_resume, wpa_api_deployment_promote,
    wpa_api_deployment_abort, wpa_api_deployment_conclude, wpa_api_deployment_skip,
    wpa_api_deployment_retry, wpa_api_deployment_rollback, wpa_api_deployment_cancel_rollback,
    wpa_api_jobs, wpa_api_job, wpa_api_job_cancel, wpa_api_agents, wpa_api_fleet, wpa_api_fleet_one,
    wpa_api_fleet_add, wpa_api_fleet_remove, wpa_api_fleet_scan, wpa_api_scan, wpa_api_workflows,
    wpa_api_guardians, wpa_api_guardian_add, wpa_api_guardian_change, wpa_api_tokens,
    wpa_api_token_make, wpa_api_token_revoke, wpa_api_notices, wpa_api_notice_acknowledge,
    wpa_api_audit, wpa_api_audit_verify;
extern const wpa_api_route wpa_api_destinations, wpa_api_destination, wpa_api_destination_add,
    wpa_api_destination_change, wpa_api_destination_test, wpa_api_destination_retry,
    wpa_api_destination_remove, wpa_api_outbox, wpa_api_outbox_retry, wpa_api_hooks,
    wpa_api_hook_add, wpa_api_hook_remove, wpa_api_webhook_github;
