#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "runner/runner.h"

#define LCOV_HUGE "SF:a.c\nLF:9223372036854775807\nLH:9223372036854775807\nend_of_record\n"
#define LCOV "SF:a.c\nDA:1,3\nDA:2,0\nend_of_record\nSF:b.c\nDA:1,1\nLF:6\nLH:5\nend_of_record\n"
#define COBERTURA                                                                                  \
    "<coverage><packages><package><classes><class><methods><method><lines><line number='1' "       \
    "hits='1'/></lines></method></methods><lines><line number='1' hits='1'/><line number='2' "     \
    "hits='0'/></lines></class></classes></package></packages></coverage>"

static const struct {
    const char *title, *text;
    bool is_known;
    wpa_code code;
    size_t n_passed, n_failed, n_skipped;
    int64_t found, hit;
    const char *last; /* name of the last case */
} cases[] = {
    {"junit suites",
     "<testsuites><testsuite name='s'><testcase name='a' classname='k' time='0.25'/><testcase "
     "name='b'><failure message='no'/></testcase></testsuite></testsuites>",
     true, WPA_OK, 1, 1, 0, 0, 0, "s / b"},
    {"junit one suite",
     "<?xml version='1.0'?>\n<testsuite name='s'><testcase name='a'><skipped/></testcase><testcase "
     "name='a'><error>boom</error></testcase></testsuite>",
     true, WPA_OK, 0, 1, 1, 0, 0, "s / a #2"},
    {"junit broken", "<testsuite><testcase>", true, WPA_E_INVALID, 0, 0, 0, 0, 0, NULL},
    {"other xml", "<project/>", false, WPA_OK, 0, 0, 0, 0, 0, NULL},
    {"tap",
     "TAP version 13\n1..4\nok 1 - one\nnot ok 2 two\n    not ok 1 - inner\nok 3 # SKIP no\n"
     "not ok 4 - later # TODO\n",
     true, WPA_OK, 1, 1, 2, 0, 0, "later"},
    {"tap plan behind", "ok 1\nok\nokay then\n1..2\n", true, WPA_OK, 2, 0, 0, 0, 0, "(no name) #2"},
    {"tap bails out", "1..3\nok 1 - x\nBail out! disk\n", true, WPA_OK, 1, 1, 0, 0, 0,
     "(bailed out)"},
    {"plain text", "ok then\nall fine\n", false, WPA_OK, 0, 0, 0, 0, 0, NULL},
    {"lcov", LCOV, true, WPA_OK, 0, 0, 0, 8, 6, NULL},
    {"lcov beyond all sums", LCOV_HUGE LCOV_HUGE, true, WPA_OK, 0, 0, 0, 0, 0, NULL},
    {"cobertura", COBERTURA, true, WPA_OK, 0, 0, 0, 2, 1, NULL},
    {"nothing", "", false, WPA_OK, 0, 0, 0, 0, 0, NULL},
};

static void reads_reports(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        bool is_known = false;
        print_message("%s\n", cases[i].title);
        wpa_case_report *report = wpa_case_report_new(arena);
        bool is_read = wpa_case_report_add(report, "f", (const uint8_t *)cases[i].text,
                                           strlen(cases[i].text), &is_known, &err);
        assert_int_equal(cases[i].code, is_read ? WPA_OK : err.code);
        assert_int_equal(cases[i].is_known, is_known);
        assert_int_equal(cases[i].n_passed, report->n_passed);
        assert_int_equal(cases[i].n_failed, report->n_failed);
        assert_int_equal(cases[i].n_skipped, report->n_skipped);
        assert_int_equal(cases[i].found, report->lines_found);
        assert_int_equal(cases[i].hit, report->lines_hit);
        if (cases[i].last) {
            assert_string_equal(cases[i].last, report->cases[report->n_cases - 1].name);
        }
    }
}

static wpa_case_report *tap(const char *text, wpa_arena *arena)
{
    wpa_error err = {0};
    bool is_known = false;
    wpa_case_report *report = wpa_case_report_new(arena);
    assert_true(
        wpa_case_report_add(report, "t", (const uint8_t *)text, strlen(text), &is_known, &err));
    return report;
}

static void compares(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_case_report *before =
        tap("1..5\nok 1 a\nok 2 b\nnot ok 3 c\nok 4 d\nok 5 f\n", arena);
    const wpa_case_report *after =
        tap("1..5\nok 1 a\nnot ok 2 b\nnot ok 3 c\nnot ok 4 e\nok 5 f # SKIP not today\n", arena);
    wpa_case_report_change change = wpa_case_report_compare(before, after, arena);
    assert_int_equal(1, change.n_broken);
    assert_string_equal("b", change.broken[0]->name);
    assert_int_equal(1, change.n_missing);
    assert_string_equal("d", change.missing[0]->name);
    assert_int_equal(1, change.n_skipped);
    assert_string_equal("f", change.skipped[0]->name);
    assert_true(wpa_case_report_coverage(before) < 0);
}

static void runs_a_command(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    if (!wpa_sandbox_check(&err)) {
        print_message("skipped: %s\n", err.message);
        skip();
    }
    const char *tree = wpa_dir_temp("/tmp/wpa-runner", arena, &err);
    assert_non_null(tree);
    assert_true(
        wpa_file_replace(wpa_path_join(arena, tree, "lcov.in"), LCOV, strlen(LCOV), 0644, &err));
    const char *argv[] = {"sh", "-c",
                          "mkdir -p out/x; cp lcov.in out/x/lcov.info; echo 1..1; "
                          "echo ok 1 - it works; exit 3",
                          NULL};
    const wpa_runner_spec spec = {.argv = argv};
    const wpa_runner_result *result = wpa_runner_run(&spec, tree, arena, &err);
    assert_non_null(result);
    assert_false(wpa_runner_is_success(result));
    assert_int_equal(3, result->run->exit_code);
    assert_int_equal(1, result->report->n_passed);
    assert_true(wpa_case_report_coverage(result->report) == 75.0);
    argv[2] = "echo '<testsuite><' > junit.xml";
    result = wpa_runner_run(&spec, tree, arena, &err);
    assert_true(wpa_runner_is_success(result));
    assert_non_null(strstr(result->trouble, "junit.xml"));
    assert_true(wpa_dir_remove(tree, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_reports),
        cmocka_unit_test(compares),
        cmocka_unit_test(runs_a_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
