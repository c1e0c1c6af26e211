/* One-time codes: when they are asked for, how often one is good, how their secrets are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "auth/otp.h"
#include "guardian/code.h"
#include "src/guardian/signed_in.h"

static wpa_code code_sign_in(fixture *made, const char *code, wpa_session *session, wpa_error *err)
{
    *err = (wpa_error){0};
    (void)!wpa_session_sign_in(made->db, &made->where, "mira", made->right, made->key_path, code,
                               "console", session, err);
    return err->code;
}

static int64_t second_now(void)
{
    return wpa_now_us() / 1000000;
}

/* As the database keeps it. */
static const char *hex_secret(fixture *made, wpa_arena *arena)
{
    return wpa_test_sql_value(made->pg, 0, arena,
                              "SELECT encode(secret, 'hex') FROM wpa.one_time_code");
}

static const char *code_of_hex(const char *hex, int64_t now_s, wpa_arena *arena)
{
    uint8_t bytes[WPA_OTP_SECRET_BYTES];
    assert_true(wpa_hex_decode(hex, bytes, sizeof bytes));
    WPA_AUTO(wpa_secret) *secret = wpa_secret_new(bytes, sizeof bytes);
    return wpa_otp_code(secret, now_s / WPA_OTP_STEP_SECONDS, wpa_arena_alloc(arena, 8));
}

/* The code of a moment. */
static const char *code_at(fixture *made, int64_t now_s, wpa_arena *arena)
{
    return code_of_hex(hex_secret(made, arena), now_s, arena);
}

/* The code of a moment by the secret as it was shown: base32. */
static const char *code_of(const char *shown, int64_t now_s, wpa_arena *arena)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint8_t bytes[WPA_OTP_SECRET_BYTES] = {0};
    for (size_t i = 0; i < 8 * sizeof bytes; i++) {
        size_t digit = (size_t)(strchr(digits, shown[i / 5]) - digits);
        bytes[i / 8] |= (uint8_t)((digit >> (4 - i % 5) & 1) << (7 - i % 8));
    }
    WPA_AUTO(wpa_secret) *secret = wpa_secret_new(bytes, sizeof bytes);
    return wpa_otp_code(secret, now_s / WPA_OTP_STEP_SECONDS, wpa_arena_alloc(arena, 8));
}

/* Uses up the code of the step before the present one: a moment that is taken afterwards has one
 * that is not used, however long all this takes. */
static void switch_on(fixture *made, wpa_arena *arena, const char **recovery)
{
    wpa_error err = {0};
    wpa_code_secret shown;
    int64_t now_s = second_now();
    assert_true(wpa_code_enrol(made->db, made->key_path, &made->mira.actor, made->right, arena,
                               &shown, &err));
    assert_true(wpa_text_starts(shown.uri, "otpauth://totp/wpa:mira?secret="));
    assert_non_null(strstr(shown.uri, shown.secret));
    assert_true(wpa_code_confirm(made->db, made->key_path, &made->mira.actor,
                                 code_at(made, now_s - 30, arena), now_s, arena, recovery, &err));
}

/* A session alone must not be enough to lock its owner out. */
static void test_codes_begin_with_the_passphrase(void **state)
{
    fixture *made = *state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_code_secret shown;
    wpa_session session;
    static const char other[] = "somebody else's words";
    WPA_AUTO(wpa_secret) *wrong = wpa_secret_new(other, strlen(other));
    wpa_error err = {0};
    for (int i = 0; i < WPA_SIGN_IN_FREE_TRIES; i++) {
        assert_false(wpa_code_enrol(made->db, made->key_path, &made->mira.actor, wrong, arena,
                                    &shown, &err));
        assert_int_equal(err.code, WPA_E_DENIED);
        assert_string_equal(err.message, "wrong passphrase");
        wpa_error_clear(&err);
    }
    assert_false(wpa_code_enrol(made->db, made->key_path, &made->mira.actor, made->right, arena,
                                &shown, &err));
    assert_non_null(strstr(err.message, "too many failed tries"));
    assert_string_equal(
        wpa_test_sql_value(made->pg, 0, arena, "SELECT count(*) FROM wpa.one_time_code"), "0");
    /* Its owner is not kept from signing in meanwhile. */
    assert_int_equal(code_sign_in(made, NULL, &session, &err), WPA_OK);
    /* Beside no passphrase there would be nothing for a code to stand. */
    (void)wpa_test_sql_value(made->pg, 0, arena,
                             "INSERT INTO wpa.principal (name, role) VALUES ('nia', 'guardian') "
                             "RETURNING 1");
    wpa_actor nia = made->mira.actor;
    (void)wpa_text_copy(nia.name, sizeof nia.name, "nia");
    wpa_error_clear(&err);
    assert_false(wpa_code_enrol(made->db, made->key_path, &nia, made->right, arena, &shown, &err));
    assert_int_equal(err.code, WPA_E_REFUSED);
}

static void test_codes_are_asked_for_once_they_are_confirmed(void **state)
{
    fixture *made = *state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *recovery[WPA_CODE_RECOVERY_COUNT];
    wpa_error err = {0};
    wpa_session session;
    wpa_code_secret shown;
    assert_true(wpa_code_enrol(made->db, made->key_path, &made->mira.actor, made->right, arena,
                               &shown, &err));
    assert_int_equal(code_sign_in(made, NULL, &session, &err), WPA_OK);
    assert_false(wpa_code_confirm(made->db, made->key_path, &made->mira.actor, "000000", 30, arena,
                                  recovery, &err));
    assert_int_equal(err.code, WPA_E_DENIED);
    switch_on(made, arena, recovery);
    wpa_error_clear(&err);
    assert_false(wpa_code_enrol(made->db, made->key_path, &made->mira.actor, made->right, arena,
                                &shown, &err));
    assert_int_equal(err.code, WPA_E_REFUSED);
    assert_int_equal(code_sign_in(made, NULL, &session, &err), WPA_E_DENIED);
    assert_true(session.needs_code);
    assert_non_null(strstr(err.message, "one-time code"));
    assert_int_equal(code_sign_in(made, "", &session, &err), WPA_E_DENIED);
    assert_true(session.needs_code);
    int64_t now_s = second_now();
    const char *code = code_at(made, now_s, arena);
    assert_int_equal(code_sign_in(made, code, &session, &err), WPA_OK);
    assert_int_equal(code_sign_in(made, code, &session, &err), WPA_E_DENIED); /* used */
    assert_false(session.needs_code);
    assert_non_null(strstr(err.message, "wrong name, passphrase or code"));
    /* Nor does an earlier one count behind it, or a wrong passphrase tell that it was right. */
    assert_int_equal(code_sign_in(made, code_at(made, now_s - 30, arena), &session, &err),
                     WPA_E_DENIED);
    wpa_error other = {0};
    assert_false(wpa_session_sign_in(made->db, &made->where, "mira", made->wrong, made->key_path,
                                     NULL, "console", &session, &other));
    assert_false(session.needs_code);
}

/* Nor is it enough to find a first code by trying, and to get the recovery codes that come with it.
 */
static void test_a_first_code_is_not_found_by_trying(void **state)
{
    fixture *made = *state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *recovery[WPA_CODE_RECOVERY_COUNT];
    wpa_error err = {0};
    wpa_code_secret shown;
    wpa_session session;
    int64_t now_s = second_now();
    assert_true(wpa_code_enrol(made->db, made->key_path, &made->mira.actor, made->right, arena,
                               &shown, &err));
    const char *code = code_at(made, now_s, arena);
    for (int i = 0; i < WPA_SIGN_IN_FREE_TRIES; i++) {
        wpa_error_clear(&err);
        assert_false(wpa_code_confirm(made->db, made->key_path, &made->mira.actor, "AAAAAA", now_s,
                                      arena, recovery, &err));
        assert_non_null(strstr(err.message, "wrong code"));
    }
    wpa_error_clear(&err);
    assert_false(wpa_code_confirm(made->db, made->key_path, &made->mira.actor, code, now_s, arena,
                                  recovery, &err));
    assert_non_null(strstr(err.message, "too many failed tries"));
    assert_int_equal(code_sign_in(made, NULL, &session, &err), WPA_OK);
    wpa_test_sql_int(made->pg, 0,
                     "UPDATE wpa.sign_in_try SET paused_until = now() - interval '1 s' "
                     "RETURNING failed");
    assert_true(wpa_code_confirm(made->db, made->key_path, &made->mira.actor, code, now_s, arena,
                                 recovery, &err));
    /* It was right: what was tried before counts no more. */
    assert_int_equal(
        wpa_test_sql_int(made->pg, 0, "SELECT count(*) FROM wpa.sign_in_try WHERE failed > 1"), 0);
}

static void test_recovery_codes_are_good_once(void **state)
{
    fixture *made = *state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *recovery[WPA_CODE_RECOVERY_COUNT];
    wpa_error err = {0};
    wpa_session session;
    switch_on(made, arena, recovery);
    assert_int_equal(code_sign_in(made, recovery[3], &session, &err), WPA_OK);
    assert_int_equal(code_sign_in(made, recovery[3], &session, &err), WPA_E_DENIED);
    char *typed = wpa_arena_text(arena, recovery[4]);
    for (char *at = typed; *at; at++) {
        *at = *at == '-' ? ' ' : (char)(*at | (*at >= 'A' ? 0x20 : 0));
    }
    assert_int_equal(code_sign_in(made, typed, &session, &err), WPA_OK);
    assert_int_equal(code_sign_in(made, "AAAA-AAAA-AAAA-AAAA", &session, &err), WPA_E_DENIED);
    assert_string_equal(
        wpa_test_sql_value(made->pg, 0, arena,
                           "SELECT string_agg(detail::jsonb->>'left', ' ' ORDER BY seq) FROM "
                           "wpa.audit WHERE action = 'code.recovery_used'"),
        "9 8");
    assert_string_equal(wpa_test_sql_value(made->pg, 0, arena,
                                           wpa_arena_printf(arena,
                                                            "SELECT count(*) FROM wpa.audit WHERE "
                                                            "detail LIKE '%%%.9s%%'",
                                                            recovery[3])),
                        "0");
}

static void test_codes_are_switched_off_by_their_owner_or_a_guardian(void **state)
{
    fixture *made = *state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *recovery[WPA_CODE_RECOVERY_COUNT];
    wpa_error err = {0};
    wpa_session tom, session;
    int64_t now_s = second_now();
    switch_on(made, arena, recovery);
    assert_true(
        wpa_guardian_add(made->db, &made->mira.actor, "tom", WPA_ROLE_VIEWER, made->right, &err));
    assert_true(wpa_session_sign_in(made->db, &made->where, "tom", made->right, made->key_path,
                                    NULL, "console", &tom, &err));
    assert_false(wpa_code_remove(made->db, made->key_path, &tom.actor, "mira", NULL, now_s, &err));
    assert_int_equal(err.code, WPA_E_DENIED);
    static const char *const wrong[] = {NULL, "", "000000", "AAAA-AAAA-AAAA-AAAA"};
    for (size_t i = 0; i < WPA_COUNT(wrong); i++) {
        wpa_error_clear(&err);
        assert_false(wpa_code_remove(made->db, made->key_path, &made->mira.actor, NULL, wrong[i],
                                     now_s, &err));
        assert_int_equal(err.code, WPA_E_DENIED);
    }
    /* Not even the right one after so many, while the pause lasts. */
    wpa_error_clear(&err);
    assert_false(
        wpa_code_remove(made->db, made->key_path, &made->mira.actor, NULL, "000000", now_s, &err));
    wpa_error_clear(&err);
    assert_false(wpa_code_remove(made->db, made->key_path, &made->mira.actor, NULL, recovery[0],
                                 now_s, &err));
    assert_non_null(strstr(err.message, "too many failed tries"));
    wpa_error_clear(&err);
    wpa_test_sql_int(made->pg, 0,
                     "UPDATE wpa.sign_in_try SET paused_until = now() - interval '1 s' "
                     "RETURNING failed");
    assert_true(wpa_code_remove(made->db, made->key_path, &made->mira.actor, "MIRA", recovery[0],
                                now_s, &err));
    assert_int_equal(code_sign_in(made, NULL, &session, &err), WPA_OK);
    wpa_error_clear(&err);
    assert_false(
        wpa_code_remove(made->db, made->key_path, &made->mira.actor, NULL, NULL, now_s, &err));
    assert_int_equal(err.code, WPA_E_REFUSED);
    switch_on(made, arena, recovery);
    assert_true(
        wpa_guardian_add(made->db, &made->mira.actor, "zoe", WPA_ROLE_GUARDIAN, made->right, &err));
    assert_true(wpa_session_sign_in(made->db, &made->where, "zoe", made->right, made->key_path,
                                    NULL, "console", &tom, &err));
    assert_true(wpa_code_remove(made->db, made->key_path, &tom.actor, "mira", NULL, now_s, &err));
    assert_int_equal(code_sign_in(made, NULL, &session, &err), WPA_OK);
}

static void test_the_secret_is_read_by_the_sign_in_alone(void **state)
{
    fixture *made = *state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *recovery[WPA_CODE_RECOVERY_COUNT];
    switch_on(made, arena, recovery);
    static const struct {
        const char *role, *sql, *state;
    } rows[] = {
        {"wpa_viewer", "SELECT secret FROM wpa.one_time_code", "42501"},
        {"wpa_agent", "SELECT secret FROM wpa.one_time_code", "42501"},
        {"wpa_api", "SELECT secret FROM wpa.one_time_code", "42501"},
        {"wpa_api", "SELECT hash FROM wpa.recovery_code", "42501"},
        {"wpa_api", "UPDATE wpa.one_time_code SET last_step = 0", "42501"},
        {"wpa_api", "DELETE FROM wpa.one_time_code", "42501"},
        {"wpa_viewer", "SELECT wpa.code_secret(2)", "42501"},
        {"wpa_agent", "SELECT wpa.code_secret(2)", "42501"},
        {"wpa_viewer", "SELECT wpa.code_remove(2)", "42501"},
        {"wpa_agent", "SELECT wpa.code_use(2, 1)", "42501"},
        {"wpa_viewer", "SELECT principal_id FROM wpa.v_code", "00000"},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        assert_string_equal(wpa_test_sql(made->pg, rows[i].role, 0, rows[i].sql), rows[i].state);
    }
}

/* ---- secrets that are sealed ---- */

static const char *kept_secret(fixture *made, wpa_arena *arena)
{
    return wpa_test_sql_value(made->pg, 0, arena,
                              "SELECT concat_ws(' ', sealed, octet_length(secret)) FROM "
                              "wpa.one_time_code");
}

static void test_secrets_of_codes_lie_sealed(void **state)
{
    fixture *made = *state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    wpa_session session;
    wpa_code_secret shown;
    const char *recovery[WPA_CODE_RECOVERY_COUNT];
    int64_t now_s = second_now();
    char *folder = wpa_dir_temp("/tmp/wpa-codes-", arena, &err);
    made->key_path = wpa_path_join(arena, folder, "codes.key");
    const char *there = made->key_path, *other = wpa_path_join(arena, folder, "other.key");
    assert_true(wpa_seal_make_key(there, &err) && wpa_seal_make_key(other, &err));
    assert_true(
        wpa_code_enrol(made->db, there, &made->mira.actor, made->right, arena, &shown, &err));
    assert_string_equal(kept_secret(made, arena), "t 60");
    const char *first = code_of(shown.secret, now_s - 30, arena);
    assert_false(
        wpa_code_confirm(made->db, other, &made->mira.actor, first, now_s, arena, recovery, &err));
    assert_int_equal(err.code, WPA_E_INVALID);
    wpa_error_clear(&err);
    assert_true(
        wpa_code_confirm(made->db, there, &made->mira.actor, first, now_s, arena, recovery, &err));
    /* Without the key, or with another, it is asked for, and only paper takes its place. */
    static const char present[] = "of this moment";
    const struct {
        const char *key_path, *code;
        wpa_code state;
    } rows[] = {{NULL, NULL, WPA_E_DENIED},      {NULL, present, WPA_E_UNAVAILABLE},
                {other, present, WPA_E_INVALID}, {NULL, recovery[0], WPA_OK},
                {other, recovery[1], WPA_OK},    {there, present, WPA_OK}};
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        const char *code =
            rows[i].code == present ? code_of(shown.secret, second_now(), arena) : rows[i].code;
        made->key_path = rows[i].key_path;
        if (code_sign_in(made, code, &session, &err) != rows[i].state) {
            fail_msg("row %zu: %s", i, err.message);
        }
    }
    assert_string_equal(kept_secret(made, arena), "t 60");
    assert_true(wpa_dir_remove(folder, &err));
}

static void test_secrets_from_before_are_sealed_when_they_are_used(void **state)
{
    fixture *made = *state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    wpa_session session;
    const char *recovery[WPA_CODE_RECOVERY_COUNT];
    char *folder = wpa_dir_temp("/tmp/wpa-codes-", arena, &err);
    switch_on(made, arena, recovery);
    assert_string_equal(kept_secret(made, arena), "f 20");
    const char *hex = hex_secret(made, arena);
    made->key_path = wpa_path_join(arena, folder, "codes.key");
    assert_true(wpa_seal_make_key(made->key_path, &err));
    assert_int_equal(code_sign_in(made, "000000", &session, &err), WPA_E_DENIED);
    assert_string_equal(kept_secret(made, arena), "f 20");
    int64_t used_s = second_now();
    assert_int_equal(code_sign_in(made, code_of_hex(hex, used_s, arena), &session, &err), WPA_OK);
    assert_string_equal(kept_secret(made, arena), "t 60");
    int64_t now_s = second_now(), next_s = used_s + WPA_OTP_STEP_SECONDS;
    next_s = now_s > next_s ? now_s : next_s;
    const char *next = code_of_hex(hex, next_s, arena);
    assert_int_equal(code_sign_in(made, next, &session, &err), WPA_OK);
    /* It is sealed as hers: as anybody else's it does not open. */
    wpa_actor tom = wpa_test_person(made->pg, "tom", WPA_ROLE_VIEWER);
    (void)wpa_test_sql_value(
        made->pg, 0, arena,
        wpa_arena_printf(arena,
                         "INSERT INTO wpa.one_time_code (principal_id, secret, sealed, "
                         "confirmed_at) SELECT %lld, secret, sealed, confirmed_at FROM "
                         "wpa.one_time_code RETURNING 1",
                         (long long)tom.principal_id));
    wpa_code_proof proof;
    wpa_error_clear(&err);
    assert_false(
        wpa_code_check(made->db, made->key_path, tom.principal_id, next, next_s, &proof, &err));
    assert_int_equal(err.code, WPA_E_INVALID);
    assert_true(wpa_dir_remove(folder, &err));
}

int main(void)
{
    wpa_test_pg_need();
    const struct CMUnitTest tests[] = {
        CASE(test_secrets_of_codes_lie_sealed),
        CASE(test_secrets_from_before_are_sealed_when_they_are_used),
        CASE(test_codes_begin_with_the_passphrase),
        CASE(test_codes_are_asked_for_once_they_are_confirmed),
        CASE(test_a_first_code_is_not_found_by_trying),
        CASE(test_recovery_codes_are_good_once),
        CASE(test_codes_are_switched_off_by_their_owner_or_a_guardian),
        CASE(test_the_secret_is_read_by_the_sign_in_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
