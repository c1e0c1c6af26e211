/*
 * QUA-012: "test && a || b" is b also where the test holds, if a counts as false. Literals that do
 * are certain; a boolean may.
 */
#include <string.h>

#include "rules/expressions.h"
#include "rules/own.h"

/* One "test && value || other": what a repair needs. */
typedef struct ternary {
    const wpa_expression *expression;
    const wpa_expr *whole; /* the || */
    const wpa_expr *both;  /* the && in front of it */
    bool is_first;         /* no other || stands before it, so that it can become a case */
} ternary;

typedef struct search {
    wpa_rule_run *run;
    const wpa_expression *expression;
} search;

/** The last term of a chain of ||. */
static const wpa_expr *last_term(const wpa_expr *node)
{
    while (node->kind == WPA_EXPR_OR) {
        node = node->args[1];
    }
    return node;
}

static wpa_expr_truth truth_of(wpa_rule_run *run, const wpa_expr *node)
{
    return wpa_expr_fold(node, NULL, NULL, run->arena).truth;
}

static const char *text_of(const search *s, const wpa_expr *node)
{
    const wpa_expr_place *place = s->expression->place;
    if (node->kind == WPA_EXPR_STRING) {
        return "an empty text";
    }
    return wpa_rule_quote(s->run, place->node->text + place->inner.start + node->span.start,
                          wpa_span_length(node->span));
}

/** 'false', which is what the value would have said. */
static bool says_false(const wpa_expr *node)
{
    return node->kind == WPA_EXPR_STRING && wpa_text_is(node->text, "false");
}

/** A value that is itself true or false, where something true stands for "not given". */
static bool may_be_false(const search *s, const ternary *t)
{
    const wpa_expr *value = t->both->args[1], *other = t->whole->args[1];
    bool is_reference = value->kind == WPA_EXPR_MEMBER || value->kind == WPA_EXPR_INDEX;
    return is_reference && !says_false(other) && s->expression->use != WPA_EXPRESSION_CONDITION &&
           truth_of(s->run, other) == WPA_EXPR_TRUTHY &&
           wpa_expression_type(s->run, s->expression, value)->kind == WPA_TYPE_BOOL;
}

static void report(const search *s, const ternary *t, bool is_certain)
{
    ternary *subject = wpa_arena_dup(s->run->arena, t, sizeof *t);
    const wpa_expr *value = t->both->args[1];
    wpa_finding *finding = wpa_rule_report(
        s->run, wpa_expression_span(s->expression, t->whole->name_span), NULL, subject,
        is_certain ? "%s counts as false, so the right side of '||' is taken whatever the test says"
                   : "%s may be false, and then the right side of '||' is taken instead of it",
        text_of(s, value));
    wpa_rule_relate(s->run, finding, wpa_expression_span(s->expression, value->span),
                    is_certain ? "counts as false" : "may be false");
    if (!is_certain) {
        finding->severity = WPA_SEVERITY_LOW;
        finding->confidence = WPA_CONFIDENCE_MEDIUM;
    }
}

static void look(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    const search *s = context;
    (void)parent;
    if (node->kind != WPA_EXPR_OR) {
        return;
    }
    const wpa_expr *both = last_term(node->args[0]);
    if (both->kind != WPA_EXPR_AND) {
        return;
    }
    ternary t = {s->expression, node, both, both == node->args[0]};
    bool is_constant = truth_of(s->run, both->args[0]) != WPA_EXPR_MAYBE;
    bool is_certain = truth_of(s->run, both->args[1]) == WPA_EXPR_FALSY;
    if (!is_constant && (is_certain || may_be_false(s, &t))) {
        report(s, &t, is_certain);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_expressions *all = wpa_expressions_check(run);
    for (size_t i = 0; i < all->n; i++) {
        search s = {run, &all->items[i]};
        const wpa_expr_parsed *parsed = &s.expression->place->parsed;
        if (s.expression->is_evaluated && wpa_expr_may_have(parsed, 1U << WPA_EXPR_OR)) {
            wpa_expr_walk(parsed->root, look, &s);
        }
    }
    return true;
}

/** What stands between two parts of the expression is replaced. */
static void edit(wpa_rule_run *run, wpa_fix *fix, const ternary *t, size_t start, size_t end,
                 const char *text)
{
    wpa_rule_edit(run, fix, wpa_expression_span(t->expression, (wpa_span){start, end}), "%s", text);
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const ternary *t = finding->subject;
    const wpa_expr *test = t->both->args[0], *value = t->both->args[1], *other = t->whole->args[1];
    bool is_simple = t->is_first && other->kind != WPA_EXPR_AND;
    if (!is_simple) {
        return;
    }
    wpa_span whole = t->whole->span;
    if (!wpa_rule_forge_lacks(run, "function", "case") &&
        wpa_expression_type(run, t->expression, test)->kind == WPA_TYPE_BOOL) {
        wpa_fix *fix =
            wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "say it with case, which github.com knows");
        edit(run, fix, t, whole.start, test->span.start, "case(");
        edit(run, fix, t, test->span.end, t->both->name_span.end, ",");
        edit(run, fix, t, value->span.end, t->whole->name_span.end, ",");
        edit(run, fix, t, other->span.end, whole.end, ")");
    }
}

const wpa_rule wpa_rule_unsound_ternary = {
    .code = "QUA-012",
    .id = "unsound-ternary",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A 'test && a || b' whose a counts as false, so that it is always b",
    .why = "'&&' and '||' give one of their sides: with an empty string, 0, false or null in the "
           "middle the other value is taken though the test holds.",
    .fix = "Use case(test, a, b), or turn the test around so that the true value stands in the "
           "middle.",
    .elsewhere = (const char *const[]){"zizmor/unsound-ternary", NULL},
    .declares = WPA_DECLARES_SCRIPT | WPA_DECLARES_ENV | WPA_DECLARES_JOBS,
    .check = check,
    .repair = repair,
};
