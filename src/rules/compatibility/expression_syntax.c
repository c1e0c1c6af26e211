/* CMP-003: expressions that GitHub's parser refuses. */
#include <string.h>

#include <wpa/text.h>

#include "rules/expressions.h"
#include "rules/rule.h"

/** An empty "if" is no expression at all: schema tells of it. */
static bool is_empty_condition(const wpa_expression *e)
{
    const wpa_yaml_node *node = e->place->node;
    return e->place->is_bare && strspn(node->text, " \t\r\n") == node->length;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_expressions *all = run->source->expressions;
    for (size_t i = 0; i < all->n; i++) {
        const wpa_expr_place *place = all->items[i].place;
        const char *number = wpa_expr_fault_check(place->parsed.fault);
        if (number && !is_empty_condition(&all->items[i])) { /* limits: for platform-limits */
            wpa_rule_report(run, wpa_expr_source_span(place, place->parsed.fault_span), number,
                            place, "%s", place->parsed.message);
        }
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
