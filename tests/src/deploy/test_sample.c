/*
 * The sample fleet for real: imported, scanned, one change that its service likes and one that it
 * does not, with checks that ask the service, run the repository's tests and score the workflow.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "fleet/scan.h"
#include "world.h"

typedef struct sample {
    world *w;
    pid_t service;
    const char *fleet;
} sample;

static pid_t spawn(const char *const argv[], int *output)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        char *copy[8] = {0};
        for (size_t i = 0; argv[i] != NULL; i++) {
            copy[i] = wpa_strdup(argv[i]);
        }
        execvp(copy[0], copy);
        _exit(127);
    }
    close(ends[1]);
    *output = ends[0];
    return child;
}

/* The service takes a free port and says which. */
static int start_service(sample *s, const char *source)
{
    int fd = -1;
    char line[200] = "";
    const char *argv[] = {"python3", wpa_path_join(s->w->arena, source, "tests/fleet/service.py"),
                          s->fleet, "0", NULL};
    s->service = spawn(argv, &fd);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    for (size_t n = 0; n + 1 < sizeof line && strchr(line, '\n') == NULL; n++) {
        if (poll(&ready, 1, WPA_PATIENCE_MS) != 1 || read(fd, line + n, 1) != 1) {
            return 0;
        }
    }
    close(fd);
    const char *colon = strrchr(line, ':');
    return colon != NULL ? (int)strtol(colon + 1, NULL, 10) : 0;
}

static void make_fleet(sample *s, const char *source, int port)
{
    int fd = -1;
    int status = 0;
    const char *argv[] = {"sh", wpa_path_join(s->w->arena, source, "tests/fleet/make.sh"), s->fleet,
                          wpa_arena_printf(s->w->arena, "%d", port), NULL};
    const pid_t child = spawn(argv, &fd);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(fd);
}

static int setup(void **out)
{
    wpa_error err = {0};
    const char *source = getenv("WPA_SOURCE_DIR");
    assert_non_null(source);
    sample *s = test_calloc(1, sizeof *s);
    s->w = world_new();
    s->fleet = wpa_path_join(s->w->arena, s->w->folder, "fleet");
    assert_true(wpa_dir_make(s->fleet, 0700, &err));
    const int port = start_service(s, source);
    assert_true(port > 0);
    make_fleet(s, source, port);
    *out = s;
    return 0;
}

static int teardown(void **in)
{
    sample *s = *in;
    (void)kill(s->service, SIGTERM);
    (void)waitpid(s->service, NULL, 0);
    world_free(s->w);
    test_free(s);
    return 0;
}

static bool analyse_later(wpa_job_context *context, wpa_error *err)
{
    (void)context;
    (void)err;
    return true;
}

static wpa_job_handler real_handler_of(const char *kind)
{
    static const struct {
        const char *kind;
        wpa_job_handler handler;
    } rows[] = {{"deploy", wpa_deploy_job}, {"scan", wpa_scan_job}, {"analyse", analyse_later}};
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        if (wpa_text_is(rows[i].kind, kind)) {
            return rows[i].handler;
        }
    }
    return NULL;
}

static void work_for_real(world *w)
{
    static const char *const queues[] = {"deploy", "scan"};
    work_with(w, &(working){queues, WPA_COUNT(queues), real_handler_of, NULL});
}

static void import(world *w, const char *path)
{
    wpa_error err = {0};
    wpa_repositories all;
    wpa_fleet_import result;
    if (!wpa_fleet_read(path, w->arena, &all, &err) ||
        !wpa_fleet_store(w->db, &w->guardian, &all, &result, &err)) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(all.n, 6);
    assert_int_equal(result.n_added, 6);
    assert_true(wpa_fleet_store(w->db, &w->guardian, &all, &result, &err));
    assert_int_equal(result.n_unchanged, 6);
}

/* A patch that replaces one text by another in one file of a repository, tested. */
static void patch_file(world *w, const char *repository, const char *path, const char *from,
                       const char *to)
{
    wpa_error err = {0};
    wpa_repository found;
    wpa_git_entry entry;
    size_t size = 0;
    char tip[WPA_OID_SIZE];
    char after_oid[WPA_OID_SIZE];
    assert_true(wpa_fleet_find(w->db, repository, w->arena, &found, &err));
    WPA_AUTO(wpa_git) *git = wpa_git_open(found.url, &err);
    assert_true(wpa_git_ref_read(git, MAIN, tip, &err));
    assert_true(wpa_git_tree_find(git, tip, path, w->arena, &entry, &err));
    const char *before = wpa_git_blob_read(git, entry.oid, 100000, w->arena, &size, &err);
    const char *at = strstr(before, from);
    assert_non_null(at);
    const char *after =
        wpa_arena_printf(w->arena, "%.*s%s%s", (int)(at - before), before, to, at + strlen(from));
    assert_true(wpa_git_blob_id(after, strlen(after), after_oid, &err));
    w->n_targets = 1;
    w->path[0] = found.url;
    const char *hex = after_oid; /* any digest that differs from patch to patch */
    w->patch = wpa_test_sql_int(
        w->pg, w->engine.principal_id,
        wpa_arena_printf(w->arena,
                         "INSERT INTO wpa.patch (name, digest, author_id) VALUES ('%s', "
                         "sha256('%s'), %lld) RETURNING id",
                         to, hex, (long long)w->engine.principal_id));
    const char *sql = wpa_arena_printf(
        w->arena,
        "INSERT INTO wpa.patch_edit (patch_id, repository_id, ref, path, base_commit, before_oid, "
        "after_oid, before_bytes, after_bytes) VALUES (%lld, %lld, '" MAIN
        "', '%s', '%s', '%s', '%s', convert_to($t$%s$t$, 'UTF8'), convert_to($t$%s$t$, 'UTF8'))",
        (long long)w->patch, (long long)found.id, path, tip, entry.oid, after_oid, before, after);
    assert_string_equal(wpa_test_sql(w->pg, NULL, w->engine.principal_id, sql), "00000");
    mark_tested(w);
}

static const char *results_of(world *w, const char *kind)
{
    return wpa_test_sql_value(
        w->pg, 0, w->arena,
        wpa_arena_printf(w->arena,
                         "SELECT coalesce(string_agg(DISTINCT m.result || ':' || m.message, '; '), "
                         "'') FROM wpa.measurement m JOIN wpa.probe p ON p.id = m.probe_id WHERE "
                         "p.deployment_id = %lld AND p.kind = '%s'",
                         (long long)w->deployment, kind));
}

static void fleet_is_scanned(world *w)
{
    wpa_error err = {0};
    wpa_workflow_ref found;
    work_for_real(w);
    assert_int_equal(
        wpa_test_sql_int(w->pg, 0, "SELECT count(*) FROM wpa.repository WHERE state = 'ok'"), 6);
    assert_int_equal(wpa_test_sql_int(w->pg, 0, "SELECT count(*) FROM wpa.workflow"), 16);
    assert_int_equal(wpa_test_sql_int(w->pg, 0,
                                      "SELECT count(*) FROM wpa.job WHERE kind = "
                                      "'analyse'"),
                     16);
    static const char *const names[] = {"ledger-api-ci", "ledger-api/ci.yml",
                                        "release-tools/release-notes/action.yml",
                                        "ledger-api/dependabot.yml"};
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        if (!wpa_fleet_find_workflow(w->db, names[i], w->arena, &found, &err)) {
            fail_msg("%s", err.message);
        }
        assert_string_equal(found.slash_name, i == 0 ? names[1] : names[i]);
    }
    assert_false(wpa_fleet_find_workflow(w->db, "ledger-api-none", w->arena, &found, &err));
    assert_int_equal(err.code, WPA_E_NOT_FOUND);
}

static void names_that_fit_two(world *w)
{
    wpa_error err = {0};
    wpa_workflow_ref found;
    const char *sql = "INSERT INTO wpa.workflow (repository_id, path, name, kind, blob_oid, "
                      "head_commit) SELECT id, '.github/workflows/api-ci.yml', 'ledger-api-ci', "
                      "'workflow', repeat('a', 40), repeat('b', 40) FROM wpa.repository WHERE name "
                      "= 'infra'";
    assert_string_equal(wpa_test_sql(w->pg, NULL, w->engine.principal_id, sql), "00000");
    assert_false(wpa_fleet_find_workflow(w->db, "ledger-api-ci", w->arena, &found, &err));
    assert_int_equal(err.code, WPA_E_REFUSED);
    assert_non_null(strstr(err.message, "say infra/api-ci.yml or ledger-api/ci.yml"));
    size_t n = 0;
    assert_true(wpa_fleet_order_scan(w->db, &w->guardian, "infra", &n, &err));
    work_for_real(w);
    assert_true(wpa_fleet_find_workflow(w->db, "ledger-api-ci", w->arena, &found, &err));
}

static void an_unreadable_repository_loses_nothing(world *w)
{
    wpa_error err = {0};
    wpa_repository found;
    size_t n = 0;
    assert_true(wpa_fleet_find(w->db, "docs-site", w->arena, &found, &err));
    const char *away = wpa_arena_printf(w->arena, "%s.away", found.url);
    assert_int_equal(rename(found.url, away), 0);
    assert_true(wpa_fleet_order_scan(w->db, &w->guardian, "docs-site", &n, &err));
    work_for_real(w);
    assert_true(wpa_fleet_find(w->db, "docs-site", w->arena, &found, &err));
    assert_string_equal(found.state, "error");
    assert_non_null(strstr(found.error, "docs-site.git"));
    assert_int_equal(found.n_workflows, 2);
    assert_int_equal(rename(away, found.url), 0);
    assert_true(wpa_fleet_order_scan(w->db, &w->guardian, NULL, &n, &err));
    assert_int_equal(n, 6);
    work_for_real(w);
    assert_true(wpa_fleet_find(w->db, "docs-site", w->arena, &found, &err));
    assert_string_equal(found.state, "ok");
    assert_true(wpa_fleet_remove(w->db, &w->guardian, "docs-site", &err));
    assert_false(wpa_fleet_find(w->db, "docs-site", w->arena, &found, &err));
}

static void the_fleet(void **in)
{
    sample *s = *in;
    import(s->w, wpa_path_join(s->w->arena, s->fleet, "fleet.yml"));
    fleet_is_scanned(s->w);
    names_that_fit_two(s->w);
    an_unreadable_repository_loses_nothing(s->w);
}

static void a_change_that_holds(void **in)
{
    sample *s = *in;
    world *w = s->w;
    import(w, wpa_path_join(w->arena, s->fleet, "fleet.yml"));
    patch_file(w, "ledger-api", CI, "  migrations:\n    runs-on: ubuntu-20.04\n",
               "  migrations:\n    runs-on: ubuntu-24.04\n    timeout-minutes: 30\n");
    start(w);
    work_for_real(w);
    if (!wpa_text_is(deployment_state(w), "succeeded")) {
        fail_msg("%s: %s; http %s; command %s; rescore %s", deployment_state(w),
                 deployment_reason(w), results_of(w, "http"), results_of(w, "command"),
                 results_of(w, "rescore"));
    }
    assert_states(w, "succeeded", "deployed");
    /* Beside it may stand what a busy machine did not come to in time. */
    assert_non_null(strstr(results_of(w, "http"), "success:"));
    assert_non_null(strstr(results_of(w, "rescore"), "success:"));
}

static void a_change_that_the_service_refuses(void **in)
{
    sample *s = *in;
    world *w = s->w;
    import(w, wpa_path_join(w->arena, s->fleet, "fleet.yml"));
    patch_file(w, "payments-worker", CI, "ubuntu-20.04", "ubuntu-24.04");
    start(w);
    work_for_real(w);
    if (!wpa_text_is(deployment_state(w), "rolled_back")) {
        fail_msg("%s: %s; http %s; rescore %s", deployment_state(w), deployment_reason(w),
                 results_of(w, "http"), results_of(w, "rescore"));
    }
    assert_states(w, "rolled_back", "rolled_back");
    assert_non_null(strstr(text_of(w, 0), "runs-on: ubuntu-20.04"));
    int n_apply = 0;
    int n_revert = 0;
    count_commits(w, 0, &n_apply, &n_revert);
    assert_int_equal(n_apply, 1);
    assert_int_equal(n_revert, 1);
}

int main(void)
{
    wpa_error err = {0};
    wpa_test_pg_need();
    if (!wpa_git_init(&err)) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_fleet, setup, teardown),
        cmocka_unit_test_setup_teardown(a_change_that_holds, setup, teardown),
        cmocka_unit_test_setup_teardown(a_change_that_the_service_refuses, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
