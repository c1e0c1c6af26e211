/* One analysis from its request to its end. */
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "analysis/internal.h"
#include "gen/sql.h"

#define NETWORK_MS 120000
#define PAYLOAD_MAX_BYTES 4096

const char *wpa_analysis_dimension_name(wpa_dimension dimension)
{
    return dimension == WPA_DIMENSION_ALL ? "all" : wpa_dimension_name(dimension);
}

bool wpa_analysis_subject_load(wpa_db *db, int64_t workflow_id, wpa_arena *arena,
                               wpa_analysis_subject *subject, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(workflow_id, id)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_ANALYSIS_SUBJECT, params, WPA_COUNT(params), err);
    if (rows && wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "no workflow w-%lld", (long long)workflow_id);
    }
    if (!rows) {
        return false;
    }
    const char **fields[] = {&subject->repository, &subject->owner,      &subject->url,
                             &subject->branch,     &subject->path,       &subject->kind,
                             &subject->blob_oid,   &subject->head_commit};
    for (size_t i = 0; i < WPA_COUNT(fields); i++) {
        *fields[i] = wpa_rows_dup(rows, 0, (int)i, arena);
    }
    subject->workflow_id = workflow_id;
    bool is_gone = wpa_text_is(wpa_rows_text(rows, 0, 8), "gone");
    subject->error = is_gone ? WPA_ANALYSIS_GONE : wpa_rows_dup(rows, 0, 9, arena);
    return true;
}

static bool begin(wpa_db *db, const wpa_actor *actor, const wpa_job *job, wpa_error *err)
{
    return wpa_db_begin(db, actor, err) && (!job || wpa_job_fence(db, job, err));
}

static bool start(wpa_db *db, const wpa_analysis_request *request,
                  const wpa_analysis_subject *subject, wpa_analysis_summary *summary,
                  wpa_error *err)
{
    char workflow[WPA_DB_NUMBER_SIZE], by[WPA_DB_NUMBER_SIZE], job[WPA_DB_NUMBER_SIZE];
    const char *params[] = {
        wpa_db_number(request->workflow_id, workflow),
        wpa_analysis_dimension_name(request->dimension),
        subject->blob_oid,
        subject->head_commit,
        wpa_rules_version(),
        request->requested_by ? wpa_db_number(request->requested_by, by) : NULL,
        request->job ? wpa_db_number(request->job->id, job) : NULL,
    };
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_ANALYSIS_START, params, WPA_COUNT(params), err);
    if (!rows) {
        return false;
    }
    summary->id = wpa_rows_int(rows, 0, 0);
    (void)wpa_text_copy(summary->uid, sizeof summary->uid, wpa_rows_text(rows, 0, 1));
    return true;
}

static bool start_and_commit(wpa_db *db, const wpa_actor *actor,
                             const wpa_analysis_request *request,
                             const wpa_analysis_subject *subject, wpa_analysis_summary *summary,
                             wpa_error *err)
{
    bool ok = begin(db, actor, request->job, err) && start(db, request, subject, summary, err) &&
              wpa_db_commit(db, err);
    if (!ok) {
        wpa_db_rollback(db);
    }
    return ok;
}

static bool store_and_commit(wpa_db *db, const wpa_actor *actor,
                             const wpa_analysis_request *request,
                             const wpa_analysis_subject *subject,
                             const wpa_analysis_outcome *outcome, int64_t started_ms,
                             wpa_arena *arena, wpa_analysis_summary *summary, wpa_error *err)
{
    int64_t duration_ms = wpa_monotonic_ms() - started_ms;
    bool ok = begin(db, actor, request->job, err) &&
              wpa_analysis_store(db, request, subject, outcome, duration_ms, arena, summary, err) &&
              wpa_db_commit(db, err);
    if (!ok) {
        wpa_db_rollback(db);
    }
    return ok;
}

bool wpa_analysis_run(wpa_db *db, wpa_git *git, const wpa_actor *actor,
                      const wpa_analysis_request *request, wpa_arena *arena,
                      wpa_analysis_summary *summary, wpa_error *err)
{
    *summary = (wpa_analysis_summary){0};
    wpa_analysis_subject subject = {0};
    wpa_analysis_outcome outcome = {0};
    int64_t started_ms = wpa_monotonic_ms();
    bool ok =
        wpa_analysis_subject_load(db, request->workflow_id, arena, &subject, err) &&
        start_and_commit(db, actor, request, &subject, summary, err) &&
        wpa_analysis_evaluate(db, git, &subject, arena, &outcome, err) &&
        store_and_commit(db, actor, request, &subject, &outcome, started_ms, arena, summary, err);
    return ok || wpa_error_within(err, "analyse w-%lld", (long long)request->workflow_id);
}

/* ---- as a job ---- */

static bool read_request(const wpa_job *job, wpa_arena *arena, wpa_analysis_request *request,
                         wpa_error *err)
{
    static const char prefix[] = "workflow:";
    const char *payload = job->payload ? job->payload : "{}", *name = "all";
    if (!wpa_text_starts(job->subject, prefix) ||
        !wpa_text_to_int(job->subject + sizeof prefix - 1, 1, INT64_MAX, &request->workflow_id)) {
        return WPA_FAIL(err, WPA_E_INVALID, "'%s' is no workflow", job->subject);
    }
    const wpa_json *document =
        wpa_json_parse(payload, strlen(payload), PAYLOAD_MAX_BYTES, arena, err);
    if (!document || !wpa_json_opt_text(document, "dimension", &name, err)) {
        return false;
    }
    request->dimension = WPA_DIMENSION_ALL;
    if (!wpa_text_is(name, "all") && !wpa_dimension_from(name, &request->dimension)) {
        return WPA_FAIL(err, WPA_E_INVALID, "unknown dimension '%s'", name);
    }
    request->requested_by = job->requested_by;
    request->job = job;
    return true;
}

static void leave_result(wpa_job_context *context, const wpa_analysis_summary *summary)
{
    wpa_json *result = wpa_json_new_object(context->arena);
    wpa_json_set_int(result, "analysis", summary->id);
    wpa_json_set_text(result, "status", summary->status);
    wpa_json_set_int(result, "issues", (int64_t)summary->n_issues);
    wpa_json_set_int(result, "inefficiencies", (int64_t)summary->n_inefficiencies);
    wpa_json_set_int(result, "opportunities", (int64_t)summary->n_opportunities);
    wpa_json_set_int(result, "new", (int64_t)summary->n_new);
    wpa_json_set_int(result, "fixed", (int64_t)summary->n_fixed);
    wpa_job_set_result(context, wpa_json_dump(result, context->arena));
}

bool wpa_analysis_job(wpa_job_context *context, wpa_error *err)
{
    wpa_analysis_request request = {0};
    wpa_analysis_subject subject = {0};
    wpa_analysis_summary summary;
    if (!read_request(context->job, context->arena, &request, err) ||
        !wpa_analysis_subject_load(context->db, request.workflow_id, context->arena, &subject,
                                   err)) {
        return false;
    }
    WPA_AUTO(wpa_git) *git =
        wpa_git_reach(subject.url, subject.branch, context->cache_folder, NETWORK_MS, err);
    if (!git || !wpa_job_check(context, err) ||
        !wpa_analysis_run(context->db, git, context->actor, &request, context->arena, &summary,
                          err)) {
        return false;
    }
    leave_result(context, &summary);
    return true;
}
