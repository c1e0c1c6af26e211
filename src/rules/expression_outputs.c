/*
 * What jobs and steps put out: strict where the file, or the one that they use, says all there is.
 */
#include "rules/expression_outputs.h"

#include <string.h>

#include "rules/graph.h"

static const wpa_type *string(void)
{
    return wpa_type_of(WPA_TYPE_STRING);
}

/** The workflow or action of the repository that "./x" or "$/x" names, or NULL. */
static const wpa_source *find_local(wpa_rule_run *run, const char *uses, wpa_arena *arena)
{
    const wpa_surroundings *around = run->source->around;
    bool has_graph = uses && around && around->graph;
    const char *path = has_graph ? wpa_graph_local_path(uses, arena) : NULL;
    const wpa_graph_file *file = path ? wpa_graph_local(around->graph, path) : NULL;
    const wpa_source *source = file ? wpa_rule_source_at(run, file->path) : NULL;
    return source && source->yaml && !source->is_partial ? source : NULL;
}

const wpa_type *wpa_expression_outputs_declared(const wpa_yaml_node *outputs, bool is_known,
                                                wpa_arena *arena)
{
    bool is_none = !outputs || wpa_yaml_is_null(outputs);
    if (!is_known || (!is_none && !wpa_yaml_is(outputs, WPA_YAML_MAPPING))) {
        return wpa_type_map(arena, string());
    }
    size_t n = 0;
    const wpa_yaml_pair *pairs = is_none ? NULL : wpa_yaml_pairs_merged(outputs, arena, &n);
    wpa_type_builder builder = wpa_type_builder_new(arena);
    for (size_t i = 0; i < n; i++) {
        const char *name = wpa_yaml_text(pairs[i].key);
        builder.is_loose = builder.is_loose || !name || wpa_outline_has_expression(name);
        if (name) {
            wpa_type_builder_add(&builder, name, string());
        }
    }
    return wpa_type_builder_end(&builder);
}

const wpa_type *wpa_expression_outputs_of_call(wpa_rule_run *run, const char *uses,
                                               wpa_arena *arena)
{
    const wpa_source *callee = find_local(run, uses, arena);
    const wpa_yaml_node *on = callee ? wpa_yaml_get(callee->outline->root, "on") : NULL;
    const wpa_yaml_node *call = wpa_yaml_get(on, "workflow_call");
    bool is_known = callee && callee->kind == WPA_INPUT_WORKFLOW &&
                    wpa_outline_trigger_find(callee->outline, "workflow_call");
    return wpa_expression_outputs_declared(wpa_yaml_get(call, "outputs"), is_known, arena);
}

static const wpa_type *outputs_of_local(wpa_rule_run *run, const char *uses, wpa_arena *arena)
{
    const wpa_source *action = find_local(run, uses, arena);
    const wpa_yaml_node *root = action ? action->outline->root : NULL;
    /* Code may set what its metadata does not name, and that works. */
    const char *using = wpa_yaml_text(wpa_yaml_get(wpa_yaml_get(root, "runs"), "using"));
    bool is_known = using && wpa_text_is_ci(using, "composite");
    return wpa_expression_outputs_declared(wpa_yaml_get(root, "outputs"), is_known, arena);
}

/**
 * Is all that the action can put out in its metadata, and the metadata that of this version? Code
 * may set what its metadata does not name; where that names nothing, its outputs, if there are any,
 * are told somewhere else.
 */
static bool has_known_outputs(const wpa_outline_uses *uses)
{
    const wpa_fact_use *fact = uses->fact;
    wpa_version newest;
    if (!fact || !fact->action || !fact->has_major || wpa_facts_has_open_outputs(uses->slug)) {
        return false;
    }
    bool is_code = !fact->major.using || !wpa_text_is(fact->major.using, "composite");
    if (is_code && fact->major.n_outputs == 0) {
        return false;
    }
    bool is_newer = fact->has_version && fact->major.newest &&
                    wpa_version_parse(wpa_slice_of(fact->major.newest), &newest) &&
                    fact->version.n_parts > 1 && wpa_version_compare(&fact->version, &newest) > 0;
    return !is_newer;
}

const wpa_type *wpa_expression_outputs_of_step(wpa_rule_run *run, const wpa_outline_step *step,
                                               wpa_arena *arena)
{
    const wpa_outline_uses *uses = &step->uses;
    if (uses->kind == WPA_OUTLINE_LOCAL) {
        return outputs_of_local(run, wpa_yaml_text(uses->node), arena);
    }
    if (uses->kind != WPA_OUTLINE_REPOSITORY || !has_known_outputs(uses)) {
        return wpa_type_map(arena, string());
    }
    wpa_type_builder builder = wpa_type_builder_new(arena);
    for (size_t i = 0; i < uses->fact->major.n_outputs; i++) {
        wpa_type_builder_add(&builder, wpa_facts_output_at(&uses->fact->major, i), string());
    }
    return wpa_type_builder_end(&builder);
}
