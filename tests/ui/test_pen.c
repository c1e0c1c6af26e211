/* Fewer bytes for the same screen: what curses writes and what is let through look alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <vterm.h>

#include <wpa/error.h>

#include "term/pen.h"

#define ROWS 4
#define COLS 20

static const char *pass(wpa_pen *pen, const char *bytes, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(1 << 16);
    wpa_pen_pass(pen, bytes, strlen(bytes), out);
    return wpa_buf_dup(out, arena);
}

static void test_short_changes(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_pen pen;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"\033[m\017a", "\017\033[ma"}, /* the first pen is said whatever it is */
        {"\033[38;5;75m\033[48;5;233mb", "\033[38;5;75;48;5;233mb"},
        {"\033[38;5;78m\033[48;5;233mc", "\033[38;5;78mc"}, /* the ground is the same */
        {"\033(B\033[0;1;7m\033[38;5;78m\033[48;5;233md", "\033(B\033[1;7md"},
        {"\033(B\033[m\033[3;4H\033(B\033[0;7m\033[38;5;78m\033[48;5;233me", "\033[3;4H\033[22me"},
        {"\033[39;49m\033(B\033[m\033[2;5H\r", "\033[2;5H\r"}, /* nothing is drawn with it */
        {"\033[K", "\033[m\033[K"},                            /* wiping is drawing */
        {"\033[31m\033[44mf\033[91m\033[104mg", "\033[31;44mf\033[91;104mg"},
        {"\033[mh", "\033[mh"},
        {"\033[3mi\033[31mj", "\033[3mi\033[31mj"}, /* not known: as it came, to the next reset */
        {"\033[0;31mk\033[31ml", "\033[0;31mkl"},
    };
    wpa_pen_init(&pen, true);
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        assert_string_equal(pass(&pen, cases[i].in, arena), cases[i].out);
    }
    wpa_pen_init(&pen, false); /* an old terminal ends attributes all at once */
    assert_string_equal(pass(&pen, "\033[m\033[1;7ma\033[m\033[1mb", arena),
                        "\033[0;1;7ma\033[0;1mb");
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

static VTermScreen *new_screen(VTerm **vt)
{
    *vt = vterm_new(ROWS, COLS);
    vterm_set_utf8(*vt, 1);
    VTermScreen *screen = vterm_obtain_screen(*vt);
    vterm_screen_reset(screen, 1);
    return screen;
}

static void check_same(VTermScreen *a, VTermScreen *b)
{
    for (int row = 0; row < ROWS; row++) {
        for (int col = 0; col < COLS; col++) {
            VTermScreenCell cells[2];
            VTermPos at = {.row = row, .col = col};
            assert_int_equal(vterm_screen_get_cell(a, at, &cells[0]), 1);
            assert_int_equal(vterm_screen_get_cell(b, at, &cells[1]), 1);
            assert_int_equal(cells[0].chars[0], cells[1].chars[0]);
            assert_int_equal(cells[0].attrs.bold, cells[1].attrs.bold);
            assert_int_equal(cells[0].attrs.underline, cells[1].attrs.underline);
            assert_int_equal(cells[0].attrs.reverse, cells[1].attrs.reverse);
            assert_int_equal(cells[0].attrs.italic, cells[1].attrs.italic);
            assert_true(vterm_color_is_equal(&cells[0].fg, &cells[1].fg));
            assert_true(vterm_color_is_equal(&cells[0].bg, &cells[1].bg));
        }
    }
}

/* Whatever comes in whatever order, the screen is the one that would have been without us. */
static void test_the_screen_is_the_same(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "\033[m",
        "\033[0;1m",
        "\033(B\033[0;7m",
        "\033[4m",
        "\033[22m",
        "\033[24m",
        "\033[27m",
        "\033[31m",
        "\033[95m",
        "\033[38;5;75m",
        "\033[48;5;33m",
        "\033[44m",
        "\033[107m",
        "\033[39m",
        "\033[49m",
        "\033[39;49m",
        "\033[1;3m",
        "\033[23m",
        "\033[K",
        "\033[1K",
        "\033[2J",
        "\033[4X",
        "\033[2;3H",
        "\033[4;9H",
        "\r",
        "\n",
        "word",
        "▸",
        " ",
        "a",
        "\033[38;5;1m",
        "\033[0;38;5;1m",
        "\033[2m",
        "\b",
        "\033[C",
    };
    uint32_t seed = 7;
    for (int bound = 0; bound < 2; bound++) {
        VTerm *plain = NULL, *passed = NULL;
        VTermScreen *a = new_screen(&plain), *b = new_screen(&passed);
        WPA_AUTO(wpa_buf) *out = wpa_buf_new(1 << 22);
        wpa_pen pen;
        wpa_pen_init(&pen, bound == 0);
        for (int i = 0; i < 20000; i++) {
            const char *piece = pieces[next_random(&seed) % WPA_COUNT(pieces)];
            wpa_buf_truncate(out, 0);
            wpa_pen_pass(&pen, piece, strlen(piece), out);
            vterm_input_write(plain, piece, strlen(piece));
            vterm_input_write(passed, wpa_buf_data(out), wpa_buf_size(out));
            if (i % 50 == 0) {
                check_same(a, b);
            }
        }
        vterm_free(plain);
        vterm_free(passed);
    }
}

/* A frame ends with whole sequences; one that does not is passed on and read no further. */
static void test_torn(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    static const char *const torn[] = {"\033",
                                       "\033[",
                                       "\033[38;5",
                                       "\033(",
                                       "\033[38;5;7777777m",
                                       "\033[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1m"};
    for (size_t i = 0; i < WPA_COUNT(torn); i++) {
        wpa_pen pen;
        wpa_pen_init(&pen, true);
        assert_non_null(strstr(pass(&pen, torn[i], arena), torn[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_changes),
        cmocka_unit_test(test_the_screen_is_the_same),
        cmocka_unit_test(test_torn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
