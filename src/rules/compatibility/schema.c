/*
 * Keys, shapes and requirements, checked against the schema that GitHub itself publishes. Values
 * of fixed sets (events, permissions, shells) and of other forms are the business of other rules.
 */
#include <string.h>

#include <wpa/map.h>
#include <wpa/text.h>

#include "facts/facts.h"
#include "rules/rule.h"

#define DEPTH_MAX 60
#define NAMES_MAX 128

/* Where the walk is. */
typedef struct place {
    wpa_rule_run *run;
    const wpa_yaml_node *key; /* of the value that is looked at; NULL at the root and in lists */
    bool has_expressions;     /* an expression may stand here or in what is around */
    int depth;
} place;

/* What a repair of an unknown key needs. */
typedef struct misspelling {
    const wpa_yaml_node *key;
    const char *right;
} misspelling;

static void walk(place at, const wpa_schema_def *def, const wpa_yaml_node *written);

/* ---- small questions ---- */

static bool has_expression(const wpa_yaml_node *node)
{
    const char *text = wpa_yaml_text(node);
    return text && strstr(text, "${{") != NULL;
}

static const char *quoted_key(const place *at)
{
    return at->key ? wpa_rule_quote(at->run, at->key->text, at->key->length) : "the file";
}

static wpa_span span_of(const place *at, const wpa_yaml_node *node)
{
    bool is_empty = wpa_yaml_is_null(node) && at->key;
    return is_empty ? at->key->span : node->full;
}

/** Definitions whose keys and values other rules judge: events, permissions. */
static bool is_left_to_others(const wpa_schema_def *def)
{
    static const char *const names[] = {"on-strict", "on",     "permissions", "permissions-mapping",
                                        "shell",     "inputs", "outputs"};
    return wpa_text_index(def->name, names, WPA_COUNT(names)) >= 0;
}

/** Keys that this schema's date may not know yet, or that other forges have. */
static bool is_tolerated(const char *key)
{
    static const char *const names[] = {"cache-mode"};
    return wpa_text_index(key, names, WPA_COUNT(names)) >= 0;
}

/* ---- which of several definitions is meant ------------------------------------------------------
 */

static bool fits_kind(const wpa_schema_def *def, const wpa_yaml_node *node)
{
    bool is_scalar = node->kind == WPA_YAML_SCALAR;
    switch (def->kind) {
    case WPA_SCHEMA_ANY:
        return true;
    case WPA_SCHEMA_MAPPING:
        return node->kind == WPA_YAML_MAPPING;
    case WPA_SCHEMA_SEQUENCE:
        return node->kind == WPA_YAML_SEQUENCE;
    case WPA_SCHEMA_NULL:
        return wpa_yaml_is_null(node);
    case WPA_SCHEMA_BOOLEAN:
        return is_scalar && wpa_yaml_scalar_type(node) == WPA_YAML_BOOL;
    case WPA_SCHEMA_NUMBER:
        return is_scalar && (wpa_yaml_scalar_type(node) == WPA_YAML_INT ||
                             wpa_yaml_scalar_type(node) == WPA_YAML_FLOAT);
    case WPA_SCHEMA_STRING:
    case WPA_SCHEMA_ALLOWED:
        return is_scalar && (!def->is_non_empty || node->length > 0);
    case WPA_SCHEMA_ONE_OF:
        for (size_t i = 0; def->choices[i]; i++) {
            if (fits_kind(def->choices[i], node)) {
                return true;
            }
        }
        return false;
    }
    return true;
}

static int count_known(const wpa_schema_def *def, const wpa_yaml_node *node)
{
    /* A job with uses is a call, whatever else stands in it. */
    int n = wpa_text_is(def->name, "workflow-job") && wpa_yaml_find(node, "uses") ? 1000 : 0;
    for (size_t i = 0; i < node->n_pairs; i++) {
        const char *key = wpa_yaml_text(node->pairs[i].key);
        n += key && (def->is_loose || wpa_schema_property_find(def, wpa_slice_of(key)));
    }
    for (size_t i = 0; i < def->n_properties; i++) {
        const wpa_schema_property *property = &def->properties[i];
        bool is_there = wpa_yaml_find_ci(node, property->name) != NULL;
        /* What tells the forms of a step and of a job apart is what each requires. */
        n += property->is_required ? (is_there ? 100 : -1) : 0;
    }
    return n;
}

/** Mapping definitions below a choice, nested choices included: the one with most of the keys. */
static const wpa_schema_def *best_mapping(const wpa_schema_def *def, const wpa_yaml_node *node,
                                          int *best)
{
    if (def->kind == WPA_SCHEMA_MAPPING) {
        int n = count_known(def, node);
        if (n > *best) {
            *best = n;
            return def;
        }
        return NULL;
    }
    const wpa_schema_def *found = NULL;
    for (size_t i = 0; def->kind == WPA_SCHEMA_ONE_OF && def->choices[i]; i++) {
        const wpa_schema_def *other = best_mapping(def->choices[i], node, best);
        found = other ? other : found;
    }
    return found;
}

static const wpa_schema_def *find_sequence(const wpa_schema_def *def)
{
    if (def->kind == WPA_SCHEMA_SEQUENCE) {
        return def;
    }
    const wpa_schema_def *found = NULL;
    for (size_t i = 0; def->kind == WPA_SCHEMA_ONE_OF && def->choices[i] && !found; i++) {
        found = find_sequence(def->choices[i]);
    }
    return found;
}

/* ---- what is wrong ---- */

static bool takes(const wpa_schema_def *def, wpa_schema_kind kind)
{
    bool does = def->kind == kind;
    for (size_t i = 0; def->kind == WPA_SCHEMA_ONE_OF && def->choices[i] && !does; i++) {
        does = takes(def->choices[i], kind);
    }
    return does;
}

static void report_shape(const place *at, const wpa_schema_def *def, const wpa_yaml_node *node)
{
    bool is_mapping = takes(def, WPA_SCHEMA_MAPPING), is_list = takes(def, WPA_SCHEMA_SEQUENCE);
    bool is_text = takes(def, WPA_SCHEMA_STRING) || takes(def, WPA_SCHEMA_ALLOWED);
    const char *expected, *check;
    if (wpa_yaml_is_null(node) || (node->kind == WPA_YAML_SCALAR && node->length == 0)) {
        check = is_text ? "S8" : is_mapping ? "S4" : is_list ? "S6" : "S7";
        wpa_rule_report(at->run, span_of(at, node), check, NULL,
                        "%s is empty: GitHub refuses the file", quoted_key(at));
        return;
    }
    if (takes(def, WPA_SCHEMA_BOOLEAN) && !is_text) {
        check = "S9";
        expected = "true or false";
    } else if (takes(def, WPA_SCHEMA_NUMBER) && !is_text) {
        check = "S11";
        expected = "a number";
    } else if (is_mapping && !is_text) {
        check = "S3";
        expected = is_list ? "a mapping or a list" : "a mapping";
    } else if (is_list && !is_text) {
        check = "S5";
        expected = "a list";
    } else {
        check = "S7";
        expected = is_mapping ? "text or a mapping" : is_list ? "text or a list" : "text";
    }
    wpa_rule_report(at->run, span_of(at, node), check, NULL,
                    "%s must be %s, and is %s: GitHub refuses the file", quoted_key(at), expected,
                    wpa_yaml_describe(node));
}

/** Number of the check for a key that is missing, by the form that lacks it. */
static const char *check_of_missing(const char *form)
{
    static const struct {
        const char *part, *check;
    } checks[] = {
        {"workflow-root", "S13"}, {"defaults", "S16"},    {"concurrency", "S17"},
        {"environment", "S17"},   {"credentials", "S18"}, {"container", "S19"},
        {"services", "S19"},      {"snapshot", "S20"},    {"step", "S21"},
        {"job", "S22"},
    };
    for (size_t i = 0; i < WPA_COUNT(checks); i++) {
        if (strstr(form, checks[i].part)) {
            return checks[i].check;
        }
    }
    return "S22";
}

static void report_missing(const place *at, const wpa_schema_def *def, const wpa_yaml_node *node,
                           const char *name)
{
    size_t start = node->full.start;
    wpa_span span = at->key         ? at->key->span
                    : node->n_pairs ? node->pairs[0].key->span
                                    : (wpa_span){start, start};
    wpa_rule_report(at->run, span, check_of_missing(def->name), NULL,
                    "%s lacks '%s': GitHub refuses the file",
                    at->key        ? quoted_key(at)
                    : node->parent ? "this entry"
                                   : "the file",
                    name);
}

static bool is_step(const wpa_schema_def *def)
{
    return wpa_text_ends(def->name, "-step");
}

/** Keys of the mapping for "did you mean"; only those that are not there yet. */
static const char *nearest_key(const wpa_schema_def *def, const wpa_yaml_node *node,
                               const char *key)
{
    const char *names[NAMES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < def->n_properties && n < NAMES_MAX; i++) {
        if (!wpa_yaml_find(node, def->properties[i].name)) {
            names[n++] = def->properties[i].name;
        }
    }
    return wpa_text_nearest(key, names, n);
}

static void report_unknown(const place *at, const wpa_schema_def *def, const wpa_yaml_node *node,
                           const wpa_yaml_node *key)
{
    const char *name = wpa_rule_quote(at->run, key->text, key->length);
    const char *near = nearest_key(def, node, key->text);
    if (wpa_text_is(def->name, "workflow-job")) {
        wpa_rule_report(at->run, key->span, "S23", NULL,
                        "%s may not stand in a job that calls a workflow: GitHub refuses the file",
                        name);
        return;
    }
    bool is_call_key = wpa_text_is(def->name, "job-factory") &&
                       (wpa_text_is(key->text, "with") || wpa_text_is(key->text, "secrets"));
    if (is_call_key) {
        wpa_rule_report(at->run, key->span, "S24", NULL,
                        "%s belongs to a job that calls a workflow: GitHub refuses the file", name);
        return;
    }
    misspelling *subject = NULL;
    if (near) {
        subject = wpa_arena_alloc(at->run->arena, sizeof *subject);
        *subject = (misspelling){key, near};
    }
    wpa_rule_report(at->run, key->span, "S2", subject,
                    "unknown key %s%s%s%s: GitHub refuses the file", name,
                    near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

static const char *const deeds[] = {"run", "uses", "wait", "wait-all", "cancel", "parallel"};

/** A misspelt "run" or "uses" is told as that, not as a step with nothing to do. */
static bool check_misspelt_deed(const place *at, const wpa_schema_def *def,
                                const wpa_yaml_node *node)
{
    for (size_t i = 0; i < node->n_pairs; i++) {
        const wpa_yaml_node *key = node->pairs[i].key;
        const char *text = wpa_yaml_text(key);
        bool is_known = text && wpa_schema_property_find(def, wpa_slice_of(text));
        if (text && !is_known && wpa_text_nearest(text, deeds, WPA_COUNT(deeds))) {
            report_unknown(at, def, node, key);
            return true;
        }
    }
    return false;
}

/** A step without anything to do is told so once, instead of "lacks run". */
static bool check_step_form(const place *at, const wpa_schema_def *def, const wpa_yaml_node *node)
{
    const wpa_yaml_pair *first = NULL;
    for (size_t i = 0; is_step(def) && i < WPA_COUNT(deeds); i++) {
        const wpa_yaml_pair *pair = wpa_yaml_find(node, deeds[i]);
        if (pair && first) {
            wpa_finding *finding =
                wpa_rule_report(at->run, pair->key->span, "S21", NULL,
                                "a step has both '%s' and '%s': GitHub refuses the file",
                                first->key->text, deeds[i]);
            wpa_rule_relate(at->run, finding, first->key->span, "the other one");
            return true;
        }
        first = first ? first : pair;
    }
    if (is_step(def) && !first && check_misspelt_deed(at, def, node)) {
        return true;
    }
    if (is_step(def) && !first) {
        size_t start = node->full.start;
        wpa_rule_report(at->run,
                        node->n_pairs ? node->pairs[0].key->span : (wpa_span){start, start}, "S21",
                        NULL, "a step has nothing to do: neither 'run' nor 'uses'");
        return true;
    }
    return false;
}

/* ---- the walk ---- */

static void check_duplicates(const place *at, const wpa_yaml_node *node)
{
    wpa_map *seen = wpa_map_new(at->run->arena);
    for (size_t i = 0; i < node->n_pairs; i++) {
        const wpa_yaml_node *key = node->pairs[i].key;
        const char *text = wpa_yaml_text(key);
        if (!text || wpa_text_is(text, "<<")) {
            continue;
        }
        char *folded = wpa_arena_text(at->run->arena, text);
        for (char *c = folded; *c; c++) {
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
        }
        void *first = wpa_map_get(seen, folded);
        if (first) {
            const wpa_yaml_node *before = *(const wpa_yaml_node *const *)first;
            wpa_finding *finding = wpa_rule_report(
                at->run, key->span, "S1", NULL, "key %s stands here twice: GitHub refuses the file",
                wpa_rule_quote(at->run, key->text, key->length));
            wpa_rule_relate(at->run, finding, before->span, "the first one");
        } else {
            const wpa_yaml_node **slot = wpa_arena_alloc(at->run->arena, sizeof(void *));
            *slot = key;
            wpa_map_put(seen, folded, slot);
        }
    }
}

static void walk_pair(const place *at, const wpa_schema_def *def, const wpa_yaml_node *node,
                      const wpa_yaml_pair *pair)
{
    const char *key = wpa_yaml_text(pair->key);
    if (!key) {
        wpa_rule_report(at->run, pair->key->full, "S7", NULL, "a key must be text");
        return;
    }
    if (wpa_text_is(key, "<<") || strstr(key, "${{")) {
        return;
    }
    const wpa_schema_property *property = wpa_schema_property_find(def, wpa_slice_of(key));
    const wpa_schema_def *value = property ? property->def : def->loose;
    if (!property && !def->is_loose) {
        if (!is_tolerated(key)) {
            report_unknown(at, def, node, pair->key);
        }
        return;
    }
    place below = {at->run, pair->key, at->has_expressions, at->depth + 1};
    if (value) {
        walk(below, value, pair->value);
    }
}

static void walk_mapping(const place *at, const wpa_schema_def *def, const wpa_yaml_node *node)
{
    check_duplicates(at, node);
    if (node->n_pairs == 0 && def->n_properties && at->key &&
        !wpa_text_is(def->name, "permissions-mapping")) {
        wpa_rule_report(at->run, at->key->span, "S4", NULL, "%s is an empty mapping",
                        quoted_key(at))
            ->severity = WPA_SEVERITY_LOW;
    }
    bool is_told = check_step_form(at, def, node);
    for (size_t i = 0; i < node->n_pairs && !is_told; i++) {
        walk_pair(at, def, node, &node->pairs[i]);
    }
    for (size_t i = 0; i < def->n_properties && !is_told && !at->run->source->is_partial; i++) {
        const wpa_schema_property *property = &def->properties[i];
        if (property->is_required && !wpa_yaml_find_ci(node, property->name)) {
            report_missing(at, def, node, property->name);
        }
    }
}

static void walk_sequence(const place *at, const wpa_schema_def *def, const wpa_yaml_node *node)
{
    if (node->n_items == 0 && at->key && def->item && wpa_text_is(def->name, "steps")) {
        wpa_rule_report(at->run, at->key->span, "S6", NULL, "%s is an empty list", quoted_key(at));
    }
    for (size_t i = 0; def->item && i < node->n_items; i++) {
        place below = {at->run, NULL, at->has_expressions, at->depth + 1};
        walk(below, def->item, node->items[i]);
    }
}

static void walk_scalar(const place *at, const wpa_schema_def *def, const wpa_yaml_node *node)
{
    bool is_open = has_expression(node) && at->has_expressions;
    bool is_empty_text = wpa_yaml_is_null(node) && takes(def, WPA_SCHEMA_STRING);
    if (is_open || (is_empty_text && !def->is_non_empty && def->kind == WPA_SCHEMA_STRING)) {
        return; /* null where a text may be empty is read as the empty text */
    }
    if (!fits_kind(def, node)) {
        report_shape(at, def, node);
    }
}

static void walk(place at, const wpa_schema_def *def, const wpa_yaml_node *written)
{
    const wpa_yaml_node *node = wpa_yaml_resolve(written);
    if (!node || node->is_incomplete || at.depth > DEPTH_MAX || is_left_to_others(def) ||
        def->kind == WPA_SCHEMA_ANY) {
        return;
    }
    at.has_expressions = at.has_expressions || (def->contexts && def->contexts[0]);
    int best = -1000;
    const wpa_schema_def *mapping = NULL, *sequence = NULL;
    switch (node->kind) {
    case WPA_YAML_MAPPING:
        mapping = best_mapping(def, node, &best);
        if (mapping) {
            walk_mapping(&at, mapping, node);
        } else if (!fits_kind(def, node)) {
            report_shape(&at, def, node);
        }
        return;
    case WPA_YAML_SEQUENCE:
        sequence = find_sequence(def);
        if (sequence) {
            walk_sequence(&at, sequence, node);
        } else if (!fits_kind(def, node)) {
            report_shape(&at, def, node);
        }
        return;
    case WPA_YAML_SCALAR:
    case WPA_YAML_ALIAS:
        walk_scalar(&at, def, node);
        return;
    }
}

/* ---- two rules about concurrency ---- */

static void check_queue(wpa_rule_run *run, const wpa_yaml_node *concurrency)
{
    const wpa_yaml_node *queue = wpa_yaml_get(concurrency, "queue");
    const wpa_yaml_pair *cancel = wpa_yaml_find(concurrency, "cancel-in-progress");
    if (cancel && wpa_text_is(wpa_yaml_text(queue), "max") &&
        wpa_text_is(wpa_yaml_text(cancel->value), "true")) {
        wpa_rule_report(run, cancel->key->span, "S26", NULL,
                        "a queue of runs and cancelling the run before exclude each other");
    }
}

static const wpa_yaml_node *group_of(const wpa_yaml_node *owner)
{
    const wpa_yaml_node *concurrency = wpa_yaml_get(owner, "concurrency");
    return wpa_yaml_is(concurrency, WPA_YAML_MAPPING) ? wpa_yaml_get(concurrency, "group")
                                                      : concurrency;
}

static void check_groups(wpa_rule_run *run, const wpa_yaml_node *root)
{
    const wpa_yaml_node *group = group_of(root), *jobs = wpa_yaml_get(root, "jobs");
    check_queue(run, wpa_yaml_get(root, "concurrency"));
    for (size_t i = 0; wpa_yaml_is(jobs, WPA_YAML_MAPPING) && i < jobs->n_pairs; i++) {
        const wpa_yaml_node *other = group_of(jobs->pairs[i].value);
        check_queue(run, wpa_yaml_get(jobs->pairs[i].value, "concurrency"));
        if (group && other && wpa_yaml_text(group) && !has_expression(group) &&
            wpa_text_is(wpa_yaml_text(group), wpa_yaml_text(other))) {
            wpa_finding *finding = wpa_rule_report(
                run, other->span, "S27", NULL,
                "the job waits for its own workflow: both hold the concurrency group %s",
                wpa_rule_quote(run, other->text, other->length));
            wpa_rule_relate(run, finding, group->span, "held by the workflow");
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    const wpa_yaml_node *root = run->source->yaml->root;
    const wpa_schema_def *def = wpa_schema_workflow_find("workflow-root-strict");
    if (!def) {
        return WPA_FAIL(err, WPA_E_INTERNAL, "the schema has no 'workflow-root-strict'");
    }
    if (!root || wpa_yaml_is_null(root)) {
        return true; /* syntax says that it is empty */
    }
    walk((place){.run = run}, def, root);
    check_groups(run, root);
    return true;
}

static bool is_one_edit_or_case(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), head = 0, tail = 0;
    if (wpa_text_is_ci(a, b)) {
        return true;
    }
    while (head < n && head < m && a[head] == b[head]) {
        head++;
    }
    while (tail < n - head && tail < m - head && a[n - 1 - tail] == b[m - 1 - tail]) {
        tail++;
    }
    size_t longer = n > m ? n : m;
    bool is_swap =
        n == m && longer - head - tail == 2 && a[head] == b[head + 1] && a[head + 1] == b[head];
    return longer - head - tail <= 1 || is_swap;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const misspelling *wrong = finding->subject;
    if (wrong && wrong->key->style == WPA_YAML_PLAIN && wrong->key->kind == WPA_YAML_SCALAR &&
        is_one_edit_or_case(wrong->key->text, wrong->right)) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "write '%s'", wrong->right);
        wpa_rule_edit(run, fix, wrong->key->span, "%s", wrong->right);
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
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A key, shape or type that GitHub's schema does not know",
    .why = "GitHub refuses the whole file: none of its jobs runs, for no event.",
    .fix = "Write what the schema wants; keys with one wrong letter are corrected by wpa.",
    .checks = (const char *const[]){"S1",  "S2",  "S3",  "S4",  "S5",  "S6",  "S7",  "S8",
                                    "S9",  "S11", "S13", "S16", "S17", "S18", "S19", "S20",
                                    "S21", "S22", "S23", "S24", "S26", "S27", NULL},
    .elsewhere = (const char *const[]){"actionlint/syntax-check", NULL},
    .tables = 1U << WPA_FACTS_SCHEMA,
    .declares = WPA_DECLARES_JOBS | WPA_DECLARES_TRIGGERS | WPA_DECLARES_SCRIPT,
    .reads_dead_code = true,
    .check = check,
    .repair = repair,
};
