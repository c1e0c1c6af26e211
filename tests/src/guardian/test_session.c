#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "auth/token.h"
#include "db/db.h"
#include "guardian/guardian.h"
#include "guardian/session.h"
#include "src/guardian/signed_in.h"

static wpa_code sign_in(fixture *made, const char *name, const wpa_secret *passphrase,
                        wpa_error *err)
{
    wpa_session session;
    *err = (wpa_error){0};
    bool is_good = wpa_session_sign_in(made->db, &made->where, name, passphrase, made->key_path,
                                       NULL, "console", &session, err);
    assert_int_equal(is_good, err->code == WPA_OK);
    return err->code;
}

static void test_first_guardian_is_made_once(void **state)
{
    fixture *made = *state;
    wpa_error err = {0};
    bool exists = false;
    assert_true(wpa_guardian_exists(made->db, &exists, &err));
    assert_true(exists);
    assert_false(wpa_guardian_create_first(made->db, &made->where, "eve", made->right, &err));
    assert_int_equal(err.code, WPA_E_REFUSED);
    assert_int_equal(made->mira.actor.role, WPA_ROLE_GUARDIAN);
    assert_string_equal(made->mira.actor.name, "mira");
    assert_string_equal(made->mira.actor.address, "192.0.2.7");
}

typedef struct racer {
    const char *dsn, *name;
    bool has_won;
} racer;

static void *race(void *context)
{
    racer *self = context;
    wpa_error err = {0};
    wpa_actor where = {.address = "local"};
    WPA_AUTO(wpa_db) *db = wpa_db_open(self->dsn, "race", &err);
    WPA_AUTO(wpa_secret) *passphrase = wpa_secret_new("correct horse", 13);
    self->has_won = db && wpa_guardian_create_first(db, &where, self->name, passphrase, &err);
    return NULL;
}

static void test_of_two_first_guardians_one_wins(void **state)
{
    (void)state;
    wpa_test_pg *pg = wpa_test_pg_new();
    racer racers[] = {{.name = "ann"}, {.name = "bob"}, {.name = "cyd"}};
    pthread_t threads[WPA_COUNT(racers)];
    int n_won = 0;
    for (size_t i = 0; i < WPA_COUNT(racers); i++) {
        racers[i].dsn = wpa_test_pg_dsn(pg);
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (size_t i = 0; i < WPA_COUNT(racers); i++) {
        pthread_join(threads[i], NULL);
        n_won += racers[i].has_won;
    }
    assert_int_equal(n_won, 1);
    wpa_test_pg_free(pg);
}

static void test_names_and_passphrases_are_checked(void **state)
{
    fixture *made = *state;
    static const struct {
        const char *name, *passphrase;
        wpa_role role;
        wpa_code code;
    } cases[] = {
        {"tom", "long enough", WPA_ROLE_VIEWER, WPA_OK},
        {"Tom", "long enough", WPA_ROLE_VIEWER, WPA_E_CONFLICT},
        {"ENGINE", "long enough", WPA_ROLE_GUARDIAN, WPA_E_CONFLICT},
        {"ann", "short", WPA_ROLE_GUARDIAN, WPA_E_INVALID},
        {"", "long enough", WPA_ROLE_GUARDIAN, WPA_E_INVALID},
        {"-x", "long enough", WPA_ROLE_GUARDIAN, WPA_E_INVALID},
        {"a b", "long enough", WPA_ROLE_GUARDIAN, WPA_E_INVALID},
        {"a\033[1m", "long enough", WPA_ROLE_GUARDIAN, WPA_E_INVALID},
        {"bot", "long enough", WPA_ROLE_AGENT, WPA_E_REFUSED},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        wpa_error err = {0};
        WPA_AUTO(wpa_secret) *secret =
            wpa_secret_new(cases[i].passphrase, strlen(cases[i].passphrase));
        bool is_good = wpa_guardian_add(made->db, &made->mira.actor, cases[i].name, cases[i].role,
                                        secret, &err);
        if (err.code != cases[i].code || is_good != (cases[i].code == WPA_OK)) {
            fail_msg("'%s': %s", cases[i].name, err.message);
        }
    }
}

static void test_wrong_passphrases_slow_down(void **state)
{
    fixture *made = *state;
    wpa_error err, other;
    for (int i = 1; i < WPA_SIGN_IN_FREE_TRIES; i++) {
        assert_int_equal(sign_in(made, "mira", made->wrong, &err), WPA_E_DENIED);
        assert_int_equal(sign_in(made, "nobody", made->right, &other), WPA_E_DENIED);
        assert_string_equal(err.message, other.message);
    }
    assert_non_null(strstr(err.message, "1 try left, then a 60 s pause"));
    assert_int_equal(sign_in(made, "mira", made->wrong, &err), WPA_E_DENIED);
    assert_non_null(strstr(err.message, "next try in 60 s"));
    /* Now even the right one has to wait, in every spelling of the name. */
    assert_int_equal(sign_in(made, "MIRA", made->right, &err), WPA_E_DENIED);
    assert_non_null(strstr(err.message, "too many failed tries"));
    wpa_test_sql_int(made->pg, 0,
                     "UPDATE wpa.sign_in_try SET paused_until = now() - interval '1 s' "
                     "RETURNING failed");
    assert_int_equal(sign_in(made, "mira", made->wrong, &err), WPA_E_DENIED);
    assert_non_null(strstr(err.message, "next try in 120 s"));
    wpa_test_sql_int(made->pg, 0,
                     "UPDATE wpa.sign_in_try SET paused_until = now() - interval '1 s' "
                     "RETURNING failed");
    assert_int_equal(sign_in(made, "mira", made->right, &err), WPA_OK);
    assert_int_equal(sign_in(made, "mira", made->wrong, &err), WPA_E_DENIED);
    assert_non_null(strstr(err.message, "4 tries left"));
}

static void test_odd_names_are_nobody(void **state)
{
    fixture *made = *state;
    wpa_error err;
    static const char *const names[] = {"", "a\xff", "engine", "'; DROP TABLE wpa.principal; --"};
    char *huge = malloc(100001);
    assert_non_null(huge);
    memset(huge, 'a', 100000);
    huge[100000] = 0;
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        assert_int_equal(sign_in(made, names[i], made->right, &err), WPA_E_DENIED);
        assert_non_null(strstr(err.message, "4 tries left"));
    }
    assert_int_equal(sign_in(made, huge, made->right, &err), WPA_E_DENIED);
    free(huge);
}

/* To a database that folds more letters than ASCII's, U+212A is a k and U+0130 an i: with them one
   name would have as many spellings as tries are counted under, and its owner would be somebody
   else to himself. */
static void test_a_name_has_no_other_letters(void **state)
{
    fixture *made = *state;
    wpa_error err = {0};
    static const char *const spellings[] = {"\xe2\x84\xaaim", "k\xc4\xb0m"};
    assert_true(
        wpa_guardian_add(made->db, &made->mira.actor, "kim", WPA_ROLE_GUARDIAN, made->right, &err));
    wpa_session kim;
    assert_true(wpa_session_sign_in(made->db, &made->where, "kim", made->right, made->key_path,
                                    NULL, "console", &kim, &err));
    for (size_t i = 0; i < WPA_COUNT(spellings); i++) {
        assert_int_equal(sign_in(made, spellings[i], made->right, &err), WPA_E_DENIED);
        err = (wpa_error){0};
        assert_false(wpa_guardian_set_passphrase(made->db, &kim.actor, spellings[i], NULL,
                                                 made->wrong, kim.jti, &err));
        assert_int_equal(err.code, WPA_E_NOT_FOUND);
    }
    assert_int_equal(sign_in(made, "kim", made->right, &err), WPA_OK);
}

/* What a name field of strangers may hold counts for no other tries than sign-ins. */
static void test_strangers_count_for_sign_ins_alone(void **state)
{
    fixture *made = *state;
    wpa_error err = {0};
    for (int i = 0; i < WPA_SIGN_IN_FREE_TRIES; i++) {
        assert_int_equal(sign_in(made, "passphrase:mira", made->wrong, &err), WPA_E_DENIED);
    }
    err = (wpa_error){0};
    assert_true(wpa_session_prove(made->db, &made->mira.actor, made->right, &err));
}

static void test_audit_tells_who_but_no_secret(void **state)
{
    fixture *made = *state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err;
    assert_int_equal(sign_in(made, "mira", made->wrong, &err), WPA_E_DENIED);
    assert_int_equal(sign_in(made, "hunter2 in the wrong field", made->wrong, &err), WPA_E_DENIED);
    const char *lines = wpa_test_sql_value(
        made->pg, 0, arena,
        "SELECT string_agg(actor || ' ' || action || ' ' || subject || ' ' || detail, E'\\n' "
        "ORDER BY seq) FROM wpa.audit");
    assert_non_null(strstr(lines, "session.opened principal:"));
    assert_non_null(
        strstr(lines, "? session.refused principal:unknown {\"address\":\"192.0.2.7\","));
    assert_non_null(strstr(lines, "credential.changed"));
    assert_null(strstr(lines, "hunter2"));
    assert_null(strstr(lines, "battery"));
    assert_null(strstr(lines, "argon2"));
}

static void test_disabled_people_are_out_at_once(void **state)
{
    fixture *made = *state;
    wpa_error err = {0};
    wpa_session tom;
    assert_true(
        wpa_guardian_add(made->db, &made->mira.actor, "tom", WPA_ROLE_VIEWER, made->right, &err));
    assert_true(wpa_session_sign_in(made->db, &made->where, "tom", made->right, made->key_path,
                                    NULL, "console", &tom, &err));
    assert_false(wpa_guardian_set_active(made->db, &tom.actor, "mira", false, &err));
    assert_int_equal(err.code, WPA_E_DENIED);
    assert_true(wpa_session_check(made->db, &tom, &err));
    assert_true(wpa_guardian_set_active(made->db, &made->mira.actor, "TOM", false, &err));
    assert_false(wpa_session_check(made->db, &tom, &err));
    assert_int_equal(err.code, WPA_E_DENIED);
    assert_int_equal(sign_in(made, "tom", made->right, &err), WPA_E_DENIED);
    assert_non_null(strstr(err.message, "wrong name, passphrase or code"));
    assert_true(wpa_guardian_set_active(made->db, &made->mira.actor, "tom", true, &err));
    assert_int_equal(sign_in(made, "tom", made->right, &err), WPA_OK);
    static const struct {
        const char *name;
        wpa_code code;
    } refused[] = {{"mira", WPA_E_REFUSED}, {"engine", WPA_E_REFUSED}, {"zoe", WPA_E_NOT_FOUND}};
    for (size_t i = 0; i < WPA_COUNT(refused); i++) {
        assert_false(
            wpa_guardian_set_active(made->db, &made->mira.actor, refused[i].name, false, &err));
        assert_int_equal(err.code, refused[i].code);
    }
}

/* A token that only looks, as a viewer, is its maker's all the same: it stands no longer than he
 * does. */
static void test_disabled_people_leave_no_tokens(void **state)
{
    fixture *made = *state;
    wpa_error err = {0};
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_actor zoe = wpa_test_person(made->pg, "zoe", WPA_ROLE_GUARDIAN);
    wpa_actor wall = wpa_test_person(made->pg, "wall", WPA_ROLE_VIEWER);
    static const char found[] =
        "SELECT concat_ws(' ', (SELECT count(*) FROM wpa.api_token_find(sha256('a')) WHERE name = "
        "'wall'), (SELECT item->>'is_valid' FROM wpa.v_api_token))";
    const char *make = wpa_arena_printf(
        arena,
        "INSERT INTO wpa.api_token (name, principal_id, made_by, hash, scopes, expires_at) VALUES "
        "('hall', %lld, %lld, sha256('a'), '{read}', now() + interval '1 day')",
        (long long)wall.principal_id, (long long)zoe.principal_id);
    assert_string_equal(wpa_test_sql(made->pg, "wpa_api", zoe.principal_id, make), "00000");
    assert_string_equal(wpa_test_sql_value(made->pg, 0, arena, found), "1 true");
    assert_true(wpa_guardian_set_active(made->db, &made->mira.actor, "zoe", false, &err));
    assert_string_equal(wpa_test_sql_value(made->pg, 0, arena, found), "0 false");
    assert_true(wpa_guardian_set_active(made->db, &made->mira.actor, "zoe", true, &err));
    assert_true(wpa_guardian_set_active(made->db, &made->mira.actor, "wall", false, &err));
    assert_string_equal(wpa_test_sql_value(made->pg, 0, arena, found), "0 false");
}

static void test_new_passphrase_ends_other_sessions(void **state)
{
    fixture *made = *state;
    wpa_error err = {0};
    wpa_session second;
    assert_true(wpa_session_sign_in(made->db, &made->where, "mira", made->right, made->key_path,
                                    NULL, "api", &second, &err));
    const wpa_secret *const bad[] = {NULL, made->wrong};
    for (size_t i = 0; i < WPA_COUNT(bad); i++) {
        assert_false(wpa_guardian_set_passphrase(made->db, &made->mira.actor, "Mira", bad[i],
                                                 made->wrong, made->mira.jti, &err));
        assert_int_equal(err.code, WPA_E_DENIED);
        wpa_error_clear(&err);
    }
    assert_true(wpa_session_check(made->db, &second, &err));
    assert_true(wpa_guardian_set_passphrase(made->db, &made->mira.actor, "mira", made->right,
                                            made->wrong, made->mira.jti, &err));
    assert_true(wpa_session_check(made->db, &made->mira, &err));
    assert_false(wpa_session_check(made->db, &second, &err));
    assert_int_equal(sign_in(made, "mira", made->right, &err), WPA_E_DENIED);
    assert_int_equal(sign_in(made, "mira", made->wrong, &err), WPA_OK);
}

static void test_viewers_change_only_their_own(void **state)
{
    fixture *made = *state;
    wpa_error err = {0};
    wpa_session tom;
    assert_true(
        wpa_guardian_add(made->db, &made->mira.actor, "tom", WPA_ROLE_VIEWER, made->right, &err));
    assert_true(wpa_session_sign_in(made->db, &made->where, "tom", made->right, made->key_path,
                                    NULL, "console", &tom, &err));
    assert_true(wpa_guardian_set_passphrase(made->db, &tom.actor, "tom", made->right, made->wrong,
                                            tom.jti, &err));
    assert_false(wpa_guardian_set_passphrase(made->db, &tom.actor, "mira", made->wrong, made->right,
                                             NULL, &err));
    assert_int_equal(err.code, WPA_E_DENIED);
    assert_false(
        wpa_guardian_add(made->db, &tom.actor, "eve", WPA_ROLE_GUARDIAN, made->right, &err));
    assert_int_equal(err.code, WPA_E_DENIED);
}

static void test_tokens_name_sessions(void **state)
{
    fixture *made = *state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    char *folder = wpa_dir_temp("/tmp/wpa-session-", arena, &err);
    WPA_AUTO(wpa_token_keys) *keys =
        wpa_token_keys_open(wpa_path_join(arena, folder, "keys"), &err);
    assert_non_null(keys);
    char *token = wpa_session_token(keys, &made->mira, arena, &err);
    wpa_session resumed;
    assert_true(wpa_session_resume(made->db, keys, token, &made->where, NULL, &resumed, &err));
    assert_int_equal(resumed.actor.principal_id, made->mira.actor.principal_id);
    assert_int_equal(resumed.actor.role, WPA_ROLE_GUARDIAN);
    assert_string_equal(resumed.actor.address, "192.0.2.7");
    assert_true(wpa_session_end(made->db, &resumed, &err));
    assert_true(wpa_session_end(made->db, &resumed, &err));
    assert_false(wpa_session_resume(made->db, keys, token, &made->where, NULL, &resumed, &err));
    assert_int_equal(err.code, WPA_E_DENIED);
    assert_string_equal(err.message, "the token is not valid; sign in again");
    assert_int_equal(resumed.actor.principal_id, 0);
    assert_true(wpa_dir_remove(folder, &err));
}

static void test_looking_needs_no_passphrase_unless_forbidden(void **state)
{
    fixture *made = *state;
    wpa_error err = {0};
    wpa_session first, second;
    assert_true(wpa_session_open_read_only(made->db, &made->where, &first, &err));
    assert_true(wpa_session_open_read_only(made->db, &made->where, &second, &err));
    assert_int_equal(first.actor.role, WPA_ROLE_VIEWER);
    assert_int_equal(first.actor.principal_id, second.actor.principal_id);
    assert_int_equal(sign_in(made, "viewer", made->right, &err), WPA_E_DENIED);
    assert_true(wpa_guardian_set_active(made->db, &made->mira.actor, "viewer", false, &err));
    assert_false(wpa_session_open_read_only(made->db, &made->where, &first, &err));
    assert_int_equal(err.code, WPA_E_DENIED);
    assert_false(wpa_session_check(made->db, &second, &err));
}

static void test_everybody_is_listed(void **state)
{
    fixture *made = *state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    size_t n = 0;
    wpa_principal *all = wpa_guardian_list(made->db, arena, &n, &err);
    assert_non_null(all);
    assert_int_equal(n, 2);
    assert_string_equal(all[0].name, "engine");
    assert_int_equal(all[0].role, WPA_ROLE_AGENT);
    assert_string_equal(all[1].name, "mira");
    assert_int_equal(all[1].n_sessions, 1);
    assert_true(all[1].last_sign_in_at_us > 0);
}

/* What the program asks before somebody is bound to a provider's account, the database asks too. */
static void test_who_is_whose_account_is_guarded(void **state)
{
    fixture *made = *state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_actor tom = wpa_test_person(made->pg, "tom", WPA_ROLE_VIEWER);
    wpa_actor nia = wpa_test_person(made->pg, "nia", WPA_ROLE_VIEWER);
    int64_t mira_id = made->mira.actor.principal_id;
    wpa_error err = {0};
    assert_true(wpa_guardian_set_passphrase(made->db, &made->mira.actor, "tom", NULL, made->wrong,
                                            NULL, &err));
    const struct {
        int64_t actor, bound;
        const char *state;
    } rows[] = {{tom.principal_id, tom.principal_id, "42501"}, /* he has a passphrase */
                {nia.principal_id, tom.principal_id, "42501"},
                {nia.principal_id, nia.principal_id, "00000"},
                {mira_id, tom.principal_id, "00000"},
                {0, mira_id, "42501"},
                {mira_id, mira_id, "00000"}};
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        const char *sql = wpa_arena_printf(arena,
                                           "INSERT INTO wpa.principal_subject (issuer, subject, "
                                           "principal_id) VALUES ('https://x', 's%zu', %lld)",
                                           i, (long long)rows[i].bound);
        if (!wpa_text_is(wpa_test_sql(made->pg, "wpa_api", rows[i].actor, sql), rows[i].state)) {
            fail_msg("row %zu: %s", i, wpa_test_sql_message(made->pg));
        }
    }
}

static void test_sessions_of_software_are_short_and_end_in_a_row(void **state)
{
    fixture *made = *state;
    wpa_error err = {0};
    wpa_session first, second;
    assert_true(wpa_session_sign_in(made->db, &made->where, "mira", made->right, made->key_path,
                                    NULL, "api", &first, &err));
    int64_t left_s = (first.expires_at_us - wpa_now_us()) / 1000000;
    assert_in_range(left_s, WPA_SESSION_API_SECONDS - 60, WPA_SESSION_API_SECONDS);
    wpa_test_sql_int(made->pg, 0,
                     "UPDATE wpa.session SET began_at = now() - interval '11 hours 50 minutes' "
                     "WHERE kind = 'api' RETURNING 1");
    assert_true(wpa_session_renew(made->db, &first, &second, &err));
    left_s = (second.expires_at_us - wpa_now_us()) / 1000000;
    assert_in_range(left_s, 540, 600);
    assert_false(wpa_session_check(made->db, &first, &err));
    wpa_error_clear(&err);
    wpa_test_sql_int(made->pg, 0,
                     "UPDATE wpa.session SET began_at = now() - interval '12 hours' "
                     "WHERE kind = 'api' AND ended_at IS NULL RETURNING 1");
    assert_false(wpa_session_renew(made->db, &second, &first, &err));
    assert_int_equal(err.code, WPA_E_DENIED);
}

static void test_a_viewer_ends_only_his_own_sessions(void **state)
{
    fixture *made = *state;
    wpa_error err = {0};
    wpa_session tom;
    assert_true(
        wpa_guardian_add(made->db, &made->mira.actor, "tom", WPA_ROLE_VIEWER, made->right, &err));
    assert_true(wpa_session_sign_in(made->db, &made->where, "tom", made->right, made->key_path,
                                    NULL, "console", &tom, &err));
    assert_false(wpa_session_revoke(made->db, &tom.actor, made->mira.jti, &err));
    assert_int_equal(err.code, WPA_E_DENIED);
    wpa_error_clear(&err);
    assert_true(wpa_session_check(made->db, &made->mira, &err));
    assert_false(wpa_session_revoke(made->db, NULL, tom.jti, &err));
    assert_int_equal(err.code, WPA_E_DENIED);
    wpa_error_clear(&err);
    assert_true(wpa_session_revoke(made->db, &tom.actor, tom.jti, &err));
    assert_false(wpa_session_check(made->db, &tom, &err));
    wpa_error_clear(&err);
    assert_false(wpa_session_revoke(made->db, &made->mira.actor, tom.jti, &err));
    assert_int_equal(err.code, WPA_E_NOT_FOUND);
}

static void test_place_comes_from_the_environment(void **state)
{
    (void)state;
    wpa_actor where = {.principal_id = 7};
    assert_int_equal(setenv("SSH_CONNECTION", "198.51.100.4 50022 10.0.0.1 22", 1), 0);
    assert_int_equal(setenv("TERM", "tmux-256color", 1), 0);
    wpa_session_locate(&where);
    assert_string_equal(where.address, "198.51.100.4");
    assert_true(wpa_text_ends(where.user_agent, "tmux-256color"));
    assert_int_equal(where.principal_id, 7);
    assert_int_equal(unsetenv("SSH_CONNECTION"), 0);
    wpa_session_locate(&where);
    assert_string_equal(where.address, "local");
}

int main(void)
{
    wpa_test_pg_need();
    const struct CMUnitTest tests[] = {
        CASE(test_first_guardian_is_made_once),
        cmocka_unit_test(test_of_two_first_guardians_one_wins),
        CASE(test_names_and_passphrases_are_checked),
        CASE(test_wrong_passphrases_slow_down),
        CASE(test_odd_names_are_nobody),
        CASE(test_a_name_has_no_other_letters),
        CASE(test_strangers_count_for_sign_ins_alone),
        CASE(test_audit_tells_who_but_no_secret),
        CASE(test_disabled_people_are_out_at_once),
        CASE(test_disabled_people_leave_no_tokens),
        CASE(test_new_passphrase_ends_other_sessions),
        CASE(test_viewers_change_only_their_own),
        CASE(test_tokens_name_sessions),
        CASE(test_looking_needs_no_passphrase_unless_forbidden),
        CASE(test_everybody_is_listed),
        CASE(test_who_is_whose_account_is_guarded),
        CASE(test_sessions_of_software_are_short_and_end_in_a_row),
        CASE(test_a_viewer_ends_only_his_own_sessions),
        cmocka_unit_test(test_place_comes_from_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
