/* Trees and blobs at a commit, and their export into a folder. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "git/internal.h"

#define DEPTH_MAX 64
#define FOLDERS_PER_ENTRY 16 /* git keeps no empty folder: only hostile trees have more */
#define LINK_MAX_BYTES ((size_t)4096)

typedef struct walk {
    wpa_git *git;
    wpa_arena *arena;
    wpa_git_entries *entries;
    size_t max_entries;
    bool recursive;
    size_t n_folders; /* gone into */
} walk;

static wpa_git_kind kind_of(git_filemode_t mode)
{
    switch (mode) {
    case GIT_FILEMODE_TREE:
        return WPA_GIT_FOLDER;
    case GIT_FILEMODE_BLOB_EXECUTABLE:
        return WPA_GIT_EXECUTABLE;
    case GIT_FILEMODE_LINK:
        return WPA_GIT_SYMLINK;
    case GIT_FILEMODE_COMMIT:
        return WPA_GIT_SUBMODULE;
    case GIT_FILEMODE_BLOB:
    case GIT_FILEMODE_UNREADABLE:
        break;
    }
    return WPA_GIT_FILE;
}

static bool add_entry(walk *w, const char *path, const git_tree_entry *from, wpa_error *err)
{
    if (w->entries->n >= w->max_entries) {
        return WPA_FAIL(err, WPA_E_LIMIT, "more than %zu files in the tree", w->max_entries);
    }
    w->entries->items = wpa_arena_grow(w->arena, w->entries->items, w->entries->n,
                                       &w->entries->capacity, sizeof *w->entries->items);
    wpa_git_entry *entry = &w->entries->items[w->entries->n++];
    *entry = (wpa_git_entry){.path = path, .kind = kind_of(git_tree_entry_filemode(from))};
    git_oid_tostr(entry->oid, WPA_OID_SIZE, git_tree_entry_id(from));
    return true;
}

static bool walk_tree(walk *w, const git_tree *tree, const char *prefix, int depth, wpa_error *err)
{
    if (depth > DEPTH_MAX) {
        return WPA_FAIL(err, WPA_E_LIMIT, "'%s' lies deeper than %d folders", prefix, DEPTH_MAX);
    }
    const size_t n = git_tree_entrycount(tree);
    for (size_t i = 0; i < n; i++) {
        const git_tree_entry *entry = git_tree_entry_byindex(tree, i);
        const char *name = git_tree_entry_name(entry);
        const char *path = *prefix == '\0' ? wpa_arena_text(w->arena, name)
                                           : wpa_path_join(w->arena, prefix, name);
        if (!w->recursive || git_tree_entry_type(entry) != GIT_OBJECT_TREE) {
            if (!add_entry(w, path, entry, err)) {
                return false;
            }
            continue;
        }
        if (w->n_folders++ / FOLDERS_PER_ENTRY >= w->max_entries) {
            return WPA_FAIL(err, WPA_E_LIMIT, "too many folders in the tree for %zu files",
                            w->max_entries);
        }
        WPA_AUTO(git_tree) *below = NULL;
        const int rc = git_tree_lookup(&below, w->git->repo, git_tree_entry_id(entry));
        if (rc != 0) {
            return wpa_git_fail(rc, err, "folder '%s'", path);
        }
        if (!walk_tree(w, below, path, depth + 1, err)) {
            return false;
        }
    }
    return true;
}

static git_tree *root_of(wpa_git *git, const char *commit, wpa_error *err)
{
    WPA_AUTO(git_commit) *found = wpa_git_commit_lookup(git, commit, err);
    if (found == NULL) {
        return NULL;
    }
    git_tree *tree = NULL;
    const int rc = git_commit_tree(&tree, found);
    if (rc != 0) {
        wpa_git_fail(rc, err, "tree of commit %s", commit);
        return NULL;
    }
    return tree;
}

/* *found stays NULL if there is no such folder. */
static bool find_folder(wpa_git *git, const git_tree *root, const char *folder, git_tree **found,
                        wpa_error *err)
{
    WPA_AUTO(git_tree_entry) *entry = NULL;
    int rc = git_tree_entry_bypath(&entry, root, folder);
    if (rc == GIT_ENOTFOUND) {
        return true;
    }
    if (rc == 0 && git_tree_entry_type(entry) != GIT_OBJECT_TREE) {
        return WPA_FAIL(err, WPA_E_INVALID, "'%s' is no folder in the tree", folder);
    }
    if (rc == 0) {
        rc = git_tree_lookup(found, git->repo, git_tree_entry_id(entry));
    }
    return rc == 0 || wpa_git_fail(rc, err, "folder '%s'", folder);
}

bool wpa_git_tree_list(wpa_git *git, const char *commit, const char *folder, bool recursive,
                       size_t max_entries, wpa_arena *arena, wpa_git_entries *entries,
                       wpa_error *err)
{
    *entries = (wpa_git_entries){0};
    WPA_AUTO(git_tree) *root = root_of(git, commit, err);
    if (root == NULL) {
        return false;
    }
    walk w = {.git = git,
              .arena = arena,
              .entries = entries,
              .max_entries = max_entries,
              .recursive = recursive};
    if (*folder == '\0') {
        return walk_tree(&w, root, "", 0, err);
    }
    WPA_AUTO(git_tree) *below = NULL;
    if (!find_folder(git, root, folder, &below, err)) {
        return false;
    }
    return below == NULL || walk_tree(&w, below, folder, 0, err);
}

bool wpa_git_tree_find(wpa_git *git, const char *commit, const char *path, wpa_arena *arena,
                       wpa_git_entry *entry, wpa_error *err)
{
    WPA_AUTO(git_tree) *root = root_of(git, commit, err);
    if (root == NULL) {
        return false;
    }
    WPA_AUTO(git_tree_entry) *found = NULL;
    const int rc = git_tree_entry_bypath(&found, root, path);
    if (rc == GIT_ENOTFOUND) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "no '%s' in commit %.12s", path, commit);
    }
    if (rc != 0) {
        return wpa_git_fail(rc, err, "look up '%s'", path);
    }
    *entry = (wpa_git_entry){.path = wpa_arena_text(arena, path),
                             .kind = kind_of(git_tree_entry_filemode(found))};
    git_oid_tostr(entry->oid, WPA_OID_SIZE, git_tree_entry_id(found));
    return true;
}

bool wpa_git_blob_size(wpa_git *git, const char *oid, size_t *size_bytes, wpa_error *err)
{
    git_oid id;
    WPA_AUTO(git_odb) *odb = NULL;
    if (!wpa_git_oid_parse(oid, &id, err)) {
        return false;
    }
    int rc = git_repository_odb(&odb, git->repo);
    git_object_t type = GIT_OBJECT_INVALID;
    if (rc == 0) {
        rc = git_odb_read_header(size_bytes, &type, odb, &id);
    }
    if (rc != 0) {
        return wpa_git_fail(rc, err, "blob %s in '%s'", oid, git->path);
    }
    return type == GIT_OBJECT_BLOB || WPA_FAIL(err, WPA_E_INVALID, "%s is no blob", oid);
}

char *wpa_git_blob_read(wpa_git *git, const char *oid, size_t max_bytes, wpa_arena *arena,
                        size_t *size_bytes, wpa_error *err)
{
    git_oid id;
    size_t size = 0; /* the header first: what is too large is never unpacked */
    if (!wpa_git_oid_parse(oid, &id, err) || !wpa_git_blob_size(git, oid, &size, err)) {
        return NULL;
    }
    if (size > max_bytes) {
        WPA_FAIL(err, WPA_E_LIMIT, "blob %.12s has %zu bytes; at most %zu are read", oid, size,
                 max_bytes);
        return NULL;
    }
    WPA_AUTO(git_blob) *blob = NULL;
    const int rc = git_blob_lookup(&blob, git->repo, &id);
    if (rc != 0) {
        wpa_git_fail(rc, err, "blob %s in '%s'", oid, git->path);
        return NULL;
    }
    *size_bytes = size;
    return wpa_arena_slice(arena, size > 0 ? git_blob_rawcontent(blob) : "", size);
}

bool wpa_git_blob_id(const void *bytes, size_t size_bytes, char oid[WPA_OID_SIZE], wpa_error *err)
{
    git_oid id;
    const int rc = git_odb_hash(&id, size_bytes > 0 ? bytes : "", size_bytes, GIT_OBJECT_BLOB);
    if (rc != 0) {
        return wpa_git_fail(rc, err, "hash %zu bytes", size_bytes);
    }
    git_oid_tostr(oid, WPA_OID_SIZE, &id);
    return true;
}

/* ---- export ------------------------------------------------------------------------------- */

static bool make_folder_of(const char *path, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    char *folder = wpa_arena_text(arena, path);
    *strrchr(folder, '/') = '\0';
    return wpa_dir_make(folder, 0755, err);
}

static bool export_file(wpa_git *git, const wpa_git_entry *entry, const char *path,
                        size_t *left_bytes, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    size_t size = 0;
    const char *data = wpa_git_blob_read(git, entry->oid, *left_bytes, arena, &size, err);
    if (data == NULL || !make_folder_of(path, err)) {
        return wpa_error_within(err, "%s", entry->path);
    }
    *left_bytes -= size;
    /* A tree may name a path twice: the second is refused, never written through the first. */
    const mode_t mode = entry->kind == WPA_GIT_EXECUTABLE ? 0755 : 0644;
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0) {
        return WPA_FAIL(err, errno == EEXIST ? WPA_E_INVALID : WPA_E_IO, "write '%s': %s",
                        entry->path, wpa_strerror(errno));
    }
    const bool is_written = wpa_fd_write_all(fd, data, size, err);
    close(fd);
    return is_written;
}

/*
 * Does a link at path with this target stay inside the tree? ".." may stand at the beginning only:
 * there the folders on the way are real, further on they may be links that the text cannot tell.
 */
static bool link_stays_inside(const char *path, const char *target)
{
    long depth = 0;
    for (const char *c = path; *c != '\0'; c++) {
        depth += *c == '/' ? 1 : 0;
    }
    bool is_leading = true;
    if (*target == '/' || *target == '\0') {
        return false;
    }
    while (*target != '\0') {
        const size_t length = strcspn(target, "/");
        const wpa_slice part = {target, length};
        if (wpa_slice_is(part, "..")) {
            if (!is_leading || --depth < 0) {
                return false;
            }
        } else if (wpa_slice_is_ci(part, ".git")) {
            return false;
        } else if (length > 0) {
            is_leading = false;
        }
        target += length + (target[length] == '/' ? 1 : 0);
    }
    return true;
}

static bool export_link(wpa_git *git, const wpa_git_entry *entry, const char *path, bool *is_made,
                        wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    size_t size = 0;
    const char *target = wpa_git_blob_read(git, entry->oid, LINK_MAX_BYTES, arena, &size, err);
    *is_made = false;
    if (target == NULL) {
        return err->code == WPA_E_LIMIT;
    }
    if (strlen(target) != size || !link_stays_inside(entry->path, target)) {
        return true;
    }
    if (symlink(target, path) != 0) {
        return WPA_FAIL(err, errno == EEXIST ? WPA_E_INVALID : WPA_E_IO, "link '%s': %s",
                        entry->path, wpa_strerror(errno));
    }
    *is_made = true;
    return true;
}

bool wpa_git_export(wpa_git *git, const char *commit, const char *folder,
                    wpa_git_export_limits limits, size_t *n_left_out, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_git_entries all;
    *n_left_out = 0;
    if (!wpa_git_tree_list(git, commit, "", true, limits.max_files, arena, &all, err) ||
        !wpa_dir_make(folder, 0700, err)) {
        return false;
    }
    size_t left_bytes = limits.max_bytes;
    for (size_t i = 0; i < all.n; i++) {
        const wpa_git_entry *entry = &all.items[i];
        if (!wpa_path_check_relative(entry->path, err)) {
            return wpa_error_within(err, "export %.12s", commit);
        }
        const char *path = wpa_path_join(arena, folder, entry->path);
        if ((entry->kind == WPA_GIT_FILE || entry->kind == WPA_GIT_EXECUTABLE) &&
            !export_file(git, entry, path, &left_bytes, err)) {
            return false;
        }
        if (entry->kind == WPA_GIT_SYMLINK && !make_folder_of(path, err)) {
            return wpa_error_within(err, "%s", entry->path);
        }
    }
    /*
     * Links last, when all folders are there: while those are made and files written, there is none
     * that could lead them astray, and one in the place of a folder (a tree may name a path twice)
     * is refused.
     */
    for (size_t i = 0; i < all.n; i++) {
        const wpa_git_entry *entry = &all.items[i];
        bool is_made = true;
        if (entry->kind == WPA_GIT_SYMLINK &&
            !export_link(git, entry, wpa_path_join(arena, folder, entry->path), &is_made, err)) {
            return false;
        }
        *n_left_out += entry->kind == WPA_GIT_SUBMODULE || !is_made ? 1 : 0;
    }
    return true;
}
