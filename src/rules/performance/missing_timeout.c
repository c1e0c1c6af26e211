#include <string.h>

#include <wpa/text.h>

#include "rules/rule.h"

#define DEFAULT_MINUTES 30
#define MAX_MINUTES 360

static const wpa_rule_option options[] = {
    {"default", "30", "minutes that the fix sets"},
    {"max", "360", "no fix sets more than this"},
    {0},
};

/** Runners with a limit of their own that is short enough. */
static bool is_limited_runner(const char *label)
{
    return label && wpa_text_is_ci(label, "ubuntu-slim");
}

/** Runners whose minutes cost more than those of Linux. */
static bool is_dear_runner(const char *label)
{
    return label && (wpa_text_starts(label, "macos") || wpa_text_starts(label, "windows"));
}

static bool has_timeout_in_each_step(const wpa_yaml_node *steps)
{
    for (size_t i = 0; wpa_yaml_is(steps, WPA_YAML_SEQUENCE) && i < steps->n_items; i++) {
        if (!wpa_yaml_find(steps->items[i], "timeout-minutes")) {
            return false;
        }
    }
    return wpa_yaml_is(steps, WPA_YAML_SEQUENCE) && steps->n_items > 0;
}

static void check_job(wpa_rule_run *run, const wpa_yaml_pair *pair)
{
    const wpa_yaml_node *job = wpa_yaml_resolve(pair->value);
    const wpa_yaml_node *runs_on = wpa_yaml_get(job, "runs-on");
    const char *label = wpa_yaml_text(runs_on);
    bool is_exempt = !runs_on || wpa_yaml_find(job, "uses") ||
                     wpa_yaml_find(job, "timeout-minutes") || is_limited_runner(label) ||
                     has_timeout_in_each_step(wpa_yaml_get(job, "steps"));
    if (is_exempt) {
        return;
    }
    wpa_finding *finding =
        wpa_rule_report(run, pair->key->span, NULL, job,
                        "job %s has no timeout-minutes: if it hangs, it holds its runner for the "
                        "default of 6 hours",
                        wpa_rule_quote(run, pair->key->text, pair->key->length));
    finding->severity = is_dear_runner(label) ? WPA_SEVERITY_HIGH : finding->severity;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_yaml_node *jobs = wpa_yaml_get(run->source->yaml->root, "jobs");
    for (size_t i = 0; wpa_yaml_is(jobs, WPA_YAML_MAPPING) && i < jobs->n_pairs; i++) {
        const wpa_yaml_pair *pair = &jobs->pairs[i];
        if (pair->key->kind == WPA_YAML_SCALAR && wpa_yaml_is(pair->value, WPA_YAML_MAPPING)) {
            check_job(run, pair);
        }
    }
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
    .declares = WPA_DECLARES_TIMEOUTS,
    .claims_absence = true,
    .check = check,
    .repair = repair,
};
