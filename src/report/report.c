#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include <wpa/text.h>

#include "facts/facts.h"
#include "report/formats.h"

static const wpa_format formats[] = {
    {"text", "for people: source excerpts, fixes, counts", wpa_format_text},
    {"oneline", "path:line:column: severity: message [rule/check]", wpa_format_oneline},
    {"json", "one document with every record", wpa_format_json},
    {"jsonl", "one record a line, then a summary line", wpa_format_jsonl},
    {"sarif", "SARIF 2.1.0, for code scanning", wpa_format_sarif},
    {"github", "annotations of a GitHub Actions run", wpa_format_github},
};

const wpa_format *wpa_formats_all(size_t *n)
{
    *n = WPA_COUNT(formats);
    return formats;
}

const wpa_format *wpa_format_find(const char *name, wpa_error *err)
{
    const char *names[WPA_COUNT(formats)];
    for (size_t i = 0; i < WPA_COUNT(formats); i++) {
        names[i] = formats[i].name;
        if (wpa_text_is(name, names[i])) {
            return &formats[i];
        }
    }
    const char *near = wpa_text_nearest(name, names, WPA_COUNT(names));
    (void)WPA_FAIL(err, WPA_E_INVALID, "unknown format '%s'%s%s%s (one of %s)", name,
                   near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "",
                   "text, oneline, json, jsonl, sarif, github");
    return NULL;
}

static void count_finding(wpa_report_counts *counts, const wpa_finding *finding)
{
    if (finding->state == WPA_FINDING_IGNORED) {
        counts->n_ignored++;
    } else if (finding->state == WPA_FINDING_BASELINE) {
        counts->n_baseline++;
    } else {
        counts->n_open++;
        counts->n_fixable += finding->n_fixes > 0;
        counts->by_severity[finding->severity]++;
        counts->by_kind[finding->kind]++;
        counts->by_dimension[finding->dimension]++;
    }
}

wpa_report_counts wpa_report_count(const wpa_report *report)
{
    wpa_report_counts counts = {.n_files = report->n_files, .n_notes = report->n_notes};
    for (size_t i = 0; i < report->n_files; i++) {
        const wpa_result *file = &report->files[i];
        size_t n_open = counts.n_open;
        for (size_t j = 0; j < file->n_findings; j++) {
            count_finding(&counts, file->findings[j]);
        }
        counts.n_clean_files += counts.n_open == n_open;
        counts.n_notes += file->n_notes;
    }
    return counts;
}

bool wpa_report_fails(const wpa_report *report, const wpa_settings *settings)
{
    for (size_t i = 0; i < report->n_files; i++) {
        for (size_t j = 0; j < report->files[i].n_findings; j++) {
            const wpa_finding *finding = report->files[i].findings[j];
            if (finding->state == WPA_FINDING_OPEN &&
                finding->severity >= settings->fail_on[finding->kind]) {
                return true;
            }
        }
    }
    return false;
}

static int compare_severity(const void *a, const void *b)
{
    const wpa_listed *x = a, *y = b;
    if (x->finding->severity != y->finding->severity) {
        return (int)y->finding->severity - (int)x->finding->severity;
    }
    return wpa_finding_compare(&x->finding, &y->finding);
}

wpa_listed *wpa_report_list(const wpa_report *report, bool by_severity, bool has_ignored,
                            wpa_arena *arena, size_t *n)
{
    size_t n_all = 0;
    for (size_t i = 0; i < report->n_files; i++) {
        n_all += report->files[i].n_findings;
    }
    wpa_listed *list = wpa_arena_array(arena, n_all ? n_all : 1, sizeof *list);
    *n = 0;
    for (size_t i = 0; i < report->n_files; i++) {
        const wpa_result *file = &report->files[i];
        for (size_t j = 0; j < file->n_findings; j++) {
            if (has_ignored || file->findings[j]->state == WPA_FINDING_OPEN) {
                list[(*n)++] = (wpa_listed){file->source, file->findings[j]};
            }
        }
    }
    if (by_severity) {
        qsort(list, *n, sizeof *list, compare_severity);
    }
    return list;
}

const char *wpa_finding_name(const wpa_finding *finding, wpa_arena *arena)
{
    return finding->check ? wpa_arena_printf(arena, "%s/%s", finding->rule->id, finding->check)
                          : finding->rule->id;
}

const char *wpa_visible_path(const char *path, wpa_arena *arena)
{
    return wpa_text_visible(arena, path, strlen(path), false);
}

wpa_json *wpa_report_tool(wpa_arena *arena)
{
    wpa_json *tool = wpa_json_new_object(arena);
    wpa_json_set_text(tool, "name", "wpa");
    wpa_json_set_text(tool, "version", WPA_VERSION);
    wpa_json_set_text(tool, "rules", wpa_rules_version());
    return tool;
}

wpa_json *wpa_report_data(wpa_arena *arena)
{
    wpa_json *data = wpa_json_new_object(arena);
    for (int i = 0; i < WPA_FACTS_COUNT; i++) {
        wpa_fact_table table = (wpa_fact_table)i;
        wpa_json_set_text(data, wpa_facts_table_name(table), wpa_facts_date(table));
    }
    return data;
}

wpa_json *wpa_report_summary(const wpa_report *report, wpa_arena *arena)
{
    wpa_report_counts counts = wpa_report_count(report);
    wpa_json *summary = wpa_json_new_object(arena);
    wpa_json_set_int(summary, "files", (int64_t)counts.n_files);
    wpa_json_set_int(summary, "open", (int64_t)counts.n_open);
    wpa_json_set_int(summary, "ignored", (int64_t)counts.n_ignored);
    wpa_json_set_int(summary, "baseline", (int64_t)counts.n_baseline);
    wpa_json_set_int(summary, "fixable", (int64_t)counts.n_fixable);
    wpa_json *by = wpa_json_set_object(summary, "severity");
    for (size_t i = WPA_SEVERITY_COUNT; i-- > 0;) {
        wpa_json_set_int(by, wpa_severity_name((wpa_severity)i), (int64_t)counts.by_severity[i]);
    }
    by = wpa_json_set_object(summary, "kind");
    for (size_t i = 0; i < WPA_KIND_COUNT; i++) {
        wpa_json_set_int(by, wpa_kind_name((wpa_kind)i), (int64_t)counts.by_kind[i]);
    }
    by = wpa_json_set_object(summary, "dimension");
    for (size_t i = 0; i < WPA_DIMENSION_COUNT; i++) {
        wpa_json_set_int(by, wpa_dimension_name((wpa_dimension)i), (int64_t)counts.by_dimension[i]);
    }
    return summary;
}
