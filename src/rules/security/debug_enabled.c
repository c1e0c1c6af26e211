/* SEC-047: logs that say everything, shells that are open to the outside. */
#include <string.h>

#include "facts/supply.h"
#include "rules/outline.h"
#include "rules/rule.h"
#include "rules/trust.h"

static bool is_true(const char *text)
{
    return wpa_text_is_ci(text, "true") || wpa_text_is(text, "1") ||
           wpa_text_is_ci(text, "${{ true }}");
}

static const char *const names[] = {"ACTIONS_STEP_DEBUG", "ACTIONS_RUNNER_DEBUG"};

/* Hardly any file names one of them. */
static bool may_name_any(const wpa_yaml_doc *doc)
{
    return wpa_yaml_may_hold(doc, names[0]) || wpa_yaml_may_hold(doc, names[1]);
}

static void check_env(wpa_rule_run *run, const wpa_yaml_node *scope)
{
    const wpa_yaml_node *env = wpa_yaml_get(scope, "env");
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        const wpa_yaml_node *value = wpa_yaml_get(env, names[i]);
        if (is_true(wpa_yaml_text(value)) && value->key) {
            (void)wpa_rule_report(run, (wpa_span){value->key->span.start, value->span.end}, NULL,
                                  value, "%s logs what steps hold, secrets in other forms too",
                                  names[i]);
        }
    }
}

static void check_all_env(wpa_rule_run *run)
{
    const wpa_outline *o = run->source->outline;
    check_env(run, o->root);
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_env(run, o->jobs[i].node);
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            check_env(run, o->jobs[i].steps[k].node);
        }
    }
}

/* Only after a failure, and only for whoever started it? */
static bool is_limited(const wpa_outline_step *step)
{
    const char *condition = wpa_yaml_text(step->condition);
    bool is_wanted = condition && (strstr(condition, "failure()") || strstr(condition, "inputs."));
    return is_wanted && is_true(wpa_outline_with_text(step, "limit-access-to-actor"));
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    if (!step->uses.fact || !step->uses.fact->is_debug) {
        return;
    }
    wpa_site site = {.source = run->source, .job = step->job, .step = step};
    wpa_fact_trust trust = wpa_trust_of(run, &site).trust;
    bool is_open = trust == WPA_TRUST_OUTSIDER || trust == WPA_TRUST_OUTSIDER_PRIVILEGED;
    if (!is_open && is_limited(step)) {
        return;
    }
    wpa_finding *finding =
        wpa_rule_report(run, step->uses.slug_span, NULL, NULL,
                        is_open ? "%s opens a shell on the runner, in a job that strangers start"
                                : "%s opens a shell on the runner to whoever finds its address",
                        wpa_rule_quote(run, step->uses.slug.at, step->uses.slug.length));
    finding->severity = WPA_SEVERITY_HIGH;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (may_name_any(run->source->yaml)) {
        check_all_env(run);
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            check_step(run, &o->jobs[i].steps[k]);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *value = finding->subject;
    if (value) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "take it out");
        (void)wpa_rule_remove_entry(run, fix, value);
    }
}

const wpa_rule wpa_rule_debug_enabled = {
    .code = "SEC-047",
    .id = "debug-enabled",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "Debugging is left on",
    .why = "Debug logs show values that are not masked, and a shell on the runner shows all.",
    .fix = "Take it out; debug logging can be had for one run when it is started again.",
    .elsewhere = (const char *const[]){"poutine/debug_enabled", NULL},
    .declares = WPA_DECLARES_ENV,
    .tables = 1U << WPA_FACTS_SUPPLY,
    .check = check,
    .repair = repair,
};
