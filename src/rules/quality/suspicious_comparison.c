/*
 * QUA-015: comparisons that GitHub decides in a way nobody meant. It compares by number as soon as
 * the types differ, and 'true' is no number; and some values never have the text that is asked for.
 */
#include <math.h>
#include <string.h>

#include "rules/expressions.h"
#include "rules/rule.h"

typedef struct subject {
    const wpa_expression *expression;
    const wpa_expr *literal; /* to be written otherwise; NULL: no repair */
    const char *text;        /* how */
} subject;

typedef struct search {
    wpa_rule_run *run;
    const wpa_expression *expression;
} search;

static bool is_literal(const wpa_expr *node)
{
    return node->kind <= WPA_EXPR_STRING;
}

/** A number, or text that is read as one. */
static bool is_number(const wpa_expr *literal)
{
    return literal->kind == WPA_EXPR_NUMBER ||
           (literal->kind == WPA_EXPR_STRING && *literal->text &&
            !isnan(wpa_expr_text_number(literal->text)));
}

static const char *source_of(const search *s, const wpa_expr *node)
{
    if (node->kind == WPA_EXPR_STRING) { /* quoted already */
        return wpa_rule_quote(s->run, node->text, strlen(node->text));
    }
    const wpa_expr_place *place = s->expression->place;
    return wpa_rule_quote(s->run, place->node->text + place->inner.start + node->span.start,
                          wpa_span_length(node->span));
}

static const void *subject_new(const search *s, const wpa_expr *literal, const char *text)
{
    subject *made = wpa_arena_alloc(s->run->arena, sizeof *made);
    *made = (subject){s->expression, literal, text};
    return made;
}

static wpa_span operator_span(const search *s, const wpa_expr *node)
{
    return wpa_expression_span(s->expression, node->name_span);
}

/** "flag == 'true'" of a boolean. */
static bool check_boolean(const search *s, const wpa_expr *node, const wpa_expr *value,
                          const wpa_expr *literal, const wpa_type *type)
{
    if (type->kind != WPA_TYPE_BOOL || literal->kind != WPA_EXPR_STRING) {
        return false;
    }
    double number = wpa_expr_text_number(literal->text);
    bool is_word = wpa_text_is_ci(literal->text, "true") || wpa_text_is_ci(literal->text, "false");
    if (!isnan(number) && *literal->text) {
        return false; /* '1' and '0' compare as hoped */
    }
    const char *right = wpa_text_is_ci(literal->text, "true") ? "true" : "false";
    wpa_rule_report(s->run, operator_span(s, node), NULL,
                    subject_new(s, is_word ? literal : NULL, right),
                    *literal->text ? "%s is a boolean and never equal to the text %s"
                                   : "%s is a boolean, and false is equal to the empty text %s",
                    source_of(s, value), source_of(s, literal))
        ->severity = *literal->text ? WPA_SEVERITY_MEDIUM : WPA_SEVERITY_LOW;
    return true;
}

/** "outputs.x == true" of text. */
static bool check_text(const search *s, const wpa_expr *node, const wpa_expr *value,
                       const wpa_expr *literal, const wpa_type *type)
{
    if (type->kind != WPA_TYPE_STRING || literal->kind != WPA_EXPR_BOOL) {
        return false;
    }
    wpa_rule_report(s->run, operator_span(s, node), NULL,
                    subject_new(s, literal, literal->number > 0 ? "'true'" : "'false'"),
                    "%s is text and never equal to the boolean %s%s", source_of(s, value),
                    source_of(s, literal), literal->number > 0 ? "" : ", unless it is empty");
    return true;
}

static bool check_number(const search *s, const wpa_expr *node, const wpa_expr *value,
                         const wpa_expr *literal, const wpa_type *type)
{
    bool is_odd = type->kind == WPA_TYPE_NUMBER && literal->kind == WPA_EXPR_STRING &&
                  isnan(wpa_expr_text_number(literal->text));
    if (is_odd) {
        wpa_rule_report(s->run, operator_span(s, node), NULL, subject_new(s, NULL, NULL),
                        "%s is a number and never equal to the text %s", source_of(s, value),
                        source_of(s, literal));
    }
    return is_odd;
}

static bool check_null(const search *s, const wpa_expr *node, const wpa_expr *value,
                       const wpa_expr *literal, const wpa_type *type)
{
    /* What is missing is null: only of these it is known that they never are. */
    bool is_always_there = value->kind == WPA_EXPR_MEMBER &&
                           value->args[0]->kind == WPA_EXPR_NAME &&
                           wpa_text_is_ci(value->args[0]->text, "github");
    bool is_odd =
        type->kind == WPA_TYPE_STRING && literal->kind == WPA_EXPR_NULL && is_always_there;
    if (is_odd) {
        wpa_rule_report(s->run, operator_span(s, node), NULL, subject_new(s, literal, "''"),
                        "%s is text and never null: '0' and an empty text count as equal to it",
                        source_of(s, value))
            ->severity = WPA_SEVERITY_LOW;
    }
    return is_odd;
}

/* ---- texts that a value never has ---- */

/** The name that a chain of members ends with; NULL if it has none. */
static const char *last_name(const wpa_expr *value)
{
    bool is_index = value->kind == WPA_EXPR_INDEX && value->args[1]->kind == WPA_EXPR_STRING;
    return value->kind == WPA_EXPR_MEMBER ? value->text : is_index ? value->args[1]->text : NULL;
}

/** What is known of the text of a value that is one member of a context. */
static const wpa_fact_form *form_of(const search *s, const wpa_expr *value)
{
    const char *name = last_name(value);
    if (!name || !wpa_facts_form_may_end(name)) {
        return NULL;
    }
    size_t n;
    const wpa_expr_reference *list = wpa_expression_references(s->run, s->expression, &n);
    for (size_t i = 0; i < n; i++) {
        if (list[i].node == value) {
            return list[i].is_computed ? NULL : wpa_facts_form_find(list[i].path);
        }
    }
    return NULL;
}

static bool has_any(wpa_fact_list list, const char *text, bool is_whole)
{
    bool has = !list[0];
    for (size_t i = 0; list[i] && !has; i++) {
        has = is_whole ? wpa_text_is_ci(text, list[i])
                       : strncasecmp(text, list[i], strlen(list[i])) == 0;
    }
    return has;
}

static bool can_be(const wpa_fact_form *form, const char *text)
{
    bool is_lacking = form->lacks && strncasecmp(text, form->lacks, strlen(form->lacks)) == 0;
    return !is_lacking && (!form->holds || strstr(text, form->holds)) &&
           has_any(form->values, text, true) && has_any(form->begins, text, false);
}

/** Can a text of that form begin with this? */
static bool can_begin(const wpa_fact_form *form, const char *text)
{
    bool can = !form->begins[0] || has_any(form->begins, text, false);
    size_t length = strlen(text);
    for (size_t i = 0; form->begins[i] && !can; i++) {
        can = strncasecmp(form->begins[i], text, length) == 0;
    }
    return can && !(form->lacks && strncasecmp(text, form->lacks, strlen(form->lacks)) == 0);
}

static const char *form_words(const search *s, const wpa_fact_form *form)
{
    if (form->lacks) {
        return wpa_arena_printf(s->run->arena, "it has no %s in front", form->lacks);
    }
    if (form->holds) {
        return wpa_arena_printf(s->run->arena, "it always has a %s", form->holds);
    }
    wpa_fact_list list = form->values[0] ? form->values : form->begins;
    const char *words = form->values[0] ? "it is " : "it begins with ";
    for (size_t i = 0; list[i]; i++) {
        const char *between = i == 0 ? "" : list[i + 1] ? ", " : " or ";
        words = wpa_arena_printf(s->run->arena, "%s%s%s", words, between, list[i]);
    }
    return words;
}

/** What was meant, most likely: a branch by its name where the whole ref is, or the other way. */
static const char *right_text(const search *s, const wpa_fact_form *form, const char *text)
{
    const char *head =
        form->lacks ? wpa_text_starts(text, "refs/heads/") ? text + strlen("refs/heads/") : NULL
                    : NULL;
    bool is_plain = !strpbrk(text, "'\\\"{}/") && *text;
    return head && !strpbrk(head, "'\\\"{}") ? wpa_arena_printf(s->run->arena, "'%s'", head)
           : form->begins[0] && is_plain ? wpa_arena_printf(s->run->arena, "'refs/heads/%s'", text)
                                         : NULL;
}

/** "github.ref == 'main'". */
static void check_form(const search *s, const wpa_expr *node, const wpa_expr *value,
                       const wpa_expr *literal, const wpa_fact_form *form)
{
    if (can_be(form, literal->text)) {
        return;
    }
    const char *right = right_text(s, form, literal->text);
    wpa_rule_report(s->run, operator_span(s, node), NULL,
                    subject_new(s, right ? literal : NULL, right), "%s is never %s: %s",
                    source_of(s, value), source_of(s, literal), form_words(s, form))
        ->confidence = WPA_CONFIDENCE_HIGH;
}

/** "startsWith(github.ref, 'v')". */
static void check_start(const search *s, const wpa_expr *node)
{
    bool is_it = wpa_text_is_ci(node->text, "startsWith") && node->n_args == 2 &&
                 node->args[1]->kind == WPA_EXPR_STRING;
    const char *text = is_it ? node->args[1]->text : "";
    const wpa_fact_form *form = *text ? form_of(s, node->args[0]) : NULL;
    if (form && !can_begin(form, text)) {
        wpa_rule_report(s->run, wpa_expression_span(s->expression, node->args[1]->span), NULL,
                        subject_new(s, NULL, NULL), "%s never begins with %s: %s",
                        source_of(s, node->args[0]), source_of(s, node->args[1]),
                        form_words(s, form))
            ->confidence = WPA_CONFIDENCE_HIGH;
    }
}

static void check_literals(const search *s, const wpa_expr *node)
{
    const wpa_expr *a = node->args[0], *b = node->args[1];
    if (a->kind != b->kind) {
        wpa_rule_report(s->run, operator_span(s, node), NULL, subject_new(s, NULL, NULL),
                        "two constants of different types are compared: %s and %s", source_of(s, a),
                        source_of(s, b));
    }
}

/** A member of a context whose members are texts, or hold nothing but such. */
static bool is_of_texts(const wpa_expr *value)
{
    static const char *const contexts[] = {"steps", "needs", "env", "vars", "secrets"};
    while (value->kind == WPA_EXPR_MEMBER) {
        value = value->args[0];
    }
    bool is_one = false;
    for (size_t i = 0; value->kind == WPA_EXPR_NAME && i < WPA_COUNT(contexts) && !is_one; i++) {
        is_one = wpa_text_is_ci(value->text, contexts[i]);
    }
    return is_one;
}

static void check_comparison(const search *s, const wpa_expr *node)
{
    const wpa_expr *a = node->args[0], *b = node->args[1];
    if (is_literal(a) && is_literal(b)) {
        check_literals(s, node);
        return;
    }
    if (!is_literal(a) && !is_literal(b)) {
        return;
    }
    const wpa_expr *value = is_literal(a) ? b : a, *literal = is_literal(a) ? a : b;
    bool is_text = literal->kind == WPA_EXPR_STRING && *literal->text;
    const wpa_fact_form *form = is_text ? form_of(s, value) : NULL;
    if (form) { /* the value is text too */
        check_form(s, node, value, literal, form);
        return;
    }
    if (is_number(literal) || (is_text && is_of_texts(value))) {
        return; /* with which it is compared as hoped */
    }
    const wpa_type *type = wpa_expression_type(s->run, s->expression, value);
    (void)(check_boolean(s, node, value, literal, type) ||
           check_text(s, node, value, literal, type) ||
           check_number(s, node, value, literal, type) ||
           check_null(s, node, value, literal, type));
}

/** The text that a comparison with == or != compares with what is not a literal; NULL if none. */
static const char *compared_text(const wpa_expr *node, const wpa_expr **value)
{
    bool is_equality = node->kind == WPA_EXPR_EQ || node->kind == WPA_EXPR_NE;
    if (!is_equality) {
        return NULL;
    }
    const wpa_expr *a = node->args[0], *b = node->args[1];
    *value = a->kind == WPA_EXPR_STRING ? b : a;
    const wpa_expr *literal = a->kind == WPA_EXPR_STRING ? a : b;
    return literal->kind == WPA_EXPR_STRING ? literal->text : NULL;
}

static bool is_same_source(const search *s, const wpa_expr *a, const wpa_expr *b)
{
    const char *text = s->expression->place->node->text + s->expression->place->inner.start;
    size_t length = wpa_span_length(a->span);
    return length == wpa_span_length(b->span) &&
           strncasecmp(text + a->span.start, text + b->span.start, length) == 0;
}

/** "x == 'A' || x == 'a'": the case of letters makes no difference. */
static void check_case(const search *s, const wpa_expr *node)
{
    const wpa_expr *left = node->args[0], *right = node->args[1], *a, *b;
    if (left->kind == node->kind) {
        left = left->args[1];
    }
    const char *x = compared_text(left, &a), *y = x ? compared_text(right, &b) : NULL;
    bool is_hope = y && left->kind == right->kind && wpa_text_is_ci(x, y) && !wpa_text_is(x, y) &&
                   is_same_source(s, a, b);
    if (is_hope) {
        wpa_rule_report(s->run, operator_span(s, right), NULL, subject_new(s, NULL, NULL),
                        "comparing pays no regard to case, so %s says what %s has said",
                        source_of(s, right), source_of(s, left))
            ->severity = WPA_SEVERITY_LOW;
    }
}

static void look(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    const search *s = context;
    (void)parent;
    if (node->kind == WPA_EXPR_EQ || node->kind == WPA_EXPR_NE) {
        check_comparison(s, node);
    } else if (node->kind == WPA_EXPR_AND || node->kind == WPA_EXPR_OR) {
        check_case(s, node);
    } else if (node->kind == WPA_EXPR_CALL) {
        check_start(s, node);
    }
}

static const uint32_t looked_at = 1U << WPA_EXPR_EQ | 1U << WPA_EXPR_NE | 1U << WPA_EXPR_AND |
                                  1U << WPA_EXPR_OR | 1U << WPA_EXPR_CALL;

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_expressions *all = wpa_expressions_check(run);
    for (size_t i = 0; i < all->n; i++) {
        search s = {run, &all->items[i]};
        const wpa_expr_parsed *parsed = &s.expression->place->parsed;
        bool is_looked_at = s.expression->is_evaluated && wpa_expr_may_have(parsed, looked_at);
        if (!is_looked_at || (s.expression->is_again && !parsed->memo->is_suspicious)) {
            continue;
        }
        size_t n_before = wpa_rule_n_reported(run);
        wpa_expr_walk(parsed->root, look, &s);
        parsed->memo->is_suspicious |= wpa_rule_n_reported(run) > n_before;
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (!s->literal) {
        return;
    }
    bool is_doubled = s->expression->place->node->style == WPA_YAML_SINGLE_QUOTED;
    const char *text = s->text;
    if (*text == '\'' && is_doubled) {
        text = wpa_arena_printf(run->arena, "'%s'", text);
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "compare with %s", s->text);
    wpa_rule_edit(run, fix, wpa_expression_span(s->expression, s->literal->span), "%s", text);
}

const wpa_rule wpa_rule_suspicious_comparison = {
    .code = "QUA-015",
    .id = "suspicious-comparison",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A comparison of values whose types differ, or with a text that is never there",
    .why = "GitHub compares by number when types differ, and 'true' is none; a ref begins with "
           "refs/, a runner's system is one of three: the test is always false, or true for a "
           "value that nobody thought of.",
    .fix = "Compare a boolean with true, text with text, a whole ref with github.ref and the name "
           "of a branch with github.ref_name.",
    .declares = WPA_DECLARES_JOBS | WPA_DECLARES_SCRIPT | WPA_DECLARES_ENV,
    .check = check,
    .repair = repair,
};
