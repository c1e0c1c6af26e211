/*
 * A patch as the test phases see it: what it changes where, both versions read and analysed once
 * and shared by all checks. Plain data; where it comes from (database, git, a test) is the
 * caller's business.
 */
#pragma once

#include <stdint.h>

#include "git/git.h"
#include "json/json.h"

struct wpa_analysis;
struct wpa_source;
struct wpa_model;
struct wpa_outline;
struct wpa_surroundings;
struct wpa_settings;

/** Replace the bytes [start, end) by text. */
typedef struct wpa_test_edit {
    size_t start, end;
    const char *text;
    size_t text_bytes;
} wpa_test_edit;

typedef struct wpa_test_edits {
    const wpa_test_edit *items; /* in order, none overlapping */
    size_t n;
} wpa_test_edits;

/** One version of a file; bytes NULL: absent. */
typedef struct wpa_test_image {
    const char *bytes; /* [size_bytes], NUL-terminated */
    size_t size_bytes;
    const char *oid; /* blob id as stored, NULL if absent */
    /* read on demand, see wpa_test_image_* */
    const struct wpa_analysis *analysis;
    const struct wpa_model *model;
} wpa_test_image;

/** The repository's own test command, as fleet.yml declares it; argv NULL or empty: none. */
typedef struct wpa_test_command_spec {
    const char *const *argv;        /* NULL behind the last */
    const char *words;              /* argv joined, for people */
    const char *const *environment; /* "NAME=value", NULL behind the last; NULL: none */
    const char *const *reports;     /* files, NULL behind the last; NULL: the usual places */
    bool has_network;
    int64_t timeout_ms; /* 0: the runner's */
} wpa_test_command_spec;

/** A branch of a repository that the patch changes. */
typedef struct wpa_test_target {
    int64_t repository_id;
    const char *repository;           /* name */
    const char *url, *branch, *owner; /* of the repository, as the fleet knows it */
    const char *ref;                  /* "refs/heads/main" */
    const char *base_commit;          /* the patch was made on */
    wpa_test_command_spec test;
    wpa_git *git; /* NULL: git_trouble says why */
    const char *git_trouble;
    /* at the base, and with the patch; NULL: unknown */
    const struct wpa_surroundings *around, *around_after;
    const struct wpa_settings *settings; /* of the rules there; NULL: the defaults */
    /* filled by the checks */
    const struct wpa_surroundings *joined, *joined_after; /* those with a graph, see around.h */
    char tip[WPA_OID_SIZE];                               /* of the ref now; "" until T001 */
    char after[WPA_OID_SIZE];    /* rehearsal: commit with the patch, "" until made */
    char reverted[WPA_OID_SIZE]; /* rehearsal: commit that takes it back */
} wpa_test_target;

typedef struct wpa_test_file {
    wpa_test_target *target;
    const char *path;
    const char *subject; /* "ledger-api/ci.yml": for people */
    int mode;            /* as git writes it, 0100644 */
    wpa_test_image before, after;
    wpa_test_edits edits, inverse;
    bool is_definition; /* workflow, action or dependabot file */
    /* [n_trials] scripts that T107 has run in both versions, for who looks at them again */
    const struct wpa_trial_pair *trials;
    size_t n_trials;
} wpa_test_file;

typedef struct wpa_test_finding {
    const char *rule, *fingerprint, *repository, *path;
} wpa_test_finding;

/** A definition of the fleet that uses one of the patch's by its full name. */
typedef struct wpa_test_caller {
    const char *slug;       /* what it uses: owner/repo[/path], in lower case */
    const char *who, *path; /* "ledger-api/ci.yml", and where it lies in its repository */
    const char *text;       /* as it was analysed last; NULL: not known */
    size_t size_bytes;
} wpa_test_caller;

/** What another patch, open or being deployed, does to a file of this one. */
typedef struct wpa_test_rival {
    int64_t patch_id;
    const char *name, *state; /* of the patch */
    const char *deployment;   /* state of the one that is under way, or NULL */
    int64_t repository_id;
    const char *ref, *path;
    const char *before_oid, *after_oid; /* NULL: absent on that side */
    wpa_test_edits edits;               /* of what is before there */
} wpa_test_rival;

/** A repository of the fleet that the patch uses actions or workflows of. */
typedef struct wpa_test_upstream {
    const char *slug; /* "owner/repo", in lower case */
    const char *url, *branch;
    wpa_git *git; /* opened by the check that first asks; NULL: trouble says why, if one has */
    const char *trouble;
} wpa_test_upstream;

typedef struct wpa_test_patch {
    int64_t id;
    const uint8_t *digest; /* [32] as stored */
    const char *name, *description, *issue;
    bool is_by_person;        /* else the engine wrote it from fixes */
    unsigned declares;        /* wpa_declares bits */
    const char *fleet_config; /* wpa.yml below those of the targets, or NULL */
    wpa_test_target *targets;
    size_t n_targets;
    wpa_test_file *files; /* by target, path */
    size_t n_files;
    const wpa_test_finding *findings; /* that it answers */
    size_t n_findings;
    const wpa_test_caller *callers;
    size_t n_callers;
    bool has_more_callers; /* than are listed */
    wpa_test_upstream *upstreams;
    size_t n_upstreams;
    const wpa_test_rival *rivals; /* those being deployed first */
    size_t n_rivals;
    bool has_more_rivals;
} wpa_test_patch;

/** What a local use of the definition names: the workflow's path, or the action's folder. */
const char *wpa_test_used_as(const char *path, wpa_arena *arena);
/** "owner/repo/path" as other repositories use it, in lower case; NULL if the owner is not known.
 */
const char *wpa_test_slug(const wpa_test_target *target, const char *path, wpa_arena *arena);

/** Read {"command": ["sh", "t.sh"], "timeout_ms": 60000, "reports": {"junit": "a.xml"}}, or {}. */
wpa_test_command_spec wpa_test_command_read(const wpa_json *json, wpa_arena *arena);

/** Read "[{"start": 3, "end": 5, "text": "x"}]"; checks order and overlap, not the bounds. */
bool wpa_test_edits_read(const wpa_json *json, wpa_arena *arena, wpa_test_edits *edits,
                         wpa_error *err) WPA_CHECK;
/** Image with edits applied; NULL with WPA_E_INVALID if one lies outside. */
const char *wpa_test_edits_apply(const wpa_test_edits *edits, const wpa_test_image *image,
                                 wpa_arena *arena, size_t *size_bytes, wpa_error *err);
bool wpa_test_image_is(const wpa_test_image *image, const char *bytes, size_t size_bytes);

/** Typed model of an image that is there; NULL if it is too large to be read. */
const struct wpa_model *wpa_test_image_model(const wpa_test_file *file, wpa_test_image *image,
                                             wpa_arena *arena);
