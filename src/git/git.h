/*
 * Git repositories, read and written without a work tree. A local repository (a path or file://)
 * is worked on in place; any other URL through a bare mirror in a cache folder, where every
 * exchange with the network has a deadline. A ref only ever moves by compare-and-swap.
 */
#pragma once

#include <stdint.h>

#include <wpa/arena.h>

#define WPA_OID_SIZE 65 /* hex digits of an object id and NUL */
#define WPA_OID_ZERO "0000000000000000000000000000000000000000" /* "absent" on either side */

typedef struct wpa_git wpa_git;

typedef enum wpa_git_kind {
    WPA_GIT_FILE,
    WPA_GIT_EXECUTABLE,
    WPA_GIT_SYMLINK,
    WPA_GIT_SUBMODULE,
    WPA_GIT_FOLDER,
} wpa_git_kind;

typedef struct wpa_git_entry {
    const char *path; /* from the root of the tree */
    char oid[WPA_OID_SIZE];
    wpa_git_kind kind;
} wpa_git_entry;

typedef struct wpa_git_entries {
    wpa_git_entry *items;
    size_t n;
    size_t capacity;
} wpa_git_entries;

/** One file's change. A file keeps its mode; a new one is a plain file. */
typedef struct wpa_git_edit {
    const char *path;
    const char *before; /* blob id, or NULL: the file must be absent */
    const char *after;  /* blob id, or NULL: the file is deleted */
    const void *bytes;  /* [size_bytes] content of after */
    size_t size_bytes;
} wpa_git_edit;

typedef struct wpa_git_commit {
    char oid[WPA_OID_SIZE];
    char tree[WPA_OID_SIZE];
    const char *author_name; /* as written; make visible before showing */
    const char *author_email;
    int64_t author_time_s;
    int64_t time_s; /* of the committer */
    const char *message;
    size_t n_parents;
    char parent[WPA_OID_SIZE]; /* the first, or "" */
} wpa_git_commit;

typedef struct wpa_git_trailer {
    const char *key;
    const char *value;
} wpa_git_trailer;

typedef struct wpa_git_identity {
    const char *name;
    const char *email;
    int64_t time_s; /* Unix time of author and committer, offset 0 */
} wpa_git_identity;

typedef struct wpa_git_export_limits {
    size_t max_files;
    size_t max_bytes;
} wpa_git_export_limits;

/** Once, before any other call and before threads; reads no configuration of the user or host. */
bool wpa_git_init(wpa_error *err) WPA_CHECK;
void wpa_git_shutdown(void);

/** Is this a path or a file:// URL (true), or an URL that needs the network? */
bool wpa_git_url_is_local(const char *url);
/** The URL without password, and over HTTP without user, who may be a token: fit for a message. */
char *wpa_git_url_visible(wpa_arena *arena, const char *url);
/** Last part of a path or URL without ".git": the default name of a repository. */
char *wpa_git_url_name(wpa_arena *arena, const char *url);

/**
 * Open a repository that lies on this machine, bare or with a work tree, whoever owns it.
 *
 * Errors    NOT_FOUND (no such path), INVALID (no repository), IO.
 * Thread    one at a time: an open repository per worker.
 */
wpa_git *wpa_git_open(const char *path, wpa_error *err);
/**
 * As above, to read alone, and also what a `.git` file leads to: a submodule's repository, or the
 * one that a further work tree belongs to, with the HEAD of that work tree.
 */
wpa_git *wpa_git_open_to_read(const char *path, wpa_error *err);
/** An empty bare repository with the branch as its HEAD. */
wpa_git *wpa_git_create(const char *path, const char *branch, wpa_error *err);
#define WPA_GIT_BRANCH_MAX_BYTES 500 /* of a repository that is elsewhere */
/**
 * Open the repository at any URL with refs/heads/<branch> as it is now: in place if it is local,
 * else by a fetch into a bare mirror under cache_dir, in a child process that ends at the
 * deadline.
 *
 * Errors    NOT_FOUND (no repository), TIMEOUT, UNAVAILABLE, DENIED, LIMIT (the branch's name). A
 *           missing branch is no error here: wpa_git_ref_read finds it missing.
 */
wpa_git *wpa_git_reach(const char *url, const char *branch, const char *cache_dir,
                       int64_t timeout_ms, wpa_error *err);
void wpa_git_close(wpa_git *git);
WPA_DEFINE_AUTO(wpa_git, wpa_git_close);

const char *wpa_git_path(const wpa_git *git);
/** Branch that HEAD names ("main"), also if it has no commit yet; NULL if HEAD is detached. */
char *wpa_git_head_branch(wpa_git *git, wpa_arena *arena);
/** Does a work tree have this ref checked out? Then nobody may move it from outside. */
bool wpa_git_is_checked_out(wpa_git *git, const char *ref);

/** A ref as a remote says it has it. */
typedef struct wpa_git_remote_ref {
    const char *name; /* "refs/tags/v1", without blanks and control characters */
    char oid[WPA_OID_SIZE];
    bool is_peeled; /* the commit behind an annotated tag, which comes before it */
} wpa_git_remote_ref;

/**
 * Ask any repository, here or elsewhere, for its tags and branches (as git ls-remote does), in a
 * child process that ends at the deadline. Nothing is fetched and nothing written.
 *
 * max       of refs; what the server says is taken for hostile.
 *
 * Errors    NOT_FOUND, DENIED, UNAVAILABLE, TIMEOUT; LIMIT (more than max); INVALID.
 * Thread    any.
 */
bool wpa_git_remote_refs(const char *url, int64_t timeout_ms, size_t max, wpa_arena *arena,
                         wpa_git_remote_ref **refs, size_t *n, wpa_error *err) WPA_CHECK;

/** Value of a full ref name ("refs/heads/main"). Errors NOT_FOUND. */
bool wpa_git_ref_read(wpa_git *git, const char *ref, char oid[WPA_OID_SIZE],
                      wpa_error *err) WPA_CHECK;
/** As above, but asked of the remote again where there is one. */
bool wpa_git_ref_refresh(wpa_git *git, const char *ref, char oid[WPA_OID_SIZE],
                         wpa_error *err) WPA_CHECK;
/**
 * Move a ref from old_oid to new_oid if, and only if, it still is old_oid: in place by the ref's
 * lock; over the network by a push that compares what the server advertises and leaves the rest
 * to the server.
 *
 * old_oid, new_oid   WPA_OID_ZERO stands for "absent": create, delete.
 * Errors    CONFLICT (it is something else now), REFUSED (hook, right, checked out; the host's
 *           own words), UNAVAILABLE or TIMEOUT (lock held, network: the outcome is unknown; read
 *           the ref again).
 */
bool wpa_git_ref_swap(wpa_git *git, const char *ref, const char *old_oid, const char *new_oid,
                      wpa_error *err) WPA_CHECK;
/** May this process move the ref here: bare, writable, reachable? Errors REFUSED, UNAVAILABLE. */
bool wpa_git_can_push(wpa_git *git, const char *ref, wpa_error *err) WPA_CHECK;

/** Is ancestor the same commit as, or reachable from, descendant? */
bool wpa_git_is_ancestor(wpa_git *git, const char *ancestor, const char *descendant, bool *yes,
                         wpa_error *err) WPA_CHECK;
/** Number of commits that are in to and not in from. */
bool wpa_git_count_commits(wpa_git *git, const char *from, const char *to, size_t *n,
                           wpa_error *err) WPA_CHECK;
bool wpa_git_commit_read(wpa_git *git, const char *oid, wpa_arena *arena, wpa_git_commit *commit,
                         wpa_error *err) WPA_CHECK;
/** Trailers of a commit message, in order; *n may be 0. */
wpa_git_trailer *wpa_git_trailers(const char *message, wpa_arena *arena, size_t *n, wpa_error *err);
/** First value of a trailer, or NULL. */
const char *wpa_git_trailer_find(const wpa_git_trailer *trailers, size_t n, const char *key);

/**
 * Entries of the tree of a commit: of one folder, or with recursive of all below it (folders
 * themselves are then left out). folder "" is the root; a folder that is not there has none.
 *
 * Errors    LIMIT (more than max_entries), INVALID (a symlink or file where folder should be).
 */
bool wpa_git_tree_list(wpa_git *git, const char *commit, const char *folder, bool recursive,
                       size_t max_entries, wpa_arena *arena, wpa_git_entries *entries,
                       wpa_error *err) WPA_CHECK;
/** One path of a commit; symlinks on the way are not followed. Errors NOT_FOUND. */
bool wpa_git_tree_find(wpa_git *git, const char *commit, const char *path, wpa_arena *arena,
                       wpa_git_entry *entry, wpa_error *err) WPA_CHECK;
/** Size of a blob without reading it. Errors NOT_FOUND. */
bool wpa_git_blob_size(wpa_git *git, const char *oid, size_t *size_bytes, wpa_error *err) WPA_CHECK;
/** The commit that a person's words name ("HEAD~3", "v1.2", a short id). Errors NOT_FOUND. */
bool wpa_git_revision_find(wpa_git *git, const char *revision, char oid[WPA_OID_SIZE],
                           wpa_error *err) WPA_CHECK;
/** Its work tree lies in this folder: an open repository has none by itself. Writes nothing. */
bool wpa_git_join_worktree(wpa_git *git, const char *folder, wpa_error *err) WPA_CHECK;
/**
 * Does git leave this path of the work tree alone (.gitignore, info/exclude) and not track it?
 * A folder has a slash behind.
 */
bool wpa_git_is_ignored(wpa_git *git, const char *path);
/** info/exclude, there or not; further work trees have that of their repository. In the arena. */
const char *wpa_git_exclude_file(const wpa_git *git, wpa_arena *arena);
/**
 * [n] the files, there or not, that this depends on besides those named .gitignore; in the arena.
 * False if it depends on others too.
 */
bool wpa_git_list_ignore_files(const wpa_git *git, wpa_arena *arena, const char *const **files,
                               size_t *n) WPA_CHECK;
/** Content of a blob, NUL-terminated behind size_bytes. Errors NOT_FOUND, LIMIT. */
char *wpa_git_blob_read(wpa_git *git, const char *oid, size_t max_bytes, wpa_arena *arena,
                        size_t *size_bytes, wpa_error *err);
/** The id that git gives to these bytes as a blob; writes nothing. */
bool wpa_git_blob_id(const void *bytes, size_t size_bytes, char oid[WPA_OID_SIZE],
                     wpa_error *err) WPA_CHECK;

/**
 * A commit with the parent's tree and the edits in it; no ref moves. The same input gives the
 * same object, byte for byte and anywhere.
 *
 * parent    commit id, or NULL for a first commit.
 * Errors    CONFLICT (a path is not as before says), INVALID (a path that may not be written, bytes
 *           that are not after), REFUSED (a symlink, submodule or folder at the path).
 */
bool wpa_git_commit_make(wpa_git *git, const char *parent, const wpa_git_edit *edits, size_t n,
                         const wpa_git_identity *identity, const char *message,
                         char oid[WPA_OID_SIZE], wpa_error *err) WPA_CHECK;
/** The commit object itself, as stored with an intent. */
void *wpa_git_commit_raw(wpa_git *git, const char *oid, wpa_arena *arena, size_t *size_bytes,
                         wpa_error *err);
/**
 * Make a commit again from its stored object and its edits, in a repository that may have neither.
 *
 * Errors    INVALID (raw or its tree does not give oid), and those of wpa_git_commit_make.
 */
bool wpa_git_commit_restore(wpa_git *git, const void *raw, size_t size_bytes,
                            const wpa_git_edit *edits, size_t n, const char *oid,
                            wpa_error *err) WPA_CHECK;

/**
 * Write the tree of a commit into a fresh folder, for a sandbox: plain files (0644, 0755) and
 * symlinks that stay inside; submodules and other symlinks are left out and counted.
 *
 * Errors    LIMIT, INVALID (a path that may not be written), IO.
 */
bool wpa_git_export(wpa_git *git, const char *commit, const char *folder,
                    wpa_git_export_limits limits, size_t *n_left_out, wpa_error *err) WPA_CHECK;
