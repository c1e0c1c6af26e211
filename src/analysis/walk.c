/* Finding what wpa reads in a folder, repository by repository. */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "analysis/unit.h"

#define IGNORE_FILE_MAX_BYTES ((size_t)256 * 1024)

/* A folder on its way through the tree. */
typedef struct walk {
    wpa_tree *tree;
    wpa_unit *unit;
    const char *root;   /* real path, for telling what lies outside */
    const char **paths; /* [n_paths] of the whole repository, relative to it */
    size_t n_paths, capacity;
    const char *folder;     /* of the repository, as shown */
    const char *root_shown; /* the root's path as shown, with a slash behind, or "" */
    bool is_repository;     /* the root lies in one, or is one */
    size_t skip;            /* bytes of the shown path in front of what is repository-relative */
    bool has_git;
    wpa_git *git;          /* knows what is ignored; opened when something may be */
    const char **suspects; /* [n_suspects] last parts of the patterns in files of ignores */
    size_t n_suspects, suspects_capacity;
    bool is_below_suspect; /* inside a folder that a pattern names */
} walk;

static bool is_below(const char *path, const char *root)
{
    size_t length = strlen(root);
    return strncmp(path, root, length) == 0 &&
           (path[length] == '/' || path[length] == '\0' || (length && root[length - 1] == '/'));
}

/** A symlink: read if it is a file that stays inside; never followed into a folder. */
static bool can_follow(walk *w, const char *path, bool is_input, struct stat *status)
{
    const char *target = wpa_tree_real_path(path, w->unit->arena);
    bool is_file = target && stat(target, status) == 0 && S_ISREG(status->st_mode);
    bool is_outside = target && !is_below(target, w->root);
    if (is_outside && (is_input || strstr(path, ".github"))) {
        wpa_tree_note(w->tree, path, "is a symlink out of the tree and was not followed");
    } else if (!target && is_input) {
        wpa_tree_note_unreadable(w->tree, path, "is a symlink to nothing");
    }
    return is_file && !is_outside;
}

/* ---- what git ignores ----
 * Git itself is asked, which is right and slow, and only about what a pattern's last part names: a
 * pattern that does not name a path cannot ignore it. */

static void add_suspect(walk *w, const char *line, size_t length)
{
    static const char *const tails[] = {"/", "/*", "/**"};
    const char *copy = wpa_arena_slice(w->unit->arena, line, length);
    for (size_t i = 0; i < WPA_COUNT(tails); i++) {
        while (wpa_text_ends(copy, tails[i])) {
            copy = wpa_arena_slice(w->unit->arena, copy, strlen(copy) - strlen(tails[i]));
        }
    }
    const char *slash = strrchr(copy, '/');
    w->suspects = wpa_arena_grow(w->unit->arena, w->suspects, w->n_suspects, &w->suspects_capacity,
                                 sizeof *w->suspects);
    w->suspects[w->n_suspects++] = slash ? slash + 1 : copy;
}

static void read_suspects(walk *w, const char *path)
{
    wpa_error err = {0};
    size_t size_bytes;
    const char *at = wpa_file_read(path, IGNORE_FILE_MAX_BYTES, w->unit->arena, &size_bytes, &err);
    while (at && *at) {
        size_t length = strcspn(at, "\r\n"), used = length;
        while (used && strchr(" \t", at[used - 1])) {
            used--;
        }
        if (used && *at != '#') {
            add_suspect(w, at, used);
        }
        at += length;
        at += strspn(at, "\r\n");
    }
}

static bool is_suspect(const walk *w, const char *name)
{
    for (size_t i = 0; i < w->n_suspects; i++) {
        if (fnmatch(w->suspects[i], name, 0) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_ignored(walk *w, const char *identity, bool is_folder)
{
    const char *slash = strrchr(identity, '/');
    wpa_error err = {0};
    if (!w->has_git || !(w->is_below_suspect || is_suspect(w, slash ? slash + 1 : identity))) {
        return false;
    }
    if (!w->git) {
        w->git = wpa_tree_open_git(w->tree, *w->folder ? w->folder : ".", &err);
        w->has_git = w->git != NULL; /* what is no repository ignores nothing */
    }
    const char *asked = is_folder ? wpa_arena_printf(w->unit->arena, "%s/", identity) : identity;
    return w->git && wpa_git_is_ignored(w->git, asked);
}

static bool visit_file(walk *w, const char *path, struct stat *status, wpa_error *err)
{
    const char *identity = path + w->skip;
    bool is_symlink = S_ISLNK(status->st_mode);
    wpa_input_kind kind;
    /* By the real path: within .github/workflows the shown one does not tell. */
    const char *real = wpa_path_join(w->unit->arena, w->root, path + strlen(w->root_shown));
    bool is_input = wpa_input_of_path(real, &kind);
    w->paths = wpa_arena_grow(w->unit->arena, w->paths, w->n_paths, &w->capacity, sizeof *w->paths);
    w->paths[w->n_paths++] = identity;
    if ((is_symlink && !can_follow(w, path, is_input, status)) || !is_input ||
        wpa_tree_excludes(w->tree, w->unit->settings, identity) || is_ignored(w, identity, false)) {
        return true;
    }
    wpa_unit_file *file =
        wpa_unit_add(w->tree, w->unit, path, identity, kind, (size_t)status->st_size, err);
    if (file) {
        file->stamp = wpa_stamp_of(status);
        file->has_stamp = true;
    }
    return file != NULL;
}

static bool walk_folder(walk *w, const char *path, int depth, wpa_error *err);

/** A folder inside; below one that a pattern names, everything is asked about. */
static bool visit_folder(walk *w, const char *path, const char *name, int depth, wpa_error *err)
{
    if (wpa_text_is(name, ".git") || wpa_text_is(name, "node_modules") ||
        is_ignored(w, path + w->skip, true)) {
        return true;
    }
    bool was_below = w->is_below_suspect;
    w->is_below_suspect = was_below || is_suspect(w, name);
    bool ok = walk_folder(w, path, depth + 1, err);
    w->is_below_suspect = was_below;
    return ok;
}

static bool visit(walk *w, const char *folder, const char *name, int depth, wpa_error *err)
{
    wpa_arena *arena = w->unit->arena;
    const char *path = *folder ? wpa_path_join(arena, folder, name) : wpa_arena_text(arena, name);
    struct stat status;
    if (lstat(path, &status) != 0) {
        return true; /* gone since the folder was read */
    }
    if (S_ISDIR(status.st_mode)) {
        return visit_folder(w, path, name, depth, err);
    }
    wpa_input_kind kind;
    if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
        if (wpa_input_of_path(path, &kind)) { /* opening may hang */
            wpa_tree_note_unreadable(w->tree, path, "is neither a file nor a folder");
        }
        return true;
    }
    return visit_file(w, path, &status, err);
}

/** Text of a neighbour, on disk; context is the path in front of repository-relative ones. */
static const char *read_beside(void *context, const char *path, size_t max_bytes, wpa_arena *arena,
                               size_t *size_bytes)
{
    wpa_error err = {0};
    const char *prefix = context;
    return wpa_file_read(wpa_arena_printf(arena, "%s%s", prefix, path), max_bytes, arena,
                         size_bytes, &err);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/** In a fleet repositories are told apart by their folders. */
static const char *name_of(const walk *w)
{
    const char *real = wpa_tree_real_path(*w->folder ? w->folder : ".", w->unit->arena);
    const char *slash = real ? strrchr(real, '/') : NULL;
    return slash && slash[1] ? slash + 1 : w->folder;
}

static bool close_walk(walk *w, wpa_error *err)
{
    wpa_surroundings *around = &w->unit->around;
    if (w->tree->options->is_fleet && around->has_paths && w->root) {
        around->repository = name_of(w);
    }
    if (w->n_paths) {
        qsort(w->paths, w->n_paths, sizeof *w->paths, compare_texts);
    }
    around->paths = w->paths;
    around->n_paths = w->n_paths;
    around->read = read_beside;
    around->read_context = (void *)(uintptr_t)around->prefix;
    w->unit->has_graph = around->has_paths;
    wpa_git_close(w->git);
    return wpa_unit_close(w->tree, w->unit, err);
}

static bool holds(walk *w, const char *folder, const char *name)
{
    return wpa_path_exists(wpa_path_join(w->unit->arena, *folder ? folder : ".", name));
}

/**
 * Is a folder on the way a repository of its own? A clone is; a folder with .github is, where what
 * was given is none itself (a folder of many repositories without their histories).
 */
static bool is_repository(walk *w, const char *path)
{
    return holds(w, path, ".git") || (!w->is_repository && holds(w, path, ".github"));
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/** Names in a folder, sorted, so that a walk is the same everywhere. */
static const char **list_names(DIR *folder, wpa_arena *arena, size_t *n)
{
    const char **names = NULL;
    size_t capacity = 0;
    struct dirent *entry;
    *n = 0;
    /* One reader of this stream; glibc's readdir is safe between different streams. */
    while ((entry = readdir(folder))) { /* NOLINT(concurrency-mt-unsafe) */
        if (!wpa_text_is(entry->d_name, ".") && !wpa_text_is(entry->d_name, "..")) {
            names = wpa_arena_grow(arena, names, *n, &capacity, sizeof *names);
            names[(*n)++] = wpa_arena_text(arena, entry->d_name);
        }
    }
    if (*n) {
        qsort(names, *n, sizeof *names, compare_names);
    }
    return names;
}

static bool list_folder(walk *w, const char *path, int depth, wpa_error *err)
{
    if (depth > WPA_TREE_MAX_DEPTH || w->n_paths > WPA_TREE_MAX_FILES) {
        wpa_tree_note(w->tree, path, "is too deep or too full and was left out");
        w->unit->around.has_paths = false;
        return true;
    }
    DIR *folder = opendir(*path ? path : ".");
    if (!folder) {
        wpa_tree_note_unreadable(w->tree, *path ? path : ".", wpa_strerror(errno));
        w->unit->around.has_paths = false;
        return true;
    }
    size_t n;
    const char **names = list_names(folder, w->unit->arena, &n);
    (void)closedir(folder);
    bool ok = true;
    static const char ignores[] = ".gitignore";
    const char *key = ignores;
    if (w->has_git && n && bsearch(&key, names, n, sizeof *names, compare_names)) {
        read_suspects(w, *path ? wpa_path_join(w->unit->arena, path, ignores) : ignores);
    }
    for (size_t i = 0; ok && i < n; i++) {
        ok = visit(w, path, names[i], depth, err);
    }
    return ok;
}

/** Settings and what git knows of the repository in a folder. */
static bool open_walk(walk *w, const char *folder, wpa_error *err)
{
    const wpa_tree_options *options = w->tree->options;
    w->unit->settings = options->settings;
    w->folder = folder;
    if (options->configure) {
        w->unit->settings = options->configure(options->context, folder, w->unit->arena, err);
    }
    if (w->is_repository && holds(w, folder, ".git")) {
        w->has_git = true;
        read_suspects(w,
                      wpa_path_join(w->unit->arena, *folder ? folder : ".", ".git/info/exclude"));
    }
    const char *real =
        options->cache ? wpa_tree_real_path(*folder ? folder : ".", w->unit->arena) : NULL;
    w->unit->stamps = real ? wpa_stamps_open(options->cache, real, w->unit->arena) : NULL;
    return w->unit->settings != NULL;
}

static bool walk_inner(walk *outer, const char *path, int depth, wpa_error *err)
{
    walk w = {.tree = outer->tree, .root = outer->root, .is_repository = true};
    w.unit = wpa_unit_new();
    w.root = wpa_arena_text(w.unit->arena, outer->root);
    w.root_shown = wpa_arena_text(w.unit->arena, outer->root_shown);
    w.unit->around.prefix = wpa_arena_printf(outer->tree->arena, "%s/", path);
    w.unit->around.has_paths = true;
    w.skip = strlen(w.unit->around.prefix);
    if (!open_walk(&w, path, err) || !list_folder(&w, path, depth, err)) {
        wpa_git_close(w.git);
        wpa_unit_free(w.unit);
        return false;
    }
    return close_walk(&w, err);
}

static bool walk_folder(walk *w, const char *path, int depth, wpa_error *err)
{
    return depth == 0 || !is_repository(w, path) ? list_folder(w, path, depth, err)
                                                 : walk_inner(w, path, depth, err);
}

/**
 * A folder inside a repository is shown as given, and known by its place in the repository only if
 * that is what was given: otherwise kinds could not be told by their paths.
 */
static void set_prefix(walk *w, const char *path)
{
    wpa_arena *arena = w->tree->arena;
    wpa_surroundings *around = &w->unit->around;
    const char *repository = w->root ? wpa_tree_root(path, w->unit->arena) : NULL;
    w->skip = strlen(w->root_shown);
    w->is_repository = repository || holds(w, path, ".github");
    if (repository && !w->tree->options->is_root && !wpa_text_is(repository, w->root)) {
        w->skip = 0;
    }
    around->prefix = wpa_arena_slice(arena, w->root_shown, w->skip);
    around->has_paths = w->skip == strlen(w->root_shown);
}

bool wpa_walk(wpa_tree *tree, const char *path, wpa_error *err)
{
    bool is_here = wpa_text_is(path, ".");
    walk w = {.tree = tree, .unit = wpa_unit_new()};
    const char *folder = is_here ? "" : path;
    w.root = wpa_tree_real_path(path, w.unit->arena);
    w.root_shown =
        is_here ? ""
                : wpa_arena_printf(tree->arena, "%s%s", path, wpa_text_ends(path, "/") ? "" : "/");
    set_prefix(&w, path);
    if (!w.root) {
        wpa_tree_note_unreadable(tree, path, wpa_strerror(errno));
        wpa_unit_free(w.unit);
        return true;
    }
    if (!open_walk(&w, folder, err) || !walk_folder(&w, folder, 0, err)) {
        wpa_git_close(w.git);
        wpa_unit_free(w.unit);
        return false;
    }
    return close_walk(&w, err);
}
