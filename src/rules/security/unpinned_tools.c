/* SEC-032: an action that installs a tool at whatever version is the newest. */
#include <string.h>

#include "facts/commands.h"
#include "rules/pin.h"
#include "rules/steps.h"

/* A word that stands for whatever is newest, or "owner/name@" in front of one. */
static bool is_floating(const wpa_fact_tool *tool, const char *value)
{
    static const char *const words[] = {"latest",  "*",    "x",      "stable", "edge",
                                        "nightly", "main", "master", "canary", "head"};
    const char *at = strchr(value, '@');
    value = at ? at + 1 : value + strspn(value, " ");
    if (!*value) {
        return !tool->only_if_given;
    }
    size_t n = tool->is_runtime ? 3 : WPA_COUNT(words); /* "stable" is a channel of languages */
    for (size_t i = 0; i < n; i++) {
        if (wpa_text_is_ci(value, words[i])) {
            return true;
        }
    }
    return false;
}

/* "a,b@latest": one that is asked for at its newest, in the text; NULL if there is none. */
static const char *floating_in_list(const char *list)
{
    const char *at = strstr(list, "@latest");
    bool ends = at && (at[7] == '\0' || strchr(", \t\n", at[7]));
    return ends ? at + 1 : NULL;
}

/* "${{ matrix.version }}" whose values are all written out, and none of them floats. */
static bool is_matrix_of_versions(const wpa_outline_step *step, const wpa_fact_tool *tool,
                                  const char *text)
{
    const wpa_yaml_node *strategy = wpa_yaml_get(step->job->node, "strategy");
    const wpa_yaml_node *matrix = strategy ? wpa_yaml_get(strategy, "matrix") : NULL;
    const char *at = strstr(text, "matrix.");
    char key[64];
    size_t n = at ? strcspn(at + 7, " .}|&=") : 0;
    if (!n || n >= sizeof key || !wpa_yaml_is(matrix, WPA_YAML_MAPPING)) {
        return false;
    }
    memcpy(key, at + 7, n);
    key[n] = '\0';
    const wpa_yaml_node *row = wpa_yaml_get(matrix, key);
    for (size_t i = 0; wpa_yaml_is(row, WPA_YAML_SEQUENCE) && i < row->n_items; i++) {
        const char *value = wpa_yaml_text(row->items[i]);
        if (value && (wpa_outline_has_expression(value) || is_floating(tool, value))) {
            return false;
        }
    }
    return row || wpa_yaml_get(matrix, "include");
}

static void check_value(wpa_rule_run *run, const wpa_outline_step *step, const wpa_fact_tool *tool,
                        const wpa_yaml_node *node)
{
    const char *text = wpa_yaml_text(node);
    const char *value = wpa_step_resolve(run, step, text);
    if (tool->is_list) {
        const char *at = floating_in_list(text);
        size_t offset = at ? (size_t)(at - text) : 0;
        if (at) {
            (void)wpa_rule_report(run, wpa_yaml_source_span(node, offset, offset + 6), NULL, NULL,
                                  "'latest' is whatever version is the newest of the day");
        }
    } else if (!value && !tool->is_runtime) {
        if (is_matrix_of_versions(step, tool, text)) {
            return;
        }
        wpa_finding *finding = wpa_rule_report(run, node->span, NULL, NULL,
                                               "the version of %s is %s, which may be any",
                                               tool->tool, wpa_rule_quote(run, text, strlen(text)));
        finding->confidence = WPA_CONFIDENCE_LOW;
        finding->persona = WPA_PERSONA_AUDITOR;
    } else if (value && is_floating(tool, value)) {
        wpa_finding *finding = wpa_rule_report(
            run, node->span, NULL, NULL, "%s is whatever version of %s is the newest of the day",
            wpa_rule_quote(run, value, strlen(value)), tool->tool);
        finding->persona = tool->is_runtime ? WPA_PERSONA_PEDANTIC : finding->persona;
    }
}

/* The repository of a tool, "owner/name" or "owner/name@version". */
static bool names_no_version(const char *input, const char *text)
{
    return wpa_text_is(input, "repo") && !strpbrk(text, "@$");
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_fact_tool *tool = step->uses.fact->tool;
    if (!tool) {
        return;
    }
    bool is_given = false;
    for (size_t i = 0; tool->inputs[i]; i++) {
        const wpa_yaml_node *node = wpa_outline_with(step, tool->inputs[i]);
        const char *text = wpa_yaml_text(node);
        bool is_file = strstr(tool->inputs[i], "file") || strstr(tool->inputs[i], "url");
        if (text && !names_no_version(tool->inputs[i], text)) {
            is_given = true;
            if (!is_file) {
                check_value(run, step, tool, node);
            }
        }
    }
    if (is_given || tool->only_if_given || tool->is_list) {
        return;
    }
    wpa_finding *finding =
        wpa_rule_report(run, step->uses.span, NULL, NULL,
                        "%s installs the newest version of %s on the day: '%s' %s",
                        wpa_rule_quote_uses(run, &step->uses), tool->tool, tool->inputs[0],
                        wpa_outline_with(step, tool->inputs[0]) ? "names none" : "is not given");
    finding->confidence = tool->reads_project ? WPA_CONFIDENCE_MEDIUM : finding->confidence;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_action(run, check_step);
    return true;
}

const wpa_rule wpa_rule_unpinned_tools = {
    .code = "SEC-032",
    .id = "unpinned-tools",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "An action installs a tool at whatever version is the newest",
    .why = "A new release of the tool runs in the job without anybody having looked at it, however "
           "well the action itself is pinned.",
    .fix = "Name an exact version in the action's input. There is no fix by machine: which version "
           "the project works with is not known here.",
    .elsewhere = (const char *const[]){"zizmor/unpinned-tools", NULL},
    .tables = 1U << WPA_FACTS_COMMANDS,
    .check = check,
};
