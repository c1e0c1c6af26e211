#include "analysis/sarif.h"

#include <stdlib.h>
#include <string.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "auth/hash.h"
#include "json/json.h"
#include "rules/guests.h"

#define NAME_MAX_CHARS 100
#define MESSAGE_MAX_CHARS 600
#define POSITION_MAX 10000000
#define FINGERPRINT_BYTES 20

/* Findings of one file, in the order of the log. */
typedef struct listed {
    wpa_finding **items; /* [n] */
    size_t n, capacity;
} listed;

struct wpa_outside {
    wpa_arena *arena;
    wpa_map *files; /* path → listed */
    size_t n;
};

wpa_outside *wpa_outside_new(wpa_arena *arena)
{
    wpa_outside *outside = wpa_arena_alloc(arena, sizeof *outside);
    outside->arena = arena;
    outside->files = wpa_map_new(arena);
    return outside;
}

size_t wpa_outside_count(const wpa_outside *outside)
{
    return outside->n;
}

/* ---- one result ---- */

static const char *visible(wpa_arena *arena, const char *text, size_t max_chars)
{
    return wpa_text_ellipsis(arena, wpa_text_visible(arena, text, strlen(text), false), max_chars);
}

/** Path in the repository; NULL if it lies outside. */
static const char *path_of(const wpa_json *physical, const char *root, wpa_arena *arena)
{
    const wpa_json *artifact = wpa_json_find(physical, "artifactLocation");
    const char *uri = wpa_json_text_of(wpa_json_find(artifact, "uri"));
    static const char scheme[] = "file://";
    if (!uri) {
        return NULL;
    }
    uri += wpa_text_starts(uri, scheme) ? sizeof scheme - 1 : 0;
    size_t length = strlen(root);
    if (length && strncmp(uri, root, length) == 0 && uri[length] == '/') {
        uri += length + 1;
    }
    uri += wpa_text_starts(uri, "./") ? 2 : 0;
    wpa_error err = {0};
    return wpa_path_check_relative(uri, &err) ? wpa_arena_text(arena, uri) : NULL;
}

static size_t number_of(const wpa_json *region, const char *key, size_t fallback)
{
    int64_t number = wpa_json_int_of(wpa_json_find(region, key), (int64_t)fallback);
    return number >= 1 && number <= POSITION_MAX ? (size_t)number : fallback;
}

static wpa_finding_span span_of(const wpa_json *region)
{
    wpa_finding_span span = {.start = {1, 1}};
    span.start.line = number_of(region, "startLine", 1);
    span.start.column = number_of(region, "startColumn", 1);
    span.end.line = number_of(region, "endLine", span.start.line);
    span.end.line = span.end.line < span.start.line ? span.start.line : span.end.line;
    span.end.column = number_of(region, "endColumn", span.start.column);
    return span;
}

static wpa_severity severity_of(const char *level)
{
    return wpa_text_is(level, "error")                                ? WPA_SEVERITY_HIGH
           : wpa_text_is(level, "note") || wpa_text_is(level, "none") ? WPA_SEVERITY_LOW
                                                                      : WPA_SEVERITY_MEDIUM;
}

static void fingerprint(wpa_finding *finding, const char *path, size_t ordinal)
{
    wpa_sha256_state hash;
    uint8_t digest[WPA_SHA256_SIZE];
    const char *parts[] = {"wpa1", "ext", finding->check, path, finding->message};
    wpa_sha256_init(&hash);
    for (size_t i = 0; i < WPA_COUNT(parts); i++) {
        wpa_sha256_update(&hash, parts[i], strlen(parts[i]) + 1);
    }
    wpa_sha256_update(&hash, &ordinal, sizeof ordinal);
    wpa_sha256_final(&hash, digest);
    wpa_hex_encode(digest, FINGERPRINT_BYTES, finding->fingerprint);
}

/** How many before it in the file say the same. */
static size_t count_equal(const listed *list, const wpa_finding *finding)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        n += wpa_text_is(list->items[i]->check, finding->check) &&
             wpa_text_is(list->items[i]->message, finding->message);
    }
    return n;
}

static void take_result(wpa_outside *outside, const char *name, const char *root,
                        const wpa_json *result)
{
    wpa_arena *arena = outside->arena;
    const wpa_json *locations = wpa_json_find(result, "locations");
    const wpa_json *first = wpa_json_count(locations) ? wpa_json_at(locations, 0) : NULL;
    const wpa_json *physical = wpa_json_find(first, "physicalLocation");
    const char *path = path_of(physical, root, arena);
    const char *id = wpa_json_text_of(wpa_json_find(result, "ruleId"));
    const char *message = wpa_json_text_of(wpa_json_find(wpa_json_find(result, "message"), "text"));
    if (!path || !message || !*message) {
        return;
    }
    wpa_finding *finding = wpa_arena_alloc(arena, sizeof *finding);
    finding->rule = &wpa_rule_external;
    finding->dimension = wpa_rule_external.dimension;
    finding->kind = wpa_rule_external.kind;
    finding->severity = severity_of(wpa_json_text_of(wpa_json_find(result, "level")));
    finding->confidence = wpa_rule_external.confidence;
    finding->check =
        wpa_arena_printf(arena, "%s/%s", name, id ? visible(arena, id, NAME_MAX_CHARS) : "result");
    finding->message = visible(arena, message, MESSAGE_MAX_CHARS);
    finding->span = span_of(wpa_json_find(physical, "region"));
    finding->evidence = "";
    listed *list = wpa_map_get(outside->files, path);
    if (!list) {
        list = wpa_arena_alloc(arena, sizeof *list);
        wpa_map_put(outside->files, path, list);
    }
    fingerprint(finding, path, count_equal(list, finding));
    list->items = wpa_arena_grow(arena, list->items, list->n, &list->capacity, sizeof *list->items);
    list->items[list->n++] = finding;
    outside->n++;
}

bool wpa_outside_read(wpa_outside *outside, const char *name, const char *root, const char *text,
                      size_t size_bytes, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_json *log = wpa_json_parse(text, size_bytes, WPA_SARIF_MAX_BYTES, arena, err);
    const wpa_json *runs = log ? wpa_json_get_array(log, "runs", err) : NULL;
    if (!runs) {
        return wpa_error_within(err, "SARIF of %s", name);
    }
    for (size_t i = 0; i < wpa_json_count(runs); i++) {
        const wpa_json *results = wpa_json_find(wpa_json_at(runs, i), "results");
        for (size_t j = 0; j < wpa_json_count(results); j++) {
            if (outside->n >= WPA_SARIF_MAX_RESULTS) {
                return WPA_FAIL(err, WPA_E_LIMIT, "%s has more than %d results", name,
                                WPA_SARIF_MAX_RESULTS);
            }
            take_result(outside, name, root, wpa_json_at(results, j));
        }
    }
    return true;
}

/* ---- joining ---- */

bool wpa_outside_has(const wpa_outside *outside, const char *identity)
{
    return wpa_map_has(outside->files, identity);
}

void wpa_outside_apply(const wpa_outside *outside, const char *identity, const wpa_source *source,
                       const wpa_settings *settings, wpa_result *result, wpa_arena *arena)
{
    const listed *list = wpa_map_get(outside->files, identity);
    if (!list) {
        return;
    }
    size_t n_own = result->n_findings, n = n_own + list->n;
    wpa_finding **all = wpa_arena_array(arena, n + 1, sizeof *all);
    memcpy(all, result->findings, result->n_findings * sizeof *all);
    for (size_t i = 0; i < list->n; i++) {
        wpa_finding *copy = wpa_arena_dup(arena, list->items[i], sizeof *copy);
        copy->path = result->path;
        all[result->n_findings + i] = copy;
    }
    result->findings = all;
    result->n_findings = n;
    if (source) {
        wpa_guests_settle(source, settings, n_own, result, arena);
    }
}
