/* PRF-025: called workflows run one behind the other, and the second uses nothing of the first. */
#include <string.h>

#include "rules/jobs.h"
#include "rules/site.h"
#include "rules/work.h"

#define NEEDS_MAX 64

/* The called workflow, if it is of this repository. */
static const wpa_outline *callee_of(wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_source *source = wpa_site_callee(run, &job->uses);
    return source && !source->is_partial ? source->outline : NULL;
}

/* Leaves something behind that the next may find: artifacts, caches, images, deployments. */
static bool leaves_something(const wpa_outline *o)
{
    static const char *const words[] = {"upload-artifact",
                                        "upload-pages",
                                        "actions/cache",
                                        "docker push",
                                        "push: ",
                                        "git push",
                                        "environment:",
                                        "kubectl",
                                        "aws ",
                                        "gcloud ",
                                        "gh release",
                                        "concurrency:",
                                        NULL};
    for (size_t i = 0; i < o->n_jobs; i++) {
        if (o->jobs[i].is_call || wpa_work_job_ships(&o->jobs[i]) ||
            wpa_work_has_unknown(&o->jobs[i])) {
            return true;
        }
    }
    return wpa_work_mentions_any(o->root, words);
}

/* Builds or tests: anything less may be there to spare the second. */
static bool is_heavy(const wpa_outline *o)
{
    unsigned roles = 0;
    for (size_t i = 0; i < o->n_jobs; i++) {
        roles |= wpa_work_job_roles(&o->jobs[i]);
    }
    return (roles & (unsigned)(WPA_DOES_TEST | WPA_DOES_BUILD)) != 0;
}

static void check_need(wpa_rule_run *run, const wpa_outline_job *job, const wpa_work_need *need)
{
    static const char *const results[] = {"always()", "failure()", "toJSON(needs", "needs.*", NULL};
    const char *own = wpa_arena_printf(run->arena, "needs.%s", need->id);
    if (!need->job || !need->job->is_call || wpa_work_mentions(job->node, own) ||
        wpa_work_mentions_any(job->node, results) || wpa_work_job_ships(job)) {
        return;
    }
    const wpa_outline *first = callee_of(run, need->job), *second = callee_of(run, job);
    if (!first || !second || leaves_something(first) || !is_heavy(first)) {
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        run, need->node->span, NULL, need->node,
        "the workflow that job %s calls uses nothing of the one that %s calls: they could run at "
        "the same time",
        wpa_rule_quote(run, job->id, strlen(job->id)),
        wpa_rule_quote(run, need->id, strlen(need->id)));
    wpa_rule_relate(run, finding, need->job->uses.span, "runs first");
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (wpa_work_is_large(o)) {
        return true;
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        wpa_work_need needs[NEEDS_MAX];
        size_t n = o->jobs[i].is_call ? wpa_work_needs(o, &o->jobs[i], needs, NEEDS_MAX) : 0;
        for (size_t k = 0; k < n; k++) {
            check_need(run, &o->jobs[i], &needs[k]);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "do not wait for it");
    wpa_jobs_drop_need(run, fix, finding->subject);
}

const wpa_rule wpa_rule_sequential_callees = {
    .code = "PRF-025",
    .id = "sequential-callees",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "Called workflows run one behind the other for no reason that can be seen",
    .why = "The run takes as long as both together where it could take as long as the longer one.",
    .fix = "Remove the edge under needs, unless the first is there to spare the second.",
    .declares = WPA_DECLARES_JOBS,
    .words = (const char *const[]){"needs", NULL},
    .check = check,
    .repair = repair,
};
