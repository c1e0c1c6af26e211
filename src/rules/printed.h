/* What scripts show to whoever reads the log. */
#pragma once

#include "rules/rule.h"
#include "rules/shell.h"

/**
 * Does a command of the script print its words into the log: not into a file, a pipe or a variable,
 * and no more does a group or loop around it? True also where that cannot be told.
 */
bool wpa_printed_in_log(wpa_rule_run *run, const wpa_script *script, const wpa_shell_command *c);
