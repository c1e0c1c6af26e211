/* The dashboard: one message out of some small queries. */
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "feed/downtime.h"
#include "gen/sql.h"

#define HISTORY_MAX 90

static double real_or_unknown(const wpa_rows *rows, size_t row, size_t col)
{
    return wpa_rows_is_null(rows, row, col) ? WPA_UNKNOWN : wpa_rows_double(rows, row, col);
}

static bool add_health(wpa_db *db, wpa_arena *arena, wpa_dashboard_view *view, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FEED_FLEET_HEALTH, NULL, 0, err);
    WPA_AUTO(wpa_rows) *days =
        rows ? wpa_db_exec(db, WPA_SQL_FEED_HEALTH_DAYS, NULL, 0, err) : NULL;
    if (!days) {
        return false;
    }
    view->scores.overall = real_or_unknown(rows, 0, 0);
    view->change_24h = wpa_rows_double(rows, 0, 1);
    for (size_t i = 0; i < WPA_DIMENSION_COUNT; i++) {
        view->scores.dimension[i] = real_or_unknown(rows, 0, 2 + i);
    }
    view->scores.runs = real_or_unknown(rows, 0, 7);
    view->n_history = wpa_rows_count(days);
    view->n_history = view->n_history < HISTORY_MAX ? view->n_history : HISTORY_MAX;
    double *history = wpa_arena_array(arena, view->n_history + 1, sizeof *history);
    for (size_t i = 0; i < view->n_history; i++) {
        history[i] = real_or_unknown(days, i, 0);
    }
    view->history = history;
    return true;
}

/** "security/critical", "quality/opportunity" */
static void add_finding_count(wpa_dashboard_view *view, const char *key, int64_t n)
{
    char dimension_name[32];
    wpa_dimension dimension;
    wpa_severity severity;
    const char *slash = strchr(key, '/');
    if (!slash ||
        !wpa_text_format(dimension_name, sizeof dimension_name, "%.*s", (int)(slash - key), key) ||
        !wpa_dimension_from(dimension_name, &dimension)) {
        return;
    }
    size_t column = WPA_TALLY_OPPORTUNITY;
    if (wpa_severity_from(slash + 1, &severity)) {
        column = severity;
    }
    view->findings.open[dimension][column] += n;
    view->findings.n_open += n;
}

static bool add_counts(wpa_db *db, wpa_dashboard_view *view, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FEED_SUMMARY, NULL, 0, err);
    for (size_t i = 0; rows && i < wpa_rows_count(rows); i++) {
        const char *name = wpa_rows_text(rows, i, 0);
        const char *key = wpa_rows_text(rows, i, 1);
        int64_t n = wpa_rows_int(rows, i, 2);
        if (wpa_text_is(name, "finding")) {
            add_finding_count(view, key, n);
        } else if (wpa_text_is(name, "patch")) {
            int state = wpa_text_index(key, wpa_patch_state_words, WPA_PATCH_STATE_COUNT);
            view->patches[state < 0 ? 0 : state] += state < 0 ? 0 : n;
        } else if (wpa_text_is(name, "workflow") && wpa_text_is(key, "present")) {
            view->n_workflows = n;
        } else if (wpa_text_is(name, "repository") && !wpa_text_is(key, "removed")) {
            view->n_repositories += n;
        }
    }
    return rows != NULL;
}

static bool add_finding_times(wpa_db *db, wpa_arena *arena, wpa_dashboard_view *view,
                              wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FEED_FINDING_TIMES, NULL, 0, err);
    WPA_AUTO(wpa_rows) *totals =
        rows ? wpa_db_exec(db, WPA_SQL_FEED_FINDING_TOTALS, NULL, 0, err) : NULL;
    size_t n = 0;
    const wpa_json **weeks = totals ? wpa_feed_parse(rows, 4, arena, &n, err) : NULL;
    if (!weeks) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        wpa_dimension d;
        if (!wpa_dimension_from(wpa_rows_text(rows, i, 0), &d)) {
            continue;
        }
        view->findings.newest_us[d] = wpa_rows_int(rows, i, 1);
        view->findings.opened_24h[d] = wpa_rows_int(rows, i, 2);
        view->findings.fixed_24h[d] = wpa_rows_int(rows, i, 3);
        for (size_t k = 0; k < WPA_COUNT(view->findings.week[d]); k++) {
            view->findings.week[d][k] = wpa_json_int_of(wpa_json_at(weeks[i], k), 0);
        }
    }
    view->findings.n_ignored = wpa_rows_int(totals, 0, 0);
    view->findings.n_fixed_30d = wpa_rows_int(totals, 0, 1);
    view->findings.n_analysed = wpa_rows_int(totals, 0, 2);
    return true;
}

static bool add_needs(wpa_db *db, wpa_arena *arena, wpa_dashboard_view *view, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FEED_NEEDS, NULL, 0, err);
    if (!rows) {
        return false;
    }
    view->n_needs = wpa_rows_count(rows);
    wpa_needs_row *needs = wpa_arena_array(arena, view->n_needs + 1, sizeof *needs);
    for (size_t i = 0; i < view->n_needs; i++) {
        needs[i] = (wpa_needs_row){
            .object = wpa_feed_object(wpa_rows_text(rows, i, 0)),
            .verb = wpa_rows_dup(rows, i, 1, arena),
            .text = wpa_rows_dup(rows, i, 2, arena),
            .state = wpa_rows_dup(rows, i, 3, arena),
            .since_us = wpa_rows_int(rows, i, 4),
        };
        view->n_needs_all = wpa_rows_int(rows, i, 5);
    }
    view->needs = needs;
    return true;
}

static bool add_jobs(wpa_db *db, wpa_arena *arena, wpa_dashboard_view *view, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FEED_JOBS, NULL, 0, err);
    const wpa_json **items = rows ? wpa_feed_parse(rows, 0, arena, &view->n_jobs, err) : NULL;
    if (!items) {
        return false;
    }
    wpa_job_row *jobs = wpa_arena_array(arena, view->n_jobs + 1, sizeof *jobs);
    for (size_t i = 0; i < view->n_jobs; i++) {
        wpa_job_kind.fill(items[i], arena, &jobs[i]);
        view->n_jobs_running = wpa_rows_int(rows, i, 1);
        view->n_jobs_waiting = wpa_rows_int(rows, i, 2);
    }
    view->jobs = jobs;
    return true;
}

static bool add_engine(wpa_db *db, wpa_arena *arena, wpa_engine_view *view, wpa_error *err)
{
    int64_t started_us = wpa_now_us();
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FEED_AGENTS, NULL, 0, err);
    if (!rows) {
        return false;
    }
    view->database_ms = (double)(wpa_now_us() - started_us) / 1000;
    view->n_agents = wpa_rows_count(rows);
    const char **names = wpa_arena_array(arena, view->n_agents + 1, sizeof *names);
    for (size_t i = 0; i < view->n_agents; i++) {
        names[i] = wpa_rows_dup(rows, i, 0, arena);
        view->n_workers += (int)wpa_rows_int(rows, i, 1);
        view->n_busy += (int)wpa_rows_int(rows, i, 2);
    }
    view->agents = names;
    return true;
}

/** Deployments that run, each with the downtime measured up to now. */
static bool add_live(wpa_db *db, wpa_arena *arena, wpa_dashboard_view *v, wpa_error *err)
{
    wpa_deployment_row *rows =
        wpa_feed_rows(db, WPA_SQL_FEED_LIVE, NULL, 0, &wpa_deployment_kind, arena, &v->n_live, err);
    for (size_t i = 0; rows && i < v->n_live; i++) {
        wpa_feed_downtime sum;
        if (!wpa_feed_downtime_of(db, rows[i].id, arena, &sum, err)) {
            return false;
        }
        if (sum.is_measured) {
            rows[i].downtime_ms = sum.possible_ms;
            rows[i].n_probes = sum.n_probes;
        }
    }
    v->live = rows;
    return rows != NULL;
}

static bool add_rows(wpa_db *db, wpa_arena *arena, wpa_dashboard_view *v, wpa_error *err)
{
    size_t n_rollbacks = 0;
    v->worst =
        wpa_feed_rows(db, WPA_SQL_FEED_WORST, NULL, 0, &wpa_workflow_kind, arena, &v->n_worst, err);
    v->testing = v->worst ? wpa_feed_rows(db, WPA_SQL_FEED_TESTING, NULL, 0, &wpa_patch_kind, arena,
                                          &v->n_testing, err)
                          : NULL;
    bool has_live = v->testing && add_live(db, arena, v, err);
    v->activity = has_live ? wpa_feed_rows(db, WPA_SQL_FEED_ACTIVITY, NULL, 0, &wpa_activity_kind,
                                           arena, &v->n_activity, err)
                           : NULL;
    v->alarms = v->activity ? wpa_feed_rows(db, WPA_SQL_FEED_ALARMS, NULL, 0, &wpa_notice_kind,
                                            arena, &v->n_alarms, err)
                            : NULL;
    v->last_rollback = v->alarms ? wpa_feed_rows(db, WPA_SQL_FEED_LAST_ROLLBACK, NULL, 0,
                                                 &wpa_deployment_kind, arena, &n_rollbacks, err)
                                 : NULL;
    bool is_good = v->last_rollback != NULL;
    v->last_rollback = n_rollbacks ? v->last_rollback : NULL;
    return is_good;
}

static bool add_unread(wpa_db *db, wpa_dashboard_view *view, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FEED_UNREAD, NULL, 0, err);
    WPA_AUTO(wpa_rows) *clock = rows ? wpa_db_exec(db, WPA_SQL_FEED_CLOCK, NULL, 0, err) : NULL;
    if (clock) {
        view->n_notices_unread = wpa_rows_int(rows, 0, 0);
        view->taken_at_us = wpa_rows_int(clock, 0, 0);
    }
    return clock != NULL;
}

static bool add_people(wpa_db *db, wpa_arena *arena, wpa_dashboard_view *view, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FEED_PEOPLE, NULL, 0, err);
    if (!rows) {
        return false;
    }
    view->n_people = wpa_rows_count(rows);
    wpa_person_row *people = wpa_arena_array(arena, view->n_people + 1, sizeof *people);
    for (size_t i = 0; i < view->n_people; i++) {
        people[i] = (wpa_person_row){
            .name = wpa_rows_dup(rows, i, 0, arena),
            .place = wpa_rows_dup(rows, i, 2, arena),
            .address = wpa_rows_dup(rows, i, 3, arena),
            .seen_at_us = wpa_rows_time_us(rows, i, 4),
        };
        if (!wpa_role_parse(wpa_rows_text(rows, i, 1), &people[i].role, err)) {
            return false;
        }
    }
    view->people = people;
    return true;
}

wpa_msg *wpa_feed_dashboard(wpa_db *db, double notify_lag_ms, wpa_error *err)
{
    WPA_AUTO(wpa_msg) *msg = wpa_msg_new(WPA_FEED_DASHBOARD);
    wpa_dashboard_view *view = wpa_arena_alloc(msg->arena, sizeof *view);
    view->engine.notify_lag_ms = notify_lag_ms;
    if (!add_health(db, msg->arena, view, err) || !add_counts(db, view, err) ||
        !add_finding_times(db, msg->arena, view, err) || !add_rows(db, msg->arena, view, err) ||
        !add_needs(db, msg->arena, view, err) || !add_jobs(db, msg->arena, view, err) ||
        !add_unread(db, view, err) || !add_engine(db, msg->arena, &view->engine, err) ||
        !add_people(db, msg->arena, view, err)) {
        return NULL;
    }
    view->engine.n_queued = view->n_jobs_waiting;
    msg->body = view;
    return WPA_STEAL(msg);
}
