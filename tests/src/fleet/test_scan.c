/* What is removed, or goes, while it is looked at does not come back by that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "analysis/analysis.h"
#include "fleet/scan.h"
#include "harness/pg.h"
#include "job/job.h"

#define PATH ".github/workflows/ci.yml"

/* Has a finding: it sets no limit of time. */
static const char text[] = "name: CI\non: push\njobs:\n  build:\n    runs-on: ubuntu-24.04\n"
                           "    steps:\n      - run: make\n";

typedef struct world {
    wpa_arena *arena;
    wpa_test_pg *pg;
    wpa_db *db;
    wpa_actor guardian, engine;
    wpa_heart *heart;
    wpa_job_worker worker;
    char *folder;
} world;

static wpa_job_handler handler_of(const char *kind)
{
    return wpa_text_is(kind, "scan")      ? wpa_scan_job
           : wpa_text_is(kind, "analyse") ? wpa_analysis_job
                                          : NULL;
}

static void make_repository(world *w)
{
    wpa_error err = {0};
    char blob[WPA_OID_SIZE], head[WPA_OID_SIZE];
    const char *path = wpa_path_join(w->arena, w->folder, "shop.git");
    WPA_AUTO(wpa_git) *git = wpa_git_create(path, "main", &err);
    assert_non_null(git);
    assert_true(wpa_git_blob_id(text, strlen(text), blob, &err));
    const wpa_git_edit edit = {
        .path = PATH, .after = blob, .bytes = text, .size_bytes = strlen(text)};
    const wpa_git_identity who = {"Ann", "ann@example.org", 1700000000};
    assert_true(wpa_git_commit_make(git, NULL, &edit, 1, &who, "m\n", head, &err));
    assert_true(wpa_git_ref_swap(git, "refs/heads/main", WPA_OID_ZERO, head, &err));
    const wpa_repository repository = {.name = "shop",
                                       .url = path,
                                       .branch = "main",
                                       .owner = "",
                                       .labels_json = "[]",
                                       .criticality = 2,
                                       .test_json = "",
                                       .integration_json = "[]",
                                       .checks_json = "[]",
                                       .rollout_json = "{}"};
    WPA_AUTO(wpa_db) *api = wpa_test_pg_connect(w->pg, "wpa_api");
    int64_t id = 0;
    if (!wpa_fleet_add(api, &w->guardian, &repository, &id, &err)) {
        fail_msg("%s", err.message);
    }
}

static int set_up(void **state)
{
    static const char *const queues[] = {"scan", "analyse"};
    world *w = calloc(1, sizeof *w);
    wpa_error err = {0};
    assert_true(wpa_git_init(&err));
    w->arena = wpa_arena_new();
    w->pg = wpa_test_pg_new();
    w->db = wpa_test_pg_connect(w->pg, "wpa_agent");
    w->guardian = wpa_test_person(w->pg, "mira", WPA_ROLE_GUARDIAN);
    w->engine = wpa_test_engine(w->pg);
    w->folder = wpa_dir_temp("/tmp/wpa-scan", w->arena, &err);
    w->heart = wpa_heart_start(wpa_test_pg_dsn(w->pg), "wpa_agent", 1, NULL, &err);
    assert_non_null(w->heart);
    w->worker = (wpa_job_worker){.db = w->db,
                                 .actor = &w->engine,
                                 .heart = w->heart,
                                 .owner = "here",
                                 .cache_folder = wpa_path_join(w->arena, w->folder, "cache"),
                                 .queues = queues,
                                 .n_queues = WPA_COUNT(queues),
                                 .handler_of = handler_of};
    make_repository(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world *w = *state;
    wpa_error err = {0};
    wpa_heart_stop(w->heart);
    wpa_db_close(w->db);
    wpa_test_pg_free(w->pg);
    (void)!wpa_dir_remove(w->folder, &err);
    wpa_arena_free(w->arena);
    wpa_git_shutdown();
    free(w);
    return 0;
}

static void work(world *w)
{
    wpa_error err = {0};
    bool did_one = false;
    if (!wpa_job_work(&w->worker, &did_one, &err)) {
        fail_msg("%s", err.message);
    }
    assert_true(did_one);
}

static int64_t ask(world *w, const char *sql)
{
    return wpa_test_sql_int(w->pg, 0, sql);
}

static void must(world *w, const char *sql)
{
    if (strcmp(wpa_test_sql(w->pg, NULL, w->engine.principal_id, sql), "00000") != 0) {
        fail_msg("%s", wpa_test_sql_message(w->pg));
    }
}

static void what_is_removed_meanwhile_gets_no_workflows(void **state)
{
    world *w = *state;
    /* Behind what is read of it, before anything is kept: where the lease is looked at. */
    must(w, "CREATE OR REPLACE FUNCTION wpa.fence(j bigint, t bigint) RETURNS void LANGUAGE "
            "plpgsql SECURITY DEFINER AS $$ BEGIN UPDATE wpa.repository SET state = 'removed', "
            "error = NULL; END $$");
    work(w);
    assert_int_equal(ask(w, "SELECT count(*) FROM wpa.workflow WHERE state = 'present'"), 0);
    assert_int_equal(ask(w, "SELECT count(*) FROM wpa.job"), 0);
    assert_int_equal(ask(w, "SELECT count(*) FROM wpa.job_history WHERE state = 'done'"), 1);
}

static void what_has_gone_meanwhile_gets_no_findings(void **state)
{
    world *w = *state;
    work(w);
    must(w, "CREATE FUNCTION wpa.meanwhile() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS "
            "$$ BEGIN UPDATE wpa.workflow SET state = 'gone'; RETURN NULL; END $$; CREATE TRIGGER "
            "meanwhile AFTER INSERT ON wpa.workflow_analysis FOR EACH ROW EXECUTE FUNCTION "
            "wpa.meanwhile()");
    work(w);
    assert_int_equal(ask(w, "SELECT count(*) FROM wpa.finding"), 0);
    assert_string_equal(wpa_test_sql_value(w->pg, 0, w->arena,
                                           "SELECT status || ': ' || error FROM "
                                           "wpa.workflow_analysis"),
                        "failed: the file is not there any more");
}

static void what_is_there_gets_both(void **state)
{
    world *w = *state;
    work(w);
    work(w);
    assert_int_equal(ask(w, "SELECT count(*) FROM wpa.workflow WHERE state = 'present'"), 1);
    assert_true(ask(w, "SELECT count(*) FROM wpa.finding WHERE state = 'open'") > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_there_gets_both, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_removed_meanwhile_gets_no_workflows, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_has_gone_meanwhile_gets_no_findings, set_up,
                                        tear_down),
    };
    wpa_test_pg_need();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
