/* Details: one thing in full. Each kind has a maker; this is the frame, and the small ones. */
#include "feed/detail.h"

#include <wpa/text.h>

#include "gen/sql.h"

static const struct {
    wpa_object_kind kind;
    wpa_detail_maker make;
} makers[] = {
    {WPA_OBJECT_WORKFLOW, wpa_detail_workflow}, {WPA_OBJECT_FINDING, wpa_detail_finding},
    {WPA_OBJECT_PATCH, wpa_detail_patch},       {WPA_OBJECT_DEPLOYMENT, wpa_detail_deployment},
    {WPA_OBJECT_AUDIT, wpa_detail_audit},       {WPA_OBJECT_JOB, wpa_detail_job},
};

wpa_msg *wpa_feed_detail(wpa_db *db, uint64_t request_id, wpa_object object, wpa_error *err)
{
    WPA_AUTO(wpa_msg) *msg = wpa_msg_new(WPA_FEED_DETAIL);
    wpa_detail_view *view = wpa_arena_alloc(msg->arena, sizeof *view);
    bool is_found = false;
    *view = (wpa_detail_view){.request_id = request_id, .object = object};
    for (size_t i = 0; i < WPA_COUNT(makers); i++) {
        if (makers[i].kind == object.kind &&
            !makers[i].make(db, object.id, msg->arena, view, &is_found, err)) {
            return NULL;
        }
    }
    if (!is_found) {
        view->missing = wpa_arena_printf(msg->arena, "there is no %c-%lld", (char)object.kind,
                                         (long long)object.id);
    }
    msg->body = view;
    return WPA_STEAL(msg);
}

bool wpa_detail_one(wpa_db *db, const wpa_sql *statement, int64_t id, wpa_arena *arena,
                    const wpa_json **row, wpa_error *err)
{
    char text[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, text)};
    size_t n = 0;
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, statement, params, WPA_COUNT(params), err);
    const wpa_json **items = rows ? wpa_feed_parse(rows, 0, arena, &n, err) : NULL;
    *row = items && n > 0 ? items[0] : NULL;
    return items != NULL;
}

void *wpa_detail_rows(wpa_db *db, const wpa_sql *statement, int64_t id, const wpa_row_kind *kind,
                      wpa_arena *arena, size_t *n, wpa_error *err)
{
    char text[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, text)};
    return wpa_feed_rows(db, statement, params, WPA_COUNT(params), kind, arena, n, err);
}

const wpa_activity_row *wpa_detail_history(wpa_db *db, const char *subject, const char *like,
                                           wpa_arena *arena, size_t *n, wpa_error *err)
{
    const char *params[] = {subject, like};
    return wpa_feed_rows(db, WPA_SQL_FEED_HISTORY, params, WPA_COUNT(params), &wpa_activity_kind,
                         arena, n, err);
}

const wpa_comment_row *wpa_detail_comments(wpa_db *db, const char *subject, wpa_arena *arena,
                                           size_t *n, wpa_error *err)
{
    const char *params[] = {subject};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_FEED_COMMENTS, params, WPA_COUNT(params), err);
    if (!rows) {
        return NULL;
    }
    *n = wpa_rows_count(rows);
    wpa_comment_row *comments = wpa_arena_array(arena, *n + 1, sizeof *comments);
    for (size_t i = 0; i < *n; i++) {
        comments[i] = (wpa_comment_row){.at_us = wpa_rows_int(rows, i, 0),
                                        .who = wpa_rows_dup(rows, i, 1, arena),
                                        .text = wpa_rows_dup(rows, i, 2, arena)};
    }
    return comments;
}

/* ---- audit, job ---------------------------------------------------------------------------------
 */

bool wpa_detail_audit(wpa_db *db, int64_t id, wpa_arena *arena, wpa_detail_view *view,
                      bool *is_found, wpa_error *err)
{
    char text[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, text)};
    size_t n = 0;
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FEED_AUDIT, params, WPA_COUNT(params), err);
    const wpa_json **items = rows ? wpa_feed_parse(rows, 0, arena, &n, err) : NULL;
    *is_found = items && n > 0;
    if (items && n > 0) {
        wpa_audit_detail *detail = wpa_arena_alloc(arena, sizeof *detail);
        wpa_audit_kind.fill(items[0], arena, &detail->row);
        detail->is_sound = wpa_rows_bool(rows, 0, 1);
        view->audit = detail;
    }
    return items != NULL;
}

bool wpa_detail_job(wpa_db *db, int64_t id, wpa_arena *arena, wpa_detail_view *view, bool *is_found,
                    wpa_error *err)
{
    const wpa_json *row = NULL;
    if (!wpa_detail_one(db, WPA_SQL_FEED_JOB, id, arena, &row, err)) {
        return false;
    }
    *is_found = row != NULL;
    if (row) {
        wpa_job_detail *detail = wpa_arena_alloc(arena, sizeof *detail);
        wpa_job_kind.fill(row, arena, &detail->row);
        if (detail->row.error) {
            const char **log = wpa_arena_array(arena, 1, sizeof *log);
            log[0] = detail->row.error;
            detail->log = log;
            detail->n_log = 1;
        }
        view->job = detail;
    }
    return true;
}
