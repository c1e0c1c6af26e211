/*
 * CMP-007: contexts and functions that do not exist, or not at this key. GitHub refuses the file
 * for most of them, and fails the step for the rest.
 */
#include <stdlib.h>

#include "rules/expressions.h"
#include "rules/rule.h"

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_expressions *all = wpa_expressions_check(run);
    for (size_t i = 0; i < all->n; i++) {
        const wpa_expression *e = &all->items[i];
        for (size_t k = 0; k < e->checked.n_problems; k++) {
            const wpa_expr_problem *problem = &e->checked.problems[k];
            long number = strtol(problem->check + 1, NULL, 10);
            if (number >= 13 && number <= 16) {
                (void)wpa_rule_report(run, wpa_expression_span(e, problem->span), problem->check,
                                      NULL, "%s", problem->message);
            }
        }
    }
    return true;
}

const wpa_rule wpa_rule_context_availability = {
    .code = "CMP-007",
    .id = "context-availability",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A context or function that does not exist, or not at this key",
    .why = "GitHub refuses the whole file, or the step fails before it starts.",
    .fix = "Move the expression to a key where the value is known, most often 'env' of a step.",
    .checks = (const char *const[]){"E13", "E14", "E15", "E16", NULL},
    .elsewhere = (const char *const[]){"actionlint/expression", NULL},
    .tables = 1U << WPA_FACTS_CONTEXTS,
    .declares = WPA_DECLARES_ENV,
    .check = check,
};
