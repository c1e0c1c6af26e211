#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "edit/edit.h"

static void test_edits_are_applied_and_taken_back(void **state)
{
    (void)state;
    static const char before[] = "on: push\r\njobs: {}\r\n";
    static const struct {
        const char *title;
        wpa_edit edits[3];
        size_t n;
        const char *after; /* NULL: refused */
    } cases[] = {
        {"nothing", {{{0, 0}, "", 0}}, 0, "on: push\r\njobs: {}\r\n"},
        {"replace", {{{4, 8}, "pull_request", 12}}, 1, "on: pull_request\r\njobs: {}\r\n"},
        {"insert", {{{10, 10}, "x: 1\r\n", 6}}, 1, "on: push\r\nx: 1\r\njobs: {}\r\n"},
        {"delete", {{{0, 10}, "", 0}}, 1, "jobs: {}\r\n"},
        {"out of order", {{{16, 18}, "[]", 2}, {{4, 8}, "a", 1}}, 2, "on: a\r\njobs: []\r\n"},
        {"touching", {{{4, 8}, "a", 1}, {{8, 10}, "\n", 1}}, 2, "on: a\njobs: {}\r\n"},
        {"at the end", {{{20, 20}, "# x", 3}}, 1, "on: push\r\njobs: {}\r\n# x"},
        {"beyond the end", {{{20, 21}, "", 0}}, 1, NULL},
        {"backwards", {{{5, 4}, "", 0}}, 1, NULL},
        {"overlapping", {{{4, 8}, "a", 1}, {{7, 9}, "b", 1}}, 2, NULL},
        {"two insertions at one place", {{{4, 4}, "a", 1}, {{4, 4}, "b", 1}}, 2, NULL},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        wpa_edit edits[3];
        memcpy(edits, cases[i].edits, sizeof edits);
        print_message("%s\n", cases[i].title);
        bool is_good = wpa_edits_sort(edits, cases[i].n, strlen(before), &err);
        assert_int_equal(is_good, cases[i].after != NULL);
        if (!is_good) {
            assert_int_equal(err.code, WPA_E_INVALID);
            continue;
        }
        size_t size, back_size;
        const char *after =
            wpa_edits_apply(edits, cases[i].n, before, strlen(before), arena, &size);
        assert_string_equal(after, cases[i].after);
        assert_int_equal(size, strlen(after));
        wpa_edit *inverse = wpa_edits_invert(edits, cases[i].n, before, arena);
        const char *back = wpa_edits_apply(inverse, cases[i].n, after, size, arena, &back_size);
        assert_string_equal(back, before);
    }
}

static void test_edits_are_found_between_two_texts(void **state)
{
    (void)state;
    static const struct {
        const char *title, *before, *after;
        wpa_edit edits[2];
        size_t n;
    } cases[] = {
        {"same", "a\nb\n", "a\nb\n", {{{0, 0}, "", 0}}, 0},
        {"a word", "a\nuses: x@v1 # c\nb\n", "a\nuses: x@v22 # c\nb\n", {{{11, 12}, "22", 2}}, 1},
        {"a line added", "a\nb\n", "a\nc\nb\n", {{{2, 2}, "c\n", 2}}, 1},
        {"a line removed", "a\nb\nc\n", "a\nc\n", {{{2, 4}, "", 0}}, 1},
        {"two places", "a\nb\nc\n", "x\nb\ny\n", {{{0, 1}, "x", 1}, {{4, 5}, "y", 1}}, 2},
        {"whole characters", "ä\n", "ö\n", {{{0, 2}, "ö", 2}}, 1},
        {"characters that share their tail",
         "\xc3\xa4\n",
         "\xc4\xa4\n",
         {{{0, 2}, "\xc4\xa4", 2}},
         1},
        {"no final newline", "a\nb", "a\nb\n", {{{3, 3}, "\n", 1}}, 1},
        {"from nothing", "", "a\n", {{{0, 0}, "a\n", 2}}, 1},
        {"to nothing", "a\n", "", {{{0, 2}, "", 0}}, 1},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        size_t n, size;
        print_message("%s\n", cases[i].title);
        wpa_edit *edits = wpa_edits_between(cases[i].before, strlen(cases[i].before),
                                            cases[i].after, strlen(cases[i].after), arena, &n);
        assert_int_equal(n, cases[i].n);
        for (size_t k = 0; k < n; k++) {
            assert_int_equal(edits[k].bytes.start, cases[i].edits[k].bytes.start);
            assert_int_equal(edits[k].bytes.end, cases[i].edits[k].bytes.end);
            assert_int_equal(edits[k].text_bytes, cases[i].edits[k].text_bytes);
        }
        wpa_error err = {0};
        assert_true(wpa_edits_sort(edits, n, strlen(cases[i].before), &err));
        assert_string_equal(
            wpa_edits_apply(edits, n, cases[i].before, strlen(cases[i].before), arena, &size),
            cases[i].after);
    }
}

/* Every pair of small edits of a small text: one after the other, and both as one. */
static void test_composed_edits_do_what_both_do(void **state)
{
    (void)state;
    static const char before[] = "abcdef";
    static const char *const texts[] = {"", "x", "yz"};
    size_t n_before = sizeof before - 1, n_tried = 0;
    for (size_t code = 0; code < 7 * 7 * 3 * 10 * 10 * 3; code++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const char *text_1 = texts[code / 49 % 3], *text_2 = texts[code / 14700 % 3];
        wpa_edit first = {{code % 7, code / 7 % 7}, text_1, strlen(text_1)};
        wpa_edit second = {{code / 147 % 10, code / 1470 % 10}, text_2, strlen(text_2)};
        if (first.bytes.start > first.bytes.end) {
            continue;
        }
        size_t n_between, n_after, n_composed, n;
        const char *between = wpa_edits_apply(&first, 1, before, n_before, arena, &n_between);
        if (second.bytes.start > second.bytes.end || second.bytes.end > n_between) {
            continue;
        }
        const char *after = wpa_edits_apply(&second, 1, between, n_between, arena, &n_after);
        wpa_edit *edits = wpa_edits_compose(&first, 1, &second, 1, n_before, arena, &n);
        wpa_error err = {0};
        assert_true(wpa_edits_sort(edits, n, n_before, &err));
        assert_string_equal(wpa_edits_apply(edits, n, before, n_before, arena, &n_composed), after);
        n_tried++;
    }
    assert_true(n_tried > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edits_are_applied_and_taken_back),
        cmocka_unit_test(test_edits_are_found_between_two_texts),
        cmocka_unit_test(test_composed_edits_do_what_both_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
