#include <stdint.h>
#include <string.h>

#include <wpa/text.h>

#include "rules/pin.h"

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
    if (run->source->kind == WPA_INPUT_ACTION && wpa_yaml_fault_is_fatal(fault->fault)) {
        wpa_rule_relate_users(run, finding);
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

/* ---- repairs ----------------------------------------------------------------------------------*/

static void repair_line_ends(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_doc *doc = run->source->yaml;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "end the lines with line feeds");
    for (size_t i = 0; i < doc->size_bytes; i++) {
        if (doc->source[i] == '\r' && doc->source[i + 1] != '\n') {
            wpa_rule_edit(run, fix, (wpa_span){i, i + 1}, "%s", "\n");
        }
    }
}

/* The line above that holds something; 0 if there is none. */
static size_t line_above(const wpa_yaml_doc *doc, size_t line)
{
    while (--line > 0) {
        wpa_span span = wpa_yaml_line(doc, line);
        size_t blanks = strspn(doc->source + span.start, " \t");
        if (span.start + blanks < span.end && doc->source[span.start + blanks] != '#') {
            return line;
        }
    }
    return 0;
}

/* By how much the file indents: the least that one of its lines is indented by. */
static size_t step_of(const wpa_yaml_doc *doc)
{
    size_t step = 2, least = SIZE_MAX;
    for (size_t line = 1; line <= doc->n_lines; line++) {
        wpa_span span = wpa_yaml_line(doc, line);
        size_t blanks = strspn(doc->source + span.start, " ");
        bool is_text = span.start + blanks < span.end && doc->source[span.start + blanks] != '\t';
        least = blanks && is_text && blanks < least ? blanks : least;
    }
    return least <= 8 ? least : step;
}

/*
 * Blanks for the tabs, where only one number of them can be meant: one step more behind a line that
 * opens a block, as many as above where a tab of the usual widths gives just that.
 */
static void repair_tab(wpa_rule_run *run, wpa_finding *finding, const wpa_yaml_diagnostic *fault)
{
    const wpa_yaml_doc *doc = run->source->yaml;
    size_t line = wpa_yaml_line_of(doc, fault->span.start), above = line_above(doc, line);
    wpa_span own = wpa_yaml_line(doc, line);
    size_t blanks = strspn(doc->source + own.start, " \t");
    if (!above || fault->span.start >= own.start + blanks) {
        return;
    }
    wpa_span before = wpa_yaml_line(doc, above);
    size_t indent = strspn(doc->source + before.start, " ");
    if (doc->source[before.start + indent] == '\t') {
        return; /* that line comes first */
    }
    size_t end = before.end;
    while (end > before.start && strchr(" \t\r", doc->source[end - 1])) {
        end--;
    }
    bool is_opening = doc->source[end - 1] == ':', is_same = false;
    for (size_t width = 2; width <= 8 && !is_opening; width *= 2) {
        size_t column = 0;
        for (size_t i = 0; i < blanks; i++) {
            column += doc->source[own.start + i] == '\t' ? width : 1;
        }
        is_same = is_same || column == indent;
    }
    if (is_opening || is_same) {
        size_t wanted = is_opening ? indent + step_of(doc) : indent;
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "indent by %zu blanks", wanted);
        wpa_rule_edit(run, fix, (wpa_span){own.start, own.start + blanks}, "%*s", (int)wanted, "");
    }
}

/* What "<<: *x" brings in, written out: entries of one line each that are not there already. */
static void repair_merge(wpa_rule_run *run, wpa_finding *finding, const wpa_yaml_diagnostic *fault)
{
    const wpa_yaml_doc *doc = run->source->yaml;
    const wpa_yaml_node *key = wpa_yaml_node_at(doc, fault->span.start);
    const wpa_yaml_node *mapping = key ? key->parent : NULL;
    const wpa_yaml_pair *pair = NULL;
    for (size_t i = 0; wpa_yaml_is(mapping, WPA_YAML_MAPPING) && i < mapping->n_pairs; i++) {
        pair = mapping->pairs[i].key == key ? &mapping->pairs[i] : pair;
    }
    const wpa_yaml_node *from = pair ? wpa_yaml_resolve(pair->value) : NULL;
    if (!wpa_yaml_is(from, WPA_YAML_MAPPING) || mapping->style != WPA_YAML_BLOCK) {
        return;
    }
    size_t indent = wpa_yaml_position(doc, key->span.start).column - 1;
    const char *text = "";
    for (size_t i = 0; i < from->n_pairs; i++) {
        wpa_span value = wpa_yaml_full(from->pairs[i].value),
                 name = wpa_yaml_full(from->pairs[i].key);
        const char *own = wpa_yaml_text(from->pairs[i].key);
        bool is_simple = own && from->pairs[i].value->kind == WPA_YAML_SCALAR &&
                         !wpa_yaml_anchor(from->pairs[i].value) && !wpa_text_is(own, "<<") &&
                         !memchr(doc->source + value.start, '\n', wpa_span_length(value));
        if (!is_simple) {
            return;
        }
        bool is_own = false;
        for (size_t k = 0; k < mapping->n_pairs; k++) {
            is_own = is_own || wpa_text_is(wpa_yaml_text(mapping->pairs[k].key), own);
        }
        if (!is_own) {
            text = wpa_arena_printf(run->arena, "%s%s%*s%.*s: %.*s", text, *text ? "\n" : "",
                                    *text ? (int)indent : 0, "", (int)wpa_span_length(name),
                                    doc->source + name.start, (int)wpa_span_length(value),
                                    doc->source + value.start);
        }
    }
    if (*text) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "write out what it brings in");
        wpa_rule_edit(run, fix, (wpa_span){wpa_yaml_full(key).start, pair->value->span.end}, "%s",
                      text);
    }
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_diagnostic *fault = finding->subject;
    if (!fault) {
        return;
    }
    if (fault->fault == WPA_YAML_FAULT_BOM) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "remove the byte-order mark");
        wpa_rule_edit(run, fix, fault->span, "%s", "");
    } else if (fault->fault == WPA_YAML_FAULT_CR_LINE) {
        repair_line_ends(run, finding);
    } else if (fault->fault == WPA_YAML_FAULT_TAB) {
        repair_tab(run, finding, fault);
    } else if (fault->fault == WPA_YAML_FAULT_MERGE_KEY) {
        repair_merge(run, finding, fault);
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
    .fix =
        "Correct the place that is named; a byte-order mark, line ends and tabs that can mean but "
        "one thing are corrected by wpa.",
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
