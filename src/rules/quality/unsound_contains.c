/*
 * QUA-014: contains() over a text that is meant as a list finds any part of it; contains() over
 * labels, which are objects, finds nothing.
 */
#include <ctype.h>
#include <string.h>

#include <wpa/buf.h>

#include "rules/expressions.h"
#include "rules/rule.h"

#define LIST_MAX_BYTES 4096

typedef struct subject {
    const wpa_expression *expression;
    const wpa_expr *call;
    bool is_objects;
} subject;

typedef struct search {
    wpa_rule_run *run;
    const wpa_expression *expression;
} search;

/** The reference that an argument is, or is made of; NULL if it is a constant. */
static const char *path_of(wpa_rule_run *run, const wpa_expr *node)
{
    size_t n;
    const wpa_expr_reference *list = wpa_expr_references(node, run->arena, &n);
    return n ? list[0].path : NULL;
}

static bool is_attacker_chosen(const char *path)
{
    /* Whoever starts the run picks these. */
    static const char *const chosen[] = {"github.actor",    "github.triggering_actor",
                                         "github.base_ref", "github.head_ref",
                                         "github.ref",      "github.ref_name"};
    const wpa_fact_untrusted *fact = wpa_facts_untrusted_find(wpa_slice_of(path));
    return wpa_text_index(path, chosen, WPA_COUNT(chosen)) >= 0 ||
           wpa_text_starts(path, "inputs.") || wpa_text_starts(path, "env.") ||
           (fact && fact->taint != WPA_TAINT_FIXED);
}

static const void *subject_new(const search *s, const wpa_expr *call, bool is_objects)
{
    subject *made = wpa_arena_alloc(s->run->arena, sizeof *made);
    *made = (subject){s->expression, call, is_objects};
    return made;
}

static void check_text(const search *s, const wpa_expr *call)
{
    const wpa_expr *text = call->args[0];
    const char *path = path_of(s->run, call->args[1]);
    if (!path) {
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        s->run, wpa_expression_span(s->expression, call->span), NULL, subject_new(s, call, false),
        "contains finds any part of the text %s, also an empty '%s': this is no test for one of "
        "its words",
        wpa_rule_quote(s->run, text->text, strlen(text->text)), path);
    if (s->expression->use != WPA_EXPRESSION_CONDITION && !is_attacker_chosen(path)) {
        finding->severity = WPA_SEVERITY_LOW;
    }
}

static void check_objects(const search *s, const wpa_expr *call)
{
    const char *path = path_of(s->run, call->args[0]);
    bool is_plain =
        call->args[0]->kind == WPA_EXPR_MEMBER && path && wpa_text_starts(path, "github.event.");
    if (!is_plain || !wpa_text_ends(path, ".labels") || strchr(path, '*')) {
        return;
    }
    wpa_rule_report(s->run, wpa_expression_span(s->expression, call->args[0]->span), NULL,
                    subject_new(s, call, true),
                    "labels are objects, so this never contains a name: '.*.name' gives their "
                    "names")
        ->severity = WPA_SEVERITY_MEDIUM;
}

static void look(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    const search *s = context;
    (void)parent;
    if (node->kind != WPA_EXPR_CALL || node->n_args != 2 ||
        !wpa_text_is_ci(node->text, "contains")) {
        return;
    }
    if (node->args[0]->kind == WPA_EXPR_STRING) {
        check_text(s, node);
    } else {
        check_objects(s, node);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_expressions *all = wpa_expressions_check(run);
    for (size_t i = 0; i < all->n; i++) {
        search s = {run, &all->items[i]};
        if (s.expression->is_evaluated &&
            wpa_expr_may_have(&s.expression->place->parsed, 1U << WPA_EXPR_CALL)) {
            wpa_expr_walk(s.expression->place->parsed.root, look, &s);
        }
    }
    return true;
}

/** Words of a text with blanks or commas between them as JSON; NULL if it is no such list. */
static const char *as_json(wpa_rule_run *run, const char *text)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(LIST_MAX_BYTES);
    size_t n = 0;
    for (const char *at = text; *at;) {
        at += strspn(at, " ,\t\n");
        size_t length = strcspn(at, " ,\t\n");
        if (length) {
            wpa_buf_printf(buf, "%s\"%.*s\"", n++ ? "," : "", (int)length, at);
        }
        at += length;
    }
    bool is_plain = !strpbrk(text, "\"\\'") && n > 1 && !wpa_buf_is_full(buf);
    return is_plain ? wpa_arena_printf(run->arena, "[%s]", wpa_buf_data(buf)) : NULL;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    const wpa_expr *first = s->call->args[0];
    wpa_span span = wpa_expression_span(s->expression, first->span);
    if (s->is_objects) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "look at the names");
        wpa_rule_edit(run, fix, (wpa_span){span.end, span.end}, "%s", ".*.name");
        return;
    }
    const wpa_type *type = wpa_expr_json_type(first->text, run->arena, NULL);
    if (type && type->kind == WPA_TYPE_ARRAY) { /* a list already, but for the reading */
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "read the list with fromJSON");
        wpa_rule_edit(run, fix, (wpa_span){span.start, span.start}, "%s", "fromJSON(");
        wpa_rule_edit(run, fix, (wpa_span){span.end, span.end}, "%s", ")");
        return;
    }
    wpa_yaml_style style = s->expression->place->node->style;
    const char *json = as_json(run, first->text);
    if (json && style != WPA_YAML_DOUBLE_QUOTED) {
        const char *quote = style == WPA_YAML_SINGLE_QUOTED ? "''" : "'";
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "look for it in a list");
        wpa_rule_edit(run, fix, span, "fromJSON(%s%s%s)", quote, json, quote);
    }
}

const wpa_rule wpa_rule_unsound_contains = {
    .code = "QUA-014",
    .id = "unsound-contains",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "contains() looks for a part of a text where a list is meant",
    .why = "'main' lies in 'refs/heads/maintenance', and an empty value in everything: the test "
           "lets through what nobody listed.",
    .fix = "Give it a list: contains(fromJSON('[\"a\",\"b\"]'), value).",
    .elsewhere = (const char *const[]){"zizmor/unsound-contains", NULL},
    .tables = 1U << WPA_FACTS_UNTRUSTED,
    .declares = WPA_DECLARES_JOBS | WPA_DECLARES_SCRIPT | WPA_DECLARES_ENV,
    .words = (const char *const[]){"contains", NULL},
    .check = check,
    .repair = repair,
};
