/* Service: making patches. Git is read outside any transaction; storing is one. */
#include <string.h>

#include <wpa/text.h>

#include "agent/call.h"
#include "agent/revise.h"
#include "deploy/deploy.h"
#include "gen/sql.h"
#include "patch/patch.h"

typedef struct creation {
    const wpa_patch_draft *draft;
    const wpa_patch_order *order; /* or NULL */
    const char *dependencies;     /* of the order, as checked */
    wpa_arena *arena;
    int64_t patch_id;
} creation;

/** The rollout that is proposed, kept with the patch; why there is none, if so. */
static bool propose_plan(wpa_db *db, int64_t patch_id, wpa_arena *arena, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const wpa_json *plan = wpa_deploy_plan(db, patch_id, arena, NULL, err);
    if (!plan && err->code != WPA_E_REFUSED) {
        return false;
    }
    wpa_json *refused = wpa_json_new_object(arena);
    if (!plan) {
        wpa_json_set_text(refused, "refused", err->message);
        wpa_error_clear(err);
    }
    const char *params[] = {wpa_db_number(patch_id, id),
                            wpa_json_dump(plan ? plan : refused, arena)};
    return wpa_db_run(db, WPA_SQL_PATCH_PROPOSE_PLAN, params, WPA_COUNT(params), err);
}

static bool keep_order(wpa_db *db, const creation *c, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE], analysis[WPA_DB_NUMBER_SIZE], workflow[WPA_DB_NUMBER_SIZE];
    const wpa_patch_order *o = c->order;
    if (!o) {
        return true;
    }
    const char *params[] = {
        wpa_db_number(c->patch_id, id),
        o->analysis_id ? wpa_db_number(o->analysis_id, analysis) : NULL,
        o->notes ? o->notes : "{}",
        c->dependencies,
        o->configuration ? o->configuration : "{}",
        o->workflow_id ? wpa_db_number(o->workflow_id, workflow) : NULL,
    };
    return wpa_db_run(db, WPA_SQL_PATCH_KEEP, params, WPA_COUNT(params), err);
}

static bool store(wpa_db *db, const wpa_actor *actor, void *context, wpa_error *err)
{
    creation *c = context;
    return wpa_patch_store(db, actor, c->draft, 0, c->arena, &c->patch_id, err) &&
           keep_order(db, c, err) && propose_plan(db, c->patch_id, c->arena, err);
}

bool wpa_agent_create_patch(wpa_engine *engine, const wpa_actor *actor, const int64_t finding_ids[],
                            size_t n, const char *name, int64_t *patch_id, size_t *n_answered,
                            wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_patch_draft draft;
    if (!wpa_actor_check(actor, WPA_ACTION_CREATE_PATCH, err)) {
        return false;
    }
    wpa_db *db = wpa_engine_take(engine, err);
    bool is_drafted = db && wpa_patch_draft_findings(db, finding_ids, n, name, engine->cache_folder,
                                                     arena, &draft, err);
    wpa_engine_give(engine, db);
    creation c = {.draft = &draft, .arena = arena};
    if (!is_drafted || !wpa_call(engine, actor, WPA_ACTION_CREATE_PATCH, store, &c, err)) {
        return false;
    }
    *patch_id = c.patch_id;
    if (n_answered) {
        *n_answered = draft.n_findings;
    }
    return true;
}

static const char *check_dependencies(const wpa_patch_order *order, const wpa_patch_draft *draft,
                                      wpa_arena *arena, wpa_error *err)
{
    if (!order->dependencies) {
        return "[]";
    }
    const wpa_json *given = wpa_json_parse(order->dependencies, strlen(order->dependencies),
                                           WPA_JSON_MAX_BYTES, arena, err);
    const wpa_json *checked = given ? wpa_patch_check_dependencies(given, draft, arena, err) : NULL;
    return checked ? wpa_json_dump(checked, arena) : NULL;
}

bool wpa_agent_order_patch(wpa_engine *engine, const wpa_actor *actor, const wpa_patch_order *order,
                           int64_t *patch_id, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_patch_draft draft;
    creation c = {.draft = &draft, .order = order, .arena = arena};
    if (!wpa_actor_check(actor, WPA_ACTION_CREATE_PATCH, err) ||
        !check_dependencies(order, NULL, arena, err)) { /* before anything is read */
        return false;
    }
    wpa_db *db = wpa_engine_take(engine, err);
    bool is_drafted =
        db && wpa_patch_draft_order(db, order, engine->cache_folder, arena, &draft, err);
    wpa_engine_give(engine, db);
    if (!is_drafted || !(c.dependencies = check_dependencies(order, &draft, arena, err)) ||
        !wpa_call(engine, actor, WPA_ACTION_CREATE_PATCH, store, &c, err)) {
        return false;
    }
    *patch_id = c.patch_id;
    return true;
}

/* ---- revising -----------------------------------------------------------------------------------
 */

typedef struct revising {
    const wpa_patch_revision *revision;
    int64_t patch_id, if_version;
    wpa_arena *arena;
} revising;

/** Why the statement touched nothing. */
static bool explain(wpa_db *db, const revising *r, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(r->patch_id, id)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_PATCH_VERSION, params, 1, err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no p-%s", id);
    }
    if (r->if_version >= 0 && wpa_rows_int(rows, 0, 0) != r->if_version) {
        return WPA_FAIL(err, WPA_E_CONFLICT, "p-%s has changed meanwhile: it is %s now (v%s)", id,
                        wpa_rows_text(rows, 0, 1), wpa_rows_text(rows, 0, 0));
    }
    return WPA_FAIL(err, WPA_E_REFUSED,
                    "p-%s is %s and its deployment has started or never will: how it is deployed "
                    "and rolled back cannot be changed any more",
                    id, wpa_rows_text(rows, 0, 1));
}

static bool replan(wpa_db *db, const revising *r, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const wpa_json *plan = wpa_deploy_plan(db, r->patch_id, r->arena, NULL, err);
    if (!plan) {
        return false;
    }
    const char *params[] = {wpa_db_number(r->patch_id, id), wpa_json_dump(plan, r->arena)};
    return wpa_db_run(db, WPA_SQL_PATCH_REPLAN, params, WPA_COUNT(params), err);
}

bool wpa_revise_patch(wpa_db *db, int64_t patch_id, int64_t if_version, const wpa_patch_revision *v,
                      wpa_arena *arena, wpa_error *err)
{
    const revising whole = {v, patch_id, if_version, arena}, *r = &whole;
    char id[WPA_DB_NUMBER_SIZE], version[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(r->patch_id, id), wpa_db_number(r->if_version, version),
                            v->reviewed_by, v->deployment_config, v->rollback_config};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_PATCH_REVISE, params, WPA_COUNT(params), err);
    if (!rows || wpa_rows_count(rows) == 0) {
        return rows && explain(db, r, err);
    }
    wpa_json *detail = wpa_json_new_object(r->arena);
    wpa_json_set_text(detail, "reviewed_by", v->reviewed_by);
    wpa_json_set_text(detail, "deployment_config", v->deployment_config);
    wpa_json_set_text(detail, "rollback_config", v->rollback_config);
    const char *audit[] = {"patch.revised", wpa_arena_printf(r->arena, "patch:%s", id),
                           wpa_json_dump(detail, r->arena)};
    bool is_plan_kept = !v->deployment_config && !v->rollback_config;
    return wpa_db_run(db, WPA_SQL_GUARDIAN_AUDIT, audit, WPA_COUNT(audit), err) &&
           (is_plan_kept || replan(db, r, err));
}

wpa_action wpa_revise_action(const wpa_patch_revision *revision)
{
    bool is_policy = revision->deployment_config || revision->rollback_config;
    return is_policy ? WPA_ACTION_CHANGE_POLICY : WPA_ACTION_COMMENT;
}
