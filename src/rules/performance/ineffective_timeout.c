/* PRF-002: a time limit that can never fire, or fires where it was not meant to. */
#include <string.h>

#include "rules/work.h"

#define HOSTED_MINUTES 360
#define SLIM_MINUTES 15
#define SELF_HOSTED_MINUTES 7200 /* five days */

static const wpa_rule_option options[] = {
    {"max", "", "minutes that no timeout may exceed", WPA_OPTION_NUMBER},
    {0},
};

/* What the repair needs: the value, and the limit to clamp it to (0: take it out; below: none). */
typedef struct subject {
    const wpa_yaml_node *value;
    double limit;
} subject;

static const wpa_yaml_node *timeout_of(const wpa_yaml_node *mapping, double *minutes)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(mapping, "timeout-minutes");
    const char *text = pair ? wpa_yaml_text(pair->value) : NULL;
    return text && wpa_text_to_double(text, minutes) ? wpa_yaml_resolve(pair->value) : NULL;
}

/* Minutes after which the platform ends the job whatever it says; of legs the longest. */
static double limit_of(const wpa_outline_job *job)
{
    double limit = 0;
    if (!wpa_work_is_hosted(job)) {
        return SELF_HOSTED_MINUTES;
    }
    for (size_t i = 0; i < job->n_labels; i++) {
        bool is_slim = wpa_text_is(job->labels[i].runner->size, "slim");
        double own = is_slim ? SLIM_MINUTES : HOSTED_MINUTES;
        limit = own > limit ? own : limit;
    }
    return limit;
}

static void report(wpa_rule_run *run, const wpa_yaml_node *value, double limit, const char *message)
{
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){value, limit};
    (void)wpa_rule_report(run, value->span, NULL, s, "%s", message);
}

/* A step that retries for longer than it is given. */
static void check_retry(wpa_rule_run *run, const wpa_outline_step *step, double minutes)
{
    static const char *const retries[] = {"nick-fields/retry", "nick-invision/retry"};
    const char *per_attempt = wpa_outline_with_text(step, "timeout_minutes");
    const char *attempts = wpa_outline_with_text(step, "max_attempts");
    double each, n = 3;
    bool is_retry =
        wpa_outline_step_uses(step, retries[0]) || wpa_outline_step_uses(step, retries[1]);
    if (!is_retry || !per_attempt || !wpa_text_to_double(per_attempt, &each) ||
        (attempts && !wpa_text_to_double(attempts, &n)) || each * n <= minutes) {
        return;
    }
    double ignored;
    report(run, timeout_of(step->node, &ignored), -1,
           wpa_arena_printf(run->arena,
                            "%g attempts of %g minutes do not fit into the %g minutes that the "
                            "step is given",
                            n, each, minutes));
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step, double job_minutes,
                       bool is_own)
{
    double minutes;
    const wpa_yaml_node *value = timeout_of(step->node, &minutes);
    if (!value) {
        return;
    }
    if (minutes > job_minutes || (is_own && minutes >= job_minutes)) {
        report(run, value, 0,
               wpa_arena_printf(run->arena,
                                "the step's limit of %g minutes can never fire: the job ends after "
                                "%g",
                                minutes, job_minutes));
    } else {
        check_retry(run, step, minutes);
    }
}

static void check_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    double minutes, limit = limit_of(job);
    const wpa_yaml_node *value = timeout_of(job->node, &minutes);
    int64_t most = wpa_rule_option_int(run, "max", 1, SELF_HOSTED_MINUTES, 0);
    if (value && minutes > limit) {
        report(run, value, limit,
               wpa_arena_printf(run->arena,
                                "timeout-minutes of %g can never fire: the runner ends a job after "
                                "%g minutes",
                                minutes, limit));
    } else if (value && most && minutes > (double)most) {
        report(run, value, (double)most,
               wpa_arena_printf(run->arena, "timeout-minutes of %g is more than the agreed %d",
                                minutes, (int)most));
    }
    bool is_own = value && minutes <= limit;
    for (size_t i = 0; i < job->n_steps; i++) {
        check_step(run, &job->steps[i], is_own ? minutes : limit, is_own);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        if (!o->jobs[i].is_call) {
            check_job(run, &o->jobs[i]);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (s->limit > 0) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "set it to %g", s->limit);
        wpa_rule_edit(run, fix, s->value->span, "%g", s->limit);
    } else if (s->limit >= 0) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "remove it");
        (void)wpa_rule_remove_entry(run, fix, s->value);
    }
}

const wpa_rule wpa_rule_ineffective_timeout = {
    .code = "PRF-002",
    .id = "ineffective-timeout",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .words = (const char *const[]){"timeout-minutes", NULL},
    .summary = "A time limit can never fire",
    .why = "The platform, or the job's own limit, ends the work before it: what hangs holds its "
           "runner for longer than is written.",
    .fix = "Remove a limit that another one always beats; set one that is below it.",
    .options = options,
    .tables = 1U << WPA_FACTS_RUNNERS,
    .declares = WPA_DECLARES_TIMEOUTS,
    .check = check,
    .repair = repair,
};
