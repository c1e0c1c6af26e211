/* The tables of the console: columns of each kind of row, used by list views and panes. */
#pragma once

#include "widgets/table.h"

extern const wpa_table wpa_workflow_table, wpa_finding_table, wpa_patch_table, wpa_deployment_table,
    wpa_audit_table, wpa_notice_table, wpa_job_table, wpa_run_table, wpa_destination_table,
    wpa_live_table, wpa_live_wide_table, wpa_needs_table, wpa_target_table;
