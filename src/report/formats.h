/* The formats, and what they share. Private to src/report. */
#pragma once

#include "report/report.h"

void wpa_format_text(const wpa_report *report, wpa_buf *out);
void wpa_format_oneline(const wpa_report *report, wpa_buf *out);
void wpa_format_json(const wpa_report *report, wpa_buf *out);
void wpa_format_jsonl(const wpa_report *report, wpa_buf *out);
void wpa_format_sarif(const wpa_report *report, wpa_buf *out);
void wpa_format_github(const wpa_report *report, wpa_buf *out);

/* A finding with the file it is in. */
typedef struct wpa_listed {
    const wpa_source *source;
    const wpa_finding *finding;
} wpa_listed;

/** What is to be listed, in order: by place, or worst first. Ignored ones only if asked for. */
wpa_listed *wpa_report_list(const wpa_report *report, bool by_severity, bool has_ignored,
                            wpa_arena *arena, size_t *n);
/** "rule" or "rule/check" */
const char *wpa_finding_name(const wpa_finding *finding, wpa_arena *arena);
/** Name, version, date of the tables: the "tool" and "data" of machine formats. */
wpa_json *wpa_report_tool(wpa_arena *arena);
wpa_json *wpa_report_data(wpa_arena *arena);
wpa_json *wpa_report_summary(const wpa_report *report, wpa_arena *arena);
/** Path made visible. */
const char *wpa_visible_path(const char *path, wpa_arena *arena);
