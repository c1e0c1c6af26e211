#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "json/json.h"

static const struct {
    const char *title, *text, *canonical, *message;
    wpa_code code;
} cases[] = {
    {"sorted keys", "{\"b\": 1, \"a\": [true, null]}", "{\"a\":[true,null],\"b\":1}", NULL, WPA_OK},
    {"by bytes", "{\"a\": 1, \"Z\": 2, \"\\u00e9\": 3}", "{\"Z\":2,\"a\":1,\"\xc3\xa9\":3}", NULL,
     WPA_OK},
    {"scalar at the top", " \"x\\n\\u0001\" ", "\"x\\n\\u0001\"", NULL, WPA_OK},
    {"integral real", "[1.0, 1e3, -0.0, 0.1, 1e300]", "[1,1000,0,0.1,1e+300]", NULL, WPA_OK},
    {"64 bits", "[9223372036854775807,-9223372036854775808]",
     "[9223372036854775807,-9223372036854775808]", NULL, WPA_OK},
    {"empty containers", "[{},[]]", "[{},[]]", NULL, WPA_OK},
    {"brackets in a string", "[\"[[[\\\"[{\"]", "[\"[[[\\\"[{\"]", NULL, WPA_OK},
    {"key twice", "{\"a\":1,\n \"a\":2}", NULL, "line 2", WPA_E_INVALID},
    {"cut short", "{\"a\":", NULL, "line 1", WPA_E_INVALID},
    {"trailing text", "1 2", NULL, "line 1", WPA_E_INVALID},
    {"NUL", "\"\\u0000\"", NULL, "line 1", WPA_E_INVALID},
    {"bad UTF-8", "\"\xff\"", NULL, "line 1", WPA_E_INVALID},
    {"beyond 64 bits", "9223372036854775808", NULL, "line 1", WPA_E_INVALID},
    {"nothing", "", NULL, "line 1 column 1", WPA_E_INVALID},
    {"too large", "\"0123456789012345678901234567890123456789012345678901234567890123456789\"",
     NULL, "at most 64", WPA_E_LIMIT},
};

static void parse_and_dump(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        print_message("%s\n", cases[i].title);
        wpa_json *value = wpa_json_parse(cases[i].text, strlen(cases[i].text), 64, arena, &err);
        assert_int_equal(cases[i].code, value ? WPA_OK : err.code);
        if (value) {
            assert_string_equal(cases[i].canonical, wpa_json_dump(value, arena));
        } else {
            assert_non_null(strstr(err.message, cases[i].message));
        }
    }
}

static void depth_is_limited(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    char text[2 * WPA_JSON_MAX_DEPTH + 2];
    memset(text, '[', WPA_JSON_MAX_DEPTH + 1);
    memset(text + WPA_JSON_MAX_DEPTH + 1, ']', WPA_JSON_MAX_DEPTH + 1);
    assert_null(wpa_json_parse(text, sizeof text, sizeof text, arena, &err));
    assert_int_equal(WPA_E_LIMIT, err.code);
    assert_non_null(wpa_json_parse(text + 1, sizeof text - 2, sizeof text, arena, &err));
}

static const char document[] = "{\"stages\": [{\"bake\": 5}, {\"bake\": \"x\", \"name\": null,"
                               " \"share\": 0.5, \"nmae\": 1, \"dry\": true}]}";

static void readers_name_the_field(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    wpa_json *root = wpa_json_parse(document, strlen(document), 1000, arena, &err);
    assert_non_null(root);
    const wpa_json *stages = wpa_json_get_array(root, "stages", &err);
    assert_int_equal(2, wpa_json_count(stages));
    int64_t bake = 0;
    assert_true(wpa_json_get_int(wpa_json_at(stages, 0), "bake", 0, 9, &bake, &err));
    assert_int_equal(5, bake);
    assert_false(wpa_json_get_int(wpa_json_at(stages, 0), "bake", 6, 9, &bake, &err));
    assert_string_equal("field 'stages[0].bake' must be between 6 and 9, not 5", err.message);

    const wpa_json *second = wpa_json_at(stages, 1);
    assert_false(wpa_json_opt_int(second, "bake", 0, 9, &bake, &err));
    assert_string_equal("field 'stages[1].bake' must be an integer, not text", err.message);
    assert_null(wpa_json_get_text(second, "name", &err));
    assert_string_equal("field 'stages[1].name' is missing (text)", err.message);
    const char *name = "unset";
    assert_true(wpa_json_opt_text(second, "name", &name, &err));
    assert_string_equal("unset", name);
    double share = 0;
    assert_true(wpa_json_get_real(second, "share", &share, &err));
    assert_true(share == 0.5);
    bool is_dry = false;
    assert_true(wpa_json_get_bool(second, "dry", &is_dry, &err) && is_dry);
    const wpa_json *object = NULL;
    assert_false(wpa_json_opt_object(second, "share", &object, &err));
    static const char *const names[] = {"bake", "name", "share", "dry"};
    assert_false(wpa_json_check_keys(second, names, WPA_COUNT(names), &err));
    assert_string_equal("field 'stages[1].nmae' is not known (did you mean 'name'?)", err.message);
    assert_null(wpa_json_get_text(stages, "x", &err));
    assert_string_equal("field 'stages' must be an object", err.message);
    assert_null(wpa_json_find(NULL, "x"));
    assert_string_equal("the document", wpa_json_path(root, arena));
}

static const struct {
    const char *title, *text;
    const char *visited; /* items up to the fault, if there is one */
    const char *message; /* NULL: none */
} lists[] = {
    {"items and what is around",
     "{\"a\": 1, \"list\": [1, {\"b\": [2, \"],\\\"\"]} ,[]], \"c\": []}",
     "1 {\"b\":[2,\"],\\\"\"]} [] ", NULL},
    {"none", "{\"list\": [ \n ]}", "", NULL},
    {"no list", "{\"a\": {\"list\": [1]}, \"b\": \"list\"}", "", NULL},
    {"no list either", "{\"list\": 1}", "", NULL},
    {"key with an escape", "{\"l\\u0069st\": [1, 2]}", "1 2 ", NULL},
    {"nothing between commas", "{\"list\": [1,\n ,2]}", "1 ", "line 2 column"},
    {"comma at the end", "{\"list\": [1,\n]}", "1 ", "line 2 column"},
    {"two in one", "{\"list\": [\n1 2]}", "", "line 2 column 3"},
    {"brackets that do not fit", "{\"list\": [1, {]}, 2]}", NULL, "line 1 column"},
    {"not closed", "{\"list\": [1", NULL, "line 1"},
    {"closed by another", "{\"list\": [1}", NULL, "line 1"},
    {"fault behind", "{\"list\": [1,\n2\n], x}", NULL, "line 3 column 4"},
    {"key twice", "{\"list\": [1], \"list\": []}", NULL, "line 1"},
    {"refused", "{\"list\": [1, \"stop\", 2]}", "1 ", "field 'list[1]' stops"},
    {"cut in a string", "{\"list\": [\"a\\", NULL, "line 1"},
};

static bool note_item(void *context, const wpa_json *item, wpa_error *err)
{
    wpa_buf *visited = context;
    const char *text = wpa_json_text_of(item);
    if (text && strcmp(text, "stop") == 0) {
        return wpa_json_fail(item, err, "stops");
    }
    wpa_json_append(visited, item);
    wpa_buf_char(visited, ' ');
    return true;
}

static void items_are_read_one_by_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(lists); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        WPA_AUTO(wpa_buf) *visited = wpa_buf_new(1000);
        wpa_error err = {0};
        wpa_json_items items;
        print_message("%s\n", lists[i].title);
        const wpa_json *around = wpa_json_parse_around(lists[i].text, strlen(lists[i].text), 1000,
                                                       "list", arena, &items, &err);
        bool ok = around && wpa_json_visit_items(&items, note_item, visited, &err);
        assert_int_equal(lists[i].visited != NULL, around != NULL);
        assert_int_equal(lists[i].message == NULL, ok);
        assert_string_equal(lists[i].visited ? lists[i].visited : "", wpa_buf_data(visited));
        assert_true(ok || strstr(err.message, lists[i].message));
        /* What is no JSON for one of them is none for the other. */
        wpa_error other = {0};
        const wpa_json *whole =
            wpa_json_parse(lists[i].text, strlen(lists[i].text), 1000, arena, &other);
        assert_int_equal(whole != NULL, ok || strstr(err.message, "stops"));
    }
}

static void builds(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_json *root = wpa_json_new_object(arena);
    for (int64_t i = 0; i < 100; i++) {
        char key[8];
        snprintf(key, sizeof key, "k%02d", (int)(i % 50));
        wpa_json_set_int(root, key, i);
    }
    assert_int_equal(50, wpa_json_count(root));
    assert_int_equal(99, wpa_json_int_of(wpa_json_find(root, "k49"), 0));
    wpa_json *small = wpa_json_new_object(arena);
    wpa_json_set_text(small, "bad", "a\xff");
    wpa_json_set_real(small, "nan", 0.0 / 0.0);
    wpa_json_push_text(wpa_json_set_array(small, "list"), "x");
    wpa_json_set_text(small, "bad", "a\xff");
    assert_string_equal("{\"bad\":\"a\xef\xbf\xbd\",\"list\":[\"x\"],\"nan\":null}",
                        wpa_json_dump(wpa_json_dup(small, arena), arena));
    assert_string_equal("{\n  \"bad\": \"a\xef\xbf\xbd\",\n  \"nan\": null,\n  \"list\": [\n"
                        "    \"x\"\n  ]\n}",
                        wpa_json_dump_pretty(small, arena));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_and_dump),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(readers_name_the_field),
        cmocka_unit_test(items_are_read_one_by_one),
        cmocka_unit_test(builds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
