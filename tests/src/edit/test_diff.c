#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/buf.h>

#include "edit/diff.h"

static const struct {
    const char *title, *before, *after, *expected;
} cases[] = {
    {"equal", "a\nb\n", "a\nb\n", ""},
    {"one line changed", "a\nb\nc\n", "a\nB\nc\n",
     "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"},
    {"line added at the end", "a\n", "a\nb\n", "--- a/f\n+++ b/f\n@@ -1 +1,2 @@\n a\n+b\n"},
    {"no newline at the end", "a", "a\nb",
     "--- a/f\n+++ b/f\n@@ -1 +1,2 @@\n-a\n\\ No newline at "
     "end of file\n+a\n+b\n\\ No newline at end of file\n"},
    {"new file", NULL, "a\n", "--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n"},
    {"deleted file", "a\n", NULL, "--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"},
    {"two hunks", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n", "1x\n2\n3\n4\n5\n6\n7\n8\n9\n10x\n",
     "--- a/f\n+++ b/f\n@@ -1,4 +1,4 @@\n-1\n+1x\n 2\n 3\n 4\n"
     "@@ -7,4 +7,4 @@\n 7\n 8\n 9\n-10\n+10x\n"},
    {"near changes share a hunk", "1\n2\n3\n4\n5\n6\n7\n8\n", "1x\n2\n3\n4\n5\n6\n7\n8x\n",
     "--- a/f\n+++ b/f\n@@ -1,8 +1,8 @@\n-1\n+1x\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+8x\n"},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const char *before = cases[i].before, *after = cases[i].after;
        const char *diff = wpa_diff_unified("f", before, before ? strlen(before) : 0, after,
                                            after ? strlen(after) : 0, arena);
        if (strcmp(diff, cases[i].expected) != 0) {
            print_error("%s\n", cases[i].title);
        }
        assert_string_equal(diff, cases[i].expected);
    }
}

/* Texts with nothing in common, beyond what the search looks at: still a correct diff. */
static void test_large_texts(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *before = wpa_buf_new(1 << 20), *after = wpa_buf_new(1 << 20);
    for (int i = 0; i < 3000; i++) {
        wpa_buf_printf(before, "a%d\n", i);
        wpa_buf_printf(after, "b%d\n", i);
    }
    const char *diff = wpa_diff_unified("f", wpa_buf_data(before), wpa_buf_size(before),
                                        wpa_buf_data(after), wpa_buf_size(after), arena);
    assert_non_null(strstr(diff, "@@ -1,3000 +1,3000 @@\n-a0\n"));
    assert_non_null(strstr(diff, "\n+b2999\n"));
}

/* More changes than the search looks at, between lines that are there once: no others are shown. */
static void test_many_changes(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *before = wpa_buf_new(1 << 20), *after = wpa_buf_new(1 << 20);
    for (int i = 0; i < 9000; i++) {
        wpa_buf_printf(before, "job%d\nuse 1\nrun\n", i);
        wpa_buf_printf(after, "job%d\nuse 2\nrun\n", i);
    }
    wpa_buf_text(before, "moved\nlast\n");
    wpa_buf_text(after, "last\nmoved\n");
    const char *diff = wpa_diff_unified("f", wpa_buf_data(before), wpa_buf_size(before),
                                        wpa_buf_data(after), wpa_buf_size(after), arena);
    assert_null(strstr(diff, "\n-job"));
    assert_null(strstr(diff, "\n+job"));
    assert_non_null(strstr(diff, "\n-use 1\n+use 2\n run\n job8999\n-use 1\n+use 2\n run\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases),
                                       cmocka_unit_test(test_large_texts),
                                       cmocka_unit_test(test_many_changes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
