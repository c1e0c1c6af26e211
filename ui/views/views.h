/* The views, one file each; registry.c lists them. */
#pragma once

#include "console/ui.h"

extern const wpa_view wpa_view_dash, wpa_view_workflows, wpa_view_findings, wpa_view_patches,
    wpa_view_deploys, wpa_view_map, wpa_view_runs, wpa_view_audit, wpa_view_notices, wpa_view_jobs,
    wpa_view_workflow, wpa_view_finding, wpa_view_patch, wpa_view_diff, wpa_view_deployment,
    wpa_view_job, wpa_view_destinations, wpa_view_who;
