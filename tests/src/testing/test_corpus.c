/* Patches of triggers and conditions: the same events must start the same jobs. */
#include <stdio.h>

#include "world.h"

#define PATH ".github/workflows/ci.yml"
#define LARGE_PATH ".github/workflows/large.yml"
#define CALL_PATH ".github/workflows/call.yml"
#define JOB                                                                                        \
    "    runs-on: ubuntu-24.04\n"                                                                  \
    "    timeout-minutes: 5\n"                                                                     \
    "    steps:\n"                                                                                 \
    "      - run: echo it\n"

static const char CI[] =
    "name: CI\n"
    "on:\n"
    "  push:\n"
    "    branches: [main, 'release/**']\n"
    "    paths-ignore: ['docs/**']\n"
    "  pull_request:\n"
    "    types: [opened, synchronize]\n"
    "  schedule:\n"
    "    - cron: '7 3 * * 1'\n"
    "  workflow_dispatch:\n"
    "    inputs:\n"
    "      level:\n"
    "        description: how much\n"
    "        type: choice\n"
    "        options: [few, all]\n"
    "        default: few\n"
    "      dry:\n"
    "        description: only look\n"
    "        type: boolean\n"
    "        default: true\n"
    "permissions: {}\n"
    "jobs:\n"
    "  build:\n" JOB "  main:\n"
    "    if: github.ref == 'refs/heads/main'\n" JOB "  people:\n"
    "    if: ${{ github.actor != 'bot' && github.event_name == 'push' }}\n" JOB "  own:\n"
    "    if: github.event.pull_request.head.repo.full_name == "
    "github.repository\n" JOB "  wet:\n"
    "    needs: build\n"
    "    if: inputs.level == 'all' && !inputs.dry\n" JOB "  tell:\n"
    "    needs: [build, main]\n"
    "    if: failure()\n" JOB "  end:\n"
    "    needs: [build, main]\n"
    "    if: ${{ !cancelled() && needs.build.result == 'success' }}\n" JOB;

static const char CALL[] = "name: Call\n"
                           "on:\n"
                           "  workflow_call:\n"
                           "    inputs:\n"
                           "      fast:\n"
                           "        type: boolean\n"
                           "        default: false\n"
                           "permissions: {}\n"
                           "jobs:\n"
                           "  slow:\n"
                           "    if: ${{ !inputs.fast }}\n" JOB "  other:\n"
                           "    if: github.event_name == 'push'\n" JOB;

static const world_file FILES[] = {
    {PATH, CI},
    {CALL_PATH, CALL},
    {"suite.sh", "echo 1..1; echo ok 1 - adds\n"},
};

#define PUSH "branches: [main, 'release/**']"
#define PEOPLE "${{ github.actor != 'bot' && github.event_name == 'push' }}"

static const change_case cases[] = {
    /* triggers */
    {"a branch less", {{PATH, PUSH, "branches: [main]"}}, "S2 T105", ""},
    {"a branch more", {{PATH, PUSH, "branches: [main, next, 'release/**']"}}, "S2 T105", ""},
    {"branches in another order", {{PATH, PUSH, "branches: ['release/**', main]"}}, "", ""},
    {"the same branches in a list of lines",
     {{PATH, PUSH, "branches:\n      - main\n      - release/**"}},
     "",
     ""},
    {"fewer files", {{PATH, "['docs/**']", "['docs/**', '*.md']"}}, "S2 T105", ""},
    {"a type less", {{PATH, "[opened, synchronize]", "[opened]"}}, "S2 T105", ""},
    {"another time", {{PATH, "'7 3 * * 1'", "'8 3 * * 1'"}}, "S2 T105", ""},
    {"the same time in other quotes", {{PATH, "'7 3 * * 1'", "\"7 3 * * 1\""}}, "", ""},
    {"an event less", {{PATH, "  schedule:\n    - cron: '7 3 * * 1'\n", ""}}, "S2 T105", ""},
    /* conditions */
    {"one that is always false",
     {{PATH, "github.ref == 'refs/heads/main'", "false"}},
     "S2 S5 T102 T105 T208",
     ""},
    {"the same in other words",
     {{PATH, "github.ref == 'refs/heads/main'", "${{ 'refs/heads/main' == github.ref }}"}},
     "",
     ""},
    {"the name for the ref, where no tag comes",
     {{PATH, "github.ref == 'refs/heads/main'", "github.ref_name == 'main'"}},
     "",
     ""},
    {"turned round",
     {{PATH, PEOPLE, "${{ !(github.actor == 'bot' || github.event_name != 'push') }}"}},
     "",
     ""},
    {"an unknown part by another way to write it",
     {{PATH, PEOPLE, "${{ 'BOT' != GITHUB.Actor && github.event_name == 'push' }}"}},
     "",
     ""},
    {"an unknown part less", {{PATH, PEOPLE, "${{ github.event_name == 'push' }}"}}, "S2 T105", ""},
    {"an unknown part for another one",
     {{PATH, PEOPLE, "${{ github.triggering_actor != 'bot' && github.event_name == 'push' }}"}},
     "",
     ""},
    {"forks, too",
     {{PATH, "github.event.pull_request.head.repo.full_name == github.repository",
       "github.event_name == 'pull_request'"}},
     "S2 T105",
     ""},
    {"forks by another word",
     {{PATH, "github.event.pull_request.head.repo.full_name == github.repository",
       "github.event_name == 'pull_request' && !github.event.pull_request.head.repo.fork"}},
     "",
     ""},
    {"another default", {{PATH, "default: true", "default: false"}}, "S2 T105", ""},
    {"a default that counts together with another input",
     {{PATH, "default: few", "default: all"}},
     "S2 T105",
     ""},
    {"also without failures", {{PATH, "if: failure()", "if: always()"}}, "S2 T102 T105 T208", ""},
    {"waits for less, and runs more often",
     {{PATH, "    needs: [build, main]\n    if: ${{", "    needs: [build]\n    if: ${{"}},
     "",
     ""},
    {"no longer after what was left out",
     {{PATH, "${{ !cancelled() && needs.build.result == 'success' }}",
       "${{ needs.build.result == 'success' }}"}},
     "S2 T105",
     ""},
    {"a condition that nothing changes",
     {{PATH, "  build:\n", "  build:\n    if: ${{ success() || failure() }}\n"}},
     "",
     ""},
    {"a job more", {{PATH, "  build:\n", "  more:\n" JOB "  build:\n"}}, "S2 T105 T106", ""},
    {"a called one that asks otherwise",
     {{CALL_PATH, "!inputs.fast", "inputs.fast"}},
     "S2 T105",
     ""},
    {"a called one that asks for nothing known",
     {{CALL_PATH, "github.event_name == 'push'", "${{ 'push' == github.event_name }}"}},
     "",
     ""},
};

static void what_starts_other_jobs_is_found(void **state)
{
    check_cases(*state, FILES, WPA_COUNT(FILES), cases, WPA_COUNT(cases));
}

static void what_cannot_be_decided_is_skipped(void **state)
{
    world *w = *state;
    const char *text = replace(w, CI, PEOPLE,
                               "${{ github.triggering_actor != 'bot' && github.event_name == "
                               "'push' }}");
    int64_t patch = store_content(w, PATH, text);
    work(w);
    assert_string_equal("S2 T105", checks_with(w, patch, "skipped"));
    assert_string_equal("failed test_error", ask(w, patch, "p.state || ' ' || p.reason"));
}

/* Many jobs with long conditions, of which nothing is known. */
static const char *large(void)
{
    static char text[700000];
    char condition[1500] = "";
    size_t n = 0, at = 0;
    for (int i = 0; i < 90; i++) {
        n += (size_t)snprintf(condition + n, sizeof condition - n, " || vars.a%d", i);
    }
    at += (size_t)snprintf(text, sizeof text,
                           "name: Large\non: [push, pull_request]\npermissions: {}\njobs:\n");
    for (int i = 0; i < 400; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at,
                               "  j%d:\n    if: github.actor == 'x'%s\n" JOB, i, condition);
    }
    assert_true(at < sizeof text);
    return text;
}

static void what_is_too_much_is_skipped(void **state)
{
    world *w = *state;
    const char *text = replace(w, large(), "github.actor == 'x'", "${{ 'x' == github.actor");
    text = replace(w, text, "vars.a89\n", "vars.a89 }}\n");
    int64_t patch = store_content(w, LARGE_PATH, text);
    work(w);
    assert_string_equal("S2 T105", checks_with(w, patch, "skipped"));
}

static int open_world(void **state)
{
    world_file files[WPA_COUNT(FILES) + 1];
    memcpy(files, FILES, sizeof FILES);
    files[WPA_COUNT(FILES)] = (world_file){LARGE_PATH, large()};
    return world_open(state, files, WPA_COUNT(files));
}

int main(void)
{
    wpa_test_pg_need();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_starts_other_jobs_is_found),
        cmocka_unit_test(what_cannot_be_decided_is_skipped),
        cmocka_unit_test(what_is_too_much_is_skipped),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
