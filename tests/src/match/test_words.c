#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "match/words.h"

static const char *const words[] = {"push", "pull", "p", "x--y", "Zed"};

static void finds_the_first(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int at; /* -1: nowhere */
        size_t which;
        int at_ci;
    } cases[] = {
        {"", -1, 0, -1},
        {"git fetch", -1, 0, -1},
        {"git push, then pull", 4, 0, 4},
        {"a pulled thing", 2, 1, 2},
        {"ap", 1, 2, 1},
        {"x-x--y", 2, 3, 2},
        {"x--", -1, 0, -1},
        {"zed and Zed", 8, 4, 0},
        {"\xc3\xa4 PUSH", -1, 0, 3},
        {"pul", 0, 2, 0},
    };
    wpa_words all = wpa_words_of(words, WPA_COUNT(words));
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        const char *text = cases[i].text;
        size_t which = 99;
        const char *found = wpa_words_find(text, strlen(text), words, WPA_COUNT(words), &which);
        assert_int_equal(found ? found - text : -1, cases[i].at);
        assert_int_equal(found ? which : 0, cases[i].which);
        found = wpa_words_find_ci(text, strlen(text), words, WPA_COUNT(words), NULL);
        assert_int_equal(found ? found - text : -1, cases[i].at_ci);
        assert_ptr_equal(wpa_words_seek_ci(&all, text, strlen(text), NULL), found);
    }
}

static void stays_within_the_text(void **state)
{
    (void)state;
    assert_null(wpa_words_find("x--y", 3, words, WPA_COUNT(words), NULL));
    assert_null(wpa_words_find("git push", 4, words, WPA_COUNT(words), NULL));
    assert_null(wpa_words_find("push", 4, words, 0, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_first),
        cmocka_unit_test(stays_within_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
