#include <string.h>

#include <wpa/text.h>

#include "rules/rule.h"

#define LINES_MAX 3

static size_t count_lines(const char *text)
{
    size_t n = 0;
    for (; *text; text += *text == '\n') {
        n++;
        text += strcspn(text, "\n");
    }
    return n;
}

/* "name:" with nothing behind it is none. */
static bool has_name(const wpa_yaml_node *mapping)
{
    const wpa_yaml_node *name = wpa_yaml_get(mapping, "name");
    return name && !wpa_yaml_is_null(name);
}

static void check_step(wpa_rule_run *run, const wpa_yaml_node *step)
{
    const wpa_yaml_pair *script = wpa_yaml_find(step, "run");
    const char *text = script ? wpa_yaml_text(script->value) : NULL;
    if (text && !has_name(step) && count_lines(text) > LINES_MAX) {
        wpa_rule_report(run, script->key->span, "A3", NULL,
                        "a script of %zu lines has no name: the log shows its first line instead",
                        count_lines(text));
    }
}

static void check_job(wpa_rule_run *run, const wpa_yaml_pair *pair)
{
    const wpa_yaml_node *job = wpa_yaml_resolve(pair->value);
    if (!wpa_yaml_is(job, WPA_YAML_MAPPING) || pair->key->kind != WPA_YAML_SCALAR) {
        return;
    }
    if (!has_name(job) && !wpa_yaml_find(job, "uses")) {
        wpa_rule_report(run, pair->key->span, "A2", job,
                        "job %s has no name: checks and required checks show its id",
                        wpa_rule_quote(run, pair->key->text, pair->key->length));
    }
    const wpa_yaml_node *steps = wpa_yaml_get(job, "steps");
    for (size_t i = 0; wpa_yaml_is(steps, WPA_YAML_SEQUENCE) && i < steps->n_items; i++) {
        check_step(run, steps->items[i]);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_yaml_node *root = run->source->yaml->root;
    const wpa_yaml_node *jobs = wpa_yaml_get(root, "jobs");
    bool is_action = run->source->kind == WPA_INPUT_ACTION && wpa_yaml_get(root, "runs");
    if (!wpa_yaml_is(root, WPA_YAML_MAPPING) || (!jobs && !is_action)) {
        return true;
    }
    if (!has_name(root)) {
        size_t start = root->pairs[0].key->span.start;
        wpa_rule_report(run, (wpa_span){start, root->pairs[0].key->span.end}, "A1", root,
                        is_action ? "the action has no name: logs show where it was taken from"
                                  : "the workflow has no name: lists show its path");
    }
    for (size_t i = 0; wpa_yaml_is(jobs, WPA_YAML_MAPPING) && i < jobs->n_pairs; i++) {
        check_job(run, &jobs->pairs[i]);
    }
    return true;
}

/** A name that reads as plain text in YAML: "build-and-test" from "build_and-test". */
static const char *plain_name(const char *text, size_t length, wpa_arena *arena)
{
    char *name = wpa_arena_slice(arena, text, length);
    bool has_letter = false;
    for (char *at = name; *at; at++) {
        bool is_letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z');
        bool is_digit = *at >= '0' && *at <= '9';
        has_letter = has_letter || is_letter;
        if (!is_letter && !is_digit) {
            *at = ' ';
        }
    }
    static const char *const words[] = {"true", "false", "null", "on", "off",
                                        "yes",  "no",    "y",    "n"};
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        has_letter = has_letter && !wpa_text_is_ci(name, words[i]);
    }
    return has_letter ? name : NULL;
}

static const char *file_stem(const char *path, wpa_arena *arena)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path, *dot = strchr(name, '.');
    return plain_name(name, dot ? (size_t)(dot - name) : strlen(name), arena);
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *owner = finding->subject;
    bool is_root = wpa_text_is(finding->check, "A1");
    if (!owner || owner->n_pairs == 0 || wpa_yaml_find(owner, "name")) {
        return;
    }
    bool is_action = run->source->kind == WPA_INPUT_ACTION; /* its file is called action.yml */
    const char *name = is_root && is_action ? NULL
                       : is_root            ? file_stem(run->source->path, run->arena)
                                 : plain_name(owner->key->text, owner->key->length, run->arena);
    if (name) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "name it '%s'", name);
        (void)wpa_rule_insert_before(run, fix, owner->pairs[0].value, "name: %s", name);
    }
}

const wpa_rule wpa_rule_anonymous_definition = {
    .code = "QUA-020",
    .id = "anonymous-definition",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A workflow, action, job or longer script has no name",
    .why = "Lists, logs and required checks show a path, an id or a line of code instead.",
    .fix = "Give it a name that says what it is for.",
    .checks = (const char *const[]){"A1", "A2", "A3", NULL},
    .elsewhere = (const char *const[]){"zizmor/anonymous-definition", NULL},
    .declares = WPA_DECLARES_NAMES,
    .claims_absence = true,
    .check = check,
    .repair = repair,
};
