/*
 * A bake is judged by what was measured in it: an agent that did not run for a while has seen
 * nothing, neither good nor bad. Time passes here by moving what has happened into the past.
 */
#include "world.h"

#define BAKE                                                                                       \
    "{\"strategy\":\"all-at-once\",\"bake_ms\":300000,\"on_failure\":\"rollback\","                \
    "\"rollback_verify_ms\":1}"
#define CHECKS_OF(interval, more)                                                                  \
    "[{\"name\":\"up\",\"kind\":\"http\",\"url\":\"http://127.0.0.1/\",\"interval\":\"" interval   \
    "\",\"critical\":true" more "}]"
#define EVERY_100_S CHECKS_OF("100s", "") /* three times in the bake */

#define N_MEASURED(n) "(SELECT count(*) FROM wpa.measurement WHERE phase = 'bake') = " #n
#define N_FAILED(n)                                                                                \
    "(SELECT count(*) FROM wpa.measurement WHERE phase = 'bake' AND result = 'failure') = " #n

static int setup(void **out)
{
    *out = world_new();
    return 0;
}

static int teardown(void **in)
{
    world_free(*in);
    return 0;
}

/* Nobody works meanwhile. */
static void time_passes(world *w, int seconds)
{
    const char *sql = wpa_arena_printf(
        w->arena,
        "WITH passed AS (SELECT make_interval(secs => %d) AS time), "
        "d AS (UPDATE wpa.deployment SET paused_at = paused_at - time FROM passed), "
        "s AS (UPDATE wpa.deployment_stage SET baking_at = baking_at - time, bake_until = "
        "bake_until - time FROM passed), "
        "m AS (UPDATE wpa.measurement SET due = due - time, started_at = started_at - time, "
        "ended_at = ended_at - time FROM passed) "
        "UPDATE wpa.job SET run_after = run_after - time FROM passed",
        seconds);
    assert_string_equal(wpa_test_sql(w->pg, NULL, w->engine.principal_id, sql), "00000");
}

/* Deployed to the bake, and measured there for the first time. */
static world *bake(void **in, const char *checks)
{
    world *w = *in;
    add_target(w, "ledger-api", BAKE, checks);
    make_patch(w);
    start(w);
    work_until(w, N_MEASURED(1));
    assert_string_equal(stage_states(w), "baking");
    return w;
}

static const char *verdict(world *w)
{
    return value(w, "SELECT concat_ws(': ', verdict, reason) FROM wpa.probe WHERE deployment_id =",
                 w->deployment);
}

static void missed_measurements_are_made_up_for(void **in)
{
    world *w = bake(in, EVERY_100_S);
    time_passes(w, 330); /* two were missed, and the time is over */
    work_until(w, N_MEASURED(2));
    assert_states(w, "running", "approved");
    assert_string_equal(verdict(w), "running: makes up for measurements that were missed");
    time_passes(w, 100);
    work(w);
    assert_states(w, "succeeded", "deployed");
    assert_string_equal(verdict(w), "success");
}

static void what_went_bad_meanwhile_is_taken_back(void **in)
{
    world *w = bake(in, EVERY_100_S);
    script(w, "failure");
    time_passes(w, 330);
    work_until(w, N_FAILED(1)); /* asked once more before it counts */
    time_passes(w, 10);
    work(w);
    assert_states(w, "rolled_back", "rolled_back");
    assert_string_equal(text_of(w, 0), BEFORE);
}

/* All that was due has been measured, but long ago. */
static void what_went_bad_at_the_end_is_taken_back(void **in)
{
    world *w = bake(in, CHECKS_OF("300s", ""));
    script(w, "failure");
    time_passes(w, 650);
    work_until(w, N_FAILED(1));
    time_passes(w, 10);
    work(w);
    assert_states(w, "rolled_back", "rolled_back");
    assert_string_equal(text_of(w, 0), BEFORE);
}

static void the_end_is_looked_at(void **in)
{
    world *w = bake(in, CHECKS_OF("300s", ""));
    time_passes(w, 650);
    work(w);
    assert_states(w, "succeeded", "deployed");
    assert_int_equal(
        wpa_test_sql_int(w->pg, 0, "SELECT count(*) FROM wpa.measurement WHERE phase = 'bake'"), 2);
}

/* It has an end: so long again and ten minutes. Then a guardian is asked. */
static void overtime_ends(void **in)
{
    world *w = bake(in, EVERY_100_S);
    time_passes(w, 300 + 300 + 600);
    work_until(w, STATE_IS("paused"));
    assert_non_null(strstr(deployment_reason(w), "too few of the measurements due were made"));
    assert_int_equal(
        wpa_test_sql_int(w->pg, 0, "SELECT count(*) FROM wpa.measurement WHERE phase = 'bake'"), 2);
}

static void what_is_bad_behind_overtime_is_taken_back(void **in)
{
    world *w = bake(in, EVERY_100_S);
    script(w, "failure");
    time_passes(w, 86400);
    work_until(w, N_FAILED(1));
    time_passes(w, 10);
    work(w);
    assert_states(w, "rolled_back", "rolled_back");
}

/* What could not be measured has not been, with a count as well. */
static void errors_are_made_up_for(void **in)
{
    script(*in, "error");
    world *w = bake(in, CHECKS_OF("100s", ",\"count\":1"));
    script(w, "success");
    time_passes(w, 100);
    work_until(w, N_MEASURED(2));
    assert_string_equal(verdict(w), "success");
    time_passes(w, 200);
    work(w);
    assert_states(w, "succeeded", "deployed");
}

static void a_pause_loses_no_measurement(void **in)
{
    wpa_error err = {0};
    world *w = bake(in, EVERY_100_S);
    time_passes(w, 100);
    work_until(w, N_MEASURED(2));
    assert_true(wpa_deploy_pause(w->db, &w->guardian, w->deployment, -1, "a doubt", &err));
    time_passes(w, 1000);
    assert_true(wpa_deploy_resume(w->db, &w->guardian, w->deployment, -1, &err));
    work_until(w, N_MEASURED(3)); /* at once: nobody has looked for long */
    assert_string_equal(stage_states(w), "baking");
    time_passes(w, 200);
    work(w);
    assert_states(w, "succeeded", "deployed");
}

/* The pause does not wash away what was seen before it. */
static void a_pause_forgets_no_failure(void **in)
{
    wpa_error err = {0};
    script(*in, "failure");
    world *w = bake(in, CHECKS_OF("100s", ",\"failure_limit\":1"));
    assert_true(wpa_deploy_pause(w->db, &w->guardian, w->deployment, -1, "a doubt", &err));
    time_passes(w, 1000);
    assert_true(wpa_deploy_resume(w->db, &w->guardian, w->deployment, -1, &err));
    work(w);
    assert_states(w, "rolled_back", "rolled_back");
}

int main(void)
{
    wpa_error err = {0};
    wpa_test_pg_need();
    if (!wpa_git_init(&err)) {
        return 1;
    }
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(missed_measurements_are_made_up_for),
        CASE(what_went_bad_meanwhile_is_taken_back),
        CASE(what_went_bad_at_the_end_is_taken_back),
        CASE(the_end_is_looked_at),
        CASE(overtime_ends),
        CASE(what_is_bad_behind_overtime_is_taken_back),
        CASE(errors_are_made_up_for),
        CASE(a_pause_loses_no_measurement),
        CASE(a_pause_forgets_no_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
