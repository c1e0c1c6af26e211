/*
 * A repository of several files, one behind the other with 0xff between them, each beginning with a
 * byte that says where it stands. With a graph over all: every rule over every file, every fix.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rules/fix.h"
#include "rules/graph.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    FILES_MAX = 8
};

static const char *const places[] = {
    ".github/workflows/a.yml", ".github/workflows/b.yml",
    ".github/workflows/c.yml", "action.yml",
    "sub/action.yml",          ".github/dependabot.yml",
    ".pre-commit-config.yaml", ".github/workflows/d.yml",
};

typedef struct repository {
    wpa_surroundings around;
    const char *paths[FILES_MAX];
    const uint8_t *texts[FILES_MAX];
    size_t sizes[FILES_MAX];
    const wpa_source *sources[FILES_MAX];
} repository;

static void need(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

static size_t find(const repository *r, const char *path)
{
    size_t i = 0;
    while (i < r->around.n_paths && strcmp(r->paths[i], path) != 0) {
        i++;
    }
    return i;
}

static const char *read_file(void *context, const char *path, size_t max_bytes, wpa_arena *arena,
                             size_t *size_bytes)
{
    const repository *r = context;
    size_t i = find(r, path);
    if (i == r->around.n_paths) {
        return NULL;
    }
    *size_bytes = r->sizes[i] < max_bytes ? r->sizes[i] : max_bytes;
    return wpa_arena_slice(arena, (const char *)r->texts[i], *size_bytes);
}

static const wpa_source *find_parsed(void *context, const char *path)
{
    const repository *r = context;
    size_t i = find(r, path);
    return i < r->around.n_paths ? r->sources[i] : NULL;
}

/* Sorted by path, as surroundings promise. */
static void put(repository *r, const char *path, const uint8_t *text, size_t size_bytes)
{
    size_t at = find(r, path), n = r->around.n_paths;
    if (at == n) {
        for (at = n; at > 0 && strcmp(r->paths[at - 1], path) > 0; at--) {
            r->paths[at] = r->paths[at - 1];
            r->texts[at] = r->texts[at - 1];
            r->sizes[at] = r->sizes[at - 1];
        }
        r->around.n_paths = n + 1;
    }
    r->paths[at] = path;
    r->texts[at] = text;
    r->sizes[at] = size_bytes;
}

static void split(repository *r, const uint8_t *data, size_t size)
{
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(data + at, 0xff, size - at);
        size_t length = end ? (size_t)(end - data) - at : size - at;
        if (length > 0) {
            put(r, places[data[at] % WPA_COUNT(places)], data + at + 1, length - 1);
        }
        at += length + 1;
    }
}

/** A file that is judged among others has what it has by itself, unless time ran out. */
static void compare(const wpa_result *a, const wpa_result *b)
{
    if (a->n_notes || b->n_notes) {
        return;
    }
    need(a->n_findings == b->n_findings);
    for (size_t i = 0; i < a->n_findings; i++) {
        need(strcmp(a->findings[i]->message, b->findings[i]->message) == 0);
        need(a->findings[i]->n_fixes == b->findings[i]->n_fixes);
    }
}

static void check(const wpa_rules_task *task, wpa_arena *arena)
{
    const wpa_fix_choice choice = {.has_unsafe = true};
    const wpa_source *source = task->source;
    wpa_result result = wpa_rules_run(source, task->settings, arena);
    compare(&result, &task->result);
    for (size_t i = 0; i < result.n_findings; i++) {
        wpa_span span = result.findings[i]->span.bytes;
        need(span.start <= span.end && span.end <= source->size_bytes);
        need(result.findings[i]->message != NULL);
    }
    (void)wpa_rules_fix(source, task->settings, &choice, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_settings *settings = wpa_settings_new(0, arena);
    settings->persona = WPA_PERSONA_AUDITOR;
    repository r = {.around = {.prefix = "",
                               .repository = "repo",
                               .owner = "owner",
                               .default_branch = "main",
                               .has_paths = true,
                               .read = read_file,
                               .parsed = find_parsed}};
    r.around.read_context = r.around.parsed_context = &r;
    r.around.paths = r.paths;
    split(&r, data, size);
    wpa_graph *graph = wpa_graph_new("repo", arena);
    for (size_t i = 0; i < r.around.n_paths; i++) {
        wpa_input_kind kind = WPA_INPUT_WORKFLOW;
        (void)!wpa_input_of_path(r.paths[i], &kind);
        r.sources[i] = wpa_source_read(kind, r.paths[i], r.texts[i], r.sizes[i], &r.around, arena);
        wpa_graph_add(graph, r.sources[i]);
    }
    wpa_graph_close(graph);
    r.around.graph = graph;
    wpa_rules_task tasks[WPA_COUNT(places)] = {0};
    for (size_t i = 0; i < r.around.n_paths; i++) {
        tasks[i] = (wpa_rules_task){.source = r.sources[i], .settings = settings};
    }
    wpa_rules_run_together(tasks, r.around.n_paths, arena);
    for (size_t i = 0; i < r.around.n_paths; i++) {
        check(&tasks[i], arena);
    }
    return 0;
}
