/* SEC-017: an expression that takes all secrets where one was meant. */
#include <string.h>

#include "rules/flow.h"
#include "rules/outline.h"
#include "rules/rule.h"

static void check_expression(wpa_rule_run *run, const wpa_yaml_node *node, wpa_span inside)
{
    wpa_flow flow = wpa_flow_read(node->text + inside.start, wpa_span_length(inside), run->arena);
    for (size_t i = 0; i < flow.n; i++) {
        bool is_whole = wpa_text_is_ci(flow.paths[i], "secrets");
        bool is_indexed = wpa_text_is_ci(flow.paths[i], "secrets.*");
        if (!is_whole && !is_indexed) {
            continue;
        }
        const char *text =
            wpa_arena_slice(run->arena, node->text + inside.start, wpa_span_length(inside));
        bool is_by_matrix = is_indexed && strstr(text, "[matrix.");
        wpa_finding *finding = wpa_rule_report(
            run, wpa_yaml_source_span(node, inside.start, inside.end), NULL, NULL,
            is_whole ? "every secret is handed over at once"
                     : "the secret is chosen at run time, so every secret is sent to the runner");
        if (is_by_matrix) {
            finding->severity = WPA_SEVERITY_LOW;
        }
        return;
    }
}

static void walk(wpa_rule_run *run, const wpa_yaml_node *node, int depth)
{
    if (!node || depth > WPA_YAML_MAX_DEPTH) {
        return;
    }
    for (size_t i = 0; i < node->n_pairs; i++) {
        walk(run, node->pairs[i].value, depth + 1);
    }
    for (size_t i = 0; i < node->n_items; i++) {
        walk(run, node->items[i], depth + 1);
    }
    if (node->kind != WPA_YAML_SCALAR || !node->text) {
        return;
    }
    size_t at = 0;
    wpa_span fence, inside;
    bool is_condition = node->key && node->key->text && wpa_text_is(node->key->text, "if");
    if (is_condition && !wpa_outline_has_expression(node->text)) {
        check_expression(run, node, (wpa_span){0, node->length});
    }
    while (wpa_flow_next_fence(node->text, node->length, &at, &fence, &inside)) {
        check_expression(run, node, inside);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    walk(run, run->source->outline->root, 0);
    return true;
}

const wpa_rule wpa_rule_overprovisioned_secrets = {
    .code = "SEC-017",
    .id = "overprovisioned-secrets",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "All secrets are given where one is used",
    .why = "The runner, and whatever runs on it, then holds every secret of the repository.",
    .fix = "Name each secret that is used. There is no fix by machine, since which ones those are "
           "a person must say.",
    .elsewhere =
        (const char *const[]){"zizmor/overprovisioned-secrets", "poutine/job_all_secrets", NULL},
    .check = check,
};
