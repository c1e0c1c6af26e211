/* QUA-019: a release goes out without a test in front of it, though the repository has some. */
#include <string.h>

#include "rules/graph.h"
#include "rules/jobs.h"
#include "rules/outline.h"
#include "rules/rule.h"
#include "rules/shell_roles.h"
#include "rules/trust.h"
#include "rules/work.h"

typedef struct subject {
    const wpa_outline_job *job;
    const wpa_outline_job *test; /* of this file */
} subject;

/* Actions that publish what others install. */
static const char *const publishers[] = {"pypa/gh-action-pypi-publish",
                                         "js-devtools/npm-publish",
                                         "goreleaser/goreleaser-action",
                                         "changesets/action",
                                         "cycjimmy/semantic-release-action",
                                         "katyo/publish-crates",
                                         "rubygems/release-gem",
                                         "gradle/publish"};

/* A chart is tried in a cluster that lives and dies with the job. */
static bool is_tried(const wpa_outline_job *job, const wpa_shell_command *c)
{
    static const char *const clusters[] = {"kind-action", "kind create", "minikube", "k3d",
                                           "k3s",         "microk8s",    NULL};
    return wpa_text_is(c->name, "helm") && !wpa_shell_is(c, "helm", "push") &&
           wpa_work_mentions_any(job->node, clusters);
}

static bool step_publishes(const wpa_outline_step *step)
{
    for (size_t i = 0; i < WPA_COUNT(publishers); i++) {
        if (wpa_outline_step_uses(step, publishers[i])) {
            const char *args = wpa_outline_with_text(step, "args");
            return !args || (!strstr(args, "--snapshot") && !strstr(args, "check") &&
                             !strstr(args, "build") && !wpa_outline_has_expression(args));
        }
    }
    const wpa_script *script = wpa_step_commands(step);
    for (size_t i = 0; script && i < script->n_commands; i++) {
        static const char *const packers[] = {"npm",    "yarn",   "pnpm", "cargo",  "twine",
                                              "gem",    "poetry", "uv",   "flit",   "hatch",
                                              "dotnet", "nuget",  "mvn",  "gradle", "helm"};
        const wpa_shell_command *c = &script->commands[i];
        bool is_dry = wpa_shell_word_find(c, "--dry-run") || wpa_shell_word_find(c, "run");
        if (!is_dry && wpa_text_index(c->name, packers, WPA_COUNT(packers)) >= 0 &&
            (wpa_shell_roles(c) & WPA_DOES_PUBLISH) && !is_tried(step->job, c)) {
            return true;
        }
    }
    return false;
}

static const wpa_outline_step *find_publishing(const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        if (step_publishes(&job->steps[i])) {
            return &job->steps[i];
        }
    }
    return NULL;
}

/* Tests, or may: a call, an action of the tree, a script that cannot be read. */
static bool may_test(const wpa_graph_file *file, size_t job)
{
    bool may = (file->jobs[job].roles & WPA_DOES_TEST) || file->jobs[job].is_open;
    for (size_t i = 0; i < file->n_uses; i++) {
        may = may ||
              (file->uses[i].job == job && (file->uses[i].is_call || file->uses[i].local_path));
    }
    return may;
}

static const wpa_graph_file *find_tested_file(const wpa_graph *graph, const wpa_graph_file *own)
{
    for (size_t i = 0; i < wpa_graph_count(graph); i++) {
        const wpa_graph_file *file = wpa_graph_at(graph, i);
        for (size_t k = 0; file->kind == WPA_INPUT_WORKFLOW && file != own && k < file->n_jobs;
             k++) {
            if (file->jobs[k].roles & WPA_DOES_TEST) {
                return file;
            }
        }
    }
    return NULL;
}

static bool is_started_by_push(const wpa_outline *o)
{
    return wpa_outline_trigger_find(o, "push") != NULL &&
           !wpa_outline_trigger_find(o, "workflow_run");
}

static void check_job(wpa_rule_run *run, const wpa_graph_file *file, size_t index)
{
    const wpa_outline *o = run->source->outline;
    const wpa_outline_job *job = &o->jobs[index];
    const wpa_outline_step *step = find_publishing(job);
    if (!step || !job->key || o->n_jobs > WPA_JOBS_MAX ||
        wpa_trust_is_for_other_event(run->source, job->condition, "push")) {
        return;
    }
    bool *is_before = wpa_arena_array(run->arena, o->n_jobs, sizeof *is_before);
    wpa_jobs_mark_needs(o, index, is_before);
    is_before[index] = true;
    const wpa_outline_job *test = NULL;
    for (size_t i = 0; i < o->n_jobs; i++) {
        if (is_before[i] && may_test(file, i)) {
            return;
        }
        test = !test && (file->jobs[i].roles & WPA_DOES_TEST) ? &o->jobs[i] : test;
    }
    const wpa_graph_file *other = test ? NULL : find_tested_file(run->source->around->graph, file);
    if (!test && !other) {
        return; /* there is nothing to wait for */
    }
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){job, test};
    wpa_finding *finding = wpa_rule_report(
        run, job->key->span, NULL, s, "job %s publishes without waiting for the tests (%s)",
        wpa_rule_quote(run, job->id, strlen(job->id)), test ? test->id : other->path);
    finding->severity = test ? WPA_SEVERITY_MEDIUM : WPA_SEVERITY_LOW;
    const wpa_yaml_node *at = step->run ? step->run->key : step->uses.node;
    wpa_rule_relate(run, finding, at->span, "publishes");
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_surroundings *around = run->source->around;
    const wpa_graph_file *file =
        around && around->graph ? wpa_graph_find(around->graph, wpa_source_identity(run->source))
                                : NULL;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; file && file->n_jobs == o->n_jobs && is_started_by_push(o) && i < o->n_jobs;
         i++) {
        check_job(run, file, i);
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (s->test) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "wait for job %s", s->test->id);
        wpa_jobs_add_need(run, fix, s->job, s->test->id);
    }
}

const wpa_rule wpa_rule_ungated_release = {
    .code = "QUA-019",
    .id = "ungated-release",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A push publishes without waiting for tests that the repository has",
    .why = "What is broken is released, and cannot be taken back from those who installed it.",
    .fix = "Let the job need the tests, or start it by workflow_run behind them.",
    .tables = 1U << WPA_FACTS_COMMANDS,
    .declares = WPA_DECLARES_JOBS,
    .claims_absence = true,
    .check = check,
    .repair = repair,
};
