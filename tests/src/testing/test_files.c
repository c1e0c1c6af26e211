/* Patches of files as repositories have them: what is harmless passes, what is not is found. */
#include "world.h"

#define PLAIN_PATH ".github/workflows/plain.yml"
#define BUILD_PATH ".github/workflows/build.yml"
#define SHIP_PATH ".github/workflows/ship.yml"
#define NEW_PATH ".github/workflows/new.yml"
#define ACTION_PATH ".github/actions/check/action.yml"
#define NEW(event, step)                                                                           \
    "name: New\non: " event "\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n"          \
    "    timeout-minutes: 5\n    steps:\n      - " step "\n"

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
                            "      - uses: actions/checkout@" PIN "\n"
                            "        with:\n"
                            "          persist-credentials: false\n"
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

static const char TRY[] = "name: Try\n"
                          "description: tries it\n"
                          "runs:\n"
                          "  using: composite\n"
                          "  steps:\n"
                          "    - run: pytest -q\n"
                          "      shell: bash\n";

static const world_file FILES[] = {
    {PLAIN_PATH, PLAIN},
    {BUILD_PATH, BUILD},
    {SHIP_PATH, SHIP},
    {ACTION_PATH, ACTION},
    {"suite.sh", "echo 1..1; echo ok 1 - adds\n"},
};

static const change_case cases[] = {
    {"also after failures",
     {{PLAIN_PATH, "- uses: actions/upload",
       "- if: ${{ !cancelled() }}\n        uses: actions/upload"}},
     "",
     ""},
    {"a number is a text now, and the check has another name",
     {{PLAIN_PATH, "3.10]", "'3.10']"}},
     "S2 T104 T202",
     ""},
    {"a number is a text now, and nothing else", {{PLAIN_PATH, "[3.9", "['3.9'"}}, "", ""},
    {"a token for other clouds where nothing was said",
     {{PLAIN_PATH, "jobs:\n", "permissions:\n  contents: read\n  id-token: write\njobs:\n"}},
     "S4",
     ""},
    {"a scope of which few know",
     {{BUILD_PATH, "  contents: read\n", "  contents: read\n  repository-projects: write\n"}},
     "S2 S4 T201 T208",
     ""},
    {"a name and who waits for it, together",
     {{PLAIN_PATH, "name: Plain", "name: Simple"}, {SHIP_PATH, "[Plain]", "[Simple]"}},
     "",
     "S2 T203"},
    {"an artifact that a pattern takes",
     {{PLAIN_PATH, "name: report-linux", "name: linux-report"}},
     "S2 T203",
     ""},
    {"a workflow goes", {{PLAIN_PATH, NULL, NULL}}, "S1 S5 T202 T203", ""},
    {"an action with a test goes", {{ACTION_PATH, NULL, NULL}}, "S5", ""},
    {"a test moves into an action",
     {{PLAIN_PATH, "- run: pytest -q", "- uses: ./.github/actions/try"},
      {".github/actions/try/action.yml", NULL, TRY}},
     "T106",
     ""},
    {"a failure that an expression lets pass",
     {{PLAIN_PATH, "- run: pytest -q", "- continue-on-error: ${{ true }}\n        run: pytest -q"}},
     "S4 S5",
     ""},
    {"a failure that an expression may let pass",
     {{PLAIN_PATH, "- run: pytest -q",
       "- continue-on-error: ${{ github.event_name == 'push' }}\n        run: pytest -q"}},
     "",
     "S5"},
    {"a new workflow", {{NEW_PATH, NULL, NEW("push", "run: echo hello")}}, "", ""},
    {"a new workflow with somebody's action",
     {{NEW_PATH, NULL, NEW("push", "uses: someone/thing@" PIN)}},
     "S4",
     ""},
    {"a new workflow that strangers start",
     {{NEW_PATH, NULL, NEW("issue_comment", "run: echo hello")}},
     "S4",
     ""},
    {"a page named in a comment",
     {{PLAIN_PATH, "jobs:\n", "# see https://docs.example.org/x\njobs:\n"}},
     "",
     ""},
    {"what costs little is told",
     {{BUILD_PATH, "        default: all\n",
       "        default: all\n      spare:\n        type: string\n        default: x\n"}},
     "",
     "T208"},
    {"what costs points moves into another file",
     {{PLAIN_PATH, "on: [push, pull_request]\n", "on: [push, pull_request]\npermissions: {}\n"},
      {NEW_PATH, NULL,
       "name: New\non: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n"
       "    timeout-minutes: 5\n    steps:\n      - run: echo hello\n"}},
     "",
     ""},
    {"a script in another language",
     {{PLAIN_PATH, "- run: pytest -q",
       "- run: pytest -q\n      - run: import os\n        shell: python"}},
     "T106",
     ""},
};

int main(void)
{
    return run_table((change_table){FILES, WPA_COUNT(FILES), cases, WPA_COUNT(cases), NULL});
}
