#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "probe/downtime.h"
#include "probe/verdict.h"

/* s success, f failure, i inconclusive, e error */
static size_t rows_of(const char *text, wpa_measured *rows)
{
    static const char letters[] = "sfie";
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++) {
        rows[i] = (wpa_measured)(strchr(letters, text[i]) - letters);
    }
    return n;
}

static void two_conditions_make_a_result(void **state)
{
    (void)state;
    static const struct {
        wpa_truth success, failure;
        wpa_measured result;
    } table[] = {
        {WPA_TRUTH_TRUE, WPA_TRUTH_FALSE, WPA_MEASURED_SUCCESS},
        {WPA_TRUTH_TRUE, WPA_TRUTH_ABSENT, WPA_MEASURED_SUCCESS},
        {WPA_TRUTH_FALSE, WPA_TRUTH_ABSENT, WPA_MEASURED_FAILURE},
        {WPA_TRUTH_ABSENT, WPA_TRUTH_TRUE, WPA_MEASURED_FAILURE},
        {WPA_TRUTH_ABSENT, WPA_TRUTH_FALSE, WPA_MEASURED_SUCCESS},
        {WPA_TRUTH_TRUE, WPA_TRUTH_TRUE, WPA_MEASURED_FAILURE},
        {WPA_TRUTH_FALSE, WPA_TRUTH_FALSE, WPA_MEASURED_INCONCLUSIVE},
        {WPA_TRUTH_ABSENT, WPA_TRUTH_ABSENT, WPA_MEASURED_INCONCLUSIVE},
        {WPA_TRUTH_FALSE, WPA_TRUTH_TRUE, WPA_MEASURED_FAILURE},
    };
    for (size_t i = 0; i < WPA_COUNT(table); i++) {
        bool is_contradictory = false;
        assert_int_equal(table[i].result,
                         wpa_measured_of(table[i].success, table[i].failure, &is_contradictory));
        assert_int_equal(table[i].success == WPA_TRUTH_TRUE && table[i].failure == WPA_TRUTH_TRUE,
                         is_contradictory);
    }
}

#define LEFT WPA_BAKE_TIME_LEFT
#define MORE WPA_BAKE_OVERTIME
#define OVER WPA_BAKE_OVER

static const struct {
    const char *title, *rows;
    int64_t failure_limit, failure_streak, success_streak, count;
    int64_t n_due;
    wpa_bake_time time;
    wpa_verdict verdict;
    bool needs_confirmation;
} cases[] = {
    {"nothing yet", "", 0, 0, 0, 0, 0, LEFT, WPA_VERDICT_RUNNING, false},
    {"nothing at all", "", 0, 0, 0, 0, 3, OVER, WPA_VERDICT_INCONCLUSIVE, false},
    {"all well", "sss", 0, 0, 0, 0, 3, OVER, WPA_VERDICT_SUCCESS, false},
    {"all well so far", "sss", 0, 0, 0, 0, 3, LEFT, WPA_VERDICT_RUNNING, false},
    {"too few", "ssssssss", 0, 0, 0, 0, 9, OVER, WPA_VERDICT_INCONCLUSIVE, false},
    {"just enough", "sssssssss", 0, 0, 0, 0, 10, OVER, WPA_VERDICT_SUCCESS, false},
    {"one failure asks again", "sf", 0, 0, 0, 0, 2, LEFT, WPA_VERDICT_RUNNING, true},
    {"one failure at the end asks again", "sf", 0, 0, 0, 0, 2, OVER, WPA_VERDICT_RUNNING, true},
    {"confirmed", "sff", 0, 0, 0, 0, 2, LEFT, WPA_VERDICT_FAILURE, false},
    {"not confirmed", "sfs", 0, 0, 0, 0, 2, OVER, WPA_VERDICT_SUCCESS, false},
    {"asked again in vain", "sfe", 0, 0, 0, 0, 2, LEFT, WPA_VERDICT_RUNNING, true},
    {"confirmed behind an error", "sfef", 0, 0, 0, 0, 2, LEFT, WPA_VERDICT_FAILURE, false},
    {"a decided failure stays", "ffssssss", 0, 0, 0, 0, 8, OVER, WPA_VERDICT_FAILURE, false},
    {"within the limit", "sfsfs", 2, 0, 0, 0, 5, OVER, WPA_VERDICT_SUCCESS, false},
    {"over the limit", "sfsfsf", 2, 0, 0, 0, 6, LEFT, WPA_VERDICT_FAILURE, false},
    {"streak switches the limit off", "fsfsfs", 0, 2, 0, 0, 6, OVER, WPA_VERDICT_SUCCESS, false},
    {"streak reached", "sff", 0, 2, 0, 0, 3, LEFT, WPA_VERDICT_FAILURE, false},
    {"errors at the limit", "eeee", 0, 0, 0, 0, 4, LEFT, WPA_VERDICT_RUNNING, false},
    {"errors over the limit", "eeeee", 0, 0, 0, 0, 5, LEFT, WPA_VERDICT_INCONCLUSIVE, false},
    {"errors not in a row", "eeseee", 0, 0, 0, 0, 6, LEFT, WPA_VERDICT_RUNNING, false},
    {"an error measures nothing", "sses", 0, 0, 0, 0, 4, OVER, WPA_VERDICT_INCONCLUSIVE, false},
    {"few errors", "ssesssssss", 0, 0, 0, 0, 10, OVER, WPA_VERDICT_SUCCESS, false},
    {"missed", "ss", 0, 0, 0, 0, 3, MORE, WPA_VERDICT_RUNNING, false},
    {"missed all", "", 0, 0, 0, 0, 3, MORE, WPA_VERDICT_RUNNING, false},
    {"errors are missed", "ese", 0, 0, 0, 0, 3, MORE, WPA_VERDICT_RUNNING, false},
    {"made up for", "sss", 0, 0, 0, 0, 3, MORE, WPA_VERDICT_SUCCESS, false},
    {"made up for behind errors", "esess", 0, 0, 0, 0, 3, MORE, WPA_VERDICT_SUCCESS, false},
    {"never well, missed", "ii", 0, 0, 0, 0, 3, MORE, WPA_VERDICT_RUNNING, false},
    {"never well, made up for", "iii", 0, 0, 0, 0, 3, MORE, WPA_VERDICT_INCONCLUSIVE, false},
    {"bad in overtime", "ssff", 0, 0, 0, 0, 4, MORE, WPA_VERDICT_FAILURE, false},
    {"bad in overtime, once", "sssf", 0, 0, 0, 0, 4, MORE, WPA_VERDICT_RUNNING, true},
    {"inconclusive at the limit", "iiis", 0, 0, 0, 0, 4, OVER, WPA_VERDICT_SUCCESS, false},
    {"inconclusive over it", "iiii", 0, 0, 0, 0, 4, LEFT, WPA_VERDICT_INCONCLUSIVE, false},
    {"success streak", "sss", 0, 0, 3, 0, 3, LEFT, WPA_VERDICT_SUCCESS, false},
    {"success streak broken", "ssis", 0, 0, 3, 0, 4, OVER, WPA_VERDICT_INCONCLUSIVE, false},
    {"streak not reached, missed", "ss", 0, 0, 3, 0, 4, MORE, WPA_VERDICT_RUNNING, false},
    {"streak reached in overtime", "sss", 0, 0, 3, 0, 4, MORE, WPA_VERDICT_SUCCESS, false},
    {"streak not reached, none missed", "ssis", 0, 0, 3, 0, 4, MORE, WPA_VERDICT_INCONCLUSIVE,
     false},
    {"count is full", "sss", 0, 0, 0, 3, 3, LEFT, WPA_VERDICT_SUCCESS, false},
    {"count is not full", "ss", 0, 0, 0, 3, 2, LEFT, WPA_VERDICT_RUNNING, false},
    {"count is not full for an error", "ses", 0, 0, 0, 3, 3, LEFT, WPA_VERDICT_RUNNING, false},
    {"count of one behind an error", "es", 0, 0, 0, 1, 1, LEFT, WPA_VERDICT_SUCCESS, false},
    {"count missed", "ss", 0, 0, 0, 3, 2, MORE, WPA_VERDICT_RUNNING, false},
    {"count not reached at the end", "ss", 0, 0, 0, 3, 2, OVER, WPA_VERDICT_INCONCLUSIVE, false},
};

static void rows_make_a_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        wpa_measured rows[16];
        size_t n = rows_of(cases[i].rows, rows);
        const wpa_probe_check check = {.kind = WPA_PROBE_HTTP,
                                       .failure_limit = cases[i].failure_limit,
                                       .failure_streak = cases[i].failure_streak,
                                       .success_streak = cases[i].success_streak,
                                       .count = cases[i].count,
                                       .inconclusive_limit = 3,
                                       .error_limit = 4};
        print_message("%s\n", cases[i].title);
        wpa_verdict_state got = wpa_verdict_of(&check, rows, n, cases[i].n_due, cases[i].time);
        assert_int_equal(cases[i].verdict, got.verdict);
        assert_int_equal(cases[i].needs_confirmation, got.needs_confirmation);
    }
}

static void a_deterministic_check_is_believed_at_once(void **state)
{
    (void)state;
    const wpa_probe_check check = {.kind = WPA_PROBE_RESCORE};
    const wpa_measured row = WPA_MEASURED_FAILURE;
    wpa_verdict_state got = wpa_verdict_of(&check, &row, 1, 1, WPA_BAKE_TIME_LEFT);
    assert_int_equal(WPA_VERDICT_FAILURE, got.verdict);
    assert_int_equal(1, got.hits);
    assert_int_equal(1, got.hits_limit);
}

/* Whatever the rows: a verdict once reached is the verdict of every longer history. */
static void verdicts_do_not_change(void **state)
{
    (void)state;
    const wpa_probe_check check = {
        .kind = WPA_PROBE_HTTP, .success_streak = 4, .inconclusive_limit = 1, .error_limit = 1};
    for (unsigned seed = 0; seed < 4096; seed++) {
        wpa_measured rows[6];
        wpa_verdict before = WPA_VERDICT_RUNNING;
        for (size_t n = 1; n <= 6; n++) {
            rows[n - 1] = (wpa_measured)(seed >> (2 * (n - 1)) & 3U);
            wpa_verdict now =
                wpa_verdict_of(&check, rows, n, (int64_t)n, WPA_BAKE_TIME_LEFT).verdict;
            assert_true(before == WPA_VERDICT_RUNNING || now == before);
            before = now;
        }
    }
}

static void a_stage_joins_its_checks(void **state)
{
    (void)state;
    /* All combinations of three checks, each of four verdicts, the last one dry or not. */
    for (unsigned i = 0; i < 128; i++) {
        const wpa_verdict v[] = {(wpa_verdict)(i & 3U), (wpa_verdict)(i >> 2 & 3U),
                                 (wpa_verdict)(i >> 4 & 3U)};
        const bool dry[] = {false, false, i >= 64};
        size_t n = dry[2] ? 2 : 3, good = 0;
        bool has_failure = false, has_inconclusive = false;
        for (size_t k = 0; k < n; k++) {
            has_failure = has_failure || v[k] == WPA_VERDICT_FAILURE;
            has_inconclusive = has_inconclusive || v[k] == WPA_VERDICT_INCONCLUSIVE;
            good += v[k] == WPA_VERDICT_SUCCESS;
        }
        wpa_verdict expected = has_failure        ? WPA_VERDICT_FAILURE
                               : has_inconclusive ? WPA_VERDICT_INCONCLUSIVE
                               : good == n        ? WPA_VERDICT_SUCCESS
                                                  : WPA_VERDICT_RUNNING;
        assert_int_equal(expected, wpa_verdict_join(v, dry, 3));
    }
    assert_int_equal(WPA_VERDICT_RUNNING, wpa_verdict_join(NULL, NULL, 0));
}

/* One letter a second from second 1; "." is no probe. Interval 1 s. */
static const struct {
    const char *title, *rows;
    int64_t certain_s, possible_s, unknown_s;
    size_t n_intervals;
    bool is_zero;
} downtimes[] = {
    {"up", "ssssssssss", 0, 0, 0, 0, true},
    {"one failure", "sssfssssss", 0, 2, 0, 1, false},
    {"three in a row", "ssfffsssss", 2, 4, 0, 1, false},
    {"twice", "sfssffssss", 1, 5, 0, 2, false},
    {"from the start", "ffssssssss", 1, 3, 0, 1, false},
    {"to the end", "ssssssssff", 1, 2, 0, 1, false},
    {"a missing probe is bridged", "ss.sssssss", 0, 0, 0, 0, false},
    {"nobody looked", "ss...sssss", 0, 0, 4, 0, false},
    {"gap in a failure", "sf...fssss", 0, 2, 4, 2, false},
    {"an error measures nothing", "sseeesssss", 0, 0, 4, 0, false},
    {"never probed", "..........", 0, 0, 10, 0, false},
};

static void downtime_is_what_probes_saw(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(downtimes); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_downtime_row rows[16];
        size_t n = 0;
        print_message("%s\n", downtimes[i].title);
        for (size_t k = 0; downtimes[i].rows[k]; k++) {
            char letter[2] = {downtimes[i].rows[k], '\0'};
            if (letter[0] != '.') {
                rows[n].at_us = (int64_t)(k + 1) * 1000000;
                rows_of(letter, &rows[n++].result);
            }
        }
        wpa_downtime got = wpa_downtime_of(rows, n, 1000, 0, 10000000, arena);
        assert_int_equal(downtimes[i].certain_s * 1000000, got.certain_us);
        assert_int_equal(downtimes[i].possible_s * 1000000, got.possible_us);
        assert_int_equal(downtimes[i].unknown_s * 1000000, got.unknown_us);
        assert_int_equal(downtimes[i].n_intervals, got.n_intervals);
        assert_int_equal(downtimes[i].is_zero, wpa_downtime_is_zero(&got, 1));
        double expected = 1 - (double)downtimes[i].possible_s / 10;
        double availability = wpa_downtime_availability(&got, 1);
        assert_true(availability > expected - 1e-9 && availability < expected + 1e-9);
    }
    assert_false(wpa_downtime_is_zero(NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_conditions_make_a_result),
        cmocka_unit_test(rows_make_a_verdict),
        cmocka_unit_test(a_deterministic_check_is_believed_at_once),
        cmocka_unit_test(verdicts_do_not_change),
        cmocka_unit_test(a_stage_joins_its_checks),
        cmocka_unit_test(downtime_is_what_probes_saw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
