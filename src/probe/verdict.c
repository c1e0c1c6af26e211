#include "probe/verdict.h"

#include <wpa/text.h>

static const char *const measured_names[] = {
    [WPA_MEASURED_SUCCESS] = "success",
    [WPA_MEASURED_FAILURE] = "failure",
    [WPA_MEASURED_INCONCLUSIVE] = "inconclusive",
    [WPA_MEASURED_ERROR] = "error",
};
static const char *const verdict_names[] = {
    [WPA_VERDICT_RUNNING] = "running",
    [WPA_VERDICT_SUCCESS] = "success",
    [WPA_VERDICT_FAILURE] = "failure",
    [WPA_VERDICT_INCONCLUSIVE] = "inconclusive",
};

const char *wpa_measured_name(wpa_measured result)
{
    return measured_names[result];
}

bool wpa_measured_from_name(const char *name, wpa_measured *result)
{
    int index = name ? wpa_text_index(name, measured_names, WPA_COUNT(measured_names)) : -1;
    *result = index < 0 ? *result : (wpa_measured)index;
    return index >= 0;
}

const char *wpa_verdict_name(wpa_verdict verdict)
{
    return verdict_names[verdict];
}

bool wpa_verdict_from_name(const char *name, wpa_verdict *verdict)
{
    int index = name ? wpa_text_index(name, verdict_names, WPA_COUNT(verdict_names)) : -1;
    *verdict = index < 0 ? *verdict : (wpa_verdict)index;
    return index >= 0;
}

wpa_measured wpa_measured_of(wpa_truth success, wpa_truth failure, bool *is_contradictory)
{
    static const wpa_measured table[3][3] = {
        /* success:             failure absent            false                      true */
        [WPA_TRUTH_ABSENT] = {WPA_MEASURED_INCONCLUSIVE, WPA_MEASURED_SUCCESS,
                              WPA_MEASURED_FAILURE},
        [WPA_TRUTH_FALSE] = {WPA_MEASURED_FAILURE, WPA_MEASURED_INCONCLUSIVE, WPA_MEASURED_FAILURE},
        [WPA_TRUTH_TRUE] = {WPA_MEASURED_SUCCESS, WPA_MEASURED_SUCCESS, WPA_MEASURED_FAILURE},
    };
    *is_contradictory = success == WPA_TRUTH_TRUE && failure == WPA_TRUTH_TRUE;
    return table[success][failure];
}

/** Counts over the rows seen so far. */
typedef struct tally {
    int64_t made; /* that measured something: an error tells nothing of the target */
    int64_t successes, failures, inconclusives;
    int64_t failure_run, success_run, error_run;
    bool is_failure_open; /* the last decisive row was a failure not yet confirmed */
} tally;

/** One failure is not believed where one would be enough, unless measuring again changes nothing.
 */
static bool wants_confirmation(const wpa_probe_check *check)
{
    return check->failure_limit == 0 && check->failure_streak == 0 &&
           check->kind != WPA_PROBE_RESCORE;
}

static void count_failure(const wpa_probe_check *check, tally *sum)
{
    bool is_confirmed = !wants_confirmation(check) || sum->is_failure_open;
    sum->failures += is_confirmed;
    sum->is_failure_open = true;
    sum->failure_run++;
    sum->success_run = 0;
}

static void count(const wpa_probe_check *check, wpa_measured row, tally *sum)
{
    sum->made += row != WPA_MEASURED_ERROR;
    sum->error_run = row == WPA_MEASURED_ERROR ? sum->error_run + 1 : 0;
    switch (row) {
    case WPA_MEASURED_SUCCESS:
        sum->successes++;
        sum->success_run++;
        sum->failure_run = 0;
        sum->is_failure_open = false;
        break;
    case WPA_MEASURED_FAILURE:
        count_failure(check, sum);
        break;
    case WPA_MEASURED_INCONCLUSIVE:
        sum->inconclusives++;
        sum->failure_run = sum->success_run = 0;
        break;
    case WPA_MEASURED_ERROR:
        sum->failure_run = sum->success_run = 0;
        break;
    }
}

static wpa_verdict_state decide(wpa_verdict verdict, const char *reason)
{
    return (wpa_verdict_state){.verdict = verdict, .reason = reason};
}

/** What the rows alone force, however much time is left. */
static wpa_verdict_state decide_early(const wpa_probe_check *check, const tally *sum)
{
    if (check->failure_streak > 0 && sum->failure_run >= check->failure_streak) {
        return decide(WPA_VERDICT_FAILURE, "failed too often in a row");
    }
    if (check->failure_streak == 0 && sum->failures > check->failure_limit) {
        return decide(WPA_VERDICT_FAILURE, "failed too often");
    }
    if (sum->error_run > check->error_limit) {
        return decide(WPA_VERDICT_INCONCLUSIVE, "cannot measure");
    }
    if (sum->inconclusives > check->inconclusive_limit) {
        return decide(WPA_VERDICT_INCONCLUSIVE, "too often neither success nor failure");
    }
    if (check->success_streak > 0 && sum->success_run >= check->success_streak) {
        return decide(WPA_VERDICT_SUCCESS, "succeeded often enough in a row");
    }
    return decide(WPA_VERDICT_RUNNING, "");
}

static bool is_covered(const tally *sum, int64_t n_due)
{
    return (double)sum->made >= WPA_COVERAGE_NEEDED * (double)n_due;
}

static wpa_verdict_state decide_at_end(const wpa_probe_check *check, const tally *sum,
                                       int64_t n_due)
{
    if (check->success_streak > 0) {
        return decide(WPA_VERDICT_INCONCLUSIVE, "did not succeed often enough in a row");
    }
    if (sum->successes == 0) {
        return decide(WPA_VERDICT_INCONCLUSIVE, "never succeeded");
    }
    if (!is_covered(sum, n_due)) {
        return decide(WPA_VERDICT_INCONCLUSIVE, "too few of the measurements due were made");
    }
    return decide(WPA_VERDICT_SUCCESS, "");
}

/** What only the end forces; running where it has not come. */
static wpa_verdict_state decide_late(const wpa_probe_check *check, const tally *sum, int64_t n_due,
                                     wpa_bake_time time)
{
    const bool is_full = check->count > 0 && sum->made >= check->count;
    const int64_t wanted = check->count > 0 ? check->count : n_due;
    if (time == WPA_BAKE_OVER || is_full ||
        (time == WPA_BAKE_OVERTIME && is_covered(sum, wanted))) {
        return decide_at_end(check, sum, wanted);
    }
    return decide(WPA_VERDICT_RUNNING,
                  time == WPA_BAKE_OVERTIME ? "makes up for measurements that were missed" : "");
}

wpa_verdict_state wpa_verdict_of(const wpa_probe_check *check, const wpa_measured rows[],
                                 size_t n_rows, int64_t n_due, wpa_bake_time time)
{
    tally sum = {0};
    wpa_verdict_state state = decide(WPA_VERDICT_RUNNING, "");
    /* Row by row: once decided, later rows do not undo it. */
    for (size_t i = 0; i < n_rows && state.verdict == WPA_VERDICT_RUNNING; i++) {
        count(check, rows[i], &sum);
        state = decide_early(check, &sum);
    }
    bool is_open = sum.is_failure_open && wants_confirmation(check) && sum.failures == 0;
    /* An open failure is measured again first, even at the end of the bake. */
    if (state.verdict == WPA_VERDICT_RUNNING && !is_open) {
        state = decide_late(check, &sum, n_due, time);
    }
    state.needs_confirmation = state.verdict == WPA_VERDICT_RUNNING && is_open;
    state.hits = check->failure_streak > 0 ? sum.failure_run : sum.failures;
    state.hits_limit = check->failure_streak > 0 ? check->failure_streak : check->failure_limit + 1;
    return state;
}

wpa_verdict wpa_verdict_join(const wpa_verdict verdicts[], const bool is_dry[], size_t n)
{
    size_t counted = 0, succeeded = 0;
    bool is_inconclusive = false;
    for (size_t i = 0; i < n; i++) {
        if (is_dry[i]) {
            continue;
        }
        counted++;
        if (verdicts[i] == WPA_VERDICT_FAILURE) {
            return WPA_VERDICT_FAILURE;
        }
        is_inconclusive = is_inconclusive || verdicts[i] == WPA_VERDICT_INCONCLUSIVE;
        succeeded += verdicts[i] == WPA_VERDICT_SUCCESS;
    }
    if (is_inconclusive) {
        return WPA_VERDICT_INCONCLUSIVE;
    }
    return counted > 0 && succeeded == counted ? WPA_VERDICT_SUCCESS : WPA_VERDICT_RUNNING;
}
