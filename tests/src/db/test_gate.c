/* A statement that stands before others: nothing is answered past it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "db/db.h"
#include "gen/sql.h"
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

static const char *nobody = "00000000-0000-4000-8000-000000000000";
static const char *no_uuid = "x";

typedef struct guard {
    bool lets_pass;
    int n_asked;
} guard;

static bool decide(void *context, const wpa_rows *rows, wpa_error *err)
{
    guard *g = context;
    g->n_asked++;
    assert_int_equal(wpa_rows_count(rows), 0);
    return g->lets_pass || WPA_FAIL(err, WPA_E_DENIED, "not you");
}

static void begin(wpa_db *db, guard *g)
{
    wpa_db_gate_begin(db, WPA_SQL_SESSION_FIND, &nobody, 1, decide, g);
}

static const wpa_sql one = {.name = "one", .text = "SELECT 1", .index = -1};

static const struct {
    const char *title;
    const wpa_sql *statement;
    const char *const *params;
    size_t n;
    bool lets_pass;
    wpa_code code; /* WPA_OK: there are rows */
} cases[] = {
    {"passes", WPA_SQL_API_SNAPSHOT, NULL, 0, true, WPA_OK},
    {"refuses", WPA_SQL_API_SNAPSHOT, NULL, 0, false, WPA_E_DENIED},
    {"passes, but what follows fails", WPA_SQL_API_FINDING_BY_UID, &no_uuid, 1, true,
     WPA_E_INVALID},
    {"refuses what would fail", WPA_SQL_API_FINDING_BY_UID, &no_uuid, 1, false, WPA_E_DENIED},
    {"passes one that is not prepared", &one, NULL, 0, true, WPA_OK},
    {"refuses one that is not prepared", &one, NULL, 0, false, WPA_E_DENIED},
};

static void what_follows_counts_if_the_gate_says_so(void **state)
{
    wpa_db *db = wpa_test_pg_connect(*state, NULL);
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        wpa_error err = {0};
        guard g = {.lets_pass = cases[i].lets_pass};
        begin(db, &g);
        wpa_rows *rows = wpa_db_exec(db, cases[i].statement, cases[i].params, cases[i].n, &err);
        if ((rows != NULL) != (cases[i].code == WPA_OK) || err.code != cases[i].code ||
            g.n_asked != 1) {
            fail_msg("%s: code %d, asked %d times", cases[i].title, err.code, g.n_asked);
        }
        wpa_rows_free(rows);
        /* Shut stays shut; open stays open, and is not asked again. */
        wpa_error after = {0};
        assert_int_equal(wpa_db_run(db, WPA_SQL_API_SNAPSHOT, NULL, 0, &after), g.lets_pass);
        assert_int_equal(after.code, g.lets_pass ? WPA_OK : WPA_E_DENIED);
        assert_int_equal(wpa_db_gate_ask(db, &after), g.lets_pass);
        assert_int_equal(wpa_db_begin(db, NULL, &after), g.lets_pass);
        wpa_db_rollback(db);
        assert_int_equal(g.n_asked, 1);
        wpa_db_gate_end(db);
        assert_true(wpa_db_run(db, WPA_SQL_API_SNAPSHOT, NULL, 0, &after));
    }
    wpa_db_close(db);
}

static void it_can_be_asked_alone(void **state)
{
    wpa_db *db = wpa_test_pg_connect(*state, NULL);
    for (int lets_pass = 0; lets_pass < 2; lets_pass++) {
        wpa_error err = {0};
        guard g = {.lets_pass = lets_pass};
        begin(db, &g);
        assert_int_equal(wpa_db_gate_ask(db, &err), lets_pass);
        assert_int_equal(wpa_db_gate_ask(db, &err), lets_pass);
        assert_int_equal(g.n_asked, 1);
        wpa_db_gate_end(db);
    }
    wpa_db_close(db);
}

static void a_lost_connection_lets_nobody_pass(void **state)
{
    wpa_error err = {0};
    guard g = {.lets_pass = true};
    wpa_db *db = wpa_test_pg_connect(*state, NULL);
    assert_true(wpa_db_run(db, WPA_SQL_API_SNAPSHOT, NULL, 0, &err)); /* prepared */
    assert_true(wpa_db_prepare(db, WPA_SQL_SESSION_FIND, &err));
    (void)wpa_test_sql(*state, NULL, 0,
                       "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                       "WHERE datname = current_database() AND pid <> pg_backend_pid()");
    begin(db, &g);
    assert_false(wpa_db_run(db, WPA_SQL_API_SNAPSHOT, NULL, 0, &err));
    assert_int_equal(err.code, WPA_E_UNAVAILABLE);
    assert_false(wpa_db_run(db, WPA_SQL_API_SNAPSHOT, NULL, 0, &err));
    assert_int_equal(err.code, WPA_E_UNAVAILABLE);
    assert_int_equal(g.n_asked, 0);
    wpa_db_gate_end(db);
    /* A new connection is made behind the gate, and it is asked there. */
    begin(db, &g);
    assert_true(wpa_db_run(db, WPA_SQL_API_SNAPSHOT, NULL, 0, &err));
    assert_int_equal(g.n_asked, 1);
    wpa_db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_follows_counts_if_the_gate_says_so),
        cmocka_unit_test(it_can_be_asked_alone),
        cmocka_unit_test(a_lost_connection_lets_nobody_pass),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
