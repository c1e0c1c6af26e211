/* EFF-001: one commit runs the workflow twice, as a push and as a pull request. */
#include <string.h>

#include "rules/work.h"

/* Does a filter let every branch through, or is there none? */
static bool takes_all_branches(const wpa_yaml_node *config)
{
    const wpa_yaml_node *branches = wpa_yaml_get(config, "branches");
    if (!branches) {
        return !wpa_yaml_find(config, "branches-ignore") && !wpa_yaml_find(config, "tags") &&
               !wpa_yaml_find(config, "tags-ignore");
    }
    for (size_t i = 0; wpa_yaml_is(branches, WPA_YAML_SEQUENCE) && i < branches->n_items; i++) {
        const char *text = wpa_yaml_text(branches->items[i]);
        if (wpa_text_is(text, "**")) {
            return branches->n_items == 1; /* with "!..." behind it somebody has thought of it */
        }
    }
    return wpa_text_is(wpa_yaml_text(branches), "**");
}

/* Every job says for which of the two it runs. */
static bool is_told_apart(const wpa_outline *o)
{
    static const char *const tests[] = {
        "event_name", "head.repo", "event.pull_request", "github.ref", "head_ref", "needs.", NULL};
    for (size_t i = 0; i < o->n_jobs; i++) {
        bool waits = wpa_yaml_find(o->jobs[i].node, "needs") != NULL;
        if (!waits && !wpa_work_mentions_any(o->jobs[i].condition, tests)) {
            return false;
        }
    }
    return o->n_jobs > 0;
}

/* A group by the branch's name, the same for both, in which one cancels the other. */
static bool is_merged(const wpa_outline *o)
{
    const wpa_yaml_node *concurrency = wpa_yaml_get(o->root, "concurrency");
    const wpa_yaml_node *group = wpa_yaml_get(concurrency, "group");
    bool by_name = wpa_work_mentions(group, "head_ref") &&
                   (wpa_work_mentions(group, "ref_name") || wpa_work_mentions(group, "head.sha") ||
                    wpa_work_mentions(group, "github.sha"));
    return (by_name || wpa_work_mentions(group, "head.sha")) &&
           wpa_yaml_find(concurrency, "cancel-in-progress");
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    const wpa_outline_trigger *push = wpa_outline_trigger_find(o, "push");
    const wpa_outline_trigger *pr = wpa_outline_trigger_find(o, "pull_request");
    if (push && pr && takes_all_branches(push->config) && wpa_work_takes_commits(pr->config) &&
        !is_told_apart(o) && !is_merged(o)) {
        wpa_finding *finding =
            wpa_rule_report(run, push->node->span, NULL, push,
                            "a commit of a pull request's branch runs twice: push takes every "
                            "branch, and so does pull_request");
        wpa_rule_relate(run, finding, pr->node->span, "and once more here");
    }
    return true;
}

/* "on: [push, pull_request]" has no room for a filter, and is written as a mapping. */
static void rewrite_list(wpa_rule_run *run, wpa_fix *fix, const wpa_outline *o, const char *branch)
{
    const wpa_yaml_node *on = o->on->value;
    const char *text = "";
    const char *line_break = run->source->yaml->has_crlf ? "\r\n" : "\n";
    if (on->kind != WPA_YAML_SEQUENCE || on->style != WPA_YAML_FLOW ||
        o->on->key->span.end + 2 != on->span.start) {
        return;
    }
    for (size_t i = 0; i < o->n_triggers; i++) {
        bool is_push = wpa_text_is(o->triggers[i].name, "push");
        text =
            wpa_arena_printf(run->arena, "%s%s  %s:%s%s%s%s", text, line_break, o->triggers[i].name,
                             is_push ? line_break : "", is_push ? "    branches: [" : "",
                             is_push ? branch : "", is_push ? "]" : "");
    }
    wpa_rule_edit(run, fix, (wpa_span){on->span.start - 1, on->span.end}, "%s", text);
}

/* The default branch; else the one that pull requests are taken for. */
static const char *branch_of(const wpa_rule_run *run, const wpa_outline *o)
{
    const wpa_surroundings *around = run->source->around;
    const wpa_outline_trigger *pr = wpa_outline_trigger_find(o, "pull_request");
    const wpa_yaml_node *branches = wpa_yaml_get(pr->config, "branches");
    bool is_one = wpa_yaml_is(branches, WPA_YAML_SEQUENCE) && branches->n_items == 1;
    const char *named = wpa_yaml_text(is_one ? branches->items[0] : branches);
    if (around && around->default_branch) {
        return around->default_branch;
    }
    return named && !strpbrk(named, "*!?[+${}'\"") ? named : NULL;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline *o = run->source->outline;
    const wpa_outline_trigger *push = finding->subject;
    const char *branch = branch_of(run, o);
    if (!branch) {
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "push to %s only", branch);
    const wpa_yaml_pair *branches = wpa_yaml_find(push->config, "branches");
    bool is_bare = push->node->key == NULL && push->node->parent == o->on->value &&
                   o->on->value->kind == WPA_YAML_MAPPING && !push->config;
    if (branches) {
        wpa_rule_edit(run, fix, branches->value->span, "[%s]", branch);
    } else if (is_bare) {
        const wpa_yaml_pair *pair = wpa_yaml_find(o->on->value, "push");
        size_t end = pair->key->span.end + 1;
        const wpa_yaml_doc *doc = run->source->yaml;
        wpa_rule_edit(run, fix, (wpa_span){end, end}, "%s%*s  branches: [%s]",
                      doc->has_crlf ? "\r\n" : "\n",
                      (int)wpa_yaml_indent(doc, pair->key->span.start), "", branch);
    } else {
        rewrite_list(run, fix, o, branch);
    }
}

const wpa_rule wpa_rule_push_pr_double_run = {
    .code = "EFF-001",
    .id = "push-pr-double-run",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A commit runs the same workflow as a push and as a pull request",
    .why = "Everything is done and paid for twice for each commit of a branch with a pull request.",
    .fix = "Let push run on the long-lived branches only.",
    .declares = WPA_DECLARES_TRIGGERS,
    .check = check,
    .repair = repair,
};
