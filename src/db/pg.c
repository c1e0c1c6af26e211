#include "db/pg.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include <wpa/clock.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "gen/sql.h"

#define DEFAULT_STATEMENT_TIMEOUT_MS 30000
#define DEFAULT_IDLE_IN_TRANSACTION_TIMEOUT_MS 10000
#define DEFAULT_LOCK_TIMEOUT_MS 5000
#define TRANSACTION_TRIES 3
/* For the server to say that a statement has taken too long. */
#define GRACE_MS 5000

void wpa_pg_check_owner(const wpa_db *db)
{
    assert(pthread_equal(db->owner, pthread_self()) && "a connection belongs to one thread");
    (void)db;
}

void wpa_db_adopt(wpa_db *db)
{
    db->owner = pthread_self();
}

static void ignore_notice(void *context, const PGresult *notice)
{
    (void)context;
    (void)notice; /* "already exists, skipping" and the like would land on the terminal */
}

/** What a DSN says wins over these: they stand before it. */
static PGconn *connect_dsn(const wpa_db *db)
{
    const char *keys[16] = {
        "connect_timeout",  "keepalives_idle",      "keepalives_interval", "keepalives_count",
        "tcp_user_timeout", "target_session_attrs", "client_encoding",     "dbname"};
    const char *values[16] = {"5", "10", "5", "3", "15000", "read-write", "UTF8", db->dsn};
    size_t n = 8;
    keys[n] = "fallback_application_name";
    values[n++] = db->application;
    if (db->login) {
        keys[n] = "user";
        values[n++] = db->login;
    }
    return PQconnectdbParams(keys, values, 1);
}

static bool start_session(wpa_db *db, wpa_error *err)
{
    const wpa_pg_gate gate = db->gate; /* stands before what follows, not before this */
    db->gate = (wpa_pg_gate){0};
    char statement[WPA_DB_NUMBER_SIZE];
    char idle[WPA_DB_NUMBER_SIZE];
    char lock[WPA_DB_NUMBER_SIZE];
    const char *params[] = {
        wpa_db_number(db->statement_timeout_ms, statement),
        wpa_db_number(db->idle_in_transaction_timeout_ms, idle),
        wpa_db_number(db->lock_timeout_ms, lock),
        db->role ? db->role : "none",
    };
    bool is_done = wpa_db_run(db, WPA_SQL_DB_SESSION, params, WPA_COUNT(params), err) &&
                   wpa_pg_relisten(db, err);
    db->gate = gate;
    return is_done;
}

static bool make_connection(wpa_db *db, wpa_error *err)
{
    PQfinish(db->conn);
    db->conn = connect_dsn(db);
    db->generation++;
    db->has_note = false;
    memset(db->prepared, 0, wpa_sql_count);
    if (PQstatus(db->conn) != CONNECTION_OK) {
        return wpa_pg_fail(db, NULL, "connect", err);
    }
    (void)PQsetNoticeReceiver(db->conn, ignore_notice, NULL);
    if (!start_session(db, err)) {
        PQfinish(db->conn);
        db->conn = NULL;
        return false;
    }
    return true;
}

static int or_default(int value, int fallback)
{
    return value > 0 ? value : fallback;
}

wpa_db *wpa_db_open_with(const char *dsn, const wpa_db_options *options, wpa_error *err)
{
    if (!wpa_pq_open(err)) {
        return NULL;
    }
    WPA_AUTO(wpa_db) *db = wpa_alloc(sizeof *db);
    db->dsn = wpa_strdup(dsn ? dsn : "");
    db->application = wpa_strdup(options->application ? options->application : "wpa");
    db->login = options->login ? wpa_strdup(options->login) : NULL;
    db->role = options->role ? wpa_strdup(options->role) : NULL;
    db->statement_timeout_ms =
        or_default(options->statement_timeout_ms, DEFAULT_STATEMENT_TIMEOUT_MS);
    db->idle_in_transaction_timeout_ms =
        or_default(options->idle_in_transaction_timeout_ms, DEFAULT_IDLE_IN_TRANSACTION_TIMEOUT_MS);
    db->lock_timeout_ms = or_default(options->lock_timeout_ms, DEFAULT_LOCK_TIMEOUT_MS);
    db->prepared = wpa_alloc(wpa_sql_count);
    db->owner = pthread_self();
    if (!make_connection(db, err)) {
        return NULL;
    }
    return WPA_STEAL(db);
}

wpa_db *wpa_db_open(const char *dsn, const char *application, wpa_error *err)
{
    wpa_db_options options = {.application = application};
    return wpa_db_open_with(dsn, &options, err);
}

void wpa_db_close(wpa_db *db)
{
    if (!db) {
        return;
    }
    PQfinish(db->conn);
    wpa_free(db->dsn);
    wpa_free(db->application);
    wpa_free(db->login);
    wpa_free(db->role);
    wpa_free(db->prepared);
    wpa_free(db);
}

bool wpa_db_reconnect(wpa_db *db, wpa_error *err)
{
    wpa_pg_check_owner(db);
    db->is_open = false;
    return make_connection(db, err);
}

bool wpa_db_is_lost(const wpa_db *db)
{
    return !db->conn || PQstatus(db->conn) != CONNECTION_OK;
}

void wpa_db_look_alive(wpa_db *db)
{
    wpa_pg_check_owner(db);
    if (!wpa_db_is_lost(db)) {
        (void)PQconsumeInput(db->conn);
    }
}

uint64_t wpa_db_generation(const wpa_db *db)
{
    return db->generation;
}

const char *wpa_db_sqlstate(const wpa_db *db)
{
    return db->sqlstate;
}

bool wpa_db_in_transaction(const wpa_db *db)
{
    return db->is_open;
}

bool wpa_pg_ready(wpa_db *db, wpa_error *err)
{
    if (!wpa_db_is_lost(db)) {
        return true;
    }
    if (db->is_open) {
        return WPA_FAIL(err, WPA_E_UNAVAILABLE, "database: connection lost in a transaction");
    }
    return make_connection(db, err);
}

bool wpa_pg_script(wpa_db *db, const char *text, const char *what, wpa_error *err)
{
    PGresult *result = PQexec(db->conn, text);
    ExecStatusType status = PQresultStatus(result);
    bool is_done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!is_done) {
        (void)wpa_pg_fail(db, result, what, err);
    }
    PQclear(result);
    return is_done;
}

/* ---- statements ------------------------------------------------------------------------------ */

char *wpa_pg_prepared_name(const wpa_sql *statement, char *name)
{
    (void)wpa_text_format(name, WPA_DB_NUMBER_SIZE, "s%d", statement->index);
    return name;
}

PGresult *wpa_pg_next_result(wpa_db *db)
{
    int64_t until_ms = wpa_monotonic_ms() + db->statement_timeout_ms + GRACE_MS;
    while (db->conn && PQisBusy(db->conn)) {
        struct pollfd answer = {.fd = PQsocket(db->conn), .events = POLLIN};
        int64_t left_ms = until_ms - wpa_monotonic_ms();
        int n = left_ms > 0 ? poll(&answer, 1, (int)left_ms) : 0;
        if (n == 0) {
            PQfinish(db->conn);
            db->conn = NULL;
        } else if (n > 0 && !PQconsumeInput(db->conn)) {
            break; /* lost: the result says so */
        }
    }
    return db->conn ? PQgetResult(db->conn) : NULL;
}

/** Of all that a statement gives, the last one counts. */
static PGresult *last_result(wpa_db *db)
{
    PGresult *result = NULL, *next;
    while ((next = wpa_pg_next_result(db))) {
        PQclear(result);
        result = next;
    }
    return result;
}

bool wpa_db_prepare(wpa_db *db, const wpa_sql *statement, wpa_error *err)
{
    if (!wpa_pg_ready(db, err)) {
        return false;
    }
    if (statement->index < 0 || db->prepared[statement->index]) {
        return true;
    }
    char name[WPA_DB_NUMBER_SIZE];
    PGresult *result =
        PQsendPrepare(db->conn, wpa_pg_prepared_name(statement, name), statement->text, 0, NULL)
            ? last_result(db)
            : NULL;
    bool is_done = PQresultStatus(result) == PGRES_COMMAND_OK;
    if (is_done) {
        db->prepared[statement->index] = 1;
    } else {
        (void)wpa_pg_fail(db, result, statement->name, err);
    }
    PQclear(result);
    return is_done;
}

int wpa_pg_send(wpa_db *db, const wpa_sql *statement, const char *const params[], size_t n)
{
    char name[WPA_DB_NUMBER_SIZE];
    return PQsendQueryPrepared(db->conn, wpa_pg_prepared_name(statement, name), (int)n, params,
                               NULL, NULL, 0);
}

static PGresult *run(wpa_db *db, const wpa_sql *statement, const char *const params[], size_t n)
{
    if (statement->index < 0) {
        return PQexecParams(db->conn, statement->text, (int)n, NULL, params, NULL, NULL, 0);
    }
    return wpa_pg_send(db, statement, params, n) == 1 ? last_result(db) : NULL;
}

wpa_rows *wpa_pg_rows(wpa_db *db, PGresult *result, const wpa_sql *statement, wpa_error *err)
{
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        (void)wpa_pg_fail(db, result, statement->name, err);
        PQclear(result);
        return NULL;
    }
    wpa_rows *rows = wpa_alloc(sizeof *rows);
    rows->result = result;
    return rows;
}

wpa_rows *wpa_db_exec(wpa_db *db, const wpa_sql *statement, const char *const params[], size_t n,
                      wpa_error *err)
{
    wpa_pg_check_owner(db);
    if (n != (size_t)statement->n_params) {
        (void)WPA_FAIL(err, WPA_E_INTERNAL, "statement %s takes %d parameters, not %zu",
                       statement->name, statement->n_params, n);
        return NULL;
    }
    if (db->gate.state != WPA_PG_GATE_NONE) {
        return wpa_pg_exec_gated(db, statement, params, n, err);
    }
    return wpa_db_prepare(db, statement, err)
               ? wpa_pg_rows(db, run(db, statement, params, n), statement, err)
               : NULL;
}

bool wpa_db_run(wpa_db *db, const wpa_sql *statement, const char *const params[], size_t n,
                wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, statement, params, n, err);
    return rows != NULL;
}

/* ---- transactions ---------------------------------------------------------------------------- */

bool wpa_db_begin(wpa_db *db, const wpa_actor *actor, wpa_error *err)
{
    assert(!db->is_open && "transactions do not nest");
    if (!wpa_db_gate_ask(db, err) || !wpa_db_run(db, WPA_SQL_DB_BEGIN, NULL, 0, err)) {
        return false;
    }
    db->is_open = true;
    if (!actor) {
        return true;
    }
    char id[WPA_DB_NUMBER_SIZE];
    /* Nobody yet, but from somewhere: a sign-in that failed. */
    const char *who = actor->principal_id > 0 ? wpa_db_number(actor->principal_id, id) : "";
    const char *params[] = {who, actor->address, actor->user_agent};
    if (!wpa_db_run(db, WPA_SQL_DB_ACTOR, params, WPA_COUNT(params), err)) {
        wpa_db_rollback(db);
        return false;
    }
    return true;
}

bool wpa_db_commit(wpa_db *db, wpa_error *err)
{
    wpa_pg_check_owner(db);
    if (wpa_db_is_lost(db)) {
        db->is_open = false;
        return WPA_FAIL(err, WPA_E_UNAVAILABLE, "database: connection lost before the commit");
    }
    if (PQtransactionStatus(db->conn) == PQTRANS_INERROR) {
        wpa_db_rollback(db); /* COMMIT would roll back too, but say that all is well */
        return WPA_FAIL(err, WPA_E_INTERNAL, "commit of a failed transaction");
    }
    bool is_done = wpa_pg_script(db, "COMMIT", "commit", err);
    if (!is_done) {
        wpa_db_rollback(db);
    }
    db->is_open = false;
    return is_done;
}

void wpa_db_rollback(wpa_db *db)
{
    wpa_error ignored; /* a lost connection: the server rolls back by itself */
    db->is_open = false;
    if (!wpa_db_is_lost(db) && PQtransactionStatus(db->conn) != PQTRANS_IDLE) {
        if (!wpa_pg_script(db, "ROLLBACK", "rollback", &ignored)) {
            return;
        }
    }
}

static bool try_transaction(wpa_db *db, const wpa_actor *actor, wpa_db_work work, void *context,
                            wpa_error *err)
{
    if (!wpa_db_begin(db, actor, err)) {
        return false;
    }
    if (work(db, context, err) && wpa_db_commit(db, err)) {
        return true;
    }
    wpa_db_rollback(db);
    return false;
}

bool wpa_db_transact(wpa_db *db, const wpa_actor *actor, wpa_db_work work, void *context,
                     wpa_error *err)
{
    for (int i = 0; i < TRANSACTION_TRIES; i++) {
        db->sqlstate[0] = '\0';
        if (try_transaction(db, actor, work, context, err)) {
            return true;
        }
        if (strcmp(db->sqlstate, "40001") != 0 && strcmp(db->sqlstate, "40P01") != 0) {
            return false;
        }
    }
    return false;
}
