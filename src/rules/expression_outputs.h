/* Types of the outputs of jobs and steps. For expression_types.c alone. */
#pragma once

#include "rules/expressions.h"
#include "rules/rule.h"

/** Strict object of the names below outputs; a map if there are none to be seen. */
const wpa_type *wpa_expression_outputs_declared(const wpa_yaml_node *outputs, bool is_known,
                                                wpa_arena *arena);
/** Of a job that calls this workflow. */
const wpa_type *wpa_expression_outputs_of_call(wpa_rule_run *run, const char *uses,
                                               wpa_arena *arena);
/** Of a step by the action that it uses. */
const wpa_type *wpa_expression_outputs_of_step(wpa_rule_run *run, const wpa_outline_step *step,
                                               wpa_arena *arena);
