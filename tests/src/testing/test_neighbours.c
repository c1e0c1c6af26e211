/* Patches against what stands around them: files of the tree, other workflows, trust in names. */
#include "world.h"

#define CI_PATH ".github/workflows/ci.yml"
#define SHIP_PATH ".github/workflows/ship.yml"
#define OTHER_PATH ".github/workflows/other.yml"
#define ACTION_PATH ".github/actions/setup/action.yml"
#define CHECKOUT                                                                                   \
    "      - uses: actions/checkout@" PIN "\n"                                                     \
    "        with:\n"                                                                              \
    "          persist-credentials: false\n"

static const char CI[] = "name: CI\n"
                         "on: [push, pull_request]\n"
                         "permissions: {}\n"
                         "jobs:\n"
                         "  build:\n"
                         "    runs-on: ubuntu-24.04\n"
                         "    timeout-minutes: 10\n"
                         "    steps:\n" CHECKOUT "      - uses: ./.github/actions/setup\n"
                         "      - run: ./scripts/build.sh --all\n"
                         "      - run: python3 check.py\n"
                         "        working-directory: tools\n"
                         "      - run: ./generated/run\n"
                         "      - run: ./scripts/made.sh\n";

static const char SHIP[] = "name: Ship\n"
                           "on:\n"
                           "  push:\n"
                           "    branches: [main]\n"
                           "permissions: {}\n"
                           "concurrency:\n"
                           "  group: ship-${{ github.ref }}\n"
                           "jobs:\n"
                           "  ship:\n"
                           "    runs-on: ubuntu-24.04\n"
                           "    timeout-minutes: 10\n"
                           "    environment:\n"
                           "      name: production\n"
                           "    permissions:\n"
                           "      id-token: write\n"
                           "    steps:\n" CHECKOUT "      - run: ./scripts/deploy.sh\n"
                           "  sign:\n"
                           "    needs: ship\n"
                           "    runs-on: ubuntu-24.04\n"
                           "    timeout-minutes: 10\n"
                           "    permissions:\n"
                           "      id-token: write\n"
                           "    steps:\n"
                           "      - run: echo sign\n"
                           "  tell:\n"
                           "    needs: sign\n"
                           "    runs-on: ubuntu-24.04\n"
                           "    timeout-minutes: 10\n"
                           "    steps:\n"
                           "      - run: echo tell\n";

/* Called as the first one is, so a group by the name alone would be one for both. */
static const char OTHER[] = "name: CI\n"
                            "on: [push, pull_request]\n"
                            "permissions: {}\n"
                            "concurrency:\n"
                            "  group: ${{ github.workflow }}-${{ github.ref }}\n"
                            "  cancel-in-progress: true\n"
                            "jobs:\n"
                            "  lint:\n"
                            "    runs-on: ubuntu-24.04\n"
                            "    timeout-minutes: 10\n"
                            "    steps:\n"
                            "      - run: echo lint\n";

static const char ACTION[] = "name: Setup\n"
                             "description: makes things ready\n"
                             "runs:\n"
                             "  using: composite\n"
                             "  steps:\n"
                             "    - run: echo ready\n"
                             "      shell: bash\n";

static const char MADE[] = "name: Made\n"
                           "description: runs what was made\n"
                           "runs:\n"
                           "  using: composite\n"
                           "  steps:\n"
                           "    - run: ./scripts/made.sh\n"
                           "      shell: bash\n";

static const world_file FILES[] = {
    {CI_PATH, CI},
    {SHIP_PATH, SHIP},
    {OTHER_PATH, OTHER},
    {ACTION_PATH, ACTION},
    {"scripts/build.sh", "echo build\n"},
    {"scripts/deploy.sh", "echo deploy\n"},
    {"tools/check.py", "print('fine')\n"},
    {"suite.sh", "echo 1..1; echo ok 1 - adds\n"},
};

#define SCRIPT "      - run: ./scripts/build.sh --all\n"
#define CI_GROUP(text) "permissions: {}\nconcurrency:\n" text "jobs:\n"

static const change_case cases[] = {
    /* files of the tree */
    {"a script goes that another workflow runs", {{"scripts/deploy.sh", NULL, NULL}}, "T210", ""},
    {"a script goes together with the step that runs it",
     {{"scripts/build.sh", NULL, NULL}, {CI_PATH, SCRIPT, ""}},
     "T106",
     ""},
    {"an action goes that a workflow uses", {{ACTION_PATH, NULL, NULL}}, "T201 T208 T210", ""},
    {"a file goes that nothing names", {{"suite.sh", NULL, NULL}}, "T112", ""},
    {"a script is looked for in another folder",
     {{CI_PATH, "working-directory: tools", "working-directory: scripts"}},
     "T210",
     ""},
    {"a name with a slip",
     {{CI_PATH, "./scripts/build.sh", "./scripts/biuld.sh"}},
     "T106 T210",
     ""},
    {"what a step may have made",
     {{CI_PATH, "./generated/run", "./generated/start"}},
     "T106",
     "T210"},
    {"what was not in the tree before moves into an action",
     {{CI_PATH, "- run: ./scripts/made.sh", "- uses: ./.github/actions/made"},
      {".github/actions/made/action.yml", NULL, MADE}},
     "T106",
     ""},
    {"a script moves, and its user knows",
     {{"scripts/build.sh", NULL, NULL},
      {"scripts/make.sh", NULL, "echo build\n"},
      {CI_PATH, "./scripts/build.sh", "./scripts/make.sh"}},
     "T106",
     ""},
    /* environments and identities */
    {"an environment is called otherwise",
     {{SHIP_PATH, "name: production", "name: live"}},
     "S2 S5 T204",
     ""},
    {"an environment is written in short, and is the same",
     {{SHIP_PATH, "environment:\n      name: production", "environment: production"}},
     "",
     ""},
    {"a job that logs in gets an environment",
     {{SHIP_PATH, "  sign:\n    needs: ship\n",
       "  sign:\n    needs: ship\n    environment: signing\n"}},
     "S2 T204",
     ""},
    {"a job that does not log in gets one",
     {{SHIP_PATH, "  tell:\n    needs: sign\n",
       "  tell:\n    needs: sign\n    environment: telling\n"}},
     "",
     "S2 T204"},
    {"tokens for pull requests, too",
     {{SHIP_PATH, "  push:\n    branches: [main]\n",
       "  pull_request:\n  push:\n    branches: [main]\n"}},
     "S2 T105 T204",
     ""},
    /* groups */
    {"a group of one's own",
     {{CI_PATH, "permissions: {}\njobs:\n",
       CI_GROUP("  group: build-${{ github.ref }}\n  cancel-in-progress: true\n")}},
     "",
     ""},
    {"the group of a workflow of the same name",
     {{CI_PATH, "permissions: {}\njobs:\n",
       CI_GROUP("  group: ${{github.workflow}}-${{ github.ref}}\n  cancel-in-progress: true\n")}},
     "T205",
     ""},
    {"a group that another one waits for",
     {{CI_PATH, "permissions: {}\njobs:\n", CI_GROUP("  group: ship-${{ github.ref }}\n")}},
     "",
     "T205"},
    {"a job in the group of its own run",
     {{SHIP_PATH, "  tell:\n", "  tell:\n    concurrency: ship-${{ github.ref }}\n"}},
     "T205",
     ""},
    {"a group that stops what deploys",
     {{SHIP_PATH, "  group: ship-${{ github.ref }}\n",
       "  group: ship-${{ github.ref }}\n  cancel-in-progress: true\n"}},
     "T102 T205 T208",
     ""},
};

int main(void)
{
    return run_table((change_table){FILES, WPA_COUNT(FILES), cases, WPA_COUNT(cases), NULL});
}
