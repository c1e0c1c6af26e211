/* The rows of all commands; each lives beside its code. */
#pragma once

#include "cli/cli.h"

extern const wpa_cli_command wpa_cli_version;
extern const wpa_cli_command wpa_cli_help;
extern const wpa_cli_command wpa_cli_man;
extern const wpa_cli_command wpa_cli_check;
extern const wpa_cli_command wpa_cli_explain;
