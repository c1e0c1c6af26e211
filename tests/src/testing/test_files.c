/* Patches of files as repositories have them: what is harmless passes, what is not is found. */
#include "world.h"

#define WORKFLOWS ".github/workflows/"

static const char PLAIN[] = "name: Plain\n"
                            "on: [push, pull_request]\n"
                            "jobs:\n"
                            "  test:\n"
                            "    runs-on: ubuntu-24.04\n"
                            "    timeout-minutes: 10\n"
                            "    strategy:\n"
                            "      matrix:\n"
                            "        python: [3.9, 3.10]\n"
                            "    steps:\n"
                            "      - run: pytest -q\n"
                            "      - uses: actions/upload-artifact@" PIN "\n"
                            "        with:\n"
                            "          name: report-linux\n"
                            "          path: report.xml\n"
                            "      - uses: actions/cache/save@" PIN "\n"
                            "        with:\n"
                            "          path: .deps\n"
                            "          key: deps-v1\n";

static const char BUILD[] = "name: Build\n"
                            "on:\n"
                            "  workflow_call:\n"
                            "    inputs:\n"
                            "      target:\n"
                            "        type: string\n"
                            "        default: all\n"
                            "    outputs:\n"
                            "      version:\n"
                            "        value: ${{ jobs.build.outputs.version }}\n"
                            "permissions:\n"
                            "  contents: read\n"
                            "jobs:\n"
                            "  build:\n"
                            "    runs-on: ubuntu-24.04\n"
                            "    timeout-minutes: 10\n"
                            "    outputs:\n"
                            "      version: ${{ steps.v.outputs.version }}\n"
                            "    env:\n"
                            "      TARGET: ${{ inputs.target }}\n"
                            "    steps:\n"
                            "      - id: v\n"
                            "        run: |\n"
                            "          {\n"
                            "            echo 'version<<EOF'\n"
                            "            cat VERSION\n"
                            "            echo EOF\n"
                            "          } >> \"$GITHUB_OUTPUT\"\n"
                            "      - run: make \"$TARGET\"\n";

static const char SHIP[] = "name: Ship\n"
                           "on:\n"
                           "  workflow_run:\n"
                           "    workflows: [Plain]\n"
                           "    types: [completed]\n"
                           "permissions:\n"
                           "  actions: read\n"
                           "concurrency:\n"
                           "  group: ship-${{ github.ref }}\n"
                           "  cancel-in-progress: false\n"
                           "jobs:\n"
                           "  call:\n"
                           "    permissions:\n"
                           "      contents: read\n"
                           "    uses: ./.github/workflows/build.yml\n"
                           "    with:\n"
                           "      target: dist\n"
                           "  ship:\n"
                           "    needs: call\n"
                           "    if: ${{ !cancelled() && needs.call.result == 'success' }}\n"
                           "    runs-on: ubuntu-24.04\n"
                           "    timeout-minutes: 10\n"
                           "    services:\n"
                           "      db:\n"
                           "        image: postgres@sha256:" PIN "0123456789abcdef01234567\n"
                           "    steps:\n"
                           "      - uses: actions/download-artifact@" PIN "\n"
                           "        with:\n"
                           "          pattern: report-*\n"
                           "          run-id: ${{ github.event.workflow_run.id }}\n"
                           "          github-token: ${{ github.token }}\n"
                           "          path: ${{ runner.temp }}/reports\n"
                           "      - uses: actions/cache/restore@" PIN "\n"
                           "        with:\n"
                           "          path: .deps\n"
                           "          key: deps-v1\n"
                           "      - run: echo \"VERSION=${VERSION}\" >> \"$GITHUB_STEP_SUMMARY\"\n"
                           "        env:\n"
                           "          VERSION: ${{ needs.call.outputs.version }}\n"
                           "      - if: ${{ failure() }}\n"
                           "        run: ./notify\n";

static const char ACTION[] = "name: Check\n"
                             "description: runs the checks\n"
                             "runs:\n"
                             "  using: composite\n"
                             "  steps:\n"
                             "    - run: pytest -q\n"
                             "      shell: bash\n";

static const world_file FILES[] = {
    {WORKFLOWS "plain.yml", PLAIN},
    {WORKFLOWS "build.yml", BUILD},
    {WORKFLOWS "ship.yml", SHIP},
    {".github/actions/check/action.yml", ACTION},
    {"suite.sh", "echo 1..1; echo ok 1 - adds\n"},
};

typedef struct change {
    const char *path;
    const char *from, *to; /* from NULL: a new file; both NULL: the file goes */
} change;

static const struct {
    const char *title;
    change changes[3];
    const char *fails; /* ids of checks among those that fail; NULL: none does */
    const char *warns; /* likewise, if not NULL */
} cases[] = {
#include "/tmp/cases.h"
};

static const char *text_at(const char *path)
{
    for (size_t i = 0; i < WPA_COUNT(FILES); i++) {
        if (wpa_text_is(FILES[i].path, path)) {
            return FILES[i].text;
        }
    }
    return NULL;
}

static int64_t store_changes(world *w, const change changes[3])
{
    wpa_patch_replacement files[3];
    size_t n = 0;
    for (; n < 3 && changes[n].path; n++) {
        const change *c = &changes[n];
        const char *text = c->from ? replace(w, text_at(c->path), c->from, c->to) : c->to;
        files[n] = (wpa_patch_replacement){"shop", c->path, text, text ? strlen(text) : 0, false};
    }
    return store_contents(w, files, n);
}

static bool are_among(const char *wanted, const char *found)
{
    bool is_right = true;
    for (const char *at = wanted; at && *at; at += strspn(at, " ")) {
        char id[8] = {0};
        size_t length = strcspn(at, " ");
        memcpy(id, at, length);
        is_right = is_right && strstr(found, id);
        at += length;
    }
    return is_right;
}

static void what_a_patch_breaks_is_found(void **state)
{
    world *w = *state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        print_message("%s\n", cases[i].title);
        int64_t patch = store_changes(w, cases[i].changes);
        work(w);
        const char *failed = checks_with(w, patch, "fail");
        bool is_right = cases[i].fails ? are_among(cases[i].fails, failed) : !*failed;
        is_right = is_right && are_among(cases[i].warns, checks_with(w, patch, "warn"));
        if (!is_right || getenv("ALL")) {
            print_message("%s", is_right ? "" : "#### WRONG\n");
            show_failures(w, patch);
            // fail();
        }
        assert_string_equal("", checks_with(w, patch, "error"));
    }
}

static int open_world(void **state)
{
    return world_open(state, FILES, WPA_COUNT(FILES));
}

int main(void)
{
    wpa_test_pg_need();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_patch_breaks_is_found),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
