/* Rows as JSON: what a real server gives is written as its own functions would write it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "api/item.h"
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

static const struct {
    const char *title, *columns, *json;
} cases[] = {
    {"values of each kind",
     "1::bigint AS a, 1.50::numeric AS b, 2.5::float8 AS c, true AS d, 'x' AS e",
     "{\"a\":1,\"b\":1.50,\"c\":2.5,\"d\":true,\"e\":\"x\"}"},
    {"nothing", "NULL::int AS a, NULL::text AS b, NULL::jsonb AS c",
     "{\"a\":null,\"b\":null,\"c\":null}"},
    {"no numbers of JSON", "'NaN'::float8 AS a, '-Infinity'::float8 AS b, 'NaN'::numeric AS c",
     "{\"a\":null,\"b\":null,\"c\":null}"},
    {"text that needs escapes", "E'\"\\\\\\b\\f\\n\\r\\t\\x01\\u00e9/' AS a",
     "{\"a\":\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\xc3\xa9/\"}"},
    {"times",
     "'2026-01-02 03:04:05+00'::timestamptz AS a, '2026-01-02 03:04:05.6+02'::timestamptz AS b, "
     "'2026-01-02 03:04:05.000007+00'::timestamptz AS c, 'infinity'::timestamptz AS d",
     "{\"a\":\"2026-01-02T03:04:05.000000Z\",\"b\":\"2026-01-02T01:04:05.600000Z\","
     "\"c\":\"2026-01-02T03:04:05.000007Z\",\"d\":null}"},
    {"a time that JSON's form has no room for", "'0044-03-15 00:00:00+00 BC'::timestamptz AS a",
     "{\"a\":null}"},
    {"lists of numbers", "ARRAY[1, -2] AS a, ARRAY[]::bigint[] AS b", "{\"a\":[1,-2],\"b\":[]}"},
    {"JSON of the database", "'{\"k\":[1]}'::json AS a, '[]'::jsonb AS b",
     "{\"a\":{\"k\":[1]},\"b\":[]}"},
    {"objects within objects",
     "1 AS \"s.start.line\", 2 AS \"s.start.column\", 3 AS \"s.end.line\", 4 AS \"s.n\", 5 AS t",
     "{\"s\":{\"start\":{\"line\":1,\"column\":2},\"end\":{\"line\":3},\"n\":4},\"t\":5}"},
    {"an object at the end", "1 AS a, 2 AS \"b.c.d\"", "{\"a\":1,\"b\":{\"c\":{\"d\":2}}}"},
    {"names that begin alike", "1 AS \"ab.c\", 2 AS \"abc.c\"",
     "{\"ab\":{\"c\":1},\"abc\":{\"c\":2}}"},
    {"members among others", "1 AS \"a.b\", '{\"x\":2}'::json AS \"...\", 3 AS c",
     "{\"a\":{\"b\":1},\"x\":2,\"c\":3}"},
    {"no members among others", "1 AS a, '{}'::json AS \"...\"", "{\"a\":1}"},
    {"the whole at once", "'{\"x\":1}'::text AS item", "{\"x\":1}"},
};

static void rows_become_objects(void **state)
{
    wpa_db *db = wpa_test_pg_connect(*state, NULL);
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        WPA_AUTO(wpa_buf) *out = wpa_buf_new(4096);
        wpa_error err = {0};
        const wpa_sql ask = {.name = "ask",
                             .text = wpa_arena_printf(arena, "SELECT 17, %s", cases[i].columns),
                             .index = -1};
        WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, &ask, NULL, 0, &err);
        if (!rows) {
            fail_msg("%s: %s", cases[i].title, err.message);
        }
        wpa_api_form_write(wpa_api_form_of(rows, 1, arena), rows, 0, out);
        if (!wpa_text_is(wpa_buf_data(out), cases[i].json)) {
            fail_msg("%s: %s", cases[i].title, wpa_buf_data(out));
        }
    }
    wpa_db_close(db);
}

int main(void)
{
    wpa_test_pg_need();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_become_objects, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
