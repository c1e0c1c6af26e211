/* Patches of what a job's token may do, and of where secrets go. */
#include "world.h"

#define CI_PATH ".github/workflows/ci.yml"
#define BOT_PATH ".github/workflows/bot.yml"
#define OPEN_PATH ".github/workflows/open.yml"
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

static const world_file FILES[] = {
    {CI_PATH, CI},
    {BOT_PATH, BOT},
    {OPEN_PATH, OPEN},
    {"suite.sh", "echo 1..1; echo ok 1 - adds\n"},
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
};

int main(void)
{
    return run_table((change_table){FILES, WPA_COUNT(FILES), cases, WPA_COUNT(cases), NULL});
}
