/*
 * Patches: what a fix changes, file by file, before it is tested. A draft is made outside any
 * transaction (it reads git), and stored in one: edits, digest, findings, job "test".
 *
 * The digest (digest.h) covers every edit: it is what is tested, approved and deployed.
 */
#pragma once

#include <wpa/actor.h>
#include <wpa/finding.h>
#include <wpa/patch.h>

#include "db/db.h"
#include "edit/edit.h"
#include "git/git.h"
#include "json/json.h"

#define WPA_PATCH_FILES_MAX 2000
#define WPA_PATCH_FINDINGS_MAX 5000
#define WPA_PATCH_FILE_MAX_BYTES ((size_t)1 << 20)

/** One file's change; bytes NULL: the file is absent on that side. */
typedef struct wpa_patch_file {
    int64_t repository_id;
    const char *repository; /* name */
    const char *ref;        /* "refs/heads/main" */
    const char *base;       /* commit the edit was made on */
    const char *path;
    const char *before, *after; /* [..._bytes] */
    size_t before_bytes, after_bytes;
    char before_oid[WPA_OID_SIZE], after_oid[WPA_OID_SIZE]; /* "": absent */
    wpa_edit *edits; /* [n_edits] of fixes, before to after; NULL: as the texts differ */
    size_t n_edits;
} wpa_patch_file;

/** One side of a file that the patch may leave as it is; NULL: absent, or not to be read. */
typedef struct wpa_patch_side {
    const char *path, *before, *after; /* [..._bytes] */
    size_t before_bytes, after_bytes;
} wpa_patch_side;

/** A manifest and its lock file, of which the patch changes one at least (agreement.h). */
typedef struct wpa_patch_pair {
    int64_t repository_id;
    bool is_go; /* else npm's */
    wpa_patch_side manifest, lock;
    const wpa_json *json, *lock_json, *lock_json_before; /* of npm; NULL: cannot be read */
    const char *sums;                                    /* of go: the lock's lines */
} wpa_patch_pair;

typedef struct wpa_patch_agreement {
    const char *result; /* "pass", "warn", "skipped"; NULL: nobody has looked */
    const char *message;
} wpa_patch_agreement;

#define WPA_PATCH_PAIRS_MAX 8

typedef struct wpa_patch_draft {
    const char *name, *description, *issue;
    const char *engine_notes; /* what the engine did and left, a line each; NULL: it wrote none */
    const char *version;      /* semantic; NULL: 1.0.0 */
    const char *type;         /* bug_fix, performance, security, feature, refactor */
    wpa_severity severity;
    const char *const *declares; /* [n_declares] what it means to change */
    size_t n_declares;
    wpa_patch_file *files; /* [n_files] by repository id, path */
    size_t n_files;
    const int64_t *finding_ids; /* [n_findings] that it answers */
    size_t n_findings;
    const char *const *left_out; /* [n_left_out] findings it could not answer, and why */
    size_t n_left_out;
    wpa_patch_pair pairs[WPA_PATCH_PAIRS_MAX]; /* [n_pairs] */
    size_t n_pairs;
    wpa_patch_agreement toolchains; /* of workflows and the project's own files */
    bool is_by_person;              /* else the engine wrote it, on the actor's order */
} wpa_patch_draft;

/**
 * Write the fixes of findings into the files at the heads of their branches: one after the other,
 * each checked afterwards (it parses, the finding is gone, nothing as bad is new).
 *
 * cache_folder  of clones, see wpa_git_reach.
 * name          NULL: made from what it answers.
 *
 * Errors    NOT_FOUND (a finding), CONFLICT (another live patch answers one; the head has moved so
 *           that none of them is there), REFUSED (no fix among them could be applied, and why).
 */
bool wpa_patch_draft_findings(wpa_db *db, const int64_t finding_ids[], size_t n, const char *name,
                              const char *cache_folder, wpa_arena *arena, wpa_patch_draft *draft,
                              wpa_error *err) WPA_CHECK;

/** New content for a file of a repository, by a person; NULL content deletes it. */
typedef struct wpa_patch_replacement {
    const char *repository, *path;
    const char *bytes;
    size_t size_bytes;
    bool is_diff; /* bytes are a unified diff against the file as it is */
} wpa_patch_replacement;

/**
 * A draft from contents; name, description, issue, type and severity are then the caller's to set.
 * It answers the open findings of the files that are gone with it.
 *
 * Errors    NOT_FOUND (repository), INVALID (path, nothing changes, a diff that does not fit),
 *           LIMIT.
 */
bool wpa_patch_draft_contents(wpa_db *db, const wpa_patch_replacement contents[], size_t n,
                              const char *cache_folder, wpa_arena *arena, wpa_patch_draft *draft,
                              wpa_error *err) WPA_CHECK;

/** Is this a version of Semantic Versioning 2.0.0 (semver.org)? */
bool wpa_patch_version_is(const char *text);

/**
 * A draft as somebody outside ordered it: from contents if there are any, else from the fixable
 * findings of the analysis.
 *
 * Errors    as of the two above; REFUSED if there is nothing to change, or if its words hold a
 *           secret; INVALID names the field of the order.
 */
bool wpa_patch_draft_order(wpa_db *db, const wpa_patch_order *order, const char *cache_folder,
                           wpa_arena *arena, wpa_patch_draft *draft, wpa_error *err) WPA_CHECK;

/**
 * What the tables know of dependencies that a patch names ("owner/action@ref", an image, or
 * {"name", "from", "to"}): a list of {"dependency", "result", "message", "checks"}. checks are V101
 * to V115, each {"check", "result", "message"} with result "pass", "warn" or "skipped"; those that
 * are not about such a thing are left out. The whole's result is "warn" if one is, else V101's,
 * else "unknown".
 *
 * draft     whose files are looked at too, for V109 and V114; NULL: there are none yet.
 *
 * Errors    REFUSED (a known advisory, or a commit known to be malicious), INVALID (an entry that
 * is no such thing).
 */
wpa_json *wpa_patch_check_dependencies(const wpa_json *dependencies, const wpa_patch_draft *draft,
                                       wpa_arena *arena, wpa_error *err);

/**
 * Check and store a draft in the open transaction: patch (pending), its edits with inverse and
 * diff, rollback data, findings in_patch, their analyses patched, job "test" queued.
 *
 * supersedes   patch that this is a new revision of, or 0; it fails as superseded if it is live.
 *
 * Errors    REFUSED (a secret in the content: where, never what), INVALID, CONFLICT (a finding has
 *           been taken by another patch meanwhile), NOT_FOUND.
 */
bool wpa_patch_store(wpa_db *db, const wpa_actor *actor, const wpa_patch_draft *draft,
                     int64_t supersedes, wpa_arena *arena, int64_t *patch_id,
                     wpa_error *err) WPA_CHECK;

/** Queue the patch's test (inside a transaction). job_id: may be NULL. */
bool wpa_patch_order_test(wpa_db *db, const wpa_actor *actor, int64_t patch_id, int64_t *job_id,
                          wpa_error *err) WPA_CHECK;
