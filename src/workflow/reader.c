#include "workflow/reader.h"

#include <string.h>

void wpa_reader_fault(wpa_reader *r, const wpa_yaml_node *node, const char *expected)
{
    r->faults =
        wpa_arena_grow(r->arena, r->faults, r->n_faults, &r->faults_capacity, sizeof *r->faults);
    r->faults[r->n_faults++] = (wpa_shape_fault){node, expected};
}

bool wpa_reader_pair(const wpa_yaml_node *mapping, const char *key, const wpa_yaml_node **key_node,
                     const wpa_yaml_node **value)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(mapping, key);
    *key_node = pair ? pair->key : NULL;
    *value = pair ? wpa_yaml_resolve(pair->value) : NULL;
    bool is_cut = *value && (*value)->is_incomplete;
    if (*value && !is_cut && wpa_yaml_is_null(*value)) {
        *value = NULL;
    }
    return pair != NULL;
}

wpa_value wpa_reader_value_of(wpa_reader *r, const wpa_yaml_node *key, const wpa_yaml_node *node)
{
    const wpa_yaml_node *resolved = wpa_yaml_resolve(node);
    wpa_value value = {.key = key, .node = resolved};
    if (!resolved) {
        value.is_unknown = node != NULL;
        return value;
    }
    value.text = resolved->is_incomplete ? NULL : wpa_yaml_text(resolved);
    value.is_unknown = !value.text;
    value.has_expression = value.text && strstr(value.text, "${{");
    if (value.is_unknown && !resolved->is_incomplete) {
        wpa_reader_fault(r, node, "text");
    }
    return value;
}

wpa_value wpa_reader_value(wpa_reader *r, const wpa_yaml_node *mapping, const char *key)
{
    const wpa_yaml_node *key_node, *node;
    return wpa_reader_pair(mapping, key, &key_node, &node) ? wpa_reader_value_of(r, key_node, node)
                                                           : (wpa_value){0};
}

wpa_value_list wpa_reader_list_of(wpa_reader *r, const wpa_yaml_node *key,
                                  const wpa_yaml_node *node)
{
    const wpa_yaml_node *resolved = wpa_yaml_resolve(node);
    wpa_value_list list = {.key = key, .node = resolved};
    if (!resolved) {
        list.is_unknown = node != NULL;
        return list;
    }
    if (resolved->kind == WPA_YAML_MAPPING) {
        wpa_reader_fault(r, node, "a list of texts");
        list.is_unknown = true;
        return list;
    }
    list.is_scalar = resolved->kind == WPA_YAML_SCALAR;
    list.n = list.is_scalar ? 1 : resolved->n_items;
    wpa_value *items = wpa_arena_array(r->arena, list.n + 1, sizeof *items);
    for (size_t i = 0; i < list.n; i++) {
        items[i] = wpa_reader_value_of(r, NULL, list.is_scalar ? node : resolved->items[i]);
        list.is_unknown =
            list.is_unknown || items[i].is_unknown || (list.is_scalar && items[i].has_expression);
    }
    list.items = items;
    list.is_unknown = list.is_unknown || resolved->is_incomplete;
    return list;
}

wpa_value_list wpa_reader_list(wpa_reader *r, const wpa_yaml_node *mapping, const char *key)
{
    const wpa_yaml_node *key_node, *node;
    return wpa_reader_pair(mapping, key, &key_node, &node) ? wpa_reader_list_of(r, key_node, node)
                                                           : (wpa_value_list){0};
}

const wpa_yaml_pair *wpa_reader_pairs(wpa_reader *r, const wpa_yaml_node *mapping, size_t *n)
{
    size_t n_all;
    *n = 0;
    if (!mapping) {
        return NULL;
    }
    const wpa_yaml_pair *all = wpa_yaml_pairs_merged(mapping, r->arena, &n_all);
    wpa_yaml_pair *pairs = wpa_arena_array(r->arena, n_all, sizeof *pairs);
    for (size_t i = 0; i < n_all; i++) {
        if (wpa_yaml_text(all[i].key)) {
            pairs[(*n)++] = all[i];
        } else {
            wpa_reader_fault(r, all[i].key, "text as key");
        }
    }
    return pairs;
}

wpa_value_map wpa_reader_map(wpa_reader *r, const wpa_yaml_node *mapping, const char *key)
{
    wpa_value_map map = {0};
    if (!wpa_reader_pair(mapping, key, &map.key, &map.node) || !map.node) {
        return map;
    }
    if (map.node->kind == WPA_YAML_SCALAR) {
        map.scalar = wpa_reader_value_of(r, map.key, map.node);
        map.is_unknown = map.scalar.is_unknown || map.scalar.has_expression;
        return map;
    }
    if (map.node->kind != WPA_YAML_MAPPING) {
        wpa_reader_fault(r, map.node, "a mapping");
        map.is_unknown = true;
        return map;
    }
    const wpa_yaml_pair *pairs = wpa_reader_pairs(r, map.node, &map.n);
    wpa_named *items = wpa_arena_array(r->arena, map.n + 1, sizeof *items);
    for (size_t i = 0; i < map.n; i++) {
        items[i] = (wpa_named){wpa_yaml_text(pairs[i].key),
                               wpa_reader_value_of(r, pairs[i].key, pairs[i].value)};
    }
    map.items = items;
    map.is_unknown = map.node->is_incomplete;
    return map;
}

static const wpa_yaml_node *collection(wpa_reader *r, const wpa_yaml_node *mapping, const char *key,
                                       wpa_yaml_kind kind, const wpa_yaml_node **key_node,
                                       bool *is_unknown)
{
    const wpa_yaml_node *node;
    *is_unknown = false;
    if (!wpa_reader_pair(mapping, key, key_node, &node) || !node) {
        return NULL;
    }
    *is_unknown = node->kind != kind || node->is_incomplete;
    if (node->kind == kind) {
        return node;
    }
    bool is_expression = node->kind == WPA_YAML_SCALAR && strstr(node->text, "${{");
    if (!is_expression && !node->is_incomplete) {
        wpa_reader_fault(r, node, kind == WPA_YAML_MAPPING ? "a mapping" : "a list");
    }
    return NULL;
}

const wpa_yaml_node *wpa_reader_mapping(wpa_reader *r, const wpa_yaml_node *mapping,
                                        const char *key, const wpa_yaml_node **key_node,
                                        bool *is_unknown)
{
    return collection(r, mapping, key, WPA_YAML_MAPPING, key_node, is_unknown);
}

const wpa_yaml_node *wpa_reader_sequence(wpa_reader *r, const wpa_yaml_node *mapping,
                                         const char *key, const wpa_yaml_node **key_node,
                                         bool *is_unknown)
{
    return collection(r, mapping, key, WPA_YAML_SEQUENCE, key_node, is_unknown);
}

wpa_parameter *wpa_reader_parameters(wpa_reader *r, const wpa_yaml_node *mapping, size_t *n)
{
    const wpa_yaml_pair *pairs = wpa_reader_pairs(r, mapping, n);
    wpa_parameter *inputs = wpa_arena_array(r->arena, *n, sizeof *inputs);
    for (size_t i = 0; i < *n; i++) {
        const wpa_yaml_node *node = wpa_yaml_resolve(pairs[i].value);
        inputs[i] = (wpa_parameter){
            .name = wpa_yaml_text(pairs[i].key),
            .key = pairs[i].key,
            .node = node,
            .default_value = wpa_reader_value(r, node, "default"),
            .type = wpa_reader_value(r, node, "type"),
            .options = wpa_reader_list(r, node, "options"),
        };
        if (!r->is_frame) {
            inputs[i].description = wpa_reader_value(r, node, "description");
            inputs[i].required = wpa_reader_value(r, node, "required");
            inputs[i].deprecation = wpa_reader_value(r, node, "deprecationMessage");
        }
        if (node && !wpa_yaml_is_null(node) && node->kind != WPA_YAML_MAPPING) {
            wpa_reader_fault(r, pairs[i].value, "a mapping");
            inputs[i].is_unknown = true;
        }
    }
    return inputs;
}

wpa_interface *wpa_reader_interfaces(wpa_reader *r, const wpa_yaml_node *mapping, size_t *n)
{
    const wpa_yaml_pair *pairs = wpa_reader_pairs(r, mapping, n);
    wpa_interface *list = wpa_arena_array(r->arena, *n, sizeof *list);
    for (size_t i = 0; i < *n; i++) {
        const wpa_yaml_node *node = wpa_yaml_resolve(pairs[i].value);
        list[i] = (wpa_interface){
            .name = wpa_yaml_text(pairs[i].key),
            .key = pairs[i].key,
            .node = node,
        };
        if (!r->is_frame) {
            list[i].description = wpa_reader_value(r, node, "description");
            list[i].value = wpa_reader_value(r, node, "value");
            list[i].required = wpa_reader_value(r, node, "required");
        }
        if (node && !wpa_yaml_is_null(node) && node->kind != WPA_YAML_MAPPING) {
            wpa_reader_fault(r, pairs[i].value, "a mapping");
            list[i].is_unknown = true;
        }
    }
    return list;
}

static wpa_step read_step(wpa_reader *r, const wpa_yaml_node *written, size_t index)
{
    const wpa_yaml_node *node = wpa_yaml_resolve(written);
    wpa_step step = {.index = index, .node = node ? node : written};
    if (!wpa_yaml_is(node, WPA_YAML_MAPPING)) {
        wpa_reader_fault(r, written, "a mapping");
        step.is_unknown = true;
        return step;
    }
    step.id = wpa_reader_value(r, node, "id");
    step.name = wpa_reader_value(r, node, "name");
    step.condition = wpa_reader_value(r, node, "if");
    step.uses_value = wpa_reader_value(r, node, "uses");
    step.uses = wpa_reference_parse(&step.uses_value, r->arena);
    step.run = wpa_reader_value(r, node, "run");
    step.shell = wpa_reader_value(r, node, "shell");
    step.working_directory = wpa_reader_value(r, node, "working-directory");
    step.with = wpa_reader_map(r, node, "with");
    step.env = wpa_reader_map(r, node, "env");
    step.timeout_minutes = wpa_reader_value(r, node, "timeout-minutes");
    step.continue_on_error = wpa_reader_value(r, node, "continue-on-error");
    return step;
}

wpa_step *wpa_reader_steps(wpa_reader *r, const wpa_yaml_node *sequence, size_t *n)
{
    *n = sequence ? sequence->n_items : 0;
    wpa_step *steps = wpa_arena_array(r->arena, *n + 1, sizeof *steps);
    for (size_t i = 0; i < *n; i++) {
        steps[i] = read_step(r, sequence->items[i], i);
    }
    return steps;
}
