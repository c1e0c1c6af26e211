/* EFF-013: a schedule that runs a build more often than anyone can use. */
#include <string.h>

#include "rules/cron.h"
#include "rules/own.h"
#include "rules/work.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

static const wpa_rule_option options[] = {
    {"min-interval", "1h", "runs that are as far apart are fine", WPA_OPTION_DURATION},
    {0},
};

static int64_t most_per_day(const wpa_rule_run *run)
{
    int64_t interval_ms;
    bool is_one =
        wpa_text_to_duration_ms(wpa_rule_option_text(run, "min-interval"), &interval_ms) &&
        interval_ms > 0;
    return DAY_MS / (is_one ? interval_ms : HOUR_MS);
}

static const wpa_outline_job *find_build(const wpa_outline *o)
{
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            if (wpa_outline_step_builds(&o->jobs[i].steps[k])) {
                return &o->jobs[i];
            }
        }
    }
    return NULL;
}

/* A build or test, rather than a script that looks after something outside. */
static const wpa_outline_job *find_work(const wpa_outline *o)
{
    for (size_t i = 0; i < o->n_jobs; i++) {
        if (wpa_work_job_roles(&o->jobs[i]) & (WPA_DOES_TEST | WPA_DOES_BUILD | WPA_DOES_LINT)) {
            return &o->jobs[i];
        }
    }
    return NULL;
}

static void check_cron(wpa_rule_run *run, const wpa_yaml_node *node)
{
    const char *text = wpa_yaml_text(node);
    wpa_cron cron;
    int64_t most = most_per_day(run);
    if (!text || !wpa_cron_parse(text, &cron) || wpa_cron_per_day(&cron) <= most) {
        return;
    }
    const wpa_outline_job *build = find_work(run->source->outline);
    if (build) {
        wpa_finding *finding =
            wpa_rule_report(run, node->span, NULL, NULL,
                            "cron %s builds %d times a day whether or not anything has changed",
                            wpa_rule_quote(run, text, strlen(text)), wpa_cron_per_day(&cron));
        wpa_rule_relate(run, finding, build->key->span, "runs each time");
    }
}

/* Daily, of what each push has built: the commit is the same, and no job asks which event it is. */
static void check_repeat(wpa_rule_run *run, const wpa_outline *o, const wpa_yaml_node *node)
{
    static const char *const tests[] = {"github.event_name", "GITHUB_EVENT_NAME", "github.event.",
                                        "'schedule'", NULL};
    const wpa_outline_trigger *push = wpa_outline_trigger_find(o, "push");
    unsigned roles = 0;
    for (size_t i = 0; i < o->n_jobs; i++) {
        roles |= wpa_work_job_roles(&o->jobs[i]);
    }
    const char *text = wpa_yaml_text(node);
    wpa_cron cron;
    if (!push || (roles & WPA_DOES_SCAN) || !text || !wpa_cron_parse(text, &cron) ||
        cron.has_days || (cron.has_weekdays && __builtin_popcount(cron.weekdays) < 5) ||
        !find_build(o) || wpa_yaml_find(push->config, "paths") ||
        wpa_yaml_find(push->config, "paths-ignore") ||
        (wpa_yaml_find(push->config, "tags") && !wpa_yaml_find(push->config, "branches")) ||
        wpa_work_mentions_any(wpa_yaml_get(o->root, "jobs"), tests) ||
        wpa_cron_per_day(&cron) > most_per_day(run)) {
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        run, node->span, NULL, NULL,
        "runs every day what each push has run already, whether or not anything has changed");
    finding->severity = WPA_SEVERITY_LOW;
    finding->persona = WPA_PERSONA_PEDANTIC; /* it may be there for what changes outside */
    wpa_rule_relate(run, finding, push->node->span, "the same jobs run for each push");
}

/* Forks of a public repository run it too, once somebody has switched their workflows on. */
static void check_owner(wpa_rule_run *run, const wpa_outline *o, const wpa_outline_trigger *t)
{
    static const char *const guards[] = {"github.repository", "fork", "secrets.", "vars.", NULL};
    bool is_public = wpa_rule_visibility(run) == WPA_VISIBILITY_PUBLIC;
    const wpa_yaml_node *jobs = wpa_yaml_get(o->root, "jobs");
    if (is_public && find_build(o) && !wpa_work_mentions_any(jobs, guards)) {
        wpa_finding *finding = wpa_rule_report(
            run, t->node->span, NULL, NULL,
            "forks build on this schedule as well: no job asks for github.repository");
        finding->severity = WPA_SEVERITY_LOW;
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline_trigger *t = wpa_outline_trigger_find(run->source->outline, "schedule");
    const wpa_yaml_node *list = wpa_yaml_resolve(t ? t->config : NULL);
    for (size_t i = 0; list && list->kind == WPA_YAML_SEQUENCE && i < list->n_items; i++) {
        check_cron(run, wpa_yaml_get(list->items[i], "cron"));
        check_repeat(run, run->source->outline, wpa_yaml_get(list->items[i], "cron"));
    }
    if (t) {
        check_owner(run, run->source->outline, t);
    }
    return true;
}

const wpa_rule wpa_rule_excessive_schedule = {
    .code = "EFF-013",
    .id = "excessive-schedule",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .words = (const char *const[]){"schedule", NULL},
    .summary = "A build runs on a schedule more often than hourly",
    .why = "Most of these runs build what the run before has built.",
    .fix = "Run it less often, or on the event that matters. How often is enough a person must "
           "say.",
    .options = options,
    .check = check,
};
