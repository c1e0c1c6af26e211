/* Values of workflows that the schema lets be empty and that then do nothing, or end the run. */
#pragma once

#include "rules/rule.h"

/** Report them as checks of the rule schema. */
void wpa_empties_check(wpa_rule_run *run);
