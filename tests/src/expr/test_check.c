#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/buf.h>

#include "expr/check.h"

static const wpa_type *github(wpa_arena *arena)
{
    wpa_type_builder event = wpa_type_builder_new(arena);
    wpa_type_builder_add(&event, "labels",
                         wpa_type_array(arena, wpa_type_map(arena, wpa_type_of(WPA_TYPE_STRING))));
    wpa_type_builder_add(&event, "number", wpa_type_of(WPA_TYPE_NUMBER));
    wpa_type_builder builder = wpa_type_builder_new(arena);
    wpa_type_builder_add(&builder, "ref", wpa_type_of(WPA_TYPE_STRING));
    wpa_type_builder_add(&builder, "flag", wpa_type_of(WPA_TYPE_BOOL));
    wpa_type_builder_add(&builder, "event", wpa_type_builder_end(&event));
    return wpa_type_builder_end(&builder);
}

static const wpa_type *type_of(const char *context, void *data, wpa_arena *arena)
{
    (void)data;
    return wpa_text_is(context, "github") ? github(arena)
           : wpa_text_is(context, "env")  ? wpa_type_map(arena, wpa_type_of(WPA_TYPE_STRING))
                                          : NULL;
}

static wpa_expr_checked check(const char *text, wpa_arena *arena)
{
    static const char *const known[] = {"github", "env", "inputs", "secrets", NULL};
    static const char *const functions[] = {"success", NULL};
    static const wpa_expr_scope scope = {0x7, functions, known, "key", type_of, NULL};
    wpa_expr_parsed parsed = wpa_expr_parse(text, strlen(text), arena);
    assert_non_null(parsed.root);
    return wpa_expr_check(parsed.root, &scope, arena);
}

static void test_types(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        wpa_type_kind kind;
    } cases[] = {
        {"1", WPA_TYPE_NUMBER},
        {"null", WPA_TYPE_NULL},
        {"GitHub.REF", WPA_TYPE_STRING},
        {"github['event'].number", WPA_TYPE_NUMBER},
        {"inputs.x.y", WPA_TYPE_ANY},
        {"github.event.labels.*.name", WPA_TYPE_ARRAY},
        {"github.event.labels[0]", WPA_TYPE_OBJECT},
        {"github.event.labels[0].name", WPA_TYPE_STRING},
        {"!github.ref", WPA_TYPE_BOOL},
        {"github.ref == 'x'", WPA_TYPE_BOOL},
        {"github.ref == 'x' && 'a' || 'b'", WPA_TYPE_STRING},
        {"github.flag && 5 || 10", WPA_TYPE_NUMBER},
        {"github.flag && 5 || 'x'", WPA_TYPE_ANY},
        {"github.flag && 'x'", WPA_TYPE_ANY},
        {"github.flag && github.flag", WPA_TYPE_BOOL},
        {"null || 'x'", WPA_TYPE_STRING},
        {"false && 1 || 'x'", WPA_TYPE_STRING},
        {"'' || 5", WPA_TYPE_NUMBER},
        {"case(github.flag, 1, 2)", WPA_TYPE_NUMBER},
        {"case(github.flag, 1, 'x')", WPA_TYPE_ANY},
        {"fromJSON('[1, 2]')", WPA_TYPE_ARRAY},
        {"fromJSON('[1, 2]')[0]", WPA_TYPE_NUMBER},
        {"fromJSON('{\"a\": true}').a", WPA_TYPE_BOOL},
        {"fromJSON('{\"a\": 1, \"b\": 2}')[github.ref]", WPA_TYPE_NUMBER},
        {"fromJSON('{\"a\": 1, \"a\": 2}')", WPA_TYPE_ANY},
        {"toJSON(github)", WPA_TYPE_STRING},
        {"success()", WPA_TYPE_BOOL},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        print_message("%s\n", cases[i].text);
        wpa_expr_checked checked = check(cases[i].text, arena);
        assert_int_equal(checked.n_problems, 0);
        assert_int_equal(checked.type->kind, cases[i].kind);
    }
}

/* Numbers of the problems and the text they stand at, one behind the other. */
static void test_problems(void **state)
{
    (void)state;
    static const struct {
        const char *text, *problems;
    } cases[] = {
        {"github.nope", "E23 nope;"},
        {"github['nope']", "E23 'nope';"},
        {"gitub.ref", "E13 gitub;"},
        {"secrets.x", "E14 secrets;"},
        {"lower(1)", "E15 lower;"},
        {"always()", "E16 always;"},
        {"success(1)", "E17 success;"},
        {"contains(github.ref)", "E17 contains;"},
        {"startsWith(github.event, 'x')", "E18 github.event;"},
        {"format('{0}', 1, 2)", "E19 2;"},
        {"format('{1}', 1)", "E20 '{1}';E19 1;"},
        {"fromJSON('{')", "E21 '{';"},
        {"case(true, 1, true, 2)", "E22 case;"},
        {"github.ref.x", "E24 x;"},
        {"github.event.labels.name", "E24 name;"},
        {"fromJSON('[1]').*.x", "E25 x;"},
        {"fromJSON('[{\"a\":1}]').*.x", "E26 x;"},
        {"github.ref.*", "E27 *;"},
        {"fromJSON('{}').*", "E28 *;"},
        {"fromJSON('[1]').*.*", "E29 *;"},
        {"github.event.labels['a']", "E30 'a';"},
        {"github[0]", "E31 0;"},
        {"env[0]", "E31 0;"},
        {"success", "E13 success;"},
        {"github.ref[0]", "E32 [0];"},
        {"github.event == 'x'", "E34 github.event == 'x';"},
        {"github.flag < 1", "E34 github.flag < 1;"},
        {"github.a || github.b && !github.c", "E23 a;E23 b;E23 c;"},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        WPA_AUTO(wpa_buf) *buf = wpa_buf_new(4096);
        print_message("%s\n", cases[i].text);
        wpa_expr_checked checked = check(cases[i].text, arena);
        for (size_t k = 0; k < checked.n_problems; k++) {
            wpa_span span = checked.problems[k].span;
            wpa_buf_printf(buf, "%s %.*s;", checked.problems[k].check, (int)wpa_span_length(span),
                           cases[i].text + span.start);
        }
        assert_string_equal(wpa_buf_data(buf), cases[i].problems);
    }
}

static void test_objects_join(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_type *string = wpa_type_of(WPA_TYPE_STRING), *bool_ = wpa_type_of(WPA_TYPE_BOOL);
    wpa_type_builder a = wpa_type_builder_new(arena), b = wpa_type_builder_new(arena);
    wpa_type_builder_add(&a, "x", string);
    wpa_type_builder_add(&a, "y", string);
    wpa_type_builder_add(&b, "X", string);
    wpa_type_builder_add(&b, "y", bool_);
    wpa_type_builder_add(&b, "z", bool_);
    const wpa_type *both =
        wpa_type_merge(wpa_type_builder_end(&a), wpa_type_builder_end(&b), arena);
    assert_true(wpa_type_is_strict(both));
    assert_int_equal(both->n_members, 3);
    assert_ptr_equal(wpa_type_member_find(both, "x"), string);
    assert_int_equal(wpa_type_member_find(both, "Y")->kind, WPA_TYPE_ANY);
    assert_null(wpa_type_member_find(both, "w"));
    both = wpa_type_merge(both, wpa_type_loose(), arena);
    assert_false(wpa_type_is_strict(both));
    assert_int_equal(wpa_type_member_find(both, "w")->kind, WPA_TYPE_ANY);
    for (int i = 0; i < WPA_TYPE_MAX_MEMBERS + 1; i++) {
        wpa_type_builder_add(&a, wpa_arena_printf(arena, "n%d", i), string);
    }
    assert_false(wpa_type_is_strict(wpa_type_builder_end(&a)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_objects_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
