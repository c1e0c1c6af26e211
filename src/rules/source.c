#include "rules/source.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/text.h>

#include "auth/hash.h"
#include "rules/expressions.h"
#include "rules/graph.h"
#include "rules/outline.h"
#include "rules/settings.h"

static const char *const names[] = {"workflow", "action", "dependabot", "pre-commit"};

const char *wpa_input_kind_name(wpa_input_kind kind)
{
    switch (kind) {
    case WPA_INPUT_WORKFLOW:
        return names[0];
    case WPA_INPUT_ACTION:
        return names[1];
    case WPA_INPUT_DEPENDABOT:
        return names[2];
    case WPA_INPUT_PRE_COMMIT:
        return names[3];
    }
    return "";
}

bool wpa_input_kind_from(const char *name, wpa_input_kind *kind)
{
    int i = wpa_text_index(name, names, WPA_COUNT(names));
    if (i < 0) {
        return false;
    }
    *kind = (wpa_input_kind)(1 << i);
    return true;
}

static bool has_yaml_suffix(const char *name)
{
    return wpa_text_ends(name, ".yml") || wpa_text_ends(name, ".yaml");
}

/** Is path "…/folder/name" or "folder/name"? */
static bool is_in_folder(const char *path, const char *folder)
{
    const char *slash = strrchr(path, '/');
    size_t length = strlen(folder), before = slash ? (size_t)(slash - path) : 0;
    return before >= length && strncmp(slash - length, folder, length) == 0 &&
           (before == length || slash[-(ptrdiff_t)length - 1] == '/');
}

static bool is_workflow_path(const char *path)
{
    return has_yaml_suffix(path) &&
           (is_in_folder(path, ".github/workflows") || is_in_folder(path, ".gitea/workflows") ||
            is_in_folder(path, ".forgejo/workflows"));
}

bool wpa_input_of_path(const char *path, wpa_input_kind *kind)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (is_workflow_path(path)) {
        *kind = WPA_INPUT_WORKFLOW;
    } else if (wpa_text_is(name, "action.yml") || wpa_text_is(name, "action.yaml")) {
        *kind = WPA_INPUT_ACTION;
    } else if ((wpa_text_is(name, "dependabot.yml") || wpa_text_is(name, "dependabot.yaml")) &&
               is_in_folder(path, ".github")) {
        *kind = WPA_INPUT_DEPENDABOT;
    } else if (wpa_text_is(name, ".pre-commit-config.yaml")) {
        *kind = WPA_INPUT_PRE_COMMIT;
    } else {
        return false;
    }
    return true;
}

/** Does a line of the text begin with this key? */
static bool has_root_key(const char *text, size_t size_bytes, const char *key)
{
    size_t length = strlen(key);
    const char *at = text, *end = text + size_bytes;
    while (at && (size_t)(end - at) > length) {
        if (strncmp(at, key, length) == 0 && at[length] == ':') {
            return true;
        }
        at = memchr(at, '\n', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    return false;
}

wpa_input_kind wpa_input_of_content(const char *text, size_t size_bytes)
{
    static const struct {
        const char *key;
        wpa_input_kind kind;
    } tells[] = {{"jobs", WPA_INPUT_WORKFLOW},
                 {"on", WPA_INPUT_WORKFLOW},
                 {"runs", WPA_INPUT_ACTION},
                 {"updates", WPA_INPUT_DEPENDABOT},
                 {"repos", WPA_INPUT_PRE_COMMIT}};
    for (size_t i = 0; i < WPA_COUNT(tells); i++) {
        if (has_root_key(text, size_bytes, tells[i].key)) {
            return tells[i].kind;
        }
    }
    return WPA_INPUT_WORKFLOW;
}

static uint64_t take_in(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash << 29 | hash >> 35; /* what a product carries upwards only, the next takes down */
}

/** Four at a time, since each waits for the one before it. */
static uint64_t digest_of(const wpa_source *source)
{
    uint64_t hashes[4] = {source->size_bytes, 1, 2, 3}, words[4];
    const char *text = source->yaml ? source->yaml->source : "";
    size_t n = source->yaml ? source->yaml->size_bytes : 0;
    for (; n >= sizeof words; n -= sizeof words, text += sizeof words) {
        memcpy(words, text, sizeof words);
#pragma GCC unroll 4
        for (size_t i = 0; i < WPA_COUNT(words); i++) {
            hashes[i] = take_in(hashes[i], words[i]);
        }
    }
    for (; n; n--, text++) {
        hashes[0] = take_in(hashes[0], (unsigned char)*text);
    }
    return take_in(take_in(take_in(hashes[0], hashes[1]), hashes[2]), hashes[3]);
}

const wpa_source *wpa_source_read(wpa_input_kind kind, const char *path, const void *data,
                                  size_t size_bytes, const wpa_surroundings *around,
                                  wpa_arena *arena)
{
    wpa_source *source = wpa_arena_alloc(arena, sizeof *source);
    source->kind = kind;
    source->path = wpa_arena_text(arena, path);
    source->around = around;
    source->size_bytes = size_bytes;
    wpa_error err = {0};
    source->yaml = wpa_yaml_parse(path, data, size_bytes, arena, &err);
    source->digest = digest_of(source);
    source->is_partial = !source->yaml || source->yaml->is_partial;
    source->outline = wpa_outline_read(source->yaml, kind, arena);
    source->expressions = wpa_expressions_read(source->yaml, kind, source->outline, arena);
    return source;
}

const char *wpa_surroundings_identity(const wpa_surroundings *around, const char *shown)
{
    const char *prefix = around ? around->prefix : NULL;
    if (around && around->own_path && wpa_text_is(shown, around->own_path)) {
        return around->own_identity;
    }
    bool has_prefix = prefix && wpa_text_starts(shown, prefix);
    return has_prefix ? shown + strlen(prefix) : shown;
}

const char *wpa_source_identity(const wpa_source *source)
{
    return wpa_surroundings_identity(source->around, source->path);
}

wpa_surroundings *wpa_surroundings_traced(const wpa_surroundings *around, wpa_arena *arena)
{
    wpa_surroundings *copy = wpa_arena_dup(arena, around, sizeof *around);
    copy->trace = wpa_arena_alloc(arena, sizeof *copy->trace);
    copy->trace->arena = arena;
    copy->graph = around->graph
                      ? wpa_graph_traced(around->graph, &copy->trace->has_asked_graph, arena)
                      : NULL;
    return copy;
}

const wpa_surroundings *wpa_surroundings_within(const wpa_surroundings *around, wpa_budget *budget,
                                                wpa_arena *arena)
{
    if (!around || !around->graph) {
        return around;
    }
    wpa_surroundings *copy = wpa_arena_dup(arena, around, sizeof *around);
    copy->graph = wpa_graph_within(around->graph, budget, arena);
    return copy;
}

static void note_read(const wpa_surroundings *around, const char *path, const char *text,
                      size_t size_bytes)
{
    wpa_surroundings_trace *trace = around->trace;
    if (trace) {
        trace->reads = wpa_arena_grow(trace->arena, trace->reads, trace->n_reads, &trace->capacity,
                                      sizeof *trace->reads);
        wpa_trace_read *read = &trace->reads[trace->n_reads++];
        *read = (wpa_trace_read){.path = wpa_arena_text(trace->arena, path), .is_there = text};
        if (text) {
            wpa_sha256(text, size_bytes, read->digest);
        }
    }
}

static int compare_paths(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *)item);
}

bool wpa_surroundings_has(const wpa_surroundings *around, const char *path)
{
    return around->n_paths && bsearch(path, around->paths, around->n_paths, sizeof *around->paths,
                                      compare_paths) != NULL;
}

/** Index of the first path that is not below text. */
static size_t lower_bound(const wpa_surroundings *around, const char *text)
{
    size_t low = 0, high = around->n_paths;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(around->paths[middle], text) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t wpa_surroundings_skip(const wpa_surroundings *around, size_t i, const char *folder)
{
    if (i >= around->n_paths || !wpa_text_starts(around->paths[i], folder)) {
        return i;
    }
    size_t low = i, high = around->n_paths; /* paths[low] is below it, paths[high] is not */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (wpa_text_starts(around->paths[middle], folder)) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

bool wpa_surroundings_has_folder(const wpa_surroundings *around, const char *folder)
{
    char prefix[PATH_MAX];
    if (!*folder) {
        return around->n_paths > 0;
    }
    int length = snprintf(prefix, sizeof prefix, "%s/", folder);
    if (length < 0 || (size_t)length >= sizeof prefix) {
        return false;
    }
    size_t i = lower_bound(around, prefix);
    return i < around->n_paths && wpa_text_starts(around->paths[i], prefix);
}

const char *wpa_surroundings_match(const wpa_surroundings *around, const char *glob)
{
    for (size_t i = 0; i < around->n_paths; i++) {
        if (wpa_glob_fits(glob, around->paths[i])) {
            return around->paths[i];
        }
    }
    return NULL;
}

const char *wpa_surroundings_read(const wpa_surroundings *around, const char *path,
                                  size_t max_bytes, wpa_arena *arena, size_t *size_bytes)
{
    *size_bytes = 0;
    if (!around || !around->read) {
        return NULL;
    }
    const char *text = around->read(around->read_context, path, max_bytes, arena, size_bytes);
    note_read(around, path, text, *size_bytes);
    return text;
}
