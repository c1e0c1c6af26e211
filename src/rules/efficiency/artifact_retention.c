/* EFF-019: artifacts kept for ninety days that nobody wants tomorrow. */
#include <string.h>

#include "rules/work.h"

static const wpa_rule_option options[] = {
    {"days", "7", "what the fix sets", WPA_OPTION_NUMBER},
    {0},
};

static bool is_released(const wpa_outline *o)
{
    return wpa_outline_trigger_find(o, "release") || wpa_outline_trigger_find(o, "workflow_call");
}

/* Downloaded by a later job of the same run, by this name or with all others. */
static bool is_read_within(const wpa_outline *o, const wpa_outline_step *upload)
{
    const char *name = wpa_outline_with_text(upload, "name");
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            const char *wanted = wpa_outline_with_text(step, "name");
            if (wpa_outline_step_uses(step, "actions/download-artifact") &&
                !wpa_outline_with(step, "run-id") && name && wpa_text_is(name, wanted)) {
                return true;
            }
        }
    }
    return false;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (wpa_work_is_large(o)) {
        return true;
    }
    bool on_pr = wpa_outline_trigger_find(o, "pull_request") != NULL;
    for (size_t i = 0; !is_released(o) && i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            bool is_kept = wpa_outline_step_uses(step, "actions/upload-artifact") && step->with &&
                           !wpa_outline_with(step, "retention-days");
            if (is_kept && (on_pr || is_read_within(o, step))) {
                (void)wpa_rule_report(run, step->uses.span, NULL, step,
                                      on_pr ? "every pull request keeps this artifact for the "
                                              "default of 90 days"
                                            : "this artifact is read within its run and kept for "
                                              "the default of 90 days");
            }
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_step *step = finding->subject;
    int days = (int)wpa_rule_option_int(run, "days", 1, 90, 7);
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "keep it for %d days", days);
    (void)wpa_rule_add_in(run, fix, step->node, "with", "uses", "retention-days",
                          wpa_arena_printf(run->arena, "%d", days));
}

const wpa_rule wpa_rule_artifact_retention = {
    .code = "EFF-019",
    .id = "artifact-retention",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "An artifact of every pull request is kept for the default time",
    .why = "Storage of artifacts is billed in private repositories, day by day.",
    .fix = "Set retention-days; a later re-run of single jobs still needs the artifact.",
    .options = options,
    .declares = WPA_DECLARES_SCRIPT, /* what a step does with its inputs */
    .check = check,
    .repair = repair,
};
