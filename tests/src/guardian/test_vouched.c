/* Tokens of a provider, after whom they stand for: what was ended stays so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "auth/hash.h"
#include "gen/sql.h"
#include "guardian/vouched.h"
#include "harness/oidc.h"
#include "http/http.h"
#include "src/guardian/signed_in.h"

#define AUDIENCE "wpa-api"
#define P256_BYTES 32

typedef struct provided {
    fixture *made;
    wpa_oidc *oidc;
    wpa_issuer *issuer;
    wpa_arena *arena;
} provided;

static int start(void **state)
{
    static provided p;
    wpa_error err = {0};
    if (!wpa_http_init(&err) || set_up(state) != 0) {
        return 1;
    }
    p = (provided){.made = *state, .oidc = wpa_oidc_start(), .arena = wpa_arena_new()};
    const wpa_vouched_settings settings = {
        .issuer = wpa_oidc_issuer(p.oidc), .client_id = WPA_OIDC_CLIENT, .audience = AUDIENCE};
    bool is_set = wpa_vouched_configure(p.made->db, &p.made->mira.actor, &settings, &err) &&
                  wpa_vouched_bind(p.made->db, &p.made->mira.actor, "mira", "u-1", &err);
    p.issuer = is_set ? wpa_vouched_issuer(&settings, NULL, &err) : NULL;
    *state = &p;
    return p.issuer ? 0 : 1;
}

static int stop(void **state)
{
    provided *p = *state;
    wpa_issuer_free(p->issuer);
    wpa_oidc_stop(p->oidc);
    wpa_arena_free(p->arena);
    *state = p->made;
    return tear_down(state);
}

/* Whom the token stands for now; WPA_OK, or why it is refused. */
static wpa_code show(provided *p, const char *token, wpa_vouched *vouched)
{
    wpa_error err = {0};
    wpa_vouched_word word;
    bool is_taken =
        wpa_vouched_verify(p->issuer, token, &p->made->where, NULL, p->arena, &word, &err) &&
        wpa_vouched_resume(p->made->db, &word, &p->made->where, NULL, vouched, &err);
    assert_int_equal(is_taken, err.code == WPA_OK);
    return err.code;
}

/* The other signature that is as good as this one of ES256: r and n - s. */
static const char *sign_otherwise(provided *p, const char *token)
{
    static const uint8_t n[P256_BYTES] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
                                          0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                          0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
                                          0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    wpa_error err = {0};
    size_t size = 0;
    const char *dot = strrchr(token, '.');
    uint8_t *both = wpa_base64_decode(p->arena, dot + 1, strlen(dot + 1), true, &size, &err);
    assert_int_equal(size, 2 * P256_BYTES);
    int borrowed = 0;
    for (size_t i = P256_BYTES; i-- > 0;) {
        int digit = n[i] - both[P256_BYTES + i] - borrowed;
        borrowed = digit < 0;
        both[P256_BYTES + i] = (uint8_t)digit;
    }
    return wpa_arena_printf(p->arena, "%.*s.%s", (int)(dot - token), token,
                            wpa_base64_encode(p->arena, both, size, true));
}

static void test_a_token_that_was_ended_has_ended_however_it_is_signed(void **state)
{
    provided *p = *state;
    wpa_error err = {0};
    wpa_vouched vouched, other;
    static const char *const ids[] = {"", ",\"jti\":\"j-1\""};
    for (size_t i = 0; i < WPA_COUNT(ids); i++) {
        const char *token = wpa_oidc_mint(
            p->oidc, "ec-1", "{\"alg\":\"ES256\",\"kid\":\"ec-1\"}",
            wpa_arena_printf(p->arena,
                             "{\"iss\":\"@ISS\",\"aud\":\"" AUDIENCE
                             "\",\"sub\":\"u-1\",\"preferred_username\":\"mira\",\"iat\":@-%zu,"
                             "\"exp\":@+300%s}",
                             i, ids[i]));
        const char *twin = sign_otherwise(p, token);
        assert_string_not_equal(token, twin);
        assert_int_equal(show(p, token, &vouched), WPA_OK);
        assert_int_equal(show(p, twin, &other), WPA_OK);
        assert_int_equal(vouched.actor.principal_id, p->made->mira.actor.principal_id);
        assert_true(wpa_vouched_revoke(p->made->db, &vouched, &err));
        assert_int_equal(show(p, token, &vouched), WPA_E_DENIED);
        assert_int_equal(show(p, twin, &other), WPA_E_DENIED);
    }
}

static const char *mint(provided *p)
{
    return wpa_oidc_mint(p->oidc, "ec-1", "{\"alg\":\"ES256\",\"kid\":\"ec-1\"}",
                         "{\"iss\":\"@ISS\",\"aud\":\"" AUDIENCE
                         "\",\"sub\":\"u-1\",\"preferred_username\":\"mira\",\"iat\":@-0,"
                         "\"exp\":@+300}");
}

/* Would a stream that was opened by this token go on? */
static bool is_caller(provided *p, const wpa_vouched *vouched)
{
    wpa_error err = {0};
    char key[2 * WPA_VOUCHED_KEY_SIZE + 1];
    wpa_hex_encode(vouched->key, sizeof vouched->key, key);
    static const char *const kinds[] = {"vouched"};
    const char *const keys[] = {key};
    const char *params[] = {wpa_db_array(p->arena, kinds, 1), wpa_db_array(p->arena, keys, 1),
                            wpa_db_array_int(p->arena, &vouched->actor.principal_id, 1)};
    WPA_AUTO(wpa_db) *viewer = wpa_test_pg_connect(p->made->pg, "wpa_viewer");
    WPA_AUTO(wpa_rows) *gone =
        wpa_db_exec(viewer, WPA_SQL_API_CALLERS_GONE, params, WPA_COUNT(params), &err);
    assert_non_null(gone);
    return wpa_rows_count(gone) == 0;
}

typedef bool (*ending)(provided *p, const wpa_vouched *vouched, wpa_error *err);

static bool revoke(provided *p, const wpa_vouched *vouched, wpa_error *err)
{
    return wpa_vouched_revoke(p->made->db, vouched, err);
}

static bool unbind(provided *p, const wpa_vouched *vouched, wpa_error *err)
{
    return wpa_vouched_unbind(p->made->db, &vouched->actor, "mira", err);
}

static bool disable(provided *p, const wpa_vouched *vouched, wpa_error *err)
{
    (void)vouched;
    (void)err;
    return strcmp(wpa_test_sql(p->made->pg, NULL, p->made->mira.actor.principal_id,
                               "UPDATE principal SET active = false WHERE name = 'mira'"),
                  "00000") == 0;
}

static bool switch_off(provided *p, const wpa_vouched *vouched, wpa_error *err)
{
    const wpa_vouched_settings none = {0};
    return wpa_vouched_configure(p->made->db, &vouched->actor, &none, err);
}

/* However it comes that a token is not taken any more: what it has opened ends. */
static void test_what_a_token_has_opened_ends_with_it(void **state)
{
    static const ending endings[] = {revoke, unbind, disable, switch_off};
    assert_int_equal(stop(state), 0); /* each has a world of its own */
    for (size_t i = 0; i < WPA_COUNT(endings); i++) {
        assert_int_equal(start(state), 0);
        provided *p = *state;
        wpa_error err = {0};
        wpa_vouched vouched;
        assert_int_equal(show(p, mint(p), &vouched), WPA_OK);
        assert_true(is_caller(p, &vouched));
        if (!endings[i](p, &vouched, &err)) {
            fail_msg("ending %zu: %s", i, err.message);
        }
        if (is_caller(p, &vouched)) {
            fail_msg("ending %zu: it goes on", i);
        }
        assert_int_equal(stop(state), 0);
    }
    assert_int_equal(start(state), 0);
}

/* Whoever had the account may have opened any of his sessions. */
static void test_who_is_bound_no_more_is_signed_out(void **state)
{
    provided *p = *state;
    wpa_error err = {0};
    static const char open[] = "SELECT count(*) FROM session WHERE ended_at IS NULL";
    assert_int_equal(wpa_test_sql_int(p->made->pg, 0, open), 1);
    assert_true(wpa_vouched_unbind(p->made->db, &p->made->mira.actor, "mira", &err));
    assert_int_equal(wpa_test_sql_int(p->made->pg, 0, open), 0);
}

int main(void)
{
    wpa_test_pg_need();
    wpa_oidc_need();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_token_that_was_ended_has_ended_however_it_is_signed,
                                        start, stop),
        cmocka_unit_test_setup_teardown(test_what_a_token_has_opened_ends_with_it, start, stop),
        cmocka_unit_test_setup_teardown(test_who_is_bound_no_more_is_signed_out, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
