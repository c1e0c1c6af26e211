/* Values that the schema of workflows takes and that GitHub still refuses, or makes nothing of. */
#pragma once

#include "rules/rule.h"

/**
 * Report them as checks of the rule schema: images that are none, names of runner groups, versions
 * of snapshots, and matrices without a leg.
 *
 * Source    actions/runner, src/Sdk/WorkflowParser/Conversion/WorkflowTemplateConverter.cs (2025).
 */
void wpa_forms_check(wpa_rule_run *run);
