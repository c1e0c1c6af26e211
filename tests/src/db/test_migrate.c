/* Migrations: from nothing, twice, by two at once, and refused when the database knows more. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "db/db.h"
#include "harness/pg.h"

static void from_nothing_and_again(void **state)
{
    (void)state;
    wpa_error err = {0};
    wpa_test_pg *pg = wpa_test_pg_new_empty();
    wpa_db *db = wpa_test_pg_connect(pg, NULL);
    for (int i = 0; i < 2; i++) {
        if (!wpa_db_migrate(db, NULL, &err)) {
            fail_msg("%s: %s", err.context, err.message);
        }
        assert_int_equal(wpa_test_sql_int(pg, 0, "SELECT max(version) FROM wpa.schema_migration"),
                         wpa_db_version());
    }
    wpa_db_close(db);
    wpa_test_pg_free(pg);
}

typedef struct starter {
    wpa_test_pg *pg;
    pthread_t thread;
    bool is_good;
    wpa_error err;
} starter;

static void *start(void *argument)
{
    starter *s = argument;
    wpa_db *db = wpa_db_open(wpa_test_pg_dsn(s->pg), "wpa test", &s->err);
    s->is_good = db && wpa_db_migrate(db, NULL, &s->err);
    wpa_db_close(db);
    return NULL;
}

static void two_starters_do_not_disturb_each_other(void **state)
{
    (void)state;
    wpa_test_pg *pg = wpa_test_pg_new_empty();
    starter starters[3] = {{.pg = pg}, {.pg = pg}, {.pg = pg}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&starters[i].thread, NULL, start, &starters[i]), 0);
    }
    for (size_t i = 0; i < 3; i++) {
        (void)pthread_join(starters[i].thread, NULL);
        if (!starters[i].is_good) {
            fail_msg("%s: %s", starters[i].err.context, starters[i].err.message);
        }
    }
    wpa_test_pg_free(pg);
}

static const struct {
    const char *title, *sql, *message;
} refusals[] = {
    {"newer", "INSERT INTO wpa.schema_migration VALUES (9999, '9999_future', 'x')",
     "start a newer wpa"},
    {"changed", "UPDATE wpa.schema_migration SET checksum = 'x' WHERE version = 1",
     "made by another build"},
};

static void another_schema_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        wpa_error err = {0};
        wpa_test_pg *pg = wpa_test_pg_new();
        wpa_db *db = wpa_test_pg_connect(pg, NULL);
        assert_string_equal(wpa_test_sql(pg, NULL, 0, refusals[i].sql), "00000");
        assert_false(wpa_db_migrate(db, NULL, &err));
        assert_int_equal(err.code, WPA_E_REFUSED);
        assert_non_null(strstr(err.message, refusals[i].message));
        /* the lock is gone: nobody has to wait for this session's end; other tests migrate
           databases of their own in the same server */
        assert_int_equal(wpa_test_sql_int(pg, 0,
                                          "SELECT count(*) FROM pg_locks WHERE locktype='advisory' "
                                          "AND classid = 20226 AND database = (SELECT oid "
                                          "FROM pg_database WHERE datname = current_database())"),
                         0);
        wpa_db_close(db);
        wpa_test_pg_free(pg);
    }
}

int main(void)
{
    wpa_test_pg_need();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_nothing_and_again),
        cmocka_unit_test(two_starters_do_not_disturb_each_other),
        cmocka_unit_test(another_schema_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
