#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "probe/condition.h"

static const char *const names[] = {"value", "samples", "baseline", "latency", "body", "nothing"};

static const char json[] = "{\"a\": {\"b\": [1, {\"c\": \"x\"}]}, \"ok\": true, \"n\": null}";

static const struct {
    const char *text;
    wpa_code code;
    bool is_true;
    const char *resolved; /* or part of the message */
} cases[] = {
    {"value <= 500", WPA_OK, true, "412 <= 500"},
    {"value<=500&&latency>2.5e1", WPA_OK, true, "412<=500&&30>2.5e1"},
    {"!(value > 500) || false", WPA_OK, true, "!(412 > 500) || false"},
    {"!true", WPA_OK, false, "!true"},
    {"value == 412 && body == \"fine\"", WPA_OK, true, "412 == 412 && \"fine\" == \"fine\""},
    {"body != 'fine'", WPA_OK, false, "\"fine\" != 'fine'"},
    {"body < 'g' && body >= 'f'", WPA_OK, true, "\"fine\" < 'g' && \"fine\" >= 'f'"},
    {"len(body) == 4", WPA_OK, true, "len(\"fine\") == 4"},
    {"isnan(value)", WPA_OK, false, "isnan(412)"},
    {"abs(-3) == 3 && abs(value) == value", WPA_OK, true, "abs(-3) == 3 && abs(412) == 412"},
    {"delta <= 12", WPA_OK, true, "12 <= 12"},
    {"ratio < 1.1", WPA_OK, true, "1.03 < 1.1"},
    {"-value < -400", WPA_OK, true, "-412 < -400"},
    {"json(\"$.a.b[0]\") == 1", WPA_OK, true, "1 == 1"},
    {"json(\"$.a['b'][1].c\") == \"x\"", WPA_OK, true, "\"x\" == \"x\""},
    {"json('$.ok')", WPA_OK, true, "true"},
    {"len(json('$.a.b')) == 2", WPA_OK, true, "len(2) == 2"},
    {"true || nothing > 1", WPA_OK, true, "true || nothing > 1"},
    {"false && nothing > 1", WPA_OK, false, "false && nothing > 1"},
    {"", WPA_E_INVALID, false, "column 1"},
    {"value", WPA_E_INVALID, false, "neither true nor false"},
    {"value <", WPA_E_INVALID, false, "column 8"},
    {"value < 3 3", WPA_E_INVALID, false, "column 11"},
    {"valeu < 3", WPA_E_INVALID, false, "did you mean 'value'"},
    {"value < 'a'", WPA_E_INVALID, false, "different kinds"},
    {"1 < 2 < 3", WPA_E_INVALID, false, "column 7"},
    {"value && true", WPA_E_INVALID, false, "neither true nor false"},
    {"nothing > 1", WPA_E_INVALID, false, "no 'nothing'"},
    {"!value", WPA_E_INVALID, false, "does not fit"},
    {"len(value) > 1", WPA_E_INVALID, false, "does not fit"},
    {"json(value) > 1", WPA_E_INVALID, false, "in quotes"},
    {"json('$.x') > 1", WPA_E_INVALID, false, "nothing at"},
    {"json('$.n') > 1", WPA_E_INVALID, false, "nothing at"},
    {"json('$.a.b[7]') > 1", WPA_E_INVALID, false, "nothing at"},
    {"json('a') > 1", WPA_E_INVALID, false, "nothing at"},
    {"json('$.a') == 1", WPA_E_INVALID, false, "different kinds"},
    {"'open", WPA_E_INVALID, false, "not closed"},
    {"1.2.3 > 1", WPA_E_INVALID, false, "no number"},
    {"(value > 1", WPA_E_INVALID, false, "expected ')'"},
    {"len value", WPA_E_INVALID, false, "expected '('"},
    {"value & true", WPA_E_INVALID, false, "column 7"},
};

static const wpa_condition_value values[] = {
    {.name = "value", .number = 412},        {.name = "baseline", .number = 400},
    {.name = "latency", .number = 30},       {.name = "body", .text = "fine"},
    {.name = "nothing", .is_unknown = true},
};
static const wpa_condition_scope scope = {
    .values = values, .n_values = WPA_COUNT(values), .json = json, .json_bytes = sizeof json - 1};

static void evaluates(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        bool is_true = false;
        print_message("%s\n", cases[i].text);
        const wpa_condition *condition =
            wpa_condition_parse(cases[i].text, names, WPA_COUNT(names), arena, &err);
        bool is_done = condition && wpa_condition_evaluate(condition, &scope, &is_true, &err);
        assert_int_equal(cases[i].code, is_done ? WPA_OK : err.code);
        if (is_done) {
            assert_int_equal(cases[i].is_true, is_true);
            assert_string_equal(cases[i].resolved, wpa_condition_resolve(condition, &scope, arena));
        } else {
            char text[1100];
            assert_non_null(strstr(wpa_error_text(&err, text, sizeof text), cases[i].resolved));
        }
    }
}

static void limits_what_it_reads(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    char text[WPA_CONDITION_MAX_BYTES + 2];
    memset(text, '!', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_null(wpa_condition_parse(text, names, WPA_COUNT(names), arena, &err));
    assert_int_equal(WPA_E_LIMIT, err.code);
    memset(text, '(', 900);
    text[900] = '\0';
    assert_null(wpa_condition_parse(text, names, WPA_COUNT(names), arena, &err));
    assert_non_null(strstr(err.message, "too deep"));
}

static void not_a_number_is_no_order(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    bool is_true = true;
    const wpa_condition_value nan_value = {.name = "value", .number = NAN};
    const wpa_condition_scope nan_scope = {.values = &nan_value, .n_values = 1};
    const wpa_condition *condition = wpa_condition_parse(
        "value < 1 || value >= 1 || value == value", names, WPA_COUNT(names), arena, &err);
    assert_true(wpa_condition_evaluate(condition, &nan_scope, &is_true, &err));
    assert_false(is_true);
    condition = wpa_condition_parse("isnan(value)", names, WPA_COUNT(names), arena, &err);
    assert_true(wpa_condition_evaluate(condition, &nan_scope, &is_true, &err));
    assert_true(is_true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluates),
        cmocka_unit_test(limits_what_it_reads),
        cmocka_unit_test(not_a_number_is_no_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
