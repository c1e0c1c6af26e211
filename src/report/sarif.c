/* SARIF 2.1.0 (OASIS), as code scanning services read it. */
#include <string.h>

#include <wpa/text.h>

#include "report/formats.h"

#define SARIF_MAX_RESULTS 5000

static const char *level_of(wpa_severity severity)
{
    static const char *const levels[] = {"note", "warning", "error", "error"};
    return levels[severity];
}

static const char *security_severity_of(wpa_severity severity)
{
    static const char *const scores[] = {"3.0", "5.5", "8.0", "9.5"};
    return scores[severity];
}

static void set_words(wpa_json *object, const char *key, const char *text)
{
    wpa_json_set_text(wpa_json_set_object(object, key), "text", text);
}

static void push_rule(wpa_json *list, const wpa_rule *rule, wpa_arena *arena)
{
    wpa_json *item = wpa_json_push_object(list);
    wpa_json_set_text(item, "id", rule->id);
    wpa_json_set_text(item, "name", rule->code);
    set_words(item, "shortDescription", rule->summary);
    set_words(item, "fullDescription", rule->why);
    wpa_json *help = wpa_json_set_object(item, "help");
    wpa_json_set_text(help, "text",
                      wpa_arena_printf(arena, "%s. %s %s", rule->summary, rule->why, rule->fix));
    wpa_json_set_text(wpa_json_set_object(item, "defaultConfiguration"), "level",
                      level_of(rule->severity));
    wpa_json *properties = wpa_json_set_object(item, "properties");
    wpa_json *tags = wpa_json_set_array(properties, "tags");
    wpa_json_push_text(tags, wpa_dimension_name(rule->dimension));
    wpa_json_push_text(tags, wpa_kind_name(rule->kind));
    if (rule->dimension == WPA_DIMENSION_SECURITY) {
        wpa_json_set_text(properties, "security-severity", security_severity_of(rule->severity));
    }
}

/** A path as the URI that SARIF wants: percent-encoded but for slashes. */
static const char *uri_of(const char *path, wpa_arena *arena)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "-._~/";
    char *uri = wpa_arena_alloc(arena, strlen(path) * 3 + 1);
    size_t n = 0;
    for (; *path; path++) {
        if (strchr(plain, *path)) {
            uri[n++] = *path;
        } else {
            (void)wpa_text_format(uri + n, 4, "%%%02X", (unsigned)(unsigned char)*path);
            n += 3;
        }
    }
    return uri;
}

static void set_region(wpa_json *object, const char *key, const wpa_finding_span *span)
{
    wpa_json *region = wpa_json_set_object(object, key);
    wpa_json_set_int(region, "startLine", (int64_t)span->start.line);
    wpa_json_set_int(region, "startColumn", (int64_t)span->start.column);
    wpa_json_set_int(region, "endLine", (int64_t)span->end.line);
    wpa_json_set_int(region, "endColumn", (int64_t)span->end.column);
    wpa_json_set_int(region, "byteOffset", (int64_t)span->bytes.start);
    wpa_json_set_int(region, "byteLength", (int64_t)wpa_span_length(span->bytes));
}

static wpa_json *push_location(wpa_json *list, const char *path, const wpa_finding_span *span,
                               wpa_arena *arena)
{
    wpa_json *location = wpa_json_push_object(list);
    wpa_json *physical = wpa_json_set_object(location, "physicalLocation");
    wpa_json_set_text(wpa_json_set_object(physical, "artifactLocation"), "uri",
                      uri_of(path, arena));
    set_region(physical, "region", span);
    return location;
}

static void set_fixes(wpa_json *result, const wpa_source *source, const wpa_finding *finding,
                      wpa_arena *arena)
{
    wpa_json *fixes = finding->n_fixes ? wpa_json_set_array(result, "fixes") : NULL;
    for (size_t i = 0; i < finding->n_fixes; i++) {
        const wpa_fix *fix = finding->fixes[i];
        wpa_json *item = wpa_json_push_object(fixes);
        set_words(item, "description", fix->title);
        wpa_json *change = wpa_json_push_object(wpa_json_set_array(item, "artifactChanges"));
        wpa_json_set_text(wpa_json_set_object(change, "artifactLocation"), "uri",
                          uri_of(finding->path, arena));
        wpa_json *replacements = wpa_json_set_array(change, "replacements");
        for (size_t j = 0; j < fix->n_edits; j++) {
            wpa_json *replacement = wpa_json_push_object(replacements);
            wpa_position start = wpa_yaml_position(source->yaml, fix->edits[j].bytes.start);
            wpa_position end = wpa_yaml_position(source->yaml, fix->edits[j].bytes.end);
            wpa_finding_span span = {start, end, fix->edits[j].bytes};
            set_region(replacement, "deletedRegion", &span);
            set_words(replacement, "insertedContent", fix->edits[j].text);
        }
    }
}

static void set_suppression(wpa_json *result, const wpa_finding *finding)
{
    if (finding->state == WPA_FINDING_OPEN) {
        return;
    }
    wpa_json *suppression = wpa_json_push_object(wpa_json_set_array(result, "suppressions"));
    wpa_json_set_text(suppression, "kind",
                      finding->state == WPA_FINDING_BASELINE ? "external" : "inSource");
    wpa_json_set_text(suppression, "justification",
                      finding->state_reason ? finding->state_reason : "");
}

static void push_result(wpa_json *list, const wpa_listed *listed, wpa_arena *arena)
{
    const wpa_finding *finding = listed->finding;
    wpa_json *result = wpa_json_push_object(list);
    wpa_json_set_text(result, "ruleId", finding->rule->id);
    wpa_json_set_text(result, "level", level_of(finding->severity));
    set_words(result, "message", finding->message);
    push_location(wpa_json_set_array(result, "locations"), finding->path, &finding->span, arena);
    wpa_json_set_text(wpa_json_set_object(result, "partialFingerprints"), "wpa/v1",
                      finding->fingerprint);
    wpa_json *related = finding->n_related ? wpa_json_set_array(result, "relatedLocations") : NULL;
    for (size_t i = 0; i < finding->n_related; i++) {
        const wpa_related *other = &finding->related[i];
        wpa_json *location = push_location(related, other->path, &other->span, arena);
        wpa_json_set_int(location, "id", (int64_t)i + 1);
        set_words(location, "message", other->label);
    }
    set_fixes(result, listed->source, finding, arena);
    set_suppression(result, finding);
    wpa_json *properties = wpa_json_set_object(result, "properties");
    wpa_json_set_text(properties, "check", finding->check);
    wpa_json_set_text(properties, "severity", wpa_severity_name(finding->severity));
    wpa_json_set_text(properties, "confidence", wpa_confidence_name(finding->confidence));
}

static void push_notification(wpa_json *list, const wpa_note *note, wpa_arena *arena)
{
    wpa_json *item = wpa_json_push_object(list);
    wpa_json_set_text(item, "level", "note");
    set_words(item, "message",
              wpa_arena_printf(arena, "%s%s%s",
                               note->path ? wpa_visible_path(note->path, arena) : "",
                               note->path ? ": " : "", note->text));
}

static void set_invocation(wpa_json *run, const wpa_report *report, wpa_arena *arena)
{
    wpa_json *invocation = wpa_json_push_object(wpa_json_set_array(run, "invocations"));
    wpa_json_set_bool(invocation, "executionSuccessful", true);
    wpa_json *list = wpa_json_set_array(invocation, "toolExecutionNotifications");
    for (size_t i = 0; i < report->n_notes; i++) {
        push_notification(list, &report->notes[i], arena);
    }
    for (size_t i = 0; i < report->n_files; i++) {
        for (size_t j = 0; j < report->files[i].n_notes; j++) {
            push_notification(list, &report->files[i].notes[j], arena);
        }
    }
}

static void set_tool(wpa_json *run, wpa_arena *arena)
{
    wpa_json *driver = wpa_json_set_object(wpa_json_set_object(run, "tool"), "driver");
    wpa_json_set_text(driver, "name", "wpa");
    wpa_json_set_text(driver, "semanticVersion", WPA_VERSION);
    wpa_json *list = wpa_json_set_array(driver, "rules");
    size_t n_rules;
    const wpa_rule *const *rules = wpa_rules_all(&n_rules);
    for (size_t i = 0; i < n_rules; i++) {
        push_rule(list, rules[i], arena);
    }
}

void wpa_format_sarif(const wpa_report *report, wpa_buf *out)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_json *document = wpa_json_new_object(arena);
    wpa_json_set_text(document, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    wpa_json_set_text(document, "version", "2.1.0");
    wpa_json *run = wpa_json_push_object(wpa_json_set_array(document, "runs"));
    set_tool(run, arena);
    wpa_json_set_text(run, "columnKind", "unicodeCodePoints");
    set_invocation(run, report, arena);
    wpa_json *results = wpa_json_set_array(run, "results");
    size_t n;
    wpa_listed *list = wpa_report_list(report, true, true, arena, &n);
    for (size_t i = 0; i < n && i < SARIF_MAX_RESULTS; i++) {
        push_result(results, &list[i], arena);
    }
    wpa_buf_text(out, wpa_json_dump_pretty(document, arena));
    wpa_buf_char(out, '\n');
}
