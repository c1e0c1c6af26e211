/* PRF-021: fail-fast where it should not be: off on pull requests, on where legs ship. */
#include <string.h>

#include "rules/work.h"

static const wpa_rule_option options[] = {
    {"min-legs", "6", "matrices of fewer legs may run to their ends", WPA_OPTION_NUMBER},
    {0},
};

/* What the repair needs. */
typedef struct subject {
    const wpa_yaml_node *strategy;
    const wpa_yaml_node *value; /* of fail-fast, or NULL */
} subject;

/* Does a later job look at how the legs ended? */
static bool is_result_read(const wpa_outline *o, const wpa_outline_job *job)
{
    static const char *const tests[] = {"always()", "failure()", "result", "cancelled()", NULL};
    for (size_t i = 0; i < o->n_jobs; i++) {
        wpa_work_need needs[64];
        size_t n = wpa_work_needs(o, &o->jobs[i], needs, WPA_COUNT(needs));
        for (size_t k = 0; k < n; k++) {
            if (needs[k].job == job && wpa_work_mentions_any(o->jobs[i].condition, tests)) {
                return true;
            }
        }
    }
    return false;
}

static bool is_off(const subject *s)
{
    return wpa_text_is_ci(wpa_yaml_text(s->value), "false");
}

static void check_off(wpa_rule_run *run, const wpa_outline_job *job, const subject *s, size_t n)
{
    const wpa_outline *o = run->source->outline;
    int64_t least = wpa_rule_option_int(run, "min-legs", 2, 256, 6);
    if (is_off(s) && (int64_t)n >= least && wpa_work_pr_trigger(o) && !is_result_read(o, job) &&
        !wpa_work_job_ships(job)) {
        wpa_finding *finding = wpa_rule_report(
            run, s->value->span, NULL, s,
            "all %zu legs run to their ends on a pull request that one of them has failed", n);
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

/* Dry runs, snapshots, registries and clusters on the runner itself change nothing outside. */
static bool publishes(const wpa_outline_step *step)
{
    static const char *const words[] = {
        "--snapshot", "--insecure-registry", "--dry-run", "install-only",
        "localhost",  "registry.local",      NULL};
    static const char *const local[] = {"kind create", "kindest/", "kind-action", "minikube",
                                        "k3d cluster", "k3s",      NULL};
    static const char *const deploying[] = {"kubectl", "helm ", NULL};
    if (!(wpa_work_step_roles(step) & WPA_DOES_PUBLISH) ||
        wpa_work_mentions_any(step->node, words)) {
        return false;
    }
    bool is_to_own_cluster = wpa_work_mentions_any(step->node, deploying) &&
                             wpa_work_mentions_any(step->job->node, local);
    return !is_to_own_cluster;
}

/* A job that writes to the world leg by leg, and is stopped halfway by the first failure. */
static bool may_stop_shipping(const wpa_outline_job *job, const subject *s)
{
    /* Legs one behind the other: the first that fails keeps the next from being started. */
    const char *at_once = wpa_yaml_text(wpa_yaml_get(s->strategy, "max-parallel"));
    bool ships = false;
    for (size_t i = 0; i < job->n_steps && !ships && !s->value; i++) {
        ships = publishes(&job->steps[i]);
    }
    return ships && !wpa_text_is(at_once, "1");
}

static void report_shipping(wpa_rule_run *run, const wpa_outline_job *job, const subject *s)
{
    wpa_finding *finding =
        wpa_rule_report(run, wpa_yaml_find(job->node, "strategy")->key->span, NULL, s,
                        "the first leg of job %s that fails cancels the others in the middle of "
                        "what they publish",
                        wpa_rule_quote(run, job->id, strlen(job->id)));
    finding->severity = WPA_SEVERITY_MEDIUM;
    finding->persona = WPA_PERSONA_DEFAULT;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    bool is_for_all = wpa_rule_is_wanted(run, WPA_PERSONA_PEDANTIC);
    if (wpa_work_is_large(o)) {
        return true;
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        const wpa_yaml_node *strategy = wpa_yaml_get(job->node, "strategy");
        const subject given = {strategy, wpa_yaml_get(strategy, "fail-fast")};
        bool stops = wpa_yaml_is(strategy, WPA_YAML_MAPPING) && may_stop_shipping(job, &given);
        if (!stops && !(is_for_all && is_off(&given))) {
            continue;
        }
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new_within(wpa_arena_budget(run->arena));
        wpa_matrix_legs legs = wpa_work_legs(run, job, arena);
        if (!wpa_yaml_is(strategy, WPA_YAML_MAPPING) || legs.n < 2) {
            continue;
        }
        const subject *s = wpa_arena_dup(run->arena, &given, sizeof given);
        if (stops) {
            report_shipping(run, job, s);
        } else {
            check_off(run, job, s, legs.n);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (s->value) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "fail fast on pull requests");
        wpa_rule_edit(run, fix, s->value->span, "${{ github.event_name == 'pull_request' }}");
    } else if (s->strategy->n_pairs) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "add fail-fast: false");
        (void)wpa_rule_insert_before(run, fix, s->strategy->pairs[0].value, "fail-fast: false\n");
    }
}

const wpa_rule wpa_rule_fail_fast_off = {
    .code = "PRF-021",
    .id = "fail-fast-off",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_PEDANTIC,
    .has_wider_findings = true,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "fail-fast is off where nobody needs all legs, or on where legs publish",
    .why = "Legs of a pull request that has failed hold runners; a publishing matrix that is "
           "stopped halfway leaves the world half changed.",
    .fix = "Fail fast on pull requests only; never where legs publish.",
    .options = options,
    .declares = WPA_DECLARES_MATRIX,
    .words = (const char *const[]){"strategy", NULL},
    .check = check,
    .repair = repair,
};
