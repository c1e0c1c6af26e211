#include "testing/load.h"

#include <stdlib.h>
#include <string.h>

#include <wpa/text.h>

#include "analysis/default_config.h"
#include "gen/sql.h"
#include "rules/config.h"
#include "rules/finding.h"
#include "rules/source.h"
#include "workflow/workflow.h"

#define NETWORK_MS 60000
#define TREE_MAX_ENTRIES 200000
#define CALLERS_MAX 300 /* see testing_callers */
#define RIVALS_MAX 300  /* see testing_rivals */
#define SLUGS_MAX 500   /* that are looked for in the fleet */
#define JSON_MAX_BYTES ((size_t)16 << 20)

/* Columns of testing_edits. */
enum {
    EDIT_REPOSITORY_ID,
    EDIT_REPOSITORY,
    EDIT_URL,
    EDIT_BRANCH,
    EDIT_OWNER,
    EDIT_TEST_COMMAND,
    EDIT_REF,
    EDIT_BASE_COMMIT,
    EDIT_PATH,
    EDIT_BEFORE_OID,
    EDIT_AFTER_OID,
    EDIT_BEFORE,
    EDIT_AFTER,
    EDIT_MODE,
    EDIT_EDITS,
    EDIT_INVERSE
};

static const wpa_json *parse(const char *text, wpa_arena *arena, wpa_error *err)
{
    return wpa_json_parse(text, strlen(text), JSON_MAX_BYTES, arena, err);
}

/* ---- the patch ---- */

/** ["timeouts", "script"] as bits. */
static unsigned read_declares(const wpa_json *list)
{
    unsigned bits = 0;
    for (size_t i = 0; i < wpa_json_count(list); i++) {
        for (unsigned bit = 0; bit < WPA_DECLARES_COUNT; bit++) {
            if (wpa_text_is(wpa_json_text_of(wpa_json_at(list, i)), wpa_declares_name(bit))) {
                bits |= 1U << bit;
            }
        }
    }
    return bits;
}

static bool read_patch(const wpa_rows *rows, wpa_test_loaded *loaded, wpa_arena *arena,
                       wpa_error *err)
{
    wpa_test_patch *patch = &loaded->patch;
    size_t digest_bytes = 0;
    patch->id = wpa_rows_int(rows, 0, 0);
    patch->name = wpa_rows_dup(rows, 0, 1, arena);
    patch->description = wpa_rows_dup(rows, 0, 2, arena);
    patch->issue = wpa_rows_dup(rows, 0, 3, arena);
    loaded->state = wpa_rows_dup(rows, 0, 4, arena);
    loaded->digest_text = wpa_rows_dup(rows, 0, 5, arena);
    patch->digest = wpa_rows_bytes(rows, 0, 5, arena, &digest_bytes);
    loaded->attempt = wpa_rows_int(rows, 0, 6);
    const wpa_json *declares = parse(wpa_rows_text(rows, 0, 7), arena, err);
    patch->declares = read_declares(declares);
    patch->is_by_person = !wpa_text_is(wpa_rows_text(rows, 0, 8), "agent");
    return declares && (digest_bytes == 32 || WPA_FAIL(err, WPA_E_INVALID, "no digest"));
}

static bool read_findings(wpa_db *db, const char *id, wpa_test_patch *patch, wpa_arena *arena,
                          wpa_error *err)
{
    const char *params[] = {id};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_TESTING_FINDINGS, params, 1, err);
    if (!rows) {
        return false;
    }
    size_t n = wpa_rows_count(rows);
    wpa_test_finding *findings = wpa_arena_array(arena, n + 1, sizeof *findings);
    for (size_t i = 0; i < n; i++) {
        findings[i] = (wpa_test_finding){.rule = wpa_rows_dup(rows, i, 0, arena),
                                         .fingerprint = wpa_rows_dup(rows, i, 1, arena),
                                         .repository = wpa_rows_dup(rows, i, 2, arena),
                                         .path = wpa_rows_dup(rows, i, 3, arena)};
    }
    patch->findings = findings;
    patch->n_findings = n;
    return true;
}

/* ---- its files ---- */

static wpa_test_image read_image(const wpa_rows *rows, size_t row, size_t oid, size_t bytes,
                                 wpa_arena *arena)
{
    wpa_test_image image = {.oid = wpa_rows_dup(rows, row, oid, arena)};
    uint8_t *data = wpa_rows_bytes(rows, row, bytes, arena, &image.size_bytes);
    image.bytes = data ? wpa_arena_slice(arena, (const char *)data, image.size_bytes) : NULL;
    return image;
}

/** "ledger-api/ci.yml": the file as lists call it. */
static const char *subject_of(const char *repository, const char *path, wpa_arena *arena)
{
    static const char folder[] = ".github/workflows/";
    const char *rest = wpa_text_starts(path, folder) ? path + strlen(folder) : path;
    return wpa_arena_printf(arena, "%s/%s", repository, rest);
}

static bool read_file(const wpa_rows *rows, size_t row, wpa_test_target *target,
                      wpa_test_file *file, wpa_arena *arena, wpa_error *err)
{
    wpa_input_kind kind;
    const wpa_json *edits = parse(wpa_rows_text(rows, row, EDIT_EDITS), arena, err);
    const wpa_json *inverse =
        edits ? parse(wpa_rows_text(rows, row, EDIT_INVERSE), arena, err) : NULL;
    file->target = target;
    file->path = wpa_rows_dup(rows, row, EDIT_PATH, arena);
    file->subject = subject_of(target->repository, file->path, arena);
    file->mode = (int)wpa_rows_int(rows, row, EDIT_MODE);
    file->before = read_image(rows, row, EDIT_BEFORE_OID, EDIT_BEFORE, arena);
    file->after = read_image(rows, row, EDIT_AFTER_OID, EDIT_AFTER, arena);
    file->is_definition = wpa_input_of_path(file->path, &kind) && kind != WPA_INPUT_PRE_COMMIT;
    return inverse &&
           (wpa_test_edits_read(edits, arena, &file->edits, err) ||
            wpa_error_within(err, "edits of %s", file->subject)) &&
           (wpa_test_edits_read(inverse, arena, &file->inverse, err) ||
            wpa_error_within(err, "inverse of %s", file->subject));
}

/** A target as the rows name it; url and the like are kept for opening it. */
static bool read_target(const wpa_rows *rows, size_t row, wpa_test_target *target, wpa_arena *arena,
                        wpa_error *err)
{
    const char *text = wpa_rows_text(rows, row, EDIT_TEST_COMMAND);
    const wpa_json *test = parse(text && *text ? text : "{}", arena, err);
    *target = (wpa_test_target){.repository_id = wpa_rows_int(rows, row, EDIT_REPOSITORY_ID),
                                .repository = wpa_rows_dup(rows, row, EDIT_REPOSITORY, arena),
                                .url = wpa_rows_dup(rows, row, EDIT_URL, arena),
                                .branch = wpa_rows_dup(rows, row, EDIT_BRANCH, arena),
                                .owner = wpa_rows_dup(rows, row, EDIT_OWNER, arena),
                                .ref = wpa_rows_dup(rows, row, EDIT_REF, arena),
                                .base_commit = wpa_rows_dup(rows, row, EDIT_BASE_COMMIT, arena)};
    if (test) {
        target->test = wpa_test_command_read(test, arena);
    }
    return test != NULL;
}

static bool is_target(const wpa_test_target *target, const wpa_rows *rows, size_t row)
{
    return target->repository_id == wpa_rows_int(rows, row, EDIT_REPOSITORY_ID) &&
           wpa_text_is(target->ref, wpa_rows_text(rows, row, EDIT_REF));
}

static bool read_files(wpa_db *db, const char *id, wpa_test_patch *patch, wpa_arena *arena,
                       wpa_error *err)
{
    const char *params[] = {id};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_TESTING_EDITS, params, 1, err);
    if (!rows) {
        return false;
    }
    size_t n = wpa_rows_count(rows);
    patch->files = wpa_arena_array(arena, n + 1, sizeof *patch->files);
    patch->targets = wpa_arena_array(arena, n + 1, sizeof *patch->targets); /* never moves */
    for (size_t i = 0; i < n; i++) {
        wpa_test_target *last = patch->n_targets ? &patch->targets[patch->n_targets - 1] : NULL;
        if (!last || !is_target(last, rows, i)) {
            last = &patch->targets[patch->n_targets++];
            if (!read_target(rows, i, last, arena, err)) {
                return false;
            }
        }
        if (!read_file(rows, i, last, &patch->files[patch->n_files++], arena, err)) {
            return false;
        }
    }
    return true;
}

/** Who in the fleet uses the definitions of the patch by their full names. */
static bool read_callers(wpa_db *db, wpa_test_patch *patch, wpa_arena *arena, wpa_error *err)
{
    const char **slugs = wpa_arena_array(arena, patch->n_files + 1, sizeof *slugs);
    size_t n_slugs = 0;
    for (size_t i = 0; i < patch->n_files; i++) {
        const wpa_test_file *file = &patch->files[i];
        slugs[n_slugs] =
            file->is_definition ? wpa_test_slug(file->target, file->path, arena) : NULL;
        n_slugs += slugs[n_slugs] != NULL;
    }
    if (n_slugs == 0) {
        return true;
    }
    const char *params[] = {wpa_db_array(arena, slugs, n_slugs)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_TESTING_CALLERS, params, 1, err);
    if (!rows) {
        return false;
    }
    size_t n = wpa_rows_count(rows);
    patch->has_more_callers = n > CALLERS_MAX;
    n = n > CALLERS_MAX ? CALLERS_MAX : n;
    wpa_test_caller *callers = wpa_arena_array(arena, n + 1, sizeof *callers);
    for (size_t i = 0; i < n; i++) {
        wpa_test_caller *one = &callers[i];
        one->slug = wpa_rows_dup(rows, i, 0, arena);
        one->path = wpa_rows_dup(rows, i, 2, arena);
        one->who = subject_of(wpa_rows_text(rows, i, 1), one->path, arena);
        const uint8_t *text = wpa_rows_bytes(rows, i, 3, arena, &one->size_bytes);
        one->text = text ? wpa_arena_slice(arena, (const char *)text, one->size_bytes) : NULL;
    }
    patch->callers = callers;
    patch->n_callers = n;
    return true;
}

static void add_slug(const wpa_reference *uses, wpa_map *slugs)
{
    if (uses->kind == WPA_REFERENCE_REPOSITORY && uses->slug && wpa_map_count(slugs) < SLUGS_MAX) {
        wpa_map_put(slugs, uses->slug, slugs);
    }
}

/** "owner/repo" of all that the definitions of the patch use. */
static wpa_map *slugs_of(wpa_test_patch *patch, wpa_arena *arena)
{
    wpa_map *slugs = wpa_map_new(arena);
    for (size_t i = 0; i < patch->n_files; i++) {
        wpa_test_file *file = &patch->files[i];
        const wpa_model *model = file->is_definition && file->after.bytes
                                     ? wpa_test_image_model(file, &file->after, arena)
                                     : NULL;
        for (size_t k = 0; model && model->action && k < model->action->n_steps; k++) {
            add_slug(&model->action->steps[k].uses, slugs);
        }
        for (size_t j = 0; model && model->workflow && j < model->workflow->n_jobs; j++) {
            const wpa_workflow_job *job = &model->workflow->jobs[j];
            add_slug(&job->uses, slugs);
            for (size_t k = 0; k < job->n_steps; k++) {
                add_slug(&job->steps[k].uses, slugs);
            }
        }
    }
    return slugs;
}

/** Repositories that lie in the fleet themselves, and can be asked about their commits. */
static bool read_upstreams(wpa_db *db, wpa_test_patch *patch, wpa_arena *arena, wpa_error *err)
{
    const wpa_map *slugs = slugs_of(patch, arena);
    size_t n = wpa_map_count(slugs);
    const char **list = wpa_arena_array(arena, n + 1, sizeof *list);
    for (size_t i = 0; i < n; i++) {
        list[i] = wpa_map_at(slugs, i, NULL);
    }
    if (n == 0) {
        return true;
    }
    const char *params[] = {wpa_db_array(arena, list, n)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_TESTING_UPSTREAMS, params, 1, err);
    if (!rows) {
        return false;
    }
    patch->n_upstreams = wpa_rows_count(rows);
    wpa_test_upstream *items = wpa_arena_array(arena, patch->n_upstreams + 1, sizeof *items);
    for (size_t i = 0; i < patch->n_upstreams; i++) {
        items[i] = (wpa_test_upstream){.slug = wpa_rows_dup(rows, i, 0, arena),
                                       .url = wpa_rows_dup(rows, i, 1, arena),
                                       .branch = wpa_rows_dup(rows, i, 2, arena)};
    }
    patch->upstreams = items;
    return true;
}

/** What others do to the same files. */
static bool read_rivals(wpa_db *db, const char *id, wpa_test_patch *patch, wpa_arena *arena,
                        wpa_error *err)
{
    const char *params[] = {id};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_TESTING_RIVALS, params, 1, err);
    if (!rows) {
        return false;
    }
    size_t n = wpa_rows_count(rows);
    patch->has_more_rivals = n > RIVALS_MAX;
    n = n > RIVALS_MAX ? RIVALS_MAX : n;
    wpa_test_rival *rivals = wpa_arena_array(arena, n + 1, sizeof *rivals);
    for (size_t i = 0; i < n; i++) {
        const wpa_json *edits = parse(wpa_rows_text(rows, i, 9), arena, err);
        rivals[i] = (wpa_test_rival){.patch_id = wpa_rows_int(rows, i, 0),
                                     .name = wpa_rows_dup(rows, i, 1, arena),
                                     .state = wpa_rows_dup(rows, i, 2, arena),
                                     .deployment = wpa_rows_dup(rows, i, 3, arena),
                                     .repository_id = wpa_rows_int(rows, i, 4),
                                     .ref = wpa_rows_dup(rows, i, 5, arena),
                                     .path = wpa_rows_dup(rows, i, 6, arena),
                                     .before_oid = wpa_rows_dup(rows, i, 7, arena),
                                     .after_oid = wpa_rows_dup(rows, i, 8, arena)};
        if (!edits || !wpa_test_edits_read(edits, arena, &rivals[i].edits, err)) {
            return wpa_error_within(err, "edits of p-%lld", (long long)rivals[i].patch_id);
        }
    }
    patch->rivals = rivals;
    patch->n_rivals = n;
    return true;
}

wpa_test_loaded *wpa_test_load(wpa_db *db, int64_t patch_id, wpa_arena *arena, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(patch_id, id)};
    wpa_test_loaded *loaded = wpa_arena_alloc(arena, sizeof *loaded);
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_TESTING_PATCH, params, 1, err);
    if (!rows) {
        return NULL;
    }
    if (wpa_rows_count(rows) == 0) {
        WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no patch p-%s", id);
        return NULL;
    }
    wpa_default_config config;
    bool is_read = read_patch(rows, loaded, arena, err) &&
                   wpa_default_config_read(db, arena, &config, err) &&
                   read_findings(db, id, &loaded->patch, arena, err) &&
                   read_files(db, id, &loaded->patch, arena, err) &&
                   read_callers(db, &loaded->patch, arena, err) &&
                   read_upstreams(db, &loaded->patch, arena, err) &&
                   read_rivals(db, id, &loaded->patch, arena, err);
    loaded->patch.fleet_config = is_read ? config.content : NULL;
    return is_read ? loaded : NULL;
}

/* ---- what lies around ---- */

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const wpa_surroundings *look_around(const wpa_test_target *target, wpa_arena *arena)
{
    wpa_git_entries entries = {0};
    wpa_error ignored = {0}; /* unknown surroundings: rules that need them stay silent */
    wpa_surroundings *around = wpa_arena_alloc(arena, sizeof *around);
    *around = (wpa_surroundings){.repository = target->repository,
                                 .owner = *target->owner ? target->owner : NULL,
                                 .default_branch = *target->branch ? target->branch : NULL};
    if (!wpa_git_tree_list(target->git, target->base_commit, "", true, TREE_MAX_ENTRIES, arena,
                           &entries, &ignored)) {
        return around;
    }
    const char **paths = wpa_arena_array(arena, entries.n + 1, sizeof *paths);
    for (size_t i = 0; i < entries.n; i++) {
        paths[i] = entries.items[i].path;
    }
    if (entries.n > 1) {
        qsort(paths, entries.n, sizeof *paths, compare_paths);
    }
    around->paths = paths;
    around->n_paths = entries.n;
    around->has_paths = true;
    return around;
}

/** The same with the files that the patch adds, and without those that it takes away. */
static const wpa_surroundings *look_around_after(const wpa_test_patch *patch,
                                                 const wpa_test_target *target, wpa_arena *arena)
{
    wpa_surroundings *around = wpa_arena_dup(arena, target->around, sizeof *around);
    const char **paths =
        wpa_arena_array(arena, around->n_paths + patch->n_files + 1, sizeof *paths);
    wpa_map *gone = wpa_map_new(arena);
    size_t n = 0;
    for (size_t i = 0; i < patch->n_files; i++) {
        const wpa_test_file *file = &patch->files[i];
        if (file->target != target) {
            continue;
        }
        if (!file->after.bytes) {
            wpa_map_put(gone, file->path, gone);
        } else if (!file->before.bytes) {
            paths[n++] = file->path;
        }
    }
    for (size_t i = 0; i < around->n_paths; i++) {
        if (!wpa_map_has(gone, around->paths[i])) {
            paths[n++] = around->paths[i];
        }
    }
    if (n > 1) {
        qsort(paths, n, sizeof *paths, compare_paths);
    }
    around->paths = paths;
    around->n_paths = n;
    return around;
}

/** The repository's own wpa.yml over the fleet's, as its analysis reads them. */
static const wpa_settings *read_settings(const wpa_test_target *target, const char *fleet_config,
                                         int64_t now_us, wpa_arena *arena)
{
    static const char *const paths[] = {"wpa.yml", ".wpa.yml", ".github/wpa.yml"};
    wpa_settings *settings =
        wpa_default_config_settings(fleet_config, WPA_PERSONA_DEFAULT, now_us, arena);
    for (size_t i = 0; i < WPA_COUNT(paths); i++) {
        wpa_error ignored = {0}; /* one that cannot be read is as good as none */
        wpa_git_entry entry;
        size_t size_bytes = 0;
        if (!wpa_git_tree_find(target->git, target->base_commit, paths[i], arena, &entry,
                               &ignored) ||
            entry.kind != WPA_GIT_FILE) {
            continue;
        }
        const char *text = wpa_git_blob_read(target->git, entry.oid, WPA_CONFIG_MAX_BYTES, arena,
                                             &size_bytes, &ignored);
        if (text && !wpa_config_read(paths[i], text, size_bytes, settings, arena, &ignored)) {
            return wpa_default_config_settings(fleet_config, WPA_PERSONA_DEFAULT, now_us, arena);
        }
        return settings;
    }
    return settings;
}

void wpa_test_open_targets(wpa_test_patch *patch, const char *cache_folder, int64_t now_us,
                           wpa_arena *arena)
{
    for (size_t i = 0; i < patch->n_targets; i++) {
        wpa_test_target *target = &patch->targets[i];
        wpa_error err = {0};
        char text[1100];
        target->git = wpa_git_reach(target->url, target->branch, cache_folder, NETWORK_MS, &err);
        if (!target->git) {
            target->git_trouble = wpa_arena_text(arena, wpa_error_text(&err, text, sizeof text));
            continue;
        }
        target->around = look_around(target, arena);
        target->around_after = look_around_after(patch, target, arena);
        target->settings = read_settings(target, patch->fleet_config, now_us, arena);
    }
}

void wpa_test_close_targets(wpa_test_patch *patch)
{
    for (size_t i = 0; i < patch->n_targets; i++) {
        if (patch->targets[i].git) {
            wpa_git_close(patch->targets[i].git);
            patch->targets[i].git = NULL;
        }
    }
    for (size_t i = 0; i < patch->n_upstreams; i++) {
        if (patch->upstreams[i].git) {
            wpa_git_close(patch->upstreams[i].git);
            patch->upstreams[i].git = NULL;
        }
    }
}
