/* SEC-038: a comment gives a command, and nobody asks who wrote it. */
#include <string.h>

#include "rules/trust.h"

#define TEST                                                                                       \
    "contains(fromJSON('[\"OWNER\", \"MEMBER\", \"COLLABORATOR\"]'), "                             \
    "github.event.comment.author_association)"

static bool reads_body(const wpa_yaml_node *condition)
{
    const char *text = wpa_yaml_text(condition);
    return text && strcasestr(text, "github.event.comment.body");
}

/* Where the job asks for a command: its condition, or that of its first step that does. */
static const wpa_yaml_node *find_command(const wpa_outline_job *job, const wpa_outline_step **step)
{
    *step = NULL;
    if (reads_body(job->condition)) {
        return job->condition;
    }
    for (size_t i = 0; i < job->n_steps; i++) {
        if (reads_body(job->steps[i].condition)) {
            *step = &job->steps[i];
            return job->steps[i].condition;
        }
    }
    return NULL;
}

/* Labels, reactions, replies: what a bot does for everybody who asks. */
static bool is_metadata_only(const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        bool is_fine = (wpa_outline_uses_trait(step, WPA_TRAIT_METADATA_ONLY) ||
                        wpa_outline_step_uses(step, "actions/github-script"));
        for (size_t k = 0;
             step->script && step->script->is_readable && k < step->script->n_commands && !is_fine;
             k++) {
            is_fine = wpa_shell_is(&step->script->commands[k], "gh", "issue");
        }
        if (!is_fine) {
            return false;
        }
    }
    return job->n_steps > 0;
}

/* May the token do no more than answer: labels, reactions, comments? */
static bool only_answers(const wpa_outline *o, const wpa_outline_job *job)
{
    static const char *const answers[] = {"issues", "pull-requests", "discussions"};
    const wpa_yaml_node *scopes = wpa_yaml_get(job->node, "permissions");
    scopes = scopes ? scopes : wpa_yaml_get(o->root, "permissions");
    if (!wpa_yaml_is(scopes, WPA_YAML_MAPPING) || job->is_self_hosted ||
        wpa_yaml_find(job->node, "environment") || wpa_outline_names_secret(job->node)) {
        return false;
    }
    for (size_t i = 0; i < scopes->n_pairs; i++) {
        const char *name = wpa_yaml_text(scopes->pairs[i].key);
        bool is_write = wpa_text_is(wpa_yaml_text(scopes->pairs[i].value), "write");
        if (is_write && name && wpa_text_index(name, answers, WPA_COUNT(answers)) < 0) {
            return false;
        }
    }
    return true;
}

/* Does any job or step of the workflow ask for rights that could shut this one out? */
static bool checks_inside(const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        if (wpa_trust_step_checks_members(&job->steps[i])) {
            return true;
        }
    }
    return false;
}

static void check_job(wpa_rule_run *run, const wpa_outline_job *job,
                      const wpa_outline_trigger *trigger)
{
    wpa_site site = {.source = run->source, .job = job};
    const wpa_yaml_node *command = find_command(job, &site.step);
    if (!command || !wpa_trust_is_privileged(run->source->outline, job) || checks_inside(job) ||
        wpa_trust_guard_of(run, &site, trigger->name) != WPA_GUARD_NONE) {
        return;
    }
    wpa_finding *finding =
        wpa_rule_report(run, command->span, NULL, command,
                        "anybody's comment can give this command, and job %s has %s",
                        wpa_rule_quote(run, job->id, strlen(job->id)),
                        wpa_outline_names_secret(job->node) ? "secrets" : "a token that may write");
    wpa_rule_relate(run, finding, trigger->node->span, "strangers cause this");
    if (is_metadata_only(job) || only_answers(run->source->outline, job)) {
        finding->severity = WPA_SEVERITY_LOW;
        finding->persona = WPA_PERSONA_AUDITOR;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    const wpa_outline_trigger *trigger = wpa_outline_trigger_find(o, "issue_comment");
    trigger = trigger ? trigger : wpa_outline_trigger_find(o, "discussion_comment");
    for (size_t i = 0; trigger && i < o->n_jobs; i++) {
        check_job(run, &o->jobs[i], trigger);
    }
    return true;
}

/* "(what was asked) && who asks": on one line, where quotes and the other text allow it. */
static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *command = finding->subject;
    const char *text = command->text;
    const char *open = strstr(text, "${{");
    bool is_plain = command->style == WPA_YAML_PLAIN && !strchr(text, '\n') &&
                    wpa_span_length(command->span) == strlen(text);
    bool is_whole =
        !open || (open == text && wpa_text_ends(text, "}}") && !strstr(text + 3, "${{"));
    if (!is_plain || !is_whole) {
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "ask whether the author is a member");
    size_t start = command->span.start, end = command->span.end;
    bool has_or = strstr(text, "||") != NULL;
    if (open) {
        size_t length = strlen(text), blanks = 0;
        while (length > 2 + blanks && text[length - 3 - blanks] == ' ') {
            blanks++;
        }
        wpa_rule_edit(run, fix, (wpa_span){start, start + 3 + strspn(text + 3, " ")}, "${{ %s",
                      has_or ? "(" : "");
        wpa_rule_edit(run, fix, (wpa_span){end - 2 - blanks, end}, "%s && " TEST " }}",
                      has_or ? ")" : "");
    } else {
        wpa_rule_edit(run, fix, (wpa_span){start, start}, "%s", has_or ? "(" : "");
        wpa_rule_edit(run, fix, (wpa_span){end, end}, "%s && " TEST, has_or ? ")" : "");
    }
}

const wpa_rule wpa_rule_ungated_command = {
    .code = "SEC-038",
    .id = "ungated-command",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .words = (const char *const[]){"issue_comment", "discussion_comment", NULL},
    .summary = "A command in a comment starts a job with rights, whoever wrote it",
    .why = "Everybody can comment on a public repository, and so start the job as often as they "
           "like, on the pull request they like.",
    .fix = "Test github.event.comment.author_association, or ask for the commenter's permission, "
           "before anything else.",
    .tables = 1U << WPA_FACTS_EVENTS | 1U << WPA_FACTS_UNTRUSTED,
    .declares = WPA_DECLARES_JOBS,
    .check = check,
    .repair = repair,
};
