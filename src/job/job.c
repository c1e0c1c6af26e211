#include "job/job.h"

#include <stdio.h>

#include <wpa/text.h>

#include "gen/sql.h"
#include "job/lease.h"

#define DEFAULT_PRIORITY 100
#define DEFAULT_MAX_ATTEMPTS 5
#define REAP_BATCH "100"

static const char *number_or_null(int64_t value, char *text)
{
    return value ? wpa_db_number(value, text) : NULL;
}

bool wpa_job_enqueue(wpa_db *db, const wpa_job_spec *spec, int64_t *id, wpa_error *err)
{
    char priority[WPA_DB_NUMBER_SIZE];
    char attempts[WPA_DB_NUMBER_SIZE];
    char delay[WPA_DB_NUMBER_SIZE];
    char requester[WPA_DB_NUMBER_SIZE];
    char label[256];
    (void)wpa_text_format(label, sizeof label, "%s %s", spec->kind, spec->subject);
    const char *params[] = {
        spec->kind,
        spec->subject,
        spec->payload ? spec->payload : "{}",
        spec->label ? spec->label : label,
        wpa_db_number(spec->priority ? spec->priority : DEFAULT_PRIORITY, priority),
        wpa_db_number(spec->max_attempts ? spec->max_attempts : DEFAULT_MAX_ATTEMPTS, attempts),
        wpa_db_number(spec->delay_ms, delay),
        number_or_null(spec->requested_by, requester),
    };
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_JOB_ENQUEUE, params, WPA_COUNT(params), err);
    if (!rows) {
        return wpa_error_within(err, "queue %s", label);
    }
    if (id) {
        *id = wpa_rows_int(rows, 0, 0);
    }
    return true;
}

bool wpa_job_cancel(wpa_db *db, int64_t id, wpa_error *err)
{
    char text[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, text)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_JOB_CANCEL, params, WPA_COUNT(params), err);
    if (rows && wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "j-%lld is not waiting and not running",
                        (long long)id);
    }
    return rows != NULL;
}

static wpa_job_ending ending_of(const char *state)
{
    static const char *const words[] = {"done", "dead", "cancelled"};
    return (wpa_job_ending)(wpa_text_index(state, words, WPA_COUNT(words)) + 1);
}

bool wpa_job_look(wpa_db *db, int64_t id, wpa_job_state_view *view, wpa_error *err)
{
    char text[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, text)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_JOB_LOOK, params, WPA_COUNT(params), err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no j-%lld", (long long)id);
    }
    const char *last_error = wpa_rows_text(rows, 0, 1);
    (void)wpa_text_copy(view->state, sizeof view->state, wpa_rows_text(rows, 0, 0));
    (void)wpa_text_copy(view->last_error, sizeof view->last_error, last_error ? last_error : "");
    (void)wpa_text_copy(view->result, sizeof view->result, wpa_rows_text(rows, 0, 3));
    view->attempt = (int)wpa_rows_int(rows, 0, 2);
    view->ending = ending_of(view->state);
    return true;
}

/* ---- inside a handler -------------------------------------------------------------------------
 */

bool wpa_job_fence(wpa_db *db, const wpa_job *job, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    char token[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(job->id, id), wpa_db_number(job->token, token)};
    return wpa_db_run(db, WPA_SQL_JOB_FENCE, params, WPA_COUNT(params), err);
}

bool wpa_job_begin(wpa_job_context *context, wpa_error *err)
{
    if (!wpa_db_begin(context->db, context->actor, err)) {
        return false;
    }
    if (!wpa_job_fence(context->db, context->job, err)) {
        wpa_db_rollback(context->db);
        return false;
    }
    return true;
}

bool wpa_job_check(const wpa_job_context *context, wpa_error *err)
{
    if (wpa_lease_is_lost(context->lease)) {
        return WPA_FAIL(err, WPA_E_LEASE_LOST, "the lease of j-%lld is lost",
                        (long long)context->job->id);
    }
    if (wpa_lease_is_cancelled(context->lease)) {
        return WPA_FAIL(err, WPA_E_CANCELLED, "j-%lld was told to stop",
                        (long long)context->job->id);
    }
    return true;
}

bool wpa_job_should_stop(const wpa_job_context *context)
{
    return wpa_lease_is_lost(context->lease) || wpa_lease_is_cancelled(context->lease);
}

bool wpa_job_again(wpa_job_context *context, int64_t delay_ms)
{
    context->is_again = true;
    context->again_ms = delay_ms;
    return true;
}

void wpa_job_set_result(wpa_job_context *context, const char *json)
{
    context->result = wpa_arena_text(context->arena, json);
}

bool wpa_job_progress(wpa_job_context *context, int64_t done, int64_t total, const char *note,
                      wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    char token[WPA_DB_NUMBER_SIZE];
    char done_text[WPA_DB_NUMBER_SIZE];
    char total_text[WPA_DB_NUMBER_SIZE];
    const char *params[] = {
        wpa_db_number(context->job->id, id),
        wpa_db_number(context->job->token, token),
        wpa_db_number(done, done_text),
        total < 0 ? NULL : wpa_db_number(total, total_text),
        note,
    };
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(context->db, WPA_SQL_JOB_PROGRESS, params, WPA_COUNT(params), err);
    if (rows && wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_LEASE_LOST, "the lease of j-%lld is lost",
                        (long long)context->job->id);
    }
    return rows != NULL;
}

/* ---- for workers ------------------------------------------------------------------------------
 */

bool wpa_job_reap(wpa_db *db, int64_t *n_reaped, wpa_error *err)
{
    const char *params[] = {REAP_BATCH};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_JOB_REAP, params, WPA_COUNT(params), err);
    if (rows) {
        *n_reaped = wpa_rows_int(rows, 0, 0);
    }
    return rows != NULL;
}

static bool claim(const wpa_job_worker *worker, wpa_arena *arena, wpa_job *job, bool *is_found,
                  int64_t *sent_ms, wpa_error *err)
{
    char lease[WPA_DB_NUMBER_SIZE];
    const char *params[] = {
        wpa_db_array(arena, worker->queues, worker->n_queues),
        worker->owner,
        wpa_db_number(WPA_JOB_LEASE_MS, lease),
    };
    *sent_ms = wpa_monotonic_ms();
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(worker->db, WPA_SQL_JOB_CLAIM, params, WPA_COUNT(params), err);
    if (!rows) {
        return false;
    }
    *is_found = wpa_rows_count(rows) > 0;
    if (*is_found) {
        *job = (wpa_job){
            .id = wpa_rows_int(rows, 0, 0),
            .kind = wpa_rows_dup(rows, 0, 1, arena),
            .subject = wpa_rows_dup(rows, 0, 2, arena),
            .payload = wpa_rows_dup(rows, 0, 3, arena),
            .token = wpa_rows_int(rows, 0, 4),
            .attempt = (int)wpa_rows_int(rows, 0, 5),
            .max_attempts = (int)wpa_rows_int(rows, 0, 6),
            .requested_by = wpa_rows_int(rows, 0, 7),
        };
    }
    return true;
}

/** One of the endings that take (id, token, something); a lost lease ends silently: not ours. */
static bool end_job(wpa_db *db, const wpa_job *job, const wpa_sql *statement, const char *third,
                    wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    char token[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(job->id, id), wpa_db_number(job->token, token), third};
    return wpa_db_run(db, statement, params, (size_t)statement->n_params, err);
}

static bool is_hopeless(wpa_code code)
{
    return code == WPA_E_REFUSED || code == WPA_E_DENIED || code == WPA_E_INVALID ||
           code == WPA_E_NOT_FOUND || code == WPA_E_LIMIT;
}

static bool finish_failed(wpa_job_context *context, const wpa_error *failure, wpa_error *err)
{
    char text[1024];
    const wpa_job *job = context->job;
    wpa_db_rollback(context->db); /* a handler that failed inside its transaction */
    if (failure->code == WPA_E_LEASE_LOST) {
        wpa_log_write(context->log, WPA_LOG_WARN, "job", "j-%lld %s %s: lease lost, work discarded",
                      (long long)job->id, job->kind, job->subject);
        return true;
    }
    if (failure->code == WPA_E_CANCELLED) {
        return end_job(context->db, job, WPA_SQL_JOB_RELEASE, NULL, err);
    }
    wpa_log_error(context->log, "job", failure);
    return end_job(context->db, job,
                   is_hopeless(failure->code) ? WPA_SQL_JOB_DEAD : WPA_SQL_JOB_RETRY,
                   wpa_error_text(failure, text, sizeof text), err);
}

static bool finish(wpa_job_context *context, wpa_error *err)
{
    char delay[WPA_DB_NUMBER_SIZE];
    if (wpa_db_in_transaction(context->db)) {
        wpa_db_rollback(context->db);
        wpa_log_write(context->log, WPA_LOG_ERROR, "job", "%s left a transaction open",
                      context->job->kind);
    }
    if (context->is_again) {
        return end_job(context->db, context->job, WPA_SQL_JOB_AGAIN,
                       wpa_db_number(context->again_ms, delay), err);
    }
    return end_job(context->db, context->job, WPA_SQL_JOB_DONE, context->result, err);
}

static bool run(wpa_job_worker *worker, const wpa_job *job, wpa_arena *arena, wpa_lease *lease,
                wpa_error *err)
{
    wpa_error failure = {0};
    wpa_job_context context = {
        .db = worker->db,
        .job = job,
        .actor = worker->actor,
        .arena = arena,
        .log = worker->log,
        .cache_folder = worker->cache_folder,
        .lease = lease,
    };
    wpa_job_handler handler = worker->handler_of(job->kind);
    bool is_done = handler
                       ? handler(&context, &failure)
                       : WPA_FAIL(&failure, WPA_E_INVALID, "unknown kind of job '%s'", job->kind);
    if (!is_done) {
        (void)wpa_error_within(&failure, "j-%lld %s %s", (long long)job->id, job->kind,
                               job->subject);
        return finish_failed(&context, &failure, err);
    }
    return finish(&context, err);
}

bool wpa_job_work(wpa_job_worker *worker, bool *did_one, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_job job;
    int64_t sent_ms = 0;
    *did_one = false;
    if (!claim(worker, arena, &job, did_one, &sent_ms, err)) {
        return false;
    }
    if (!*did_one) {
        return true;
    }
    wpa_lease *lease = wpa_heart_take(worker->heart, worker->slot, &job, sent_ms);
    if (worker->n_busy) {
        atomic_fetch_add(worker->n_busy, 1);
    }
    bool is_good = run(worker, &job, arena, lease, err);
    wpa_heart_drop(worker->heart, worker->slot);
    if (worker->n_busy) {
        atomic_fetch_sub(worker->n_busy, 1);
    }
    return is_good;
}
