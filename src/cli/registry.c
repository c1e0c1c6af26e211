#include "cli/commands.h"

/* clang-format off */
static const wpa_cli_command *const commands[] = {
    &wpa_cli_console,
    &wpa_cli_wall,
    &wpa_cli_check,
    &wpa_cli_explain,
    &wpa_cli_login,
    &wpa_cli_logout,
    &wpa_cli_whoami,
    &wpa_cli_guardian_add,
    &wpa_cli_guardian_list,
    &wpa_cli_guardian_disable,
    &wpa_cli_guardian_enable,
    &wpa_cli_guardian_passwd,
    &wpa_cli_fleet_add,
    &wpa_cli_fleet_list,
    &wpa_cli_fleet_remove,
    &wpa_cli_fleet_import,
    &wpa_cli_fleet_scan,
    &wpa_cli_analyse,
    &wpa_cli_finding_list,
    &wpa_cli_finding_show,
    &wpa_cli_finding_ignore,
    &wpa_cli_health,
    &wpa_cli_score_explain,
    &wpa_cli_patch_create,
    &wpa_cli_patch_list,
    &wpa_cli_patch_show,
    &wpa_cli_patch_diff,
    &wpa_cli_patch_test,
    &wpa_cli_patch_approve,
    &wpa_cli_patch_reject,
    &wpa_cli_patch_withdraw,
    &wpa_cli_deploy_plan,
    &wpa_cli_deploy_start,
    &wpa_cli_deploy_status,
    &wpa_cli_deploy_watch,
    &wpa_cli_deploy_pause,
    &wpa_cli_deploy_resume,
    &wpa_cli_deploy_promote,
    &wpa_cli_deploy_abort,
    &wpa_cli_deploy_rollback,
    &wpa_cli_deploy_skip,
    &wpa_cli_deploy_retry,
    &wpa_cli_deploy_conclude,
    &wpa_cli_queue,
    &wpa_cli_agents,
    &wpa_cli_agent,
    &wpa_cli_serve,
    &wpa_cli_audit_show,
    &wpa_cli_audit_verify,
    &wpa_cli_help,
    &wpa_cli_version,
    &wpa_cli_man,
};
/* clang-format on */

const wpa_cli_command *const *wpa_cli_commands(size_t *n)
{
    *n = WPA_COUNT(commands);
    return commands;
}
