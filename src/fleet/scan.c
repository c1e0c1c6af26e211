#include "fleet/scan.h"

#include <string.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "gen/sql.h"

#define WORKFLOW_FOLDER ".github/workflows/"

static bool is_yaml(const char *path)
{
    return wpa_text_ends(path, ".yml") || wpa_text_ends(path, ".yaml");
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* The kind of definition that a file with this path is, or NULL. */
static const char *kind_of(const char *path)
{
    if (wpa_text_starts(path, WORKFLOW_FOLDER)) {
        const char *rest = path + strlen(WORKFLOW_FOLDER);
        return strchr(rest, '/') == NULL && is_yaml(rest) ? "workflow" : NULL;
    }
    if (wpa_text_is(path, ".github/dependabot.yml") ||
        wpa_text_is(path, ".github/dependabot.yaml")) {
        return "dependabot";
    }
    const char *base = base_of(path);
    bool is_action = strcmp(base, "action.yml") == 0 || strcmp(base, "action.yaml") == 0;
    return is_action ? "action" : NULL;
}

/* repository-stem; an action is named after its folder, one at the root "action". */
static const char *name_of(const char *repository, const char *path, const char *kind,
                           wpa_arena *arena)
{
    char *stem = wpa_arena_text(arena, path);
    if (wpa_text_is(kind, "action") && strchr(stem, '/') != NULL) {
        *strrchr(stem, '/') = '\0';
        for (char *c = stem; *c != '\0'; c++) {
            *c = *c == '/' ? '-' : *c;
        }
        return wpa_arena_printf(arena, "%s-%s", repository, stem);
    }
    char *dot = strrchr(stem, '.');
    if (dot != NULL && dot != base_of(stem)) {
        *dot = '\0';
    }
    return wpa_arena_printf(arena, "%s-%s", repository, base_of(stem));
}

static const char *refusal(wpa_git *git, const wpa_git_entry *entry, size_t *size_bytes,
                           wpa_arena *arena, wpa_error *err)
{
    wpa_error path_error = {0};
    *size_bytes = 0;
    switch (entry->kind) {
    case WPA_GIT_SYMLINK:
        return "is a symbolic link: links inside a repository are not followed";
    case WPA_GIT_SUBMODULE:
    case WPA_GIT_FOLDER:
        return "is no file";
    case WPA_GIT_FILE:
    case WPA_GIT_EXECUTABLE:
        break;
    }
    if (!wpa_path_check_relative(entry->path, &path_error)) {
        return wpa_arena_text(arena, path_error.message);
    }
    if (!wpa_git_blob_size(git, entry->oid, size_bytes, err)) {
        return wpa_arena_printf(arena, "cannot be read: %s", err->message);
    }
    return *size_bytes > WPA_SCAN_MAX_BYTES
               ? wpa_arena_printf(arena, "has %zu bytes: at most %zu are read", *size_bytes,
                                  WPA_SCAN_MAX_BYTES)
               : NULL;
}

static void add_file(wpa_git *git, const char *repository, const wpa_git_entry *entry,
                     const char *kind, wpa_arena *arena, wpa_scan *scan)
{
    wpa_error why = {0};
    scan->files = wpa_arena_grow(arena, scan->files, scan->n, &scan->capacity, sizeof *scan->files);
    wpa_scan_file *file = &scan->files[scan->n++];
    const size_t length = strlen(entry->path);
    *file = (wpa_scan_file){
        .path = wpa_text_visible(arena, entry->path, length, false),
        .kind = kind,
    };
    file->name = name_of(repository, file->path, kind, arena);
    memcpy(file->blob, entry->oid, sizeof file->blob);
    file->error = refusal(git, entry, &file->size_bytes, arena, &why);
}

bool wpa_scan_read(wpa_git *git, const char *repository, const char *branch, wpa_arena *arena,
                   wpa_scan *scan, wpa_error *err)
{
    *scan = (wpa_scan){0};
    wpa_git_entries all;
    const char *ref = wpa_arena_printf(arena, "refs/heads/%s", branch);
    if (!wpa_git_ref_read(git, ref, scan->head, err)) {
        return err->code != WPA_E_NOT_FOUND
                   ? false
                   : WPA_FAIL(err, WPA_E_NOT_FOUND, "no branch '%s'", branch);
    }
    if (!wpa_git_tree_list(git, scan->head, "", true, WPA_SCAN_MAX_ENTRIES, arena, &all, err)) {
        return false;
    }
    for (size_t i = 0; i < all.n; i++) {
        const char *kind = kind_of(all.items[i].path);
        const bool is_folder_link = all.items[i].kind == WPA_GIT_SYMLINK &&
                                    (wpa_text_is(all.items[i].path, ".github") ||
                                     wpa_text_is(all.items[i].path, ".github/workflows"));
        if (kind != NULL || is_folder_link) {
            add_file(git, repository, &all.items[i], kind != NULL ? kind : "workflow", arena, scan);
        }
    }
    return true;
}

static wpa_rows *store_files(wpa_db *db, int64_t id, const wpa_scan *scan, wpa_arena *arena,
                             wpa_error *err)
{
    const char **columns[5];
    for (size_t c = 0; c < WPA_COUNT(columns); c++) {
        columns[c] = wpa_arena_array(arena, scan->n + 1, sizeof **columns);
    }
    int64_t *sizes = wpa_arena_array(arena, scan->n + 1, sizeof *sizes);
    for (size_t i = 0; i < scan->n; i++) {
        const wpa_scan_file *file = &scan->files[i];
        columns[0][i] = file->path;
        columns[1][i] = file->name;
        columns[2][i] = file->kind;
        columns[3][i] = file->blob;
        columns[4][i] = file->error;
        sizes[i] = (int64_t)file->size_bytes;
    }
    char number[WPA_DB_NUMBER_SIZE];
    const char *paths = wpa_db_array(arena, columns[0], scan->n);
    const char *gone[] = {wpa_db_number(id, number), paths};
    if (!wpa_db_run(db, WPA_SQL_FLEET_GONE, gone, 2, err)) {
        return NULL;
    }
    const char *params[] = {
        number,
        scan->head,
        paths,
        wpa_db_array(arena, columns[1], scan->n),
        wpa_db_array(arena, columns[2], scan->n),
        wpa_db_array(arena, columns[3], scan->n),
        wpa_db_array_int(arena, sizes, scan->n),
        wpa_db_array(arena, columns[4], scan->n),
    };
    return wpa_db_exec(db, WPA_SQL_FLEET_SCAN_STORE, params, WPA_COUNT(params), err);
}

static bool order_analysis(wpa_job_context *context, const char *repository, int64_t id,
                           const char *path, wpa_error *err)
{
    const wpa_job_spec spec = {
        .kind = "analyse",
        .subject = wpa_arena_printf(context->arena, "workflow:%lld", (long long)id),
        .label = wpa_arena_printf(context->arena, "analyse %s/%s", repository, base_of(path)),
        .requested_by = context->job->requested_by,
    };
    return wpa_job_enqueue(context->db, &spec, NULL, err);
}

static bool store(wpa_job_context *context, const wpa_repository *repository, const wpa_scan *scan,
                  size_t *n_changed, wpa_error *err)
{
    char number[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(repository->id, number), scan->head};
    *n_changed = 0;
    WPA_AUTO(wpa_rows) *held = wpa_db_exec(context->db, WPA_SQL_FLEET_HOLD, params, 1, err);
    if (held == NULL || wpa_rows_count(held) == 0 || !wpa_rows_bool(held, 0, 0)) {
        return held != NULL; /* removed meanwhile */
    }
    WPA_AUTO(wpa_rows) *rows = store_files(context->db, repository->id, scan, context->arena, err);
    if (rows == NULL) {
        return false;
    }
    for (size_t i = 0; i < wpa_rows_count(rows); i++) {
        if (!wpa_rows_bool(rows, i, 2)) {
            continue;
        }
        *n_changed += 1;
        if (!order_analysis(context, repository->name, wpa_rows_int(rows, i, 0),
                            wpa_rows_text(rows, i, 1), err)) {
            return false;
        }
    }
    return wpa_db_run(context->db, WPA_SQL_FLEET_SCANNED, params, 2, err);
}

static bool note_unreadable(wpa_job_context *context, int64_t id, const wpa_error *why,
                            wpa_error *err)
{
    char text[sizeof why->message + sizeof why->context];
    char number[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, number), wpa_error_text(why, text, sizeof text)};
    if (!wpa_job_begin(context, err)) {
        return false;
    }
    if (!wpa_db_run(context->db, WPA_SQL_FLEET_UNREADABLE, params, 2, err)) {
        wpa_db_rollback(context->db);
        return false;
    }
    return wpa_db_commit(context->db, err);
}

static bool read_head(const wpa_job_context *context, const wpa_repository *repository,
                      wpa_scan *scan, wpa_error *err)
{
    WPA_AUTO(wpa_git) *git = wpa_git_reach(
        repository->url, repository->branch,
        wpa_path_join(context->arena, context->cache_folder, "git"), WPA_SCAN_NETWORK_MS, err);
    return git != NULL &&
           wpa_scan_read(git, repository->name, repository->branch, context->arena, scan, err);
}

bool wpa_scan_job(wpa_job_context *context, wpa_error *err)
{
    int64_t id = 0;
    wpa_repository repository;
    const char *subject = context->job->subject;
    if (!wpa_text_starts(subject, "repository:") ||
        !wpa_text_to_int(subject + strlen("repository:"), 1, INT64_MAX, &id)) {
        return WPA_FAIL(err, WPA_E_INVALID, "'%s' is no repository", subject);
    }
    if (!wpa_fleet_get(context->db, id, context->arena, &repository, err)) {
        return false;
    }
    if (wpa_text_is(repository.state, "removed")) {
        return true;
    }
    wpa_scan scan;
    wpa_error why = {0};
    if (!read_head(context, &repository, &scan, &why)) {
        wpa_log_write(context->log, WPA_LOG_WARN, "fleet", "%s cannot be read: %s", repository.name,
                      why.message);
        return note_unreadable(context, id, &why, err);
    }
    size_t n_changed = 0;
    if (!wpa_job_begin(context, err)) {
        return false;
    }
    if (!store(context, &repository, &scan, &n_changed, err)) {
        wpa_db_rollback(context->db);
        return wpa_error_within(err, "scan %s", repository.name);
    }
    wpa_job_set_result(context, wpa_arena_printf(context->arena, "{\"files\":%zu,\"changed\":%zu}",
                                                 scan.n, n_changed));
    return wpa_db_commit(context->db, err);
}
