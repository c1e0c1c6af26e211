#include "auth/issuer.h"

#include <string.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "auth/jws.h"
#include "auth/provider.h"
#include "auth/token.h"
#include "gen/calls_jwt.h"
#include "http/http.h"

#define KEYS_MAX_AGE_MS INT64_C(3600000)
#define ASK_TIMEOUT_MS 8000
#define ANSWER_MAX_BYTES WPA_JWKS_MAX_BYTES
#define URL_MAX_BYTES 2000

static const char *const algorithms[] = {"RS256", "ES256"};

/* ---- options ------------------------------------------------------------------------------------
 */

bool wpa_issuer_is_safe_url(const char *url)
{
    static const char *const local[] = {"http://127.0.0.1", "http://[::1]", "http://localhost"};
    size_t length = url ? strlen(url) : 0;
    for (size_t i = 0; i < length; i++) {
        if (url[i] <= 0x20 || url[i] >= 0x7f || strchr("\"<>\\^`{|}", url[i])) {
            return false;
        }
    }
    if (length == 0 || length > URL_MAX_BYTES || strchr(url, '@') || strchr(url, '#')) {
        return false;
    }
    for (size_t i = 0; i < WPA_COUNT(local); i++) {
        size_t n = strlen(local[i]);
        if (strncmp(url, local[i], n) == 0 && strchr(":/?", url[n])) { /* or the end */
            return true;
        }
    }
    return strncmp(url, "https://", 8) == 0 && url[8] != '/' && url[8] != '\0';
}

static bool check_options(const wpa_issuer_options *options, wpa_error *err)
{
    bool is_file = options->jwks && options->jwks[0] == '/';
    if (!wpa_issuer_is_safe_url(options->url)) {
        return WPA_FAIL(err, WPA_E_INVALID,
                        "issuer '%s': expected an https URL (http only to this host)",
                        options->url ? options->url : "");
    }
    if (!options->client_id || !*options->client_id) {
        return WPA_FAIL(err, WPA_E_INVALID, "issuer '%s': a client id is needed", options->url);
    }
    if (options->jwks && !is_file && !wpa_issuer_is_safe_url(options->jwks)) {
        return WPA_FAIL(err, WPA_E_INVALID,
                        "keys at '%s': expected an https URL or an absolute path", options->jwks);
    }
    return true;
}

wpa_issuer *wpa_issuer_new(const wpa_issuer_options *options, wpa_error *err)
{
    if (!wpa_jwt_open(err) || !check_options(options, err)) {
        return NULL;
    }
    wpa_arena *arena = wpa_arena_new();
    wpa_issuer *issuer = wpa_alloc(sizeof *issuer);
    *issuer = (wpa_issuer){.arena = arena, .options = *options};
    wpa_issuer_options *own = &issuer->options;
    own->url = wpa_arena_text(arena, options->url);
    own->client_id = wpa_arena_text(arena, options->client_id);
    own->client_secret = wpa_arena_text(arena, options->client_secret);
    own->audience = wpa_arena_text(arena, options->audience);
    own->claim = wpa_arena_text(arena, options->claim ? options->claim : "preferred_username");
    own->jwks = wpa_arena_text(arena, options->jwks);
    own->tls_roots = wpa_arena_text(arena, options->tls_roots);
    own->keys_interval_ms =
        options->keys_interval_ms > 0 ? options->keys_interval_ms : WPA_ISSUER_KEYS_INTERVAL_MS;
    (void)pthread_mutex_init(&issuer->asking, NULL);
    (void)pthread_mutex_init(&issuer->mutex, NULL);
    return issuer;
}

void wpa_issuer_free(wpa_issuer *issuer)
{
    if (!issuer) {
        return;
    }
    (void)pthread_mutex_destroy(&issuer->asking);
    (void)pthread_mutex_destroy(&issuer->mutex);
    if (issuer->keys_arena) {
        wpa_arena_free(issuer->keys_arena);
    }
    wpa_arena_free(issuer->arena);
    wpa_free(issuer);
}

const char *wpa_issuer_url(const wpa_issuer *issuer)
{
    return issuer->options.url;
}

/* ---- asking -------------------------------------------------------------------------------------
 */

const wpa_json *wpa_issuer_ask(const wpa_issuer *issuer, const char *url, const char *form,
                               wpa_arena *arena, int *status, wpa_error *err)
{
    static const char *const headers[] = {"Accept: application/json", NULL};
    const wpa_http_request request = {
        .url = url,
        .headers = headers,
        .body = form,
        .body_bytes = form ? strlen(form) : 0,
        .timeout_ms = ASK_TIMEOUT_MS,
        .max_body_bytes = ANSWER_MAX_BYTES,
        .is_redirect_refused = true, /* a secret would go along */
        .tls_roots = issuer->options.tls_roots,
    };
    const wpa_http_response *response = wpa_http_send(&request, arena, err);
    if (!response) {
        return NULL;
    }
    *status = response->status;
    const wpa_json *answer =
        wpa_json_parse(response->body, response->body_bytes, ANSWER_MAX_BYTES, arena, err);
    if (!answer) {
        wpa_error_clear(err);
        (void)WPA_FAIL(err, WPA_E_INVALID, "'%s' answers %d, and no JSON", url, response->status);
    }
    return answer;
}

static bool read_endpoint(const wpa_json *document, const char *name, const char **url,
                          wpa_error *err)
{
    return wpa_json_opt_text(document, name, url, err) &&
           (!*url || wpa_issuer_is_safe_url(*url) ||
            WPA_FAIL(err, WPA_E_INVALID, "field '%s' must be an https URL", name));
}

bool wpa_issuer_discover(const wpa_issuer *issuer, wpa_arena *arena, wpa_issuer_endpoints *found,
                         wpa_error *err)
{
    const char *name = issuer->options.url;
    size_t length = strlen(name);
    int status = 0;
    const char *url = wpa_arena_printf(arena, "%.*s/.well-known/openid-configuration",
                                       (int)(length - (name[length - 1] == '/' ? 1 : 0)), name);
    const wpa_json *document = wpa_issuer_ask(issuer, url, NULL, arena, &status, err);
    *found = (wpa_issuer_endpoints){0};
    if (!document) {
        return false;
    }
    if (status != 200) {
        return WPA_FAIL(err, WPA_E_UNAVAILABLE, "'%s' answers %d", url, status);
    }
    /* OpenID Connect Discovery section 4.3: or one issuer could speak for another. */
    if (!wpa_text_is(wpa_json_text_of(wpa_json_find(document, "issuer")), name)) {
        return WPA_FAIL(err, WPA_E_INVALID, "'%s' describes another issuer than '%s'", url, name);
    }
    return (read_endpoint(document, "jwks_uri", &found->keys, err) &&
            read_endpoint(document, "token_endpoint", &found->token, err) &&
            read_endpoint(document, "device_authorization_endpoint", &found->device, err)) ||
           wpa_error_within(err, "%s", url);
}

/* ---- keys ---------------------------------------------------------------------------------------
 */

static bool read_keys(wpa_issuer *issuer, wpa_arena *arena, wpa_jwks *keys, wpa_error *err)
{
    const char *from = issuer->options.jwks;
    wpa_issuer_endpoints endpoints = {0};
    int status = 0;
    if (from && from[0] == '/') {
        size_t size = 0;
        const char *text = wpa_file_read(from, WPA_JWKS_MAX_BYTES, arena, &size, err);
        return text && wpa_jwks_parse(text, size, arena, keys, err);
    }
    if (!from && !wpa_issuer_discover(issuer, arena, &endpoints, err)) {
        return false;
    }
    from = from ? from : endpoints.keys;
    if (!from) {
        return WPA_FAIL(err, WPA_E_INVALID, "issuer '%s' has no keys (jwks_uri)",
                        issuer->options.url);
    }
    const wpa_json *set = wpa_issuer_ask(issuer, from, NULL, arena, &status, err);
    if (!set) {
        return false;
    }
    if (status != 200) {
        return WPA_FAIL(err, WPA_E_UNAVAILABLE, "'%s' answers %d", from, status);
    }
    const char *text = wpa_json_dump(set, arena);
    return wpa_jwks_parse(text, strlen(text), arena, keys, err);
}

/* With asking held. What could not be read leaves the keys as they are. */
static void renew_keys(wpa_issuer *issuer)
{
    wpa_error err = {0};
    wpa_jwks keys = {0};
    wpa_arena *arena = wpa_arena_new();
    bool is_read = read_keys(issuer, arena, &keys, &err);
    pthread_mutex_lock(&issuer->mutex);
    issuer->tried_at_ms = wpa_monotonic_ms();
    if (is_read) {
        wpa_arena *before = issuer->keys_arena;
        issuer->keys_arena = arena;
        issuer->keys = keys;
        issuer->keys_at_ms = issuer->tried_at_ms;
        arena = before;
    }
    pthread_mutex_unlock(&issuer->mutex);
    if (arena) {
        wpa_arena_free(arena);
    }
    if (is_read) {
        wpa_log_write(issuer->options.log, WPA_LOG_INFO, "auth", "%zu keys of %s", keys.n,
                      issuer->options.url);
    } else {
        wpa_log_error(issuer->options.log, "auth", &err);
    }
}

typedef struct key_search {
    wpa_jwk key; /* copied to the caller's arena; no kid: not found */
    bool is_old; /* time to ask again */
    bool may_ask;
} key_search;

static key_search search(wpa_issuer *issuer, const wpa_jws *jws, wpa_arena *arena)
{
    key_search found = {0};
    int64_t now_ms = wpa_monotonic_ms();
    pthread_mutex_lock(&issuer->mutex);
    const wpa_jwk *key = wpa_jwks_find(&issuer->keys, jws->kid, jws->algorithm);
    if (key) {
        found.key = (wpa_jwk){
            .kid = jws->kid, .algorithm = key->algorithm, .pem = wpa_arena_text(arena, key->pem)};
    }
    found.is_old = now_ms - issuer->keys_at_ms > KEYS_MAX_AGE_MS;
    found.may_ask = issuer->tried_at_ms == 0 ||
                    now_ms - issuer->tried_at_ms >= issuer->options.keys_interval_ms;
    pthread_mutex_unlock(&issuer->mutex);
    return found;
}

static wpa_jwk find_key(wpa_issuer *issuer, const wpa_jws *jws, wpa_arena *arena)
{
    key_search found = search(issuer, jws, arena);
    if (found.key.kid && found.is_old && found.may_ask &&
        pthread_mutex_trylock(&issuer->asking) == 0) {
        renew_keys(issuer); /* whoever comes meanwhile uses the old ones */
        pthread_mutex_unlock(&issuer->asking);
        return search(issuer, jws, arena).key;
    }
    if (!found.key.kid && found.may_ask) {
        pthread_mutex_lock(&issuer->asking);
        found = search(issuer, jws, arena); /* somebody else may have asked by now */
        if (!found.key.kid && found.may_ask) {
            renew_keys(issuer);
            found = search(issuer, jws, arena);
        }
        pthread_mutex_unlock(&issuer->asking);
    }
    return found.key;
}

/* ---- tokens -------------------------------------------------------------------------------------
 */

static bool is_for_us(const wpa_issuer *issuer, wpa_issuer_use use, const wpa_jws *jws)
{
    const wpa_issuer_options *o = &issuer->options;
    const wpa_json *party = wpa_json_find(jws->payload, "azp");
    if (use == WPA_ISSUER_BEARER) {
        return o->audience && wpa_jws_is_for(jws, o->audience);
    }
    const wpa_json *audience = wpa_json_find(jws->payload, "aud");
    bool is_shared = wpa_json_kind_of(audience ? audience : jws->payload) == WPA_JSON_ARRAY &&
                     wpa_json_count(audience) > 1;
    return wpa_jws_is_for(jws, o->client_id) && (party || !is_shared) &&
           (!party || wpa_text_is(wpa_json_text_of(party), o->client_id));
}

/* An address that nobody has checked is whatever its owner wrote there. */
static bool is_claim_checked(const wpa_issuer *issuer, const wpa_jws *jws)
{
    return !wpa_text_is(issuer->options.claim, "email") ||
           wpa_json_bool_of(wpa_json_find(jws->payload, "email_verified"), false);
}

static const char *check_claims(const wpa_issuer *issuer, wpa_issuer_use use, const wpa_jws *jws,
                                const char *nonce, int64_t now_s, wpa_issuer_claims *claims)
{
    const wpa_json *repeated = wpa_json_find(jws->payload, "nonce");
    const wpa_json *id = wpa_json_find(jws->payload, "jti");
    if (!wpa_text_is(wpa_json_text_of(wpa_json_find(jws->payload, "iss")), issuer->options.url)) {
        return "issuer";
    }
    if (!is_for_us(issuer, use, jws)) {
        return "audience";
    }
    if (repeated && nonce && !wpa_text_is(wpa_json_text_of(repeated), nonce)) {
        return "nonce";
    }
    claims->subject = wpa_json_text_of(wpa_json_find(jws->payload, "sub"));
    claims->name = wpa_json_text_of(wpa_json_find(jws->payload, issuer->options.claim));
    claims->id = wpa_json_text_of(id);
    if (!claims->subject || !*claims->subject || !claims->name || (id && !claims->id) ||
        !is_claim_checked(issuer, jws)) {
        return "identity";
    }
    wpa_jws_times times = {0};
    const char *fault = wpa_jws_check_times(jws, now_s, &times);
    claims->issued_at_s = times.issued_at_s;
    claims->expires_at_s = times.expires_at_s;
    return fault;
}

static const char *verify(wpa_issuer *issuer, wpa_issuer_use use, const char *token,
                          const char *nonce, int64_t now_s, wpa_arena *arena,
                          wpa_issuer_claims *claims)
{
    wpa_jws jws;
    const char *fault = wpa_jws_read(token, algorithms, WPA_COUNT(algorithms), arena, &jws);
    if (fault || !jws.kid) {
        return fault ? fault : "unknown key";
    }
    wpa_jwk key = find_key(issuer, &jws, arena);
    if (!key.kid) {
        return "unknown key";
    }
    fault = wpa_jws_check_signature(&jws, key.algorithm, key.pem, strlen(key.pem));
    return fault ? fault : check_claims(issuer, use, &jws, nonce, now_s, claims);
}

bool wpa_issuer_verify(wpa_issuer *issuer, wpa_issuer_use use, const char *token, const char *nonce,
                       int64_t now_s, wpa_arena *arena, wpa_issuer_claims *claims, const char **why,
                       wpa_error *err)
{
    *claims = (wpa_issuer_claims){0};
    const char *fault = verify(issuer, use, token, nonce, now_s, arena, claims);
    if (why) {
        *why = fault;
    }
    if (fault) {
        *claims = (wpa_issuer_claims){0};
        return WPA_FAIL(err, WPA_E_DENIED, WPA_TOKEN_REFUSED);
    }
    return true;
}

bool wpa_issuer_is_for(const char *token)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_jws jws;
    const char *fault = wpa_jws_read(token, algorithms, WPA_COUNT(algorithms), arena, &jws);
    return !fault || wpa_text_is(fault, "critical header") || wpa_text_is(fault, "type");
}
