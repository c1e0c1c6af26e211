/* CMP-003: expressions that GitHub's parser refuses. */
#include <string.h>

#include <wpa/text.h>

#include "expr/expr.h"
#include "rules/rule.h"

#define DEPTH_MAX 100

/** Keys whose text is for people: nothing in it is evaluated. */
static bool is_prose(const wpa_yaml_node *node)
{
    static const char *const names[] = {"description", "deprecationMessage"};
    return node->key && node->key->kind == WPA_YAML_SCALAR &&
           wpa_text_index(node->key->text, names, WPA_COUNT(names)) >= 0;
}

/** Is this the value of an "if" of a job, step or snapshot? */
static bool is_condition(const wpa_yaml_node *node)
{
    return node->key && node->key->kind == WPA_YAML_SCALAR && wpa_text_is(node->key->text, "if");
}

static void check_scalar(wpa_rule_run *run, const wpa_yaml_node *node)
{
    size_t n;
    wpa_expr_place *places = is_condition(node) ? wpa_expr_find_condition(node, run->arena, &n)
                                                : wpa_expr_find(node, run->arena, &n);
    for (size_t i = 0; i < n; i++) {
        const char *number = wpa_expr_fault_check(places[i].parsed.fault);
        if (number) { /* limits are for platform-limits to tell */
            wpa_rule_report(run, wpa_expr_source_span(&places[i], places[i].parsed.fault_span),
                            number, &places[i], "%s", places[i].parsed.message);
        }
    }
}

static void walk(wpa_rule_run *run, const wpa_yaml_node *node, int depth)
{
    if (!node || depth > DEPTH_MAX || is_prose(node)) {
        return;
    }
    if (node->kind == WPA_YAML_SCALAR) {
        check_scalar(run, node);
    }
    for (size_t i = 0; node->kind == WPA_YAML_MAPPING && i < node->n_pairs; i++) {
        walk(run, node->pairs[i].value, depth + 1);
    }
    for (size_t i = 0; node->kind == WPA_YAML_SEQUENCE && i < node->n_items; i++) {
        walk(run, node->items[i], depth + 1);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_yaml_node *root = run->source->yaml->root;
    if (run->source->kind == WPA_INPUT_WORKFLOW) {
        walk(run, root, 0);
    } else { /* of an action file only these are evaluated */
        walk(run, wpa_yaml_get(root, "runs"), 0);
        walk(run, wpa_yaml_get(root, "outputs"), 0);
    }
    return true;
}

/** The quote that a string of an expression wants, as this scalar has to write it. */
static const char *quote_in(const wpa_yaml_node *node)
{
    return node->style == WPA_YAML_SINGLE_QUOTED ? "''" : "'";
}

/** "x" becomes 'x', if there is a second quote and nothing in between that would need care. */
static void fix_quotes(wpa_rule_run *run, wpa_finding *finding, const wpa_expr_place *place)
{
    const char *text = place->node->text + place->inner.start;
    size_t length = wpa_span_length(place->inner), start = place->parsed.fault_span.start;
    const char *end = start < length ? memchr(text + start + 1, '"', length - start - 1) : NULL;
    if (!end || memchr(text + start, '\'', (size_t)(end - text) - start)) {
        return;
    }
    size_t at = (size_t)(end - text);
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "quote it with '");
    wpa_rule_edit(run, fix, wpa_expr_source_span(place, (wpa_span){start, start + 1}), "%s",
                  quote_in(place->node));
    wpa_rule_edit(run, fix, wpa_expr_source_span(place, (wpa_span){at, at + 1}), "%s",
                  quote_in(place->node));
}

static void fix_operator(wpa_rule_run *run, wpa_finding *finding, const wpa_expr_place *place)
{
    char right = place->node->text[place->inner.start + place->parsed.fault_span.start];
    size_t start = place->parsed.fault_span.start;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "write %c%c", right, right);
    if (strchr("=&|", right)) {
        wpa_rule_edit(run, fix, wpa_expr_source_span(place, (wpa_span){start, start + 1}), "%c%c",
                      right, right);
    }
}

/** A fence left open in a scalar of one line: closed at its end. */
static void fix_fence(wpa_rule_run *run, wpa_finding *finding, const wpa_expr_place *place)
{
    const wpa_yaml_node *node = place->node;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "close it with }}");
    if (node->style == WPA_YAML_PLAIN && !strchr(node->text, '\n')) {
        wpa_rule_edit(run, fix, (wpa_span){node->span.end, node->span.end}, "%s", " }}");
    }
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_expr_place *place = finding->subject;
    bool is_quote = place->parsed.fault == WPA_EXPR_BAD_CHARACTER &&
                    place->node->text[place->inner.start + place->parsed.fault_span.start] == '"';
    if (is_quote) {
        fix_quotes(run, finding, place);
    } else if (place->parsed.fault == WPA_EXPR_LONE_OPERATOR) {
        fix_operator(run, finding, place);
    } else if (place->parsed.fault == WPA_EXPR_NOT_CLOSED) {
        fix_fence(run, finding, place);
    }
}

const wpa_rule wpa_rule_expression_syntax = {
    .code = "CMP-003",
    .id = "expression-syntax",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "An expression that GitHub's parser refuses",
    .why = "GitHub refuses the whole file, or the step fails before it starts.",
    .fix = "Correct the place that is named; strings take single quotes, comparisons ==.",
    .checks = (const char *const[]){"E1", "E2", "E3", "E4", "E5", "E6", "E7", "E8", "E9", "E10",
                                    "E11", "E12", NULL},
    .elsewhere = (const char *const[]){"actionlint/expression", NULL},
    .declares = WPA_DECLARES_JOBS | WPA_DECLARES_SCRIPT,
    .reads_dead_code = true,
    .check = check,
    .repair = repair,
};
