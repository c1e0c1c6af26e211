/* Which words a pattern fits, as the generator writes patterns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "facts/patterns.h"

#define WORDS_MAX 8
#define ANY UINT32_MAX
#define BIT(letter) (UINT32_C(1) << ((letter)&31))

/* "run|exec *test*", "-m pip", "**build*": the words of three patterns. */
static const wpa_fact_choice first[] = {{"run", 3, false}, {"exec", 4, false}};
static const wpa_fact_choice second[] = {{"*test*", 6, true}};
static const wpa_fact_choice option[] = {{"-m", 2, false}};
static const wpa_fact_choice module[] = {{"pip", 3, false}};
static const wpa_fact_choice anywhere[] = {{"build*", 6, true}};

static const wpa_fact_pattern_word run_test[] = {{first, 2, false, BIT('r') | BIT('e')},
                                                 {second, 1, false, ANY}};
static const wpa_fact_pattern_word with_module[] = {{option, 1, true, BIT('-')},
                                                    {module, 1, false, BIT('p')}};
static const wpa_fact_pattern_word any_build[] = {{anywhere, 1, true, BIT('b')}};

static const wpa_fact_pattern patterns[] = {{run_test, 2}, {with_module, 2}, {any_build, 1}, {0}};

typedef struct pattern_case {
    size_t pattern; /* index */
    const char *words[WORDS_MAX];
    bool fits;
    size_t behind;
} pattern_case;

static const pattern_case cases[] = {
    {0, {"run", "my-test"}, true, 2},
    {0, {"--silent", "exec", "-x", "tests", "more"}, true, 4}, /* options are passed over */
    {0, {"-C", "dir", "run", "test"}, true, 4},                /* one with its value */
    {0, {"run", "build"}, false, 0},
    {0, {"runs", "test"}, false, 0},
    {0, {"run"}, false, 0},
    {0, {NULL}, false, 0},
    {1, {"-m", "pip", "install"}, true, 2},
    {1, {"pip", "-m"}, true, 1}, /* an option stands anywhere */
    {1, {"pip"}, false, 0},
    {1, {"-m", "build"}, false, 0},
    {2, {"clean", "build-all"}, true, 0},
    {2, {"rebuild"}, false, 0},
    {3, {"whatever"}, true, 0},
    {3, {NULL}, true, 0},
};

static void patterns_fit_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        const pattern_case *c = &cases[i];
        size_t n = 0, behind = 0;
        while (n < WORDS_MAX && c->words[n]) {
            n++;
        }
        wpa_fact_words words = wpa_fact_words_of(c->words, n);
        bool fits = wpa_fact_pattern_fits(&patterns[c->pattern], &words, &behind);
        if (fits != c->fits || (fits && behind != c->behind)) {
            fail_msg("case %zu: fits %d, behind %zu", i, fits, behind);
        }
    }
}

static void globs_fit_texts(void **state)
{
    (void)state;
    assert_true(wpa_fact_glob_fits(wpa_slice_of("a*c*"), "abcbc"));
    assert_true(wpa_fact_glob_fits(wpa_slice_of("*"), ""));
    assert_false(wpa_fact_glob_fits(wpa_slice_of("a*c"), "abcb"));
    assert_false(wpa_fact_glob_fits(wpa_slice_of("abc"), "ab"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_fit_words),
        cmocka_unit_test(globs_fit_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
