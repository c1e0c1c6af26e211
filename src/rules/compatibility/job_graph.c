#include <string.h>

#include <wpa/text.h>

#include "rules/rule.h"

#define JOBS_MAX 1000

/* A need as written. */
typedef struct need {
    size_t job; /* that needs it */
    const wpa_yaml_node *node;
    int target; /* index of the job it names, or -1 */
    bool is_twice;
} need;

typedef struct graph {
    wpa_rule_run *run;
    const wpa_yaml_node *jobs; /* mapping */
    size_t n_jobs;
    need *needs;
    size_t n_needs, capacity;
    const char **names; /* [n_jobs] */
    bool has_unknown;   /* a job or need of a wrong shape, or a need of no job or of its own */
    size_t n_cycles;
} graph;

/* ---- reading ---- */

static int find_job(const graph *g, const char *name)
{
    for (size_t i = 0; i < g->n_jobs; i++) {
        if (wpa_text_is_ci(g->names[i], name)) {
            return (int)i;
        }
    }
    return -1;
}

static void add_need(graph *g, size_t job, const wpa_yaml_node *node)
{
    const char *text = wpa_yaml_text(node);
    const wpa_yaml_node *value = wpa_yaml_resolve(node);
    if (!text || !*text || (value && wpa_yaml_is_null(value)) || strstr(text, "${{")) {
        g->has_unknown = true;
        if (text && strstr(text, "${{")) { /* what is empty is said by the rule schema */
            wpa_finding *finding = wpa_rule_report(
                g->run, value->span, "J2", NULL,
                "needs takes no expression: GitHub looks for a job that is called so");
            wpa_rule_relate(g->run, finding, g->jobs->pairs[job].key->span, "needed by this");
        }
        return;
    }
    need item = {job, node, find_job(g, text), false};
    for (size_t i = g->n_needs; i-- > 0 && g->needs[i].job == job;) {
        item.is_twice = item.is_twice || wpa_text_is_ci(wpa_yaml_text(g->needs[i].node), text);
    }
    g->needs = wpa_arena_grow(g->run->arena, g->needs, g->n_needs, &g->capacity, sizeof *g->needs);
    g->needs[g->n_needs++] = item;
}

static void read_job(graph *g, size_t i)
{
    const wpa_yaml_node *job = wpa_yaml_resolve(g->jobs->pairs[i].value);
    const wpa_yaml_node *needs = wpa_yaml_get(job, "needs");
    g->has_unknown = g->has_unknown || !wpa_yaml_is(job, WPA_YAML_MAPPING);
    if (wpa_yaml_is(needs, WPA_YAML_SCALAR) && !wpa_yaml_is_null(needs)) {
        add_need(g, i, needs);
    }
    for (size_t k = 0; wpa_yaml_is(needs, WPA_YAML_SEQUENCE) && k < needs->n_items; k++) {
        add_need(g, i, needs->items[k]);
    }
}

/* ---- cycles ---- */

/** Next job on a shortest way from each job to target, -1 where there is none; breadth first. */
static void find_ways(const graph *g, size_t target, const bool *is_done, int *next)
{
    size_t *queue = wpa_arena_array(g->run->arena, g->n_jobs, sizeof *queue);
    size_t n = 0;
    for (size_t i = 0; i < g->n_jobs; i++) {
        next[i] = -1;
    }
    queue[n++] = target;
    for (size_t at = 0; at < n; at++) {
        for (size_t i = 0; i < g->n_needs; i++) {
            const need *edge = &g->needs[i];
            bool leads_here = edge->target == (int)queue[at] && edge->job != queue[at];
            if (leads_here && next[edge->job] < 0 && !is_done[edge->job]) {
                next[edge->job] = (int)queue[at];
                if (edge->job != target) {
                    queue[n++] = edge->job;
                }
            }
        }
    }
}

static const wpa_yaml_node *edge_node(const graph *g, size_t from, size_t to)
{
    for (size_t i = 0; i < g->n_needs; i++) {
        if (g->needs[i].job == from && g->needs[i].target == (int)to) {
            return g->needs[i].node;
        }
    }
    return g->jobs->pairs[from].key;
}

static void report_cycle(graph *g, size_t first, const int *next, bool *is_done)
{
    const char *path = g->names[first];
    size_t at = first;
    g->n_cycles++;
    do {
        at = (size_t)next[at];
        path = wpa_arena_printf(g->run->arena, "%s → %s", path, g->names[at]);
    } while (at != first);
    const wpa_yaml_node *start = edge_node(g, first, (size_t)next[first]);
    wpa_finding *finding = wpa_rule_report(g->run, start->span, "J3", NULL,
                                           "jobs need each other in a circle: %s", path);
    do {
        is_done[at] = true;
        size_t to = (size_t)next[at];
        wpa_rule_relate(g->run, finding, edge_node(g, at, to)->span, "%s needs %s", g->names[at],
                        g->names[to]);
        wpa_rule_relate(g->run, finding, g->jobs->pairs[at].key->span, "%s", g->names[at]);
        at = to;
    } while (at != first);
}

/** Where each job needs only jobs above it, as in most files, none is on a circle. */
static bool may_circle(const graph *g)
{
    for (size_t i = 0; i < g->n_needs; i++) {
        if (g->needs[i].target > (int)g->needs[i].job) {
            return true;
        }
    }
    return false;
}

static void check_cycles(graph *g)
{
    if (!may_circle(g)) {
        return;
    }
    bool *is_done = wpa_arena_array(g->run->arena, g->n_jobs, sizeof *is_done);
    int *next = wpa_arena_array(g->run->arena, g->n_jobs, sizeof *next);
    for (size_t i = 0; i < g->n_jobs; i++) {
        if (is_done[i]) {
            continue;
        }
        find_ways(g, i, is_done, next);
        if (next[i] >= 0) {
            report_cycle(g, i, next, is_done);
        }
    }
}

/* ---- single needs ---- */

static void check_need(graph *g, const need *item)
{
    const char *name = wpa_rule_quote(g->run, item->node->text, item->node->length);
    wpa_span span = wpa_yaml_resolve(item->node)->span;
    if (item->is_twice) {
        wpa_finding *finding = wpa_rule_report(g->run, span, "J1", item->node,
                                               "%s is needed already: it stands here twice", name);
        finding->severity = WPA_SEVERITY_LOW;
    } else if (item->target < 0) {
        g->has_unknown = true;
        wpa_finding *finding = wpa_rule_report(g->run, span, "J2", item->node,
                                               "there is no job %s: the run does not start", name);
        wpa_rule_relate(g->run, finding, g->jobs->pairs[item->job].key->span, "needed by this");
    } else if ((size_t)item->target == item->job) {
        g->has_unknown = true;
        wpa_finding *finding = wpa_rule_report(g->run, span, "J5", item->node,
                                               "job %s needs itself and can never start", name);
        wpa_rule_relate(g->run, finding, g->jobs->pairs[item->job].key->span, "the job");
    }
}

/** Where one wrong need or one circle holds everything up, the finding about that is enough. */
static void check_start(graph *g)
{
    size_t n_starting = g->n_jobs;
    bool *has_need = wpa_arena_array(g->run->arena, g->n_jobs, sizeof *has_need);
    for (size_t i = 0; i < g->n_needs; i++) {
        n_starting -= !has_need[g->needs[i].job];
        has_need[g->needs[i].job] = true;
    }
    if (n_starting == 0 && g->n_cycles > 1 && !g->has_unknown && !g->run->source->is_partial) {
        wpa_rule_report(g->run, g->jobs->key->span, "J4", NULL,
                        "every job needs another one: none can start");
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    const wpa_yaml_node *jobs = wpa_yaml_get(run->source->yaml->root, "jobs");
    if (!wpa_yaml_is(jobs, WPA_YAML_MAPPING) || jobs->n_pairs == 0) {
        return true;
    }
    if (jobs->n_pairs > JOBS_MAX) {
        return WPA_FAIL(err, WPA_E_LIMIT, "more than %d jobs", JOBS_MAX);
    }
    graph g = {.run = run, .jobs = jobs, .n_jobs = jobs->n_pairs};
    g.names = wpa_arena_array(run->arena, g.n_jobs, sizeof *g.names);
    for (size_t i = 0; i < g.n_jobs; i++) {
        const char *name = wpa_yaml_text(jobs->pairs[i].key);
        g.names[i] = name ? name : "";
    }
    for (size_t i = 0; i < g.n_jobs; i++) {
        read_job(&g, i);
    }
    for (size_t i = 0; i < g.n_needs; i++) {
        check_need(&g, &g.needs[i]);
    }
    check_cycles(&g);
    check_start(&g);
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *node = finding->subject;
    if (wpa_text_is(finding->check, "J1")) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "remove the second mention");
        const wpa_yaml_node *list = node->parent;
        bool is_flow_item = list && list->kind == WPA_YAML_SEQUENCE &&
                            list->style == WPA_YAML_FLOW && node->index > 0;
        if (is_flow_item) { /* from the end of the item before, its comma included */
            size_t start = list->items[node->index - 1]->span.end;
            wpa_rule_edit(run, fix, (wpa_span){start, node->span.end}, "%s", "");
        } else {
            (void)wpa_rule_remove_entry(run, fix, node);
        }
    }
    if (wpa_text_is(finding->check, "J2") && node) {
        const wpa_yaml_node *jobs = wpa_yaml_get(run->source->yaml->root, "jobs");
        const char **names = wpa_arena_array(run->arena, jobs->n_pairs, sizeof *names);
        size_t n = 0;
        for (size_t i = 0; i < jobs->n_pairs; i++) {
            const char *name = wpa_yaml_text(jobs->pairs[i].key);
            if (name) {
                names[n++] = name;
            }
        }
        const char *near = wpa_text_nearest(node->text, names, n);
        if (near && node->style == WPA_YAML_PLAIN) {
            wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "write '%s'", near);
            wpa_rule_edit(run, fix, node->span, "%s", near);
        }
    }
}

const wpa_rule wpa_rule_job_graph = {
    .code = "CMP-016",
    .id = "job-graph",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "Jobs need jobs that do not exist, or each other",
    .why = "GitHub refuses a workflow whose jobs cannot be put in an order.",
    .fix = "Name existing jobs, each once, and break the circle.",
    .checks = (const char *const[]){"J1", "J2", "J3", "J4", "J5", NULL},
    .elsewhere = (const char *const[]){"actionlint/job-needs", NULL},
    .declares = WPA_DECLARES_JOBS,
    .reads_dead_code = true,
    .check = check,
    .repair = repair,
};
