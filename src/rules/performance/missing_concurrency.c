/* PRF-003: outdated runs go on beside newer ones of the same branch. */
#include <string.h>

#include "rules/outline.h"
#include "rules/rule.h"

static const char *const pr_like[] = {"pull_request", "pull_request_target", NULL};

static bool is_trivial(const wpa_outline_step *step)
{
    static const char *const quick[] = {"echo", "printf", "exit", "[", "test", "true", "jq", "gh"};
    if (!step->run) {
        return step->uses.kind == WPA_OUTLINE_REPOSITORY &&
               wpa_facts_action_is_metadata_only(step->uses.slug);
    }
    if (!step->script || !step->script->is_readable) {
        return false;
    }
    for (size_t i = 0; i < step->script->n_commands; i++) {
        const char *name = step->script->commands[i].name;
        if (*name && wpa_text_index(name, quick, WPA_COUNT(quick)) < 0) {
            return false;
        }
    }
    return true;
}

/* More than a minute, by what the job does: it checks out, and then does something with it. */
static bool has_work(const wpa_outline_job *job)
{
    bool has_checkout = false;
    size_t n_real = 0;
    for (size_t i = 0; i < job->n_steps; i++) {
        bool is_checkout = wpa_outline_step_uses(&job->steps[i], "actions/checkout");
        has_checkout = has_checkout || is_checkout;
        n_real += !is_checkout && !is_trivial(&job->steps[i]);
    }
    return job->is_call || (has_checkout && n_real > 0);
}

/* Words in a name that say the workflow changes the world, so that cancelling it is no gain. */
static bool is_deploy(const wpa_rule_run *run)
{
    static const char *const words[] = {"deploy", "release", "publish", "backport", "labeler"};
    const char *name = wpa_yaml_text(wpa_yaml_get(run->source->outline->root, "name"));
    const char *slash = strrchr(run->source->path, '/');
    const char *file = slash ? slash + 1 : run->source->path;
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        if (strcasestr(file, words[i]) || (name && strcasestr(name, words[i]))) {
            return true;
        }
    }
    return false;
}

static void check_missing(wpa_rule_run *run, const wpa_outline *o)
{
    bool is_covered = o->n_jobs > 0, has_real_work = false;
    for (size_t i = 0; i < o->n_jobs; i++) {
        is_covered = is_covered && wpa_yaml_find(o->jobs[i].node, "concurrency");
        has_real_work = has_real_work || has_work(&o->jobs[i]);
    }
    bool on_pr = wpa_outline_trigger_find(o, "pull_request") ||
                 wpa_outline_trigger_find(o, "pull_request_target");
    bool on_push = wpa_outline_trigger_find(o, "push") != NULL;
    if (is_covered || !(on_pr || on_push) || !o->on || run->source->is_partial) {
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        run, o->on->key->span, "N1", o,
        "there is no concurrency group: every new push leaves the run of the one before going");
    if (!on_pr || !has_real_work || is_deploy(run)) {
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

static void check_group(wpa_rule_run *run, const wpa_outline *o, const wpa_yaml_pair *pair)
{
    if (!wpa_yaml_is(pair->value, WPA_YAML_MAPPING)) {
        const char *text = wpa_yaml_text(pair->value);
        if (text && *text) {
            wpa_finding *finding = wpa_rule_report(
                run, pair->key->span, "N3", NULL,
                "concurrency names only a group: runs in progress are never cancelled");
            finding->persona = WPA_PERSONA_PEDANTIC;
        }
        return;
    }
    if (wpa_outline_only_triggers(o, pr_like) && !is_deploy(run) &&
        wpa_yaml_find(pair->value, "group") && !wpa_yaml_find(pair->value, "cancel-in-progress")) {
        (void)wpa_rule_report(run, pair->key->span, "N2", pair,
                              "the group has no cancel-in-progress: an outdated run of a pull "
                              "request makes the newer one wait");
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    const wpa_yaml_pair *pair = wpa_yaml_find(o->root, "concurrency");
    if (pair) {
        check_group(run, o, pair);
    } else {
        check_missing(run, o);
    }
    return true;
}

static void repair_missing(wpa_rule_run *run, wpa_finding *finding, const wpa_outline *o)
{
    const wpa_yaml_pair *jobs = wpa_yaml_find(o->root, "jobs");
    if (!jobs || wpa_outline_trigger_find(o, "workflow_call")) {
        return; /* a callee's group would be its caller's */
    }
    bool on_target = wpa_outline_trigger_find(o, "pull_request_target") != NULL;
    bool on_pr = wpa_outline_trigger_find(o, "pull_request") != NULL;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "add a concurrency group");
    /* With pull_request_target github.ref is the base branch: all pull requests would be one. */
    (void)wpa_rule_insert_before(
        run, fix, jobs->value,
        "concurrency:\n  group: ${{ github.workflow }}-${{ %sgithub.ref }}\n"
        "  cancel-in-progress: ${{ %s }}\n\n",
        on_target ? "github.event.pull_request.number || " : "",
        on_target && on_pr ? "startsWith(github.event_name, 'pull_request')"
        : on_target        ? "github.event_name == 'pull_request_target'"
                           : "github.event_name == 'pull_request'");
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    if (wpa_text_is(finding->check, "N1")) {
        repair_missing(run, finding, finding->subject);
    } else if (wpa_text_is(finding->check, "N2")) {
        const wpa_yaml_pair *pair = finding->subject;
        const wpa_yaml_pair *group = wpa_yaml_find(pair->value, "group");
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "add cancel-in-progress: true");
        (void)wpa_rule_insert_behind(run, fix, group->value, "cancel-in-progress: true");
    }
}

const wpa_rule wpa_rule_missing_concurrency = {
    .code = "PRF-003",
    .id = "missing-concurrency",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "Outdated runs are not cancelled when a newer one starts",
    .why = "Runs whose result nobody waits for hold runners that the newer run needs.",
    .fix = "Add a concurrency group by workflow and ref that cancels for pull requests.",
    .checks = (const char *const[]){"N1", "N2", "N3", NULL},
    .elsewhere = (const char *const[]){"zizmor/concurrency-limits", NULL},
    .declares = WPA_DECLARES_CONCURRENCY,
    .claims_absence = true,
    .check = check,
    .repair = repair,
};
