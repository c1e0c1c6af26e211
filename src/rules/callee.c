#include "rules/callee.h"

#include "rules/graph.h"
#include "rules/references.h"

static bool has_name(const wpa_callee *callee, const char *name)
{
    for (size_t i = 0; i < callee->n_used; i++) {
        if (wpa_text_is_ci(callee->used[i], name)) {
            return true;
        }
    }
    return false;
}

static void add_references(wpa_callee *callee, const wpa_expr_place *place, wpa_arena *arena)
{
    size_t n;
    wpa_expr_reference *references = wpa_expr_references(place->parsed.root, arena, &n);
    for (size_t i = 0; i < n; i++) {
        const char *path = references[i].path;
        if (!wpa_text_is(path, "secrets") && !wpa_text_starts(path, "secrets.")) {
            continue;
        }
        const char *name = wpa_expr_secret_name(&references[i]);
        if (!name || wpa_text_is(name, "*") || callee->n_used == WPA_CALLEE_MAX_SECRETS) {
            callee->uses_more = true;
        } else if (!wpa_text_is_ci(name, "GITHUB_TOKEN") && !has_name(callee, name)) {
            callee->used[callee->n_used++] = name;
        }
    }
}

bool wpa_callee_read(wpa_rule_run *run, const wpa_outline_job *job, wpa_callee *callee)
{
    const wpa_surroundings *around = run->source->around;
    const char *text = wpa_yaml_text(job->uses.node);
    if (!around || !around->graph || job->uses.kind != WPA_OUTLINE_LOCAL || !text) {
        return false;
    }
    const wpa_graph_file *file = wpa_graph_local(around->graph, text + 2);
    const wpa_source *source = file ? wpa_rule_source_at(run, file->path) : NULL;
    if (!source || source->is_partial || !source->yaml) {
        return false;
    }
    *callee = (wpa_callee){.source = source, .path = file->path};
    for (size_t i = 0; i < source->expressions->n; i++) {
        const wpa_expr_place *place = source->expressions->items[i].place;
        if (place->parsed.root) {
            add_references(callee, place, run->arena);
        }
    }
    const wpa_outline *o = source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const char *secrets = wpa_yaml_text(wpa_yaml_get(o->jobs[i].node, "secrets"));
        callee->uses_more = callee->uses_more || wpa_text_is(secrets, "inherit");
    }
    const wpa_outline_trigger *call = wpa_outline_trigger_find(o, "workflow_call");
    callee->declared = call ? wpa_yaml_get(call->config, "secrets") : NULL;
    return call != NULL;
}

bool wpa_callee_uses_secret(const wpa_callee *callee, const char *name)
{
    return callee->uses_more || has_name(callee, name);
}

int wpa_callee_level_of(const char *text)
{
    static const char *const levels[] = {"none", "read", "write"};
    return wpa_text_index(text, levels, WPA_COUNT(levels));
}

int wpa_callee_level(const wpa_callee *callee, const char *scope)
{
    const wpa_outline *o = callee->source->outline;
    const wpa_yaml_node *shared = wpa_yaml_get(o->root, "permissions");
    int highest = 0;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_yaml_node *value = wpa_yaml_get(o->jobs[i].node, "permissions");
        value = value ? value : shared;
        if (!wpa_yaml_is(value, WPA_YAML_MAPPING)) {
            return -1;
        }
        const wpa_yaml_node *level = wpa_yaml_get(value, scope);
        int own = level ? wpa_callee_level_of(wpa_yaml_text(level)) : 0;
        if (own < 0) {
            return -1;
        }
        highest = own > highest ? own : highest;
    }
    return highest;
}
