/* Commits: reading, and making them so that the same input gives the same object. */
#include <stdio.h>
#include <string.h>

#include <wpa/file.h>

#include "git/internal.h"

#define RAW_MAX_BYTES ((size_t)1 << 20)

git_commit *wpa_git_commit_lookup(wpa_git *git, const char *oid, wpa_error *err)
{
    git_oid id;
    if (!wpa_git_oid_parse(oid, &id, err)) {
        return NULL;
    }
    git_commit *commit = NULL;
    const int rc = git_commit_lookup(&commit, git->repo, &id);
    if (rc != 0) {
        wpa_git_fail(rc, err, "commit %s in '%s'", oid, git->path);
        return NULL;
    }
    return commit;
}

bool wpa_git_is_ancestor(wpa_git *git, const char *ancestor, const char *descendant, bool *yes,
                         wpa_error *err)
{
    git_oid older;
    git_oid newer;
    if (!wpa_git_oid_parse(ancestor, &older, err) || !wpa_git_oid_parse(descendant, &newer, err)) {
        return false;
    }
    if (git_oid_equal(&older, &newer)) {
        *yes = true;
        return true;
    }
    WPA_AUTO(git_odb) *odb = NULL;
    int rc = git_repository_odb(&odb, git->repo);
    if (rc != 0) {
        return wpa_git_fail(rc, err, "objects of '%s'", git->path);
    }
    if (!git_odb_exists(odb, &older)) { /* what is not here cannot be an ancestor of what is */
        *yes = false;
        return true;
    }
    rc = git_graph_descendant_of(git->repo, &newer, &older);
    if (rc < 0) {
        return wpa_git_fail(rc, err, "history of %s", descendant);
    }
    *yes = rc == 1;
    return true;
}

bool wpa_git_count_commits(wpa_git *git, const char *from, const char *to, size_t *n,
                           wpa_error *err)
{
    git_oid older;
    git_oid newer;
    if (!wpa_git_oid_parse(from, &older, err) || !wpa_git_oid_parse(to, &newer, err)) {
        return false;
    }
    size_t behind = 0;
    const int rc = git_graph_ahead_behind(n, &behind, git->repo, &newer, &older);
    return rc == 0 || wpa_git_fail(rc, err, "history of %s", to);
}

bool wpa_git_commit_read(wpa_git *git, const char *oid, wpa_arena *arena, wpa_git_commit *commit,
                         wpa_error *err)
{
    WPA_AUTO(git_commit) *found = wpa_git_commit_lookup(git, oid, err);
    if (found == NULL) {
        return false;
    }
    *commit = (wpa_git_commit){0};
    git_oid_tostr(commit->oid, WPA_OID_SIZE, git_commit_id(found));
    git_oid_tostr(commit->tree, WPA_OID_SIZE, git_commit_tree_id(found));
    const git_signature *author = git_commit_author(found);
    commit->author_name = wpa_arena_text(arena, author->name);
    commit->author_email = wpa_arena_text(arena, author->email);
    commit->author_time_s = author->when.time;
    commit->time_s = git_commit_time(found);
    commit->message = wpa_arena_text(arena, git_commit_message(found));
    commit->n_parents = git_commit_parentcount(found);
    if (commit->n_parents > 0) {
        git_oid_tostr(commit->parent, WPA_OID_SIZE, git_commit_parent_id(found, 0));
    }
    return true;
}

wpa_git_trailer *wpa_git_trailers(const char *message, wpa_arena *arena, size_t *n, wpa_error *err)
{
    git_message_trailer_array found = {0};
    const int rc = git_message_trailers(&found, message);
    if (rc != 0) {
        wpa_git_fail(rc, err, "trailers of a commit message");
        return NULL;
    }
    *n = found.count;
    wpa_git_trailer *trailers = wpa_arena_array(arena, found.count + 1, sizeof *trailers);
    for (size_t i = 0; i < found.count; i++) {
        trailers[i].key = wpa_arena_text(arena, found.trailers[i].key);
        trailers[i].value = wpa_arena_text(arena, found.trailers[i].value);
    }
    git_message_trailer_array_free(&found);
    return trailers;
}

const char *wpa_git_trailer_find(const wpa_git_trailer *trailers, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(trailers[i].key, key) == 0) {
            return trailers[i].value;
        }
    }
    return NULL;
}

static bool is_oid(const git_oid *id, const char *hex)
{
    char text[WPA_OID_SIZE];
    git_oid_tostr(text, sizeof text, id);
    return strcmp(text, hex) == 0;
}

/* The file mode the path has now; 0 if it is absent. Checks that it is what before says. */
static bool check_before(git_tree *tree, const wpa_git_edit *edit, git_filemode_t *mode,
                         wpa_error *err)
{
    *mode = GIT_FILEMODE_UNREADABLE;
    WPA_AUTO(git_tree_entry) *entry = NULL;
    const int rc = tree == NULL ? GIT_ENOTFOUND : git_tree_entry_bypath(&entry, tree, edit->path);
    if (rc == GIT_ENOTFOUND) {
        return edit->before == NULL ||
               WPA_FAIL(err, WPA_E_CONFLICT, "'%s' is not there any more", edit->path);
    }
    if (rc != 0) {
        return wpa_git_fail(rc, err, "look up '%s'", edit->path);
    }
    *mode = git_tree_entry_filemode(entry);
    if (*mode != GIT_FILEMODE_BLOB && *mode != GIT_FILEMODE_BLOB_EXECUTABLE) {
        return WPA_FAIL(err, WPA_E_REFUSED, "'%s' is no regular file", edit->path);
    }
    if (edit->before == NULL) {
        return WPA_FAIL(err, WPA_E_CONFLICT, "'%s' exists already", edit->path);
    }
    if (!is_oid(git_tree_entry_id(entry), edit->before)) {
        return WPA_FAIL(err, WPA_E_CONFLICT, "'%s' has changed meanwhile", edit->path);
    }
    return true;
}

static bool write_after(wpa_git *git, const wpa_git_edit *edit, git_oid *id, wpa_error *err)
{
    const int rc = git_blob_create_from_buffer(id, git->repo, edit->bytes, edit->size_bytes);
    if (rc != 0) {
        return wpa_git_fail(rc, err, "write blob of '%s'", edit->path);
    }
    return is_oid(id, edit->after) ||
           WPA_FAIL(err, WPA_E_INVALID, "content of '%s' is not blob %s", edit->path, edit->after);
}

static bool plan_update(wpa_git *git, git_tree *base, const wpa_git_edit *edit,
                        git_tree_update *update, wpa_error *err)
{
    git_filemode_t mode;
    if (!wpa_path_check_relative(edit->path, err) || !check_before(base, edit, &mode, err)) {
        return false;
    }
    *update = (git_tree_update){.path = edit->path};
    if (edit->after == NULL) {
        update->action = GIT_TREE_UPDATE_REMOVE;
        return true;
    }
    update->action = GIT_TREE_UPDATE_UPSERT;
    update->filemode = mode == GIT_FILEMODE_UNREADABLE ? GIT_FILEMODE_BLOB : mode;
    return write_after(git, edit, &update->id, err);
}

static bool make_tree(wpa_git *git, git_commit *parent, const wpa_git_edit *edits, size_t n,
                      git_oid *id, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(git_tree) *base = NULL;
    int rc = parent == NULL ? 0 : git_commit_tree(&base, parent);
    if (rc != 0) {
        return wpa_git_fail(rc, err, "tree of the parent");
    }
    git_tree_update *updates = wpa_arena_array(arena, n + 1, sizeof *updates);
    for (size_t i = 0; i < n; i++) {
        if (edits[i].before == NULL && edits[i].after == NULL) {
            return WPA_FAIL(err, WPA_E_INVALID, "the edit of '%s' changes nothing", edits[i].path);
        }
        if (!plan_update(git, base, &edits[i], &updates[i], err)) {
            return false;
        }
    }
    rc = git_tree_create_updated(id, git->repo, base, n, updates);
    return rc == 0 || wpa_git_fail(rc, err, "make the tree");
}

bool wpa_git_commit_make(wpa_git *git, const char *parent, const wpa_git_edit *edits, size_t n,
                         const wpa_git_identity *identity, const char *message,
                         char oid[WPA_OID_SIZE], wpa_error *err)
{
    WPA_AUTO(git_commit) *base = parent == NULL ? NULL : wpa_git_commit_lookup(git, parent, err);
    if (parent != NULL && base == NULL) {
        return false;
    }
    git_oid tree_id;
    if (!make_tree(git, base, edits, n, &tree_id, err)) {
        return false;
    }
    WPA_AUTO(git_tree) *tree = NULL;
    int rc = git_tree_lookup(&tree, git->repo, &tree_id);
    WPA_AUTO(git_signature) *signature = NULL;
    if (rc == 0) {
        rc = git_signature_new(&signature, identity->name, identity->email, identity->time_s, 0);
    }
    git_oid id;
    if (rc == 0) { /* no ref is given: refs move by wpa_git_ref_swap alone */
        const git_commit *parents[] = {base};
        rc = git_commit_create(&id, git->repo, NULL, signature, signature, NULL, message, tree,
                               base != NULL ? 1 : 0, parents);
    }
    if (rc != 0) {
        return wpa_git_fail(rc, err, "make the commit");
    }
    git_oid_tostr(oid, WPA_OID_SIZE, &id);
    return true;
}

void *wpa_git_commit_raw(wpa_git *git, const char *oid, wpa_arena *arena, size_t *size_bytes,
                         wpa_error *err)
{
    git_oid id;
    WPA_AUTO(git_odb) *odb = NULL;
    WPA_AUTO(git_odb_object) *object = NULL;
    if (!wpa_git_oid_parse(oid, &id, err)) {
        return NULL;
    }
    int rc = git_repository_odb(&odb, git->repo);
    if (rc == 0) {
        rc = git_odb_read(&object, odb, &id);
    }
    if (rc != 0) {
        wpa_git_fail(rc, err, "commit %s", oid);
        return NULL;
    }
    if (git_odb_object_type(object) != GIT_OBJECT_COMMIT ||
        git_odb_object_size(object) > RAW_MAX_BYTES) {
        WPA_FAIL(err, WPA_E_INVALID, "%s is no commit, or one of more than 1 MiB", oid);
        return NULL;
    }
    *size_bytes = git_odb_object_size(object);
    return wpa_arena_dup(arena, git_odb_object_data(object), *size_bytes);
}

/* "tree <40 hex>\nparent <40 hex>\n": what a commit of ours begins with. */
static bool read_head(const char *raw, size_t size_bytes, char tree[WPA_OID_SIZE],
                      char parent[WPA_OID_SIZE], wpa_error *err)
{
    const size_t line = strlen("tree ") + GIT_OID_HEXSZ + 1;
    if (size_bytes < line || memcmp(raw, "tree ", 5) != 0) {
        return WPA_FAIL(err, WPA_E_INVALID, "the stored commit does not begin with its tree");
    }
    snprintf(tree, WPA_OID_SIZE, "%.40s", raw + 5);
    parent[0] = '\0';
    const char *rest = raw + line;
    if (size_bytes - line > strlen("parent ") + GIT_OID_HEXSZ && memcmp(rest, "parent ", 7) == 0) {
        snprintf(parent, WPA_OID_SIZE, "%.40s", rest + 7);
    }
    return true;
}

bool wpa_git_commit_restore(wpa_git *git, const void *raw, size_t size_bytes,
                            const wpa_git_edit *edits, size_t n, const char *oid, wpa_error *err)
{
    char tree[WPA_OID_SIZE];
    char parent[WPA_OID_SIZE];
    git_oid wanted;
    if (!wpa_git_oid_parse(oid, &wanted, err) || size_bytes > RAW_MAX_BYTES ||
        !read_head(raw, size_bytes, tree, parent, err)) {
        return size_bytes <= RAW_MAX_BYTES ? false
                                           : WPA_FAIL(err, WPA_E_LIMIT, "commit over 1 MiB");
    }
    WPA_AUTO(git_commit) *base = parent[0] == '\0' ? NULL : wpa_git_commit_lookup(git, parent, err);
    git_oid made;
    if ((parent[0] != '\0' && base == NULL) || !make_tree(git, base, edits, n, &made, err)) {
        return false;
    }
    if (!is_oid(&made, tree)) {
        return WPA_FAIL(err, WPA_E_INVALID, "the edits do not give the tree of commit %s", oid);
    }
    WPA_AUTO(git_odb) *odb = NULL;
    int rc = git_repository_odb(&odb, git->repo);
    if (rc == 0) {
        rc = git_odb_hash(&made, raw, size_bytes, GIT_OBJECT_COMMIT);
    }
    if (rc == 0 && !git_oid_equal(&made, &wanted)) {
        return WPA_FAIL(err, WPA_E_INVALID, "the stored commit is not %s", oid);
    }
    if (rc == 0) {
        rc = git_odb_write(&made, odb, raw, size_bytes, GIT_OBJECT_COMMIT);
    }
    return rc == 0 || wpa_git_fail(rc, err, "write commit %s", oid);
}
