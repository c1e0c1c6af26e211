/* Service: fleet, analyses, findings, health. */
#include <wpa/finding.h>
#include <wpa/text.h>

#include "agent/call.h"
#include "fleet/fleet.h"
#include "gen/sql.h"

#define REASON_MAX_BYTES 2000

bool wpa_agent_scan(wpa_engine *engine, const wpa_actor *actor, const char *repository,
                    size_t *n_ordered, wpa_error *err)
{
    wpa_db *db = wpa_engine_take(engine, err);
    bool is_done = db && wpa_fleet_order_scan(db, actor, repository, n_ordered, err);
    wpa_engine_give(engine, db);
    return is_done;
}

/* ---- analysis ---------------------------------------------------------------------------------
 */

typedef struct order {
    int64_t workflow_id;
    const char *dimension;
    int64_t job_id;
} order;

static bool order_one(wpa_db *db, const wpa_actor *actor, int64_t workflow_id, const char *label,
                      order *o, wpa_error *err)
{
    char subject[64];
    char payload[64];
    char what[256];
    (void)wpa_text_format(subject, sizeof subject, "workflow:%lld", (long long)workflow_id);
    (void)wpa_text_format(payload, sizeof payload, "{\"dimension\":\"%s\"}", o->dimension);
    (void)wpa_text_format(what, sizeof what, "analyse %s", label);
    const wpa_job_spec spec = {.kind = "analyse",
                               .subject = subject,
                               .payload = payload,
                               .label = what,
                               .priority = o->workflow_id ? 50 : 100,
                               .requested_by = actor->principal_id};
    return wpa_job_enqueue(db, &spec, &o->job_id, err);
}

static bool order_analysis(wpa_db *db, const wpa_actor *actor, void *context, wpa_error *err)
{
    order *o = context;
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(o->workflow_id, id)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_SERVICE_WORKFLOW_LABEL, params, 1, err);
    if (rows && wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no w-%s", id);
    }
    return rows && order_one(db, actor, o->workflow_id, wpa_rows_text(rows, 0, 0), o, err);
}

static bool order_all(wpa_db *db, const wpa_actor *actor, void *context, wpa_error *err)
{
    order *o = context;
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_SERVICE_WORKFLOWS, NULL, 0, err);
    for (size_t i = 0; rows && i < wpa_rows_count(rows); i++) {
        if (!order_one(db, actor, wpa_rows_int(rows, i, 0), wpa_rows_text(rows, i, 1), o, err)) {
            return false;
        }
    }
    o->job_id = 0;
    return rows != NULL;
}

bool wpa_agent_analyze_workflow(wpa_engine *engine, const wpa_actor *actor, int64_t workflow_id,
                                const char *dimension, int64_t *job_id, wpa_error *err)
{
    wpa_dimension known;
    if (dimension && !wpa_dimension_from(dimension, &known)) {
        return WPA_FAIL(err, WPA_E_INVALID, "unknown dimension '%s'", dimension);
    }
    order o = {.workflow_id = workflow_id, .dimension = dimension ? dimension : "all"};
    if (!wpa_call(engine, actor, WPA_ACTION_ORDER_ANALYSIS,
                  workflow_id ? order_analysis : order_all, &o, err)) {
        return false;
    }
    if (job_id) {
        *job_id = o.job_id;
    }
    return true;
}

static bool review(wpa_db *db, const wpa_actor *actor, void *context, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    char who[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(*(int64_t *)context, id),
                            wpa_db_number(actor->principal_id, who)};
    return wpa_call_one(db, WPA_SQL_SERVICE_REVIEW, params, WPA_COUNT(params),
                        "there is no such analysis, or it has not ended well", err);
}

bool wpa_agent_review_analysis(wpa_engine *engine, const wpa_actor *actor, int64_t analysis_id,
                               wpa_error *err)
{
    return wpa_call(engine, actor, WPA_ACTION_REVIEW_ANALYSIS, review, &analysis_id, err);
}

/* ---- findings ---------------------------------------------------------------------------------
 */

typedef struct ignoring {
    const int64_t *ids;
    size_t n;
    const char *reason;
    int64_t until_us;
} ignoring;

static bool ignore(wpa_db *db, const wpa_actor *actor, void *context, wpa_error *err)
{
    const ignoring *i = context;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    char who[WPA_DB_NUMBER_SIZE];
    char until[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_array_int(arena, i->ids, i->n),
                            wpa_db_number(actor->principal_id, who), i->reason,
                            wpa_db_number(i->until_us, until)};
    return wpa_call_one(db, i->until_us ? WPA_SQL_SERVICE_IGNORE : WPA_SQL_SERVICE_UNIGNORE, params,
                        i->until_us ? WPA_COUNT(params) : 1,
                        i->until_us ? "none of these findings is open" : "none of them is ignored",
                        err);
}

bool wpa_agent_ignore_findings(wpa_engine *engine, const wpa_actor *actor,
                               const int64_t finding_ids[], size_t n, const char *reason,
                               int64_t until_us, wpa_error *err)
{
    if (until_us && (!reason || !reason[0])) {
        return WPA_FAIL(err, WPA_E_INVALID, "ignoring a finding needs a reason");
    }
    if (reason && wpa_slice_of(reason).length > REASON_MAX_BYTES) {
        return WPA_FAIL(err, WPA_E_LIMIT, "a reason has at most %d bytes", REASON_MAX_BYTES);
    }
    ignoring i = {finding_ids, n, reason, until_us};
    return wpa_call(engine, actor, WPA_ACTION_IGNORE_FINDING, ignore, &i, err);
}

typedef struct remark {
    const char *subject, *text;
} remark;

static bool comment(wpa_db *db, const wpa_actor *actor, void *context, wpa_error *err)
{
    const remark *r = context;
    char who[WPA_DB_NUMBER_SIZE];
    const char *params[] = {r->subject, wpa_db_number(actor->principal_id, who), r->text};
    return wpa_db_run(db, WPA_SQL_SERVICE_COMMENT, params, WPA_COUNT(params), err);
}

bool wpa_agent_comment(wpa_engine *engine, const wpa_actor *actor, const char *subject,
                       const char *text, wpa_error *err)
{
    remark r = {subject, text};
    return wpa_call(engine, actor, WPA_ACTION_COMMENT, comment, &r, err);
}

/* ---- health -----------------------------------------------------------------------------------
 */

static void fill_health(const wpa_rows *rows, wpa_arena *arena, wpa_health *health)
{
    *health = (wpa_health){
        .total = wpa_rows_double(rows, 0, 0),
        .uncapped = wpa_rows_double(rows, 0, 1),
        .n_parts = (int)wpa_rows_int(rows, 0, 4),
        .explanation = wpa_rows_dup(rows, 0, 11, arena),
    };
    (void)wpa_text_copy(health->grade, sizeof health->grade, wpa_rows_text(rows, 0, 2));
    (void)wpa_text_copy(health->cap_reason, sizeof health->cap_reason, wpa_rows_text(rows, 0, 3));
    for (size_t i = 0; i < WPA_COUNT(health->parts); i++) {
        health->parts[i] = wpa_rows_is_null(rows, 0, 5 + i) ? -1 : wpa_rows_double(rows, 0, 5 + i);
    }
}

bool wpa_agent_get_workflow_health(wpa_engine *engine, int64_t workflow_id, wpa_arena *arena,
                                   wpa_health *health, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(workflow_id, id)};
    wpa_db *db = wpa_engine_take(engine, err);
    WPA_AUTO(wpa_rows) *rows =
        db ? wpa_db_exec(db, WPA_SQL_SERVICE_HEALTH, params, WPA_COUNT(params), err) : NULL;
    wpa_engine_give(engine, db);
    if (rows && wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "w-%s has not been analysed", id);
    }
    if (rows) {
        fill_health(rows, arena, health);
    }
    return rows != NULL;
}
