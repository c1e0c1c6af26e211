#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "edit/diff.h"
#include "edit/unified.h"

#define HEAD "--- a/f\n+++ b/f\n"

static const struct {
    const char *title, *before, *diff;
    const char *after; /* NULL: deleted, or refused */
    const char *why;   /* of a refusal */
} cases[] = {
    {"one line changed", "a\nb\nc\n", HEAD "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n", "a\nB\nc\n", NULL},
    {"without names", "a\nb\n", "@@ -2 +2 @@ section\n-b\n+c\n", "a\nc\n", NULL},
    {"names without letters, with dates", "a\n",
     "--- f\t2026-01-01\n+++ f\t2026-01-02\n@@ -1 +1 @@\n-a\n+b\n", "b\n", NULL},
    {"as git writes it", "a\n",
     "diff --git a/f b/f\nindex 1..2 100644\n" HEAD "@@ -1 +1,2 @@\n a\n+b\n", "a\nb\n", NULL},
    {"two hunks", "1\n2\n3\n4\n5\n", "@@ -1 +1,2 @@\n 1\n+x\n@@ -5 +6 @@\n-5\n+6\n",
     "1\nx\n2\n3\n4\n6\n", NULL},
    {"inserted behind a line", "a\nb\n", "@@ -1,0 +2 @@\n+x\n", "a\nx\nb\n", NULL},
    {"inserted at the top", "a\n", "@@ -0,0 +1 @@\n+x\n", "x\na\n", NULL},
    {"a line break added at the end", "a", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n",
     "a\n", NULL},
    {"a line break taken from the end", "a\n",
     "@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n", "a", NULL},
    {"carriage returns are bytes", "a\r\nb\r\n", "@@ -1,2 +1,2 @@\n-a\r\n+c\r\n b\r\n",
     "c\r\nb\r\n", NULL},
    {"a new file", NULL, "--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n", "a\n", NULL},
    {"a deleted file", "a\n", "--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", NULL, NULL},
    {"other context", "a\nb\n", "@@ -1,2 +1,2 @@\n x\n-b\n+c\n", NULL, "line 2"},
    {"elsewhere by a line", "x\na\nb\n", "@@ -1,2 +1,2 @@\n a\n-b\n+c\n", NULL, "not what stands"},
    {"a blank more at a line's end", "a \n", "@@ -1 +1 @@\n-a\n+b\n", NULL, "not what stands"},
    {"behind the end", "a\n", "@@ -9 +9 @@\n-a\n+b\n", NULL, "does not have"},
    {"back again", "a\nb\n", "@@ -2 +2 @@\n-b\n+c\n@@ -1 +1 @@\n-a\n+b\n", NULL, "goes back"},
    {"wrong new side", "a\nb\n", "@@ -2 +1 @@\n-b\n+c\n", NULL, "does not fit"},
    {"too few lines", "a\nb\n", "@@ -1,2 +1,2 @@\n a\n", NULL, "not complete"},
    {"too many lines", "a\n", "@@ -1 +1 @@\n-a\n+b\n+c\n", NULL, "one diff changes one file"},
    {"an empty line", "a\n\n", "@@ -1,2 +1,2 @@\n-a\n+b\n\n", NULL, "is empty"},
    {"another file", "a\n", "--- a/g\n+++ b/g\n@@ -1 +1 @@\n-a\n+b\n", NULL, "another file"},
    {"two files", "a\n", HEAD "@@ -1 +1 @@\n-a\n+b\n" HEAD "@@ -1 +1 @@\n-b\n+c\n", NULL,
     "one diff"},
    {"a rename", "a\n", "diff --git a/f b/g\nrename from f\nrename to g\n", NULL, "a rename"},
    {"a new mode", "a\n", "old mode 100644\nnew mode 100755\n", NULL, "a mode"},
    {"new but there", "a\n", "--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+b\n", NULL, "there already"},
    {"deleted in part", "a\nb\n", "--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", NULL, "leaves"},
    {"no hunk", "a\n", HEAD, NULL, "no hunk"},
    {"numbers too large", "a\n", "@@ -99999999999999999999 +1 @@\n-a\n+b\n", NULL, "no head"},
    {"nothing", "a\n", "", NULL, "no hunk"},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        wpa_unified_result result;
        const char *before = cases[i].before;
        bool is_applied = wpa_unified_apply(cases[i].diff, strlen(cases[i].diff), "f", before,
                                            before ? strlen(before) : 0, arena, &result, &err);
        print_message("%s: %s\n", cases[i].title, err.message);
        assert_int_equal(is_applied, cases[i].why == NULL);
        if (cases[i].why) {
            assert_int_equal(err.code, WPA_E_INVALID);
            assert_non_null(strstr(err.message, cases[i].why));
        } else if (cases[i].after) {
            assert_string_equal(result.bytes, cases[i].after);
        } else {
            assert_null(result.bytes);
        }
    }
}

static void test_what_is_a_diff(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_diff;
    } texts[] = {
        {HEAD "@@ -1 +1 @@\n", true},    {"diff --git a/f b/f\n", true},
        {"@@ -1 +1 @@\n-a\n+b\n", true}, {"--- # a document\non: push\n", false},
        {"---\non: push\n", false},      {"index 3\n", false},
        {"on: push\n", false},           {"", false},
    };
    for (size_t i = 0; i < WPA_COUNT(texts); i++) {
        assert_int_equal(wpa_unified_is(texts[i].text, strlen(texts[i].text)), texts[i].is_diff);
    }
}

/* What our own diffs say leads from one text to the other. */
static void test_own_diffs(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "a", "a\n", "a\nb", "b\na\n", "a\n\n\nb\nc\nd\ne\nf\n", "x\ny\nf\n\n"};
    for (size_t i = 0; i < WPA_COUNT(texts); i++) {
        for (size_t k = 0; k < WPA_COUNT(texts); k++) {
            WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
            wpa_error err = {0};
            wpa_unified_result result;
            const char *a = texts[i], *b = texts[k];
            const char *diff = wpa_diff_unified("f", a, strlen(a), b, strlen(b), arena);
            if (i != k) {
                assert_true(
                    wpa_unified_apply(diff, strlen(diff), "f", a, strlen(a), arena, &result, &err));
                assert_string_equal(result.bytes, b);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases),
                                       cmocka_unit_test(test_what_is_a_diff),
                                       cmocka_unit_test(test_own_diffs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
