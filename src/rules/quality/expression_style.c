/*
 * QUA-027: expressions that could say the same in fewer words: a fence around a condition, a format
 * without values, a negation of a negation, a boolean compared with true, an index for a name.
 */
#include <ctype.h>
#include <string.h>

#include "rules/expressions.h"
#include "rules/rule.h"

/* Bytes of the expression that could go, or be written otherwise; at most two pieces. */
typedef struct subject {
    const wpa_expression *expression;
    wpa_span pieces[2]; /* in the tree's text; of a fence in the scalar's */
    const char *texts[2];
    size_t n;
    bool is_fence;
} subject;

typedef struct search {
    wpa_rule_run *run;
    const wpa_expression *expression;
} search;

static void report(const search *s, wpa_span span, const subject *what, const char *message)
{
    subject *made = wpa_arena_dup(s->run->arena, what, sizeof *what);
    made->expression = s->expression;
    (void)wpa_rule_report(s->run, span, NULL, made, "%s", message);
}

static wpa_span in_file(const search *s, wpa_span in_tree)
{
    return wpa_expression_span(s->expression, in_tree);
}

/* ---- the whole ---- */

/** Would YAML read the text as a plain scalar of the same text? */
static bool is_plain_safe(const char *text, size_t length)
{
    static const char *const bad[] = {": ", " #", "\n", "\t"};
    const char *copy_start = "!&*-?|>%@`\"'#,[]{}";
    if (length == 0 || strchr(copy_start, text[0]) || text[length - 1] == ':') {
        return false;
    }
    for (size_t i = 0; i < WPA_COUNT(bad); i++) {
        if (memmem(text, length, bad[i], strlen(bad[i]))) {
            return false;
        }
    }
    return true;
}

/** "if: ${{ x }}": the key itself makes an expression of its value. */
static void check_fence(const search *s)
{
    const wpa_expression *e = s->expression;
    const wpa_expr_place *place = e->place;
    const wpa_expr *root = place->parsed.root;
    bool has_fence = e->use == WPA_EXPRESSION_CONDITION && e->is_whole && !place->is_bare;
    if (!has_fence || place->node->style != WPA_YAML_PLAIN) {
        return;
    }
    const char *text = place->node->text + place->inner.start;
    bool is_flow = place->node->parent && place->node->parent->style == WPA_YAML_FLOW;
    if (is_flow || !is_plain_safe(text + root->span.start, wpa_span_length(root->span))) {
        return;
    }
    wpa_span in_scalar = {place->inner.start + root->span.start,
                          place->inner.start + root->span.end};
    subject what = {
        .pieces = {{place->outer.start, in_scalar.start}, {in_scalar.end, place->outer.end}},
        .texts = {"", ""},
        .n = 2,
        .is_fence = true};
    report(s, wpa_yaml_source_span(place->node, place->outer.start, place->outer.end), &what,
           "a condition needs no '${{ }}'");
}

/* ---- parts ---- */

static void check_format(const search *s, const wpa_expr *node)
{
    bool is_single = node->kind == WPA_EXPR_CALL && wpa_text_is_ci(node->text, "format") &&
                     node->n_args == 1 && node->args[0]->kind == WPA_EXPR_STRING &&
                     !strpbrk(node->args[0]->text, "{}");
    if (is_single) {
        wpa_span inner = node->args[0]->span;
        subject what = {.pieces = {{node->span.start, inner.start}, {inner.end, node->span.end}},
                        .texts = {"", ""},
                        .n = 2};
        report(s, in_file(s, node->name_span), &what, "format without values is the text itself");
    }
}

/** "!!x" where only the truth counts. */
static void check_negation(const search *s, const wpa_expr *node)
{
    bool is_double = node->kind == WPA_EXPR_NOT && node->args[0]->kind == WPA_EXPR_NOT &&
                     s->expression->use == WPA_EXPRESSION_CONDITION;
    if (is_double) {
        wpa_span outer = node->name_span, inner = node->args[0]->name_span;
        subject what = {.pieces = {outer, inner}, .texts = {"", ""}, .n = 2};
        report(s, in_file(s, (wpa_span){outer.start, inner.end}), &what,
               "a condition asks for the truth of a value anyway: '!!' adds nothing");
    }
}

/** "x == true" of a boolean. */
static void check_truth(const search *s, const wpa_expr *node)
{
    bool is_equality = node->kind == WPA_EXPR_EQ || node->kind == WPA_EXPR_NE;
    const wpa_expr *literal = is_equality ? node->args[1] : NULL;
    if (!literal || literal->kind != WPA_EXPR_BOOL || node->args[0]->kind <= WPA_EXPR_STRING) {
        return;
    }
    const wpa_expr *value = node->args[0];
    bool is_chain = value->kind == WPA_EXPR_MEMBER || value->kind == WPA_EXPR_INDEX;
    bool is_simple = is_chain || value->kind == WPA_EXPR_CALL;
    /* A missing input is null, and null is not equal to false only by name: it is. */
    if (!is_simple || wpa_expression_type(s->run, s->expression, value)->kind != WPA_TYPE_BOOL) {
        return;
    }
    bool is_plain = (literal->number > 0) == (node->kind == WPA_EXPR_EQ);
    if (!is_plain && node->span.start == 0 && s->expression->place->is_bare) {
        return; /* a '!' at the start of a plain scalar is a tag */
    }
    /* Outside of a condition null would stay null where the comparison gave false. */
    if (is_plain && s->expression->use != WPA_EXPRESSION_CONDITION) {
        return;
    }
    subject what = {
        .pieces = {{node->span.start, value->span.start}, {value->span.end, node->span.end}},
        .texts = {is_plain ? "" : "!", ""},
        .n = 2};
    report(s, in_file(s, node->name_span), &what,
           "a boolean compared with a boolean constant says what it says itself");
}

static bool is_name(const char *text)
{
    bool is_fine = isalpha((unsigned char)text[0]) || text[0] == '_';
    for (; *text && is_fine; text++) {
        is_fine = isalnum((unsigned char)*text) || *text == '_' || *text == '-';
    }
    return is_fine;
}

/** "github['ref']" */
static void check_index(const search *s, const wpa_expr *node)
{
    bool is_plain = node->kind == WPA_EXPR_INDEX && node->args[1]->kind == WPA_EXPR_STRING &&
                    is_name(node->args[1]->text);
    if (is_plain) {
        subject what = {.pieces = {node->name_span},
                        .texts = {wpa_arena_printf(s->run->arena, ".%s", node->args[1]->text)},
                        .n = 1};
        report(s, in_file(s, node->name_span), &what, "a plain name needs no index");
    }
}

static void look(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    const search *s = context;
    (void)parent;
    check_format(s, node);
    check_negation(s, node);
    check_truth(s, node);
    check_index(s, node);
}

static const uint32_t looked_at = 1U << WPA_EXPR_CALL | 1U << WPA_EXPR_NOT | 1U << WPA_EXPR_EQ |
                                  1U << WPA_EXPR_NE | 1U << WPA_EXPR_INDEX;

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_expressions *all = wpa_expressions_check(run);
    for (size_t i = 0; i < all->n; i++) {
        search s = {run, &all->items[i]};
        if (s.expression->is_evaluated && s.expression->place->parsed.root) {
            check_fence(&s);
        }
        if (s.expression->is_evaluated &&
            wpa_expr_may_have(&s.expression->place->parsed, looked_at)) {
            wpa_expr_walk(s.expression->place->parsed.root, look, &s);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    const wpa_expr_place *place = s->expression->place;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "say it shorter");
    for (size_t i = 0; i < s->n; i++) {
        wpa_span span =
            s->is_fence ? wpa_yaml_source_span(place->node, s->pieces[i].start, s->pieces[i].end)
                        : wpa_expression_span(s->expression, s->pieces[i]);
        if (span.start < span.end || *s->texts[i]) {
            wpa_rule_edit(run, fix, span, "%s", s->texts[i]);
        }
    }
}

const wpa_rule wpa_rule_expression_style = {
    .code = "QUA-027",
    .id = "expression-style",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "An expression says something in more words than it takes",
    .why = "What stands there without need hides what matters.",
    .fix = "Write the shorter form.",
    .declares = WPA_DECLARES_JOBS | WPA_DECLARES_SCRIPT | WPA_DECLARES_ENV,
    .check = check,
    .repair = repair,
};
