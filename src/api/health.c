/* GET /health/{workflow_name}: how healthy a workflow is, and why. */
#include <string.h>

#include <wpa/text.h>

#include "api/routes.h"
#include "fleet/fleet.h"
#include "gen/sql.h"

static const wpa_api_field explanation_line[] = {
    {.name = "text", .type = WPA_API_TEXT, .is_required = true},
    {.name = "points", .type = WPA_API_REAL, .is_required = true, .words = "lost"},
    {.name = "finding", .type = WPA_API_TEXT, .words = "that costs them, if one does: UUID"},
    {.name = "short_id", .type = WPA_API_TEXT, .words = "of that finding", .example = "\"f-12\""},
    {.name = "fix", .type = WPA_API_TEXT, .is_nullable = true, .words = "what its fix does"},
    {.name = "fixed", .type = WPA_API_REAL, .words = "the score without that finding"},
    {0},
};

static const wpa_api_field answer_fields[] = {
    {.name = "workflow_name",
     .type = WPA_API_TEXT,
     .is_required = true,
     .example = "\"ledger-api-ci\""},
    {.name = "health_score",
     .type = WPA_API_REAL,
     .is_required = true,
     .is_nullable = true,
     .words = "0 to 100; null: not analysed yet"},
    {.name = "grade", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "uncapped", .type = WPA_API_REAL, .is_required = true, .is_nullable = true},
    {.name = "cap_reason", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "parts",
     .type = WPA_API_MAP,
     .item = WPA_API_REAL,
     .is_required = true,
     .words = "scores of the dimensions that have data"},
    {.name = "issues_identified",
     .type = WPA_API_INT,
     .is_required = true,
     .words = "open findings of kind issue"},
    {.name = "critical_issues",
     .type = WPA_API_INT,
     .is_required = true,
     .words = "open critical findings"},
    {.name = "patches_pending",
     .type = WPA_API_INT,
     .is_required = true,
     .words = "pending to approved"},
    {.name = "patches_deployed", .type = WPA_API_INT, .is_required = true},
    {.name = "last_analysis", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {.name = "explanation",
     .type = WPA_API_LIST,
     .item = WPA_API_ANY,
     .fields = explanation_line,
     .is_required = true,
     .words = "what costs how many points"},
    {0},
};

static const char *const parts[] = {"security",      "performance", "efficiency",
                                    "compatibility", "quality",     "run_history"};
enum {
    COLUMN_PARTS = 4 /* the first of them */
};

static void set_real(wpa_json *object, const char *key, const wpa_rows *rows, size_t column)
{
    if (wpa_rows_is_null(rows, 0, column)) {
        wpa_json_set_null(object, key);
    } else {
        wpa_json_set_real(object, key, wpa_rows_double(rows, 0, column));
    }
}

static wpa_json *explanation_of(const wpa_rows *rows, size_t column, wpa_arena *arena,
                                wpa_error *err)
{
    const char *text = wpa_rows_text(rows, 0, column);
    return text ? wpa_json_parse(text, strlen(text), WPA_JSON_MAX_BYTES, arena, err)
                : wpa_json_new_array(arena);
}

static wpa_api_next run(wpa_api_request *request, wpa_error *err)
{
    wpa_workflow_ref workflow;
    char id[WPA_DB_NUMBER_SIZE];
    if (!wpa_fleet_find_workflow(request->db, request->values[0], request->arena, &workflow, err)) {
        return WPA_API_FAILED;
    }
    const char *params[] = {wpa_db_number(workflow.id, id)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(request->db, WPA_SQL_API_HEALTH, params, 1, err);
    wpa_json *explanation = rows ? explanation_of(rows, 10, request->arena, err) : NULL;
    if (!explanation) {
        return WPA_API_FAILED;
    }
    wpa_json *answer = wpa_json_new_object(request->arena);
    wpa_json_set_text(answer, "workflow_name", workflow.name);
    set_real(answer, "health_score", rows, 0);
    wpa_json_set_text(answer, "grade", wpa_rows_text(rows, 0, 1));
    set_real(answer, "uncapped", rows, 2);
    wpa_json_set_text(answer, "cap_reason", wpa_rows_text(rows, 0, 3));
    wpa_json *scores = wpa_json_set_object(answer, "parts");
    for (size_t i = 0; i < WPA_COUNT(parts); i++) {
        if (!wpa_rows_is_null(rows, 0, COLUMN_PARTS + i)) {
            set_real(scores, parts[i], rows, COLUMN_PARTS + i);
        }
    }
    wpa_json_set(answer, "explanation", explanation);
    wpa_api_set_time(answer, "last_analysis", wpa_rows_time_us(rows, 0, 11));
    wpa_json_set_int(answer, "issues_identified", wpa_rows_int(rows, 0, 12));
    wpa_json_set_int(answer, "critical_issues", wpa_rows_int(rows, 0, 13));
    wpa_json_set_int(answer, "patches_pending", wpa_rows_int(rows, 0, 14));
    wpa_json_set_int(answer, "patches_deployed", wpa_rows_int(rows, 0, 15));
    return wpa_api_answer(request, answer);
}

const wpa_api_route wpa_api_health = {
    .method = "GET",
    .path = "/health/{workflow_name}",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "health",
    .summary = "How healthy a workflow is, and what costs it points",
    .answer = answer_fields,
    .example = "/health/ledger-api-ci",
    .is_kept = true,
    .takes_rest = true, /* ledger-api/ci.yml */
    .run = run,
};
