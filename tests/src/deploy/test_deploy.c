/* Deployments from start to end, on real repositories and a real database. */
#include "world.h"

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

static void one_target_is_deployed(void **in)
{
    world *w = *in;
    wpa_error err = {0};
    add_target(w, "ledger-api", ROLLOUT, CHECKS);
    make_patch(w);
    start(w);
    assert_states(w, "planned", "approved");
    work(w);
    assert_states(w, "succeeded", "deployed");
    assert_string_equal(target_states(w), "verified");
    assert_string_equal(stage_states(w), "passed");
    assert_string_equal(text_of(w, 0), AFTER);
    int n_apply = 0;
    int n_revert = 0;
    count_commits(w, 0, &n_apply, &n_revert);
    assert_int_equal(n_apply, 1);
    assert_int_equal(n_revert, 0);
    WPA_AUTO(wpa_git) *git = wpa_git_open(w->path[0], &err);
    wpa_git_commit commit;
    assert_true(wpa_git_commit_read(git, tip_of(w, 0), w->arena, &commit, &err));
    assert_string_equal(commit.parent, w->base[0]);
    size_t n = 0;
    const wpa_git_trailer *trailers = wpa_git_trailers(commit.message, w->arena, &n, &err);
    static const char *const keys[] = {"Wpa-Patch",  "Wpa-Revision", "Wpa-Deployment", "Wpa-Target",
                                       "Wpa-Digest", "Wpa-Intent",   "Wpa-Audit"};
    for (size_t i = 0; i < WPA_COUNT(keys); i++) {
        assert_non_null(wpa_git_trailer_find(trailers, n, keys[i]));
    }
    const char *anchor = wpa_git_trailer_find(trailers, n, "Wpa-Audit");
    assert_non_null(strchr(anchor, ':'));
    assert_int_equal(strlen(strchr(anchor, ':')), 17);
    assert_int_equal(wpa_test_sql_int(w->pg, 0, "SELECT count(*) FROM wpa.target_claim"), 0);
    assert_int_equal(
        wpa_test_sql_int(w->pg, 0, "SELECT count(*) FROM wpa.measurement WHERE phase = 'baseline'"),
        1);
    assert_true(wpa_test_sql_int(w->pg, 0,
                                 "SELECT count(*) FROM wpa.measurement WHERE phase = 'bake'") >= 3);
    assert_int_equal(wpa_test_sql_int(w->pg, 0, "SELECT coalesce(wpa.audit_verify(1, 1000000), 0)"),
                     0);
}

static void a_failing_check_takes_it_back(void **in)
{
    world *w = *in;
    add_target(w, "ledger-api",
               "{\"strategy\":\"all-at-once\",\"bake_ms\":600,\"rollback_verify_ms\":600000}",
               CHECKS);
    make_patch(w);
    start(w);
    script(w, "failure");
    work_until(w, TARGET_IS("reverted")); /* the check goes on failing for a while */
    assert_string_equal(text_of(w, 0), BEFORE);
    script(w, "success");
    work(w);
    assert_states(w, "rolled_back", "rolled_back");
    assert_string_equal(target_states(w), "reverted");
    assert_string_equal(stage_states(w), "reverted");
    assert_string_equal(value(w, "SELECT rule FROM wpa.deployment WHERE id =", w->deployment),
                        "R1");
    assert_non_null(strstr(deployment_reason(w), "as scripted"));
    assert_null(strstr(deployment_reason(w), "cause persists"));
    int n_apply = 0;
    int n_revert = 0;
    count_commits(w, 0, &n_apply, &n_revert);
    assert_int_equal(n_apply, 1);
    assert_int_equal(n_revert, 1);
    assert_int_equal(wpa_test_sql_int(w->pg, 0,
                                      "SELECT count(*) FROM wpa.notice WHERE level = "
                                      "'alarm'"),
                     1);
}

static void a_cause_that_persists_is_said(void **in)
{
    world *w = *in;
    add_target(w, "ledger-api",
               "{\"strategy\":\"all-at-once\",\"bake_ms\":600,\"rollback_verify_ms\":1}", CHECKS);
    make_patch(w);
    start(w);
    script(w, "failure");
    work(w);
    assert_states(w, "rolled_back", "rolled_back");
    assert_non_null(strstr(deployment_reason(w), "cause persists"));
}

static void a_guardian_rolls_back_within_the_window(void **in)
{
    world *w = *in;
    wpa_error err = {0};
    add_target(w, "ledger-api", ROLLOUT, CHECKS);
    make_patch(w);
    start(w);
    work(w);
    assert_states(w, "succeeded", "deployed");
    assert_true(
        wpa_deploy_roll_back(w->db, &w->guardian, w->deployment, -1, 60000, "a doubt", &err));
    assert_states(w, "succeeded", "deployed");
    assert_true(wpa_deploy_cancel_rollback(w->db, &w->guardian, w->deployment, &err));
    assert_false(wpa_deploy_cancel_rollback(w->db, &w->guardian, w->deployment, &err));
    assert_int_equal(err.code, WPA_E_REFUSED);
    work(w);
    assert_states(w, "succeeded", "deployed");
    wpa_error_clear(&err);
    assert_true(wpa_deploy_roll_back(w->db, &w->guardian, w->deployment, -1, 300, "a doubt", &err));
    work(w);
    assert_states(w, "rolled_back", "rolled_back");
    assert_string_equal(deployment_reason(w), "a doubt");
    assert_string_equal(text_of(w, 0), BEFORE);
    assert_false(wpa_deploy_roll_back(w->db, &w->guardian, w->deployment, -1, 0, "", &err));
    assert_int_equal(err.code, WPA_E_REFUSED);
}

static void a_rollback_while_running_and_its_cancelling(void **in)
{
    world *w = *in;
    wpa_error err = {0};
    add_target(w, "ledger-api",
               "{\"strategy\":\"all-at-once\",\"bake_ms\":60000,\"rollback_verify_ms\":1000}",
               CHECKS);
    make_patch(w);
    start(w);
    work_until(w, STAGE_IS("baking"));
    assert_states(w, "running", "approved");
    assert_true(wpa_deploy_roll_back(w->db, &w->guardian, w->deployment, -1, 60000, "hm", &err));
    assert_states(w, "paused", "approved");
    assert_false(wpa_deploy_resume(w->db, &w->guardian, w->deployment, -1, &err));
    assert_int_equal(err.code, WPA_E_REFUSED);
    wpa_error_clear(&err);
    assert_false(wpa_deploy_promote(w->db, &w->guardian, w->deployment, -1, "go on", &err));
    assert_int_equal(err.code, WPA_E_REFUSED);
    wpa_error_clear(&err);
    assert_true(wpa_deploy_cancel_rollback(w->db, &w->guardian, w->deployment, &err));
    assert_states(w, "running", "approved");
    assert_true(wpa_deploy_roll_back(w->db, &w->guardian, w->deployment, -1, 60000, "hm", &err));
    assert_true(wpa_deploy_rollback_now(w->db, &w->guardian, w->deployment, &err));
    assert_states(w, "rolling_back", "approved");
    work(w);
    assert_states(w, "rolled_back", "rolled_back");
    assert_string_equal(text_of(w, 0), BEFORE);
}

static void another_file_moved_the_branch(void **in)
{
    world *w = *in;
    add_target(w, "ledger-api", ROLLOUT, CHECKS);
    make_patch(w);
    start(w);
    const char *other = commit_file(w, 0, "README.md", NULL, "new\n");
    work(w);
    assert_states(w, "succeeded", "deployed");
    assert_string_equal(
        value(w, "SELECT base_oid FROM wpa.deployment_target WHERE deployment_id =", w->deployment),
        other);
    assert_string_equal(text_of(w, 0), AFTER);
}

static void the_same_file_was_changed(void **in)
{
    world *w = *in;
    add_target(w, "ledger-api", ROLLOUT, CHECKS);
    make_patch(w);
    start(w);
    commit_file(w, 0, CI, BEFORE, "on: pull_request\njobs: {}\n");
    work(w);
    assert_states(w, "aborted", "failed:deploy_failed");
    assert_string_equal(text_of(w, 0), "on: pull_request\njobs: {}\n");
    const char *note =
        value(w, "SELECT note FROM wpa.deployment_target WHERE deployment_id =", w->deployment);
    static const char *const said[] = {
        "target ledger-api branch main: moved from ", "1 commit", "J. Doe",
        "was changed there and by this patch",
        "Nothing was pushed. Next: wpa fleet scan ledger-api --wait, "
        "and wpa patch create"};
    for (size_t i = 0; i < WPA_COUNT(said); i++) {
        if (strstr(note, said[i]) == NULL) {
            fail_msg("no '%s' in '%s'", said[i], note);
        }
    }
}

static void already_in_place(void **in)
{
    world *w = *in;
    add_target(w, "ledger-api", ROLLOUT, CHECKS);
    make_patch(w);
    start(w);
    const char *theirs = commit_file(w, 0, CI, BEFORE, AFTER);
    work(w);
    assert_states(w, "succeeded", "deployed");
    assert_string_equal(target_states(w), "skipped");
    assert_string_equal(tip_of(w, 0), theirs);
}

static void others_changed_the_file_after_us(void **in)
{
    world *w = *in;
    wpa_error err = {0};
    add_target(w, "ledger-api", ROLLOUT, CHECKS);
    make_patch(w);
    start(w);
    work(w);
    commit_file(w, 0, CI, AFTER, "theirs\n");
    assert_true(wpa_deploy_roll_back(w->db, &w->guardian, w->deployment, -1, 0, "no", &err));
    work(w);
    assert_states(w, "stuck", "failed:rollback_incomplete");
    assert_string_equal(target_states(w), "revert_blocked");
    assert_string_equal(text_of(w, 0), "theirs\n");
    commit_file(w, 0, CI, "theirs\n", BEFORE); /* somebody restores it by hand */
    assert_true(wpa_deploy_roll_back(w->db, &w->guardian, w->deployment, -1, 0, "again", &err));
    work(w);
    assert_states(w, "rolled_back", "rolled_back");
    assert_string_equal(target_states(w), "reverted");
}

static void inconclusive_is_held_and_promoted(void **in)
{
    world *w = *in;
    wpa_error err = {0};
    add_target(w, "ledger-api", ROLLOUT, CHECKS);
    make_patch(w);
    start(w);
    script(w, "inconclusive");
    work_until(w, STATE_IS("paused"));
    assert_states(w, "paused", "approved");
    assert_non_null(strstr(deployment_reason(w), "inconclusive"));
    assert_false(wpa_deploy_promote(w->db, &w->guardian, w->deployment, -1, "", &err));
    assert_true(wpa_deploy_promote(w->db, &w->guardian, w->deployment, -1, "looked myself", &err));
    work(w);
    assert_states(w, "succeeded", "deployed");
}

static void resume_bakes_anew_and_conclude_leaves_it(void **in)
{
    world *w = *in;
    wpa_error err = {0};
    add_target(w, "ledger-api", ROLLOUT, CHECKS);
    make_patch(w);
    start(w);
    script(w, "inconclusive");
    work_until(w, STATE_IS("paused"));
    assert_states(w, "paused", "approved");
    assert_true(wpa_deploy_resume(w->db, &w->guardian, w->deployment, -1, &err));
    work_until(w, STATE_IS("paused"));
    assert_states(w, "paused", "approved");
    assert_true(wpa_deploy_conclude(w->db, &w->guardian, w->deployment, -1, "enough", &err));
    work(w);
    assert_states(w, "aborted", "failed:partial");
    assert_string_equal(text_of(w, 0), AFTER);
}

static void cancelled_before_it_began(void **in)
{
    world *w = *in;
    wpa_error err = {0};
    add_target(w, "ledger-api", ROLLOUT, CHECKS);
    make_patch(w);
    start(w);
    assert_true(wpa_deploy_abort(w->db, &w->guardian, w->deployment, -1, "not today", &err));
    work(w);
    assert_states(w, "aborted", "approved");
    assert_string_equal(target_states(w), "skipped");
    assert_string_equal(text_of(w, 0), BEFORE);
}

static void what_cannot_be_started(void **in)
{
    world *w = *in;
    wpa_error err = {0};
    char digest[65];
    add_target(w, "ledger-api", ROLLOUT, "[]");
    make_patch(w);
    assert_false(wpa_deploy_start(w->db, &w->guardian, w->patch, NULL, &w->deployment, &err));
    assert_int_equal(err.code, WPA_E_REFUSED);
    assert_non_null(strstr(err.message, "no health check"));
    assert_string_equal(wpa_test_sql(w->pg, NULL, w->guardian.principal_id,
                                     "UPDATE wpa.repository SET health_checks = '" CHECKS "'"),
                        "00000");
    assert_non_null(wpa_deploy_plan(w->db, w->patch, w->arena, digest, &err));
    assert_false(wpa_deploy_start(w->db, &w->guardian, w->patch, "00ff", &w->deployment, &err));
    assert_int_equal(err.code, WPA_E_CONFLICT);
    const wpa_actor viewer = wpa_test_person(w->pg, "tom", WPA_ROLE_VIEWER);
    assert_false(wpa_deploy_start(w->db, &viewer, w->patch, digest, &w->deployment, &err));
    assert_int_equal(err.code, WPA_E_DENIED);
    wpa_actor machine = w->guardian;
    machine.cannot_approve = true; /* and it has not been approved */
    wpa_error_clear(&err);
    assert_false(wpa_deploy_start(w->db, &machine, w->patch, digest, &w->deployment, &err));
    assert_int_equal(err.code, WPA_E_DENIED);
    assert_true(wpa_deploy_start(w->db, &w->guardian, w->patch, digest, &w->deployment, &err));
    int64_t second = 0;
    assert_false(wpa_deploy_start(w->db, &w->guardian, w->patch, digest, &second, &err));
    assert_true(wpa_deploy_abort(w->db, &w->guardian, w->deployment, -1, "not today", &err));
    work(w);
    assert_states(w, "aborted", "approved");
    assert_string_equal(text_of(w, 0), BEFORE);
}

static void no_right_to_push(void **in)
{
    world *w = *in;
    add_target(w, "ledger-api", ROLLOUT, CHECKS);
    make_patch(w);
    wpa_error err = {0};
    assert_true(wpa_dir_remove(w->path[0], &err));
    start(w);
    work(w);
    assert_states(w, "aborted", "failed:deploy_failed");
    assert_non_null(strstr(deployment_reason(w), "preflight failed"));
}

static void waves_go_in_order_and_back_in_reverse(void **in)
{
    world *w = *in;
    static const char rollout[] =
        "{\"strategy\":\"waves-percent\",\"percents\":[34,100],\"bake_ms\":300,"
        "\"on_failure\":\"rollback\",\"gate\":\"guardian\",\"rollback_verify_ms\":1000}";
    static const char *const names[] = {"a", "b", "c"};
    wpa_error err = {0};
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        add_target(w, names[i], rollout, CHECKS);
    }
    make_patch(w);
    start(w);
    work_until(w, STATE_IS("paused"));
    assert_states(w, "paused", "approved"); /* the gate before stage 2 */
    assert_string_equal(stage_states(w), "passed waiting");
    assert_true(wpa_deploy_resume(w->db, &w->guardian, w->deployment, -1, &err));
    work(w);
    assert_states(w, "succeeded", "deployed");
    assert_true(wpa_deploy_roll_back(w->db, &w->guardian, w->deployment, -1, 0, "all back", &err));
    work(w);
    assert_states(w, "rolled_back", "rolled_back");
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        assert_string_equal(text_of(w, i), BEFORE);
    }
    assert_string_equal(
        value(w,
              "SELECT string_agg(n::text, '' ORDER BY reverted_at) FROM wpa.deployment_target "
              "WHERE deployment_id =",
              w->deployment),
        "211"); /* 34 % of three is two: the last of stage 2 first, then stage 1 */
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
        CASE(one_target_is_deployed),
        CASE(a_failing_check_takes_it_back),
        CASE(a_cause_that_persists_is_said),
        CASE(a_guardian_rolls_back_within_the_window),
        CASE(a_rollback_while_running_and_its_cancelling),
        CASE(another_file_moved_the_branch),
        CASE(the_same_file_was_changed),
        CASE(already_in_place),
        CASE(others_changed_the_file_after_us),
        CASE(inconclusive_is_held_and_promoted),
        CASE(resume_bakes_anew_and_conclude_leaves_it),
        CASE(cancelled_before_it_began),
        CASE(what_cannot_be_started),
        CASE(no_right_to_push),
        CASE(waves_go_in_order_and_back_in_reverse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
