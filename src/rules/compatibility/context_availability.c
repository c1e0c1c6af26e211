/*
 * CMP-007: contexts and functions that do not exist, or not at this key. GitHub refuses the file
 * for most of them, and fails the step for the rest.
 */
#include <stdlib.h>

#include "rules/expressions.h"
#include "rules/rule.h"

/* A secret in the condition of a step: what a repair needs. */
typedef struct subject {
    const wpa_expression *expression;
    const wpa_expr *name; /* of the context */
    const char *member;
    wpa_span chain; /* secrets.x, in the tree's text */
} subject;

/** The literal member that is taken of a name. */
static void find_member(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    subject *s = context;
    (void)parent;
    if (node->kind == WPA_EXPR_MEMBER && node->args[0] == s->name) {
        s->member = node->text;
        s->chain = node->span;
    }
}

static const subject *subject_of(wpa_rule_run *run, const wpa_expression *e,
                                 const wpa_expr_problem *problem)
{
    subject s = {.expression = e, .name = problem->node};
    bool is_secret = wpa_text_is(problem->check, "E14") && problem->node->kind == WPA_EXPR_NAME &&
                     wpa_text_is_ci(problem->node->text, "secrets") && wpa_expression_step(e) &&
                     e->use == WPA_EXPRESSION_CONDITION && run->source->kind == WPA_INPUT_WORKFLOW;
    if (is_secret) {
        wpa_expr_walk(e->place->parsed.root, find_member, &s);
    }
    return s.member ? wpa_arena_dup(run->arena, &s, sizeof s) : NULL;
}

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
                wpa_finding *finding =
                    wpa_rule_report(run, wpa_expression_span(e, problem->span), problem->check,
                                    subject_of(run, e, problem), "%s", problem->message);
                const wpa_yaml_node *key = e->place->node->key;
                if (key && wpa_text_is(wpa_yaml_text(key), "name") &&
                    e->place->node->parent == run->source->outline->root) {
                    finding->severity = WPA_SEVERITY_LOW; /* it is shown as it is written */
                }
            }
        }
    }
    return true;
}

/** The job takes the secret into its environment, and the condition asks for that. */
static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (!s) {
        return;
    }
    const wpa_yaml_node *job = s->expression->job->node;
    const wpa_yaml_node *there = wpa_yaml_get(wpa_yaml_get(job, "env"), s->member);
    const char *value = wpa_arena_printf(run->arena, "${{ secrets.%s }}", s->member);
    if (there && !wpa_text_is(wpa_yaml_text(there), value)) {
        return; /* something else has the name */
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "ask for it in the job's env");
    if (there || wpa_rule_add_in(run, fix, job, "env", "runs-on", s->member, value)) {
        wpa_rule_edit(run, fix, wpa_expression_span(s->expression, s->chain), "env.%s", s->member);
    }
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
    .repair = repair,
};
