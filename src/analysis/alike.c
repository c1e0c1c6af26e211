/* Definitions of other repositories that may be like one, found by marks that they share. */
#include <string.h>

#include <wpa/map.h>

#include "analysis/internal.h"
#include "gen/sql.h"
#include "rules/fleet.h"
#include "rules/graph.h"
#include "rules/similarity.h"

#define MARKS_MAX 1000 /* of one definition */

enum {
    A_REPOSITORY,
    A_PATH,
    A_KIND,
    A_BLOB
};

wpa_json *wpa_analysis_list_marks(const wpa_graph_file *file, wpa_arena *arena)
{
    wpa_json *list = wpa_json_new_array(arena);
    wpa_map *seen = wpa_map_new(arena);
    uint32_t marks[WPA_SIMILARITY_MARKS_MAX];
    for (size_t i = 0; i < file->n_jobs && wpa_json_count(list) < MARKS_MAX; i++) {
        const wpa_similarity_job *job = file->jobs[i].likeness;
        size_t n = job ? wpa_similarity_marks(job, marks) : 0;
        for (size_t k = 0; k < n && wpa_json_count(list) < MARKS_MAX; k++) {
            const char *key = wpa_arena_printf(arena, "%u", marks[k]);
            if (!wpa_map_has(seen, key)) {
                wpa_map_put(seen, key, seen);
                wpa_json_push_int(list, (int32_t)marks[k]); /* as the database has it */
            }
        }
    }
    return list;
}

static const char *marks_of(const wpa_json *list, wpa_arena *arena)
{
    size_t n = wpa_json_count(list);
    int64_t *marks = wpa_arena_array(arena, n + 1, sizeof *marks);
    for (size_t i = 0; i < n; i++) {
        marks[i] = wpa_json_int_of(wpa_json_at(list, i), 0);
    }
    return wpa_db_array_int(arena, marks, n);
}

bool wpa_analysis_store_marks(wpa_db *db, const char *workflow, const wpa_json *marks,
                              wpa_arena *arena, wpa_error *err)
{
    const char *params[] = {workflow, marks_of(marks, arena)};
    return wpa_db_run(db, WPA_SQL_ANALYSIS_LIKENESS_STORE, params, WPA_COUNT(params), err);
}

bool wpa_analysis_ask_alike(wpa_db *db, int64_t workflow_id, const wpa_json *marks,
                            wpa_arena *arena, wpa_analysis_alike *alike, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    *alike = (wpa_analysis_alike){0};
    if (wpa_json_count(marks) == 0) {
        return true;
    }
    const char *params[] = {wpa_db_number(workflow_id, id), marks_of(marks, arena)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_ANALYSIS_ALIKE, params, WPA_COUNT(params), err);
    size_t n = rows ? wpa_rows_count(rows) : 0;
    alike->items = wpa_arena_array(arena, n + 1, sizeof *alike->items);
    for (size_t i = 0; i < n; i++) {
        alike->items[alike->n++] = (wpa_analysis_alike_one){
            .repository = wpa_rows_dup(rows, i, A_REPOSITORY, arena),
            .path = wpa_rows_dup(rows, i, A_PATH, arena),
            .kind = wpa_rows_dup(rows, i, A_KIND, arena),
            .blob_oid = wpa_rows_dup(rows, i, A_BLOB, arena),
        };
    }
    return rows != NULL;
}

/* ---- what they hold ---- */

typedef struct text {
    const char *bytes;
    size_t size_bytes;
} text;

/** Blob → text, of those that were kept. */
static bool load_texts(wpa_db *db, const wpa_analysis_alike *alike, wpa_arena *arena,
                       wpa_map *texts, wpa_error *err)
{
    const char **blobs = wpa_arena_array(arena, alike->n + 1, sizeof *blobs);
    for (size_t i = 0; i < alike->n; i++) {
        blobs[i] = alike->items[i].blob_oid;
    }
    const char *params[] = {wpa_db_array(arena, blobs, alike->n)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_ANALYSIS_SOURCES, params, WPA_COUNT(params), err);
    for (size_t i = 0; rows && i < wpa_rows_count(rows); i++) {
        text *t = wpa_arena_alloc(arena, sizeof *t);
        t->bytes = (const char *)wpa_rows_bytes(rows, i, 1, arena, &t->size_bytes);
        wpa_map_put(texts, wpa_rows_dup(rows, i, 0, arena), t);
    }
    return rows != NULL;
}

static void add_file(wpa_graph *graph, const wpa_analysis_alike_one *one, const text *content)
{
    wpa_input_kind kind;
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    if (content && content->bytes && content->size_bytes <= WPA_YAML_MAX_BYTES &&
        wpa_input_kind_from(one->kind, &kind)) {
        wpa_graph_add(graph, wpa_source_read(kind, one->path, content->bytes, content->size_bytes,
                                             NULL, scratch));
    }
}

bool wpa_analysis_join_alike(wpa_db *db, const wpa_analysis_alike *alike, wpa_surroundings *around,
                             wpa_arena *arena, wpa_error *err)
{
    wpa_map *texts = wpa_map_new(arena);
    if (alike->n == 0) {
        return true;
    }
    if (!load_texts(db, alike, arena, texts, err)) {
        return false;
    }
    const wpa_graph **graphs = wpa_arena_array(arena, alike->n, sizeof *graphs);
    wpa_fleet *fleet = wpa_arena_alloc(arena, sizeof *fleet);
    *fleet = around->fleet ? *around->fleet : (wpa_fleet){.n_repositories = 1};
    for (size_t i = 0; i < alike->n;) { /* by repository */
        wpa_graph *graph = wpa_graph_new(alike->items[i].repository, arena);
        size_t k = i;
        for (; k < alike->n && wpa_text_is(alike->items[k].repository, alike->items[i].repository);
             k++) {
            add_file(graph, &alike->items[k], wpa_map_get(texts, alike->items[k].blob_oid));
        }
        wpa_graph_close(graph);
        graphs[fleet->n_graphs++] = graph;
        i = k;
    }
    fleet->graphs = graphs;
    around->fleet = fleet;
    return true;
}
