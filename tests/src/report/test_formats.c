/* The formats: what each must hold, and that nothing hostile gets through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "report/formats.h"

static const char hostile[] = "on: push\n"
                              "jobs:\n"
                              "  \"a\\e[31m\": # \033[31m\n"
                              "    runs-on: macos-15\n"
                              "  b,c:\n"
                              "    runs-on: ubuntu-24.04\n"
                              "  d: # wpa: ignore[missing-timeout] known\n"
                              "    runs-on: ubuntu-24.04\n";

typedef struct fixture {
    wpa_arena *arena;
    wpa_result result;
    wpa_note note;
    wpa_report report;
    wpa_settings *settings;
} fixture;

static int open_fixture(void **state)
{
    wpa_arena *arena = wpa_arena_new();
    fixture *f = wpa_arena_alloc(arena, sizeof *f);
    f->arena = arena;
    f->settings = wpa_settings_new(0, arena);
    size_t n;
    const wpa_rule *const *rules = wpa_rules_all(&n);
    for (size_t i = 0; i < n; i++) {
        bool is_wanted = wpa_text_is(rules[i]->id, "missing-timeout");
        f->settings->rules[i].toggle = is_wanted ? WPA_TOGGLE_UNSET : WPA_TOGGLE_OFF;
    }
    const wpa_source *source =
        wpa_source_read(WPA_INPUT_WORKFLOW, "x/a:b\033.yml", hostile, strlen(hostile), NULL, arena);
    f->result = wpa_rules_run(source, f->settings, arena);
    f->note = (wpa_note){.path = "l", .text = "left out"};
    f->report = (wpa_report){.files = &f->result, .n_files = 1, .notes = &f->note, .n_notes = 1};
    assert_int_equal(f->result.n_findings, 3);
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    fixture *f = *state;
    wpa_arena_free(f->arena);
    return 0;
}

static const char *write(fixture *f, const char *name)
{
    wpa_error err = {0};
    const wpa_format *format = wpa_format_find(name, &err);
    assert_non_null(format);
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(WPA_REPORT_MAX_BYTES);
    format->write(&f->report, out);
    return wpa_buf_dup(out, f->arena);
}

static void test_no_format_lets_an_escape_through(void **state)
{
    fixture *f = *state;
    size_t n;
    const wpa_format *formats = wpa_formats_all(&n);
    for (size_t i = 0; i < n; i++) {
        assert_null(strchr(write(f, formats[i].name), 033));
    }
}

static void test_text(void **state)
{
    fixture *f = *state;
    const char *text = write(f, "text");
    assert_non_null(strstr(text, "high PRF-001 missing-timeout: job 'a‹1b›[31m' has no"));
    assert_non_null(strstr(text, "\n --> x/a:b‹1b›.yml:3:3\n"));
    assert_non_null(strstr(text, "\n5 |   b,c:\n  |   ^^^\n  = fix (unsafe): add timeout-"));
    assert_non_null(strstr(text, "note: l: left out\n"));
    assert_non_null(
        strstr(text, "2 findings in 1 file: 1 high, 1 medium; 2 with a fix, 1 ignored\n"));
    assert_null(strstr(text, "known"));
    f->report.shows_ignored = true;
    f->report.has_colour = true;
    text = write(f, "text");
    assert_non_null(strstr(text, "(ignored: known)"));
    assert_non_null(strstr(text, "\033[31mhigh\033[0m"));
}

static void test_oneline(void **state)
{
    assert_string_equal(
        write(*state, "oneline"),
        "x/a:b‹1b›.yml:3:3: high: job 'a‹1b›[31m' has no timeout-minutes: if it hangs, it holds "
        "its runner for the default of 6 hours [missing-timeout]\n"
        "x/a:b‹1b›.yml:5:3: medium: job 'b,c' has no timeout-minutes: if it hangs, it holds its "
        "runner for the default of 6 hours [missing-timeout]\n");
}

static void test_json_record(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    const char *text = write(f, "json");
    const wpa_json *report = wpa_json_parse(text, strlen(text), 1 << 20, f->arena, &err);
    assert_non_null(report);
    assert_string_equal(wpa_json_text_of(wpa_json_find(report, "schema")), "wpa.report/1");
    const wpa_json *findings = wpa_json_find(report, "findings");
    assert_int_equal(wpa_json_count(findings), 2);
    const wpa_json *record = wpa_json_at(findings, 1);
    static const char *const members[] = {
        "schema",   "fingerprint", "rule",  "code",    "check",      "dimension", "kind",
        "severity", "confidence",  "state", "persona", "message",    "path",      "span",
        "related",  "structure",   "help",  "aliases", "repository", "data",      "fixes"};
    for (size_t i = 0; i < WPA_COUNT(members); i++) {
        assert_non_null(wpa_json_find(record, members[i]));
    }
    const wpa_json *fix = wpa_json_at(wpa_json_find(record, "fixes"), 0);
    assert_string_equal(wpa_json_text_of(wpa_json_find(fix, "safety")), "unsafe");
    assert_string_equal(wpa_json_text_of(wpa_json_at(wpa_json_find(fix, "declares"), 0)),
                        "timeouts");
    const wpa_json *edit = wpa_json_at(wpa_json_find(fix, "edits"), 0);
    assert_string_equal(wpa_json_text_of(wpa_json_find(edit, "text")), "    timeout-minutes: 30\n");
    const wpa_json *summary = wpa_json_find(report, "summary");
    assert_int_equal(wpa_json_int_of(wpa_json_find(summary, "ignored"), -1), 1);
}

static void test_jsonl_is_a_record_a_line(void **state)
{
    fixture *f = *state;
    const char *text = write(f, "jsonl");
    size_t n_lines = 0;
    for (const char *at = text; *at; at++) {
        n_lines += *at == '\n';
    }
    assert_int_equal(n_lines, 3);
    assert_true(wpa_text_starts(text, "{"));
}

/* What was visited, as numbers in the order in which they have to come. */
typedef struct visited {
    wpa_report_order order;
    uint64_t last;
    size_t n;
} visited;

static uint64_t day_of(const char *since)
{
    unsigned year = 9999, month = 0, day = 0;
    if (since) {
        assert_int_equal(sscanf(since, "%u-%u-%u", &year, &month, &day), 3);
    }
    return year * UINT64_C(10000) + month * UINT64_C(100) + day;
}

static void check_order(void *context, const wpa_result *file, const wpa_finding *finding)
{
    visited *v = context;
    uint64_t key = v->order == WPA_ORDER_SEVERITY ? 9U - (unsigned)finding->severity
                   : v->order == WPA_ORDER_AGE    ? day_of(finding->since)
                                                  : 0;
    size_t index = 0;
    while (file->findings[index] != finding) {
        index++;
    }
    uint64_t place = key << 32 | (strtoul(file->path, NULL, 10) << 8) | index;
    assert_true(v->n == 0 || place > v->last);
    v->last = place;
    v->n++;
}

static void test_order(void **state)
{
    fixture *f = *state;
    wpa_result files[500];
    for (size_t i = 0; i < WPA_COUNT(files); i++) {
        wpa_result *file = &files[i];
        *file = f->result;
        file->path = wpa_arena_printf(f->arena, "%zu", i);
        file->findings = wpa_arena_array(f->arena, file->n_findings, sizeof *file->findings);
        for (size_t j = 0; j < file->n_findings; j++) {
            size_t day = i * 7919 + j * 31;
            file->findings[j] =
                wpa_arena_dup(f->arena, f->result.findings[j], sizeof *file->findings[j]);
            file->findings[j]->since =
                day % 5 ? wpa_arena_printf(f->arena, "%04zu-%02zu-%02zu", 1990 + day % 60,
                                           day % 12 + 1, day % 28 + 1)
                        : NULL;
        }
    }
    const wpa_report report = {.files = files, .n_files = WPA_COUNT(files)};
    static const wpa_report_order orders[] = {WPA_ORDER_PATH, WPA_ORDER_SEVERITY, WPA_ORDER_RULE,
                                              WPA_ORDER_AGE};
    for (size_t i = 0; i < WPA_COUNT(orders); i++) {
        wpa_pick pick = {orders[i], true, 0};
        visited all = {.order = orders[i]}, open = all, few = all;
        wpa_report_visit(&report, &pick, check_order, &all);
        assert_int_equal(all.n, 1500);
        pick.has_ignored = false;
        wpa_report_visit(&report, &pick, check_order, &open);
        assert_int_equal(open.n, 1000);
        pick.max = 700;
        wpa_report_visit(&report, &pick, check_order, &few);
        assert_int_equal(few.n, 700);
    }
}

static void test_sarif(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    const char *text = write(f, "sarif");
    const wpa_json *log = wpa_json_parse(text, strlen(text), 1 << 20, f->arena, &err);
    const wpa_json *sarif_run = wpa_json_at(wpa_json_find(log, "runs"), 0);
    const wpa_json *results = wpa_json_find(sarif_run, "results");
    assert_string_equal(wpa_json_text_of(wpa_json_find(log, "version")), "2.1.0");
    assert_int_equal(wpa_json_count(results), 3); /* the ignored one is suppressed */
    const wpa_json *worst = wpa_json_at(results, 0);
    assert_string_equal(wpa_json_text_of(wpa_json_find(worst, "level")), "error");
    assert_non_null(strstr(text, "\"uri\": \"x/a%3Ab%E2%80%B9") ? text : strstr(text, "x/a%3Ab"));
    assert_non_null(strstr(text, "\"suppressions\""));
    assert_non_null(strstr(text, "\"columnKind\": \"unicodeCodePoints\""));
    assert_non_null(strstr(text, "\"insertedContent\""));
    assert_non_null(strstr(text, "\"toolExecutionNotifications\""));
}

static void test_github_annotations(void **state)
{
    const char *text = write(*state, "github");
    assert_true(wpa_text_starts(text,
                                "::error file=x/a%3Ab‹1b›.yml,line=3,col=3,endLine=3,endColumn=12,"
                                "title=missing-timeout::job 'a‹1b›[31m' has no"));
    assert_non_null(strstr(text, "\n::warning file="));
    assert_null(strstr(text, "known"));
}

static void test_what_fails_the_check(void **state)
{
    fixture *f = *state;
    assert_false(wpa_report_fails(&f->report, f->settings));
    f->settings->fail_on[WPA_KIND_INEFFICIENCY] = WPA_SEVERITY_HIGH;
    assert_true(wpa_report_fails(&f->report, f->settings));
    f->settings->fail_on[WPA_KIND_INEFFICIENCY] = WPA_SEVERITY_CRITICAL;
    assert_false(wpa_report_fails(&f->report, f->settings));
}

static void test_unknown_format_names_the_nearest(void **state)
{
    (void)state;
    wpa_error err = {0};
    assert_null(wpa_format_find("sarfi", &err));
    assert_int_equal(err.code, WPA_E_INVALID);
    assert_non_null(strstr(err.message, "did you mean 'sarif'"));
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_no_format_lets_an_escape_through),
        CASE(test_text),
        CASE(test_oneline),
        CASE(test_json_record),
        CASE(test_jsonl_is_a_record_a_line),
        CASE(test_order),
        CASE(test_sarif),
        CASE(test_github_annotations),
        CASE(test_what_fails_the_check),
        CASE(test_unknown_format_names_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
