#include "rules/taint.h"

#include <ctype.h>
#include <string.h>

#include "rules/taint_internal.h"

/* Paths that one question may look at, over all files. */
#define PATHS_MAX 2000
#define PATH_MAX_BYTES 512
#define IDENTIFIER "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

static const wpa_taint none = {WPA_TAINT_NONE, NULL, NULL, {0}, false, NULL, 0};
static const wpa_taint unknown = {WPA_TAINT_UNKNOWN, NULL, NULL, {0}, false, NULL, 0};

/* ---- comparing ---------------------------------------------------------------------------------
 */

bool wpa_taint_is_tainted(const wpa_taint *taint)
{
    return taint->grade > WPA_TAINT_UNKNOWN;
}

bool wpa_taint_is_of_outsider(const wpa_taint *taint)
{
    return taint->grade >= WPA_TAINT_OF_STRUCTURED && taint->trust.trust != WPA_TRUST_INSIDER;
}

static unsigned rank_of(const wpa_taint *taint)
{
    bool is_worst = taint->trust.trust == WPA_TRUST_OUTSIDER_PRIVILEGED && taint->is_privileged;
    bool is_outside = taint->trust.trust != WPA_TRUST_INSIDER;
    return (unsigned)taint->grade * 4 + (is_worst ? 2 : 0) + (is_outside ? 1 : 0);
}

wpa_taint wpa_taint_worse(wpa_taint a, wpa_taint b)
{
    return rank_of(&b) > rank_of(&a) ? b : a;
}

wpa_taint wpa_taint_add_hop(wpa_tracer *t, wpa_taint taint, const wpa_source *source, wpa_span span,
                            const char *label)
{
    if (taint.grade == WPA_TAINT_NONE || taint.n_hops >= WPA_TAINT_MAX_HOPS) {
        return taint;
    }
    wpa_taint_hop *hop = wpa_arena_alloc(t->run->arena, sizeof *hop);
    *hop = (wpa_taint_hop){source, span, label, taint.hops};
    taint.hops = hop;
    taint.n_hops++;
    return taint;
}

void wpa_taint_relate(wpa_rule_run *run, wpa_finding *finding, const wpa_taint *taint)
{
    const wpa_taint_hop *hops[WPA_TAINT_MAX_HOPS];
    size_t n = 0;
    for (const wpa_taint_hop *hop = taint->hops; hop && n < WPA_COUNT(hops); hop = hop->next) {
        hops[n++] = hop;
    }
    while (n-- > 0) {
        wpa_rule_relate_in(run, finding, hops[n]->source, hops[n]->span, "%s", hops[n]->label);
        finding->related[finding->n_related - 1].is_step = true;
    }
}

/* ---- sources -----------------------------------------------------------------------------------
 */

/* What names the tree of a pull request, or of the run before. */
static const char *const tree_paths[] = {
    "github.event.pull_request.head.sha",
    "github.event.pull_request.head.ref",
    "github.event.pull_request.head.label",
    "github.event.pull_request.head.repo.full_name",
    "github.event.pull_request.head.repo.name",
    "github.event.pull_request.head.repo.clone_url",
    "github.event.pull_request.head.repo.git_url",
    "github.event.pull_request.head.repo.ssh_url",
    "github.event.pull_request.head.repo.html_url",
    "github.event.pull_request.head.user.login",
    "github.event.pull_request.merge_commit_sha",
    "github.event.pull_request.number",
    "github.event.number",
    "github.event.issue.number",
    "github.head_ref",
    "github.event.workflow_run.head_sha",
    "github.event.workflow_run.head_branch",
    "github.event.workflow_run.head_commit.id",
    "github.event.workflow_run.head_repository.full_name",
    "github.event.workflow_run.pull_requests.*.head.sha",
    "github.event.workflow_run.pull_requests.*.head.ref",
    "github.event.workflow_run.pull_requests.*.number",
    "github.event.check_suite.head_sha",
    "github.event.check_run.head_sha",
};

/* A stranger picks which branch it is, but what lies there is the project's. */
static const char *const own_trees[] = {"github.base_ref", "github.event.pull_request.base.ref",
                                        "github.event.pull_request.base.label", "github.ref",
                                        "github.ref_name"};

/* Last members of payload paths that are ids, numbers, times and the like. */
static const char *const plain_members[] = {"number",
                                            "id",
                                            "sha",
                                            "after",
                                            "before",
                                            "action",
                                            "draft",
                                            "merged",
                                            "state",
                                            "url",
                                            "size",
                                            "type",
                                            "private",
                                            "fork",
                                            "run_number",
                                            "conclusion",
                                            "status",
                                            "event",
                                            "commits",
                                            "additions",
                                            "deletions",
                                            "changed_files",
                                            "author_association",
                                            "forced",
                                            "created",
                                            "deleted",
                                            "schedule",
                                            "prerelease",
                                            "comments",
                                            "run_attempt",
                                            "locked",
                                            "mergeable",
                                            "rebaseable",
                                            "color",
                                            "default"};

static const char *const text_events[] = {"issues",
                                          "issue_comment",
                                          "pull_request",
                                          "pull_request_target",
                                          "discussion",
                                          "discussion_comment",
                                          "pull_request_review",
                                          "pull_request_review_comment",
                                          "workflow_run",
                                          NULL};

static bool is_plain_payload(const char *path)
{
    static const char *const parts[] = {"github.event.repository", "github.event.organization",
                                        "github.event.installation", "github.event.enterprise",
                                        "github.event.pull_request.base.repo"};
    for (size_t i = 0; i < WPA_COUNT(parts); i++) {
        if (wpa_text_starts(path, parts[i])) {
            return true;
        }
    }
    static const char *const endings[] = {"_at", "_url", "_id", "_sha", "_state", "_count"};
    const char *last = strrchr(path, '.');
    for (size_t i = 0; i < WPA_COUNT(endings); i++) {
        if (wpa_text_ends(path, endings[i])) {
            return true;
        }
    }
    return wpa_text_index(last ? last + 1 : path, plain_members, WPA_COUNT(plain_members)) >= 0;
}

/* The worst event of a workflow by which a value of these events can come in. */
static wpa_taint by_triggers(wpa_tracer *t, const wpa_site *site, wpa_fact_list events,
                             wpa_taint found)
{
    const wpa_outline *o = site->source->outline;
    wpa_taint worst = none;
    for (size_t i = 0; i < o->n_triggers; i++) {
        const wpa_outline_trigger *trigger = &o->triggers[i];
        bool carries = wpa_fact_list_has(events, wpa_slice_of("*")) ||
                       wpa_fact_list_has(events, wpa_slice_of(trigger->name));
        if (!carries || wpa_text_is(trigger->name, "workflow_call")) {
            continue;
        }
        found.trust = wpa_trust_by(t->run, site, trigger);
        if (found.trust.event) {
            found.is_privileged = wpa_trust_site_is_privileged(site);
            worst = wpa_taint_worse(worst, found);
        }
    }
    return worst;
}

/*
 * The worst of what callers' events carry: the event of a called definition is its caller's. With
 * no caller known it is what found says, by assumption.
 */
static wpa_taint by_events(wpa_tracer *t, const wpa_site *site, wpa_fact_list events,
                           wpa_taint found)
{
    bool is_action = site->source->kind == WPA_INPUT_ACTION;
    wpa_taint worst = is_action ? none : by_triggers(t, site, events, found);
    bool is_callable =
        is_action || wpa_outline_trigger_find(site->source->outline, "workflow_call");
    if (!is_callable) {
        return worst;
    }
    if (site->caller) {
        return wpa_taint_worse(worst, by_events(t, site->caller, events, found));
    }
    wpa_site callers[WPA_SITE_CALLERS_MAX];
    size_t n = wpa_site_callers(t->run, site->source, callers);
    if (!n) {
        found.trust = (wpa_trust){.trust = WPA_TRUST_INSIDER, .is_assumed = true};
        return wpa_taint_worse(worst, found);
    }
    for (size_t i = 0; i < n && t->left && t->depth < WPA_TAINT_MAX_HOPS; i++) {
        t->left--;
        t->depth++;
        worst = wpa_taint_worse(worst, by_events(t, &callers[i], events, found));
        t->depth--;
    }
    return worst;
}

wpa_taint wpa_trace_foreign(wpa_tracer *t, const wpa_site *site, wpa_fact_list events,
                            const char *path, const char *shape)
{
    wpa_taint found = {.grade = WPA_TAINT_OF_ARBITRARY, .path = path, .shape = shape};
    return by_events(t, site, events, found);
}

static wpa_taint by_row(wpa_tracer *t, const wpa_site *site, const wpa_fact_untrusted *row,
                        const char *path)
{
    wpa_taint found = {.grade = row->taint == WPA_TAINT_ARBITRARY ? WPA_TAINT_OF_ARBITRARY
                                                                  : WPA_TAINT_OF_STRUCTURED,
                       .path = path,
                       .shape = row->shape};
    return by_events(t, site, row->triggers, found);
}

/* Of a whole object, "github.event.issue": the worst below it. */
static wpa_taint by_members(wpa_tracer *t, const wpa_site *site, const char *path,
                            const char *lower)
{
    wpa_taint worst = none;
    size_t length = strlen(lower);
    for (size_t i = 0; i < wpa_facts_untrusted_count(); i++) {
        const wpa_fact_untrusted *row = wpa_facts_untrusted_at(i);
        bool is_below = wpa_text_starts(row->path, lower) && row->path[length] == '.' &&
                        row->taint != WPA_TAINT_FIXED && row->taint != WPA_TAINT_FLOW;
        if (is_below && worst.grade < WPA_TAINT_OF_ARBITRARY) {
            worst = wpa_taint_worse(worst, by_row(t, site, row, path));
        }
    }
    return worst;
}

static wpa_taint trace_source(wpa_tracer *t, const wpa_site *site, const char *path,
                              const char *lower)
{
    const wpa_fact_untrusted *row = wpa_facts_untrusted_find(wpa_slice_of(lower));
    if (t->question == WPA_TAINT_CODE &&
        wpa_text_index(lower, tree_paths, WPA_COUNT(tree_paths)) >= 0) {
        static const char *const any[] = {"*", NULL};
        wpa_taint found = {
            .grade = WPA_TAINT_OF_ARBITRARY, .path = path, .shape = "a tree of their own"};
        return by_events(t, site, any, found);
    }
    if (t->question == WPA_TAINT_CODE &&
        wpa_text_index(lower, own_trees, WPA_COUNT(own_trees)) >= 0) {
        return none;
    }
    if (row && row->taint != WPA_TAINT_FLOW) {
        return row->taint == WPA_TAINT_FIXED ? none : by_row(t, site, row, path);
    }
    wpa_taint whole = by_members(t, site, path, lower);
    if (whole.grade != WPA_TAINT_NONE) {
        return whole;
    }
    if (!row && wpa_text_starts(lower, "github.event.") && !is_plain_payload(lower)) {
        wpa_taint found = {
            .grade = WPA_TAINT_OF_PAYLOAD, .path = path, .shape = "part of the event"};
        wpa_taint taint = by_events(t, site, text_events, found);
        return taint.trust.is_assumed ? none : taint;
    }
    return none;
}

/* ---- inputs ------------------------------------------------------------------------------------
 */

static const wpa_yaml_node *input_of(const wpa_yaml_node *owner, const char *name)
{
    const wpa_yaml_pair *pair = wpa_yaml_find_ci(wpa_yaml_get(owner, "inputs"), name);
    return pair ? wpa_yaml_resolve(pair->value) : NULL;
}

static const wpa_yaml_node *declared_at(const wpa_source *source, const char *event,
                                        const char *name, bool *is_declared)
{
    const wpa_outline_trigger *trigger = wpa_outline_trigger_find(source->outline, event);
    const wpa_yaml_node *inputs = trigger ? wpa_yaml_get(trigger->config, "inputs") : NULL;
    const wpa_yaml_pair *pair = wpa_yaml_find_ci(inputs, name);
    *is_declared = pair != NULL;
    return pair ? wpa_yaml_resolve(pair->value) : NULL;
}

static bool takes_text(const wpa_yaml_node *input)
{
    const char *type = wpa_yaml_text(wpa_yaml_get(input, "type"));
    return !type || wpa_text_is(type, "string");
}

/* What one caller puts in; *is_given is false where the default holds. */
static wpa_taint given_by(wpa_tracer *t, const wpa_site *caller, const char *name, bool *is_given)
{
    const wpa_yaml_node *holder = caller->step ? caller->step->node : caller->job->node;
    const wpa_yaml_pair *pair = wpa_yaml_find_ci(wpa_yaml_get(holder, "with"), name);
    *is_given = pair != NULL;
    return pair ? wpa_trace_scalar(t, caller, wpa_yaml_resolve(pair->value)) : none;
}

static wpa_taint given_or_default(wpa_tracer *t, const wpa_site *site, const wpa_site *caller,
                                  const char *name, const wpa_yaml_node *input)
{
    bool is_given;
    wpa_taint taint = given_by(t, caller, name, &is_given);
    if (is_given) {
        return taint;
    }
    wpa_site at = *site;
    at.caller = wpa_arena_dup(t->run->lasting, caller, sizeof *caller); /* told apart by address */
    const wpa_yaml_node *value = wpa_yaml_get(input, "default");
    return wpa_taint_add_hop(t, wpa_trace_scalar(t, &at, value), site->source,
                             value ? value->span : site->source->outline->root->span,
                             "the input's default");
}

/* An input that callers fill. */
static wpa_taint trace_called_input(wpa_tracer *t, const wpa_site *site, const char *name,
                                    const wpa_yaml_node *input)
{
    if (site->caller) {
        return given_or_default(t, site, site->caller, name, input);
    }
    wpa_taint worst = {
        .grade = WPA_TAINT_OF_CALLER,
        .path = wpa_arena_printf(t->run->arena, "inputs.%s", name),
        .shape = "whatever a caller puts in",
        .trust.is_assumed = true,
        .trust.trust = WPA_TRUST_INSIDER,
    };
    wpa_site callers[WPA_SITE_CALLERS_MAX];
    size_t n = wpa_site_callers(t->run, site->source, callers);
    for (size_t i = 0; i < n && wpa_site_depth(&callers[i]) < WPA_SITE_DEPTH_MAX; i++) {
        worst = wpa_taint_worse(worst, given_or_default(t, site, &callers[i], name, input));
    }
    return worst;
}

static wpa_taint trace_input(wpa_tracer *t, const wpa_site *site, const char *name,
                             bool is_of_event)
{
    const wpa_source *source = site->source;
    if (source->kind == WPA_INPUT_ACTION) {
        return trace_called_input(t, site, name, input_of(source->outline->root, name));
    }
    bool is_dispatched, is_called;
    const wpa_yaml_node *dispatched =
        declared_at(source, "workflow_dispatch", name, &is_dispatched);
    const wpa_yaml_node *called = declared_at(source, "workflow_call", name, &is_called);
    wpa_taint taint = none;
    if (is_dispatched && takes_text(dispatched)) {
        taint = (wpa_taint){
            .grade = WPA_TAINT_OF_DISPATCH,
            .path = wpa_arena_printf(t->run->arena, "inputs.%s", name),
            .shape = "free text of whoever starts the workflow",
            .trust.trust = WPA_TRUST_INSIDER,
            .trust.event = "workflow_dispatch",
        };
    }
    if (is_called && !is_of_event && takes_text(called)) {
        taint = wpa_taint_worse(taint, trace_called_input(t, site, name, called));
    }
    return taint;
}

/* ---- env ---------------------------------------------------------------------------------------
 */

/* Variables that the runner sets. */
static const char *const runner_variables[][2] = {
    {"GITHUB_HEAD_REF", "github.head_ref"}, {"GITHUB_REF_NAME", "github.ref_name"},
    {"GITHUB_BASE_REF", "github.base_ref"}, {"GITHUB_REF", "github.ref"},
    {"GITHUB_ACTOR", "github.actor"},       {"GITHUB_TRIGGERING_ACTOR", "github.triggering_actor"},
};

static const wpa_yaml_node *env_at(const wpa_yaml_node *scope, const char *name, bool ignores_case)
{
    const wpa_yaml_node *env = wpa_yaml_get(scope, "env");
    const wpa_yaml_pair *pair =
        ignores_case ? wpa_yaml_find_ci(env, name) : wpa_yaml_find(env, name);
    return pair ? wpa_yaml_resolve(pair->value) : NULL;
}

static wpa_taint defined_as(wpa_tracer *t, const wpa_site *site, const wpa_yaml_node *value)
{
    wpa_taint taint = wpa_taint_worse(unknown, wpa_trace_scalar(t, site, value));
    return taint;
}

wpa_taint wpa_trace_env(wpa_tracer *t, const wpa_site *site, const char *name)
{
    const wpa_outline_job *job = site->job;
    bool ignores_case = job && job->os == WPA_OS_WINDOWS;
    const wpa_yaml_node *value = site->step ? env_at(site->step->node, name, ignores_case) : NULL;
    if (value) {
        return defined_as(t, site, value);
    }
    for (size_t i = site->step ? site->step->index : 0; job && i-- > 0;) {
        wpa_site earlier = *site;
        earlier.step = &job->steps[i];
        wpa_taint taint = wpa_trace_export(t, &earlier, "GITHUB_ENV", name);
        if (taint.grade != WPA_TAINT_NONE) {
            return taint;
        }
    }
    const wpa_yaml_node *scopes[] = {job && job->key ? job->node : NULL,
                                     site->source->outline->root};
    for (size_t i = 0; i < WPA_COUNT(scopes); i++) {
        value = env_at(scopes[i], name, ignores_case);
        if (value) {
            wpa_site outer = *site;
            outer.step = NULL;
            return defined_as(t, &outer, value);
        }
    }
    for (size_t i = 0; i < WPA_COUNT(runner_variables); i++) {
        if (wpa_text_is(name, runner_variables[i][0])) {
            return wpa_trace_path(t, site, runner_variables[i][1]);
        }
    }
    return site->caller && site->source->kind == WPA_INPUT_ACTION
               ? wpa_trace_env(t, site->caller, name)
               : unknown;
}

/* ---- outputs and matrices ----------------------------------------------------------------------
 */

static const wpa_outline_step *step_by_id(const wpa_outline_job *job, const char *id)
{
    for (size_t i = 0; job && i < job->n_steps; i++) {
        if (job->steps[i].id && wpa_text_is_ci(id, job->steps[i].id)) {
            return &job->steps[i];
        }
    }
    return NULL;
}

/* "value" of an output of a local action or a called workflow, judged with this caller. */
static wpa_taint trace_callee_output(wpa_tracer *t, const wpa_site *caller,
                                     const wpa_outline_uses *uses, const char *name)
{
    const wpa_source *callee = wpa_site_callee(t->run, uses);
    if (!callee || wpa_site_depth(caller) >= WPA_SITE_DEPTH_MAX) {
        return unknown;
    }
    const wpa_outline *o = callee->outline;
    const wpa_outline_trigger *call = wpa_outline_trigger_find(o, "workflow_call");
    const wpa_yaml_node *owner = callee->kind == WPA_INPUT_ACTION ? o->root
                                 : call                           ? call->config
                                                                  : NULL;
    const wpa_yaml_pair *output = wpa_yaml_find_ci(wpa_yaml_get(owner, "outputs"), name);
    const wpa_yaml_node *value = output ? wpa_yaml_get(output->value, "value") : NULL;
    wpa_site site = {.source = callee, .caller = caller};
    site.job = callee->kind == WPA_INPUT_ACTION && o->n_jobs ? &o->jobs[0] : NULL;
    return value ? wpa_trace_scalar(t, &site, value) : unknown;
}

/* Members of objects that the forge's API returns and that strangers fill. */
static const char *const api_members[] = {
    ".head.ref",    ".head.label",    ".title",       ".body",           ".head_ref",
    ".headRefName", ".display_title", ".head_branch", ".commit.message", ".filename"};
static const char *const api_trees[] = {".head.sha",         ".head.ref", ".headRefOid",
                                        ".merge_commit_sha", ".head_sha", "headRefName",
                                        "headRefOid"};

static bool names_any(const char *text, const char *const words[], size_t n)
{
    for (size_t i = 0; text && i < n; i++) {
        const char *at = strstr(text, words[i]);
        size_t length = strlen(words[i]);
        while (at && (isalnum((unsigned char)at[length]) || at[length] == '_')) {
            at = strstr(at + 1, words[i]);
        }
        if (at) {
            return true;
        }
    }
    return false;
}

static bool names_member(const char *text, size_t length, wpa_arena *arena)
{
    return names_any(wpa_arena_slice(arena, text, length), api_members, WPA_COUNT(api_members));
}

/* Is an identifier of the expression declared, on one line, as such a member? */
static bool declares_member(const char *script, const char *expression, size_t length,
                            wpa_arena *arena)
{
    for (size_t i = 0; i < length; i++) {
        size_t n = strspn(expression + i, IDENTIFIER);
        const char *name = n && n < length - i ? wpa_arena_slice(arena, expression + i, n) : NULL;
        const char *assignment = name ? wpa_arena_printf(arena, "%s = ", name) : NULL;
        const char *at = assignment ? strstr(script, assignment) : NULL;
        if (at && names_member(at, strcspn(at, "\n"), arena)) {
            return true;
        }
        i += n;
    }
    return false;
}

/* The next line behind *at that gives the output out, from behind the call on; NULL: none does. */
static const char *next_output(const char **at, const char *name)
{
    bool is_result = wpa_text_is_ci(name, "result");
    const char *call = is_result ? "return " : "setOutput(";
    while ((*at = strstr(*at, call))) {
        *at += strlen(call);
        const char *named = *at + strspn(*at, "'\"`");
        if (is_result ||
            (strncmp(named, name, strlen(name)) == 0 && strchr("'\"`", named[strlen(name)]))) {
            return *at;
        }
    }
    return NULL;
}

/* Does a script of the forge's client give such a member out under this name? */
static bool sets_output(const char *script, const char *name, wpa_arena *arena)
{
    const char *at = script;
    for (const char *line = next_output(&at, name); line; line = next_output(&at, name)) {
        size_t length = strcspn(line, "\n");
        if (names_member(line, length, arena) || declares_member(script, line, length, arena)) {
            return true;
        }
    }
    return false;
}

/* What asks about a text instead of handing it on. */
static bool only_asks(const char *line, size_t length)
{
    static const char *const questions[] = {"==",       "!=",     ".includes(", ".startsWith(",
                                            ".length",  ".test(", ".indexOf(",  "Number(",
                                            "parseInt", "sha",    ".endsWith(", "replace("};
    for (size_t i = 0; i < WPA_COUNT(questions); i++) {
        if (memmem(line, length, questions[i], strlen(questions[i]))) {
            return true;
        }
    }
    return false;
}

/* Variables of the environment that the line reads: "process.env.TITLE". */
static wpa_taint trace_environment(wpa_tracer *t, const wpa_site *site, const char *line)
{
    static const char reader[] = "process.env.";
    wpa_taint worst = none;
    size_t length = strcspn(line, "\n");
    for (const char *at = only_asks(line, length) ? NULL : strstr(line, reader);
         at && at < line + length && wpa_rule_spend(t->run, 16); at = strstr(at, reader)) {
        at += strlen(reader);
        const char *name = wpa_arena_slice(t->run->arena, at, strspn(at, IDENTIFIER));
        worst = wpa_taint_worse(worst, wpa_trace_env(t, site, name));
    }
    return worst;
}

/* What a script gives out of its environment, in the call or a line that declares what it hands on.
 */
static wpa_taint trace_given_env(wpa_tracer *t, const wpa_site *site, const char *script,
                                 const char *name)
{
    wpa_taint worst = none;
    const char *at = script;
    if (!strstr(script, "process.env.") || !wpa_rule_spend(t->run, strlen(script))) {
        return none;
    }
    for (const char *line = next_output(&at, name); line; line = next_output(&at, name)) {
        worst = wpa_taint_worse(worst, trace_environment(t, site, line));
        const char *value = line + strcspn(line, ",\n");
        value += strspn(value, ", ");
        size_t n = strspn(value, IDENTIFIER);
        bool is_name = n && value[n] == ')' && wpa_rule_spend(t->run, strlen(script));
        const char *declared =
            is_name ? strstr(script, wpa_arena_printf(t->run->arena, " %.*s = ", (int)n, value))
                    : NULL;
        if (declared) {
            worst = wpa_taint_worse(worst, trace_environment(t, site, declared));
        }
    }
    return wpa_taint_add_hop(t, worst, site->source, site->step->uses.node->span, "gives it out");
}

/* An output that comes from outside the files: table, or a script that asks the forge. */
static wpa_taint foreign_output(wpa_tracer *t, const wpa_site *site, const wpa_outline_step *step,
                                const char *path, const char *shape)
{
    static const char *const any[] = {"*", NULL};
    wpa_site at = *site;
    at.step = step;
    wpa_taint taint = wpa_trace_foreign(t, &at, any, path, shape);
    const wpa_yaml_node *node = step->uses.node ? step->uses.node : step->run;
    return wpa_taint_add_hop(t, taint, site->source, node ? node->span : step->node->span,
                             "gives it out");
}

/* Outputs that say yes, no, or how many. */
static bool is_verdict(const char *name)
{
    return wpa_text_starts(name, "any_") || wpa_text_starts(name, "only_") ||
           wpa_text_ends(name, "_count") || wpa_text_ends(name, "_keys") ||
           wpa_text_starts(name, "is_");
}

static wpa_taint trace_action_output(wpa_tracer *t, const wpa_site *site,
                                     const wpa_outline_step *step, const char *name,
                                     const char *path)
{
    if (wpa_facts_output_is_tainted(step->uses.slug, wpa_slice_of(name)) && !is_verdict(name)) {
        return foreign_output(t, site, step, path, "names of files or branches");
    }
    if (!wpa_outline_step_uses(step, "actions/github-script")) {
        const char *route = wpa_outline_with_text(step, "route");
        bool is_tree = t->question == WPA_TAINT_CODE &&
                       (strcasestr(name, "head") || (route && strstr(route, "/pulls/")));
        return is_tree ? foreign_output(t, site, step, path, "a tree of their own") : unknown;
    }
    const wpa_yaml_node *script = wpa_outline_with(step, "script");
    const char *text = wpa_yaml_text(script);
    bool gives = text && (wpa_text_is_ci(name, "result") ? strstr(text, "return") != NULL
                                                         : strstr(text, name) != NULL);
    wpa_site at = *site;
    at.step = step;
    wpa_taint taint = gives ? wpa_trace_scalar(t, &at, script) : none;
    if (gives) {
        taint = wpa_taint_worse(taint, trace_given_env(t, &at, text, name));
    }
    bool is_foreign =
        gives && (t->question == WPA_TAINT_CODE ? names_any(text, api_trees, WPA_COUNT(api_trees))
                                                : sets_output(text, name, t->run->arena));
    if (is_foreign) {
        taint = wpa_taint_worse(taint, foreign_output(t, site, step, path, "text of the forge"));
    }
    return wpa_taint_worse(unknown, taint);
}

/* "ID.outputs.NAME" */
static wpa_taint trace_step_output(wpa_tracer *t, const wpa_site *site, const char *id,
                                   const char *name, const char *path)
{
    const wpa_outline_step *step = step_by_id(site->job, id);
    if (!step) {
        return unknown;
    }
    wpa_site at = *site;
    at.step = step;
    if (step->run) {
        wpa_taint taint = wpa_trace_export(t, &at, "GITHUB_OUTPUT", name);
        bool asks = t->question == WPA_TAINT_CODE && strstr(step->run->text, name) &&
                    names_any(step->run->text, api_trees, WPA_COUNT(api_trees));
        if (asks) {
            taint =
                wpa_taint_worse(foreign_output(t, site, step, path, "a tree of their own"), taint);
        }
        return wpa_taint_worse(unknown, taint);
    }
    if (step->uses.kind == WPA_OUTLINE_LOCAL) {
        const wpa_site *caller = wpa_arena_dup(t->run->lasting, &at, sizeof at);
        return wpa_taint_add_hop(t, trace_callee_output(t, caller, &step->uses, name), site->source,
                                 step->uses.node->span, "gives it out");
    }
    return step->uses.kind == WPA_OUTLINE_REPOSITORY
               ? trace_action_output(t, site, step, name, path)
               : unknown;
}

static wpa_taint trace_job_output(wpa_tracer *t, const wpa_site *site, const char *id,
                                  const char *name)
{
    const wpa_outline_job *job = wpa_site_job(site->source, id);
    if (!job || !wpa_rule_spend(t->run, site->source->outline->n_jobs)) {
        return unknown;
    }
    wpa_site at = {.source = site->source, .job = job, .caller = site->caller};
    if (job->is_call) {
        const wpa_site *caller = wpa_arena_dup(t->run->lasting, &at, sizeof at);
        return wpa_taint_add_hop(t, trace_callee_output(t, caller, &job->uses, name), site->source,
                                 job->key->span, "gives it out");
    }
    const wpa_yaml_pair *output = wpa_yaml_find_ci(wpa_yaml_get(job->node, "outputs"), name);
    return output ? wpa_trace_scalar(t, &at, wpa_yaml_resolve(output->value)) : unknown;
}

/* Values below a matrix row; closed lists of literals are nobody's choice. */
static wpa_taint trace_values(wpa_tracer *t, const wpa_site *site, const wpa_yaml_node *node,
                              unsigned depth)
{
    node = wpa_yaml_resolve(node);
    wpa_taint worst = none;
    if (wpa_yaml_is(node, WPA_YAML_SCALAR)) {
        bool is_open = wpa_outline_has_expression(node->text);
        return is_open ? wpa_taint_worse(unknown, wpa_trace_scalar(t, site, node)) : none;
    }
    size_t n = node ? node->n_items + node->n_pairs : 0;
    for (size_t i = 0; depth < 4 && i < n && i < 256; i++) {
        const wpa_yaml_node *child =
            node->kind == WPA_YAML_SEQUENCE ? node->items[i] : node->pairs[i].value;
        worst = wpa_taint_worse(worst, trace_values(t, site, child, depth + 1));
    }
    return worst;
}

static wpa_taint trace_matrix(wpa_tracer *t, const wpa_site *site, const char *name)
{
    const wpa_yaml_node *matrix =
        site->job ? wpa_yaml_get(wpa_yaml_get(site->job->node, "strategy"), "matrix") : NULL;
    wpa_site at = *site;
    at.step = NULL;
    if (!matrix) {
        return unknown;
    }
    if (wpa_yaml_is(matrix, WPA_YAML_SCALAR)) {
        return trace_values(t, &at, matrix, 0);
    }
    const wpa_yaml_pair *row = wpa_yaml_find_ci(matrix, name);
    wpa_taint worst = row ? trace_values(t, &at, row->value, 0) : none;
    const wpa_yaml_node *include = wpa_yaml_get(matrix, "include");
    if (wpa_yaml_is(include, WPA_YAML_SCALAR)) {
        worst = wpa_taint_worse(worst, trace_values(t, &at, include, 0));
    }
    for (size_t i = 0; wpa_yaml_is(include, WPA_YAML_SEQUENCE) && i < include->n_items; i++) {
        const wpa_yaml_pair *value = wpa_yaml_find_ci(include->items[i], name);
        worst = value ? wpa_taint_worse(worst, trace_values(t, &at, value->value, 0)) : worst;
    }
    return worst;
}

/* ---- paths -------------------------------------------------------------------------------------
 */

/* The part of a path between two dots; the arena holds the copy. */
static const char *part(wpa_tracer *t, const char *path, size_t index)
{
    for (; index && path; index--) {
        path = strchr(path, '.');
        path = path ? path + 1 : NULL;
    }
    return path ? wpa_arena_slice(t->run->arena, path, strcspn(path, ".")) : "";
}

/* "steps.ID.outputs.NAME", "needs.ID.outputs.NAME", "jobs.ID.outputs.NAME" */
static wpa_taint trace_output(wpa_tracer *t, const wpa_site *site, const char *path,
                              const char *lower)
{
    static const char *const fixed[] = {"outcome", "conclusion", "result"};
    const char *kind = part(t, lower, 2), *id = part(t, path, 1), *name = part(t, path, 3);
    if (wpa_text_index(kind, fixed, WPA_COUNT(fixed)) >= 0) {
        return none;
    }
    if (!wpa_text_is(kind, "outputs") || !*name) {
        return unknown;
    }
    return *lower == 's' ? trace_step_output(t, site, id, name, path)
                         : trace_job_output(t, site, id, name);
}

static wpa_taint trace_kind(wpa_tracer *t, const wpa_site *site, const char *path,
                            const char *lower)
{
    if (wpa_text_starts(lower, "github.event.inputs.")) {
        return trace_input(t, site, part(t, path, 3), true);
    }
    if (wpa_text_starts(lower, "inputs.")) {
        return trace_input(t, site, part(t, path, 1), false);
    }
    if (wpa_text_starts(lower, "env.")) {
        return wpa_trace_env(t, site, part(t, path, 1));
    }
    bool is_output = wpa_text_starts(lower, "steps.") || wpa_text_starts(lower, "needs.") ||
                     wpa_text_starts(lower, "jobs.");
    if (is_output) {
        return trace_output(t, site, path, lower);
    }
    if (wpa_text_starts(lower, "matrix.")) {
        return trace_matrix(t, site, part(t, path, 1));
    }
    static const char *const opaque[] = {"vars.", "steps", "needs", "inputs", "env", "matrix"};
    for (size_t i = 0; i < WPA_COUNT(opaque); i++) {
        if (i == 0 ? wpa_text_starts(lower, opaque[i]) : wpa_text_is(lower, opaque[i])) {
            return unknown;
        }
    }
    return trace_source(t, site, path, lower);
}

wpa_taint wpa_trace_path(wpa_tracer *t, const wpa_site *site, const char *path)
{
    char lower[PATH_MAX_BYTES];
    if (!wpa_text_copy(lower, sizeof lower, path) || t->depth >= WPA_TAINT_MAX_HOPS || !t->left ||
        !wpa_rule_spend(t->run, 200)) {
        return unknown;
    }
    for (char *c = lower; *c; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    t->left--;
    t->depth++;
    wpa_taint taint = trace_kind(t, site, path, lower);
    t->depth--;
    return taint;
}

/* ---- scalars -----------------------------------------------------------------------------------
 */

wpa_taint wpa_trace_text(wpa_tracer *t, const wpa_site *site, const wpa_yaml_node *node,
                         wpa_span within)
{
    wpa_taint worst = none;
    size_t at = within.start;
    wpa_span fence, inside;
    if (!wpa_rule_spend(t->run, wpa_span_length(within))) {
        return unknown;
    }
    while (wpa_flow_next_fence(node->text, within.end, &at, &fence, &inside)) {
        wpa_flow flow =
            wpa_flow_read(node->text + inside.start, wpa_span_length(inside), t->run->arena);
        for (size_t i = 0; i < flow.n; i++) {
            wpa_taint taint = wpa_trace_path(t, site, flow.paths[i]);
            if (rank_of(&taint) > rank_of(&worst)) {
                wpa_span span = wpa_site_span(t->run, node, inside.start, inside.end);
                worst = wpa_taint_add_hop(t, taint, site->source, span, "comes from here");
            }
        }
    }
    return worst;
}

wpa_taint wpa_trace_scalar(wpa_tracer *t, const wpa_site *site, const wpa_yaml_node *node)
{
    bool is_text = wpa_yaml_is(node, WPA_YAML_SCALAR) && node->text;
    return is_text ? wpa_trace_text(t, site, node, (wpa_span){0, node->length}) : none;
}

/* ---- asking ------------------------------------------------------------------------------------
 */

wpa_taint wpa_taint_of_path(wpa_rule_run *run, const wpa_site *site, const char *path,
                            wpa_taint_question question)
{
    wpa_tracer t = {.run = run, .question = question, .left = PATHS_MAX};
    return wpa_trace_path(&t, site, path);
}

wpa_taint wpa_taint_of_scalar(wpa_rule_run *run, const wpa_site *site, const wpa_yaml_node *node,
                              wpa_taint_question question)
{
    wpa_tracer t = {.run = run, .question = question, .left = PATHS_MAX};
    return wpa_trace_scalar(&t, site, wpa_yaml_resolve(node));
}

wpa_taint wpa_taint_of_script(wpa_rule_run *run, const wpa_site *site, wpa_span span,
                              wpa_taint_question question)
{
    wpa_tracer t = {.run = run, .question = question, .left = PATHS_MAX};
    return wpa_trace_script(&t, site, span);
}
