/* The formats, and what they share. Private to src/report. */
#pragma once

#include "report/report.h"

void wpa_format_text(const wpa_report *report, wpa_buf *out);
void wpa_format_oneline(const wpa_report *report, wpa_buf *out);
void wpa_format_json(const wpa_report *report, wpa_buf *out);
void wpa_format_jsonl(const wpa_report *report, wpa_buf *out);
void wpa_format_sarif(const wpa_report *report, wpa_buf *out);
void wpa_format_github(const wpa_report *report, wpa_buf *out);
void wpa_format_junit(const wpa_report *report, wpa_buf *out);
void wpa_format_gitlab(const wpa_report *report, wpa_buf *out);
void wpa_format_markdown(const wpa_report *report, wpa_buf *out);

/* Which findings, and in what order. */
typedef struct wpa_pick {
    wpa_report_order order;
    bool has_ignored; /* ignored and baselined ones too */
    size_t max;       /* 0: all */
} wpa_pick;

/** One finding of a file; both are valid during the call. */
typedef void (*wpa_visit)(void *context, const wpa_result *file, const wpa_finding *finding);
void wpa_report_visit(const wpa_report *report, const wpa_pick *pick, wpa_visit visit,
                      void *context);
/** What the report as a whole asks for. */
wpa_pick wpa_report_pick(const wpa_report *report);

size_t wpa_report_count_files(const wpa_report *report);
wpa_result_counts wpa_report_counts_at(const wpa_report *report, size_t i);
wpa_result wpa_report_file(const wpa_report *report, size_t i, wpa_arena *arena);
/** Each note: of the run first, then those of files. */
typedef void (*wpa_visit_note)(void *context, const wpa_note *note);
void wpa_report_visit_notes(const wpa_report *report, wpa_visit_note visit, void *context);

/** "rule" or "rule/check" */
const char *wpa_finding_name(const wpa_finding *finding, wpa_arena *arena);
/** Id of the rule; of what a program outside reports "ext/<tool>/<rule>". */
const char *wpa_finding_rule_name(const wpa_finding *finding, wpa_arena *arena);
/** Name, version, date of the tables: the "tool" and "data" of machine formats. */
wpa_json *wpa_report_tool(wpa_arena *arena);
wpa_json *wpa_report_data(wpa_arena *arena);
wpa_json *wpa_report_summary(const wpa_report *report, wpa_arena *arena);
/** Path made visible. */
const char *wpa_visible_path(const char *path, wpa_arena *arena);
/** "path: rule: text", what there is of it. */
const char *wpa_note_text(const wpa_note *note, wpa_arena *arena);
/** A list of JSON values that is written as it is made: each on a line of its own. */
void wpa_put_item(wpa_buf *out, bool *has_items, const wpa_json *item);
/** An object without its closing brace, so that more members can follow. */
void wpa_put_open_object(wpa_buf *out, const wpa_json *object, wpa_arena *arena);
