/* QUA-022: inputs, outputs and secrets that nobody describes. */
#include <string.h>

#include "rules/outline.h"
#include "rules/rule.h"

static void check_entries(wpa_rule_run *run, const wpa_yaml_node *mapping, const char *what)
{
    for (size_t i = 0; wpa_yaml_is(mapping, WPA_YAML_MAPPING) && i < mapping->n_pairs; i++) {
        const wpa_yaml_pair *pair = &mapping->pairs[i];
        const wpa_yaml_node *value = wpa_yaml_resolve(pair->value);
        bool is_entry = pair->key->kind == WPA_YAML_SCALAR && !wpa_text_is(pair->key->text, "<<") &&
                        (wpa_yaml_is(value, WPA_YAML_MAPPING) || wpa_yaml_is_null(value));
        const char *words = wpa_yaml_text(wpa_yaml_get(value, "description"));
        if (is_entry && (!words || !*words)) {
            wpa_rule_report(run, pair->key->span, NULL, NULL, "the %s %s has no description", what,
                            wpa_rule_quote(run, pair->key->text, pair->key->length));
        }
    }
}

static void check_workflow(wpa_rule_run *run)
{
    const wpa_outline *o = run->source->outline;
    const wpa_outline_trigger *dispatch = wpa_outline_trigger_find(o, "workflow_dispatch");
    const wpa_outline_trigger *call = wpa_outline_trigger_find(o, "workflow_call");
    if (dispatch) {
        check_entries(run, wpa_yaml_get(dispatch->config, "inputs"), "input");
    }
    if (call) {
        check_entries(run, wpa_yaml_get(call->config, "inputs"), "input");
        check_entries(run, wpa_yaml_get(call->config, "outputs"), "output");
        check_entries(run, wpa_yaml_get(call->config, "secrets"), "secret");
        const wpa_yaml_doc *doc = run->source->yaml;
        bool has_header = doc->n_comments && doc->comments[0].span.start < call->node->span.start;
        if (!has_header) {
            wpa_rule_report(run, call->node->span, NULL, NULL,
                            "no comment above says what this reusable workflow is for");
        }
    }
}

/* The README beside an action file; of one at the root that of the repository. */
static void check_readme(wpa_rule_run *run, const wpa_yaml_node *root)
{
    const wpa_surroundings *around = run->source->around;
    const char *path = wpa_source_identity(run->source);
    const char *slash = strrchr(path, '/');
    int length = slash ? (int)(slash - path) + 1 : 0;
    bool is_inner = wpa_text_starts(path, "."); /* of the repository itself, not for others */
    if (!around || !around->has_paths || root->n_pairs == 0 || is_inner) {
        return;
    }
    static const char *const names[] = {"README.md",  "README",      "readme.md", "Readme.md",
                                        "README.rst", "README.adoc", "README.txt"};
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        const char *readme = wpa_arena_printf(run->arena, "%.*s%s", length, path, names[i]);
        if (wpa_surroundings_has(around, readme)) {
            return;
        }
    }
    wpa_rule_report(run, root->pairs[0].key->span, NULL, NULL,
                    "there is no README beside this action");
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_yaml_node *root = wpa_yaml_resolve(run->source->yaml->root);
    if (run->source->kind == WPA_INPUT_WORKFLOW) {
        check_workflow(run);
    } else if (wpa_yaml_is(root, WPA_YAML_MAPPING)) {
        check_entries(run, wpa_yaml_get(root, "inputs"), "input");
        check_entries(run, wpa_yaml_get(root, "outputs"), "output");
        check_readme(run, root);
    }
    return true;
}

const wpa_rule wpa_rule_missing_description = {
    .code = "QUA-022",
    .id = "missing-description",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "An input, output, secret or action that nothing describes",
    .why = "Whoever calls it has to read the code to know what to pass and what comes back.",
    .fix = "Describe it in a sentence; nobody but its author can.",
    .claims_absence = true,
    .check = check,
};
