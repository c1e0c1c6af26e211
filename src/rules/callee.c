#include "rules/callee.h"

#include "rules/graph.h"

static bool has_name(const wpa_callee *callee, const char *name)
{
    for (size_t i = 0; i < callee->n_used; i++) {
        if (wpa_text_is_ci(callee->used[i], name)) {
            return true;
        }
    }
    return false;
}

bool wpa_callee_read(wpa_rule_run *run, const wpa_outline_job *job, wpa_callee *callee)
{
    const wpa_surroundings *around = run->source->around;
    const wpa_graph_file *file =
        around ? wpa_graph_used(around->graph, &job->uses, run->arena) : NULL;
    const wpa_source *source = file ? wpa_rule_source_at(run, file->path) : NULL;
    if (!source || source->is_partial || !source->yaml) {
        return false;
    }
    *callee = (wpa_callee){
        .source = source,
        .path = file->path,
        .used = file->secrets,
        .n_used = file->n_secrets,
        .uses_more = file->names_more_secrets,
    };
    const wpa_outline_trigger *call = wpa_outline_trigger_find(source->outline, "workflow_call");
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
