/*
 * kill -9 at every step of a deployment and of its rollback; another process goes on. Whatever
 * was left behind, each target ends with exactly one apply commit and at most one revert commit.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "world.h"

static const char *const forward[] = {
    "before-running",     "before-applying",   "between-targets",  "apply-before-intent",
    "apply-after-intent", "apply-before-push", "apply-after-push", "apply-before-done",
    "apply-after-done",   "before-verified",   "before-baking",    "before-measurement",
    "before-passed",      "before-success",
};

static const char *const backward[] = {
    "before-stage-failed", "between-reverts",    "revert-before-intent", "revert-after-intent",
    "revert-before-push",  "revert-after-push",  "revert-before-done",   "revert-after-done",
    "before-checks-again", "before-rolled-back",
};

/* A process of its own that dies at the place, or goes on to the end if it never comes there. */
static bool dies_at(world *w, const char *place)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv("WPA_FAULT", place, 1);
        work(w);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* The lease of a killed process lapses by itself after 30 s; the test does not wait for that. */
static void lapse(world *w)
{
    assert_string_equal(wpa_test_sql(w->pg, NULL, 0,
                                     "UPDATE wpa.job SET lease_until = clock_timestamp() - "
                                     "interval '1 second' WHERE state = 'running'"),
                        "00000");
    assert_true(wpa_test_sql_int(w->pg, 0, "SELECT wpa.reap(100)") >= 0);
}

static void check_commits(world *w, int n_apply_wanted, int n_revert_wanted, const char *place)
{
    for (size_t i = 0; i < w->n_targets; i++) {
        int n_apply = 0;
        int n_revert = 0;
        count_commits(w, i, &n_apply, &n_revert);
        if (n_apply != n_apply_wanted || n_revert != n_revert_wanted) {
            fail_msg("killed at %s: target %zu has %d apply and %d revert commits", place, i,
                     n_apply, n_revert);
        }
    }
    assert_int_equal(wpa_test_sql_int(w->pg, 0,
                                      "SELECT count(*) FROM wpa.target_intent WHERE state = "
                                      "'intended'"),
                     0);
    assert_int_equal(wpa_test_sql_int(w->pg, 0, "SELECT coalesce(wpa.audit_verify(1, 1000000), 0)"),
                     0);
    assert_int_equal(wpa_test_sql_int(w->pg, 0, "SELECT count(*) FROM wpa.target_claim"), 0);
}

/* Measuring once is enough to go on, and is done however long a busy machine takes. */
#define ONE_CHECK                                                                                  \
    "[{\"name\":\"up\",\"kind\":\"http\",\"url\":\"http://127.0.0.1/\",\"interval\":\"200ms\","    \
    "\"count\":1,\"critical\":true,\"error_limit\":1000}]"

static void begin(world *w, const char *checks)
{
    static const char rollout[] =
        "{\"strategy\":\"all-at-once\",\"bake_ms\":300,\"on_failure\":\"rollback\","
        "\"rollback_verify_ms\":1}";
    add_target(w, "ledger-api", rollout, checks);
    add_target(w, "web-front", rollout, checks);
    make_patch(w);
    start(w);
}

static void killed_on_the_way_forward(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(forward); i++) {
        world *w = world_new();
        begin(w, ONE_CHECK);
        if (!dies_at(w, forward[i])) {
            fail_msg("%s was not reached (%s)", forward[i], deployment_state(w));
        }
        lapse(w);
        work(w);
        if (!wpa_text_is(deployment_state(w), "succeeded")) {
            fail_msg("killed at %s: %s (%s)", forward[i], deployment_state(w),
                     deployment_reason(w));
        }
        assert_states(w, "succeeded", "deployed");
        assert_string_equal(target_states(w), "verified verified");
        check_commits(w, 1, 0, forward[i]);
        world_free(w);
    }
}

static void killed_on_the_way_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(backward); i++) {
        world *w = world_new();
        begin(w, CHECKS);
        script(w, "failure");
        if (!dies_at(w, backward[i])) {
            fail_msg("%s was not reached (%s)", backward[i], deployment_state(w));
        }
        lapse(w);
        script(w, "success");
        if (wpa_text_is(backward[i], "before-stage-failed")) {
            script(w, "failure"); /* the verdict is computed again from the same rows */
        }
        work(w);
        if (!wpa_text_is(deployment_state(w), "rolled_back")) {
            fail_msg("killed at %s: %s (%s), %s", backward[i], deployment_state(w),
                     deployment_reason(w), target_states(w));
        }
        assert_states(w, "rolled_back", "rolled_back");
        check_commits(w, 1, 1, backward[i]);
        for (size_t t = 0; t < w->n_targets; t++) {
            assert_string_equal(text_of(w, t), BEFORE);
        }
        world_free(w);
    }
}

static void killed_while_a_window_was_open(void **state)
{
    (void)state;
    wpa_error err = {0};
    world *w = world_new();
    begin(w, CHECKS);
    work(w);
    assert_states(w, "succeeded", "deployed");
    assert_true(wpa_deploy_roll_back(w->db, &w->guardian, w->deployment, -1, 100, "why", &err));
    assert_true(dies_at(w, "before-due-rollback"));
    lapse(w);
    work(w);
    assert_states(w, "rolled_back", "rolled_back");
    check_commits(w, 1, 1, "before-due-rollback");
    world_free(w);
}

/* An agent slept between its intent and its push, and meanwhile others applied and took it back. */
static void a_stale_push_after_rollback_is_refused(void **state)
{
    (void)state;
    wpa_error err = {0};
    world *w = world_new();
    begin(w, CHECKS);
    assert_true(dies_at(w, "apply-before-push"));
    const char *pushed = wpa_test_sql_value(
        w->pg, 0, w->arena, "SELECT old_oid || new_oid FROM wpa.target_intent LIMIT 1");
    const char *target = wpa_test_sql_value(w->pg, 0, w->arena,
                                            "SELECT r.url FROM wpa.target_intent i JOIN "
                                            "wpa.repository r ON r.id = i.target_id LIMIT 1");
    lapse(w);
    script(w, "failure");
    work(w);
    assert_string_equal(deployment_state(w), "rolled_back");
    WPA_AUTO(wpa_git) *git = wpa_git_open(target, &err);
    assert_non_null(git);
    assert_false(
        wpa_git_ref_swap(git, MAIN, wpa_arena_slice(w->arena, pushed, 40), pushed + 40, &err));
    assert_int_equal(err.code, WPA_E_CONFLICT);
    check_commits(w, 1, 1, "stale push");
    world_free(w);
}

int main(void)
{
    wpa_error err = {0};
#ifndef WPA_FAULTS
    puts("skipped: a release build has no fault points");
    return 77;
#endif
    wpa_test_pg_need();
    if (!wpa_git_init(&err)) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_on_the_way_forward),
        cmocka_unit_test(killed_on_the_way_back),
        cmocka_unit_test(killed_while_a_window_was_open),
        cmocka_unit_test(a_stale_push_after_rollback_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
