#include "analysis/tree.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "analysis/key.h"
#include "analysis/unit.h"
#include "core/large.h"
#include "core/paged.h"

/* Units wait for each other until they are this much: enough for every thread to have its share. */
#define GROUP_FILES 256
/* Groups that share GROUP_BYTES: with more threads there is more memory. */
#define GROUPS_MAX 4
#define GROUP_BYTES ((size_t)256 * 1024)
/* Definitions of a fleet that are held together. */
#define FLEET_FILES_MAX 20000
#define REVISION_MAX_ENTRIES 500000
#define THREADS_MAX 64

/* ---- paths ---- */

const char *wpa_tree_real_path(const char *path, wpa_arena *arena)
{
    char resolved[PATH_MAX];
    return realpath(path, resolved) ? wpa_arena_text(arena, resolved) : NULL;
}

const char *wpa_tree_root(const char *path, wpa_arena *arena)
{
    const char *at = wpa_tree_real_path(path, arena);
    while (at) {
        if (wpa_path_exists(wpa_path_join(arena, at, ".git"))) {
            return at;
        }
        const char *slash = strrchr(at, '/');
        at = slash && at[1] ? wpa_arena_slice(arena, at, slash == at ? 1 : (size_t)(slash - at))
                            : NULL;
    }
    return NULL;
}

/** Without "./" in front and slashes behind. */
static const char *tidy(const char *argument, wpa_arena *arena)
{
    while (wpa_text_starts(argument, "./") && argument[2]) {
        argument += 2 + strspn(argument + 2, "/");
    }
    size_t length = strlen(argument);
    while (length > 1 && argument[length - 1] == '/') {
        length--;
    }
    return wpa_arena_slice(arena, argument, length);
}

/* ---- notes ---- */

void wpa_tree_note(wpa_tree *tree, const char *path, const char *text)
{
    tree->notes = wpa_arena_grow(tree->arena, tree->notes, tree->n_notes, &tree->notes_capacity,
                                 sizeof *tree->notes);
    tree->notes[tree->n_notes++] = (wpa_note){
        .path = wpa_arena_text(tree->arena, path),
        .text = wpa_arena_text(tree->arena, text),
    };
}

void wpa_tree_note_unreadable(wpa_tree *tree, const char *path, const char *text)
{
    wpa_tree_note(tree, path, text);
    tree->n_unreadable++;
}

const wpa_note *wpa_tree_notes(const wpa_tree *tree, size_t *n)
{
    *n = tree->n_notes;
    return tree->notes;
}

size_t wpa_tree_count_unreadable(const wpa_tree *tree)
{
    return tree->n_unreadable;
}

wpa_git *wpa_tree_open_git(wpa_tree *tree, const char *path, wpa_error *err)
{
    tree->has_git = tree->has_git || wpa_git_init(err);
    return tree->has_git ? wpa_git_open_to_read(path, err) : NULL;
}

/* ---- units ---- */

wpa_unit *wpa_unit_new(void)
{
    wpa_unit *unit = wpa_alloc(sizeof *unit);
    unit->arena = wpa_arena_new_large();
    (void)pthread_mutex_init(&unit->lock, NULL);
    return unit;
}

void wpa_unit_free(wpa_unit *unit)
{
    if (!unit) {
        return;
    }
    for (size_t i = 0; i < unit->n_files; i++) {
        wpa_arena_free(unit->files[i]->arena);
        wpa_free(unit->files[i]->result);
    }
    for (wpa_records *records = unit->records; records; records = records->next) {
        wpa_arena_free(records->arena);
    }
    wpa_shelf_free(unit->shelf);
    wpa_git_close(unit->git);
    (void)pthread_mutex_destroy(&unit->lock);
    wpa_arena_free(unit->arena);
    wpa_free(unit);
}

void wpa_unit_put_result(wpa_tree *tree, wpa_unit_file *file)
{
    const wpa_unit_result *result = file->result;
    if (result) {
        wpa_results_put(tree->results, file->shown.path, file->unit->around.prefix, file->identity,
                        result->packed, result->size_bytes, &result->counts);
        wpa_free(file->result);
        file->result = NULL;
    }
}

void wpa_unit_put_early(wpa_tree *tree, wpa_unit_file *file)
{
    const wpa_tree_options *options = tree->options;
    if (options->fixes || options->outside) {
        return;
    }
    if (options->baseline) {
        wpa_key_complete(options, file);
    }
    wpa_unit_put_result(tree, file);
}

wpa_unit_file *wpa_unit_add_beside(wpa_tree *tree, wpa_unit *unit, const char *path,
                                   const char *identity, wpa_input_kind kind, size_t size_bytes)
{
    wpa_unit_file *file = wpa_arena_alloc(unit->arena, sizeof *file);
    file->is_twice = true;
    file->shown.path = wpa_arena_text(tree->arena, path);
    file->shown.kind = kind;
    file->shown.size_bytes = size_bytes;
    file->shown.settings = unit->settings;
    file->shown.fixed =
        tree->options->fixes ? wpa_arena_alloc(unit->arena, sizeof *file->shown.fixed) : NULL;
    file->identity = wpa_text_ends(path, identity)
                         ? file->shown.path + strlen(path) - strlen(identity)
                         : wpa_arena_text(unit->arena, identity);
    file->unit = unit;
    unit->files = wpa_arena_grow(unit->arena, unit->files, unit->n_files, &unit->capacity,
                                 sizeof *unit->files);
    unit->files[unit->n_files++] = file;
    unit->size_bytes += size_bytes;
    wpa_paged_relax();
    return file;
}

wpa_unit_file *wpa_unit_add(wpa_tree *tree, wpa_unit *unit, const char *path, const char *identity,
                            wpa_input_kind kind, size_t size_bytes, wpa_error *err)
{
    if (tree->n_files >= WPA_TREE_MAX_FILES) {
        (void)WPA_FAIL(err, WPA_E_LIMIT, "more than %d files", WPA_TREE_MAX_FILES);
        return NULL;
    }
    wpa_unit_file *file = wpa_unit_add_beside(tree, unit, path, identity, kind, size_bytes);
    file->is_twice = wpa_map_has(tree->seen, path);
    wpa_map_put_borrowed(tree->seen, file->shown.path, tree);
    tree->n_files += !file->is_twice;
    return file;
}

static void run_waiting(wpa_tree *tree)
{
    wpa_group_run(tree, tree->waiting);
    tree->waiting = NULL;
    tree->last = &tree->waiting;
    tree->n_waiting = tree->waiting_bytes = 0;
}

bool wpa_unit_close(wpa_tree *tree, wpa_unit *unit, wpa_error *err)
{
    (void)err;
    if (unit->n_files == 0) {
        wpa_unit_free(unit);
        return true;
    }
    bool is_whole = tree->options->is_fleet && !tree->is_split;
    size_t max_bytes = GROUP_BYTES / tree->n_groups_at_once;
    if (!is_whole && tree->waiting_bytes + unit->size_bytes > max_bytes && tree->waiting) {
        run_waiting(tree);
    }
    *tree->last = unit;
    tree->last = &unit->next;
    tree->n_waiting += unit->n_files;
    tree->waiting_bytes += unit->size_bytes;
    if (is_whole && tree->n_waiting >= FLEET_FILES_MAX) { /* then nobody sees all of it */
        tree->is_split = true;
        is_whole = false;
    }
    if (!is_whole && (tree->n_waiting >= GROUP_FILES || tree->waiting_bytes >= max_bytes)) {
        run_waiting(tree);
    }
    return true;
}

/* ---- what is left out ---- */

bool wpa_tree_excludes(wpa_tree *tree, const wpa_settings *settings, const char *path)
{
    for (size_t i = 0; i < settings->n_exclude; i++) {
        if (wpa_glob_fits(settings->exclude[i], path)) {
            if (!wpa_map_has(tree->excluded, settings->exclude[i])) {
                wpa_map_put(tree->excluded, settings->exclude[i], tree);
            }
            return true;
        }
    }
    return false;
}

bool wpa_tree_has_excluded(const wpa_tree *tree, const char *glob)
{
    return wpa_map_has(tree->excluded, glob);
}

/* ---- trees of git ---- */

/* Where a neighbour's text comes from: the tree of one commit. */
typedef struct revision {
    wpa_unit *unit;
    char commit[WPA_OID_SIZE];
} revision;

/** Text of a neighbour in it. */
static const char *read_in_revision(void *context, const char *path, size_t max_bytes,
                                    wpa_arena *arena, size_t *size_bytes)
{
    const revision *at = context;
    wpa_git_entry entry;
    wpa_error err = {0};
    (void)pthread_mutex_lock(&at->unit->lock);
    bool is_file = wpa_git_tree_find(at->unit->git, at->commit, path, arena, &entry, &err) &&
                   (entry.kind == WPA_GIT_FILE || entry.kind == WPA_GIT_EXECUTABLE);
    const char *text =
        is_file ? wpa_git_blob_read(at->unit->git, entry.oid, max_bytes, arena, size_bytes, &err)
                : NULL;
    (void)pthread_mutex_unlock(&at->unit->lock);
    return text;
}

static bool is_in(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return !length ||
           (strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0'));
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool take_entries(wpa_tree *tree, wpa_unit *unit, const wpa_git_entries *entries,
                         const char *folder, wpa_error *err)
{
    const char **paths = wpa_arena_array(unit->arena, entries->n + 1, sizeof *paths);
    for (size_t i = 0; i < entries->n; i++) {
        const wpa_git_entry *entry = &entries->items[i];
        wpa_input_kind kind;
        bool is_file = entry->kind == WPA_GIT_FILE || entry->kind == WPA_GIT_EXECUTABLE;
        paths[i] = entry->path;
        if (!is_file || !wpa_input_of_path(entry->path, &kind) || !is_in(entry->path, folder) ||
            wpa_tree_excludes(tree, unit->settings, entry->path)) {
            continue;
        }
        const char *shown = wpa_arena_printf(unit->arena, "%s%s", unit->around.prefix, entry->path);
        size_t size_bytes = 0;
        wpa_error why = {0};
        (void)!wpa_git_blob_size(unit->git, entry->oid, &size_bytes, &why);
        wpa_unit_file *file = wpa_unit_add(tree, unit, shown, entry->path, kind, size_bytes, err);
        if (!file) {
            return false;
        }
        file->shown.oid = entry->oid;
    }
    qsort(paths, entries->n, sizeof *paths, compare_texts);
    unit->around.paths = paths;
    unit->around.n_paths = entries->n;
    unit->around.has_paths = unit->has_graph = true;
    return true;
}

static bool open_revision(wpa_tree *tree, wpa_unit *unit, const char *root, const char *name,
                          const char *folder, wpa_error *err)
{
    revision *at = wpa_arena_alloc(unit->arena, sizeof *at);
    wpa_git_entries entries = {0};
    at->unit = unit;
    unit->settings = tree->options->settings;
    unit->around.prefix = wpa_arena_printf(tree->arena, "%s:", name);
    unit->around.read = read_in_revision;
    unit->around.read_context = at;
    unit->git = wpa_tree_open_git(tree, root, err);
    return unit->git && wpa_git_revision_find(unit->git, name, at->commit, err) &&
           wpa_git_tree_list(unit->git, at->commit, "", true, REVISION_MAX_ENTRIES, unit->arena,
                             &entries, err) &&
           take_entries(tree, unit, &entries, folder, err);
}

bool wpa_tree_add_revision(wpa_tree *tree, const char *root, const char *revision_name,
                           const char *folder, wpa_error *err)
{
    wpa_unit *unit = wpa_unit_new();
    if (!open_revision(tree, unit, root, revision_name, folder, err)) {
        wpa_unit_free(unit);
        return false;
    }
    return wpa_unit_close(tree, unit, err);
}

/** "REVISION:PATH" of the repository around the current folder; what it names may not be there. */
static bool add_revision(wpa_tree *tree, const char *argument, wpa_error *err)
{
    const char *colon = strchr(argument, ':');
    const char *root = wpa_tree_root(".", tree->arena);
    const char *name = wpa_arena_slice(tree->arena, argument, (size_t)(colon - argument));
    const char *folder = tidy(wpa_text_is(colon + 1, ".") ? "" : colon + 1, tree->arena);
    size_t n_before = tree->n_files;
    wpa_error why = {0};
    if (!root) {
        wpa_tree_note_unreadable(tree, argument, "there is no git repository here");
    } else if (!wpa_tree_add_revision(tree, root, name, folder, &why)) {
        if (why.code == WPA_E_LIMIT) {
            *err = why;
            return false;
        }
        wpa_tree_note_unreadable(tree, argument, why.message);
    } else if (tree->n_files == n_before && *folder) {
        wpa_tree_note_unreadable(tree, argument, "holds nothing that wpa reads");
    }
    return true;
}

/* ---- the whole ---- */

static size_t choose_threads(size_t n_threads)
{
    long n_cores = sysconf(_SC_NPROCESSORS_ONLN);
    n_threads = n_threads ? n_threads : n_cores > 0 ? (size_t)n_cores : 1;
    return n_threads < THREADS_MAX ? n_threads : THREADS_MAX;
}

wpa_tree *wpa_tree_new(const wpa_tree_options *options)
{
    wpa_tree *tree = wpa_alloc(sizeof *tree);
    tree->options = options;
    tree->arena = wpa_arena_new_large();
    tree->results = wpa_results_new();
    tree->seen = wpa_map_new(tree->arena);
    tree->excluded = wpa_map_new(tree->arena);
    tree->folders = wpa_map_new(tree->arena);
    tree->roots = wpa_map_new(tree->arena);
    tree->named = wpa_map_new(tree->arena);
    tree->last = &tree->waiting;
    size_t n_threads = choose_threads(options->n_threads);
    tree->pool = wpa_pool_new(n_threads);
    tree->n_groups_at_once = n_threads < GROUPS_MAX ? n_threads : GROUPS_MAX;
    tree->last_group = &tree->groups;
    (void)pthread_mutex_init(&tree->batch_lock, NULL);
    if (options->cache) { /* once for all: there may be thousands of repositories */
        wpa_settings_digest(options->settings, tree->settings_digest);
    }
    return tree;
}

void wpa_tree_free(wpa_tree *tree)
{
    if (!tree) {
        return;
    }
    wpa_groups_free(tree);
    (void)pthread_mutex_destroy(&tree->batch_lock);
    while (tree->waiting) {
        wpa_unit *next = tree->waiting->next;
        wpa_unit_free(tree->waiting);
        tree->waiting = next;
    }
    if (tree->has_git) {
        wpa_git_shutdown();
    }
    wpa_results_free(tree->results);
    wpa_arena_free(tree->arena);
    wpa_free(tree);
}

bool wpa_tree_add(wpa_tree *tree, const char *argument, wpa_error *err)
{
    if (wpa_text_is(argument, "-")) {
        return wpa_stdin_add(tree, err);
    }
    const char *path = tidy(argument, tree->arena);
    wpa_named_status status;
    if (!wpa_named_look(path, &status)) {
        if (strchr(argument, ':') && *argument != ':') {
            return add_revision(tree, argument, err);
        }
        wpa_tree_note_unreadable(tree, path, wpa_strerror(errno));
        return true;
    }
    if (status.is_folder) {
        return wpa_walk(tree, path, err);
    }
    if (!status.is_file) {
        wpa_tree_note_unreadable(tree, path, "is neither a file nor a folder");
        return true;
    }
    return wpa_named_add(tree, path, &status, err);
}

bool wpa_tree_finish(wpa_tree *tree, wpa_error *err)
{
    bool ok = wpa_named_finish(tree, err);
    run_waiting(tree);
    wpa_groups_finish(tree);
    wpa_results_close(tree->results);
    return ok;
}

wpa_results *wpa_tree_results(wpa_tree *tree)
{
    return tree->results;
}
