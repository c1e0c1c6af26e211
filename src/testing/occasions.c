#include "testing/occasions.h"

#include <string.h>

#include <wpa/text.h>

#include "facts/facts.h"

#define VALUES_MAX 40  /* of one kind for one event */
#define PRODUCT_MAX 60 /* combinations of one event; above it one part is varied at a time */
#define PATTERN_MAX_BYTES 200

typedef struct texts {
    const char *items[VALUES_MAX];
    size_t n;
} texts;

typedef struct maker {
    wpa_arena *arena;
    const wpa_workflow *versions[2]; /* NULL: not there */
    const char *branch;              /* the default one */
    texts literals;                  /* that conditions compare with */
    wpa_occasion *items;
    size_t n;
    bool is_cut;
} maker;

static void put(texts *list, const char *text)
{
    bool is_new = text && *text && list->n < VALUES_MAX;
    for (size_t i = 0; i < list->n && is_new; i++) {
        is_new = !wpa_text_is(list->items[i], text);
    }
    if (is_new) {
        list->items[list->n++] = text;
    }
}

/* ---- texts that patterns fit, and that they just do not ---- */

/** One text that the pattern fits: "release/x" of "release/<any>". */
static const char *fitting(const char *pattern, wpa_arena *arena)
{
    char text[2 * PATTERN_MAX_BYTES];
    size_t n = 0;
    pattern += *pattern == '!';
    for (; *pattern && n + 4 < sizeof text; pattern++) {
        if (pattern[0] == '*' && pattern[1] == '*') {
            memcpy(text + n, "x/y", 3);
            n += 3;
            pattern++;
        } else if (*pattern == '*') {
            text[n++] = 'x';
        } else if (*pattern == '[' && strchr(pattern, ']')) {
            text[n++] = pattern[1];
            pattern = strchr(pattern, ']');
        } else if (*pattern == '\\' && pattern[1]) {
            text[n++] = *++pattern;
        } else if (*pattern != '?' && *pattern != '+') {
            text[n++] = *pattern;
        }
    }
    return wpa_arena_slice(arena, text, n);
}

static void put_patterns(texts *list, const wpa_value_list *patterns, wpa_arena *arena)
{
    for (size_t i = 0; i < patterns->n && list->n + 2 < VALUES_MAX; i++) {
        const char *pattern = patterns->items[i].text;
        if (pattern && strlen(pattern) < PATTERN_MAX_BYTES) {
            const char *text = fitting(pattern, arena);
            put(list, text);
            put(list, wpa_arena_printf(arena, "%s-zz", text)); /* longer than what is meant */
        }
    }
}

/** Names of refs that conditions compare with. */
static void note_literal(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    maker *m = context;
    (void)parent;
    if (node->kind == WPA_EXPR_STRING && strlen(node->text) < PATTERN_MAX_BYTES &&
        !strpbrk(node->text, " \t\n")) {
        put(&m->literals, wpa_arena_text(m->arena, node->text));
    }
}

static void note_conditions(maker *m, const wpa_workflow *workflow)
{
    for (size_t i = 0; workflow && i < workflow->n_jobs && m->literals.n < VALUES_MAX; i++) {
        size_t n = 0;
        const wpa_yaml_node *node = workflow->jobs[i].condition.node;
        const wpa_expr_place *places = node ? wpa_expr_find_condition(node, m->arena, &n) : NULL;
        for (size_t k = 0; k < n; k++) {
            wpa_expr_walk(places[k].parsed.root, note_literal, m);
        }
    }
}

/** Branches, or tags, that conditions name, by their whole ref or, being branches, by their name.
 */
static void put_literals(texts *list, const texts *literals, const char *prefix, bool has_names)
{
    for (size_t i = 0; i < literals->n; i++) {
        const char *text = literals->items[i];
        if (wpa_text_starts(text, prefix)) {
            put(list, text + strlen(prefix));
        } else if (has_names && !wpa_text_starts(text, "refs/")) {
            put(list, text);
        }
    }
}

/* ---- making them ---- */

static void add(maker *m, wpa_occasion one)
{
    m->is_cut = m->is_cut || m->n == WPA_OCCASIONS_MAX;
    if (m->n < WPA_OCCASIONS_MAX) {
        m->items[m->n++] = one;
    }
}

static void put_actions(texts *list, const wpa_trigger *trigger)
{
    const wpa_fact_event *fact = wpa_facts_event_find(wpa_slice_of(trigger->name));
    for (size_t i = 0; i < trigger->types.n; i++) {
        put(list, trigger->types.items[i].text);
    }
    for (size_t i = 0; fact && fact->default_types && fact->default_types[i]; i++) {
        put(list, fact->default_types[i]);
    }
    for (size_t i = 0; fact && fact->types && fact->types[i]; i++) {
        put(list, fact->types[i]);
    }
}

/** What one event can be like, over both versions. */
typedef struct parts {
    texts actions, branches, tags, files, workflows;
} parts;

static void put_parts(maker *m, const wpa_trigger *trigger, parts *p)
{
    put_actions(&p->actions, trigger);
    if (wpa_occasion_has_branch(trigger->name)) {
        put(&p->branches, m->branch);
        put_patterns(&p->branches, &trigger->branches, m->arena);
        put_patterns(&p->branches, &trigger->branches_ignore, m->arena);
        put_literals(&p->branches, &m->literals, "refs/heads/", true);
        put(&p->branches, "zz/other");
    }
    if (wpa_text_is(trigger->name, "push")) {
        put_patterns(&p->tags, &trigger->tags, m->arena);
        put_patterns(&p->tags, &trigger->tags_ignore, m->arena);
        put_literals(&p->tags, &m->literals, "refs/tags/", false);
        put(&p->tags, "v1.2.3");
    }
    put_patterns(&p->files, &trigger->paths, m->arena);
    put_patterns(&p->files, &trigger->paths_ignore, m->arena);
    for (size_t i = 0; i < trigger->workflows.n; i++) {
        put(&p->workflows, trigger->workflows.items[i].text);
    }
}

static const char *item(const texts *list, size_t i)
{
    return list->n ? list->items[i] : NULL;
}

static size_t at_least_one(size_t n)
{
    return n ? n : 1;
}

/** All combinations of three lists, or if these are many those in which two are at their first. */
static void combine(maker *m, wpa_occasion one, const texts *first, const texts *second,
                    const texts *third, void (*set)(wpa_occasion *one, const char *const values[3]))
{
    size_t a = at_least_one(first->n), b = at_least_one(second->n), c = at_least_one(third->n);
    bool is_small = a * b * c <= PRODUCT_MAX;
    for (size_t i = 0; i < a * b * c; i++) {
        size_t at[] = {i % a, i / a % b, i / a / b};
        bool is_varied_once = (at[0] != 0) + (at[1] != 0) + (at[2] != 0) <= 1;
        if (is_small || is_varied_once) {
            const char *values[] = {item(first, at[0]), item(second, at[1]), item(third, at[2])};
            set(&one, values);
            add(m, one);
        }
    }
}

static void set_branch(wpa_occasion *one, const char *const values[3])
{
    one->action = values[0];
    one->branch = values[1];
    one->file = values[2];
}

static void set_tag(wpa_occasion *one, const char *const values[3])
{
    one->action = values[0];
    one->tag = values[1];
    one->file = values[2];
}

static void set_run(wpa_occasion *one, const char *const values[3])
{
    one->action = values[0];
    one->branch = values[1];
    one->workflow = values[2];
}

static void add_of_event(maker *m, const char *event)
{
    parts *p = wpa_arena_alloc(m->arena, sizeof *p);
    wpa_occasion one = {.event = event};
    for (size_t i = 0; i < 2; i++) {
        const wpa_trigger *trigger =
            m->versions[i] ? wpa_workflow_trigger(m->versions[i], event) : NULL;
        if (trigger) {
            put_parts(m, trigger, p);
        }
    }
    if (p->files.n) {
        put(&p->files, "zz/other.txt");
    }
    if (wpa_text_is(event, "workflow_run")) {
        static const char *const conclusions[] = {"success", "failure"};
        for (size_t i = 0; i < WPA_COUNT(conclusions); i++) {
            one.conclusion = conclusions[i];
            combine(m, one, &p->actions, &p->branches, &p->workflows, set_run);
        }
        return;
    }
    combine(m, one, &p->actions, &p->branches, &p->files, set_branch);
    if (p->tags.n) {
        one.branch = NULL;
        combine(m, one, &p->actions, &p->tags, &(texts){.n = 0}, set_tag);
    }
    if (wpa_occasion_has_base(event)) {
        one = (wpa_occasion){.event = event, .is_fork = true};
        combine(m, one, &p->actions, &p->branches, &(texts){.n = 0}, set_branch);
    }
}

static void add_crons(maker *m)
{
    texts crons = {.n = 0};
    for (size_t i = 0; i < 2; i++) {
        const wpa_trigger *trigger =
            m->versions[i] ? wpa_workflow_trigger(m->versions[i], "schedule") : NULL;
        for (size_t k = 0; trigger && k < trigger->n_schedules; k++) {
            put(&crons, trigger->schedules[k].cron.text);
        }
    }
    for (size_t i = 0; i < crons.n; i++) {
        add(m, (wpa_occasion){.event = "schedule", .cron = crons.items[i], .branch = m->branch});
    }
}

static void add_values(maker *m, wpa_occasion one, const wpa_parameter *input)
{
    static const char *const switches[] = {"true", "false"};
    bool is_switch = wpa_text_is(input->type.text, "boolean");
    one.input = input->name;
    for (size_t i = 0; is_switch && i < WPA_COUNT(switches); i++) {
        one.value = switches[i];
        add(m, one);
    }
    for (size_t i = 0; i < input->options.n && i < VALUES_MAX; i++) {
        one.value = input->options.items[i].text;
        add(m, one);
    }
    if (!is_switch && !input->options.n) {
        one.value = wpa_text_is(input->type.text, "number") ? "7" : "zz";
        add(m, one);
    }
}

/** Inputs of one event, each varied by itself; those of both versions. */
static void add_of_inputs(maker *m, const char *event)
{
    for (size_t i = 0; i < 2; i++) {
        const wpa_trigger *trigger =
            m->versions[i] ? wpa_workflow_trigger(m->versions[i], event) : NULL;
        if (!trigger) {
            continue;
        }
        wpa_occasion one = {.event = event, .branch = m->branch};
        if (i == 0 || !m->versions[0] || !wpa_workflow_trigger(m->versions[0], event)) {
            add(m, one);
        }
        for (size_t k = 0; k < trigger->n_inputs; k++) {
            add_values(m, one, &trigger->inputs[k]);
        }
    }
}

wpa_occasions wpa_occasions_of(const wpa_workflow *before, const wpa_workflow *after,
                               const char *branch, wpa_arena *arena)
{
    maker m = {.arena = arena,
               .versions = {before, after},
               .branch = branch ? branch : "main",
               .items = wpa_arena_array(arena, WPA_OCCASIONS_MAX, sizeof *m.items)};
    note_conditions(&m, before);
    note_conditions(&m, after);
    texts events = {.n = 0};
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; m.versions[i] && k < m.versions[i]->n_triggers; k++) {
            put(&events, m.versions[i]->triggers[k].name);
        }
    }
    for (size_t i = 0; i < events.n; i++) {
        if (wpa_text_is(events.items[i], "schedule")) {
            add_crons(&m);
        } else if (wpa_text_is(events.items[i], "workflow_dispatch") ||
                   wpa_text_is(events.items[i], "workflow_call")) {
            add_of_inputs(&m, events.items[i]);
        } else {
            add_of_event(&m, events.items[i]);
        }
    }
    return (wpa_occasions){m.items, m.n, m.is_cut || events.n == VALUES_MAX};
}
