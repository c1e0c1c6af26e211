#include "testing/occasions.h"

#include <string.h>

#include <wpa/text.h>

#include "facts/facts.h"
#include "match/filter.h"

#define VALUES_MAX 40  /* of one kind for one event */
#define PRODUCT_MAX 60 /* combinations of one event; above it one part is varied at a time */
#define PATTERNS_MAX 100
#define PATTERN_MAX_BYTES 200
#define FILTER_MAX_BYTES 4000
#define REPOSITORY "owner/repository"

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

static bool has_base(const char *event)
{
    return wpa_text_is(event, "pull_request") || wpa_text_is(event, "pull_request_target") ||
           wpa_text_is(event, "pull_request_review") ||
           wpa_text_is(event, "pull_request_review_comment");
}

static bool has_branch(const char *event)
{
    return has_base(event) || wpa_text_is(event, "push") || wpa_text_is(event, "merge_group") ||
           wpa_text_is(event, "workflow_run");
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
    if (has_branch(trigger->name)) {
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
    if (has_base(event)) {
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

const char *wpa_occasion_text(const wpa_occasion *o, wpa_arena *arena)
{
    const char *text = o->event;
    text = o->action ? wpa_arena_printf(arena, "%s (%s)", text, o->action) : text;
    text = o->tag ? wpa_arena_printf(arena, "%s of tag '%s'", text, o->tag) : text;
    text = o->branch && has_branch(o->event)
               ? wpa_arena_printf(arena, "%s, branch '%s'", text, o->branch)
               : text;
    text = o->file ? wpa_arena_printf(arena, "%s, file '%s'", text, o->file) : text;
    text = o->cron ? wpa_arena_printf(arena, "%s '%s'", text, o->cron) : text;
    text = o->workflow ? wpa_arena_printf(arena, "%s of '%s'", text, o->workflow) : text;
    text = o->conclusion ? wpa_arena_printf(arena, "%s, %s", text, o->conclusion) : text;
    text = o->input ? wpa_arena_printf(arena, "%s, %s=%s", text, o->input, o->value) : text;
    return o->is_fork ? wpa_arena_printf(arena, "%s, from a fork", text) : text;
}

/* ---- does it start a workflow? ---- */

/** Does a list of patterns let text in? A list that is not there has no say. */
static wpa_occasion_answer passes(const wpa_value_list *patterns, const char *text)
{
    const char *items[PATTERNS_MAX];
    size_t n_bytes = 0;
    bool is_known = !patterns->is_unknown && patterns->n <= PATTERNS_MAX;
    for (size_t i = 0; is_known && i < patterns->n; i++) {
        items[i] = patterns->items[i].text;
        n_bytes += items[i] ? strlen(items[i]) : 0;
        is_known = items[i] && n_bytes <= FILTER_MAX_BYTES;
    }
    wpa_error ignored = {0};
    WPA_AUTO(wpa_filter) *filter =
        is_known ? wpa_filter_new(items, patterns->n, NULL, &ignored) : NULL;
    wpa_regex_answer answer = filter ? wpa_filter_fits(filter, text) : WPA_REGEX_NO;
    return !filter                   ? WPA_OCCASION_UNKNOWN
           : answer == WPA_REGEX_YES ? WPA_OCCASION_YES
           : answer == WPA_REGEX_NO  ? WPA_OCCASION_NO
                                     : WPA_OCCASION_UNKNOWN;
}

static wpa_occasion_answer opposite(wpa_occasion_answer answer)
{
    return answer == WPA_OCCASION_YES  ? WPA_OCCASION_NO
           : answer == WPA_OCCASION_NO ? WPA_OCCASION_YES
                                       : answer;
}

/** A name by the one list that says which, or the other that says which not. */
static wpa_occasion_answer is_wanted(const wpa_value_list *these, const wpa_value_list *not_these,
                                     const char *text)
{
    return these->key       ? passes(these, text)
           : not_these->key ? opposite(passes(not_these, text))
                            : WPA_OCCASION_YES;
}

static wpa_occasion_answer has_type(const wpa_trigger *trigger, const char *action)
{
    const wpa_fact_event *fact = wpa_facts_event_find(wpa_slice_of(trigger->name));
    if (!action || trigger->types.is_unknown) {
        return action ? WPA_OCCASION_UNKNOWN : WPA_OCCASION_YES;
    }
    bool is_listed = trigger->types.key && wpa_value_list_has(&trigger->types, action);
    for (size_t i = 0; !trigger->types.key && fact && fact->default_types && fact->default_types[i];
         i++) {
        is_listed = is_listed || wpa_text_is(fact->default_types[i], action);
    }
    bool is_any = !trigger->types.key && (!fact || !fact->default_types || !fact->default_types[0]);
    return is_listed || is_any ? WPA_OCCASION_YES : WPA_OCCASION_NO;
}

/** Of pushes: a filter for branches alone leaves tags out, and the other way round. */
static wpa_occasion_answer is_ref_wanted(const wpa_trigger *trigger, const wpa_occasion *o)
{
    bool has_branches = trigger->branches.key || trigger->branches_ignore.key;
    bool has_tags = trigger->tags.key || trigger->tags_ignore.key;
    if (o->tag) {
        return has_tags || !has_branches ? is_wanted(&trigger->tags, &trigger->tags_ignore, o->tag)
                                         : WPA_OCCASION_NO;
    }
    if (!o->branch || !has_branch(o->event) || (has_tags && !has_branches)) {
        return has_tags && o->branch ? WPA_OCCASION_NO : WPA_OCCASION_YES;
    }
    return is_wanted(&trigger->branches, &trigger->branches_ignore, o->branch);
}

static bool is_scheduled(const wpa_trigger *trigger, const char *cron)
{
    for (size_t i = 0; i < trigger->n_schedules; i++) {
        if (wpa_text_is(trigger->schedules[i].cron.text, cron)) {
            return true;
        }
    }
    return false;
}

wpa_occasion_answer wpa_occasion_starts(const wpa_occasion *o, const wpa_workflow *workflow)
{
    const wpa_trigger *trigger = workflow ? wpa_workflow_trigger(workflow, o->event) : NULL;
    if (!trigger || (o->cron && !is_scheduled(trigger, o->cron)) ||
        (o->workflow && !wpa_value_list_has(&trigger->workflows, o->workflow))) {
        return WPA_OCCASION_NO;
    }
    /* Changed files are not looked at where a tag is pushed. */
    const wpa_occasion_answer answers[] = {
        has_type(trigger, o->action), is_ref_wanted(trigger, o),
        o->file && !o->tag ? is_wanted(&trigger->paths, &trigger->paths_ignore, o->file)
                           : WPA_OCCASION_YES};
    wpa_occasion_answer all = trigger->is_unknown ? WPA_OCCASION_UNKNOWN : WPA_OCCASION_YES;
    for (size_t i = 0; i < WPA_COUNT(answers); i++) {
        if (answers[i] == WPA_OCCASION_NO) {
            return WPA_OCCASION_NO;
        }
        all = answers[i] == WPA_OCCASION_UNKNOWN ? WPA_OCCASION_UNKNOWN : all;
    }
    return all;
}

/* ---- what expressions see of it ---- */

static bool tell(const char *text, wpa_expr_value *value)
{
    if (text) {
        *value = wpa_expr_string(text);
    }
    return text != NULL;
}

static bool tell_ref(const wpa_occasion *o, const char *name, wpa_arena *arena,
                     wpa_expr_value *value)
{
    bool is_pr = wpa_text_is(o->event, "pull_request");
    const char *short_name = o->tag ? o->tag : is_pr ? "7/merge" : o->branch;
    if (wpa_text_is(name, "ref_type")) {
        return tell(o->tag ? "tag" : "branch", value);
    }
    if (wpa_text_is(name, "base_ref")) {
        return tell(has_base(o->event) ? o->branch : "", value);
    }
    if (wpa_text_is(name, "head_ref")) {
        return tell(has_base(o->event) ? "topic" : "", value);
    }
    bool is_known = short_name && has_branch(o->event) && !wpa_text_is(o->event, "workflow_run");
    is_known = is_known || wpa_text_is(o->event, "workflow_dispatch");
    if (!is_known) {
        return false; /* the default branch, or one that only the run knows */
    }
    const char *kind = o->tag ? "tags" : is_pr ? "pull" : "heads";
    return tell(wpa_text_is(name, "ref_name")
                    ? short_name
                    : wpa_arena_printf(arena, "refs/%s/%s", kind, short_name),
                value);
}

/** Parts of the payload that only some events have. */
static bool is_absent(const wpa_occasion *o, const char *member)
{
    static const struct {
        const char *member, *events;
    } rows[] = {
        {"pull_request", "pull_request"},
        {"issue", "issue"},
        {"comment", "comment"},
        {"release", "release"},
        {"review", "review"},
        {"workflow_run", "workflow_run"},
        {"schedule", "schedule"},
        {"client_payload", "repository_dispatch"},
        {"deployment_status", "deployment_status"},
        {"discussion", "discussion"},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        size_t length = strlen(rows[i].member);
        bool is_it = strncmp(member, rows[i].member, length) == 0 &&
                     (member[length] == '.' || !member[length]);
        if (is_it) {
            return !strstr(o->event, rows[i].events) && !wpa_text_is(o->event, "workflow_call");
        }
    }
    return false;
}

static bool tell_event(const wpa_occasion *o, const char *member, wpa_expr_value *value)
{
    const char *head = o->is_fork ? "stranger/repository" : REPOSITORY;
    const struct {
        const char *member, *text;
    } rows[] = {
        {"action", o->action ? o->action : ""},
        {"schedule", o->cron},
        {"workflow_run.conclusion", o->conclusion},
        {"workflow_run.name", o->workflow},
        {"workflow_run.head_branch", o->branch},
        {"pull_request.base.ref", o->branch},
        {"pull_request.head.ref", "topic"},
        {"pull_request.base.repo.full_name", REPOSITORY},
        {"pull_request.head.repo.full_name", head},
        {"repository.full_name", REPOSITORY},
    };
    if (is_absent(o, member)) {
        *value = wpa_expr_null();
        return true;
    }
    if (wpa_text_is(member, "pull_request.head.repo.fork")) {
        *value = wpa_expr_bool(o->is_fork);
        return true;
    }
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        if (wpa_text_is(member, rows[i].member)) {
            return tell(rows[i].text, value);
        }
    }
    return false;
}

static bool tell_input(const wpa_occasion *o, const wpa_workflow *workflow, const char *name,
                       bool is_typed, wpa_expr_value *value)
{
    const wpa_trigger *trigger = wpa_workflow_trigger(workflow, o->event);
    for (size_t i = 0; trigger && i < trigger->n_inputs; i++) {
        const wpa_parameter *input = &trigger->inputs[i];
        if (!wpa_text_is_ci(input->name, name)) {
            continue;
        }
        bool is_set = o->input && wpa_text_is_ci(o->input, name);
        const char *text = is_set ? o->value : input->default_value.text;
        bool is_switch = wpa_text_is(input->type.text, "boolean");
        text = !text && is_switch ? "false" : !text ? "" : text;
        *value = is_switch && is_typed ? wpa_expr_bool(wpa_text_is_ci(text, "true"))
                                       : wpa_expr_string(text);
        return !strstr(text, "${{");
    }
    /* Without such an input nothing: also under events that have no inputs at all. */
    *value = wpa_expr_null();
    return !wpa_text_is(o->event, "workflow_call");
}

bool wpa_occasion_value(const wpa_occasion *o, const wpa_workflow *workflow, const char *path,
                        wpa_arena *arena, wpa_expr_value *value)
{
    static const char *const refs[] = {"ref", "ref_name", "ref_type", "base_ref", "head_ref"};
    const char *name = wpa_text_starts(path, "github.") ? path + strlen("github.") : NULL;
    bool is_called = wpa_text_is(o->event, "workflow_call"); /* by whom, nobody knows */
    if (wpa_text_starts(path, "inputs.")) {
        return tell_input(o, workflow, path + strlen("inputs."), true, value);
    }
    if (!name || is_called || strchr(path, '*')) {
        return false;
    }
    if (wpa_text_starts(name, "event.inputs.")) {
        return tell_input(o, workflow, name + strlen("event.inputs."), false, value);
    }
    if (wpa_text_starts(name, "event.")) {
        return tell_event(o, name + strlen("event."), value);
    }
    if (wpa_text_index(name, refs, WPA_COUNT(refs)) >= 0) {
        return tell_ref(o, name, arena, value);
    }
    if (wpa_text_is(name, "event_name")) {
        return tell(o->event, value);
    }
    return wpa_text_is(name, "repository") && tell(REPOSITORY, value);
}
