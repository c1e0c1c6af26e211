/* SEC-052: updates may run code of the dependencies. */
#include <string.h>

#include "rules/outline.h"
#include "rules/rule.h"

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_yaml_node *updates = wpa_yaml_get(run->source->outline->root, "updates");
    for (size_t i = 0; wpa_yaml_is(updates, WPA_YAML_SEQUENCE) && i < updates->n_items; i++) {
        const wpa_yaml_node *value =
            wpa_yaml_get(updates->items[i], "insecure-external-code-execution");
        if (wpa_text_is(wpa_yaml_text(value), "allow")) {
            (void)wpa_rule_report(
                run, value->span, NULL, value,
                "manifests of dependencies run their code while they are updated, "
                "with the secrets of Dependabot at hand");
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *value = finding->subject;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "deny it");
    wpa_rule_edit(run, fix, wpa_yaml_source_span(value, 0, value->length), "deny");
}

const wpa_rule wpa_rule_dependabot_execution = {
    .code = "SEC-052",
    .id = "dependabot-execution",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_DEPENDABOT,
    .summary = "Dependabot may run code of the dependencies",
    .why = "One bad release runs in the updater, which can reach private registries.",
    .fix = "Deny it; most ecosystems update without.",
    .elsewhere = (const char *const[]){"zizmor/dependabot-execution", NULL},
    .declares = WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
