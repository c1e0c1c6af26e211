#include "harness/pg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "db/db.h"
#include "db/embedded.h"
#include "db/pg.h"
#include "db/server.h"

struct wpa_test_pg {
    wpa_arena *arena;
    wpa_embedded *server;
    char *database;
    char *dsn;
    PGconn *conn;
    char sqlstate[6];
    char message[512];
};

static const char *build_folder(void)
{
    const char *folder = getenv("WPA_BUILD_DIR");
    return folder ? folder : "/tmp";
}

void wpa_test_pg_need(void)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_server_programs programs;
    wpa_error err = {0};
    if (!wpa_server_programs_find(0, arena, &programs, &err)) {
        (void)printf("skipped: %s\n", err.message);
        exit(77);
    }
}

static void ignore_notice(void *context, const PGresult *notice)
{
    (void)context;
    (void)notice;
}

static PGconn *must_connect(const char *dsn)
{
    PGconn *conn = PQconnectdb(dsn);
    (void)PQsetNoticeReceiver(conn, ignore_notice, NULL);
    if (PQstatus(conn) != CONNECTION_OK) {
        (void)fprintf(stderr, "%s: %s\n", dsn, PQerrorMessage(conn));
        PQfinish(conn);
        fail_msg("no connection to the test database");
    }
    return conn;
}

static void must_run(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
        (void)fprintf(stderr, "%s: %s\n", sql, PQerrorMessage(conn));
        PQclear(result);
        fail_msg("SQL of the harness failed");
    }
    PQclear(result);
}

/** Names the migrations: other ones get another template. */
static uint64_t migrations_hash(void)
{
    uint64_t hash = 14695981039346656037U;
    for (size_t i = 0; i < wpa_migration_count; i++) {
        for (const char *at = wpa_migrations[i].text; *at; at++) {
            hash = (hash ^ (uint8_t)*at) * 1099511628211U;
        }
    }
    return hash;
}

static bool is_there(PGconn *conn, wpa_arena *arena, const char *database)
{
    PGresult *result = PQexec(
        conn, wpa_arena_printf(arena, "SELECT 1 FROM pg_database WHERE datname='%s'", database));
    bool is_found = PQntuples(result) > 0;
    PQclear(result);
    return is_found;
}

static char *dsn_of(const wpa_test_pg *pg, const char *database)
{
    return wpa_arena_printf(pg->arena, "%s dbname=%s", wpa_embedded_dsn(pg->server), database);
}

static void migrate(wpa_test_pg *pg, const char *database)
{
    wpa_error err = {0};
    WPA_AUTO(wpa_db) *db = wpa_db_open(dsn_of(pg, database), "wpa test", &err);
    if (!db || !wpa_db_migrate(db, NULL, &err)) {
        (void)fprintf(stderr, "migrate: %s: %s (SQLSTATE %s)\n", err.context, err.message,
                      db ? wpa_db_sqlstate(db) : "");
        fail_msg("the test database cannot be migrated");
    }
}

/** One template per set of migrations, made under a lock by whoever comes first. */
static const char *make_template(wpa_test_pg *pg, PGconn *admin)
{
    char *name =
        wpa_arena_printf(pg->arena, "template_%016llx", (unsigned long long)migrations_hash());
    must_run(admin, "SELECT pg_advisory_lock(4711)");
    if (!is_there(admin, pg->arena, name)) {
        /* A crash may lose a throw-away cluster: it is made again. */
        must_run(admin, "ALTER SYSTEM SET fsync = off");
        must_run(admin, "ALTER SYSTEM SET full_page_writes = off");
        must_run(admin, "SELECT pg_reload_conf()");
        const char *half = wpa_arena_printf(pg->arena, "%s_half", name);
        must_run(admin, wpa_arena_printf(pg->arena, "DROP DATABASE IF EXISTS %s", half));
        must_run(admin, wpa_arena_printf(pg->arena, "CREATE DATABASE %s", half));
        migrate(pg, half);
        must_run(admin, wpa_arena_printf(pg->arena, "ALTER DATABASE %s RENAME TO %s", half, name));
    }
    must_run(admin, "SELECT pg_advisory_unlock(4711)");
    return name;
}

static wpa_embedded *shared_server; /* of this process; tests run one after the other */

static void leave_server(void)
{
    wpa_embedded_close(shared_server);
}

static wpa_embedded *use_server(void)
{
    if (shared_server) {
        return shared_server;
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    const char *folder = wpa_path_join(arena, build_folder(), "test-postgres");
    wpa_embedded_options options = {.state_folder = folder};
    if (wpa_dir_make(folder, 0711, &err)) {
        shared_server = wpa_embedded_open(&options, &err);
    }
    if (!shared_server) {
        (void)fprintf(stderr, "%s: %s\n", err.context, err.message);
        fail_msg("no test server");
    }
    (void)atexit(leave_server);
    return shared_server;
}

static wpa_test_pg *open_server(void)
{
    wpa_test_pg *pg = wpa_alloc(sizeof *pg);
    pg->arena = wpa_arena_new();
    pg->server = use_server();
    return pg;
}

static wpa_test_pg *open_database(bool is_empty)
{
    static int serial; /* tests of one process run one after the other */
    wpa_test_pg *pg = open_server();
    PGconn *admin = must_connect(wpa_embedded_dsn(pg->server));
    pg->database = wpa_arena_printf(pg->arena, "test_%ld_%d", (long)getpid(), serial++);
    const char *from = is_empty ? "template0" : make_template(pg, admin);
    must_run(admin,
             wpa_arena_printf(pg->arena, "DROP DATABASE IF EXISTS %s WITH (FORCE)", pg->database));
    /* Files are copied for half of what it costs to write a log of them. */
    must_run(admin, wpa_arena_printf(pg->arena, "CREATE DATABASE %s TEMPLATE %s STRATEGY file_copy",
                                     pg->database, from));
    must_run(admin, wpa_arena_printf(pg->arena, "ALTER DATABASE %s SET synchronous_commit = off",
                                     pg->database));
    PQfinish(admin);
    pg->dsn = dsn_of(pg, pg->database);
    pg->conn = must_connect(pg->dsn);
    return pg;
}

wpa_test_pg *wpa_test_pg_new(void)
{
    return open_database(false);
}

wpa_test_pg *wpa_test_pg_new_empty(void)
{
    return open_database(true);
}

void wpa_test_pg_free(wpa_test_pg *pg)
{
    PQfinish(pg->conn);
    PGconn *admin = must_connect(wpa_embedded_dsn(pg->server));
    must_run(admin,
             wpa_arena_printf(pg->arena, "DROP DATABASE IF EXISTS %s WITH (FORCE)", pg->database));
    PQfinish(admin);
    wpa_arena_free(pg->arena);
    wpa_free(pg);
}

const char *wpa_test_pg_dsn(const wpa_test_pg *pg)
{
    return pg->dsn;
}

wpa_db *wpa_test_pg_connect(const wpa_test_pg *pg, const char *role)
{
    wpa_error err = {0};
    wpa_db_options options = {.application = "wpa test", .role = role};
    wpa_db *db = wpa_db_open_with(pg->dsn, &options, &err);
    if (!db) {
        fail_msg("connect: %s", err.message);
    }
    return db;
}

/* ---- SQL ----------------------------------------------------------------------------------------
 */

static bool step(wpa_test_pg *pg, const char *sql, PGresult **keep)
{
    PGresult *result = PQexec(pg->conn, sql);
    ExecStatusType status = PQresultStatus(result);
    bool is_good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!is_good) {
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        (void)wpa_text_copy(pg->sqlstate, sizeof pg->sqlstate, state ? state : "?????");
        (void)wpa_text_copy(pg->message, sizeof pg->message, PQresultErrorMessage(result));
    }
    if (keep && is_good) {
        *keep = result;
    } else {
        PQclear(result);
    }
    return is_good;
}

static bool run(wpa_test_pg *pg, const char *role, int64_t actor, const char *sql, PGresult **keep)
{
    char begin[512];
    (void)snprintf(begin, sizeof begin,
                   "BEGIN; SET LOCAL search_path = wpa, pg_catalog; SET LOCAL ROLE %s;"
                   "SELECT set_config('wpa.actor', '%lld', true),"
                   "set_config('wpa.address', 'test', true),"
                   "set_config('wpa.user_agent', 'cmocka', true)",
                   role ? role : "wpa", (long long)actor);
    if (actor == 0) {
        char *at = strstr(begin, "'0'");
        memcpy(at, "'' ", 3);
    }
    (void)wpa_text_copy(pg->sqlstate, sizeof pg->sqlstate, "00000");
    if (step(pg, begin, NULL) && step(pg, sql, keep) && step(pg, "COMMIT", NULL)) {
        return true;
    }
    char state[sizeof pg->sqlstate];
    memcpy(state, pg->sqlstate, sizeof state);
    (void)step(pg, "ROLLBACK", NULL);
    memcpy(pg->sqlstate, state, sizeof state);
    return false;
}

const char *wpa_test_sql(wpa_test_pg *pg, const char *role, int64_t actor, const char *sql)
{
    (void)run(pg, role, actor, sql, NULL);
    return pg->sqlstate;
}

const char *wpa_test_sql_value(wpa_test_pg *pg, int64_t actor, wpa_arena *arena, const char *sql)
{
    PGresult *result = NULL;
    if (!run(pg, NULL, actor, sql, &result)) {
        (void)fprintf(stderr, "%s\n%s\n", sql, pg->message);
        fail_msg("SQL failed: %s", pg->sqlstate);
    }
    char *value = wpa_arena_text(arena, PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    return value;
}

int64_t wpa_test_sql_int(wpa_test_pg *pg, int64_t actor, const char *sql)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    int64_t value = 0;
    const char *text = wpa_test_sql_value(pg, actor, arena, sql);
    if (!wpa_text_to_int(text, INT64_MIN, INT64_MAX, &value)) {
        fail_msg("not a number: '%s' from %s", text, sql);
    }
    return value;
}

const char *wpa_test_sql_message(const wpa_test_pg *pg)
{
    return pg->message;
}

/* ---- people -------------------------------------------------------------------------------------
 */

wpa_actor wpa_test_person(wpa_test_pg *pg, const char *name, wpa_role role)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_actor actor = {.role = role, .address = "10.2.0.14", .user_agent = "xterm-256color"};
    (void)wpa_text_copy(actor.name, sizeof actor.name, name);
    actor.principal_id = wpa_test_sql_int(
        pg, 0,
        wpa_arena_printf(arena,
                         "INSERT INTO principal (name, role) VALUES ('%s', '%s') RETURNING id",
                         name, wpa_role_name(role)));
    return actor;
}

wpa_actor wpa_test_engine(wpa_test_pg *pg)
{
    wpa_actor actor = {.role = WPA_ROLE_AGENT, .name = "engine", .user_agent = "test"};
    actor.principal_id = wpa_test_sql_int(pg, 0, "SELECT id FROM principal WHERE name = 'engine'");
    return actor;
}
