/* QUA-016: names that cannot be told apart. */
#include <string.h>

#include <wpa/map.h>

#include "match/regex.h"
#include "rules/graph.h"
#include "rules/outline.h"
#include "rules/rule.h"
#include "rules/work.h"

static const wpa_rule_option options[] = {
    {"workflow", "", "pattern (PCRE2) that names of workflows fit", WPA_OPTION_PATTERN},
    {"job", "", "pattern that names of jobs fit", WPA_OPTION_PATTERN},
    {"step", "", "pattern that names of steps fit", WPA_OPTION_PATTERN},
    {0},
};

static const char *quote(wpa_rule_run *run, const char *text)
{
    return wpa_rule_quote(run, text, strlen(text));
}

/* Nothing but echo: a stand-in that reports the checks of another workflow, which is left out. */
static bool is_stand_in(const wpa_outline *o)
{
    size_t n = 0;
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++, n++) {
            if (!o->jobs[i].steps[k].run || !wpa_work_is_quick(&o->jobs[i].steps[k])) {
                return false;
            }
        }
    }
    return n > 0;
}

/* Started by callers alone, it has no runs of its own to be told apart. */
static bool is_nameless(const wpa_outline *o)
{
    static const char *const callable[] = {"workflow_call", NULL};
    return wpa_outline_only_triggers(o, callable) || is_stand_in(o);
}

/* Another workflow of the repository, by path before this one, of the same name. */
static void check_workflow_name(wpa_rule_run *run)
{
    const wpa_surroundings *around = run->source->around;
    const wpa_yaml_node *name = wpa_yaml_get(run->source->outline->root, "name");
    const char *text = wpa_yaml_text(name);
    const char *path = wpa_source_identity(run->source);
    size_t n = 0;
    const wpa_graph_file *const *alike =
        text && around && around->graph ? wpa_graph_named(around->graph, text, &n) : NULL;
    /* A project that is copied into this one brings workflows that never run here. */
    if (n == 0 || !alike[0]->name || strcmp(alike[0]->path, path) >= 0 ||
        strstr(path, "/.github/") || strstr(alike[0]->path, "/.github/")) {
        return;
    }
    const wpa_source *other = wpa_rule_source_at(run, alike[0]->path);
    if (is_nameless(run->source->outline) || (other && is_nameless(other->outline))) {
        return;
    }
    wpa_finding *finding =
        wpa_rule_report(run, name->span, "N1", NULL,
                        "%s is called %s as well: runs and workflow_run cannot tell them apart",
                        alike[0]->path, quote(run, text));
    if (other) {
        wpa_rule_relate_in(run, finding, other, alike[0]->name_span, "the same name");
    }
}

static void check_job_names(wpa_rule_run *run)
{
    const wpa_outline *o = run->source->outline;
    wpa_map *by_name = wpa_map_new(run->arena);
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        const wpa_yaml_node *name = wpa_yaml_get(job->node, "name");
        const char *text = wpa_yaml_text(name);
        const char *shown = text ? text : job->id;
        const wpa_yaml_node *at = text ? name : job->key;
        if (!shown || !*shown || !at || strstr(shown, "matrix.")) {
            continue;
        }
        const wpa_yaml_node *before = wpa_map_get(by_name, shown);
        if (before) {
            wpa_finding *finding =
                wpa_rule_report(run, at->span, "N2", NULL,
                                "two jobs are shown as %s: a required check cannot tell them apart",
                                quote(run, shown));
            finding->severity = WPA_SEVERITY_MEDIUM;
            wpa_rule_relate(run, finding, before->span, "the other one");
        } else {
            wpa_map_put(by_name, shown, (void *)(uintptr_t)at);
        }
    }
}

/* "${{ matrix.name }}" and nothing else: the list of checks says nothing before the run. */
static bool is_bare_expression(const char *text)
{
    size_t length = strlen(text);
    return wpa_text_starts(text, "${{") && wpa_text_ends(text, "}}") &&
           !memmem(text + 3, length - 3, "${{", 3);
}

static void check_bare(wpa_rule_run *run)
{
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_yaml_node *name = wpa_yaml_get(o->jobs[i].node, "name");
        const char *text = wpa_yaml_text(name);
        if (text && is_bare_expression(text)) {
            wpa_finding *finding =
                wpa_rule_report(run, name->span, "N3", NULL,
                                "the name of job %s is an expression alone: nobody can require or "
                                "find it by a name",
                                quote(run, o->jobs[i].id));
            finding->persona = WPA_PERSONA_PEDANTIC;
        }
    }
}

/* ---- style ---- */

static void check_style(wpa_rule_run *run, const wpa_regex *pattern, const wpa_yaml_node *name,
                        const char *what)
{
    const char *text = wpa_yaml_text(name);
    if (pattern && text && wpa_regex_find(pattern, text, name->length, 0, NULL) == WPA_REGEX_NO) {
        wpa_finding *finding =
            wpa_rule_report(run, name->span, "N4", NULL,
                            "%s does not fit the pattern for names of %ss", quote(run, text), what);
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

static wpa_regex *pattern_of(const wpa_rule_run *run, const char *option)
{
    const char *text = wpa_rule_option_text(run, option);
    if (!text || !*text) {
        return NULL;
    }
    wpa_error err = {0};
    return wpa_regex_new(text, 0, &err);
}

static void check_styles(wpa_rule_run *run)
{
    const wpa_outline *o = run->source->outline;
    WPA_AUTO(wpa_regex) *workflow = pattern_of(run, "workflow");
    WPA_AUTO(wpa_regex) *job = pattern_of(run, "job");
    WPA_AUTO(wpa_regex) *step = pattern_of(run, "step");
    check_style(run, workflow, wpa_yaml_get(o->root, "name"), "workflow");
    for (size_t i = 0; i < o->n_jobs && (job || step); i++) {
        check_style(run, job, wpa_yaml_get(o->jobs[i].node, "name"), "job");
        for (size_t k = 0; k < o->jobs[i].n_steps && step; k++) {
            check_style(run, step, wpa_yaml_get(o->jobs[i].steps[k].node, "name"), "step");
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    check_workflow_name(run);
    if (run->source->outline->n_jobs > 1) {
        check_job_names(run);
    }
    check_bare(run);
    check_styles(run);
    return true;
}

const wpa_rule wpa_rule_ambiguous_names = {
    .code = "QUA-016",
    .id = "ambiguous-names",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "Workflows or jobs have one name, or a name that says nothing",
    .why = "Branch protection, workflow_run and people choose by name, and take the wrong one.",
    .fix = "Give each a name of its own; what depends on the old one is to be changed with it.",
    .checks = (const char *const[]){"N1", "N2", "N3", "N4", NULL},
    .options = options,
    .check = check,
};
