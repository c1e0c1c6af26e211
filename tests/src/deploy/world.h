/* A small world for the deployment tests: a database, git repositories, a patch, scripted checks.
 */
#pragma once

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "auth/hash.h"
#include "deploy/deploy.h"
#include "fleet/fleet.h"
#include "git/git.h"
#include "harness/patience.h"
#include "harness/pg.h"

#define MAIN "refs/heads/main"
#define CI ".github/workflows/ci.yml"
#define BEFORE "on: push\njobs:\n  a:\n    runs-on: ubuntu-22.04\n    steps:\n      - run: make\n"
#define AFTER                                                                                      \
    "on: push\njobs:\n  a:\n    runs-on: ubuntu-22.04\n    timeout-minutes: 30\n    steps:\n"      \
    "      - run: make\n"
#define TARGETS_MAX 8

typedef struct world {
    wpa_arena *arena;
    wpa_test_pg *pg;
    wpa_db *db;
    wpa_actor guardian, engine;
    const char *folder;
    size_t n_targets;
    int64_t repository[TARGETS_MAX];
    const char *path[TARGETS_MAX]; /* of the bare repository */
    char base[TARGETS_MAX][WPA_OID_SIZE];
    int64_t patch;
    int64_t deployment;
} world;

/* What the scripted check says next; the file system carries it over a fork. */
static inline void script(world *w, const char *result)
{
    wpa_error err = {0};
    assert_true(wpa_file_replace(wpa_path_join(w->arena, w->folder, "result"), result,
                                 strlen(result), 0644, &err));
}

static inline bool scripted_measure(wpa_job_context *job, const wpa_measure_request *request,
                                    wpa_arena *arena, wpa_measurement *measurement, wpa_error *err)
{
    (void)err;
    wpa_error ignored = {0};
    size_t size = 0;
    /* cache_folder is <folder>/cache */
    const char *text = wpa_file_read(wpa_arena_printf(arena, "%s/../result", job->cache_folder),
                                     100, arena, &size, &ignored);
    *measurement = (wpa_measurement){.started_us = wpa_now_us(),
                                     .result = WPA_MEASURED_ERROR,
                                     .value = 200,
                                     .latency_ms = 3,
                                     .baseline = NAN,
                                     .samples = 1,
                                     .resolved = request->repository,
                                     .conditions = "",
                                     .message = ""};
    if (!wpa_measured_from_name(text != NULL ? text : "error", &measurement->result) ||
        measurement->result != WPA_MEASURED_SUCCESS) {
        measurement->message = "as scripted";
    }
    measurement->ended_us = wpa_now_us();
    return true;
}

static inline bool scripted_job(wpa_job_context *context, wpa_error *err)
{
    static const wpa_deploy_tools tools = {.measure = scripted_measure};
    return wpa_deploy_job_with(context, &tools, err);
}

static inline wpa_job_handler handler_of(const char *kind)
{
    return wpa_text_is(kind, "deploy") ? scripted_job : NULL;
}

static inline const char *commit_file(world *w, size_t target, const char *path, const char *before,
                                      const char *after)
{
    static const wpa_git_identity identity = {"J. Doe", "doe@example.org", 1767225600};
    wpa_error err = {0};
    char before_oid[WPA_OID_SIZE];
    char after_oid[WPA_OID_SIZE];
    char *made = wpa_arena_alloc(w->arena, WPA_OID_SIZE);
    char tip[WPA_OID_SIZE] = WPA_OID_ZERO;
    WPA_AUTO(wpa_git) *git = wpa_git_open(w->path[target], &err);
    assert_non_null(git);
    const bool has_tip = wpa_git_ref_read(git, MAIN, tip, &err);
    if (!has_tip) {
        wpa_text_copy(tip, sizeof tip, WPA_OID_ZERO);
    }
    if (before != NULL) {
        assert_true(wpa_git_blob_id(before, strlen(before), before_oid, &err));
    }
    if (after != NULL) {
        assert_true(wpa_git_blob_id(after, strlen(after), after_oid, &err));
    }
    const wpa_git_edit edit = {path, before != NULL ? before_oid : NULL,
                               after != NULL ? after_oid : NULL, after,
                               after != NULL ? strlen(after) : 0};
    wpa_error_clear(&err);
    if (!wpa_git_commit_make(git, has_tip ? tip : NULL, &edit, 1, &identity, "by hand\n", made,
                             &err) ||
        !wpa_git_ref_swap(git, MAIN, tip, made, &err)) {
        fail_msg("%s", err.message);
    }
    return made;
}

static inline void add_target(world *w, const char *name, const char *rollout, const char *checks)
{
    wpa_error err = {0};
    const size_t i = w->n_targets++;
    w->path[i] = wpa_arena_printf(w->arena, "%s/%s.git", w->folder, name);
    WPA_AUTO(wpa_git) *git = wpa_git_create(w->path[i], "main", &err);
    assert_non_null(git);
    wpa_text_copy(w->base[i], WPA_OID_SIZE, commit_file(w, i, CI, NULL, BEFORE));
    wpa_repository repository;
    assert_true(wpa_fleet_declare(name, w->path[i], "main", w->arena, &repository, &err));
    repository.rollout_json = rollout;
    repository.checks_json = checks;
    if (!wpa_fleet_add(w->db, &w->guardian, &repository, &w->repository[i], &err)) {
        fail_msg("%s", err.message);
    }
}

#define ROLLOUT                                                                                    \
    "{\"strategy\":\"waves-percent\",\"percents\":[100],\"bake_ms\":600,\"max_failures\":0,"       \
    "\"max_conflicts\":0,\"deadline_ms\":60000,\"on_failure\":\"rollback\",\"gate\":\"auto\","     \
    "\"rollback_verify_ms\":3000,\"inconclusive_deadline_ms\":86400000}"
#define CHECKS                                                                                     \
    "[{\"name\":\"up\",\"kind\":\"http\",\"url\":\"http://127.0.0.1/\",\"interval\":\"200ms\","    \
    "\"critical\":true,\"error_limit\":1000}]"

static inline void mark_tested(world *w)
{
    static const char *const states[] = {"testing", "tested"};
    for (size_t i = 0; i < WPA_COUNT(states); i++) {
        const char *sql =
            wpa_arena_printf(w->arena,
                             "UPDATE wpa.patch SET state = '%s', tested_digest = digest WHERE id = "
                             "%lld",
                             states[i], (long long)w->patch);
        assert_string_equal(wpa_test_sql(w->pg, NULL, w->engine.principal_id, sql), "00000");
    }
}

/* The same edit in every target, tested: as the patch and testing modules leave it. */
static inline void make_patch(world *w)
{
    char before[WPA_OID_SIZE];
    char after[WPA_OID_SIZE];
    wpa_error err = {0};
    assert_true(wpa_git_blob_id(BEFORE, strlen(BEFORE), before, &err));
    assert_true(wpa_git_blob_id(AFTER, strlen(AFTER), after, &err));
    const char *hex = "abababababababababababababababababababababababababababababababab";
    w->patch =
        wpa_test_sql_int(w->pg, w->engine.principal_id,
                         wpa_arena_printf(w->arena,
                                          "INSERT INTO wpa.patch (name, digest, author_id) VALUES "
                                          "('Add timeouts', '\\x%s', %lld) RETURNING id",
                                          hex, (long long)w->engine.principal_id));
    for (size_t i = 0; i < w->n_targets; i++) {
        const char *sql = wpa_arena_printf(
            w->arena,
            "INSERT INTO wpa.patch_edit (patch_id, repository_id, ref, path, base_commit, "
            "before_oid, after_oid, before_bytes, after_bytes) VALUES (%lld, %lld, '" MAIN "', '" CI
            "', '%s', '%s', '%s', convert_to($t$" BEFORE "$t$, 'UTF8'), convert_to($t$" AFTER
            "$t$, 'UTF8'))",
            (long long)w->patch, (long long)w->repository[i], w->base[i], before, after);
        assert_string_equal(wpa_test_sql(w->pg, NULL, w->engine.principal_id, sql), "00000");
    }
    mark_tested(w);
}

static inline world *world_new(void)
{
    wpa_error err = {0};
    world *w = test_calloc(1, sizeof *w);
    w->arena = wpa_arena_new();
    w->pg = wpa_test_pg_new();
    w->db = wpa_test_pg_connect(w->pg, NULL);
    w->guardian = wpa_test_person(w->pg, "mira", WPA_ROLE_GUARDIAN);
    w->engine = wpa_test_engine(w->pg);
    w->folder = wpa_dir_temp("/tmp/wpa-deploy", w->arena, &err);
    assert_non_null(w->folder);
    assert_true(wpa_dir_make(wpa_path_join(w->arena, w->folder, "cache"), 0700, &err));
    script(w, "success");
    return w;
}

static inline void world_free(world *w)
{
    wpa_error err = {0};
    wpa_db_close(w->db);
    wpa_test_pg_free(w->pg);
    assert_true(wpa_dir_remove(w->folder, &err));
    wpa_arena_free(w->arena);
    test_free(w);
}

typedef struct working {
    const char *const *queues;
    size_t n_queues;
    wpa_job_handler (*handlers)(const char *kind);
    const char *until; /* a condition in SQL; NULL: until the queues are empty */
} working;

static inline bool is_done(world *w, const working *how, bool did_one)
{
    if (how->until != NULL) {
        const char *sql = wpa_arena_printf(w->arena, "SELECT (%s)::int", how->until);
        return wpa_test_sql_int(w->pg, 0, sql) == 1;
    }
    const char *left =
        wpa_arena_printf(w->arena, "SELECT count(*) FROM wpa.job WHERE queue = ANY('%s')",
                         wpa_db_array(w->arena, how->queues, how->n_queues));
    return !did_one && wpa_test_sql_int(w->pg, 0, left) == 0;
}

/* Work on the queues, on connections of its own. */
static inline void work_with(world *w, const working *how)
{
    wpa_error err = {0};
    WPA_AUTO(wpa_db) *db = wpa_test_pg_connect(w->pg, NULL);
    WPA_AUTO(wpa_heart) *heart = wpa_heart_start(wpa_test_pg_dsn(w->pg), NULL, 1, NULL, &err);
    if (heart == NULL) {
        fail_msg("%s", err.message);
    }
    wpa_job_worker worker = {.db = db,
                             .actor = &w->engine,
                             .heart = heart,
                             .owner = "test/1/0",
                             .cache_folder = wpa_path_join(w->arena, w->folder, "cache"),
                             .queues = how->queues,
                             .n_queues = how->n_queues,
                             .handler_of = how->handlers};
    const int64_t until_ms = wpa_monotonic_ms() + WPA_PATIENCE_MS;
    for (bool did_one = true; !is_done(w, how, did_one); wpa_sleep_ms(did_one ? 0 : 20)) {
        if (wpa_monotonic_ms() > until_ms) {
            fail_msg("worked in vain until %s",
                     how->until != NULL ? how->until : "the queues are empty");
        }
        if (!wpa_job_work(&worker, &did_one, &err)) {
            fail_msg("%s", err.message);
        }
    }
}

static inline void work_until(world *w, const char *condition)
{
    static const char *const queues[] = {"deploy"};
    work_with(w, &(working){queues, 1, handler_of, condition});
}

#define STATE_IS(state) "(SELECT state FROM wpa.deployment) = '" state "'"
#define STAGE_IS(state) "EXISTS (SELECT FROM wpa.deployment_stage WHERE state = '" state "')"
#define TARGET_IS(state) "EXISTS (SELECT FROM wpa.deployment_target WHERE state = '" state "')"

static inline void work(world *w)
{
    work_until(w, NULL);
}

static inline void start(world *w)
{
    wpa_error err = {0};
    if (!wpa_deploy_start(w->db, &w->guardian, w->patch, NULL, &w->deployment, &err)) {
        fail_msg("%s: %s", err.context, err.message);
    }
}

static inline const char *value(world *w, const char *format, int64_t id)
{
    const char *sql = wpa_arena_printf(w->arena, "%s %lld", format, (long long)id);
    return wpa_test_sql_value(w->pg, 0, w->arena, sql);
}

static inline const char *deployment_state(world *w)
{
    return value(w, "SELECT state FROM wpa.deployment WHERE id =", w->deployment);
}

static inline const char *deployment_reason(world *w)
{
    return value(w, "SELECT coalesce(reason, '') FROM wpa.deployment WHERE id =", w->deployment);
}

static inline const char *patch_state(world *w)
{
    return value(w,
                 "SELECT state || coalesce(':' || reason, '') FROM wpa.patch WHERE id =", w->patch);
}

static inline const char *target_states(world *w)
{
    return value(w,
                 "SELECT string_agg(state, ' ' ORDER BY target_id) FROM wpa.deployment_target "
                 "WHERE deployment_id =",
                 w->deployment);
}

static inline const char *stage_states(world *w)
{
    return value(w,
                 "SELECT string_agg(state, ' ' ORDER BY n) FROM wpa.deployment_stage WHERE "
                 "deployment_id =",
                 w->deployment);
}

static inline const char *tip_of(world *w, size_t target)
{
    wpa_error err = {0};
    char *tip = wpa_arena_alloc(w->arena, WPA_OID_SIZE);
    WPA_AUTO(wpa_git) *git = wpa_git_open(w->path[target], &err);
    assert_non_null(git);
    assert_true(wpa_git_ref_read(git, MAIN, tip, &err));
    return tip;
}

/* The workflow's text at the tip. */
static inline const char *text_of(world *w, size_t target)
{
    wpa_error err = {0};
    wpa_git_entry entry;
    size_t size = 0;
    WPA_AUTO(wpa_git) *git = wpa_git_open(w->path[target], &err);
    assert_non_null(git);
    assert_true(wpa_git_tree_find(git, tip_of(w, target), CI, w->arena, &entry, &err));
    return wpa_git_blob_read(git, entry.oid, 10000, w->arena, &size, &err);
}

/* Commits of ours in the history of the branch: those with our trailer. */
static inline void count_commits(world *w, size_t target, int *n_apply, int *n_revert)
{
    wpa_error err = {0};
    WPA_AUTO(wpa_git) *git = wpa_git_open(w->path[target], &err);
    assert_non_null(git);
    const char *at = tip_of(w, target);
    *n_apply = *n_revert = 0;
    while (*at != '\0') {
        wpa_git_commit commit;
        size_t n = 0;
        assert_true(wpa_git_commit_read(git, at, w->arena, &commit, &err));
        const wpa_git_trailer *trailers = wpa_git_trailers(commit.message, w->arena, &n, &err);
        assert_non_null(trailers);
        if (wpa_git_trailer_find(trailers, n, "Wpa-Intent") != NULL) {
            *(wpa_text_starts(commit.message, "Revert ") ? n_revert : n_apply) += 1;
        }
        at = wpa_arena_text(w->arena, commit.parent);
    }
}

#define assert_states(w, deployment_is, patch_is)                                                  \
    do {                                                                                           \
        if (!wpa_text_is(deployment_state(w), deployment_is) ||                                    \
            !wpa_text_is(patch_state(w), patch_is)) {                                              \
            fail_msg("deployment %s (%s), patch %s, stages %s, targets %s, last error %s",         \
                     deployment_state(w), deployment_reason(w), patch_state(w), stage_states(w),   \
                     target_states(w),                                                             \
                     wpa_test_sql_value((w)->pg, 0, (w)->arena,                                    \
                                        "SELECT string_agg(e, '; ') FROM (SELECT last_error AS e " \
                                        "FROM wpa.job UNION SELECT last_error FROM "               \
                                        "wpa.job_history) x"));                                    \
        }                                                                                          \
    } while (0)
