/* What a work tree and a person's words for a commit need. */
#include <string.h>

#include "git/internal.h"

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
