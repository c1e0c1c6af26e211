#include "agent/call.h"

typedef struct call {
    const wpa_actor *actor;
    wpa_call_work work;
    void *context;
} call;

static bool work_as_actor(wpa_db *db, void *context, wpa_error *err)
{
    const call *c = context;
    return c->work(db, c->actor, c->context, err);
}

bool wpa_call(wpa_engine *engine, const wpa_actor *actor, wpa_action action, wpa_call_work work,
              void *context, wpa_error *err)
{
    if (!wpa_actor_check(actor, action, err)) {
        return false;
    }
    wpa_db *db = wpa_engine_take(engine, err);
    if (!db) {
        return false;
    }
    call c = {actor, work, context};
    bool is_done = wpa_db_transact(db, actor, work_as_actor, &c, err);
    wpa_engine_give(engine, db);
    return is_done;
}

bool wpa_call_one(wpa_db *db, const wpa_sql *statement, const char *const params[], size_t n,
                  const char *missing, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, statement, params, n, err);
    if (rows && wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_REFUSED, "%s", missing);
    }
    return rows != NULL;
}
