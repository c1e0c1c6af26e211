/* Types of the contexts of one file. Shared by expressions.c and expression_types.c alone. */
#pragma once

#include "rules/expressions.h"
#include "rules/rule.h"

typedef struct wpa_expression_types wpa_expression_types;

wpa_expression_types *wpa_expression_types_new(wpa_rule_run *run);
/** Types are made as they are asked for: name the run that asks. */
void wpa_expression_types_ask(wpa_expression_types *types, wpa_rule_run *run);
/** Scope of one expression, which it borrows; until the next is asked for. */
wpa_expr_scope wpa_expression_types_scope(wpa_expression_types *types,
                                          const wpa_expression *expression);

/** What types of contexts have depended on. */
typedef enum wpa_types_reach {
    WPA_TYPES_OF_FILE,
    WPA_TYPES_OF_JOB,
    WPA_TYPES_OF_STEP
} wpa_types_reach;
/** Of those that were asked for since the scope was. */
wpa_types_reach wpa_expression_types_reach(const wpa_expression_types *types);
/** Declared type of the input of a called workflow whose default this is, or NULL. */
const wpa_type *wpa_expression_types_default(const wpa_expression_types *types,
                                             const wpa_expression *expression);
