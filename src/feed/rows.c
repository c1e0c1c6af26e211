#include "feed/rows.h"

#include <stdlib.h>
#include <string.h>

#include <wpa/text.h>

#define ROW_MAX_BYTES ((size_t)8 << 20)

const char *wpa_feed_text(const wpa_json *row, const char *key)
{
    return wpa_json_text_of(wpa_json_find(row, key));
}

int64_t wpa_feed_int(const wpa_json *row, const char *key, int64_t fallback)
{
    return wpa_json_int_of(wpa_json_find(row, key), fallback);
}

double wpa_feed_real(const wpa_json *row, const char *key, double fallback)
{
    return wpa_json_real_of(wpa_json_find(row, key), fallback);
}

bool wpa_feed_bool(const wpa_json *row, const char *key)
{
    return wpa_json_bool_of(wpa_json_find(row, key), false);
}

int wpa_feed_word(const wpa_json *row, const char *key, const char *const words[], size_t n,
                  int fallback)
{
    const char *word = wpa_feed_text(row, key);
    int index = word ? wpa_text_index(word, words, n) : -1;
    return index < 0 ? fallback : index;
}

wpa_object wpa_feed_object(const char *subject)
{
    static const struct {
        const char *prefix;
        wpa_object_kind kind;
    } kinds[] = {
        {"workflow:", WPA_OBJECT_WORKFLOW}, {"finding:", WPA_OBJECT_FINDING},
        {"patch:", WPA_OBJECT_PATCH},       {"deployment:", WPA_OBJECT_DEPLOYMENT},
        {"stage:", WPA_OBJECT_DEPLOYMENT},  {"target:", WPA_OBJECT_DEPLOYMENT},
        {"job:", WPA_OBJECT_JOB},
    };
    for (size_t i = 0; subject && i < WPA_COUNT(kinds); i++) {
        if (wpa_text_starts(subject, kinds[i].prefix)) {
            int64_t id = strtoll(subject + strlen(kinds[i].prefix), NULL, 10);
            return (wpa_object){id > 0 ? kinds[i].kind : WPA_OBJECT_NONE, id > 0 ? id : 0};
        }
    }
    return (wpa_object){WPA_OBJECT_NONE, 0};
}

const wpa_json **wpa_feed_parse(const wpa_rows *rows, size_t col, wpa_arena *arena, size_t *n,
                                wpa_error *err)
{
    *n = wpa_rows_count(rows);
    const wpa_json **items = wpa_arena_array(arena, *n + 1, sizeof(void *));
    for (size_t i = 0; i < *n; i++) {
        const char *text = wpa_rows_text(rows, i, col);
        items[i] =
            text ? wpa_json_parse(text, wpa_rows_length(rows, i, col), ROW_MAX_BYTES, arena, err)
                 : wpa_json_new_null(arena);
        if (!items[i]) {
            return NULL;
        }
    }
    return items;
}

void *wpa_feed_rows(wpa_db *db, const wpa_sql *statement, const char *const params[],
                    size_t n_params, const wpa_row_kind *kind, wpa_arena *arena, size_t *n,
                    wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, statement, params, n_params, err);
    const wpa_json **items = rows ? wpa_feed_parse(rows, 0, arena, n, err) : NULL;
    if (!items) {
        return NULL;
    }
    char *out = wpa_arena_array(arena, *n + 1, kind->size_bytes);
    for (size_t i = 0; i < *n; i++) {
        kind->fill(items[i], arena, out + i * kind->size_bytes);
    }
    return out;
}

/* ---- one function for each kind of row ---- */

static void fill_workflow(const wpa_json *row, wpa_arena *arena, void *out)
{
    wpa_workflow_row *w = out;
    const wpa_json *runs = wpa_json_find(row, "runs");
    size_t n = wpa_json_count(runs);
    uint8_t *results = wpa_arena_alloc(arena, n + 1);
    for (size_t i = 0; i < n; i++) {
        results[i] = (uint8_t)wpa_json_int_of(wpa_json_at(runs, i), 0);
    }
    *w = (wpa_workflow_row){
        .id = wpa_feed_int(row, "id", 0),
        .name = wpa_feed_text(row, "name"),
        .repository = wpa_feed_text(row, "repository"),
        .scores = {.overall = wpa_feed_real(row, "total", WPA_UNKNOWN),
                   .runs = wpa_feed_real(row, "run_history", WPA_UNKNOWN)},
        .change_24h = wpa_feed_real(row, "change_24h", 0),
        .n_findings = wpa_feed_int(row, "findings", 0),
        .runs = results,
        .n_runs = n,
        .p95_ms = WPA_UNKNOWN,
        .runs_per_day = WPA_UNKNOWN,
        .analysed_at_us = wpa_feed_int(row, "analysed_at_us", 0),
        .error = wpa_feed_text(row, "error"),
    };
    for (int i = 0; i < WPA_DIMENSION_COUNT; i++) {
        w->scores.dimension[i] =
            wpa_feed_real(row, wpa_dimension_name((wpa_dimension)i), WPA_UNKNOWN);
    }
}

static void fill_finding(const wpa_json *row, wpa_arena *arena, void *out)
{
    wpa_finding_row *f = out;
    (void)arena;
    *f = (wpa_finding_row){
        .id = wpa_feed_int(row, "id", 0),
        .code = wpa_feed_text(row, "code"),
        .rule = wpa_feed_text(row, "rule"),
        .workflow = wpa_feed_text(row, "workflow"),
        .workflow_id = wpa_feed_int(row, "workflow_id", 0),
        .line = (int)wpa_feed_int(row, "line", 0),
        .message = wpa_feed_text(row, "message"),
        .has_fix = wpa_feed_bool(row, "has_fix"),
        .patch_id = wpa_feed_int(row, "patch_id", 0),
        .first_seen_us = wpa_feed_int(row, "first_seen_us", 0),
    };
    /* The database's checks hold these words to the sets; an unknown one stays the least. */
    (void)(wpa_severity_from(wpa_feed_text(row, "severity"), &f->severity) &&
           wpa_kind_from(wpa_feed_text(row, "kind"), &f->kind) &&
           wpa_confidence_from(wpa_feed_text(row, "confidence"), &f->confidence) &&
           wpa_dimension_from(wpa_feed_text(row, "dimension"), &f->dimension) &&
           wpa_finding_state_from(wpa_feed_text(row, "state"), &f->state));
}

static wpa_suite_state suite_of(const wpa_json *row, wpa_phase phase, bool is_running)
{
    const wpa_json *suite = wpa_json_find(wpa_json_find(row, "suites"), wpa_phase_words[phase]);
    const char *current = wpa_feed_text(row, "test_phase");
    if (is_running && current && wpa_text_is(current, wpa_phase_words[phase])) {
        return WPA_SUITE_RUNNING;
    }
    if (wpa_feed_int(suite, "n", 0) == 0) {
        return is_running ? WPA_SUITE_WAITING : WPA_SUITE_NOT_RUN;
    }
    if (wpa_feed_int(suite, "fail", 0) > 0) {
        return WPA_SUITE_FAILED;
    }
    if (wpa_feed_int(suite, "error", 0) > 0) {
        return WPA_SUITE_ERROR;
    }
    if (wpa_feed_int(suite, "open", 0) > 0) {
        return is_running ? WPA_SUITE_WAITING : WPA_SUITE_NOT_RUN;
    }
    return WPA_SUITE_PASSED;
}

static void fill_patch(const wpa_json *row, wpa_arena *arena, void *out)
{
    wpa_patch_row *p = out;
    (void)arena;
    *p = (wpa_patch_row){
        .id = wpa_feed_int(row, "id", 0),
        .state = (wpa_patch_state)wpa_feed_word(row, "state", wpa_patch_state_words,
                                                WPA_PATCH_STATE_COUNT, 0),
        .reason = wpa_feed_text(row, "reason"),
        .name = wpa_feed_text(row, "name"),
        .version = wpa_feed_text(row, "version"),
        .type = (wpa_patch_type)wpa_feed_word(row, "type", wpa_patch_type_words,
                                              WPA_PATCH_TYPE_COUNT, 0),
        .n_workflows = wpa_feed_int(row, "n_workflows", 0),
        .n_repositories = wpa_feed_int(row, "n_repositories", 0),
        .n_checks_done = WPA_UNKNOWN,
        .n_checks = WPA_UNKNOWN,
        .author = wpa_feed_text(row, "author"),
        .created_at_us = wpa_feed_int(row, "created_at_us", 0),
        .updated_at_us = wpa_feed_int(row, "updated_at_us", 0),
        .deployment_id = wpa_feed_int(row, "deployment_id", 0),
        .is_live = wpa_feed_bool(row, "is_live"),
        .stage = (int)wpa_feed_int(row, "stage", 0),
        .n_stages = (int)wpa_feed_int(row, "n_stages", 0),
    };
    (void)!wpa_severity_from(wpa_feed_text(row, "severity"), &p->severity);
    const char *test = wpa_feed_text(row, "test_state");
    bool is_running = p->state == WPA_PATCH_TESTING && test && wpa_text_is(test, "running");
    for (int i = 0; i < WPA_PHASE_COUNT; i++) {
        p->suites[i] = suite_of(row, (wpa_phase)i, is_running);
    }
    if (is_running) {
        p->n_checks_done = wpa_feed_int(row, "n_checks_done", WPA_UNKNOWN);
        p->n_checks = wpa_feed_int(row, "n_checks", WPA_UNKNOWN);
    }
}

/** What was measured, short enough for a column: "200, 16 ms", "+3.0", "exit 0". */
static const char *short_value(const char *kind, const char *text, double value, wpa_arena *arena)
{
    const char *in = text ? strstr(text, " in ") : NULL;
    if (wpa_text_is(kind, "rescore")) {
        return wpa_arena_printf(arena, "%+.1f", value);
    }
    if (wpa_text_is(kind, "http") && in) {
        return wpa_arena_printf(arena, "%.*s, %s", (int)(in - text), text, in + 4);
    }
    return text ? text : wpa_arena_printf(arena, "%g", value);
}

static void fill_check(const wpa_json *row, wpa_arena *arena, void *out)
{
    wpa_check_row *c = out;
    const char *result = wpa_feed_text(row, "last_result");
    double value = wpa_feed_real(row, "last_value", 0);
    double limit = wpa_feed_real(row, "limit_value", 0);
    bool has_value = wpa_json_kind_of(wpa_json_find(row, "last_value")) != WPA_JSON_NULL;
    bool has_limit = wpa_json_kind_of(wpa_json_find(row, "limit_value")) != WPA_JSON_NULL;
    bool has_baseline = wpa_json_kind_of(wpa_json_find(row, "baseline")) != WPA_JSON_NULL;
    const char *limit_text = wpa_feed_text(row, "limit_text");
    int64_t interval_ms = wpa_feed_int(row, "interval_ms", 0);
    int64_t last_due_us = wpa_feed_int(row, "last_due_us", 0);
    *c = (wpa_check_row){
        .name = wpa_feed_text(row, "name"),
        .kind = wpa_feed_text(row, "kind"),
        .stage = (int)wpa_feed_int(row, "n", 0),
        .now = wpa_feed_text(row, "last_text"),
        .baseline = wpa_feed_text(row, "baseline_text"),
        .limit = limit_text && limit_text[0] ? limit_text : NULL,
        .meter_limit = WPA_UNKNOWN,
        .hits = (int)wpa_feed_int(row, "hits", 0),
        .hit_limit = (int)wpa_feed_int(row, "hits_limit", 1),
        .n_measured = wpa_feed_int(row, "n_measured", 0),
        .interval_ms = interval_ms,
        .message = wpa_feed_text(row, "last_message"),
    };
    const char *verdict = wpa_feed_text(row, "verdict");
    if (last_due_us && verdict && wpa_text_is(verdict, "running")) {
        c->next_at_us = last_due_us + interval_ms * 1000;
    }
    if (has_value) {
        c->now = short_value(c->kind, c->now, value, arena);
    }
    if (!c->now && result) {
        c->now = wpa_text_is(result, "success") ? "ok" : result;
    }
    if (has_baseline) {
        c->baseline = short_value(c->kind, c->baseline, wpa_feed_real(row, "baseline", 0), arena);
    }
    /* The limit of http is that of its latency: the value is the status. */
    double measured =
        wpa_text_is(c->kind, "http") ? wpa_feed_real(row, "last_latency_ms", WPA_UNKNOWN) : value;
    bool is_comparable = has_value && has_limit && limit > 0 && measured >= 0;
    if (is_comparable) {
        double top = measured > limit ? measured : limit;
        c->meter = measured / (top * 1.25);
        c->meter_limit = limit / (top * 1.25);
    }
    bool is_near = is_comparable && measured > 0.9 * limit && measured < 1.1 * limit;
    c->state = !result                           ? WPA_CHECK_NONE
               : wpa_text_is(result, "failure")  ? WPA_CHECK_OVER
               : !wpa_text_is(result, "success") ? WPA_CHECK_NONE
               : is_near                         ? WPA_CHECK_NEAR
                                                 : WPA_CHECK_OK;
}

/** Milliseconds of the summary's targets added up; negative: not measured. */
static int64_t downtime_of(const wpa_json *summary)
{
    const wpa_json *list = wpa_json_find(summary, "downtime");
    int64_t sum_ms = wpa_json_count(list) > 0 ? 0 : WPA_UNKNOWN;
    for (size_t i = 0; i < wpa_json_count(list); i++) {
        sum_ms += (int64_t)(1000 * wpa_feed_real(wpa_json_at(list, i), "possible_s", 0));
    }
    return sum_ms;
}

static void fill_deployment(const wpa_json *row, wpa_arena *arena, void *out)
{
    wpa_deployment_row *d = out;
    const wpa_json *nearest = wpa_json_find(row, "nearest");
    const wpa_json *summary = wpa_json_find(row, "summary");
    const char *digest = wpa_feed_text(row, "back_to");
    *d = (wpa_deployment_row){
        .id = wpa_feed_int(row, "id", 0),
        .patch_id = wpa_feed_int(row, "patch_id", 0),
        .patch = wpa_feed_text(row, "patch"),
        .state = (wpa_deployment_state)wpa_feed_word(row, "state", wpa_deployment_state_words,
                                                     WPA_DEPLOYMENT_STATE_COUNT, 0),
        .reason = wpa_feed_text(row, "reason"),
        .stage = (int)wpa_feed_int(row, "stage", 0),
        .n_stages = (int)wpa_feed_int(row, "n_stages", 0),
        .stage_state = (wpa_stage_state)wpa_feed_word(row, "stage_state", wpa_stage_state_words,
                                                      WPA_STAGE_STATE_COUNT, 0),
        .stage_label = wpa_feed_text(row, "stage_label"),
        .n_done = wpa_feed_int(row, "n_done", 0),
        .n_total = wpa_feed_int(row, "n_total", 0),
        .bake_until_us = wpa_feed_int(row, "bake_until_us", 0),
        .bake_ms = wpa_feed_int(row, "bake_ms", 0),
        .bake_left_ms = wpa_feed_int(row, "bake_left_ms", WPA_UNKNOWN),
        .n_checks_ok = (int)wpa_feed_int(row, "n_checks_ok", 0),
        .n_checks = (int)wpa_feed_int(row, "n_checks", 0),
        .downtime_ms = downtime_of(summary),
        .n_probes = wpa_feed_int(row, "n_probes", 0),
        .started_by = wpa_feed_text(row, "started_by"),
        .started_at_us = wpa_feed_int(row, "started_at_us", 0),
        .ended_at_us = wpa_feed_int(row, "ended_at_us", 0),
        .updated_at_us = wpa_feed_int(row, "updated_at_us", 0),
        .can_roll_back = wpa_feed_bool(row, "can_roll_back"),
        .n_switched = wpa_feed_int(row, "n_switched", 0),
        .back_to = digest ? wpa_arena_slice(arena, digest, 7) : NULL,
        .rollback_at_us = wpa_feed_int(row, "rollback_at_us", 0),
        .rollback_by = wpa_feed_text(row, "rollback_by"),
        .is_automatic = wpa_feed_bool(row, "is_automatic"),
        .n_back = wpa_feed_int(row, "n_back", 0),
    };
    if (d->stage_state != WPA_STAGE_BAKING || d->bake_left_ms >= 0) {
        d->bake_until_us = 0;
    }
    if (wpa_json_kind_of(nearest ? nearest : row) == WPA_JSON_OBJECT && nearest) {
        wpa_check_row *check = wpa_arena_alloc(arena, sizeof *check);
        fill_check(nearest, arena, check);
        d->nearest = check;
    }
}

static void fill_audit(const wpa_json *row, wpa_arena *arena, void *out)
{
    wpa_audit_row *a = out;
    const char *action = wpa_feed_text(row, "action");
    char *words = wpa_arena_text(arena, action);
    for (char *at = words; at && *at; at++) {
        if (*at == '.' || *at == '_') {
            *at = ' ';
        }
    }
    *a = (wpa_audit_row){
        .seq = wpa_feed_int(row, "seq", 0),
        .at_us = wpa_feed_int(row, "at_us", 0),
        .who = wpa_feed_text(row, "who"),
        .address = wpa_feed_text(row, "address"),
        .action = action,
        .text = words,
        .subject = wpa_feed_text(row, "subject"),
        .object = wpa_feed_object(wpa_feed_text(row, "subject")),
        .detail = wpa_feed_text(row, "detail"),
        .hash = wpa_feed_text(row, "hash"),
        .prev = wpa_feed_text(row, "prev"),
    };
}

static void fill_activity(const wpa_json *row, wpa_arena *arena, void *out)
{
    wpa_activity_row *a = out;
    wpa_audit_row audit;
    fill_audit(row, arena, &audit);
    const char *short_id = "";
    if (audit.object.kind) {
        short_id = wpa_arena_printf(arena, "%c-%lld: ", (char)audit.object.kind,
                                    (long long)audit.object.id);
    }
    const char *reason = wpa_feed_text(row, "reason");
    *a = (wpa_activity_row){
        .at_us = audit.at_us,
        .who = audit.who,
        .text = wpa_arena_printf(arena, "%s%s%s%s", short_id, audit.text ? audit.text : "",
                                 reason ? ": " : "", reason ? reason : ""),
        .object = audit.object,
    };
}

static void fill_notice(const wpa_json *row, wpa_arena *arena, void *out)
{
    wpa_notice_row *n = out;
    (void)arena;
    bool is_acknowledged = wpa_feed_bool(row, "is_acknowledged");
    *n = (wpa_notice_row){
        .id = wpa_feed_int(row, "id", 0),
        .at_us = wpa_feed_int(row, "at_us", 0),
        .level = (wpa_notice_level)wpa_feed_word(row, "level", wpa_notice_level_words,
                                                 WPA_NOTICE_LEVEL_COUNT, 0),
        .text = wpa_feed_text(row, "message"),
        .object = wpa_feed_object(wpa_feed_text(row, "subject")),
        .is_read = is_acknowledged,
        .is_acknowledged = is_acknowledged,
        .count = (int)wpa_feed_int(row, "count", 1),
    };
}

static void fill_job(const wpa_json *row, wpa_arena *arena, void *out)
{
    wpa_job_row *j = out;
    const char *note = wpa_feed_text(row, "note");
    const char *label = wpa_feed_text(row, "label");
    *j = (wpa_job_row){
        .id = wpa_feed_int(row, "id", 0),
        .state =
            (wpa_job_state)wpa_feed_word(row, "state", wpa_job_state_words, WPA_JOB_STATE_COUNT, 0),
        .kind = wpa_feed_text(row, "kind"),
        .what = note && note[0] ? wpa_arena_printf(arena, "%s  %s", label, note) : label,
        .subject = wpa_feed_object(wpa_feed_text(row, "subject")),
        .n_done = wpa_feed_int(row, "done_count", WPA_UNKNOWN),
        .n_total = wpa_feed_int(row, "total_count", WPA_UNKNOWN),
        .started_at_us = wpa_feed_int(row, "started_at_us", 0),
        .run_after_us = wpa_feed_int(row, "run_after_us", 0),
        .finished_at_us = wpa_feed_int(row, "finished_at_us", 0),
        .attempt = (int)wpa_feed_int(row, "attempt", 0),
        .max_attempts = (int)wpa_feed_int(row, "max_attempts", 0),
        .owner = wpa_feed_text(row, "owner"),
        .error = wpa_feed_text(row, "last_error"),
    };
}

static void fill_run(const wpa_json *row, wpa_arena *arena, void *out)
{
    wpa_run_row *r = out;
    (void)arena;
    *r = (wpa_run_row){
        .id = wpa_feed_int(row, "id", 0),
        .workflow = wpa_feed_text(row, "workflow"),
        .result = (wpa_run_result)wpa_feed_int(row, "result", 0),
        .commit = wpa_feed_text(row, "commit"),
        .took_ms = wpa_feed_int(row, "took_ms", WPA_UNKNOWN),
        .queue_ms = wpa_feed_int(row, "queue_ms", WPA_UNKNOWN),
        .started_at_us = wpa_feed_int(row, "started_at_us", 0),
    };
}

static void fill_destination(const wpa_json *row, wpa_arena *arena, void *out)
{
    wpa_destination_row *d = out;
    (void)arena;
    *d = (wpa_destination_row){
        .id = wpa_feed_int(row, "id", 0),
        .name = wpa_feed_text(row, "name"),
        .channel = wpa_feed_text(row, "channel"),
        .state = wpa_feed_text(row, "state"),
        .what = wpa_feed_text(row, "what"),
        .n_waiting = wpa_feed_int(row, "waiting", 0),
        .n_dead = wpa_feed_int(row, "dead", 0),
        .last_sent_at_us = wpa_feed_int(row, "last_sent_at_us", 0),
        .error = wpa_feed_text(row, "error"),
    };
}

static void fill_target(const wpa_json *row, wpa_arena *arena, void *out)
{
    wpa_target_row *t = out;
    (void)arena;
    *t = (wpa_target_row){
        .name = wpa_feed_text(row, "repository"),
        .ref = wpa_feed_text(row, "ref"),
        .stage = (int)wpa_feed_int(row, "n", 0),
        .state = (wpa_target_state)wpa_feed_word(row, "state", wpa_target_state_words,
                                                 WPA_TARGET_STATE_COUNT, 0),
        .base = wpa_feed_text(row, "base_oid"),
        .applied = wpa_feed_text(row, "applied_oid"),
        .reverted = wpa_feed_text(row, "revert_oid"),
        .note = wpa_feed_text(row, "note"),
    };
}

#define KIND(type, fill_function)                                                                  \
    {                                                                                              \
        .size_bytes = sizeof(type), .cursor_at = offsetof(type, cursor), .fill = (fill_function)   \
    }
const wpa_row_kind wpa_workflow_kind = KIND(wpa_workflow_row, fill_workflow);
const wpa_row_kind wpa_finding_kind = KIND(wpa_finding_row, fill_finding);
const wpa_row_kind wpa_patch_kind = KIND(wpa_patch_row, fill_patch);
const wpa_row_kind wpa_deployment_kind = KIND(wpa_deployment_row, fill_deployment);
const wpa_row_kind wpa_audit_kind = KIND(wpa_audit_row, fill_audit);
const wpa_row_kind wpa_notice_kind = KIND(wpa_notice_row, fill_notice);
const wpa_row_kind wpa_job_kind = KIND(wpa_job_row, fill_job);
const wpa_row_kind wpa_run_kind = KIND(wpa_run_row, fill_run);
const wpa_row_kind wpa_destination_kind = KIND(wpa_destination_row, fill_destination);
const wpa_row_kind wpa_check_kind = {.size_bytes = sizeof(wpa_check_row), .fill = fill_check};
const wpa_row_kind wpa_target_kind = {.size_bytes = sizeof(wpa_target_row), .fill = fill_target};
const wpa_row_kind wpa_activity_kind = {.size_bytes = sizeof(wpa_activity_row),
                                        .fill = fill_activity};
