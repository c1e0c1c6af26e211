/* Patches of versions and of runners. */
#include "world.h"

#define CI_PATH ".github/workflows/ci.yml"
#define OTHER_PATH ".github/workflows/other.yml"
#define V420 "d632683dd7b4114ad314bca15554477dd762a938"
#define V430 "08eba0b27e820071cde6df949e0beb9ba4906955"
#define V600 "1af3b93b6815bc44a9784bd300feb67ff0d1eeb3"

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
                         "      - uses: actions/checkout@" V430 " # v4.3.0\n"
                         "        with:\n"
                         "          persist-credentials: false\n"
                         "      - run: echo build\n"
                         "      - uses: tj-actions/changed-files@" PIN "\n";

static const char OTHER[] = "name: Other\n"
                            "on:\n"
                            "  workflow_dispatch:\n"
                            "permissions: {}\n"
                            "jobs:\n"
                            "  other:\n"
                            "    runs-on: [self-hosted, big]\n"
                            "    timeout-minutes: 10\n"
                            "    steps:\n"
                            "      - run: echo other\n";

static const world_file FILES[] = {
    {CI_PATH, CI},
    {OTHER_PATH, OTHER},
    {"suite.sh", "echo 1..1; echo ok 1 - adds\n"},
};

#define CHECKOUT "actions/checkout@" V430 " # v4.3.0"
#define RUNNER "    runs-on: ubuntu-24.04\n"

typedef struct result_case {
    const char *title, *from, *to;
    const char *check, *result; /* result NULL: the check is not about it */
} result_case;

static const result_case cases[] = {
    {"no version changes", "timeout-minutes: 10", "timeout-minutes: 9", "V103", NULL},
    {"a major step", CHECKOUT, "actions/checkout@" V600 " # v6.0.0", "V103", "warn"},
    {"no step back", CHECKOUT, "actions/checkout@" V600 " # v6.0.0", "V104", "pass"},
    {"no advisory", CHECKOUT, "actions/checkout@" V600 " # v6.0.0", "V107", "pass"},
    {"a step back", CHECKOUT, "actions/checkout@" V420 " # v4.2.0", "V104", "fail"},
    {"a step back is no major step", CHECKOUT, "actions/checkout@" V420 " # v4.2.0", "V103",
     "pass"},
    {"versions that nobody knows", CHECKOUT, "actions/checkout@" PIN, "V104", "skipped"},
    {"a version with an advisory", "tj-actions/changed-files@" PIN, "tj-actions/changed-files@v44",
     "V107", "fail"},
    {"another one of GitHub's runners", RUNNER, "    runs-on: ubuntu-24.04-arm\n", "T206", "pass"},
    {"a runner that another job runs on", RUNNER, "    runs-on: [self-hosted, big]\n", "T206",
     "pass"},
    {"a runner of which nobody knows", RUNNER, "    runs-on: [self-hosted, small]\n", "T206",
     "skipped"},
    {"a slip", RUNNER, "    runs-on: ubunt-24.04\n", "T206", "fail"},
    {"a shell that the system does not have", "      - run: echo build\n",
     "      - run: echo build\n        shell: cmd\n", "T206", "fail"},
};

static const char *result_of(world *w, int64_t patch, const char *check)
{
    return wpa_test_sql_value(
        w->pg, 0, w->arena,
        wpa_arena_printf(w->arena,
                         "SELECT coalesce(max(c.result), '') FROM wpa.test_check c JOIN "
                         "wpa.test_run r ON r.id = c.test_run_id WHERE c.check_id = '%s' AND "
                         "r.patch_id = %lld",
                         check, (long long)patch));
}

static void versions_and_runners_are_looked_at(void **state)
{
    world *w = *state;
    size_t n_wrong = 0;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        const result_case *c = &cases[i];
        int64_t patch = store_content(w, CI_PATH, replace(w, CI, c->from, c->to));
        work(w);
        const char *result = result_of(w, patch, c->check);
        if (!wpa_text_is(result, c->result ? c->result : "")) {
            print_message("%s: %s %s\n", c->title, c->check, result);
            show_failures(w, patch);
            n_wrong++;
        }
        reject_all(w);
    }
    assert_int_equal(0, n_wrong);
}

static int open_world(void **state)
{
    return world_open(state, FILES, WPA_COUNT(FILES));
}

int main(void)
{
    wpa_test_pg_need();
    const struct CMUnitTest tests[] = {cmocka_unit_test(versions_and_runners_are_looked_at)};
    return cmocka_run_group_tests(tests, open_world, close_world);
}
