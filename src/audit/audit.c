#include "audit/audit.h"

#include "gen/sql.h"

#define READ_MAX 1000

bool wpa_audit_append(wpa_db *db, const wpa_actor *actor, const char *action, const char *subject,
                      const char *detail, wpa_error *err)
{
    const char *params[] = {action, subject, detail ? detail : "{}"};
    if (wpa_db_in_transaction(db)) {
        return wpa_db_run(db, WPA_SQL_AUDIT_APPEND, params, WPA_COUNT(params), err);
    }
    if (wpa_db_begin(db, actor, err) &&
        wpa_db_run(db, WPA_SQL_AUDIT_APPEND, params, WPA_COUNT(params), err) &&
        wpa_db_commit(db, err)) {
        return true;
    }
    wpa_db_rollback(db);
    return false;
}

static wpa_audit_entry entry_at(const wpa_rows *rows, size_t i, wpa_arena *arena)
{
    return (wpa_audit_entry){
        .row = {.seq = wpa_rows_int(rows, i, 0),
                .at_us = wpa_rows_int(rows, i, 1),
                .actor = wpa_rows_dup(rows, i, 2, arena),
                .action = wpa_rows_dup(rows, i, 3, arena),
                .subject = wpa_rows_dup(rows, i, 4, arena),
                .detail = wpa_rows_dup(rows, i, 5, arena)},
        .prev_hex = wpa_rows_dup(rows, i, 6, arena),
        .hash_hex = wpa_rows_dup(rows, i, 7, arena),
        .who = wpa_rows_dup(rows, i, 8, arena),
    };
}

bool wpa_audit_read(wpa_db *db, const wpa_audit_query *query, wpa_arena *arena,
                    const wpa_audit_entry **entries, size_t *n, wpa_error *err)
{
    char before[WPA_DB_NUMBER_SIZE];
    char limit[WPA_DB_NUMBER_SIZE];
    int rows_max = query->limit > 0 && query->limit < READ_MAX ? query->limit : READ_MAX;
    const char *params[] = {
        query->actor,
        query->action,
        query->subject,
        wpa_db_number(query->before_seq > 0 ? query->before_seq : INT64_MAX, before),
        wpa_db_number(rows_max, limit),
    };
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_AUDIT_READ, params, WPA_COUNT(params), err);
    if (!rows) {
        return false;
    }
    *n = wpa_rows_count(rows);
    wpa_audit_entry *list = wpa_arena_array(arena, *n, sizeof *list);
    for (size_t i = 0; i < *n; i++) {
        list[i] = entry_at(rows, i, arena);
    }
    *entries = list;
    return true;
}
