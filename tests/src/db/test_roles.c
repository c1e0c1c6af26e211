/*
 * Roles are checked by the database as well. The role of the wall can change nothing at all, by no
 * statement and no function; and the process that answers for people cannot change anything in a
 * viewer's name, or in nobody's. Tables, sequences and functions are those of the schema, so that a
 * new one is tried without being named here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "db/db.h"
#include "harness/pg.h"

#define DENIED "42501"

typedef struct world {
    wpa_test_pg *pg;
    wpa_arena *arena;
    int64_t mira, tom; /* a guardian and a viewer */
} world;

static int set_up(void **state)
{
    world *w = calloc(1, sizeof *w);
    w->pg = wpa_test_pg_new();
    w->arena = wpa_arena_new();
    w->mira = wpa_test_person(w->pg, "mira", WPA_ROLE_GUARDIAN).principal_id;
    w->tom = wpa_test_person(w->pg, "tom", WPA_ROLE_VIEWER).principal_id;
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world *w = *state;
    wpa_test_pg_free(w->pg);
    wpa_arena_free(w->arena);
    free(w);
    return 0;
}

static void is_state(world *w, const char *role, int64_t actor, const char *wanted, const char *sql)
{
    const char *state = wpa_test_sql(w->pg, role, actor, sql);
    if (strcmp(state, wanted) != 0) {
        fail_msg("as %s: %s\n%s instead of %s: %s", role, sql, state, wanted,
                 wpa_test_sql_message(w->pg));
    }
}

/* Lines that a query gives, one by one: NULL at the end. The text is cut in place. */
static char *next_line(char **rest)
{
    char *line = *rest;
    if (!line || !*line) {
        return NULL;
    }
    char *end = strchr(line, '\n');
    *rest = end ? end + 1 : NULL;
    if (end) {
        *end = '\0';
    }
    return line;
}

static char *lines_of(world *w, const char *sql)
{
    return wpa_arena_text(w->arena, wpa_test_sql_value(w->pg, 0, w->arena, sql));
}

/* Of each table: an insertion, a change of a column to itself, a deletion, and emptying it. */
static const char writes[] =
    "SELECT string_agg(format(E'INSERT INTO wpa.%I OVERRIDING SYSTEM VALUE SELECT (NULL::wpa.%I).* "
    "WHERE false\\nUPDATE wpa.%I SET %I = %I WHERE false\\nDELETE FROM wpa.%I WHERE "
    "false\\nTRUNCATE wpa.%I', c.relname, c.relname, c.relname, a.attname, a.attname, c.relname, "
    "c.relname), E'\\n') FROM pg_class c JOIN LATERAL (SELECT attname FROM pg_attribute WHERE "
    "attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = "
    "'' ORDER BY attnum LIMIT 1) a ON true WHERE c.relnamespace = 'wpa'::regnamespace AND "
    "c.relkind "
    "IN ('r', 'p')";

static void a_viewer_connection_changes_nothing(void **state)
{
    world *w = *state;
    size_t n = 0;
    char *rest = lines_of(w, writes);
    for (char *line; (line = next_line(&rest)); n++) {
        /* A generated column refuses an insertion before rights are asked for. */
        if (!wpa_text_starts(line, "INSERT INTO wpa.finding ")) {
            is_state(w, "wpa_viewer", w->mira, DENIED, line);
        }
    }
    assert_true(n > 100);
    static const char *const more[] = {
        "INSERT INTO wpa.finding (rule) VALUES ('x')",
        "CREATE TABLE wpa.mine (a int)",
        "CREATE TABLE public.mine (a int)",
        "CREATE FUNCTION wpa.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE wpa.patch DISABLE TRIGGER ALL",
        "ALTER ROLE wpa_viewer CREATEROLE",
        "SELECT passphrase_hash FROM wpa.credential",
        "SELECT value FROM wpa.secret",
        "SELECT failed FROM wpa.sign_in_try",
        "SELECT hash FROM wpa.api_token",
        "SELECT secret FROM wpa.one_time_code",
        "COPY wpa.patch FROM PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
    };
    for (size_t i = 0; i < WPA_COUNT(more); i++) {
        const char *got = wpa_test_sql(w->pg, "wpa_viewer", w->mira, more[i]);
        bool is_refused = strcmp(got, DENIED) == 0 || strcmp(got, "0LP01") == 0;
        if (!is_refused) {
            fail_msg("%s: %s", more[i], got);
        }
    }
}

static void a_viewer_connection_calls_nothing_that_changes(void **state)
{
    world *w = *state;
    assert_string_equal(
        lines_of(w,
                 "SELECT coalesce(string_agg(p.oid::regprocedure::text, ' '), '') FROM pg_proc p "
                 "WHERE p.pronamespace = 'wpa'::regnamespace AND p.provolatile = 'v' AND "
                 "p.prorettype <> 'trigger'::regtype AND has_function_privilege('wpa_viewer', "
                 "p.oid, 'EXECUTE')"),
        "");
    assert_string_equal(
        lines_of(w, "SELECT coalesce(string_agg(c.relname, ' '), '') FROM pg_class c WHERE "
                    "c.relnamespace = 'wpa'::regnamespace AND CASE WHEN c.relkind = 'S' THEN "
                    "has_sequence_privilege('wpa_viewer', c.oid, 'USAGE, UPDATE') END"),
        "");
}

/* As the wall of wpa's own server connects: logged in as the role, with no way to another one. */
static void the_role_itself_can_log_in_and_become_nobody_else(void **state)
{
    world *w = *state;
    static const struct {
        const char *text;
        wpa_code code;
    } rows[] = {
        {"SELECT count(*) FROM wpa.patch", WPA_OK},
        {"UPDATE wpa.patch SET name = name", WPA_E_DENIED},
        {"SET ROLE wpa_api", WPA_E_DENIED},
        {"SET ROLE wpa_agent", WPA_E_DENIED},
        {"SET SESSION AUTHORIZATION wpa_api", WPA_E_DENIED},
        {"RESET ROLE", WPA_OK}, /* to itself */
        {"UPDATE wpa.setting SET value = value", WPA_E_DENIED},
    };
    wpa_error err = {0};
    const wpa_db_options options = {.application = "wpa test", .login = "wpa_viewer"};
    WPA_AUTO(wpa_db) *db = wpa_db_open_with(wpa_test_pg_dsn(w->pg), &options, &err);
    if (!db) {
        fail_msg("%s", err.message);
    }
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        const wpa_sql statement = {
            .name = "tried", .text = rows[i].text, .params = "", .index = -1};
        wpa_error_clear(&err);
        (void)!wpa_db_run(db, &statement, NULL, 0, &err);
        if (err.code != rows[i].code) {
            fail_msg("%s: %s", rows[i].text, err.message);
        }
    }
}

/* What the process that signs people in writes before, or without, anybody who may change things:
   its own book-keeping, and what a person does for himself. Each is looked at below, or holds
   nothing but counters and copies. */
static const char *const own_business[] = {
    "session",   "sign_in_try", "audit", "audit_verification", "api_idempotency",
    "principal", "credential",  "agent", "principal_subject",  "token_revoked",
};

static bool is_own_business(const char *statement)
{
    const char *at = strstr(statement, "wpa.") + 4;
    char *table = strndup(at, strcspn(at, " "));
    bool is_own = wpa_text_index(table, own_business, WPA_COUNT(own_business)) >= 0;
    free(table);
    return is_own;
}

static void the_service_changes_nothing_for_viewers_or_nobody(void **state)
{
    world *w = *state;
    size_t n = 0;
    char *rest = lines_of(w, writes);
    for (char *line; (line = next_line(&rest));) {
        bool is_generated = wpa_text_starts(line, "INSERT INTO wpa.finding ");
        if (is_own_business(line) || is_generated) {
            continue;
        }
        is_state(w, "wpa_api", w->tom, DENIED, line);
        is_state(w, "wpa_api", 0, DENIED, line);
        /* For a guardian the same is refused only where the role has no grant. */
        n += strcmp(wpa_test_sql(w->pg, "wpa_api", w->mira, line), "00000") == 0;
    }
    assert_true(n > 30);
    is_state(w, "wpa_api", w->tom, DENIED, "UPDATE wpa.finding SET state = 'ignored'");
}

static void people_are_changed_by_guardians(void **state)
{
    world *w = *state;
    long long mira = (long long)w->mira, tom = (long long)w->tom;
    const struct {
        int64_t actor;
        const char *state, *sql;
    } rows[] = {
        {w->tom, DENIED, "INSERT INTO wpa.principal (name, role) VALUES ('eve', 'guardian')"},
        {w->tom, DENIED, "UPDATE wpa.principal SET role = 'guardian' WHERE name = 'tom'"},
        {w->tom, DENIED, "UPDATE wpa.principal SET active = false WHERE name = 'mira'"},
        {0, DENIED, "INSERT INTO wpa.principal (name, role) VALUES ('eve', 'guardian')"},
        {0, DENIED, "INSERT INTO wpa.principal (name, role) VALUES ('eve', 'viewer')"},
        {0, DENIED, "UPDATE wpa.principal SET role = 'guardian'"},
        {0, "00000", "INSERT INTO wpa.principal (name, role) VALUES ('viewer', 'viewer')"},
        {w->tom, "00000", "UPDATE wpa.principal SET last_sign_in_at = now() WHERE name = 'tom'"},
        {w->mira, "00000", "INSERT INTO wpa.principal (name, role) VALUES ('ann', 'viewer')"},
        {w->tom, DENIED,
         wpa_arena_printf(w->arena,
                          "INSERT INTO wpa.credential (principal_id, passphrase_hash) VALUES "
                          "(%lld, '$argon2id$x')",
                          mira)},
        {w->tom, "00000",
         wpa_arena_printf(w->arena,
                          "INSERT INTO wpa.credential (principal_id, passphrase_hash) VALUES "
                          "(%lld, '$argon2id$x')",
                          tom)},
        {0, DENIED, "UPDATE wpa.credential SET passphrase_hash = '$argon2id$y'"},
        {w->tom, DENIED,
         wpa_arena_printf(w->arena,
                          "INSERT INTO wpa.session (jti, principal_id, expires_at) VALUES "
                          "(gen_random_uuid(), %lld, now() + interval '1 hour')",
                          mira)},
        {w->tom, DENIED,
         wpa_arena_printf(
             w->arena,
             "INSERT INTO wpa.principal_subject (issuer, subject, principal_id) VALUES "
             "('i', 's', %lld)",
             mira)},
        {w->tom, "WP003", wpa_arena_printf(w->arena, "SELECT wpa.code_remove(%lld)", mira)},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        is_state(w, "wpa_api", rows[i].actor, rows[i].state, rows[i].sql);
    }
}

/* What stands is changed by whoever may, whatever verb it is done with. */
static void what_stands_is_not_undone_by_nobody(void **state)
{
    world *w = *state;
    static const char *const made[] = {
        "INSERT INTO wpa.session (jti, principal_id, expires_at, ended_at) SELECT "
        "gen_random_uuid(), id, now() + interval '1 hour', now() FROM wpa.principal WHERE name = "
        "'mira'",
        "INSERT INTO wpa.session (jti, principal_id, expires_at) SELECT gen_random_uuid(), id, "
        "now() + interval '1 hour' FROM wpa.principal WHERE name = 'tom'",
        "INSERT INTO wpa.principal_subject (issuer, subject, principal_id) SELECT 'i', 's', id "
        "FROM wpa.principal WHERE name = 'tom'",
        "INSERT INTO wpa.token_revoked (key, principal_id, expires_at) SELECT sha256(n::bytea), "
        "id, now() + v FROM wpa.principal, (VALUES ('a', interval '1 hour'), ('b', interval '-2 "
        "days')) AS x(n, v) WHERE name = 'tom'",
        "INSERT INTO wpa.secret (key, value) VALUES ('oidc_client_secret', 'x')",
        "INSERT INTO wpa.destination (name, channel, created_by) SELECT 'd', 'webhook', id FROM "
        "wpa.principal WHERE name = 'mira'",
        "INSERT INTO wpa.outbox (destination_id, event, severity, message) SELECT id, 'x', "
        "'info', 'x' FROM wpa.destination",
    };
    static const char secret[] =
        "INSERT INTO wpa.secret (key, value) VALUES ('oidc_client_secret', 'y') ON CONFLICT (key) "
        "DO UPDATE SET value = excluded.value";
    static const char outbox[] =
        "INSERT INTO wpa.outbox (destination_id, event, severity, message) SELECT id, "
        "'patch.approved', 'critical', 'forged' FROM wpa.v_destination";
    static const char tell[] =
        "SELECT wpa.event_tell('patch.approved', 'critical', '', 'forged', '{}', NULL, false)";
    static const char matter[] =
        "SELECT wpa.matter_set('x', 'audit', 'critical', 'audit', 'forged', true)";
    static const char unbind[] = "DELETE FROM wpa.principal_subject";
    static const char retry[] = "UPDATE wpa.outbox SET due_at = clock_timestamp()";
    const struct {
        int64_t actor;
        const char *state, *sql;
    } rows[] = {
        {0, DENIED, "UPDATE wpa.session SET ended_at = NULL WHERE ended_at IS NOT NULL"},
        {0, DENIED,
         "UPDATE wpa.session SET ended_at = now() + interval '1 hour' WHERE ended_at "
         "IS NOT NULL"},
        {0, DENIED, "UPDATE wpa.session SET expires_at = expires_at + interval '1 day'"},
        {w->tom, DENIED, "UPDATE wpa.session SET expires_at = expires_at + interval '1 day'"},
        {w->mira, DENIED, "UPDATE wpa.session SET ended_at = NULL WHERE ended_at IS NOT NULL"},
        {w->tom, DENIED,
         "UPDATE wpa.session SET principal_id = (SELECT id FROM wpa.principal WHERE name = "
         "'mira')"},
        {w->tom, "00000", "UPDATE wpa.session SET ended_at = now() WHERE ended_at IS NULL"},
        {w->mira, DENIED, "DELETE FROM wpa.session"},
        {0, DENIED, unbind},
        {w->tom, DENIED, unbind},
        {w->mira, "00000", unbind},
        {0, DENIED, "DELETE FROM wpa.token_revoked"},
        {w->mira, DENIED, "DELETE FROM wpa.token_revoked"},
        {w->tom, "00000", "DELETE FROM wpa.token_revoked WHERE expires_at < clock_timestamp()"},
        {0, DENIED, secret},
        {w->tom, DENIED, secret},
        {w->mira, "00000", secret},
        {0, DENIED, outbox},
        {w->tom, DENIED, outbox},
        {0, DENIED, retry},
        {w->tom, DENIED, retry},
        {w->tom, DENIED, "DELETE FROM wpa.outbox"},
        {w->mira, "00000", retry},
        {w->tom, DENIED, tell},
        {w->mira, DENIED, tell},
        {w->tom, DENIED, matter},
        {w->mira, DENIED, matter},
    };
    for (size_t i = 0; i < WPA_COUNT(made); i++) {
        is_state(w, NULL, strstr(made[i], "wpa.destination (") ? w->mira : 0, "00000", made[i]);
    }
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        is_state(w, "wpa_api", rows[i].actor, rows[i].state, rows[i].sql);
    }
    /* What happens in a viewer's session is told all the same: of his comments nobody is kept. */
    is_state(w, NULL, w->mira, "00000", "UPDATE wpa.destination SET events = '{*}', version = 1");
    is_state(w, "wpa_api", w->tom, "00000", "SELECT wpa.audit_add('session.opened', 'x', '{}')");
    assert_int_equal(
        wpa_test_sql_int(w->pg, 0,
                         "SELECT count(*) FROM wpa.outbox WHERE event = 'session.opened'"),
        1);
}

/* ---- functions that run as the owner ------------------------------------------------------------
 */

/* A type of a common name, where names are looked for first: what it checks runs as whoever uses
 * it. */
static const char trap[] =
    "CREATE FUNCTION pg_temp.spy(t pg_catalog.text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN "
    "IF current_user <> 'wpa_api' THEN RAISE EXCEPTION 'as %', current_user USING ERRCODE = "
    "'P0666'; END IF; RETURN true; END $$;"
    "CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (pg_temp.spy(VALUE));"
    "INSERT INTO wpa.audit (actor, action, subject, detail) VALUES ('?', 'x', 'y', '{}');"
    "DROP DOMAIN pg_temp.text; DROP FUNCTION pg_temp.spy(pg_catalog.text)";

static void functions_of_the_owner_find_no_names_of_others(void **state)
{
    world *w = *state;
    assert_true(wpa_test_sql_int(w->pg, 0,
                                 "SELECT count(*) FROM pg_proc WHERE pronamespace = "
                                 "'wpa'::regnamespace AND prosecdef") > 20);
    assert_string_equal(
        lines_of(w, "SELECT coalesce(string_agg(p.oid::regprocedure::text, ' '), '') FROM pg_proc "
                    "p WHERE p.pronamespace = 'wpa'::regnamespace AND p.prosecdef AND NOT EXISTS "
                    "(SELECT FROM unnest(p.proconfig) AS c WHERE c LIKE 'search_path=%, "
                    "pg_temp')"),
        "");
    is_state(w, NULL, 0, "00000",
             "DO $$ BEGIN EXECUTE format('GRANT TEMP ON DATABASE %I TO wpa_api', "
             "current_database()); END $$");
    is_state(w, "wpa_api", w->mira, "00000", trap);
}

/* And there is no place for such names, where the database was made for us. */
static void nobody_else_has_names_of_his_own(void **state)
{
    (void)state;
    wpa_error err = {0};
    wpa_test_pg *pg = wpa_test_pg_new_empty();
    wpa_db *db = wpa_test_pg_connect(pg, NULL);
    if (!wpa_db_migrate(db, NULL, &err)) {
        fail_msg("%s", err.message);
    }
    wpa_db_close(db);
    assert_string_equal(wpa_test_sql(pg, "wpa_api", 0, "CREATE TEMP TABLE mine (a int)"), DENIED);
    assert_string_equal(wpa_test_sql(pg, "wpa_viewer", 0, trap), DENIED);
    wpa_test_pg_free(pg);
}

/* Where roles could not be made the owner does everything: the actor's role counts all the same. */
static void the_owner_changes_nothing_for_a_viewer(void **state)
{
    world *w = *state;
    static const char *const sql[] = {
        "INSERT INTO wpa.repository (name, url) VALUES ('x', '/x')",
        "UPDATE wpa.setting SET value = '0'",
        "UPDATE wpa.principal SET role = 'guardian' WHERE name = 'tom'",
        "INSERT INTO wpa.comment (subject, principal_id, text) VALUES ('patch:1', 1, 'x')",
    };
    for (size_t i = 0; i < WPA_COUNT(sql); i++) {
        is_state(w, NULL, w->tom, DENIED, sql[i]);
    }
    is_state(w, NULL, w->mira, "00000", sql[0]);
    /* And somebody who was disabled is nobody. */
    is_state(w, NULL, 0, "00000", "UPDATE wpa.principal SET active = false WHERE name = 'mira'");
    is_state(w, NULL, w->mira, DENIED, sql[1]);
}

int main(void)
{
    wpa_test_pg_need();
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_viewer_connection_changes_nothing),
        CASE(a_viewer_connection_calls_nothing_that_changes),
        CASE(the_role_itself_can_log_in_and_become_nobody_else),
        CASE(the_service_changes_nothing_for_viewers_or_nobody),
        CASE(people_are_changed_by_guardians),
        CASE(what_stands_is_not_undone_by_nobody),
        CASE(functions_of_the_owner_find_no_names_of_others),
        cmocka_unit_test(nobody_else_has_names_of_his_own),
        CASE(the_owner_changes_nothing_for_a_viewer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
