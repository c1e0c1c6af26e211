/*
 * kill -9, from outside, of everything that can be killed in the middle of a deployment: the agent
 * that does it, the console, the database server. Whatever was left behind is taken up again: each
 * target ends with exactly one apply commit and at most one revert.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include <wpa/clock.h>

#include "harness/patience.h"
#include "harness/sample.h"

#define REPOSITORY "web-front"
#define STATE "SELECT state FROM wpa.deployment WHERE id = %d"

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

static pid_t start_agent(const wpa_sample *sample)
{
    return wpa_sample_spawn(sample, "agent --workers 2", NULL);
}

static void kill_it(pid_t pid)
{
    int status = 0;
    assert_int_equal(kill(-pid, SIGKILL), 0); /* it leads a group of its own */
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void stop_it(pid_t pid)
{
    int status = 0;
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* The lease of a killed process lapses by itself after 30 s; only the first kill waits for that. */
static void lapse(const wpa_sample *sample)
{
    (void)wpa_sample_sql(sample, "UPDATE wpa.job SET lease_until = clock_timestamp() - interval "
                                 "'1 second' WHERE state = 'running'");
}

static void make_patch(const wpa_sample *sample)
{
    const char *finding =
        wpa_sample_sql(sample, "SELECT f.id FROM wpa.finding f JOIN wpa.workflow w ON w.id = "
                               "f.workflow_id JOIN wpa.repository r ON r.id = w.repository_id "
                               "WHERE f.rule = 'template-injection' AND r.name = '" REPOSITORY "'");
    (void)wpa_sample_wpa(sample, 0, "patch create f-%s --wait --timeout 120s", finding);
}

static void wait_state(const wpa_sample *sample, int deployment, const char *wanted)
{
    wpa_sample_sql_wait(sample, wanted, WPA_PATIENCE_MS, STATE, deployment);
}

/* Commits on the branch that carry this deployment's trailer, and those of them that revert. */
static void check_commits(const wpa_sample *sample, int deployment, const char *n_all,
                          const char *n_reverts)
{
    assert_string_equal(wpa_sample_git(sample, REPOSITORY,
                                       "rev-list --count --grep '^Wpa-Deployment: d-%d$' main",
                                       deployment),
                        n_all);
    assert_string_equal(
        wpa_sample_git(sample, REPOSITORY,
                       "rev-list --count --all-match --grep '^Wpa-Deployment: d-%d$' --grep "
                       "'^Revert ' main",
                       deployment),
        n_reverts);
    assert_string_equal(
        wpa_sample_sql(sample, "SELECT count(*) FROM wpa.target_intent WHERE state = 'intended'"),
        "0");
    assert_string_equal(wpa_sample_sql(sample, "SELECT count(*) FROM wpa.target_claim"), "0");
    (void)wpa_sample_wpa(sample, 0, "audit verify");
}

/* Whoever would write an intent stands still at the lock, and is killed there. */
static pid_t kill_at_intent(const wpa_sample *sample, pid_t agent, const char *command)
{
    wpa_sample_lock *lock =
        wpa_sample_lock_take(sample, "LOCK TABLE wpa.target_intent IN EXCLUSIVE MODE");
    (void)wpa_sample_wpa(sample, 0, "%s", command);
    wpa_sample_sql_wait(sample, "t", WPA_PATIENCE_MS,
                        "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                        "AND wait_event = 'relation'");
    kill_it(agent);
    wpa_sample_unlock(lock);
    return start_agent(sample);
}

static void an_agent_is_killed(void **state)
{
    const wpa_sample *sample = *state;
    pid_t agent = start_agent(sample);
    wpa_sample_import(sample, false);
    wpa_sample_sql_wait(sample, "0", WPA_PATIENCE_MS,
                        "SELECT count(*) FROM wpa.job WHERE state IN ('queued', 'running')");
    make_patch(sample);
    const char *before = wpa_sample_git(sample, REPOSITORY, "rev-parse main^{tree}");

    /* while applying: the lease lapses by the clock, the next agent goes on */
    agent = kill_at_intent(sample, agent, "deploy start p-1");
    wpa_sample_sql_wait(sample, "baking", WPA_PATIENCE_MS,
                        "SELECT state FROM wpa.deployment_stage WHERE deployment_id = 1");
    /* while baking */
    kill_it(agent);
    agent = start_agent(sample);
    wpa_sample_sql_wait(sample, "t", WPA_PATIENCE_MS,
                        "SELECT count(*) > 0 FROM wpa.agent WHERE pid = %d", (int)agent);
    lapse(sample);
    wait_state(sample, 1, "succeeded"); /* what was missed meanwhile is made up for */
    check_commits(sample, 1, "1", "0");

    /* while rolling back */
    agent = kill_at_intent(sample, agent, "deploy rollback d-1 --reason test");
    wpa_sample_sql_wait(sample, "t", WPA_PATIENCE_MS,
                        "SELECT count(*) > 0 FROM wpa.agent WHERE pid = %d", (int)agent);
    lapse(sample);
    wait_state(sample, 1, "rolled_back");
    check_commits(sample, 1, "2", "1");
    assert_string_equal(wpa_sample_git(sample, REPOSITORY, "rev-parse main^{tree}"), before);
    stop_it(agent);
    wpa_sample_server_wait_gone(sample, WPA_PATIENCE_MS);
}

static wpa_tty *open_console(const wpa_sample *sample)
{
    wpa_tty *tty = wpa_sample_tty(sample, "--workers 2", 24, 80);
    wpa_tty_expect(tty, "Passphrase");
    wpa_tty_send(tty, WPA_SAMPLE_PASSPHRASE "\r");
    wpa_tty_expect(tty, "LIVE  mira guardian");
    return tty;
}

static void server_and_consoles_are_killed(void **state)
{
    const wpa_sample *sample = *state;
    wpa_sample_import(sample, false);
    WPA_AUTO(wpa_tty) *first = open_console(sample);
    wpa_sample_sql_wait(sample, "0", WPA_PATIENCE_MS,
                        "SELECT count(*) FROM wpa.job WHERE state IN ('queued', 'running')");
    make_patch(sample);
    (void)wpa_sample_wpa(sample, 0, "deploy start p-1");
    wpa_sample_sql_wait(sample, "baking", WPA_PATIENCE_MS,
                        "SELECT state FROM wpa.deployment_stage WHERE deployment_id = 1");
    pid_t server = wpa_sample_server(sample);
    assert_true(server > 0);
    assert_int_equal(kill(server, SIGKILL), 0);
    wpa_tty_expect(first, "LOST");
    wpa_tty_expect(first, "LIVE  mira guardian");
    assert_int_not_equal(wpa_sample_server(sample), server);
    wait_state(sample, 1, "succeeded");
    check_commits(sample, 1, "1", "0");

    /* two consoles share the server; one is killed, the other sees to it */
    WPA_AUTO(wpa_tty) *second = open_console(sample);
    server = wpa_sample_server(sample);
    wpa_tty_signal(first, SIGKILL);
    assert_int_equal(wpa_tty_wait_exit(first, WPA_PATIENCE_MS), 128 + SIGKILL);
    (void)wpa_sample_wpa(sample, 0, "deploy rollback d-1 --reason test");
    lapse(sample);
    wait_state(sample, 1, "rolled_back");
    assert_int_equal(wpa_sample_server(sample), server);
    check_commits(sample, 1, "2", "1");
    wpa_tty_press(second, "q");
    assert_int_equal(wpa_tty_wait_exit(second, WPA_PATIENCE_MS), 0);
    wpa_sample_server_wait_gone(sample, WPA_PATIENCE_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_agent_is_killed, open_sample, close_sample),
        cmocka_unit_test_setup_teardown(server_and_consoles_are_killed, open_sample, close_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
