/* What a work tree and a person's words for a commit need. */
#include <string.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "git/internal.h"

#define CONFIG_MAX_BYTES ((size_t)256 * 1024)

bool wpa_git_revision_find(wpa_git *git, const char *revision, char oid[WPA_OID_SIZE],
                           wpa_error *err)
{
    git_object *object = NULL, *commit = NULL;
    int rc = git_revparse_single(&object, git->repo, revision);
    rc = rc == 0 ? git_object_peel(&commit, object, GIT_OBJECT_COMMIT) : rc;
    if (rc == 0) {
        (void)git_oid_tostr(oid, WPA_OID_SIZE, git_object_id(commit));
    }
    git_object_free(commit);
    git_object_free(object);
    return rc == 0 || wpa_git_fail(rc, err, "revision '%s'", revision);
}

bool wpa_git_join_worktree(wpa_git *git, const char *folder, wpa_error *err)
{
    const int rc = git_repository_set_workdir(git->repo, folder, 0);
    return rc == 0 || wpa_git_fail(rc, err, "work tree '%s'", folder);
}

bool wpa_git_is_ignored(wpa_git *git, const char *path)
{
    int is_ignored = 0;
    git_index *index = NULL;
    if (git_ignore_path_is_ignored(&is_ignored, git->repo, path) != 0 || !is_ignored) {
        return false;
    }
    /* What is in the index is tracked, whatever the patterns say: a file, or one below a folder. */
    size_t at = 0, length = strlen(path);
    bool is_folder = length && path[length - 1] == '/';
    bool is_tracked = false;
    if (git_repository_index(&index, git->repo) == 0) {
        is_tracked = is_folder ? git_index_find_prefix(&at, index, path) == 0
                               : git_index_find(&at, index, path) == 0;
    }
    git_index_free(index);
    return !is_tracked;
}

/** Does the configuration lead to files of other places? Then these are not all. */
static bool leads_elsewhere(const char *config, wpa_arena *arena)
{
    size_t size_bytes;
    wpa_error err = {0};
    const char *text = wpa_file_read(config, CONFIG_MAX_BYTES, arena, &size_bytes, &err);
    return text ? strcasestr(text, "include") || strcasestr(text, "excludesfile")
                : err.code != WPA_E_NOT_FOUND;
}

const char *wpa_git_exclude_file(const wpa_git *git, wpa_arena *arena)
{
    return wpa_path_join(arena, git_repository_commondir(git->repo), "info/exclude");
}

bool wpa_git_list_ignore_files(const wpa_git *git, wpa_arena *arena, const char *const **files,
                               size_t *n)
{
    static const char *const names[] = {"config", "info/exclude", "config.worktree", "HEAD",
                                        "index"};
    const size_t n_common = 2; /* that further work trees share with the repository's own */
    const char **paths = wpa_arena_array(arena, WPA_COUNT(names), sizeof *paths);
    for (*n = 0; *n < WPA_COUNT(names); (*n)++) {
        const char *folder = *n < n_common ? git_repository_commondir(git->repo) : git->path;
        paths[*n] = wpa_path_join(arena, folder, names[*n]);
    }
    *files = paths;
    return !leads_elsewhere(paths[0], arena) && !leads_elsewhere(paths[n_common], arena);
}
