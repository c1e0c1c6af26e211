/* Analyses kept in a real database, out of a real repository. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "analysis/analysis.h"
#include "analysis/default_config.h"
#include "harness/pg.h"

#define PATH ".github/workflows/ci.yml"
#define HEAD                                                                                       \
    "name: CI\non: push\npermissions: {}\nconcurrency: {group: a, cancel-in-progress: "            \
    "true}\njobs:\n"

static const char one_job[] = HEAD "  build:\n"
                                   "    name: Build\n"
                                   "    runs-on: ubuntu-24.04\n"
                                   "    steps:\n"
                                   "      - run: make\n";
/* The same, further down. */
static const char moved[] = "# a comment\n\n" HEAD "  build:\n"
                            "    name: Build\n"
                            "    runs-on: ubuntu-24.04\n"
                            "    steps:\n"
                            "      - run: make\n";
static const char clean[] = HEAD "  build:\n"
                                 "    name: Build\n"
                                 "    runs-on: ubuntu-24.04\n"
                                 "    timeout-minutes: 5\n"
                                 "    steps:\n"
                                 "      - run: make\n";
/* Without them the repository itself would have a finding. */
static const char owners[] = "* @org/team\n";
static const char broken[] = HEAD "  build: [\n";

typedef struct world {
    wpa_test_pg *pg;
    wpa_db *db;
    wpa_arena *arena;
    wpa_actor guardian, engine;
    char *folder;
    wpa_git *git;
    char head[WPA_OID_SIZE], blob[WPA_OID_SIZE];
    int64_t workflow, commit_time_s;
} world;

static int64_t ask(world *w, const char *sql)
{
    return wpa_test_sql_int(w->pg, w->guardian.principal_id, sql);
}

static const char *ask_text(world *w, const char *sql)
{
    return wpa_test_sql_value(w->pg, w->guardian.principal_id, w->arena, sql);
}

/** The file as it is from now on, in git and in the database. */
static void put(world *w, const char *text)
{
    wpa_error err = {0};
    char parent[WPA_OID_SIZE], before[WPA_OID_SIZE], owners_blob[WPA_OID_SIZE];
    memcpy(parent, w->head, sizeof parent);
    memcpy(before, w->blob, sizeof before);
    assert_true(wpa_git_blob_id(text, strlen(text), w->blob, &err));
    assert_true(wpa_git_blob_id(owners, strlen(owners), owners_blob, &err));
    wpa_git_edit edits[] = {{.path = PATH,
                             .before = *before ? before : NULL,
                             .after = w->blob,
                             .bytes = text,
                             .size_bytes = strlen(text)},
                            {.path = "CODEOWNERS",
                             .after = owners_blob,
                             .bytes = owners,
                             .size_bytes = strlen(owners)}};
    size_t n_edits = *before ? 1 : WPA_COUNT(edits); /* the owners come with the first commit */
    const wpa_git_identity who = {"Ann", "ann@example.org", w->commit_time_s};
    assert_true(wpa_git_commit_make(w->git, *parent ? parent : NULL, edits, n_edits, &who, "m\n",
                                    w->head, &err));
    assert_true(wpa_git_ref_swap(w->git, "refs/heads/main", *parent ? parent : WPA_OID_ZERO,
                                 w->head, &err));
    (void)ask_text(w, wpa_arena_printf(w->arena,
                                       "UPDATE wpa.workflow SET blob_oid = '%s', head_commit = "
                                       "'%s' WHERE name = 'shop-ci' RETURNING id",
                                       w->blob, w->head));
}

static wpa_analysis_summary analyse(world *w)
{
    wpa_error err = {0};
    wpa_analysis_summary summary;
    wpa_analysis_request request = {.workflow_id = w->workflow, .dimension = WPA_DIMENSION_ALL};
    if (!wpa_analysis_run(w->db, w->git, &w->engine, &request, w->arena, &summary, &err)) {
        print_error("%s: %s\n", err.context, err.message);
        fail();
    }
    return summary;
}

static int open_world(void **state)
{
    world *w = calloc(1, sizeof *w);
    wpa_error err = {0};
    w->commit_time_s = 1700000000;
    assert_true(wpa_git_init(&err));
    w->arena = wpa_arena_new();
    w->pg = wpa_test_pg_new();
    w->db = wpa_test_pg_connect(w->pg, "wpa_agent");
    w->guardian = wpa_test_person(w->pg, "mira", WPA_ROLE_GUARDIAN);
    w->engine = wpa_test_engine(w->pg);
    w->folder = wpa_dir_temp("/tmp/wpa-analysis", w->arena, &err);
    const char *path = wpa_path_join(w->arena, w->folder, "shop.git");
    w->git = wpa_git_create(path, "main", &err);
    assert_non_null(w->git);
    (void)ask_text(w, wpa_arena_printf(w->arena,
                                       "INSERT INTO wpa.repository (name, url, branch, state) "
                                       "VALUES ('shop', '%s', 'main', 'ok') RETURNING id",
                                       path));
    w->workflow = ask(w, "INSERT INTO wpa.workflow (repository_id, path, name, kind, blob_oid, "
                         "head_commit) SELECT id, '" PATH "', 'shop-ci', 'workflow', '', '' FROM "
                         "wpa.repository RETURNING id");
    put(w, one_job);
    *state = w;
    return 0;
}

static int close_world(void **state)
{
    world *w = *state;
    wpa_error err = {0};
    wpa_git_close(w->git);
    wpa_db_close(w->db);
    wpa_test_pg_free(w->pg);
    assert_true(wpa_dir_remove(w->folder, &err));
    wpa_arena_free(w->arena);
    wpa_git_shutdown();
    free(w);
    return 0;
}

#define TIMEOUT "FROM wpa.finding WHERE rule = 'missing-timeout'"

static void test_findings_live_and_die(void **state)
{
    world *w = *state;
    wpa_analysis_summary summary = analyse(w);
    assert_string_equal(summary.status, "new");
    assert_int_equal(summary.n_inefficiencies, 1);
    assert_true(summary.n_new >= 1);
    assert_string_equal(ask_text(w, "SELECT state " TIMEOUT), "open");
    int64_t id = ask(w, "SELECT id " TIMEOUT);
    assert_int_equal(ask(w, "SELECT start_line " TIMEOUT), 6);

    put(w, moved);
    summary = analyse(w);
    assert_int_equal(summary.n_new, 0);
    assert_int_equal(summary.n_fixed, 0);
    assert_int_equal(ask(w, "SELECT id " TIMEOUT), id);
    assert_int_equal(ask(w, "SELECT start_line " TIMEOUT), 8);

    put(w, clean);
    summary = analyse(w);
    assert_string_equal(summary.status, "resolved");
    assert_int_equal(summary.n_fixed, 1);
    assert_string_equal(ask_text(w, "SELECT state " TIMEOUT), "fixed");
    assert_int_equal(ask(w, "SELECT count(*) FROM wpa.workflow_analysis WHERE status = 'new'"), 0);

    put(w, one_job);
    summary = analyse(w);
    assert_int_equal(summary.n_new, 0); /* an old one that is back */
    assert_string_equal(ask_text(w, "SELECT state " TIMEOUT), "open");
    assert_int_equal(ask(w, "SELECT id " TIMEOUT), id);
}

static void test_equal_content_costs_nothing(void **state)
{
    world *w = *state;
    (void)analyse(w);
    assert_int_equal(ask(w, "SELECT count(*) FROM wpa.analysis_cache"), 1);
    (void)analyse(w);
    assert_int_equal(ask(w, "SELECT is_cached::int FROM wpa.workflow_analysis ORDER BY id DESC"),
                     1);
    assert_int_equal(ask(w, "SELECT count(*) FROM wpa.source"), 1);
}

static void test_health_is_kept(void **state)
{
    world *w = *state;
    wpa_analysis_summary summary = analyse(w);
    assert_int_equal(ask(w, "SELECT parts FROM wpa.health"), 5);
    assert_int_equal(ask(w, "SELECT (total < 100 AND performance < 100 AND security = 100)::int "
                            "FROM wpa.health"),
                     1);
    assert_int_equal(
        ask(w, "SELECT count(*) FROM wpa.health, jsonb_array_elements(explanation) e WHERE "
               "e->>'text' = 'missing-timeout' AND (e->>'points')::float > 0"),
        1);
    assert_true(wpa_json_count(summary.recommendations) >= 1);
    put(w, clean);
    (void)analyse(w);
    assert_int_equal(ask(w, "SELECT total::int FROM wpa.health"), 100);
    assert_int_equal(ask(w, "SELECT count(*) FROM wpa.health_history"), 2);
}

static void test_what_a_guardian_ignores_stays_ignored(void **state)
{
    world *w = *state;
    (void)analyse(w);
    (void)ask_text(w, wpa_arena_printf(w->arena,
                                       "UPDATE wpa.finding SET state = 'ignored', ignored_by = "
                                       "%lld, ignored_reason = 'known', ignored_until = now() + "
                                       "interval '1 day' WHERE rule = 'missing-timeout' "
                                       "RETURNING id",
                                       (long long)w->guardian.principal_id));
    put(w, moved);
    wpa_analysis_summary summary = analyse(w);
    assert_string_equal(ask_text(w, "SELECT state " TIMEOUT), "ignored");
    assert_int_equal(summary.n_inefficiencies, 0);
    (void)ask_text(w, "UPDATE wpa.finding SET ignored_until = now() - interval '1 day' WHERE rule "
                      "= 'missing-timeout' RETURNING id");
    (void)analyse(w);
    assert_string_equal(ask_text(w, "SELECT state " TIMEOUT), "open");
}

static void test_a_broken_file_is_a_finding_and_health_nought(void **state)
{
    world *w = *state;
    (void)analyse(w);
    put(w, broken);
    wpa_analysis_summary summary = analyse(w);
    assert_string_equal(summary.status, "new");
    assert_int_equal(ask(w, "SELECT is_valid::int FROM wpa.workflow"), 0);
    assert_int_equal(ask(w, "SELECT total::int FROM wpa.health"), 0);
    /* A file read in part says nothing about what it no longer shows. */
    assert_string_equal(ask_text(w, "SELECT state " TIMEOUT), "open");
    assert_int_equal(ask(w, "SELECT count(*) FROM wpa.finding WHERE rule = 'syntax'"), 1);
}

static void test_a_file_that_cannot_be_read_fails_the_analysis(void **state)
{
    world *w = *state;
    (void)ask_text(w, "UPDATE wpa.workflow SET error = 'is a symlink', is_valid = false "
                      "RETURNING id");
    wpa_analysis_summary summary = analyse(w);
    assert_string_equal(summary.status, "failed");
    assert_string_equal(summary.error, "is a symlink");
    assert_string_equal(ask_text(w, "SELECT status FROM wpa.workflow_analysis"), "failed");
    assert_int_equal(ask(w, "SELECT count(*) FROM wpa.health"), 0);
}

static void test_one_dimension_leaves_the_others_alone(void **state)
{
    world *w = *state;
    (void)analyse(w);
    put(w, clean);
    wpa_error err = {0};
    wpa_analysis_summary summary;
    wpa_analysis_request request = {.workflow_id = w->workflow,
                                    .dimension = WPA_DIMENSION_SECURITY};
    assert_true(wpa_analysis_run(w->db, w->git, &w->engine, &request, w->arena, &summary, &err));
    assert_string_equal(ask_text(w, "SELECT state " TIMEOUT), "open");
    request.workflow_id = 999;
    assert_false(wpa_analysis_run(w->db, w->git, &w->engine, &request, w->arena, &summary, &err));
    assert_int_equal(err.code, WPA_E_NOT_FOUND);
}

/** A commit that changes what lies beside the workflow. */
static void put_beside(world *w, const char *path, const char *text)
{
    wpa_error err = {0};
    char blob[WPA_OID_SIZE], head[WPA_OID_SIZE];
    wpa_git_entry before;
    bool is_there = wpa_git_tree_find(w->git, w->head, path, w->arena, &before, &err);
    assert_true(wpa_git_blob_id(text, strlen(text), blob, &err));
    wpa_git_edit edit = {.path = path,
                         .before = is_there ? before.oid : NULL,
                         .after = blob,
                         .bytes = text,
                         .size_bytes = strlen(text)};
    const wpa_git_identity who = {"Ann", "ann@example.org", w->commit_time_s};
    assert_true(wpa_git_commit_make(w->git, w->head, &edit, 1, &who, "c\n", head, &err));
    memcpy(w->head, head, sizeof head);
    (void)ask_text(w, wpa_arena_printf(w->arena,
                                       "UPDATE wpa.workflow SET head_commit = '%s' RETURNING id",
                                       head));
}

static void test_the_repository_configures_itself(void **state)
{
    world *w = *state;
    put_beside(w, "wpa.yml", "rules:\n  missing-timeout: off\n");
    (void)analyse(w);
    assert_int_equal(ask(w, "SELECT count(*) " TIMEOUT), 0);
}

static int64_t is_cached(world *w)
{
    (void)analyse(w);
    return ask(w, "SELECT is_cached::int FROM wpa.workflow_analysis ORDER BY id DESC");
}

static void set_default(world *w, const char *content)
{
    wpa_error err = {0};
    WPA_AUTO(wpa_db) *db = wpa_test_pg_connect(w->pg, "wpa_api");
    if (!wpa_default_config_set(db, &w->guardian, content, -1, &err)) {
        fail_msg("%s", err.message);
    }
}

/** What the fleet says holds where a repository says nothing, key by key. */
static void test_the_fleet_configures_its_repositories(void **state)
{
    world *w = *state;
    static const char count[] = "SELECT count(*) FROM wpa.finding WHERE state = 'open' AND rule = "
                                "'missing-timeout'";
    (void)analyse(w);
    assert_int_equal(ask(w, count), 1);
    set_default(w, "version: 1\nrules: {missing-timeout: off}\n");
    (void)analyse(w); /* what was kept before does not count */
    assert_int_equal(ask(w, count), 0);
    assert_int_equal(is_cached(w), 1);
    put_beside(w, "wpa.yml", "version: 1\nrules: {long-script: off}\n");
    (void)analyse(w);
    assert_int_equal(ask(w, count), 0);
    set_default(w, "version: 1\nrules: {missing-timeout: {severity: high}}\n");
    (void)analyse(w);
    assert_int_equal(ask(w, count), 1);
    assert_string_equal(ask_text(w, "SELECT severity FROM wpa.finding WHERE rule = "
                                    "'missing-timeout'"),
                        "high");
    set_default(w, "version: 1\nrules: {missing-timeout: {severity: high}}\nrequire-reason: "
                   "true\n");
    (void)analyse(w);
    set_default(w, NULL);
    (void)analyse(w);
    assert_string_not_equal(ask_text(w, "SELECT severity FROM wpa.finding WHERE rule = "
                                        "'missing-timeout'"),
                            "high");
}

/** The nearest wins; one that cannot be read leaves what the fleet says. */
static void test_a_repository_beats_the_fleet(void **state)
{
    world *w = *state;
    static const char severity[] = "SELECT severity FROM wpa.finding WHERE rule = "
                                   "'missing-timeout'";
    set_default(w, "version: 1\nrules: {missing-timeout: {severity: high}}\n");
    put_beside(w, "wpa.yml", "version: 1\nrules: {missing-timeout: {severity: critical}}\n");
    (void)analyse(w);
    assert_string_equal(ask_text(w, severity), "critical");
    put_beside(w, "wpa.yml", "version: 1\nno-such-key: 1\n");
    wpa_analysis_summary summary = analyse(w);
    assert_string_equal(ask_text(w, severity), "high");
    const wpa_json *note = wpa_json_at(wpa_json_find(summary.metrics, "notes"), 0);
    assert_string_equal(wpa_json_text_of(wpa_json_find(note, "rule")), "wpa.yml");
    assert_non_null(strstr(wpa_json_text_of(wpa_json_find(note, "text")),
                           "wpa.yml:2:1: no-such-key: unknown key"));
}

static const struct {
    const char *title, *content, *message;
    wpa_code code;
} refusals[] = {
    {"an unknown key", "rule: {}\n", "the fleet's wpa.yml:1:1: rule: unknown key", WPA_E_INVALID},
    {"an unknown rule", "rules: {nothing: off}\n", "nothing", WPA_E_INVALID},
    {"no mapping", "- a\n", "the fleet's wpa.yml:1:1", WPA_E_INVALID},
    {"no YAML", "a: [\n", "the fleet's wpa.yml", WPA_E_INVALID},
    {"a baseline", "baseline: a.json\n", "baseline is a repository's own to say", WPA_E_INVALID},
    {"programs", "analysers: {x: {command: [x]}}\n", "analysers is", WPA_E_INVALID},
    {"a path of a program", "tools: {node: /bin/sh}\n", "the path of a program", WPA_E_INVALID},
    {"files of others", "compat: {read: [zizmor]}\n", "compat is", WPA_E_INVALID},
};

static void test_who_and_what_sets_it(void **state)
{
    world *w = *state;
    wpa_default_config config;
    WPA_AUTO(wpa_db) *db = wpa_test_pg_connect(w->pg, "wpa_api");
    for (size_t i = 0; i < WPA_COUNT(refusals); i++) {
        wpa_error err = {0};
        print_message("%s\n", refusals[i].title);
        assert_false(wpa_default_config_set(db, &w->guardian, refusals[i].content, -1, &err));
        assert_int_equal(err.code, refusals[i].code);
        assert_non_null(strstr(err.message, refusals[i].message));
    }
    wpa_error err = {0};
    char *large = wpa_arena_alloc(w->arena, WPA_DEFAULT_CONFIG_MAX_BYTES + 2);
    memset(large, '#', WPA_DEFAULT_CONFIG_MAX_BYTES + 1);
    assert_false(wpa_default_config_set(db, &w->guardian, large, -1, &err));
    assert_int_equal(err.code, WPA_E_LIMIT);
    const wpa_actor others[] = {wpa_test_person(w->pg, "tom", WPA_ROLE_VIEWER), w->engine};
    for (size_t i = 0; i < WPA_COUNT(others); i++) {
        assert_false(wpa_default_config_set(db, &others[i], "version: 1\n", -1, &err));
        assert_int_equal(err.code, WPA_E_DENIED);
    }
    assert_string_equal(wpa_test_sql(w->pg, "wpa_agent", w->guardian.principal_id,
                                     "UPDATE wpa.default_config SET content = 'x'"),
                        "42501");
    assert_string_equal(wpa_test_sql(w->pg, "wpa_api", others[0].principal_id,
                                     "UPDATE wpa.default_config SET content = 'x'"),
                        "42501");

    assert_true(wpa_default_config_set(db, &w->guardian, "version: 1\n", 1, &err));
    assert_false(wpa_default_config_set(db, &w->guardian, "version: 1\n\n", 1, &err));
    assert_int_equal(err.code, WPA_E_CONFLICT);
    assert_true(wpa_default_config_read(db, w->arena, &config, &err));
    assert_string_equal(config.content, "version: 1\n");
    assert_string_equal(config.changed_by, "mira");
    assert_int_equal(config.version, 2);
    assert_true(wpa_default_config_set(db, &w->guardian, "version: 1\n", 2, &err)); /* as it is */
    assert_int_equal(ask(w, "SELECT count(*) FROM wpa.audit WHERE subject = 'setting:wpa.yml'"), 1);
    assert_true(wpa_default_config_set(db, &w->guardian, NULL, 2, &err));
    assert_int_equal(ask(w, "SELECT count(*) FROM wpa.audit WHERE subject = 'setting:wpa.yml' AND "
                            "action = 'setting.removed'"),
                     1);
}

static void test_a_result_lasts_as_long_as_what_it_asked(void **state)
{
    world *w = *state;
    put_beside(w, "README.md", "one\n");
    assert_int_equal(is_cached(w), 0);
    put_beside(w, "README.md", "two\n"); /* nobody asks what it says */
    assert_int_equal(is_cached(w), 1);
    put_beside(w, "action.yml", "name: Own\n"); /* which files there are is asked */
    assert_int_equal(is_cached(w), 0);
    put_beside(w, ".shellcheckrc", "disable=SC2086\n");
    assert_int_equal(is_cached(w), 0);
    put_beside(w, ".shellcheckrc", "disable=SC2046\n"); /* reaches every script */
    assert_int_equal(is_cached(w), 0);
    assert_int_equal(is_cached(w), 1);
}

/* A shell is on every machine that this runs on. */
/* Six repositories have gone to another version; what they use is known by their analyses. */
static void test_the_fleet_is_known(void **state)
{
    world *w = *state;
    static const char text[] = "on: push\npermissions: {}\njobs:\n  a:\n    runs-on: "
                               "ubuntu-24.04\n    timeout-minutes: 5\n    steps:\n"
                               "      - uses: Actions/checkout@v4\n"
                               "      - uses: actions/checkout@v4\n";
    static const char count[] = "SELECT count(*) FROM wpa.finding WHERE state = 'open' AND rule = "
                                "'inconsistent-action-versions'";
    put(w, text);
    (void)analyse(w);
    assert_int_equal(ask(w, count), 0);
    assert_int_equal(ask(w, "SELECT places FROM wpa.definition_use WHERE slug = "
                            "'actions/checkout' AND major = 4"),
                     2);
    (void)ask_text(w, "INSERT INTO wpa.repository (name, url, branch, state) SELECT 'r' || i, "
                      "'file:///r' || i, 'main', 'ok' FROM generate_series(1, 6) i RETURNING id");
    (void)ask_text(w, "INSERT INTO wpa.workflow (repository_id, path, name, kind, blob_oid, "
                      "head_commit) SELECT id, 'ci.yml', name, 'workflow', '', '' FROM "
                      "wpa.repository WHERE name LIKE 'r%' RETURNING id");
    (void)ask_text(w, "INSERT INTO wpa.definition_use (workflow_id, slug, major, places) SELECT "
                      "id, 'actions/checkout', 6, 1 FROM wpa.workflow WHERE name LIKE 'r%' "
                      "RETURNING workflow_id");
    (void)analyse(w);
    assert_int_equal(ask(w, count), 2);
    assert_non_null(strstr(ask_text(w, "SELECT message FROM wpa.finding WHERE rule = "
                                       "'inconsistent-action-versions' LIMIT 1"),
                           "version 6 in about 80 % of the fleet's repositories"));
    (void)ask_text(w, "UPDATE wpa.workflow SET state = 'gone' WHERE name LIKE 'r%' RETURNING id");
    (void)analyse(w);
    assert_int_equal(ask(w, count), 0);
    put(w, "on: push\njobs: {}\n");
    (void)analyse(w);
    assert_int_equal(ask(w, "SELECT count(*) FROM wpa.definition_use u JOIN wpa.workflow w ON "
                            "w.id = u.workflow_id WHERE w.state = 'present'"),
                     0);
}

/** A file of a fixture of many repositories. */
static const char *fixture(world *w, const char *rule, const char *repository)
{
    wpa_error err = {0};
    size_t size_bytes;
    const char *path = wpa_arena_printf(
        w->arena, "%s/tests/fixtures/rules/%s/bad_fleet_three/%s/.github/workflows/ci.yml",
        getenv("WPA_SOURCE_DIR"), rule, repository);
    const char *text = wpa_file_read(path, 1 << 20, w->arena, &size_bytes, &err);
    assert_non_null(text);
    return text;
}

/** Another repository that has what was analysed last. */
static void add_twin(world *w, const char *name)
{
    (void)ask_text(w, wpa_arena_printf(w->arena,
                                       "INSERT INTO wpa.repository (name, url, branch, state) "
                                       "VALUES ('%s', 'file:///%s', 'main', 'ok') RETURNING id",
                                       name, name));
    (void)ask_text(w, wpa_arena_printf(w->arena,
                                       "INSERT INTO wpa.workflow (repository_id, path, name, kind, "
                                       "blob_oid, head_commit) SELECT r.id, o.path, '%s-ci', "
                                       "o.kind, o.blob_oid, '' FROM wpa.repository r, "
                                       "wpa.workflow o WHERE r.name = '%s' AND o.name = 'shop-ci' "
                                       "RETURNING id",
                                       name, name));
    (void)ask_text(w, wpa_arena_printf(w->arena,
                                       "INSERT INTO wpa.definition_likeness (workflow_id, "
                                       "repository_id, mark) SELECT w.id, w.repository_id, l.mark "
                                       "FROM wpa.workflow w, wpa.definition_likeness l JOIN "
                                       "wpa.workflow o ON o.id = l.workflow_id WHERE w.name = "
                                       "'%s-ci' AND o.name = 'shop-ci' RETURNING workflow_id",
                                       name));
}

static int64_t count_open(world *w, const char *rule)
{
    return ask(w, wpa_arena_printf(w->arena,
                                   "SELECT count(*) FROM wpa.finding WHERE state = 'open' AND rule "
                                   "= '%s'",
                                   rule));
}

/** What stands in many repositories is found by marks, and what it holds where it was kept. */
static void test_jobs_of_other_repositories_are_known(void **state)
{
    world *w = *state;
    put(w, fixture(w, "duplicate-jobs", "one"));
    (void)analyse(w);
    assert_true(ask(w, "SELECT count(*) FROM wpa.definition_likeness") > 8);
    add_twin(w, "left");
    (void)analyse(w);
    assert_int_equal(count_open(w, "duplicate-jobs"), 0); /* two are not many */
    add_twin(w, "right");
    (void)analyse(w);
    assert_int_equal(count_open(w, "duplicate-jobs"), 1);
    const char *message = ask_text(w, "SELECT message FROM wpa.finding WHERE rule = "
                                      "'duplicate-jobs'");
    assert_non_null(strstr(message, "job 'test' stands in 2 more repositories"));
    assert_non_null(strstr(message, "of 'left'"));
    assert_int_equal(is_cached(w), 1);

    /* Gone, out of the fleet, or nobody knows what it holds. */
    static const char *const undone[][2] = {
        {"UPDATE wpa.workflow SET state = 'gone' WHERE name = 'left-ci' RETURNING id",
         "UPDATE wpa.workflow SET state = 'present' WHERE name = 'left-ci' RETURNING id"},
        {"UPDATE wpa.repository SET state = 'removed' WHERE name = 'right' RETURNING id",
         "UPDATE wpa.repository SET state = 'ok' WHERE name = 'right' RETURNING id"},
        {"UPDATE wpa.workflow SET blob_oid = '00' WHERE name = 'left-ci' RETURNING id",
         "UPDATE wpa.workflow SET blob_oid = (SELECT blob_oid FROM wpa.workflow WHERE name = "
         "'shop-ci') WHERE name = 'left-ci' RETURNING id"}};
    for (size_t i = 0; i < WPA_COUNT(undone); i++) {
        (void)ask_text(w, undone[i][0]);
        (void)analyse(w);
        assert_int_equal(count_open(w, "duplicate-jobs"), 0);
        (void)ask_text(w, undone[i][1]);
        (void)analyse(w);
        assert_int_equal(count_open(w, "duplicate-jobs"), 1);
    }
    put(w, one_job);
    (void)analyse(w);
    assert_int_equal(count_open(w, "duplicate-jobs"), 0);
    assert_int_equal(ask(w, "SELECT count(*) FROM wpa.definition_likeness l JOIN wpa.workflow w ON "
                            "w.id = l.workflow_id WHERE w.name = 'shop-ci'"),
                     0);
}

static void test_steps_of_other_repositories_are_known(void **state)
{
    world *w = *state;
    static const char *const others[] = {"two", "three"};
    for (size_t i = 0; i < WPA_COUNT(others); i++) {
        put(w, fixture(w, "duplicate-steps", others[i]));
        (void)analyse(w);
        add_twin(w, others[i]);
    }
    put(w, fixture(w, "duplicate-steps", "one"));
    (void)analyse(w);
    assert_int_equal(count_open(w, "duplicate-steps"), 1);
    assert_int_equal(count_open(w, "duplicate-jobs"), 0);
    assert_non_null(strstr(ask_text(w, "SELECT message FROM wpa.finding WHERE state = 'open' AND "
                                       "rule = 'duplicate-steps'"),
                           "stand in 3 repositories"));
    (void)ask_text(w, "UPDATE wpa.workflow SET state = 'gone' WHERE name = 'two-ci' RETURNING id");
    (void)analyse(w);
    assert_int_equal(count_open(w, "duplicate-steps"), 0);
}

/** Where nothing has changed for long the forge of a public repository runs no schedules. */
static void test_schedules_of_idle_repositories_are_off(void **state)
{
    world *w = *state;
    static const char text[] = "on: {schedule: [{cron: '17 3 * * 1'}]}\npermissions: {}\njobs:\n"
                               "  a:\n    runs-on: ubuntu-24.04\n    timeout-minutes: 5\n"
                               "    steps:\n      - run: make\n";
    static const char count[] = "SELECT count(*) FROM wpa.finding WHERE state = 'open' AND rule = "
                                "'dead-workflow' AND check_name = 'D6'";
    put(w, text);
    (void)analyse(w);
    assert_int_equal(ask(w, count), 0); /* it may be private */
    put_beside(w, "wpa.yml", "version: 1\nvisibility: public\n");
    (void)analyse(w);
    assert_int_equal(ask(w, count), 1);
    assert_non_null(strstr(ask_text(w, "SELECT message FROM wpa.finding WHERE check_name = 'D6'"),
                           "since 2023-11-14"));
    w->commit_time_s = wpa_now_us() / 1000000 - 5;
    put_beside(w, "README.md", "alive\n");
    (void)analyse(w);
    assert_int_equal(ask(w, count), 0);
}

static void test_programs_are_asked_about_scripts(void **state)
{
    world *w = *state;
    static const char script[] = HEAD "  build:\n"
                                      "    name: Build\n"
                                      "    runs-on: ubuntu-24.04\n"
                                      "    timeout-minutes: 5\n"
                                      "    steps:\n"
                                      "      - run: if true; then\n";
    put(w, script);
    wpa_analysis_summary summary = analyse(w);
    assert_int_equal(ask(w, "SELECT start_line FROM wpa.finding WHERE rule = 'script-syntax'"), 11);
    bool has_shellcheck = access("/usr/bin/shellcheck", X_OK) == 0;
    const wpa_json *notes = wpa_json_find(summary.metrics, "notes");
    assert_int_equal(notes ? wpa_json_count(notes) : 0, has_shellcheck ? 0 : 1);
    put(w, clean);
    (void)analyse(w);
    assert_string_equal(ask_text(w, "SELECT state FROM wpa.finding WHERE rule = 'script-syntax'"),
                        "fixed");
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, open_world, close_world)

int main(void)
{
    wpa_test_pg_need();
    const struct CMUnitTest tests[] = {
        CASE(test_findings_live_and_die),
        CASE(test_equal_content_costs_nothing),
        CASE(test_health_is_kept),
        CASE(test_what_a_guardian_ignores_stays_ignored),
        CASE(test_a_broken_file_is_a_finding_and_health_nought),
        CASE(test_a_file_that_cannot_be_read_fails_the_analysis),
        CASE(test_one_dimension_leaves_the_others_alone),
        CASE(test_the_repository_configures_itself),
        CASE(test_the_fleet_configures_its_repositories),
        CASE(test_a_repository_beats_the_fleet),
        CASE(test_who_and_what_sets_it),
        CASE(test_a_result_lasts_as_long_as_what_it_asked),
        CASE(test_the_fleet_is_known),
        CASE(test_jobs_of_other_repositories_are_known),
        CASE(test_steps_of_other_repositories_are_known),
        CASE(test_schedules_of_idle_repositories_are_off),
        CASE(test_programs_are_asked_about_scripts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
