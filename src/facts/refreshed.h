/*
 * Refs of repositories as they were on a later day than the tables that are compiled in: a file
 * that `wpa data update` writes and every run reads. Its bytes come from outside: what is not as
 * written is refused as a whole.
 *
 *     wpa.facts/1 tags
 *     date 2026-11-26
 *     digest <SHA-256 of all that follows>
 *     repo actions/checkout 2026-11-26
 *     tag v4 <commit>
 *     tag v4.3.1 <commit> 2026-11-24     (the day it was first seen)
 *     branch main <commit>
 *
 * Repositories in the order of their names without case, refs by name, a tag before a branch. No
 * day is later than the one it stands under, and the table's is not yet to come: nothing newer
 * could ever take the place of such a table.
 */
#pragma once

#include <wpa/buf.h>

#include "facts/facts.h"

#define WPA_REFRESHED_MAX_BYTES ((size_t)32 << 20)
#define WPA_REFRESHED_MAX_REPOS 20000
#define WPA_REFRESHED_MAX_REFS 20000 /* of one repository */
#define WPA_REFRESHED_NAME_MAX 200

typedef struct wpa_refreshed wpa_refreshed;

/**
 * Read a table; text is borrowed as long as the table is, the rest is in the arena.
 *
 * name      for messages.
 * today     "YYYY-MM-DD"; a table may be of the day behind, which it is elsewhere by then.
 *
 * Errors    INVALID: no such table, damaged, or of a day to come; LIMIT.
 */
const wpa_refreshed *wpa_refreshed_parse(const char *name, const char *text, size_t size_bytes,
                                         const char *today, wpa_arena *arena, wpa_error *err);
const char *wpa_refreshed_date(const wpa_refreshed *table);
size_t wpa_refreshed_repo_count(const wpa_refreshed *table);
size_t wpa_refreshed_ref_count(const wpa_refreshed *table);
/** In the order of names. */
const wpa_fact_repo *wpa_refreshed_repo_at(const wpa_refreshed *table, size_t i);
/** slug is "owner/repo". */
const wpa_fact_repo *wpa_refreshed_repo_find(const wpa_refreshed *table, wpa_slice slug);
/** The day a tag was first seen; NULL: it was there before, or is in no refreshed table. */
const char *wpa_refreshed_seen(const wpa_fact_repo *repo, wpa_slice tag);

/**
 * From now on look-ups prefer what this table has, where it is not older than what is compiled in;
 * NULL: no longer. Once at the start, before threads; the table is borrowed until it is replaced.
 * A table that is older altogether is not taken: false.
 */
bool wpa_refreshed_use(const wpa_refreshed *table);
/** The table in use, or NULL. */
const wpa_refreshed *wpa_refreshed_in_use(void);
/** Of the content of the table in use; "" if there is none. */
const char *wpa_refreshed_digest(void);

/* ---- writing ---- */

/** A ref on its way into a table. */
typedef struct wpa_refreshed_ref {
    const char *name;
    const char *seen; /* or NULL */
    uint8_t commit[WPA_COMMIT_BYTES];
    bool is_branch;
} wpa_refreshed_ref;

typedef struct wpa_refreshed_repo {
    const char *name, *date;
    wpa_refreshed_ref *refs; /* [n_refs] in any order */
    size_t n_refs;
} wpa_refreshed_repo;

/** Fit to stand in a table: characters, length. */
bool wpa_refreshed_name_is_valid(wpa_slice name);
/** "owner/repo" as GitHub would have it. */
bool wpa_refreshed_slug_is_valid(wpa_slice slug);
/** Print a table; sorts repos and refs in place. No name may be there twice. Errors LIMIT. */
bool wpa_refreshed_print(const char *date, wpa_refreshed_repo *repos, size_t n, wpa_buf *out,
                         wpa_error *err) WPA_CHECK;
