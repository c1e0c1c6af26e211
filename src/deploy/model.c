#include "deploy/model.h"

#include <string.h>

#include <wpa/text.h>

#include "gen/sql.h"

#define PLAN_MAX_BYTES ((size_t)64 << 20)

static bool load_stages(wpa_db *db, wpa_deployment *d, const char *const *params, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_DEPLOY_STAGES, params, 1, err);
    if (rows == NULL) {
        return false;
    }
    d->n_stages = wpa_rows_count(rows);
    d->stages = wpa_arena_array(d->arena, d->n_stages + 1, sizeof *d->stages);
    for (size_t i = 0; i < d->n_stages; i++) {
        d->stages[i] = (wpa_deploy_stage){
            .n = wpa_rows_int(rows, i, 0),
            .name = wpa_rows_dup(rows, i, 1, d->arena),
            .state = wpa_rows_dup(rows, i, 2, d->arena),
            .reason = wpa_rows_dup(rows, i, 3, d->arena),
            .bake_ms = wpa_rows_int(rows, i, 4),
            .bake_until_us = wpa_rows_time_us(rows, i, 5),
            .started_at_us = wpa_rows_time_us(rows, i, 6),
            .baking_at_us = wpa_rows_time_us(rows, i, 7),
        };
    }
    return true;
}

static bool load_targets(wpa_db *db, wpa_deployment *d, const char *const *params, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_DEPLOY_TARGETS, params, 1, err);
    if (rows == NULL) {
        return false;
    }
    d->n_targets = wpa_rows_count(rows);
    d->targets = wpa_arena_array(d->arena, d->n_targets + 1, sizeof *d->targets);
    for (size_t i = 0; i < d->n_targets; i++) {
        d->targets[i] = (wpa_deploy_target){
            .n = wpa_rows_int(rows, i, 0),
            .id = wpa_rows_int(rows, i, 1),
            .ref = wpa_rows_dup(rows, i, 2, d->arena),
            .state = wpa_rows_dup(rows, i, 3, d->arena),
            .base = wpa_rows_dup(rows, i, 4, d->arena),
            .applied = wpa_rows_dup(rows, i, 5, d->arena),
            .reverted = wpa_rows_dup(rows, i, 6, d->arena),
            .note = wpa_rows_dup(rows, i, 7, d->arena),
            .moves = wpa_rows_int(rows, i, 8),
            .retry_at_us = wpa_rows_time_us(rows, i, 9),
            .ordinal = wpa_rows_int(rows, i, 10),
            .repository = wpa_rows_dup(rows, i, 11, d->arena),
            .url = wpa_rows_dup(rows, i, 12, d->arena),
            .branch = wpa_rows_dup(rows, i, 13, d->arena),
            .criticality = wpa_rows_int(rows, i, 14),
            .version = wpa_rows_int(rows, i, 15),
            .tested_base = wpa_rows_dup(rows, i, 18, d->arena),
            .applied_at_us = wpa_rows_time_us(rows, i, 16),
            .reverted_at_us = wpa_rows_time_us(rows, i, 17),
        };
    }
    return true;
}

static const char *text_or(const wpa_rows *rows, size_t col, wpa_arena *arena, const char *fallback)
{
    const char *text = wpa_rows_dup(rows, 0, col, arena);
    return text != NULL && *text != '\0' ? text : fallback;
}

wpa_deployment *wpa_deployment_load(wpa_db *db, int64_t id, wpa_arena *arena, wpa_error *err)
{
    char number[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, number)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_DEPLOY_GET, params, 1, err);
    if (rows == NULL) {
        return NULL;
    }
    if (wpa_rows_count(rows) == 0) {
        WPA_FAIL(err, WPA_E_NOT_FOUND, "no deployment d-%lld", (long long)id);
        return NULL;
    }
    wpa_deployment *d = wpa_arena_alloc(arena, sizeof *d);
    *d = (wpa_deployment){
        .id = id,
        .patch_id = wpa_rows_int(rows, 0, 1),
        .digest = wpa_rows_dup(rows, 0, 2, arena),
        .state = wpa_rows_dup(rows, 0, 3, arena),
        .reason = wpa_rows_dup(rows, 0, 4, arena),
        .plan = wpa_json_parse(wpa_rows_text(rows, 0, 5), wpa_rows_length(rows, 0, 5),
                               PLAN_MAX_BYTES, arena, err),
        .rollback_at_us = wpa_rows_time_us(rows, 0, 6),
        .rollback_reason = wpa_rows_dup(rows, 0, 8, arena),
        .audit_anchor = wpa_rows_dup(rows, 0, 9, arena),
        .started_at_us = wpa_rows_time_us(rows, 0, 10),
        .paused_at_us = wpa_rows_time_us(rows, 0, 11),
        .rolling_back_at_us = wpa_rows_time_us(rows, 0, 12),
        .version = wpa_rows_int(rows, 0, 13),
        .patch_state = wpa_rows_dup(rows, 0, 14, arena),
        .patch_name = wpa_rows_dup(rows, 0, 15, arena),
        .patch_revision = wpa_rows_int(rows, 0, 16),
        .patch_version = wpa_rows_dup(rows, 0, 17, arena),
        .commit_name = text_or(rows, 18, arena, "wpa"),
        .commit_email = text_or(rows, 19, arena, "wpa@localhost"),
        .now_us = wpa_rows_time_us(rows, 0, 20),
        .issue = wpa_rows_dup(rows, 0, 21, arena),
        .rule = wpa_rows_dup(rows, 0, 22, arena),
        .arena = arena,
    };
    return d->plan != NULL && load_stages(db, d, params, err) && load_targets(db, d, params, err)
               ? d
               : NULL;
}

wpa_git_edit *wpa_deployment_edits(wpa_db *db, const wpa_deployment *deployment,
                                   const wpa_deploy_target *target, bool is_revert, size_t *n,
                                   wpa_arena *arena, wpa_error *err)
{
    char patch[WPA_DB_NUMBER_SIZE];
    char repository[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(deployment->patch_id, patch),
                            wpa_db_number(target->id, repository), target->ref};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_DEPLOY_EDITS, params, 3, err);
    if (rows == NULL) {
        return NULL;
    }
    *n = wpa_rows_count(rows);
    if (*n == 0) {
        WPA_FAIL(err, WPA_E_INTERNAL, "p-%lld has no edits for '%s'",
                 (long long)deployment->patch_id, target->repository);
        return NULL;
    }
    wpa_git_edit *edits = wpa_arena_array(arena, *n, sizeof *edits);
    for (size_t i = 0; i < *n; i++) {
        edits[i] = (wpa_git_edit){
            .path = wpa_rows_dup(rows, i, 0, arena),
            .before = wpa_rows_dup(rows, i, is_revert ? 2 : 1, arena),
            .after = wpa_rows_dup(rows, i, is_revert ? 1 : 2, arena),
        };
        edits[i].bytes = wpa_rows_bytes(rows, i, is_revert ? 3 : 4, arena, &edits[i].size_bytes);
    }
    return edits;
}

bool wpa_deploy_target_is_changed(const wpa_deploy_target *target)
{
    static const char *const changed[] = {"applied", "verified", "revert_intended",
                                          "revert_blocked"};
    return wpa_text_index(target->state, changed, WPA_COUNT(changed)) >= 0;
}

bool wpa_deployment_has_changed(const wpa_deployment *deployment)
{
    for (size_t i = 0; i < deployment->n_targets; i++) {
        const wpa_deploy_target *target = &deployment->targets[i];
        if (wpa_deploy_target_is_changed(target) || wpa_text_is(target->state, "intended")) {
            return true; /* what was intended may have been pushed */
        }
    }
    return false;
}

int64_t wpa_deployment_setting(const wpa_deployment *deployment, const char *key, int64_t fallback)
{
    return wpa_json_int_of(wpa_json_find(wpa_json_find(deployment->plan, "rollout"), key),
                           fallback);
}

const char *wpa_deployment_text(const wpa_deployment *deployment, const char *key,
                                const char *fallback)
{
    const char *text =
        wpa_json_text_of(wpa_json_find(wpa_json_find(deployment->plan, "rollout"), key));
    return text != NULL ? text : fallback;
}
