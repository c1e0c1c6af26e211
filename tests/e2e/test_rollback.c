/*
 * A change that the sample's service does not bear: the payments pool has no such runner. The
 * health check that asks it fails for real, and nobody has to press a key for the way back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "harness/patience.h"
#include "harness/sample.h"

#define REPOSITORY "payments-worker"

static void a_failing_check_rolls_back(void **state)
{
    const wpa_sample *sample = *state;
    wpa_sample_import(sample, false);
    WPA_AUTO(wpa_tty) *tty = wpa_sample_tty(sample, "--workers 2", 24, 80);
    wpa_tty_expect(tty, "Passphrase");
    wpa_tty_expect(tty, "Guardian      mira_");
    wpa_tty_send(tty, "not this one\r");
    wpa_tty_expect(tty, "wrong name, passphrase or code");
    wpa_tty_send(tty, "\025" WPA_SAMPLE_PASSPHRASE "\r");
    wpa_tty_expect(tty, "LIVE  mira guardian");
    wpa_tty_expect(tty, "16 of 16");
    wpa_sample_sql_wait(sample, "0", WPA_PATIENCE_MS,
                        "SELECT count(*) FROM wpa.job WHERE state IN ('queued', 'running')");
    const char *finding =
        wpa_sample_sql(sample, "SELECT f.id FROM wpa.finding f JOIN wpa.workflow w ON w.id = "
                               "f.workflow_id JOIN wpa.repository r ON r.id = w.repository_id "
                               "WHERE f.rule = 'retired-runner' AND r.name = '" REPOSITORY "'");
    wpa_arena *arena = wpa_sample_arena(sample);
    const char *before = wpa_sample_git(sample, REPOSITORY, "rev-parse refs/heads/main");
    wpa_tty_command(tty, wpa_arena_printf(arena, "goto f-%s", finding));
    wpa_tty_expect(tty, "─ retired-runner ─");
    wpa_tty_press(tty, "p");
    wpa_tty_expect(tty, "─ ✓ tested ─");
    wpa_tty_press(tty, "D"); /* approves as well */
    wpa_tty_expect(tty, "Deploy p-1");
    wpa_tty_press(tty, "y");
    wpa_tty_expect(tty, "ALARM ");
    wpa_tty_expect(tty, "K acknowledge");
    wpa_tty_expect(tty, "↺ rolled_back");
    wpa_tty_press(tty, "1");
    wpa_tty_expect(tty, "[1 Dash]");
    assert_true(wpa_tty_has(tty, "ALARM "));
    wpa_tty_press(tty, "K");
    wpa_tty_expect_gone(tty, "ALARM ");

    const char *tip = wpa_sample_git(sample, REPOSITORY, "rev-parse refs/heads/main");
    assert_string_equal(wpa_sample_git(sample, REPOSITORY, "rev-list --count %s..%s", before, tip),
                        "2");
    assert_string_equal(wpa_sample_git(sample, REPOSITORY, "rev-parse %s^{tree}", tip),
                        wpa_sample_git(sample, REPOSITORY, "rev-parse %s^{tree}", before));
    assert_string_equal(wpa_sample_sql(sample, "SELECT state FROM wpa.deployment"), "rolled_back");
    assert_string_equal(wpa_sample_sql(sample, "SELECT rolled_back_by IS NULL OR rolled_back_by = "
                                               "(SELECT id FROM wpa.principal WHERE name = "
                                               "'engine') FROM wpa.deployment"),
                        "t");
    assert_string_equal(
        wpa_sample_sql(sample, "SELECT count(*) > 0 FROM wpa.measurement m JOIN wpa.probe p ON "
                               "p.id = m.probe_id WHERE p.kind = 'http' AND m.result = 'failure'"),
        "t");
    assert_string_equal(wpa_sample_sql(sample, "SELECT count(*) FROM wpa.target_claim"), "0");
    (void)wpa_sample_wpa(sample, 0, "audit verify");
    wpa_tty_press(tty, "q");
    assert_int_equal(wpa_tty_wait_exit(tty, WPA_PATIENCE_MS), 0);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_failing_check_rolls_back, open_sample, close_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
