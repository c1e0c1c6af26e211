/* What is done with a patch: testing, deploying, rolling back. Long calls, all three. */
#include <string.h>

#include <wpa/text.h>

#include "api/patches.h"
#include "api/routes.h"
#include "gen/sql.h"

/* ---- testing ------------------------------------------------------------------------------------
 */

#define PHASE_COUNTS                                                                               \
    {.name = "passed", .type = WPA_API_BOOL, .is_required = true, .is_nullable = true},            \
        {.name = "tests_run",                                                                      \
         .type = WPA_API_INT,                                                                      \
         .is_required = true,                                                                      \
         .is_nullable = true,                                                                      \
         .words = "checks that ran, and cases that a test framework reported"},                    \
        {.name = "tests_passed", .type = WPA_API_INT, .is_required = true, .is_nullable = true},   \
        {.name = "checks_run", .type = WPA_API_INT, .is_nullable = true},                          \
        {.name = "checks_passed", .type = WPA_API_INT, .is_nullable = true},                       \
        {.name = "cases_run", .type = WPA_API_INT, .is_nullable = true},                           \
    {                                                                                              \
        .name = "cases_failed", .type = WPA_API_INT, .is_nullable = true                           \
    }

static const wpa_api_field isolated_fields[] = {
    PHASE_COUNTS,
    {.name = "coverage_percentage", .type = WPA_API_REAL, .is_required = true, .is_nullable = true},
    {0},
};
static const wpa_api_field integration_fields[] = {
    PHASE_COUNTS,
    {.name = "integration_points_verified",
     .type = WPA_API_INT,
     .is_required = true,
     .is_nullable = true},
    {0},
};
static const wpa_api_field claim_fields[] = {
    {.name = "no_data_loss", .type = WPA_API_BOOL, .is_required = true, .is_nullable = true},
    {.name = "backward_compatible", .type = WPA_API_BOOL, .is_required = true, .is_nullable = true},
    {.name = "rollback_available", .type = WPA_API_BOOL, .is_required = true, .is_nullable = true},
    {.name = "security_scan_passed",
     .type = WPA_API_BOOL,
     .is_required = true,
     .is_nullable = true},
    {.name = "ethics_compliance", .type = WPA_API_BOOL, .is_required = true, .is_nullable = true},
    {0},
};
static const wpa_api_field safety_fields[] = {
    PHASE_COUNTS,
    {.name = "checks",
     .type = WPA_API_OBJECT,
     .fields = claim_fields,
     .is_required = true,
     .words = "S1 to S5; null: not measured"},
    {0},
};
static const wpa_api_field compatibility_fields[] = {PHASE_COUNTS, {0}};

static const wpa_api_field skipped_fields[] = {
    {.name = "check", .type = WPA_API_TEXT, .is_required = true},
    {.name = "subject", .type = WPA_API_TEXT, .is_required = true},
    {.name = "reason", .type = WPA_API_TEXT, .is_required = true},
    {0},
};

static const wpa_api_field report_fields[] = {
    {.name = "patch_id", .type = WPA_API_TEXT, .is_required = true},
    {.name = "patch_name", .type = WPA_API_TEXT, .is_required = true},
    {.name = "status", .type = WPA_API_TEXT, .is_required = true, .words = "of the patch"},
    {.name = "reason", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "attempt", .type = WPA_API_INT, .is_required = true, .is_nullable = true},
    {.name = "started_at", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {.name = "finished_at", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {.name = "isolated_tests", .type = WPA_API_OBJECT, .fields = isolated_fields},
    {.name = "integration_tests", .type = WPA_API_OBJECT, .fields = integration_fields},
    {.name = "safety_checks", .type = WPA_API_OBJECT, .fields = safety_fields},
    {.name = "compatibility_checks", .type = WPA_API_OBJECT, .fields = compatibility_fields},
    {.name = "skipped",
     .type = WPA_API_LIST,
     .item = WPA_API_OBJECT,
     .fields = skipped_fields,
     .words = "checks that were not run, and why"},
    {0},
};

static const wpa_api_field test_query[] = {
    {.name = "again",
     .type = WPA_API_BOOL,
     .fallback = "false",
     .words = "test anew, also if this content was tested already"},
    {0},
};

typedef struct test_view {
    int64_t live_job; /* 0: none */
    bool has_report;
    const char *item;
} test_view;

static bool look_at_test(wpa_api_request *request, int64_t id, test_view *view, wpa_error *err)
{
    char number[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, number)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(request->db, WPA_SQL_API_PATCH_TEST, params, 1, err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no such patch");
    }
    *view = (test_view){.live_job = wpa_rows_is_null(rows, 0, 0) ? 0 : wpa_rows_int(rows, 0, 0),
                        .has_report = !wpa_rows_is_null(rows, 0, 1),
                        .item = wpa_rows_dup(rows, 0, 2, request->arena)};
    return true;
}

static wpa_api_next answer_text(wpa_api_request *request, const char *item)
{
    request->text = item;
    request->text_bytes = strlen(item);
    return WPA_API_DONE;
}

static wpa_api_next begin_test(wpa_api_request *request, int64_t id, wpa_error *err)
{
    test_view view;
    int64_t job_id = 0;
    bool is_again = wpa_json_bool_of(wpa_json_find(request->query, "again"), false);
    if (!look_at_test(request, id, &view, err)) {
        return WPA_API_FAILED;
    }
    if (view.live_job) {
        return wpa_api_wait_for(request, view.live_job);
    }
    if (view.has_report && !is_again) {
        return answer_text(request, view.item);
    }
    return wpa_agent_test_patch(request->engine, &request->actor, id, &job_id, err)
               ? wpa_api_wait_for(request, job_id)
               : WPA_API_FAILED;
}

static wpa_api_next test(wpa_api_request *request, wpa_error *err)
{
    int64_t id;
    test_view view;
    if (!wpa_api_patch_id(request, &id, err)) {
        return WPA_API_FAILED;
    }
    if (!request->is_woken) {
        return begin_test(request, id, err);
    }
    if (!look_at_test(request, id, &view, err)) {
        return WPA_API_FAILED;
    }
    if (!request->has_job_ended) {
        request->status = 202;
        request->location =
            wpa_arena_printf(request->arena, "%s/patches/p-%lld", WPA_API_BASE, (long long)id);
    } else if (!view.has_report) {
        (void)WPA_FAIL(err, WPA_E_REFUSED, "the test has left no report: see the jobs");
        return WPA_API_FAILED;
    }
    return answer_text(request, view.item);
}

/* ---- deploying ----------------------------------------------------------------------------------
 */

static const char *const words_of_states[] = {
    "success", "in_progress", "paused", "rolling_back", "rolled_back", "failed", NULL};

static const wpa_api_field impact_fields[] = {
    {.name = "deployment_duration_seconds", .type = WPA_API_REAL, .is_required = true},
    {.name = "downtime_seconds",
     .type = WPA_API_REAL,
     .is_required = true,
     .is_nullable = true,
     .words = "the possible one; null: no check measured it"},
    {.name = "issues_resolved",
     .type = WPA_API_INT,
     .is_required = true,
     .words = "findings that an analysis after it shows gone"},
    {.name = "improvements",
     .type = WPA_API_MAP,
     .item = WPA_API_REAL,
     .is_required = true,
     .words = "points of score per dimension; null until analysed again"},
    {0},
};

static const wpa_api_field deploy_fields[] = {
    {.name = "patch_id", .type = WPA_API_TEXT, .is_required = true},
    {.name = "patch_name", .type = WPA_API_TEXT, .is_required = true},
    {.name = "deployment_id", .type = WPA_API_TEXT, .is_required = true, .words = "UUID"},
    {.name = "deployment_status",
     .type = WPA_API_TEXT,
     .is_required = true,
     .choices = words_of_states},
    {.name = "reason", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "deployment_time",
     .type = WPA_API_TIME,
     .is_required = true,
     .words = "its end, or its start while it goes on"},
    {.name = "impact_summary",
     .type = WPA_API_OBJECT,
     .fields = impact_fields,
     .is_required = true},
    {.name = "issues_fixed", .type = WPA_API_LIST, .item = WPA_API_ANY, .is_required = true},
    {.name = "rollback_available", .type = WPA_API_BOOL, .is_required = true},
    {0},
};

static const wpa_api_field deploy_body[] = {
    {.name = "plan_digest",
     .type = WPA_API_TEXT,
     .min = 64,
     .max = 64,
     .words = "of the plan that was looked at: refused if there is another one now"},
    {0},
};

static const wpa_api_field rollback_query[] = {
    {.name = "reason", .type = WPA_API_TEXT, .min = 1, .max = 2000},
    {0},
};

static const wpa_api_field rollback_answer[] = {
    {.name = "message", .type = WPA_API_TEXT, .is_required = true},
    {.name = "patch_id", .type = WPA_API_TEXT, .is_required = true},
    {.name = "deployment_id", .type = WPA_API_TEXT, .is_required = true},
    {.name = "status", .type = WPA_API_TEXT, .is_required = true, .choices = words_of_states},
    {0},
};

/** A job of the deployment that is still to be waited for; 0: none, or the wait is over. */
static bool next_job(wpa_api_request *request, int64_t deployment_id, int64_t *job_id,
                     wpa_error *err)
{
    char number[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(deployment_id, number)};
    bool is_over = request->is_woken && !request->has_job_ended;
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(request->db, WPA_SQL_API_DEPLOY_JOBS, params, 1, err);
    *job_id = rows && wpa_rows_count(rows) && !is_over ? wpa_rows_int(rows, 0, 0) : 0;
    return rows != NULL;
}

/** Wait until the deployment has come to an end and its result was looked at; then say so. */
static wpa_api_next follow(wpa_api_request *request, int64_t deployment_id, bool *is_live,
                           wpa_error *err)
{
    int64_t job_id;
    char number[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(deployment_id, number)};
    if (!next_job(request, deployment_id, &job_id, err)) {
        return WPA_API_FAILED;
    }
    if (job_id) {
        return wpa_api_wait_for(request, job_id);
    }
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(request->db, WPA_SQL_API_DEPLOYED, params, 1, err);
    if (!rows || wpa_rows_count(rows) == 0) {
        (void)(!rows || WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no such deployment"));
        return WPA_API_FAILED;
    }
    *is_live = wpa_rows_bool(rows, 0, 3);
    if (*is_live) {
        request->status = 202;
        request->location = wpa_arena_printf(request->arena, "%s/deployments/d-%lld", WPA_API_BASE,
                                             (long long)deployment_id);
    }
    return answer_text(request, wpa_rows_dup(rows, 0, 1, request->arena));
}

static void remember(wpa_api_request *request, int64_t deployment_id)
{
    int64_t *kept = wpa_arena_alloc(request->arena, sizeof *kept);
    *kept = deployment_id;
    request->state = kept;
}

static wpa_api_next deploy(wpa_api_request *request, wpa_error *err)
{
    int64_t id, deployment_id;
    bool is_live;
    const char *plan = wpa_json_text_of(wpa_json_find(request->body, "plan_digest"));
    if (!request->is_woken) {
        if (!wpa_api_patch_id(request, &id, err) ||
            !wpa_agent_deploy_patch(request->engine, &request->actor, id, plan, &deployment_id,
                                    err)) {
            return WPA_API_FAILED;
        }
        remember(request, deployment_id);
    }
    return follow(request, *(const int64_t *)request->state, &is_live, err);
}

/* ---- rolling back -------------------------------------------------------------------------------
 */

/** There is none that could be; one that has not begun is ended by another call. */
static bool fail_rollback(wpa_api_request *request, const char *const params[1], wpa_error *err)
{
    WPA_AUTO(wpa_rows) *live =
        wpa_db_exec(request->db, WPA_SQL_SERVICE_LIVE_DEPLOYMENT, params, 1, err);
    if (!live) {
        return false;
    }
    if (wpa_rows_count(live) && wpa_text_is(wpa_rows_text(live, 0, 1), "planned")) {
        return WPA_FAIL(err, WPA_E_REFUSED,
                        "d-%lld of p-%s has changed nothing yet: POST /deployments/d-%lld/abort "
                        "ends it",
                        (long long)wpa_rows_int(live, 0, 0), params[0],
                        (long long)wpa_rows_int(live, 0, 0));
    }
    return WPA_FAIL(err, WPA_E_REFUSED, "p-%s has no deployment that can be rolled back",
                    params[0]);
}

static bool begin_rollback(wpa_api_request *request, int64_t *deployment_id, wpa_error *err)
{
    int64_t id;
    char number[WPA_DB_NUMBER_SIZE];
    const char *reason = wpa_api_query_text(request, "reason");
    if (!wpa_api_patch_id(request, &id, err)) {
        return false;
    }
    const char *params[] = {wpa_db_number(id, number)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(request->db, WPA_SQL_API_ROLLBACK_OF, params, 1, err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no such patch");
    }
    if (wpa_rows_is_null(rows, 0, 0)) {
        return fail_rollback(request, params, err);
    }
    *deployment_id = wpa_rows_int(rows, 0, 0);
    return wpa_agent_rollback_patch(request->engine, &request->actor, *deployment_id, -1, 0,
                                    reason ? reason : "ordered through the API", err);
}

static wpa_api_next rollback(wpa_api_request *request, wpa_error *err)
{
    bool is_live = false;
    int64_t deployment_id;
    if (!request->is_woken) {
        if (!begin_rollback(request, &deployment_id, err)) {
            return WPA_API_FAILED;
        }
        remember(request, deployment_id);
    }
    wpa_api_next next = follow(request, *(const int64_t *)request->state, &is_live, err);
    if (next != WPA_API_DONE) {
        return next;
    }
    const wpa_json *deployed =
        wpa_json_parse(request->text, request->text_bytes, WPA_JSON_MAX_BYTES, request->arena, err);
    if (!deployed) {
        return WPA_API_FAILED;
    }
    const char *status = wpa_json_text_of(wpa_json_find(deployed, "deployment_status"));
    wpa_json *answer = wpa_json_new_object(request->arena);
    wpa_json_set_text(answer, "message",
                      is_live ? "the rollback goes on"
                      : wpa_text_is(status, "rolled_back")
                          ? "every changed target is restored"
                          : "the rollback did not come to its end");
    wpa_json_set_text(answer, "patch_id", wpa_json_text_of(wpa_json_find(deployed, "patch_id")));
    wpa_json_set_text(answer, "deployment_id",
                      wpa_json_text_of(wpa_json_find(deployed, "deployment_id")));
    wpa_json_set_text(answer, "status", status);
    request->text = NULL;
    return wpa_api_answer(request, answer);
}

/* ---- routes -------------------------------------------------------------------------------------
 */

const wpa_api_route wpa_api_patch_test = {
    .method = "POST",
    .path = "/patches/{patch_id}/test",
    .access = WPA_API_GUARDIAN,
    .scope = "patch",
    .tag = "patches",
    .summary = "Test a patch in four phases",
    .details = "Joins the test that its creation queued, or answers the report if this content was "
               "tested; `again=true` tests anew.",
    .query = test_query,
    .answer = report_fields,
    .may_wait = true,
    .example = "/patches/p-1/test",
    .run = test,
};

const wpa_api_route wpa_api_patch_deploy = {
    .method = "POST",
    .path = "/patches/{patch_id}/deploy",
    .access = WPA_API_GUARDIAN,
    .scope = "deploy",
    .tag = "patches",
    .summary = "Start the rollout of a tested or approved patch",
    .details = "A tested patch is approved by this call, unless policy wants more than that (409); "
               "a machine's token needs the scope approve for that, too. 202 while it goes on: "
               "see the deployment.",
    .body = deploy_body,
    .answer = deploy_fields,
    .may_wait = true,
    .example = "/patches/p-1/deploy",
    .run = deploy,
};

const wpa_api_route wpa_api_patch_rollback = {
    .method = "DELETE",
    .path = "/patches/{patch_id}/rollback",
    .access = WPA_API_GUARDIAN,
    .scope = "deploy",
    .tag = "patches",
    .summary = "Take the latest deployment of a patch back, at once",
    .query = rollback_query,
    .answer = rollback_answer,
    .may_wait = true,
    .example = "/patches/p-1/rollback",
    .run = rollback,
};
