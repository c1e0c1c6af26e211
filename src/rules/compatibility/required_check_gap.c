/* CMP-047: a check that the branch asks for, and no workflow gives it. */
#include <string.h>

#include "rules/graph.h"
#include "rules/work.h"

#define SETTINGS_MAX_BYTES ((size_t)256 * 1024)
#define CHECKS_MAX 100

static const wpa_rule_option options[] = {
    {"required", "", "names of the checks that the default branch requires, separated by commas",
     WPA_OPTION_TEXT},
    {"merge-queue", "off", "on: the branch has a merge queue", WPA_OPTION_SWITCH},
    {0},
};

typedef struct checks {
    const char *names[CHECKS_MAX];
    size_t n;
    bool has_queue;
} checks;

static void add_check(checks *c, const char *name)
{
    if (name && *name && c->n < CHECKS_MAX) {
        c->names[c->n++] = name;
    }
}

/* Up to the next comma that is not in brackets: legs are "test (20, linux)". */
static size_t name_length(const char *text)
{
    size_t length = 0, depth = 0;
    while (text[length] && (depth || text[length] != ',')) {
        depth += text[length] == '(';
        depth -= depth && text[length] == ')';
        length++;
    }
    return length;
}

static void read_option(wpa_rule_run *run, checks *c)
{
    const char *text = wpa_rule_option_text(run, "required");
    while (text && *text) {
        text += strspn(text, " ,");
        size_t length = name_length(text);
        size_t kept = length;
        while (kept && text[kept - 1] == ' ') {
            kept--;
        }
        add_check(c, wpa_arena_slice(run->arena, text, kept));
        text += length;
    }
    c->has_queue = wpa_text_is(wpa_rule_option_text(run, "merge-queue"), "on");
}

/* The file by which the settings app keeps branch protection in the repository. */
static void read_settings(wpa_rule_run *run, checks *c)
{
    static const char path[] = ".github/settings.yml";
    const wpa_surroundings *around = run->source->around;
    wpa_error err = {0};
    size_t size = 0;
    const char *text =
        wpa_surroundings_has(around, path)
            ? wpa_surroundings_read(around, path, SETTINGS_MAX_BYTES, run->arena, &size)
            : NULL;
    const wpa_yaml_doc *doc = text ? wpa_yaml_parse(path, text, size, run->arena, &err) : NULL;
    const wpa_yaml_node *branches = doc ? wpa_yaml_get(doc->root, "branches") : NULL;
    for (size_t i = 0; wpa_yaml_is(branches, WPA_YAML_SEQUENCE) && i < branches->n_items; i++) {
        const wpa_yaml_node *contexts = wpa_yaml_get(
            wpa_yaml_get(wpa_yaml_get(branches->items[i], "protection"), "required_status_checks"),
            "contexts");
        for (size_t k = 0; wpa_yaml_is(contexts, WPA_YAML_SEQUENCE) && k < contexts->n_items; k++) {
            add_check(c, wpa_yaml_text(contexts->items[k]));
        }
    }
}

/* ---- what workflows give ---- */

typedef enum fit {
    FIT_NO,
    FIT_MAYBE, /* a name with an expression, a called workflow, legs of a matrix */
    FIT_YES
} fit;

/* "build", "build (18, linux)", "${{ matrix.x }} tests", "call / build". */
static fit fits(const wpa_graph_job *job, bool is_call, const char *check)
{
    const char *name = job->name ? job->name : job->id;
    const char *fence = strstr(name, "${{");
    size_t length = fence ? (size_t)(fence - name) : strlen(name);
    if (strncmp(check, name, length) != 0) {
        return FIT_NO;
    }
    if (fence || (is_call && wpa_text_starts(check + length, " / ")) ||
        wpa_text_starts(check + length, " (")) {
        return FIT_MAYBE;
    }
    return !check[length] ? FIT_YES : FIT_NO;
}

static bool is_call(const wpa_graph_file *file, size_t job)
{
    for (size_t i = 0; i < file->n_uses; i++) {
        if (file->uses[i].is_call && file->uses[i].job == job) {
            return true;
        }
    }
    return false;
}

#define VALUES_MAX 64

/* "build (18, linux)" of one leg: what GitHub shows if the job names none of it itself. */
static const char *leg_name(const wpa_rule_run *run, const char *name, const wpa_matrix_leg *leg)
{
    const char *text = wpa_arena_printf(run->arena, "%s (", name);
    for (size_t i = 0; i < leg->n; i++) {
        if (i == VALUES_MAX) {
            return NULL; /* no name of a check is as long */
        }
        const char *value = wpa_yaml_text(leg->values[i].node);
        if (!value || wpa_outline_has_expression(value)) {
            return NULL;
        }
        text = wpa_arena_printf(run->arena, "%s%s%s", text, i ? ", " : "", value);
    }
    return wpa_arena_printf(run->arena, "%s)", text);
}

/* A job whose legs are all written out gives the checks of these legs, and no other. */
static fit fits_legs(wpa_rule_run *run, const wpa_graph_file *file, size_t index, const char *check)
{
    const wpa_graph_job *graph_job = &file->jobs[index];
    const char *name = graph_job->name ? graph_job->name : graph_job->id;
    fit found = fits(graph_job, is_call(file, index), check);
    const wpa_source *source =
        found != FIT_NO && !strstr(name, "${{") ? wpa_rule_source_at(run, file->path) : NULL;
    bool is_same = source && source->outline->n_jobs == file->n_jobs;
    const wpa_outline_job *job = is_same ? &source->outline->jobs[index] : NULL;
    wpa_matrix_legs legs =
        job && !job->is_call ? wpa_work_legs(run, job, run->arena) : (wpa_matrix_legs){0};
    if (legs.n == 0 || legs.is_open || legs.is_truncated) {
        return found;
    }
    for (size_t i = 0; i < legs.n; i++) {
        const char *shown = leg_name(run, name, &legs.legs[i]);
        if (!shown || wpa_text_is(shown, check)) {
            return shown ? FIT_YES : found;
        }
    }
    return FIT_NO;
}

static bool is_on_pull_request(const wpa_graph_file *file)
{
    return wpa_graph_trigger_find(file, "pull_request") ||
           wpa_graph_trigger_find(file, "pull_request_target") ||
           wpa_graph_trigger_find(file, "push") || wpa_graph_trigger_find(file, "workflow_run") ||
           wpa_graph_trigger_find(file, "workflow_call");
}

static bool is_given(wpa_rule_run *run, const wpa_graph *graph, const char *check)
{
    for (size_t i = 0; i < wpa_graph_count(graph); i++) {
        const wpa_graph_file *file = wpa_graph_at(graph, i);
        for (size_t k = 0; file->kind == WPA_INPUT_WORKFLOW && k < file->n_jobs; k++) {
            if (file->is_partial ||
                (is_on_pull_request(file) && fits_legs(run, file, k, check) != FIT_NO)) {
                return true;
            }
        }
    }
    return false;
}

static bool is_from_actions(const char *check)
{
    static const char *const others[] = {"/",
                                         ":",
                                         "codecov",
                                         "coverage",
                                         "netlify",
                                         "vercel",
                                         "DCO",
                                         "CLA",
                                         "cla",
                                         "continuous-integration",
                                         "license",
                                         "WIP",
                                         "sonar",
                                         "Sonar",
                                         "deepsource",
                                         "readthedocs",
                                         "docs",
                                         "snyk",
                                         "buildkite",
                                         "circleci",
                                         "pre-commit.ci",
                                         "renovate",
                                         "mergify",
                                         "Mergify"};
    for (size_t i = 0; i < WPA_COUNT(others); i++) {
        if (strstr(check, others[i])) {
            return false; /* may well come from another service */
        }
    }
    return true;
}

static void check_names(wpa_rule_run *run, const checks *c)
{
    const wpa_graph *graph = run->source->around->graph;
    const wpa_yaml_node *root = wpa_yaml_resolve(run->source->yaml->root);
    for (size_t i = 0; i < c->n && wpa_graph_is_first(graph, run->source); i++) {
        if (!is_given(run, graph, c->names[i]) && is_from_actions(c->names[i])) {
            wpa_finding *finding = wpa_rule_report(
                run, root->pairs[0].key->span, NULL, NULL,
                "the branch requires the check %s, which no workflow gives: nothing can be merged",
                wpa_rule_quote(run, c->names[i], strlen(c->names[i])));
            finding->confidence = WPA_CONFIDENCE_LOW;
        }
    }
}

/* A job that a branch waits for, in a workflow that is not started for every change. */
static void check_filters(wpa_rule_run *run, const checks *c)
{
    static const char *const filters[] = {"paths", "paths-ignore", "branches-ignore"};
    const wpa_outline *o = run->source->outline;
    const wpa_outline_trigger *trigger = wpa_outline_trigger_find(o, "pull_request");
    const wpa_graph_file *file =
        wpa_graph_find(run->source->around->graph, wpa_source_identity(run->source));
    const wpa_yaml_pair *filter = NULL;
    for (size_t i = 0; trigger && !filter && i < WPA_COUNT(filters); i++) {
        filter = wpa_yaml_find(trigger->config, filters[i]);
    }
    bool lacks_queue = c->has_queue && trigger && !wpa_outline_trigger_find(o, "merge_group");
    for (size_t i = 0; file && file->n_jobs == o->n_jobs && i < o->n_jobs; i++) {
        for (size_t k = 0; k < c->n; k++) {
            if (fits_legs(run, file, i, c->names[k]) != FIT_YES) {
                continue;
            }
            const char *name = wpa_rule_quote(run, c->names[k], strlen(c->names[k]));
            if (filter) {
                wpa_finding *finding =
                    wpa_rule_report(run, o->jobs[i].key->span, NULL, NULL,
                                    "the branch requires %s, but %s keeps this workflow from "
                                    "starting: the pull request waits for ever",
                                    name, filter->key->text);
                wpa_rule_relate(run, finding, filter->key->span, "the filter");
            }
            if (lacks_queue) {
                wpa_rule_report(run, o->jobs[i].key->span, NULL, trigger,
                                "the merge queue requires %s, but this workflow does not start on "
                                "merge_group",
                                name);
            }
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_surroundings *around = run->source->around;
    if (!around || !around->has_paths || !around->graph ||
        !wpa_yaml_is(run->source->yaml->root, WPA_YAML_MAPPING) ||
        wpa_yaml_resolve(run->source->yaml->root)->n_pairs == 0) {
        return true;
    }
    checks *c = wpa_arena_alloc(run->arena, sizeof *c);
    read_option(run, c);
    read_settings(run, c);
    if (c->n) {
        check_names(run, c);
        check_filters(run, c);
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_trigger *trigger = finding->subject;
    if (trigger && wpa_yaml_is(trigger->node->parent, WPA_YAML_MAPPING)) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "start on merge_group too");
        const wpa_yaml_node *map = trigger->node->parent;
        (void)wpa_rule_insert_behind(run, fix, map->pairs[map->n_pairs - 1].value, "merge_group:");
    }
}

const wpa_rule wpa_rule_required_check_gap = {
    .code = "CMP-047",
    .id = "required-check-gap",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A branch requires a check that no workflow gives, or not always",
    .why = "The check is waited for and never comes, so nothing can be merged.",
    .fix = "Name the check as the job is named now, and start the workflow for every change.",
    .options = options,
    .declares = WPA_DECLARES_TRIGGERS,
    .claims_absence = true,
    .check = check,
    .repair = repair,
};
