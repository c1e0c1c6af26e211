#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "db/source.h"

static void test_the_last_to_name_one_wins(void **state)
{
    (void)state;
    static const struct {
        const char *title, *option, *wpa_db, *pghost, *pguser, *file, *dsn, *origin;
        wpa_code code;
    } cases[] = {
        {"nobody", NULL, NULL, NULL, NULL, NULL, NULL, "embedded", WPA_OK},
        {"file", NULL, NULL, NULL, NULL, "db: host=f\n", "host=f", "console.yaml", WPA_OK},
        {"file without it", NULL, NULL, NULL, NULL, "theme: auto\n", NULL, "embedded", WPA_OK},
        {"file with none", NULL, NULL, NULL, NULL, "db:\n", NULL, "embedded", WPA_OK},
        {"empty file", NULL, NULL, NULL, NULL, "# nothing\n", NULL, "embedded", WPA_OK},
        {"broken file", NULL, NULL, NULL, NULL, "db: [\n", NULL, NULL, WPA_E_INVALID},
        {"list in file", NULL, NULL, NULL, NULL, "db: [a]\n", NULL, NULL, WPA_E_INVALID},
        {"PGHOST", NULL, NULL, "h", NULL, "db: host=f\n", "", "PGHOST", WPA_OK},
        {"a user is no place", NULL, NULL, NULL, "u", NULL, NULL, "embedded", WPA_OK},
        {"WPA_DB", NULL, "host=e", "h", NULL, "db: [\n", "host=e", "WPA_DB", WPA_OK},
        {"option", "host=o", "host=e", "h", NULL, "db: host=f\n", "host=o", "--db", WPA_OK},
        {"empty option", "", NULL, NULL, NULL, NULL, NULL, "embedded", WPA_OK},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        char *folder = wpa_dir_temp("/tmp/wpa-source-", arena, &err);
        assert_true(wpa_dir_make(wpa_path_join(arena, folder, "wpa"), 0700, &err));
        if (cases[i].file) {
            assert_true(wpa_file_replace(wpa_path_join(arena, folder, "wpa/console.yaml"),
                                         cases[i].file, strlen(cases[i].file), 0600, &err));
        }
        assert_int_equal(setenv("XDG_CONFIG_HOME", folder, 1), 0);
        const char *const names[] = {"WPA_DB", "PGHOST", "PGUSER"};
        const char *const values[] = {cases[i].wpa_db, cases[i].pghost, cases[i].pguser};
        for (size_t k = 0; k < WPA_COUNT(names); k++) {
            assert_int_equal(values[k] ? setenv(names[k], values[k], 1) : unsetenv(names[k]), 0);
        }
        wpa_db_source source;
        bool is_good = wpa_db_source_find(cases[i].option, arena, &source, &err);
        if (is_good != (cases[i].code == WPA_OK) || err.code != cases[i].code) {
            fail_msg("%s: %s", cases[i].title, err.message);
        }
        if (is_good && (!wpa_text_is(source.dsn, cases[i].dsn) ||
                        !wpa_text_ends(source.origin, cases[i].origin))) {
            fail_msg("%s: '%s' from %s", cases[i].title, source.dsn, source.origin);
        }
        assert_true(wpa_dir_remove(folder, &err));
    }
}

int main(void)
{
    static const char *const places[] = {"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE",
                                         "PGSERVICE"};
    for (size_t i = 0; i < WPA_COUNT(places); i++) {
        unsetenv(places[i]);
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_last_to_name_one_wins)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
