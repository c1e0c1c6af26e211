/* Analyses: ordering one, listing them, reading one, saying that one was read. */
#include <stdint.h>
#include <string.h>

#include <wpa/text.h>

#include "api/routes.h"
#include "fleet/fleet.h"
#include "gen/sql.h"
#include "rules/registry.h"

#define DETAIL_MAX_BYTES ((size_t)64 << 20)

static const char *const types[] = {"all",           "security", "performance", "efficiency",
                                    "compatibility", "quality",  NULL};
static const char *const statuses[] = {"running",  "new",    "reviewed",  "patched",
                                       "resolved", "failed", "cancelled", NULL};
static const char *const reviewed_only[] = {"reviewed", NULL};
static const char *const severities[] = {"low", "medium", "high", "critical", NULL};

/* ---- what is taken and answered -----------------------------------------------------------------
 */

static const wpa_api_field order_fields[] = {
    {.name = "workflow_name",
     .type = WPA_API_TEXT,
     .is_required = true,
     .min = 1,
     .max = 512,
     .words = "repository-file, repository/file.yml or w-88",
     .example = "\"ledger-api-ci\""},
    {.name = "analysis_type", .type = WPA_API_TEXT, .choices = types, .fallback = "all"},
    {0},
};

static const wpa_api_field list_query[] = {
    {.name = "workflow_name", .type = WPA_API_TEXT, .min = 1, .max = 512},
    {.name = "status_filter", .type = WPA_API_TEXT, .choices = statuses},
    {0},
};

static const wpa_api_field status_fields[] = {
    {.name = "status", .type = WPA_API_TEXT, .is_required = true, .choices = reviewed_only},
    {0},
};

static const wpa_api_field finding_lists[] = {
    {.name = "issues", .type = WPA_API_LIST, .item = WPA_API_ANY, .is_required = true},
    {.name = "inefficiencies", .type = WPA_API_LIST, .item = WPA_API_ANY, .is_required = true},
    {.name = "opportunities", .type = WPA_API_LIST, .item = WPA_API_ANY, .is_required = true},
    {0},
};

static const wpa_api_field metric_fields[] = {
    {.name = "files", .type = WPA_API_INT, .is_required = true},
    {.name = "rules_run", .type = WPA_API_INT, .is_required = true, .is_nullable = true},
    {.name = "duration_ms", .type = WPA_API_INT, .is_required = true, .is_nullable = true},
    {.name = "findings_by_severity", .type = WPA_API_MAP, .item = WPA_API_INT, .is_required = true},
    {.name = "findings_new", .type = WPA_API_INT, .is_required = true},
    {.name = "findings_fixed", .type = WPA_API_INT, .is_required = true},
    {.name = "score", .type = WPA_API_REAL, .is_required = true, .is_nullable = true},
    {.name = "is_complete",
     .type = WPA_API_BOOL,
     .is_required = true,
     .words = "every rule ran to its end over the whole file"},
    {0},
};

static const wpa_api_field recommendation_fields[] = {
    {.name = "rule", .type = WPA_API_TEXT, .is_required = true},
    {.name = "action", .type = WPA_API_TEXT, .is_required = true, .words = "what to do"},
    {.name = "findings", .type = WPA_API_INT, .is_required = true},
    {.name = "has_fix", .type = WPA_API_BOOL, .is_required = true},
    {.name = "points",
     .type = WPA_API_REAL,
     .is_required = true,
     .is_nullable = true,
     .words = "of score to win back; null: the score does not say"},
    {0},
};

static const wpa_api_field analysis_fields[] = {
    {.name = "id", .type = WPA_API_TEXT, .is_required = true, .words = "UUID"},
    {.name = "short_id", .type = WPA_API_TEXT, .is_required = true, .example = "\"a-12\""},
    {.name = "workflow_name", .type = WPA_API_TEXT, .is_required = true},
    {.name = "analysis_type", .type = WPA_API_TEXT, .is_required = true, .choices = types},
    {.name = "findings",
     .type = WPA_API_OBJECT,
     .fields = finding_lists,
     .words = "open findings, each the record of `wpa check --format json`; not in lists"},
    {.name = "metrics", .type = WPA_API_OBJECT, .fields = metric_fields, .is_required = true},
    {.name = "recommendations",
     .type = WPA_API_LIST,
     .item = WPA_API_OBJECT,
     .fields = recommendation_fields,
     .words = "one a rule that fired; not in lists"},
    {.name = "severity",
     .type = WPA_API_TEXT,
     .is_required = true,
     .choices = severities,
     .words = "of the worst open finding; low if there is none"},
    {.name = "status", .type = WPA_API_TEXT, .is_required = true, .choices = statuses},
    {.name = "error", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "analyzed_by", .type = WPA_API_TEXT, .is_required = true},
    {.name = "requested_by", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "reviewed_by", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "created_at", .type = WPA_API_TIME, .is_required = true},
    {.name = "finished_at", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {0},
};

/* ---- ordering -----------------------------------------------------------------------------------
 */

/** What to do is known to the rules, the rest to the database. */
static void add_actions(wpa_json *analysis)
{
    const wpa_json *list = wpa_json_find(analysis, "recommendations");
    for (size_t i = 0; i < wpa_json_count(list); i++) {
        wpa_json *item = (wpa_json *)(uintptr_t)wpa_json_at(list, i);
        wpa_error ignored = {0};
        const char *check;
        const wpa_rule *rule =
            wpa_rules_find(wpa_json_text_of(wpa_json_find(item, "rule")), &check, &ignored);
        wpa_json_set_text(item, "action", rule ? rule->fix : "see the findings");
    }
}

static wpa_api_next answer_one(wpa_api_request *request, int64_t id, wpa_error *err)
{
    char number[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, number)};
    wpa_api_next next =
        wpa_api_one(request, WPA_SQL_API_ANALYSIS, params, 1, "there is no such analysis", err);
    wpa_json *analysis = next == WPA_API_DONE
                             ? wpa_json_parse(request->text, request->text_bytes, DETAIL_MAX_BYTES,
                                              request->arena, err)
                             : NULL;
    if (!analysis) {
        return WPA_API_FAILED;
    }
    add_actions(analysis);
    request->text = NULL;
    return wpa_api_answer(request, analysis);
}

static wpa_api_next answer_of_job(wpa_api_request *request, int64_t job_id, wpa_error *err)
{
    char number[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(job_id, number)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(request->db, WPA_SQL_API_ANALYSIS_OF_JOB, params, WPA_COUNT(params), err);
    if (rows && wpa_rows_count(rows) == 0) {
        (void)WPA_FAIL(err, WPA_E_NOT_FOUND, "the analysis has left no result: see the job");
    }
    return rows && wpa_rows_count(rows) ? answer_one(request, wpa_rows_int(rows, 0, 0), err)
                                        : WPA_API_FAILED;
}

static wpa_api_next analyze(wpa_api_request *request, wpa_error *err)
{
    wpa_workflow_ref workflow;
    int64_t job_id = 0;
    if (request->is_woken) {
        return request->has_job_ended
                   ? answer_of_job(request, request->job_id, err)
                   : wpa_api_accepted(request, wpa_arena_printf(request->arena, "/jobs/j-%lld",
                                                                (long long)request->job_id));
    }
    const char *name = wpa_json_get_text(request->body, "workflow_name", err);
    const char *type = wpa_json_text_of(wpa_json_find(request->body, "analysis_type"));
    if (!name || !wpa_fleet_find_workflow(request->db, name, request->arena, &workflow, err) ||
        !wpa_agent_analyze_workflow(request->engine, &request->actor, workflow.id,
                                    type && !wpa_text_is(type, "all") ? type : NULL, &job_id,
                                    err)) {
        request->field = err->code == WPA_E_NOT_FOUND ? "workflow_name" : NULL;
        return WPA_API_FAILED;
    }
    return wpa_api_wait_for(request, job_id);
}

/* ---- reading ------------------------------------------------------------------------------------
 */

static wpa_api_next list(wpa_api_request *request, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    wpa_workflow_ref workflow;
    const char *name = wpa_api_query_text(request, "workflow_name");
    const char *params[] = {NULL, NULL, NULL, wpa_api_query_text(request, "status_filter")};
    if (name) {
        if (!wpa_fleet_find_workflow(request->db, name, request->arena, &workflow, err)) {
            request->field = "workflow_name";
            return WPA_API_FAILED;
        }
        params[2] = wpa_db_number(workflow.id, id);
    }
    return wpa_api_list(request, WPA_SQL_API_ANALYSES, params, WPA_COUNT(params), err);
}

static wpa_api_next show(wpa_api_request *request, wpa_error *err)
{
    int64_t id;
    return wpa_api_id(request, 0, 'a', &id, err) ? answer_one(request, id, err) : WPA_API_FAILED;
}

static wpa_api_next review(wpa_api_request *request, wpa_error *err)
{
    int64_t id;
    if (!wpa_api_id(request, 0, 'a', &id, err) || answer_one(request, id, err) != WPA_API_DONE ||
        !wpa_api_is_as_read(request, err) ||
        !wpa_agent_review_analysis(request->engine, &request->actor, id, err)) {
        return WPA_API_FAILED;
    }
    return answer_one(request, id, err);
}

/* ---- routes -------------------------------------------------------------------------------------
 */

const wpa_api_route wpa_api_analyze = {
    .method = "POST",
    .path = "/analyze",
    .access = WPA_API_GUARDIAN,
    .scope = "analyse",
    .tag = "analyses",
    .summary = "Analyse a workflow",
    .details = "Answers the analysis when it is done within `wait` seconds, else 202 with the "
               "job's place.",
    .body = order_fields,
    .answer = analysis_fields,
    .may_wait = true,
    .is_query_body = true,
    .example_body = "{\"workflow_name\": \"ledger-api-ci\", \"analysis_type\": \"security\"}",
    .run = analyze,
};

const wpa_api_route wpa_api_analyses = {
    .method = "GET",
    .path = "/analyses",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "analyses",
    .summary = "Analyses, the newest first",
    .query = list_query,
    .answer = analysis_fields,
    .is_list = true,
    .example = "/analyses?limit=10",
    .is_kept = true,
    .run = list,
};

const wpa_api_route wpa_api_analysis = {
    .method = "GET",
    .path = "/analyses/{analysis_id}",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "analyses",
    .summary = "One analysis with its findings and what to do about them",
    .answer = analysis_fields,
    .example = "/analyses/a-1",
    .is_kept = true,
    .run = show,
};

const wpa_api_route wpa_api_analysis_review = {
    .method = "PATCH",
    .path = "/analyses/{analysis_id}",
    .access = WPA_API_GUARDIAN,
    .scope = "analyse",
    .tag = "analyses",
    .summary = "Say that an analysis was read",
    .body = status_fields,
    .answer = analysis_fields,
    .example = "/analyses/a-1",
    .example_body = "{\"status\": \"reviewed\"}",
    .run = review,
};
