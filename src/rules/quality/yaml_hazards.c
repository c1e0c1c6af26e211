/* QUA-010: values that YAML reads as something else than they look. */
#include <string.h>

#include <wpa/text.h>

#include "rules/rule.h"

#define DEPTH_MAX 100

/** Digits, a dot, digits of which the last is 0: 3.10, 1.20, which YAML reads as 3.1 and 1.2. */
static bool loses_zero(const char *text)
{
    size_t whole = strspn(text, "0123456789");
    if (!whole || text[whole] != '.') {
        return false;
    }
    size_t rest = strspn(text + whole + 1, "0123456789");
    return rest > 1 && text[whole + 1 + rest] == '\0' && text[whole + rest] == '0';
}

/** 0644, 007: digits with a leading zero, which YAML 1.2 reads as decimal. */
static bool has_leading_zero(const char *text)
{
    return text[0] == '0' && strlen(text) > 1 && strspn(text, "01234567") == strlen(text);
}

/** Names of what a value is for that tell a version: python-version, go, node_version. */
static bool is_version_name(const char *name)
{
    return name && (strstr(name, "version") || strstr(name, "python") || strstr(name, "go") ||
                    strstr(name, "ruby") || strstr(name, "node") || strstr(name, "java"));
}

/** Name that a scalar goes by: its key, or that of the list it is in. */
static const char *name_of(const wpa_yaml_node *node)
{
    const wpa_yaml_node *owner = node->key ? node : node->parent;
    return owner && owner->key && owner->key->kind == WPA_YAML_SCALAR ? owner->key->text : NULL;
}

static bool is_below(const wpa_yaml_node *node, const char *name)
{
    for (; node; node = node->parent) {
        if (node->key && wpa_text_is(node->key->text, name)) {
            return true;
        }
    }
    return false;
}

static void check_plain(wpa_rule_run *run, const wpa_yaml_node *node)
{
    const char *text = node->text;
    bool is_value = is_below(node, "with") || is_below(node, "matrix") || is_below(node, "env") ||
                    is_below(node, "inputs");
    if (!is_value) {
        return;
    }
    if (loses_zero(text)) {
        wpa_finding *finding = wpa_rule_report(
            run, node->span, "Z2", node, "%s is a number to YAML: its last zero is lost", text);
        finding->severity = WPA_SEVERITY_MEDIUM;
    } else if (has_leading_zero(text)) {
        wpa_rule_report(run, node->span, "Z3", node,
                        "%s is a number to YAML: its leading zero is lost", text);
    }
}

/* Characters that look like quotes and dashes of code and are none. */
static const struct {
    const char *bytes, *name, *meant;
} lookalikes[] = {
    {"\xe2\x80\x9c", "“", "\""},
    {"\xe2\x80\x9d", "”", "\""},
    {"\xe2\x80\x98", "‘", "'"},
    {"\xe2\x80\x99", "’", "'"},
};

/** In a script a curly quote at the edge of a word quotes nothing. Inside words it is prose. */
static void check_script(wpa_rule_run *run, const wpa_yaml_node *node)
{
    for (size_t i = 0; i + 3 <= node->length; i++) {
        bool begins_word = i == 0 || strchr(" =(", node->text[i - 1]);
        for (size_t k = 0; begins_word && k < WPA_COUNT(lookalikes); k++) {
            if (strncmp(node->text + i, lookalikes[k].bytes, 3) == 0 &&
                !memchr(node->text, '#', i)) {
                wpa_finding *finding =
                    wpa_rule_report(run, wpa_yaml_source_span(node, i, i + 3), "Z9", NULL,
                                    "%s is no quote to a shell, which takes it as a letter (%s is)",
                                    lookalikes[k].name, lookalikes[k].meant);
                finding->severity = WPA_SEVERITY_MEDIUM;
                finding->confidence = WPA_CONFIDENCE_MEDIUM;
                return;
            }
        }
    }
}

static void walk(wpa_rule_run *run, const wpa_yaml_node *node, int depth)
{
    if (!node || depth > DEPTH_MAX) {
        return;
    }
    if (node->kind == WPA_YAML_SCALAR && node->style == WPA_YAML_PLAIN && !node->tag) {
        check_plain(run, node);
    }
    if (node->kind == WPA_YAML_SCALAR && node->key && wpa_text_is(node->key->text, "run")) {
        check_script(run, node);
    }
    for (size_t i = 0; node->kind == WPA_YAML_MAPPING && i < node->n_pairs; i++) {
        walk(run, node->pairs[i].value, depth + 1);
    }
    for (size_t i = 0; node->kind == WPA_YAML_SEQUENCE && i < node->n_items; i++) {
        walk(run, node->items[i], depth + 1);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_yaml_doc *doc = run->source->yaml;
    for (size_t i = 0; i < doc->n_diagnostics; i++) {
        const wpa_yaml_diagnostic *fault = &doc->diagnostics[i];
        if (fault->fault == WPA_YAML_FAULT_REDEFINED_ANCHOR) {
            wpa_finding *finding =
                wpa_rule_report(run, fault->span, "Z7", NULL, "%s", fault->message);
            wpa_rule_relate(run, finding, fault->related, "the first one");
        }
    }
    walk(run, doc->root, 0);
    return true;
}

/** Versions whose short form was never offered: there quoting makes the written meaning hold. */
static bool is_known_version(const wpa_yaml_node *node)
{
    const char *name = name_of(node);
    return name && ((strstr(name, "python") && wpa_text_starts(node->text, "3.")) ||
                    (strstr(name, "go") && wpa_text_starts(node->text, "1.")));
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *node = finding->subject;
    if (node && (is_version_name(name_of(node)) || wpa_text_is(finding->check, "Z3"))) {
        wpa_fix *fix =
            wpa_rule_fix(run, finding, is_known_version(node) ? WPA_FIX_SAFE : WPA_FIX_UNSAFE,
                         "quote it: '%s'", node->text);
        wpa_rule_edit(run, fix, node->span, "'%s'", node->text);
    }
}

const wpa_rule wpa_rule_yaml_hazards = {
    .code = "QUA-010",
    .id = "yaml-hazards",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A value that YAML reads as something else than it looks",
    .why = "Python 3.10 becomes 3.1, mode 0644 becomes 644, a curly quote quotes nothing.",
    .fix = "Put the value in quotes, or type the plain character.",
    .checks = (const char *const[]){"Z2", "Z3", "Z7", "Z9", NULL},
    .declares = WPA_DECLARES_MATRIX | WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
