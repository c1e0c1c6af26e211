/* CMP-032: a step uses an action of the tree before, or after, the tree is there. */
#include <string.h>

#include "rules/fleet.h"
#include "rules/graph.h"
#include "rules/outline.h"
#include "rules/own.h"

/* Steps of a job that are looked at before one: more are not written by people. */
#define LOOK_BACK_MAX 300

/* "x/y" of "./x/y", which stands in what was checked out; "$/x/y" needs no checkout. Or NULL. */
static const char *local_path(const wpa_outline_step *step, wpa_arena *arena)
{
    const char *text = step->uses.kind == WPA_OUTLINE_LOCAL ? wpa_yaml_text(step->uses.node) : NULL;
    return text && wpa_text_starts(text, "./") ? wpa_graph_local_path(text, arena) : NULL;
}

static bool is_below(const char *path, const char *folder)
{
    folder += wpa_text_starts(folder, "./") ? 2 : 0;
    size_t length = strlen(folder);
    length -= length && folder[length - 1] == '/';
    bool is_root = length == 0 || (length == 1 && folder[0] == '.');
    return is_root ||
           (strncmp(path, folder, length) == 0 && (path[length] == '/' || !path[length]));
}

/* May the step put files into the workspace: a script, a checkout, an action that is not known? */
static bool may_fill(const wpa_outline_step *step, const char *path)
{
    static const char *const programs[] = {"git", "gh",    "curl", "wget", "tar", "unzip", "cp",
                                           "mv",  "rsync", "ln",   "svn",  "hg",  "mkdir", "cat"};
    if (wpa_outline_step_uses(step, "actions/checkout")) {
        const char *folder = wpa_outline_with_text(step, "path");
        return !folder || wpa_outline_has_expression(folder) || is_below(path, folder);
    }
    if (step->run) {
        for (size_t i = 0; step->script && i < step->script->n_commands; i++) {
            if (wpa_text_index(step->script->commands[i].name, programs, WPA_COUNT(programs)) >=
                0) {
                return true;
            }
        }
        return !step->script || !step->script->is_readable;
    }
    bool is_setup = step->uses.kind == WPA_OUTLINE_REPOSITORY &&
                    (wpa_slice_is_ci(step->uses.owner, "actions") ||
                     wpa_text_find(step->uses.slug.at, step->uses.slug.length, "/setup-")) &&
                    !wpa_text_find(step->uses.slug.at, step->uses.slug.length, "artifact") &&
                    !wpa_text_find(step->uses.slug.at, step->uses.slug.length, "cache") &&
                    !wpa_outline_step_uses(step, "actions/github-script");
    bool is_hardener = wpa_outline_step_uses(step, "step-security/harden-runner");
    return step->uses.kind != WPA_OUTLINE_NONE && !is_setup && !is_hardener;
}

static bool is_other_repository(const wpa_outline_step *step)
{
    const char *repository = wpa_outline_with_text(step, "repository");
    return repository && !strstr(repository, "github.repository");
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    const char *path = step->index <= LOOK_BACK_MAX ? local_path(step, run->arena) : NULL;
    const wpa_outline_step *elsewhere = NULL;
    for (size_t i = 0; path && i < step->index; i++) {
        const wpa_outline_step *before = &step->job->steps[i];
        if (may_fill(before, path)) {
            return;
        }
        bool is_checkout = wpa_outline_step_uses(before, "actions/checkout");
        elsewhere = is_checkout && !is_other_repository(before) ? before : elsewhere;
    }
    if (!path) {
        return;
    }
    const char *name = wpa_rule_quote(run, step->uses.node->text, step->uses.node->length);
    if (elsewhere) {
        const wpa_yaml_node *folder = wpa_outline_with(elsewhere, "path");
        wpa_finding *finding = wpa_rule_report(
            run, step->uses.span, NULL, NULL,
            "%s is looked for in the workspace, but the checkout before puts the tree into %s",
            name, wpa_rule_quote(run, folder->text, folder->length));
        wpa_rule_relate(run, finding, folder->span, "the tree goes here");
    } else {
        wpa_rule_report(run, step->uses.span, NULL, step,
                        "%s is in the tree, which no step before has checked out: it is not found",
                        name);
    }
}

/*
 * A workflow that nothing here calls is there for other repositories, whose tree its checkout
 * brings: the action is looked for in theirs.
 */
static bool is_for_others(const wpa_rule_run *run)
{
    static const char *const callable[] = {"workflow_call", NULL};
    if (wpa_fleet_calls(run->source)) {
        return true;
    }
    const wpa_surroundings *around = run->source->around;
    size_t n = 1;
    if (around && around->graph && wpa_outline_only_triggers(run->source->outline, callable)) {
        (void)wpa_graph_users(around->graph, wpa_source_identity(run->source), &n);
    }
    return n == 0;
}

static void check_foreign(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_outline_step *own = NULL;
    const char *path = step->index <= LOOK_BACK_MAX ? local_path(step, run->arena) : NULL;
    for (size_t i = 0; path && i < step->index; i++) {
        const wpa_outline_step *before = &step->job->steps[i];
        bool is_checkout = wpa_outline_step_uses(before, "actions/checkout");
        if (is_checkout && wpa_outline_with_text(before, "repository")) {
            return; /* names the repository that it wants */
        }
        own = is_checkout ? before : own;
    }
    if (path && own) {
        wpa_finding *finding = wpa_rule_report(
            run, step->uses.span, NULL, NULL,
            "called from another repository, this looks for %s in the tree of the caller",
            wpa_rule_quote(run, step->uses.node->text, step->uses.node->length));
        if (!wpa_fleet_calls(run->source)) { /* then it is known to fail */
            finding->severity = WPA_SEVERITY_MEDIUM;
            finding->confidence = WPA_CONFIDENCE_LOW;
            finding->persona = WPA_PERSONA_AUDITOR;
        }
        wpa_rule_relate(run, finding, own->uses.span, "checks out the caller's repository");
    }
}

/* The post step of a local action is read from the tree again at the end of the job. */
static void check_deleted(wpa_rule_run *run, const wpa_outline_step *step)
{
    for (size_t i = 0; step->script && i < step->script->n_commands; i++) {
        const wpa_shell_command *c = &step->script->commands[i];
        const wpa_shell_word *what = wpa_shell_is(c, "rm", NULL) ? wpa_shell_argument(c, 0) : NULL;
        bool is_all = what && (wpa_text_is(what->text, "*") || wpa_text_is(what->text, "./*") ||
                               wpa_text_is(what->text, "$GITHUB_WORKSPACE") ||
                               wpa_text_is(what->text, "${GITHUB_WORKSPACE}") ||
                               wpa_text_is(what->text, "$GITHUB_WORKSPACE/*"));
        for (size_t k = 0; is_all && c->nested == 0 && k < step->index && k < LOOK_BACK_MAX; k++) {
            const wpa_outline_step *before = &step->job->steps[k];
            if (local_path(before, run->arena)) {
                wpa_finding *finding = wpa_rule_report(
                    run, wpa_outline_script_span(step, c->span), NULL, NULL,
                    "the tree goes while the local action %s still has its last step to do",
                    wpa_rule_quote(run, before->uses.node->text, before->uses.node->length));
                finding->severity = WPA_SEVERITY_MEDIUM;
                finding->confidence = WPA_CONFIDENCE_MEDIUM;
                wpa_rule_relate(run, finding, before->uses.span, "the local action");
                return;
            }
        }
    }
}

/* Most files use none, and all that is looked for here is about one. */
static bool uses_local(const wpa_outline *o)
{
    size_t i = 0;
    while (i < o->n_users && o->users[i].uses->kind != WPA_OUTLINE_LOCAL) {
        i++;
    }
    return i < o->n_users;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (!uses_local(o)) {
        return true;
    }
    bool is_foreign = is_for_others(run);
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            if (is_foreign) {
                check_foreign(run, &o->jobs[i].steps[k]);
            }
            check_step(run, &o->jobs[i].steps[k]);
            check_deleted(run, &o->jobs[i].steps[k]);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_step *step = finding->subject;
    if (step) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "check the tree out first");
        (void)wpa_rule_insert_before(run, fix, step->job->steps[0].node,
                                     "- uses: actions/checkout@v6\n  with:\n    "
                                     "persist-credentials: false");
    }
}

const wpa_rule wpa_rule_local_action_order = {
    .code = "CMP-032",
    .id = "local-action-order",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A step uses an action of the tree where the tree is not there",
    .why = "The runner looks for it in the workspace, finds no action file, and the job fails.",
    .fix = "Check the repository out before, into the folder that the path names.",
    .declares = WPA_DECLARES_JOBS,
    .claims_absence = true,
    .check = check,
    .repair = repair,
};
