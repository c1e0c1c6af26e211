/*
 * PostgreSQL: connections, statements, transactions, notifications. The only user of libpq.
 *
 * A connection belongs to one thread at a time (checked in debug builds; wpa_db_adopt hands it
 * over). Statements are rows of the generated table (gen/sql.h, from sql/queries/); a connection
 * prepares each one when it is first used. Values travel as text parameters, never as SQL.
 *
 * Lost connections: nothing is ever repeated silently. The call during which the connection breaks
 * fails with WPA_E_UNAVAILABLE (a broken commit means: outcome unknown, read before repeating).
 * The next wpa_db_exec outside a transaction, or the next wpa_db_begin, reconnects once, restores
 * the session (settings, LISTEN) and raises wpa_db_generation; it fails with WPA_E_UNAVAILABLE
 * again if no server answers. Waiting between tries is the caller's business.
 *
 * SQLSTATE becomes a code: WP001 LEASE_LOST; other WPxxx and check constraints REFUSED; 23505,
 * 40001, 40P01 CONFLICT; 42501, 28xxx DENIED; 23502, 23503, 22xxx INVALID; 57014, 55P03 TIMEOUT;
 * a lost or refused connection, 53xxx, 57Pxx, 25006 UNAVAILABLE; anything else INTERNAL.
 */
#pragma once

#include <stdint.h>

#include <wpa/actor.h>
#include <wpa/arena.h>
#include <wpa/log.h>

typedef struct wpa_db wpa_db;
typedef struct wpa_rows wpa_rows;

/** One named statement; gen/sql.c makes them, tests may make others (index -1: not prepared). */
typedef struct wpa_sql {
    const char *name;
    const char *text;
    const char *params; /* "step_id uuid, outcome text": as declared */
    int n_params;
    int index; /* in the table, used as the prepared statement's name */
} wpa_sql;

typedef struct wpa_db_options {
    const char *application;  /* seen in pg_stat_activity; "wpa" if NULL */
    const char *login;        /* connect as this user instead of the DSN's */
    const char *role;         /* SET ROLE after connecting, e.g. "wpa_agent"; skipped if NULL */
    int statement_timeout_ms; /* 0: 30 s */
    int idle_in_transaction_timeout_ms; /* 0: 10 s */
    int lock_timeout_ms;                /* 0: 5 s */
} wpa_db_options;

/**
 * Connect, with time limits for statements, locks and idle transactions.
 *
 * dsn       conninfo or URI, several hosts allowed, "" means PG* variables; borrowed.
 *
 * Returns   a connection owned by the calling thread, or NULL.
 * Errors    WPA_E_UNAVAILABLE with the server's or libpq's words, WPA_E_DENIED (role), INVALID.
 */
wpa_db *wpa_db_open(const char *dsn, const char *application, wpa_error *err);
wpa_db *wpa_db_open_with(const char *dsn, const wpa_db_options *options, wpa_error *err);
void wpa_db_close(wpa_db *db);
WPA_DEFINE_AUTO(wpa_db, wpa_db_close);

/** The calling thread owns the connection from now on. */
void wpa_db_adopt(wpa_db *db);
/** Connect again now, whatever the state; an open transaction is gone. */
bool wpa_db_reconnect(wpa_db *db, wpa_error *err) WPA_CHECK;
bool wpa_db_is_lost(const wpa_db *db);
/** Notice, without asking the server, that it has closed the session: for one long unused. */
void wpa_db_look_alive(wpa_db *db);
/** Grows with each connection made: whoever remembers it sees that notifications may be missing. */
uint64_t wpa_db_generation(const wpa_db *db);
/** SQLSTATE of the last failed call, "" if it had none. */
const char *wpa_db_sqlstate(const wpa_db *db);
bool wpa_db_in_transaction(const wpa_db *db);

/* ---- statements ------------------------------------------------------------------------------ */

/**
 * Run one statement.
 *
 * params    [n] text values, NULL for SQL null; n must be the statement's count.
 *
 * Returns   its rows (none for a statement without), or NULL with *err set.
 */
wpa_rows *wpa_db_exec(wpa_db *db, const wpa_sql *statement, const char *const params[], size_t n,
                      wpa_error *err);
/** The same where the rows do not matter. */
bool wpa_db_run(wpa_db *db, const wpa_sql *statement, const char *const params[], size_t n,
                wpa_error *err) WPA_CHECK;
/** Sees the rows of the statement that stands before others; false with *err: they shall not run.
 */
typedef bool (*wpa_db_gate)(void *context, const wpa_rows *rows, wpa_error *err);
/**
 * Put a statement before whatever is run next on this connection: both go to the server at once,
 * and what comes back of the next one counts only if the gate lets it pass. If it does not, or
 * cannot be asked, every statement fails with the same error until wpa_db_gate_end. The next one
 * has been run by then: for statements that only look.
 *
 * params    [n], at most WPA_DB_GATE_PARAMS; borrowed, as context, until the gate has been asked.
 */
#define WPA_DB_GATE_PARAMS 4
void wpa_db_gate_begin(wpa_db *db, const wpa_sql *statement, const char *const params[], size_t n,
                       wpa_db_gate pass, void *context);
/** Ask it now, if nothing has been run since; its error if it is shut. */
bool wpa_db_gate_ask(wpa_db *db, wpa_error *err) WPA_CHECK;
/** There is none any more, whatever it said. */
void wpa_db_gate_end(wpa_db *db);
/** Let the server parse it, without running it. */
bool wpa_db_prepare(wpa_db *db, const wpa_sql *statement, wpa_error *err) WPA_CHECK;
void wpa_rows_free(wpa_rows *rows);
WPA_DEFINE_AUTO(wpa_rows, wpa_rows_free);

/** What a column holds, as far as it matters to whoever writes its text elsewhere. */
typedef enum wpa_column_kind {
    WPA_COLUMN_TEXT,    /* and whatever is none of the following */
    WPA_COLUMN_NUMBER,  /* integers, numeric; a double may be NaN or infinite */
    WPA_COLUMN_NUMBERS, /* array of integers */
    WPA_COLUMN_BOOL,
    WPA_COLUMN_TIME, /* timestamptz */
    WPA_COLUMN_JSON
} wpa_column_kind;

size_t wpa_rows_count(const wpa_rows *rows);
size_t wpa_rows_columns(const wpa_rows *rows);
const char *wpa_rows_name(const wpa_rows *rows, size_t col);
wpa_column_kind wpa_rows_kind(const wpa_rows *rows, size_t col);
/** Rows an INSERT, UPDATE or DELETE touched. */
int64_t wpa_rows_affected(const wpa_rows *rows);
/** Text form, NULL for SQL null; valid until the rows are freed. Row and column must exist. */
const char *wpa_rows_text(const wpa_rows *rows, size_t row, size_t col);
size_t wpa_rows_length(const wpa_rows *rows, size_t row, size_t col);
/** Both at once. */
const char *wpa_rows_value(const wpa_rows *rows, size_t row, size_t col, size_t *length);
bool wpa_rows_is_null(const wpa_rows *rows, size_t row, size_t col);
/** 0 for SQL null. */
int64_t wpa_rows_int(const wpa_rows *rows, size_t row, size_t col);
double wpa_rows_double(const wpa_rows *rows, size_t row, size_t col);
bool wpa_rows_bool(const wpa_rows *rows, size_t row, size_t col);
/** Microseconds since 1970 UTC; 0 for null, INT64_MAX and INT64_MIN for the infinities. */
int64_t wpa_rows_time_us(const wpa_rows *rows, size_t row, size_t col);
/** A bytea column in the arena; NULL for SQL null. */
uint8_t *wpa_rows_bytes(const wpa_rows *rows, size_t row, size_t col, wpa_arena *arena,
                        size_t *size_bytes);
/** Text copied to the arena; NULL for SQL null. */
char *wpa_rows_dup(const wpa_rows *rows, size_t row, size_t col, wpa_arena *arena);

/* ---- parameters ------------------------------------------------------------------------------ */

#define WPA_DB_NUMBER_SIZE 32
/** Decimal text of value into text[WPA_DB_NUMBER_SIZE]; returns text. */
char *wpa_db_number(int64_t value, char *text);
/** "true" or "false". */
const char *wpa_db_bool(bool value);
/** bytea text ("\x…") of data[size_bytes]. */
char *wpa_db_bytes(wpa_arena *arena, const void *data, size_t size_bytes);
/** Array text of items[n] for "$1::text[]" and the like; a NULL item is SQL null. */
char *wpa_db_array(wpa_arena *arena, const char *const items[], size_t n);
char *wpa_db_array_int(wpa_arena *arena, const int64_t items[], size_t n);

/* ---- transactions ---------------------------------------------------------------------------- */

/**
 * Begin. The actor (NULL: none, for reading) is set for this transaction alone: the triggers check
 * its role, the audit log names it with its address and user agent.
 */
bool wpa_db_begin(wpa_db *db, const wpa_actor *actor, wpa_error *err) WPA_CHECK;
/** A failed commit has rolled back, unless the code is UNAVAILABLE: then nobody knows. */
bool wpa_db_commit(wpa_db *db, wpa_error *err) WPA_CHECK;
/** Nothing if no transaction is open. */
void wpa_db_rollback(wpa_db *db);

typedef bool (*wpa_db_work)(wpa_db *db, void *context, wpa_error *err);
/**
 * Begin, work, commit; rolled back if any of them fails. Repeated up to 3 times when the database
 * chose it as the victim of a deadlock or a serialization failure: work must bear that.
 */
bool wpa_db_transact(wpa_db *db, const wpa_actor *actor, wpa_db_work work, void *context,
                     wpa_error *err) WPA_CHECK;

/* ---- notifications --------------------------------------------------------------------------- */

typedef struct wpa_db_note {
    char channel[64];
    char payload[512];
} wpa_db_note;

/** Listen (statement: WPA_SQL_LISTEN_…); repeated by itself after a reconnect. Then read once. */
bool wpa_db_listen(wpa_db *db, const wpa_sql *listen, wpa_error *err) WPA_CHECK;
/** The next notification that has arrived; false if there is none. Never waits. */
bool wpa_db_note_next(wpa_db *db, wpa_db_note *note);
/**
 * Wait until a notification is there, other_fd (-1: none) is readable, or timeout_ms has passed
 * (-1: no limit); interrupted by signals. Errors WPA_E_UNAVAILABLE: the connection is lost.
 */
bool wpa_db_wait(wpa_db *db, int other_fd, int timeout_ms, wpa_error *err) WPA_CHECK;
/** The socket, for a poll of one's own: ask wpa_db_note_next first. May change at reconnects. */
int wpa_db_fd(const wpa_db *db);

/* ---- migrations ------------------------------------------------------------------------------ */

/** The newest migration this program knows. */
int wpa_db_version(void);
/**
 * Bring the schema up to date, one transaction per migration, alone by an advisory lock. log may
 * be NULL.
 *
 * Errors    WPA_E_REFUSED (the database is newer than the program, or a migration was changed
 *           after it had been applied), WPA_E_DENIED, WPA_E_UNAVAILABLE.
 */
bool wpa_db_migrate(wpa_db *db, wpa_log *log, wpa_error *err) WPA_CHECK;
