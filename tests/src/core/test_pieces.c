/* What is put together of pieces is what printf prints; what they cannot do is left to it. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#include "core/pieces.h"

#define LINE_BYTES 1024

/** Both ways of writing a text, and those who take the shorter one. */
static WPA_PRINTF(2, 3) void expect_same(bool is_ours, const char *format, ...)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(LINE_BYTES);
    char printed[LINE_BYTES], written[LINE_BYTES];
    wpa_pieces pieces;
    va_list values, again;
    va_start(values, format);
    va_copy(again, values);
    (void)vsnprintf(printed, sizeof printed, format, again);
    va_end(again);
    assert_int_equal(wpa_pieces_read(&pieces, format, values), is_ours);
    if (is_ours) {
        assert_int_equal(pieces.length, strlen(printed));
        wpa_pieces_write(&pieces, written);
        assert_string_equal(written, printed);
    }
    va_copy(again, values);
    wpa_buf_vprintf(buf, format, again);
    va_end(again);
    assert_string_equal(wpa_buf_data(buf), printed);
    assert_string_equal(wpa_arena_vprintf(arena, format, values), printed);
    va_end(values);
}

static void pieces_are_what_printf_prints(void **state)
{
    (void)state;
    expect_same(true, "%s", "");
    expect_same(true, "plain, and 100%% of it");
    expect_same(true, "%s's %s", "a", "b");
    expect_same(true, "[%.*s] [%.*s] [%.*s]", 3, "abcdef", 9, "ab", 0, "abc");
    expect_same(true, "%c%c", 'x', '%');
    expect_same(true, "%d %d %d", 0, INT_MIN, INT_MAX);
    expect_same(true, "%u %u", 0U, UINT_MAX);
    expect_same(true, "%zu %zu", (size_t)7, SIZE_MAX);
    expect_same(true, "%ld %lld", LONG_MIN, LLONG_MAX);
    expect_same(true, "%lld %s %lld", LLONG_MIN, "between", -1LL);
}

static void the_rest_is_left_to_printf(void **state)
{
    (void)state;
    expect_same(false, "%5d|%-6s|%02x", 12, "ab", 10U);
    expect_same(false, "%s %.2s", "values that were read are read again", "cut");
    expect_same(false, "%.*s", -1, "all of it");
    expect_same(false, "%lu %llu", 1UL, 2ULL);
    expect_same(false, "%.1f %g", 1.25, 0.5);
    expect_same(false, "%d %d %d %d %d %d %d", 1, 2, 3, 4, 5, 6,
                7); /* more than there is room for */
    expect_same(false, "%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s", "a", "b", "c", "d",
                "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u",
                "v", "w", "x", "y");
}

static void text_that_does_not_fit_is_cut(void **state)
{
    (void)state;
    char small[6];
    assert_true(wpa_text_format(small, sizeof small, "%s%d", "abc", 12));
    assert_string_equal(small, "abc12");
    assert_false(wpa_text_format(small, sizeof small, "%s%d", "abc", 123));
    assert_string_equal(small, "abc12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_what_printf_prints),
        cmocka_unit_test(the_rest_is_left_to_printf),
        cmocka_unit_test(text_that_does_not_fit_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
