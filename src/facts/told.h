/*
 * What a forge has told on a later day than that of the tables that are compiled in: advisories
 * about actions, whether repositories are archived or go by another name, and what the newest
 * action.yml of an action says. A file that `wpa data update` writes and every run reads; like
 * refreshed.h, what is not as written is refused as a whole.
 *
 *     wpa.facts/1 forge
 *     date 2026-11-26
 *     digest <SHA-256 of all that follows>
 *     advisories 2026-11-26                          (asked on; they are all that there were)
 *     advisory GHSA-2222-3333-4444 2026-11-20 high acme/deploy <summary>
 *     range 1.0.0 1.2.3 -                            (from, fixed in, last with it; - is none)
 *     withdrawn GHSA-5555-6666-7777
 *     repo acme/deploy 2026-11-26 active             (archived; moved acme/ship)
 *     action acme/deploy 2026-11-26 v1.2.3 <commit> node24
 *     image Dockerfile
 *     input token rd <why it is not to be used>      (required; has a default; - is neither)
 *     output url
 *     uses actions/cache@v4
 *
 * In that order of kinds; advisories by action and id, the others by name, without case.
 */
#pragma once

#include "facts/refreshed.h"

#define WPA_TOLD_FILE "forge.txt"
#define WPA_TOLD_MAX_ADVISORIES 10000
#define WPA_TOLD_MAX_RANGES 200   /* of one advisory and action */
#define WPA_TOLD_MAX_ENTRIES 1000 /* inputs of an action, and so on */
#define WPA_TOLD_MAX_TEXT 400     /* of a summary, in bytes */

typedef enum wpa_told_state {
    WPA_TOLD_ACTIVE,
    WPA_TOLD_ARCHIVED,
    WPA_TOLD_MOVED
} wpa_told_state;

typedef struct wpa_told_repo {
    const char *name, *date;
    const char *target; /* what it is called now, if it has moved; or NULL */
    wpa_told_state state;
} wpa_told_repo;

/** The action.yml at the newest release. */
typedef struct wpa_told_action {
    const char *name; /* "owner/repo[/path]" */
    const char *date;
    const char *tag;
    uint8_t commit[WPA_COMMIT_BYTES];
    const char *using;
    const char *image; /* or NULL */
    wpa_fact_input *inputs;
    size_t n_inputs;
    const char **outputs;
    size_t n_outputs;
    const char **uses;
    size_t n_uses;
    int major; /* of tag */
} wpa_told_action;

typedef struct wpa_told {
    const char *date, *digest;
    const char *advisories_date; /* NULL: nobody has asked */
    wpa_fact_advisory *advisories;
    size_t n_advisories;
    const char **withdrawn; /* ids */
    size_t n_withdrawn;
    wpa_told_repo *repos;
    size_t n_repos;
    wpa_told_action *actions;
    size_t n_actions;
} wpa_told;

/** As wpa_refreshed_parse; texts are in the arena. */
const wpa_told *wpa_told_parse(const char *name, const char *text, size_t size_bytes,
                               const char *today, wpa_arena *arena, wpa_error *err);
/** Print a table; sorts what it is made of in place. No name may be there twice. Errors LIMIT. */
bool wpa_told_print(wpa_told *told, wpa_buf *out, wpa_error *err) WPA_CHECK;

/** Names, in the order of the table; without case. NULL: not there. */
const wpa_told_repo *wpa_told_repo_find(const wpa_told *told, wpa_slice slug);
/** The path behind the repository counts as it is written. */
const wpa_told_action *wpa_told_action_find(const wpa_told *told, wpa_slice slug);
bool wpa_told_is_withdrawn(const wpa_told *told, const char *id);

/* ---- is it fit to stand in a table? ---- */

/** "owner/repo[/path]", without dots that lead elsewhere. */
bool wpa_told_action_is_valid(wpa_slice name);
bool wpa_told_id_is_valid(wpa_slice id);
bool wpa_told_severity_is_valid(wpa_slice severity);
/** In one line, without characters that are not seen, of at most WPA_TOLD_MAX_TEXT bytes. */
const char *wpa_told_text(const char *text, wpa_arena *arena);
/** The major of a tag; -1: it is no release. */
int wpa_told_major(const char *tag);

/* ---- in use ---- */

/**
 * From now on look-ups prefer what this table has where it is not older than what is compiled in;
 * NULL: no longer. Once at the start, before threads and behind wpa_refreshed_use; the table is
 * borrowed until it is replaced, and arena gets what is made of it.
 */
void wpa_told_use(const wpa_told *told, wpa_arena *arena);
/** The table in use, or NULL. */
const wpa_told *wpa_told_in_use(void);
