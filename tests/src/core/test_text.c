#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "core/lanes.h"

/* As they are told in one instruction, and where there is none. */
static void test_lanes_have_one_bit_each(void **state)
{
    (void)state;
    for (unsigned wanted = 0; wanted < 1U << WPA_LANES; wanted++) {
        wpa_lanes lanes = {0};
        uint64_t halves[2];
        for (unsigned i = 0; i < WPA_LANES; i++) {
            lanes[i] = wanted >> i & 1 ? 0xff : 0;
        }
        memcpy(halves, &lanes, sizeof halves);
        assert_int_equal(wpa_lanes_bits(lanes), wanted);
        assert_int_equal(wpa_lanes_pack(halves[0]) | wpa_lanes_pack(halves[1]) << 8, wanted);
    }
}

static void test_hidden_characters_become_marks(void **state)
{
    (void)state;
    static const struct {
        const char *title, *in, *out;
        bool keep_lines;
    } cases[] = {
        {"plain", "abc äöü", "abc äöü", false},
        {"escape sequence", "\033[31mred", "‹1b›[31mred", false},
        {"line feed marked", "a\nb", "a‹0a›b", false},
        {"line feed kept", "a\n\tb", "a\n\tb", true},
        {"right-to-left override", "a\u202eb", "a‹u202e›b", false},
        {"C1 control",
         "\xc2\x9b"
         "31m",
         "‹9b›31m", false},
        {"bad byte",
         "a\xff"
         "b",
         "a‹ff›b", false},
        {"overlong", "\xc0\xaf", "‹c0›‹af›", false},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        assert_string_equal(
            wpa_text_visible(arena, cases[i].in, strlen(cases[i].in), cases[i].keep_lines),
            cases[i].out);
    }
}

static void test_what_is_cut_is_cut_between_characters(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        size_t size_bytes;
        const char *out;
    } cases[] = {
        {"abc", 4, "abc"},
        {"abc", 3, "ab"},
        {"abc", 1, ""},
        {"äöü", 7, "äöü"},
        {"äöü", 6, "äö"},
        {"äöü", 5, "äö"},
        {"äöü", 4, "ä"},
        {"a€", 4, "a"},
        {"a€", 5, "a€"},
        {"a€€", 7, "a€"},
        {"a😀", 5, "a"},
        {"😀", 4, ""},
        {"😀x", 6, "😀x"},
        {"😀xy", 6, "😀x"},
        {"a\xff"
         "b",
         3, "a"},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        char text[16];
        bool is_whole = strcmp(cases[i].in, cases[i].out) == 0;
        assert_int_equal(wpa_text_copy(text, cases[i].size_bytes, cases[i].in), is_whole);
        assert_string_equal(text, cases[i].out);
    }
}

static void test_numbers_are_whole_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_good;
        int64_t value;
    } cases[] = {{"17", true, 17}, {"-3", true, -3}, {"", false, 0},
                 {" 1", false, 0}, {"1x", false, 0}, {"101", false, 0},
                 {"+1", false, 0}, {NULL, false, 0}, {"99999999999999999999", false, 0}};
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        int64_t value = 0;
        assert_int_equal(wpa_text_to_int(cases[i].text, -100, 100, &value), cases[i].is_good);
        assert_int_equal(value, cases[i].value);
    }
}

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_good;
        int64_t ms;
    } cases[] = {{"250ms", true, 250},   {"3s", true, 3000}, {"1.5h", true, 5400000},
                 {"10 m", true, 600000}, {"3", false, 0},    {"s", false, 0},
                 {"1e300d", false, 0}};
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        int64_t ms = 0;
        assert_int_equal(wpa_text_to_duration_ms(cases[i].text, &ms), cases[i].is_good);
        assert_int_equal(ms, cases[i].ms);
    }
}

static void test_paths_that_leave_the_tree_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool is_good;
    } cases[] = {
        {".github/workflows/ci.yml", true},
        {"a..b/c", true},
        {"", false},
        {"/etc/passwd", false},
        {"a/../b", false},
        {"..", false},
        {"a//b", false},
        {"a/", false},
        {".git/config", false},
        {"x/.GIT/hooks/pre-push", false},
        {"git~1/x", false},
        {"a\\b", false},
        {"a\nb", false},
        {"./a", false},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        wpa_error err = {0};
        assert_int_equal(wpa_path_check_relative(cases[i].path, &err), cases[i].is_good);
        assert_int_equal(err.code, cases[i].is_good ? WPA_OK : WPA_E_INVALID);
    }
}

/* At every place of texts of every length, so that each part of the search by sixteens is met. */
static void test_words_are_found_in_any_case(void **state)
{
    (void)state;
    static const char *const words[] = {
        "x", "ab", "[x]", "pull_request", "@a", "longer-than-16-bytes"};
    for (size_t w = 0; w < WPA_COUNT(words); w++) {
        size_t n = strlen(words[w]);
        for (size_t length = n; length < 70; length++) {
            for (size_t at = 0; at + n <= length; at++) {
                char text[80];
                memset(text, 'a', length); /* many false starts */
                for (size_t i = 0; i < n; i++) {
                    char c = words[w][i];
                    text[at + i] = (char)(i % 2 && c >= 'a' && c <= 'z' ? c - 32 : c);
                }
                const char *found = wpa_text_find_ci(text, length, words[w]);
                assert_ptr_equal(found, text + at);
                assert_null(wpa_text_find_ci(text, at + n - 1, words[w]));
            }
        }
    }
    assert_null(wpa_text_find_ci("a`b", 3, "@b")); /* one bit apart, and no letters */
    assert_null(wpa_text_find_ci("[X]", 3, "{x}"));
}

static void test_words_are_found_as_they_are(void **state)
{
    (void)state;
    static const char *const words[] = {"x", "aB", "[X]", "pull_Request", "longer-than-16-bytes"};
    for (size_t w = 0; w < WPA_COUNT(words); w++) {
        size_t n = strlen(words[w]);
        for (size_t length = n; length < 70; length++) {
            for (size_t at = 0; at + n <= length; at++) {
                char text[80];
                memset(text, 'A', length);
                memcpy(text + at, words[w], n);
                assert_ptr_equal(wpa_text_find(text, length, words[w]), text + at);
                assert_null(wpa_text_find(text, at + n - 1, words[w]));
            }
        }
    }
    assert_null(wpa_text_find("ab, Ab, aB", 10, "AB")); /* another case is another word */
    assert_string_equal(wpa_text_seek("ab, Ab, aB", "Ab"), "Ab, aB");
    assert_string_equal(wpa_text_seek("any", ""), "any");
}

static void test_nearest_name(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"security", "performance", "quality"};
    assert_string_equal(wpa_text_nearest("secrity", NAMES, 3), "security");
    assert_null(wpa_text_nearest("xyz", NAMES, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lanes_have_one_bit_each),
        cmocka_unit_test(test_hidden_characters_become_marks),
        cmocka_unit_test(test_what_is_cut_is_cut_between_characters),
        cmocka_unit_test(test_numbers_are_whole_or_refused),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_paths_that_leave_the_tree_are_refused),
        cmocka_unit_test(test_words_are_found_in_any_case),
        cmocka_unit_test(test_words_are_found_as_they_are),
        cmocka_unit_test(test_nearest_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
