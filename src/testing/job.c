#include <inttypes.h>
#include <math.h>
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "gen/sql.h"
#include "sandbox/sandbox.h"
#include "testing/load.h"
#include "testing/run.h"
#include "testing/testing.h"

#define ABANDONED "the agent that ran it is gone"
#define MIN_OUTCOMES 5 /* fewer say nothing about confidence */
#define WILSON_Z 1.959963984540054

/** What the recorder and the ending know of a test under way. */
typedef struct testing {
    wpa_job_context *job;
    wpa_test_loaded *loaded;
    wpa_arena *arena;
    char patch_id[WPA_DB_NUMBER_SIZE];
    char run_id[WPA_DB_NUMBER_SIZE];
} testing;

static bool run_statement(testing *at, const wpa_sql *statement, const char *const params[],
                          size_t n, wpa_error *err)
{
    return wpa_db_run(at->job->db, statement, params, n, err);
}

/** One statement in a transaction of its own, under the lease. */
static bool run_fenced(testing *at, const wpa_sql *statement, const char *const params[], size_t n,
                       wpa_error *err)
{
    if (!wpa_job_begin(at->job, err)) {
        return false;
    }
    if (!run_statement(at, statement, params, n, err)) {
        wpa_db_rollback(at->job->db);
        return false;
    }
    return wpa_db_commit(at->job->db, err);
}

/* ---- the beginning ---- */

/** End what a dead agent left, under the lease that is ours now. */
static bool abandon_old(testing *at, const char *reason, wpa_error *err)
{
    const char *run_params[] = {at->patch_id, reason};
    return run_statement(at, WPA_SQL_TESTING_ABANDON_RUN, run_params, 2, err) &&
           run_statement(at, WPA_SQL_TESTING_GIVE_BACK, run_params, 1, err);
}

static bool insert_run(testing *at, int64_t attempt, wpa_error *err)
{
    char number[WPA_DB_NUMBER_SIZE], job[WPA_DB_NUMBER_SIZE], who[WPA_DB_NUMBER_SIZE];
    int64_t requester = at->job->job->requested_by;
    const char *params[] = {at->patch_id, at->loaded->digest_text, wpa_db_number(attempt, number),
                            requester ? wpa_db_number(requester, who) : NULL,
                            wpa_db_number(at->job->job->id, job)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(at->job->db, WPA_SQL_TESTING_RUN_NEW, params, WPA_COUNT(params), err);
    if (!rows) {
        return false;
    }
    wpa_db_number(wpa_rows_int(rows, 0, 0), at->run_id);
    return true;
}

/** Take the patch into its test; *is_begun stays false if the patch is in no state to be tested. */
static bool begin(testing *at, bool *is_begun, wpa_error *err)
{
    const char *params[] = {at->patch_id};
    if (!abandon_old(at, ABANDONED, err)) {
        return false;
    }
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(at->job->db, WPA_SQL_TESTING_BEGIN, params, 1, err);
    if (!rows) {
        return false;
    }
    *is_begun = wpa_rows_count(rows) > 0;
    return !*is_begun || insert_run(at, wpa_rows_int(rows, 0, 0), err);
}

/* ---- on the way ---- */

static bool insert_check(testing *at, wpa_test_item *item, wpa_error *err)
{
    const wpa_test_check *check = item->check;
    const char *params[] = {at->run_id,    check->id,
                            item->subject, wpa_test_phase_name(check->phase),
                            check->title,  wpa_db_bool(check->is_waivable)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(at->job->db, WPA_SQL_TESTING_CHECK_NEW, params, WPA_COUNT(params), err);
    item->row = rows ? wpa_rows_int(rows, 0, 0) : 0;
    return rows != NULL;
}

static bool write_phase(testing *at, wpa_test_run *run, wpa_test_phase_kind phase, wpa_error *err)
{
    char total[WPA_DB_NUMBER_SIZE];
    const char *params[] = {at->run_id, wpa_test_phase_name(phase),
                            wpa_db_number((int64_t)run->n_items, total)};
    if (!run_statement(at, WPA_SQL_TESTING_RUN_PHASE, params, WPA_COUNT(params), err)) {
        return false;
    }
    for (size_t i = 0; i < run->n_items; i++) {
        if (run->items[i].check->phase == phase && !insert_check(at, &run->items[i], err)) {
            return false;
        }
    }
    return true;
}

static bool on_phase(void *context, wpa_test_run *run, wpa_test_phase_kind phase, wpa_error *err)
{
    testing *at = context;
    char note[64];
    if (!wpa_job_begin(at->job, err)) {
        return false;
    }
    if (!write_phase(at, run, phase, err)) {
        wpa_db_rollback(at->job->db);
        return false;
    }
    (void)wpa_text_format(note, sizeof note, "%s", wpa_test_phase_name(phase));
    return wpa_db_commit(at->job->db, err) &&
           wpa_job_progress(at->job, (int64_t)run->n_done, (int64_t)run->n_items, note, err);
}

static bool on_begin(void *context, wpa_test_run *run, wpa_test_item *item, wpa_error *err)
{
    testing *at = context;
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(item->row, id)};
    (void)run;
    return wpa_job_check(at->job, err) &&
           run_fenced(at, WPA_SQL_TESTING_CHECK_BEGIN, params, 1, err);
}

static const char *number_or_null(int64_t value, char *text)
{
    return value < 0 ? NULL : wpa_db_number(value, text);
}

static bool on_end(void *context, wpa_test_run *run, wpa_test_item *item, wpa_error *err)
{
    testing *at = context;
    const wpa_test_outcome *outcome = &item->outcome;
    char id[WPA_DB_NUMBER_SIZE], cases[WPA_DB_NUMBER_SIZE], failed[WPA_DB_NUMBER_SIZE];
    char took[WPA_DB_NUMBER_SIZE];
    wpa_json *evidence = wpa_json_new_object(at->arena);
    wpa_json_set(evidence, "items", wpa_json_dup(outcome->evidence, at->arena));
    if (outcome->coverage >= 0) {
        wpa_json_set_real(evidence, "coverage", outcome->coverage);
    }
    const char *params[] = {wpa_db_number(item->row, id),
                            wpa_test_result_name(outcome->result),
                            *outcome->reason ? outcome->reason : NULL,
                            wpa_json_dump(evidence, at->arena),
                            outcome->output,
                            number_or_null(outcome->n_cases, cases),
                            number_or_null(outcome->n_cases_failed, failed),
                            wpa_db_number(outcome->duration_ms, took)};
    return run_fenced(at, WPA_SQL_TESTING_CHECK_END, params, WPA_COUNT(params), err) &&
           wpa_job_progress(at->job, (int64_t)run->n_done, (int64_t)run->n_items,
                            wpa_test_phase_name(item->check->phase), err);
}

/* ---- the end ---- */

/** Lower bound of the Wilson interval of s good outcomes of n. */
static double wilson_lower(double s, double n)
{
    double z2 = WILSON_Z * WILSON_Z, p = s / n;
    double centre = p + z2 / (2 * n);
    double spread = WILSON_Z * sqrt(p * (1 - p) / n + z2 / (4 * n * n));
    double lower = (centre - spread) / (1 + z2 / n);
    return lower > 0 ? lower : 0;
}

static const char *measure_confidence(testing *at, wpa_error *err)
{
    const char *params[] = {at->patch_id};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(at->job->db, WPA_SQL_TESTING_CONFIDENCE, params, 1, err);
    if (!rows) {
        return NULL;
    }
    int64_t quiet = wpa_rows_int(rows, 0, 0), restored = wpa_rows_int(rows, 0, 1);
    wpa_json *confidence = wpa_json_new_object(at->arena);
    wpa_json_set_int(confidence, "successes", quiet);
    wpa_json_set_int(confidence, "failures", restored);
    wpa_json_set_null(confidence, "lower_bound");
    if (quiet + restored >= MIN_OUTCOMES) {
        wpa_json_set_real(confidence, "lower_bound",
                          wilson_lower((double)quiet, (double)(quiet + restored)));
    }
    return wpa_json_dump(confidence, at->arena);
}

static const char *coverage_of(const wpa_test_run *run, wpa_arena *arena)
{
    wpa_json *coverage = wpa_json_new_object(arena);
    for (size_t i = 0; i < run->n_items; i++) {
        if (run->items[i].is_done && run->items[i].outcome.coverage >= 0) {
            wpa_json_set_real(coverage, run->items[i].subject, run->items[i].outcome.coverage);
        }
    }
    return wpa_json_dump(coverage, arena);
}

static bool end_run(testing *at, const char *state, const char *reason, const wpa_test_run *run,
                    const char *report, wpa_error *err)
{
    const char *params[] = {at->run_id, state, *reason ? reason : NULL, report,
                            coverage_of(run, at->arena)};
    return run_statement(at, WPA_SQL_TESTING_RUN_END, params, WPA_COUNT(params), err);
}

/** Nothing against it: the patch is tested. */
static bool pass(testing *at, const wpa_test_run *run, const char *report, wpa_error *err)
{
    const char *confidence = measure_confidence(at, err);
    if (!confidence) {
        return false;
    }
    const char *params[] = {at->patch_id, report, confidence};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(at->job->db, WPA_SQL_TESTING_PASS, params, WPA_COUNT(params), err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_CONFLICT, "p-%s changed while it was tested", at->patch_id);
    }
    return end_run(at, "passed", "", run, report, err);
}

/** Something against it: the patch has failed. */
static bool fail(testing *at, const wpa_test_run *run, const char *state, const char *reason,
                 const char *report, wpa_error *err)
{
    const char *params[] = {at->patch_id, reason, report};
    return end_run(at, state, run->reason, run, report, err) &&
           run_statement(at, WPA_SQL_TESTING_FAIL, params, WPA_COUNT(params), err);
}

static bool may_retry(const testing *at, const wpa_test_run *run)
{
    return run->verdict == WPA_TEST_UNDECIDED && run->can_retry &&
           at->job->job->attempt < at->job->job->max_attempts;
}

static bool end(testing *at, const wpa_test_run *run, wpa_error *err)
{
    const char *report = wpa_json_dump(wpa_test_report(run, at->arena), at->arena);
    const char *params[] = {at->patch_id};
    if (run->verdict == WPA_TEST_PASSED) {
        return pass(at, run, report, err);
    }
    if (run->verdict == WPA_TEST_FAILED) {
        return fail(at, run, "failed", "test_failed", report, err);
    }
    if (!may_retry(at, run)) {
        return fail(at, run, "error", "test_error", report, err);
    }
    return end_run(at, "error", run->reason, run, report, err) &&
           run_statement(at, WPA_SQL_TESTING_GIVE_BACK, params, 1, err);
}

/** Told to stop, or the database would not keep a result: back to pending, if it is still ours. */
static void give_up(testing *at, const wpa_error *why)
{
    wpa_error ignored = {0}; /* whoever claims the job next does the same again */
    char text[1100];
    wpa_db_rollback(at->job->db);
    if (why->code == WPA_E_LEASE_LOST || !wpa_job_begin(at->job, &ignored)) {
        return;
    }
    if (!abandon_old(at, wpa_error_text(why, text, sizeof text), &ignored) ||
        !wpa_db_commit(at->job->db, &ignored)) {
        wpa_db_rollback(at->job->db);
    }
}

/* ---- the whole ---- */

static bool should_stop(void *context)
{
    return wpa_job_should_stop(context);
}

static bool run_phases(testing *at, wpa_test_run *run, wpa_error *err)
{
    wpa_error no_sandbox = {0};
    char text[1100];
    const wpa_json *payload = wpa_json_parse(at->job->job->payload, strlen(at->job->job->payload),
                                             WPA_JSON_MAX_BYTES, at->arena, err);
    if (!payload) {
        return false;
    }
    const wpa_test_options options = {.runs_all =
                                          wpa_json_bool_of(wpa_json_find(payload, "all"), false)};
    const wpa_test_recorder recorder = {
        .begin_phase = on_phase, .begin_check = on_begin, .end_check = on_end, .context = at};
    wpa_test_context around = {.patch = &at->loaded->patch,
                               .arena = at->arena,
                               .scratch = at->job->cache_folder,
                               .is_cancelled = should_stop,
                               .context = at->job};
    if (!wpa_sandbox_check(&no_sandbox)) {
        around.no_sandbox =
            wpa_arena_text(at->arena, wpa_error_text(&no_sandbox, text, sizeof text));
    }
    return wpa_test_run_all(&around, &options, &recorder, run, err);
}

static bool transact(testing *at, bool is_good, wpa_error *err)
{
    if (!is_good) {
        wpa_db_rollback(at->job->db);
        return false;
    }
    return wpa_db_commit(at->job->db, err);
}

static bool test_patch(testing *at, wpa_error *err)
{
    wpa_test_run run;
    if (!run_phases(at, &run, err)) {
        give_up(at, err);
        return false;
    }
    if (!wpa_job_begin(at->job, err)) {
        return false;
    }
    if (!transact(at, end(at, &run, err), err)) {
        wpa_error why = *err;
        give_up(at, &why);
        return false;
    }
    if (may_retry(at, &run)) {
        return WPA_FAIL(err, WPA_E_UNAVAILABLE, "%s", run.reason);
    }
    wpa_json *result = wpa_json_new_object(at->arena);
    wpa_json_set_text(result, "verdict", run.verdict == WPA_TEST_PASSED ? "tested" : "failed");
    wpa_json_set_int(result, "checks", (int64_t)run.n_done);
    wpa_json_set_text(result, "reason", run.reason);
    wpa_job_set_result(at->job, wpa_json_dump(result, at->arena));
    return true;
}

static bool read_subject(const char *subject, int64_t *patch_id, wpa_error *err)
{
    static const char prefix[] = "patch:";
    return (wpa_text_starts(subject, prefix) &&
            wpa_text_to_int(subject + strlen(prefix), 1, INT64_MAX, patch_id)) ||
           WPA_FAIL(err, WPA_E_INVALID, "'%s' is no patch", subject);
}

bool wpa_testing_job(wpa_job_context *context, wpa_error *err)
{
    int64_t patch_id = 0;
    bool is_begun = false;
    testing at = {.job = context, .arena = context->arena};
    if (!read_subject(context->job->subject, &patch_id, err)) {
        return false;
    }
    wpa_db_number(patch_id, at.patch_id);
    if (!wpa_job_begin(context, err)) {
        return false;
    }
    at.loaded = wpa_test_load(context->db, patch_id, context->arena, err);
    if (!transact(&at, at.loaded && begin(&at, &is_begun, err), err)) {
        return false;
    }
    if (!is_begun) {
        return true; /* rejected, superseded or tested meanwhile: nothing is to be done */
    }
    wpa_test_open_targets(&at.loaded->patch, context->cache_folder, wpa_now_us(), context->arena);
    bool is_done = test_patch(&at, err);
    wpa_test_close_targets(&at.loaded->patch);
    return is_done;
}
