/*
 * CMP-006: what the typed checker finds. Members that do not exist, arguments and operands of types
 * that fit nothing, objects in text, values that are not what their key takes.
 */
#include <stdlib.h>
#include <string.h>

#include "rules/expressions.h"
#include "rules/payload.h"
#include "rules/rule.h"

/* Where a node stands in its tree. */
typedef struct position {
    const wpa_expr *node;
    bool has_other; /* on the left of "||", or tested for being there: something stands in for it */
    bool has_test;  /* the expression asks which event it is */
} position;

static bool holds(const wpa_expr *node, const wpa_expr *part)
{
    return node->span.start <= part->span.start && part->span.end <= node->span.end;
}

static void find_position(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    position *p = context;
    (void)parent;
    p->has_other = p->has_other || (node->kind == WPA_EXPR_OR && holds(node->args[0], p->node));
    p->has_test =
        p->has_test || (node->kind == WPA_EXPR_MEMBER && wpa_text_is_ci(node->text, "event_name"));
}

/** A member that github.event has for a trigger that this workflow has not. */
static bool is_of_other_event(const wpa_expr_problem *problem)
{
    const wpa_expr *node = problem->node;
    return wpa_text_is(problem->check, "E23") && node->kind == WPA_EXPR_MEMBER &&
           node->args[0]->kind == WPA_EXPR_MEMBER && wpa_text_is_ci(node->args[0]->text, "event") &&
           node->args[0]->args[0]->kind == WPA_EXPR_NAME && wpa_payload_is_member(node->text);
}

static bool is_guarded(const wpa_expression *e, const wpa_expr *node)
{
    position p = {.node = node};
    wpa_expr_walk(e->place->parsed.root, find_position, &p);
    return p.has_other || p.has_test;
}

static void report_other_event(wpa_rule_run *run, const wpa_expression *e,
                               const wpa_expr_problem *problem)
{
    if (is_guarded(e, problem->node)) {
        return; /* written for more triggers than there are, and sound without them */
    }
    const char *name = problem->node->text;
    wpa_finding *finding = wpa_rule_report(
        run, wpa_expression_span(e, problem->span), problem->check, NULL,
        "no trigger of this workflow comes with %s in 'github.event', so it is always empty",
        wpa_rule_quote(run, name, strlen(name)));
    finding->severity = WPA_SEVERITY_LOW;
    finding->confidence = WPA_CONFIDENCE_MEDIUM;
}

/** Behind a value that is written out GitHub reads no '.' or '[': it refuses the file. */
static bool is_of_literal(const wpa_expr *node)
{
    bool is_access = node->kind == WPA_EXPR_MEMBER || node->kind == WPA_EXPR_INDEX ||
                     node->kind == WPA_EXPR_STAR;
    wpa_expr_kind kind = is_access ? node->args[0]->kind : WPA_EXPR_NAME;
    return kind == WPA_EXPR_NULL || kind == WPA_EXPR_BOOL || kind == WPA_EXPR_NUMBER ||
           kind == WPA_EXPR_STRING;
}

static void report(wpa_rule_run *run, const wpa_expression *e, const wpa_expr_problem *problem)
{
    if (is_of_other_event(problem)) {
        report_other_event(run, e, problem);
        return;
    }
    wpa_finding *finding = wpa_rule_report(run, wpa_expression_span(e, problem->span),
                                           problem->check, NULL, "%s", problem->message);
    if (problem->is_minor) {
        finding->severity = WPA_SEVERITY_LOW;
    } else if (is_of_literal(problem->node)) {
        finding->severity = WPA_SEVERITY_HIGH;
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
    .tables = 1U << WPA_FACTS_CONTEXTS | 1U << WPA_FACTS_ACTIONS | 1U << WPA_FACTS_EVENTS |
              1U << WPA_FACTS_PAYLOADS,
    .check = check,
};
