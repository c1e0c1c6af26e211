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

/** Does the step push, or use what needs the checkout's credentials afterwards? */
bool wpa_needs_git_credentials(const wpa_outline_step *step);
