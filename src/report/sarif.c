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
    wpa_json_set_text(help, "markdown",
                      wpa_arena_printf(arena,
                                       "**%s** (`%s`)\n\n%s.\n\n%s\n\n%s\n\n"
                                       "Silence it with `# wpa: ignore[%s] reason`.",
                                       rule->id, rule->code, rule->summary, rule->why, rule->fix,
                                       rule->id));
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

static bool is_of_uri(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("-._~/", c);
}

/** A path as the URI that SARIF wants: percent-encoded but for slashes. */
static const char *uri_of(const char *path, wpa_arena *arena)
{
    char *uri = wpa_arena_alloc(arena, strlen(path) * 3 + 1);
    size_t n = 0;
    for (; *path; path++) {
        if (is_of_uri(*path)) {
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

static void set_place(wpa_json *location, const char *path, const wpa_finding_span *span,
                      wpa_arena *arena)
{
    wpa_json *physical = wpa_json_set_object(location, "physicalLocation");
    wpa_json_set_text(wpa_json_set_object(physical, "artifactLocation"), "uri",
                      uri_of(path, arena));
    set_region(physical, "region", span);
}

static wpa_json *push_location(wpa_json *list, const char *path, const wpa_finding_span *span,
                               wpa_arena *arena)
{
    wpa_json *location = wpa_json_push_object(list);
    set_place(location, path, span, arena);
    return location;
}

static void set_fixes(wpa_json *result, const wpa_finding *finding, wpa_arena *arena)
{
    wpa_json *fixes = finding->n_fixes ? wpa_json_set_array(result, "fixes") : NULL;
    for (size_t i = 0; i < finding->n_fixes; i++) {
        const wpa_fix *fix = finding->fixes[i];
        wpa_json *item = wpa_json_push_object(fixes);
        set_words(item, "description", fix->title);
        wpa_json *changes = wpa_json_set_array(item, "artifactChanges"), *replacements = NULL;
        for (size_t j = 0; j < fix->n_edits; j++) { /* in the order of their files */
            if (!j || !wpa_text_is(fix->edits[j].path, fix->edits[j - 1].path)) {
                wpa_json *change = wpa_json_push_object(changes);
                wpa_json_set_text(wpa_json_set_object(change, "artifactLocation"), "uri",
                                  uri_of(fix->edits[j].path, arena));
                replacements = wpa_json_set_array(change, "replacements");
            }
            wpa_json *replacement = wpa_json_push_object(replacements);
            set_region(replacement, "deletedRegion", &fix->edits[j].span);
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

/** The steps of a flow, from where it enters to where it does harm. */
static void set_flow(wpa_json *result, const wpa_finding *finding, wpa_arena *arena)
{
    size_t n = 0;
    const wpa_related **steps = wpa_arena_array(arena, finding->n_related + 1, sizeof *steps);
    for (size_t i = 0; i < finding->n_related; i++) {
        if (finding->related[i].is_step) {
            steps[n++] = &finding->related[i];
        }
    }
    if (n == 0) {
        return;
    }
    wpa_json *flow = wpa_json_push_object(wpa_json_set_array(result, "codeFlows"));
    wpa_json *thread = wpa_json_push_object(wpa_json_set_array(flow, "threadFlows"));
    wpa_json *list = wpa_json_set_array(thread, "locations");
    for (size_t i = 0; i <= n; i++) {
        bool is_sink = i == n;
        const wpa_related *step = steps[i]; /* NULL behind the last */
        wpa_json *item = wpa_json_push_object(list);
        wpa_json *location = wpa_json_set_object(item, "location");
        set_place(location, is_sink ? finding->path : step->path,
                  is_sink ? &finding->span : &step->span, arena);
        set_words(location, "message", is_sink ? finding->message : step->label);
        wpa_json_set_text(item, "importance", is_sink ? "essential" : "important");
    }
}

static void set_properties(wpa_json *result, const wpa_finding *finding)
{
    wpa_json *properties = wpa_json_set_object(result, "properties");
    wpa_json_set_text(properties, "code", finding->rule->code);
    wpa_json_set_text(properties, "check", finding->check);
    wpa_json_set_text(properties, "dimension", wpa_dimension_name(finding->dimension));
    wpa_json_set_text(properties, "kind", wpa_kind_name(finding->kind));
    wpa_json_set_text(properties, "severity", wpa_severity_name(finding->severity));
    wpa_json_set_text(properties, "confidence", wpa_confidence_name(finding->confidence));
    wpa_json_set_text(properties, "persona", wpa_persona_name(finding->persona));
}

static wpa_json *result_json(const wpa_report *report, const wpa_finding *finding, wpa_arena *arena)
{
    wpa_json *result = wpa_json_new_object(arena);
    wpa_json_set_text(result, "ruleId", wpa_finding_rule_name(finding, arena));
    if (finding->rule != &wpa_rule_external) {
        wpa_json_set_int(result, "ruleIndex", (int64_t)wpa_rules_index(finding->rule));
    }
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
    set_flow(result, finding, arena);
    set_fixes(result, finding, arena);
    set_suppression(result, finding);
    if (report->has_baseline) {
        wpa_json_set_text(result, "baselineState",
                          finding->state == WPA_FINDING_BASELINE ? "unchanged" : "new");
    }
    set_properties(result, finding);
    return result;
}

/* What is written as it is visited. */
typedef struct writer {
    const wpa_report *report;
    wpa_buf *out;
    wpa_arena *scratch;
    wpa_json *notes;
    wpa_arena *arena;
    bool has_items;
} writer;

static void put_result(void *context, const wpa_result *file, const wpa_finding *finding)
{
    writer *w = context;
    (void)file;
    wpa_arena_reset(w->scratch);
    wpa_put_item(w->out, &w->has_items, result_json(w->report, finding, w->scratch));
}

static void push_notification(void *context, const wpa_note *note)
{
    writer *w = context;
    wpa_json *item = wpa_json_push_object(w->notes);
    wpa_json_set_text(item, "level", "note");
    set_words(item, "message", wpa_note_text(note, w->arena));
}

static void set_invocation(wpa_json *run, writer *w)
{
    wpa_json *invocation = wpa_json_push_object(wpa_json_set_array(run, "invocations"));
    wpa_json_set_bool(invocation, "executionSuccessful", true);
    w->notes = wpa_json_set_array(invocation, "toolExecutionNotifications");
    wpa_report_visit_notes(w->report, push_notification, w);
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
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    writer w = {.report = report, .out = out, .scratch = scratch, .arena = arena};
    wpa_pick pick = {WPA_ORDER_SEVERITY, true, SARIF_MAX_RESULTS};
    wpa_json *run = wpa_json_new_object(arena);
    set_tool(run, arena);
    wpa_json_set_text(run, "columnKind", "unicodeCodePoints");
    set_invocation(run, &w);
    wpa_buf_text(out, "{\n\"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\",\n"
                      "\"version\": \"2.1.0\",\n\"runs\": [");
    wpa_put_open_object(out, run, arena);
    wpa_buf_text(out, ",\n  \"results\": [");
    wpa_report_visit(report, &pick, put_result, &w);
    wpa_buf_text(out, "\n  ]\n}]\n}\n");
}
