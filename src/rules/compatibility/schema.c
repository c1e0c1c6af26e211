/*
 * Keys, shapes and requirements, checked against the schema that GitHub itself publishes. Values
 * of fixed sets (events, permissions, shells) and of other forms are the business of other rules.
 */
#include <string.h>

#include "rules/empties.h"
#include "rules/forms.h"
#include "rules/outline.h"
#include "rules/shape.h"

/* ---- numbers of the checks --------------------------------------------------------------------*/

/** Number of the check for a key that is missing, by the form that lacks it. */
static const char *check_of_missing(const char *form)
{
    static const struct {
        const char *part, *check; /* no check: another rule says it */
    } checks[] = {
        {"input-definition", NULL},
        {"output-definition", NULL},
        {"workflow-root", "S13"},
        {"cron", "S15"},
        {"defaults", "S16"},
        {"concurrency", "S17"},
        {"environment", "S17"},
        {"credentials", "S18"},
        {"container", "S19"},
        {"services", "S19"},
        {"snapshot", "S20"},
        {"step", "S21"},
        {"job", "S22"},
    };
    for (size_t i = 0; i < WPA_COUNT(checks); i++) {
        if (strstr(form, checks[i].part)) {
            return checks[i].check;
        }
    }
    return "S22";
}

/** Mappings that must hold something, although no key of theirs is required. */
static bool may_be_empty(const char *form)
{
    return !wpa_text_is(form, "jobs") && !wpa_text_is(form, "matrix") &&
           !wpa_text_is(form, "on-mapping-strict");
}

/** Lists whose emptiness is refused; others are left to the rules that read them. */
static bool must_have_items(const char *form)
{
    static const char *const forms[] = {"steps", "parallel-steps", "schedule",
                                        "on-sequence-strict"};
    return wpa_text_index(form, forms, WPA_COUNT(forms)) >= 0;
}

static bool takes_nothing(const char *form)
{
    const wpa_schema_def *def = wpa_schema_workflow_find(form);
    return def && def->takes == 1U << WPA_SCHEMA_NULL;
}

static const char *check_of(wpa_shape_wrong fault, const char *form)
{
    bool is_event = wpa_text_ends(form, "-strict") && wpa_text_starts(form, "on-");
    switch (fault) {
    case WPA_SHAPE_DUPLICATE:
        return "S1";
    case WPA_SHAPE_UNKNOWN_KEY:
        return is_event ? NULL : "S2"; /* events says which one is meant */
    case WPA_SHAPE_MISSING_KEY:
        return check_of_missing(form);
    case WPA_SHAPE_NOT_MAPPING:
        return is_event || strstr(form, "-strict") ? "S14" : "S3";
    case WPA_SHAPE_EMPTY_MAPPING:
        return may_be_empty(form) ? NULL : "S4";
    case WPA_SHAPE_NOT_SEQUENCE:
        return wpa_text_is(form, "schedule") ? "S15" : "S5";
    case WPA_SHAPE_EMPTY_SEQUENCE:
        return must_have_items(form) ? (wpa_text_is(form, "schedule") ? "S15" : "S6") : NULL;
    case WPA_SHAPE_NOT_SCALAR:
        /* What stands behind an event that takes nothing does not harm it: so says events. */
        return takes_nothing(form) ? NULL : wpa_text_starts(form, "on-") ? "S14" : "S7";
    case WPA_SHAPE_EMPTY_TEXT:
        return "S8";
    case WPA_SHAPE_NOT_BOOL:
        return "S9";
    case WPA_SHAPE_NOT_COUNT:
        return "S10";
    case WPA_SHAPE_NOT_NUMBER:
        return "S11";
    case WPA_SHAPE_NOT_EXPRESSION:
        return "S12";
    case WPA_SHAPE_NOT_ALLOWED:
        return is_event || strstr(form, "activity")        ? NULL
               : wpa_text_starts(form, "workflow-job-sec") ? "S25"
                                                           : "S7";
    }
    return NULL;
}

/* ---- steps ------------------------------------------------------------------------------------*/

static const char *const deeds[] = {"run", "uses", "wait", "wait-all", "cancel", "parallel"};

static const wpa_shape_set set;

static bool is_step(const wpa_schema_def *def)
{
    static const char end[] = "-step";
    size_t length = sizeof end - 1;
    return def->name_length > length &&
           memcmp(def->name + def->name_length - length, end, length) == 0;
}

/** One of the first two deeds and none of the others, as nearly every step. */
static bool has_one_deed(const wpa_yaml_node *step)
{
    bool is_run = wpa_yaml_may_have(step, "run") && wpa_yaml_find(step, "run"),
         is_use = wpa_yaml_may_have(step, "uses") && wpa_yaml_find(step, "uses");
    bool may_be_other = wpa_yaml_may_have(step, "wait") || wpa_yaml_may_have(step, "wait-all") ||
                        wpa_yaml_may_have(step, "cancel") || wpa_yaml_may_have(step, "parallel");
    bool is_other =
        may_be_other && (wpa_yaml_find(step, "wait") || wpa_yaml_find(step, "wait-all") ||
                         wpa_yaml_find(step, "cancel") || wpa_yaml_find(step, "parallel"));
    return is_run != is_use && !is_other;
}

/** A misspelt "run" or "uses" is told as that, not as a step with nothing to do. */
static bool tell_misspelt_deed(wpa_rule_run *run, const wpa_schema_def *def,
                               const wpa_yaml_node *node)
{
    for (size_t i = 0; i < node->n_pairs; i++) {
        const wpa_yaml_node *key = node->pairs[i].key;
        const char *text = wpa_yaml_text(key);
        bool is_known = text && wpa_schema_property_find(def, wpa_slice_of(text));
        if (text && !is_known && wpa_text_nearest(text, deeds, WPA_COUNT(deeds))) {
            wpa_shape_report_unknown(run, &set, "S2", def, node, key);
            return true;
        }
    }
    return false;
}

/** A step without anything to do is told so once, instead of "lacks run". */
static bool tell_form(wpa_rule_run *run, const wpa_schema_def *def, const wpa_yaml_node *node)
{
    const wpa_yaml_pair *first = NULL;
    if (!is_step(def)) {
        /* One type as a text is accepted, though the schema has a list alone. */
        return wpa_text_is(def->name, "repository-dispatch-mapping") &&
               wpa_yaml_is(wpa_yaml_get(node, "types"), WPA_YAML_SCALAR);
    }
    if (has_one_deed(node)) {
        return false;
    }
    for (size_t i = 0; i < WPA_COUNT(deeds); i++) {
        const wpa_yaml_pair *pair = wpa_yaml_find(node, deeds[i]);
        if (pair && first) {
            wpa_finding *finding =
                wpa_rule_report(run, pair->key->span, "S21", NULL,
                                "a step has both '%s' and '%s': GitHub refuses the file",
                                first->key->text, deeds[i]);
            wpa_rule_relate(run, finding, first->key->span, "the other one");
            return true;
        }
        first = first ? first : pair;
    }
    if (first || node->is_incomplete || tell_misspelt_deed(run, def, node)) {
        return !first;
    }
    size_t start = wpa_yaml_full(node).start;
    wpa_rule_report(run, node->n_pairs ? node->pairs[0].key->span : (wpa_span){start, start}, "S21",
                    NULL,
                    "a step has nothing to do, neither 'run' nor 'uses': GitHub refuses the "
                    "file");
    return true;
}

/* ---- unknown keys -----------------------------------------------------------------------------*/

/** Keys of events that the rule events judges, wherever they stand. */
static bool is_filter(const char *key)
{
    static const char *const names[] = {"types", "branches",    "branches-ignore", "tags",
                                        "paths", "tags-ignore", "paths-ignore",    "workflows"};
    return wpa_text_index(key, names, WPA_COUNT(names)) >= 0;
}

/** Is the mapping the value of an event under "on"? */
static bool is_event_config(const wpa_yaml_node *mapping)
{
    const wpa_yaml_node *on = mapping->parent;
    return on && on->key && wpa_text_is(on->key->text, "on") && on->parent && !on->parent->parent;
}

/** Documented keys that the published schema does not have yet. */
static bool is_newer_key(const wpa_schema_def *def, const char *key)
{
    static const char *const forms[] = {"job-factory", "workflow-job", "workflow-root-strict"};
    return wpa_text_is(key, "cache-mode") &&
           wpa_text_index(def->name, forms, WPA_COUNT(forms)) >= 0;
}

static bool tell_unknown(wpa_rule_run *run, const wpa_schema_def *def, const wpa_yaml_node *mapping,
                         const wpa_yaml_node *key)
{
    const char *name = wpa_rule_quote(run, key->text, key->length);
    const wpa_schema_def *normal = wpa_schema_workflow_find("job-factory");
    if (wpa_text_is(def->name, "workflow-job") && normal &&
        wpa_schema_property_find(normal, wpa_slice_of(key->text))) {
        wpa_rule_report(run, key->span, "S23", NULL,
                        "%s may not stand in a job that calls a workflow: GitHub refuses the file",
                        name);
        return true;
    }
    bool is_call_key = wpa_text_is(def->name, "job-factory") &&
                       (wpa_text_is(key->text, "with") || wpa_text_is(key->text, "secrets"));
    if (is_call_key) {
        wpa_rule_report(run, key->span, "S24", NULL,
                        "%s belongs to a job that calls a workflow: GitHub refuses the file", name);
        return true;
    }
    return is_newer_key(def, key->text) || (is_event_config(mapping) && is_filter(key->text));
}

static const char *const left_to_others[] = {
    "permissions",      "permissions-mapping",         "shell", "workflow-call-input-type",
    "on-string-strict", "workflow-dispatch-input-type"};

/* Those of events are taken as they are not there, whatever editors are told of them. */
static const char *const may_be_null[] = {
    "workflow-dispatch-input", "input-strict",          "output-definition",
    "event-branches",          "event-branches-ignore", "event-tags",
    "event-tags-ignore",       "event-paths",           "event-paths-ignore"};

static const wpa_shape_need needs[] = {
    {"job-factory", "steps"},
    {"workflow-defaults", "run"},
    {"job-defaults", "run"},
    {"service-container-mapping", "image"},
    {"container-registry-credentials", "username"},
    {"container-registry-credentials", "password"},
};

static const wpa_shape_set set = {
    .refusal = "GitHub refuses the file",
    .left_to_others = left_to_others,
    .n_left_to_others = WPA_COUNT(left_to_others),
    .may_be_null = may_be_null,
    .n_may_be_null = WPA_COUNT(may_be_null),
    .needs = needs,
    .n_needs = WPA_COUNT(needs),
    .check_of = check_of,
    .tell_form = tell_form,
    .tell_unknown = tell_unknown,
};

/* ---- two rules about concurrency ---- */

static void check_queue(wpa_rule_run *run, const wpa_yaml_node *concurrency)
{
    const wpa_yaml_node *queue = wpa_yaml_get(concurrency, "queue");
    const wpa_yaml_pair *cancel = queue ? wpa_yaml_find(concurrency, "cancel-in-progress") : NULL;
    if (cancel && wpa_text_is(wpa_yaml_text(queue), "max") &&
        wpa_text_is(wpa_yaml_text(cancel->value), "true")) {
        wpa_rule_report(run, cancel->key->span, "S26", NULL,
                        "a queue of runs and cancelling the run before exclude each other");
    }
}

static const wpa_yaml_node *group_of(const wpa_yaml_node *concurrency)
{
    return wpa_yaml_is(concurrency, WPA_YAML_MAPPING) ? wpa_yaml_get(concurrency, "group")
                                                      : concurrency;
}

static void check_groups(wpa_rule_run *run, const wpa_yaml_node *root)
{
    const wpa_yaml_node *own = wpa_yaml_get(root, "concurrency"), *group = group_of(own);
    const wpa_yaml_node *jobs = wpa_yaml_get(root, "jobs");
    check_queue(run, own);
    for (size_t i = 0; wpa_yaml_is(jobs, WPA_YAML_MAPPING) && i < jobs->n_pairs; i++) {
        const wpa_yaml_node *concurrency = wpa_yaml_get(jobs->pairs[i].value, "concurrency");
        const wpa_yaml_node *other = group_of(concurrency);
        check_queue(run, concurrency);
        if (group && other && wpa_yaml_text(group) && !wpa_yaml_is_null(group) &&
            !wpa_outline_has_expression(wpa_yaml_text(group)) &&
            wpa_text_is(wpa_yaml_text(group), wpa_yaml_text(other))) {
            wpa_finding *finding = wpa_rule_report(
                run, other->span, "S27", NULL,
                "the job waits for its own workflow: both hold the concurrency group %s",
                wpa_rule_quote(run, other->text, other->length));
            wpa_rule_relate(run, finding, group->span, "held by the workflow");
        }
    }
}

/* ---- action files: what is no matter of their metadata (rule action-metadata) -----------------*/

static const char *check_of_action(wpa_shape_wrong fault, const char *form)
{
    bool is_list_of_names = wpa_text_is(form, "inputs-strict") || wpa_text_is(form, "outputs");
    switch (fault) {
    case WPA_SHAPE_DUPLICATE:
        return is_list_of_names ? NULL : "S1";
    case WPA_SHAPE_MISSING_KEY:
    case WPA_SHAPE_NOT_ALLOWED:
        return NULL;
    case WPA_SHAPE_NOT_MAPPING:
    case WPA_SHAPE_EMPTY_MAPPING:
        return is_list_of_names || fault == WPA_SHAPE_EMPTY_MAPPING ? NULL : "S3";
    case WPA_SHAPE_EMPTY_TEXT:
        return wpa_text_is(form, "using") ? NULL : "S8";
    case WPA_SHAPE_NOT_SCALAR:
        return wpa_text_is(form, "input-default-context") ? NULL : "S7";
    case WPA_SHAPE_EMPTY_SEQUENCE:
        return NULL; /* a composite action without steps does nothing, and is accepted */
    case WPA_SHAPE_UNKNOWN_KEY:
    case WPA_SHAPE_NOT_SEQUENCE:
    case WPA_SHAPE_NOT_BOOL:
    case WPA_SHAPE_NOT_COUNT:
    case WPA_SHAPE_NOT_NUMBER:
    case WPA_SHAPE_NOT_EXPRESSION:
        return check_of(fault, form);
    }
    return NULL;
}

/** Keys of workflows that are pasted into actions, where nothing reads them. */
static bool is_workflow_key(const char *key)
{
    static const char *const forms[] = {"workflow-root-strict", "job-factory", "workflow-job"};
    for (size_t i = 0; i < WPA_COUNT(forms); i++) {
        const wpa_schema_def *def = wpa_schema_workflow_find(forms[i]);
        if (def && wpa_schema_property_find(def, wpa_slice_of(key))) {
            return true;
        }
    }
    return false;
}

static bool is_key_of_other_kind(const char *form, const char *key)
{
    static const char *const kinds[] = {"container-runs-strict", "node-runs-strict",
                                        "composite-runs-strict"};
    for (size_t i = 0; wpa_text_ends(form, "-runs-strict") && i < WPA_COUNT(kinds); i++) {
        const wpa_schema_def *def = wpa_schema_action_find(kinds[i]);
        if (def && wpa_schema_property_find(def, wpa_slice_of(key))) {
            return true;
        }
    }
    return false;
}

static bool tell_unknown_in_action(wpa_rule_run *run, const wpa_schema_def *def,
                                   const wpa_yaml_node *mapping, const wpa_yaml_node *key)
{
    const wpa_schema_def *step = wpa_schema_workflow_find("run-step");
    bool is_step_key =
        is_step(def) && step && wpa_schema_property_find(step, wpa_slice_of(key->text));
    if (is_step_key || is_key_of_other_kind(def->name, key->text)) {
        return true; /* action-metadata says it */
    }
    bool is_workflows = is_workflow_key(key->text);
    bool is_root = mapping->parent == NULL; /* where the runner lets any key stand */
    if (!is_workflows && !is_root) {
        return false;
    }
    wpa_finding *finding = wpa_rule_report(
        run, key->span, is_workflows ? "S28" : "S2", NULL, "%s is %s: an action that has it %s",
        wpa_rule_quote(run, key->text, key->length),
        is_workflows ? "a key of workflows" : "no key of actions",
        is_root ? "runs as if it were not there" : "is refused");
    finding->severity = !is_root       ? WPA_SEVERITY_HIGH
                        : is_workflows ? WPA_SEVERITY_MEDIUM
                                       : WPA_SEVERITY_LOW;
    return true;
}

/** S15: "on: schedule" says no time. */
static void check_schedule(wpa_rule_run *run)
{
    const wpa_outline_trigger *t = wpa_outline_trigger_find(run->source->outline, "schedule");
    bool is_bare = t && !t->config &&
                   !(t->node->parent && t->node->parent->kind == WPA_YAML_MAPPING &&
                     t->node->parent != run->source->outline->root);
    if (is_bare) {
        wpa_rule_report(run, t->node->span, "S15", NULL,
                        "schedule names no time: GitHub refuses the file");
    }
}

static const wpa_shape_set action_set = {
    .refusal = "GitHub refuses the action",
    .may_be_null = may_be_null,
    .n_may_be_null = WPA_COUNT(may_be_null),
    .check_of = check_of_action,
    .tell_form = tell_form,
    .tell_unknown = tell_unknown_in_action,
};

static bool check(wpa_rule_run *run, wpa_error *err)
{
    bool is_action = run->source->kind == WPA_INPUT_ACTION;
    const wpa_yaml_node *root = run->source->yaml->root;
    const wpa_schema_def *def = is_action ? wpa_schema_action_find("action-root-strict")
                                          : wpa_schema_workflow_find("workflow-root-strict");
    if (!def) {
        return WPA_FAIL(err, WPA_E_INTERNAL, "the schema has no root");
    }
    if (!root || wpa_yaml_is_null(root)) {
        return true; /* syntax says that it is empty */
    }
    wpa_shape_check(run, is_action ? &action_set : &set, def, root);
    if (!is_action) {
        wpa_empties_check(run);
        check_schedule(run);
        check_groups(run, root);
        wpa_forms_check(run);
    }
    return true;
}

/* ---- what stands one level too high -----------------------------------------------------------*/

static const wpa_outline_step *step_with_key(const wpa_rule_run *run, wpa_span key,
                                             const wpa_yaml_pair **pair)
{
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_yaml_node *node = o->jobs[i].steps[k].node;
            bool is_here = key.start >= node->span.start && key.end <= node->span.end;
            for (size_t p = 0; is_here && p < node->n_pairs; p++) {
                if (node->pairs[p].key->span.start == key.start) {
                    *pair = &node->pairs[p];
                    return &o->jobs[i].steps[k];
                }
            }
        }
    }
    return NULL;
}

static bool is_variable_name(const char *text)
{
    size_t length = strlen(text);
    return length > 1 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == length;
}

/* An input of the step's action goes under "with", NAME=… of a script under "env". */
static void offer_move(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_pair *pair = NULL;
    const wpa_outline_step *step = step_with_key(run, finding->span.bytes, &pair);
    const wpa_yaml_node *value = pair ? pair->value : NULL;
    const char *key = pair ? wpa_yaml_text(pair->key) : NULL;
    wpa_fact_input input;
    if (!key || !value || value->kind != WPA_YAML_SCALAR || value->style == WPA_YAML_LITERAL ||
        value->style == WPA_YAML_FOLDED || !wpa_span_length(value->span)) {
        return;
    }
    bool is_input = step->uses.kind == WPA_OUTLINE_REPOSITORY && step->uses.fact->has_major &&
                    wpa_facts_input_find(&step->uses.fact->major, wpa_slice_of(key), &input);
    bool is_variable = step->run && is_variable_name(key);
    const char *group = is_input ? "with" : "env";
    if ((is_input || is_variable) && !wpa_yaml_find(wpa_yaml_get(step->node, group), key)) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "move it under %s", group);
        const char *text = wpa_arena_slice(run->arena, value->doc->source + value->span.start,
                                           wpa_span_length(value->span));
        bool is_added =
            wpa_rule_add_in(run, fix, step->node, group, is_input ? "uses" : "run", key, text);
        if (!is_added || !wpa_rule_remove_entry(run, fix, value)) {
            fix->n_edits = 0;
        }
    }
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    wpa_shape_repair(run, finding);
    if (finding->n_fixes == 0 && wpa_text_is(finding->check, "S2")) {
        offer_move(run, finding);
    }
}

const wpa_rule wpa_rule_schema = {
    .code = "CMP-002",
    .id = "schema",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A key, shape or type that GitHub's schema does not know",
    .why = "GitHub refuses the whole file: none of its jobs runs, for no event.",
    .fix = "Write what the schema wants; keys with one wrong letter are corrected by wpa, "
           "inputs and variables of a step moved to where they belong.",
    .checks =
        (const char *const[]){"S1",  "S2",  "S3",  "S4",  "S5",  "S6",  "S7",  "S8",  "S9",  "S10",
                              "S11", "S12", "S13", "S14", "S15", "S16", "S17", "S18", "S19", "S20",
                              "S21", "S22", "S23", "S24", "S25", "S26", "S27", "S28", "S29", NULL},
    .elsewhere = (const char *const[]){"actionlint/syntax-check", NULL},
    .tables = 1U << WPA_FACTS_SCHEMA | 1U << WPA_FACTS_ACTIONS,
    .declares = WPA_DECLARES_JOBS | WPA_DECLARES_TRIGGERS | WPA_DECLARES_SCRIPT | WPA_DECLARES_ENV,
    .reads_dead_code = true,
    .check = check,
    .repair = repair,
};
