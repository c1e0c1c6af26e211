/* EFF-020: an artifact of every pull request that nobody downloads. */
#include <string.h>

#include "rules/graph.h"
#include "rules/work.h"

/* Words in a name or path that say it is for people, or for after a failure. */
static const char *const for_people[] = {
    "log",  "report",    "result",   "coverage",  "screenshot", "trace",   "video",    "dump",
    "test", "debug",     "bin",      "build",     "dist",       "wheel",   "apk",      "ipa",
    "exe",  "installer", "docs",     "site",      "pdf",        "package", "snapshot", "sarif",
    "sbom", "profile",   "bench",    "html",      "preview",    "release", "artifact", "image",
    "core", "jar",       "crash",    "diff",      "output",     "nupkg",   "appimage", "deb",
    "rpm",  "zip",       "summary",  "backtrace", "app",        "stats",   "metrics",  "lint",
    "plan", "storybook", "baseline", "failed",    NULL};

static bool downloads_any(const wpa_outline *o)
{
    static const char *const words[] = {"download-artifact", "gh run download",
                                        "getArtifact",       "listWorkflowRunArtifacts",
                                        "artifacts",         NULL};
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            if (!wpa_outline_step_uses(step, "actions/upload-artifact") &&
                wpa_work_mentions_any(step->node, words)) {
                return true;
            }
        }
        if (o->jobs[i].is_call) {
            return true;
        }
    }
    return false;
}

/* A workflow that runs behind this one, or is not known not to. */
static bool has_reader(wpa_rule_run *run)
{
    const wpa_graph *graph = run->source->around ? run->source->around->graph : NULL;
    for (size_t i = 0; graph && i < wpa_graph_count(graph); i++) {
        const wpa_graph_file *file = wpa_graph_at(graph, i);
        if (wpa_graph_trigger_find(file, "workflow_run")) {
            const wpa_source *source = wpa_rule_source_at(run, file->path);
            if (!source || downloads_any(source->outline)) {
                return true;
            }
        }
    }
    return !graph;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (wpa_work_is_large(o)) {
        return true;
    }
    if (!wpa_work_pr_trigger(o) || wpa_outline_trigger_find(o, "workflow_call") ||
        downloads_any(o) || wpa_work_ships(run)) {
        return true;
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            if (wpa_outline_step_uses(step, "actions/upload-artifact") && !step->condition &&
                step->with && !wpa_work_mentions_any(step->with, for_people) && !has_reader(run)) {
                (void)wpa_rule_report(run, step->uses.node->span, NULL, step,
                                      "every pull request uploads this artifact and nothing "
                                      "downloads it");
            }
        }
    }
    return true;
}

/* Who looks for it after a failure finds it there. */
static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_step *step = finding->subject;
    const wpa_yaml_pair *uses = wpa_yaml_find(step->node, "uses");
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "upload it on failure only");
    (void)wpa_rule_insert_behind(run, fix, uses->value, "if: failure()");
}

const wpa_rule wpa_rule_unused_artifact = {
    .code = "EFF-020",
    .id = "unused-artifact",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "An artifact of every pull request that nobody downloads",
    .why = "It is packed, uploaded and kept for ninety days each time.",
    .fix = "Upload it on failure, or not at all: who looks at it a person must say.",
    .declares = WPA_DECLARES_JOBS,
    .claims_absence = true,
    .words = (const char *const[]){"actions/upload-artifact", NULL},
    .check = check,
    .repair = repair,
};
