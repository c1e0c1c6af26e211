/* The rows of all commands; each lives beside its code. */
#pragma once

#include "cli/cli.h"

extern const wpa_cli_command wpa_cli_console;
extern const wpa_cli_command wpa_cli_wall;
extern const wpa_cli_command wpa_cli_version;
extern const wpa_cli_command wpa_cli_help;
extern const wpa_cli_command wpa_cli_man;
extern const wpa_cli_command wpa_cli_check;
extern const wpa_cli_command wpa_cli_explain;
extern const wpa_cli_command wpa_cli_login;
extern const wpa_cli_command wpa_cli_logout;
extern const wpa_cli_command wpa_cli_whoami;
extern const wpa_cli_command wpa_cli_guardian_add;
extern const wpa_cli_command wpa_cli_guardian_list;
extern const wpa_cli_command wpa_cli_guardian_disable;
extern const wpa_cli_command wpa_cli_guardian_enable;
extern const wpa_cli_command wpa_cli_guardian_passwd;
extern const wpa_cli_command wpa_cli_fleet_add;
extern const wpa_cli_command wpa_cli_fleet_list;
extern const wpa_cli_command wpa_cli_fleet_remove;
extern const wpa_cli_command wpa_cli_fleet_import;
extern const wpa_cli_command wpa_cli_fleet_scan;
extern const wpa_cli_command wpa_cli_analyse;
extern const wpa_cli_command wpa_cli_finding_list;
extern const wpa_cli_command wpa_cli_finding_show;
extern const wpa_cli_command wpa_cli_finding_ignore;
extern const wpa_cli_command wpa_cli_health;
extern const wpa_cli_command wpa_cli_score_explain;
extern const wpa_cli_command wpa_cli_patch_create;
extern const wpa_cli_command wpa_cli_patch_list;
extern const wpa_cli_command wpa_cli_patch_show;
extern const wpa_cli_command wpa_cli_patch_diff;
extern const wpa_cli_command wpa_cli_patch_test;
extern const wpa_cli_command wpa_cli_patch_approve;
extern const wpa_cli_command wpa_cli_patch_reject;
extern const wpa_cli_command wpa_cli_patch_withdraw;
extern const wpa_cli_command wpa_cli_deploy_plan;
extern const wpa_cli_command wpa_cli_deploy_start;
extern const wpa_cli_command wpa_cli_deploy_status;
extern const wpa_cli_command wpa_cli_deploy_watch;
extern const wpa_cli_command wpa_cli_deploy_pause;
extern const wpa_cli_command wpa_cli_deploy_resume;
extern const wpa_cli_command wpa_cli_deploy_promote;
extern const wpa_cli_command wpa_cli_deploy_abort;
extern const wpa_cli_command wpa_cli_deploy_rollback;
extern const wpa_cli_command wpa_cli_deploy_skip;
extern const wpa_cli_command wpa_cli_deploy_retry;
extern const wpa_cli_command wpa_cli_deploy_conclude;
extern const wpa_cli_command wpa_cli_queue;
extern const wpa_cli_command wpa_cli_agents;
extern const wpa_cli_command wpa_cli_agent;
extern const wpa_cli_command wpa_cli_serve;
extern const wpa_cli_command wpa_cli_audit_show;
extern const wpa_cli_command wpa_cli_audit_verify;
