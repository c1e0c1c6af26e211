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

typedef wpa_seen_entry entry;
typedef wpa_seen_listing listing;

/* A folder on its way through the tree. */
typedef struct walk {
    wpa_tree *tree;
    wpa_unit *unit;
    const char *root;   /* real path, for telling what lies outside */
    const char *real;   /* of the repository's folder */
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
    const char *only;      /* what is reported, by its path in the repository; NULL: all of it, */
    const wpa_tree_named *named; /* or only these files; NULL: whatever there is */
    size_t n_beside;             /* of the paths, what is not reported */
} walk;

/** Real path of what the walk has come to: no folder on the way there is a symlink. */
static const char *real_of(const walk *w, const char *path)
{
    return wpa_path_join(w->unit->arena, w->root, path + strlen(w->root_shown));
}

static bool is_below(const char *path, const char *root)
{
    size_t length = strlen(root);
    return strncmp(path, root, length) == 0 &&
           (path[length] == '/' || path[length] == '\0' || (length && root[length - 1] == '/'));
}

/** What is not reported, but belongs to the repository of what is. */
static bool is_beside(const walk *w, const char *identity)
{
    return w->named ? !wpa_map_has(w->named->files, identity)
                    : w->only && !is_below(identity, w->only);
}

/** Is what is reported reached through this folder? */
static bool leads_there(const walk *w, const char *identity)
{
    return w->only && (!*identity || is_below(w->only, identity));
}

/** A symlink: read if it is a file that stays inside; never followed into a folder. */
static bool can_follow(walk *w, const char *path, bool is_input, struct stat *status)
{
    const char *target = wpa_tree_real_path(path, w->unit->arena);
    bool is_file = target && stat(target, status) == 0 && S_ISREG(status->st_mode);
    bool is_outside = target && !is_below(target, w->root);
    bool is_told = is_input || strstr(path, ".github");
    if (is_told) {
        wpa_seen_link(w->tree->options->seen, path, target);
    }
    if (is_beside(w, path + w->skip)) {
        return is_file && !is_outside;
    }
    if (is_outside && is_told) {
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
    wpa_seen_path(w->tree->options->seen, path);
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

/** Whatever git's answers depend on besides the files of ignores in the tree. */
static void see_git(const walk *w)
{
    wpa_seen *seen = w->tree->options->seen;
    const char *const *files;
    size_t n;
    if (!seen) {
        return;
    }
    if (!w->has_git || !wpa_git_list_ignore_files(w->git, w->unit->arena, &files, &n)) {
        wpa_seen_lose(seen);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        wpa_seen_path(seen, files[i]);
    }
}

/** What is no repository ignores nothing. */
static void open_git(walk *w)
{
    wpa_error err = {0};
    const char *folder = *w->folder ? w->folder : ".";
    w->git = wpa_tree_open_git(w->tree, folder, &err);
    w->has_git = w->git && wpa_git_join_worktree(w->git, folder, &err);
    see_git(w);
}

/** Patterns that are nobody else's; a further work tree has those of its repository. */
static void read_own_suspects(walk *w)
{
    const char *inner = wpa_path_join(w->unit->arena, *w->folder ? w->folder : ".", ".git");
    if (wpa_path_is_dir(inner)) {
        read_suspects(w, wpa_path_join(w->unit->arena, inner, "info/exclude"));
        return;
    }
    wpa_seen_path(w->tree->options->seen, inner);
    open_git(w);
    if (w->has_git) {
        read_suspects(w, wpa_git_exclude_file(w->git, w->unit->arena));
    }
}

static bool is_ignored(walk *w, const char *identity, bool is_folder)
{
    const char *slash = strrchr(identity, '/');
    if (!w->has_git || !(w->is_below_suspect || is_suspect(w, slash ? slash + 1 : identity))) {
        return false;
    }
    if (!w->git) {
        open_git(w);
    }
    const char *asked = is_folder ? wpa_arena_printf(w->unit->arena, "%s/", identity) : identity;
    return w->has_git && wpa_git_is_ignored(w->git, asked);
}

/** By its real path: within .github/workflows the shown one does not tell. */
static bool is_input_at(const walk *w, const char *path, wpa_input_kind *kind)
{
    if (!wpa_text_ends(path, ".yml") && !wpa_text_ends(path, ".yaml")) {
        return false;
    }
    const wpa_arena_mark mark = wpa_arena_here(w->unit->arena);
    bool is_input = wpa_input_of_path(real_of(w, path), kind);
    wpa_arena_rewind(w->unit->arena, mark);
    return is_input;
}

static bool add_file(walk *w, const char *path, wpa_input_kind kind, const struct stat *status,
                     wpa_error *err)
{
    const char *identity = path + w->skip;
    wpa_unit_file *file =
        is_beside(w, identity)
            ? wpa_unit_add_beside(w->tree, w->unit, path, identity, kind, (size_t)status->st_size)
            : wpa_unit_add(w->tree, w->unit, path, identity, kind, (size_t)status->st_size, err);
    if (file) {
        file->stamp = wpa_stamp_of(status);
        file->has_stamp = true;
    }
    if (file && w->named) {
        wpa_map_put(w->named->taken, file->shown.path, w->tree);
    }
    return file != NULL;
}

/** Only what is read, or leads elsewhere, is looked at more closely than its folder tells. */
static bool visit_file(walk *w, const char *path, bool is_symlink, wpa_error *err)
{
    const char *identity = path + w->skip;
    wpa_input_kind kind;
    bool is_input = is_input_at(w, path, &kind);
    struct stat status;
    w->paths = wpa_arena_grow(w->unit->arena, w->paths, w->n_paths, &w->capacity, sizeof *w->paths);
    w->paths[w->n_paths++] = identity;
    w->n_beside += is_beside(w, identity);
    if ((is_symlink && !can_follow(w, path, is_input, &status)) || !is_input ||
        wpa_tree_excludes(w->tree, w->unit->settings, identity) || is_ignored(w, identity, false)) {
        return true;
    }
    if (!is_symlink && lstat(path, &status) != 0) {
        wpa_seen_lose(w->tree->options->seen);
        return true; /* gone since the folder was read */
    }
    wpa_seen_status(w->tree->options->seen, path, &status);
    return add_file(w, path, kind, &status, err);
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

/** What an entry is, by its folder, or by itself where the file system's folders do not tell. */
static unsigned char type_of(const char *path, unsigned char told)
{
    struct stat status;
    if (told != DT_UNKNOWN) {
        return told;
    }
    return lstat(path, &status) == 0 ? (unsigned char)IFTODT(status.st_mode) : DT_UNKNOWN;
}

static bool visit(walk *w, const char *folder, const entry *found, int depth, wpa_error *err)
{
    wpa_arena *arena = w->unit->arena;
    const char *path =
        *folder ? wpa_path_join(arena, folder, found->name) : wpa_arena_text(arena, found->name);
    wpa_input_kind kind;
    switch (type_of(path, found->type)) {
    case DT_UNKNOWN: /* gone since the folder was read */
        return true;
    case DT_DIR:
        return visit_folder(w, path, found->name, depth, err);
    case DT_REG:
        return visit_file(w, path, false, err);
    case DT_LNK:
        return visit_file(w, path, true, err);
    default: /* opening may hang */
        if (wpa_input_of_path(path, &kind) && !is_beside(w, path + w->skip)) {
            wpa_tree_note_unreadable(w->tree, path, "is neither a file nor a folder");
        }
        return true;
    }
}

/** Text of a neighbour, on disk; context is the unit. */
static const char *read_beside(void *context, const char *path, size_t max_bytes, wpa_arena *arena,
                               size_t *size_bytes)
{
    wpa_error err = {0};
    const wpa_unit *unit = context;
    const char *shown = wpa_arena_printf(arena, "%s%s", unit->around.prefix, path);
    wpa_seen_path(unit->seen, shown);
    return wpa_file_read(shown, max_bytes, arena, size_bytes, &err);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/** In a fleet repositories are told apart by their folders. */
static const char *name_of(const walk *w)
{
    const char *slash = strrchr(w->real, '/');
    return slash[1] ? slash + 1 : w->folder;
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
    around->read_context = w->unit;
    w->unit->has_graph = around->has_paths;
    wpa_git_close(w->git);
    return wpa_unit_close(w->tree, w->unit, err);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

static bool lists(const listing *list, const char *name)
{
    const entry key = {.name = name};
    return list->n && bsearch(&key, list->entries, list->n, sizeof key, compare_names);
}

static void see_folder(const walk *w, const char *path, const listing *list)
{
    wpa_seen *seen = w->tree->options->seen;
    uint8_t names[WPA_SEEN_NAMES_SIZE];
    if (seen) {
        wpa_seen_digest_names(list, names);
        wpa_seen_folder(seen, path, &list->status, names);
    }
}

static bool is_folder_beside(const walk *w, const char *path, int depth)
{
    const char *identity = depth ? path + w->skip : "";
    return is_beside(w, identity) && !leads_there(w, identity);
}

/** False, and a note where it is reported, if it cannot be read or leads too far. */
static bool list_folder(walk *w, const char *path, int depth, wpa_arena *arena, listing *list)
{
    bool is_silent = is_folder_beside(w, path, depth);
    size_t n_paths = is_silent ? w->n_beside : w->n_paths - w->n_beside;
    if (depth > WPA_TREE_MAX_DEPTH || n_paths > WPA_TREE_MAX_FILES) {
        if (!is_silent) {
            wpa_tree_note(w->tree, path, "is too deep or too full and was left out");
        }
        w->unit->around.has_paths = false;
        return false;
    }
    if (!wpa_seen_list(path, arena, list)) {
        if (!is_silent) {
            wpa_tree_note_unreadable(w->tree, *path ? path : ".", wpa_strerror(errno));
        }
        w->unit->around.has_paths = false;
        return false;
    }
    see_folder(w, path, list);
    return true;
}

static bool visit_all(walk *w, const char *path, const listing *list, int depth, wpa_error *err)
{
    static const char ignores[] = ".gitignore";
    bool ok = true;
    if (w->has_git && lists(list, ignores)) {
        read_suspects(w, *path ? wpa_path_join(w->unit->arena, path, ignores) : ignores);
    }
    for (size_t i = 0; ok && i < list->n; i++) {
        ok = visit(w, path, &list->entries[i], depth, err);
    }
    return ok;
}

/** Settings of what was given (NULL: those of all), and what git knows of the repository in a
 * folder. */
static bool open_walk(walk *w, const char *folder, const char *given, wpa_error *err)
{
    const wpa_tree_options *options = w->tree->options;
    w->unit->settings = options->settings;
    w->unit->seen = options->seen;
    w->folder = folder;
    if (options->configure && given) {
        w->unit->settings = options->configure(options->context, given, w->unit->arena, err);
    }
    if (w->has_git) {
        read_own_suspects(w);
    }
    w->unit->stamps =
        options->cache ? wpa_stamps_open(options->cache, w->real, w->unit->arena) : NULL;
    return w->unit->settings != NULL;
}

static bool walk_inner(walk *outer, const char *path, const listing *list, int depth,
                       wpa_error *err)
{
    walk w = {.tree = outer->tree, .is_repository = true, .has_git = lists(list, ".git")};
    w.unit = wpa_unit_new();
    w.root = wpa_arena_text(w.unit->arena, outer->root);
    w.root_shown = wpa_arena_text(w.unit->arena, outer->root_shown);
    w.real = real_of(&w, path);
    w.unit->around.prefix = wpa_arena_printf(outer->tree->arena, "%s/", path);
    w.unit->around.has_paths = true;
    w.skip = strlen(w.unit->around.prefix);
    if (!open_walk(&w, path, path, err) || !visit_all(&w, path, list, depth, err)) {
        wpa_git_close(w.git);
        wpa_unit_free(w.unit);
        return false;
    }
    return close_walk(&w, err);
}

/**
 * Is a folder on the way a repository of its own? A clone is; a folder with .github is, where what
 * was given is none itself (a folder of many repositories without their histories).
 */
static bool is_repository(const walk *w, const listing *list)
{
    return lists(list, ".git") || (!w->is_repository && lists(list, ".github"));
}

static bool walk_folder(walk *w, const char *path, int depth, wpa_error *err)
{
    listing list;
    WPA_AUTO(wpa_arena) *names = wpa_arena_new(); /* needed no longer than the folder is walked */
    if (!list_folder(w, path, depth, names, &list)) {
        return true; /* the others are walked nevertheless */
    }
    if (depth == 0 || !is_repository(w, &list)) {
        return visit_all(w, path, &list, depth, err);
    }
    return is_folder_beside(w, path, depth) || walk_inner(w, path, &list, depth, err);
}

static bool holds(const char *folder, const char *name, wpa_arena *arena)
{
    return wpa_path_exists(wpa_path_join(arena, folder, name));
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
    w->is_repository = repository || holds(path, ".github", w->unit->arena);
    w->has_git = w->is_repository && holds(path, ".git", w->unit->arena);
    if (repository && !w->tree->options->is_root && !wpa_text_is(repository, w->root)) {
        w->skip = 0;
    }
    around->prefix = wpa_arena_slice(arena, w->root_shown, w->skip);
    around->has_paths = w->skip == strlen(w->root_shown);
}

/** What a path with the folder's own place at its end leaves in front of that; NULL: it ends with
    something else, as "." does. */
static const char *root_before(const char *path, const char *inner, wpa_arena *arena)
{
    size_t length = strlen(path), tail = strlen(inner);
    if (wpa_text_is(path, inner)) {
        return ".";
    }
    if (!wpa_text_ends(path, inner) || path[length - tail - 1] != '/') {
        return NULL;
    }
    size_t outer = length - tail - 1;
    return wpa_arena_slice(arena, path, outer ? outer : 1);
}

/** As many folders up as it lies deep. */
static const char *root_above(const char *path, const char *inner, wpa_arena *arena)
{
    const char *root = wpa_text_is(path, ".") ? ".." : wpa_arena_printf(arena, "%s/..", path);
    for (const char *at = strchr(inner, '/'); at; at = strchr(at + 1, '/')) {
        root = wpa_arena_printf(arena, "%s/..", root);
    }
    return root;
}

/**
 * Where a folder inside a repository is given, the repository is walked and the folder is reported:
 * what it calls, and what calls it, lies anywhere. All is shown as it was given if the path ends
 * with the folder's own place, and by the way up otherwise.
 */
static const char *choose_root(walk *w, const char *path)
{
    wpa_arena *arena = w->tree->arena;
    const char *real = wpa_tree_real_path(path, arena);
    const char *repository = real ? wpa_tree_root(path, arena) : NULL;
    if (!repository || w->tree->options->is_root || wpa_text_is(repository, real)) {
        return path;
    }
    const char *inner = real + strlen(repository);
    inner += *inner == '/';
    const char *root = root_before(path, inner, arena);
    const char *real_root = root ? wpa_tree_real_path(root, arena) : NULL;
    if (!real_root || !wpa_text_is(real_root, repository)) { /* ".", or a symlink on the way */
        root = root_above(path, inner, arena);
    }
    w->only = inner;
    return root;
}

static bool walk_from(walk *w, const char *path, const char *given, wpa_error *err)
{
    wpa_tree *tree = w->tree;
    bool is_here = wpa_text_is(path, ".");
    const char *folder = is_here ? "" : path;
    w->unit = wpa_unit_new();
    w->unit->is_part = w->only || w->named;
    w->root = wpa_tree_real_path(path, w->unit->arena);
    w->root_shown =
        is_here ? ""
                : wpa_arena_printf(tree->arena, "%s%s", path, wpa_text_ends(path, "/") ? "" : "/");
    w->real = w->root;
    set_prefix(w, path);
    if (!w->root) {
        wpa_tree_note_unreadable(tree, path, wpa_strerror(errno));
        wpa_unit_free(w->unit);
        return true;
    }
    if (!open_walk(w, folder, given, err) || !walk_folder(w, folder, 0, err)) {
        wpa_git_close(w->git);
        wpa_unit_free(w->unit);
        return false;
    }
    return close_walk(w, err);
}

bool wpa_walk(wpa_tree *tree, const char *path, wpa_error *err)
{
    walk w = {.tree = tree};
    const char *root = choose_root(&w, path);
    return walk_from(&w, root, w.only || !wpa_text_is(path, ".") ? path : "", err);
}

bool wpa_walk_named(wpa_tree *tree, const wpa_tree_named *named, wpa_error *err)
{
    walk w = {.tree = tree, .named = named};
    return walk_from(&w, named->root, NULL, err);
}
