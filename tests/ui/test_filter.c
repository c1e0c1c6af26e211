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
    {"@mine", "@ : mine"},
    {"!@mine x", "!@ : mine; text : x"},
    {"@", ""},
    {"a@b", "text : a@b"},
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

static const struct {
    wpa_list list;
    const char *text, *fault; /* "": none */
} faults[] = {
    {WPA_LIST_FINDINGS, "sev:crit", ""},
    {WPA_LIST_FINDINGS, "sev:HI", ""},
    {WPA_LIST_FINDINGS, "sev>=med", ""},
    {WPA_LIST_FINDINGS, "sev:opp", ""},
    {WPA_LIST_FINDINGS, "sev:h", "sev:h"}, /* not yet */
    {WPA_LIST_FINDINGS, "sev:hihg", "sev:hihg"},
    {WPA_LIST_FINDINGS, "sev:criticall", "sev:criticall"},
    {WPA_LIST_FINDINGS, "sev:crit,x,low,y", "sev:x,y"},
    {WPA_LIST_FINDINGS, "cat:sec", ""},
    {WPA_LIST_FINDINGS, "cat:CMP", ""},
    {WPA_LIST_FINDINGS, "cat:prf", ""},
    {WPA_LIST_FINDINGS, "cat:secutiry", "cat:secutiry"},
    {WPA_LIST_FINDINGS, "sev:cmp", "sev:cmp"},
    {WPA_LIST_FINDINGS, "state:in_patch", ""},
    {WPA_LIST_FINDINGS, "state:f*", ""},
    {WPA_LIST_FINDINGS, "state:closed", "state:closed"},
    {WPA_LIST_PATCHES, "state:in_patch", "state:in_patch"},
    {WPA_LIST_PATCHES, "state:rolled_back", ""},
    {WPA_LIST_AUDIT, "state:finding.*", ""}, /* actions are no closed set */
    {WPA_LIST_FINDINGS, "age<7d", ""},
    {WPA_LIST_FINDINGS, "age>=1.5h", ""},
    {WPA_LIST_FINDINGS, "age<2026-11-22", ""},
    {WPA_LIST_FINDINGS, "age:7d", "age:7d"},
    {WPA_LIST_FINDINGS, "age<7", "age<7"},
    {WPA_LIST_FINDINGS, "age<7dd", "age<7dd"},
    {WPA_LIST_FINDINGS, "age<2026-13-01", "age<2026-13-01"},
    {WPA_LIST_FINDINGS, "age<2026-11-2", "age<2026-11-2"},
    {WPA_LIST_FINDINGS, "has:patch,fix", ""},
    {WPA_LIST_FINDINGS, "has:pa", "has:pa"},
    {WPA_LIST_FINDINGS, "score:5", "score"},
    {WPA_LIST_WORKFLOWS, "score<50.5", ""},
    {WPA_LIST_WORKFLOWS, "score<5x", "score<5x"},
    {WPA_LIST_WORKFLOWS, "wf>x", "wf>x"},
    {WPA_LIST_FINDINGS, "nope:x", "nope"},
    {WPA_LIST_FINDINGS, "@mine", "@mine"},
    {WPA_LIST_FINDINGS, "~[~", ""}, /* the database alone knows */
    {WPA_LIST_FINDINGS, "words", ""},
};

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(faults); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        size_t n = 0;
        const wpa_filter_term *terms = wpa_filter_parse(faults[i].text, arena, &n);
        assert_int_equal(n, 1);
        const char *fault = wpa_filter_fault(faults[i].list, &terms[0], arena);
        if (!wpa_text_is(fault ? fault : "", faults[i].fault)) {
            fail_msg("'%s': '%s', wanted '%s'", faults[i].text, fault ? fault : "",
                     faults[i].fault);
        }
    }
}

static void test_places(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    size_t n = 0;
    const wpa_filter_term *terms = wpa_filter_parse(" a  !sev:x rule: \"b c\" @m", arena, &n);
    static const struct {
        size_t at, length;
    } wanted[] = {{1, 1}, {4, 6}, {17, 5}, {23, 2}};
    assert_int_equal(n, WPA_COUNT(wanted));
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(terms[i].at, wanted[i].at);
        assert_int_equal(terms[i].length, wanted[i].length);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
