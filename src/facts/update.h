/*
 * Asking repositories for their tags and branches, and making a refreshed table of the answers.
 * What the network says is taken for hostile: bounded, checked, and never in place of what is known
 * unless it is whole.
 */
#pragma once

#include "facts/refreshed.h"

/**
 * A file of a mirror: below a folder, or an http or https URL.
 *
 * text      NULL if it is not there, or the mirror is neither.
 * name      of the file, for messages.
 *
 * Errors    those of reading: LIMIT, UNAVAILABLE, TIMEOUT, IO.
 */
bool wpa_facts_mirror_read(const char *from, const char *file, int64_t timeout_ms, wpa_arena *arena,
                           const char **name, const char **text, size_t *size_bytes,
                           wpa_error *err) WPA_CHECK;
/** Does from name a folder of this machine (and no URL)? */
bool wpa_facts_is_folder(const char *from);

typedef struct wpa_facts_request {
    const char *from; /* folder or URL in place of https://github.com, or NULL */
    int64_t timeout_ms;
    const char *const *slugs; /* [n_slugs] "owner/repo", each once, valid */
    size_t n_slugs;
    const wpa_refreshed *before; /* what an earlier refresh has left, or NULL */
    const char *today;           /* "YYYY-MM-DD" */
} wpa_facts_request;

/** A release whose tag now names another commit than it did. */
typedef struct wpa_facts_moved {
    const char *slug, *tag;
    uint8_t before[WPA_COMMIT_BYTES], after[WPA_COMMIT_BYTES];
} wpa_facts_moved;

typedef struct wpa_facts_outcome {
    size_t n_refreshed;
    const char **faults; /* [n_faults] "owner/repo: why", in the order asked */
    size_t n_faults;
    size_t n_unasked;       /* nothing answered, so the rest was not asked */
    wpa_facts_moved *moved; /* [n_moved] */
    size_t n_moved;
    const char *table; /* [table_bytes] the new table; NULL if nothing was refreshed */
    size_t table_bytes;
} wpa_facts_outcome;

/**
 * Ask for every slug; several at once. One that is late while others answer is asked a second time.
 * A repository that does not answer keeps what is known.
 *
 * Errors    NOT_FOUND (from is a folder that is not there), INVALID (a damaged mirror), LIMIT.
 */
bool wpa_facts_update(const wpa_facts_request *request, wpa_arena *arena,
                      wpa_facts_outcome *outcome, wpa_error *err) WPA_CHECK;
