#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "theme/theme.h"

static void test_shipped_themes(void **state)
{
    (void)state;
    assert_true(wpa_n_theme_files >= 3);
    for (size_t i = 0; i < wpa_n_theme_files; i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        const wpa_theme *theme =
            wpa_theme_parse(wpa_theme_files[i].name, wpa_theme_files[i].text, arena, &err);
        if (!theme) {
            (void)fprintf(stderr, "%s: %s\n", wpa_theme_files[i].name, err.message);
            fail();
        }
        for (int role = 0; role < WPA_PAINT_COUNT; role++) {
            assert_true(wpa_contrast(theme->styles[role].fg_true, theme->styles[role].bg_true) >=
                        (wpa_text_starts(wpa_theme_files[i].name, "hc-") ? 7 : 4.5));
        }
    }
    assert_ptr_equal(wpa_theme_find("wpa-dark"), wpa_theme_find("dark"));
    assert_null(wpa_theme_find("nonesuch"));
}

/* Two states never look the same: their colours differ in each of our themes. */
static void test_states_differ(void **state)
{
    (void)state;
    static const char *const names[] = {"dark", "light"};
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        const wpa_theme *theme = wpa_theme_load(names[i], arena, &err);
        assert_non_null(theme);
        for (int a = WPA_PAINT_STATE_PENDING; a <= WPA_PAINT_STATE_ROLLED_BACK; a++) {
            for (int b = WPA_PAINT_STATE_PENDING; b < a; b++) {
                assert_int_not_equal(theme->styles[a].fg_256, theme->styles[b].fg_256);
            }
        }
    }
}

static const struct {
    const char *title, *yaml, *error;
} cases[] = {
    {"own palette", "inherits: dark\npalette:\n  accent: {true: \"#ffffff\"}\n", NULL},
    {"unknown role", "inherits: dark\nroles:\n  sev.hihg: {fg: bad}\n", "did you mean 'sev.high'?"},
    {"unknown colour", "inherits: dark\nroles:\n  muted: {fg: grey}\n", "not in the palette"},
    {"no colour", "inherits: dark\npalette:\n  ok: {true: green}\n", "needs true"},
    {"unknown attribute", "inherits: dark\nroles:\n  text: {attr: blink}\n", "'blink' is none of"},
    {"contrast", "inherits: dark\npalette:\n  muted: {true: \"#222222\"}\n", "contrast"},
    {"unknown parent", "inherits: nonesuch\n", "no theme 'nonesuch'"},
    {"unknown key", "inherits: dark\ncolour: 1\n", "colour"},
    {"not YAML", "inherits: [\n", "my.yaml:"},
};

static void test_wrong_themes(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        const wpa_theme *theme = wpa_theme_parse("my.yaml", cases[i].yaml, arena, &err);
        if ((theme != NULL) != (cases[i].error == NULL) ||
            (cases[i].error && !strstr(err.message, cases[i].error))) {
            (void)fprintf(stderr, "%s: %s\n", cases[i].title, err.message);
            fail();
        }
    }
}

static void test_contrast(void **state)
{
    (void)state;
    assert_true(wpa_contrast(0x000000, 0xFFFFFF) > 20.9);
    assert_true(wpa_contrast(0x777777, 0x777777) < 1.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped_themes), cmocka_unit_test(test_states_differ),
        cmocka_unit_test(test_wrong_themes), cmocka_unit_test(test_contrast)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
