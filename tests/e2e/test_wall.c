/* The wall beside a deployment: it shows what happens, takes no key, and could not write anyway. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "harness/patience.h"
#include "harness/sample.h"

static int open_sample(void **state)
{
    *state = wpa_sample_new();
    return 0;
}

static int close_sample(void **state)
{
    wpa_sample_free(*state);
    return 0;
}

static void check_role(const wpa_sample *sample)
{
    wpa_sample_sql_wait(sample, "t", WPA_PATIENCE_MS,
                        "SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = 'wpa_viewer'");
    assert_string_equal(
        wpa_sample_sql(sample, "SELECT string_agg(relname, ' ') FROM pg_class WHERE relnamespace = "
                               "'wpa'::regnamespace AND relkind IN ('r', 'p') AND "
                               "has_table_privilege('wpa_viewer', oid, "
                               "'INSERT, UPDATE, DELETE, TRUNCATE')"),
        "");
    assert_string_equal(wpa_sample_sql(sample, "SELECT rolsuper OR rolcreaterole FROM pg_roles "
                                               "WHERE rolname = 'wpa_viewer'"),
                        "f");
}

static void the_wall_shows_and_takes_nothing(void **state)
{
    const wpa_sample *sample = *state;
    (void)wpa_sample_spawn(sample, "agent --workers 2", NULL);
    wpa_sample_import(sample, false);
    wpa_sample_sql_wait(sample, "0", WPA_PATIENCE_MS,
                        "SELECT count(*) FROM wpa.job WHERE state IN ('queued', 'running')");
    WPA_AUTO(wpa_tty) *wall = wpa_sample_tty(sample, "wall", 45, 160);
    wpa_tty_expect(wall, "read-only");
    wpa_tty_expect(wall, "LIVE");
    check_role(sample);
    (void)wpa_sample_wpa(sample, 0, "patch create --rule template-injection --wait --timeout 120s");
    (void)wpa_sample_wpa(sample, 0, "deploy start p-1");
    wpa_tty_expect(wall, "d-1");
    static const char *const keys[] = {"R", "D", "y", "A", "X", "H", "K", "5", "\r", "q"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        wpa_tty_press(wall, keys[i]);
    }
    wpa_sample_sql_wait(sample, "succeeded", WPA_PATIENCE_MS, "SELECT state FROM wpa.deployment");
    assert_string_equal(wpa_sample_sql(sample, "SELECT count(*) FROM wpa.audit WHERE action IN "
                                               "('deployment.rollback_ordered', "
                                               "'deployment.paused')"),
                        "0");
    wpa_tty_expect(wall, "LIVE"); /* no key has ended it */
    wpa_tty_press(wall, "\003");
    assert_int_equal(wpa_tty_wait_exit(wall, WPA_PATIENCE_MS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_wall_shows_and_takes_nothing, open_sample,
                                        close_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
