#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "auth/secret.h"
#include "gen/sql.h"
#include "harness/pg.h"
#include "notify/notify.h"

typedef struct fixture {
    wpa_arena *arena;
    wpa_test_pg *pg;
    wpa_actor guardian, engine;
    wpa_db *api, *agent;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    f.arena = wpa_arena_new();
    f.pg = wpa_test_pg_new();
    f.guardian = wpa_test_person(f.pg, "mira", WPA_ROLE_GUARDIAN);
    f.engine = wpa_test_engine(f.pg);
    f.api = wpa_test_pg_connect(f.pg, "wpa_api");
    f.agent = wpa_test_pg_connect(f.pg, "wpa_agent");
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    wpa_db_close(f->api);
    wpa_db_close(f->agent);
    wpa_test_pg_free(f->pg);
    wpa_arena_free(f->arena);
    return 0;
}

/* ---- how long to wait ---------------------------------------------------------------------------
 */

static void waits_double_up_to_an_hour(void **state)
{
    (void)state;
    static const struct {
        int tries;
        int64_t asked_ms, low_ms, high_ms;
    } rows[] = {
        {0, 0, 1600, 2400},       {1, 0, 1600, 2400},        {2, 0, 3200, 4800},
        {5, 0, 25600, 38400},     {12, 0, 2880000, 4320000}, {50, 0, 2880000, 4320000},
        {1, 60000, 60000, 60000}, {3, 100, 6400, 9600},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        int64_t least = INT64_MAX, most = 0;
        for (int n = 0; n < 200; n++) {
            int64_t wait_ms = wpa_notify_backoff_ms(rows[i].tries, rows[i].asked_ms);
            least = wait_ms < least ? wait_ms : least;
            most = wait_ms > most ? wait_ms : most;
        }
        assert_in_range(least, rows[i].low_ms, rows[i].high_ms);
        assert_in_range(most, rows[i].low_ms, rows[i].high_ms);
        assert_true(rows[i].asked_ms >= rows[i].low_ms ||
                    least < most); /* they do not come at once */
    }
}

/* ---- references to secrets ----------------------------------------------------------------------
 */

static void references_name_what_may_be_read(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    const char *folder = wpa_dir_temp("/tmp/wpa-notify", f->arena, &err);
    static const struct {
        const char *file;
        mode_t mode;
        size_t size_bytes;
        wpa_code code;
    } files[] = {
        {"fine", 0600, 3, WPA_OK},          {"group", 0640, 3, WPA_OK},
        {"world", 0644, 3, WPA_E_REFUSED},  {"empty", 0600, 0, WPA_E_NOT_FOUND},
        {"large", 0600, 9000, WPA_E_LIMIT},
    };
    char text[9001];
    memset(text, 'k', sizeof text);
    for (size_t i = 0; i < WPA_COUNT(files); i++) {
        const char *path = wpa_path_join(f->arena, folder, files[i].file);
        wpa_error_clear(&err);
        assert_true(wpa_file_replace(path, text, files[i].size_bytes, files[i].mode, &err));
        assert_int_equal(chmod(path, files[i].mode), 0);
        WPA_AUTO(wpa_secret) *secret =
            wpa_notify_secret_read(wpa_arena_printf(f->arena, "file:%s", path), &err);
        assert_int_equal(err.code, files[i].code);
        assert_int_equal(secret != NULL, files[i].code == WPA_OK);
    }
    static const struct {
        const char *reference;
        wpa_code code;
    } others[] = {
        {"env:WPA_SECRET_SET", WPA_OK},
        {"env:WPA_SECRET_NOT_SET", WPA_E_NOT_FOUND},
        {"env:WPA_SECRET_", WPA_E_INVALID},
        {"env:HOME", WPA_E_INVALID},
        {"env:WPA_SECRET_x", WPA_E_INVALID},
        {"file:relative", WPA_E_INVALID},
        {"file:/nowhere/at/all", WPA_E_NOT_FOUND},
        {"file:/dev", WPA_E_REFUSED},
        {"the secret itself", WPA_E_INVALID},
        {"", WPA_E_INVALID},
    };
    assert_int_equal(setenv("WPA_SECRET_SET", "value", 1), 0); // NOLINT(concurrency-mt-unsafe)
    for (size_t i = 0; i < WPA_COUNT(others); i++) {
        wpa_error_clear(&err);
        WPA_AUTO(wpa_secret) *secret = wpa_notify_secret_read(others[i].reference, &err);
        assert_int_equal(err.code, others[i].code);
        assert_int_equal(secret != NULL, others[i].code == WPA_OK);
    }
    assert_true(wpa_dir_remove(folder, &err));
}

/* ---- the outbox ---------------------------------------------------------------------------------
 */

static int64_t add(fixture *f, const char *name, const char *more)
{
    wpa_error err = {0};
    int64_t id = 0;
    const char *text = wpa_arena_printf(f->arena,
                                        "{\"name\":\"%s\",\"channel\":\"webhook\",\"settings\":{"
                                        "\"url\":\"http://127.0.0.1:9/\"}%s}",
                                        name, more);
    const wpa_json *given = wpa_json_parse(text, strlen(text), 4096, f->arena, &err);
    assert_non_null(given);
    assert_true(wpa_notify_add(f->api, &f->guardian, given, f->arena, &id, &err));
    return id;
}

static void tell(fixture *f, const char *message)
{
    assert_string_equal(
        wpa_test_sql(
            f->pg, "wpa_agent", f->engine.principal_id,
            wpa_arena_printf(f->arena, "SELECT wpa.notice_add('error', '', '', '%s')", message)),
        "00000");
}

static const char *claim(wpa_db *db, wpa_arena *arena)
{
    wpa_error err = {0};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_NOTIFY_CLAIM, (const char *[]){"{}"}, 1, &err);
    assert_non_null(rows);
    return wpa_rows_count(rows) ? wpa_rows_dup(rows, 0, 7, arena) : NULL;
}

static void one_at_a_time_for_each_destination(void **state)
{
    fixture *f = *state;
    (void)add(f, "first", "");
    (void)add(f, "second", ",\"min_severity\":\"critical\"");
    tell(f, "one");
    tell(f, "two");
    assert_string_equal(claim(f->agent, f->arena), "one");
    assert_null(claim(f->api, f->arena)); /* the other one waits its turn */
    assert_string_equal(wpa_test_sql(f->pg, NULL, 0,
                                     "UPDATE wpa.outbox SET due_at = clock_timestamp() WHERE state "
                                     "= 'sending'"),
                        "00000");
    assert_string_equal(claim(f->api, f->arena), "two"); /* due for longer */
    assert_string_equal(wpa_test_sql(f->pg, NULL, 0, "DELETE FROM wpa.outbox"), "00000");
}

/* What belongs to one matter goes in order, whatever has to wait. */
static void a_matter_goes_in_order(void **state)
{
    fixture *f = *state;
    (void)add(f, "matters", ",\"events\":[\"alert.*\"]");
    static const char set[] =
        "SELECT wpa.matter_set('x', 'audit', 'critical', 'audit', 'broken', %s)";
    for (int i = 0; i < 2; i++) { /* told twice: it stands already */
        assert_string_equal(wpa_test_sql(f->pg, NULL, 0, wpa_arena_printf(f->arena, set, "true")),
                            "00000");
    }
    assert_string_equal(wpa_test_sql(f->pg, NULL, 0, wpa_arena_printf(f->arena, set, "false")),
                        "00000");
    assert_int_equal(wpa_test_sql_int(f->pg, 0, "SELECT count(*) FROM wpa.outbox"), 2);
    assert_string_equal(wpa_test_sql(f->pg, NULL, 0,
                                     "UPDATE wpa.outbox SET due_at = clock_timestamp() + interval "
                                     "'1 hour' WHERE NOT is_over"),
                        "00000");
    assert_null(claim(f->agent, f->arena)); /* its beginning has not been told */
    assert_string_equal(wpa_test_sql(f->pg, NULL, 0,
                                     "UPDATE wpa.outbox SET due_at = clock_timestamp() WHERE NOT "
                                     "is_over"),
                        "00000");
    assert_string_equal(claim(f->agent, f->arena), "broken");
    assert_string_equal(wpa_test_sql(f->pg, NULL, 0,
                                     "UPDATE wpa.outbox SET state = 'dead', token = NULL, due_at = "
                                     "NULL, error = 'x' WHERE state = 'sending'"),
                        "00000");
    assert_string_equal(claim(f->agent, f->arena), "over: broken");
}

static void nobody_else_says_where_notices_go(void **state)
{
    fixture *f = *state;
    static const char insert[] =
        "INSERT INTO wpa.destination (name, channel, created_by) VALUES ('x', 'webhook', %lld)";
    const char *sql = wpa_arena_printf(f->arena, insert, (long long)f->guardian.principal_id);
    assert_string_equal(wpa_test_sql(f->pg, "wpa_agent", f->engine.principal_id, sql), "42501");
    assert_string_equal(wpa_test_sql(f->pg, "wpa_api", f->engine.principal_id, sql), "WP003");
    assert_string_equal(wpa_test_sql(f->pg, "wpa_viewer", 0, "SELECT secret FROM wpa.destination"),
                        "42501");
    assert_string_equal(wpa_test_sql(f->pg, "wpa_viewer", 0, "SELECT * FROM wpa.hook"), "42501");
}

static void addresses_are_known_however_they_are_written(void **state)
{
    fixture *f = *state;
    static const char *const rows[][2] = {
        {"https://github.com/Acme/Ledger-API.git", "github.com/acme/ledger-api"},
        {"https://user:token@github.com/acme/ledger-api", "github.com/acme/ledger-api"},
        {"git@github.com:acme/ledger-api.git", "github.com/acme/ledger-api"},
        {"ssh://git@github.com:22/acme/ledger-api.git/", "github.com/acme/ledger-api"},
        {"git://github.com/acme/ledger-api.git", "github.com/acme/ledger-api"},
        {"/srv/git/ledger-api.git", "/srv/git/ledger-api"},
        {"file:///srv/git/ledger-api.git", "/srv/git/ledger-api"},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        assert_string_equal(
            wpa_test_sql_value(f->pg, 0, f->arena,
                               wpa_arena_printf(f->arena, "SELECT wpa.url_key('%s')", rows[i][0])),
            rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_up_to_an_hour),
        cmocka_unit_test(references_name_what_may_be_read),
        cmocka_unit_test(one_at_a_time_for_each_destination),
        cmocka_unit_test(a_matter_goes_in_order),
        cmocka_unit_test(nobody_else_says_where_notices_go),
        cmocka_unit_test(addresses_are_known_however_they_are_written),
    };
    wpa_test_pg_need();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
