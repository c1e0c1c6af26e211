/* Tokens of the OpenID Connect provider that vouches for people, as the settings of the database
   have it at the time of each call. */
#include "guardian/vouched.h"

#include <wpa/memory.h>
#include <wpa/text.h>

#include "api/server.h"

/* An issuer with the keys that it has fetched. Those of settings that have changed go with the last
   call that uses them. */
struct wpa_api_issuer {
    struct wpa_api_issuer *next;
    char *settings;
    wpa_issuer *issuer;
    size_t n_users;
};

static void free_list(struct wpa_api_issuer *list)
{
    for (struct wpa_api_issuer *at = list, *next; at; at = next) {
        next = at->next;
        wpa_issuer_free(at->issuer);
        wpa_free(at->settings);
        wpa_free(at);
    }
}

void wpa_api_issuers_free(wpa_api *api)
{
    free_list(api->issuers);
}

/* With the mutex held: takes those out that nobody uses, save one. */
static struct wpa_api_issuer *take_unused(wpa_api *api, const struct wpa_api_issuer *kept)
{
    struct wpa_api_issuer *unused = NULL;
    for (struct wpa_api_issuer **at = &api->issuers; *at;) {
        struct wpa_api_issuer *one = *at;
        if (one == kept || one->n_users > 0) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        one->next = unused;
        unused = one;
    }
    return unused;
}

/* The issuer of these settings, until give_back; settings NULL: there is none. */
static struct wpa_api_issuer *keep(wpa_api *api, const char *text,
                                   const wpa_vouched_settings *settings, wpa_error *err)
{
    struct wpa_api_issuer *found = NULL;
    pthread_mutex_lock(&api->mutex);
    for (struct wpa_api_issuer *at = api->issuers; settings && at && !found; at = at->next) {
        found = wpa_text_is(at->settings, text) ? at : NULL;
    }
    wpa_issuer *made = found || !settings ? NULL : wpa_vouched_issuer(settings, api->log, err);
    if (made) {
        found = wpa_alloc(sizeof *found);
        *found = (struct wpa_api_issuer){
            .next = api->issuers, .settings = wpa_strdup(text), .issuer = made};
        api->issuers = found;
    }
    if (found) {
        found->n_users++;
    }
    struct wpa_api_issuer *unused = take_unused(api, found);
    pthread_mutex_unlock(&api->mutex);
    free_list(unused);
    return found;
}

static void give_back(wpa_api *api, struct wpa_api_issuer *used)
{
    pthread_mutex_lock(&api->mutex);
    used->n_users--;
    pthread_mutex_unlock(&api->mutex);
}

/* NULL with *err unset: there is none. */
static struct wpa_api_issuer *find_issuer(wpa_api_call *call, wpa_db *db, wpa_error *err)
{
    wpa_vouched_settings s;
    if (!wpa_vouched_read(db, call->arena, &s, err)) {
        return NULL;
    }
    const char *text = wpa_arena_printf(
        call->arena, "%s|%s|%s|%s|%s", s.issuer ? s.issuer : "", s.client_id ? s.client_id : "",
        s.audience ? s.audience : "", s.claim ? s.claim : "", s.jwks ? s.jwks : "");
    return keep(call->api, text, s.issuer ? &s : NULL, err);
}

bool wpa_api_identify_vouched(wpa_api_call *call, wpa_db *reader, const char *token, wpa_error *err)
{
    wpa_api_request *r = &call->request;
    const wpa_actor where = r->actor;
    wpa_vouched_word word;
    struct wpa_api_issuer *used = find_issuer(call, reader, err);
    if (!used) {
        return err->code == WPA_OK && wpa_api_refuse_token(call, "no issuer", err);
    }
    bool is_theirs =
        wpa_vouched_verify(used->issuer, token, &where, call->api->log, call->arena, &word, err);
    give_back(call->api, used);
    if (!is_theirs) {
        return false;
    }
    wpa_vouched *vouched = wpa_arena_alloc(call->arena, sizeof *vouched);
    wpa_db *db = wpa_engine_take(r->engine, err);
    r->is_known = db && wpa_vouched_resume(db, &word, &where, call->api->log, vouched, err);
    wpa_engine_give(r->engine, db);
    if (r->is_known) {
        r->actor = vouched->actor;
        r->vouched = vouched;
        call->caller = (wpa_api_caller){.kind = "vouched",
                                        .principal_id = r->actor.principal_id,
                                        .ends_at_s = vouched->expires_at_s};
        wpa_hex_encode(vouched->key, sizeof vouched->key, call->caller.key);
    }
    return r->is_known;
}
