#include <wpa/clock.h>
#include <wpa/text.h>

#include "db/pg.h"
#include "gen/sql.h"

#define LOCK_WAIT_SCRIPT "SET statement_timeout = '120s'; SET lock_timeout = '120s'"
#define LOCK_WAIT_MS 120000

int wpa_db_version(void)
{
    return wpa_migrations[wpa_migration_count - 1].version;
}

static bool check_applied(const wpa_rows *applied, size_t row, wpa_error *err)
{
    int64_t version = wpa_rows_int(applied, row, 0);
    if (version > wpa_db_version()) {
        return WPA_FAIL(err, WPA_E_REFUSED,
                        "the database is at version %lld and this program knows only %d: start a "
                        "newer wpa, or name another database with --db",
                        (long long)version, wpa_db_version());
    }
    if (!wpa_rows_bool(applied, row, 2)) {
        return WPA_FAIL(err, WPA_E_REFUSED,
                        "migration %lld (%s) of the database is not the one this program knows: "
                        "the database was made by another build of wpa",
                        (long long)version, wpa_rows_text(applied, row, 1));
    }
    return true;
}

/** What is applied must be ours and unchanged; is_there[i] receives whether migration i is. */
static bool find_applied(wpa_db *db, wpa_arena *arena, bool *is_there, wpa_error *err)
{
    const char **texts = wpa_arena_array(arena, wpa_migration_count, sizeof *texts);
    int64_t *versions = wpa_arena_array(arena, wpa_migration_count, sizeof *versions);
    for (size_t i = 0; i < wpa_migration_count; i++) {
        texts[i] = wpa_migrations[i].text;
        versions[i] = wpa_migrations[i].version;
    }
    const char *params[] = {
        wpa_db_array_int(arena, versions, wpa_migration_count),
        wpa_db_array(arena, texts, wpa_migration_count),
    };
    WPA_AUTO(wpa_rows) *applied =
        wpa_db_exec(db, WPA_SQL_DB_MIGRATIONS, params, WPA_COUNT(params), err);
    if (!applied) {
        return false;
    }
    for (size_t i = wpa_rows_count(applied); i-- > 0;) { /* the newest first: it tells most */
        if (!check_applied(applied, i, err)) {
            return false;
        }
        for (size_t k = 0; k < wpa_migration_count; k++) {
            is_there[k] = is_there[k] || versions[k] == wpa_rows_int(applied, i, 0);
        }
    }
    return true;
}

static bool apply(wpa_db *db, const wpa_migration *migration, wpa_error *err)
{
    char version[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(migration->version, version), migration->name,
                            migration->text};
    if (wpa_db_begin(db, NULL, err) && wpa_pg_script(db, migration->text, migration->name, err) &&
        wpa_db_run(db, WPA_SQL_DB_MIGRATED, params, WPA_COUNT(params), err) &&
        wpa_db_commit(db, err)) {
        return true;
    }
    wpa_db_rollback(db);
    return wpa_error_within(err, "migration %s", migration->name);
}

static bool migrate_locked(wpa_db *db, wpa_log *log, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    bool *is_there = wpa_arena_array(arena, wpa_migration_count, sizeof *is_there);
    if (!wpa_db_run(db, WPA_SQL_DB_SCHEMA, NULL, 0, err) ||
        !wpa_db_run(db, WPA_SQL_DB_MIGRATION_TABLE, NULL, 0, err) ||
        !find_applied(db, arena, is_there, err)) {
        return false;
    }
    for (size_t i = 0; i < wpa_migration_count; i++) {
        int64_t started_ms = wpa_monotonic_ms();
        if (is_there[i]) {
            continue;
        }
        if (!apply(db, &wpa_migrations[i], err)) {
            return false;
        }
        wpa_log_write(log, WPA_LOG_INFO, "db", "migration %s applied in %lld ms",
                      wpa_migrations[i].name, (long long)(wpa_monotonic_ms() - started_ms));
    }
    return true;
}

bool wpa_db_migrate(wpa_db *db, wpa_log *log, wpa_error *err)
{
    if (!wpa_pg_ready(db, err) || !wpa_pg_script(db, LOCK_WAIT_SCRIPT, "migrate", err)) {
        return false;
    }
    const int timeout_ms = db->statement_timeout_ms;
    db->statement_timeout_ms = LOCK_WAIT_MS;
    bool is_locked = wpa_db_run(db, WPA_SQL_DB_MIGRATION_LOCK, NULL, 0, err);
    db->statement_timeout_ms = timeout_ms;
    if (!is_locked) {
        return false;
    }
    wpa_error ignored;
    bool is_done = migrate_locked(db, log, err);
    if (!wpa_db_is_lost(db)) {
        is_done = wpa_db_run(db, WPA_SQL_DB_MIGRATION_UNLOCK, NULL, 0, is_done ? err : &ignored) &&
                  is_done;
        /* Timeouts as before, and plans made before the tables existed forgotten. */
        is_done = wpa_db_reconnect(db, is_done ? err : &ignored) && is_done;
    }
    return is_done;
}
