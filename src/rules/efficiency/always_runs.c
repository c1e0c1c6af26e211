/* EFF-018: always() on work that nobody wants after a cancel. */
#include <string.h>

#include "rules/work.h"

/* Words of a step that tidies up, tells somebody, or keeps evidence. */
static bool is_aftermath(const wpa_yaml_node *node)
{
    static const char *const words[] = {
        "clean",   "log",      "upload", "report",   "notify",  "slack",    "stop",     "down",
        "delete",  "remove",   "rm ",    "artifact", "summary", "result",   "coverage", "cache",
        "logout",  "kill",     "prune",  "status",   "destroy", "teardown", "comment",  "dump",
        "collect", "describe", "save",   "diagnos",  "debug",   "unlock",   NULL};
    return wpa_work_mentions_any(node, words);
}

/* "always()" and nothing else. */
static bool is_always(const char *text)
{
    static const char *const forms[] = {"always()", "${{ always() }}", "${{always()}}"};
    return wpa_text_index(text, forms, WPA_COUNT(forms)) >= 0;
}

static void report(wpa_rule_run *run, const wpa_yaml_node *condition)
{
    (void)wpa_rule_report(run, condition->span, NULL, condition,
                          "always() runs this even when the run is cancelled, and keeps the runner "
                          "from stopping");
}

/* A job that builds or deploys, and is not there to see how the others ended. */
static void check_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    const char *text = wpa_yaml_text(job->condition);
    bool is_work = (wpa_work_job_roles(job) &
                    (unsigned)(WPA_DOES_BUILD | WPA_DOES_TEST | WPA_DOES_PUBLISH)) != 0;
    if (text && is_always(text) && is_work && !wpa_work_mentions(job->node, "needs.") &&
        !is_aftermath(job->node)) {
        report(run, job->condition);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_job(run, &o->jobs[i]);
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            const char *text = wpa_yaml_text(step->condition);
            if (text && is_always(text) && wpa_outline_step_builds(step) &&
                !is_aftermath(step->node)) {
                report(run, step->condition);
            }
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *condition = finding->subject;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "use !cancelled()");
    /* Bare, "!" would begin a YAML tag. */
    wpa_rule_edit(run, fix, condition->span, "${{ !cancelled() }}");
}

const wpa_rule wpa_rule_always_runs = {
    .code = "EFF-018",
    .id = "always-runs",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A build, test or deployment runs even after a cancel",
    .why = "Cancelling a run frees no runner while such a step goes on.",
    .fix = "Use !cancelled(), which still runs after a failure.",
    .declares = WPA_DECLARES_JOBS,
    .words = (const char *const[]){"always", NULL},
    .check = check,
    .repair = repair,
};
