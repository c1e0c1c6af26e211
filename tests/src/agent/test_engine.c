/* The engine in one process: open, work, wait, decide, close. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/agent.h>
#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "agent/engine.h"
#include "agent/pool.h"
#include "gen/sql.h"
#include "harness/patience.h"
#include "harness/pg.h"

#define TRIES 20
#define WOKEN_MS 3000 /* a worker that nobody wakes looks after five seconds */

typedef struct fixture {
    wpa_test_pg *pg;
    wpa_engine *engine;
    wpa_arena *arena;
    wpa_actor mira;
    wpa_log *log;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    wpa_error err = {0};
    f->pg = wpa_test_pg_new();
    f->arena = wpa_arena_new();
    f->log = wpa_log_new(STDERR_FILENO, WPA_LOG_WARN);
    f->mira = wpa_test_person(f->pg, "mira", WPA_ROLE_GUARDIAN);
    const wpa_engine_options options = {.dsn = wpa_test_pg_dsn(f->pg),
                                        .cache_folder = wpa_dir_temp("wpa-engine", f->arena, &err),
                                        .n_workers = 2,
                                        .log = f->log};
    f->engine = wpa_engine_open(&options, &err);
    if (!f->engine) {
        fail_msg("%s: %s", err.context, err.message);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    wpa_engine_close(f->engine);
    assert_int_equal(wpa_test_sql_int(f->pg, 0, "SELECT count(*) FROM job WHERE state = 'running'"),
                     0);
    wpa_test_pg_free(f->pg);
    wpa_log_free(f->log);
    wpa_arena_free(f->arena);
    free(f);
    return 0;
}

/* How long it took to do a job that is due in so many milliseconds. */
static int64_t do_job(fixture *f, const char *due_in_ms)
{
    wpa_error err = {0};
    wpa_job_outcome outcome;
    int64_t started_ms = wpa_monotonic_ms();
    int64_t id = wpa_test_sql_int(
        f->pg, 0,
        wpa_arena_printf(f->arena,
                         "INSERT INTO job (queue, kind, subject, run_after) VALUES ('schedule', "
                         "'schedule', 'schedule:test', clock_timestamp() + interval '%s ms') "
                         "RETURNING id",
                         due_in_ms));
    if (!wpa_agent_wait(f->engine, id, WPA_PATIENCE_MS, &outcome, &err)) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(outcome.end, WPA_JOB_END_DONE);
    return wpa_monotonic_ms() - started_ms;
}

static void a_job_is_done_by_a_worker(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    wpa_job_outcome outcome;
    int64_t least_ms = INT64_MAX;
    for (int i = 0; i < TRIES && least_ms >= WOKEN_MS;
         i++) { /* until this machine is quick enough */
        int64_t took_ms = do_job(f, "0");
        least_ms = took_ms < least_ms ? took_ms : least_ms;
    }
    assert_true(least_ms < WOKEN_MS);
    assert_int_equal(wpa_test_sql_int(f->pg, 0, "SELECT count(*) FROM job"), 0);
    assert_false(wpa_agent_wait(f->engine, 999999, 10, &outcome, &err));
    assert_int_equal(err.code, WPA_E_NOT_FOUND);
}

static void a_job_due_later_is_done_then(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    wpa_job_outcome outcome;
    int64_t least_ms = INT64_MAX;
    for (int i = 0; i < TRIES && least_ms >= WOKEN_MS; i++) {
        int64_t took_ms = do_job(f, "700");
        assert_true(took_ms >= 650);
        least_ms = took_ms < least_ms ? took_ms : least_ms;
    }
    assert_true(least_ms < WOKEN_MS);
    int64_t id =
        wpa_test_sql_int(f->pg, 0,
                         "INSERT INTO job (queue, kind, subject, run_after) VALUES ('schedule', "
                         "'schedule', 'schedule:never', 'infinity') RETURNING id");
    assert_false(wpa_agent_wait(f->engine, id, 50, &outcome, &err));
    assert_int_equal(err.code, WPA_E_TIMEOUT);
    assert_true(wpa_agent_cancel_job(f->engine, &f->mira, id, &err));
    assert_true(wpa_agent_wait(f->engine, id, WPA_PATIENCE_MS, &outcome, &err));
    assert_int_equal(outcome.end, WPA_JOB_END_CANCELLED);
}

static void a_hopeless_job_is_dead_at_once(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    wpa_job_outcome outcome;
    int64_t id = wpa_test_sql_int(f->pg, 0,
                                  "INSERT INTO job (queue, kind, subject) VALUES ('scan', "
                                  "'mystery', 'x') RETURNING id");
    assert_true(wpa_agent_wait(f->engine, id, WPA_PATIENCE_MS, &outcome, &err));
    assert_int_equal(outcome.end, WPA_JOB_END_DEAD);
    assert_non_null(strstr(outcome.message, "unknown kind of job 'mystery'"));
}

static void what_is_over_for_long_is_forgotten(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    static const char fill[] =
        "INSERT INTO job_history (id, queue, kind, subject, payload, state, attempt, label, "
        "result, "
        "created_at, finished_at) SELECT 9000 + n, 'test', 'test', 'x', '{}', 'done', 1, '', '{}', "
        "at, at FROM (SELECT n, now() - make_interval(days => CASE WHEN n > 1100 THEN 90 ELSE 92 "
        "END) AS at FROM generate_series(1, 1103) n) x;"
        "INSERT INTO session (jti, principal_id, created_at, expires_at, ended_at) SELECT "
        "gen_random_uuid(), p.id, now() - interval '40 days', now() - x.age, x.ended FROM (VALUES "
        "(interval '31 days', NULL::timestamptz), (interval '29 days', NULL), (interval '-1 hour', "
        "now() - interval '39 days')) x(age, ended), principal p WHERE p.name = 'mira'";
    static const char jobs[] = "SELECT count(*) FROM job_history WHERE id > 9000";
    static const char sessions[] = "SELECT count(*) FROM session";
    static const char forget[] = "SELECT wpa.forget_old()";
    assert_string_equal(wpa_test_sql(f->pg, NULL, 0, fill), "00000");
    assert_string_equal(wpa_test_sql(f->pg, "wpa_api", f->mira.principal_id, forget), "42501");
    assert_string_equal(wpa_test_sql(f->pg, "wpa_viewer", f->mira.principal_id, forget), "42501");
    assert_string_equal(wpa_test_sql(f->pg, "wpa_agent", 0, forget), "00000");
    assert_int_equal(wpa_test_sql_int(f->pg, 0, jobs), 103); /* a thousand at a time */
    assert_int_equal(wpa_test_sql_int(f->pg, 0, sessions), 2);
    /* the rest by whoever begins to work */
    const wpa_engine_options options = {.dsn = wpa_test_pg_dsn(f->pg),
                                        .cache_folder = wpa_dir_temp("wpa-engine", f->arena, &err),
                                        .n_workers = 1,
                                        .log = f->log};
    wpa_engine *second = wpa_engine_open(&options, &err);
    assert_non_null(second);
    int64_t end_ms = wpa_monotonic_ms() + WPA_PATIENCE_MS;
    while (wpa_test_sql_int(f->pg, 0, jobs) > 3 && wpa_monotonic_ms() < end_ms) {
        wpa_sleep_ms(20);
    }
    wpa_engine_close(second);
    assert_int_equal(wpa_test_sql_int(f->pg, 0, jobs), 3);
    assert_int_equal(wpa_test_sql_int(f->pg, 0, sessions), 2);
}

static void a_patch_is_decided(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    int64_t engine = wpa_engine_actor(f->engine)->principal_id;
    int64_t id = wpa_test_sql_int(
        f->pg, engine,
        "INSERT INTO patch (digest, author_id, name) VALUES (sha256('a'), 1, 'x') RETURNING id");
    assert_false(wpa_agent_approve_patch(f->engine, &f->mira, id, NULL, &err));
    assert_int_equal(err.code, WPA_E_REFUSED);
    char sql[256];
    (void)wpa_text_format(sql, sizeof sql,
                          "UPDATE patch SET state='testing' WHERE id=%lld; UPDATE patch SET "
                          "state='tested', tested_digest=digest WHERE id=%lld",
                          (long long)id, (long long)id);
    assert_string_equal(wpa_test_sql(f->pg, "wpa_agent", engine, sql), "00000");
    wpa_actor viewer = wpa_test_person(f->pg, "eve", WPA_ROLE_VIEWER);
    assert_false(wpa_agent_approve_patch(f->engine, &viewer, id, NULL, &err));
    assert_int_equal(err.code, WPA_E_DENIED);
    assert_false(wpa_agent_approve_patch(f->engine, wpa_engine_actor(f->engine), id, NULL, &err));
    assert_int_equal(err.code, WPA_E_DENIED);
    assert_true(wpa_agent_approve_patch(f->engine, &f->mira, id, "good", &err));
    assert_int_equal(
        wpa_test_sql_int(f->pg, 0, "SELECT count(*) FROM patch WHERE state='approved'"), 1);
    assert_true(wpa_agent_withdraw_approval(f->engine, &f->mira, id, &err));
    assert_true(wpa_agent_reject_patch(f->engine, &f->mira, id, "not now", &err));
    assert_false(wpa_agent_reject_patch(f->engine, &f->mira, id, "", &err));
    assert_int_equal(err.code, WPA_E_INVALID);
    wpa_audit_report report;
    assert_true(wpa_agent_verify_audit(f->engine, 0, 0, &report, &err));
    assert_int_equal(report.fault_seq, 0);
    assert_true(report.n_rows > 5);
}

static void a_refusal_stands_in_the_log(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    wpa_actor viewer = wpa_test_person(f->pg, "anna", WPA_ROLE_VIEWER);
    assert_true(wpa_agent_record_refusal(f->engine, &viewer, "key A", "patch:1", &err));
    assert_string_equal(
        wpa_test_sql_value(f->pg, 0, f->arena,
                           "SELECT detail FROM audit WHERE action='access.refused'"),
        "{\"address\":\"10.2.0.14\",\"role\":\"viewer\",\"user_agent\":\"xterm-256color\","
        "\"what\":\"key A\"}");
}

static void the_engine_survives_the_loss_of_its_connections(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    wpa_job_outcome outcome;
    (void)wpa_test_sql(f->pg, NULL, 0,
                       "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                       "datname = current_database() AND pid <> pg_backend_pid()");
    int64_t id = wpa_test_sql_int(f->pg, 0,
                                  "INSERT INTO job (queue, kind, subject) VALUES "
                                  "('schedule', 'schedule', 'schedule:again') RETURNING id");
    assert_true(wpa_agent_wait(f->engine, id, WPA_PATIENCE_MS, &outcome, &err));
    assert_int_equal(outcome.end, WPA_JOB_END_DONE);
}

static void a_viewer_engine_cannot_write(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    const wpa_engine_options options = {.dsn = wpa_test_pg_dsn(f->pg),
                                        .cache_folder = wpa_dir_temp("wpa-engine", f->arena, &err),
                                        .is_viewer = true};
    wpa_engine *wall = wpa_engine_open(&options, &err);
    assert_non_null(wall);
    assert_false(wpa_agent_comment(wall, &f->mira, "patch:1", "x", &err));
    assert_int_equal(err.code, WPA_E_DENIED);
    wpa_engine_close(wall);
}

static const struct {
    const char *schedule;
    int parts[5];
    bool matches, is_good;
} schedules[] = {
    {"0 3 * * *", {0, 3, 22, 11, 0}, true, true},
    {"0 3 * * *", {1, 3, 22, 11, 0}, false, true},
    {"*/15 * * * *", {45, 3, 22, 11, 0}, true, true},
    {"*/15 * * * *", {46, 3, 22, 11, 0}, false, true},
    {"0,30 8-18/2 * * 1-5", {30, 10, 2, 2, 5}, true, true},
    {"0,30 8-18/2 * * 1-5", {30, 11, 2, 2, 5}, false, true},
    {"0 0 * * 7", {0, 0, 1, 1, 0}, true, true},
    {"0 0 * *", {0, 0, 1, 1, 0}, false, false},
    {"60 0 * * *", {0, 0, 1, 1, 0}, false, false},
    {"a 0 * * *", {0, 0, 1, 1, 0}, false, false},
};

static void schedules_match_their_minutes(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(schedules); i++) {
        wpa_error err = {0};
        bool matches = false;
        bool is_good =
            wpa_schedule_matches(schedules[i].schedule, schedules[i].parts, &matches, &err);
        if (is_good != schedules[i].is_good || (is_good && matches != schedules[i].matches)) {
            fail_msg("'%s' (%zu): %s", schedules[i].schedule, i, err.message);
        }
    }
}

static const char *who_is(wpa_db *db, wpa_arena *arena)
{
    wpa_error err = {0};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_AGENT_ROLES, NULL, 0, &err);
    assert_non_null(rows);
    return wpa_rows_dup(rows, 0, 3, arena);
}

/* A user who may make no roles works with all the rights that he has, and the log says so. */
static void work_without_roles_is_told(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    size_t size = 0;
    wpa_test_pg *pg = wpa_test_pg_new_empty();
    const char *user = wpa_arena_printf(arena, "wpa_plain_%d", (int)getpid());
    (void)wpa_test_sql_value(
        pg, 0, arena,
        wpa_arena_printf(arena,
                         "CREATE ROLE %s LOGIN; DO $$ BEGIN EXECUTE format('ALTER DATABASE %%I "
                         "OWNER TO %s', current_database()); END $$",
                         user, user));
    char *folder = wpa_dir_temp("wpa-engine", arena, &err);
    char *path = wpa_path_join(arena, folder, "log");
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    WPA_AUTO(wpa_log) *log = wpa_log_new(fd, WPA_LOG_WARN);
    const wpa_engine_options options = {
        .dsn = wpa_arena_printf(arena, "%s user=%s", wpa_test_pg_dsn(pg), user),
        .cache_folder = folder,
        .log = log};
    wpa_engine *engine = wpa_engine_open(&options, &err);
    if (!engine) {
        fail_msg("%s: %s", err.context, err.message);
    }
    wpa_db *db = wpa_engine_connect_as(engine, "wpa_api", "test", &err);
    assert_non_null(db);
    assert_string_equal(who_is(db, arena), user);
    wpa_db_close(db);
    const char *said = wpa_file_read(path, 8192, arena, &size, &err);
    assert_non_null(strstr(said, wpa_arena_printf(arena, "'%s' may not become wpa_api", user)));
    wpa_engine_close(engine);
    wpa_test_pg_free(pg);
    (void)close(fd);
    assert_true(wpa_dir_remove(folder, &err));
}

/* With the roles there, a connection has what its role has. */
static void work_with_roles_has_no_more(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    static const char *const roles[] = {"wpa_api", "wpa_agent", "wpa_viewer"};
    for (size_t i = 0; i < WPA_COUNT(roles); i++) {
        wpa_db *db = wpa_engine_connect_as(f->engine, roles[i], "test", &err);
        assert_non_null(db);
        assert_string_equal(who_is(db, f->arena), roles[i]);
        wpa_db_close(db);
    }
}

int main(void)
{
    wpa_test_pg_need();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_is_done_by_a_worker),
        cmocka_unit_test(a_job_due_later_is_done_then),
        cmocka_unit_test(a_hopeless_job_is_dead_at_once),
        cmocka_unit_test(what_is_over_for_long_is_forgotten),
        cmocka_unit_test(a_patch_is_decided),
        cmocka_unit_test(a_refusal_stands_in_the_log),
        cmocka_unit_test(the_engine_survives_the_loss_of_its_connections),
        cmocka_unit_test(a_viewer_engine_cannot_write),
        cmocka_unit_test(schedules_match_their_minutes),
        cmocka_unit_test(work_with_roles_has_no_more),
        cmocka_unit_test(work_without_roles_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
