/* Patches of what a job's token may do, and of where secrets go. */
#include "world.h"

#define CI_PATH ".github/workflows/ci.yml"
#define BOT_PATH ".github/workflows/bot.yml"
#define OPEN_PATH ".github/workflows/open.yml"
#define KEYS_PATH ".github/workflows/keys.yml"
#define CALLED_PATH ".github/workflows/called.yml"
#define SENDING "printf '%s\\n' sent"
#define SEND_ENV "        env:\n          KEY: ${{ secrets.SEND_KEY }}\n"
#define CHECKOUT                                                                                   \
    "      - uses: actions/checkout@" PIN "\n"                                                     \
    "        with:\n"                                                                              \
    "          persist-credentials: false\n"

static const char CI[] = "name: CI\n"
                         "on:\n"
                         "  push:\n"
                         "    branches: [main]\n"
                         "permissions: {}\n"
                         "jobs:\n"
                         "  build:\n"
                         "    permissions:\n"
                         "      contents: read\n"
                         "    runs-on: ubuntu-24.04\n"
                         "    timeout-minutes: 10\n"
                         "    steps:\n" CHECKOUT "      - run: make it\n"
                         "  note:\n"
                         "    permissions:\n"
                         "      issues: write\n"
                         "    runs-on: ubuntu-24.04\n"
                         "    timeout-minutes: 10\n"
                         "    steps:\n"
                         "      - run: gh issue create --title done --body done\n"
                         "        env:\n"
                         "          GH_TOKEN: ${{ github.token }}\n"
                         "      - run: echo done\n";

/* Lacks something already. */
static const char BOT[] = "name: Bot\n"
                          "on:\n"
                          "  schedule:\n"
                          "    - cron: '7 3 * * 1'\n"
                          "permissions:\n"
                          "  contents: read\n"
                          "jobs:\n"
                          "  close:\n"
                          "    runs-on: ubuntu-24.04\n"
                          "    timeout-minutes: 10\n"
                          "    steps:\n"
                          "      - run: gh issue close 1\n"
                          "        env:\n"
                          "          GH_TOKEN: ${{ github.token }}\n";

/* Says nothing of what it may do. */
static const char OPEN[] = "name: Open\n"
                           "on:\n"
                           "  push:\n"
                           "    branches: [main]\n"
                           "jobs:\n"
                           "  note:\n"
                           "    runs-on: ubuntu-24.04\n"
                           "    timeout-minutes: 10\n"
                           "    steps:\n" CHECKOUT "      - run: gh issue close 1\n"
                           "        env:\n"
                           "          GH_TOKEN: ${{ github.token }}\n";

/* Uses secrets, each in its place. */
static const char KEYS[] = "name: Keys\n"
                           "on:\n"
                           "  push:\n"
                           "    branches: [main]\n"
                           "permissions: {}\n"
                           "jobs:\n"
                           "  send:\n"
                           "    runs-on: ubuntu-24.04\n"
                           "    timeout-minutes: 10\n"
                           "    environment: live\n"
                           "    steps:\n"
                           "      - name: Send\n"
                           "        run: printf '%s\\n' sent >> \"$GITHUB_OUTPUT\"\n"
                           "        env:\n"
                           "          KEY: ${{ secrets.SEND_KEY }}\n"
                           "      - name: Tell\n"
                           "        run: echo told\n"
                           "  call:\n"
                           "    uses: ./.github/workflows/called.yml\n"
                           "    secrets:\n"
                           "      ONE: ${{ secrets.ONE }}\n";

static const char CALLED[] = "name: Called\n"
                             "on:\n"
                             "  workflow_call:\n"
                             "    secrets:\n"
                             "      ONE:\n"
                             "        required: false\n"
                             "permissions: {}\n"
                             "jobs:\n"
                             "  one:\n"
                             "    runs-on: ubuntu-24.04\n"
                             "    timeout-minutes: 10\n"
                             "    environment: live\n"
                             "    steps:\n"
                             "      - run: echo one\n"
                             "        env:\n"
                             "          ONE: ${{ secrets.ONE }}\n";

static const world_file FILES[] = {
    {CI_PATH, CI},     {BOT_PATH, BOT},       {OPEN_PATH, OPEN},
    {KEYS_PATH, KEYS}, {CALLED_PATH, CALLED}, {"suite.sh", "echo 1..1; echo ok 1 - adds\n"},
};

static const change_case cases[] = {
    {"a scope goes that a step needs",
     {{CI_PATH, "    permissions:\n      issues: write\n", "    permissions: {}\n"}},
     "T102 T108 T208",
     ""},
    {"only reading is left of it",
     {{CI_PATH, "issues: write", "issues: read"}},
     "T102 T108 T208",
     ""},
    {"the token cannot read the tree any more",
     {{CI_PATH, "    permissions:\n      contents: read\n", "    permissions: {}\n"}},
     "",
     "T108"},
    {"what a step needed goes, and the scope stays",
     {{CI_PATH, "gh issue create --title done --body done", "echo done"}},
     "T106",
     "T108"},
    {"both go",
     {{CI_PATH,
       "    permissions:\n      issues: write\n    runs-on: ubuntu-24.04\n"
       "    timeout-minutes: 10\n    steps:\n"
       "      - run: gh issue create --title done --body done\n        env:\n"
       "          GH_TOKEN: ${{ github.token }}\n",
       "    runs-on: ubuntu-24.04\n    timeout-minutes: 10\n    steps:\n"}},
     "T106",
     ""},
    {"what was missing before is missing still",
     {{BOT_PATH, "timeout-minutes: 10", "timeout-minutes: 9"}},
     "",
     "T108"},
    {"what was missing before is given, which is a wider token",
     {{BOT_PATH, "  contents: read\n", "  issues: write\n"}},
     "S4",
     ""},
    {"permissions come, and are enough",
     {{OPEN_PATH, "jobs:\n", "permissions:\n  contents: read\n  issues: write\njobs:\n"}},
     "",
     ""},
    {"permissions come, and are too few",
     {{OPEN_PATH, "jobs:\n", "permissions:\n  contents: read\njobs:\n"}},
     "T102 T108 T208",
     ""},
    /* secrets */
    {"a secret goes to no other step",
     {{KEYS_PATH, "timeout-minutes: 10", "timeout-minutes: 9"}},
     "",
     ""},
    {"a secret for the next step, too",
     {{KEYS_PATH, "run: echo told\n", "run: echo told\n" SEND_ENV}},
     "T109",
     ""},
    {"a secret for all steps of the job",
     {{KEYS_PATH, "    environment: live\n",
       "    environment: live\n    env:\n      KEY: ${{ secrets.SEND_KEY }}\n"}},
     "T109",
     ""},
    {"another secret for the same step",
     {{KEYS_PATH, "secrets.SEND_KEY", "secrets.OTHER_KEY"}},
     "T109",
     ""},
    {"the same secret under another name",
     {{KEYS_PATH, "KEY: ${{ secrets.SEND_KEY }}", "SECRET: ${{secrets.send_key}}"}},
     "",
     ""},
    {"into the script itself",
     {{KEYS_PATH, SENDING, "true '${{ secrets.SEND_KEY }}'; " SENDING}},
     "S4 T102 T106 T109 T208",
     ""},
    {"every secret for what is called",
     {{KEYS_PATH, "    secrets:\n      ONE: ${{ secrets.ONE }}\n", "    secrets: inherit\n"}},
     "S4 T109",
     ""},
    {"one less", {{KEYS_PATH, "    secrets:\n      ONE: ${{ secrets.ONE }}\n", ""}}, "", ""},
    {"the step is called otherwise and keeps its secret",
     {{KEYS_PATH, "name: Send", "name: Deliver"}},
     "",
     ""},
    {"a step more, which takes over the secret",
     {{KEYS_PATH, "      - name: Send\n", "      - run: echo first\n      - name: Deliver\n"}},
     "T106",
     "T109"},
};

/* Where the file says nothing new, and what the script does with it is. */
static const change_case seen_in_a_run[] = {
    {"into the output of its step",
     {{KEYS_PATH, SENDING, "printf '%s\\n' \"sent=$KEY\""}},
     "T106 T107 T109",
     ""},
};

static void each_patch_breaks_what_its_row_tells(void **state)
{
    check_cases(*state, FILES, WPA_COUNT(FILES), cases, WPA_COUNT(cases));
}

static void what_only_a_run_shows_is_found(void **state)
{
    world *w = *state;
    if (!w->has_sandbox) {
        print_message("skipped: no sandbox here\n");
        skip();
    }
    check_cases(w, FILES, WPA_COUNT(FILES), seen_in_a_run, WPA_COUNT(seen_in_a_run));
}

static int open_world(void **state)
{
    return world_open(state, FILES, WPA_COUNT(FILES));
}

int main(void)
{
    wpa_test_pg_need();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_patch_breaks_what_its_row_tells),
        cmocka_unit_test(what_only_a_run_shows_is_found),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
