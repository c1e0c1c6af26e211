/* CMP-014: inputs that people or calling workflows give, declared so that GitHub refuses them. */
#include <string.h>

#include <wpa/map.h>

#include "rules/expressions.h"
#include "rules/upgrade.h"

#define INPUTS_MAX 25

/* Where a declaration stands. */
typedef struct input {
    wpa_rule_run *run;
    const char *event;
    const wpa_yaml_node *key;
    const wpa_yaml_node *node; /* mapping */
    const char *name;          /* quoted */
    const char *type;
    bool is_call;
} input;

/* A value that a repair writes anew, without or with quotes. */
typedef struct subject {
    const wpa_yaml_node *node;
    const char *text;
} subject;

static const char *const dispatch_types[] = {"string", "boolean",     "number",
                                             "choice", "environment", NULL};
static const char *const call_types[] = {"string", "boolean", "number", NULL};

static const void *subject_new(wpa_rule_run *run, const wpa_yaml_node *node, const char *text)
{
    subject *s = text ? wpa_arena_alloc(run->arena, sizeof *s) : NULL;
    if (s) {
        *s = (subject){node, text};
    }
    return s;
}

static const char *quote(const input *in, const wpa_yaml_node *node)
{
    return wpa_rule_quote(in->run, node->text, node->length);
}

/* D1 */
static void check_type(input *in)
{
    const wpa_yaml_node *node = wpa_yaml_get(in->node, "type");
    const char *const *types = in->is_call ? call_types : dispatch_types;
    if (!wpa_yaml_find(in->node, "type")) {
        in->type = in->is_call ? NULL : "string";
        bool is_told = wpa_yaml_is_null(in->node); /* by the rule schema */
        if (in->is_call && !in->node->is_incomplete && !is_told) {
            wpa_rule_report(in->run, in->key->span, "D1", NULL,
                            "input %s of workflow_call has no type: GitHub refuses the file",
                            in->name);
        }
        return;
    }
    in->type = wpa_yaml_text(node);
    if (!in->type || wpa_fact_list_has(types, wpa_slice_of(in->type))) {
        return; /* what is no text is said by the rule schema */
    }
    const char *meant = wpa_rule_find_meant(in->type, types);
    wpa_finding *finding =
        wpa_rule_report(in->run, wpa_span_length(node->span) ? node->span : in->key->span, "D1",
                        subject_new(in->run, node, meant),
                        "%s is no type of a %s input: it takes %s", quote(in, node), in->event,
                        in->is_call ? "string, boolean or number"
                                    : "string, boolean, number, choice or environment");
    finding->severity = WPA_SEVERITY_HIGH;
    in->type = NULL;
}

/* D2; true if there is a list of texts to compare a default with. */
static bool check_options(const input *in)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(in->node, "options");
    const wpa_yaml_node *options = pair ? wpa_yaml_resolve(pair->value) : NULL;
    bool is_choice = wpa_text_is(in->type, "choice");
    if (in->is_call) {
        return false; /* a call knows neither choices nor this key: the rule schema says so */
    }
    if (pair && in->type && !is_choice) {
        wpa_finding *finding = wpa_rule_report(
            in->run, pair->key->span, "D2", NULL,
            "options are read for inputs of type choice alone, and %s is of type %s", in->name,
            in->type);
        wpa_rule_relate(in->run, finding, in->key->span, "the input");
        return false;
    }
    bool is_list = wpa_yaml_is(options, WPA_YAML_SEQUENCE);
    if (is_choice && (!pair || (is_list && options->n_items == 0)) && !in->node->is_incomplete) {
        wpa_finding *finding = wpa_rule_report(
            in->run, pair ? pair->key->span : in->key->span, "D2", NULL,
            "input %s is a choice without options: GitHub refuses the file", in->name);
        finding->severity = WPA_SEVERITY_HIGH;
    }
    wpa_map *seen = wpa_map_new(in->run->arena);
    for (size_t i = 0; is_list && i < options->n_items; i++) {
        const char *text = wpa_yaml_text(options->items[i]);
        const wpa_yaml_node *first = text ? wpa_map_get(seen, text) : NULL;
        if (first) {
            wpa_finding *finding =
                wpa_rule_report(in->run, options->items[i]->span, "D2", NULL,
                                "option %s of input %s stands there twice",
                                quote(in, wpa_yaml_resolve(options->items[i])), in->name);
            wpa_rule_relate(in->run, finding, first->span, "first here");
        } else if (text) {
            wpa_map_put(seen, text, options->items[i]);
        }
    }
    return is_choice && is_list && options->n_items > 0;
}

static bool is_option(const wpa_yaml_node *options, const char *text)
{
    for (size_t i = 0; i < options->n_items; i++) {
        const char *option = wpa_yaml_text(options->items[i]);
        if (wpa_text_is(option, text) || wpa_outline_has_expression(option)) {
            return true;
        }
    }
    return false;
}

/* A quoted true or false written as a bare one, and a bare number of a string input in quotes. */
static const char *repaired(const input *in, const wpa_yaml_node *value)
{
    bool is_bool_word = wpa_text_is_ci(value->text, "true") || wpa_text_is_ci(value->text, "false");
    if (wpa_text_is(in->type, "boolean") && is_bool_word) {
        return wpa_text_is_ci(value->text, "true") ? "true" : "false";
    }
    return NULL;
}

/* D3 */
static void check_default(const input *in, bool has_options)
{
    const wpa_yaml_node *value = wpa_yaml_get(in->node, "default");
    if (!wpa_yaml_is(value, WPA_YAML_SCALAR) || value->is_incomplete || !in->type ||
        wpa_outline_has_expression(value->text)) {
        return;
    }
    wpa_yaml_type type = wpa_yaml_scalar_type(value);
    bool is_unset = wpa_yaml_is_null(value) && !in->is_call; /* a call takes it for empty text */
    wpa_span span = wpa_span_length(value->span) ? value->span : in->key->span;
    if (has_options && !is_option(wpa_yaml_get(in->node, "options"), value->text)) {
        wpa_rule_report(in->run, span, "D3", NULL, "default %s is none of the options of input %s",
                        quote(in, value), in->name);
    } else if (wpa_text_is(in->type, "boolean") && type != WPA_YAML_BOOL && !is_unset) {
        wpa_rule_report(in->run, span, "D3", subject_new(in->run, value, repaired(in, value)),
                        "default %s of boolean input %s is %s, not true or false", quote(in, value),
                        in->name, value->length ? wpa_yaml_describe(value) : "an empty text");
    } else if (wpa_text_is(in->type, "number") && !is_unset && type != WPA_YAML_INT &&
               type != WPA_YAML_FLOAT) {
        double number;
        bool is_quoted_number = value->length && wpa_text_to_double(value->text, &number);
        bool is_blank = !value->length && !in->is_call; /* an empty field of the form */
        wpa_finding *finding = wpa_rule_report(
            in->run, span, "D3", subject_new(in->run, value, is_quoted_number ? value->text : NULL),
            "default %s of number input %s is %s, not a number", quote(in, value), in->name,
            value->length ? wpa_yaml_describe(value) : "an empty text");
        finding->severity = is_quoted_number || is_blank ? WPA_SEVERITY_LOW : finding->severity;
    }
}

/* D5: the caller has to give it, so the default is never read. */
static void check_required(const input *in)
{
    const wpa_yaml_pair *value = wpa_yaml_find(in->node, "default");
    const char *required = wpa_yaml_text(wpa_yaml_get(in->node, "required"));
    if (in->is_call && value && wpa_text_is(required, "true")) {
        wpa_finding *finding = wpa_rule_report(
            in->run, wpa_span_length(value->value->span) ? value->value->span : value->key->span,
            "D5", NULL, "input %s is required, so its default is never used", in->name);
        finding->severity = WPA_SEVERITY_LOW;
    }
}

static void check_inputs(wpa_rule_run *run, const wpa_outline_trigger *t, bool is_call)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(t->config, "inputs");
    const wpa_yaml_node *inputs = pair ? wpa_yaml_resolve(pair->value) : NULL;
    if (!wpa_yaml_is(inputs, WPA_YAML_MAPPING)) {
        return;
    }
    if (!is_call && inputs->n_pairs > INPUTS_MAX) {
        wpa_finding *finding = wpa_rule_report(
            run, t->node->span, "D4", NULL,
            "workflow_dispatch takes at most %d inputs, and here are %u: GitHub refuses the file",
            INPUTS_MAX, inputs->n_pairs);
        finding->severity = WPA_SEVERITY_HIGH;
        wpa_rule_relate(run, finding, inputs->pairs[INPUTS_MAX].key->span, "the first too many");
    }
    for (size_t i = 0; i < inputs->n_pairs; i++) {
        const wpa_yaml_node *key = inputs->pairs[i].key;
        const wpa_yaml_node *node = wpa_yaml_resolve(inputs->pairs[i].value);
        input in = {.run = run, .event = t->name, .key = key, .node = node, .is_call = is_call};
        bool is_read = wpa_yaml_is(node, WPA_YAML_MAPPING) ||
                       (is_call && node && wpa_yaml_is_null(node)); /* no alias of nothing */
        if (!is_read || !wpa_yaml_text(key) || wpa_text_is(key->text, "<<")) {
            continue;
        }
        in.name = wpa_rule_quote(run, key->text, key->length);
        check_type(&in);
        check_default(&in, check_options(&in));
        check_required(&in);
    }
}

/* D6 */
static void check_outputs(wpa_rule_run *run, const wpa_outline_trigger *t)
{
    const wpa_yaml_node *outputs = wpa_yaml_get(t->config, "outputs");
    for (size_t i = 0; wpa_yaml_is(outputs, WPA_YAML_MAPPING) && i < outputs->n_pairs; i++) {
        const wpa_yaml_node *key = outputs->pairs[i].key;
        const wpa_yaml_node *node = wpa_yaml_resolve(outputs->pairs[i].value);
        bool is_read = wpa_yaml_is(node, WPA_YAML_MAPPING) && !node->is_incomplete;
        if (is_read && wpa_yaml_text(key) && !wpa_yaml_find(node, "value")) {
            wpa_finding *finding =
                wpa_rule_report(run, key->span, "D6", NULL,
                                "output %s of workflow_call has no value: GitHub refuses the file",
                                wpa_rule_quote(run, key->text, key->length));
            finding->severity = WPA_SEVERITY_HIGH;
        }
    }
}

/* ---- D7: read by another spelling, which only GitHub's own expressions forgive ---- */

typedef struct search {
    wpa_rule_run *run;
    const wpa_expression *expression;
    const wpa_yaml_node *inputs[2]; /* of workflow_dispatch and workflow_call; or NULL */
} search;

static void look(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    const search *s = context;
    (void)parent;
    if (node->kind != WPA_EXPR_MEMBER || node->args[0]->kind != WPA_EXPR_NAME ||
        !wpa_text_is_ci(node->args[0]->text, "inputs")) {
        return;
    }
    const wpa_yaml_pair *other = NULL;
    for (size_t i = 0; i < WPA_COUNT(s->inputs); i++) {
        if (wpa_yaml_find(s->inputs[i], node->text)) {
            return;
        }
        const wpa_yaml_pair *near = wpa_yaml_find_ci(s->inputs[i], node->text);
        other = near ? near : other;
    }
    if (other) {
        wpa_finding *finding = wpa_rule_report(
            s->run, wpa_expression_span(s->expression, node->name_span), "D7", NULL,
            "input %s is declared as %s: GitHub forgives it, programs that read the event do not",
            wpa_rule_quote(s->run, node->text, strlen(node->text)),
            wpa_rule_quote(s->run, other->key->text, other->key->length));
        finding->severity = WPA_SEVERITY_LOW;
        finding->persona = WPA_PERSONA_PEDANTIC;
        wpa_rule_relate(s->run, finding, other->key->span, "declared here");
    }
}

static void check_spelling(wpa_rule_run *run, const wpa_outline *o)
{
    const wpa_outline_trigger *dispatch = wpa_outline_trigger_find(o, "workflow_dispatch");
    const wpa_outline_trigger *call = wpa_outline_trigger_find(o, "workflow_call");
    const wpa_expressions *all = run->source->expressions;
    search s = {.run = run};
    s.inputs[0] = dispatch ? wpa_yaml_get(dispatch->config, "inputs") : NULL;
    s.inputs[1] = call ? wpa_yaml_get(call->config, "inputs") : NULL;
    for (size_t i = 0; (s.inputs[0] || s.inputs[1]) && i < all->n; i++) {
        s.expression = &all->items[i];
        const wpa_expr_parsed *parsed = &s.expression->place->parsed;
        if (s.expression->is_evaluated && wpa_expr_may_refer(parsed, "inputs")) {
            wpa_expr_walk(parsed->root, look, &s);
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_triggers; i++) {
        bool is_call = wpa_text_is(o->triggers[i].name, "workflow_call");
        if (is_call || wpa_text_is(o->triggers[i].name, "workflow_dispatch")) {
            check_inputs(run, &o->triggers[i], is_call);
        }
        if (is_call) {
            check_outputs(run, &o->triggers[i]);
        }
    }
    check_spelling(run, o);
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (s) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "write it as %s", s->text);
        wpa_rule_edit(run, fix, s->node->span, "%s", s->text);
    }
}

const wpa_rule wpa_rule_dispatch_inputs = {
    .code = "CMP-014",
    .id = "dispatch-inputs",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "An input or output of a workflow is declared in a way that cannot work",
    .why = "GitHub refuses the file, or takes another value than the one that is written.",
    .fix = "Give a type that exists, a default of that type, and options where there is a choice.",
    .checks = (const char *const[]){"D1", "D2", "D3", "D4", "D5", "D6", "D7", NULL},
    .elsewhere = (const char *const[]){"actionlint/events", "actionlint/S21", "actionlint/S22",
                                       "actionlint/S23", NULL},
    .declares = WPA_DECLARES_TRIGGERS,
    .reads_dead_code = true,
    .words = (const char *const[]){"workflow_dispatch", "workflow_call", NULL},
    .check = check,
    .repair = repair,
};
