/* The fixes of findings: asked for once all are in order, and looked at before they are offered. */
#include <stdlib.h>
#include <string.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "rules/generated.h"
#include "rules/sink.h"

static int compare_edits(const void *a, const void *b)
{
    const wpa_fix_edit *x = a, *y = b;
    int by_path = strcmp(x->path, y->path);
    if (by_path != 0) {
        return by_path;
    }
    if (x->bytes.start != y->bytes.start) {
        return x->bytes.start < y->bytes.start ? -1 : 1;
    }
    return x->bytes.end < y->bytes.end ? -1 : x->bytes.end > y->bytes.end;
}

static wpa_position position_in(const char *text, size_t offset)
{
    wpa_position at = {1, 1};
    const char *line = text, *end = text + offset, *line_break;
    while ((line_break = memchr(line, '\n', (size_t)(end - line)))) {
        line = line_break + 1;
        at.line++;
    }
    for (; line < end; line++) {
        at.column += ((unsigned char)*line & 0xC0) != 0x80;
    }
    return at;
}

/** An edit of another file: one that is there, of these bytes at least; or one that is not. */
static bool place_elsewhere(wpa_rule_run *run, wpa_fix_edit *edit)
{
    const wpa_surroundings *around = run->source->around;
    const char *path = wpa_surroundings_identity(around, edit->path);
    wpa_span span = edit->bytes;
    wpa_error err = {0};
    size_t size_bytes = 0;
    if (!around || !around->has_paths || !wpa_path_check_relative(path, &err)) {
        return false;
    }
    edit->span = (wpa_finding_span){.start = {1, 1}, .end = {1, 1}, .bytes = span};
    if (edit->is_new) {
        return !wpa_surroundings_has(around, path) && !wpa_surroundings_has_folder(around, path);
    }
    wpa_input_kind kind;
    const wpa_source *source =
        wpa_input_of_path(path, &kind) ? wpa_rule_source_at(run, path) : NULL;
    const char *text = source && source->yaml ? source->yaml->source : NULL;
    size_bytes = text ? source->yaml->size_bytes : 0;
    wpa_span where;
    text = text ? text : wpa_rule_text_at(run, path, &size_bytes);
    if (!text || span.end > size_bytes || wpa_generated_find(text, size_bytes, &where)) {
        return false;
    }
    edit->span.start = position_in(text, span.start);
    edit->span.end = position_in(text, span.end);
    return true;
}

static bool place_edit(wpa_rule_run *run, wpa_fix_edit *edit)
{
    const wpa_source *source = run->source;
    if (edit->bytes.start > edit->bytes.end) {
        return false;
    }
    if (edit->is_new || !wpa_text_is(edit->path, source->path)) {
        return place_elsewhere(run, edit);
    }
    edit->span = wpa_finding_span_of(source, edit->bytes);
    return edit->bytes.end <= source->yaml->size_bytes;
}

/** Edits in order, none outside its file, none overlapping; a fix that breaks this is dropped. */
static bool is_sound(wpa_rule_run *run, wpa_fix *fix)
{
    if (fix->n_edits == 0) {
        return false;
    }
    qsort(fix->edits, fix->n_edits, sizeof *fix->edits, compare_edits);
    for (size_t i = 0; i < fix->n_edits; i++) {
        const wpa_fix_edit *before = i ? &fix->edits[i - 1] : NULL;
        bool is_same_file = before && wpa_text_is(before->path, fix->edits[i].path);
        if (!place_edit(run, &fix->edits[i]) ||
            (is_same_file && (before->is_new || before->bytes.end > fix->edits[i].bytes.start))) {
            return false;
        }
    }
    return true;
}

/* ---- files that are made from others: what is changed there is lost ---- */

static bool is_generated(wpa_rule_sink *sink)
{
    wpa_shared *shared = &sink->shared;
    if (!shared->is_generated_known) {
        const wpa_yaml_doc *doc = sink->source->yaml;
        shared->is_generated = wpa_generated_find(doc->source, doc->size_bytes, &shared->generated);
        shared->is_generated_known = true;
    }
    return shared->is_generated;
}

static bool is_of_own_file(const wpa_rule_run *run, const wpa_fix *fix)
{
    for (size_t i = 0; i < fix->n_edits; i++) {
        if (!fix->edits[i].is_new && wpa_text_is(fix->edits[i].path, run->source->path)) {
            return true;
        }
    }
    return false;
}

/* Fixes belong into what it is made from; the finding says so instead. */
static void withhold(wpa_rule_run *run, wpa_finding *finding)
{
    size_t n_kept = 0, n_before = finding->n_fixes;
    for (size_t i = 0; i < n_before; i++) {
        if (!is_of_own_file(run, finding->fixes[i])) {
            finding->fixes[n_kept++] = finding->fixes[i];
        }
    }
    finding->n_fixes = n_kept;
    if (n_kept < n_before) {
        wpa_rule_relate(run, finding, run->sink->shared.generated,
                        "has no fix here: change what this file is made from");
    }
}

/* What the least of repairs costs. */
#define REPAIR_WORK 500

static void repair(wpa_rule_sink *sink, wpa_finding *finding)
{
    wpa_rule_run run = {.rule = finding->rule,
                        .source = sink->source,
                        .arena = sink->arena,
                        .lasting = sink->asked,
                        .sink = sink};
    size_t n_kept = 0;
    sink->setting = wpa_settings_of(sink->settings, finding->rule);
    (void)wpa_rule_spend(&run, REPAIR_WORK);
    finding->rule->repair(&run, finding);
    if (sink->budget->is_spent) { /* half of it may be missing */
        finding->n_fixes = 0;
    }
    for (size_t i = 0; i < finding->n_fixes; i++) {
        if (is_sound(&run, finding->fixes[i])) {
            finding->fixes[n_kept++] = finding->fixes[i];
        }
    }
    finding->n_fixes = n_kept;
    if (n_kept && is_generated(sink)) {
        withhold(&run, finding);
    }
}

static bool has_repair(const wpa_rule_sink *sink, const wpa_finding *finding)
{
    return sink->source->yaml && !sink->settings->has_no_repairs && finding->rule->repair &&
           finding->state == WPA_FINDING_OPEN && !finding->is_summary;
}

void wpa_sink_repair(wpa_rule_sink *sink)
{
    size_t n_left = 0;
    wpa_sink_open_budget(sink);
    for (size_t i = 0; i < sink->n_findings; i++) {
        wpa_finding *finding = sink->findings[i];
        bool is_wanted = has_repair(sink, finding);
        if (is_wanted && (sink->budget->is_spent || wpa_sink_is_late(sink))) {
            n_left++;
        } else if (is_wanted) {
            repair(sink, finding);
        }
        finding->subject = NULL;
    }
    sink->work += sink->budget->work;
    if (n_left) {
        wpa_sink_note(sink, NULL,
                      wpa_arena_printf(sink->arena,
                                       "stopped: %zu findings are shown without their fixes, which "
                                       "have looked at as much as they may in one file",
                                       n_left));
    }
}
