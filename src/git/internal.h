/* What the files of this folder share: the handle, and libgit2's errors and ids made ours. */
#pragma once

#include <git2.h>

#include "gen/calls_git2.h"
#include "git/git.h"

struct wpa_git {
    git_repository *repo;
    char *path;
    char *url;    /* NULL: local */
    char *branch; /* of the mirror */
    int64_t timeout_ms;
};

WPA_DEFINE_AUTO(git_tree, git_tree_free);
WPA_DEFINE_AUTO(git_tree_entry, git_tree_entry_free);
WPA_DEFINE_AUTO(git_commit, git_commit_free);
WPA_DEFINE_AUTO(git_blob, git_blob_free);
WPA_DEFINE_AUTO(git_reference, git_reference_free);
WPA_DEFINE_AUTO(git_remote, git_remote_free);
WPA_DEFINE_AUTO(git_signature, git_signature_free);
WPA_DEFINE_AUTO(git_config, git_config_free);
WPA_DEFINE_AUTO(git_odb, git_odb_free);
WPA_DEFINE_AUTO(git_odb_object, git_odb_object_free);

/** Libgit2's last error as ours, with what was being done in front; returns false. */
bool wpa_git_fail(int rc, wpa_error *err, const char *format, ...) WPA_PRINTF(3, 4);
bool wpa_git_oid_parse(const char *hex, git_oid *oid, wpa_error *err) WPA_CHECK;
git_commit *wpa_git_commit_lookup(wpa_git *git, const char *oid, wpa_error *err);
/** Open what lies at path as it is, for path in messages. */
wpa_git *wpa_git_open_at(const char *path, wpa_error *err);

/** Bring refs/heads/<branch> of url into the mirror. Runs in a child process. */
bool wpa_git_remote_fetch(wpa_git *git, wpa_error *err) WPA_CHECK;
bool wpa_git_remote_push(wpa_git *git, const char *ref, const char *old_oid, const char *new_oid,
                         wpa_error *err) WPA_CHECK;
bool wpa_git_remote_probe(wpa_git *git, wpa_error *err) WPA_CHECK;

/** The mirror of url in cache_dir, made if it is not there yet; nothing is fetched. */
wpa_git *wpa_git_mirror_open(const char *url, const char *branch, const char *cache_dir,
                             wpa_error *err);
/**
 * Hold the mirror until this process ends, beside others that do. Who is alone in it removes first
 * what killed ones have left.
 */
void wpa_git_mirror_hold(const wpa_git *git);
