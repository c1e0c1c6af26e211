/* The adapter against a real server: statements, errors, transactions, notifications, loss. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "db/db.h"
#include "gen/sql.h"
#include "harness/patience.h"
#include "harness/pg.h"

static int set_up(void **state)
{
    *state = wpa_test_pg_new();
    return 0;
}

static int tear_down(void **state)
{
    wpa_test_pg_free(*state);
    return 0;
}

static void every_statement_prepares(void **state)
{
    wpa_db *db = wpa_test_pg_connect(*state, NULL);
    for (size_t i = 0; i < wpa_sql_count; i++) {
        wpa_error err = {0};
        if (!wpa_db_prepare(db, &wpa_sql_table[i], &err)) {
            fail_msg("%s: %s", wpa_sql_table[i].name, err.message);
        }
    }
    wpa_db_close(db);
}

static void values_come_back(void **state)
{
    wpa_error err = {0};
    wpa_db *db = wpa_test_pg_connect(*state, NULL);
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *items[] = {"a\"b\\c", NULL, "", "{,}"};
    assert_string_equal(wpa_db_array(arena, items, 4), "{\"a\\\"b\\\\c\",NULL,\"\",\"{,}\"}");
    int64_t numbers[] = {1, -2};
    assert_string_equal(wpa_db_array_int(arena, numbers, 2), "{1,-2}");
    assert_string_equal(wpa_db_bytes(arena, "\x01\xff", 2), "\\x01ff");
    const wpa_sql echo = {.name = "echo",
                          .text = "SELECT $1::text, $2::bytea, $3::timestamptz, NULL::int, true, "
                                  "1.5::float8, 'infinity'::timestamptz",
                          .n_params = 3,
                          .index = -1};
    const char *params[] = {"x'; DROP", "\\x00ff", "2026-01-02 03:04:05.000006+00"};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, &echo, params, 3, &err);
    if (!rows) {
        fail_msg("%s", err.message);
    }
    size_t size = 0;
    assert_string_equal(wpa_rows_text(rows, 0, 0), "x'; DROP");
    assert_memory_equal(wpa_rows_bytes(rows, 0, 1, arena, &size), "\x00\xff", 2);
    assert_int_equal(size, 2);
    assert_int_equal(wpa_rows_time_us(rows, 0, 2), 1767323045000006);
    assert_null(wpa_rows_text(rows, 0, 3));
    assert_true(wpa_rows_bool(rows, 0, 4));
    assert_true(wpa_rows_double(rows, 0, 5) == 1.5);
    assert_true(wpa_rows_time_us(rows, 0, 6) == INT64_MAX);
    assert_null(wpa_db_exec(db, &echo, params, 2, &err));
    assert_int_equal(err.code, WPA_E_INTERNAL);
    wpa_db_close(db);
}

static const struct {
    const char *title, *sql;
    wpa_code code;
} errors[] = {
    {"lease lost", "SELECT wpa.fence(1, 1)", WPA_E_LEASE_LOST},
    {"no actor",
     "INSERT INTO wpa.approval (patch_id, digest, guardian_id, expires_at) "
     "VALUES (1, '', 1, now())",
     WPA_E_REFUSED},
    {"check", "INSERT INTO wpa.principal (name, role) VALUES ('x', 'king')", WPA_E_REFUSED},
    {"unique", "INSERT INTO wpa.principal (name, role) VALUES ('engine', 'agent')", WPA_E_CONFLICT},
    {"foreign key", "INSERT INTO wpa.comment (subject, principal_id, text) VALUES ('x', 99, 'y')",
     WPA_E_INVALID},
    {"bad value", "SELECT 'x'::int", WPA_E_INVALID},
    {"too slow", "SELECT pg_sleep(1)", WPA_E_TIMEOUT},
    {"syntax", "SELEKT", WPA_E_INTERNAL},
    {"killed", "SELECT pg_terminate_backend(pg_backend_pid())", WPA_E_UNAVAILABLE},
};

static void errors_have_codes(void **state)
{
    wpa_test_pg *pg = *state;
    for (size_t i = 0; i < WPA_COUNT(errors); i++) {
        wpa_error err = {0};
        wpa_db_options options = {.statement_timeout_ms =
                                      errors[i].code == WPA_E_TIMEOUT ? 200 : WPA_PATIENCE_MS};
        wpa_db *db = wpa_db_open_with(wpa_test_pg_dsn(pg), &options, &err);
        wpa_sql statement = {.name = errors[i].title, .text = errors[i].sql, .index = -1};
        assert_null(wpa_db_exec(db, &statement, NULL, 0, &err));
        if (err.code != errors[i].code) {
            fail_msg("%s: %s %s", errors[i].title, wpa_code_name(err.code), err.message);
        }
        wpa_db_close(db);
    }
    wpa_error err = {0};
    assert_null(wpa_db_open("host=/nonexistent connect_timeout=1", "x", &err));
    assert_int_equal(err.code, WPA_E_UNAVAILABLE);
}

/* A server that neither works nor says so: its process is stopped. */
static void no_answer_is_said_in_words(void **state)
{
    wpa_error err = {0};
    const wpa_db_options options = {.application = "wpa test", .statement_timeout_ms = 100};
    wpa_db *db = wpa_db_open_with(wpa_test_pg_dsn(*state), &options, &err);
    const wpa_sql who = {.name = "who", .text = "SELECT pg_backend_pid()", .index = -1};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, &who, NULL, 0, &err);
    for (int i = 0; !rows && err.code == WPA_E_TIMEOUT && i < 100; i++) { /* a busy machine */
        wpa_error_clear(&err);
        rows = wpa_db_exec(db, &who, NULL, 0, &err);
    }
    assert_non_null(rows);
    assert_int_equal(kill((pid_t)wpa_rows_int(rows, 0, 0), SIGSTOP), 0);
    assert_null(wpa_db_exec(db, WPA_SQL_FEED_CLOCK, NULL, 0, &err));
    assert_int_equal(kill((pid_t)wpa_rows_int(rows, 0, 0), SIGCONT), 0);
    assert_int_equal(err.code, WPA_E_UNAVAILABLE);
    assert_string_equal(err.message, "database: no answer in time, the connection was given up");
    wpa_db_close(db);
}

static void a_lost_connection_is_said_once_and_made_again(void **state)
{
    wpa_error err = {0};
    wpa_db *db = wpa_test_pg_connect(*state, NULL);
    uint64_t generation = wpa_db_generation(db);
    assert_true(wpa_db_listen(db, WPA_SQL_DB_LISTEN_JOBS, &err));
    assert_true(wpa_db_begin(db, NULL, &err));
    (void)wpa_test_sql(*state, NULL, 0,
                       "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                       "WHERE datname = current_database() AND pid <> pg_backend_pid()");
    assert_false(wpa_db_run(db, WPA_SQL_DB_PING, NULL, 0, &err));
    assert_int_equal(err.code, WPA_E_UNAVAILABLE);
    /* still in the transaction as far as the caller knows: nothing may run outside of it */
    assert_false(wpa_db_run(db, WPA_SQL_DB_PING, NULL, 0, &err));
    assert_int_equal(err.code, WPA_E_UNAVAILABLE);
    assert_false(wpa_db_commit(db, &err));
    assert_int_equal(err.code, WPA_E_UNAVAILABLE);
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_DB_PING, NULL, 0, &err);
    assert_non_null(rows);
    assert_string_equal(wpa_rows_text(rows, 0, 0), "wpa_jobs");
    assert_true(wpa_db_generation(db) > generation);
    wpa_db_close(db);
}

static bool insert_then_fail(wpa_db *db, void *context, wpa_error *err)
{
    int *tries = context;
    ++*tries;
    static const wpa_sql deadlock = {
        .name = "deadlock",
        .text = "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE='40P01'; END $$",
        .index = -1};
    return wpa_db_run(db, &deadlock, NULL, 0, err);
}

static void a_deadlock_is_tried_three_times(void **state)
{
    wpa_error err = {0};
    int tries = 0;
    wpa_db *db = wpa_test_pg_connect(*state, NULL);
    assert_false(wpa_db_transact(db, NULL, insert_then_fail, &tries, &err));
    assert_int_equal(tries, 3);
    assert_int_equal(err.code, WPA_E_CONFLICT);
    assert_false(wpa_db_in_transaction(db));
    wpa_db_close(db);
}

static void notifications_arrive(void **state)
{
    wpa_error err = {0};
    wpa_db_note note;
    wpa_db *db = wpa_test_pg_connect(*state, NULL);
    assert_true(wpa_db_listen(db, WPA_SQL_DB_LISTEN_CHANGE, &err));
    assert_false(wpa_db_note_next(db, &note));
    assert_string_equal(wpa_test_sql(*state, NULL, 0, "SELECT notice_add('ok', '', '', 'hello')"),
                        "00000");
    int64_t end_ms = wpa_monotonic_ms() + WPA_PATIENCE_MS;
    bool is_there = false;
    while (!(is_there = wpa_db_note_next(db, &note)) && wpa_monotonic_ms() < end_ms) {
        assert_true(wpa_db_wait(db, -1, 1000, &err));
    }
    assert_true(is_there);
    assert_string_equal(note.channel, "wpa_change");
    assert_string_equal(note.payload, "notice:1");
    wpa_db_close(db);
}

static void the_actor_is_local(void **state)
{
    wpa_error err = {0};
    wpa_db *db = wpa_test_pg_connect(*state, NULL);
    wpa_actor actor = wpa_test_engine(*state);
    static const wpa_sql who = {
        .name = "who", .text = "SELECT wpa.actor(), wpa.actor_kind()", .index = -1};
    assert_true(wpa_db_begin(db, &actor, &err));
    wpa_rows *rows = wpa_db_exec(db, &who, NULL, 0, &err);
    assert_int_equal(wpa_rows_int(rows, 0, 0), actor.principal_id);
    assert_string_equal(wpa_rows_text(rows, 0, 1), "agent");
    wpa_rows_free(rows);
    assert_true(wpa_db_commit(db, &err));
    rows = wpa_db_exec(db, &who, NULL, 0, &err);
    assert_true(wpa_rows_is_null(rows, 0, 0));
    wpa_rows_free(rows);
    wpa_db_close(db);
}

int main(void)
{
    wpa_test_pg_need();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_prepares),
        cmocka_unit_test(values_come_back),
        cmocka_unit_test(errors_have_codes),
        cmocka_unit_test(no_answer_is_said_in_words),
        cmocka_unit_test(a_lost_connection_is_said_once_and_made_again),
        cmocka_unit_test(a_deadlock_is_tried_three_times),
        cmocka_unit_test(notifications_arrive),
        cmocka_unit_test(the_actor_is_local),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
