/* PRF-003: outdated runs go on beside newer ones of the same branch. */
#include <string.h>

#include "rules/graph.h"
#include "rules/work.h"

static const wpa_rule_option options[] = {
    {"deploy-names", "deploy,release,publish,backport,labeler",
     "words of names and files of workflows that are better not cancelled", WPA_OPTION_TEXT},
    {0},
};

static const char *const pr_like[] = {"pull_request", "pull_request_target", NULL};

/* Words in a name that say the workflow changes the world, so that cancelling it is no gain. */
static bool is_deploy(const wpa_rule_run *run)
{
    const char *words = wpa_rule_option_text(run, "deploy-names");
    const char *name = wpa_yaml_text(wpa_yaml_get(run->source->outline->root, "name"));
    const char *slash = strrchr(run->source->path, '/');
    const char *file = slash ? slash + 1 : run->source->path;
    bool is = false;
    for (words += strspn(words, " ,"); *words && !is; words += strspn(words, " ,")) {
        const wpa_slice word = {words, strcspn(words, " ,")};
        is = wpa_text_find_slice_ci(file, strlen(file), word) ||
             (name && wpa_text_find_slice_ci(name, strlen(name), word));
        words += word.length;
    }
    return is;
}

/* Does each commit of a pull request start it? */
static bool follows_pull_requests(const wpa_outline *o)
{
    for (size_t i = 0; pr_like[i]; i++) {
        const wpa_outline_trigger *t = wpa_outline_trigger_find(o, pr_like[i]);
        if (t && wpa_work_takes_commits(t->config)) {
            return true;
        }
    }
    return false;
}

/* In a job that has no group of its own. */
static bool has_real_work(const wpa_outline *o)
{
    for (size_t i = 0; i < o->n_jobs; i++) {
        if (wpa_work_is_real(&o->jobs[i]) && !wpa_yaml_find(o->jobs[i].node, "concurrency")) {
            return true;
        }
    }
    return false;
}

static void check_missing(wpa_rule_run *run, const wpa_outline *o)
{
    bool is_covered = o->n_jobs > 0;
    for (size_t i = 0; i < o->n_jobs && is_covered; i++) {
        is_covered = wpa_yaml_find(o->jobs[i].node, "concurrency") != NULL;
    }
    static const char *const called[] = {"workflow_call", NULL};
    if (is_covered || !o->on || o->n_triggers == 0 || wpa_outline_only_triggers(o, called)) {
        return;
    }
    bool on_commits = follows_pull_requests(o);
    bool is_minor = !on_commits || !has_real_work(o) || is_deploy(run);
    if (is_minor && !wpa_rule_is_wanted(run, WPA_PERSONA_PEDANTIC)) {
        return;
    }
    wpa_finding *finding =
        wpa_rule_report(run, o->on->key->span, "N1", o,
                        "there is no concurrency group: a new %s does not end the run that the one "
                        "before it started",
                        wpa_outline_trigger_find(o, "push") || on_commits ? "push" : "event");
    if (is_minor) {
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

/* Of the workflow, or of a job where the workflow has none. */
static void check_group(wpa_rule_run *run, const wpa_outline *o, const wpa_yaml_pair *pair)
{
    if (!wpa_yaml_is(pair->value, WPA_YAML_MAPPING)) {
        const char *text = wpa_yaml_text(pair->value);
        if (text && *text && wpa_rule_is_wanted(run, WPA_PERSONA_PEDANTIC)) {
            wpa_finding *finding = wpa_rule_report(
                run, pair->key->span, "N3", NULL,
                "concurrency names only a group: runs in progress are never cancelled");
            finding->persona = WPA_PERSONA_PEDANTIC;
        }
        return;
    }
    if (!wpa_yaml_find(pair->value, "group") || wpa_yaml_find(pair->value, "cancel-in-progress")) {
        return;
    }
    bool is_sure = wpa_outline_only_triggers(o, pr_like);
    if ((!is_sure && !wpa_rule_is_wanted(run, WPA_PERSONA_AUDITOR)) || is_deploy(run)) {
        return; /* cut off halfway is worse than late */
    }
    wpa_finding *finding = wpa_rule_report(run, pair->key->span, "N2", pair,
                                           is_sure ? "the group has no cancel-in-progress: an "
                                                     "outdated run of a pull request makes the "
                                                     "newer one wait"
                                                   : "the group has no cancel-in-progress: newer "
                                                     "runs wait for outdated ones");
    if (!is_sure) {
        finding->severity = WPA_SEVERITY_LOW;
        finding->persona = WPA_PERSONA_AUDITOR;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    const wpa_yaml_pair *pair = wpa_yaml_find(o->root, "concurrency");
    if (pair) {
        check_group(run, o, pair);
        return true;
    }
    check_missing(run, o);
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_yaml_pair *own = wpa_yaml_find(o->jobs[i].node, "concurrency");
        if (own) {
            check_group(run, o, own);
        }
    }
    return true;
}

/* What tells the groups of this workflow from those of all others of the repository. */
static const char *own_name(const wpa_rule_run *run, const wpa_outline *o)
{
    const wpa_graph *graph = run->source->around ? run->source->around->graph : NULL;
    const char *self = wpa_source_identity(run->source);
    const char *name = wpa_yaml_text(wpa_yaml_get(o->root, "name"));
    bool is_taken = graph && name && *name && wpa_graph_is_taken(graph, name, self);
    return is_taken ? "github.workflow_ref" /* with the file in it */ : "github.workflow";
}

static void repair_missing(wpa_rule_run *run, wpa_finding *finding, const wpa_outline *o)
{
    const wpa_yaml_pair *jobs = wpa_yaml_find(o->root, "jobs");
    bool has_pushes = wpa_work_pr_trigger(o) || wpa_outline_trigger_find(o, "push");
    if (!jobs || !has_pushes || wpa_outline_trigger_find(o, "workflow_call")) {
        return; /* a callee's group would be its caller's */
    }
    bool on_target = wpa_outline_trigger_find(o, "pull_request_target") != NULL;
    bool on_pr = wpa_outline_trigger_find(o, "pull_request") != NULL;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "add a concurrency group");
    /* With pull_request_target github.ref is the base branch: all pull requests would be one. */
    const char *text =
        wpa_arena_printf(run->arena,
                         "concurrency:\n  group: ${{ %s }}-${{ %sgithub.ref }}\n"
                         "  cancel-in-progress: ${{ %s }}",
                         own_name(run, o), on_target ? "github.event.pull_request.number || " : "",
                         on_target && on_pr ? "startsWith(github.event_name, 'pull_request')"
                         : on_target        ? "github.event_name == 'pull_request_target'"
                                            : "github.event_name == 'pull_request'");
    (void)wpa_rule_insert_section(run, fix, jobs->value, text);
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    if (wpa_text_is(finding->check, "N1")) {
        repair_missing(run, finding, finding->subject);
    } else if (wpa_text_is(finding->check, "N2")) {
        const wpa_yaml_pair *pair = finding->subject;
        if (finding->persona == WPA_PERSONA_AUDITOR) {
            return; /* whether to wait or to cut off a person must say */
        }
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
    .options = options,
    .check = check,
    .repair = repair,
};
