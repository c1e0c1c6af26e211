#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "harness/http.h"
#include "http/http.h"
#include "probe/measure.h"
#include "sandbox/sandbox.h"

static wpa_http_server *server;
static bool has_sandbox;

/** Reads a check; "@" in its text becomes the server's address. */
static const wpa_probe_check *parse(const char *text, wpa_arena *arena, wpa_error *err)
{
    const char *at = strchr(text, '@');
    if (at) {
        text = wpa_arena_printf(arena, "%.*shttp://127.0.0.1:%d%s", (int)(at - text), text,
                                wpa_http_server_port(server), at + 1);
    }
    const wpa_json *json = wpa_json_parse(text, strlen(text), WPA_JSON_MAX_BYTES, arena, err);
    assert_non_null(json);
    return wpa_probe_check_parse(json, arena, err);
}

#define HTTP "{\"name\": \"n\", \"kind\": \"http\", \"url\": \"@/ok\""
#define COMMAND "{\"name\": \"n\", \"kind\": \"command\", \"argv\": "

static const struct {
    const char *text, *message;
} bad[] = {
    {"[]", "must be an object"},
    {"{}", "'kind' is missing"},
    {"{\"kind\": \"htpp\", \"name\": \"n\"}", "such as 'http'"},
    {"{\"kind\": \"http\"}", "'name' is missing"},
    {"{\"kind\": \"http\", \"name\": \"\", \"url\": \"http://x\"}", "'name'"},
    {"{\"kind\": \"http\", \"name\": \"n\"}", "'url' is missing"},
    {"{\"kind\": \"http\", \"name\": \"n\", \"url\": \"ftp://x\"}", "http://"},
    {HTTP ", \"urll\": 1}", "did you mean 'url'"},
    {HTTP ", \"argv\": []}", "'argv' is not known"},
    {HTTP ", \"interval\": \"soon\"}", "must be a duration"},
    {HTTP ", \"interval\": -1}", "must be a duration"},
    {HTTP ", \"interval\": \"5s\", \"timeout\": \"5s\"}", "shorter than the interval"},
    {HTTP ", \"when\": \"later\"}", "baseline, apply, bake or after"},
    {HTTP ", \"when\": []}", "must not be empty"},
    {HTTP ", \"count\": -1}", "'count' must be between"},
    {HTTP ", \"no_data\": \"shrug\"}", "'no_data'"},
    {HTTP ", \"compare\": \"control\"}", "CI runs"},
    {HTTP ", \"success\": \"valeu > 1\"}", "did you mean 'value'"},
    {HTTP ", \"success\": \"exit_code == 0\"}", "unknown name"},
    {HTTP ", \"expect\": [99]}", "must be a status"},
    {HTTP ", \"expect\": \"299-200\"}", "must be a status"},
    {HTTP ", \"method\": \"BREW\"}", "'method'"},
    {HTTP ", \"headers\": {\"A\": 1}}", "'headers.A'"},
    {HTTP ", \"headers\": {\"A\": \"a\\r\\nB: b\"}}", "'headers.A'"},
    {COMMAND "[]}", "must name a program"},
    {COMMAND "[1]}", "'argv[0]' must be text"},
    {COMMAND "[\"a\"], \"env\": {\"A=B\": \"c\"}}", "must be a name and a text"},
    {"{\"name\": \"n\", \"kind\": \"rescore\", \"dimension\": \"speed\"}", "'dimension'"},
};

static void refuses_bad_checks(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(bad); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        char text[1100];
        print_message("%s\n", bad[i].text);
        assert_null(parse(bad[i].text, arena, &err));
        assert_int_equal(WPA_E_INVALID, err.code);
        assert_non_null(strstr(wpa_error_text(&err, text, sizeof text), bad[i].message));
    }
}

static void fills_in_defaults(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    const wpa_probe_check *check = parse(HTTP "}", arena, &err);
    assert_non_null(check);
    assert_int_equal(60000, check->interval_ms);
    assert_int_equal(10000, check->timeout_ms);
    assert_int_equal(WPA_PROBE_BAKE, check->when);
    assert_int_equal(3, check->inconclusive_limit);
    assert_int_equal(4, check->error_limit);
    assert_string_equal("200-399", wpa_probe_limit_text(check, arena));
    check = parse(HTTP ", \"interval\": 2, \"max_latency\": \"300ms\", \"expect\": [200, "
                       "\"300-304\"], \"when\": [\"baseline\", \"bake\"]}",
                  arena, &err);
    assert_int_equal(2000, check->interval_ms);
    assert_int_equal(1999, check->timeout_ms);
    assert_int_equal(WPA_PROBE_BASELINE | WPA_PROBE_BAKE, check->when);
    assert_string_equal("200, 300-304 within 300 ms", wpa_probe_limit_text(check, arena));
    assert_true(wpa_probe_can_fail(check));
}

static const char *secret(void *context, const char *name)
{
    (void)context;
    return wpa_text_is(name, "known") ? "hunter2" : NULL;
}

static bool rescore(void *context, const wpa_probe_check *check, wpa_probe_scores *scores,
                    wpa_arena *arena, wpa_error *err)
{
    (void)context, (void)arena;
    if (wpa_text_is(check->name, "broken")) {
        return WPA_FAIL(err, WPA_E_INVALID, "line 3: no YAML");
    }
    *scores = (wpa_probe_scores){.delta = wpa_text_is(check->name, "worse") ? -2 : 3,
                                 .summary = "91 -> 94"};
    return true;
}

static const struct {
    const char *text;
    wpa_measured result;
    const char *message; /* part of it */
    bool needs_sandbox;
} measured[] = {
    {HTTP "}", WPA_MEASURED_SUCCESS, "", false},
    {HTTP ", \"body_match\": \"fine\"}", WPA_MEASURED_SUCCESS, "", false},
    {HTTP ", \"body_match\": \"bad\"}", WPA_MEASURED_FAILURE, "lacks 'bad'", false},
    {HTTP ", \"expect\": 404}", WPA_MEASURED_FAILURE, "status 200", false},
    {HTTP ", \"success\": \"status == 200 && latency < 10000\"}", WPA_MEASURED_SUCCESS, "", false},
    {HTTP ", \"failure\": \"status == 200\"}", WPA_MEASURED_FAILURE, "fails if 200 == 200", false},
    {HTTP ", \"success\": \"true\", \"failure\": \"true\"}", WPA_MEASURED_FAILURE, "contradictory",
     false},
    {HTTP ", \"success\": \"false\", \"failure\": \"false\"}", WPA_MEASURED_INCONCLUSIVE, "false",
     false},
    {HTTP ", \"success\": \"delta < 1\"}", WPA_MEASURED_ERROR, "baseline", false},
    {HTTP ", \"success\": \"json('$.x') < 1\"}", WPA_MEASURED_ERROR, "JSON", false},
    {HTTP ", \"min_samples\": 2}", WPA_MEASURED_INCONCLUSIVE, "no data", false},
    {HTTP ", \"min_samples\": 2, \"no_data\": \"failure\"}", WPA_MEASURED_FAILURE, "no data",
     false},
    {"{\"name\": \"n\", \"kind\": \"http\", \"url\": \"@/json\", \"success\": "
     "\"json('$.rate[0]') < 0.6 && json('$.errors') <= 3\"}",
     WPA_MEASURED_SUCCESS, "", false},
    {"{\"name\": \"n\", \"kind\": \"http\", \"url\": \"@/status/500\"}", WPA_MEASURED_FAILURE,
     "status 500", false},
    {"{\"name\": \"n\", \"kind\": \"http\", \"url\": \"@/status/403\"}", WPA_MEASURED_ERROR,
     "not authorised", false},
    {"{\"name\": \"n\", \"kind\": \"http\", \"url\": \"@/slow\", \"timeout\": \"200ms\"}",
     WPA_MEASURED_ERROR, "timed out", false},
    {"{\"name\": \"n\", \"kind\": \"http\", \"url\": \"http://169.254.169.254/\"}",
     WPA_MEASURED_ERROR, "link-local", false},
    {"{\"name\": \"n\", \"kind\": \"http\", \"url\": \"@/echo\", \"headers\": {\"X\": {\"secret\": "
     "\"known\"}}, \"body_match\": \"X: hunter2\"}",
     WPA_MEASURED_SUCCESS, "", false},
    {HTTP ", \"headers\": {\"X\": {\"secret\": \"other\"}}}", WPA_MEASURED_ERROR, "no secret",
     false},
    {COMMAND "[\"sh\", \"-c\", \"echo '{\\\"n\\\": 4}'\"], \"success\": \"json('$.n') == 4\"}",
     WPA_MEASURED_SUCCESS, "", true},
    {COMMAND "[\"sh\", \"-c\", \"echo $A >&2; exit 2\"], \"env\": {\"A\": \"why\"}}",
     WPA_MEASURED_FAILURE, "exit 2: why", true},
    {COMMAND "[\"sh\", \"-c\", \"exit 75\"]}", WPA_MEASURED_INCONCLUSIVE, "exit 75", true},
    {COMMAND "[\"sleep\", \"9\"], \"timeout\": \"200ms\"}", WPA_MEASURED_ERROR, "timed out", true},
    {"{\"name\": \"better\", \"kind\": \"rescore\"}", WPA_MEASURED_SUCCESS, "", false},
    {"{\"name\": \"worse\", \"kind\": \"rescore\"}", WPA_MEASURED_FAILURE, "91 -> 94", false},
    {"{\"name\": \"broken\", \"kind\": \"rescore\"}", WPA_MEASURED_FAILURE, "no YAML", false},
};

static void measures(void **state)
{
    (void)state;
    const wpa_probe_context context = {.baseline = NAN, .secret = secret, .rescore = rescore};
    for (size_t i = 0; i < WPA_COUNT(measured); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        wpa_measurement got;
        if (measured[i].needs_sandbox && !has_sandbox) {
            print_message("no sandbox: %s\n", measured[i].text);
            continue;
        }
        print_message("%s\n", measured[i].text);
        const wpa_probe_check *check = parse(measured[i].text, arena, &err);
        assert_non_null(check);
        assert_true(wpa_probe_measure(check, &context, arena, &got, &err));
        if (measured[i].result != got.result || !strstr(got.message, measured[i].message)) {
            fail_msg("%s: '%s'", wpa_measured_name(got.result), got.message);
        }
        assert_null(strstr(got.message, "hunter2"));
        assert_true(got.ended_us >= got.started_us);
    }
}

static bool always(void *context)
{
    (void)context;
    return true;
}

static void cancelling_is_no_measurement(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    wpa_measurement got;
    const wpa_probe_context context = {.baseline = NAN, .is_cancelled = always};
    const wpa_probe_check *check =
        parse("{\"name\": \"n\", \"kind\": \"http\", \"url\": \"@/slow\"}", arena, &err);
    assert_false(wpa_probe_measure(check, &context, arena, &got, &err));
    assert_int_equal(WPA_E_CANCELLED, err.code);
}

int main(void)
{
    wpa_error err = {0};
    if (!wpa_http_init(&err)) {
        return 1;
    }
    has_sandbox = wpa_sandbox_check(&err);
    server = wpa_http_server_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_checks),
        cmocka_unit_test(fills_in_defaults),
        cmocka_unit_test(measures),
        cmocka_unit_test(cancelling_is_no_measurement),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    wpa_http_server_stop(server);
    return failures;
}
