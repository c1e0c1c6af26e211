/* Files that are named themselves, standard input among them: alone, or as parts of a repository.
 */
#include <string.h>
#include <sys/stat.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "analysis/unit.h"

static wpa_unit *new_alone(wpa_tree *tree)
{
    wpa_unit *unit = wpa_unit_new();
    unit->settings = tree->options->settings;
    unit->is_alone = true;
    return unit;
}

bool wpa_stdin_add(wpa_tree *tree, wpa_error *err)
{
    const wpa_tree_options *options = tree->options;
    const char *path = options->stdin_path ? options->stdin_path : "<stdin>";
    wpa_unit *unit = new_alone(tree);
    wpa_error why = {0};
    size_t size_bytes;
    const char *text =
        wpa_fd_read_all(options->stdin_fd, WPA_YAML_MAX_BYTES, unit->arena, &size_bytes, &why);
    if (!text && why.code == WPA_E_LIMIT) {
        text = "";
        size_bytes = WPA_YAML_MAX_BYTES + 1;
    } else if (!text) {
        wpa_tree_note_unreadable(tree, "-", why.message);
        wpa_unit_free(unit);
        return true;
    }
    wpa_input_kind kind;
    if (options->kind) {
        kind = *options->kind;
    } else if (!wpa_input_of_path(path, &kind)) {
        kind = wpa_input_of_content(text, strlen(text));
    }
    wpa_unit_file *file = wpa_unit_add(tree, unit, path, path, kind, size_bytes, err);
    if (!file) {
        wpa_unit_free(unit);
        return false;
    }
    file->shown.text = text;
    file->is_stdin = true;
    return wpa_unit_close(tree, unit, err);
}

/** Text of a neighbour of a file that was named itself; context is the repository's folder. */
static const char *read_in_root(void *context, const char *path, size_t max_bytes, wpa_arena *arena,
                                size_t *size_bytes)
{
    wpa_error err = {0};
    return wpa_file_read(wpa_path_join(arena, context, path), max_bytes, arena, size_bytes, &err);
}

/* A folder in which files were named: there may be thousands of them. */
typedef struct named_folder {
    const char *real, *root; /* NULL: there is none */
} named_folder;

/** The nearest folder from a real path upwards that holds a repository, or NULL. Each is asked
   once, however many lie below it. */
static const char *root_above(wpa_tree *tree, const char *real)
{
    const char **known = wpa_map_get(tree->roots, real);
    if (known) {
        return *known;
    }
    known = wpa_arena_alloc(tree->arena, sizeof *known);
    const char *slash = strrchr(real, '/');
    if (wpa_path_exists(wpa_path_join(tree->arena, real, ".git"))) {
        *known = real;
    } else if (slash && real[1]) {
        size_t length = slash == real ? 1 : (size_t)(slash - real);
        *known = root_above(tree, wpa_arena_slice(tree->arena, real, length));
    }
    wpa_map_put(tree->roots, real, known);
    return *known;
}

static const named_folder *folder_of(wpa_tree *tree, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
    const char *name = slash ? wpa_arena_slice(tree->arena, path, length) : ".";
    named_folder *known = wpa_map_get(tree->folders, name);
    if (!known) {
        known = wpa_arena_alloc(tree->arena, sizeof *known);
        known->real = wpa_tree_real_path(name, tree->arena);
        known->root = known->real ? root_above(tree, known->real) : NULL;
        wpa_map_put(tree->folders, name, known);
    }
    return known;
}

/** Real path of a file that was named, and its repository's folder; NULL where there is none. */
static const char *find_named(wpa_tree *tree, const char *path, bool is_link, const char **root)
{
    const char *slash = strrchr(path, '/');
    if (is_link) { /* it leads elsewhere */
        *root = wpa_tree_root(path, tree->arena);
        return wpa_tree_real_path(path, tree->arena);
    }
    const named_folder *folder = folder_of(tree, path);
    *root = folder->root;
    return folder->real ? wpa_path_join(tree->arena, folder->real, slash ? slash + 1 : path) : NULL;
}

/** What is known around a file that was named: its place in its repository, and its neighbours. */
static const char *place_in_root(wpa_tree *tree, wpa_unit *unit, const char *path,
                                 const char *absolute, const char *root)
{
    size_t length = root ? strlen(root) : 0;
    bool is_in_root = root && strncmp(absolute, root, length) == 0 && absolute[length] == '/' &&
                      absolute[length + 1];
    if (!is_in_root) {
        return path;
    }
    const char *identity = absolute + length + 1;
    wpa_surroundings *around = &unit->around;
    around->prefix = wpa_text_ends(path, identity)
                         ? wpa_arena_slice(tree->arena, path, strlen(path) - strlen(identity))
                         : wpa_arena_printf(tree->arena, "%s/", root);
    around->own_path = path;
    around->own_identity = wpa_arena_text(unit->arena, identity);
    around->read = read_in_root;
    around->read_context = (void *)(uintptr_t)wpa_arena_text(unit->arena, root);
    return identity;
}

static wpa_input_kind kind_of_named(wpa_tree *tree, const char *path, const char *absolute,
                                    wpa_arena *arena)
{
    wpa_input_kind kind = WPA_INPUT_WORKFLOW;
    wpa_error why = {0};
    size_t size;
    if (tree->options->kind) {
        return *tree->options->kind;
    }
    if (wpa_input_of_path(absolute ? absolute : path, &kind)) {
        return kind;
    }
    const char *text = wpa_file_read(path, WPA_YAML_MAX_BYTES, arena, &size, &why);
    return text ? wpa_input_of_content(text, size) : WPA_INPUT_WORKFLOW;
}

/** A word behind "uses:" that begins with "./"; what it stands in is found out later. */
static bool uses_own_repository(const char *path, wpa_arena *arena)
{
    static const char word[] = "uses";
    wpa_error why = {0};
    size_t size;
    const char *text = wpa_file_read(path, WPA_YAML_MAX_BYTES, arena, &size, &why);
    for (const char *at = text ? strstr(text, word) : NULL; at; at = strstr(at, word)) {
        at += strlen(word);
        at += strspn(at, "'\": \t");
        if (wpa_text_starts(at, "./")) {
            return true;
        }
    }
    return false;
}

/**
 * Is a file best looked at with its repository around it? That costs a walk: only for what says
 * that it needs it, and lies where the walk would find and show it as it was given.
 */
static bool wants_repository(const wpa_tree *tree, const wpa_unit *unit, const char *path,
                             const char *absolute, const char *identity)
{
    const char *prefix = unit->around.prefix;
    wpa_input_kind kind;
    struct stat status;
    if (tree->options->kind || tree->options->is_root || !prefix ||
        (*prefix && !wpa_text_ends(prefix, "/")) ||
        !wpa_text_is(path, wpa_arena_printf(unit->arena, "%s%s", prefix, identity)) ||
        !wpa_input_of_path(absolute, &kind) || lstat(path, &status) != 0 ||
        !S_ISREG(status.st_mode) || !uses_own_repository(path, unit->arena)) {
        return false;
    }
    const char *root = wpa_tree_real_path(*prefix ? prefix : ".", unit->arena);
    return root && wpa_text_is(wpa_path_join(unit->arena, root, identity), absolute);
}

static void keep_named(wpa_tree *tree, const char *prefix, const char *identity, const char *path)
{
    size_t length = strlen(prefix); /* with a slash behind, if there is one */
    const char *root =
        length ? wpa_arena_slice(tree->arena, prefix, length > 1 ? length - 1 : 1) : ".";
    wpa_tree_named *named = wpa_map_get(tree->named, root);
    if (!named) {
        named = wpa_arena_alloc(tree->arena, sizeof *named);
        *named = (wpa_tree_named){root, wpa_map_new(tree->arena), wpa_map_new(tree->arena)};
        wpa_map_put(tree->named, root, named);
    }
    wpa_map_put(named->files, identity, (void *)(uintptr_t)path);
}

/** A file that is named itself is read whatever its name, and through symlinks. */
static bool add_named(wpa_tree *tree, const char *path, const wpa_named_status *status,
                      bool can_wait, wpa_error *err)
{
    wpa_unit *unit = new_alone(tree);
    const char *root, *absolute = find_named(tree, path, status->is_link, &root);
    const char *identity = place_in_root(tree, unit, path, absolute, root);
    wpa_input_kind kind = kind_of_named(tree, path, absolute, unit->arena);
    if (wpa_tree_excludes(tree, tree->options->settings, identity)) {
        wpa_unit_free(unit);
        return true;
    }
    if (can_wait && wants_repository(tree, unit, path, absolute, identity)) {
        keep_named(tree, unit->around.prefix, identity, path);
        wpa_unit_free(unit);
        return true;
    }
    if (!wpa_unit_add(tree, unit, path, identity, kind, status->size_bytes, err)) {
        wpa_unit_free(unit);
        return false;
    }
    return wpa_unit_close(tree, unit, err);
}

bool wpa_named_look(const char *path, wpa_named_status *status)
{
    struct stat is;
    bool is_there = lstat(path, &is) == 0;
    status->is_link = is_there && S_ISLNK(is.st_mode);
    is_there = is_there && (!status->is_link || stat(path, &is) == 0);
    status->is_folder = is_there && S_ISDIR(is.st_mode);
    status->is_file = is_there && S_ISREG(is.st_mode);
    status->size_bytes = is_there ? (size_t)is.st_size : 0;
    return is_there;
}

bool wpa_named_add(wpa_tree *tree, const char *path, const wpa_named_status *status, wpa_error *err)
{
    return add_named(tree, path, status, true, err);
}

/** One walk for all files of a repository; alone what it leaves out, as what git ignores. */
bool wpa_named_finish(wpa_tree *tree, wpa_error *err)
{
    for (size_t i = 0; i < wpa_map_count(tree->named); i++) {
        void *value;
        (void)wpa_map_at(tree->named, i, &value);
        const wpa_tree_named *named = value;
        if (!wpa_walk_named(tree, named, err)) {
            return false;
        }
        for (size_t k = 0; k < wpa_map_count(named->files); k++) {
            (void)wpa_map_at(named->files, k, &value);
            wpa_named_status status;
            if (wpa_map_has(named->taken, value)) {
                continue;
            }
            (void)wpa_named_look(value, &status);
            if (!add_named(tree, value, &status, false, err)) {
                return false;
            }
        }
    }
    return true;
}
