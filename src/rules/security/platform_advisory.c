/* SEC-054: a forge or runner of a version that an advisory covers. */
#include <string.h>

#include "facts/supply.h"
#include "rules/graph.h"
#include "rules/own.h"

static const wpa_rule_option options[] = {
    {"ghes", "", "version of the GitHub Enterprise Server: 3.12.1; as \"forge\" if unset",
     WPA_OPTION_TEXT},
    {"runner", "", "version of the runners of one's own: 2.319.0", WPA_OPTION_TEXT},
    {0},
};

static wpa_severity severity_of(const char *name)
{
    wpa_severity severity = WPA_SEVERITY_HIGH;
    return wpa_severity_from(name, &severity) ? severity : WPA_SEVERITY_HIGH;
}

/* Said once for the repository, in its first file. */
static void check_platform(wpa_rule_run *run, const char *platform, const char *words)
{
    wpa_forge forge = wpa_rule_forge(run);
    const char *text = wpa_rule_option_text(run, platform);
    text = !*text && wpa_text_is(forge.name, platform) ? forge.version_text : text;
    const wpa_yaml_node *root = run->source->yaml->root;
    wpa_version version;
    if (!*text || !wpa_version_parse(wpa_slice_of(text), &version) || !root || !root->n_pairs) {
        return;
    }
    for (size_t i = 0; i < wpa_facts_platform_count(); i++) {
        const wpa_fact_platform *advisory = wpa_facts_platform_at(i);
        if (wpa_text_is(advisory->platform, platform) &&
            wpa_facts_platform_affects(advisory, &version)) {
            wpa_finding *finding = wpa_rule_report(run, root->pairs[0].key->span, NULL, NULL,
                                                   "%s %s is affected by %s: %s", words, text,
                                                   advisory->id, advisory->summary);
            finding->severity = severity_of(advisory->severity);
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_surroundings *around = run->source->around;
    if (around && around->graph && wpa_graph_is_first(around->graph, run->source)) {
        check_platform(run, "ghes", "GitHub Enterprise Server");
        check_platform(run, "runner", "runner");
    }
    return true;
}

const wpa_rule wpa_rule_platform_advisory = {
    .code = "SEC-054",
    .id = "platform-advisory",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "The forge or its runners have a version that an advisory covers",
    .why = "What guards the workflows is itself open.",
    .fix = "Update it. There is no fix by machine.",
    .elsewhere = (const char *const[]){"poutine/known_vulnerability_in_build_platform", NULL},
    .options = options,
    .tables = 1U << WPA_FACTS_SUPPLY,
    .check = check,
};
