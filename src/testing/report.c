#include <string.h>

#include <wpa/text.h>

#include "testing/run.h"

typedef struct phase_sum {
    size_t n_planned, n_done, n_good, n_bad, n_unproven;
    int64_t n_cases, n_cases_failed; /* of test commands */
    double coverage;                 /* lowest of the targets; -1: none */
} phase_sum;

static bool is_good(const wpa_test_item *item)
{
    return item->outcome.result == WPA_TEST_PASS || item->outcome.result == WPA_TEST_WARN;
}

static phase_sum sum_phase(const wpa_test_run *run, wpa_test_phase_kind phase)
{
    phase_sum sum = {.coverage = -1};
    for (size_t i = 0; i < run->n_items; i++) {
        const wpa_test_item *item = &run->items[i];
        if (item->check->phase != phase) {
            continue;
        }
        sum.n_planned++;
        if (!item->is_done) {
            continue;
        }
        const wpa_test_outcome *outcome = &item->outcome;
        bool is_allowed = outcome->result == WPA_TEST_SKIPPED &&
                          wpa_test_skip_is_allowed(item->check, outcome->skip);
        sum.n_done++;
        sum.n_good += is_good(item);
        sum.n_bad += !is_good(item) && !is_allowed;
        sum.n_unproven += is_allowed;
        sum.n_cases += outcome->n_cases > 0 ? outcome->n_cases : 0;
        sum.n_cases_failed += outcome->n_cases_failed > 0 ? outcome->n_cases_failed : 0;
        if (outcome->coverage >= 0 && (sum.coverage < 0 || outcome->coverage < sum.coverage)) {
            sum.coverage = outcome->coverage;
        }
    }
    return sum;
}

/** Null where nothing was run; skipped checks are neither run nor passed. Tests are the checks and
 * the cases that a test framework reported, which are also told apart. */
static wpa_json *add_phase(wpa_json *report, const char *name, const phase_sum *sum)
{
    wpa_json *object = wpa_json_set_object(report, name);
    bool was_run = sum->n_good + sum->n_bad > 0;
    const struct {
        const char *name;
        int64_t n;
    } counts[] = {
        {"tests_run", (int64_t)(sum->n_good + sum->n_bad) + sum->n_cases},
        {"tests_passed", (int64_t)sum->n_good + sum->n_cases - sum->n_cases_failed},
        {"checks_run", (int64_t)(sum->n_good + sum->n_bad)},
        {"checks_passed", (int64_t)sum->n_good},
        {"cases_run", sum->n_cases},
        {"cases_failed", sum->n_cases_failed},
    };
    wpa_json_set_null(object, "passed");
    if (was_run) {
        wpa_json_set_bool(object, "passed", sum->n_bad == 0 && sum->n_done == sum->n_planned);
    }
    for (size_t i = 0; i < WPA_COUNT(counts); i++) {
        wpa_json_set_null(object, counts[i].name);
        if (was_run) {
            wpa_json_set_int(object, counts[i].name, counts[i].n);
        }
    }
    return object;
}

/** true if all that is asked of it is, false if anything is not, else null. */
static void add_claim(wpa_json *checks, const char *name, const wpa_test_run *run, const char *id)
{
    size_t n = 0, n_good = 0, n_failed = 0;
    for (size_t i = 0; i < run->n_items; i++) {
        const wpa_test_item *item = &run->items[i];
        if (wpa_text_is(item->check->id, id)) {
            n++;
            n_good += item->is_done && is_good(item);
            n_failed += item->is_done && item->outcome.result == WPA_TEST_FAIL;
        }
    }
    if (n_failed > 0 || (n > 0 && n_good == n)) {
        wpa_json_set_bool(checks, name, n_failed == 0);
    } else {
        wpa_json_set_null(checks, name);
    }
}

static void add_skip(wpa_json *list, const char *check, const char *subject, const char *reason)
{
    wpa_json *entry = wpa_json_push_object(list);
    wpa_json_set_text(entry, "check", check);
    wpa_json_set_text(entry, "subject", subject);
    wpa_json_set_text(entry, "reason", reason);
}

/** What is null although no check of it says that it was left out. */
static void add_unmeasured(wpa_json *list, const phase_sum *const phases[], double coverage)
{
    static const char *const names[] = {"isolated_tests", "integration_tests", "safety_checks",
                                        "compatibility_checks"};
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        if (phases[i]->n_planned == 0) {
            add_skip(list, names[i], "", "no check of this phase is about what the patch changes");
        }
    }
    if (coverage < 0) {
        add_skip(list, "coverage_percentage", "", "no test reported its coverage");
    }
}

static void add_skipped(wpa_json *report, const wpa_test_run *run, const phase_sum *const phases[])
{
    wpa_json *list = wpa_json_set_array(report, "skipped");
    for (size_t i = 0; i < run->n_items; i++) {
        const wpa_test_item *item = &run->items[i];
        if (item->is_done && item->outcome.result != WPA_TEST_SKIPPED) {
            continue;
        }
        add_skip(list, item->check->id, item->subject,
                 item->is_done ? item->outcome.reason : "an earlier phase failed");
    }
    add_unmeasured(list, phases, phases[0]->coverage);
}

wpa_json *wpa_test_report(const wpa_test_run *run, wpa_arena *arena)
{
    wpa_json *report = wpa_json_new_object(arena);
    phase_sum isolated = sum_phase(run, WPA_TEST_ISOLATED);
    phase_sum integration = sum_phase(run, WPA_TEST_INTEGRATION);
    phase_sum safety = sum_phase(run, WPA_TEST_SAFETY);
    phase_sum compatibility = sum_phase(run, WPA_TEST_COMPATIBILITY);

    wpa_json *object = add_phase(report, "isolated_tests", &isolated);
    if (isolated.coverage >= 0) {
        wpa_json_set_real(object, "coverage_percentage", isolated.coverage);
    } else {
        wpa_json_set_null(object, "coverage_percentage");
    }
    object = add_phase(report, "integration_tests", &integration);
    if (integration.n_done > 0) {
        wpa_json_set_int(object, "integration_points_verified", (int64_t)integration.n_good);
    } else {
        wpa_json_set_null(object, "integration_points_verified");
    }
    object = add_phase(report, "safety_checks", &safety);
    wpa_json *checks = wpa_json_set_object(object, "checks");
    add_claim(checks, "no_data_loss", run, "S1");
    add_claim(checks, "backward_compatible", run, "S2");
    add_claim(checks, "rollback_available", run, "S3");
    add_claim(checks, "security_scan_passed", run, "S4");
    add_claim(checks, "ethics_compliance", run, "S5");
    add_phase(report, "compatibility_checks", &compatibility);
    const phase_sum *const phases[] = {&isolated, &integration, &safety, &compatibility};
    add_skipped(report, run, phases);
    return report;
}
