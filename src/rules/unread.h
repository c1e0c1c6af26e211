/* What steps and jobs hand on, and nothing reads; told as checks of the rule unused-definition. */
#pragma once

#include "rules/rule.h"

/** U4, U3: ids of steps that nothing refers to, and outputs of steps that nothing reads; for
    pedantic people alone. */
void wpa_unread_of_steps(wpa_rule_run *run);
/** U3: outputs of jobs that neither another job nor the workflow's callers read. */
void wpa_unread_of_jobs(wpa_rule_run *run);
