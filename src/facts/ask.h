/*
 * Asking a forge what refs do not tell, and making a table of the answers (told.h): advisories and
 * repositories over its REST API, the action.yml of newest releases by git or from its web pages.
 * What it says is taken for hostile: bounded, checked, and never in place of what is known unless
 * it is whole.
 */
#pragma once

#include "facts/told.h"

#define WPA_ASK_GITHUB_API "https://api.github.com"
#define WPA_ASK_GITHUB_WEB "https://github.com"

/** Tables that can be asked for, as bits 1 << WPA_FACTS_…. */
#define WPA_ASK_TABLES                                                                             \
    (1U << WPA_FACTS_ADVISORIES | 1U << WPA_FACTS_ARCHIVED | 1U << WPA_FACTS_ACTIONS)

typedef struct wpa_ask_request {
    const char *api;   /* "https://api.github.com"; NULL: none is asked */
    const char *token; /* for it alone, or NULL */
    const char *web;   /* WEB/OWNER/NAME/raw/COMMIT/PATH are files; NULL: none is asked */
    const char *from;  /* a mirror: folder with repositories or a table, URL of a table; or NULL */
    unsigned tables;   /* of WPA_ASK_TABLES */
    int64_t timeout_ms;
    const char *const *slugs; /* [n_slugs] "owner/repo", each once, valid */
    size_t n_slugs;
    const char *const *actions; /* [n_actions] "owner/repo[/path]", each once, valid */
    size_t n_actions;
    const wpa_told *before;    /* what an earlier refresh has left, or NULL */
    const wpa_refreshed *tags; /* refs as they are now, or NULL */
    const char *today;         /* "YYYY-MM-DD" */
} wpa_ask_request;

typedef struct wpa_ask_outcome {
    bool has_advisories; /* they were asked for, and all came */
    size_t n_advisories, n_repos, n_actions;
    size_t n_unasked;    /* repositories: nothing answered, or no more requests were taken */
    const char **faults; /* [n_faults] "owner/repo: why" */
    size_t n_faults, faults_capacity;
    const char *table; /* [table_bytes] the new table; NULL if nothing was refreshed */
    size_t table_bytes;
} wpa_ask_outcome;

/**
 * Ask for what request->tables names.
 *
 * Errors    INVALID (an URL, a token that would go in the clear, a damaged mirror), LIMIT.
 */
bool wpa_ask(const wpa_ask_request *request, wpa_arena *arena, wpa_ask_outcome *outcome,
             wpa_error *err) WPA_CHECK;

/* ---- in parts ---- */

void wpa_ask_add_fault(wpa_ask_outcome *outcome, wpa_arena *arena, const char *fault);

/**
 * One page of advisories, as "GET /advisories?ecosystem=actions" answers: added to told, whose
 * texts are in the arena. Those whose versions cannot be understood are left out and told of in
 * outcome->faults.
 *
 * Errors    INVALID: this is no such answer; LIMIT.
 */
bool wpa_ask_read_advisories(const char *json, size_t size_bytes, const char *today,
                             wpa_arena *arena, wpa_told *told, wpa_ask_outcome *outcome,
                             wpa_error *err) WPA_CHECK;
/** "GET /repos/OWNER/NAME". */
bool wpa_ask_read_repo(const char *json, size_t size_bytes, wpa_arena *arena, wpa_told_repo *repo,
                       wpa_error *err) WPA_CHECK;
/** An action.yml; fills all but name, date, tag, commit and major. */
bool wpa_ask_read_action(const char *yaml, size_t size_bytes, wpa_arena *arena,
                         wpa_told_action *action, wpa_error *err) WPA_CHECK;
/** URL of the next page by a "Link" header; NULL: none, or not below base. */
const char *wpa_ask_next_page(const char *link, const char *base, wpa_arena *arena);
