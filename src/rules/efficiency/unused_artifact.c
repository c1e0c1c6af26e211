/* EFF-020: an artifact of every pull request that nobody downloads. */
#include <string.h>

#include "rules/handover.h"
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

/* Steps of the file itself that ask the forge for artifacts, in words that no record has. */
static bool asks_forge(const wpa_outline *o)
{
    static const char *const words[] = {"getArtifact", "listWorkflowRunArtifacts", "artifacts",
                                        NULL};
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            if (!wpa_outline_step_uses(step, "actions/upload-artifact") &&
                !wpa_outline_step_uses(step, "actions/download-artifact") &&
                wpa_work_mentions_any(step->node, words)) {
                return true;
            }
        }
    }
    return false;
}

/* Any other run that takes it by its name, as scripts and actions of others may. */
static bool is_taken_anywhere(const wpa_graph *graph, const wpa_graph_file *own,
                              const wpa_store_artifact *upload)
{
    for (size_t i = 0; i < wpa_graph_count(graph); i++) {
        const wpa_graph_file *file = wpa_graph_at(graph, i);
        for (size_t k = 0; file != own && k < file->stores.n_artifacts; k++) {
            const wpa_store_artifact *a = &file->stores.artifacts[k];
            if (!a->is_upload && a->is_of_other_run && wpa_stores_may_fit(upload, a)) {
                return true;
            }
        }
    }
    return false;
}

/* Is there a reader of this run, of one that follows it, or of any other, or may there be one? */
static bool may_be_read(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_graph *graph = run->source->around ? run->source->around->graph : NULL;
    const wpa_graph_file *own = graph ? wpa_graph_own(graph, run->source, run->arena) : NULL;
    const wpa_store_artifact *upload =
        own ? wpa_handover_of(own, step, run->source->outline) : NULL;
    if (!upload) {
        return true;
    }
    wpa_handovers here = wpa_handover_within(graph, own, upload);
    wpa_handovers behind = wpa_handover_downloads(graph, own, upload);
    return here.n || here.is_open || behind.n || behind.is_open ||
           is_taken_anywhere(graph, own, upload);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (wpa_work_is_large(o)) {
        return true;
    }
    if (!wpa_work_pr_trigger(o) || wpa_outline_trigger_find(o, "workflow_call") || asks_forge(o) ||
        wpa_work_ships(run)) {
        return true;
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            if (wpa_outline_step_uses(step, "actions/upload-artifact") && !step->condition &&
                step->with && !wpa_work_mentions_any(step->with, for_people) &&
                !may_be_read(run, step)) {
                (void)wpa_rule_report(run, step->uses.span, NULL, step,
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
