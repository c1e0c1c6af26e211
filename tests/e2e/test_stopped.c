/*
 * An agent that gets no processor time for a while (here: SIGSTOP) has measured nothing in it. Its
 * deployment is neither held for that nor passed by the clock, and what went bad is still seen.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "harness/patience.h"
#include "harness/sample.h"

#define REPOSITORY "web-front"
#define TRIES 5

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

static pid_t start_and_bake(const wpa_sample *sample)
{
    pid_t agent = wpa_sample_spawn(sample, "agent --workers 2", NULL);
    wpa_sample_import(sample, false);
    wpa_sample_sql_wait(sample, "0", WPA_PATIENCE_MS,
                        "SELECT count(*) FROM wpa.job WHERE state IN ('queued', 'running')");
    const char *finding =
        wpa_sample_sql(sample, "SELECT f.id FROM wpa.finding f JOIN wpa.workflow w ON w.id = "
                               "f.workflow_id JOIN wpa.repository r ON r.id = w.repository_id "
                               "WHERE f.rule = 'template-injection' AND r.name = '" REPOSITORY "'");
    (void)wpa_sample_wpa(sample, 0, "patch create f-%s --wait --timeout 120s", finding);
    (void)wpa_sample_wpa(sample, 0, "deploy start p-1");
    wpa_sample_sql_wait(sample, "baking", WPA_PATIENCE_MS,
                        "SELECT state FROM wpa.deployment_stage WHERE deployment_id = 1");
    return agent;
}

/* Until the bake has been over by the clock for longer than a check may leave unlooked at; false if
 * it was over before the agent stood. */
static bool stop_over_the_end(const wpa_sample *sample, pid_t agent)
{
    assert_int_equal(kill(-agent, SIGSTOP), 0);
    wpa_sample_sql_wait(sample, "t", WPA_PATIENCE_MS,
                        "SELECT clock_timestamp() > bake_until + interval '4 seconds' FROM "
                        "wpa.deployment_stage");
    return wpa_text_is(wpa_sample_sql(sample, "SELECT state FROM wpa.deployment"), "running");
}

/* An agent that has been stopped so: on a busy machine not the first that is tried. */
static pid_t bake_and_stop(void **state, bool is_measured)
{
    for (int i = 0; i < TRIES; i++) {
        const pid_t agent = start_and_bake(*state);
        if (is_measured) {
            wpa_sample_sql_wait(*state, "t", WPA_PATIENCE_MS,
                                "SELECT count(*) > 0 FROM wpa.measurement WHERE phase = 'bake' AND "
                                "result = 'success'");
        }
        if (stop_over_the_end(*state, agent)) {
            return agent;
        }
        wpa_sample_free(*state);
        *state = wpa_sample_new();
    }
    fail_msg("the bake was over each time before the agent stood");
    return -1;
}

static void set_down(const wpa_sample *sample, bool is_down)
{
    static const char why[] = "the pool is on fire\n";
    wpa_error err = {0};
    const char *path = wpa_arena_printf(wpa_sample_arena(sample), "%s/fleet/" REPOSITORY ".down",
                                        wpa_sample_folder(sample));
    if (is_down) {
        assert_true(wpa_file_replace(path, why, sizeof why - 1, 0644, &err));
    } else {
        assert_int_equal(unlink(path), 0);
    }
}

static void check_commits(const wpa_sample *sample, const char *n_all)
{
    assert_string_equal(
        wpa_sample_git(sample, REPOSITORY, "rev-list --count --grep '^Wpa-Deployment: d-1$' main"),
        n_all);
    (void)wpa_sample_wpa(sample, 0, "audit verify");
}

static void all_is_well(void **state)
{
    const pid_t agent = bake_and_stop(state, false);
    const wpa_sample *sample = *state;
    assert_int_equal(kill(-agent, SIGCONT), 0);
    wpa_sample_sql_wait(sample, "succeeded", WPA_PATIENCE_MS, "SELECT state FROM wpa.deployment");
    /* passed on as many measurements as were due, the last of them behind the end */
    assert_string_equal(
        wpa_sample_sql(sample, "SELECT count(*) >= 2 AND max(m.started_at) > s.bake_until FROM "
                               "wpa.measurement m JOIN wpa.probe p ON p.id = m.probe_id JOIN "
                               "wpa.deployment_stage s USING (deployment_id, n) WHERE p.kind = "
                               "'http' AND m.phase = 'bake' AND m.result <> 'error' GROUP BY "
                               "s.bake_until"),
        "t");
    check_commits(sample, "1");
}

/* Its lease lapses meanwhile too, as it does by itself in half a minute. */
static void the_service_went_bad(void **state)
{
    const pid_t agent = bake_and_stop(state, true);
    const wpa_sample *sample = *state;
    set_down(sample, true);
    (void)wpa_sample_sql(sample, "UPDATE wpa.job SET lease_until = clock_timestamp() - interval "
                                 "'1 second' WHERE state = 'running'");
    assert_int_equal(kill(-agent, SIGCONT), 0);
    wpa_sample_sql_wait(sample, "reverted", WPA_PATIENCE_MS,
                        "SELECT state FROM wpa.deployment_target");
    set_down(sample, false);
    wpa_sample_sql_wait(sample, "rolled_back", WPA_PATIENCE_MS, "SELECT state FROM wpa.deployment");
    assert_string_equal(wpa_sample_sql(sample, "SELECT rule FROM wpa.deployment"), "R1");
    check_commits(sample, "2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_is_well, open_sample, close_sample),
        cmocka_unit_test_setup_teardown(the_service_went_bad, open_sample, close_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
