/* What the tables say about dependencies that come with a patch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "patch/patch.h"

static wpa_json *check(wpa_arena *arena, const char *list, wpa_error *err)
{
    wpa_json *given = wpa_json_parse(list, strlen(list), WPA_JSON_MAX_BYTES, arena, err);
    assert_non_null(given);
    return wpa_patch_check_dependencies(given, arena, err);
}

/** Result of a check of the first dependency; NULL: it is not listed. */
static const char *result_of(const wpa_json *list, const char *id)
{
    const wpa_json *checks = wpa_json_find(wpa_json_at(list, 0), "checks");
    for (size_t i = 0; i < wpa_json_count(checks); i++) {
        const wpa_json *one = wpa_json_at(checks, i);
        if (wpa_text_is(wpa_json_text_of(wpa_json_find(one, "check")), id)) {
            return wpa_json_text_of(wpa_json_find(one, "result"));
        }
    }
    return NULL;
}

static void checks_say_what_is_known(void **state)
{
    static const struct {
        const char *list, *id, *result; /* result NULL: not listed */
    } cases[] = {
        {"[\"actions/checkout@v4\"]", "V101", "pass"},
        {"[\"actions/checkout@v4\"]", "V112", "warn"},
        {"[\"actions/checkout@v4\"]", "V102", "skipped"},
        {"[\"actions/checkout@v4\"]", "V108", "skipped"},
        {"[\"actions/checkout@v4\"]", "V113", NULL},
        {"[\"actions/checkout@v4\"]", "V115", "pass"},
        {"[\"actions/checkout@v999\"]", "V101", "warn"},
        {"[\"actions/checkout@0123456789012345678901234567890123456789\"]", "V101", "skipped"},
        {"[\"actions/checkout@0123456789012345678901234567890123456789\"]", "V112", "pass"},
        {"[\"actions/checkout@main\"]", "V112", "warn"},
        {"[\"nobody-at-all/no-such-thing@v1\"]", "V101", "skipped"},
        {"[\"action/checkout@v4\"]", "V115", "warn"},
        {"[{\"name\":\"actions/checkout\",\"from\":\"v3\",\"to\":\"v4\"}]", "V103", "warn"},
        {"[{\"name\":\"actions/checkout\",\"from\":\"v3\",\"to\":\"v4\"}]", "V104", "pass"},
        {"[{\"name\":\"actions/checkout\",\"from\":\"v4\",\"to\":\"v3\"}]", "V104", "warn"},
        {"[{\"name\":\"actions/checkout\",\"from\":\"v4.1.0\",\"to\":\"v4\"}]", "V102", "warn"},
        {"[{\"name\":\"actions/checkout\",\"from\":\"v4\",\"to\":\"main\"}]", "V102", "warn"},
        {"[\"docker://alpine:3.20\"]", "V113", "warn"},
        {"[\"alpine@sha256:0123\"]", "V113", "pass"},
        {"[\"lodash\"]", "V101", "skipped"},
    };
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        wpa_error err = {0};
        const wpa_json *list = check(arena, cases[i].list, &err);
        assert_non_null(list);
        const char *result = result_of(list, cases[i].id);
        if (!wpa_text_is(result ? result : "", cases[i].result ? cases[i].result : "")) {
            fail_msg("%s %s: %s", cases[i].list, cases[i].id, result ? result : "not listed");
        }
    }
}

static void advisories_are_refused(void **state)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    (void)state;
    assert_null(check(arena, "[\"tj-actions/changed-files@v44\"]", &err));
    assert_int_equal(err.code, WPA_E_REFUSED);
    wpa_error_clear(&err);
    assert_null(check(arena, "[{\"name\":\"tj-actions/changed-files\",\"to\":\"v44\"}]", &err));
}

static void what_names_nothing_is_refused(void **state)
{
    static const char *const lists[] = {
        "[17]",
        "[{}]",
        "[\"\"]",
        "[null]",
        "[\"actions/checkout@v4\", [\"x\"]]",
        "[{\"name\":\"actions/checkout\"}]",
        "[{\"name\":\"actions/checkout\",\"to\":4}]",
        "[{\"name\":\"actions/checkout\",\"to\":\"v4\",\"from\":\"\"}]",
        "[{\"name\":\"actions/checkout\",\"to\":\"v4\",\"taste\":\"x\"}]",
    };
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(lists); i++) {
        wpa_error err = {0};
        assert_null(check(arena, lists[i], &err));
        assert_int_equal(err.code, WPA_E_INVALID);
        assert_non_null(strstr(err.message, "field 'patch_content.dependencies["));
    }
}

static void versions_are_semantic(void **state)
{
    static const struct {
        const char *text;
        bool is_good;
    } cases[] = {
        {"1.0.0", true},      {"0.0.0", true},           {"10.20.30", true},
        {"1.0.0-rc.1", true}, {"1.0.0-0", true},         {"1.0.0-alpha-1.x", true},
        {"1.0.0+b5", true},   {"1.0.0-rc.1+001", true},  {"1.0.0--", true},
        {"01.0.0", false},    {"1.0.00", false},         {"1.0", false},
        {"1.0.0.0", false},   {"v1.0.0", false},         {"1.0.0-", false},
        {"1.0.0+", false},    {"1.0.0-01", false},       {"1.0.0-a..b", false},
        {"1.0.0 ", false},    {"1.0.0-\xc3\xa9", false}, {"", false},
        {"1..0", false},      {"-1.0.0", false},         {"1.0.0+a+b", false},
    };
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        if (wpa_patch_version_is(cases[i].text) != cases[i].is_good) {
            fail_msg("%s", cases[i].text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_say_what_is_known),
        cmocka_unit_test(advisories_are_refused),
        cmocka_unit_test(what_names_nothing_is_refused),
        cmocka_unit_test(versions_are_semantic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
