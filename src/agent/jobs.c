/* Service: jobs, notices, the audit log. */
#include <wpa/clock.h>
#include <wpa/text.h>

#include "agent/call.h"
#include "audit/audit.h"
#include "gen/sql.h"
#include "json/json.h"

#define LOOK_MS 1000

static void fill_outcome(const wpa_job_state_view *view, wpa_job_outcome *outcome)
{
    *outcome = (wpa_job_outcome){
        .end = view->ending == WPA_JOB_ENDED_DONE   ? WPA_JOB_END_DONE
               : view->ending == WPA_JOB_ENDED_DEAD ? WPA_JOB_END_DEAD
                                                    : WPA_JOB_END_CANCELLED,
    };
    (void)wpa_text_copy(outcome->message, sizeof outcome->message, view->last_error);
    (void)wpa_text_copy(outcome->result, sizeof outcome->result, view->result);
}

/** Wait for any change, at most LOOK_MS; false once the time is over. */
static bool wait_for_change(wpa_db *db, int64_t end_ms, wpa_error *err)
{
    wpa_db_note note;
    int64_t left_ms = end_ms - wpa_monotonic_ms();
    if (left_ms <= 0) {
        return WPA_FAIL(err, WPA_E_TIMEOUT, "not finished in time; it goes on");
    }
    if (!wpa_db_note_next(db, &note) &&
        !wpa_db_wait(db, -1, (int)(left_ms < LOOK_MS ? left_ms : LOOK_MS), err)) {
        return false;
    }
    while (wpa_db_note_next(db, &note)) {
    }
    return true;
}

static wpa_db *listen(wpa_engine *engine, wpa_error *err)
{
    WPA_AUTO(wpa_db) *db = wpa_engine_connect_reader(engine, err);
    if (!db || !wpa_db_listen(db, WPA_SQL_DB_LISTEN_CHANGE, err)) {
        return NULL;
    }
    return WPA_STEAL(db);
}

bool wpa_agent_wait(wpa_engine *engine, int64_t job_id, int64_t timeout_ms,
                    wpa_job_outcome *outcome, wpa_error *err)
{
    int64_t end_ms = wpa_monotonic_ms() + timeout_ms;
    WPA_AUTO(wpa_db) *db = listen(engine, err);
    if (!db) {
        return false;
    }
    for (;;) {
        wpa_job_state_view view;
        if (!wpa_job_look(db, job_id, &view, err)) {
            return false;
        }
        if (view.ending != WPA_JOB_ENDED_NOT) {
            fill_outcome(&view, outcome);
            return true;
        }
        if (!wait_for_change(db, end_ms, err)) {
            return wpa_error_within(err, "wait for j-%lld", (long long)job_id);
        }
    }
}

bool wpa_agent_wait_idle(wpa_engine *engine, const char *const kinds[], int64_t timeout_ms,
                         wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    int64_t end_ms = wpa_monotonic_ms() + timeout_ms;
    size_t n = 0;
    while (kinds[n]) {
        n++;
    }
    const char *params[] = {wpa_db_array(arena, kinds, n)};
    WPA_AUTO(wpa_db) *db = listen(engine, err);
    if (!db) {
        return false;
    }
    for (;;) {
        WPA_AUTO(wpa_rows) *rows =
            wpa_db_exec(db, WPA_SQL_AGENT_IDLE, params, WPA_COUNT(params), err);
        if (!rows || wpa_rows_bool(rows, 0, 0)) {
            return rows != NULL;
        }
        if (!wait_for_change(db, end_ms, err)) {
            return false;
        }
    }
}

static bool cancel_job(wpa_db *db, const wpa_actor *actor, void *context, wpa_error *err)
{
    (void)actor;
    return wpa_job_cancel(db, *(int64_t *)context, err);
}

bool wpa_agent_cancel_job(wpa_engine *engine, const wpa_actor *actor, int64_t job_id,
                          wpa_error *err)
{
    return wpa_call(engine, actor, WPA_ACTION_CONTROL_JOBS, cancel_job, &job_id, err);
}

static bool acknowledge(wpa_db *db, const wpa_actor *actor, void *context, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    char who[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(*(int64_t *)context, id),
                            wpa_db_number(actor->principal_id, who)};
    return wpa_call_one(db, WPA_SQL_SERVICE_ACKNOWLEDGE, params, WPA_COUNT(params),
                        "there is no such notice", err);
}

bool wpa_agent_acknowledge(wpa_engine *engine, const wpa_actor *actor, int64_t notice_id,
                           wpa_error *err)
{
    return wpa_call(engine, actor, WPA_ACTION_COMMENT, acknowledge, &notice_id, err);
}

static bool read_notices(wpa_db *db, const wpa_actor *actor, void *context, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    char who[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(*(int64_t *)context, id),
                            wpa_db_number(actor->principal_id, who)};
    return wpa_db_run(db, WPA_SQL_SERVICE_READ_NOTICES, params, WPA_COUNT(params), err);
}

bool wpa_agent_read_notices(wpa_engine *engine, const wpa_actor *actor, int64_t notice_id,
                            wpa_error *err)
{
    return wpa_call(engine, actor, WPA_ACTION_COMMENT, read_notices, &notice_id, err);
}

typedef struct refusal {
    const wpa_actor *actor;
    const char *what, *subject;
} refusal;

static bool record_refusal(wpa_db *db, void *context, wpa_error *err)
{
    const refusal *r = context;
    const wpa_actor *actor = r->actor;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_json *detail = wpa_json_new_object(arena);
    wpa_json_set_text(detail, "what", r->what);
    wpa_json_set_text(detail, "role", actor->principal_id ? wpa_role_name(actor->role) : "nobody");
    return wpa_audit_append(db, actor, "access.refused", r->subject ? r->subject : "console",
                            wpa_json_dump(detail, arena), err);
}

bool wpa_agent_record_refusal(wpa_engine *engine, const wpa_actor *actor, const char *what,
                              const char *subject, wpa_error *err)
{
    /* Being refused needs no right: whoever has not signed in is told of as well. */
    refusal r = {actor, what, subject};
    wpa_db *db = wpa_engine_take(engine, err);
    bool is_recorded = db && wpa_db_transact(db, actor, record_refusal, &r, err);
    wpa_engine_give(engine, db);
    return is_recorded;
}

static bool keep_report(wpa_db *db, const wpa_audit_report *report, wpa_error *err)
{
    char rows[WPA_DB_NUMBER_SIZE];
    char seq[WPA_DB_NUMBER_SIZE];
    char at[WPA_DB_NUMBER_SIZE];
    char fault[WPA_DB_NUMBER_SIZE];
    const char *params[] = {
        wpa_db_number(report->n_rows, rows),
        wpa_db_number(report->last_seq, seq),
        wpa_db_number(report->last_at_us, at),
        report->fault_seq ? wpa_db_number(report->fault_seq, fault) : NULL,
        report->fault_seq ? report->fault : NULL,
    };
    return wpa_db_run(db, WPA_SQL_SERVICE_VERIFIED, params, WPA_COUNT(params), err);
}

bool wpa_agent_verify_audit(wpa_engine *engine, int64_t from_seq, int64_t to_seq,
                            wpa_audit_report *report, wpa_error *err)
{
    wpa_db *db = wpa_engine_take(engine, err);
    if (!db) {
        return false;
    }
    bool is_whole = from_seq <= 1 && to_seq <= 0;
    bool is_done = wpa_audit_verify(db, from_seq, to_seq, report, err) &&
                   (!is_whole || engine->is_viewer || keep_report(db, report, err));
    wpa_engine_give(engine, db);
    return is_done;
}
