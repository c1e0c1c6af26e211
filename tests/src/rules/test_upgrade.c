/* What a message says of a name that is not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/arena.h>

#include "rules/upgrade.h"

static const char *const few[] = {"created", "edited", "x", NULL};
static const char *const one[] = {"started", NULL};
static const char *const many[] = {"a1", "b1", "c1", "d1", "e1", "f1",
                                   "g1", "h1", "i1", "j1", NULL};
static const char *const none[] = {NULL};

static void test_the_name_that_was_meant(void **state)
{
    (void)state;
    static const struct {
        const char *text, *meant;
    } cases[] = {
        {"Created", "created"}, {"creatd", "created"}, {"X", "x"},
        {"deleted", NULL},      {"0", NULL}, /* any letter is one edit from any other */
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        const char *meant = wpa_rule_find_meant(cases[i].text, few);
        assert_true(meant ? wpa_text_is(cases[i].meant, meant) : !cases[i].meant);
    }
}

static void test_hints(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    char long_name[300] = {0};
    memset(long_name, 'n', sizeof long_name - 1);
    const char *const longs[] = {"short", long_name, NULL};
    const struct {
        const char *meant;
        const char *const *names;
        const char *hint;
    } cases[] = {
        {"edited", few, " (did you mean 'edited'?)"},
        {NULL, few, " (there are created, edited, x)"},
        {NULL, one, " (there is started)"},
        {NULL, many, ""},
        {NULL, longs, ""},
        {NULL, none, ""},
        {NULL, NULL, ""},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        assert_string_equal(wpa_rule_hint(cases[i].meant, cases[i].names, arena), cases[i].hint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_name_that_was_meant),
        cmocka_unit_test(test_hints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
