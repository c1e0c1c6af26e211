/* A patch as somebody orders it: what it is called, what it answers, and what it changes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** New content of one file, or a unified diff of it: which of both, the text tells. */
typedef struct wpa_patch_text {
    const char *path; /* in the repository */
    const char *text; /* [size_bytes] */
    size_t size_bytes;
} wpa_patch_text;

/* Everything is borrowed for the call. NULL and 0: not said. */
typedef struct wpa_patch_order {
    int64_t analysis_id; /* one of both is needed */
    int64_t workflow_id; /* whose repository is changed; 0: the analysis's */
    const char *name, *version, *description, *issue;
    const char *type;         /* bug_fix, performance, security, feature, refactor */
    const char *severity;     /* critical, high, medium, low */
    const char *const *files; /* [n_files] whose findings are fixed if no file has a content */
    size_t n_files;
    const wpa_patch_text *texts; /* [n_texts] */
    size_t n_texts;
    const char *notes, *dependencies, *configuration; /* JSON: object, list, object */
} wpa_patch_order;

/** What can be changed of a patch until its deployment starts; NULL: stays as it is. */
typedef struct wpa_patch_revision {
    const char *reviewed_by;
    const char *deployment_config,
        *rollback_config; /* JSON objects; of the latter "irreversible" */
} wpa_patch_revision;
