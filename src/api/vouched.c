/* Tokens of the OpenID Connect provider that vouches for people, as the settings of the database
   have it at the time of each call. */
#include "guardian/vouched.h"

#include <wpa/memory.h>
#include <wpa/text.h>

#include "api/server.h"

/* An issuer with the keys that it has fetched; those before a change of the settings stay until the
   server stops, for calls that still use them. */
struct wpa_api_issuer {
    struct wpa_api_issuer *next;
    char *settings;
    wpa_issuer *issuer;
};

void wpa_api_issuers_free(wpa_api *api)
{
    for (struct wpa_api_issuer *at = api->issuers, *next; at; at = next) {
        next = at->next;
        wpa_issuer_free(at->issuer);
        wpa_free(at->settings);
        wpa_free(at);
    }
}

static wpa_issuer *keep(wpa_api *api, const char *text, const wpa_vouched_settings *settings,
                        wpa_error *err)
{
    struct wpa_api_issuer *found = NULL;
    pthread_mutex_lock(&api->mutex);
    for (struct wpa_api_issuer *at = api->issuers; at && !found; at = at->next) {
        found = wpa_text_is(at->settings, text) ? at : NULL;
    }
    wpa_issuer *made = found ? NULL : wpa_vouched_issuer(settings, api->log, err);
    if (made) {
        found = wpa_alloc(sizeof *found);
        *found = (struct wpa_api_issuer){api->issuers, wpa_strdup(text), made};
        api->issuers = found;
    }
    pthread_mutex_unlock(&api->mutex);
    return found ? found->issuer : NULL;
}

/* NULL with *err unset: there is none. */
static wpa_issuer *find_issuer(wpa_api_call *call, wpa_db *db, wpa_error *err)
{
    wpa_vouched_settings s;
    if (!wpa_vouched_read(db, call->arena, &s, err) || !s.issuer) {
        return NULL;
    }
    const char *text = wpa_arena_printf(
        call->arena, "%s|%s|%s|%s|%s", s.issuer, s.client_id ? s.client_id : "",
        s.audience ? s.audience : "", s.claim ? s.claim : "", s.jwks ? s.jwks : "");
    return keep(call->api, text, &s, err);
}

bool wpa_api_identify_vouched(wpa_api_call *call, wpa_db *reader, const char *token, wpa_error *err)
{
    wpa_api_request *r = &call->request;
    const wpa_actor where = r->actor;
    wpa_issuer *issuer = find_issuer(call, reader, err);
    if (!issuer) {
        return err->code == WPA_OK && wpa_api_refuse_token(call, "no issuer", err);
    }
    wpa_vouched *vouched = wpa_arena_alloc(call->arena, sizeof *vouched);
    wpa_db *db = wpa_engine_take(r->engine, err);
    r->is_known = db && wpa_vouched_resume(db, issuer, token, &where, call->api->log, vouched, err);
    wpa_engine_give(r->engine, db);
    if (r->is_known) {
        r->actor = vouched->actor;
        r->vouched = vouched;
    }
    return r->is_known;
}
