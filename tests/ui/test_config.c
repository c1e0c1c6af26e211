#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/file.h>

#include "console/config.h"
#include "harness/readme.h"

typedef struct config_case {
    const char *title, *yaml;
    size_t n_faults;
    const char *fault; /* in the first one */
} config_case;

static const config_case cases[] = {
    {"all of it",
     "db:\ntheme: light\nunicode: no\nmouse: auto\nclock: utc minutes\n"
     "input: {escdelay: 40ms}\nrollback: {window: 5s}\nlock: {idle: 20m}\n"
     "ui: {reduce_motion: true, live_fps: 5}\nnotify: {bell: never}\n"
     "keys: {roll-back: U}\n",
     0, NULL},
    {"unknown key", "them: light\n", 1, "theme"},
    {"wrong value keeps the others", "clock: sundial\nrollback: {window: 5s}\n", 1, "sundial"},
    {"window too long", "rollback: {window: 30s}\n", 1, "at most 10s"},
    {"panes", "dash: {panes: [live, needs_you]}\n", 0, NULL},
    {"a pane that is none", "dash: {panes: [live, neds_you]}\n", 1, "did you mean 'needs_you'?"},
    {"a pane twice", "dash: {panes: [live, live]}\n", 1, "stands there twice"},
    {"a key of the dashboard that is none", "dash: {pane: [live]}\n", 1, "pane"},
    {"the wall", "wall: {pages: [runs, overview], turn: 1m, dim: \"19:00-07:00\"}\n", 0, NULL},
    {"a page that is none", "wall: {pages: [runs, weather]}\n", 1, "not 'weather'"},
    {"more pages than there are", "wall: {pages: [runs, runs, runs, runs]}\n", 1, "wall.pages"},
    {"pages that flicker", "wall: {turn: 1s}\n", 1, "at least 2s"},
    {"a time that is none", "wall: {dim: \"19:00-25:00\"}\n", 1, "two times"},
    {"times and more", "wall: {dim: \"19:00-07:00 \"}\n", 1, "two times"},
    {"a key of the wall that is none", "wall: {pace: 20s}\n", 1, "pace"},
    {"mouse", "mouse: sometimes\n", 1, "mouse"},
    {"two faults", "unicode: perhaps\nui: {live_fps: 99}\n", 2, "unicode"},
    {"not YAML", "keys: [\n", 1, "console.yaml:"},
};

static void test_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        wpa_config config;
        wpa_keymap keymap;
        const char *faults[8] = {NULL};
        char *folder = wpa_dir_temp("/tmp/wpa-config-XXXXXX", arena, &err);
        assert_non_null(folder);
        char *path = wpa_path_join(arena, folder, "console.yaml");
        assert_true(wpa_file_replace(path, cases[i].yaml, strlen(cases[i].yaml), 0600, &err));
        wpa_keymap_init(&keymap);
        size_t n = wpa_ui_config_read(&config, &keymap, path, arena, faults, WPA_COUNT(faults));
        if (n != cases[i].n_faults || (n && !strstr(faults[0], cases[i].fault))) {
            (void)fprintf(stderr, "%s: %zu faults, first '%s'\n", cases[i].title, n,
                          n ? faults[0] : "");
            fail();
        }
        if (i == 0) {
            assert_string_equal(config.theme, "light");
            assert_int_equal(config.rollback_ms, 5000);
            assert_int_equal(config.lock_ms, 1200000);
            assert_int_equal(config.esc_ms, 40);
            assert_int_equal(config.live_fps, 5);
            assert_true(config.reduces_motion);
            assert_false(config.has_seconds);
            assert_false(config.rings);
        }
        assert_true(wpa_dir_remove(folder, &err));
    }
}

static void test_the_example_of_the_readme(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    wpa_config config;
    wpa_keymap keymap;
    const char *faults[8] = {NULL};
    const char *yaml = wpa_test_readme_example("console.yaml", arena);
    char *folder = wpa_dir_temp("/tmp/wpa-config-XXXXXX", arena, &err);
    assert_non_null(folder);
    char *path = wpa_path_join(arena, folder, "console.yaml");
    assert_true(wpa_file_replace(path, yaml, strlen(yaml), 0600, &err));
    wpa_keymap_init(&keymap);
    if (wpa_ui_config_read(&config, &keymap, path, arena, faults, WPA_COUNT(faults)) > 0) {
        fail_msg("%s", faults[0]);
    }
    assert_true(wpa_dir_remove(folder, &err));
}

static void test_missing_file_is_fine(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_config config;
    wpa_keymap keymap;
    wpa_keymap_init(&keymap);
    assert_int_equal(wpa_ui_config_read(&config, &keymap, "/nonexistent/x.yaml", arena, NULL, 0),
                     0);
    assert_null(config.theme);
    assert_true(config.has_seconds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_files),
                                       cmocka_unit_test(test_the_example_of_the_readme),
                                       cmocka_unit_test(test_missing_file_is_fine)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
