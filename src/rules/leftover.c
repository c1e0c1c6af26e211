#include "rules/leftover.h"

#include <string.h>

#include <wpa/text.h>

#include "rules/sink.h"

#define RULE_ID "unused-ignore"

/* Where the file has been read up to. */
typedef struct cursor {
    const char *text;
    size_t size_bytes;
    size_t offset, line, line_start, column;
} cursor;

/** Items come in the order of the file: back goes only to where one line begins. */
static wpa_position move_to(cursor *at, size_t offset)
{
    if (offset < at->offset) {
        bool is_in_line = offset >= at->line_start;
        at->offset = is_in_line ? at->line_start : 0;
        at->line = is_in_line ? at->line : 1;
        at->column = 1;
    }
    for (; at->offset < offset && at->offset < at->size_bytes; at->offset++) {
        if (at->text[at->offset] == '\n') {
            at->line++;
            at->line_start = at->offset + 1;
            at->column = 1;
        } else {
            at->column += ((unsigned char)at->text[at->offset] & 0xC0) != 0x80;
        }
    }
    return (wpa_position){at->line, at->column};
}

static wpa_excerpt_line line_at(const cursor *at, wpa_arena *arena)
{
    const char *start = at->text + at->line_start;
    size_t rest = at->size_bytes - at->line_start;
    const char *stop = memchr(start, '\n', rest);
    size_t length = stop ? (size_t)(stop - start) : rest;
    return (wpa_excerpt_line){at->line, at->line_start, wpa_arena_slice(arena, start, length),
                              length};
}

static wpa_finding *make_finding(const wpa_leftover *item, const char *path, cursor *at,
                                 wpa_arena *arena)
{
    const char *check;
    wpa_error err = {0};
    const wpa_rule *rule = wpa_rules_find(RULE_ID, &check, &err);
    wpa_finding *finding = wpa_arena_alloc(arena, sizeof *finding);
    finding->rule = rule;
    finding->dimension = rule->dimension;
    finding->kind = rule->kind;
    finding->severity = rule->severity;
    finding->confidence = rule->confidence;
    finding->persona = item->is_for_auditors ? WPA_PERSONA_AUDITOR : rule->persona;
    finding->check = item->check;
    finding->message = item->message;
    finding->path = path;
    finding->span.bytes = item->span;
    finding->span.start = move_to(at, item->span.start);
    finding->evidence =
        wpa_arena_slice(arena, at->text + item->span.start, wpa_span_length(item->span));
    return finding;
}

wpa_result wpa_leftovers_report(const char *path, const char *identity, const char *text,
                                size_t size_bytes, const wpa_leftover *items, size_t n,
                                const wpa_settings *settings, wpa_arena *arena)
{
    const wpa_source source = {.path = identity};
    wpa_finding **findings = wpa_arena_array(arena, n + 1, sizeof(wpa_finding *));
    wpa_excerpt_line *lines = wpa_arena_array(arena, n + 1, sizeof *lines);
    wpa_result result = {.path = path, .findings = findings, .lines = lines};
    cursor at = {.text = text, .size_bytes = size_bytes, .line = 1, .column = 1};
    for (size_t i = 0; i < n && result.n_findings < WPA_FINDINGS_PER_FILE_MAX; i++) {
        wpa_finding *finding = make_finding(&items[i], path, &at, arena);
        wpa_excerpt_line line = line_at(&at, arena);
        finding->span.end = move_to(&at, items[i].span.end);
        wpa_finding_configure(settings, finding);
        if (wpa_finding_is_seen(settings, finding)) {
            findings[result.n_findings++] = finding;
            bool is_new = !result.n_lines || lines[result.n_lines - 1].line != line.line;
            lines[result.n_lines] = is_new ? line : lines[result.n_lines];
            result.n_lines += is_new;
        }
    }
    wpa_findings_number(findings, result.n_findings, arena);
    wpa_findings_fingerprint(&source, findings, result.n_findings);
    return result;
}
