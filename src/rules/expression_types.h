/* Types of the contexts of one file. Shared by expressions.c and expression_types.c alone. */
#pragma once

#include "rules/expressions.h"
#include "rules/rule.h"

typedef struct wpa_expression_types wpa_expression_types;

wpa_expression_types *wpa_expression_types_new(wpa_rule_run *run);
/** Types are made as they are asked for: name the run that asks. */
void wpa_expression_types_ask(wpa_expression_types *types, wpa_rule_run *run);
/** Scope of one expression; borrows it. */
wpa_expr_scope wpa_expression_types_scope(wpa_expression_types *types,
                                          const wpa_expression *expression);
/** Declared type of the input of a called workflow whose default this is, or NULL. */
const wpa_type *wpa_expression_types_default(const wpa_expression_types *types,
                                             const wpa_expression *expression);
