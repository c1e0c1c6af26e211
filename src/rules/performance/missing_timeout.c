#include <string.h>

#include <wpa/text.h>

#include "rules/steps.h"
#include "rules/work.h"

#define DEFAULT_MINUTES 30
#define MAX_MINUTES 360

static const wpa_rule_option options[] = {
    {"default", "30", "minutes that the fix sets", WPA_OPTION_NUMBER},
    {"max", "360", "no fix sets more than this", WPA_OPTION_NUMBER},
    {0},
};

/* Every leg runs where the platform itself ends a job soon enough. */
static bool is_limited(const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_labels; i++) {
        const wpa_fact_runner *runner = job->labels[i].runner;
        if (!runner || !wpa_text_is(runner->size, "slim")) {
            return false;
        }
    }
    return job->n_labels > 0;
}

/* Minutes cost more than those of the usual Linux runner. */
static bool is_dear(const wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_fact_runner *usual = wpa_facts_runner_find(wpa_slice_of("ubuntu-latest"));
    return usual && wpa_work_rate(run, job) > usual->usd_per_1000_minutes;
}

static bool has_timeout_in_each_step(const wpa_outline_job *job)
{
    size_t n = 0;
    for (size_t i = 0; i < job->n_steps; i++) {
        bool has_own = wpa_yaml_find(job->steps[i].node, "timeout-minutes") != NULL;
        if (!has_own && !wpa_work_is_setup(&job->steps[i]) && !wpa_work_is_quick(&job->steps[i])) {
            return false;
        }
        n += has_own;
    }
    return n > 0;
}

/* Nothing in it that could hang: it only says or decides something ("all checks passed"). */
static bool is_quick(const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        if (!job->steps[i].run || !wpa_work_is_quick(&job->steps[i])) {
            return false;
        }
    }
    return job->n_steps > 0;
}

static void check_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    bool is_exempt = !wpa_yaml_find(job->node, "runs-on") || wpa_yaml_find(job->node, "uses") ||
                     wpa_yaml_find(job->node, "timeout-minutes") || is_limited(job) ||
                     has_timeout_in_each_step(job);
    if (is_exempt || !job->key) {
        return;
    }
    wpa_finding *finding =
        wpa_rule_report(run, job->key->span, NULL, job->node,
                        "job %s has no timeout-minutes: if it hangs, it holds its runner for the "
                        "default of 6 hours",
                        wpa_rule_quote(run, job->key->text, job->key->length));
    finding->severity = is_dear(run, job) ? WPA_SEVERITY_HIGH : finding->severity;
    finding->persona = is_quick(job) ? WPA_PERSONA_PEDANTIC : finding->persona;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_job(run, check_job);
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *job = finding->subject;
    const wpa_yaml_pair *runs_on = wpa_yaml_find(job, "runs-on");
    int64_t max = wpa_rule_option_int(run, "max", 1, MAX_MINUTES, MAX_MINUTES);
    int64_t minutes = wpa_rule_option_int(run, "default", 1, max, DEFAULT_MINUTES);
    wpa_fix *fix =
        wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "add timeout-minutes: %d", (int)minutes);
    if (runs_on && runs_on->value->parent == job) { /* not one merged in from elsewhere */
        (void)wpa_rule_insert_behind(run, fix, runs_on->value, "timeout-minutes: %d", (int)minutes);
    }
}

const wpa_rule wpa_rule_missing_timeout = {
    .code = "PRF-001",
    .id = "missing-timeout",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A job has no time limit of its own",
    .why = "A hung job holds its runner, and bills it, for the default of 360 minutes.",
    .fix = "Set timeout-minutes to about three times what the job usually takes.",
    .elsewhere = (const char *const[]){"actionlint-fork/require-job-timeout", NULL},
    .options = options,
    .tables = 1U << WPA_FACTS_RUNNERS,
    .declares = WPA_DECLARES_TIMEOUTS,
    .claims_absence = true,
    .check = check,
    .repair = repair,
};
