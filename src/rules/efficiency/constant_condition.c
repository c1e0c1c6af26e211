/*
 * EFF-010: a condition whose outcome is known beforehand. C1 it folds to a constant; C2 it is the
 * same for every trigger, activity, branch, leg and choice that there can be; C3 a job needs one
 * that never runs; C4 tests that repeat, contradict or complete each other.
 */
#include <string.h>

#include <wpa/map.h>

#include "rules/expressions.h"
#include "rules/rule.h"
#include "rules/shell_roles.h"
#include "rules/worlds.h"
#include "workflow/workflow.h"

#define TERMS_MAX 64

typedef struct subject {
    const wpa_yaml_node *condition; /* NULL: not all of it is constant */
    const wpa_yaml_node *owner;     /* job or step mapping */
    bool is_true;
} subject;

typedef struct terms {
    const wpa_expr *items[TERMS_MAX];
    size_t n;
} terms;

/* One condition under the eye. */
typedef struct look {
    wpa_rule_run *run;
    const wpa_expression *e;
    const wpa_expr *root;
    const wpa_yaml_node *owner;
    const char *what; /* "job" or "step" */
    bool is_decided;  /* two of its tests decide a chain: that says more than the whole */
} look;

static const char *source_text(const look *l, wpa_span span)
{
    return l->e->place->node->text + l->e->place->inner.start + span.start;
}

static const char *quoted(const look *l, const wpa_expr *node)
{
    return wpa_rule_quote(l->run, source_text(l, node->span), wpa_span_length(node->span));
}

static const void *subject_new(const look *l, bool is_whole, bool is_true)
{
    subject *s = wpa_arena_alloc(l->run->arena, sizeof *s);
    *s = (subject){is_whole ? l->e->place->node : NULL, l->owner, is_true};
    return s;
}

/** Operands of a chain of one operator, in order. */
static void collect(terms *t, const wpa_expr *node, wpa_expr_kind kind)
{
    if (node->kind == kind) {
        collect(t, node->args[0], kind);
        collect(t, node->args[1], kind);
    } else if (t->n < TERMS_MAX) {
        t->items[t->n++] = node;
    }
}

/* ---- C1 ---- */

/** The truth of it without any knowledge; a condition of status functions alone is no constant. */
static bool check_constant(const look *l)
{
    wpa_expr_truth truth = wpa_expr_truth_of(&l->e->place->parsed);
    if (truth == WPA_EXPR_MAYBE) {
        return false;
    }
    bool is_true = truth == WPA_EXPR_TRUTHY, is_plain = l->root->kind == WPA_EXPR_BOOL;
    wpa_finding *finding = wpa_rule_report(
        l->run, is_plain ? l->e->place->node->span : wpa_expression_span(l->e, l->root->span), "C1",
        subject_new(l, true, is_true),
        is_true ? "this condition is always true, so it says nothing" : "this %s never runs",
        l->what);
    if ((is_true && is_plain) || wpa_yaml_is_commented(l->e->place->node)) {
        finding->severity = WPA_SEVERITY_LOW;
    }
    return true;
}

/* ---- C2 ---- */

/** The smallest part that decides the whole. */
static const wpa_expr *decisive(const wpa_worlds *worlds, const wpa_expr *node,
                                wpa_expr_truth truth)
{
    wpa_expr_kind kind = truth == WPA_EXPR_FALSY ? WPA_EXPR_AND : WPA_EXPR_OR;
    for (size_t i = 0; node->kind == kind && i < node->n_args; i++) {
        if (wpa_worlds_truth(worlds, node->args[i]) == truth) {
            return decisive(worlds, node->args[i], truth);
        }
    }
    return node;
}

static bool is_constant(const look *l, const wpa_expr *node)
{
    return wpa_expr_fold(node, NULL, NULL, l->run->arena).truth != WPA_EXPR_MAYBE;
}

/** A matrix is often shorter for a while than the steps behind it expect. */
static bool asks_for_matrix(const look *l, const wpa_expr *term)
{
    size_t n;
    const wpa_expr_reference *list = wpa_expr_references(term, l->run->arena, &n);
    bool does = false;
    for (size_t i = 0; i < n && !does; i++) {
        does = wpa_text_starts(list[i].path, "matrix.");
    }
    return does;
}

/** Does it keep strangers out, of the triggers too that somebody may add? */
static bool asks_for_strangers(const look *l)
{
    static const char *const words[] = {"head.repo",          "head_repository", ".fork",
                                        "author_association", ".login",          "github.actor"};
    bool does = false;
    for (size_t i = 0; i < WPA_COUNT(words) && !does; i++) {
        does = wpa_text_seek_ci(l->e->place->node->text, words[i]);
    }
    return does;
}

static void report_needless(const look *l, const wpa_expr *term, bool is_whole)
{
    bool is_fence = asks_for_strangers(l);
    wpa_finding *finding = wpa_rule_report(
        l->run, wpa_expression_span(l->e, term->span), "C2",
        subject_new(l, is_whole && !is_fence, true),
        "%s is true for every run of this %s, so the test says nothing", quoted(l, term), l->what);
    finding->severity = WPA_SEVERITY_LOW;
    if (is_fence || asks_for_matrix(l, term)) {
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

/** A step that only says what is wrong and fails: that it never runs is what it is there for. */
static bool is_guard(const wpa_outline_step *step)
{
    const wpa_script *script = step ? wpa_step_commands(step) : NULL;
    bool fails = false;
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_exit = wpa_text_is(c->name, "exit"), is_throw = wpa_text_is_ci(c->name, "throw");
        const wpa_shell_word *status = is_exit ? wpa_shell_argument(c, 0) : NULL;
        if (!is_exit && !is_throw && !wpa_text_is(c->name, "echo") &&
            !wpa_text_is_ci(c->name, "write-host")) {
            return false;
        }
        fails = fails || is_throw || (status && !wpa_text_is(status->text, "0"));
    }
    return fails;
}

/** Returns whether the whole can never be true. */
static bool check_worlds(const look *l, const wpa_worlds *worlds)
{
    wpa_expr_truth truth = wpa_worlds_truth(worlds, l->root);
    if (truth == WPA_EXPR_FALSY) {
        const wpa_expr *part = decisive(worlds, l->root, truth);
        bool is_spare = is_guard(wpa_expression_step(l->e));
        wpa_finding *finding = wpa_rule_report(
            l->run, wpa_expression_span(l->e, part->span), "C2", subject_new(l, !is_spare, false),
            "%s is false for every trigger and value that there can be, so this %s never runs",
            quoted(l, part), l->what);
        if (is_spare) {
            finding->persona = WPA_PERSONA_PEDANTIC;
        }
        return true;
    }
    if (truth == WPA_EXPR_TRUTHY) {
        report_needless(l, decisive(worlds, l->root, truth), true);
        return false;
    }
    terms t = {0};
    collect(&t, l->root, WPA_EXPR_AND);
    for (size_t i = 0; t.n > 1 && i < t.n; i++) {
        if (wpa_worlds_truth(worlds, t.items[i]) == WPA_EXPR_TRUTHY &&
            !is_constant(l, t.items[i])) {
            report_needless(l, t.items[i], false);
        }
    }
    return false;
}

/* ---- C4 ---- */

/** "value == 'text'", either way round. */
typedef struct test {
    const wpa_expr *value;
    const char *text;
    bool is_equal;
} test;

static bool read_test(const wpa_expr *node, test *out)
{
    if (node->kind != WPA_EXPR_EQ && node->kind != WPA_EXPR_NE) {
        return false;
    }
    const wpa_expr *a = node->args[0], *b = node->args[1];
    const wpa_expr *literal = a->kind == WPA_EXPR_STRING ? a : b;
    *out = (test){literal == a ? b : a, literal->text, node->kind == WPA_EXPR_EQ};
    return literal->kind == WPA_EXPR_STRING && out->value->kind != WPA_EXPR_STRING;
}

static bool is_same(const look *l, const wpa_expr *a, const wpa_expr *b)
{
    size_t length = wpa_span_length(a->span);
    return length == wpa_span_length(b->span) &&
           strncasecmp(source_text(l, a->span), source_text(l, b->span), length) == 0;
}

/** "success() && failure()": what has failed has not gone well. */
static bool is_other_status(const wpa_expr *a, const wpa_expr *b)
{
    bool is_success = a->kind == WPA_EXPR_CALL && wpa_text_is_ci(a->text, "success");
    return is_success && b->kind == WPA_EXPR_CALL &&
           (wpa_text_is_ci(b->text, "failure") || wpa_text_is_ci(b->text, "cancelled"));
}

/** Do the two tests together decide a chain: both never true (&&), one always (||)? */
static bool excludes(const look *l, const wpa_expr *a, const wpa_expr *b, bool is_and)
{
    const wpa_expr *inner_a = a->kind == WPA_EXPR_NOT ? a->args[0] : NULL;
    const wpa_expr *inner_b = b->kind == WPA_EXPR_NOT ? b->args[0] : NULL;
    if ((inner_a && is_same(l, inner_a, b)) || (inner_b && is_same(l, a, inner_b))) {
        return true;
    }
    if (is_and && (is_other_status(a, b) || is_other_status(b, a))) {
        return true;
    }
    test x, y;
    if (!read_test(a, &x) || !read_test(b, &y) || !is_same(l, x.value, y.value)) {
        return false;
    }
    bool is_equal_text = wpa_text_is_ci(x.text, y.text);
    return x.is_equal != y.is_equal ? is_equal_text : !is_equal_text && x.is_equal == is_and;
}

static void report_pair(const look *l, const wpa_expr *first, const wpa_expr *second, bool is_and,
                        bool is_decided)
{
    const char *message = !is_decided ? "this repeats a test in front of it"
                          : is_and    ? "this excludes the test in front of it: together they are "
                                        "never true"
                                      : "this completes the test in front of it: one of them is "
                                        "always true";
    wpa_finding *finding = wpa_rule_report(l->run, wpa_expression_span(l->e, second->span), "C4",
                                           subject_new(l, false, false), "%s", message);
    finding->severity = is_decided ? WPA_SEVERITY_MEDIUM : WPA_SEVERITY_LOW;
    wpa_rule_relate(l->run, finding, wpa_expression_span(l->e, first->span), "the other test");
}

static void check_chain(look *l, const wpa_expr *node)
{
    terms t = {0};
    collect(&t, node, node->kind);
    for (size_t i = 0; i < t.n; i++) {
        for (size_t k = 0; k < i; k++) {
            bool is_and = node->kind == WPA_EXPR_AND;
            bool is_decided = excludes(l, t.items[k], t.items[i], is_and);
            if (is_decided || is_same(l, t.items[i], t.items[k])) {
                report_pair(l, t.items[k], t.items[i], is_and, is_decided);
                l->is_decided = l->is_decided || is_decided;
                break;
            }
        }
    }
}

static void check_chains(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    bool is_chain = node->kind == WPA_EXPR_AND || node->kind == WPA_EXPR_OR;
    if (is_chain && (!parent || parent->kind != node->kind)) {
        check_chain(context, node);
    }
}

/* ---- conditions ---- */

/** Returns whether what the condition guards can never run. */
static bool judge(look *l)
{
    if (check_constant(l)) {
        return wpa_expr_truth_of(&l->e->place->parsed) == WPA_EXPR_FALSY;
    }
    const wpa_worlds *worlds = wpa_worlds_new(l->run, l->e);
    if (wpa_expr_may_have(&l->e->place->parsed, 1U << WPA_EXPR_AND | 1U << WPA_EXPR_OR)) {
        wpa_expr_walk(l->root, check_chains, l);
    }
    return worlds && !l->is_decided && check_worlds(l, worlds);
}

/** Where the same condition is judged the same: mostly in all of the file. NULL: nowhere else. */
static const void *reach_of(wpa_rule_run *run, const wpa_expression *e)
{
    size_t n = 0;
    const wpa_expr_reference *list = wpa_expr_may_refer(&e->place->parsed, "matrix")
                                         ? wpa_expression_references(run, e, &n)
                                         : NULL;
    for (size_t i = 0; i < n; i++) {
        if (wpa_text_starts(list[i].path, "matrix.")) {
            return wpa_expression_step(e) ? e->job : NULL;
        }
    }
    return run->source->outline;
}

/** The same; about half of all conditions stand in their file again, and have nothing to them. */
static bool check_condition(wpa_rule_run *run, const wpa_expression *e)
{
    const wpa_expr *root = e->place->parsed.root;
    const wpa_outline_step *step = wpa_expression_step(e);
    look l = {
        run,  e, root, step ? step->node : e->job ? e->job->node : NULL, step ? "step" : "job",
        false};
    if (!e->is_whole || !root || !l.owner) {
        return false; /* text around a fence is for unsound-condition */
    }
    const void *reach = reach_of(run, e);
    wpa_expr_memo *memo = e->place->parsed.memo;
    if (reach && memo->sound_in == reach) {
        return false;
    }
    size_t n_before = wpa_rule_n_reported(run);
    bool is_dead = judge(&l);
    memo->sound_in = wpa_rule_n_reported(run) == n_before ? reach : memo->sound_in;
    return is_dead;
}

/* ---- C3 ---- */

/** Does the condition let the job run though one that it needs has not? */
static void find_status(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    static const char *const names[] = {"always", "failure", "cancelled", "success"};
    (void)parent;
    for (size_t i = 0; node->kind == WPA_EXPR_CALL && i < WPA_COUNT(names); i++) {
        *(bool *)context = *(bool *)context || wpa_text_is_ci(node->text, names[i]);
    }
}

static bool asks_for_status(const wpa_expressions *all, const wpa_outline_job *job)
{
    bool does = false;
    for (size_t i = 0; i < all->n; i++) {
        const wpa_expression *e = &all->items[i];
        if (e->job == job && e->step == job->n_steps && e->use == WPA_EXPRESSION_CONDITION) {
            wpa_expr_walk(e->place->parsed.root, find_status, &does);
            does = does || !e->place->parsed.root;
        }
    }
    return does;
}

static const wpa_value *dead_need(const wpa_workflow_job *job, const wpa_map *dead)
{
    for (size_t i = 0; i < job->needs.n; i++) {
        if (job->needs.items[i].text && wpa_map_has(dead, job->needs.items[i].text)) {
            return &job->needs.items[i];
        }
    }
    return NULL;
}

static const wpa_outline_job *outline_of(const wpa_outline *outline, const char *id)
{
    for (size_t i = 0; i < outline->n_jobs; i++) {
        if (wpa_text_is(outline->jobs[i].id, id)) {
            return &outline->jobs[i];
        }
    }
    return NULL;
}

/** A job that is skipped skips what needs it, unless that asks for the outcome itself. */
static void check_needs(wpa_rule_run *run, wpa_map *dead)
{
    const wpa_workflow *workflow = wpa_model_frame(run->source->yaml, run->arena);
    const wpa_workflow_job *const *order = wpa_workflow_order(workflow, run->arena);
    for (size_t i = 0; i < workflow->n_jobs; i++) {
        const wpa_workflow_job *job = order[i];
        const wpa_value *need = dead_need(job, dead);
        const wpa_outline_job *outline = outline_of(run->source->outline, job->id);
        if (!need || wpa_map_has(dead, job->id) || !outline ||
            asks_for_status(run->source->expressions, outline)) {
            continue;
        }
        wpa_map_put(dead, job->id, dead);
        subject *s = wpa_arena_alloc(run->arena, sizeof *s);
        *s = (subject){NULL, job->node, false};
        (void)wpa_rule_report(run, need->node->span, "C3", s,
                              "%s never runs, and so this job never does",
                              wpa_rule_quote(run, need->text, strlen(need->text)));
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_expressions *all = run->source->expressions;
    wpa_map *dead = wpa_map_new(run->lasting); /* jobs that never run, by id */
    wpa_rule_visits visits = {.mark = wpa_rule_here(run)};
    for (size_t i = 0; i < all->n; i++) {
        const wpa_expression *e = &all->items[i];
        if (e->use != WPA_EXPRESSION_CONDITION) {
            continue;
        }
        bool is_of_job = e->job && e->step == e->job->n_steps &&
                         e->place->node == wpa_yaml_resolve(e->job->condition);
        if (check_condition(run, e) && is_of_job) {
            wpa_map_put(dead, e->job->id, dead);
        }
        wpa_rule_end_visit(run, &visits);
    }
    bool is_workflow = run->source->kind == WPA_INPUT_WORKFLOW;
    if (is_workflow && wpa_map_count(dead) && !run->source->is_partial) {
        check_needs(run, dead);
    }
    return true;
}

/* "matrix.x == 'true'" of what is true, not 'true': the comparison is wrong, the step is wanted. */
static bool is_of_types(const wpa_yaml_node *condition)
{
    const char *text = wpa_yaml_text(condition);
    return text && (strstr(text, "'true'") || strstr(text, "'false'"));
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (!s->condition) {
        return;
    }
    bool is_step = s->owner->parent && s->owner->parent->kind == WPA_YAML_SEQUENCE;
    if (s->is_true) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "remove the condition");
        (void)wpa_rule_remove_entry(run, fix, s->condition);
    } else if (is_step && !wpa_yaml_find(s->owner, "id") && !wpa_yaml_is_commented(s->condition) &&
               !is_of_types(s->condition)) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "remove the dead step");
        (void)wpa_rule_remove_entry(run, fix, s->owner);
    }
}

const wpa_rule wpa_rule_constant_condition = {
    .code = "EFF-010",
    .id = "constant-condition",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A condition is always true or always false",
    .why = "What looks guarded is not, or what looks as if it ran never does.",
    .fix = "Remove the condition, or the code that never runs.",
    .checks = (const char *const[]){"C1", "C2", "C3", "C4", NULL},
    .elsewhere = (const char *const[]){"actionlint/if-cond", NULL},
    .tables = 1U << WPA_FACTS_EVENTS,
    .declares = WPA_DECLARES_JOBS,
    .check = check,
    .repair = repair,
};
