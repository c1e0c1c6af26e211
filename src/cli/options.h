/* Options as they were given. Shared inside cli/ only. */
#pragma once

#include "cli/cli.h"

/**
 * Parse argv behind the words of the command's name.
 *
 * Fills cli->values, operands and n_operands. Errors WPA_E_INVALID, with the nearest name.
 */
bool wpa_cli_parse(wpa_cli *cli, int argc, char *argv[], wpa_error *err) WPA_CHECK;
