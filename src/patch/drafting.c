#include "patch/drafting.h"

#include <stdlib.h>
#include <string.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "analysis/default_config.h"
#include "rules/graph.h"

#define REACH_TIMEOUT_MS 60000

static void leave(wpa_patch_place *at)
{
    if (at->git) {
        wpa_git_close(at->git);
    }
    *at = (wpa_patch_place){0};
}

/** As the analysis asked that found what is to be fixed. */
static bool ask_fleet(wpa_drafting *d, wpa_error *err)
{
    const wpa_graph *graph = d->place.around.graph;
    size_t n = wpa_graph_count(graph);
    const wpa_graph_file **files = wpa_arena_array(d->arena, n + 1, sizeof *files);
    for (size_t i = 0; i < n; i++) {
        files[i] = wpa_graph_at(graph, i);
    }
    return wpa_analysis_ask_fleet(d->db, &d->place.around, files, n, d->arena, err);
}

bool wpa_drafting_enter(wpa_drafting *d, const wpa_rows *rows, size_t row, size_t first_col,
                        wpa_error *err)
{
    wpa_patch_place *at = &d->place;
    int64_t id = wpa_rows_int(rows, row, first_col);
    if (at->git && at->id == id) {
        return true;
    }
    leave(at);
    at->id = id;
    at->name = wpa_rows_dup(rows, row, first_col + 1, d->arena);
    at->url = wpa_rows_dup(rows, row, first_col + 2, d->arena);
    at->branch = wpa_rows_dup(rows, row, first_col + 3, d->arena);
    at->owner = wpa_rows_dup(rows, row, first_col + 4, d->arena);
    at->ref = wpa_arena_printf(d->arena, "refs/heads/%s", at->branch);
    at->git = wpa_git_reach(at->url, at->branch, d->cache_folder, REACH_TIMEOUT_MS, err);
    wpa_default_config config;
    return (at->git && wpa_git_ref_read(at->git, at->ref, at->head, err) &&
            wpa_default_config_read(d->db, d->arena, &config, err) &&
            wpa_analysis_look_around(at->git, at->name, at->owner, at->branch, at->head,
                                     config.content, d->arena, &at->around, &at->settings, err) &&
            ask_fleet(d, err)) ||
           wpa_error_within(err, "repository %s", at->name);
}

bool wpa_drafting_read(wpa_drafting *d, const char *path, wpa_patch_file *file, wpa_error *err)
{
    const wpa_patch_place *at = &d->place;
    wpa_git_entry entry;
    *file = (wpa_patch_file){.repository_id = at->id,
                             .repository = at->name,
                             .ref = at->ref,
                             .base = wpa_arena_text(d->arena, at->head),
                             .path = wpa_arena_text(d->arena, path)};
    if (!wpa_path_check_relative(path, err)) {
        return false;
    }
    if (!wpa_git_tree_find(at->git, at->head, path, d->arena, &entry, err)) {
        bool is_absent = err->code == WPA_E_NOT_FOUND;
        if (is_absent) {
            wpa_error_clear(err);
        }
        return is_absent;
    }
    if (entry.kind != WPA_GIT_FILE && entry.kind != WPA_GIT_EXECUTABLE) {
        return WPA_FAIL(err, WPA_E_REFUSED, "'%s' of %s is a symlink, submodule or folder", path,
                        at->name);
    }
    (void)wpa_text_copy(file->before_oid, sizeof file->before_oid, entry.oid);
    file->before = wpa_git_blob_read(at->git, entry.oid, WPA_PATCH_FILE_MAX_BYTES, d->arena,
                                     &file->before_bytes, err);
    return file->before != NULL;
}

bool wpa_drafting_add(wpa_drafting *d, wpa_patch_file *file, const char *after, size_t after_bytes,
                      wpa_error *err)
{
    wpa_patch_draft *draft = d->draft;
    if (draft->n_files == WPA_PATCH_FILES_MAX) {
        return WPA_FAIL(err, WPA_E_LIMIT, "a patch changes at most %d files", WPA_PATCH_FILES_MAX);
    }
    file->after = after ? wpa_arena_slice(d->arena, after, after_bytes) : NULL;
    file->after_bytes = after ? after_bytes : 0;
    if (after && !wpa_git_blob_id(after, after_bytes, file->after_oid, err)) {
        return false;
    }
    draft->files = wpa_arena_grow(d->arena, draft->files, draft->n_files, &d->files_capacity,
                                  sizeof *draft->files);
    draft->files[draft->n_files++] = *file;
    return true;
}

void wpa_drafting_answer(wpa_drafting *d, int64_t finding_id)
{
    wpa_patch_draft *draft = d->draft;
    d->ids = wpa_arena_grow(d->arena, d->ids, draft->n_findings, &d->ids_capacity, sizeof *d->ids);
    d->ids[draft->n_findings++] = finding_id;
    draft->finding_ids = d->ids;
}

static int compare_files(const void *a, const void *b)
{
    const wpa_patch_file *x = a, *y = b;
    if (x->repository_id != y->repository_id) {
        return x->repository_id < y->repository_id ? -1 : 1;
    }
    return strcmp(x->path, y->path);
}

void wpa_drafting_end(wpa_drafting *d)
{
    wpa_patch_draft *draft = d->draft;
    leave(&d->place);
    if (draft->n_files) {
        qsort(draft->files, draft->n_files, sizeof *draft->files, compare_files);
    }
}
