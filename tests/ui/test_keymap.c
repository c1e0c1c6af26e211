#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "keymap/keymap.h"

static void test_every_verb_has_words(void **state)
{
    (void)state;
    for (int i = 1; i < WPA_VERB_COUNT; i++) {
        const wpa_verb_info *info = wpa_verb_info_of((wpa_verb)i);
        assert_non_null(info->name);
        assert_true(info->help && *info->help);
        assert_true(info->contexts != 0);
        for (int k = 1; k < i; k++) {
            assert_string_not_equal(info->name, wpa_verb_info_of((wpa_verb)k)->name);
        }
    }
}

static void test_every_verb_has_a_key(void **state)
{
    (void)state;
    wpa_keymap map;
    char text[64];
    wpa_keymap_init(&map);
    for (int i = 1; i < WPA_VERB_COUNT; i++) {
        assert_true(*wpa_keymap_key(&map, (wpa_verb)i, text, sizeof text));
    }
}

static void test_capitals_change(void **state)
{
    (void)state;
    wpa_keymap map;
    wpa_keymap_init(&map);
    for (size_t i = 0; i < map.n; i++) {
        const wpa_key *key = &map.bindings[i].key;
        bool is_capital = key->code == WPA_KEY_CHAR && strchr("ADRHXK", (int)key->character);
        assert_int_equal(wpa_verb_info_of(map.bindings[i].verb)->is_changing, is_capital);
    }
}

static void test_contexts(void **state)
{
    (void)state;
    wpa_keymap map;
    wpa_key key;
    wpa_keymap_init(&map);
    assert_true(wpa_key_parse("A", &key));
    assert_int_equal(wpa_keymap_find(&map, &key, WPA_ON_PATCH), WPA_VERB_APPROVE);
    assert_int_equal(wpa_keymap_find(&map, &key, WPA_ON_WORKFLOW), WPA_VERB_NONE);
    assert_true(wpa_key_parse("Ctrl-B", &key));
    assert_int_equal(wpa_keymap_find(&map, &key, ~0U), WPA_VERB_NONE);
}

static const struct {
    const char *title, *yaml, *error; /* error NULL: fine */
} cases[] = {
    {"another key", "keys:\n  roll-back: U\n", NULL},
    {"several keys", "keys:\n  down: [j, Down, e]\n", NULL},
    {"unknown verb", "keys:\n  rollback: U\n", "did you mean 'roll-back'?"},
    {"no key", "keys:\n  quit: Foo\n", "'Foo' is no key"},
    {"never bound", "keys:\n  quit: Ctrl-B\n", "never bound"},
    {"bound twice", "keys:\n  quit: j\n", "'j' is both"},
    {"changing verb on a small letter", "keys:\n  roll-back: u\n", "needs a capital letter"},
    {"line is named", "keys:\n  help: h2\n", "console.yaml:2:"},
};

static void test_hints_fit_what_is_selected(void **state)
{
    (void)state;
    assert_string_equal(wpa_verb_hint(WPA_VERB_REJECT, WPA_IN_LIST | WPA_ON_PATCH), "reject");
    assert_string_equal(wpa_verb_hint(WPA_VERB_REJECT, WPA_IN_LIST | WPA_ON_JOB), "stop");
    assert_string_equal(wpa_verb_hint(WPA_VERB_OPEN, WPA_IN_LIST | WPA_ON_JOB), "open");
}

static void test_configuration(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_keymap map, before;
        wpa_error err = {0};
        memset(&map, 0, sizeof map);
        wpa_keymap_init(&map);
        before = map;
        const wpa_yaml_doc *doc = wpa_yaml_parse_strict("console.yaml", cases[i].yaml,
                                                        strlen(cases[i].yaml), arena, &err);
        assert_non_null(doc);
        bool is_fine = wpa_keymap_apply(&map, wpa_yaml_get(doc->root, "keys"), &err);
        if (is_fine != (cases[i].error == NULL) ||
            (cases[i].error && !strstr(err.message, cases[i].error))) {
            (void)fprintf(stderr, "%s: %s\n", cases[i].title, err.message);
            fail();
        }
        if (!is_fine) {
            assert_memory_equal(&map, &before, sizeof map);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_verb_has_words),
        cmocka_unit_test(test_every_verb_has_a_key),
        cmocka_unit_test(test_capitals_change),
        cmocka_unit_test(test_contexts),
        cmocka_unit_test(test_configuration),
        cmocka_unit_test(test_hints_fit_what_is_selected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
