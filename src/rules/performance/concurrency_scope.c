/*
 * PRF-004: concurrency groups that hold more, or less, than they are meant to. G1 without the ref,
 * G2 of the head's name alone, G3 cancels what ships, G4 shared by two workflows, G5 shared with a
 * callee, G6 never the same twice.
 */
#include <string.h>
#include <strings.h>

#include "rules/expressions.h"
#include "rules/graph.h"
#include "rules/trust.h"
#include "rules/work.h"

/* What a group's text tells runs apart by. */
typedef struct scope {
    bool has_ref;      /* github.ref, ref_name: the base branch under pull_request_target */
    bool has_head_ref; /* github.head_ref */
    bool has_number;   /* of the pull request, or another of its fields */
    bool has_run;      /* the run or the commit itself, wherever it stands */
    bool has_only_run; /* the run or the commit, whatever else there is */
    bool has_workflow;
    bool has_other; /* what cannot be told: inputs, needs, env, actor */
} scope;

typedef struct group {
    const wpa_yaml_node *node; /* the text */
    const wpa_yaml_node *cancel;
    const wpa_outline_job *job; /* NULL: of the workflow */
    scope scope;
} group;

static void note_path(scope *s, const char *path, bool is_alternative)
{
    static const char *const fixed[] = {"github.repository", "github.event_name", "github.job",
                                        "github.repository_owner", NULL};
    wpa_slice whole = wpa_slice_of(path);
    if (wpa_text_is(path, "github.ref") || wpa_text_is(path, "github.ref_name")) {
        s->has_ref = true;
    } else if (wpa_text_is(path, "github.head_ref")) {
        s->has_head_ref = true;
    } else if (wpa_text_starts(path, "github.event.")) {
        s->has_number = true;
    } else if (wpa_text_is(path, "github.run_id") || wpa_text_is(path, "github.sha") ||
               wpa_text_is(path, "github.run_number")) {
        s->has_run = true;
        s->has_only_run = s->has_only_run || !is_alternative;
    } else if (wpa_text_is(path, "github.workflow") || wpa_text_is(path, "github.workflow_ref")) {
        s->has_workflow = true;
    } else if (!wpa_fact_list_has(fixed, whole) && !wpa_text_starts(path, "matrix.") &&
               !wpa_text_starts(path, "runner.") && !wpa_text_starts(path, "vars.")) {
        s->has_other = true;
    }
}

/* References are enough but for one question: does the value stand in one branch of several? */
static void note_expression(scope *s, const wpa_expr *e, bool is_alternative, wpa_arena *arena)
{
    bool is_choice = e->kind == WPA_EXPR_OR || e->kind == WPA_EXPR_AND ||
                     (e->kind == WPA_EXPR_CALL && wpa_text_is_ci(e->text, "case"));
    bool is_chain = e->kind == WPA_EXPR_NAME || e->kind == WPA_EXPR_MEMBER ||
                    e->kind == WPA_EXPR_INDEX || e->kind == WPA_EXPR_STAR;
    if (is_chain) {
        size_t n;
        wpa_expr_reference *references = wpa_expr_references(e, arena, &n);
        for (size_t i = 0; i < n; i++) {
            note_path(s, references[i].path, is_alternative);
        }
        return;
    }
    for (size_t i = 0; i < e->n_args; i++) {
        note_expression(s, e->args[i], is_alternative || is_choice, arena);
    }
}

static scope scope_of(wpa_rule_run *run, const wpa_yaml_node *text)
{
    scope s = {0};
    size_t n;
    const wpa_expr_place *places = wpa_expressions_find(run, text, &n);
    for (size_t i = 0; i < n; i++) {
        if (places[i].parsed.root) {
            note_expression(&s, places[i].parsed.root, false, run->arena);
        } else {
            s.has_other = true;
        }
    }
    return s;
}

static bool find_group(wpa_rule_run *run, const wpa_yaml_node *owner, const wpa_outline_job *job,
                       group *g)
{
    const wpa_yaml_node *concurrency = wpa_yaml_get(owner, "concurrency");
    bool is_mapping = wpa_yaml_is(concurrency, WPA_YAML_MAPPING);
    const wpa_yaml_node *node = is_mapping ? wpa_yaml_get(concurrency, "group") : concurrency;
    if (!wpa_yaml_text(node)) {
        return false;
    }
    *g = (group){
        .node = node,
        .cancel = is_mapping ? wpa_yaml_get(concurrency, "cancel-in-progress") : NULL,
        .job = job,
        .scope = scope_of(run, node),
    };
    return true;
}

static bool cancels(const group *g)
{
    return wpa_text_is_ci(wpa_yaml_text(g->cancel), "true");
}

/* ---- G1, G2, G6: what the text tells apart ---- */

/* Does the job run for pull requests, as far as its condition tells? */
static bool runs_on_pr(const group *g)
{
    static const char *const tests[] = {"event_name", "github.ref", "event.pull_request", "inputs.",
                                        NULL};
    return !g->job || !wpa_work_mentions_any(g->job->condition, tests);
}

static void check_ref(wpa_rule_run *run, const wpa_outline *o, const group *g)
{
    const scope *s = &g->scope;
    bool on_target = wpa_outline_trigger_find(o, "pull_request_target") != NULL;
    bool is_apart = s->has_number || s->has_head_ref || s->has_run || s->has_other ||
                    (s->has_ref && !on_target);
    if (is_apart || !wpa_work_pr_trigger(o) || !runs_on_pr(g) ||
        wpa_outline_trigger_find(o, "workflow_call")) {
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        run, g->node->span, "G1", g, "all pull requests share this group%s: their runs %s",
        s->has_ref ? " (under pull_request_target github.ref is the base branch)" : "",
        cancels(g) ? "cancel each other" : "wait for each other, and all but the last are dropped");
    if (!cancels(g)) { /* may be meant: a test account, a database, a website */
        finding->severity = WPA_SEVERITY_MEDIUM;
        finding->confidence = WPA_CONFIDENCE_MEDIUM;
        finding->persona = g->job || wpa_work_ships(run) ? WPA_PERSONA_PEDANTIC : finding->persona;
    }
}

/** The branch and nothing else: where there is none, the group has no name. */
static bool is_head_alone(wpa_rule_run *run, const wpa_yaml_node *node)
{
    size_t n;
    const wpa_expr_place *places = wpa_expressions_find(run, node, &n);
    return n == 1 && wpa_span_length(places[0].outer) == node->length && places[0].parsed.root &&
           places[0].parsed.root->kind == WPA_EXPR_MEMBER;
}

static void check_head(wpa_rule_run *run, const wpa_outline *o, const group *g)
{
    const scope *s = &g->scope;
    static const char *const pr_like[] = {"pull_request", "pull_request_target", NULL};
    if (!s->has_head_ref || s->has_ref || s->has_number || s->has_run || s->has_other) {
        return;
    }
    bool is_empty =
        !wpa_outline_only_triggers(o, pr_like) && !wpa_outline_trigger_find(o, "workflow_call");
    if (is_empty && runs_on_pr(g)) {
        (void)wpa_rule_report(run, g->node->span, "G2", g,
                              "github.head_ref is empty but for pull requests: all other runs %s",
                              is_head_alone(run, g->node) ? "fail, because a group must have a name"
                                                          : "are in one group");
    } else if (!is_empty) {
        wpa_finding *finding = wpa_rule_report(
            run, g->node->span, "G2", g, "branches of the same name in two forks are in one group");
        finding->severity = WPA_SEVERITY_LOW;
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

static void check_run(wpa_rule_run *run, const group *g)
{
    if (g->scope.has_only_run) {
        wpa_finding *finding =
            wpa_rule_report(run, g->node->span, "G6", NULL,
                            "the group is another one for every run or commit: it never limits "
                            "anything");
        finding->severity = WPA_SEVERITY_LOW;
    }
}

/* ---- G3: cancelling what ships ---- */

static bool is_on_pr_alone(const wpa_outline *o)
{
    static const char *const pr_like[] = {"pull_request", "pull_request_target", "merge_group",
                                          NULL};
    return wpa_outline_only_triggers(o, pr_like);
}

/* The trigger starts a run once for each tag, and on nothing else. */
static bool is_once_a_tag(const wpa_outline_trigger *t)
{
    bool on_tags = wpa_text_is(t->name, "push") && wpa_yaml_find(t->config, "tags") &&
                   !wpa_yaml_find(t->config, "branches");
    return on_tags || wpa_text_is(t->name, "release") || wpa_text_is(t->name, "create");
}

/* A test that only runs for tags pass, with nothing beside it that others would. */
static bool asks_for_tag(const wpa_yaml_node *condition)
{
    static const char *const tests[] = {"startsWith(github.ref, 'refs/tags",
                                        "startsWith(github.ref,'refs/tags",
                                        "github.ref_type == 'tag'"};
    const char *text = wpa_yaml_text(condition);
    for (size_t i = 0; text && !strstr(text, "||") && i < WPA_COUNT(tests); i++) {
        const char *at = wpa_text_find_ci(text, strlen(text), tests[i]);
        if (at && (at == text || at[-1] != '!')) {
            return true;
        }
    }
    return false;
}

/* Another group for each tag or commit: nothing is there to be cancelled. */
static bool is_apart(const wpa_source *source, const group *g, const wpa_outline_job *job)
{
    const wpa_outline *o = source->outline;
    if (g->scope.has_run || (g->scope.has_ref && asks_for_tag(job->condition))) {
        return true;
    }
    for (size_t i = 0; i < o->n_triggers; i++) {
        const wpa_outline_trigger *t = &o->triggers[i];
        if (!is_once_a_tag(t) && !wpa_trust_is_for_other_event(source, job->condition, t->name)) {
            return false;
        }
    }
    return g->scope.has_ref && o->n_triggers > 0;
}

typedef enum shipping {
    SHIPS_NOTHING,
    SHIPS_MAYBE, /* a command of it pushes something */
    SHIPS
} shipping;

static shipping ships(const wpa_rule_run *run, const wpa_outline_job *job)
{
    static const char *const previews[] = {"preview", "pull_request'", "dry", "snapshot", NULL};
    bool by_steps = (wpa_work_job_roles(job) & WPA_DOES_PUBLISH) != 0;
    const wpa_yaml_node *environment = wpa_yaml_get(job->node, "environment");
    if ((!by_steps && !environment) || wpa_work_mentions_any(environment, previews) ||
        wpa_work_mentions_any(job->condition, previews)) {
        return SHIPS_NOTHING;
    }
    /* An environment may be there for its secrets alone. */
    bool is_named = wpa_work_is_named_shipping(job) || (by_steps && wpa_work_ships(run));
    return is_named || (by_steps && environment) ? SHIPS : SHIPS_MAYBE;
}

static void check_cancel(wpa_rule_run *run, const wpa_outline *o, const group *g)
{
    const wpa_outline_job *worst = NULL;
    shipping how = SHIPS_NOTHING;
    if (!cancels(g) || is_on_pr_alone(o)) {
        return;
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        bool is_held = !g->job || g->job == &o->jobs[i];
        shipping own = is_held && !is_apart(run->source, g, &o->jobs[i]) ? ships(run, &o->jobs[i])
                                                                         : SHIPS_NOTHING;
        worst = own > how ? &o->jobs[i] : worst;
        how = own > how ? own : how;
    }
    if (!worst) {
        return;
    }
    wpa_finding *finding =
        wpa_rule_report(run, g->cancel->span, "G3", g,
                        "a newer run stops job %s in the middle of what it deploys or publishes",
                        wpa_rule_quote(run, worst->id, strlen(worst->id)));
    wpa_rule_relate(run, finding, worst->key->span, "ships");
    if (how == SHIPS_MAYBE) {
        finding->severity = WPA_SEVERITY_MEDIUM;
        finding->confidence = WPA_CONFIDENCE_LOW;
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

/* ---- G4, G5: other files ---- */

static void check_callees(wpa_rule_run *run, const group *g)
{
    const wpa_outline *o = run->source->outline;
    const wpa_graph *graph = run->source->around ? run->source->around->graph : NULL;
    const char *text = wpa_yaml_text(g->node);
    for (size_t i = 0; graph && i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        bool is_covered = job->is_call && (!g->job || g->job == job);
        const wpa_graph_file *callee =
            is_covered ? wpa_graph_used(graph, &job->uses, run->arena) : NULL;
        if (!callee || !callee->group || !wpa_text_is(callee->group, text)) {
            continue;
        }
        wpa_finding *finding = wpa_rule_report(
            run, g->node->span, "G5", NULL,
            "the called %s asks for the same group, which its caller holds: the run is cancelled",
            wpa_rule_quote(run, callee->path, strlen(callee->path)));
        finding->confidence = WPA_CONFIDENCE_MEDIUM;
        const wpa_source *other = wpa_rule_source_at(run, callee->path);
        wpa_rule_relate(run, finding, job->uses.span, "called here");
        if (other) {
            wpa_rule_relate_in(run, finding, other, callee->group_span, "the same group");
        }
    }
}

static void check_neighbours(wpa_rule_run *run, const group *g)
{
    const wpa_graph *graph = run->source->around ? run->source->around->graph : NULL;
    const char *self = wpa_source_identity(run->source);
    bool is_own = g->scope.has_workflow || g->scope.has_only_run || g->scope.has_other || g->job;
    for (size_t i = 0; graph && !is_own && i < wpa_graph_count(graph); i++) {
        const wpa_graph_file *other = wpa_graph_at(graph, i);
        bool is_same = other->group && !wpa_text_is(other->path, self) &&
                       wpa_text_is(other->group, wpa_yaml_text(g->node));
        if (!is_same) {
            continue;
        }
        bool is_cut = cancels(g) || other->cancels;
        wpa_finding *finding = wpa_rule_report(
            run, g->node->span, "G4", NULL, "%s is in the same group: the two workflows %s",
            wpa_rule_quote(run, other->path, strlen(other->path)),
            is_cut ? "cancel each other's runs" : "wait for each other");
        const wpa_source *source = wpa_rule_source_at(run, other->path);
        if (source) {
            wpa_rule_relate_in(run, finding, source, other->group_span, "the same group");
        }
        if (!is_cut) { /* the usual way to let only one deploy at a time */
            finding->severity = WPA_SEVERITY_LOW;
            finding->persona = WPA_PERSONA_AUDITOR;
        }
        return;
    }
}

static void check_group(wpa_rule_run *run, const wpa_yaml_node *owner, const wpa_outline_job *job)
{
    const wpa_outline *o = run->source->outline;
    group *g = wpa_arena_alloc(run->arena, sizeof *g);
    if (!find_group(run, owner, job, g)) {
        return;
    }
    check_ref(run, o, g);
    check_head(run, o, g);
    check_run(run, g);
    check_cancel(run, o, g);
    check_callees(run, g);
    check_neighbours(run, g);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    check_group(run, o->root, NULL);
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_group(run, o->jobs[i].node, &o->jobs[i]);
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const group *g = finding->subject;
    const wpa_outline *o = run->source->outline;
    bool is_plain =
        g && (g->node->style == WPA_YAML_PLAIN || g->node->style == WPA_YAML_SINGLE_QUOTED ||
              g->node->style == WPA_YAML_DOUBLE_QUOTED);
    bool on_pr = wpa_outline_trigger_find(o, "pull_request") != NULL;
    if (wpa_text_is(finding->check, "G1") && is_plain) {
        bool on_target = wpa_outline_trigger_find(o, "pull_request_target") != NULL;
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "tell pull requests apart");
        size_t at = g->node->span.end - (g->node->style != WPA_YAML_PLAIN);
        wpa_rule_edit(run, fix, (wpa_span){at, at}, "-${{ %sgithub.ref }}",
                      on_target ? "github.event.pull_request.number || " : "");
    } else if (wpa_text_is(finding->check, "G2")) {
        size_t n;
        wpa_expr_place *places = wpa_expr_find(g->node, run->arena, &n);
        for (size_t i = 0; i < n; i++) {
            bool is_alone = places[i].parsed.root && places[i].parsed.root->kind == WPA_EXPR_MEMBER;
            wpa_span span =
                wpa_yaml_source_span(g->node, places[i].outer.start, places[i].outer.end);
            if (is_alone && wpa_text_is_ci(places[i].parsed.root->text, "head_ref")) {
                bool is_always_there = finding->severity == WPA_SEVERITY_LOW;
                wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE,
                                            is_always_there ? "tell pull requests apart"
                                                            : "use the ref elsewhere");
                wpa_rule_edit(run, fix, span, "${{ %s }}",
                              is_always_there ? "github.event.pull_request.number"
                                              : "github.head_ref || github.ref");
                return;
            }
        }
    } else if (wpa_text_is(finding->check, "G3")) {
        wpa_fix *fix =
            wpa_rule_fix(run, finding, WPA_FIX_UNSAFE,
                         on_pr ? "cancel pull requests only" : "let each run come to its end");
        wpa_rule_edit(run, fix, g->cancel->span, "%s",
                      on_pr ? "${{ github.event_name == 'pull_request' }}" : "false");
    }
}

const wpa_rule wpa_rule_concurrency_scope = {
    .code = "PRF-004",
    .id = "concurrency-scope",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A concurrency group holds runs that have nothing to do with each other",
    .why = "Runs of unrelated changes cancel each other or wait, deployments are cut off halfway, "
           "or nothing is limited at all.",
    .fix = "Name workflow and ref in the group, and cancel only what a newer run replaces.",
    .checks = (const char *const[]){"G1", "G2", "G3", "G4", "G5", "G6", NULL},
    .declares = WPA_DECLARES_CONCURRENCY,
    .words = (const char *const[]){"concurrency", NULL},
    .check = check,
    .repair = repair,
};
