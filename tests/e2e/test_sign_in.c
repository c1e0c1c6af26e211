/* Signing in end to end: the program serves, a real provider vouches, and every token that should
   not be taken is shown to it. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "auth/hash.h"
#include "auth/otp.h"
#include "auth/token.h"
#include "harness/client.h"
#include "harness/oidc.h"
#include "harness/patience.h"
#include "harness/sample.h"

#define BASE "/api/v1/workflow-patch-agent"
#define AUDIENCE "wpa-api"
#define AGENT "sign-in test/1.0"
#define ENROL "{\"passphrase\":\"" WPA_SAMPLE_PASSPHRASE "\"}"
#define HANG_MS 5000 /* less than a request to a provider that hangs takes */
#define LOG_MAX_BYTES ((size_t)8 << 20)

typedef struct fixture {
    wpa_sample *sample;
    wpa_oidc *oidc;
    wpa_client client;
    wpa_arena *arena;
    const char *shown; /* secret of one-time codes */
} fixture;

/* ---- asking and looking -------------------------------------------------------------------------
 */

static wpa_client_answer ask(fixture *f, const char *token, const char *call, const char *body,
                             int status)
{
    const char *path = strchr(call, ' ') + 1;
    const char *method = wpa_arena_slice(f->arena, call, (size_t)(path - call) - 1);
    f->client.token = token;
    const char *whole = wpa_arena_printf(f->arena, BASE "%s", path);
    wpa_client_answer answer = wpa_client_call(&f->client, method, whole, body);
    /* The provider's keys may take longer than a request waits for them. */
    int64_t end_ms = wpa_monotonic_ms() + WPA_PATIENCE_MS;
    while (answer.status == 503 && status != 503 && wpa_monotonic_ms() < end_ms) {
        wpa_sleep_ms(20);
        answer = wpa_client_call(&f->client, method, whole, body);
    }
    if (answer.status != status) {
        fail_msg("%s: %d, expected %d: %s", call, answer.status, status, answer.body);
    }
    return answer;
}

static const char *member(fixture *f, const char *body, const char *name)
{
    const char *at = strstr(body, wpa_arena_printf(f->arena, "\"%s\":\"", name));
    if (!at) {
        fail_msg("no '%s' in %s", name, body);
        return NULL;
    }
    at += strlen(name) + 4;
    return wpa_arena_slice(f->arena, at, strcspn(at, "\""));
}

static const char *log_text(fixture *f)
{
    wpa_error err = {0};
    size_t size = 0;
    const char *path = wpa_path_join(f->arena, wpa_sample_folder(f->sample), "background.log");
    const char *text = wpa_file_read(path, LOG_MAX_BYTES, f->arena, &size, &err);
    return text ? text : "";
}

/* What the log says behind this place, once it says the words; fails if it never does. */
static const char *wait_for_log(fixture *f, size_t from, const char *words)
{
    int64_t end_ms = wpa_monotonic_ms() + WPA_PATIENCE_MS;
    do {
        const char *text = log_text(f);
        const char *at = strlen(text) > from ? strstr(text + from, words) : NULL;
        if (at) {
            return at;
        }
        wpa_sleep_ms(20);
    } while (wpa_monotonic_ms() < end_ms);
    fail_msg("the log does not say '%s': %s", words, log_text(f) + from);
    return NULL;
}

static int read_port(const char *line)
{
    const char *at = line + strlen("http://127.0.0.1:");
    return (int)strtol(at, NULL, 10);
}

static int set_up(void **state)
{
    static fixture f;
    f.oidc = wpa_oidc_start();
    f.sample = wpa_sample_new();
    f.arena = wpa_sample_arena(f.sample);
    f.client = (wpa_client){.headers = "User-Agent: " AGENT "\r\n", .arena = f.arena};
    wpa_sample_import(f.sample, false);
    (void)wpa_sample_wpa(f.sample, 0, "oidc set %s --client-id %s --audience %s",
                         wpa_oidc_issuer(f.oidc), WPA_OIDC_CLIENT, AUDIENCE);
    (void)wpa_sample_spawn(f.sample, "serve --workers 0 --open-to-viewers --listen 127.0.0.1:0",
                           NULL);
    f.client.port = read_port(wait_for_log(&f, 0, "http://127.0.0.1:"));
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    wpa_sample_free(f->sample);
    wpa_oidc_stop(f->oidc);
    return 0;
}

static const char *sign_in(fixture *f, const char *code)
{
    const char *body = wpa_arena_printf(
        f->arena, "{\"name\":\"mira\",\"passphrase\":\"" WPA_SAMPLE_PASSPHRASE "\"%s%s%s}",
        code ? ",\"code\":\"" : "", code ? code : "", code ? "\"" : "");
    return member(f, ask(f, NULL, "POST /auth/token", body, 200).body, "token");
}

/* ---- tokens of our own, signed with the server's own key ----------------------------------------
 */

typedef struct own_key {
    const char *kid;
    const uint8_t *bytes;
    size_t n;
} own_key;

static const char *key_file(fixture *f)
{
    return wpa_arena_printf(f->arena, "%s/state/wpa/session.keys", wpa_sample_folder(f->sample));
}

static own_key read_own_key(fixture *f)
{
    wpa_error err = {0};
    own_key key = {0};
    size_t size = 0;
    char *text = wpa_file_read(key_file(f), 8192, f->arena, &size, &err);
    assert_non_null(text);
    const char *kid = strchr(text, ' ') + 1, *encoded = strchr(kid, ' ') + 1;
    key.kid = wpa_arena_slice(f->arena, kid, strcspn(kid, " "));
    key.bytes = wpa_base64_decode(f->arena, encoded, strcspn(encoded, " \n"), true, &key.n, &err);
    assert_non_null(key.bytes);
    return key;
}

/* The text with @KID, @JTI (of a session that stands), @OLD (of one that has ended) and @+n. */
static const char *fill(fixture *f, const char *text, const own_key *key, const char *jti,
                        const char *old)
{
    const struct {
        const char *mark, *value;
    } rows[] = {{"@KID", key->kid}, {"@JTI", jti}, {"@OLD", old}};
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        const char *at = strstr(text, rows[i].mark);
        if (at) {
            text = wpa_arena_printf(f->arena, "%.*s%s%s", (int)(at - text), text, rows[i].value,
                                    at + strlen(rows[i].mark));
        }
    }
    for (const char *at; (at = strchr(text, '@'));) {
        char *end = NULL;
        long long seconds = strtoll(at + 1, &end, 10);
        text = wpa_arena_printf(f->arena, "%.*s%lld%s", (int)(at - text), text,
                                (long long)(wpa_now_us() / 1000000) + seconds, end);
    }
    return text;
}

static const char *sign_own(fixture *f, const char *header, const char *payload, const own_key *key)
{
    uint8_t mac[WPA_SHA256_SIZE];
    char *input = wpa_arena_printf(f->arena, "%s.%s",
                                   wpa_base64_encode(f->arena, header, strlen(header), true),
                                   wpa_base64_encode(f->arena, payload, strlen(payload), true));
    wpa_hmac_sha256(key->bytes, key->n, input, strlen(input), mac);
    return wpa_arena_printf(f->arena, "%s.%s", input,
                            wpa_base64_encode(f->arena, mac, sizeof mac, true));
}

/* The id of the session that a token of ours names. */
static const char *session_of(fixture *f, const char *token)
{
    wpa_error err = {0};
    size_t n = 0;
    const char *payload = strchr(token, '.') + 1;
    const uint8_t *text =
        wpa_base64_decode(f->arena, payload, strcspn(payload, "."), true, &n, &err);
    assert_non_null(text);
    return member(f, (const char *)text, "jti");
}

/* ---- what is refused ----------------------------------------------------------------------------
 */

#define OWN "{\"alg\":\"HS256\",\"kid\":\"@KID\"}"
#define OURS "\"iss\":\"wpa\",\"aud\":\"wpa\",\"sub\":\"mira\",\"role\":\"guardian\""
#define RS "{\"alg\":\"RS256\",\"kid\":\"rsa-1\"}"
#define THEIRS                                                                                     \
    "\"iss\":\"@ISS\",\"aud\":\"" AUDIENCE "\",\"sub\":\"u-1\",\"preferred_username\":\"mira\""
#define TIMES "\"iat\":@-5,\"exp\":@+300"

typedef struct bad_token {
    const char *title;
    const char *key; /* of the provider; NULL: our own */
    const char *header, *payload, *why;
} bad_token;

static const bad_token bad_tokens[] = {
    {"none", NULL, "{\"alg\":\"none\",\"kid\":\"@KID\"}", "{" OURS ",\"jti\":\"@JTI\"," TIMES "}",
     "algorithm"},
    {"HS512", NULL, "{\"alg\":\"HS512\",\"kid\":\"@KID\"}", "{" OURS ",\"jti\":\"@JTI\"," TIMES "}",
     "algorithm"},
    {"critical header", NULL, "{\"alg\":\"HS256\",\"kid\":\"@KID\",\"crit\":[\"b64\"]}",
     "{" OURS ",\"jti\":\"@JTI\"," TIMES "}", "critical header"},
    {"wrong audience", NULL, OWN,
     "{\"iss\":\"wpa\",\"aud\":\"x\",\"sub\":\"mira\",\"role\":\"guardian\",\"jti\":\"@JTI\"," TIMES
     "}",
     "audience"},
    {"wrong issuer", NULL, OWN,
     "{\"iss\":\"x\",\"aud\":\"wpa\",\"sub\":\"mira\",\"role\":\"guardian\",\"jti\":\"@JTI\"," TIMES
     "}",
     "issuer"},
    {"expired", NULL, OWN, "{" OURS ",\"jti\":\"@JTI\",\"iat\":@-900,\"exp\":@-1}", "expired"},
    {"not yet valid", NULL, OWN, "{" OURS ",\"jti\":\"@JTI\"," TIMES ",\"nbf\":@+200}",
     "not yet valid"},
    {"missing expiry", NULL, OWN, "{" OURS ",\"jti\":\"@JTI\",\"iat\":@-5}", "times"},
    {"missing session", NULL, OWN, "{" OURS "," TIMES "}", "identity"},
    {"revoked session", NULL, OWN, "{" OURS ",\"jti\":\"@OLD\"," TIMES "}", "session ended"},
    {"another's session", NULL, OWN,
     "{\"iss\":\"wpa\",\"aud\":\"wpa\",\"sub\":\"eve\",\"role\":\"guardian\",\"jti\":\"@"
     "JTI\"," TIMES "}",
     "subject"},
    {"a claim twice", NULL, OWN, "{\"sub\":\"eve\"," OURS ",\"jti\":\"@JTI\"," TIMES "}",
     "malformed"},
    {"unknown key", NULL, "{\"alg\":\"HS256\",\"kid\":\"x\"}",
     "{" OURS ",\"jti\":\"@JTI\"," TIMES "}", "unknown key"},
    {"the provider's, none", "none", "{\"alg\":\"none\",\"kid\":\"rsa-1\"}",
     "{" THEIRS "," TIMES "}", "algorithm"},
    {"HS256 with the RSA public key", "hmac", "{\"alg\":\"HS256\",\"kid\":\"rsa-1\"}",
     "{" THEIRS "," TIMES "}", "unknown key"},
    {"RS256 with the key of ES256", "rsa-1", "{\"alg\":\"RS256\",\"kid\":\"ec-1\"}",
     "{" THEIRS "," TIMES "}", "algorithm"},
    {"a stranger's signature", "stranger", RS, "{" THEIRS "," TIMES "}", "signature"},
    {"no signature", "empty", RS, "{" THEIRS "," TIMES "}", "signature"},
    {"the provider's, critical header", "rsa-1",
     "{\"alg\":\"RS256\",\"kid\":\"rsa-1\",\"crit\":[\"exp\"]}", "{" THEIRS "," TIMES "}",
     "critical header"},
    {"the provider's, expired", "rsa-1", RS, "{" THEIRS ",\"iat\":@-900,\"exp\":@-1}", "expired"},
    {"the provider's, not yet valid", "rsa-1", RS, "{" THEIRS "," TIMES ",\"nbf\":@+200}",
     "not yet valid"},
    {"the provider's, wrong audience", "rsa-1", RS,
     "{\"iss\":\"@ISS\",\"aud\":\"x\",\"sub\":\"u-1\",\"preferred_username\":\"mira\"," TIMES "}",
     "audience"},
    {"the provider's, wrong issuer", "rsa-1", RS,
     "{\"iss\":\"https://x.example\",\"aud\":\"" AUDIENCE
     "\",\"sub\":\"u-1\",\"preferred_username\":\"mira\"," TIMES "}",
     "issuer"},
    {"the provider's, a claim twice", "rsa-1", RS, "{\"aud\":\"x\"," THEIRS "," TIMES "}",
     "malformed"},
    {"the provider's, nobody here", "rsa-1", RS,
     "{\"iss\":\"@ISS\",\"aud\":\"" AUDIENCE
     "\",\"sub\":\"u-9\",\"preferred_username\":\"nobody\"," TIMES "}",
     "unknown name"},
    {"the provider's, the engine", "rsa-1", RS,
     "{\"iss\":\"@ISS\",\"aud\":\"" AUDIENCE
     "\",\"sub\":\"u-9\",\"preferred_username\":\"engine\"," TIMES "}",
     "unknown name"},
    {"the provider's, name given away anew", "rsa-1", RS,
     "{\"iss\":\"@ISS\",\"aud\":\"" AUDIENCE
     "\",\"sub\":\"u-2\",\"preferred_username\":\"mira\"," TIMES "}",
     "subject"},
};

static void check_refused(fixture *f, const char *title, const char *token, const char *why)
{
    size_t from = strlen(log_text(f));
    wpa_client_answer answer = ask(f, token, "GET /auth/whoami", NULL, 401);
    if (!strstr(answer.body, "\"detail\":\"" WPA_TOKEN_REFUSED "\"")) {
        fail_msg("%s: other words: %s", title, answer.body);
    }
    const char *line = wpa_arena_printf(f->arena, "token refused: %s (from 127.0.0.1)", why);
    (void)wait_for_log(f, from, line);
}

static int sign_in_by_browser(fixture *f, const char *say, const char *claims, const char **said);

/* The name alone does not make an account of the provider's a guardian's. */
static void an_account_is_somebodys_when_a_guardian_says_so(void **state)
{
    fixture *f = *state;
    const char *said = NULL;
    const char *theirs = wpa_oidc_mint(f->oidc, "rsa-1", RS, "{" THEIRS "," TIMES "}");
    check_refused(f, "not bound", theirs, "not bound, see wpa oidc bind mira u-1");
    assert_int_equal(
        sign_in_by_browser(f, "yes", "{\"sub\":\"u-1\",\"preferred_username\":\"mira\"}", &said),
        1);
    assert_non_null(strstr(said, "a guardian does that: wpa oidc bind mira u-1"));
    assert_int_equal(
        sign_in_by_browser(f, "yes", "{\"sub\":\"$(id)\",\"preferred_username\":\"mira\"}", &said),
        1);
    assert_non_null(strstr(said, "a guardian does that: wpa oidc bind mira SUBJECT"));
    (void)wpa_sample_wpa(f->sample, 2, "oidc bind nobody u-1");
    (void)wpa_sample_wpa(f->sample, 0, "oidc bind mira u-1");
    (void)ask(f, theirs, "GET /auth/whoami", NULL, 200);
    assert_non_null(
        strstr(wpa_sample_wpa(f->sample, 1, "oidc bind mira u-2"), "(see wpa oidc unbind)"));
    /* Of somebody who can sign in no other way the first account with the name is his. */
    (void)wpa_sample_sql(f->sample,
                         "INSERT INTO wpa.principal (name, role) VALUES ('nia', 'viewer') "
                         "RETURNING 1");
    static const char nia[] = "{\"iss\":\"@ISS\",\"aud\":\"" AUDIENCE
                              "\",\"sub\":\"%s\",\"preferred_username\":\"nia\"," TIMES "}";
    const char *first = wpa_oidc_mint(f->oidc, "rsa-1", RS, wpa_arena_printf(f->arena, nia, "u-5"));
    const char *next = wpa_oidc_mint(f->oidc, "rsa-1", RS, wpa_arena_printf(f->arena, nia, "u-6"));
    (void)ask(f, first, "GET /auth/whoami", NULL, 200);
    check_refused(f, "another account", next, "subject");
    assert_string_equal(
        wpa_sample_sql(
            f->sample,
            "SELECT string_agg(p.name || ' ' || (a.detail::jsonb->>'subject'), ', ' ORDER "
            "BY a.seq) FROM wpa.audit a JOIN wpa.principal p ON p.id::text = a.actor "
            "WHERE a.action = 'principal.bound'"),
        "mira u-1, nia u-5");
}

static void every_bad_token_is_refused_with_the_same_words(void **state)
{
    fixture *f = *state;
    const char *live = sign_in(f, NULL), *ended = sign_in(f, NULL);
    const char *jti = session_of(f, live), *old = session_of(f, ended);
    own_key key = read_own_key(f);
    (void)ask(f, ended, "DELETE /auth/token", NULL, 204);
    /* The frame is right: signed the same way, with nothing wrong, both are taken. */
    const char *header = fill(f, OWN, &key, jti, old);
    const char *right = fill(f, "{" OURS ",\"jti\":\"@JTI\"," TIMES "}", &key, jti, old);
    (void)ask(f, sign_own(f, header, right, &key), "GET /auth/whoami", NULL, 200);
    const char *theirs = wpa_oidc_mint(f->oidc, "rsa-1", RS, "{" THEIRS "," TIMES "}");
    (void)ask(f, theirs, "GET /auth/whoami", NULL, 200);
    const char *access =
        wpa_oidc_mint(f->oidc, "rsa-1", "{\"alg\":\"RS256\",\"kid\":\"rsa-1\",\"typ\":\"at+jwt\"}",
                      "{" THEIRS "," TIMES "}"); /* RFC 9068 */
    (void)ask(f, access, "GET /auth/whoami", NULL, 200);
    for (size_t i = 0; i < WPA_COUNT(bad_tokens); i++) {
        const bad_token *bad = &bad_tokens[i];
        const char *token = bad->key ? wpa_oidc_mint(f->oidc, bad->key, bad->header, bad->payload)
                                     : sign_own(f, fill(f, bad->header, &key, jti, old),
                                                fill(f, bad->payload, &key, jti, old), &key);
        check_refused(f, bad->title, token, bad->why);
    }
    char *huge = wpa_arena_alloc(f->arena, WPA_TOKEN_MAX_BYTES + 2);
    memset(huge, 'a', WPA_TOKEN_MAX_BYTES + 1);
    check_refused(f, "oversized", huge, "too long");
    check_refused(f, "no token at all", "a.b", "not three parts");
    check_refused(f, "unknown machine", "wpa_0123456789",
                  "unknown, ended or revoked machine token");
}

static void refusals_stand_in_the_audit_log(void **state)
{
    fixture *f = *state;
    const char *token = sign_in(f, NULL);
    const char *machine =
        member(f,
               ask(f, token, "POST /tokens",
                   "{\"name\":\"reader\",\"scopes\":[\"read\"],\"expires_in_days\":1}", 201)
                   .body,
               "token");
    (void)ask(f, machine, "POST /scan", NULL, 403);
    static const char last[] =
        "SELECT concat_ws('|', coalesce(p.name, a.actor), a.detail::jsonb->>'address', "
        "a.detail::jsonb->>'user_agent', a.subject) FROM wpa.audit a LEFT JOIN wpa.principal p ON "
        "p.id::text = a.actor WHERE a.action = 'access.refused' ORDER BY a.seq DESC LIMIT 1";
    assert_string_equal(wpa_sample_sql(f->sample, "%s", last),
                        "mira|127.0.0.1|" AGENT "|POST " BASE "/scan");
    /* What was not understood is written down too, but nothing of it: it may be a passphrase. */
    (void)ask(f, token, "POST /guardians", "{\"name\":\"x\",\"passphrase\":'hunter2'}", 422);
    (void)ask(f, token, "POST /guardians", "{\"name\":\"x\",\"passphrase\":\"hunter2", 422);
    (void)ask(f, token, "POST /guardians", "{\"passphrase\":hunter2}", 422);
    assert_string_equal(wpa_sample_sql(f->sample, "%s", last),
                        "mira|127.0.0.1|" AGENT "|POST " BASE "/guardians");
    assert_string_equal(
        wpa_sample_sql(f->sample, "SELECT count(*) FROM wpa.audit WHERE detail LIKE '%%hunter2%%'"),
        "0");
    wpa_sleep_ms(3100); /* strangers are written down so often and no more */
    (void)ask(f, "a.b.c", "DELETE /fleet/ledger-api", NULL, 401);
    assert_string_equal(wpa_sample_sql(f->sample, "%s", last),
                        "?|127.0.0.1|" AGENT "|DELETE " BASE "/fleet/ledger-api");
    (void)ask(f, NULL, "POST /auth/token", "{\"name\":\"mira\",\"passphrase\":\"wrong\"}", 401);
    assert_string_equal(
        wpa_sample_sql(f->sample,
                       "SELECT concat_ws('|', actor, detail::jsonb->>'address', "
                       "detail::jsonb->>'user_agent', subject LIKE 'principal:%%') FROM wpa.audit "
                       "WHERE action = 'session.refused' ORDER BY seq DESC LIMIT 1"),
        "?|127.0.0.1|" AGENT "|t");
}

/* ---- the provider's tokens ----------------------------------------------------------------------
 */

static void the_provider_vouches_for_people(void **state)
{
    fixture *f = *state;
    static const char *const keys[] = {"rsa-1", "ec-1"};
    static const char *const headers[] = {RS, "{\"alg\":\"ES256\",\"kid\":\"ec-1\"}"};
    for (size_t i = 0; i < WPA_COUNT(keys); i++) {
        const char *token = wpa_oidc_mint(
            f->oidc, keys[i], headers[i],
            wpa_arena_printf(f->arena, "{" THEIRS "," TIMES ",\"jti\":\"j-%zu\"}", i));
        wpa_client_answer answer = ask(f, token, "GET /auth/whoami", NULL, 200);
        assert_string_equal(member(f, answer.body, "name"), "mira");
        assert_string_equal(member(f, answer.body, "role"), "guardian");
        (void)ask(f, token, "POST /auth/refresh", NULL, 409);
        (void)ask(f, token, "DELETE /auth/token", NULL, 204);
        check_refused(f, "revoked", token, "revoked");
    }
    const char *token = wpa_oidc_mint(f->oidc, "rsa-1", RS, "{" THEIRS "," TIMES "}");
    (void)wpa_sample_wpa(f->sample, 0, "oidc off");
    check_refused(f, "no provider", token, "no issuer");
    (void)wpa_sample_wpa(f->sample, 0, "oidc set %s --client-id %s --audience %s",
                         wpa_oidc_issuer(f->oidc), WPA_OIDC_CLIENT, AUDIENCE);
    (void)ask(f, token, "GET /auth/whoami", NULL, 200);
    assert_non_null(strstr(wpa_sample_wpa(f->sample, 0, "oidc show"), wpa_oidc_issuer(f->oidc)));
}

static int times_asked(fixture *f, const char *path)
{
    const char *at = strstr(wpa_oidc_tell(f->oidc, "/stats", "{}"),
                            wpa_arena_printf(f->arena, "\"%s\": ", path));
    return at ? (int)strtol(strchr(at, ':') + 2, NULL, 10) : 0;
}

/* Settings that nobody uses any more take what was fetched by them along. */
static void changed_settings_leave_nothing_behind(void **state)
{
    fixture *f = *state;
    const char *token = wpa_oidc_mint(f->oidc, "rsa-1", RS, "{" THEIRS "," TIMES "}");
    (void)ask(f, token, "GET /auth/whoami", NULL, 200);
    int before = times_asked(f, "/keys");
    for (int i = 1; i <= 3; i++) {
        (void)wpa_sample_wpa(f->sample, 0, "oidc set %s --client-id %s --audience other",
                             wpa_oidc_issuer(f->oidc), WPA_OIDC_CLIENT);
        check_refused(f, "for another", token, "audience");
        (void)wpa_sample_wpa(f->sample, 0, "oidc set %s --client-id %s --audience %s",
                             wpa_oidc_issuer(f->oidc), WPA_OIDC_CLIENT, AUDIENCE);
        (void)ask(f, token, "GET /auth/whoami", NULL, 200);
        (void)ask(f, token, "GET /auth/whoami", NULL, 200);
        assert_int_equal(times_asked(f, "/keys"), before + 2 * i);
    }
}

/* More strangers than the server has threads, each with a key that nobody knows, while the provider
   hangs: whoever is known here is answered meanwhile. */
static void strangers_do_not_hold_the_server(void **state)
{
    fixture *f = *state;
    static const char discovery[] = "/.well-known/openid-configuration";
    int fds[12];
    const char *own = sign_in(f, NULL);
    const char *unknown = wpa_oidc_mint(f->oidc, "stranger", "{\"alg\":\"RS256\",\"kid\":\"x\"}",
                                        "{" THEIRS "," TIMES "}");
    const char *request = wpa_arena_printf(f->arena,
                                           "GET " BASE "/auth/whoami HTTP/1.1\r\nHost: x\r\n"
                                           "Authorization: Bearer %s\r\n\r\n",
                                           unknown);
    (void)wpa_sample_wpa(f->sample, 0, "oidc set %s --client-id anew --audience %s",
                         wpa_oidc_issuer(f->oidc), AUDIENCE);
    int before = times_asked(f, discovery);
    int64_t begun_ms = wpa_monotonic_ms();
    (void)ask(f, own, "GET /auth/whoami", NULL, 200);
    int64_t usual_ms = wpa_monotonic_ms() - begun_ms; /* as busy as this machine is */
    (void)wpa_oidc_tell(f->oidc, "/set", "{\"hang\":true}");
    for (size_t i = 0; i < WPA_COUNT(fds); i++) {
        fds[i] = wpa_client_connect(&f->client);
        assert_int_equal(write(fds[i], request, strlen(request)), strlen(request));
    }
    while (times_asked(f, discovery) == before) {
        wpa_sleep_ms(20);
    }
    begun_ms = wpa_monotonic_ms();
    (void)ask(f, own, "GET /auth/whoami", NULL, 200);
    assert_true(wpa_monotonic_ms() - begun_ms < HANG_MS + 20 * usual_ms);
    (void)ask(f, unknown, "GET /auth/whoami", NULL,
              503); /* there are no keys to call it wrong by */
    assert_int_equal(times_asked(f, discovery), before + 1);
    (void)wpa_oidc_tell(f->oidc, "/set", "{\"hang\":false}");
    for (size_t i = 0; i < WPA_COUNT(fds); i++) {
        (void)close(fds[i]);
    }
    (void)wpa_sample_wpa(f->sample, 0, "oidc set %s --client-id %s --audience %s",
                         wpa_oidc_issuer(f->oidc), WPA_OIDC_CLIENT, AUDIENCE);
}

static int wait_for(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int sign_in_by_browser(fixture *f, const char *say, const char *claims, const char **said)
{
    size_t from = strlen(log_text(f));
    pid_t child = wpa_sample_spawn(f->sample, "login --oidc", NULL);
    const char *code = wait_for_log(f, from, "type the code ") + strlen("type the code ");
    (void)wpa_oidc_tell(f->oidc, "/decide",
                        wpa_arena_printf(f->arena,
                                         "{\"user_code\":\"%.*s\",\"say\":\"%s\",\"claims\":%s}",
                                         (int)strcspn(code, "\n"), code, say, claims));
    int status = wait_for(child);
    *said = log_text(f) + from;
    return status;
}

static void a_browser_elsewhere_signs_in(void **state)
{
    fixture *f = *state;
    struct stat info;
    const char *said = NULL;
    const char *path =
        wpa_arena_printf(f->arena, "%s/state/wpa/token", wpa_sample_folder(f->sample));
    assert_int_equal(unlink(path), 0);
    static const char mira[] = "{\"sub\":\"u-1\",\"preferred_username\":\"mira\"}";
    static const struct {
        const char *say, *claims, *words;
        int status;
    } refused[] = {
        {"no", mira, "refused in the browser", 1},
        {"expire", mira, "has expired", 75},
        {"yes", "{\"sub\":\"u-1\",\"preferred_username\":\"nobody\"}", WPA_TOKEN_REFUSED, 1},
        {"yes", "{\"sub\":\"u-2\",\"preferred_username\":\"mira\"}", WPA_TOKEN_REFUSED, 1},
        {"yes", "{\"sub\":\"u-1\",\"preferred_username\":\"mira\",\"nonce\":\"x\"}",
         WPA_TOKEN_REFUSED, 1},
        {"yes", "{\"sub\":\"u-1\",\"preferred_username\":\"mira\",\"aud\":\"x\"}",
         WPA_TOKEN_REFUSED, 1},
    };
    for (size_t i = 0; i < WPA_COUNT(refused); i++) {
        int status = sign_in_by_browser(f, refused[i].say, refused[i].claims, &said);
        if (status != refused[i].status || !strstr(said, refused[i].words)) {
            fail_msg("%s, %s: %d %s", refused[i].say, refused[i].claims, status, said);
        }
        assert_int_equal(access(path, F_OK), -1);
    }
    (void)wpa_oidc_tell(f->oidc, "/set", "{\"slow_down\":1}");
    int64_t begun_ms = wpa_monotonic_ms();
    assert_int_equal(sign_in_by_browser(f, "yes", mira, &said), 0);
    assert_true(wpa_monotonic_ms() - begun_ms >= 6000); /* it did slow down */
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_non_null(strstr(wpa_sample_wpa(f->sample, 0, "whoami"), "mira (guardian)"));
}

/* ---- keys and codes -----------------------------------------------------------------------------
 */

static const char *rotations(fixture *f)
{
    return wpa_sample_sql(f->sample, "SELECT count(*) FROM wpa.audit WHERE action = "
                                     "'keys.rotated' AND actor <> '?'");
}

/* More keys that still verify than may be: there is no room for a further one. */
static void what_was_not_rotated_is_not_recorded(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    size_t size = 0;
    char *text = wpa_file_read(key_file(f), 8192, f->arena, &size, &err), *full = text;
    assert_non_null(text);
    const char *before = rotations(f);
    for (int i = 0; i < 15; i++) {
        full = wpa_arena_printf(f->arena, "%sHS256 k%d %043d 99999999999\n", full, i, 0);
    }
    assert_true(wpa_file_replace(key_file(f), full, strlen(full), 0600, &err));
    assert_non_null(strstr(wpa_sample_wpa(f->sample, 2, "keys rotate"), "16 keys still verify"));
    assert_string_equal(rotations(f), before);
    assert_true(wpa_file_replace(key_file(f), text, size, 0600, &err));
}

static void keys_rotate_under_a_running_server(void **state)
{
    fixture *f = *state;
    const char *before = sign_in(f, NULL);
    (void)wpa_sample_wpa(f->sample, 0, "keys rotate");
    const char *after = sign_in(f, NULL);
    size_t header = strcspn(before, ".");
    assert_true(strncmp(before, after, header) != 0); /* another kid */
    (void)ask(f, before, "GET /auth/whoami", NULL, 200);
    (void)ask(f, after, "GET /auth/whoami", NULL, 200);
    assert_non_null(strstr(wpa_sample_wpa(f->sample, 0, "keys list"), "verifies until"));
    (void)wpa_sample_wpa(f->sample, 0, "whoami");
    (void)wpa_sample_wpa(f->sample, 0, "keys rotate --revoke");
    check_refused(f, "before", before, "unknown key");
    check_refused(f, "after", after, "unknown key");
    (void)wpa_sample_wpa(f->sample, 1, "whoami");
    assert_string_equal(
        wpa_sample_sql(f->sample,
                       "SELECT concat_ws('|', actor, detail::jsonb->>'address', subject, "
                       "detail::jsonb->>'user_agent' LIKE 'wpa/%%') FROM wpa.audit WHERE "
                       "action = 'access.refused' ORDER BY seq DESC LIMIT 1"),
        "?|local|console|t");
    (void)wpa_sample_wpa(f->sample, 0, "login mira --passphrase-file %s/passphrase",
                         wpa_sample_folder(f->sample));
    assert_string_equal(rotations(f), "2");
}

static void any_session_can_be_ended_by_its_id(void **state)
{
    fixture *f = *state;
    const char *token = sign_in(f, NULL), *stolen = sign_in(f, NULL);
    const char *jti = session_of(f, stolen);
    const char *listed = ask(f, token, "GET /sessions?name=mira", NULL, 200).body;
    assert_non_null(strstr(listed, wpa_arena_printf(f->arena, "{\"id\": \"%s\"", jti)));
    assert_non_null(strstr(wpa_sample_wpa(f->sample, 0, "session list"), jti));
    (void)ask(f, stolen, "GET /auth/whoami", NULL, 200);
    (void)ask(f, token, wpa_arena_printf(f->arena, "DELETE /sessions/%s", jti), NULL, 204);
    check_refused(f, "ended by its id", stolen, "session ended");
    (void)ask(f, token, wpa_arena_printf(f->arena, "DELETE /sessions/%s", jti), NULL, 404);
    (void)ask(f, token, "DELETE /sessions/x", NULL, 404);
    assert_string_equal(wpa_sample_sql(f->sample,
                                       "SELECT actor <> '?' FROM wpa.audit WHERE action = "
                                       "'session.closed' AND detail::jsonb->>'session' = "
                                       "'%s'",
                                       jti),
                        "t");
    (void)wpa_sample_wpa(f->sample, 0, "session end %s", session_of(f, token));
    check_refused(f, "ended by the command", token, "session ended");
}

/* Of the secret that was shown last, base32. */
static const char *code_at(fixture *f, int64_t now_s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint8_t bytes[WPA_OTP_SECRET_BYTES] = {0};
    for (size_t i = 0; i < 8 * sizeof bytes; i++) {
        size_t digit = (size_t)(strchr(digits, f->shown[i / 5]) - digits);
        bytes[i / 8] |= (uint8_t)((digit >> (4 - i % 5) & 1) << (7 - i % 8));
    }
    WPA_AUTO(wpa_secret) *secret = wpa_secret_new(bytes, sizeof bytes);
    return wpa_otp_code(secret, now_s / WPA_OTP_STEP_SECONDS,
                        wpa_arena_alloc(f->arena, WPA_OTP_CODE_SIZE));
}

/* A code that is taken now, behind the one of used_s. */
static const char *code_behind(fixture *f, int64_t used_s)
{
    int64_t now_s = wpa_now_us() / 1000000, next_s = used_s + WPA_OTP_STEP_SECONDS;
    return code_at(f, now_s > next_s ? now_s : next_s);
}

static void enrol(fixture *f, const char *token)
{
    wpa_client_answer answer = ask(f, token, "POST /auth/code", ENROL, 201);
    assert_true(wpa_text_starts(member(f, answer.body, "uri"), "otpauth://totp/wpa:mira?secret="));
    f->shown = member(f, answer.body, "secret");
    assert_string_equal(wpa_sample_sql(f->sample, "SELECT sealed FROM wpa.one_time_code"), "t");
}

static void one_time_codes_are_asked_for(void **state)
{
    fixture *f = *state;
    static const char plain[] = "{\"name\":\"mira\",\"passphrase\":\"" WPA_SAMPLE_PASSPHRASE "\"}";
    const char *token = sign_in(f, NULL);
    const char *folder = wpa_sample_folder(f->sample);
    /* Whoever has got hold of a session has not got the passphrase. */
    (void)ask(f, token, "POST /auth/code", NULL, 422);
    (void)ask(f, token, "POST /auth/code", "{\"passphrase\":\"of somebody else\"}", 403);
    enrol(f, token);
    (void)ask(f, token, "POST /auth/code/confirm", "{\"code\":\"000000\"}", 403);
    int64_t now_s = wpa_now_us() / 1000000;
    wpa_client_answer answer =
        ask(f, token, "POST /auth/code/confirm",
            wpa_arena_printf(f->arena, "{\"code\":\"%s\"}", code_at(f, now_s)), 200);
    const char *recovery = strstr(answer.body, "[\"") + 2;
    assert_int_equal(strcspn(recovery, "\""), 19);
    answer = ask(f, NULL, "POST /auth/token", plain, 401);
    assert_string_equal(member(f, answer.body, "field"), "code");
    const char *code = code_behind(f, now_s);
    token = sign_in(f, code);
    answer = ask(f, NULL, "POST /auth/token",
                 wpa_arena_printf(f->arena,
                                  "{\"name\":\"mira\",\"passphrase\":\"" WPA_SAMPLE_PASSPHRASE
                                  "\",\"code\":\"%s\"}",
                                  code),
                 401);
    assert_non_null(strstr(answer.body, "wrong name, passphrase or code"));
    (void)wpa_sample_wpa(f->sample, 1, "login mira --passphrase-file %s/passphrase", folder);
    (void)wpa_sample_wpa(f->sample, 0, "login mira --passphrase-file %s/passphrase --code %.19s",
                         folder, recovery);
    (void)wpa_sample_wpa(f->sample, 1, "login mira --passphrase-file %s/passphrase --code %.19s",
                         folder, recovery);
    assert_non_null(
        strstr(ask(f, token, "GET /guardians", NULL, 200).body, "\"one_time_code\": true"));
    (void)wpa_sample_wpa(f->sample, 1, "code off");
    (void)wpa_sample_wpa(f->sample, 0, "code off --code %.19s", recovery + 22);
    (void)sign_in(f, NULL);
}

/* ---- the console --------------------------------------------------------------------------------
 */

static void the_console_signs_in_by_a_browser(void **state)
{
    fixture *f = *state;
    WPA_AUTO(wpa_tty) *tty = wpa_sample_tty(f->sample, "--workers 0", 24, 80);
    static const char claims[] = "{\"sub\":\"u-1\",\"preferred_username\":\"mira\"}";
    static const struct {
        const char *say, *then;
    } rows[] = {{"no", "refused in the browser"}, {"yes", "LIVE  mira guardian"}};
    wpa_tty_expect(tty, "F5 by browser");
    wpa_tty_press(tty, "\033[15~");
    wpa_tty_expect(tty, "Type the code");
    wpa_tty_press(tty, "\033"); /* back to the form */
    wpa_tty_expect(tty, "Passphrase");
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        wpa_tty_press(tty, "\033[15~");
        wpa_tty_expect(tty, "Waiting for the browser");
        assert_true(wpa_tty_has(tty, wpa_oidc_issuer(f->oidc)));
        const char *code = strstr(wpa_tty_text(tty, f->arena), "Type the code ");
        assert_non_null(code);
        code += strlen("Type the code ");
        (void)wpa_oidc_tell(
            f->oidc, "/decide",
            wpa_arena_printf(f->arena, "{\"user_code\":\"%.9s\",\"say\":\"%s\",\"claims\":%s}",
                             code, rows[i].say, claims));
        wpa_tty_expect(tty, rows[i].then);
    }
    assert_string_equal(wpa_sample_sql(f->sample, "SELECT kind FROM wpa.session ORDER BY "
                                                  "created_at DESC LIMIT 1"),
                        "console");
}

static void the_console_asks_for_a_code(void **state)
{
    fixture *f = *state;
    const char *token = sign_in(f, NULL);
    enrol(f, token);
    int64_t now_s = wpa_now_us() / 1000000;
    (void)ask(f, token, "POST /auth/code/confirm",
              wpa_arena_printf(f->arena, "{\"code\":\"%s\"}", code_at(f, now_s)), 200);
    WPA_AUTO(wpa_tty) *tty = wpa_sample_tty(f->sample, "--workers 0", 24, 80);
    wpa_tty_expect(tty, "Guardian      mira_");
    assert_false(wpa_tty_has(tty, "One-time code"));
    wpa_tty_send(tty, WPA_SAMPLE_PASSPHRASE "\r");
    wpa_tty_expect(tty, "One-time code");
    wpa_tty_expect(tty, "A one-time code is needed as well.");
    wpa_tty_send(tty, wpa_arena_printf(f->arena, "%s\r", code_behind(f, now_s)));
    wpa_tty_expect(tty, "LIVE  mira guardian");
    (void)wpa_sample_sql(f->sample, "DELETE FROM wpa.one_time_code RETURNING 1");
}

static void tries_are_limited(void **state)
{
    fixture *f = *state;
    int n_refused = 0, n_late = 0;
    /* As many as it takes: of slow ones some are forgiven meanwhile. */
    for (int i = 0; i < 1000 && n_late == 0; i++) {
        f->client.token = NULL;
        wpa_client_answer answer = wpa_client_call(
            &f->client, "POST", BASE "/auth/token",
            wpa_arena_printf(f->arena, "{\"name\":\"n%d\",\"passphrase\":\"x\"}", i));
        n_refused += answer.status == 401;
        if (answer.status == 429) {
            n_late++;
            assert_non_null(wpa_client_header(&f->client, &answer, "Retry-After"));
        }
    }
    assert_true(n_refused > 0);
    assert_int_equal(n_late, 1);
    assert_string_equal(
        wpa_sample_sql(f->sample, "SELECT concat_ws('|', actor, detail::jsonb->>'address', "
                                  "detail::jsonb->>'user_agent', subject) FROM wpa.audit WHERE "
                                  "action = 'access.refused' ORDER BY seq DESC LIMIT 1"),
        "?|127.0.0.1|" AGENT "|POST " BASE "/auth/token");
}

int main(void)
{
    wpa_oidc_need();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_is_somebodys_when_a_guardian_says_so),
        cmocka_unit_test(every_bad_token_is_refused_with_the_same_words),
        cmocka_unit_test(refusals_stand_in_the_audit_log),
        cmocka_unit_test(the_provider_vouches_for_people),
        cmocka_unit_test(changed_settings_leave_nothing_behind),
        cmocka_unit_test(strangers_do_not_hold_the_server),
        cmocka_unit_test(a_browser_elsewhere_signs_in),
        cmocka_unit_test(keys_rotate_under_a_running_server),
        cmocka_unit_test(what_was_not_rotated_is_not_recorded),
        cmocka_unit_test(any_session_can_be_ended_by_its_id),
        cmocka_unit_test(one_time_codes_are_asked_for),
        cmocka_unit_test(the_console_signs_in_by_a_browser),
        cmocka_unit_test(the_console_asks_for_a_code),
        cmocka_unit_test(tries_are_limited),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
