/* Service: making patches. Git is read outside any transaction; storing is one. */
#include <wpa/text.h>

#include "agent/call.h"
#include "deploy/deploy.h"
#include "gen/sql.h"
#include "patch/patch.h"

typedef struct creation {
    const wpa_patch_draft *draft;
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

static bool store(wpa_db *db, const wpa_actor *actor, void *context, wpa_error *err)
{
    creation *c = context;
    return wpa_patch_store(db, actor, c->draft, 0, c->arena, &c->patch_id, err) &&
           propose_plan(db, c->patch_id, c->arena, err);
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
