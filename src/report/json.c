/* The report as one JSON document, and as lines. */
#include "report/formats.h"

static void push_note(wpa_json *list, const wpa_note *note, wpa_arena *arena)
{
    wpa_json *item = wpa_json_push_object(list);
    wpa_json_set_text(item, "path", note->path ? wpa_visible_path(note->path, arena) : NULL);
    wpa_json_set_text(item, "rule", note->rule);
    wpa_json_set_text(item, "text", note->text);
}

static wpa_json *list_notes(const wpa_report *report, wpa_arena *arena)
{
    wpa_json *list = wpa_json_new_array(arena);
    for (size_t i = 0; i < report->n_notes; i++) {
        push_note(list, &report->notes[i], arena);
    }
    for (size_t i = 0; i < report->n_files; i++) {
        for (size_t j = 0; j < report->files[i].n_notes; j++) {
            push_note(list, &report->files[i].notes[j], arena);
        }
    }
    return list;
}

static wpa_json *new_report(const wpa_report *report, wpa_arena *arena)
{
    wpa_json *document = wpa_json_new_object(arena);
    wpa_json_set_text(document, "schema", "wpa.report/1");
    wpa_json_set(document, "tool", wpa_report_tool(arena));
    wpa_json_set(document, "data", wpa_report_data(arena));
    wpa_json_set(document, "summary", wpa_report_summary(report, arena));
    return document;
}

void wpa_format_json(const wpa_report *report, wpa_buf *out)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_json *document = new_report(report, arena);
    wpa_json *findings = wpa_json_set_array(document, "findings");
    size_t n;
    wpa_listed *list =
        wpa_report_list(report, report->is_sorted_by_severity, report->shows_ignored, arena, &n);
    for (size_t i = 0; i < n; i++) {
        wpa_json_push(findings, wpa_finding_json(list[i].finding, report->repository, arena));
    }
    wpa_json_set(document, "notes", list_notes(report, arena));
    wpa_buf_text(out, wpa_json_dump_pretty(document, arena));
    wpa_buf_char(out, '\n');
}

void wpa_format_jsonl(const wpa_report *report, wpa_buf *out)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    size_t n;
    wpa_listed *list =
        wpa_report_list(report, report->is_sorted_by_severity, report->shows_ignored, arena, &n);
    for (size_t i = 0; i < n; i++) {
        wpa_arena_reset(scratch);
        wpa_json *record = wpa_finding_json(list[i].finding, report->repository, scratch);
        wpa_buf_text(out, wpa_json_dump(record, scratch));
        wpa_buf_char(out, '\n');
    }
    wpa_json *last = new_report(report, arena);
    wpa_json_set(last, "notes", list_notes(report, arena));
    wpa_buf_text(out, wpa_json_dump(last, arena));
    wpa_buf_char(out, '\n');
}
