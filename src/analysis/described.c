/* What a file says of itself, besides what the rules find in it. */
#include <wpa/map.h>
#include <wpa/text.h>

#include "analysis/internal.h"

#define USES_MAX 500

wpa_json *wpa_analysis_list_triggers(const wpa_yaml_node *root, wpa_arena *arena)
{
    wpa_json *list = wpa_json_new_array(arena);
    const wpa_yaml_node *on = wpa_yaml_get(root, "on");
    if (wpa_yaml_text(on)) {
        wpa_json_push_text(list, wpa_yaml_text(on));
    }
    for (size_t i = 0; wpa_yaml_is(on, WPA_YAML_SEQUENCE) && i < on->n_items; i++) {
        const char *text = wpa_yaml_text(on->items[i]);
        if (text) {
            wpa_json_push_text(list, text);
        }
    }
    for (size_t i = 0; wpa_yaml_is(on, WPA_YAML_MAPPING) && i < on->n_pairs; i++) {
        const char *text = wpa_yaml_text(on->pairs[i].key);
        if (text) {
            wpa_json_push_text(list, text);
        }
    }
    return list;
}

static void list_uses(const wpa_yaml_node *node, wpa_json *list, wpa_map *seen)
{
    for (size_t i = 0; node->kind == WPA_YAML_MAPPING && i < node->n_pairs; i++) {
        const wpa_yaml_pair *pair = &node->pairs[i];
        const char *text = wpa_text_is(pair->key->text, "uses") ? wpa_yaml_text(pair->value) : NULL;
        if (text && !wpa_map_has(seen, text) && wpa_map_count(seen) < USES_MAX) {
            wpa_map_put(seen, text, seen);
            wpa_json *use = wpa_json_push_object(list);
            wpa_json_set_text(use, "name", text);
            wpa_json_set_int(use, "line",
                             (int64_t)wpa_yaml_line_of(node->doc, pair->value->span.start));
        }
        list_uses(pair->value, list, seen);
    }
    for (size_t i = 0; node->kind == WPA_YAML_SEQUENCE && i < node->n_items; i++) {
        list_uses(node->items[i], list, seen);
    }
}

void wpa_analysis_list_named(const wpa_yaml_node *root, wpa_json *list, wpa_arena *arena)
{
    list_uses(root, list, wpa_map_new(arena));
}
