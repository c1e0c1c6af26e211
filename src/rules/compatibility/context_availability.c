/*
 * CMP-007: contexts and functions that do not exist, or not at this key. GitHub refuses the file
 * for most of them, and fails the step for the rest.
 */
#include <stdlib.h>
#include <string.h>

#include "rules/expressions.h"
#include "rules/rule.h"

/** Levels below an event, inputs or outputs that hold descriptions. */
#define PROSE_DEPTH 4

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

/* ---- where nothing is evaluated ---------------------------------------------------------------*/

/** A string in a fence that is the whole value: GitHub's reader takes it for the string itself. */
static bool is_literal(const wpa_expr_place *place)
{
    return place->parsed.root && place->parsed.root->kind == WPA_EXPR_STRING &&
           wpa_span_length(place->outer) == place->node->length;
}

/** The workflow's own name is shown as it is written. */
static bool is_name(const wpa_rule_run *run, const wpa_yaml_node *node)
{
    return node->key && wpa_text_is(wpa_yaml_text(node->key), "name") &&
           node->parent == run->source->outline->root;
}

static void report_unread(wpa_rule_run *run, const wpa_expr_place *place, const wpa_yaml_node *key)
{
    const wpa_expr *root = place->parsed.root;
    if (is_literal(place)) {
        return;
    }
    wpa_span span = root ? wpa_expr_source_span(place, root->span) : wpa_expr_outer_span(place);
    wpa_finding *finding = wpa_rule_report(
        run, span, "E14", NULL, "no expression may stand in %s: the file is refused",
        key ? wpa_rule_quote(run, key->text, key->length) : "this entry");
    if (is_name(run, place->node)) {
        finding->severity = WPA_SEVERITY_LOW;
    }
}

/** Key of the mapping that a scalar is in, whatever lists lie between. */
static const wpa_yaml_node *key_of(const wpa_yaml_node *node)
{
    while (node && !node->key && node->parent) {
        node = node->parent;
    }
    return node ? node->key : NULL;
}

/* How deep keys of inputs and outputs lie, from the root: inputs, its name, default. */
#define DECLARED_DEPTH 3

/**
 * Is it in a part of the file that is known for what it is? What lies below a misspelt "jobs" or
 * "steps" is not judged.
 */
static bool is_at_known_place(const wpa_rule_run *run, const wpa_yaml_node *node)
{
    static const char *const of_action[] = {"name",    "description", "author", "inputs",
                                            "outputs", "branding",    "runs"};
    const wpa_yaml_node *event = node;
    bool is_in_list = false;
    size_t depth = 1;
    for (; node->parent && node->parent->parent; depth++) {
        is_in_list = is_in_list || node->parent->kind == WPA_YAML_SEQUENCE;
        event = node;
        node = node->parent;
    }
    const char *top = node->key ? wpa_yaml_text(node->key) : NULL;
    const char *name = event->key ? wpa_yaml_text(event->key) : NULL;
    if (run->source->kind == WPA_INPUT_WORKFLOW) {
        const wpa_outline_trigger *t =
            name ? wpa_outline_trigger_find(run->source->outline, name) : NULL;
        return wpa_text_is(top, "on") && (depth == 1 || !name || (t && t->event));
    }
    size_t deepest = wpa_text_is(top, "runs") ? DECLARED_DEPTH - 1 : DECLARED_DEPTH;
    return wpa_text_index(top, of_action, WPA_COUNT(of_action)) >= 0 && !is_in_list &&
           depth <= deepest;
}

/** Keys whose rules say it of any value that is none of theirs. */
static bool is_told(const wpa_yaml_node *node)
{
    static const char *const keys[] = {"type", "cron", "uses", "required", "permissions"};
    const wpa_yaml_node *key = key_of(node), *above = node->parent ? key_of(node->parent) : NULL;
    return (key && wpa_text_index(key->text, keys, WPA_COUNT(keys)) >= 0) ||
           (above && wpa_text_is(above->text, "permissions"));
}

/* Texts for people, which are not among the expressions of a file. GitHub reads them like all
   others: an example of a fence in a description is what makes an action fail to load, whether it
   is an expression or not. */
static void check_prose(wpa_rule_run *run, const wpa_yaml_node *node, int depth)
{
    static const char *const keys[] = {"description", "deprecationMessage"};
    for (size_t i = 0; node && i < node->n_pairs && depth < PROSE_DEPTH; i++) {
        const wpa_yaml_node *key = node->pairs[i].key, *value = node->pairs[i].value;
        const char *name = wpa_yaml_text(key);
        bool is_prose = name && value->kind == WPA_YAML_SCALAR && strstr(value->text, "${{") &&
                        wpa_text_index(name, keys, WPA_COUNT(keys)) >= 0;
        size_t n = 0;
        const wpa_expr_place *places = is_prose ? wpa_expr_find(value, run->arena, &n) : NULL;
        for (size_t k = 0; k < n; k++) {
            report_unread(run, &places[k], key);
        }
        if (!wpa_text_is(name, "runs")) { /* where such names are those of inputs */
            check_prose(run, value, depth + 1);
        }
    }
}

static void check_all_prose(wpa_rule_run *run)
{
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_triggers; i++) {
        check_prose(run, o->triggers[i].config, 0);
    }
    if (run->source->kind == WPA_INPUT_ACTION) {
        check_prose(run, run->source->yaml->root, 0);
    }
}

/** True: contexts or functions of the expression do not exist or may not stand here. */
static bool check_names(wpa_rule_run *run, const wpa_expression *e)
{
    bool is_wrong = false;
    for (size_t k = 0; k < e->checked.n_problems; k++) {
        const wpa_expr_problem *problem = &e->checked.problems[k];
        long number = strtol(problem->check + 1, NULL, 10);
        if (number < 13 || number > 16) {
            continue;
        }
        wpa_finding *finding =
            wpa_rule_report(run, wpa_expression_span(e, problem->span), problem->check,
                            subject_of(run, e, problem), "%s", problem->message);
        if (is_name(run, e->place->node)) {
            finding->severity = WPA_SEVERITY_LOW;
        }
        is_wrong = true;
    }
    return is_wrong;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_expressions *all = wpa_expressions_check(run);
    check_all_prose(run);
    for (size_t i = 0; i < all->n; i++) {
        const wpa_expression *e = &all->items[i];
        bool is_unread = !e->is_evaluated && is_at_known_place(run, e->place->node);
        /* Where no context may stand nothing may, not even what names none. */
        bool is_closed = !check_names(run, e) && e->key && !e->key->contexts[0];
        bool is_parsed = e->place->parsed.root != NULL; /* else: expression-syntax */
        if ((is_unread || is_closed) && is_parsed && !is_told(e->place->node)) {
            report_unread(run, e->place, key_of(e->place->node));
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
    .reads_dead_code = true,
    .check = check,
    .repair = repair,
};
