/* Patches of what others call: their callers in the repository and in the fleet must still fit. */
#include "analysis/analysis.h"
#include "world.h"

#define BUILD_PATH ".github/workflows/build.yml"
#define USE_PATH ".github/workflows/use.yml"
#define FREE_PATH ".github/workflows/free.yml"
#define ACTION_PATH ".github/actions/pack/action.yml"
#define HAND_PATH ".github/workflows/hand.yml"
#define START_PATH ".github/workflows/start.yml"

static const char BUILD[] = "name: Build\n"
                            "on:\n"
                            "  workflow_call:\n"
                            "    inputs:\n"
                            "      target:\n"
                            "        description: what\n"
                            "        type: string\n"
                            "        required: true\n"
                            "      level:\n"
                            "        description: how much\n"
                            "        type: number\n"
                            "        default: 1\n"
                            "      spare:\n"
                            "        description: nobody gives it\n"
                            "        type: boolean\n"
                            "        default: false\n"
                            "    secrets:\n"
                            "      KEY:\n"
                            "        description: signs\n"
                            "        required: false\n"
                            "    outputs:\n"
                            "      version:\n"
                            "        description: which\n"
                            "        value: ${{ jobs.make.outputs.version }}\n"
                            "      size:\n"
                            "        description: nobody reads it\n"
                            "        value: ${{ jobs.make.outputs.size }}\n"
                            "permissions: {}\n"
                            "jobs:\n"
                            "  make:\n"
                            "    permissions:\n"
                            "      contents: read\n"
                            "    runs-on: ubuntu-24.04\n"
                            "    timeout-minutes: 5\n"
                            "    outputs:\n"
                            "      version: ${{ steps.v.outputs.version }}\n"
                            "      size: ${{ steps.v.outputs.size }}\n"
                            "    steps:\n"
                            "      - id: v\n"
                            "        run: |\n"
                            "          echo \"version=1\" >> \"$GITHUB_OUTPUT\"\n"
                            "          echo \"size=1\" >> \"$GITHUB_OUTPUT\"\n"
                            "      - run: echo \"$A $B $C\"\n"
                            "        env:\n"
                            "          A: ${{ inputs.target }}\n"
                            "          B: ${{ inputs.level }}\n"
                            "          C: ${{ inputs.spare }}\n";

static const char USE[] = "name: Use\n"
                          "on: push\n"
                          "permissions: {}\n"
                          "jobs:\n"
                          "  call:\n"
                          "    permissions:\n"
                          "      contents: read\n"
                          "    uses: ./.github/workflows/build.yml\n"
                          "    with:\n"
                          "      target: all\n"
                          "      level: 2\n"
                          "  show:\n"
                          "    needs: call\n"
                          "    runs-on: ubuntu-24.04\n"
                          "    timeout-minutes: 5\n"
                          "    steps:\n"
                          "      - run: echo \"$V\"\n"
                          "        env:\n"
                          "          V: ${{ needs.call.outputs.version }}\n"
                          "      - uses: actions/checkout@" PIN "\n"
                          "        with:\n"
                          "          persist-credentials: false\n"
                          "      - id: pack\n"
                          "        uses: ./.github/actions/pack\n"
                          "        with:\n"
                          "          file: a\n"
                          "      - run: echo \"$N\"\n"
                          "        env:\n"
                          "          N: ${{ steps.pack.outputs.name }}\n"
                          "      - run: echo \"$PACKED\"\n";

/* Nobody here calls it; the fleet does, as the tests say. */
static const char FREE[] = "name: Free\n"
                           "on:\n"
                           "  workflow_call:\n"
                           "    inputs:\n"
                           "      size:\n"
                           "        description: how large\n"
                           "        type: string\n"
                           "        default: small\n"
                           "permissions: {}\n"
                           "jobs:\n"
                           "  one:\n"
                           "    runs-on: ubuntu-24.04\n"
                           "    timeout-minutes: 5\n"
                           "    steps:\n"
                           "      - run: echo \"$SIZE\"\n"
                           "        env:\n"
                           "          SIZE: ${{ inputs.size }}\n";

static const char ACTION[] = "name: Pack\n"
                             "description: packs a file\n"
                             "inputs:\n"
                             "  file:\n"
                             "    description: which\n"
                             "    required: true\n"
                             "outputs:\n"
                             "  name:\n"
                             "    description: of the pack\n"
                             "    value: ${{ steps.n.outputs.name }}\n"
                             "runs:\n"
                             "  using: composite\n"
                             "  steps:\n"
                             "    - id: n\n"
                             "      run: echo \"name=$FILE\" >> \"$GITHUB_OUTPUT\"\n"
                             "      shell: bash\n"
                             "      env:\n"
                             "        FILE: ${{ inputs.file }}\n"
                             "    - run: echo \"PACKED=yes\" >> \"$GITHUB_ENV\"\n"
                             "      shell: bash\n";

static const char HAND[] = "name: Hand\n"
                           "on:\n"
                           "  workflow_dispatch:\n"
                           "    inputs:\n"
                           "      level:\n"
                           "        description: how much\n"
                           "        type: choice\n"
                           "        options: [low, high]\n"
                           "      note:\n"
                           "        description: why\n"
                           "        type: string\n"
                           "permissions: {}\n"
                           "jobs:\n"
                           "  one:\n"
                           "    runs-on: ubuntu-24.04\n"
                           "    timeout-minutes: 5\n"
                           "    steps:\n"
                           "      - run: make it\n";

static const char START[] = "name: Start\n"
                            "on: push\n"
                            "permissions: {}\n"
                            "jobs:\n"
                            "  one:\n"
                            "    permissions:\n"
                            "      actions: write\n"
                            "    runs-on: ubuntu-24.04\n"
                            "    timeout-minutes: 5\n"
                            "    steps:\n"
                            "      - run: gh workflow run hand.yml -f level=high\n"
                            "        env:\n"
                            "          GH_TOKEN: ${{ github.token }}\n";

static const world_file FILES[] = {
    {BUILD_PATH, BUILD},
    {USE_PATH, USE},
    {FREE_PATH, FREE},
    {ACTION_PATH, ACTION},
    {HAND_PATH, HAND},
    {START_PATH, START},
    {"suite.sh", "echo 1..1; echo ok 1 - adds\n"},
};

#define SPARE                                                                                      \
    "      spare:\n        description: nobody gives it\n        type: boolean\n"                  \
    "        default: false\n"
#define LEVEL                                                                                      \
    "      level:\n        description: how much\n        type: number\n        default: 1\n"

static const change_case cases[] = {
    {"an input goes that a caller gives", {{BUILD_PATH, LEVEL, ""}}, "S2 T101 T102 T201 T208", ""},
    {"an input is a text now", {{BUILD_PATH, "type: number", "type: string"}}, "S2 T201", ""},
    {"an input must be given now, and is",
     {{BUILD_PATH, "type: number\n        default: 1", "type: number\n        required: true"}},
     "",
     ""},
    {"an input must be given now, and is not",
     {{BUILD_PATH, "type: boolean\n        default: false",
       "type: boolean\n        required: true"}},
     "S2 T201 T208",
     ""},
    {"there is a new one that must be given",
     {{BUILD_PATH, LEVEL,
       LEVEL "      more:\n        description: it\n        type: string\n"
             "        required: true\n"}},
     "S2 T201 T208",
     ""},
    {"its caller gives it, in the same patch",
     {{BUILD_PATH, LEVEL,
       LEVEL "      more:\n        description: it\n        type: string\n"
             "        required: true\n"},
      {USE_PATH, "      level: 2\n", "      level: 2\n      more: x\n"}},
     "",
     ""},
    {"a caller gives what there is not",
     {{USE_PATH, "level: 2", "levels: 2"}},
     "S2 T101 T102 T201 T208",
     ""},
    {"a caller no longer gives what it must",
     {{USE_PATH, "      target: all\n", ""}},
     "S2 T101 T102 T201 T208",
     ""},
    {"a default changes for those who rely on it",
     {{BUILD_PATH, "default: false", "default: true"}},
     "",
     "S2 T201"},
    {"a default changes that nobody relies on", {{BUILD_PATH, "default: 1", "default: 3"}}, "", ""},
    {"an output goes that is read",
     {{BUILD_PATH, "      version:\n        description: which\n",
       "      release:\n        description: which\n"}},
     "S2 T201 T208",
     ""},
    {"a secret must be given now",
     {{BUILD_PATH, "required: false", "required: true"}},
     "S2 T201 T208",
     ""},
    {"it cannot be called any more",
     {{FREE_PATH, "  workflow_call:\n    inputs:", "  workflow_dispatch:\n    inputs:"}},
     "S2 T105 T201",
     ""},
    {"an input of an action goes",
     {{ACTION_PATH, "  file:\n", "  path:\n"}},
     "S2 T101 T102 T201 T208",
     ""},
    {"an output of an action goes",
     {{ACTION_PATH, "  name:\n    description: of", "  title:\n    description: of"}},
     "S2 T201 T208",
     ""},
    {"an input goes that only another repository gives",
     {{FREE_PATH, "      size:\n", "      length:\n"}},
     "S2 T101 T102 T201 T208",
     ""},
    {"a default of another repository changes",
     {{FREE_PATH, "default: small", "default: large"}},
     "",
     ""},
    {"an input goes that a script starts it with",
     {{HAND_PATH, "      level:\n", "      depth:\n"}},
     "S2 T201",
     ""},
    {"a choice goes that a script starts it with",
     {{HAND_PATH, "[low, high]", "[low]"}},
     "S2 T201",
     ""},
    {"a choice goes that nobody is known to take",
     {{HAND_PATH, "[low, high]", "[high]"}},
     "",
     "S2 T201"},
    {"an input goes that nobody is known to give",
     {{HAND_PATH, "      note:\n        description: why\n        type: string\n", ""}},
     "",
     "S2 T201"},
    {"an action no longer sets what is read behind it",
     {{ACTION_PATH, "    - run: echo \"PACKED=yes\" >> \"$GITHUB_ENV\"\n      shell: bash\n", ""}},
     "T106",
     "S2 T201"},
    {"a part comes from another owner",
     {{USE_PATH, "uses: actions/checkout@", "uses: github/checkout@"}},
     "",
     "S2 T201"},
};

static void what_breaks_callers_is_found(void **state)
{
    check_cases(*state, FILES, WPA_COUNT(FILES), cases, WPA_COUNT(cases));
}

/* Callers of another repository, as they are known from their analysis. */
static void add_fleet(world *w, const char *uses)
{
    static const char oid[] = "00000000000000000000000000000000000000aa";
    const char *text = wpa_arena_printf(w->arena,
                                        "name: Far\non: push\njobs:\n  far:\n    uses: %s\n"
                                        "    with:\n      size: tiny\n",
                                        uses);
    wpa_test_sql_value(w->pg, w->guardian.principal_id, w->arena,
                       "UPDATE wpa.repository SET owner = 'acme' RETURNING 1");
    wpa_test_sql_value(w->pg, w->guardian.principal_id, w->arena,
                       "INSERT INTO wpa.repository (name, url, branch, state) VALUES ('far', "
                       "'/nowhere/far', 'main', 'ok') ON CONFLICT DO NOTHING RETURNING 1");
    wpa_test_sql_value(
        w->pg, w->engine.principal_id, w->arena,
        wpa_arena_printf(w->arena,
                         "INSERT INTO wpa.workflow (repository_id, path, name, kind, blob_oid, "
                         "head_commit) SELECT id, '.github/workflows/far.yml', 'far-far', "
                         "'workflow', '%s', '%s' FROM wpa.repository WHERE name = 'far' "
                         "ON CONFLICT DO NOTHING RETURNING 1",
                         oid, oid));
    wpa_test_sql_value(
        w->pg, w->engine.principal_id, w->arena,
        wpa_arena_printf(w->arena,
                         "INSERT INTO wpa.source (blob_oid, content) VALUES ('%s', '%s'::bytea) "
                         "ON CONFLICT (blob_oid) DO UPDATE SET content = excluded.content "
                         "RETURNING 1",
                         oid, text));
    wpa_test_sql_value(w->pg, w->engine.principal_id, w->arena,
                       "INSERT INTO wpa.definition_use (workflow_id, slug, major, places) "
                       "SELECT id, 'acme/shop/.github/workflows/free.yml', -1, 1 FROM "
                       "wpa.workflow WHERE name = 'far-far' ON CONFLICT DO NOTHING RETURNING 1");
}

static int open_world(void **state)
{
    int failed = world_open(state, FILES, WPA_COUNT(FILES));
    add_fleet(*state, "acme/shop/.github/workflows/free.yml@main");
    return failed;
}

static int64_t take_input_away(world *w)
{
    char *text = replace(w, FREE, "      size:\n", "      length:\n");
    text = replace(w, text, "inputs.size", "inputs.length");
    return store_content(w, FREE_PATH, text);
}

static void who_is_pinned_notices_later(void **state)
{
    world *w = *state;
    add_fleet(w, "acme/shop/.github/workflows/free.yml@" PIN);
    int64_t patch = take_input_away(w);
    work(w);
    assert_string_equal("", checks_with(w, patch, "fail"));
    assert_string_equal("S2 T201", checks_with(w, patch, "warn"));
}

static void who_cannot_be_read_is_not_proven(void **state)
{
    world *w = *state;
    wpa_test_sql_value(w->pg, w->engine.principal_id, w->arena,
                       "UPDATE wpa.workflow SET blob_oid = repeat('b', 40) WHERE name = 'far-far' "
                       "RETURNING 1");
    int64_t patch = take_input_away(w);
    work(w);
    assert_string_equal("", checks_with(w, patch, "fail"));
    assert_string_equal("S2 T201", checks_with(w, patch, "skipped"));
}

/* ---- a fault that no file shows by itself ---- */

static int open_faulty_world(void **state)
{
    static world_file files[WPA_COUNT(FILES)];
    memcpy(files, FILES, sizeof files);
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    world only = {.arena = arena};
    files[1].text = replace(&only, USE, "level: 2", "levels: 2");
    int failed = world_open(state, files, WPA_COUNT(files));
    world *w = *state;
    wpa_error err = {0};
    wpa_analysis_summary summary;
    const wpa_analysis_request request = {
        .workflow_id =
            wpa_test_sql_int(w->pg, 0, "SELECT id FROM wpa.workflow WHERE path = '" USE_PATH "'"),
        .dimension = WPA_DIMENSION_ALL};
    assert_true(wpa_analysis_run(w->db, w->git, &w->engine, &request, w->arena, &summary, &err));
    return failed;
}

/** A patch of one file that says it answers the finding. */
static int64_t store_answer(world *w, int64_t finding, const char *text)
{
    wpa_error err = {0};
    const wpa_patch_replacement file = {"shop", USE_PATH, text, strlen(text), false};
    wpa_patch_draft draft = {0};
    assert_true(wpa_patch_draft_contents(w->db, &file, 1, w->folder, w->arena, &draft, &err));
    draft.name = "by hand";
    draft.description = "why";
    draft.issue = "";
    draft.type = "bug_fix";
    draft.is_by_person = true;
    draft.finding_ids = &finding;
    draft.n_findings = 1;
    return store(w, &draft);
}

static void what_only_the_repository_shows_is_looked_for(void **state)
{
    world *w = *state;
    int64_t finding = wpa_test_sql_int(
        w->pg, 0, "SELECT id FROM wpa.finding WHERE rule = 'call-contract' AND state = 'open'");
    char *text = replace(w, USE, "level: 2", "levels: 2");
    int64_t patch =
        store_answer(w, finding, wpa_arena_printf(w->arena, "%s# nothing is mended\n", text));
    work(w);
    assert_string_equal("T006 T102", checks_with(w, patch, "fail"));
    patch = store_answer(w, finding, USE);
    work(w);
    assert_string_equal("", checks_with(w, patch, "fail"));
    assert_non_null(strstr(checks_with(w, patch, "pass"), "T102"));
}

int main(void)
{
    wpa_test_pg_need();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_breaks_callers_is_found),
        cmocka_unit_test(who_is_pinned_notices_later),
        cmocka_unit_test(who_cannot_be_read_is_not_proven),
        cmocka_unit_test_setup_teardown(what_only_the_repository_shows_is_looked_for,
                                        open_faulty_world, close_world),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
