#include "rules/worlds.h"

#include <string.h>

#include "rules/rule.h"
#include "rules/site.h"
#include "rules/work.h"
#include "workflow/workflow.h"

#define WORLDS_MAX 512
/** Worlds times nodes of the condition. */
#define WORK_MAX 20000
#define INPUTS_MAX 4

/* What is known in one run; NULL is not known. */
typedef struct world {
    const char *event;
    const char *action; /* "" if the event has none */
    const char *branch;
    const wpa_matrix_leg *leg;
    const char *inputs[INPUTS_MAX];
} world;

struct wpa_worlds {
    wpa_arena *arena;
    world *items;
    size_t n, capacity;
    const char *input_names[INPUTS_MAX]; /* lower case */
    size_t n_inputs;
    const wpa_expr_reference *references; /* [n_references] of the condition */
    size_t n_references;
};

/* Which of these the condition asks about. */
typedef struct question {
    bool event, action, branch, matrix;
    const char *input_names[INPUTS_MAX];
    size_t n_inputs;
} question;

static bool has_input(const question *q, const char *name)
{
    for (size_t i = 0; i < q->n_inputs; i++) {
        if (wpa_text_is(q->input_names[i], name)) {
            return true;
        }
    }
    return false;
}

static question ask(const wpa_expr_reference *list, size_t n)
{
    question q = {0};
    for (size_t i = 0; i < n; i++) {
        const char *path = list[i].path;
        q.event = q.event || wpa_text_is(path, "github.event_name");
        q.action = q.action || wpa_text_is(path, "github.event.action");
        q.branch =
            q.branch || wpa_text_is(path, "github.ref") || wpa_text_is(path, "github.ref_name");
        q.matrix = q.matrix || wpa_text_starts(path, "matrix.");
        const char *input = wpa_text_starts(path, "inputs.") ? path + strlen("inputs.") : NULL;
        if (input && q.n_inputs < INPUTS_MAX && !has_input(&q, input)) {
            q.input_names[q.n_inputs++] = input;
        }
    }
    return q;
}

/* ---- making worlds: each step multiplies them ---- */

static void add(wpa_worlds *w, world item)
{
    if (w->n < WORLDS_MAX) {
        w->items = wpa_arena_grow(w->arena, w->items, w->n, &w->capacity, sizeof *w->items);
        w->items[w->n] = item;
    }
    w->n++;
}

static bool is_literal(const char *pattern)
{
    return pattern && !strpbrk(pattern, "*?+[]!\\") && !wpa_outline_has_expression(pattern);
}

/** Branches that a push may be to, if the filter names them all; n 0 if not. */
static const wpa_value_list *literal_branches(const wpa_trigger *trigger)
{
    bool is_limited = wpa_text_is(trigger->name, "push") && trigger->branches.n &&
                      !trigger->branches.is_unknown && !trigger->is_unknown && !trigger->tags.key &&
                      !trigger->tags_ignore.key;
    for (size_t i = 0; is_limited && i < trigger->branches.n; i++) {
        is_limited = is_literal(trigger->branches.items[i].text);
    }
    return is_limited ? &trigger->branches : NULL;
}

static void add_branches(wpa_worlds *w, const wpa_trigger *trigger, const question *q, world item)
{
    const wpa_value_list *branches = q->branch ? literal_branches(trigger) : NULL;
    for (size_t i = 0; branches && i < branches->n; i++) {
        item.branch = branches->items[i].text;
        add(w, item);
    }
    if (!branches) {
        add(w, item);
    }
}

/* So many are gone through one by one: more than people write. */
#define FEW_TRIGGERS 16

/** As the outline knows it, mostly. */
static const wpa_fact_event *event_of(const wpa_outline *o, const wpa_trigger *trigger)
{
    const wpa_outline_trigger *known =
        o->n_triggers <= FEW_TRIGGERS ? wpa_outline_trigger_find(o, trigger->name) : NULL;
    return known ? known->event : wpa_facts_event_find(wpa_slice_of(trigger->name));
}

static void add_trigger(wpa_worlds *w, const wpa_trigger *trigger, const wpa_fact_event *fact,
                        const question *q)
{
    world item = {.event = trigger->name};
    bool is_written = trigger->types.n && !trigger->types.is_unknown;
    if (fact && !fact->takes_types) {
        item.action = "";
    }
    if (!q->action || !fact || fact->has_free_types || trigger->types.is_unknown ||
        trigger->is_unknown) {
        add_branches(w, trigger, q, item);
        return;
    }
    for (size_t i = 0; is_written && i < trigger->types.n; i++) {
        item.action = trigger->types.items[i].text;
        add_branches(w, trigger, q, item);
    }
    for (size_t i = 0; !is_written && fact->default_types[i]; i++) {
        item.action = fact->default_types[i];
        add_branches(w, trigger, q, item);
    }
    if (!is_written && !fact->default_types[0]) {
        add_branches(w, trigger, q, item);
    }
}

/** A called workflow sees its caller's event, and an unknown trigger is anything. */
static void add_triggers(wpa_worlds *w, const wpa_workflow *workflow, const wpa_outline *o,
                         const question *q)
{
    bool is_open = workflow->has_unknown_triggers || !workflow->n_triggers ||
                   wpa_workflow_trigger(workflow, "workflow_call");
    for (size_t i = 0; !is_open && i < workflow->n_triggers; i++) {
        is_open = !event_of(o, &workflow->triggers[i]);
    }
    for (size_t i = 0; !is_open && i < workflow->n_triggers; i++) {
        const wpa_trigger *trigger = &workflow->triggers[i];
        add_trigger(w, trigger, event_of(o, trigger), q);
    }
    if (is_open) {
        add(w, (world){0});
    }
}

static void multiply_legs(wpa_worlds *w, const wpa_matrix_legs *legs)
{
    bool is_open = legs->is_open || legs->is_truncated || legs->n == 0 || legs->n > WORLDS_MAX;
    size_t n = w->n;
    if (is_open || n * legs->n > WORLDS_MAX) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 1; k < legs->n; k++) {
            world item = w->items[i];
            item.leg = &legs->legs[k];
            add(w, item);
        }
        w->items[i].leg = &legs->legs[0];
    }
}

/** A choice is one of its options, if nothing but a dispatch starts the workflow. */
static void multiply_choices(wpa_worlds *w, const wpa_workflow *workflow, const question *q)
{
    const wpa_trigger *dispatch = wpa_workflow_trigger(workflow, "workflow_dispatch");
    if (!dispatch || workflow->n_triggers != 1 || workflow->has_unknown_triggers) {
        return;
    }
    for (size_t i = 0; i < dispatch->n_inputs; i++) {
        const wpa_parameter *input = &dispatch->inputs[i];
        bool is_choice = wpa_text_is(input->type.text, "choice") && input->options.n &&
                         !input->options.is_unknown;
        size_t at = 0, n = w->n;
        while (at < q->n_inputs && !wpa_text_is_ci(q->input_names[at], input->name)) {
            at++;
        }
        if (!is_choice || at == q->n_inputs || n * input->options.n > WORLDS_MAX) {
            continue;
        }
        for (size_t k = 0; k < n; k++) {
            for (size_t o = 1; o < input->options.n; o++) {
                world item = w->items[k];
                item.inputs[at] = input->options.items[o].text;
                add(w, item);
            }
            w->items[k].inputs[at] = input->options.items[0].text;
        }
    }
}

static void count_node(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    (void)node;
    (void)parent;
    *(size_t *)context += 1;
}

/** Of a job, once for all of its conditions: also a large one, which other rules do not share. */
static const wpa_work_matrix *matrix_of(wpa_rule_run *run, const wpa_outline_job *job)
{
    bool is_new;
    const wpa_work_matrix **kept =
        wpa_site_keep(run, 'L', job, NULL, sizeof(const wpa_work_matrix *), &is_new);
    if (is_new) {
        *kept = wpa_work_matrix_of(run, job, run->lasting);
    }
    return *kept;
}

/** Those of the steps of a job differ by its legs. */
static void add_legs(wpa_worlds *w, wpa_rule_run *run, const wpa_expression *condition)
{
    const wpa_work_matrix *matrix =
        wpa_expression_step(condition) ? matrix_of(run, condition->job) : NULL;
    if (matrix && matrix->strategy.matrix.node) {
        multiply_legs(w, &matrix->legs);
    }
}

bool wpa_worlds_may_tell(const wpa_expression *condition)
{
    const wpa_expr_parsed *parsed = &condition->place->parsed;
    return wpa_expr_may_refer(parsed, "github") || wpa_expr_may_refer(parsed, "matrix") ||
           wpa_expr_may_refer(parsed, "inputs");
}

const wpa_worlds *wpa_worlds_new(wpa_rule_run *run, const wpa_expression *condition)
{
    if (!wpa_worlds_may_tell(condition)) {
        return NULL;
    }
    size_t n_references;
    const wpa_expr_reference *references = wpa_expression_references(run, condition, &n_references);
    question q = ask(references, n_references);
    bool asks = q.event || q.action || q.branch || q.matrix || q.n_inputs;
    const wpa_workflow *workflow = asks ? wpa_expressions_triggers(run->source) : NULL;
    if (!workflow) {
        return NULL;
    }
    wpa_worlds *w = wpa_arena_alloc(run->arena, sizeof *w);
    w->arena = run->arena;
    w->references = references;
    w->n_references = n_references;
    add_triggers(w, workflow, run->source->outline, &q);
    if (w->n > WORLDS_MAX) {
        return NULL;
    }
    if (q.matrix) {
        add_legs(w, run, condition);
    }
    memcpy(w->input_names, q.input_names, sizeof w->input_names);
    w->n_inputs = q.n_inputs;
    multiply_choices(w, workflow, &q);
    size_t n_nodes = 0;
    wpa_expr_walk(condition->place->parsed.root, count_node, &n_nodes);
    return w->n <= WORLDS_MAX && w->n * n_nodes <= WORK_MAX ? w : NULL;
}

/* ---- asking ---- */

typedef struct telling {
    const wpa_worlds *worlds;
    const world *world;
    wpa_arena *arena;
} telling;

static bool tell_matrix(const telling *t, const char *name, wpa_expr_value *value)
{
    if (!t->world->leg || strchr(name, '.') || strchr(name, '*')) {
        return false;
    }
    const wpa_yaml_node *node = NULL;
    bool is_there = false;
    for (size_t i = 0; i < t->world->leg->n; i++) {
        const wpa_matrix_leg_value *item = &t->world->leg->values[i];
        if (wpa_text_is_ci(item->name, name)) {
            is_there = true;
            node = wpa_yaml_resolve(item->node);
        }
    }
    if (!is_there) {
        *value = wpa_expr_null();
        return true;
    }
    const char *text = wpa_yaml_text(node);
    if (!text || wpa_outline_has_expression(text)) {
        return false;
    }
    switch (wpa_yaml_scalar_type(node)) {
    case WPA_YAML_TEXT:
        *value = wpa_expr_string(text);
        return true;
    case WPA_YAML_BOOL:
        *value = wpa_expr_bool(wpa_text_is_ci(text, "true"));
        return true;
    case WPA_YAML_INT:
    case WPA_YAML_FLOAT:
        *value = wpa_expr_number(wpa_expr_text_number(text));
        return true;
    case WPA_YAML_NULL:
        *value = wpa_expr_null();
        return true;
    }
    return false;
}

static bool tell_text(const char *text, wpa_expr_value *value)
{
    if (text) {
        *value = wpa_expr_string(text);
    }
    return text != NULL;
}

static bool tell(const char *path, void *context, wpa_expr_value *value)
{
    const telling *t = context;
    const world *w = t->world;
    if (wpa_text_is(path, "github.event_name")) {
        return tell_text(w->event, value);
    }
    if (wpa_text_is(path, "github.event.action")) {
        return tell_text(w->action, value);
    }
    if (wpa_text_is(path, "github.ref_name")) {
        return tell_text(w->branch, value);
    }
    if (wpa_text_is(path, "github.ref") && w->branch) {
        return tell_text(wpa_arena_printf(t->arena, "refs/heads/%s", w->branch), value);
    }
    if (wpa_text_starts(path, "matrix.")) {
        return tell_matrix(t, path + strlen("matrix."), value);
    }
    for (size_t i = 0; wpa_text_starts(path, "inputs.") && i < t->worlds->n_inputs; i++) {
        if (wpa_text_is(t->worlds->input_names[i], path + strlen("inputs."))) {
            return tell_text(w->inputs[i], value);
        }
    }
    return false;
}

wpa_expr_truth wpa_worlds_truth(const wpa_worlds *worlds, const wpa_expr *part)
{
    wpa_arena_mark mark = wpa_arena_here(worlds->arena);
    wpa_expr_truth all = WPA_EXPR_MAYBE;
    bool is_known = worlds->n > 0;
    for (size_t i = 0; i < worlds->n && is_known; i++) {
        telling t = {worlds, &worlds->items[i], worlds->arena};
        wpa_expr_truth truth = wpa_expr_fold_again(part, worlds->references, worlds->n_references,
                                                   tell, &t, worlds->arena)
                                   .truth;
        is_known = truth != WPA_EXPR_MAYBE && (!i || truth == all);
        all = truth;
    }
    wpa_arena_rewind(worlds->arena, mark);
    return is_known ? all : WPA_EXPR_MAYBE;
}
