/*
 * CMP-006: what the typed checker finds. Members that do not exist, arguments and operands of types
 * that fit nothing, objects in text, values that are not what their key takes.
 */
#include <stdlib.h>

#include "rules/expressions.h"
#include "rules/rule.h"

static void report(wpa_rule_run *run, const wpa_expression *e, const wpa_expr_problem *problem)
{
    wpa_finding *finding = wpa_rule_report(run, wpa_expression_span(e, problem->span),
                                           problem->check, NULL, "%s", problem->message);
    if (problem->is_minor) {
        finding->severity = WPA_SEVERITY_LOW;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_expressions *all = wpa_expressions_check(run);
    for (size_t i = 0; i < all->n; i++) {
        const wpa_expr_checked *checked = &all->items[i].checked;
        for (size_t k = 0; k < checked->n_problems; k++) {
            long number = strtol(checked->problems[k].check + 1, NULL, 10);
            if (number >= 17) { /* those before are syntax and availability */
                report(run, &all->items[i], &checked->problems[k]);
            }
        }
    }
    return true;
}

const wpa_rule wpa_rule_expression_type = {
    .code = "CMP-006",
    .id = "expression-type",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "An expression reads what is not there, or mixes types that do not fit",
    .why = "GitHub reads a missing member as nothing and converts silently: a test is never true, "
           "a text is empty, a step gets the word 'Object'.",
    .fix = "Correct the name, or convert with toJSON or fromJSON; there is no fix by machine.",
    .checks = (const char *const[]){"E17", "E18", "E19", "E20", "E21", "E22", "E23",
                                    "E24", "E25", "E26", "E27", "E28", "E29", "E30",
                                    "E31", "E32", "E34", "E35", "E36", "E39", NULL},
    .elsewhere = (const char *const[]){"actionlint/expression", NULL},
    .tables = 1U << WPA_FACTS_CONTEXTS | 1U << WPA_FACTS_ACTIONS | 1U << WPA_FACTS_EVENTS,
    .check = check,
};
