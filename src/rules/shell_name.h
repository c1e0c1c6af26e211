/* The program that a command runs. */
#pragma once

#include "rules/shell.h"

/** Fill first and name out of the words: "A=1 sudo -u x /usr/bin/npm ci" is npm. */
void wpa_shell_name_find(wpa_shell_command *command);
