/* What steps and jobs hand on under a name, and the values of matrices. */
#include <string.h>

#include "rules/expressions.h"
#include "rules/taint_internal.h"

#define VALUES_MAX 256
#define VALUES_DEPTH_MAX 4

static const wpa_taint none = {WPA_TAINT_NONE, NULL, NULL, {0}, false, NULL, 0};
static const wpa_taint unknown = {WPA_TAINT_UNKNOWN, NULL, NULL, {0}, false, NULL, 0};

/* Does a part of a path stand for whatever is there: none is named, or a filter takes them all? */
static bool is_any(const char *name)
{
    return !*name || wpa_text_is(name, "*");
}

/* ---- outputs -----------------------------------------------------------------------------------
 */

/* The output of this name among those that are declared; the worst of all of them for any name. */
static wpa_taint trace_declared(wpa_tracer *t, const wpa_site *site, const wpa_yaml_node *outputs,
                                const char *member, const char *name)
{
    wpa_taint worst = unknown;
    bool takes_all = is_any(name);
    for (size_t i = 0; outputs && i < outputs->n_pairs && wpa_rule_spend(t->run, 50); i++) {
        const char *key = wpa_yaml_text(outputs->pairs[i].key);
        const wpa_yaml_node *value = wpa_yaml_resolve(outputs->pairs[i].value);
        value = member ? wpa_yaml_get(value, member) : value;
        if (takes_all && value) {
            worst = wpa_taint_worse(worst, wpa_trace_scalar(t, site, value));
        } else if (value && key && wpa_text_is_ci(key, name)) {
            return wpa_trace_scalar(t, site, value);
        }
    }
    return worst;
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
    wpa_site site = {.source = callee, .caller = caller};
    site.job = callee->kind == WPA_INPUT_ACTION && o->n_jobs ? &o->jobs[0] : NULL;
    return trace_declared(t, &site, wpa_yaml_get(owner, "outputs"), "value", name);
}

static wpa_taint trace_step(wpa_tracer *t, const wpa_site *site, const wpa_outline_step *step,
                            const char *name, const char *path)
{
    wpa_site at = *site;
    at.step = step;
    if (step->run) {
        return wpa_taint_worse(wpa_trace_fetched(t, &at, name, path),
                               wpa_trace_export(t, &at, "GITHUB_OUTPUT", name));
    }
    const wpa_outline_uses *uses = &step->uses;
    if (uses->kind == WPA_OUTLINE_LOCAL) {
        const wpa_site *caller = wpa_arena_dup(t->run->lasting, &at, sizeof at);
        return wpa_taint_add_hop(t, trace_callee_output(t, caller, uses, name), site->source,
                                 uses->node->span, "gives it out");
    }
    return uses->kind == WPA_OUTLINE_REPOSITORY ? wpa_trace_fetched(t, &at, name, path) : unknown;
}

/* Of the step of this id, or the worst of all that have one. */
static wpa_taint trace_steps(wpa_tracer *t, const wpa_site *site, const char *id, const char *name,
                             const char *path)
{
    const wpa_outline_job *job = site->job;
    wpa_taint worst = unknown;
    bool takes_all = is_any(id);
    for (size_t i = 0; job && i < job->n_steps; i++) {
        const char *own = job->steps[i].id;
        if (own && takes_all && wpa_rule_spend(t->run, 50)) {
            worst = wpa_taint_worse(worst, trace_step(t, site, &job->steps[i], name, path));
        } else if (own && !takes_all && wpa_text_is_ci(id, own)) {
            return trace_step(t, site, &job->steps[i], name, path);
        }
    }
    return worst;
}

static wpa_taint trace_job(wpa_tracer *t, const wpa_site *site, const char *id, const char *name)
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
    return trace_declared(t, &at, wpa_yaml_get(job->node, "outputs"), NULL, name);
}

/* Of the job of this id, or the worst of all that the site's job needs. */
static wpa_taint trace_jobs(wpa_tracer *t, const wpa_site *site, const char *id, const char *name)
{
    if (!is_any(id)) {
        return trace_job(t, site, id, name);
    }
    const wpa_yaml_node *needs = site->job ? wpa_yaml_get(site->job->node, "needs") : NULL;
    const char *only = wpa_yaml_text(needs);
    wpa_taint worst = only ? trace_job(t, site, only, name) : unknown;
    bool is_list = wpa_yaml_is(needs, WPA_YAML_SEQUENCE);
    for (size_t i = 0; is_list && i < needs->n_items && wpa_rule_spend(t->run, 50); i++) {
        const char *needed = wpa_yaml_text(wpa_yaml_resolve(needs->items[i]));
        worst = wpa_taint_worse(worst, needed ? trace_job(t, site, needed, name) : none);
    }
    return worst;
}

wpa_taint wpa_trace_output(wpa_tracer *t, const wpa_site *site, const char *path, const char *lower)
{
    static const char *const fixed[] = {"outcome", "conclusion", "result"};
    const char *kind = wpa_trace_part(t, lower, 2);
    if (wpa_text_index(kind, fixed, WPA_COUNT(fixed)) >= 0) {
        return none;
    }
    if (!is_any(kind) && !wpa_text_is(kind, "outputs")) {
        return unknown;
    }
    const char *id = wpa_trace_part(t, path, 1), *name = wpa_trace_part(t, path, 3);
    name = is_any(name) ? "*" : name;
    return *lower == 's' ? trace_steps(t, site, id, name, path) : trace_jobs(t, site, id, name);
}

/* ---- matrices ----------------------------------------------------------------------------------
 */

/*
 * What the rest of a path leads to in a value of a matrix, "name" of {name: x, title: y}; closed
 * lists of literals are nobody's choice.
 */
static wpa_taint trace_value(wpa_tracer *t, const wpa_site *site, const wpa_yaml_node *node,
                             const char *rest, unsigned depth)
{
    node = wpa_yaml_resolve(node);
    wpa_taint worst = none;
    if (wpa_yaml_is(node, WPA_YAML_SCALAR)) {
        bool is_open = wpa_outline_has_expression(node->text);
        return is_open ? wpa_taint_worse(unknown, wpa_trace_scalar(t, site, node)) : none;
    }
    const char *name = rest ? wpa_trace_part(t, rest, 0) : "";
    const char *behind = rest ? strchr(rest, '.') : NULL;
    behind = behind ? behind + 1 : NULL;
    if (wpa_yaml_is(node, WPA_YAML_MAPPING) && !is_any(name)) {
        const wpa_yaml_pair *pair = wpa_yaml_find_ci(node, name);
        return pair ? trace_value(t, site, pair->value, behind, depth + 1) : none;
    }
    size_t n = node ? node->n_items + node->n_pairs : 0;
    for (size_t i = 0; depth < VALUES_DEPTH_MAX && i < n && i < VALUES_MAX; i++) {
        const wpa_yaml_node *child =
            node->kind == WPA_YAML_SEQUENCE ? node->items[i] : node->pairs[i].value;
        worst = wpa_taint_worse(
            worst, trace_value(t, site, child, is_any(name) ? behind : rest, depth + 1));
    }
    return worst;
}

/* A row: a list of values, of which each leg has one. */
static wpa_taint trace_row(wpa_tracer *t, const wpa_site *site, const wpa_yaml_node *row,
                           const char *rest)
{
    row = wpa_yaml_resolve(row);
    if (!wpa_yaml_is(row, WPA_YAML_SEQUENCE)) {
        return trace_value(t, site, row, rest, 0);
    }
    wpa_taint worst = none;
    for (size_t i = 0; i < row->n_items && i < VALUES_MAX; i++) {
        worst = wpa_taint_worse(worst, trace_value(t, site, row->items[i], rest, 1));
    }
    return worst;
}

/* May any of its values be computed? Of most matrices none is. */
static bool may_hold_expression(const wpa_source *source, const wpa_yaml_node *node)
{
    size_t next = wpa_expressions_from(source->expressions, node->span.start);
    return wpa_expressions_may_be_in(source->expressions, node, &next);
}

static wpa_taint trace_include(wpa_tracer *t, const wpa_site *site, const wpa_yaml_node *include,
                               const char *name, const char *rest)
{
    if (wpa_yaml_is(include, WPA_YAML_SCALAR)) {
        return trace_value(t, site, include, NULL, 0);
    }
    wpa_taint worst = none;
    for (size_t i = 0; wpa_yaml_is(include, WPA_YAML_SEQUENCE) && i < include->n_items; i++) {
        const wpa_yaml_pair *value = wpa_yaml_find_ci(include->items[i], name);
        worst = value ? wpa_taint_worse(worst, trace_value(t, site, value->value, rest, 0)) : worst;
    }
    return worst;
}

wpa_taint wpa_trace_matrix(wpa_tracer *t, const wpa_site *site, const char *path)
{
    const wpa_yaml_node *matrix =
        site->job ? wpa_yaml_get(wpa_yaml_get(site->job->node, "strategy"), "matrix") : NULL;
    wpa_site at = *site;
    at.step = NULL;
    if (!matrix) {
        return unknown;
    }
    if (!may_hold_expression(site->source, matrix)) {
        return none;
    }
    if (wpa_yaml_is(matrix, WPA_YAML_SCALAR)) {
        return trace_value(t, &at, matrix, NULL, 0);
    }
    const char *name = wpa_trace_part(t, path, 1);
    const char *rest = path + strlen("matrix.") + strlen(name);
    rest = *rest == '.' ? rest + 1 : NULL;
    const wpa_yaml_pair *row = wpa_yaml_find_ci(matrix, name);
    wpa_taint worst = row ? trace_row(t, &at, row->value, rest) : none;
    const wpa_yaml_node *include = wpa_yaml_get(matrix, "include");
    return wpa_taint_worse(worst, trace_include(t, &at, include, name, rest));
}
