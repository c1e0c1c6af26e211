/* A small world for the tests of patches: a database, one repository, a sandbox if there is one. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "harness/pg.h"
#include "patch/patch.h"
#include "sandbox/sandbox.h"
#include "testing/testing.h"
#include "workflow/workflow.h"

#define PIN "0123456789abcdef0123456789abcdef01234567"
#define FILES_MAX 16

typedef struct world_file {
    const char *path, *text;
} world_file;

typedef struct world {
    wpa_test_pg *pg;
    wpa_db *db;
    wpa_heart *heart;
    wpa_arena *arena;
    wpa_actor guardian, engine;
    char *folder, *path;
    wpa_git *git;
    bool has_sandbox;
} world;

static inline const char *make_repository(world *w, const world_file files[], size_t n)
{
    wpa_error err = {0};
    static char oid[WPA_OID_SIZE];
    static char blobs[FILES_MAX][WPA_OID_SIZE];
    wpa_git_edit edits[FILES_MAX];
    assert_true(n <= FILES_MAX);
    const wpa_git_identity who = {"Ann", "ann@example.org", 1700000000};
    w->git = wpa_git_create(w->path, "main", &err);
    assert_non_null(w->git);
    for (size_t i = 0; i < n; i++) {
        assert_true(wpa_git_blob_id(files[i].text, strlen(files[i].text), blobs[i], &err));
        edits[i] = (wpa_git_edit){.path = files[i].path,
                                  .after = blobs[i],
                                  .bytes = files[i].text,
                                  .size_bytes = strlen(files[i].text)};
    }
    assert_true(wpa_git_commit_make(w->git, NULL, edits, n, &who, "first", oid, &err));
    assert_true(wpa_git_ref_swap(w->git, "refs/heads/main", WPA_OID_ZERO, oid, &err));
    wpa_test_sql_value(w->pg, w->guardian.principal_id, w->arena,
                       wpa_arena_printf(w->arena,
                                        "INSERT INTO wpa.repository (name, url, branch, state, "
                                        "test_command) VALUES ('shop', '%s', 'main', 'ok', "
                                        "'{\"command\": [\"sh\", \"suite.sh\"], \"reports\": "
                                        "{\"tap\": \"-\"}}')",
                                        w->path));
    for (size_t i = 0; i < n; i++) {
        if (wpa_file_kind_of(files[i].path) != WPA_FILE_WORKFLOW) {
            continue;
        }
        wpa_test_sql_value(
            w->pg, w->guardian.principal_id, w->arena,
            wpa_arena_printf(w->arena,
                             "INSERT INTO wpa.workflow (repository_id, path, name, kind, blob_oid, "
                             "head_commit) SELECT id, '%s', 'shop-%zu', 'workflow', '%s', '%s' "
                             "FROM wpa.repository",
                             files[i].path, i, blobs[i], oid));
    }
    return oid;
}

static inline int world_open(void **state, const world_file files[], size_t n)
{
    world *w = calloc(1, sizeof *w);
    wpa_error err = {0};
    assert_true(wpa_git_init(&err));
    w->arena = wpa_arena_new();
    w->pg = wpa_test_pg_new();
    w->db = wpa_test_pg_connect(w->pg, NULL);
    w->guardian = wpa_test_person(w->pg, "mira", WPA_ROLE_GUARDIAN);
    w->engine = wpa_test_engine(w->pg);
    w->folder = wpa_dir_temp("/tmp/wpa-testing", w->arena, &err);
    w->path = wpa_path_join(w->arena, w->folder, "shop.git");
    w->heart = wpa_heart_start(wpa_test_pg_dsn(w->pg), NULL, 1, NULL, &err);
    assert_non_null(w->heart);
    w->has_sandbox = wpa_sandbox_check(&err);
    make_repository(w, files, n);
    *state = w;
    return 0;
}

static inline int close_world(void **state)
{
    world *w = *state;
    wpa_error err = {0};
    wpa_heart_stop(w->heart);
    wpa_git_close(w->git);
    wpa_db_close(w->db);
    wpa_test_pg_free(w->pg);
    assert_true(wpa_dir_remove(w->folder, &err));
    wpa_arena_free(w->arena);
    wpa_git_shutdown();
    free(w);
    return 0;
}

static inline int64_t store(world *w, const wpa_patch_draft *draft)
{
    wpa_error err = {0};
    int64_t id = 0;
    assert_true(wpa_db_begin(w->db, &w->guardian, &err));
    if (!wpa_patch_store(w->db, &w->guardian, draft, 0, w->arena, &id, &err)) {
        fail_msg("%s", err.message);
    }
    assert_true(wpa_db_commit(w->db, &err));
    return id;
}

static inline wpa_job_handler handler_of(const char *kind)
{
    return wpa_text_is(kind, "test") ? wpa_testing_job : NULL;
}

/** Do the one job that waits. */
static inline void work(world *w)
{
    wpa_error err = {0};
    bool did_one = false;
    static const char *const queues[] = {"test"};
    wpa_test_sql_value(w->pg, 0, w->arena,
                       "UPDATE wpa.job SET payload = '{\"all\": true}' RETURNING 1");
    wpa_job_worker worker = {.db = w->db,
                             .actor = &w->engine,
                             .heart = w->heart,
                             .owner = "test/1/1",
                             .cache_folder = w->folder,
                             .queues = queues,
                             .n_queues = 1,
                             .handler_of = handler_of};
    assert_true(wpa_job_work(&worker, &did_one, &err));
    assert_true(did_one);
}

static inline const char *ask(world *w, int64_t patch, const char *format)
{
    return wpa_test_sql_value(w->pg, 0, w->arena,
                              wpa_arena_printf(w->arena,
                                               "SELECT %s FROM wpa.patch p JOIN "
                                               "wpa.test_run r ON r.patch_id = p.id "
                                               "WHERE p.id = %lld ORDER BY r.id DESC",
                                               format, (long long)patch));
}

/** "S1 T106": ids of the checks with a result. */
static inline const char *checks_with(world *w, int64_t patch, const char *result)
{
    return wpa_test_sql_value(
        w->pg, 0, w->arena,
        wpa_arena_printf(w->arena,
                         "SELECT coalesce(string_agg(DISTINCT c.check_id, ' '), '') FROM "
                         "wpa.test_check c JOIN wpa.test_run r ON r.id = c.test_run_id WHERE "
                         "r.patch_id = %lld AND c.result = '%s'",
                         (long long)patch, result));
}

static inline void show_failures(world *w, int64_t patch)
{
    print_message(
        "%s\n", wpa_test_sql_value(
                    w->pg, 0, w->arena,
                    wpa_arena_printf(w->arena,
                                     "SELECT string_agg(check_id || ' ' || subject || ' ' || "
                                     "coalesce(c.result, 'open') || ' ' || coalesce(c.reason, ''), "
                                     "E'\\n') FROM wpa.test_check c JOIN wpa.test_run r ON r.id "
                                     "= c.test_run_id WHERE r.patch_id = %lld AND c.result IS "
                                     "DISTINCT FROM 'pass'",
                                     (long long)patch)));
}

/** What was tested before is out of the way: no patch beside the next one. */
static inline void reject_all(world *w)
{
    wpa_test_sql_value(w->pg, w->guardian.principal_id, w->arena,
                       "WITH p AS (UPDATE wpa.patch SET state = 'failed', reason = 'rejected' "
                       "WHERE state IN ('pending', 'tested', 'approved') RETURNING 1) "
                       "SELECT count(*) FROM p");
}

static inline char *replace(world *w, const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    assert_non_null(at);
    return wpa_arena_printf(w->arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static inline int64_t store_contents(world *w, const wpa_patch_replacement files[], size_t n)
{
    wpa_error err = {0};
    wpa_patch_draft draft = {0};
    if (!wpa_patch_draft_contents(w->db, files, n, w->folder, w->arena, &draft, &err)) {
        fail_msg("%s", err.message);
    }
    draft.name = "by hand";
    draft.description = "why";
    draft.issue = "";
    draft.type = "refactor";
    draft.severity = WPA_SEVERITY_LOW;
    draft.is_by_person = true;
    return store(w, &draft);
}

static inline int64_t store_content(world *w, const char *path, const char *text)
{
    const wpa_patch_replacement file = {"shop", path, text, strlen(text), false};
    return store_contents(w, &file, 1);
}

/* ---- tables of patches ---- */

typedef struct change {
    const char *path;
    const char *from, *to; /* from NULL: a new file; both NULL: the file goes */
} change;

typedef struct change_case {
    const char *title;
    change changes[3];
    const char *fails; /* ids of the checks that fail */
    const char *warns; /* of those that warn, where that is what it is about */
} change_case;

static inline const char *text_at(const world_file files[], size_t n, const char *path)
{
    for (size_t i = 0; i < n; i++) {
        if (wpa_text_is(files[i].path, path)) {
            return files[i].text;
        }
    }
    return NULL;
}

static inline int64_t store_changes(world *w, const world_file files[], size_t n_files,
                                    const change changes[3])
{
    wpa_patch_replacement list[3];
    size_t n = 0;
    for (; n < 3 && changes[n].path; n++) {
        const change *c = &changes[n];
        const char *text =
            c->from ? replace(w, text_at(files, n_files, c->path), c->from, c->to) : c->to;
        list[n] = (wpa_patch_replacement){"shop", c->path, text, text ? strlen(text) : 0, false};
    }
    return store_contents(w, list, n);
}

/** Each patch fails and warns where its row says, and nowhere else. */
static inline void check_cases(world *w, const world_file files[], size_t n_files,
                               const change_case cases[], size_t n)
{
    size_t n_wrong = 0;
    for (size_t i = 0; i < n; i++) {
        print_message("%s\n", cases[i].title);
        int64_t patch = store_changes(w, files, n_files, cases[i].changes);
        work(w);
        bool is_right = wpa_text_is(checks_with(w, patch, "fail"), cases[i].fails);
        bool is_told =
            !*cases[i].warns || wpa_text_is(checks_with(w, patch, "warn"), cases[i].warns);
        bool is_sound = wpa_text_is(checks_with(w, patch, "error"), "");
        if (!is_right || !is_told || !is_sound) {
            show_failures(w, patch);
            n_wrong++;
        }
        reject_all(w);
    }
    assert_int_equal(0, n_wrong);
}

/** A table of patches over one repository, and the world while they are tried. */
typedef struct change_table {
    const world_file *files;
    size_t n_files;
    const change_case *cases;
    size_t n_cases;
    void *world;
} change_table;

static inline int open_table(void **state)
{
    change_table *t = *state;
    return world_open(&t->world, t->files, t->n_files);
}

static inline int close_table(void **state)
{
    change_table *t = *state;
    return close_world(&t->world);
}

static inline void each_patch_breaks_what_its_row_says(void **state)
{
    change_table *t = *state;
    check_cases(t->world, t->files, t->n_files, t->cases, t->n_cases);
}

/** A whole program of tests: the table's. */
static inline int run_table(change_table table)
{
    wpa_test_pg_need();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate_setup_teardown(each_patch_breaks_what_its_row_says, open_table,
                                                 close_table, &table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
