/* Patches of pins: is the commit the one that the comment names, and the repository's own? */
#include "world.h"

#define CI_PATH ".github/workflows/ci.yml"
#define V420 "d632683dd7b4114ad314bca15554477dd762a938"
#define V430 "08eba0b27e820071cde6df949e0beb9ba4906955"

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
                         "      - uses: actions/checkout@" V420 " # v4.2.0\n"
                         "        with:\n"
                         "          persist-credentials: false\n"
                         "      - uses: acme/tool@" PIN "\n"
                         "      - uses: far/thing@" PIN "\n"
                         "      - run: echo build\n";

static const world_file FILES[] = {{CI_PATH, CI}, {"suite.sh", "echo 1..1; echo ok 1 - adds\n"}};

#define CHECKOUT "actions/checkout@" V420 " # v4.2.0"

static const change_case cases[] = {
    {"nothing is pinned otherwise",
     {{CI_PATH, "timeout-minutes: 10", "timeout-minutes: 9"}},
     "",
     ""},
    {"another version, as it says",
     {{CI_PATH, CHECKOUT, "actions/checkout@" V430 " # v4.3.0"}},
     "",
     ""},
    {"the comment of another version",
     {{CI_PATH, CHECKOUT, "actions/checkout@" V430 " # v4.2.0"}},
     "S4 T102 T111 T208",
     ""},
    {"only the comment is another one",
     {{CI_PATH, CHECKOUT, "actions/checkout@" V420 " # v4.3.0"}},
     "S4 T102 T111 T208",
     ""},
    {"a commit that is not the version's",
     {{CI_PATH, CHECKOUT, "actions/checkout@" PIN " # v4.3.0"}},
     "S4 T102 T111 T208",
     ""},
};

static void comments_and_commits_fit(void **state)
{
    check_cases(*state, FILES, WPA_COUNT(FILES), cases, WPA_COUNT(cases));
}

/* ---- a repository of the fleet ---- */

typedef struct tool {
    char first[WPA_OID_SIZE], second[WPA_OID_SIZE], stray[WPA_OID_SIZE];
} tool;

static void commit(wpa_git *git, const char *parent, const char *text, char oid[WPA_OID_SIZE])
{
    wpa_error err = {0};
    static char before[WPA_OID_SIZE];
    char after[WPA_OID_SIZE];
    const wpa_git_identity who = {"Ann", "ann@example.org", 1700000000};
    assert_true(wpa_git_blob_id(text, strlen(text), after, &err));
    const wpa_git_edit edit = {.path = "action.yml",
                               .before = parent ? before : NULL,
                               .after = after,
                               .bytes = text,
                               .size_bytes = strlen(text)};
    if (!wpa_git_commit_make(git, parent, &edit, 1, &who, text, oid, &err)) {
        fail_msg("%s", err.message);
    }
    if (!parent) {
        memcpy(before, after, sizeof before);
    }
}

/** Two commits, each with its tag, the second one in the branch alone; and one that is in nothing.
 */
static tool make_tool(world *w)
{
    tool made;
    wpa_error err = {0};
    const char *path = wpa_path_join(w->arena, w->folder, "tool.git");
    WPA_AUTO(wpa_git) *git = wpa_git_create(path, "main", &err);
    assert_non_null(git);
    commit(git, NULL, "name: one\n", made.first);
    commit(git, made.first, "name: two\n", made.second);
    commit(git, made.first, "name: stray\n", made.stray);
    assert_true(wpa_git_ref_swap(git, "refs/heads/main", WPA_OID_ZERO, made.second, &err));
    assert_true(wpa_git_ref_swap(git, "refs/tags/v1.0.0", WPA_OID_ZERO, made.first, &err));
    assert_true(wpa_git_ref_swap(git, "refs/tags/v1.1.0", WPA_OID_ZERO, made.second, &err));
    wpa_test_sql_value(w->pg, w->guardian.principal_id, w->arena,
                       wpa_arena_printf(w->arena,
                                        "INSERT INTO wpa.repository (name, url, branch, owner, "
                                        "state) VALUES ('tool', '%s', 'main', 'Acme', 'ok') "
                                        "RETURNING 1",
                                        path));
    return made;
}

static const char *result_of(world *w, int64_t patch)
{
    return wpa_test_sql_value(
        w->pg, 0, w->arena,
        wpa_arena_printf(w->arena,
                         "SELECT c.result FROM wpa.test_check c JOIN wpa.test_run r ON r.id = "
                         "c.test_run_id WHERE c.check_id = 'T111' AND r.patch_id = %lld",
                         (long long)patch));
}

static const char *try_pin(world *w, const char *uses)
{
    int64_t patch = store_content(w, CI_PATH, replace(w, CI, "acme/tool@" PIN, uses));
    work(w);
    if (!wpa_text_is(result_of(w, patch), "fail")) {
        assert_string_equal("tested", ask(w, patch, "p.state"));
    }
    return result_of(w, patch);
}

static void a_repository_of_the_fleet_is_asked(void **state)
{
    world *w = *state;
    const tool made = make_tool(w);
    const struct {
        const char *commit, *hint, *result;
    } pins[] = {
        {made.second, " # v1.1.0", "pass"},
        {made.first, " # v1.0.0", "pass"},
        {made.first, "", "pass"},
        {made.first, " # v1.1.0", "fail"},
        {made.second, " # v2.0.0", "fail"},
        {"1111111111111111111111111111111111111111", " # v1.1.0", "fail"},
        {"1111111111111111111111111111111111111111", "", "fail"},
        {made.stray, "", "skipped"},
    };
    for (size_t i = 0; i < WPA_COUNT(pins); i++) {
        const char *uses =
            wpa_arena_printf(w->arena, "acme/tool@%s%s", pins[i].commit, pins[i].hint);
        const char *result = try_pin(w, uses);
        if (!wpa_text_is(result, pins[i].result)) {
            fail_msg("%s: %s", uses, result);
        }
    }
}

/* Nobody here can tell, which a guardian is shown; the patch is tested all the same. */
static void what_nobody_can_tell_is_skipped(void **state)
{
    world *w = *state;
    int64_t patch = store_content(
        w, CI_PATH,
        replace(w, CI, "far/thing@" PIN, "far/thing@2222222222222222222222222222222222222222"));
    work(w);
    assert_string_equal("tested", ask(w, patch, "p.state"));
    assert_string_equal("skipped", result_of(w, patch));
    assert_non_null(strstr(ask(w, patch, "p.report ->> 'skipped'"), "T111"));
}

static int open_world(void **state)
{
    return world_open(state, FILES, WPA_COUNT(FILES));
}

int main(void)
{
    wpa_test_pg_need();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_and_commits_fit),
        cmocka_unit_test(a_repository_of_the_fleet_is_asked),
        cmocka_unit_test(what_nobody_can_tell_is_skipped),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
