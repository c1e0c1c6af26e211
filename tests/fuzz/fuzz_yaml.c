/* Any bytes as YAML, and as a workflow: every span lies in the file, every map leads into it, and
   the quick reader comes to what libyaml comes to. */
#include <stdlib.h>

#include <wpa/yaml.h>

#include "harness/yaml_twice.h"
#include "workflow/workflow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void need(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

static void check_scalar(const wpa_yaml_node *node, wpa_arena *arena)
{
    const wpa_yaml_map *map = wpa_yaml_map_new(node, arena);
    wpa_span whole = wpa_yaml_map_span(map, 0, node->length);
    need(whole.start <= whole.end && whole.end <= node->doc->size_bytes);
    for (size_t i = 0; i < node->length; i++) {
        wpa_span span = wpa_yaml_map_span(map, i, i + 1);
        need(span.start < span.end || !wpa_yaml_map_is_exact(map));
        need(span.end <= node->doc->size_bytes);
    }
    (void)wpa_yaml_scalar_type(node);
}

static void check(const wpa_yaml_node *node, wpa_arena *arena)
{
    const wpa_yaml_doc *doc = node->doc;
    need(wpa_yaml_full(node).start <= node->span.start && node->span.start <= node->span.end);
    need(node->span.end <= doc->size_bytes && wpa_yaml_full(node).end == node->span.end);
    wpa_span entry = wpa_yaml_entry_span(node);
    need(wpa_span_contains(entry, wpa_yaml_full(node)) && entry.end <= doc->size_bytes);
    wpa_position at = wpa_yaml_position(doc, node->span.start);
    need(wpa_yaml_offset(doc, at) <= node->span.start);
    (void)wpa_yaml_path(node, arena);
    if (node->kind == WPA_YAML_SCALAR) {
        check_scalar(node, arena);
    }
    for (size_t i = 0; i < node->n_items; i++) {
        check(node->items[i], arena);
    }
    for (size_t i = 0; i < node->n_pairs; i++) {
        check(node->pairs[i].key, arena);
        check(node->pairs[i].value, arena);
    }
}

static void read_as(const wpa_yaml_doc *doc, wpa_file_kind kind, wpa_arena *arena)
{
    const wpa_model *model = wpa_model_read(doc, kind, arena);
    size_t n;
    if (model->workflow) {
        (void)wpa_workflow_cycles(model->workflow, arena, &n);
        (void)wpa_workflow_order(model->workflow, arena);
    }
    for (size_t i = 0; model->workflow && i < model->workflow->n_jobs; i++) {
        (void)wpa_matrix_expand(&model->workflow->jobs[i].strategy.matrix, arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    const wpa_yaml_doc *doc = wpa_yaml_parse("fuzz.yml", data, size_bytes, arena, &err);
    if (!doc) {
        return 0;
    }
    for (size_t i = 0; i < doc->n_diagnostics; i++) {
        need(doc->diagnostics[i].span.end <= size_bytes);
    }
    for (size_t i = 0; i < doc->n_comments; i++) {
        need(doc->source[doc->comments[i].span.start] == '#');
    }
    if (doc->root) {
        check(doc->root, arena);
    }
    read_as(doc, WPA_FILE_WORKFLOW, arena);
    read_as(doc, WPA_FILE_ACTION, arena);
    read_as(doc, WPA_FILE_DEPENDABOT, arena);
    need(wpa_twice_is_same((const char *)data, size_bytes, arena));
    return 0;
}
