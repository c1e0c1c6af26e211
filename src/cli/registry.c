#include "cli/commands.h"

static const wpa_cli_command *const commands[] = {
    &wpa_cli_version, &wpa_cli_check, &wpa_cli_explain, &wpa_cli_help, &wpa_cli_man,
};

const wpa_cli_command *const *wpa_cli_commands(size_t *n)
{
    *n = WPA_COUNT(commands);
    return commands;
}
