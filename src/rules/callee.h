/* What a called workflow of the same repository asks of its caller. */
#pragma once

#include "rules/outline.h"
#include "rules/rule.h"

typedef struct wpa_callee {
    const wpa_source *source;
    const char *path;
    const char *const *used; /* [n_used] names, GITHUB_TOKEN left out */
    size_t n_used;
    bool uses_more;                /* whose names cannot be told: by index, passed on wholesale */
    const wpa_yaml_node *declared; /* mapping under on.workflow_call.secrets, or NULL */
} wpa_callee;

/** Read the workflow that a job calls; false if it is not of this repository or cannot be had. */
bool wpa_callee_read(wpa_rule_run *run, const wpa_outline_job *job, wpa_callee *callee);
bool wpa_callee_uses_secret(const wpa_callee *callee, const char *name);

/** Levels of a scope: 0 none, 1 read, 2 write. -1 if the callee leaves it to the caller. */
int wpa_callee_level(const wpa_callee *callee, const char *scope);
/** "none", "read", "write" as such a number; -1 for anything else. */
int wpa_callee_level_of(const char *text);
