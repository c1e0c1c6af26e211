/* The rows of all routes; each lives beside its code. */
#pragma once

#include "api/route.h"

extern const wpa_api_route wpa_api_healthz, wpa_api_readyz, wpa_api_openapi, wpa_api_docs;
extern const wpa_api_route wpa_api_sign_in, wpa_api_refresh, wpa_api_sign_out, wpa_api_whoami;
extern const wpa_api_route wpa_api_analyze, wpa_api_analyses, wpa_api_analysis,
    wpa_api_analysis_review;
extern const wpa_api_route wpa_api_patch_create, wpa_api_patches, wpa_api_patch,
    wpa_api_patch_change;
extern const wpa_api_route wpa_api_patch_test, wpa_api_patch_deploy, wpa_api_patch_rollback;
extern const wpa_api_route wpa_api_health;
extern const wpa_api_route wpa_api_events;
