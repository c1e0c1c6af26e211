#include "analysis/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "rules/graph.h"

#define THREADS_MAX 64

/* A folder on its way through the tree. */
typedef struct walk {
    wpa_tree *tree;
    const wpa_tree_options *options;
    const char *root; /* real path, for telling what lies outside */
    wpa_surroundings *around;
    const char **paths; /* [n_paths] of the whole tree, repository-relative */
    size_t n_paths, capacity;
    const char *root_shown; /* the root's path as shown, with a slash behind, or "" */
    const char *shown;      /* the same of the repository */
    bool is_repository;     /* the root lies in one, or is one */
    size_t skip;            /* bytes of the shown path in front of what is repository-relative */
} walk;

/* ---- paths ---- */

const char *wpa_tree_real_path(const char *path, wpa_arena *arena)
{
    char resolved[PATH_MAX];
    return realpath(path, resolved) ? wpa_arena_text(arena, resolved) : NULL;
}

static bool is_below(const char *path, const char *root)
{
    size_t length = strlen(root);
    return strncmp(path, root, length) == 0 &&
           (path[length] == '/' || path[length] == '\0' || (length && root[length - 1] == '/'));
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

static void note(wpa_tree *tree, const char *path, const char *text)
{
    tree->notes = wpa_arena_grow(tree->arena, tree->notes, tree->n_notes, &tree->notes_capacity,
                                 sizeof *tree->notes);
    tree->notes[tree->n_notes++] = (wpa_note){.path = path, .text = text};
}

static void note_unreadable(wpa_tree *tree, const char *path, const char *text)
{
    note(tree, path, text);
    tree->n_unreadable++;
}

static bool add_file(wpa_tree *tree, wpa_tree_file file, wpa_error *err)
{
    if (tree->n_files >= WPA_TREE_MAX_FILES) {
        return WPA_FAIL(err, WPA_E_LIMIT, "more than %d files", WPA_TREE_MAX_FILES);
    }
    tree->files = wpa_arena_grow(tree->arena, tree->files, tree->n_files, &tree->capacity,
                                 sizeof *tree->files);
    tree->files[tree->n_files++] = file;
    return true;
}

static bool is_excluded(const wpa_tree_options *options, const char *path)
{
    for (size_t i = 0; i < options->n_exclude; i++) {
        if (wpa_glob_fits(options->exclude[i], path)) {
            return true;
        }
    }
    return false;
}

/* ---- walking ---- */

static bool walk_folder(walk *w, const char *path, int depth, wpa_error *err);

/** A symlink: read if it is a file that stays inside; never followed into a folder. */
static bool can_follow(walk *w, const char *path, bool is_input)
{
    struct stat status;
    const char *target = wpa_tree_real_path(path, w->tree->arena);
    bool is_file = target && stat(target, &status) == 0 && S_ISREG(status.st_mode);
    bool is_outside = target && !is_below(target, w->root);
    if (is_outside && (is_input || strstr(path, ".github"))) {
        note(w->tree, path, "is a symlink out of the tree and was not followed");
    } else if (!target && is_input) {
        note_unreadable(w->tree, path, "is a symlink to nothing");
    }
    return is_file && !is_outside;
}

static bool visit_file(walk *w, const char *path, bool is_symlink, wpa_error *err)
{
    const char *identity = path + w->skip;
    wpa_input_kind kind;
    /* By the real path: within .github/workflows the shown one does not tell. */
    const char *real = wpa_path_join(w->tree->arena, w->root, path + strlen(w->root_shown));
    bool is_input = wpa_input_of_path(real, &kind);
    w->paths = wpa_arena_grow(w->tree->arena, w->paths, w->n_paths, &w->capacity, sizeof *w->paths);
    w->paths[w->n_paths++] = identity;
    if ((is_symlink && !can_follow(w, path, is_input)) || !is_input ||
        is_excluded(w->options, identity)) {
        return true;
    }
    return add_file(w->tree, (wpa_tree_file){.path = path, .kind = kind, .around = w->around}, err);
}

static bool visit(walk *w, const char *folder, const char *name, int depth, wpa_error *err)
{
    wpa_arena *arena = w->tree->arena;
    const char *path = *folder ? wpa_path_join(arena, folder, name) : wpa_arena_text(arena, name);
    struct stat status;
    if (lstat(path, &status) != 0) {
        return true; /* gone since the folder was read */
    }
    if (S_ISDIR(status.st_mode)) {
        bool is_ours = !wpa_text_is(name, ".git") && !wpa_text_is(name, "node_modules");
        return !is_ours || walk_folder(w, path, depth + 1, err);
    }
    if (S_ISLNK(status.st_mode)) {
        return visit_file(w, path, true, err);
    }
    wpa_input_kind kind;
    if (!S_ISREG(status.st_mode) && wpa_input_of_path(path, &kind)) {
        note_unreadable(w->tree, path, "is neither a file nor a folder"); /* opening may hang */
    }
    return !S_ISREG(status.st_mode) || visit_file(w, path, false, err);
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

static void close_walk(walk *w)
{
    if (w->n_paths) {
        qsort(w->paths, w->n_paths, sizeof *w->paths, compare_texts);
    }
    w->around->paths = w->paths;
    w->around->n_paths = w->n_paths;
    w->around->read = read_beside;
    w->around->read_context = (void *)(uintptr_t)w->around->prefix;
    wpa_map_put(w->tree->arounds, w->around->prefix, w->around);
}

static bool holds(walk *w, const char *folder, const char *name)
{
    return wpa_path_exists(wpa_path_join(w->tree->arena, *folder ? folder : ".", name));
}

/**
 * Is a folder on the way a repository of its own? A clone is; a folder with .github is, where what
 * was given is none itself (a folder of many repositories without their histories).
 */
static bool is_repository(walk *w, const char *path)
{
    return holds(w, path, ".git") || (!w->is_repository && holds(w, path, ".github"));
}

static bool list_folder(walk *w, const char *path, int depth, wpa_error *err);

static bool walk_folder(walk *w, const char *path, int depth, wpa_error *err)
{
    if (depth == 0 || !is_repository(w, path)) {
        return list_folder(w, path, depth, err);
    }
    wpa_arena *arena = w->tree->arena;
    walk inner = {.tree = w->tree, .options = w->options, .root = w->root, .is_repository = true};
    inner.root_shown = w->root_shown;
    inner.shown = wpa_arena_printf(arena, "%s/", path);
    inner.skip = strlen(inner.shown);
    inner.around = wpa_arena_alloc(arena, sizeof *inner.around);
    inner.around->prefix = inner.shown;
    inner.around->has_paths = true;
    bool ok = list_folder(&inner, path, depth, err);
    close_walk(&inner);
    return ok;
}

static bool list_folder(walk *w, const char *path, int depth, wpa_error *err)
{
    if (depth > WPA_TREE_MAX_DEPTH || w->n_paths > WPA_TREE_MAX_FILES) {
        note(w->tree, path, "is too deep or too full and was left out");
        w->around->has_paths = false;
        return true;
    }
    DIR *folder = opendir(*path ? path : ".");
    if (!folder) {
        note_unreadable(w->tree, *path ? path : ".", wpa_strerror(errno));
        w->around->has_paths = false;
        return true;
    }
    bool ok = true;
    struct dirent *entry;
    /* One reader of this stream; glibc's readdir is safe between different streams. */
    while (ok && (entry = readdir(folder))) { /* NOLINT(concurrency-mt-unsafe) */
        if (!wpa_text_is(entry->d_name, ".") && !wpa_text_is(entry->d_name, "..")) {
            ok = visit(w, path, entry->d_name, depth, err);
        }
    }
    (void)closedir(folder);
    return ok;
}

static bool add_folder(wpa_tree *tree, const char *path, const wpa_tree_options *options,
                       wpa_error *err)
{
    bool is_here = wpa_text_is(path, ".");
    wpa_surroundings *around = wpa_arena_alloc(tree->arena, sizeof *around);
    walk w = {.tree = tree, .options = options, .around = around};
    w.root = wpa_tree_real_path(path, tree->arena);
    w.shown =
        is_here ? ""
                : wpa_arena_printf(tree->arena, "%s%s", path, wpa_text_ends(path, "/") ? "" : "/");
    /* A folder inside a repository is shown as given, and known by its place in the repository
       only if that is what was given: otherwise kinds could not be told by their paths. */
    w.skip = strlen(w.shown);
    const char *repository = w.root ? wpa_tree_root(path, tree->arena) : NULL;
    if (repository && !options->is_root && !wpa_text_is(repository, w.root)) {
        w.skip = 0;
    }
    around->prefix = wpa_arena_slice(tree->arena, w.shown, w.skip);
    around->has_paths = w.skip == strlen(w.shown);
    if (!w.root) {
        note_unreadable(tree, path, wpa_strerror(errno));
        return true;
    }
    w.root_shown = w.shown;
    w.is_repository = repository || holds(&w, is_here ? "" : path, ".github");
    bool ok = walk_folder(&w, is_here ? "" : path, 0, err);
    close_walk(&w);
    return ok;
}

static bool add_stdin(wpa_tree *tree, const wpa_tree_options *options, wpa_error *err)
{
    wpa_tree_file file = {.path = options->stdin_path ? options->stdin_path : "<stdin>"};
    wpa_error why = {0};
    file.text =
        wpa_fd_read_all(options->stdin_fd, WPA_YAML_MAX_BYTES, tree->arena, &file.size_bytes, &why);
    if (!file.text && why.code == WPA_E_LIMIT) {
        file.text = "";
        file.size_bytes = WPA_YAML_MAX_BYTES + 1;
    } else if (!file.text) {
        note_unreadable(tree, "-", wpa_arena_text(tree->arena, why.message));
        return true;
    }
    if (options->kind) {
        file.kind = *options->kind;
    } else if (!wpa_input_of_path(file.path, &file.kind)) {
        file.kind = wpa_input_of_content(file.text, strlen(file.text));
    }
    return add_file(tree, file, err);
}

/** A file that is named itself is read whatever its name, and through symlinks. */
static bool add_named(wpa_tree *tree, const char *path, const wpa_tree_options *options,
                      wpa_error *err)
{
    wpa_tree_file file = {.path = path};
    const char *absolute = wpa_tree_real_path(path, tree->arena);
    const char *root = absolute ? wpa_tree_root(path, tree->arena) : NULL;
    bool is_in_root = root && is_below(absolute, root) && strlen(absolute) > strlen(root) + 1;
    const char *identity = is_in_root ? absolute + strlen(root) + 1 : path;
    if (options->kind) {
        file.kind = *options->kind;
    } else if (!wpa_input_of_path(absolute ? absolute : path, &file.kind)) {
        wpa_error why = {0};
        size_t size;
        const char *text = wpa_file_read(path, WPA_YAML_MAX_BYTES, tree->arena, &size, &why);
        file.kind = text ? wpa_input_of_content(text, size) : WPA_INPUT_WORKFLOW;
    }
    if (is_in_root && wpa_text_ends(path, identity)) {
        wpa_surroundings *around = wpa_arena_alloc(tree->arena, sizeof *around);
        around->prefix = wpa_arena_slice(tree->arena, path, strlen(path) - strlen(identity));
        file.around = around;
    }
    return is_excluded(options, identity) || add_file(tree, file, err);
}

wpa_tree *wpa_tree_new(wpa_arena *arena)
{
    wpa_tree *tree = wpa_arena_alloc(arena, sizeof *tree);
    tree->arena = arena;
    tree->arounds = wpa_map_new(arena);
    tree->graphs = wpa_map_new(arena);
    return tree;
}

bool wpa_tree_add(wpa_tree *tree, const char *argument, const wpa_tree_options *options,
                  wpa_error *err)
{
    if (wpa_text_is(argument, "-")) {
        return add_stdin(tree, options, err);
    }
    const char *path = tidy(argument, tree->arena);
    struct stat status;
    if (stat(path, &status) != 0) {
        note_unreadable(tree, path, wpa_strerror(errno));
        return true;
    }
    if (S_ISDIR(status.st_mode)) {
        return add_folder(tree, path, options, err);
    }
    if (!S_ISREG(status.st_mode)) {
        note_unreadable(tree, path, "is neither a file nor a folder");
        return true;
    }
    return add_named(tree, path, options, err);
}

/* ---- what joins the files ---- */

static void add_to_graph(const wpa_tree *tree, const wpa_tree_file *file)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_surroundings *around = wpa_map_get(tree->arounds, file->around->prefix);
    if (!around) {
        return;
    }
    if (!around->graph) {
        wpa_graph *graph = wpa_graph_new(around->repository, tree->arena);
        around->graph = graph;
        wpa_map_put(tree->graphs, around->prefix, graph);
    }
    wpa_graph *graph = wpa_map_get(tree->graphs, around->prefix);
    wpa_graph_add(graph, wpa_source_read(file->kind, file->path, file->text, file->size_bytes,
                                         around, arena));
}

/** One graph a repository, of all its definitions. */
static void join(wpa_tree *tree)
{
    for (size_t i = 0; i < tree->n_files; i++) {
        if (tree->files[i].around && tree->files[i].around->has_paths) {
            add_to_graph(tree, &tree->files[i]);
        }
    }
    for (size_t i = 0; i < wpa_map_count(tree->graphs); i++) {
        void *graph;
        (void)wpa_map_at(tree->graphs, i, &graph);
        wpa_graph_close(graph);
    }
}

/* ---- reading ---- */

static int compare_files(const void *a, const void *b)
{
    return strcmp(((const wpa_tree_file *)a)->path, ((const wpa_tree_file *)b)->path);
}

static bool load(wpa_tree *tree, wpa_tree_file *file)
{
    wpa_error err = {0};
    struct stat status;
    if (file->text) {
        return true; /* standard input */
    }
    if (stat(file->path, &status) == 0 && status.st_size > (off_t)WPA_YAML_MAX_BYTES) {
        file->text = ""; /* the size alone is what syntax speaks of */
        file->size_bytes = (size_t)status.st_size;
        return true;
    }
    file->text =
        wpa_file_read(file->path, WPA_YAML_MAX_BYTES, tree->arena, &file->size_bytes, &err);
    if (!file->text) {
        note_unreadable(tree, file->path, wpa_arena_text(tree->arena, err.message));
    }
    return file->text != NULL;
}

void wpa_tree_load(wpa_tree *tree)
{
    size_t n_kept = 0;
    if (tree->n_files) {
        qsort(tree->files, tree->n_files, sizeof *tree->files, compare_files);
    }
    for (size_t i = 0; i < tree->n_files; i++) {
        bool is_twice = n_kept && wpa_text_is(tree->files[n_kept - 1].path, tree->files[i].path);
        if (!is_twice && load(tree, &tree->files[i])) {
            tree->files[n_kept++] = tree->files[i];
        }
    }
    tree->n_files = n_kept;
    join(tree);
}

/* ---- running ---- */

typedef struct crew {
    const wpa_tree *tree;
    wpa_tree_results *results;
    wpa_tree_work work;
    void *context;
    atomic_size_t next; /* file that nobody has taken yet */
} crew;

static void *work_through(void *argument)
{
    crew *c = argument;
    size_t i;
    while ((i = atomic_fetch_add(&c->next, 1)) < c->tree->n_files) {
        wpa_arena *arena = wpa_arena_new();
        c->results->arenas[i] = arena;
        c->results->results[i] = c->work(&c->tree->files[i], i, arena, c->context);
    }
    return NULL;
}

static size_t choose_threads(size_t n_threads, size_t n_files)
{
    long n_cores = sysconf(_SC_NPROCESSORS_ONLN);
    n_threads = n_threads ? n_threads : n_cores > 0 ? (size_t)n_cores : 1;
    n_threads = n_threads < THREADS_MAX ? n_threads : THREADS_MAX;
    return n_threads < n_files ? n_threads : n_files;
}

wpa_tree_results *wpa_tree_run(const wpa_tree *tree, size_t n_threads, wpa_tree_work work,
                               void *context)
{
    wpa_tree_results *results = wpa_alloc(sizeof *results);
    results->n = tree->n_files;
    results->results = wpa_alloc((tree->n_files + 1) * sizeof *results->results);
    results->arenas = wpa_alloc((tree->n_files + 1) * sizeof *results->arenas);
    crew c = {.tree = tree, .results = results, .work = work, .context = context};
    pthread_t threads[THREADS_MAX];
    size_t n = choose_threads(n_threads, tree->n_files), n_started = 0;
    for (; n_started + 1 < n; n_started++) {
        if (pthread_create(&threads[n_started], NULL, work_through, &c) != 0) {
            break; /* the threads that are there do it all */
        }
    }
    work_through(&c);
    for (size_t i = 0; i < n_started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    return results;
}

void wpa_tree_results_free(wpa_tree_results *results)
{
    for (size_t i = 0; i < results->n; i++) {
        wpa_arena_free(results->arenas[i]);
    }
    wpa_free(results->arenas);
    wpa_free(results->results);
    wpa_free(results);
}

wpa_result wpa_tree_check(const wpa_tree_file *file, size_t index, wpa_arena *arena, void *context)
{
    (void)index;
    const wpa_settings *settings = context;
    const wpa_source *source =
        wpa_source_read(file->kind, file->path, file->text, file->size_bytes, file->around, arena);
    return wpa_rules_run(source, settings, arena);
}
