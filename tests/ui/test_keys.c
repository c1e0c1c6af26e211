#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "term/keys.h"

/* Keys as words: "R" alone, "r-" not alone. */
static void describe(const wpa_key *keys, size_t n, char *text, size_t size_bytes)
{
    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        char key[32];
        size_t used = strlen(text);
        const char *name = keys[i].code == WPA_KEY_PASTE_DROPPED ? "<dropped>"
                           : keys[i].code == WPA_KEY_SYNC_MODE   ? "<sync>"
                           : keys[i].code == WPA_KEY_BACKGROUND  ? "<background>"
                                                                 : NULL;
        (void)wpa_text_format(text + used, size_bytes - used, "%s%s%s", used ? " " : "",
                              name ? name : wpa_key_text(&keys[i], key, sizeof key),
                              name || keys[i].is_alone ? "" : "-");
    }
}

typedef struct key_case {
    const char *title, *bytes, *want;
    bool takes_text;
} key_case;

static const key_case cases[] = {
    {"plain letter", "q", "q", false},
    {"capital", "R", "R", false},
    {"two letters are not alone", "jR", "j- R-", false},
    {"burst is no key", "RRR", "<dropped>", false},
    {"burst in a field is text", "abc", "a- b- c-", true},
    {"enter", "\r", "Enter", false},
    {"tab", "\t", "Tab", false},
    {"backspace", "\177", "Backspace", false},
    {"control", "\022", "Ctrl-R", false},
    {"arrow", "\033[A", "Up-", false},
    {"application arrow", "\033OB", "Down-", false},
    {"page down", "\033[6~", "PgDn-", false},
    {"shift tab", "\033[Z", "Shift-Tab-", false},
    {"F1 of the Linux console", "\033[[A", "F1-", false},
    {"F5", "\033[15~", "F5-", false},
    {"unknown sequence is swallowed", "\033[38;5;1q", "", false},
    {"arrow with modifier is swallowed", "\033[1;5C", "", false},
    {"cursor report presses nothing", "\033[5;1R", "", false},
    {"mouse report presses nothing", "\033[<0;12;40M", "", false},
    {"alt and a letter is swallowed", "\033R", "", false},
    {"paste with no field open", "\033[200~R\r\033[201~", "<dropped>", false},
    {"paste into a field", "\033[200~ab\r\033[201~", "a- b-", true},
    {"lines of a paste into a field", "\033[200~a\r\n\tb\n\033[201~c", "a- Space- b- c-", true},
    {"title report is swallowed", "\033]lR\033\\", "", false},
    {"device control string is swallowed", "\033P1$r0mR\033\\", "", false},
    {"synchronized updates", "\033[?2026;2$y", "<sync>", false},
    {"no synchronized updates", "\033[?2026;0$y", "", false},
    {"background colour", "\033]11;rgb:ffff/ffff/ffff\007", "<background>", false},
    {"UTF-8 is one character", "é", "é-", false},
    {"wide character", "漢", "漢-", false},
    {"truncated UTF-8", "\303R", "R-", false},
    {"overlong UTF-8", "\300\257", "", false},
    {"C1 control", "\302\233", "", false},
    {"escape, then an arrow", "\033\033[A", "Esc- Up-", false},
};

static void test_bytes_to_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        wpa_keys keys;
        wpa_key out[WPA_KEYS_MAX + 1];
        char text[1024];
        wpa_keys_init(&keys, 25);
        keys.takes_text = cases[i].takes_text;
        size_t n = wpa_keys_feed(&keys, cases[i].bytes, strlen(cases[i].bytes), 1000, out);
        describe(out, n, text, sizeof text);
        if (strcmp(text, cases[i].want) != 0) {
            (void)fprintf(stderr, "%s: '%s', wanted '%s'\n", cases[i].title, text, cases[i].want);
            fail();
        }
    }
}

static bool is_alone_after(const char *before, int64_t pause_ms)
{
    wpa_keys keys;
    wpa_key out[WPA_KEYS_MAX + 1];
    wpa_keys_init(&keys, 25);
    int64_t now = 10000;
    for (; *before; before++, now += 10) {
        (void)wpa_keys_feed(&keys, before, 1, now, out);
    }
    now += pause_ms - 10;
    (void)wpa_keys_tick(&keys, now, out);
    size_t n = wpa_keys_feed(&keys, "R", 1, now, out);
    return n == 1 && out[0].code == WPA_KEY_CHAR && out[0].is_alone;
}

/* A sentence that is pasted, or comes as fast, is in the field to its last letter. */
static void test_long_text_is_whole(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;
    } ways[] = {{"", ""}, {"\033[200~", "\033[201~"}};
    static wpa_key out[WPA_KEYS_MAX + 1];
    for (size_t i = 0; i < WPA_COUNT(ways); i++) {
        wpa_keys keys;
        char bytes[WPA_KEYS_READ_MAX] = "";
        size_t n_text = 1000, length = strlen(ways[i].before);
        memcpy(bytes, ways[i].before, length);
        for (size_t k = 0; k < n_text; k++) {
            bytes[length++] = (char)('a' + k % 26);
        }
        memcpy(bytes + length, ways[i].after, strlen(ways[i].after));
        length += strlen(ways[i].after);
        wpa_keys_init(&keys, 25);
        keys.takes_text = true;
        assert_int_equal(wpa_keys_feed(&keys, bytes, length, 1000, out), n_text);
        for (size_t k = 0; k < n_text; k++) {
            assert_int_equal(out[k].code, WPA_KEY_CHAR);
            assert_int_equal(out[k].character, 'a' + k % 26);
        }
        keys.takes_text = false;
        assert_int_equal(wpa_keys_feed(&keys, bytes, length, 2000, out), 1);
        assert_int_equal(out[0].code, WPA_KEY_PASTE_DROPPED);
    }
}

static void test_lone_key_press(void **state)
{
    (void)state;
    assert_true(is_alone_after("", 100));
    assert_true(is_alone_after("j", 6));
    assert_false(is_alone_after("j", 4));
    assert_false(is_alone_after("\033", 30)); /* Esc, decided: may be a torn report */
    assert_true(is_alone_after("\033", 600));
    assert_false(is_alone_after("\033[", 100)); /* unfinished sequence takes it */
    assert_false(is_alone_after("\033[5;1", 400));
    assert_false(is_alone_after("\033[200~", 5000)); /* a paste is open */
}

/* A report torn into single bytes, each later than an Esc is decided. */
static void test_torn_report(void **state)
{
    (void)state;
    for (int64_t gap = 1; gap < 240; gap += 7) {
        wpa_keys keys;
        wpa_key out[WPA_KEYS_MAX + 1];
        int64_t now = 1000;
        wpa_keys_init(&keys, 25);
        for (const char *byte = "\033[24;80R"; *byte; byte++, now += gap) {
            (void)wpa_keys_tick(&keys, now, out);
            size_t n = wpa_keys_feed(&keys, byte, 1, now, out);
            for (size_t i = 0; i < n; i++) {
                assert_false(out[i].is_alone && out[i].character == 'R');
            }
        }
    }
}

static void test_esc_is_decided(void **state)
{
    (void)state;
    wpa_keys keys;
    wpa_key out[WPA_KEYS_MAX + 1];
    wpa_keys_init(&keys, 25);
    assert_int_equal(wpa_keys_wait_ms(&keys, 1000), -1);
    assert_int_equal(wpa_keys_feed(&keys, "\033", 1, 1000, out), 0);
    assert_int_equal(wpa_keys_wait_ms(&keys, 1010), 15);
    assert_int_equal(wpa_keys_tick(&keys, 1010, out), 0);
    assert_int_equal(wpa_keys_tick(&keys, 1025, out), 1);
    assert_int_equal(out[0].code, WPA_KEY_ESC);
}

/* Whatever bytes come: no overrun, and no lone key out of a read of more than one byte. */
static void test_random_bytes(void **state)
{
    (void)state;
    wpa_keys keys;
    wpa_key out[WPA_KEYS_MAX + 1];
    uint64_t seed = 88172645463325252ULL;
    int64_t now = 0;
    wpa_keys_init(&keys, 25);
    for (int i = 0; i < 200000; i++) {
        char bytes[97];
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        size_t n = 1 + seed % 96;
        for (size_t k = 0; k < n; k++) {
            static const char likely[] = "\033[O;R~5?$y]\007\\PAD";
            uint64_t pick = seed >> (k % 48);
            bytes[k] = pick % 3 ? likely[pick % (sizeof likely - 1)] : (char)(pick & 255);
        }
        now += (int64_t)(seed % 300);
        keys.takes_text = seed & 1;
        size_t got = wpa_keys_feed(&keys, bytes, n, now, out);
        assert_true(got <= WPA_KEYS_MAX);
        for (size_t k = 0; k < got; k++) {
            assert_false(n > 1 && out[k].is_alone);
        }
    }
}

static void test_names(void **state)
{
    (void)state;
    static const char *const names[] = {"R", "Ctrl-R", "PgDn", "Space", "Shift-Tab", "|", "é"};
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        wpa_key key;
        char text[32];
        assert_true(wpa_key_parse(names[i], &key));
        assert_string_equal(wpa_key_text(&key, text, sizeof text), names[i]);
    }
    wpa_key key;
    static const char *const wrong[] = {"", "RR", "Ctrl-", "Ctrl-r", "<Foo>", "\033"};
    for (size_t i = 0; i < WPA_COUNT(wrong); i++) {
        assert_false(wpa_key_parse(wrong[i], &key));
    }
}

static void test_mouse_reports_are_taken_where_asked_for(void **state)
{
    static const struct {
        const char *bytes;
        int button, row, col; /* button -1: nothing */
        wpa_key_code code;
    } reports[] = {
        {"\033[<0;12;40M", 0, 39, 11, WPA_KEY_MOUSE},
        {"\033[<65;1;1M", 65, 0, 0, WPA_KEY_MOUSE},
        {"\033[<0;12;40m", 0, 39, 11, WPA_KEY_MOUSE_LET_GO},
        {"\033[<0;12M", -1, 0, 0, WPA_KEY_MOUSE},
        {"\033[<0;99999;1M", -1, 0, 0, WPA_KEY_MOUSE},
        {"\033[<;;M", -1, 0, 0, WPA_KEY_MOUSE},
        {"\033[<0;12;40;7M", -1, 0, 0, WPA_KEY_MOUSE},
    };
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(reports); i++) {
        wpa_keys keys;
        wpa_key out[WPA_KEYS_MAX + 1];
        wpa_keys_init(&keys, 25);
        keys.has_mouse = true;
        size_t n = wpa_keys_feed(&keys, reports[i].bytes, strlen(reports[i].bytes), 0, out);
        assert_int_equal(n, reports[i].button >= 0);
        if (n) {
            assert_int_equal(out[0].code, reports[i].code);
            assert_int_equal(out[0].character, reports[i].button);
            assert_int_equal(out[0].row, reports[i].row);
            assert_int_equal(out[0].col, reports[i].col);
            assert_false(out[0].is_alone);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_to_keys),
        cmocka_unit_test(test_lone_key_press),
        cmocka_unit_test(test_long_text_is_whole),
        cmocka_unit_test(test_torn_report),
        cmocka_unit_test(test_esc_is_decided),
        cmocka_unit_test(test_mouse_reports_are_taken_where_asked_for),
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
