#include <stdint.h>
#include <string.h>

#include <wpa/map.h>
#include <wpa/text.h>

#include "core/room.h"
#include "core/visible.h"
#include "rules/sink.h"

#define QUOTE_MAX_CHARS 80
#define MESSAGE_MAX_CHARS 600
#define FREE_PATHS_MAX 100

static wpa_finding new_finding(const wpa_rule_run *run)
{
    return (wpa_finding){
        .rule = run->rule,
        .dimension = run->rule->dimension,
        .kind = run->rule->kind,
        .severity = run->rule->severity,
        .confidence = run->rule->confidence,
        .persona = run->rule->persona,
        .path = run->source->path,
    };
}

/** What is written to it nobody reads, so that nothing need gather there. */
static wpa_finding *beyond(wpa_rule_run *run)
{
    wpa_rule_sink *sink = run->sink;
    sink->beyond = sink->beyond ? sink->beyond : wpa_arena_alloc(sink->arena, sizeof *sink->beyond);
    *sink->beyond = new_finding(run);
    return sink->beyond;
}

/** Findings of the rule that nobody will see go, so that they hide none that somebody would. */
static void drop_unseen(wpa_rule_sink *sink)
{
    size_t n = sink->n_before;
    for (size_t i = sink->n_before; i < sink->n_findings; i++) {
        wpa_finding finding = *sink->findings[i];
        wpa_finding_configure(sink->settings, &finding);
        if (wpa_finding_is_seen(sink->settings, &finding)) {
            sink->findings[n++] = sink->findings[i];
        }
    }
    sink->is_full = n == sink->n_findings;
    sink->n_findings = n;
}

static bool has_room(wpa_rule_sink *sink)
{
    if (sink->settings->is_unlimited ||
        sink->n_findings - sink->n_before < WPA_FINDINGS_PER_RULE_MAX) {
        return true;
    }
    if (!sink->is_full) {
        drop_unseen(sink);
    }
    return !sink->is_full;
}

void wpa_sink_take_beyond(wpa_rule_sink *sink)
{
    if (!sink->has_beyond) {
        return;
    }
    sink->has_beyond = false;
    wpa_finding shown = *sink->beyond;
    wpa_finding_configure(sink->settings, &shown);
    if (!wpa_finding_is_seen(sink->settings, &shown)) {
        return;
    }
    sink->n_beyond++;
    if (!sink->has_worst || shown.severity > sink->worst.severity) {
        sink->worst = *sink->beyond;
        sink->has_worst = true;
    }
}

/** Over the limit rules still write somewhere, and the engine counts. */
static wpa_finding *next_finding(wpa_rule_run *run)
{
    wpa_rule_sink *sink = run->sink;
    if (sink->has_beyond) {
        wpa_sink_take_beyond(sink);
    }
    if (sink->budget->is_spent) { /* a walk that was cut short tells nothing */
        return beyond(run);
    }
    sink->n_of_rule++;
    if (!has_room(sink)) {
        sink->has_beyond = true;
        return beyond(run);
    }
    wpa_finding *finding = wpa_arena_room(run->arena, sizeof *finding);
    *finding = new_finding(run);
    sink->findings = wpa_arena_grow(sink->arena, sink->findings, sink->n_findings, &sink->capacity,
                                    sizeof *sink->findings);
    sink->findings[sink->n_findings++] = finding;
    return finding;
}

bool wpa_rule_is_wanted(const wpa_rule_run *run, wpa_persona persona)
{
    const wpa_rule_sink *sink = run->sink;
    const wpa_rule_setting *setting = sink->setting;
    return persona <= wpa_settings_level(sink->settings, run->rule->dimension) ||
           setting->toggle == WPA_TOGGLE_ON || setting->has_persona || sink->may_ignore ||
           run->rule->supersedes || !sink->settings->has_no_identities;
}

static WPA_PRINTF(2, 0) const
    char *visible_text(wpa_arena *arena, const char *format, va_list values)
{
    char *text = wpa_arena_vprintf(arena, format, values);
    size_t length = strlen(text);
    if (!wpa_text_is_visible(text, length)) {
        text = wpa_text_visible(arena, text, length, false);
        length = strlen(text);
    }
    return length <= MESSAGE_MAX_CHARS ? text : wpa_text_ellipsis(arena, text, MESSAGE_MAX_CHARS);
}

wpa_finding *wpa_rule_report(wpa_rule_run *run, wpa_span span, const char *check,
                             const void *subject, const char *format, ...)
{
    wpa_finding *finding = next_finding(run);
    va_list values;
    va_start(values, format);
    finding->message = finding == run->sink->beyond ? "" : visible_text(run->arena, format, values);
    va_end(values);
    finding->check = check;
    finding->subject = subject;
    finding->span.bytes = span;
    return finding;
}

/** A neighbour is let go of before what is said of it. */
static const char *own_path(wpa_rule_run *run, const char *path)
{
    return path == run->source->path ? path : wpa_arena_text(run->arena, path);
}

/** Will anybody read where else it is? What silences findings does. */
static bool is_related_read(const wpa_rule_sink *sink, const wpa_finding *finding)
{
    return finding != sink->beyond && !(sink->settings->has_no_related && !sink->may_ignore);
}

static WPA_PRINTF(5, 0) void relate(wpa_rule_run *run, wpa_finding *finding,
                                    const wpa_source *source, wpa_span span, const char *format,
                                    va_list values)
{
    wpa_related place = {.path = finding->path, .label = ""};
    if (is_related_read(run->sink, finding)) {
        place.path = own_path(run, source->path);
        place.span = wpa_finding_span_of(source, span);
        place.label = visible_text(run->arena, format, values);
        finding->related = wpa_arena_grow(run->arena, finding->related, finding->n_related,
                                          &finding->related_capacity, sizeof *finding->related);
    } else { /* rules still say more of it */
        finding->related = &run->sink->beyond_related;
        finding->n_related = 0;
    }
    finding->related[finding->n_related++] = place;
}

void wpa_rule_relate(wpa_rule_run *run, wpa_finding *finding, wpa_span span, const char *format,
                     ...)
{
    va_list values;
    va_start(values, format);
    relate(run, finding, run->source, span, format, values);
    va_end(values);
}

void wpa_rule_relate_in(wpa_rule_run *run, wpa_finding *finding, const wpa_source *source,
                        wpa_span span, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    relate(run, finding, source, span, format, values);
    va_end(values);
}

/* ---- memory and work ---- */

wpa_rule_mark wpa_rule_here(const wpa_rule_run *run)
{
    return (wpa_rule_mark){wpa_arena_here(run->arena), run->sink->n_findings};
}

void wpa_rule_forget(wpa_rule_run *run, wpa_rule_mark mark)
{
    if (run->sink->n_findings == mark.n_findings) {
        wpa_arena_rewind(run->arena, mark.memory);
    }
}

void wpa_rule_end_visits(wpa_rule_run *run, wpa_rule_visits *visits)
{
    wpa_rule_forget(run, visits->mark);
    visits->mark = wpa_rule_here(run);
}

size_t wpa_rule_n_reported(const wpa_rule_run *run)
{
    return run->sink->n_of_rule;
}

bool wpa_rule_spend(wpa_rule_run *run, size_t work)
{
    return wpa_budget_spend(run->sink->budget, work);
}

void *wpa_rule_keep(wpa_rule_run *run, size_t size)
{
    *run->kept = *run->kept ? *run->kept : wpa_arena_alloc(run->lasting, size);
    return *run->kept;
}

/* ---- neighbours ---- */

/* A byte of a file that must be parsed is that much work. */
#define PARSE_WORK 8
/* One that is parsed already. */
#define SHARED_WORK 100

/** As it was parsed for all, seen from here. Its expressions are not checked from here either. */
static const wpa_source *share_neighbour(wpa_rule_run *run, const char *path)
{
    const wpa_surroundings *around = run->source->around;
    wpa_arena *arena = run->sink->asked;
    const wpa_source *parsed =
        around && around->parsed ? around->parsed(around->parsed_context, path) : NULL;
    if (!parsed) {
        return NULL;
    }
    if (around->trace) {
        around->trace->has_asked_graph = true; /* what definitions hold is known together */
    }
    (void)wpa_rule_spend(run, SHARED_WORK);
    wpa_source *source = wpa_arena_dup(arena, parsed, sizeof *parsed);
    source->around = around;
    return source;
}

static const wpa_source *read_neighbour(wpa_rule_run *run, const char *path)
{
    const wpa_surroundings *around = run->source->around;
    const wpa_source *shared = share_neighbour(run, path);
    if (shared) {
        return shared;
    }
    wpa_input_kind kind;
    size_t size_bytes;
    if (!wpa_input_of_path(path, &kind)) {
        return NULL;
    }
    const char *text =
        wpa_surroundings_read(around, path, WPA_YAML_MAX_BYTES, run->sink->asked, &size_bytes);
    const char *prefix = around && around->prefix ? around->prefix : "";
    const char *shown = wpa_arena_printf(run->sink->asked, "%s%s", prefix, path);
    (void)wpa_rule_spend(run, size_bytes * PARSE_WORK);
    return text ? wpa_source_read(kind, shown, text, size_bytes, around, run->sink->asked) : NULL;
}

const wpa_source *wpa_rule_source_at(wpa_rule_run *run, const char *path)
{
    wpa_rule_sink *sink = run->sink;
    if (wpa_text_is(path, wpa_source_identity(run->source))) {
        return run->source;
    }
    sink->neighbours = sink->neighbours ? sink->neighbours : wpa_map_new(sink->asked);
    if (!wpa_map_has(sink->neighbours, path) &&
        wpa_map_count(sink->neighbours) < WPA_NEIGHBOURS_MAX &&
        sink->neighbour_bytes < WPA_NEIGHBOURS_MAX_BYTES) {
        const wpa_source *source = read_neighbour(run, path);
        wpa_map_put(sink->neighbours, path, (void *)(uintptr_t)source);
        sink->neighbour_bytes += source ? source->size_bytes : 0;
    }
    return wpa_map_get(sink->neighbours, path);
}

/* ---- words ---- */

const char *wpa_rule_quote(wpa_rule_run *run, const char *text, size_t length)
{
    if (length > QUOTE_MAX_CHARS || !wpa_text_is_visible(text, length)) {
        text = wpa_text_visible(run->arena, text, length, false);
        text = wpa_text_ellipsis(run->arena, text, QUOTE_MAX_CHARS);
        length = strlen(text);
    }
    char *quoted = wpa_arena_alloc(run->arena, length + 3);
    quoted[0] = quoted[length + 1] = '\'';
    memcpy(quoted + 1, text, length);
    return quoted;
}

wpa_fix *wpa_rule_fix(wpa_rule_run *run, wpa_finding *finding, wpa_safety safety,
                      const char *format, ...)
{
    va_list values;
    va_start(values, format);
    const char *title = visible_text(run->arena, format, values);
    va_end(values);
    finding->fixes = wpa_arena_grow(run->arena, finding->fixes, finding->n_fixes,
                                    &finding->fixes_capacity, sizeof *finding->fixes);
    wpa_fix *fix = wpa_arena_alloc(run->arena, sizeof *fix);
    *fix = (wpa_fix){.title = title, .safety = safety, .declares = run->rule->declares};
    finding->fixes[finding->n_fixes++] = fix;
    return fix;
}

static void add_edit(wpa_rule_run *run, wpa_fix *fix, wpa_fix_edit edit)
{
    fix->edits =
        wpa_arena_grow(run->arena, fix->edits, fix->n_edits, &fix->capacity, sizeof *fix->edits);
    fix->edits[fix->n_edits++] = edit;
}

void wpa_rule_edit(wpa_rule_run *run, wpa_fix *fix, wpa_span span, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    const char *text = wpa_arena_vprintf(run->arena, format, values);
    va_end(values);
    add_edit(run, fix, (wpa_fix_edit){.path = run->source->path, .bytes = span, .text = text});
}

void wpa_rule_edit_in(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_doc *doc, wpa_span span,
                      const char *format, ...)
{
    va_list values;
    va_start(values, format);
    const char *text = wpa_arena_vprintf(run->arena, format, values);
    va_end(values);
    const char *path = doc == run->source->yaml ? run->source->path : own_path(run, doc->path);
    add_edit(run, fix, (wpa_fix_edit){.path = path, .bytes = span, .text = text});
}

/** As other files of the repository are shown. */
static const char *shown_path(const wpa_rule_run *run, const char *path)
{
    const wpa_surroundings *around = run->source->around;
    return wpa_arena_printf(run->arena, "%s%s", around && around->prefix ? around->prefix : "",
                            path);
}

void wpa_rule_edit_file(wpa_rule_run *run, wpa_fix *fix, const char *path, wpa_span span,
                        const char *format, ...)
{
    va_list values;
    va_start(values, format);
    const char *text = wpa_arena_vprintf(run->arena, format, values);
    va_end(values);
    add_edit(run, fix, (wpa_fix_edit){.path = shown_path(run, path), .bytes = span, .text = text});
}

void wpa_rule_create(wpa_rule_run *run, wpa_fix *fix, const char *path, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    const char *text = wpa_arena_vprintf(run->arena, format, values);
    va_end(values);
    add_edit(run, fix, (wpa_fix_edit){.path = shown_path(run, path), .text = text, .is_new = true});
}

const char *wpa_rule_free_path(wpa_rule_run *run, const char *folder, const char *name,
                               const char *suffix)
{
    const wpa_surroundings *around = run->source->around;
    if (!around || !around->has_paths) {
        return NULL;
    }
    for (int i = 1; i <= FREE_PATHS_MAX; i++) {
        const char *path =
            i == 1 ? wpa_arena_printf(run->arena, "%s/%s%s", folder, name, suffix)
                   : wpa_arena_printf(run->arena, "%s/%s-%d%s", folder, name, i, suffix);
        if (!wpa_surroundings_has(around, path) && !wpa_surroundings_has_folder(around, path)) {
            return path;
        }
    }
    return NULL;
}

const char *wpa_rule_text_at(wpa_rule_run *run, const char *path, size_t *size_bytes)
{
    wpa_rule_sink *sink = run->sink;
    sink->texts = sink->texts ? sink->texts : wpa_map_new(sink->asked);
    wpa_slice *text = wpa_map_get(sink->texts, path);
    if (!text) {
        text = wpa_arena_alloc(sink->asked, sizeof *text);
        text->at = wpa_surroundings_read(run->source->around, path, WPA_YAML_MAX_BYTES, sink->asked,
                                         &text->length);
        wpa_map_put(sink->texts, path, text);
    }
    *size_bytes = text->length;
    return text->at;
}

static const wpa_rule_option *option_of(const wpa_rule *rule, const char *name)
{
    for (const wpa_rule_option *option = rule->options; option && option->name; option++) {
        if (wpa_text_is(option->name, name)) {
            return option;
        }
    }
    return NULL;
}

const char *wpa_rule_option_text(const wpa_rule_run *run, const char *name)
{
    const wpa_rule_setting *setting = run->sink->setting;
    const char *value = setting->options ? wpa_map_get(setting->options, name) : NULL;
    const wpa_rule_option *option = option_of(run->rule, name);
    return value ? value : option ? option->value : "";
}

bool wpa_rule_option_lists(const wpa_rule_run *run, const char *name, wpa_slice word)
{
    const char *list = wpa_rule_option_text(run, name);
    while (list && *list) {
        list += strspn(list, " ,\n");
        size_t n = strcspn(list, " ,\n");
        bool is_open = n && list[n - 1] == '*';
        size_t length = is_open ? n - 1 : n;
        bool is_same = is_open ? word.length >= length : word.length == length;
        if (n && is_same && strncasecmp(list, word.at, length) == 0) {
            return true;
        }
        list += n;
    }
    return false;
}

int64_t wpa_rule_option_int(const wpa_rule_run *run, const char *name, int64_t min, int64_t max,
                            int64_t fallback)
{
    int64_t value = fallback;
    return wpa_text_to_int(wpa_rule_option_text(run, name), min, max, &value) ? value : fallback;
}

double wpa_rule_option_real(const wpa_rule_run *run, const char *name, double min, double max,
                            double fallback)
{
    double value;
    bool is_one = wpa_text_to_double(wpa_rule_option_text(run, name), &value);
    return is_one && value >= min && value <= max ? value : fallback;
}

void wpa_sink_note(wpa_rule_sink *sink, const wpa_rule *rule, const char *text)
{
    sink->notes = wpa_arena_grow(sink->arena, sink->notes, sink->n_notes, &sink->notes_capacity,
                                 sizeof *sink->notes);
    sink->notes[sink->n_notes++] = (wpa_note){
        .path = sink->source->path,
        .rule = rule ? rule->id : NULL,
        .text = wpa_text_visible(sink->arena, text, strlen(text), false),
    };
}
