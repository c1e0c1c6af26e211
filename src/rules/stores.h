/*
 * What a definition keeps for other jobs and runs: artifacts, caches, environments. Names are
 * compared as far as they are written: an expression may stand for anything.
 */
#pragma once

#include "rules/outline.h"

/** An artifact that a step uploads or downloads. */
typedef struct wpa_store_artifact {
    const char *name; /* as written; of an upload without one "artifact"; NULL: any, or unknown */
    const char *pattern; /* of a download; or NULL */
    const char *path;    /* as written, or NULL */
    size_t job, step;    /* indexes in the file */
    wpa_span span;       /* of the name, else of the uses or the command */
    int major;           /* of the action, -1 if it is not known */
    bool is_upload;
    bool is_of_other_run; /* a download: of a run that is named, or of the last one */
    bool is_of_any_run;   /* … and nothing says by which branch or event that was started */
    const char *workflow; /* … of this workflow, by file or name; NULL: not told */
    const char
        *opened_by; /* event by which strangers start the job, by what stands at it; or NULL */
} wpa_store_artifact;

/** A cache with a key of its own (actions/cache and its parts). */
typedef struct wpa_store_cache {
    const char *key;             /* as written */
    const char *const *prefixes; /* NULL-terminated: of restore-keys */
    const char *paths;           /* one a line, as written; or NULL */
    size_t job, step;
    wpa_span span; /* of the key */
    bool saves, restores;
    const char *opened_by; /* as above */
} wpa_store_cache;

typedef struct wpa_store_environment {
    const char *name; /* as written */
    size_t job;
    wpa_span span;
} wpa_store_environment;

typedef struct wpa_stores {
    const wpa_store_artifact *artifacts;
    size_t n_artifacts;
    const wpa_store_cache *caches;
    size_t n_caches;
    const wpa_store_environment *environments;
    size_t n_environments;
    bool may_upload;   /* by steps that cannot be looked into */
    bool may_download; /* likewise */
} wpa_stores;

/** Of a workflow or an action file; copies all it keeps into the arena. */
wpa_stores wpa_stores_read(const wpa_source *source, wpa_arena *arena);
/** Event by which strangers start this job, if neither its condition keeps them out; or NULL. */
const char *wpa_stores_opener(const wpa_source *source, const wpa_outline_job *job,
                              const wpa_outline_step *step);

/** May the two texts be one, whatever their expressions and "*" stand for? NULL is any text. */
bool wpa_stores_may_be(const char *a, const char *b);
/** May the download take what the upload leaves? */
bool wpa_stores_may_fit(const wpa_store_artifact *upload, const wpa_store_artifact *download);
/** May the cache that one saves be restored by the other, by key or prefix? */
bool wpa_stores_may_hit(const wpa_store_cache *saved, const wpa_store_cache *restored);
