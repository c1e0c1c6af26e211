/* QUA-018: a job that runs whatever became of the jobs it needs, and does not look. */
#include <string.h>

#include "rules/outline.h"
#include "rules/rule.h"
#include "rules/shell_roles.h"

/* The word as a whole: "gate" is not in "aggregate". */
static bool has_word(const char *text, const char *word)
{
    const char *end = text + strlen(text);
    for (const char *at = text; (at = wpa_text_find_ci(at, (size_t)(end - at), word)); at++) {
        bool is_start = at == text || strchr(" -_/:.(", at[-1]);
        if (is_start) {
            return true;
        }
    }
    return false;
}

/* Names of jobs that stand for all others, as branches require them. */
static bool is_named_as_gate(const wpa_outline_job *job)
{
    static const char *const words[] = {
        "required",    "all-green",  "all_green", "ci-success", "ci_success", "all-checks",
        "all_checks",  "ci-ok",      "all-pass",  "all_pass",   "tests-pass", "all-tests",
        "checks-pass", "ci-pass",    "ci-status", "all-good",   "all done",   "all-done",
        "gate",        "conclusion", "all-jobs",  "alls-green", "merge-ok",   "build-result"};
    const char *name = wpa_yaml_text(wpa_yaml_get(job->node, "name"));
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        if (has_word(job->id, words[i]) || (name && has_word(name, words[i]))) {
            return true;
        }
    }
    return false;
}

static bool names_result(const wpa_yaml_node *job)
{
    static const char *const words[] = {".result",       "toJSON(needs)", "toJson(needs)",
                                        "tojson(needs)", "alls-green",    ".conclusion"};
    const char *text = job->doc->source + job->span.start;
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        if (wpa_text_find(text, wpa_span_length(job->span), words[i])) {
            return true;
        }
    }
    return wpa_text_find(text, wpa_span_length(job->span), "failure()") != NULL;
}

/* Does nothing but say something? */
static bool only_speaks(const wpa_outline_job *job)
{
    static const char *const programs[] = {"echo", "true", "exit", ":", "printf"};
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_script *script = job->steps[i].script;
        if (!script || !script->is_readable || script->n_commands == 0) {
            return false;
        }
        for (size_t k = 0; k < script->n_commands; k++) {
            const wpa_shell_command *c = &script->commands[k];
            bool fails = wpa_text_is(c->name, "exit") && wpa_shell_argument(c, 0) &&
                         !wpa_text_is(wpa_shell_argument(c, 0)->text, "0");
            if (fails || wpa_text_index(c->name, programs, WPA_COUNT(programs)) < 0) {
                return false;
            }
        }
    }
    return job->n_steps > 0;
}

static bool publishes(const wpa_outline_job *job)
{
    bool is_deploy = wpa_yaml_find(job->node, "environment") != NULL;
    for (size_t i = 0; i < job->n_steps; i++) {
        is_deploy = is_deploy || (wpa_step_roles(&job->steps[i]) & WPA_DOES_PUBLISH);
    }
    bool is_named = wpa_text_starts(job->id, "deploy") || wpa_text_starts(job->id, "publish") ||
                    wpa_text_starts(job->id, "release");
    return is_deploy && is_named;
}

/* "always()" or "!cancelled()", not weakened by a test of something else that must be true. */
static bool runs_anyway(const char *condition)
{
    return condition &&
           (wpa_text_seek_ci(condition, "always()") || wpa_text_seek_ci(condition, "!cancelled()"));
}

static void check_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_yaml_node *needs = wpa_yaml_get(job->node, "needs");
    const char *condition = wpa_yaml_text(job->condition);
    if (!needs || !runs_anyway(condition) || wpa_text_seek_ci(condition, "success()") ||
        names_result(job->node)) {
        return;
    }
    const char *name = wpa_rule_quote(run, job->id, strlen(job->id));
    if (only_speaks(job) || (is_named_as_gate(job) && !job->is_call)) {
        wpa_rule_report(run, job->condition->span, NULL, job,
                        "job %s runs whatever its needs came to and does not test their results: "
                        "it is green when they fail",
                        name);
    } else if (publishes(job)) {
        wpa_rule_report(run, job->condition->span, NULL, NULL,
                        "job %s goes on when the jobs it needs have failed: this condition takes "
                        "the place of success()",
                        name);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        if (o->jobs[i].condition) {
            check_job(run, &o->jobs[i]);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_job *job = finding->subject;
    if (job && job->n_steps) {
        wpa_fix *fix =
            wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "fail when a needed job did not succeed");
        (void)wpa_rule_insert_before(
            run, fix, job->steps[0].node,
            "- if: contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled')\n"
            "  run: exit 1");
    }
}

const wpa_rule wpa_rule_unchecked_needs_result = {
    .code = "QUA-018",
    .id = "unchecked-needs-result",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .words = (const char *const[]){"always()", "!cancelled()", NULL},
    .summary = "A job runs after failed jobs without testing what became of them",
    .why = "A required check is green though its parts failed, or a release goes out untested.",
    .fix = "Test needs.*.result for failure and cancelled, or leave the condition out.",
    .declares = WPA_DECLARES_JOBS,
    .check = check,
    .repair = repair,
};
