#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "match/filter.h"

static void test_filters(void **state)
{
    (void)state;
    static const struct {
        const char *patterns[4];
        const char *text;
        bool fits;
    } cases[] = {
        {{"feature/*"}, "feature/my-branch", true},
        {{"feature/*"}, "feature/a/b", false},
        {{"feature/**"}, "feature/beta-a/my-branch", true},
        {{"*"}, "main", true},
        {{"*"}, "a/b", false},
        {{"**"}, "all/the/branches", true},
        {{"*feature"}, "ver-10-feature", true},
        {{"v2*"}, "v2.9", true},
        {{"v[12].[0-9]+.[0-9]+"}, "v1.10.1", true},
        {{"v[12].[0-9]+.[0-9]+"}, "v3.0.0", false},
        {{"*.jsx?"}, "page.js", true},
        {{"*.jsx?"}, "page.jsx", true},
        {{"*.jsx?"}, "a/page.js", false},
        {{"**.js"}, "js/index.js", true},
        {{"**/README.md"}, "README.md", true},
        {{"**/README.md"}, "js/README.md", true},
        {{"**/docs/**"}, "docs/hello.md", true},
        {{"**/docs/**"}, "dir/docs/my-file.txt", true},
        {{"docs/**/*.md"}, "docs/a/markdown/file.md", true},
        {{"docs/**/*.md"}, "docs/a.md", true},
        {{"**/*src/**"}, "my-src/code/js/app.js", true},
        {{"*.md", "!README.md"}, "README.md", false},
        {{"*.md", "!README.md"}, "hello.md", true},
        {{"*.md", "!README.md", "README*"}, "README.md", true},
        {{"!x"}, "y", false},
        {{"a.b"}, "axb", false},
        {{"a\\*b"}, "a*b", true},
        {{"a\\*b"}, "axb", false},
        {{"a+"}, "aaa", true},
        {{"ä?b"}, "b", true},
        {{"(x|y)"}, "x", false},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        size_t n = 0;
        wpa_error err = {0};
        while (n < 4 && cases[i].patterns[n]) {
            n++;
        }
        print_message("%s %s\n", cases[i].patterns[0], cases[i].text);
        WPA_AUTO(wpa_filter) *filter = wpa_filter_new(cases[i].patterns, n, NULL, &err);
        assert_non_null(filter);
        assert_int_equal(wpa_filter_fits(filter, cases[i].text),
                         cases[i].fits ? WPA_REGEX_YES : WPA_REGEX_NO);
    }
}

static void test_wrong_filters_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",   "!", "[a",  "[]",  "[z-a]",
                                        "?a", "+", "**+", "a\\", "***"};
    for (size_t i = 0; i < WPA_COUNT(wrong); i++) {
        wpa_error err = {0};
        size_t index = 9;
        const char *const patterns[] = {"fine", wrong[i]};
        print_message("%s\n", wrong[i]);
        assert_null(wpa_filter_new(patterns, 2, &index, &err));
        assert_int_equal(err.code, WPA_E_INVALID);
        assert_int_equal(index, 1);
    }
}

static void test_one_path_of_many_is_enough(void **state)
{
    (void)state;
    static const char *const patterns[] = {"src/**", "!src/**/*.md"};
    static const char *const docs[] = {"src/a.md", "README"}, *const code[] = {"src/a.md",
                                                                               "src/b.c"};
    wpa_error err = {0};
    WPA_AUTO(wpa_filter) *filter = wpa_filter_new(patterns, 2, NULL, &err);
    assert_int_equal(wpa_filter_fits_any(filter, docs, 2), WPA_REGEX_NO);
    assert_int_equal(wpa_filter_fits_any(filter, code, 2), WPA_REGEX_YES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_wrong_filters_are_refused),
        cmocka_unit_test(test_one_path_of_many_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
