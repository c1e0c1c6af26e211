/* What is told of a repository's address: it may hold what opens it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "fleet/fleet.h"
#include "git/git.h"
#include "harness/pg.h"

static void an_address_is_shown_without_what_opens_it(void **state)
{
    (void)state;
    wpa_test_pg *pg = wpa_test_pg_new();
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_db) *db = wpa_test_pg_connect(pg, "wpa_api");
    wpa_actor mira = wpa_test_person(pg, "mira", WPA_ROLE_GUARDIAN);
    wpa_error err = {0};
    static const char *const urls[] = {
        "https://me:hunter2@example.org/acme/a.git",
        "https://hunter2@example.org/b",
        "https://me:hun@ter2@example.org:8443/c",
        "http://example.org/d@2",
        "ssh://me:hunter2@example.org/e",
        "ssh://git@example.org/f@2",
        "git@example.org:acme/g.git",
        "/srv/git/h@2.git",
    };
    for (size_t i = 0; i < WPA_COUNT(urls); i++) {
        wpa_repository repository;
        int64_t id = 0;
        const char *name = wpa_arena_printf(arena, "r%zu", i);
        assert_true(wpa_fleet_declare(name, urls[i], NULL, arena, &repository, &err));
        assert_true(wpa_fleet_add(db, &mira, &repository, &id, &err));
        const char *shown = wpa_test_sql_value(
            pg, 0, arena,
            wpa_arena_printf(arena, "SELECT item->>'url' FROM wpa.v_api_repository WHERE id = %lld",
                             (long long)id));
        assert_string_equal(shown, wpa_git_url_visible(arena, urls[i]));
    }
    wpa_test_pg_free(pg);
}

int main(void)
{
    wpa_test_pg_need();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_shown_without_what_opens_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
