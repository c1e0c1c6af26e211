#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "console/ui.h"

static const struct {
    const char *text, *want; /* each term as "[!]field op value|value[=]" */
} cases[] = {
    {"", ""},
    {"cache", "text : cache"},
    {"sev:crit,high", "sev : crit|high"},
    {"sev:crit wf:web/*", "sev : crit; wf : web/*"},
    {"!rule:QUA-*", "!rule : QUA-*"},
    {"age<7d", "age < 7d"},
    {"score>=50", "score >= 50"},
    {"state=open", "state : open"},
    {"\"two words\"", "text : two words="},
    {"!\"two words\"", "!text : two words="},
    {"~un.*ed~", "regex : un.*ed"},
    {"colour:red", "colour : red"}, /* the list says that it has no such field */
    {"https://a.example", "text : https://a.example"},
    {"pull-requests:write", "text : pull-requests:write"},
    {":x", "text : :x"},
    {"sev:", ""},
    {"  a   b ", "text : a; text : b"},
    {"\"open", "text : open="},
};

static void describe(const wpa_filter_term *terms, size_t n, char *text, size_t size_bytes)
{
    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        size_t used = strlen(text);
        (void)wpa_text_format(text + used, size_bytes - used, "%s%s%s %s ", used ? "; " : "",
                              terms[i].is_negated ? "!" : "", terms[i].field, terms[i].op);
        for (size_t k = 0; k < terms[i].n_values; k++) {
            used = strlen(text);
            (void)wpa_text_format(text + used, size_bytes - used, "%s%s%s", k ? "|" : "",
                                  terms[i].values[k], terms[i].is_exact ? "=" : "");
        }
    }
}

static void test_terms(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        char text[512];
        size_t n = 0;
        const wpa_filter_term *terms = wpa_filter_parse(cases[i].text, arena, &n);
        describe(terms, n, text, sizeof text);
        if (strcmp(text, cases[i].want) != 0) {
            (void)fprintf(stderr, "'%s': '%s', wanted '%s'\n", cases[i].text, text, cases[i].want);
            fail();
        }
    }
}

static void test_limits(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    char text[4000];
    size_t n = 0;
    memset(text, ',', sizeof text);
    memcpy(text, "sev:", 4);
    text[sizeof text - 1] = '\0';
    (void)wpa_filter_parse(text, arena, &n);
    assert_int_equal(n, 0);
    for (size_t i = 0; i + 2 < sizeof text; i += 2) {
        memcpy(text + i, "a ", 2);
    }
    (void)wpa_filter_parse(text, arena, &n);
    assert_true(n > 0 && n <= 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_terms), cmocka_unit_test(test_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
