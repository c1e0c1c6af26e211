/* SEC-004: strangers start a job that has a write token or secrets. */
#include <string.h>

#include "rules/intake.h"
#include "rules/pin.h"

/* Why a job matters, from nothing at all to files that nobody has looked at. */
typedef enum weight {
    NOT_REACHED, /* the event never starts it, or it never does it for strangers */
    HARMLESS,    /* nothing to take, or metadata only */
    PRIVILEGED,
    OPEN /* and it takes in what could not be followed */
} weight;

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
                                 : wpa_outline_uses_trait(step, WPA_TRAIT_METADATA_ONLY);
        if (!is_fine) {
            return false;
        }
    }
    return job->n_steps > 0;
}

/* A step that takes in something that cannot be told: a computed ref, an artifact of some run. */
static const wpa_outline_step *find_open_intake(wpa_rule_run *run, const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        wpa_site site = {.source = run->source, .job = job, .step = step};
        const wpa_yaml_node *ref = wpa_outline_with(step, "ref");
        wpa_intake intake;
        bool is_open =
            wpa_outline_step_uses(step, "actions/checkout") &&
            wpa_taint_of_scalar(run, &site, ref, WPA_TAINT_CODE).grade == WPA_TAINT_UNKNOWN;
        bool is_artifact = wpa_outline_uses_trait(step, WPA_TRAIT_ARTIFACT_DOWNLOAD) &&
                           !wpa_intake_of(run, &site, &intake) && wpa_outline_with(step, "run-id");
        if (is_open || is_artifact) {
            return step;
        }
    }
    return NULL;
}

static weight weigh(wpa_rule_run *run, const wpa_outline_job *job,
                    const wpa_outline_trigger *trigger, const wpa_outline_step **intake)
{
    wpa_site site = {.source = run->source, .job = job};
    wpa_trust_guard guard = wpa_trust_guard_of(run, &site, trigger->name);
    *intake = NULL;
    if (guard == WPA_GUARD_EVENT) {
        return NOT_REACHED;
    }
    if (guard != WPA_GUARD_NONE || is_metadata_only(job) ||
        !wpa_trust_is_privileged(run->source->outline, job)) {
        return HARMLESS;
    }
    *intake = find_open_intake(run, job);
    return *intake ? OPEN : PRIVILEGED;
}

static const char *power_of(const wpa_rule_run *run, const wpa_outline_job *job)
{
    return wpa_outline_names_secret(job->node)              ? "which has secrets"
           : wpa_trust_may_write(run->source->outline, job) ? "which has a token that may write"
           : wpa_yaml_find(job->node, "environment")        ? "which has an environment's secrets"
           : job->is_self_hosted                            ? "on a runner that outlives it"
                                                            : "which hands on secrets";
}

static void report(wpa_rule_run *run, const wpa_outline_trigger *trigger,
                   const wpa_outline_job *job, weight w, const wpa_outline_step *intake,
                   bool is_minor)
{
    wpa_finding *finding = wpa_rule_report(
        run, trigger->node->span, NULL, NULL, "%s lets strangers start job %s, %s", trigger->name,
        wpa_rule_quote(run, job->id, strlen(job->id)),
        w == HARMLESS ? "which has nothing of worth to them as it stands" : power_of(run, job));
    wpa_rule_relate(run, finding, job->key->span,
                    w == HARMLESS ? "started by strangers" : "runs with privileges");
    if (w == OPEN) {
        finding->severity = WPA_SEVERITY_HIGH;
        wpa_rule_relate(run, finding, intake->uses.span, "brings in files");
    } else if (w == HARMLESS) {
        finding->severity = WPA_SEVERITY_LOW;
    }
    if (is_minor || w == HARMLESS) {
        finding->persona = WPA_PERSONA_AUDITOR;
    }
}

static void check_trigger(wpa_rule_run *run, const wpa_outline_trigger *trigger, bool is_minor)
{
    const wpa_outline *o = run->source->outline;
    const wpa_outline_job *worst = NULL;
    const wpa_outline_step *intake = NULL;
    weight worst_weight = NOT_REACHED;
    bool is_insider = wpa_trust_of_trigger(run, run->source, trigger) == WPA_TRUST_INSIDER;
    if ((is_minor || is_insider) && !wpa_rule_is_wanted(run, WPA_PERSONA_AUDITOR)) {
        return;
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_step *found;
        weight w = weigh(run, &o->jobs[i], trigger, &found);
        if (w > worst_weight) {
            worst_weight = w;
            worst = &o->jobs[i];
            intake = found;
        }
    }
    if (is_insider && worst_weight > HARMLESS) {
        worst_weight = HARMLESS;
    }
    bool is_quiet =
        worst_weight == HARMLESS && ((is_minor && !wpa_text_is(trigger->name, "issue_comment")) ||
                                     !wpa_rule_is_wanted(run, WPA_PERSONA_AUDITOR));
    if (worst && !is_quiet) {
        report(run, trigger, worst, worst_weight, intake, is_minor);
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
    .words = (const char *const[]){"pull_request_target", "workflow_run", "issue_comment", "issues",
                                   "discussion", "discussion_comment", NULL},
    .summary = "An event that strangers cause starts a job with a write token or secrets",
    .why = "Anything of theirs that reaches a command there, a title or a file, runs with those "
           "rights.",
    .fix = "Use pull_request, or keep such jobs to metadata, with the least permissions and no "
           "secrets. There is no fix by machine.",
    .elsewhere = (const char *const[]){"zizmor/dangerous-triggers", NULL},
    .tables = 1U << WPA_FACTS_EVENTS | 1U << WPA_FACTS_UNTRUSTED,
    .check = check,
};
