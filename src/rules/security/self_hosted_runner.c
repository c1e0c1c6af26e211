/* SEC-045: a job on a runner of one's own, which outlives it. */
#include <string.h>

#include "match/words.h"
#include "rules/outline.h"
#include "rules/own.h"
#include "rules/steps.h"
#include "rules/trust.h"
#include "rules/work.h"

static const wpa_rule_option options[] = {
    {"allowed-runners", "",
     "labels whose runners live for one job, separated by blanks or commas; "
     "a * at the end stands for any ending",
     WPA_OPTION_TEXT},
    {0},
};

typedef struct place {
    const wpa_yaml_node *node; /* NULL: the job needs none of this */
    const char *what;
    wpa_confidence confidence;
    bool is_certain; /* a runner of one's own, by its name */
} place;

static bool is_job_allowed(const wpa_rule_run *run, const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_labels; i++) {
        const char *label = job->labels[i].text;
        if (wpa_rule_option_lists(run, "allowed-runners", wpa_slice_of(label)) ||
            wpa_rule_is_ephemeral(run, label)) {
            return true;
        }
    }
    return false;
}

static bool holds_text(const wpa_yaml_node *node, const char *text)
{
    wpa_slice source = {node->doc->source + node->span.start, wpa_span_length(node->span)};
    return wpa_text_find(source.at, source.length, text) != NULL;
}

/* Is every value of the matrix written out, and none of them a runner of one's own? */
static bool is_literal_matrix(const wpa_outline_job *job)
{
    const wpa_yaml_node *matrix = wpa_yaml_get(wpa_yaml_get(job->node, "strategy"), "matrix");
    return wpa_yaml_is(matrix, WPA_YAML_MAPPING) && !holds_text(matrix, "${{") &&
           !holds_text(matrix, "self-hosted");
}

/* Larger runners are GitHub's own, and new for each job: the group that all of them are in until
 * somebody says otherwise, or labels that name an image as GitHub's do. */
static bool is_of_larger_runners(const wpa_yaml_node *group, const wpa_outline_job *job)
{
    bool is = wpa_text_is_ci(wpa_yaml_text(group), "Default Larger Runners");
    for (size_t i = 0; i < job->n_labels; i++) {
        const char *label = job->labels[i].text;
        is = is || wpa_text_starts(label, "ubuntu-") || wpa_text_starts(label, "windows-") ||
             wpa_text_starts(label, "macos-");
    }
    return is;
}

/*
 * Does an expression name a runner of one's own for whatever starts the job? What it asks of the
 * repository is true of pull requests from forks, too; of an event it asks to keep them out.
 */
static bool names_own_runner(const char *expression)
{
    static const char *const questions[] = {"event", "fork",   "head",  "actor", "ref",  "matrix",
                                            "vars",  "inputs", "needs", "env",   "label"};
    bool names =
        strcasestr(expression, "'self-hosted'") || strcasestr(expression, "\"self-hosted\"");
    return names &&
           !wpa_words_find(expression, strlen(expression), questions, WPA_COUNT(questions), NULL);
}

static place find_label(wpa_rule_run *run, const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_labels; i++) {
        const wpa_outline_label *label = &job->labels[i];
        if (wpa_text_is_ci(label->text, "self-hosted") && wpa_work_has_leg(run, job, label->node)) {
            return (place){label->node, "a self-hosted runner", WPA_CONFIDENCE_HIGH, true};
        }
    }
    bool is_hosted = job->has_open_labels || !job->n_labels;
    for (size_t i = 0; i < job->n_labels; i++) {
        is_hosted = is_hosted || job->labels[i].runner != NULL ||
                    !wpa_facts_runner_is_self_hosted_label(wpa_slice_of(job->labels[i].text));
    }
    if (!is_hosted) { /* "linux, x64": labels that runners of one's own have by themselves */
        return (place){job->labels[0].node, "a self-hosted runner, by its labels",
                       WPA_CONFIDENCE_HIGH, true};
    }
    const wpa_yaml_node *runs_on = wpa_yaml_get(job->node, "runs-on");
    const wpa_yaml_node *group = wpa_yaml_get(runs_on, "group");
    if (group) {
        bool is_larger = is_of_larger_runners(group, job);
        return (place){group, "a runner of a group",
                       is_larger ? WPA_CONFIDENCE_LOW : WPA_CONFIDENCE_MEDIUM, !is_larger};
    }
    for (size_t i = 0; i < job->n_labels; i++) {
        const wpa_outline_label *label = &job->labels[i];
        wpa_slice text = wpa_slice_of(label->text);
        if (!label->runner && !wpa_facts_runner_is_self_hosted_label(text)) {
            return (place){label->node,
                           wpa_arena_printf(run->arena, "runner %s, which is none of GitHub's own",
                                            wpa_rule_quote(run, text.at, text.length)),
                           WPA_CONFIDENCE_LOW, false};
        }
    }
    const char *text = wpa_yaml_text(runs_on);
    if (text && wpa_text_starts(text, "${{ matrix.") && is_literal_matrix(job)) {
        return (place){0};
    }
    bool is_open = job->has_open_labels && wpa_outline_has_expression(text);
    if (is_open && names_own_runner(text)) {
        return (place){runs_on, "a self-hosted runner, by its expression", WPA_CONFIDENCE_MEDIUM,
                       true};
    }
    return (place){is_open ? runs_on : NULL, "a runner that an expression chooses",
                   WPA_CONFIDENCE_LOW, is_open && strcasestr(text, "self-hosted")};
}

/*
 * Can strangers start the job? What keeps them out stands in the file of the default branch, but
 * where a pull request brings a file of its own, its condition is theirs to change.
 */
static bool is_for_strangers(wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_outline *o = run->source->outline;
    if (o->trust != WPA_TRUST_OUTSIDER && o->trust != WPA_TRUST_OUTSIDER_PRIVILEGED) {
        return false;
    }
    /* Asked of its first step: what later ones check comes when the job is there already. */
    wpa_site site = {.source = run->source, .job = job, .step = job->steps};
    return wpa_outline_trigger_find(o, "pull_request") || !job->n_steps ||
           job->steps[0].condition || wpa_trust_of(run, &site).trust != WPA_TRUST_INSIDER;
}

static void check_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_yaml_pair *runs_on = wpa_yaml_find(job->node, "runs-on");
    place at = find_label(run, job);
    if (!at.node || !runs_on || is_job_allowed(run, job)) {
        return;
    }
    bool is_open = is_for_strangers(run, job);
    bool is_private = wpa_rule_visibility(run) == WPA_VISIBILITY_PRIVATE;
    bool is_grave = is_open && !is_private && at.is_certain && at.confidence > WPA_CONFIDENCE_LOW;
    if (!is_grave && !wpa_rule_is_wanted(run, WPA_PERSONA_AUDITOR)) {
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        run, at.node->span, NULL, NULL,
        is_open && !is_private
            ? "job %s runs on %s, and strangers can start it: what they leave behind meets the "
              "next job"
            : "job %s runs on %s: what one job leaves behind there meets the next",
        wpa_rule_quote(run, job->id, strlen(job->id)), at.what);
    finding->confidence = at.confidence;
    if (is_grave) {
        finding->severity = WPA_SEVERITY_HIGH;
    } else {
        finding->persona = WPA_PERSONA_AUDITOR;
    }
    wpa_rule_relate(run, finding, runs_on->key->span, "where it runs");
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_job(run, check_job);
    return true;
}

const wpa_rule wpa_rule_self_hosted_runner = {
    .code = "SEC-045",
    .id = "self-hosted-runner",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A job runs on a runner that is not thrown away after it",
    .why = "A stranger's pull request can leave a program behind that waits for the next job and "
           "its secrets.",
    .fix = "Use GitHub's runners for what strangers can start, or runners that live for one job. "
           "There is no fix by machine.",
    .elsewhere =
        (const char *const[]){"zizmor/self-hosted-runner", "poutine/pr_runs_on_self_hosted",
                              "octoscan/runner-label", NULL},
    .options = options,
    .tables = 1U << WPA_FACTS_RUNNERS,
    .check = check,
};
