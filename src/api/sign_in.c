/* Sign-in of people: a passphrase for a token, a token for a later one. */
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "agent/pool.h"
#include "api/limits.h"
#include "api/routes.h"
#include "api/server.h"
#include "gen/sql.h"
#include "guardian/session.h"
#include "guardian/vouched.h"

static const wpa_api_field credentials[] = {
    {.name = "name",
     .type = WPA_API_TEXT,
     .is_required = true,
     .min = 1,
     .max = 63,
     .words = "of the guardian or viewer",
     .example = "\"ada\""},
    WPA_API_PASSPHRASE,
    {.name = "code",
     .type = WPA_API_TEXT,
     .max = 64,
     .words = "one-time or recovery code, where one is switched on"},
    {0},
};

static const wpa_api_field token_answer[] = {
    {.name = "token",
     .type = WPA_API_TEXT,
     .is_required = true,
     .words = "for the header `Authorization: Bearer`"},
    {.name = "expires_at", .type = WPA_API_TIME, .is_required = true},
    {.name = "name", .type = WPA_API_TEXT, .is_required = true},
    {.name = "role", .type = WPA_API_TEXT, .is_required = true},
    {0},
};

static const wpa_api_field person_answer[] = {
    {.name = "name", .type = WPA_API_TEXT, .is_required = true},
    {.name = "role", .type = WPA_API_TEXT, .is_required = true},
    {.name = "scopes",
     .type = WPA_API_LIST,
     .item = WPA_API_TEXT,
     .is_required = true,
     .is_nullable = true,
     .words = "of a machine's token; null: a person's, all that the role allows"},
    {0},
};

static wpa_api_next answer_session(wpa_api_request *request, const wpa_session *session,
                                   wpa_error *err)
{
    const char *token = wpa_session_token(request->api->keys, session, request->arena, err);
    if (!token) {
        return WPA_API_FAILED;
    }
    wpa_json *answer = wpa_json_new_object(request->arena);
    wpa_json_set_text(answer, "token", token);
    request->holds_secret = true;
    wpa_api_set_time(answer, "expires_at", session->expires_at_us);
    wpa_json_set_text(answer, "name", session->actor.name);
    wpa_json_set_text(answer, "role", wpa_role_name(session->actor.role));
    return wpa_api_answer(request, answer);
}

static bool take_try(wpa_api_request *request, wpa_error *err)
{
    int64_t wait_s = 0;
    if (wpa_api_limits_take(request->api->limits, "sign-in", request->actor.address,
                            wpa_monotonic_ms(), &wait_s)) {
        return true;
    }
    wpa_api_set_header(request->call, "Retry-After",
                       wpa_arena_printf(request->arena, "%lld", (long long)wait_s));
    request->status = 429;
    return WPA_FAIL(err, WPA_E_DENIED, "too many tries from %s: try again in %lld s",
                    request->actor.address, (long long)wait_s);
}

static wpa_api_next sign_in(wpa_api_request *request, wpa_error *err)
{
    const char *name = wpa_json_get_text(request->body, "name", err);
    if (!name || !take_try(request, err)) {
        return WPA_API_FAILED;
    }
    wpa_session session;
    WPA_AUTO(wpa_secret) *secret = wpa_api_body_passphrase(request);
    wpa_db *db = wpa_engine_take(request->engine, err);
    bool is_in = db && wpa_session_sign_in(
                           db, &request->actor, name, secret, wpa_engine_codes_key(request->engine),
                           wpa_api_body_text(request, "code"), "api", &session, err);
    wpa_engine_give(request->engine, db);
    if (!is_in) {
        atomic_fetch_add(&request->api->n_refused_sign_ins, 1);
        return WPA_API_FAILED;
    }
    return answer_session(request, &session, err);
}

static bool read_own_session(const wpa_api_request *request, wpa_session *session, wpa_error *err)
{
    if (!request->jti) {
        return WPA_FAIL(err, WPA_E_REFUSED, "%s",
                        request->vouched ? "the provider renews its own tokens"
                                         : "a machine's token has no session");
    }
    *session = (wpa_session){.actor = request->actor};
    (void)wpa_text_copy(session->jti, sizeof session->jti, request->jti);
    return true;
}

static wpa_api_next refresh(wpa_api_request *request, wpa_error *err)
{
    wpa_session before, session;
    if (!read_own_session(request, &before, err)) {
        return WPA_API_FAILED;
    }
    wpa_db *db = wpa_engine_take(request->engine, err);
    bool is_renewed = db && wpa_session_renew(db, &before, &session, err);
    wpa_engine_give(request->engine, db);
    return is_renewed ? answer_session(request, &session, err) : WPA_API_FAILED;
}

static wpa_api_next sign_out(wpa_api_request *request, wpa_error *err)
{
    wpa_session session;
    if (!request->vouched && !read_own_session(request, &session, err)) {
        return WPA_API_FAILED;
    }
    wpa_db *db = wpa_engine_take(request->engine, err);
    bool is_ended = db && (request->vouched ? wpa_vouched_revoke(db, request->vouched, err)
                                            : wpa_session_end(db, &session, err));
    wpa_engine_give(request->engine, db);
    return is_ended ? WPA_API_DONE : WPA_API_FAILED;
}

static wpa_api_next whoami(wpa_api_request *request, wpa_error *err)
{
    (void)err;
    wpa_json *answer = wpa_json_new_object(request->arena);
    wpa_json_set_text(answer, "name", request->actor.name);
    wpa_json_set_text(answer, "role", wpa_role_name(request->actor.role));
    if (!request->scopes) {
        wpa_json_set_null(answer, "scopes");
        return wpa_api_answer(request, answer);
    }
    wpa_json *scopes = wpa_json_set_array(answer, "scopes");
    for (const char *at = request->scopes; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        wpa_json_push_text(scopes, wpa_arena_slice(request->arena, at, length));
        at += length;
    }
    return wpa_api_answer(request, answer);
}

const wpa_api_route wpa_api_sign_in = {
    .method = "POST",
    .path = "/auth/token",
    .access = WPA_API_OPEN,
    .tag = "sign-in",
    .summary = "Sign in with a passphrase",
    .details =
        "Answers a token that stands for half an hour; `/auth/refresh` renews it, up to "
        "twelve hours after the sign-in. All failures have the same words; after five of one "
        "name each further try waits longer, and an address may try 20 times at once. Where "
        "a one-time code is missing, and nothing else, the problem's `field` is `code`. "
        "Access tokens of the provider that `wpa oidc set` names (RS256, ES256) are taken as "
        "they are.",
    .body = credentials,
    .answer = token_answer,
    .run = sign_in,
};

const wpa_api_route wpa_api_refresh = {
    .method = "POST",
    .path = "/auth/refresh",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "sign-in",
    .summary = "A new token for the one that still stands",
    .details = "The old one ends. Twelve hours after the sign-in the passphrase is wanted again.",
    .answer = token_answer,
    .run = refresh,
};

const wpa_api_route wpa_api_sign_out = {
    .method = "DELETE",
    .path = "/auth/token",
    .access = WPA_API_ANYBODY,
    .scope = "read",
    .tag = "sign-in",
    .summary = "Sign out: the token ends everywhere at once",
    .status = 204,
    .run = sign_out,
};

/* ---- sessions -----------------------------------------------------------------------------------
 */

static const wpa_api_field session_query[] = {
    {.name = "name", .type = WPA_API_TEXT, .min = 1, .max = 63},
    {0},
};

static const wpa_api_field session_fields[] = {
    {.name = "id", .type = WPA_API_TEXT, .is_required = true, .words = "the token's `jti`"},
    {.name = "name", .type = WPA_API_TEXT, .is_required = true},
    {.name = "role", .type = WPA_API_TEXT, .is_required = true},
    {.name = "kind", .type = WPA_API_TEXT, .is_required = true, .words = "console, cli or api"},
    {.name = "opened_at", .type = WPA_API_TIME, .is_required = true},
    {.name = "expires_at", .type = WPA_API_TIME, .is_required = true},
    {.name = "address", .type = WPA_API_TEXT, .is_required = true},
    {.name = "user_agent", .type = WPA_API_TEXT, .is_required = true},
    {0},
};

static wpa_api_next list_sessions(wpa_api_request *request, wpa_error *err)
{
    const char *params[] = {NULL, NULL, wpa_api_query_text(request, "name")};
    return wpa_api_list(request, WPA_SQL_API_SESSIONS, params, WPA_COUNT(params), err);
}

static wpa_api_next revoke_session(wpa_api_request *request, wpa_error *err)
{
    wpa_db *db = wpa_engine_take(request->engine, err);
    bool is_ended = db && wpa_session_revoke(db, &request->actor, request->values[0], err);
    wpa_engine_give(request->engine, db);
    return is_ended ? WPA_API_DONE : WPA_API_FAILED;
}

const wpa_api_route wpa_api_sessions = {
    .method = "GET",
    .path = "/sessions",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "sign-in",
    .summary = "Sessions that stand, the newest first",
    .query = session_query,
    .answer = session_fields,
    .is_list = true,
    .run = list_sessions,
};

const wpa_api_route wpa_api_session_revoke = {
    .method = "DELETE",
    .path = "/sessions/{session_id}",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "sign-in",
    .summary = "End anybody's session: its token is refused everywhere at once",
    .status = 204,
    .run = revoke_session,
};

const wpa_api_route wpa_api_whoami = {
    .method = "GET",
    .path = "/auth/whoami",
    .access = WPA_API_ANYBODY,
    .scope = "read",
    .tag = "sign-in",
    .summary = "In whose name the token acts",
    .answer = person_answer,
    .run = whoami,
};
