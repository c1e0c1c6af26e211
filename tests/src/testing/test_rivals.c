/* Patches of the same files beside each other: what goes together, and what does not. */
#include "world.h"

#define CI_PATH ".github/workflows/ci.yml"
#define OLD_PATH ".github/workflows/old.yml"
#define NEW_PATH ".github/workflows/new.yml"

static const char CI[] = "name: CI\n"
                         "on:\n"
                         "  push:\n"
                         "    branches: [main]\n"
                         "permissions: {}\n"
                         "jobs:\n"
                         "  build:\n"
                         "    runs-on: ubuntu-24.04\n"
                         "    timeout-minutes: 10\n"
                         "    steps:\n"
                         "      - run: make it\n"
                         "  check:\n"
                         "    runs-on: ubuntu-24.04\n"
                         "    timeout-minutes: 20\n"
                         "    steps:\n"
                         "      - run: make check\n";

static const char OLD[] = "name: Old\n"
                          "on:\n"
                          "  workflow_dispatch:\n"
                          "permissions: {}\n"
                          "jobs:\n"
                          "  old:\n"
                          "    runs-on: ubuntu-24.04\n"
                          "    timeout-minutes: 5\n"
                          "    steps:\n"
                          "      - run: echo old\n";

static const char ADDED[] = "name: New\n"
                            "on:\n"
                            "  workflow_dispatch:\n"
                            "permissions: {}\n"
                            "jobs:\n"
                            "  new:\n"
                            "    runs-on: ubuntu-24.04\n"
                            "    timeout-minutes: 5\n"
                            "    steps:\n"
                            "      - run: echo new\n";

static const world_file FILES[] = {
    {CI_PATH, CI}, {OLD_PATH, OLD}, {"suite.sh", "echo 1..1; echo ok 1 - adds\n"}};

/* Text of CI with one replacement, as a patch that is not tested yet. */
static int64_t propose(world *w, const char *from, const char *to)
{
    int64_t patch = store_content(w, CI_PATH, replace(w, CI, from, to));
    wpa_test_sql_value(w->pg, 0, w->arena,
                       "UPDATE wpa.job SET state = 'cancelled', finished_at = clock_timestamp() "
                       "WHERE state = 'queued' RETURNING 1");
    return patch;
}

static const char *result_of(world *w, int64_t patch)
{
    return wpa_test_sql_value(
        w->pg, 0, w->arena,
        wpa_arena_printf(w->arena,
                         "SELECT c.result FROM wpa.test_check c JOIN wpa.test_run r ON r.id = "
                         "c.test_run_id WHERE c.check_id = 'T207' AND r.patch_id = %lld",
                         (long long)patch));
}

static const char *count_of(world *w, int64_t patch)
{
    return wpa_test_sql_value(
        w->pg, 0, w->arena,
        wpa_arena_printf(w->arena,
                         "SELECT count(*) FROM wpa.test_check c JOIN wpa.test_run r ON r.id = "
                         "c.test_run_id WHERE c.check_id = 'T207' AND r.patch_id = %lld",
                         (long long)patch));
}

static const char *labels_of(world *w, int64_t patch)
{
    return wpa_test_sql_value(
        w->pg, 0, w->arena,
        wpa_arena_printf(w->arena,
                         "SELECT string_agg(e ->> 'label', ', ') FROM wpa.test_check c JOIN "
                         "wpa.test_run r ON r.id = c.test_run_id, jsonb_array_elements(c.evidence "
                         "-> 'items') e WHERE c.check_id = 'T207' AND r.patch_id = %lld",
                         (long long)patch));
}

static void approve(world *w, int64_t patch)
{
    work(w);
    assert_string_equal("tested", ask(w, patch, "p.state"));
    wpa_test_sql_value(w->pg, w->guardian.principal_id, w->arena,
                       wpa_arena_printf(w->arena,
                                        "INSERT INTO wpa.approval (patch_id, digest, guardian_id, "
                                        "expires_at) SELECT id, digest, %lld, clock_timestamp() + "
                                        "interval '1 day' FROM wpa.patch WHERE id = %lld "
                                        "RETURNING 1",
                                        (long long)w->guardian.principal_id, (long long)patch));
    wpa_test_sql_value(w->pg, w->guardian.principal_id, w->arena,
                       wpa_arena_printf(w->arena,
                                        "UPDATE wpa.patch SET state = 'approved' WHERE id = %lld "
                                        "RETURNING 1",
                                        (long long)patch));
}

static const struct {
    const char *title;
    const char *from, *to;             /* of the one that is there */
    const char *other_from, *other_to; /* of the one that is tested */
    const char *result, *approved_result, *labels;
} cases[] = {
    {"other lines", "timeout-minutes: 20", "timeout-minutes: 25", "timeout-minutes: 10",
     "timeout-minutes: 12", "pass", "pass", "fits, looked at"},
    {"the same line", "timeout-minutes: 10", "timeout-minutes: 15", "timeout-minutes: 10",
     "timeout-minutes: 12", "warn", "fail", "conflict, looked at"},
    {"lines beside each other", "make it", "make it all", "    timeout-minutes: 10\n    steps:\n",
     "    timeout-minutes: 11\n    steps:\n", "pass", "pass", "fits, looked at"},
    {"lines that touch", "name: CI", "name: Build", "on:\n  push:\n", "'on':\n  push:\n", "warn",
     "fail", "conflict, looked at"},
    {"the same change", "timeout-minutes: 10", "timeout-minutes: 12", "timeout-minutes: 10",
     "timeout-minutes: 12", "warn", "warn", "the same, looked at"},
    {"a key that each of them adds", "name: CI\n", "name: CI\nrun-name: one\n", "permissions: {}\n",
     "permissions: {}\nrun-name: two\n", "warn", "fail", "conflict, looked at"},
};

static void try_beside(world *w, size_t i, bool is_approved)
{
    int64_t there;
    reject_all(w);
    if (is_approved) {
        there = store_content(w, CI_PATH, replace(w, CI, cases[i].from, cases[i].to));
        approve(w, there);
    } else {
        there = propose(w, cases[i].from, cases[i].to);
    }
    int64_t patch =
        store_content(w, CI_PATH, replace(w, CI, cases[i].other_from, cases[i].other_to));
    work(w);
    const char *expected = is_approved ? cases[i].approved_result : cases[i].result;
    if (!wpa_text_is(expected, result_of(w, patch)) ||
        !wpa_text_is(cases[i].labels, labels_of(w, patch))) {
        show_failures(w, patch);
        fail_msg("%s beside p-%lld: %s (%s)", cases[i].title, (long long)there, result_of(w, patch),
                 labels_of(w, patch));
    }
}

static void changes_of_one_file_meet(void **state)
{
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        try_beside(*state, i, false);
    }
}

static void what_is_approved_comes_first(void **state)
{
    static const size_t some[] = {0, 1, 4};
    for (size_t i = 0; i < WPA_COUNT(some); i++) {
        try_beside(*state, some[i], true);
    }
}

static void files_that_come_and_go_meet(void **state)
{
    world *w = *state;
    reject_all(w);
    int64_t gone =
        store_changes(w, FILES, WPA_COUNT(FILES), (const change[3]){{OLD_PATH, NULL, NULL}});
    work(w);
    assert_string_equal("0", count_of(w, gone)); /* alone: there is nothing to look at */
    wpa_test_sql_value(
        w->pg, w->guardian.principal_id, w->arena,
        wpa_arena_printf(w->arena,
                         "UPDATE wpa.patch SET state = 'pending', reason = NULL WHERE id = %lld "
                         "RETURNING 1",
                         (long long)gone));
    int64_t patch = store_changes(w, FILES, WPA_COUNT(FILES),
                                  (const change[3]){{OLD_PATH, "echo old", "echo older"}});
    work(w);
    assert_string_equal("warn", result_of(w, patch));

    reject_all(w);
    (void)store_content(w, NEW_PATH, ADDED);
    work(w);
    patch = store_content(w, NEW_PATH, replace(w, ADDED, "echo new", "echo newer"));
    work(w);
    assert_string_equal("warn", result_of(w, patch));
}

static int open_world(void **state)
{
    return world_open(state, FILES, WPA_COUNT(FILES));
}

int main(void)
{
    wpa_test_pg_need();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_of_one_file_meet),
        cmocka_unit_test(what_is_approved_comes_first),
        cmocka_unit_test(files_that_come_and_go_meet),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
