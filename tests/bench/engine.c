/*
 * How long the engine needs for a large repository, for the same again, unchanged, and for one
 * changed workflow of it: a real git repository, a real PostgreSQL, everything that an analysis
 * stores. Prints "NAME VALUE" lines for bench.py.
 *
 * usage: bench_engine FILES WORKFLOWS RUNS        (WPA_BUILD_DIR is where PostgreSQL may keep its
 * data)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "analysis/analysis.h"
#include "fleet/scan.h"
#include "harness/pg.h"
#include "job/job.h"

#define RUNS_MAX 1000
#define SCANS 5 /* of what is unchanged */

static const char workflow[] =
    "name: Build %d\non:\n  push:\n    branches: [main]\n  pull_request:\npermissions:\n"
    "  contents: read\nconcurrency:\n  group: ${{ github.workflow }}-${{ github.ref }}\n"
    "  cancel-in-progress: true\njobs:\n  build:\n    name: Build\n    runs-on: ubuntu-24.04\n"
    "    timeout-minutes: %d\n    strategy:\n      matrix:\n        node: [18, 20, 22]\n    "
    "steps:\n"
    "      - uses: actions/checkout@v4\n      - uses: actions/setup-node@v4\n        with:\n"
    "          node-version: ${{ matrix.node }}\n          cache: npm\n      - run: npm ci\n"
    "      - run: |\n          npm run lint\n          npm test -- --shard ${{ matrix.node }}/3\n"
    "      - uses: actions/upload-artifact@v4\n        with:\n          name: out-${{ matrix.node "
    "}}\n"
    "          path: dist\n  publish:\n    name: Publish\n    needs: build\n"
    "    if: github.ref == 'refs/heads/main'\n    runs-on: ubuntu-24.04\n    steps:\n"
    "      - uses: actions/download-artifact@v4\n"
    "      - run: ./publish.sh %d \"${{ github.event.head_commit.message }}\"\n";

typedef struct world {
    wpa_arena *arena;
    wpa_test_pg *pg;
    wpa_db *db;
    wpa_actor guardian, engine;
    char *folder;
    wpa_git *git;
    char head[WPA_OID_SIZE], blob[WPA_OID_SIZE];
    int64_t repository, workflow;
} world;

static void need(bool ok, const wpa_error *err)
{
    if (!ok) {
        char text[sizeof err->message + sizeof err->context + 8];
        (void)fprintf(stderr, "bench_engine: %s\n", wpa_error_text(err, text, sizeof text));
        exit(1);
    }
}

static wpa_git_edit make_edit(const char *path, const char *text, const char *before,
                              wpa_arena *arena)
{
    wpa_error err = {0};
    char *after = wpa_arena_alloc(arena, WPA_OID_SIZE);
    need(wpa_git_blob_id(text, strlen(text), after, &err), &err);
    return (wpa_git_edit){path, before, after, text, strlen(text)};
}

static const char *text_of(int number, int minutes, wpa_arena *arena)
{
    return wpa_arena_printf(arena, workflow, number, minutes, number);
}

static void commit(world *w, const wpa_git_edit *edits, size_t n)
{
    wpa_error err = {0};
    char parent[WPA_OID_SIZE];
    static const wpa_git_identity who = {"Ann", "ann@example.org", 1700000000};
    memcpy(parent, w->head, sizeof parent);
    need(wpa_git_commit_make(w->git, *parent ? parent : NULL, edits, n, &who, "m\n", w->head,
                             &err) &&
             wpa_git_ref_swap(w->git, "refs/heads/main", *parent ? parent : WPA_OID_ZERO, w->head,
                              &err),
         &err);
}

static const char *ask(world *w, const char *sql)
{
    return wpa_test_sql_value(w->pg, w->guardian.principal_id, w->arena, sql);
}

/** One workflow is what changes; the others and the sources stand around it. */
static void fill(world *w, int n_files, int n_workflows)
{
    wpa_git_edit *edits = wpa_arena_array(w->arena, (size_t)n_files, sizeof *edits);
    for (int i = 0; i < n_files; i++) {
        bool is_workflow = i < n_workflows;
        const char *path = is_workflow
                               ? wpa_arena_printf(w->arena, ".github/workflows/w%d.yml", i)
                               : wpa_arena_printf(w->arena, "src/part%d/file%d.c", i / 100, i);
        const char *text = is_workflow ? text_of(i, 30, w->arena)
                                       : wpa_arena_printf(w->arena, "int f%d(void);\n", i);
        edits[i] = make_edit(path, text, NULL, w->arena);
    }
    commit(w, edits, (size_t)n_files);
    memcpy(w->blob, edits[0].after, sizeof w->blob);
}

static void open_world(world *w, int n_files, int n_workflows)
{
    wpa_error err = {0};
    need(wpa_git_init(&err), &err);
    w->arena = wpa_arena_new();
    w->pg = wpa_test_pg_new();
    w->db = wpa_test_pg_connect(w->pg, "wpa_agent");
    w->guardian = wpa_test_person(w->pg, "mira", WPA_ROLE_GUARDIAN);
    w->engine = wpa_test_engine(w->pg);
    w->folder = wpa_dir_temp("/tmp/wpa-bench", w->arena, &err);
    const char *path = wpa_path_join(w->arena, w->folder, "large.git");
    w->git = wpa_git_create(path, "main", &err);
    need(w->git != NULL, &err);
    fill(w, n_files, n_workflows);
    w->repository = wpa_test_sql_int(
        w->pg, w->guardian.principal_id,
        wpa_arena_printf(w->arena,
                         "INSERT INTO wpa.repository (name, url, branch, state) VALUES "
                         "('large', '%s', 'main', 'ok') RETURNING id",
                         path));
    w->workflow = wpa_test_sql_int(
        w->pg, w->guardian.principal_id,
        "INSERT INTO wpa.workflow (repository_id, path, name, kind, blob_oid, head_commit) SELECT "
        "id, '.github/workflows/w0.yml', 'large-w0', 'workflow', '', '' FROM wpa.repository "
        "RETURNING id");
}

static void close_world(world *w)
{
    wpa_error err = {0};
    wpa_git_close(w->git);
    wpa_db_close(w->db);
    wpa_test_pg_free(w->pg);
    (void)!wpa_dir_remove(w->folder, &err);
    wpa_arena_free(w->arena);
    wpa_git_shutdown();
}

/** Another commit with another text of the file, known to the database as a scan would leave it. */
static void change(world *w, int run)
{
    char before[WPA_OID_SIZE];
    memcpy(before, w->blob, sizeof before);
    const wpa_git_edit edit =
        make_edit(".github/workflows/w0.yml", text_of(0, 31 + run, w->arena), before, w->arena);
    commit(w, &edit, 1);
    memcpy(w->blob, edit.after, sizeof w->blob);
    (void)ask(w, wpa_arena_printf(w->arena,
                                  "UPDATE wpa.workflow SET blob_oid = '%s', head_commit = '%s' "
                                  "WHERE id = %lld RETURNING id",
                                  w->blob, w->head, (long long)w->workflow));
}

static double now_ms(clockid_t clock)
{
    struct timespec at;
    (void)clock_gettime(clock, &at);
    return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

static size_t analyse(world *w, double *wall_ms, double *cpu_ms)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    wpa_analysis_summary summary;
    const wpa_analysis_request request = {.workflow_id = w->workflow,
                                          .dimension = WPA_DIMENSION_ALL};
    double wall = now_ms(CLOCK_MONOTONIC), cpu = now_ms(CLOCK_PROCESS_CPUTIME_ID);
    need(wpa_analysis_run(w->db, w->git, &w->engine, &request, arena, &summary, &err), &err);
    *wall_ms = now_ms(CLOCK_MONOTONIC) - wall;
    *cpu_ms = now_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    return summary.n_issues + summary.n_inefficiencies + summary.n_opportunities;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* ---- a scan, and the analyses that it orders, as workers do them ---- */

static wpa_job_handler handler_of(const char *kind)
{
    return wpa_text_is(kind, "scan")      ? wpa_scan_job
           : wpa_text_is(kind, "analyse") ? wpa_analysis_job
                                          : NULL;
}

/** How many jobs there were. */
static int scan(world *w, wpa_job_worker *worker, double *wall_ms, double *cpu_ms)
{
    wpa_error err = {0};
    const wpa_job_spec spec = {
        .kind = "scan",
        .subject = wpa_arena_printf(w->arena, "repository:%lld", (long long)w->repository)};
    double wall = now_ms(CLOCK_MONOTONIC), cpu = now_ms(CLOCK_PROCESS_CPUTIME_ID);
    bool did_one = true;
    int n = -1;
    need(wpa_job_enqueue(w->db, &spec, NULL, &err), &err);
    for (; did_one; n++) {
        need(wpa_job_work(worker, &did_one, &err), &err);
    }
    *wall_ms = now_ms(CLOCK_MONOTONIC) - wall;
    *cpu_ms = now_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    return n;
}

static void measure_scans(world *w)
{
    static const char *const queues[] = {"scan", "analyse"};
    wpa_error err = {0};
    WPA_AUTO(wpa_heart) *heart =
        wpa_heart_start(wpa_test_pg_dsn(w->pg), "wpa_agent", 1, NULL, &err);
    need(heart != NULL, &err);
    wpa_job_worker worker = {.db = w->db,
                             .actor = &w->engine,
                             .heart = heart,
                             .owner = "bench",
                             .cache_folder = w->folder,
                             .queues = queues,
                             .n_queues = WPA_COUNT(queues),
                             .handler_of = handler_of};
    double wall[SCANS], cpu[SCANS], cold_wall, cold_cpu;
    int n_cold = scan(w, &worker, &cold_wall, &cold_cpu), n_again = 0;
    for (int i = 0; i < SCANS; i++) {
        n_again += scan(w, &worker, &wall[i], &cpu[i]);
    }
    qsort(wall, SCANS, sizeof *wall, compare);
    qsort(cpu, SCANS, sizeof *cpu, compare);
    printf("jobs_cold %d\njobs_again %d\nscan_cold_wall_ms %.1f\nscan_cold_cpu_ms %.1f\n"
           "scan_again_wall_ms %.2f\nscan_again_cpu_ms %.2f\n",
           n_cold, n_again / SCANS, cold_wall, cold_cpu, wall[SCANS / 2], cpu[SCANS / 2]);
}

static int number(const char *text, int max)
{
    int64_t value;
    if (!wpa_text_to_int(text, 1, max, &value)) {
        (void)fprintf(stderr, "usage: bench_engine FILES WORKFLOWS RUNS\n");
        exit(2);
    }
    return (int)value;
}

int main(int argc, char *argv[])
{
    static double wall[RUNS_MAX], cpu[RUNS_MAX];
    int n_files = number(argc == 4 ? argv[1] : "", 1000000);
    int n_workflows = number(argv[2], n_files), n_runs = number(argv[3], RUNS_MAX);
    size_t n_findings = 0;
    world w = {0};
    wpa_test_pg_need();
    open_world(&w, n_files, n_workflows);
    measure_scans(&w);
    change(&w, 0);
    (void)analyse(&w, &wall[0], &cpu[0]); /* the first one opens what stays open */
    for (int i = 0; i < n_runs; i++) {
        change(&w, i + 1);
        n_findings = analyse(&w, &wall[i], &cpu[i]);
    }
    close_world(&w);
    qsort(wall, (size_t)n_runs, sizeof *wall, compare);
    qsort(cpu, (size_t)n_runs, sizeof *cpu, compare);
    printf("findings %zu\nwall_ms %.1f\nwall_min_ms %.1f\nwall_max_ms %.1f\ncpu_ms %.1f\n",
           n_findings, wall[n_runs / 2], wall[0], wall[n_runs - 1], cpu[n_runs / 2]);
    return 0;
}
