/* Inside src/db only: a connection's parts. */
#pragma once

#include <pthread.h>

#include <libpq-fe.h>

#include "db/db.h"
#include "gen/calls_pq.h"

#define WPA_DB_MAX_LISTENS 8

typedef enum wpa_pg_gate_state {
    WPA_PG_GATE_NONE,
    WPA_PG_GATE_WAITING, /* not asked yet */
    WPA_PG_GATE_SHUT
} wpa_pg_gate_state;

typedef struct wpa_pg_gate {
    wpa_pg_gate_state state;
    const wpa_sql *statement;
    const char *params[WPA_DB_GATE_PARAMS];
    size_t n;
    wpa_db_gate pass;
    void *context;
    wpa_error error; /* of SHUT */
} wpa_pg_gate;

struct wpa_db {
    PGconn *conn;
    char *dsn;
    char *application;
    char *login;
    char *role;
    int statement_timeout_ms;
    int idle_in_transaction_timeout_ms;
    int lock_timeout_ms;
    uint8_t *prepared; /* [wpa_sql_count], by wpa_sql.index */
    uint64_t generation;
    bool is_open; /* begun and neither committed nor rolled back, even if the connection is lost */
    char sqlstate[6];
    const wpa_sql *listens[WPA_DB_MAX_LISTENS];
    size_t n_listens;
    bool has_note; /* taken out of libpq by a wait, not yet given to anyone */
    wpa_db_note note;
    pthread_t owner;
    wpa_pg_gate gate;
};

struct wpa_rows {
    PGresult *result;
};

typedef struct wpa_migration {
    int version;
    const char *name;
    const char *text;
} wpa_migration;

extern const wpa_migration wpa_migrations[];
extern const size_t wpa_migration_count;

/** Error from a result, or from the connection where result is NULL; returns false. */
bool wpa_pg_fail(wpa_db *db, const PGresult *result, const char *what, wpa_error *err);
/** One or more statements of our own making without parameters, by the simple protocol. */
bool wpa_pg_script(wpa_db *db, const char *text, const char *what, wpa_error *err) WPA_CHECK;
/** Reconnect if the connection is lost and no transaction depends on it. */
bool wpa_pg_ready(wpa_db *db, wpa_error *err) WPA_CHECK;
/** How the server knows a prepared statement; name[WPA_DB_NUMBER_SIZE]. */
char *wpa_pg_prepared_name(const wpa_sql *statement, char *name);
/** Rows of a result, which they own; NULL, with the result cleared, if it is none of success. */
wpa_rows *wpa_pg_rows(wpa_db *db, PGresult *result, const wpa_sql *statement, wpa_error *err);
/** Send a prepared statement; 1 as PQsendQueryPrepared. */
int wpa_pg_send(wpa_db *db, const wpa_sql *statement, const char *const params[], size_t n);
/**
 * The next result, as PQgetResult, but not waited for longer than the server may take: what has not
 * ended its statement by then is not well, and the connection is given up.
 */
PGresult *wpa_pg_next_result(wpa_db *db);
/** Run a statement behind the gate that is there. */
wpa_rows *wpa_pg_exec_gated(wpa_db *db, const wpa_sql *statement, const char *const params[],
                            size_t n, wpa_error *err);
void wpa_pg_check_owner(const wpa_db *db);
/** Listen again after a reconnect. */
bool wpa_pg_relisten(wpa_db *db, wpa_error *err) WPA_CHECK;
