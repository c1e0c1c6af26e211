/* Details of a deployment: stages, checks, downtime, rollback, events. */
#include <wpa/text.h>

#include "feed/detail.h"
#include "feed/downtime.h"
#include "gen/sql.h"

static wpa_stage_row *add_stages(wpa_db *db, int64_t id, wpa_arena *arena, wpa_deployment_detail *d,
                                 wpa_error *err)
{
    char text[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, text)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FEED_STAGES, params, 1, err);
    const wpa_json **items = rows ? wpa_feed_parse(rows, 0, arena, &d->n_stages, err) : NULL;
    if (!items) {
        return NULL;
    }
    wpa_stage_row *stages = wpa_arena_array(arena, d->n_stages + 1, sizeof *stages);
    for (size_t i = 0; i < d->n_stages; i++) {
        const wpa_json *row = items[i];
        stages[i] = (wpa_stage_row){
            .n = (int)wpa_feed_int(row, "n", 0),
            .label = wpa_feed_text(row, "name"),
            .n_scope = wpa_feed_int(row, "scope", 0),
            .n_total = wpa_feed_int(row, "scope", 0),
            .n_done = wpa_feed_int(row, "done", 0),
            .state = (wpa_stage_state)wpa_feed_word(row, "state", wpa_stage_state_words,
                                                    WPA_STAGE_STATE_COUNT, 0),
            .bake_ms = wpa_feed_int(row, "bake_ms", 0),
            .baked_ms = wpa_feed_int(row, "baked_ms", WPA_UNKNOWN),
            .downtime_ms = WPA_UNKNOWN,
            .started_at_us = wpa_feed_int(row, "started_at_us", 0),
        };
        bool is_running = stages[i].state == WPA_STAGE_BAKING &&
                          wpa_feed_int(row, "bake_left_ms", WPA_UNKNOWN) < 0;
        stages[i].bake_until_us = is_running ? wpa_feed_int(row, "bake_until_us", 0) : 0;
    }
    d->stages = stages;
    return stages;
}

static bool add_checks(wpa_db *db, int64_t id, wpa_arena *arena, wpa_deployment_detail *d,
                       wpa_error *err)
{
    char text[WPA_DB_NUMBER_SIZE];
    char stage[WPA_DB_NUMBER_SIZE];
    d->checks_stage = d->row.stage > 0 ? d->row.stage : 1;
    const char *params[] = {wpa_db_number(id, text), wpa_db_number(d->checks_stage, stage)};
    d->checks = wpa_feed_rows(db, WPA_SQL_FEED_CHECKS, params, WPA_COUNT(params), &wpa_check_kind,
                              arena, &d->n_checks, err);
    return d->checks != NULL;
}

static bool add_hits(wpa_db *db, int64_t id, wpa_arena *arena, wpa_deployment_detail *d,
                     wpa_error *err)
{
    char text[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, text)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FEED_HITS, params, 1, err);
    if (!rows) {
        return false;
    }
    d->n_hits = wpa_rows_count(rows);
    wpa_hit_row *hits = wpa_arena_array(arena, d->n_hits + 1, sizeof *hits);
    for (size_t i = 0; i < d->n_hits; i++) {
        hits[i] = (wpa_hit_row){
            .check = wpa_rows_dup(rows, i, 0, arena),
            .at_us = wpa_rows_int(rows, i, 1),
            .value = wpa_rows_dup(rows, i, 2, arena),
            .limit = wpa_rows_dup(rows, i, 3, arena),
            .hit = (int)wpa_rows_int(rows, i, 4),
            .message = wpa_rows_dup(rows, i, 5, arena),
        };
    }
    d->hits = hits;
    return true;
}

/** Out of the measurements; of more than can be read at once, as its summary tells them. */
static bool add_downtime(wpa_db *db, const wpa_json *row, wpa_arena *arena,
                         wpa_deployment_detail *d, wpa_stage_row *stages, wpa_error *err)
{
    wpa_feed_downtime sum;
    if (!wpa_feed_downtime_of(db, d->row.id, arena, &sum, err)) {
        return false;
    }
    const wpa_json *list = wpa_json_find(wpa_json_find(row, "summary"), "downtime");
    d->downtime_certain_ms = d->downtime_possible_ms = d->downtime_unknown_ms = WPA_UNKNOWN;
    d->n_probes = wpa_feed_int(row, "n_probes", 0);
    d->n_probes_failed = wpa_feed_int(row, "n_probes_failed", 0);
    d->probe_interval_ms = wpa_feed_int(row, "probe_interval_ms", 0);
    if (sum.is_measured) {
        d->downtime_certain_ms = sum.certain_ms;
        d->downtime_possible_ms = d->row.downtime_ms = sum.possible_ms;
        d->downtime_unknown_ms = sum.unknown_ms;
        d->n_probes = d->row.n_probes = sum.n_probes;
        d->n_probes_failed = sum.n_failed;
        d->probe_interval_ms = sum.interval_ms;
    } else if (wpa_json_count(list) > 0) {
        d->downtime_certain_ms = d->downtime_possible_ms = d->downtime_unknown_ms = 0;
    }
    for (size_t i = 0; !sum.is_measured && i < wpa_json_count(list); i++) {
        const wpa_json *target = wpa_json_at(list, i);
        d->downtime_certain_ms += (int64_t)(1000 * wpa_feed_real(target, "certain_s", 0));
        d->downtime_possible_ms += (int64_t)(1000 * wpa_feed_real(target, "possible_s", 0));
        d->downtime_unknown_ms += (int64_t)(1000 * wpa_feed_real(target, "unknown_s", 0));
    }
    for (size_t i = 0; i < d->n_stages; i++) {
        bool is_known = stages[i].n >= 1 && stages[i].n <= WPA_FEED_STAGES_MAX;
        stages[i].downtime_ms = is_known ? sum.stage_ms[stages[i].n - 1] : WPA_UNKNOWN;
    }
    return true;
}

static void fill_rollback(const wpa_json *row, wpa_arena *arena, wpa_deployment_detail *d)
{
    wpa_deployment_state state = d->row.state;
    bool is_live = state == WPA_DEPLOYMENT_PLANNED || state == WPA_DEPLOYMENT_RUNNING ||
                   state == WPA_DEPLOYMENT_PAUSED;
    const char *fires = wpa_feed_text(row, "fires");
    d->is_armed = is_live && fires;
    d->armed_note = d->is_armed ? wpa_arena_printf(arena, "fires when %s", fires)
                    : is_live   ? "no check of the plan can fire it"
                                : "the rollout has ended";
    d->rollback_started_us = wpa_feed_int(row, "rolling_back_at_us", 0);
    d->rollback_requested_us =
        d->rollback_started_us ? d->rollback_started_us : d->row.rollback_at_us;
    if (state == WPA_DEPLOYMENT_ROLLED_BACK) {
        d->rollback_finished_us = d->row.ended_at_us;
    }
    d->rollback_reason = wpa_feed_text(row, "rollback_reason");
    if (!d->rollback_reason && d->rollback_started_us) {
        d->rollback_reason = d->row.reason;
    }
}

/** Hold, switch back, confirm: out of the states of targets and deployment. */
static void fill_steps(wpa_arena *arena, wpa_deployment_detail *d)
{
    if (!d->rollback_requested_us) {
        return;
    }
    bool is_begun = d->rollback_started_us > 0;
    bool is_over = d->row.state == WPA_DEPLOYMENT_ROLLED_BACK;
    bool is_stuck = d->row.state == WPA_DEPLOYMENT_STUCK;
    int64_t n_all = d->row.n_back + d->row.n_switched;
    bool all_back = is_begun && d->row.n_switched == 0;
    int64_t took_ms =
        ((is_over ? d->rollback_finished_us : d->row.updated_at_us) - d->rollback_started_us) /
        1000;
    wpa_rollback_step *steps = wpa_arena_array(arena, 3, sizeof *steps);
    steps[0] = (wpa_rollback_step){.name = "hold the rollout",
                                   .is_done = true,
                                   .n_done = WPA_UNKNOWN,
                                   .n_total = WPA_UNKNOWN,
                                   .took_ms = 0};
    steps[1] = (wpa_rollback_step){.name = "switch workflows back",
                                   .is_running = is_begun && !all_back && !is_stuck,
                                   .is_done = all_back,
                                   .is_failed = is_stuck,
                                   .n_done = d->row.n_back,
                                   .n_total = n_all,
                                   .took_ms = is_begun ? took_ms : WPA_UNKNOWN};
    steps[2] = (wpa_rollback_step){.name = "confirm against baseline",
                                   .is_running = all_back && !is_over && !is_stuck,
                                   .is_done = is_over,
                                   .n_done = WPA_UNKNOWN,
                                   .n_total = WPA_UNKNOWN,
                                   .took_ms = WPA_UNKNOWN};
    d->steps = steps;
    d->n_steps = 3;
}

/** What a person would type, for targets that are not back although they should be. */
static void fill_by_hand(wpa_arena *arena, wpa_deployment_detail *d)
{
    const char *text = NULL;
    bool is_wanted =
        d->row.state == WPA_DEPLOYMENT_STUCK || d->row.state == WPA_DEPLOYMENT_ROLLING_BACK;
    for (size_t i = 0; is_wanted && i < d->n_targets; i++) {
        const wpa_target_row *t = &d->targets[i];
        if (t->applied && !t->reverted) {
            text = wpa_arena_printf(arena, "%s%sgit revert --no-edit %s  # %s %s", text ? text : "",
                                    text ? "\n" : "", t->applied, t->name, t->ref);
        }
    }
    d->by_hand = text;
}

/** Newest first; what happened to it, its stages and its targets. */
static bool add_events(wpa_db *db, int64_t id, wpa_arena *arena, wpa_deployment_detail *d,
                       wpa_error *err)
{
    const wpa_activity_row *oldest_first = wpa_detail_history(
        db, wpa_arena_printf(arena, "deployment:%lld", (long long)id),
        wpa_arena_printf(arena, "%%:%lld/%%", (long long)id), arena, &d->n_events, err);
    if (!oldest_first) {
        return false;
    }
    wpa_activity_row *events = wpa_arena_array(arena, d->n_events + 1, sizeof *events);
    for (size_t i = 0; i < d->n_events; i++) {
        events[i] = oldest_first[d->n_events - 1 - i];
    }
    d->events = events;
    return true;
}

bool wpa_detail_deployment(wpa_db *db, int64_t id, wpa_arena *arena, wpa_detail_view *view,
                           bool *is_found, wpa_error *err)
{
    const wpa_json *row = NULL;
    if (!wpa_detail_one(db, WPA_SQL_FEED_DEPLOYMENT, id, arena, &row, err)) {
        return false;
    }
    *is_found = row != NULL;
    if (!row) {
        return true;
    }
    wpa_deployment_detail *d = wpa_arena_alloc(arena, sizeof *d);
    wpa_deployment_kind.fill(row, arena, &d->row);
    view->deployment = d;
    d->targets =
        wpa_detail_rows(db, WPA_SQL_FEED_TARGETS, id, &wpa_target_kind, arena, &d->n_targets, err);
    wpa_stage_row *stages = d->targets ? add_stages(db, id, arena, d, err) : NULL;
    if (!stages || !add_checks(db, id, arena, d, err) || !add_hits(db, id, arena, d, err) ||
        !add_events(db, id, arena, d, err) || !add_downtime(db, row, arena, d, stages, err)) {
        return false;
    }
    fill_rollback(row, arena, d);
    fill_steps(arena, d);
    fill_by_hand(arena, d);
    return true;
}
