#include "api/idempotency.h"

#include <string.h>

#include <wpa/text.h>

#include "auth/hash.h"
#include "gen/sql.h"

#define KEY_MAX_BYTES 255

static bool has_secrets(const wpa_api_field *fields)
{
    for (; fields && fields->name; fields++) {
        if (fields->is_secret) {
            return true;
        }
    }
    return false;
}

/* A digest is made fast: what it is of, if it is a passphrase, could be found by trying. */
static const char *without_secrets(const wpa_api_request *r)
{
    wpa_json *left = wpa_json_new_object(r->arena);
    for (size_t i = 0; i < wpa_json_count(r->body); i++) {
        const char *name = wpa_json_key_at(r->body, i);
        const wpa_api_field *field = wpa_api_field_find(r->route->body, name);
        if (!field || !field->is_secret) {
            wpa_json_set(left, name, wpa_json_dup(wpa_json_at(r->body, i), r->arena));
        }
    }
    return wpa_json_dump(left, r->arena);
}

static const char *digest_of(wpa_api_call *call)
{
    const wpa_api_request *r = &call->request;
    const char *query = wpa_json_dump(r->query, call->arena);
    const char *open = has_secrets(r->route->body) ? without_secrets(r) : NULL;
    wpa_sha256_state hash;
    uint8_t digest[WPA_SHA256_SIZE];
    wpa_sha256_init(&hash);
    wpa_sha256_update(&hash, r->path, strlen(r->path) + 1);
    wpa_sha256_update(&hash, query, strlen(query) + 1);
    wpa_sha256_update(&hash, open ? open : wpa_buf_data(call->upload),
                      open ? strlen(open) : wpa_buf_size(call->upload));
    wpa_sha256_final(&hash, digest);
    return wpa_db_bytes(call->arena, digest, sizeof digest);
}

static bool answer_again(wpa_api_call *call, const wpa_rows *rows, const char *digest,
                         bool *is_answered, wpa_error *err)
{
    wpa_api_request *r = &call->request;
    if (!wpa_text_is(wpa_rows_text(rows, 0, 1), digest)) {
        return WPA_FAIL(err, WPA_E_INVALID,
                        "parameter 'Idempotency-Key' was used for another call");
    }
    if (wpa_rows_is_null(rows, 0, 2)) {
        return WPA_FAIL(err, WPA_E_CONFLICT, "the first call with this Idempotency-Key still runs");
    }
    r->status = (int)wpa_rows_int(rows, 0, 2);
    r->text = wpa_rows_dup(rows, 0, 3, call->arena);
    r->text_bytes = strlen(r->text);
    r->location = wpa_rows_dup(rows, 0, 4, call->arena);
    *is_answered = true;
    return true;
}

bool wpa_api_idempotency_begin(wpa_api_call *call, bool *is_answered, wpa_error *err)
{
    wpa_api_request *r = &call->request;
    char principal[WPA_DB_NUMBER_SIZE];
    if (!r->idempotency_key || !wpa_text_is(r->method, "POST") || !r->is_known) {
        return true;
    }
    if (!*r->idempotency_key || strlen(r->idempotency_key) > KEY_MAX_BYTES) {
        return WPA_FAIL(err, WPA_E_INVALID, "parameter 'Idempotency-Key' must have 1 to %d bytes",
                        KEY_MAX_BYTES);
    }
    const char *digest = digest_of(call);
    const char *params[] = {wpa_db_number(r->actor.principal_id, principal), r->idempotency_key,
                            digest};
    wpa_db *db = wpa_engine_take(r->engine, err);
    if (!db) {
        return false;
    }
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_API_IDEMPOTENCY_TAKE, params, WPA_COUNT(params), err);
    wpa_engine_give(r->engine, db);
    if (!rows) {
        return false;
    }
    if (wpa_rows_bool(rows, 0, 0)) {
        r->is_idempotent = true;
        return true;
    }
    return answer_again(call, rows, digest, is_answered, err);
}

/** What a repetition is answered where the first answer may not be kept. */
static wpa_api_request refusal_of(const wpa_api_request *first)
{
    wpa_api_request again = *first;
    wpa_error err = {0};
    (void)WPA_FAIL(&err, WPA_E_CONFLICT,
                   "the first call with this Idempotency-Key was answered with a secret, which is "
                   "shown once");
    again.status = 409;
    wpa_api_problem(&again, &err);
    return again;
}

void wpa_api_idempotency_keep(wpa_api_call *call)
{
    wpa_error err = {0};
    const wpa_api_request r =
        call->request.holds_secret ? refusal_of(&call->request) : call->request;
    char principal[WPA_DB_NUMBER_SIZE], status[WPA_DB_NUMBER_SIZE];
    bool is_kept = r.status < 500;
    const char *text = r.text ? r.text : r.answer ? wpa_json_dump(r.answer, call->arena) : "";
    const char *params[] = {wpa_db_number(r.actor.principal_id, principal), r.idempotency_key,
                            is_kept ? wpa_db_number(r.status, status) : NULL, text, r.location};
    wpa_db *db = wpa_engine_take(r.engine, &err);
    if (db) { /* if it cannot be kept, the key stays taken until it ends */
        (void)!wpa_db_run(db, WPA_SQL_API_IDEMPOTENCY_KEEP, params, WPA_COUNT(params), &err);
        wpa_engine_give(r.engine, db);
    }
}
