/* The finding record as JSON. */
#include <string.h>

#include <wpa/text.h>

#include "facts/facts.h"
#include "report/formats.h"

static const char *visible(const char *text, wpa_arena *arena)
{
    return text ? wpa_text_visible(arena, text, strlen(text), true) : NULL;
}

static void set_place(wpa_json *object, const char *key, wpa_position position)
{
    wpa_json *place = wpa_json_set_object(object, key);
    wpa_json_set_int(place, "line", (int64_t)position.line);
    wpa_json_set_int(place, "column", (int64_t)position.column);
}

static void set_bytes(wpa_json *object, wpa_span span)
{
    wpa_json *bytes = wpa_json_set_array(object, "bytes");
    wpa_json_push_int(bytes, (int64_t)span.start);
    wpa_json_push_int(bytes, (int64_t)span.end);
}

static void set_span(wpa_json *object, const wpa_finding_span *span)
{
    wpa_json *value = wpa_json_set_object(object, "span");
    set_place(value, "start", span->start);
    set_place(value, "end", span->end);
    set_bytes(value, span->bytes);
}

static void set_related(wpa_json *record, const wpa_finding *finding, wpa_arena *arena)
{
    wpa_json *list = wpa_json_set_array(record, "related");
    for (size_t i = 0; i < finding->n_related; i++) {
        wpa_json *item = wpa_json_push_object(list);
        wpa_json_set_text(item, "path", wpa_visible_path(finding->related[i].path, arena));
        set_span(item, &finding->related[i].span);
        wpa_json_set_text(item, "label", finding->related[i].label);
    }
}

static void set_texts(wpa_json *record, const char *key, const char *const *texts, size_t n)
{
    wpa_json *list = wpa_json_set_array(record, key);
    for (size_t i = 0; i < n; i++) {
        wpa_json_push_text(list, texts[i]);
    }
}

static size_t count_texts(const char *const *texts)
{
    size_t n = 0;
    while (texts && texts[n]) {
        n++;
    }
    return n;
}

static void push_fix(wpa_json *list, const wpa_fix *fix, wpa_arena *arena)
{
    wpa_json *item = wpa_json_push_object(list);
    wpa_json_set_text(item, "title", fix->title);
    wpa_json_set_text(item, "safety", wpa_safety_name(fix->safety));
    wpa_json *declares = wpa_json_set_array(item, "declares");
    for (unsigned bit = 0; bit < WPA_DECLARES_COUNT; bit++) {
        if (fix->declares & (1U << bit)) {
            wpa_json_push_text(declares, wpa_declares_name(bit));
        }
    }
    if (fix->needs) {
        wpa_json_set_text(item, "needs", fix->needs);
    }
    wpa_json *edits = wpa_json_set_array(item, "edits");
    for (size_t i = 0; i < fix->n_edits; i++) {
        wpa_json *edit = wpa_json_push_object(edits);
        wpa_json_set_text(edit, "path", wpa_visible_path(fix->edits[i].path, arena));
        set_bytes(edit, fix->edits[i].bytes);
        wpa_json_set_text(edit, "text", fix->edits[i].text);
        if (fix->edits[i].is_new) {
            wpa_json_set_bool(edit, "new", true);
        }
    }
}

static void set_data(wpa_json *record, const wpa_rule *rule)
{
    wpa_json *data = wpa_json_set_object(record, "data");
    for (int i = 0; i < WPA_FACTS_COUNT; i++) {
        if (rule->tables & (1U << i)) {
            wpa_fact_table table = (wpa_fact_table)i;
            wpa_json_set_text(data, wpa_facts_table_name(table), wpa_facts_date(table));
        }
    }
}

wpa_json *wpa_finding_json(const wpa_finding *finding, const char *repository, wpa_arena *arena)
{
    wpa_json *record = wpa_json_new_object(arena);
    const wpa_rule *rule = finding->rule;
    wpa_json_set_text(record, "schema", "wpa.finding/1");
    wpa_json_set_text(record, "fingerprint", finding->fingerprint);
    wpa_json_set_text(record, "rule", rule->id);
    wpa_json_set_text(record, "code", rule->code);
    wpa_json_set_text(record, "check", finding->check);
    wpa_json_set_text(record, "dimension", wpa_dimension_name(finding->dimension));
    wpa_json_set_text(record, "kind", wpa_kind_name(finding->kind));
    wpa_json_set_text(record, "severity", wpa_severity_name(finding->severity));
    wpa_json_set_text(record, "confidence", wpa_confidence_name(finding->confidence));
    wpa_json_set_text(record, "persona", wpa_persona_name(finding->persona));
    wpa_json_set_text(record, "state", wpa_finding_state_name(finding->state));
    if (finding->state_reason) {
        wpa_json_set_text(record, "state_reason", visible(finding->state_reason, arena));
    }
    wpa_json_set_text(record, "message", finding->message);
    wpa_json_set_text(record, "repository", repository);
    wpa_json_set_text(record, "path", wpa_visible_path(finding->path, arena));
    set_span(record, &finding->span);
    set_related(record, finding, arena);
    set_texts(record, "structure", finding->structure, finding->n_structure);
    set_texts(record, "aliases", rule->elsewhere, count_texts(rule->elsewhere));
    wpa_json_set_text(record, "help", wpa_arena_printf(arena, "wpa explain %s", rule->id));
    set_data(record, rule);
    wpa_json *fixes = wpa_json_set_array(record, "fixes");
    for (size_t i = 0; i < finding->n_fixes; i++) {
        push_fix(fixes, finding->fixes[i], arena);
    }
    return record;
}
