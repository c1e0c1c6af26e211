/* SEC-004: strangers start a job that has a write token or secrets. */
#include <string.h>

#include "rules/pin.h"
#include "rules/trust.h"

/* "gh pr edit", "gh issue comment", echo: nothing that touches the tree. */
static bool is_metadata_script(const wpa_outline_step *step)
{
    static const char *const fine[] = {"gh", "echo", "printf", "test", "[", "[[", "exit", "jq"};
    if (!step->script || !step->script->is_readable) {
        return false;
    }
    for (size_t i = 0; i < step->script->n_commands; i++) {
        const wpa_shell_command *c = &step->script->commands[i];
        bool is_checkout = wpa_shell_is(c, "gh", "pr") && wpa_shell_word_find(c, "checkout");
        if (*c->name && (is_checkout || wpa_text_index(c->name, fine, WPA_COUNT(fine)) < 0)) {
            return false;
        }
    }
    return !wpa_outline_has_expression(step->run->text);
}

static bool is_metadata_only(const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        bool is_fine = step->run ? is_metadata_script(step)
                                 : step->uses.kind == WPA_OUTLINE_REPOSITORY &&
                                       wpa_facts_action_is_metadata_only(step->uses.slug);
        if (!is_fine) {
            return false;
        }
    }
    return job->n_steps > 0;
}

/* Does the job bring in the tree of a stranger, or an artifact of one? */
static const wpa_outline_step *find_intake(const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        bool is_intake = wpa_outline_step_uses(step, "actions/checkout") ||
                         wpa_outline_step_uses(step, "actions/download-artifact") ||
                         wpa_outline_step_uses(step, "dawidd6/action-download-artifact");
        if (is_intake) {
            return step;
        }
    }
    return NULL;
}

static void check_trigger(wpa_rule_run *run, const wpa_outline_trigger *trigger, bool is_minor)
{
    const wpa_outline *o = run->source->outline;
    const wpa_outline_job *worst = NULL;
    const wpa_outline_step *intake = NULL;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        if (wpa_trust_is_guarded(job->condition) ||
            wpa_trust_is_for_other_event(job->condition, trigger->name) || is_metadata_only(job) ||
            !wpa_trust_is_privileged(o, job)) {
            continue;
        }
        const wpa_outline_step *found = find_intake(job);
        if (!worst || (found && !intake)) {
            worst = job;
            intake = found;
        }
    }
    if (!worst) {
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        run, trigger->node->span, NULL, NULL, "%s lets strangers start job %s, which has %s",
        trigger->name, wpa_rule_quote(run, worst->id, strlen(worst->id)),
        wpa_trust_names_secret(worst->node) ? "secrets"
        : wpa_trust_may_write(o, worst)     ? "a token that may write"
                                            : "more than they should");
    wpa_rule_relate(run, finding, worst->key->span, "runs with privileges");
    if (intake) {
        finding->severity = WPA_SEVERITY_HIGH;
        wpa_rule_relate(run, finding, intake->uses.node->span, "brings in files");
    }
    if (is_minor) {
        finding->persona = WPA_PERSONA_AUDITOR;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    static const char *const major[] = {"pull_request_target", "workflow_run"};
    static const char *const minor[] = {"issue_comment", "issues", "discussion",
                                        "discussion_comment"};
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_triggers; i++) {
        const wpa_outline_trigger *trigger = &o->triggers[i];
        bool is_minor = wpa_text_index(trigger->name, minor, WPA_COUNT(minor)) >= 0;
        if (is_minor || wpa_text_index(trigger->name, major, WPA_COUNT(major)) >= 0) {
            check_trigger(run, trigger, is_minor);
        }
    }
    return true;
}

const wpa_rule wpa_rule_dangerous_triggers = {
    .code = "SEC-004",
    .id = "dangerous-triggers",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "An event that strangers cause starts a job with a write token or secrets",
    .why = "Anything of theirs that reaches a command there, a title or a file, runs with those "
           "rights.",
    .fix = "Use pull_request, or keep such jobs to metadata, with the least permissions and no "
           "secrets. There is no fix by machine.",
    .elsewhere = (const char *const[]){"zizmor/dangerous-triggers", NULL},
    .tables = 1U << WPA_FACTS_EVENTS | 1U << WPA_FACTS_UNTRUSTED,
    .check = check,
};
