#include "auth/issuer.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "auth/jws.h"
#include "auth/provider.h"
#include "auth/signature.h"
#include "auth/token.h"
#include "http/http.h"

#define ASK_TIMEOUT_MS 8000
#define BEARER_WAIT_MS INT64_C(2000)   /* of a request to the API */
#define SIGN_IN_WAIT_MS INT64_C(20000) /* of a person: discovery and keys, as long as they take */
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

bool wpa_issuer_may_name(const char *issuer_url, const char *url)
{
    return wpa_issuer_is_safe_url(url) &&
           (wpa_text_starts(url, "https://") || wpa_text_starts(issuer_url, "http://"));
}

int64_t wpa_issuer_now_ms(const wpa_issuer *issuer)
{
    const wpa_issuer_options *o = &issuer->options;
    return o->now_ms ? o->now_ms(o->clock_context) : wpa_monotonic_ms();
}

static bool is_path(const char *jwks)
{
    return jwks && jwks[0] == '/';
}

static int64_t or_usual(int64_t value_ms, int64_t usual_ms)
{
    return value_ms > 0 ? value_ms : usual_ms;
}

static bool check_options(const wpa_issuer_options *options, wpa_error *err)
{
    if (!wpa_issuer_is_safe_url(options->url)) {
        return WPA_FAIL(err, WPA_E_INVALID,
                        "issuer '%s': expected an https URL (http only to this host)",
                        options->url ? options->url : "");
    }
    if (!options->client_id || !*options->client_id) {
        return WPA_FAIL(err, WPA_E_INVALID, "issuer '%s': a client id is needed", options->url);
    }
    if (options->jwks && !is_path(options->jwks) &&
        !wpa_issuer_may_name(options->url, options->jwks)) {
        return WPA_FAIL(err, WPA_E_INVALID,
                        "keys at '%s': expected an https URL or an absolute path", options->jwks);
    }
    return true;
}

wpa_issuer *wpa_issuer_new(const wpa_issuer_options *options, wpa_error *err)
{
    if (!wpa_signature_open(err) || !check_options(options, err)) {
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
    own->keys_interval_ms = or_usual(options->keys_interval_ms, WPA_ISSUER_KEYS_INTERVAL_MS);
    own->keys_renew_ms = or_usual(options->keys_renew_ms, WPA_ISSUER_KEYS_RENEW_MS);
    own->keys_life_ms = or_usual(options->keys_life_ms, WPA_ISSUER_KEYS_LIFE_MS);
    issuer->is_ending = wpa_arena_alloc(arena, sizeof *issuer->is_ending);
    atomic_init(issuer->is_ending, false);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&issuer->asked, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)pthread_mutex_init(&issuer->mutex, NULL);
    return issuer;
}

void wpa_issuer_free(wpa_issuer *issuer)
{
    if (!issuer) {
        return;
    }
    atomic_store(issuer->is_ending, true);
    if (issuer->has_thread) {
        pthread_join(issuer->thread, NULL);
    }
    (void)pthread_cond_destroy(&issuer->asked);
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

static bool is_given_up(void *context)
{
    return atomic_load((atomic_bool *)context);
}

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
        .is_cancelled = is_given_up,
        .cancel_context = issuer->is_ending,
    };
    *status = 0;
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

/* What the document says, with whatever certificate it came, must not lead to a plain neighbour. */
static bool read_endpoint(const wpa_issuer *issuer, const wpa_json *document, const char *name,
                          const char **url, wpa_error *err)
{
    return wpa_json_opt_text(document, name, url, err) &&
           (!*url || wpa_issuer_may_name(issuer->options.url, *url) ||
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
    return (read_endpoint(issuer, document, "jwks_uri", &found->keys, err) &&
            read_endpoint(issuer, document, "token_endpoint", &found->token, err) &&
            read_endpoint(issuer, document, "device_authorization_endpoint", &found->device,
                          err)) ||
           wpa_error_within(err, "%s", url);
}

/* ---- keys ---------------------------------------------------------------------------------------
 */

static bool read_file(const char *path, wpa_arena *arena, wpa_jwks *keys, wpa_error *err)
{
    size_t size = 0;
    const char *text = wpa_file_read(path, WPA_JWKS_MAX_BYTES, arena, &size, err);
    return text && wpa_jwks_parse(text, size, arena, keys, err);
}

static bool fetch_keys(const wpa_issuer *issuer, wpa_arena *arena, wpa_jwks *keys, wpa_error *err)
{
    const char *from = issuer->options.jwks;
    wpa_issuer_endpoints endpoints = {0};
    int status = 0;
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

/* With the mutex held; takes the arena. */
static void put_keys(wpa_issuer *issuer, wpa_arena *arena, wpa_jwks keys)
{
    if (issuer->keys_arena) {
        wpa_arena_free(issuer->keys_arena);
    }
    issuer->keys_arena = arena;
    issuer->keys = keys;
    issuer->keys_at_ms = wpa_issuer_now_ms(issuer);
}

static void tell(const wpa_issuer *issuer, const wpa_jwks *keys, const wpa_error *err)
{
    if (err->code == WPA_OK) {
        wpa_log_write(issuer->options.log, WPA_LOG_INFO, "auth", "%zu keys of %s", keys->n,
                      issuer->options.url);
    } else {
        wpa_log_error(issuer->options.log, "auth", err);
    }
}

/* What could not be read leaves the keys as they are. */
static void *renew_keys(void *context)
{
    wpa_issuer *issuer = context;
    wpa_error err = {0};
    wpa_jwks keys = {0};
    wpa_arena *arena = wpa_arena_new();
    bool is_read = fetch_keys(issuer, arena, &keys, &err);
    if (!atomic_load(issuer->is_ending)) {
        tell(issuer, &keys, &err);
    }
    pthread_mutex_lock(&issuer->mutex);
    issuer->tried_at_ms = wpa_issuer_now_ms(issuer);
    if (is_read) {
        put_keys(issuer, arena, keys);
        arena = NULL;
    }
    issuer->is_asking = false;
    pthread_cond_broadcast(&issuer->asked);
    pthread_mutex_unlock(&issuer->mutex);
    if (arena) {
        wpa_arena_free(arena);
    }
    return NULL;
}

/* With the mutex held. False: somebody else's asking goes on, or there can be no thread. */
static bool begin_asking(wpa_issuer *issuer)
{
    sigset_t all, before;
    if (issuer->is_asking) {
        return false;
    }
    if (issuer->has_thread) {
        pthread_join(issuer->thread, NULL); /* it has let go of the mutex, and is about to end */
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals belong to main */
    issuer->has_thread = pthread_create(&issuer->thread, NULL, renew_keys, issuer) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    issuer->is_asking = issuer->has_thread;
    issuer->tried_at_ms = wpa_issuer_now_ms(issuer);
    return issuer->has_thread;
}

/* With the mutex held. */
static void wait_for_answer(wpa_issuer *issuer, int64_t wait_ms)
{
    int64_t end_ms = wpa_monotonic_ms() + wait_ms;
    const struct timespec end = {.tv_sec = end_ms / 1000, .tv_nsec = end_ms % 1000 * 1000000};
    while (issuer->is_asking &&
           pthread_cond_timedwait(&issuer->asked, &issuer->mutex, &end) != ETIMEDOUT) {
    }
}

/* With the mutex held. A file that is gone or broken is no reason to go by what it once said. */
static void look_again(wpa_issuer *issuer)
{
    wpa_error err = {0};
    wpa_jwks keys = {0};
    struct stat info;
    wpa_issuer_file now;
    memset(&now, 0, sizeof now);
    if (stat(issuer->options.jwks, &info) == 0) {
        now.device = info.st_dev;
        now.inode = info.st_ino;
        now.size = info.st_size;
        now.written_at = info.st_mtim;
        now.changed_at = info.st_ctim;
    }
    if (issuer->is_file_read && memcmp(&now, &issuer->file, sizeof now) == 0) {
        return;
    }
    wpa_arena *arena = wpa_arena_new();
    if (!read_file(issuer->options.jwks, arena, &keys, &err)) {
        keys = (wpa_jwks){0};
    }
    put_keys(issuer, arena, keys);
    memcpy(&issuer->file, &now, sizeof now);
    issuer->is_file_read = true;
    tell(issuer, &keys, &err);
}

static bool has_keys(const wpa_issuer *issuer, int64_t now_ms, bool is_file)
{
    return issuer->keys.n > 0 &&
           (is_file || now_ms - issuer->keys_at_ms < issuer->options.keys_life_ms);
}

/* With the mutex held. The key is copied to the arena; no kid: there is none. */
static wpa_jwk search(const wpa_issuer *issuer, const wpa_jws *jws, int64_t now_ms, bool is_file,
                      wpa_arena *arena)
{
    const wpa_jwk *key = wpa_jwks_find(&issuer->keys, jws->kid, jws->algorithm);
    if (!key || !has_keys(issuer, now_ms, is_file)) {
        return (wpa_jwk){0};
    }
    return (wpa_jwk){
        .kid = jws->kid, .algorithm = key->algorithm, .pem = wpa_arena_text(arena, key->pem)};
}

static wpa_jwk find_key(wpa_issuer *issuer, const wpa_jws *jws, int64_t wait_ms, wpa_arena *arena,
                        bool *is_told)
{
    int64_t now_ms = wpa_issuer_now_ms(issuer);
    bool is_file = is_path(issuer->options.jwks);
    pthread_mutex_lock(&issuer->mutex);
    if (is_file) {
        look_again(issuer);
    }
    wpa_jwk key = search(issuer, jws, now_ms, is_file, arena);
    bool is_wanted =
        !is_file && (!key.kid || now_ms - issuer->keys_at_ms > issuer->options.keys_renew_ms);
    bool may_ask = issuer->tried_at_ms == 0 ||
                   now_ms - issuer->tried_at_ms >= issuer->options.keys_interval_ms;
    if (is_wanted && may_ask && begin_asking(issuer) && !key.kid) {
        wait_for_answer(issuer, wait_ms);
        key = search(issuer, jws, wpa_issuer_now_ms(issuer), is_file, arena);
    }
    *is_told = has_keys(issuer, wpa_issuer_now_ms(issuer), is_file);
    pthread_mutex_unlock(&issuer->mutex);
    return key;
}

/* ---- tokens -------------------------------------------------------------------------------------
 */

/* What a token may be is not known while the issuer's keys are not. */
static const char no_keys[] = "no keys";

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
    wpa_jws_kind kind = use == WPA_ISSUER_BEARER ? WPA_JWS_ACCESS : WPA_JWS_PLAIN;
    const char *fault = wpa_jws_read(token, algorithms, WPA_COUNT(algorithms), kind, arena, &jws);
    if (fault || !jws.kid) {
        return fault ? fault : "unknown key";
    }
    int64_t wait_ms = use == WPA_ISSUER_BEARER ? BEARER_WAIT_MS : SIGN_IN_WAIT_MS;
    bool is_told = false;
    wpa_jwk key = find_key(issuer, &jws, wait_ms, arena, &is_told);
    if (!key.kid) {
        return is_told ? "unknown key" : no_keys;
    }
    fault = wpa_jws_check_signature(&jws, key.algorithm, key.pem, strlen(key.pem), arena);
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
        return fault == no_keys
                   ? WPA_FAIL(err, WPA_E_UNAVAILABLE,
                              "the provider has given no keys: its tokens cannot be verified now")
                   : WPA_FAIL(err, WPA_E_DENIED, WPA_TOKEN_REFUSED);
    }
    return true;
}

bool wpa_issuer_is_for(const char *token)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_jws jws;
    const char *fault =
        wpa_jws_read(token, algorithms, WPA_COUNT(algorithms), WPA_JWS_ACCESS, arena, &jws);
    return !fault || wpa_text_is(fault, "critical header") || wpa_text_is(fault, "type");
}
