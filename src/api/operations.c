/* Jobs, agents, notices and the audit log. */
#include <wpa/text.h>

#include "api/routes.h"
#include "gen/sql.h"

/* ---- jobs ---------------------------------------------------------------------------------------
 */

static const char *const job_states[] = {"queued", "running", "done", "dead", "cancelled", NULL};

static const wpa_api_field job_query[] = {
    {.name = "status_filter", .type = WPA_API_TEXT, .choices = job_states},
    {.name = "kind", .type = WPA_API_TEXT, .min = 1, .max = 40},
    {0},
};

static const wpa_api_field job_fields[] = {
    {.name = "id", .type = WPA_API_TEXT, .is_required = true, .words = "UUID"},
    {.name = "short_id", .type = WPA_API_TEXT, .is_required = true, .example = "\"j-7\""},
    {.name = "kind", .type = WPA_API_TEXT, .is_required = true},
    WPA_API_SUBJECT(false),
    {.name = "label", .type = WPA_API_TEXT, .is_required = true},
    {.name = "state", .type = WPA_API_TEXT, .is_required = true, .choices = job_states},
    {.name = "attempt", .type = WPA_API_INT, .is_required = true},
    {.name = "note", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "done", .type = WPA_API_INT, .is_required = true, .is_nullable = true},
    {.name = "total", .type = WPA_API_INT, .is_required = true, .is_nullable = true},
    {.name = "error", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "result", .type = WPA_API_OBJECT, .is_required = true},
    {.name = "requested_by", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "created_at", .type = WPA_API_TIME, .is_required = true},
    {.name = "run_after", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {.name = "started_at", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {.name = "finished_at", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {0},
};

static wpa_api_next list_jobs(wpa_api_request *request, wpa_error *err)
{
    const char *params[] = {NULL, NULL, wpa_api_query_text(request, "status_filter"),
                            wpa_api_query_text(request, "kind")};
    return wpa_api_list(request, WPA_SQL_API_JOBS, params, WPA_COUNT(params), err);
}

static wpa_api_next show_by_id(wpa_api_request *request, char letter, const wpa_sql *statement,
                               const char *missing, wpa_error *err)
{
    int64_t id;
    char number[WPA_DB_NUMBER_SIZE];
    if (!wpa_api_id(request, 0, letter, &id, err)) {
        return WPA_API_FAILED;
    }
    const char *params[] = {wpa_db_number(id, number)};
    return wpa_api_one(request, statement, params, 1, missing, err);
}

static wpa_api_next show_job(wpa_api_request *request, wpa_error *err)
{
    return show_by_id(request, 'j', WPA_SQL_API_JOB, "there is no such job", err);
}

static wpa_api_next cancel_job(wpa_api_request *request, wpa_error *err)
{
    int64_t id;
    if (show_job(request, err) != WPA_API_DONE || !wpa_api_id(request, 0, 'j', &id, err)) {
        return WPA_API_FAILED;
    }
    if (!wpa_agent_cancel_job(request->engine, &request->actor, id, err)) {
        err->code = err->code == WPA_E_NOT_FOUND ? WPA_E_REFUSED : err->code; /* it is there */
        return WPA_API_FAILED;
    }
    return show_job(request, err);
}

const wpa_api_route wpa_api_jobs = {
    .method = "GET",
    .path = "/jobs",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "jobs",
    .summary = "Jobs, waiting, running and past, the newest first",
    .query = job_query,
    .answer = job_fields,
    .is_list = true,
    .example = "/jobs?limit=10",
    .run = list_jobs,
};

const wpa_api_route wpa_api_job = {
    .method = "GET",
    .path = "/jobs/{job_id}",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "jobs",
    .summary = "One job: where it stands, and what it left",
    .answer = job_fields,
    .example = "/jobs/j-1",
    .run = show_job,
};

const wpa_api_route wpa_api_job_cancel = {
    .method = "DELETE",
    .path = "/jobs/{job_id}",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "jobs",
    .summary = "Ask a job to stop: a waiting one ends at once, a running one when it looks",
    .answer = job_fields,
    .example = "/jobs/j-1",
    .run = cancel_job,
};

/* ---- agents -------------------------------------------------------------------------------------
 */

static const char *const agent_states[] = {"active", "draining", "gone", NULL};

static const wpa_api_field agent_query[] = {
    {.name = "status_filter", .type = WPA_API_TEXT, .choices = agent_states},
    {0},
};

static const wpa_api_field agent_fields[] = {
    {.name = "id", .type = WPA_API_TEXT, .is_required = true, .words = "UUID"},
    {.name = "name", .type = WPA_API_TEXT, .is_required = true},
    {.name = "host", .type = WPA_API_TEXT, .is_required = true},
    {.name = "pid", .type = WPA_API_INT, .is_required = true},
    {.name = "version", .type = WPA_API_TEXT, .is_required = true},
    {.name = "capabilities", .type = WPA_API_OBJECT, .is_required = true},
    {.name = "capacity", .type = WPA_API_INT, .is_required = true},
    {.name = "busy", .type = WPA_API_INT, .is_required = true},
    {.name = "state", .type = WPA_API_TEXT, .is_required = true, .choices = agent_states},
    {.name = "is_alive", .type = WPA_API_BOOL, .is_required = true},
    {.name = "started_at", .type = WPA_API_TIME, .is_required = true},
    {.name = "seen_at", .type = WPA_API_TIME, .is_required = true},
    {0},
};

static wpa_api_next list_agents(wpa_api_request *request, wpa_error *err)
{
    const char *params[] = {NULL, NULL, wpa_api_query_text(request, "status_filter")};
    return wpa_api_list(request, WPA_SQL_API_AGENTS, params, WPA_COUNT(params), err);
}

const wpa_api_route wpa_api_agents = {
    .method = "GET",
    .path = "/agents",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "agents",
    .summary = "Processes that do the jobs, the last started first",
    .query = agent_query,
    .answer = agent_fields,
    .is_list = true,
    .run = list_agents,
};

/* ---- notices ------------------------------------------------------------------------------------
 */

static const char *const levels[] = {"ok", "note", "error", "alarm", NULL};

static const wpa_api_field notice_query[] = {
    {.name = "level", .type = WPA_API_TEXT, .choices = levels},
    {.name = "is_open", .type = WPA_API_BOOL, .words = "nobody has acknowledged or read it"},
    {0},
};

static const wpa_api_field notice_fields[] = {
    {.name = "id", .type = WPA_API_TEXT, .is_required = true, .words = "UUID"},
    {.name = "short_id", .type = WPA_API_TEXT, .is_required = true, .example = "\"n-3\""},
    {.name = "level", .type = WPA_API_TEXT, .is_required = true, .choices = levels},
    {.name = "message", .type = WPA_API_TEXT, .is_required = true},
    WPA_API_SUBJECT(true),
    {.name = "count", .type = WPA_API_INT, .is_required = true},
    {.name = "at", .type = WPA_API_TIME, .is_required = true},
    {.name = "last_at", .type = WPA_API_TIME, .is_required = true},
    {.name = "acknowledged_by", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "acknowledged_at", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {0},
};

static wpa_api_next list_notices(wpa_api_request *request, wpa_error *err)
{
    const char *params[] = {NULL, NULL, wpa_api_query_text(request, "level"),
                            wpa_api_query_flag(request, "is_open")};
    return wpa_api_list(request, WPA_SQL_API_NOTICES, params, WPA_COUNT(params), err);
}

static wpa_api_next acknowledge(wpa_api_request *request, wpa_error *err)
{
    static const char missing[] = "there is no such notice";
    int64_t id;
    if (show_by_id(request, 'n', WPA_SQL_API_NOTICE, missing, err) != WPA_API_DONE ||
        !wpa_api_id(request, 0, 'n', &id, err) ||
        !wpa_agent_acknowledge(request->engine, &request->actor, id, err)) {
        return WPA_API_FAILED;
    }
    return show_by_id(request, 'n', WPA_SQL_API_NOTICE, missing, err);
}

const wpa_api_route wpa_api_notices = {
    .method = "GET",
    .path = "/notices",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "notices",
    .summary = "What people were told, the newest first",
    .query = notice_query,
    .answer = notice_fields,
    .is_list = true,
    .example = "/notices?limit=10",
    .run = list_notices,
};

const wpa_api_route wpa_api_notice_acknowledge = {
    .method = "POST",
    .path = "/notices/{notice_id}/acknowledge",
    .access = WPA_API_GUARDIAN,
    .scope = "approve",
    .tag = "notices",
    .summary = "Say that a notice was seen",
    .answer = notice_fields,
    .example = "/notices/n-1/acknowledge",
    .run = acknowledge,
};

/* ---- audit --------------------------------------------------------------------------------------
 */

static const wpa_api_field audit_query[] = {
    {.name = "actor", .type = WPA_API_TEXT, .min = 1, .max = 64},
    {.name = "action",
     .type = WPA_API_TEXT,
     .min = 1,
     .max = 64,
     .words = "or what it begins with: patch"},
    {.name = "subject", .type = WPA_API_TEXT, .min = 1, .max = 200, .example = "\"patch:1\""},
    {0},
};

static const wpa_api_field audit_fields[] = {
    {.name = "seq",
     .type = WPA_API_INT,
     .is_required = true,
     .words = "its place in the chain, which the hash covers: what a row is named by"},
    {.name = "at", .type = WPA_API_TIME, .is_required = true},
    {.name = "actor", .type = WPA_API_TEXT, .is_required = true},
    {.name = "action", .type = WPA_API_TEXT, .is_required = true},
    WPA_API_SUBJECT(false),
    {.name = "detail", .type = WPA_API_ANY, .is_required = true},
    {.name = "prev", .type = WPA_API_TEXT, .is_required = true, .words = "hash of the row before"},
    {.name = "hash", .type = WPA_API_TEXT, .is_required = true},
    {0},
};

static const wpa_api_field verify_query[] = {
    {.name = "from", .type = WPA_API_INT, .min = 1, .max = INT64_MAX, .fallback = "1"},
    {.name = "to",
     .type = WPA_API_INT,
     .min = 1,
     .max = INT64_MAX,
     .words = "the last one if not given"},
    {0},
};

static const wpa_api_field verify_fields[] = {
    {.name = "is_sound", .type = WPA_API_BOOL, .is_required = true},
    {.name = "rows_checked", .type = WPA_API_INT, .is_required = true},
    {.name = "first_seq", .type = WPA_API_INT, .is_required = true},
    {.name = "last_seq", .type = WPA_API_INT, .is_required = true},
    {.name = "fault_seq", .type = WPA_API_INT, .is_required = true, .is_nullable = true},
    {.name = "fault",
     .type = WPA_API_TEXT,
     .is_required = true,
     .is_nullable = true,
     .words = "hash, link, gap, head or time"},
    {.name = "stored", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "computed", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {0},
};

static wpa_api_next list_audit(wpa_api_request *request, wpa_error *err)
{
    const char *params[] = {NULL, NULL, wpa_api_query_text(request, "actor"),
                            wpa_api_query_text(request, "action"),
                            wpa_api_query_text(request, "subject")};
    return wpa_api_list(request, WPA_SQL_API_AUDIT, params, WPA_COUNT(params), err);
}

static wpa_api_next verify(wpa_api_request *request, wpa_error *err)
{
    wpa_audit_report report;
    if (!wpa_actor_check(&request->actor, WPA_ACTION_VERIFY_AUDIT, err) ||
        !wpa_agent_verify_audit(request->engine, wpa_api_query_int(request, "from", 0),
                                wpa_api_query_int(request, "to", 0), &report, err)) {
        return WPA_API_FAILED;
    }
    bool is_sound = report.fault_seq == 0;
    wpa_json *answer = wpa_json_new_object(request->arena);
    wpa_json_set_bool(answer, "is_sound", is_sound);
    wpa_json_set_int(answer, "rows_checked", report.n_rows);
    wpa_json_set_int(answer, "first_seq", report.first_seq);
    wpa_json_set_int(answer, "last_seq", report.last_seq);
    wpa_json_set_null(answer, "fault_seq");
    if (!is_sound) {
        wpa_json_set_int(answer, "fault_seq", report.fault_seq);
    }
    wpa_json_set_text(answer, "fault", is_sound ? NULL : report.fault);
    wpa_json_set_text(answer, "stored", is_sound ? NULL : report.stored);
    wpa_json_set_text(answer, "computed", is_sound ? NULL : report.computed);
    return wpa_api_answer(request, answer);
}

const wpa_api_route wpa_api_audit = {
    .method = "GET",
    .path = "/audit",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "audit",
    .summary = "The audit log, the newest row first",
    .query = audit_query,
    .answer = audit_fields,
    .is_list = true,
    .example = "/audit?action=patch&limit=10",
    .run = list_audit,
};

const wpa_api_route wpa_api_audit_verify = {
    .method = "GET",
    .path = "/audit/verify",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "audit",
    .summary = "Recompute the chain of the audit log",
    .query = verify_query,
    .answer = verify_fields,
    .run = verify,
};
