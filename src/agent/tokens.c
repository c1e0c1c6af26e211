/* Service: tokens of machines. The database keeps a hash; the token itself is told once. */
#include <wpa/clock.h>
#include <wpa/text.h>

#include "agent/call.h"
#include "auth/hash.h"
#include "gen/sql.h"

#define SECRET_BYTES 32
#define DAYS_MAX 366

typedef struct making {
    wpa_machine_token *token;
    wpa_arena *arena;
    const char *hash;
} making;

/** Whom it acts as, as a parameter; NULL: its maker. Only a viewer can be another one. */
static bool find_principal(wpa_db *db, const making *m, const char **id, wpa_error *err)
{
    const char *name = m->token->acts_as;
    *id = NULL;
    if (!name) {
        return true;
    }
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_GUARDIAN_FIND, &name, 1, err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no '%s'", name);
    }
    *id = wpa_rows_dup(rows, 0, 0, m->arena);
    return true;
}

static bool make(wpa_db *db, const wpa_actor *actor, void *context, wpa_error *err)
{
    making *m = context;
    char expires_at[WPA_TIMESTAMP_SIZE];
    const char *principal;
    (void)actor;
    if (!find_principal(db, m, &principal, err)) {
        return false;
    }
    const char *params[] = {m->token->name, principal, m->hash,
                            wpa_db_array(m->arena, m->token->scopes, m->token->n_scopes),
                            wpa_timestamp_format(m->token->expires_at_us, expires_at)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_API_TOKEN_MAKE, params, WPA_COUNT(params), err);
    m->token->id = rows ? wpa_rows_int(rows, 0, 0) : 0;
    return rows != NULL;
}

bool wpa_agent_make_token(wpa_engine *engine, const wpa_actor *actor, wpa_machine_token *token,
                          wpa_arena *arena, wpa_error *err)
{
    int64_t now_us = wpa_now_us();
    uint8_t secret[SECRET_BYTES], hash[WPA_SHA256_SIZE];
    if (token->n_scopes == 0) {
        return WPA_FAIL(err, WPA_E_INVALID, "field 'scopes' must name at least one");
    }
    if (token->expires_at_us <= now_us ||
        token->expires_at_us > now_us + INT64_C(86400000000) * DAYS_MAX) {
        return WPA_FAIL(err, WPA_E_INVALID, "field 'expires_at' must lie within %d days from now",
                        DAYS_MAX);
    }
    wpa_random_bytes(secret, sizeof secret);
    token->text =
        wpa_arena_printf(arena, "wpa_%s", wpa_base64_encode(arena, secret, sizeof secret, true));
    wpa_sha256(token->text, wpa_slice_of(token->text).length, hash);
    making m = {token, arena, wpa_db_bytes(arena, hash, sizeof hash)};
    return wpa_call(engine, actor, WPA_ACTION_CHANGE_PRINCIPALS, make, &m, err);
}

static bool revoke(wpa_db *db, const wpa_actor *actor, void *context, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(*(int64_t *)context, id)};
    (void)actor;
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_API_TOKEN, params, 1, err);
    if (!rows || wpa_rows_count(rows) == 0) {
        return rows && WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no such token");
    }
    return wpa_call_one(db, WPA_SQL_API_TOKEN_REVOKE, params, 1, "it is revoked already", err);
}

bool wpa_agent_revoke_token(wpa_engine *engine, const wpa_actor *actor, int64_t token_id,
                            wpa_error *err)
{
    return wpa_call(engine, actor, WPA_ACTION_CHANGE_PRINCIPALS, revoke, &token_id, err);
}
