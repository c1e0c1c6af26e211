/*
 * A throw-away PostgreSQL for tests: one cluster per build folder, started by whoever comes first
 * and stopped by whoever leaves last, and in it a fresh, migrated database for each test.
 *
 * int main(void) { wpa_test_pg_need(); return cmocka_run_group_tests(...); }
 */
#pragma once

#include <stdint.h>

#include <wpa/actor.h>
#include <wpa/arena.h>

typedef struct wpa_db wpa_db;
typedef struct wpa_test_pg wpa_test_pg;

/** End the process with 77 (skipped) and the reason if this machine has no PostgreSQL. */
void wpa_test_pg_need(void);

/** A migrated database of its own. Fails the test if it cannot be made. */
wpa_test_pg *wpa_test_pg_new(void);
/** The same without any migration applied. */
wpa_test_pg *wpa_test_pg_new_empty(void);
/** Drops the database; leaves the server. */
void wpa_test_pg_free(wpa_test_pg *pg);

const char *wpa_test_pg_dsn(const wpa_test_pg *pg);
/** A connection as the owner, or with the role ("wpa_agent", "wpa_api", "wpa_viewer"). */
wpa_db *wpa_test_pg_connect(const wpa_test_pg *pg, const char *role);

/**
 * Any SQL, as the owner or with a role set, with the actor set (0: none); one transaction.
 *
 * Returns   the SQLSTATE, "00000" if it worked; static per call site's thread, use at once.
 */
const char *wpa_test_sql(wpa_test_pg *pg, const char *role, int64_t actor, const char *sql);
/** The same; must work. Returns the first column of the first row, "" without rows, in arena. */
const char *wpa_test_sql_value(wpa_test_pg *pg, int64_t actor, wpa_arena *arena, const char *sql);
int64_t wpa_test_sql_int(wpa_test_pg *pg, int64_t actor, const char *sql);
/** Message of the last wpa_test_sql that failed. */
const char *wpa_test_sql_message(const wpa_test_pg *pg);

/** A new guardian (or viewer) and an actor for him. */
wpa_actor wpa_test_person(wpa_test_pg *pg, const char *name, wpa_role role);
/** The engine's own principal. */
wpa_actor wpa_test_engine(wpa_test_pg *pg);
