/* EFF-022: jobs so small that starting them is most of their work. */
#include <string.h>

#include "rules/work.h"

#define JOBS_MIN 3

/* The one step that is no setup; NULL if there are more, or none. */
static const wpa_outline_step *only_step(const wpa_outline_job *job)
{
    const wpa_outline_step *only = NULL;
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        unsigned roles = wpa_work_step_roles(step);
        bool is_install = step->run && roles == WPA_DOES_INSTALL;
        if (wpa_work_is_setup(step) || is_install) {
            continue;
        }
        if (only || !step->run || roles != WPA_DOES_LINT) {
            return NULL;
        }
        only = step;
    }
    return only;
}

static bool is_tiny(const wpa_outline_job *job)
{
    static const char *const asks[] = {"strategy", "needs", "services", "container", "environment"};
    for (size_t i = 0; i < WPA_COUNT(asks); i++) {
        if (wpa_yaml_find(job->node, asks[i])) {
            return false;
        }
    }
    return job->n_labels == 1 && job->n_steps > 1 && only_step(job);
}

static bool is_same_setup(const wpa_outline_job *a, const wpa_outline_job *b)
{
    if (a->n_steps != b->n_steps || !wpa_text_is(a->labels[0].text, b->labels[0].text)) {
        return false;
    }
    for (size_t i = 0; i < a->n_steps; i++) {
        wpa_slice x = a->steps[i].uses.slug, y = b->steps[i].uses.slug;
        bool is_uses = a->steps[i].uses.kind == WPA_OUTLINE_REPOSITORY;
        if (a->steps[i].uses.kind != b->steps[i].uses.kind ||
            (is_uses && (x.length != y.length || memcmp(x.at, y.at, x.length) != 0))) {
            return false;
        }
    }
    return true;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (wpa_work_is_large(o)) {
        return true;
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *first = &o->jobs[i];
        size_t n = 0;
        for (size_t k = 0; is_tiny(first) && k < o->n_jobs; k++) {
            bool is_alike = is_tiny(&o->jobs[k]) && is_same_setup(first, &o->jobs[k]);
            if (is_alike && k < i) {
                n = 0; /* said already */
                break;
            }
            n += is_alike;
        }
        if (n >= JOBS_MIN) {
            (void)wpa_rule_report(run, first->key->span, NULL, NULL,
                                  "%zu jobs of one short step each do the same setup: one job "
                                  "would do it once, and pay for one started minute",
                                  n);
        }
    }
    return true;
}

const wpa_rule wpa_rule_tiny_jobs = {
    .code = "EFF-022",
    .id = "tiny-jobs",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "Several jobs of one short step repeat the same setup",
    .why = "Each job waits for a runner, checks out and installs, and is billed in whole minutes.",
    .fix = "Put the steps into one job, in a parallel group if they are to run side by side. There "
           "is no fix by machine.",
    .tables = 1U << WPA_FACTS_COMMANDS,
    .check = check,
};
