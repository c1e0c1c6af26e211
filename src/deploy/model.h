/* A deployment as its rows say, read afresh for every step: nothing is remembered between steps. */
#pragma once

#include "db/db.h"
#include "git/git.h"
#include "json/json.h"

typedef struct wpa_deploy_target {
    int64_t n; /* stage */
    int64_t id;
    const char *ref;
    const char *state;
    const char *base, *applied, *reverted; /* commits, or NULL */
    const char *note;
    int64_t moves;
    int64_t retry_at_us; /* 0: none */
    int64_t ordinal;
    const char *repository;
    const char *url;
    const char *branch;
    int64_t criticality;
    int64_t version;
    const char *tested_base; /* the commit that the patch was made and tested on */
    int64_t applied_at_us, reverted_at_us;
} wpa_deploy_target;

typedef struct wpa_deploy_stage {
    int64_t n;
    const char *name;
    const char *state;
    const char *reason;
    int64_t bake_ms;
    int64_t bake_until_us, started_at_us, baking_at_us;
} wpa_deploy_stage;

typedef struct wpa_deployment {
    int64_t id;
    int64_t version;
    int64_t patch_id;
    const char *digest; /* hex */
    const char *state;
    const char *reason;
    const wpa_json *plan;
    int64_t rollback_at_us; /* 0: no order is open */
    const char *rollback_reason;
    const char *audit_anchor;
    int64_t started_at_us, paused_at_us, rolling_back_at_us;
    const char *patch_state;
    const char *patch_name;
    int64_t patch_revision;
    const char *patch_version;
    const char *issue;
    const char *rule;
    const char *commit_name, *commit_email;
    int64_t now_us; /* the database's clock when this was read */
    wpa_deploy_stage *stages;
    size_t n_stages;
    wpa_deploy_target *targets;
    size_t n_targets;
    wpa_arena *arena;
} wpa_deployment;

/** Errors NOT_FOUND. */
wpa_deployment *wpa_deployment_load(wpa_db *db, int64_t id, wpa_arena *arena, wpa_error *err);
/** The edits of one target, before → after; *n of them. With is_revert after → before. */
wpa_git_edit *wpa_deployment_edits(wpa_db *db, const wpa_deployment *deployment,
                                   const wpa_deploy_target *target, bool is_revert, size_t *n,
                                   wpa_arena *arena, wpa_error *err);
/** Has this target's ref been changed and not been restored? */
bool wpa_deploy_target_is_changed(const wpa_deploy_target *target);
/** Has any, or may it have been? */
bool wpa_deployment_has_changed(const wpa_deployment *deployment);
/** A number of the plan, or of its rollout. */
int64_t wpa_deployment_setting(const wpa_deployment *deployment, const char *key, int64_t fallback);
const char *wpa_deployment_text(const wpa_deployment *deployment, const char *key,
                                const char *fallback);
