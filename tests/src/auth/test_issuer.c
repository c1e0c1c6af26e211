/* Tokens of a real provider, a process of its own with keys of its own: what is taken and what is
   refused, and when its keys are asked for. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "auth/issuer.h"
#include "auth/jwks.h"
#include "auth/provider.h"
#include "auth/token.h"
#include "harness/oidc.h"
#include "harness/patience.h"
#include "http/http.h"

#define AUDIENCE "wpa-api"
#define NONCE "n-0S6_WzA2Mj"
#define HANG_MS 5000 /* less than a request to a provider that hangs takes */
#define DEVICE_UNWELL_MAX_MS INT64_C(60000)

typedef struct fixture {
    wpa_arena *arena;
    wpa_oidc *oidc;
    wpa_issuer *issuer;
    atomic_llong now_ms; /* what time it is goes by the test, not by how long it takes */
} fixture;

static int64_t now_ms(void *context)
{
    return atomic_load(&((fixture *)context)->now_ms);
}

static void pass(fixture *f, int64_t duration_ms)
{
    (void)atomic_fetch_add(&f->now_ms, duration_ms);
}

static wpa_issuer *new_issuer(fixture *f, const char *jwks)
{
    wpa_error err = {0};
    const wpa_issuer_options options = {.url = wpa_oidc_issuer(f->oidc),
                                        .client_id = WPA_OIDC_CLIENT,
                                        .audience = AUDIENCE,
                                        .jwks = jwks,
                                        .now_ms = now_ms,
                                        .clock_context = f};
    wpa_issuer *issuer = wpa_issuer_new(&options, &err);
    assert_non_null(issuer);
    return issuer;
}

static int start(void **state)
{
    static fixture f;
    wpa_error err = {0};
    assert_true(wpa_http_init(&err));
    f = (fixture){.arena = wpa_arena_new(), .oidc = wpa_oidc_start(), .now_ms = 1000};
    *state = &f;
    return 0;
}

static int stop(void **state)
{
    fixture *f = *state;
    wpa_oidc_stop(f->oidc);
    wpa_arena_free(f->arena);
    return 0;
}

static int set_up(void **state)
{
    fixture *f = *state;
    (void)wpa_oidc_tell(f->oidc, "/reset", "{}");
    f->issuer = new_issuer(f, NULL);
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    wpa_issuer_free(f->issuer);
    return 0;
}

#define RS "{\"alg\":\"RS256\",\"kid\":\"rsa-1\",\"typ\":\"JWT\"}"
#define ES "{\"alg\":\"ES256\",\"kid\":\"ec-1\",\"typ\":\"JWT\"}"
#define WHO "\"sub\":\"u-17\",\"preferred_username\":\"mira\""
#define ISS "\"iss\":\"@ISS\""
#define AUD "\"aud\":\"" AUDIENCE "\""
#define TIMES "\"iat\":@-5,\"exp\":@+300"
#define GOOD "{" ISS "," AUD "," WHO "," TIMES ",\"jti\":\"j-1\"}"

typedef struct token_case {
    const char *title, *key, *header, *payload, *why;
} token_case;

static const token_case cases[] = {
    {"RS256", "rsa-1", RS, GOOD, NULL},
    {"ES256", "ec-1", ES, GOOD, NULL},
    {"audience in a list", "ec-1", ES,
     "{" ISS ",\"aud\":[\"x\",\"" AUDIENCE "\"]," WHO "," TIMES "}", NULL},
    {"none", "none", "{\"alg\":\"none\",\"kid\":\"rsa-1\"}", GOOD, "algorithm"},
    {"none in capitals", "none", "{\"alg\":\"NONE\",\"kid\":\"rsa-1\"}", GOOD, "algorithm"},
    {"no signature", "empty", RS, GOOD, "signature"},
    {"HS256 with the public key", "hmac", "{\"alg\":\"HS256\",\"kid\":\"rsa-1\"}", GOOD,
     "algorithm"},
    {"that, called RS256", "hmac", RS, GOOD, "signature"},
    {"ES256 by the RSA key's id", "ec-1", "{\"alg\":\"ES256\",\"kid\":\"rsa-1\"}", GOOD,
     "algorithm"},
    {"RS256 by the other key's id", "rsa-1", "{\"alg\":\"RS256\",\"kid\":\"ec-1\"}", GOOD,
     "algorithm"},
    {"RS512", "rsa-1", "{\"alg\":\"RS512\",\"kid\":\"rsa-1\"}", GOOD, "algorithm"},
    {"a stranger's key", "stranger", RS, GOOD, "signature"},
    {"a stranger's key id", "stranger", "{\"alg\":\"RS256\",\"kid\":\"stranger\"}", GOOD,
     "unknown key"},
    {"no key id", "rsa-1", "{\"alg\":\"RS256\"}", GOOD, "unknown key"},
    {"a key in the header", "stranger",
     "{\"alg\":\"RS256\",\"jwk\":{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}}", GOOD,
     "unknown key"},
    {"critical", "rsa-1", "{\"alg\":\"RS256\",\"kid\":\"rsa-1\",\"crit\":[\"exp\"]}", GOOD,
     "critical header"},
    {"other type", "rsa-1", "{\"alg\":\"RS256\",\"kid\":\"rsa-1\",\"typ\":\"JWE\"}", GOOD, "type"},
    {"type of RFC 9068", "rsa-1", "{\"alg\":\"RS256\",\"kid\":\"rsa-1\",\"typ\":\"at+jwt\"}", GOOD,
     NULL},
    {"that in full", "ec-1", "{\"alg\":\"ES256\",\"kid\":\"ec-1\",\"typ\":\"application/AT+JWT\"}",
     GOOD, NULL},
    {"that, not signed", "empty", "{\"alg\":\"RS256\",\"kid\":\"rsa-1\",\"typ\":\"at+jwt\"}", GOOD,
     "signature"},
    {"that, for somebody else", "rsa-1", "{\"alg\":\"RS256\",\"kid\":\"rsa-1\",\"typ\":\"at+jwt\"}",
     "{" ISS ",\"aud\":\"x\"," WHO "," TIMES "}", "audience"},
    {"type no text", "rsa-1", "{\"alg\":\"RS256\",\"kid\":\"rsa-1\",\"typ\":[\"JWT\"]}", GOOD,
     "type"},
    {"another's ES256", "rsa-1", ES, GOOD, "signature"},
    {"logout token", "rsa-1", "{\"alg\":\"RS256\",\"kid\":\"rsa-1\",\"typ\":\"logout+jwt\"}", GOOD,
     "type"},
    {"two algorithms", "rsa-1", "{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"rsa-1\"}", GOOD,
     "malformed"},
    {"two subjects", "rsa-1", RS, "{\"sub\":\"x\"," ISS "," AUD "," WHO "," TIMES "}", "malformed"},
    {"other issuer", "rsa-1", RS, "{\"iss\":\"https://x.example\"," AUD "," WHO "," TIMES "}",
     "issuer"},
    {"issuer with a slash", "rsa-1", RS, "{\"iss\":\"@ISS/\"," AUD "," WHO "," TIMES "}", "issuer"},
    {"no issuer", "rsa-1", RS, "{" AUD "," WHO "," TIMES "}", "issuer"},
    {"other audience", "rsa-1", RS, "{" ISS ",\"aud\":\"x\"," WHO "," TIMES "}", "audience"},
    {"ID token as bearer", "rsa-1", RS,
     "{" ISS ",\"aud\":\"" WPA_OIDC_CLIENT "\"," WHO "," TIMES "}", "audience"},
    {"no audience", "rsa-1", RS, "{" ISS "," WHO "," TIMES "}", "audience"},
    {"expired", "rsa-1", RS, "{" ISS "," AUD "," WHO ",\"iat\":@-600,\"exp\":@-1}", "expired"},
    {"never expires", "rsa-1", RS, "{" ISS "," AUD "," WHO ",\"iat\":@-5}", "times"},
    {"expires as text", "rsa-1", RS, "{" ISS "," AUD "," WHO ",\"iat\":@-5,\"exp\":\"@+300\"}",
     "times"},
    {"no issue time", "rsa-1", RS, "{" ISS "," AUD "," WHO ",\"exp\":@+300}", "times"},
    {"not before", "rsa-1", RS, "{" ISS "," AUD "," WHO "," TIMES ",\"nbf\":@+200}",
     "not yet valid"},
    {"from the future", "rsa-1", RS, "{" ISS "," AUD "," WHO ",\"iat\":@+200,\"exp\":@+300}",
     "not yet valid"},
    {"no subject", "rsa-1", RS, "{" ISS "," AUD ",\"preferred_username\":\"mira\"," TIMES "}",
     "identity"},
    {"no name", "rsa-1", RS, "{" ISS "," AUD ",\"sub\":\"u\"," TIMES "}", "identity"},
    {"name in a list", "rsa-1", RS,
     "{" ISS "," AUD ",\"sub\":\"u\",\"preferred_username\":[\"mira\"]," TIMES "}", "identity"},
    {"payload a list", "rsa-1", RS, "[]", "malformed"},
};

static void check_case(fixture *f, const token_case *c)
{
    wpa_error err = {0};
    wpa_issuer_claims claims;
    const char *why = "unset";
    const char *token = wpa_oidc_mint(f->oidc, c->key, c->header, c->payload);
    bool is_good = wpa_issuer_verify(f->issuer, WPA_ISSUER_BEARER, token, NULL,
                                     wpa_now_us() / 1000000, f->arena, &claims, &why, &err);
    if (!wpa_text_is(why, c->why) || is_good != !c->why) {
        fail_msg("%s: '%s' instead of '%s'", c->title, why ? why : "good",
                 c->why ? c->why : "good");
    }
    if (is_good) {
        assert_string_equal(claims.subject, "u-17");
        assert_string_equal(claims.name, "mira");
        assert_true(claims.expires_at_s > claims.issued_at_s);
    } else {
        assert_int_equal(err.code, WPA_E_DENIED);
        assert_string_equal(err.message, WPA_TOKEN_REFUSED);
        assert_null(claims.subject);
    }
}

static const char *verify_identity(fixture *f, const char *header, const char *claims_text,
                                   const char *nonce)
{
    wpa_error err = {0};
    wpa_issuer_claims claims;
    const char *why = NULL;
    const char *payload = wpa_arena_printf(f->arena, "{" ISS "," WHO "," TIMES ",%s}", claims_text);
    const char *token = wpa_oidc_mint(f->oidc, "ec-1", header, payload);
    (void)!wpa_issuer_verify(f->issuer, WPA_ISSUER_IDENTITY, token, nonce, wpa_now_us() / 1000000,
                             f->arena, &claims, &why, &err);
    return why ? why : "good";
}

static void identity_tokens_are_for_our_client(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *claims, *nonce, *why;
    } rows[] = {
        {"\"aud\":\"wpa-client\"", NONCE, "good"},
        {"\"aud\":\"wpa-client\",\"nonce\":\"" NONCE "\"", NONCE, "good"},
        {"\"aud\":\"wpa-client\",\"nonce\":\"other\"", NONCE, "nonce"},
        {"\"aud\":\"wpa-client\",\"nonce\":17", NONCE, "nonce"},
        {"\"aud\":[\"wpa-client\"]", NONCE, "good"},
        {"\"aud\":[\"wpa-client\",\"x\"]", NONCE, "audience"},
        {"\"aud\":[\"wpa-client\",\"x\"],\"azp\":\"wpa-client\"", NONCE, "good"},
        {"\"aud\":[\"wpa-client\",\"x\"],\"azp\":\"x\"", NONCE, "audience"},
        {"\"aud\":\"wpa-client\",\"azp\":\"x\"", NONCE, "audience"},
        {"\"aud\":\"" AUDIENCE "\"", NONCE, "audience"},
        {"\"azp\":\"wpa-client\"", NONCE, "audience"},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        const char *why = verify_identity(f, ES, rows[i].claims, rows[i].nonce);
        if (!wpa_text_is(why, rows[i].why)) {
            fail_msg("%s: '%s' instead of '%s'", rows[i].claims, why, rows[i].why);
        }
    }
    static const char access[] = "{\"alg\":\"ES256\",\"kid\":\"ec-1\",\"typ\":\"at+jwt\"}";
    assert_string_equal(verify_identity(f, access, "\"aud\":\"wpa-client\"", NONCE), "type");
}

static int count(fixture *f, const char *path)
{
    const char *stats = wpa_oidc_tell(f->oidc, "/stats", "{}");
    const char *at = strstr(stats, wpa_arena_printf(f->arena, "\"%s\": ", path));
    int64_t n = 0;
    if (at) {
        at = strchr(at, ':') + 2;
        assert_true(wpa_text_to_int(wpa_arena_slice(f->arena, at, strspn(at, "0123456789")), 0,
                                    1000000, &n));
    }
    return (int)n;
}

/* So often and no more, once it is: on a busy machine whoever orders it does not wait that long. */
static void was_asked(fixture *f, const char *path, int n)
{
    int64_t end_ms = wpa_monotonic_ms() + WPA_PATIENCE_MS;
    while (count(f, path) < n) {
        assert_true(wpa_monotonic_ms() < end_ms);
        wpa_sleep_ms(20);
    }
    assert_int_equal(count(f, path), n);
}

static void wait_until_asked(fixture *f, int n)
{
    was_asked(f, "/.well-known/openid-configuration", n);
}

static const char *why_refused(fixture *f, wpa_issuer *issuer, const char *token)
{
    wpa_error err = {0};
    wpa_issuer_claims claims;
    const char *why = NULL;
    (void)!wpa_issuer_verify(issuer, WPA_ISSUER_BEARER, token, NULL, wpa_now_us() / 1000000,
                             f->arena, &claims, &why, &err);
    return why ? why : "good";
}

/* Once the keys are there: a request to the API waits for them a moment only, and a busy machine
   needs longer. */
static void becomes_good(fixture *f, wpa_issuer *issuer, const char *token)
{
    int64_t end_ms = wpa_monotonic_ms() + WPA_PATIENCE_MS;
    while (!wpa_text_is(why_refused(f, issuer, token), "good")) {
        assert_true(wpa_monotonic_ms() < end_ms);
        wpa_sleep_ms(20);
    }
}

static void every_fault_gets_the_same_words(void **state)
{
    fixture *f = *state;
    becomes_good(f, f->issuer, wpa_oidc_mint(f->oidc, "rsa-1", RS, GOOD));
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        check_case(f, &cases[i]);
    }
    char *padding = wpa_arena_alloc(f->arena, WPA_TOKEN_MAX_BYTES);
    memset(padding, 'x', WPA_TOKEN_MAX_BYTES - 1);
    const token_case huge = {
        "oversized", "rsa-1", RS,
        wpa_arena_printf(f->arena, "{" ISS "," AUD "," WHO "," TIMES ",\"x\":\"%s\"}", padding),
        "too long"};
    check_case(f, &huge);
}

static void keys_are_asked_for_when_one_is_unknown_but_not_often(void **state)
{
    fixture *f = *state;
    const char *good = wpa_oidc_mint(f->oidc, "rsa-1", RS, GOOD);
    const char *unknown =
        wpa_oidc_mint(f->oidc, "stranger", "{\"alg\":\"RS256\",\"kid\":\"s\"}", GOOD);
    becomes_good(f, f->issuer, good);
    for (int i = 0; i < 5; i++) {
        assert_string_equal(why_refused(f, f->issuer, good), "good");
    }
    assert_int_equal(count(f, "/keys"), 1);
    pass(f, WPA_ISSUER_KEYS_INTERVAL_MS);
    for (int i = 0; i < 50; i++) {
        assert_string_equal(why_refused(f, f->issuer, unknown), "unknown key");
    }
    was_asked(f, "/keys", 2);
    pass(f, WPA_ISSUER_KEYS_INTERVAL_MS - 1);
    assert_string_equal(why_refused(f, f->issuer, unknown), "unknown key");
    was_asked(f, "/keys", 2);
    (void)wpa_oidc_tell(f->oidc, "/rotate", "{}");
    const char *header = wpa_arena_printf(f->arena, "{\"alg\":\"RS256\",\"kid\":\"%s\"}", "rsa-2");
    const char *fresh = wpa_oidc_mint(f->oidc, "rsa-2", header, GOOD);
    pass(f, 1);
    becomes_good(f, f->issuer, fresh);
    assert_string_equal(why_refused(f, f->issuer, good), "unknown key"); /* it was withdrawn */
    (void)wpa_oidc_tell(f->oidc, "/set", "{\"broken\":\"keys\"}");
    pass(f, WPA_ISSUER_KEYS_INTERVAL_MS);
    assert_string_equal(why_refused(f, f->issuer, unknown), "unknown key");
    was_asked(f, "/keys", 4);
    assert_string_equal(why_refused(f, f->issuer, fresh), "good"); /* what is known stays */
}

static void keys_may_come_from_a_file(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    char *folder = wpa_dir_temp("/tmp/wpa-jwks-", f->arena, &err);
    char *path = wpa_path_join(f->arena, folder, "keys.json");
    const char *header = "{\"alg\":\"RS256\",\"kid\":\"rsa-1\"}";
    const char *token = wpa_oidc_mint(f->oidc, "rsa-1", header, GOOD);
    assert_true(wpa_file_replace(path, "{\"keys\":[]}", 11, 0600, &err));
    WPA_AUTO(wpa_issuer) *issuer = new_issuer(f, path);
    assert_string_equal(why_refused(f, issuer, token), "no keys");
    const wpa_http_request request = {
        .url = wpa_arena_printf(f->arena, "%s/keys", wpa_oidc_issuer(f->oidc))};
    const wpa_http_response *keys = wpa_http_send(&request, f->arena, &err);
    assert_non_null(keys);
    assert_true(wpa_file_replace(path, keys->body, keys->body_bytes, 0600, &err));
    assert_string_equal(why_refused(f, issuer, token), "good");
    assert_int_equal(count(f, "/.well-known/openid-configuration"), 0);
    assert_true(wpa_dir_remove(folder, &err));
}

/* What the file says now counts, at the next token, and nothing while it says nothing. */
static void a_file_of_keys_is_looked_at_each_time(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    char *folder = wpa_dir_temp("/tmp/wpa-jwks-", f->arena, &err);
    char *path = wpa_path_join(f->arena, folder, "keys.json");
    const char *header = "{\"alg\":\"RS256\",\"kid\":\"rsa-1\"}";
    const char *token = wpa_oidc_mint(f->oidc, "rsa-1", header, GOOD);
    const wpa_http_request request = {
        .url = wpa_arena_printf(f->arena, "%s/keys", wpa_oidc_issuer(f->oidc))};
    const wpa_http_response *keys = wpa_http_send(&request, f->arena, &err);
    assert_non_null(keys);
    const struct {
        const char *text; /* NULL: no file */
        size_t n;
        const char *why;
    } steps[] = {
        {keys->body, keys->body_bytes, "good"}, {"{\"keys\":[]}", 11, "no keys"},
        {keys->body, keys->body_bytes, "good"}, {"{\"keys\":", 8, "no keys"},
        {keys->body, keys->body_bytes, "good"}, {NULL, 0, "no keys"},
        {keys->body, keys->body_bytes, "good"},
    };
    WPA_AUTO(wpa_issuer) *issuer = new_issuer(f, path);
    for (size_t i = 0; i < WPA_COUNT(steps); i++) {
        assert_true(steps[i].text ? wpa_file_replace(path, steps[i].text, steps[i].n, 0600, &err)
                                  : unlink(path) == 0);
        assert_string_equal(why_refused(f, issuer, token), steps[i].why);
        assert_string_equal(why_refused(f, issuer, token), steps[i].why);
    }
    assert_true(wpa_dir_remove(folder, &err));
}

static void keys_have_an_age_beyond_which_nothing_is_taken(void **state)
{
    fixture *f = *state;
    const char *good = wpa_oidc_mint(f->oidc, "rsa-1", RS, GOOD);
    becomes_good(f, f->issuer, good);
    (void)wpa_oidc_tell(f->oidc, "/set", "{\"broken\":\"keys\"}");
    pass(f, WPA_ISSUER_KEYS_LIFE_MS - 1);
    assert_string_equal(why_refused(f, f->issuer, good), "good");
    wait_until_asked(f, 2);
    pass(f, WPA_ISSUER_KEYS_INTERVAL_MS);
    assert_string_equal(why_refused(f, f->issuer, good), "no keys");
    (void)wpa_oidc_tell(f->oidc, "/set", "{\"broken\":null}");
    int64_t end_ms = wpa_monotonic_ms() + WPA_PATIENCE_MS;
    while (!wpa_text_is(why_refused(f, f->issuer, good), "good")) {
        assert_true(wpa_monotonic_ms() < end_ms); /* the answer from before is still on its way */
        pass(f, WPA_ISSUER_KEYS_INTERVAL_MS);
        wpa_sleep_ms(20);
    }
}

/* Nothing is wrong with a token of which nothing can be said: it is good again with the keys. */
static void without_keys_no_token_is_called_wrong(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    wpa_issuer_claims claims;
    const char *good = wpa_oidc_mint(f->oidc, "rsa-1", RS, GOOD);
    (void)wpa_oidc_tell(f->oidc, "/set", "{\"broken\":\"keys\"}");
    assert_false(wpa_issuer_verify(f->issuer, WPA_ISSUER_BEARER, good, NULL, wpa_now_us() / 1000000,
                                   f->arena, &claims, NULL, &err));
    assert_int_equal(err.code, WPA_E_UNAVAILABLE);
    (void)wpa_oidc_tell(f->oidc, "/set", "{\"broken\":null}");
    pass(f, WPA_ISSUER_KEYS_INTERVAL_MS);
    becomes_good(f, f->issuer, good);
    (void)wpa_oidc_tell(f->oidc, "/set", "{\"broken\":\"keys\"}");
    wpa_error_clear(&err);
    const char *unknown =
        wpa_oidc_mint(f->oidc, "stranger", "{\"alg\":\"RS256\",\"kid\":\"s\"}", GOOD);
    assert_false(wpa_issuer_verify(f->issuer, WPA_ISSUER_BEARER, unknown, NULL,
                                   wpa_now_us() / 1000000, f->arena, &claims, NULL, &err));
    assert_int_equal(err.code, WPA_E_DENIED);
}

typedef struct stranger {
    fixture *f;
    wpa_issuer *issuer;
    const char *token, *why;
    atomic_bool is_done;
} stranger;

/* Somebody signs in with a key that nobody knows: he waits for the provider. */
static void *come(void *context)
{
    stranger *self = context;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    wpa_issuer_claims claims;
    (void)!wpa_issuer_verify(self->issuer, WPA_ISSUER_IDENTITY, self->token, NULL,
                             wpa_now_us() / 1000000, arena, &claims, &self->why, &err);
    atomic_store(&self->is_done, true);
    return NULL;
}

static void nobody_else_waits_for_a_provider_that_hangs(void **state)
{
    fixture *f = *state;
    const char *good = wpa_oidc_mint(f->oidc, "rsa-1", RS, GOOD);
    const char *unknown =
        wpa_oidc_mint(f->oidc, "stranger", "{\"alg\":\"RS256\",\"kid\":\"s\"}", GOOD);
    pthread_t thread;
    becomes_good(f, f->issuer, good);
    (void)wpa_oidc_tell(f->oidc, "/set", "{\"hang\":true}");
    pass(f, WPA_ISSUER_KEYS_INTERVAL_MS);
    stranger first = {.f = f, .issuer = f->issuer, .token = unknown};
    assert_int_equal(pthread_create(&thread, NULL, come, &first), 0);
    wait_until_asked(f, 2);
    for (int i = 0; i < 20; i++) {
        assert_string_equal(why_refused(f, f->issuer, unknown), "unknown key");
        assert_string_equal(why_refused(f, f->issuer, good), "good");
        pass(f, WPA_ISSUER_KEYS_INTERVAL_MS);
    }
    assert_false(atomic_load(&first.is_done));
    assert_int_equal(count(f, "/.well-known/openid-configuration"), 2);
    (void)wpa_oidc_tell(f->oidc, "/set", "{\"hang\":false}");
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_string_equal(first.why, "unknown key");
}

static void a_known_key_is_renewed_beside_its_tokens(void **state)
{
    fixture *f = *state;
    const char *good = wpa_oidc_mint(f->oidc, "rsa-1", RS, GOOD);
    becomes_good(f, f->issuer, good);
    (void)wpa_oidc_tell(f->oidc, "/set", "{\"hang\":true}");
    pass(f, WPA_ISSUER_KEYS_RENEW_MS);
    assert_string_equal(why_refused(f, f->issuer, good), "good");
    assert_int_equal(count(f, "/.well-known/openid-configuration"), 1);
    pass(f, 1);
    assert_string_equal(why_refused(f, f->issuer, good), "good");
    wait_until_asked(f, 2);
    assert_string_equal(why_refused(f, f->issuer, good), "good");
    int64_t begun_ms = wpa_monotonic_ms();
    wpa_issuer_free(WPA_STEAL(f->issuer)); /* does not wait for an answer either */
    assert_true(wpa_monotonic_ms() - begun_ms < HANG_MS);
    (void)wpa_oidc_tell(f->oidc, "/set", "{\"hang\":false}");
}

/* With whatever certificate the document came: nothing it names is asked for without one. */
static void an_https_issuer_leads_to_https_alone(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *plain;
        bool is_good;
    } rows[] = {{NULL, true},
                {"jwks_uri", false},
                {"token_endpoint", false},
                {"device_authorization_endpoint", false},
                {"verification_uri", false},
                {"whole_uri", false}};
    const wpa_issuer_options options = {.url = wpa_oidc_tls_issuer(f->oidc),
                                        .client_id = WPA_OIDC_CLIENT,
                                        .audience = AUDIENCE,
                                        .tls_roots = wpa_oidc_tls_roots(f->oidc)};
    const char *claims = wpa_arena_printf(f->arena, "{\"iss\":\"%s\"," AUD "," WHO "," TIMES "}",
                                          wpa_oidc_tls_issuer(f->oidc));
    const char *token = wpa_oidc_mint(f->oidc, "rsa-1", RS, claims);
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        wpa_error err = {0};
        wpa_device_flow flow;
        WPA_AUTO(wpa_issuer) *issuer = wpa_issuer_new(&options, &err);
        const char *plain = rows[i].plain;
        const char *order = plain ? wpa_arena_printf(f->arena, "{\"plain\":\"%s\"}", plain) : "{}";
        (void)wpa_oidc_tell(f->oidc, "/set", order);
        if (wpa_device_begin(issuer, f->arena, &flow, &err) != rows[i].is_good) {
            fail_msg("%s: %s", plain ? plain : "https alone", err.message);
        }
        assert_int_equal(err.code, rows[i].is_good ? WPA_OK : WPA_E_INVALID);
        bool has_keys = !plain || strstr(plain, "verification") || strstr(plain, "whole");
        if (has_keys) {
            becomes_good(f, issuer, token);
        } else {
            assert_string_equal(why_refused(f, issuer, token), "no keys");
        }
    }
}

static void only_a_plain_issuer_leads_to_plain_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *issuer, *url;
        bool is_good;
    } rows[] = {
        {"https://login.example", "https://login.example/keys", true},
        {"https://login.example", "https://keys.example/", true},
        {"https://login.example", "http://127.0.0.1/keys", false},
        {"https://login.example", "http://localhost:8080/keys", false},
        {"https://login.example", "http://[::1]/keys", false},
        {"https://login.example", "http://login.example/keys", false},
        {"http://localhost:80", "http://127.0.0.1/keys", true},
        {"http://localhost:80", "https://login.example/keys", true},
        {"http://localhost:80", "http://login.example/keys", false},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        if (wpa_issuer_may_name(rows[i].issuer, rows[i].url) != rows[i].is_good) {
            fail_msg("%s: %s", rows[i].issuer, rows[i].url);
        }
    }
}

static void another_issuers_document_is_not_believed(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    wpa_device_flow flow;
    (void)wpa_oidc_tell(f->oidc, "/set", "{\"broken\":\"issuer\"}");
    const char *token = wpa_oidc_mint(f->oidc, "rsa-1", RS, GOOD);
    assert_string_equal(why_refused(f, f->issuer, token), "no keys");
    assert_false(wpa_device_begin(f->issuer, f->arena, &flow, &err));
    assert_int_equal(err.code, WPA_E_INVALID);
    assert_non_null(strstr(err.message, "another issuer"));
}

static void options_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *url, *client, *jwks;
        bool is_good;
    } rows[] = {
        {"https://login.example", "c", NULL, true},
        {"https://login.example/realms/x", "c", "https://login.example/keys", true},
        {"http://127.0.0.1:8080", "c", "/etc/wpa/keys.json", true},
        {"http://localhost", "c", NULL, true},
        {"http://login.example", "c", NULL, false},
        {"http://localhost.example", "c", NULL, false},
        {"http://127.0.0.1.example", "c", NULL, false},
        {"https://user@login.example", "c", NULL, false},
        {"https://", "c", NULL, false},
        {"ftp://login.example", "c", NULL, false},
        {"https://login.example\n", "c", NULL, false},
        {"", "c", NULL, false},
        {NULL, "c", NULL, false},
        {"https://login.example", "", NULL, false},
        {"https://login.example", NULL, NULL, false},
        {"https://login.example", "c", "http://login.example/keys", false},
        {"https://login.example", "c", "http://127.0.0.1/keys", false},
        {"http://localhost", "c", "http://127.0.0.1/keys", true},
        {"https://login.example", "c", "keys.json", false},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        wpa_error err = {0};
        const wpa_issuer_options options = {
            .url = rows[i].url, .client_id = rows[i].client, .jwks = rows[i].jwks};
        WPA_AUTO(wpa_issuer) *issuer = wpa_issuer_new(&options, &err);
        if ((issuer != NULL) != rows[i].is_good) {
            fail_msg("%s, %s: %s", rows[i].url ? rows[i].url : "none",
                     rows[i].jwks ? rows[i].jwks : "", err.message);
        }
        assert_int_equal(err.code, rows[i].is_good ? WPA_OK : WPA_E_INVALID);
    }
}

/* RFC 7517, appendix A.1 has these; the RSA one as it stands there. */
#define EC_X "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"
#define EC_Y "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
#define EC_KEY "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\""
#define RSA_N                                                                                      \
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"      \
    "BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_"                              \
    "RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOp"  \
    "bISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8aw"   \
    "apJzKnqDKgw"
#define RSA_KEY "\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\""

static void only_keys_for_us_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *key, *algorithm; /* NULL: left out */
    } rows[] = {
        {"\"kid\":\"1\"," EC_KEY, "ES256"},
        {"\"kid\":\"1\"," RSA_KEY, "RS256"},
        {"\"kid\":\"1\",\"use\":\"sig\",\"alg\":\"RS256\",\"key_ops\":[\"verify\"]," RSA_KEY,
         "RS256"},
        {EC_KEY, NULL},
        {"\"kid\":\"\"," EC_KEY, NULL},
        {"\"kid\":1," EC_KEY, NULL},
        {"\"kid\":\"1\",\"use\":\"enc\"," RSA_KEY, NULL},
        {"\"kid\":\"1\",\"key_ops\":[\"sign\"]," RSA_KEY, NULL},
        {"\"kid\":\"1\",\"alg\":\"RS512\"," RSA_KEY, NULL},
        {"\"kid\":\"1\",\"alg\":\"ES256\"," RSA_KEY, NULL},
        {"\"kid\":\"1\",\"d\":\"AQAB\"," EC_KEY, NULL},
        {"\"kid\":\"1\",\"kty\":\"oct\",\"k\":\"a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s\"",
         NULL},
        {"\"kid\":\"1\",\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"",
         NULL},
        {"\"kid\":\"1\",\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\"", NULL},
        {"\"kid\":\"1\",\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQAB\",\"y\":\"AQAB\"", NULL},
        {"\"kid\":\"1\",\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"", NULL},
        {"\"kid\":\"1\",\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQ\"", NULL},
        {"\"kid\":\"1\",\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"Ag\"", NULL},
        {"\"kid\":\"1\",\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"\"", NULL},
        {"\"kid\":\"1\",\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQABAQAB\"", NULL},
        {"\"kid\":\"1\",\"kty\":\"RSA\",\"n\":\"!\",\"e\":\"AQAB\"", NULL},
        {"\"kid\":\"1\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" EC_X "\"", NULL},
        {"\"kid\":\"1\"", NULL},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        wpa_jwks set;
        const char *text = wpa_arena_printf(arena, "{\"keys\":[{%s},7,null]}", rows[i].key);
        assert_true(wpa_jwks_parse(text, strlen(text), arena, &set, &err));
        const wpa_jwk *key = wpa_jwks_find(&set, "1", "RS256");
        if (!wpa_text_is(key ? key->algorithm : NULL, rows[i].algorithm)) {
            fail_msg("%s: %s", rows[i].key, key ? key->algorithm : "left out");
        }
    }
}

static void what_is_no_key_set_is_refused(void **state)
{
    fixture *f = *state;
    static const char *const texts[] = {
        "", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[}", "{\"keys\":[],\"keys\":[]}"};
    for (size_t i = 0; i < WPA_COUNT(texts); i++) {
        wpa_error err = {0};
        wpa_jwks set;
        assert_false(wpa_jwks_parse(texts[i], strlen(texts[i]), f->arena, &set, &err));
        assert_int_equal(err.code, WPA_E_INVALID);
    }
    wpa_error err = {0};
    wpa_jwks set;
    char *huge = wpa_arena_alloc(f->arena, WPA_JWKS_MAX_BYTES + 2);
    memset(huge, ' ', WPA_JWKS_MAX_BYTES + 1);
    assert_false(wpa_jwks_parse(huge, WPA_JWKS_MAX_BYTES + 1, f->arena, &set, &err));
    assert_int_equal(err.code, WPA_E_LIMIT);
}

static wpa_device_state poll_until(fixture *f, wpa_device_flow *flow, const char **token,
                                   wpa_error *err)
{
    wpa_device_state state = WPA_DEVICE_PENDING;
    for (int i = 0; i < 20 && state == WPA_DEVICE_PENDING; i++) {
        state = wpa_device_poll(f->issuer, flow, f->arena, token, err);
    }
    return state;
}

static void a_browser_elsewhere_decides(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *say;
        wpa_device_state state;
        wpa_code code;
    } rows[] = {{"yes", WPA_DEVICE_DONE, WPA_OK},
                {"no", WPA_DEVICE_FAILED, WPA_E_DENIED},
                {"expire", WPA_DEVICE_FAILED, WPA_E_TIMEOUT}};
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        wpa_error err = {0};
        wpa_device_flow flow;
        const char *token = NULL;
        assert_true(wpa_device_begin(f->issuer, f->arena, &flow, &err));
        assert_true(wpa_text_starts(flow.url, wpa_oidc_issuer(f->oidc)));
        assert_non_null(strstr(flow.whole_url, flow.user_code));
        int64_t interval_ms = flow.interval_ms;
        (void)wpa_oidc_tell(f->oidc, "/set", "{\"slow_down\":1}");
        assert_int_equal(wpa_device_poll(f->issuer, &flow, f->arena, &token, &err),
                         WPA_DEVICE_PENDING);
        assert_int_equal(flow.interval_ms, interval_ms + 5000);
        assert_int_equal(wpa_device_poll(f->issuer, &flow, f->arena, &token, &err),
                         WPA_DEVICE_PENDING);
        (void)wpa_oidc_tell(
            f->oidc, "/decide",
            wpa_arena_printf(f->arena, "{\"user_code\":\"%s\",\"say\":\"%s\",\"claims\":{" WHO "}}",
                             flow.user_code, rows[i].say));
        assert_int_equal(poll_until(f, &flow, &token, &err), rows[i].state);
        assert_int_equal(err.code, rows[i].code);
        wpa_issuer_claims claims;
        bool is_good =
            token && wpa_issuer_verify(f->issuer, WPA_ISSUER_IDENTITY, token, flow.nonce,
                                       wpa_now_us() / 1000000, f->arena, &claims, NULL, &err);
        assert_int_equal(is_good, rows[i].code == WPA_OK);
    }
}

/* A proxy that is restarted before the provider has decided nothing for the person. */
static void an_unwell_provider_is_asked_again(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    wpa_device_flow flow;
    const char *token = NULL;
    assert_true(wpa_device_begin(f->issuer, f->arena, &flow, &err));
    int64_t usual_ms = flow.interval_ms, last_ms = usual_ms;
    (void)wpa_oidc_tell(f->oidc, "/set", "{\"unwell\":[503,502,429,0,500,503,504,503]}");
    for (int i = 0; i < 8; i++) {
        assert_int_equal(wpa_device_poll(f->issuer, &flow, f->arena, &token, &err),
                         WPA_DEVICE_PENDING);
        assert_int_equal(err.code, WPA_OK);
        assert_true(flow.interval_ms > last_ms || flow.interval_ms == DEVICE_UNWELL_MAX_MS);
        last_ms = flow.interval_ms;
    }
    (void)wpa_oidc_tell(
        f->oidc, "/decide",
        wpa_arena_printf(f->arena, "{\"user_code\":\"%s\",\"say\":\"yes\",\"claims\":{" WHO "}}",
                         flow.user_code));
    assert_int_equal(wpa_device_poll(f->issuer, &flow, f->arena, &token, &err), WPA_DEVICE_DONE);
    /* Well again, it is asked as often as before; and no wait goes beyond the code's end. */
    assert_true(wpa_device_begin(f->issuer, f->arena, &flow, &err));
    (void)wpa_oidc_tell(f->oidc, "/set", "{\"unwell\":[503]}");
    (void)wpa_device_poll(f->issuer, &flow, f->arena, &token, &err);
    (void)wpa_device_poll(f->issuer, &flow, f->arena, &token, &err);
    assert_int_equal(flow.interval_ms, usual_ms);
    (void)wpa_oidc_tell(f->oidc, "/set", "{\"unwell\":[503]}");
    pass(f, flow.expires_at_ms - now_ms(f) - 10);
    assert_int_equal(wpa_device_poll(f->issuer, &flow, f->arena, &token, &err), WPA_DEVICE_PENDING);
    assert_int_equal(flow.interval_ms, 10);
    pass(f, flow.interval_ms);
    assert_int_equal(wpa_device_poll(f->issuer, &flow, f->arena, &token, &err), WPA_DEVICE_FAILED);
    assert_int_equal(err.code, WPA_E_TIMEOUT);
}

/* A page in place of the token is no answer that would be another one next time. */
static void what_is_wrong_stays_wrong(void **state)
{
    fixture *f = *state;
    static const char *const orders[] = {"{\"unwell\":[200]}", "{\"unwell\":[404]}"};
    for (size_t i = 0; i < WPA_COUNT(orders); i++) {
        wpa_error err = {0};
        wpa_device_flow flow;
        const char *token = NULL;
        assert_true(wpa_device_begin(f->issuer, f->arena, &flow, &err));
        (void)wpa_oidc_tell(f->oidc, "/set", orders[i]);
        assert_int_equal(wpa_device_poll(f->issuer, &flow, f->arena, &token, &err),
                         WPA_DEVICE_FAILED);
        assert_int_equal(err.code, WPA_E_INVALID);
    }
}

static void a_flow_ends(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    wpa_device_flow flow;
    const char *token = NULL;
    assert_true(wpa_device_begin(f->issuer, f->arena, &flow, &err));
    flow.expires_at_ms = now_ms(f);
    assert_int_equal(wpa_device_poll(f->issuer, &flow, f->arena, &token, &err), WPA_DEVICE_FAILED);
    assert_int_equal(err.code, WPA_E_TIMEOUT);
    wpa_error_clear(&err);
    (void)wpa_oidc_tell(f->oidc, "/set", "{\"broken\":\"device\"}");
    assert_false(wpa_device_begin(f->issuer, f->arena, &flow, &err));
    assert_int_equal(err.code, WPA_E_DENIED);
    assert_non_null(strstr(err.message, "invalid_client"));
}

int main(void)
{
    wpa_oidc_need();
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(every_fault_gets_the_same_words),
        CASE(identity_tokens_are_for_our_client),
        CASE(keys_are_asked_for_when_one_is_unknown_but_not_often),
        CASE(keys_may_come_from_a_file),
        CASE(a_file_of_keys_is_looked_at_each_time),
        CASE(keys_have_an_age_beyond_which_nothing_is_taken),
        CASE(without_keys_no_token_is_called_wrong),
        CASE(nobody_else_waits_for_a_provider_that_hangs),
        CASE(a_known_key_is_renewed_beside_its_tokens),
        CASE(an_https_issuer_leads_to_https_alone),
        cmocka_unit_test(only_a_plain_issuer_leads_to_plain_addresses),
        CASE(another_issuers_document_is_not_believed),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(only_keys_for_us_are_taken),
        CASE(what_is_no_key_set_is_refused),
        CASE(a_browser_elsewhere_decides),
        CASE(an_unwell_provider_is_asked_again),
        CASE(what_is_wrong_stays_wrong),
        CASE(a_flow_ends),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
