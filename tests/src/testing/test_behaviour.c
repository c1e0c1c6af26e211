/* Patches of scripts: do they do the same as before, with stand-ins for what is not there? */
#include "world.h"

#define PATH ".github/workflows/ci.yml"

#define HEAD                                                                                       \
    "name: CI\n"                                                                                   \
    "on: pull_request\n"                                                                           \
    "permissions: {}\n"                                                                            \
    "jobs:\n"                                                                                      \
    "  one:\n"                                                                                     \
    "    runs-on: ubuntu-24.04\n"                                                                  \
    "    timeout-minutes: 5\n"                                                                     \
    "    steps:\n"
#define STEP(script) "      - name: it\n        run: |\n" script
#define WITH_ENV(script, env)                                                                      \
    "      - name: it\n        env:\n          " env "\n        run: |\n" script
#define LINE(text) "          " text "\n"

static const world_file FILES[] = {
    {PATH, HEAD STEP(LINE("true"))},
    {"VERSION", "1.2\nmore\n"},
    {"suite.sh", "echo 1..1; echo ok 1 - adds\n"},
};

static const struct {
    const char *title, *before, *after;
    const char *new_file, *new_text; /* in the patch as well; NULL: none */
    const char *result;              /* of T107 if nothing is declared; "": it has no subject */
} cases[] = {
    {"an expression becomes a variable",
     STEP(LINE("echo \"ref=${{ github.head_ref }}\" >> \"$GITHUB_OUTPUT\"")),
     WITH_ENV(LINE("echo \"ref=$REF\" >> \"$GITHUB_OUTPUT\""), "REF: ${{ github.head_ref }}"), NULL,
     NULL, "pass"},
    {"one that the runner sets", STEP(LINE("make test && echo '${{ github.ref_name }}' > ref")),
     STEP(LINE("make test && echo \"$GITHUB_REF_NAME\" > ref")), NULL, NULL, "pass"},
    {"one of an earlier step", STEP(LINE("echo ${{ env.Mode }} > mode")),
     STEP(LINE("echo \"$Mode\" > mode")), NULL, NULL, "pass"},
    {"in quotes in which it is none",
     STEP(LINE("echo \"ref=${{ github.head_ref }}\" >> \"$GITHUB_OUTPUT\"")),
     WITH_ENV(LINE("echo 'ref=$REF' >> \"$GITHUB_OUTPUT\""), "REF: ${{ github.head_ref }}"), NULL,
     NULL, "fail"},
    {"an output by command", STEP(LINE("echo '::set-output name=a::b c'")),
     STEP(LINE("echo 'a=b c' >> \"$GITHUB_OUTPUT\"")), NULL, NULL, "pass"},
    {"another value in the environment alone",
     WITH_ENV(LINE("echo \"m=$MODE\" >> \"$GITHUB_ENV\""), "MODE: fast"),
     WITH_ENV(LINE("echo \"m=$MODE\" >> \"$GITHUB_ENV\""), "MODE: slow"), NULL, NULL, "fail"},
    {"a program that is called with something else",
     WITH_ENV(LINE("deploy \"$PLACE\" | tee log"), "PLACE: here"),
     WITH_ENV(LINE("deploy \"$PLACE\" | tee log"), "PLACE: there"), NULL, NULL, "fail"},
    {"a failure", STEP(LINE("make test")), STEP(LINE("make test") LINE("exit 3")), NULL, NULL,
     "fail"},
    {"a file of the repository is read", STEP(LINE("v=$(head -n1 VERSION); echo \"v=$v\" > out")),
     STEP(LINE("read -r v < VERSION; echo \"v=$v\" > out")), NULL, NULL, "pass"},
    {"another line of it is read", STEP(LINE("v=$(head -n1 VERSION); echo \"v=$v\" > out")),
     STEP(LINE("v=$(tail -n1 VERSION); echo \"v=$v\" > out")), NULL, NULL, "fail"},
    {"a script becomes a file", STEP(LINE("make test") LINE("echo a=b >> \"$GITHUB_OUTPUT\"")),
     STEP(LINE("./tools/it.sh")), "tools/it.sh",
     "#!/bin/sh\nmake test\necho a=b >> \"$GITHUB_OUTPUT\"\n", "pass"},
    {"one that does not end", STEP(LINE("until ready; do true; done; while true; do true; done")),
     STEP(LINE("while true; do true; done")), NULL, NULL, "skipped"},
    {"one that needs what is not there", STEP(LINE("cat /srv/data/list > out")),
     STEP(LINE("cat /srv/data/list >> out")), NULL, NULL, "skipped"},
    {"one that is never the same", STEP(LINE("echo \"n=$RANDOM$RANDOM$RANDOM\" > out")),
     STEP(LINE("echo \"n=$RANDOM$RANDOM\" > out")), NULL, NULL, "skipped"},
    {"a step that gets another name", STEP(LINE("make test")),
     "      - name: tests\n        run: |\n" LINE("make test"), NULL, NULL, ""},
};

static void put_base(world *w, const char *text)
{
    wpa_error err = {0};
    char head[WPA_OID_SIZE], next[WPA_OID_SIZE], blob[WPA_OID_SIZE];
    wpa_git_entry entry;
    const wpa_git_identity who = {"Ann", "ann@example.org", 1700000100};
    assert_true(wpa_git_ref_read(w->git, "refs/heads/main", head, &err));
    assert_true(wpa_git_tree_find(w->git, head, PATH, w->arena, &entry, &err));
    assert_true(wpa_git_blob_id(text, strlen(text), blob, &err));
    const wpa_git_edit edit = {.path = PATH,
                               .before = entry.oid,
                               .after = blob,
                               .bytes = text,
                               .size_bytes = strlen(text)};
    assert_true(wpa_git_commit_make(w->git, head, &edit, 1, &who, "next", next, &err));
    assert_true(wpa_git_ref_swap(w->git, "refs/heads/main", head, next, &err));
}

static int64_t store_case(world *w, size_t i, bool is_declared)
{
    static const char *const declares[] = {"script"};
    wpa_error err = {0};
    const char *text = wpa_arena_printf(w->arena, "%s%s", HEAD, cases[i].after);
    const wpa_patch_replacement files[] = {{"shop", PATH, text, strlen(text), false},
                                           {"shop", cases[i].new_file, cases[i].new_text,
                                            cases[i].new_text ? strlen(cases[i].new_text) : 0,
                                            false}};
    wpa_patch_draft draft = {0};
    assert_true(wpa_patch_draft_contents(w->db, files, cases[i].new_file ? 2 : 1, w->folder,
                                         w->arena, &draft, &err));
    draft.name = "by hand";
    draft.description = "why";
    draft.issue = "";
    draft.type = "refactor";
    draft.is_by_person = true;
    draft.declares = declares;
    draft.n_declares = is_declared ? 1 : 0;
    return store(w, &draft);
}

static const char *result_of(world *w, int64_t patch)
{
    return wpa_test_sql_value(
        w->pg, 0, w->arena,
        wpa_arena_printf(w->arena,
                         "SELECT coalesce(string_agg(c.result, ' '), '') FROM wpa.test_check c "
                         "JOIN wpa.test_run "
                         "r ON r.id = c.test_run_id WHERE r.patch_id = %lld AND c.check_id = "
                         "'T107'",
                         (long long)patch));
}

static void scripts_are_tried(void **state)
{
    world *w = *state;
    size_t n_wrong = 0;
    if (!w->has_sandbox) {
        print_message("skipped: no sandbox here\n");
        skip();
    }
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        put_base(w, wpa_arena_printf(w->arena, "%s%s", HEAD, cases[i].before));
        bool is_bad = wpa_text_is(cases[i].result, "fail");
        for (int is_declared = 0; is_declared < (is_bad ? 2 : 1); is_declared++) {
            print_message("%s%s\n", cases[i].title, is_declared ? ", as declared" : "");
            int64_t patch = store_case(w, i, is_declared != 0);
            work(w);
            const char *result = result_of(w, patch);
            const char *expected = is_declared ? "warn" : cases[i].result;
            if (!wpa_text_is(result, expected)) {
                print_message("'%s', not '%s'\n", result, expected);
                show_failures(w, patch);
                n_wrong++;
            }
        }
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_are_tried),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
