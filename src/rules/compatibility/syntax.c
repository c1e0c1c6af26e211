#include <string.h>

#include <wpa/text.h>

#include "rules/rule.h"

static wpa_severity severity_of(wpa_yaml_fault fault)
{
    switch (fault) {
    case WPA_YAML_FAULT_BOM:
    case WPA_YAML_FAULT_CR_LINE:
        return WPA_SEVERITY_LOW;
    case WPA_YAML_FAULT_SECOND_DOCUMENT:
        return WPA_SEVERITY_MEDIUM; /* GitHub reads the first and ignores the rest */
    case WPA_YAML_FAULT_SYNTAX:
    case WPA_YAML_FAULT_UNDEFINED_ALIAS:
    case WPA_YAML_FAULT_EMPTY:
    case WPA_YAML_FAULT_RECURSIVE_ALIAS:
    case WPA_YAML_FAULT_MERGE_KEY:
    case WPA_YAML_FAULT_TAB:
    case WPA_YAML_FAULT_TAG:
    case WPA_YAML_FAULT_LIMIT:
    case WPA_YAML_FAULT_ENCODING:
    case WPA_YAML_FAULT_DUPLICATE_KEY:
    case WPA_YAML_FAULT_REDEFINED_ANCHOR:
    case WPA_YAML_FAULT_COUNT:
        break;
    }
    return WPA_SEVERITY_HIGH;
}

/** Merge keys and tags are YAML that only GitHub's reader refuses: the other readers' files may
 * have them. */
static bool is_fault_of(const wpa_source *source, wpa_yaml_fault fault)
{
    bool is_githubs = fault == WPA_YAML_FAULT_MERGE_KEY || fault == WPA_YAML_FAULT_TAG;
    return !is_githubs || source->kind != WPA_INPUT_PRE_COMMIT;
}

static void report(wpa_rule_run *run, const wpa_yaml_diagnostic *fault)
{
    wpa_finding *finding = wpa_rule_report(run, fault->span, wpa_yaml_fault_check(fault->fault),
                                           fault, "%s", fault->message);
    finding->severity = severity_of(fault->fault);
    if (wpa_span_length(fault->related)) {
        wpa_rule_relate(run, finding, fault->related, "this is what it refers to");
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_yaml_doc *doc = run->source->yaml;
    if (!doc) {
        wpa_rule_report(run, (wpa_span){0, 0}, "Y9", NULL,
                        "the file has %zu bytes, more than the %zu that are read",
                        run->source->size_bytes, WPA_YAML_MAX_BYTES);
        return true;
    }
    for (size_t i = 0; i < doc->n_diagnostics; i++) {
        const char *number = wpa_yaml_fault_check(doc->diagnostics[i].fault);
        /* Duplicate keys are schema/S1, anchors redefined yaml-hazards/Z7. */
        if (number[0] == 'Y' && is_fault_of(run->source, doc->diagnostics[i].fault)) {
            report(run, &doc->diagnostics[i]);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_diagnostic *fault = finding->subject;
    const wpa_yaml_doc *doc = run->source->yaml;
    if (fault && fault->fault == WPA_YAML_FAULT_BOM) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "remove the byte-order mark");
        wpa_rule_edit(run, fix, fault->span, "%s", "");
    }
    if (!fault || fault->fault != WPA_YAML_FAULT_CR_LINE) {
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "end the lines with line feeds");
    for (size_t i = 0; i < doc->size_bytes; i++) {
        if (doc->source[i] == '\r' && doc->source[i + 1] != '\n') {
            wpa_rule_edit(run, fix, (wpa_span){i, i + 1}, "%s", "\n");
        }
    }
}

const wpa_rule wpa_rule_syntax = {
    .code = "CMP-001",
    .id = "syntax",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUTS_ALL,
    .summary = "The file is not YAML that GitHub reads",
    .why = "GitHub refuses the file, or reads something else than it seems to say.",
    .fix = "Correct the place that is named; a byte-order mark and line ends are corrected by wpa.",
    .checks =
        (const char *const[]){"Y1", "Y2", "Y3", "Y4", "Y5", "Y6", "Y7", "Y8", "Y9", "Y10", NULL},
    .elsewhere = (const char *const[]){"actionlint/S1", "actionlint/S2", "actionlint/S4",
                                       "actionlint/S5", NULL},
    .declares = WPA_DECLARES_JOBS,
    .reads_dead_code = true,
    .reads_unread = true,
    .check = check,
    .repair = repair,
};
