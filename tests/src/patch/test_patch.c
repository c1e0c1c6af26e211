/* From findings to a stored patch, on a real repository and a real database. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/file.h>

#include "analysis/analysis.h"
#include "harness/pg.h"
#include "patch/patch.h"

#define CI ".github/workflows/ci.yml"

/* Two equal findings in one job after the other: the fingerprint counts its equals. */
static const char WORKFLOW[] = "# keep me\n"
                               "on: push\n"
                               "permissions: {}\n"
                               "jobs:\n"
                               "  one:\n"
                               "    runs-on: ubuntu-20.04   # old\n"
                               "    steps:\n"
                               "      - run: make\n"
                               "  two:\n"
                               "    runs-on: ubuntu-20.04\n"
                               "    steps:\n"
                               "      - run: make test\n";

typedef struct world {
    wpa_test_pg *pg;
    wpa_db *db;
    wpa_arena *arena;
    wpa_actor guardian, engine;
    char *folder, *path;
    wpa_git *git;
} world;

static const char *commit_file(world *w, const char *path, const char *text)
{
    wpa_error err = {0};
    static char oid[WPA_OID_SIZE];
    char blob[WPA_OID_SIZE];
    assert_true(wpa_git_blob_id(text, strlen(text), blob, &err));
    const wpa_git_edit edit = {
        .path = path, .after = blob, .bytes = text, .size_bytes = strlen(text)};
    const wpa_git_identity who = {"Ann", "ann@example.org", 1700000000};
    assert_true(wpa_git_commit_make(w->git, NULL, &edit, 1, &who, "first", oid, &err));
    assert_true(wpa_git_ref_swap(w->git, "refs/heads/main", WPA_OID_ZERO, oid, &err));
    return oid;
}

static int open_world(void **state)
{
    world *w = calloc(1, sizeof *w);
    wpa_error err = {0};
    assert_true(wpa_git_init(&err));
    w->arena = wpa_arena_new();
    w->pg = wpa_test_pg_new();
    w->db = wpa_test_pg_connect(w->pg, NULL);
    w->guardian = wpa_test_person(w->pg, "mira", WPA_ROLE_GUARDIAN);
    w->engine = wpa_test_engine(w->pg);
    w->folder = wpa_dir_temp("/tmp/wpa-patch", w->arena, &err);
    w->path = wpa_path_join(w->arena, w->folder, "shop.git");
    w->git = wpa_git_create(w->path, "main", &err);
    assert_non_null(w->git);
    char blob[WPA_OID_SIZE];
    const char *head = commit_file(w, CI, WORKFLOW);
    assert_true(wpa_git_blob_id(WORKFLOW, strlen(WORKFLOW), blob, &err));
    wpa_test_sql_value(
        w->pg, w->guardian.principal_id, w->arena,
        wpa_arena_printf(w->arena,
                         "INSERT INTO wpa.repository (name, url, branch, state) VALUES "
                         "('shop', '%s', 'main', 'ok')",
                         w->path));
    wpa_test_sql_value(
        w->pg, w->guardian.principal_id, w->arena,
        wpa_arena_printf(
            w->arena,
            "INSERT INTO wpa.workflow (repository_id, path, name, kind, blob_oid, head_commit) "
            "SELECT id, '.github/workflows/ci.yml', 'shop-ci', 'workflow', '%s', '%s' "
            "FROM wpa.repository",
            blob, head));
    const wpa_analysis_request request = {
        .workflow_id = wpa_test_sql_int(w->pg, 0, "SELECT id FROM wpa.workflow"),
        .dimension = WPA_DIMENSION_ALL};
    wpa_analysis_summary summary;
    assert_true(wpa_analysis_run(w->db, w->git, &w->engine, &request, w->arena, &summary, &err));
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

static size_t retired(world *w, int64_t ids[2])
{
    ids[0] =
        wpa_test_sql_int(w->pg, 0, "SELECT min(id) FROM wpa.finding WHERE rule = 'retired-runner'");
    ids[1] =
        wpa_test_sql_int(w->pg, 0, "SELECT max(id) FROM wpa.finding WHERE rule = 'retired-runner'");
    assert_true(ids[0] > 0 && ids[1] > ids[0]);
    return 2;
}

static bool store(world *w, const wpa_patch_draft *draft, int64_t *id, wpa_error *err)
{
    if (!wpa_db_begin(w->db, &w->guardian, err)) {
        return false;
    }
    bool is_stored = wpa_patch_store(w->db, &w->guardian, draft, 0, w->arena, id, err) &&
                     wpa_db_commit(w->db, err);
    wpa_db_rollback(w->db);
    return is_stored;
}

static void test_findings_become_a_patch(void **state)
{
    world *w = *state;
    wpa_error err = {0};
    int64_t ids[2], patch = 0;
    wpa_patch_draft draft;
    size_t n = retired(w, ids);
    assert_true(wpa_patch_draft_findings(w->db, ids, n, NULL, w->folder, w->arena, &draft, &err));
    assert_int_equal(draft.n_findings, 2);
    assert_int_equal(draft.n_files, 1);
    assert_string_equal(draft.type, "bug_fix");
    assert_string_equal(draft.name, "retired-runner in shop/.github/workflows/ci.yml");
    assert_null(strstr(draft.files[0].after, "ubuntu-20.04"));
    assert_non_null(strstr(draft.files[0].after, "# keep me\non: push\n"));
    assert_non_null(strstr(draft.files[0].after, "   # old\n"));

    assert_true(store(w, &draft, &patch, &err));
    assert_int_equal(
        wpa_test_sql_int(w->pg, 0, "SELECT count(*) FROM wpa.finding WHERE state = 'in_patch'"), 2);
    assert_int_equal(wpa_test_sql_int(w->pg, 0, "SELECT count(*) FROM wpa.job WHERE kind = 'test'"),
                     1);
    assert_string_equal(
        wpa_test_sql_value(w->pg, 0, w->arena, "SELECT status FROM wpa.workflow_analysis"),
        "patched");
    assert_string_equal(wpa_test_sql_value(w->pg, 0, w->arena,
                                           "SELECT state || ' ' || patch_version || ' ' || "
                                           "lines_added || ' ' || lines_removed FROM wpa.patch"),
                        "pending 1.0.0 2 2");
    assert_string_equal(
        wpa_test_sql_value(
            w->pg, 0, w->arena,
            "SELECT p.name FROM wpa.patch q JOIN wpa.principal p ON p.id = q.author_id"),
        "engine");
    assert_string_equal(
        wpa_test_sql_value(w->pg, 0, w->arena,
                           "SELECT action FROM wpa.audit WHERE action LIKE 'patch.%' ORDER BY seq "
                           "DESC LIMIT 1"),
        "patch.pending");

    /* The same findings are taken now. */
    assert_false(wpa_patch_draft_findings(w->db, ids, n, NULL, w->folder, w->arena, &draft, &err));
    assert_int_equal(err.code, WPA_E_CONFLICT);
}

static void test_what_cannot_be_a_patch_is_refused(void **state)
{
    world *w = *state;
    static const char SECRET[] = "on: push\nenv:\n  T: ghp_0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX\n";
    static const struct {
        const char *title;
        wpa_patch_replacement file;
        wpa_code draft, store;
    } cases[] = {
        {"unknown repository", {"nowhere", "a", "x", 1, false}, WPA_E_NOT_FOUND, WPA_OK},
        {"out of the tree", {"shop", "../a", "x", 1, false}, WPA_E_INVALID, WPA_OK},
        {"inside .git", {"shop", ".git/config", "x", 1, false}, WPA_E_INVALID, WPA_OK},
        {"nothing changes",
         {"shop", CI, WORKFLOW, sizeof WORKFLOW - 1, false},
         WPA_E_INVALID,
         WPA_OK},
        {"deletes what is not there", {"shop", "nothing", NULL, 0, false}, WPA_E_INVALID, WPA_OK},
        {"a secret",
         {"shop", ".github/workflows/x.yml", SECRET, sizeof SECRET - 1, false},
         WPA_OK,
         WPA_E_REFUSED},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        wpa_error err = {0};
        wpa_patch_draft draft;
        int64_t id = 0;
        print_message("%s\n", cases[i].title);
        assert_int_equal(
            wpa_patch_draft_contents(w->db, &cases[i].file, 1, w->folder, w->arena, &draft, &err),
            cases[i].draft == WPA_OK);
        assert_int_equal(err.code, cases[i].draft);
        if (cases[i].store != WPA_OK) {
            assert_false(store(w, &draft, &id, &err));
            assert_int_equal(err.code, cases[i].store);
            assert_null(strstr(err.message, "ghp_"));
        }
    }
    int64_t none = 999;
    wpa_error err = {0};
    wpa_patch_draft draft;
    assert_false(
        wpa_patch_draft_findings(w->db, &none, 1, NULL, w->folder, w->arena, &draft, &err));
    assert_int_equal(err.code, WPA_E_NOT_FOUND);
}

static wpa_patch_replacement content(const char *repository, const char *path, const char *text)
{
    return (wpa_patch_replacement){repository, path, text, strlen(text), false};
}

/* Whether its files agree is decided in each repository, not only in the one that was drafted
 * last, and a path that both have is two files. */
static void test_every_repository_of_a_draft_is_looked_at(void **state)
{
    world *w = *state;
    wpa_error err = {0};
    wpa_patch_draft draft;
    static const char MANIFEST[] = "{\"dependencies\":{\"left\":\"^2.0.0\"}}";
    static const char LOCK[] = "{\"packages\":{\"\":{\"dependencies\":{\"left\":\"^1.0.0\"}}}}";
    const wpa_patch_replacement contents[] = {
        content("shop", "package.json", MANIFEST),
        content("web", "package.json", MANIFEST),
        content("shop", "package-lock.json", LOCK),
        content("web", "README.md", "Sold here.\n"),
    };
    wpa_test_sql_value(w->pg, w->guardian.principal_id, w->arena,
                       "INSERT INTO wpa.repository (name, url, branch, state) SELECT 'web', "
                       "'file://' || url, branch, state FROM wpa.repository");
    assert_true(wpa_patch_draft_contents(w->db, contents, WPA_COUNT(contents), w->folder, w->arena,
                                         &draft, &err));
    assert_int_equal(draft.n_files, 4);
    assert_int_equal(draft.n_pairs, 2);
    assert_non_null(draft.pairs[0].lock.after);
    assert_null(draft.pairs[1].lock.after);
}

typedef struct committed {
    const char *path, *text;
} committed;

static const char *blob_at(world *w, const char *commit, const char *path)
{
    wpa_git_entry entry;
    wpa_error missing = {0};
    return wpa_git_tree_find(w->git, commit, path, w->arena, &entry, &missing)
               ? wpa_arena_text(w->arena, entry.oid)
               : NULL;
}

/** Files on top of the first commit, and the workflow analysed in their midst. */
static void commit_more(world *w, const committed files[], size_t n)
{
    wpa_error err = {0};
    wpa_git_edit edits[8];
    char oids[8][WPA_OID_SIZE], head[WPA_OID_SIZE], next[WPA_OID_SIZE];
    const wpa_git_identity who = {"Ann", "ann@example.org", 1700000100};
    assert_true(wpa_git_ref_read(w->git, "refs/heads/main", head, &err));
    for (size_t i = 0; i < n; i++) {
        size_t size = strlen(files[i].text);
        assert_true(wpa_git_blob_id(files[i].text, size, oids[i], &err));
        edits[i] = (wpa_git_edit){.path = files[i].path,
                                  .before = blob_at(w, head, files[i].path),
                                  .after = oids[i],
                                  .bytes = files[i].text,
                                  .size_bytes = size};
    }
    assert_true(wpa_git_commit_make(w->git, head, edits, n, &who, "more", next, &err));
    assert_true(wpa_git_ref_swap(w->git, "refs/heads/main", head, next, &err));
    wpa_test_sql_value(
        w->pg, w->guardian.principal_id, w->arena,
        wpa_arena_printf(w->arena, "UPDATE wpa.workflow SET head_commit = '%s', blob_oid = '%s'",
                         next, blob_at(w, next, CI)));
    const wpa_analysis_request request = {
        .workflow_id = wpa_test_sql_int(w->pg, 0, "SELECT id FROM wpa.workflow"),
        .dimension = WPA_DIMENSION_ALL};
    wpa_analysis_summary summary;
    assert_true(wpa_analysis_run(w->db, w->git, &w->engine, &request, w->arena, &summary, &err));
}

/* Nobody owns the workflow, and a fix of its own is asked for at the same time. */
static void test_fixes_of_other_files_are_in_the_patch(void **state)
{
    world *w = *state;
    static const committed files[] = {
        {"Makefile", "all:\n"},
        {"README.md", "A program.\n"},
        {"src/main.c", "int main(void) { return 0; }\n"},
        {"wpa.yml", "version: 1\nowners: {codeowners: \"@acme/ops\"}\n"},
    };
    wpa_error err = {0};
    wpa_patch_draft draft;
    int64_t ids[3], patch = 0;
    commit_more(w, files, WPA_COUNT(files));
    (void)retired(w, ids);
    ids[2] =
        wpa_test_sql_int(w->pg, 0, "SELECT id FROM wpa.finding WHERE rule = 'missing-codeowners'");
    assert_true(wpa_patch_draft_findings(w->db, ids, 3, NULL, w->folder, w->arena, &draft, &err));
    assert_int_equal(draft.n_findings, 3);
    assert_int_equal(draft.n_left_out, 0);
    assert_int_equal(draft.n_files, 2);
    assert_string_equal(draft.files[0].path, ".github/CODEOWNERS");
    assert_null(draft.files[0].before);
    assert_string_equal(draft.files[0].after, "/.github/ @acme/ops\n");
    assert_string_equal(draft.files[1].path, CI);
    assert_int_equal(draft.files[1].n_edits, 2);
    assert_true(store(w, &draft, &patch, &err));
    assert_int_equal(
        wpa_test_sql_int(w->pg, 0,
                         "SELECT count(*) FROM wpa.patch_edit WHERE path = '.github/CODEOWNERS' "
                         "AND before_oid IS NULL AND after_oid IS NOT NULL"),
        1);
    assert_non_null(strstr(wpa_test_sql_value(w->pg, 0, w->arena, "SELECT diff FROM wpa.patch"),
                           "--- /dev/null\n+++ b/shop/.github/CODEOWNERS\n"));
}

/** The one finding of a rule that is open. */
static int64_t finding_of(world *w, const char *rule)
{
    return wpa_test_sql_int(
        w->pg, 0,
        wpa_arena_printf(w->arena,
                         "SELECT id FROM wpa.finding WHERE rule = '%s' AND state = 'open'", rule));
}

/* The version in use has an advisory, and the one that the last fix goes to is a tag again. */
static void test_what_is_ordered_whole_is_pinned(void **state)
{
    world *w = *state;
    static const committed file = {CI, "on: push\npermissions: {}\njobs:\n  one:\n"
                                       "    runs-on: ubuntu-24.04\n    steps:\n"
                                       "      - uses: tj-actions/changed-files@v44\n"};
    wpa_error err = {0};
    wpa_patch_draft draft;
    commit_more(w, &file, 1);
    const int64_t ids[] = {finding_of(w, "unpinned-uses"),
                           finding_of(w, "known-vulnerable-actions"),
                           finding_of(w, "node-runtime")};
    assert_int_equal(
        wpa_test_sql_int(w->pg, 0,
                         "SELECT count(*) FROM wpa.finding WHERE rule = 'unpinned-uses' AND state "
                         "= 'open' AND jsonb_array_length(fixes) > 0"),
        1);
    assert_true(wpa_patch_draft_findings(w->db, ids, WPA_COUNT(ids), NULL, w->folder, w->arena,
                                         &draft, &err));
    assert_int_equal(draft.n_findings, WPA_COUNT(ids));
    assert_int_equal(draft.n_left_out, 0);
    const char *at = strstr(draft.files[0].after, "changed-files@");
    assert_non_null(at);
    assert_int_equal(strspn(at + strlen("changed-files@"), "0123456789abcdef"), 40);
    assert_non_null(strstr(at, " # v4"));
    /* One alone pins as well, and to what is sound. */
    assert_true(wpa_patch_draft_findings(w->db, ids, 1, NULL, w->folder, w->arena, &draft, &err));
    assert_non_null(strstr(draft.files[0].after, " # v46.0.1\n"));
}

/* A step without a name goes by its script, which the first fix changes: the second finds it, and
   what could not be fixed is not taken for gone because another finding is. */
static void test_two_fixes_of_a_step_without_a_name(void **state)
{
    world *w = *state;
    static const committed file = {CI, "on: push\npermissions: {}\njobs:\n  one:\n"
                                       "    runs-on: ubuntu-24.04\n    steps:\n"
                                       "      - run: make test | tee out.log\n"
                                       "      - run: |\n"
                                       "          make check | tee check.log\n"
                                       "          ./deploy.sh ${{ secrets.TOKEN }}\n"};
    wpa_error err = {0};
    wpa_patch_draft draft;
    commit_more(w, &file, 1);
    const int64_t first = wpa_test_sql_int(
        w->pg, 0,
        "SELECT min(id) FROM wpa.finding WHERE rule = 'missing-pipefail' AND state = 'open'");
    const int64_t second = wpa_test_sql_int(
        w->pg, 0,
        "SELECT max(id) FROM wpa.finding WHERE rule = 'missing-pipefail' AND state = 'open'");
    const int64_t ids[] = {finding_of(w, "secret-exposure"), first, second};
    assert_true(first < second);
    assert_true(wpa_patch_draft_findings(w->db, ids, WPA_COUNT(ids), NULL, w->folder, w->arena,
                                         &draft, &err));
    assert_int_equal(draft.n_findings, WPA_COUNT(ids));
    assert_int_equal(draft.n_left_out, 0);
    const char *one = strstr(draft.files[0].after, "shell: bash");
    assert_non_null(one);
    assert_non_null(strstr(one + 1, "shell: bash"));
    assert_non_null(strstr(draft.files[0].after, "./deploy.sh \"${TOKEN}\""));
}

/* A change of what is made from another file would be lost. */
static void test_what_is_generated_is_left_alone(void **state)
{
    world *w = *state;
    const committed file = {
        CI, wpa_arena_printf(w->arena, "# Generated by tools/ci.py, do not edit.\n%s", WORKFLOW)};
    wpa_error err = {0};
    wpa_patch_draft draft;
    int64_t ids[2];
    commit_more(w, &file, 1);
    (void)retired(w, ids);
    assert_false(wpa_patch_draft_findings(w->db, ids, 2, NULL, w->folder, w->arena, &draft, &err));
    assert_int_equal(err.code, WPA_E_REFUSED);
    assert_non_null(strstr(err.message, "is made from another one"));
}

/* Each fix is tried on an analysis of its own: all of them at once would fill the memory. */
static void test_what_was_tried_is_let_go_of(void **state)
{
    world *w = *state;
    enum {
        N_JOBS = 40
    };
    wpa_error err = {0};
    wpa_patch_draft draft;
    int64_t ids[N_JOBS];
    const char *text = "on: push\npermissions: {}\njobs:\n";
    for (int i = 0; i < N_JOBS; i++) {
        text = wpa_arena_printf(w->arena,
                                "%s  job%d:\n    runs-on: ubuntu-20.04\n    steps:\n"
                                "      - run: make part%d\n",
                                text, i, i);
    }
    const committed file = {CI, text};
    commit_more(w, &file, 1);
    for (int i = 0; i < N_JOBS; i++) {
        ids[i] = wpa_test_sql_int(
            w->pg, 0,
            wpa_arena_printf(w->arena,
                             "SELECT id FROM wpa.finding WHERE rule = 'retired-runner' AND state = "
                             "'open' ORDER BY id LIMIT 1 OFFSET %d",
                             i));
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    assert_true(wpa_patch_draft_findings(w->db, ids, N_JOBS, NULL, w->folder, arena, &draft, &err));
    assert_int_equal(draft.n_findings, N_JOBS);
    assert_in_range(wpa_arena_used_bytes(arena), 0, (size_t)4 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_findings_become_a_patch, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_fixes_of_other_files_are_in_the_patch, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(test_what_is_ordered_whole_is_pinned, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(test_two_fixes_of_a_step_without_a_name, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(test_what_is_generated_is_left_alone, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(test_what_was_tried_is_let_go_of, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_a_patch_is_refused, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(test_every_repository_of_a_draft_is_looked_at, open_world,
                                        close_world),
    };
    wpa_test_pg_need();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
