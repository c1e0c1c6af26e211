/* Deployments: looking at them, and giving orders to one. */
#include <string.h>

#include <wpa/text.h>

#include "api/routes.h"
#include "gen/sql.h"

static const char *const states[] = {"planned",      "running",   "paused",
                                     "rolling_back", "succeeded", "aborted",
                                     "rolled_back",  "stuck",     NULL};
static const char *const words_of_states[] = {
    "success", "in_progress", "paused", "rolling_back", "rolled_back", "failed", NULL};

static const wpa_api_field list_query[] = {
    {.name = "status_filter", .type = WPA_API_TEXT, .choices = states},
    {.name = "patch", .type = WPA_API_TEXT, .min = 1, .max = 64, .words = "its UUID or short id"},
    {0},
};

static const wpa_api_field deployment_fields[] = {
    {.name = "id", .type = WPA_API_TEXT, .is_required = true, .words = "UUID"},
    {.name = "short_id", .type = WPA_API_TEXT, .is_required = true, .example = "\"d-17\""},
    {.name = "patch_id", .type = WPA_API_TEXT, .is_required = true, .words = "UUID"},
    {.name = "patch_name", .type = WPA_API_TEXT, .is_required = true},
    {.name = "patch_version", .type = WPA_API_TEXT, .is_required = true},
    {.name = "state", .type = WPA_API_TEXT, .is_required = true, .choices = states},
    {.name = "deployment_status",
     .type = WPA_API_TEXT,
     .is_required = true,
     .choices = words_of_states},
    {.name = "reason", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "rule",
     .type = WPA_API_TEXT,
     .is_required = true,
     .is_nullable = true,
     .words = "R1 to R9 that began the rollback"},
    {.name = "strategy", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "stage", .type = WPA_API_INT, .is_required = true, .is_nullable = true},
    {.name = "stages_total", .type = WPA_API_INT, .is_required = true},
    {.name = "targets", .type = WPA_API_INT, .is_required = true},
    {.name = "targets_changed", .type = WPA_API_INT, .is_required = true},
    {.name = "targets_restored", .type = WPA_API_INT, .is_required = true},
    {.name = "started_by", .type = WPA_API_TEXT, .is_required = true},
    {.name = "rolled_back_by", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "rollback_at", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {.name = "digest", .type = WPA_API_TEXT, .is_required = true},
    {.name = "created_at", .type = WPA_API_TIME, .is_required = true},
    {.name = "started_at", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {.name = "finished_at", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {.name = "updated_at", .type = WPA_API_TIME, .is_required = true},
    {.name = "stages", .type = WPA_API_LIST, .item = WPA_API_ANY, .words = "not in lists"},
    {.name = "target_list", .type = WPA_API_LIST, .item = WPA_API_ANY, .words = "not in lists"},
    {.name = "checks",
     .type = WPA_API_LIST,
     .item = WPA_API_ANY,
     .words = "health checks and what they measured; not in lists"},
    {.name = "result", .type = WPA_API_OBJECT, .words = "as POST /patches/{patch_id}/deploy"},
    {.name = "summary", .type = WPA_API_OBJECT},
    {0},
};

static const wpa_api_field reason_fields[] = {
    {.name = "reason", .type = WPA_API_TEXT, .is_required = true, .min = 1, .max = 2000},
    {0},
};
static const wpa_api_field skip_fields[] = {
    {.name = "repository", .type = WPA_API_TEXT, .is_required = true, .min = 1, .max = 100},
    {.name = "reason", .type = WPA_API_TEXT, .is_required = true, .min = 1, .max = 2000},
    {0},
};
static const wpa_api_field rollback_fields[] = {
    {.name = "reason", .type = WPA_API_TEXT, .is_required = true, .min = 1, .max = 2000},
    {.name = "delay_ms",
     .type = WPA_API_INT,
     .min = 0,
     .max = 60000,
     .fallback = "0",
     .words = "in which it can still be cancelled"},
    {0},
};

/* ---- reading ------------------------------------------------------------------------------------
 */

static wpa_api_next list(wpa_api_request *request, wpa_error *err)
{
    char number[WPA_DB_NUMBER_SIZE];
    int64_t id = 0;
    const char *patch = wpa_api_query_text(request, "patch");
    if (patch && !wpa_api_id_of(request, patch, 'p', &id, err)) {
        request->field = "patch";
        return WPA_API_FAILED;
    }
    const char *params[] = {NULL, NULL, wpa_api_query_text(request, "status_filter"),
                            patch ? wpa_db_number(id, number) : NULL};
    return wpa_api_list(request, WPA_SQL_API_DEPLOYMENTS, params, WPA_COUNT(params), err);
}

static wpa_api_next show(wpa_api_request *request, wpa_error *err)
{
    int64_t id;
    char number[WPA_DB_NUMBER_SIZE];
    if (!wpa_api_id(request, 0, 'd', &id, err)) {
        return WPA_API_FAILED;
    }
    const char *params[] = {wpa_db_number(id, number)};
    return wpa_api_one(request, WPA_SQL_API_DEPLOYMENT, params, 1, "there is no such deployment",
                       err);
}

/* ---- orders -------------------------------------------------------------------------------------
 */

typedef struct order {
    wpa_api_request *request;
    int64_t id, version;
    const char *reason;
} order;

static bool pause_it(const order *o, wpa_error *err)
{
    return wpa_agent_pause(o->request->engine, &o->request->actor, o->id, o->version, o->reason,
                           err);
}

static bool resume(const order *o, wpa_error *err)
{
    return wpa_agent_resume(o->request->engine, &o->request->actor, o->id, o->version, err);
}

static bool promote(const order *o, wpa_error *err)
{
    return wpa_agent_promote(o->request->engine, &o->request->actor, o->id, o->version, o->reason,
                             err);
}

static bool abort_it(const order *o, wpa_error *err)
{
    return wpa_agent_abort(o->request->engine, &o->request->actor, o->id, o->version, o->reason,
                           err);
}

static bool conclude(const order *o, wpa_error *err)
{
    return wpa_agent_conclude(o->request->engine, &o->request->actor, o->id, o->version, o->reason,
                              err);
}

static bool skip(const order *o, wpa_error *err)
{
    const char *name;
    return wpa_api_repository_name(o->request, wpa_api_body_text(o->request, "repository"), &name,
                                   err) &&
           wpa_agent_skip_target(o->request->engine, &o->request->actor, o->id, o->version, name,
                                 o->reason, err);
}

static bool retry(const order *o, wpa_error *err)
{
    return wpa_agent_retry_stage(o->request->engine, &o->request->actor, o->id, o->version, err);
}

static bool roll_back(const order *o, wpa_error *err)
{
    int64_t delay_ms = wpa_json_int_of(wpa_json_find(o->request->body, "delay_ms"), 0);
    return wpa_agent_rollback_patch(o->request->engine, &o->request->actor, o->id, o->version,
                                    delay_ms, o->reason, err);
}

static bool cancel_rollback(const order *o, wpa_error *err)
{
    return wpa_agent_cancel_rollback(o->request->engine, &o->request->actor, o->id, err);
}

static const struct {
    const char *verb; /* last part of the path */
    bool (*give)(const order *o, wpa_error *err);
} orders[] = {
    {"pause", pause_it}, {"resume", resume},      {"promote", promote},
    {"abort", abort_it}, {"conclude", conclude},  {"skip", skip},
    {"retry", retry},    {"rollback", roll_back}, {"cancel-rollback", cancel_rollback},
};

static wpa_api_next give_order(wpa_api_request *request, wpa_error *err)
{
    order o = {.request = request, .reason = wpa_api_body_text(request, "reason")};
    const char *verb = strrchr(request->route->path, '/') + 1;
    if (!wpa_api_id(request, 0, 'd', &o.id, err) ||
        !wpa_api_version_wanted(request, &o.version, err)) {
        return WPA_API_FAILED;
    }
    for (size_t i = 0; i < WPA_COUNT(orders); i++) {
        if (wpa_text_is(orders[i].verb, verb) && !orders[i].give(&o, err)) {
            return WPA_API_FAILED;
        }
    }
    return show(request, err);
}

/* ---- routes -------------------------------------------------------------------------------------
 */

const wpa_api_route wpa_api_deployments = {
    .method = "GET",
    .path = "/deployments",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "deployments",
    .summary = "Deployments, the newest first",
    .query = list_query,
    .answer = deployment_fields,
    .is_list = true,
    .example = "/deployments?limit=10",
    .is_kept = true,
    .run = list,
};

const wpa_api_route wpa_api_deployment = {
    .method = "GET",
    .path = "/deployments/{deployment_id}",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "deployments",
    .summary = "One deployment with its stages, targets and health checks",
    .answer = deployment_fields,
    .example = "/deployments/d-1",
    .is_kept = true,
    .run = show,
};

#define REASON_EXAMPLE "{\"reason\": \"looking into it\"}"
/* The rows differ in their words alone. With If-Match only if it is still as it was read. */
#define ORDER(symbol, verb, words, fields, body_example)                                           \
    const wpa_api_route wpa_api_deployment_##symbol = {                                            \
        .method = "POST",                                                                          \
        .path = "/deployments/{deployment_id}/" verb,                                              \
        .access = WPA_API_GUARDIAN,                                                                \
        .scope = "deploy",                                                                         \
        .tag = "deployments",                                                                      \
        .summary = words,                                                                          \
        .details = "With If-Match only if it is still as it was read.",                            \
        .body = fields,                                                                            \
        .answer = deployment_fields,                                                               \
        .example = "/deployments/d-1/" verb,                                                       \
        .example_body = body_example,                                                              \
        .run = give_order,                                                                         \
    }

ORDER(pause, "pause", "Stop between two targets; bake clocks stand", reason_fields, REASON_EXAMPLE);
ORDER(resume, "resume", "Go on", NULL, NULL);
ORDER(promote, "promote", "The stage that bakes has baked enough", reason_fields, REASON_EXAMPLE);
ORDER(abort, "abort", "Give up a deployment that has changed nothing", reason_fields,
      REASON_EXAMPLE);
ORDER(conclude, "conclude", "Stop and leave changed targets changed", reason_fields,
      REASON_EXAMPLE);
ORDER(skip, "skip", "Give one target up", skip_fields,
      "{\"repository\": \"ledger-api\", \"reason\": \"frozen\"}");
ORDER(retry, "retry", "Try the failed targets of a stage again", NULL, NULL);
ORDER(rollback, "rollback", "Take every changed target back", rollback_fields, REASON_EXAMPLE);
ORDER(cancel_rollback, "cancel-rollback", "Within its window: take the order to roll back back",
      NULL, NULL);
