/* Notices as they come, for the console's toasts. */
#include <wpa/text.h>

#include "feed/reader.h"
#include "gen/sql.h"

/** The lowest of those that are remembered. */
static size_t oldest_of(const wpa_feed_told *told)
{
    size_t oldest = 0;
    for (size_t i = 1; i < told->n; i++) {
        oldest = told->ids[i] < told->ids[oldest] ? i : oldest;
    }
    return oldest;
}

static void remember(wpa_feed_told *told, int64_t id)
{
    told->ids[told->n < WPA_FEED_TOLD_MAX ? told->n++ : oldest_of(told)] = id;
}

bool wpa_feed_told_begin(wpa_db *db, wpa_feed_told *told, wpa_error *err)
{
    char limit[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(WPA_FEED_TOLD_MAX, limit)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_FEED_LAST_NOTICES, params, WPA_COUNT(params), err);
    told->n = 0;
    for (size_t i = 0; rows && i < wpa_rows_count(rows); i++) {
        remember(told, wpa_rows_int(rows, i, 0));
    }
    return rows != NULL;
}

static wpa_msg *make_message(const wpa_rows *rows, size_t row, wpa_error *err)
{
    wpa_msg *msg = wpa_msg_new(WPA_FEED_NOTICE);
    wpa_notice_row *notice = wpa_arena_alloc(msg->arena, sizeof *notice);
    const wpa_json *json =
        wpa_json_parse(wpa_rows_text(rows, row, 0), wpa_rows_length(rows, row, 0),
                       WPA_JSON_MAX_BYTES, msg->arena, err);
    if (!json) {
        wpa_msg_free(msg);
        return NULL;
    }
    wpa_notice_kind.fill(json, msg->arena, notice);
    msg->body = notice;
    return msg;
}

bool wpa_feed_notices(wpa_db *db, wpa_feed_told *told, wpa_queue *inbox, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    char after[WPA_DB_NUMBER_SIZE];
    int64_t lowest = told->n < WPA_FEED_TOLD_MAX ? 0 : told->ids[oldest_of(told)];
    const char *params[] = {wpa_db_number(lowest, after),
                            wpa_db_array_int(arena, told->ids, told->n)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_FEED_NEW_NOTICES, params, WPA_COUNT(params), err);
    for (size_t i = 0; rows && i < wpa_rows_count(rows); i++) {
        wpa_msg *msg = make_message(rows, i, err);
        if (!msg) {
            return false;
        }
        remember(told, ((const wpa_notice_row *)msg->body)->id);
        if (!wpa_queue_push(inbox, msg, WPA_QUEUE_WAIT, err)) {
            return false;
        }
    }
    return rows != NULL;
}
