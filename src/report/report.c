#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include <wpa/text.h>

#include "core/large.h"
#include "core/paged.h"
#include "core/room.h"
#include "facts/facts.h"
#include "report/formats.h"

/* What a finding's record has. */
#define SHOWS_RECORD (WPA_SHOWS_FIXES | WPA_SHOWS_IDENTITY | WPA_SHOWS_RELATED)

static const wpa_format formats[] = {
    {"text", "for people: source excerpts, fixes, counts",
     WPA_SHOWS_LINES | WPA_SHOWS_FIXES | WPA_SHOWS_RELATED, wpa_format_text},
    {"oneline", "path:line:column: severity: message [rule/check]", 0, wpa_format_oneline},
    {"json", "one document with every record", SHOWS_RECORD, wpa_format_json},
    {"jsonl", "one record a line, then a summary line", SHOWS_RECORD, wpa_format_jsonl},
    {"sarif", "SARIF 2.1.0, for code scanning", SHOWS_RECORD, wpa_format_sarif},
    {"github", "annotations of a GitHub Actions run", WPA_SHOWS_FIXES, wpa_format_github},
    {"junit", "JUnit XML, for test reports", 0, wpa_format_junit},
    {"gitlab", "GitLab Code Quality", WPA_SHOWS_IDENTITY, wpa_format_gitlab},
    {"markdown", "a table of files and dimensions, then the findings", WPA_SHOWS_FIXES,
     wpa_format_markdown},
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
                   "text, oneline, json, jsonl, sarif, github, junit, gitlab, markdown");
    return NULL;
}

static const char *const orders[] = {"path", "severity", "rule", "age"};
_Static_assert(WPA_COUNT(orders) == WPA_ORDER_COUNT, "a name for each");

bool wpa_report_order_from(const char *name, wpa_report_order *order)
{
    int i = wpa_text_index(name, orders, WPA_COUNT(orders));
    *order = i < 0 ? WPA_ORDER_PATH : (wpa_report_order)i;
    return i >= 0;
}

/* ---- files ---- */

size_t wpa_report_count_files(const wpa_report *report)
{
    return report->results ? wpa_results_count(report->results) : report->n_files;
}

wpa_result wpa_report_file(const wpa_report *report, size_t i, wpa_arena *arena)
{
    return report->results ? wpa_results_at(report->results, i, arena) : report->files[i];
}

wpa_result_counts wpa_report_counts_at(const wpa_report *report, size_t i)
{
    wpa_result_counts counts;
    if (report->results) {
        return wpa_results_counts_at(report->results, i);
    }
    wpa_result_count(&report->files[i], &counts);
    return counts;
}

wpa_report_counts wpa_report_count(const wpa_report *report)
{
    wpa_report_counts counts = {.n_files = wpa_report_count_files(report)};
    for (size_t i = 0; i < counts.n_files; i++) {
        const wpa_result_counts file = wpa_report_counts_at(report, i);
        wpa_result_counts_add(&counts.all, &file);
        counts.n_clean_files += file.n_open == 0;
    }
    counts.n_notes = report->n_notes + counts.all.n_notes;
    return counts;
}

bool wpa_report_fails(const wpa_report *report, const wpa_settings *settings)
{
    wpa_report_counts counts = wpa_report_count(report);
    for (size_t kind = 0; kind < WPA_KIND_COUNT; kind++) {
        for (size_t i = settings->fail_on[kind]; i < WPA_SEVERITY_COUNT; i++) {
            if (counts.all.by_both[kind][i]) {
                return true;
            }
        }
    }
    return false;
}

void wpa_report_visit_notes(const wpa_report *report, wpa_visit_note visit, void *context)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    for (size_t i = 0; i < report->n_notes; i++) {
        visit(context, &report->notes[i]);
    }
    for (size_t i = 0; i < wpa_report_count_files(report); i++) {
        if (wpa_report_counts_at(report, i).n_notes) {
            wpa_arena_reset(arena);
            wpa_result file = wpa_report_file(report, i, arena);
            for (size_t j = 0; j < file.n_notes; j++) {
                visit(context, &file.notes[j]);
            }
        }
    }
}

/* ---- findings, in an order ---- */

wpa_pick wpa_report_pick(const wpa_report *report)
{
    return (wpa_pick){.order = report->order, .has_ignored = report->shows_ignored};
}

/* Where a finding is, and what it is sorted by; files and findings are in order already. */
typedef struct place {
    uint32_t file, index, key; /* ascending */
} place;

/** As a number that grows with the day. A baseline may say anything: it need only fit. */
static uint32_t day_of(const char *since)
{
    int64_t year = 9999, month = 0, day = 0;
    if (since && strlen(since) == 10) {
        year = strtol(since, NULL, 10);
        month = strtol(since + 5, NULL, 10);
        day = strtol(since + 8, NULL, 10);
    }
    int64_t all = (year * 100 + month) * 100 + day;
    return all < 0 ? 0 : all > UINT32_MAX ? UINT32_MAX : (uint32_t)all;
}

static uint32_t key_of(wpa_report_order order, const wpa_finding *finding)
{
    switch (order) {
    case WPA_ORDER_SEVERITY:
        return WPA_SEVERITY_COUNT - 1 - finding->severity;
    case WPA_ORDER_RULE:
        return (uint32_t)wpa_rules_index(finding->rule);
    case WPA_ORDER_AGE:
        return day_of(finding->since);
    case WPA_ORDER_PATH:
    case WPA_ORDER_COUNT:
        break;
    }
    return 0;
}

static bool is_picked(const wpa_pick *pick, const wpa_finding *finding)
{
    return pick->has_ignored || finding->state == WPA_FINDING_OPEN;
}

static size_t count_picked(const wpa_pick *pick, const wpa_result_counts *counts)
{
    return counts->n_open + (pick->has_ignored ? counts->n_ignored + counts->n_baseline : 0);
}

/* All of them, of which there may be more than should be in memory: gone through one by one. */
typedef struct places {
    place *items; /* [n] */
    size_t n;
} places;

static places list_places(const wpa_report *report, const wpa_pick *pick, wpa_arena *arena)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    places all = {0};
    size_t room = 0, n_files = wpa_report_count_files(report);
    for (size_t i = 0; i < n_files; i++) {
        const wpa_result_counts counts = wpa_report_counts_at(report, i);
        room += count_picked(pick, &counts);
    }
    all.items = wpa_arena_room(arena, room * sizeof *all.items);
    for (size_t i = 0; i < n_files; i++) {
        wpa_arena_reset(scratch);
        wpa_result file = wpa_report_file(report, i, scratch);
        for (size_t j = 0; j < file.n_findings && all.n < room; j++) {
            if (is_picked(pick, file.findings[j])) {
                all.items[all.n++] =
                    (place){(uint32_t)i, (uint32_t)j, key_of(pick->order, file.findings[j])};
            }
        }
    }
    return all;
}

#define DIGITS 256

static size_t digit_of(const place *at, unsigned shift)
{
    wpa_paged_relax();
    return at->key >> shift & (DIGITS - 1);
}

/** Into to[n], by one digit of the key; what it does not part stays in order. False: all have the
    same one, and nothing is done. */
static bool sort_by_digit(const place *from, size_t n, unsigned shift, place *to)
{
    size_t starts[DIGITS + 1] = {0};
    for (size_t i = 0; i < n; i++) {
        starts[digit_of(&from[i], shift) + 1]++;
    }
    for (size_t i = 0; i < DIGITS; i++) {
        if (starts[i + 1] == n) {
            return false;
        }
        starts[i + 1] += starts[i];
    }
    for (size_t i = 0; i < n; i++) {
        to[starts[digit_of(&from[i], shift)]++] = from[i];
    }
    return true;
}

/** From the last digit to the first, each time going through all of them once: sorting that jumps
    would want them in memory. */
static places sort_places(places all, wpa_arena *arena)
{
    place *other = wpa_arena_room(arena, all.n * sizeof *other);
    for (unsigned shift = 0; shift < 32; shift += 8) {
        if (sort_by_digit(all.items, all.n, shift, other)) {
            place *sorted = other;
            other = all.items;
            all.items = sorted;
        }
    }
    return all;
}

static void visit_sorted(const wpa_report *report, const wpa_pick *pick, wpa_visit visit,
                         void *context)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new_large();
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    const places all = sort_places(list_places(report, pick, arena), arena);
    size_t read = SIZE_MAX;
    wpa_result file = {0};
    for (size_t i = 0; i < all.n && (!pick->max || i < pick->max); i++) {
        const place at = all.items[i];
        if (at.file != read) {
            read = at.file;
            wpa_arena_reset(scratch);
            file = wpa_report_file(report, read, scratch);
        }
        if (at.index < file.n_findings) {
            visit(context, &file, file.findings[at.index]);
        }
    }
}

static void visit_by_path(const wpa_report *report, const wpa_pick *pick, wpa_visit visit,
                          void *context)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    size_t n = 0;
    for (size_t i = 0; i < wpa_report_count_files(report); i++) {
        const wpa_result_counts counts = wpa_report_counts_at(report, i);
        if (!count_picked(pick, &counts)) {
            continue;
        }
        wpa_arena_reset(scratch);
        wpa_result file = wpa_report_file(report, i, scratch);
        for (size_t j = 0; j < file.n_findings && (!pick->max || n < pick->max); j++) {
            if (is_picked(pick, file.findings[j])) {
                visit(context, &file, file.findings[j]);
                n++;
            }
        }
    }
}

void wpa_report_visit(const wpa_report *report, const wpa_pick *pick, wpa_visit visit,
                      void *context)
{
    if (pick->order == WPA_ORDER_PATH) {
        visit_by_path(report, pick, visit, context);
    } else {
        visit_sorted(report, pick, visit, context);
    }
}

/* ---- words ---- */

const char *wpa_finding_rule_name(const wpa_finding *finding, wpa_arena *arena)
{
    return finding->rule == &wpa_rule_external ? wpa_finding_name(finding, arena)
                                               : finding->rule->id;
}

const char *wpa_note_text(const wpa_note *note, wpa_arena *arena)
{
    const char *path = note->path ? wpa_visible_path(note->path, arena) : "";
    return wpa_arena_printf(arena, "%s%s%s%s%s", path, *path ? ": " : "",
                            note->rule ? note->rule : "", note->rule ? ": " : "", note->text);
}

void wpa_put_item(wpa_buf *out, bool *has_items, const wpa_json *item)
{
    wpa_buf_text(out, *has_items ? ",\n    " : "\n    ");
    wpa_json_append(out, item);
    *has_items = true;
}

void wpa_put_open_object(wpa_buf *out, const wpa_json *object, wpa_arena *arena)
{
    const char *text = wpa_json_dump_pretty(object, arena);
    size_t length = strlen(text);
    while (length && strchr("} \n", text[length - 1])) {
        length -= 1;
        if (text[length] == '}') {
            break;
        }
    }
    while (length && strchr(" \n", text[length - 1])) {
        length--;
    }
    wpa_buf_append(out, text, length);
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
    wpa_json_set_int(summary, "open", (int64_t)counts.all.n_open);
    wpa_json_set_int(summary, "ignored", (int64_t)counts.all.n_ignored);
    wpa_json_set_int(summary, "baseline", (int64_t)counts.all.n_baseline);
    wpa_json_set_int(summary, "fixable", (int64_t)counts.all.n_fixable);
    wpa_json *by = wpa_json_set_object(summary, "severity");
    for (size_t i = WPA_SEVERITY_COUNT; i-- > 0;) {
        wpa_json_set_int(by, wpa_severity_name((wpa_severity)i),
                         (int64_t)counts.all.by_severity[i]);
    }
    by = wpa_json_set_object(summary, "kind");
    for (size_t i = 0; i < WPA_KIND_COUNT; i++) {
        wpa_json_set_int(by, wpa_kind_name((wpa_kind)i), (int64_t)counts.all.by_kind[i]);
    }
    by = wpa_json_set_object(summary, "dimension");
    for (size_t i = 0; i < WPA_DIMENSION_COUNT; i++) {
        wpa_json_set_int(by, wpa_dimension_name((wpa_dimension)i),
                         (int64_t)counts.all.by_dimension[i]);
    }
    return summary;
}
