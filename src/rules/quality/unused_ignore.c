#include <string.h>

#include <wpa/text.h>

#include "rules/outline.h"
#include "rules/sink.h"

#define ENTRIES_MAX 5000

static bool has_run(const wpa_rule_run *run, const wpa_rule *rule)
{
    size_t n_rules;
    const wpa_rule *const *rules = wpa_rules_all(&n_rules);
    for (size_t i = 0; i < n_rules; i++) {
        if (rules[i] == rule) {
            return run->sink->has_run[i];
        }
    }
    return false;
}

/** A name of another tool's rule may be one that wpa has no counterpart of: then nothing is said.
 */
static const wpa_rule *rule_of(const wpa_rule_run *run, const wpa_ignore *ignore, const char *name,
                               wpa_error *err)
{
    const char *check;
    const char *full = ignore->is_foreign ? wpa_arena_printf(run->arena, "zizmor/%s", name) : name;
    return wpa_rules_find(full, &check, err);
}

static void check_name(wpa_rule_run *run, const wpa_ignore *ignore, const char *name)
{
    wpa_error err = {0};
    bool is_wide = wpa_text_is(name, "*") || wpa_text_starts(name, "dimension:");
    const wpa_rule *rule = is_wide ? NULL : rule_of(run, ignore, name, &err);
    if (!rule && !is_wide) {
        if (!ignore->is_foreign) {
            wpa_rule_report(run, ignore->span, "I2", ignore, "%s", err.message);
        }
        return;
    }
    if (is_wide || has_run(run, rule)) {
        wpa_finding *finding =
            wpa_rule_report(run, ignore->span, "I1", ignore, "nothing here is silenced by %s",
                            wpa_rule_quote(run, name, strlen(name)));
        if (ignore->is_foreign) { /* the tool that it is for may still need it */
            finding->persona = WPA_PERSONA_AUDITOR;
        }
    }
}

static void check_ignore(wpa_rule_run *run, const wpa_ignore *ignore)
{
    if (ignore->fault) {
        wpa_rule_report(run, ignore->span, "I3", NULL, "this ignore %s", ignore->fault);
        return;
    }
    if (ignore->has_ended) {
        wpa_rule_report(run, ignore->span, "I4", ignore, "this ignore ended on %s", ignore->until);
        return;
    }
    for (size_t i = 0; i < ignore->n_names; i++) {
        if (!ignore->is_used[i]) {
            check_name(run, ignore, ignore->names[i]);
        }
    }
    if (run->sink->settings->require_reason && !*ignore->reason) {
        wpa_rule_report(run, ignore->span, "I5", NULL, "this ignore gives no reason");
    }
}

/* ---- entries of the configuration for this file alone (I6) ---- */

static bool have_run(const wpa_rule_run *run, const wpa_ignore_entry *entry)
{
    bool have_all = entry->n_rules > 0;
    for (size_t i = 0; i < entry->n_rules && have_all; i++) {
        const char *check;
        wpa_error err = {0};
        const wpa_rule *rule = wpa_rules_find(entry->rules[i], &check, &err);
        have_all = rule && has_run(run, rule);
    }
    return have_all;
}

/* A pattern of paths may be meant for files that come later; a path is meant for this one. */
static bool is_for_this(const wpa_rule_run *run, const wpa_ignore_entry *entry)
{
    return entry->path && !strpbrk(entry->path, "*?[{") && !entry->is_base_name &&
           wpa_text_is(entry->path, wpa_source_identity(run->source));
}

static void check_entry(wpa_rule_run *run, const wpa_ignore_entry *entry)
{
    const wpa_rule_sink *sink = run->sink;
    const wpa_yaml_node *root = run->source->outline->root;
    if (!is_for_this(run, entry) || !have_run(run, entry) || !wpa_yaml_is(root, WPA_YAML_MAPPING) ||
        root->n_pairs == 0) {
        return;
    }
    const char *name = wpa_rule_quote(run, entry->rules[0], strlen(entry->rules[0]));
    wpa_span span = root->pairs[0].key->span;
    if (entry->until && strcmp(entry->until, sink->settings->today) < 0) {
        wpa_rule_report(run, span, "I4", NULL, "the configuration ignored %s in this file until %s",
                        name, entry->until);
    } else if (!wpa_ignore_entry_is_used(entry, run->source, sink->findings, sink->n_findings)) {
        wpa_rule_report(run, span, "I6", NULL,
                        "the configuration ignores %s in this file, and silences nothing by it",
                        name);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    if (run->sink->settings->ignores_off) {
        return true; /* nothing was to be silenced */
    }
    for (size_t i = 0; i < run->sink->ignores->n; i++) {
        check_ignore(run, &run->sink->ignores->items[i]);
    }
    const wpa_settings *settings = run->sink->settings;
    for (size_t i = 0; i < settings->n_ignores && i < ENTRIES_MAX; i++) {
        check_entry(run, &settings->ignores[i]);
    }
    return true;
}

/** The comment alone on its line goes with the line; behind something with the blanks before. */
static void remove_comment(wpa_rule_run *run, wpa_fix *fix, wpa_span span)
{
    const wpa_yaml_doc *doc = run->source->yaml;
    wpa_span line = wpa_yaml_line(doc, wpa_yaml_line_of(doc, span.start));
    size_t start = span.start;
    while (start > line.start && strchr(" \t", doc->source[start - 1])) {
        start--;
    }
    bool is_alone = start == line.start;
    wpa_rule_edit(run, fix,
                  is_alone ? (wpa_span){line.start, wpa_yaml_line_end(doc, span.start)}
                           : (wpa_span){start, line.end},
                  "%s", "");
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_ignore *ignore = finding->subject;
    bool is_whole = ignore && !ignore->is_foreign && ignore->reach != WPA_IGNORE_BETWEEN;
    for (size_t i = 0; is_whole && i < ignore->n_names; i++) {
        is_whole = !ignore->is_used[i];
    }
    if (is_whole) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "remove the comment");
        remove_comment(run, fix, ignore->span);
    }
}

const wpa_rule wpa_rule_unused_ignore = {
    .code = "QUA-030",
    .id = "unused-ignore",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUTS_ALL,
    .summary = "An ignore comment silences nothing, or cannot be honoured",
    .why = "It hides what may come later, or what its author believes to be hidden is not.",
    .fix = "Remove the comment or the entry of the configuration, or correct the name of the rule.",
    .checks = (const char *const[]){"I1", "I2", "I3", "I4", "I5", "I6", NULL},
    .declares = WPA_DECLARES_NAMES,
    .claims_absence = true,
    .runs_last = true,
    .reads_dead_code = true,
    .check = check,
    .repair = repair,
};
