#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "score/score.h"

static void assert_near(double actual, double expected)
{
    if (fabs(actual - expected) > 0.005) {
        print_error("%f is not %f\n", actual, expected);
        fail();
    }
}

/* The example of the specification: penalties given, one high security finding. */
static const wpa_score_finding example[] = {
    {.id = 1,
     .rule = "a",
     .dimension = WPA_DIMENSION_SECURITY,
     .severity = WPA_SEVERITY_HIGH,
     .confidence = WPA_CONFIDENCE_HIGH,
     .penalty = 4},
    {.id = 2, .rule = "b", .dimension = WPA_DIMENSION_SECURITY, .penalty = 1.8},
    {.id = 3, .rule = "c", .dimension = WPA_DIMENSION_SECURITY, .penalty = 1.0},
    {.id = 4, .rule = "d", .dimension = WPA_DIMENSION_EFFICIENCY, .penalty = 1},
    {.id = 5, .rule = "e", .dimension = WPA_DIMENSION_COMPATIBILITY, .penalty = 3.2},
    {.id = 6, .rule = "f", .dimension = WPA_DIMENSION_QUALITY, .penalty = 2},
    {.id = 7, .rule = "g", .dimension = WPA_DIMENSION_QUALITY, .penalty = 1},
};

static const wpa_score_runs example_runs = {
    .n_runs = 48, .n_good = 42, .n_commits = 48, .n_flaky = 3, .p50_now = 410, .p50_before = 380};

static int64_t lost_of(const wpa_score *score, int64_t id)
{
    for (size_t i = 0; i < score->n_lines; i++) {
        if (score->lines[i].id == id) {
            return score->lines[i].lost;
        }
    }
    return -1;
}

static void test_worked_example(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_score_input input = {example, WPA_COUNT(example), 1, &example_runs, false};
    wpa_score score = wpa_score_compute(&input, arena);
    assert_near(score.parts[WPA_DIMENSION_SECURITY].score, 55.48);
    assert_near(score.parts[WPA_DIMENSION_PERFORMANCE].score, 100);
    assert_near(score.parts[WPA_DIMENSION_EFFICIENCY].score, 91.70);
    assert_near(score.parts[WPA_DIMENSION_COMPATIBILITY].score, 75.79);
    assert_near(score.parts[WPA_DIMENSION_QUALITY].score, 77.11);
    assert_near(score.parts[WPA_SCORE_RUNS].score, 88.77);
    assert_near(score.uncapped, 77.65);
    assert_near(score.total, 69);
    assert_int_equal(score.cap, WPA_SCORE_CAP_HIGH);
    assert_int_equal(score.grade, 'D');
    assert_int_equal(score.n_parts, 6);
    assert_int_equal(score.parts[WPA_DIMENSION_SECURITY].lost, 1336);
    assert_int_equal(lost_of(&score, 1), 786);
    assert_int_equal(lost_of(&score, 2), 354);
    assert_int_equal(lost_of(&score, 3), 196);
    assert_int_equal(score.cap_lost, 865);
}

static void test_lost_points_add_up(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    for (size_t n = 0; n <= WPA_COUNT(example); n++) {
        wpa_score_input input = {example, n, 1, n % 2 ? &example_runs : NULL, false};
        wpa_score score = wpa_score_compute(&input, arena);
        int64_t parts = 0, lines = 0, history = score.parts[WPA_SCORE_RUNS].lost;
        for (size_t i = 0; i < WPA_SCORE_PARTS; i++) {
            parts += score.parts[i].lost;
        }
        for (size_t i = 0; i < score.n_lines; i++) {
            lines += score.lines[i].lost;
        }
        assert_int_equal(parts, 10000 - llround(score.uncapped * 100));
        assert_int_equal(lines + history, parts);
    }
}

static void test_without_runs(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_score_input input = {example, WPA_COUNT(example), 1, NULL, false};
    wpa_score score = wpa_score_compute(&input, arena);
    assert_near(score.uncapped, 74.87);
    assert_int_equal(score.n_parts, 5);
    wpa_score_runs few = {.n_runs = 4, .n_good = 0};
    input.runs = &few;
    assert_near(wpa_score_compute(&input, arena).uncapped, 74.87);
}

static void test_what_does_not_count(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_score_finding findings[] = {
        {.rule = "a",
         .severity = WPA_SEVERITY_CRITICAL,
         .confidence = WPA_CONFIDENCE_HIGH,
         .is_ignored = true},
        {.rule = "b",
         .severity = WPA_SEVERITY_CRITICAL,
         .confidence = WPA_CONFIDENCE_HIGH,
         .persona = WPA_PERSONA_PEDANTIC},
        {.rule = "c",
         .severity = WPA_SEVERITY_CRITICAL,
         .confidence = WPA_CONFIDENCE_HIGH,
         .kind = WPA_KIND_OPPORTUNITY},
    };
    wpa_score_input input = {findings, WPA_COUNT(findings), 1, NULL, false};
    wpa_score score = wpa_score_compute(&input, arena);
    assert_near(score.total, 100);
    assert_int_equal(score.grade, 'A');
    assert_int_equal(score.n_lines, 0);
    input.is_invalid = true;
    score = wpa_score_compute(&input, arena);
    assert_near(score.total, 0);
    assert_int_equal(score.grade, 'F');
}

static void test_a_critical_finding_halves_and_caps(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_score_finding finding = {
        .rule = "a", .severity = WPA_SEVERITY_CRITICAL, .confidence = WPA_CONFIDENCE_HIGH};
    wpa_score_input input = {&finding, 1, 1, NULL, false};
    wpa_score score = wpa_score_compute(&input, arena);
    assert_near(score.parts[WPA_DIMENSION_SECURITY].score, 50);
    assert_near(score.total, 49);
    finding.confidence = WPA_CONFIDENCE_LOW;
    score = wpa_score_compute(&input, arena);
    assert_int_equal(score.cap, WPA_SCORE_UNCAPPED);
}

static void test_the_total_without_one_finding(void **state)
{
    (void)state;
    const wpa_score_finding findings[] = {
        {.id = 7,
         .rule = "a",
         .severity = WPA_SEVERITY_CRITICAL,
         .confidence = WPA_CONFIDENCE_HIGH},
        {.id = 8, .rule = "b", .severity = WPA_SEVERITY_HIGH, .confidence = WPA_CONFIDENCE_HIGH},
    };
    wpa_score_input input = {findings, WPA_COUNT(findings), 1, NULL, false};
    assert_near(wpa_score_without(&input, 7), 69); /* the other one caps it */
    assert_near(wpa_score_without(&input, 8), 49);
    input.n_findings = 1;
    assert_near(wpa_score_without(&input, 7), 100);
    assert_near(wpa_score_without(&input, 9), 49); /* none is gone */
}

static void test_the_same_in_every_job_counts_once(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_score_finding findings[3] = {
        {.rule = "t",
         .job = "a",
         .severity = WPA_SEVERITY_MEDIUM,
         .confidence = WPA_CONFIDENCE_HIGH,
         .dimension = WPA_DIMENSION_PERFORMANCE},
        {.rule = "t",
         .job = "b",
         .severity = WPA_SEVERITY_MEDIUM,
         .confidence = WPA_CONFIDENCE_HIGH,
         .dimension = WPA_DIMENSION_PERFORMANCE},
        {.rule = "t",
         .job = "b",
         .severity = WPA_SEVERITY_MEDIUM,
         .confidence = WPA_CONFIDENCE_HIGH,
         .dimension = WPA_DIMENSION_PERFORMANCE},
    };
    wpa_score_input input = {findings, 2, 2, NULL, false};
    assert_near(wpa_score_compute(&input, arena).parts[WPA_DIMENSION_PERFORMANCE].penalty, 2);
    input.n_findings = 3;
    assert_near(wpa_score_compute(&input, arena).parts[WPA_DIMENSION_PERFORMANCE].penalty, 2);
    input.n_jobs = 3; /* one job is free of it */
    assert_near(wpa_score_compute(&input, arena).parts[WPA_DIMENSION_PERFORMANCE].penalty, 6);
}

/* A hostile file has thousands of jobs with one mistake each: they are counted in one pass. */
static void test_thousands_of_the_same(void **state)
{
    (void)state;
    enum {
        MANY = 20000
    };
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_score_finding *findings = wpa_arena_array(arena, MANY, sizeof *findings);
    for (int i = 0; i < MANY; i++) {
        findings[i] = (wpa_score_finding){.id = i + 1,
                                          .rule = "t",
                                          .job = wpa_arena_printf(arena, "job-%d", i),
                                          .severity = WPA_SEVERITY_MEDIUM,
                                          .confidence = WPA_CONFIDENCE_HIGH,
                                          .dimension = WPA_DIMENSION_PERFORMANCE};
    }
    wpa_score_input input = {findings, MANY, MANY, NULL, false};
    assert_near(wpa_score_compute(&input, arena).parts[WPA_DIMENSION_PERFORMANCE].penalty, 2);
    assert_near(wpa_score_without(&input, 1),
                81.25); /* of a job without it: nothing is left of 15 in 80 */
}

static void test_repository_and_fleet(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_score_member workflows[] = {{100, 999, 1}, {20, 0, 1}};
    assert_near(wpa_score_repository(workflows, 2), 50); /* lowest + 30 */
    assert_near(wpa_score_repository(workflows, 1), 100);
    const wpa_score_member repositories[] = {{90, 0, 3}, {50, 0, 1}};
    wpa_score_spread spread = wpa_score_fleet(repositories, 2, arena);
    assert_near(spread.mean, 80);
    assert_near(spread.p10, 50);
    assert_near(spread.p50, 50);
    assert_near(spread.p90, 90);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worked_example),
        cmocka_unit_test(test_lost_points_add_up),
        cmocka_unit_test(test_without_runs),
        cmocka_unit_test(test_what_does_not_count),
        cmocka_unit_test(test_a_critical_finding_halves_and_caps),
        cmocka_unit_test(test_the_total_without_one_finding),
        cmocka_unit_test(test_the_same_in_every_job_counts_once),
        cmocka_unit_test(test_thousands_of_the_same),
        cmocka_unit_test(test_repository_and_fleet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
