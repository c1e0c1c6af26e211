/* The report as one JSON document, and as lines. */
#include "report/formats.h"

/* What is written as it is visited. */
typedef struct writer {
    const wpa_report *report;
    wpa_buf *out;
    wpa_arena *scratch;
    bool has_items;
} writer;

static wpa_json *note_json(const wpa_note *note, wpa_arena *arena)
{
    wpa_json *item = wpa_json_new_object(arena);
    wpa_json_set_text(item, "path", note->path ? wpa_visible_path(note->path, arena) : NULL);
    wpa_json_set_text(item, "rule", note->rule);
    wpa_json_set_text(item, "text", note->text);
    return item;
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

static void put_finding(void *context, const wpa_result *file, const wpa_finding *finding)
{
    writer *w = context;
    (void)file;
    wpa_arena_reset(w->scratch);
    wpa_put_item(w->out, &w->has_items,
                 wpa_finding_json(finding, w->report->repository, w->scratch));
}

static void put_note(void *context, const wpa_note *note)
{
    writer *w = context;
    wpa_arena_reset(w->scratch);
    wpa_put_item(w->out, &w->has_items, note_json(note, w->scratch));
}

void wpa_format_json(const wpa_report *report, wpa_buf *out)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    writer w = {.report = report, .out = out, .scratch = scratch};
    wpa_pick pick = wpa_report_pick(report);
    wpa_put_open_object(out, new_report(report, arena), arena);
    wpa_buf_text(out, ",\n  \"findings\": [");
    wpa_report_visit(report, &pick, put_finding, &w);
    w.has_items = false;
    wpa_buf_text(out, "\n  ],\n  \"notes\": [");
    wpa_report_visit_notes(report, put_note, &w);
    wpa_buf_text(out, "\n  ]\n}\n");
}

static void put_line(void *context, const wpa_result *file, const wpa_finding *finding)
{
    writer *w = context;
    (void)file;
    wpa_arena_reset(w->scratch);
    wpa_json *record = wpa_finding_json(finding, w->report->repository, w->scratch);
    wpa_buf_text(w->out, wpa_json_dump(record, w->scratch));
    wpa_buf_char(w->out, '\n');
}

/* The last line holds all notes, so they are gathered first. */
typedef struct gatherer {
    wpa_json *list;
    wpa_arena *arena;
} gatherer;

static void gather_note(void *context, const wpa_note *note)
{
    gatherer *g = context;
    wpa_json_push(g->list, note_json(note, g->arena));
}

void wpa_format_jsonl(const wpa_report *report, wpa_buf *out)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    writer w = {.report = report, .out = out, .scratch = scratch};
    wpa_pick pick = wpa_report_pick(report);
    wpa_report_visit(report, &pick, put_line, &w);
    wpa_json *last = new_report(report, arena);
    gatherer g = {wpa_json_set_array(last, "notes"), arena};
    wpa_report_visit_notes(report, gather_note, &g);
    wpa_buf_text(out, wpa_json_dump(last, arena));
    wpa_buf_char(out, '\n');
}
