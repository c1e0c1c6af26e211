/* What the steps of a job need of its token, as far as the tables can tell. */
#pragma once

#include "rules/outline.h"
#include "rules/rule.h"

#define WPA_NEEDS_MAX 16

typedef struct wpa_needs {
    const char *scopes[WPA_NEEDS_MAX]; /* "contents: write"; each scope once, at its highest */
    size_t n;
    bool is_complete; /* every step is known; false: there may be more */
} wpa_needs;

void wpa_needs_add_step(wpa_needs *needs, const wpa_outline_step *step);
void wpa_needs_add_job(wpa_needs *needs, const wpa_outline_job *job);
/** Of all jobs of the file. */
wpa_needs wpa_needs_of(const wpa_outline *outline);
/** "permissions:\n  contents: read" in the arena, "permissions: {}" if nothing is needed. */
const char *wpa_needs_text(const wpa_needs *needs, wpa_arena *arena);

/**
 * Edit the job's permissions so that they hold "scope: level" as well. permissions is the value
 * that counts for the job: its own, or the workflow's, which is then written out for the job. No
 * edit if that cannot be done.
 */
void wpa_needs_grant(wpa_rule_run *run, wpa_fix *fix, const wpa_outline_job *job,
                     const wpa_yaml_node *permissions, const char *scope);

/** Does the step work with the job's own token, as far as the file tells? */
bool wpa_needs_own_token(const wpa_outline *outline, const wpa_outline_step *step);

/** Is the step an action that pushes, fetches or releases with what the checkout left? */
bool wpa_needs_action_pushes(const wpa_outline_step *step);

/** Of the words that say that a script releases or pushes those that a file may hold. */
#define WPA_RELEASE_WORDS 10
typedef struct wpa_release_words {
    wpa_slice items[WPA_RELEASE_WORDS];
    size_t n;
} wpa_release_words;
wpa_release_words wpa_release_words_of(const wpa_yaml_doc *doc);
/** Does the step push, or use what needs the checkout's credentials? words: of its file. */
bool wpa_needs_git_credentials(const wpa_outline_step *step, const wpa_release_words *words);
