/* The real loop in a real pseudo-terminal, on the scripted engine. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/clock.h>
#include <wpa/file.h>

#include "harness/patience.h"
#include "harness/scripted.h"
#include "harness/term.h"

static wpa_tty *start(const char *const args[], int rows, int cols)
{
    wpa_error err = {0};
    char path[4096];
    const char *build = getenv("WPA_BUILD_DIR"); // NOLINT(concurrency-mt-unsafe)
    const char *argv[8] = {path};
    (void)snprintf(path, sizeof path, "%s/ui_demo", build ? build : ".");
    for (size_t i = 0; args && args[i] && i < 6; i++) {
        argv[i + 1] = args[i];
    }
    wpa_tty *tty = wpa_tty_start(argv, NULL, rows, cols, &err);
    assert_non_null(tty);
    return tty;
}

static const char *const signed_in[] = {"--signed-in", NULL};

static void test_sign_in_and_leave(void **state)
{
    (void)state;
    WPA_AUTO(wpa_tty) *tty = start(NULL, 24, 80);
    wpa_tty_expect(tty, "Passphrase");
    wpa_tty_expect(tty, "mira_");
    wpa_tty_send(tty, "wrong\r");
    wpa_tty_expect(tty, "Wrong name or passphrase.");
    wpa_tty_send(tty, WPA_SCRIPTED_PASSPHRASE);
    wpa_tty_expect(tty, "∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙∙_");
    assert_false(wpa_tty_has(tty, "correct"));
    wpa_tty_send(tty, "\r");
    wpa_tty_expect(tty, "LIVE  mira guardian");
    assert_true(wpa_tty_is_alternate(tty));
    assert_false(wpa_tty_is_cooked(tty));
    wpa_tty_press(tty, "q");
    assert_int_equal(wpa_tty_wait_exit(tty, WPA_PATIENCE_MS), 0);
    assert_false(wpa_tty_is_alternate(tty));
    assert_true(wpa_tty_is_cooked(tty));
}

static void test_first_guardian(void **state)
{
    (void)state;
    static const char *const args[] = {"--first", NULL};
    WPA_AUTO(wpa_tty) *tty = start(args, 24, 80);
    wpa_tty_expect(tty, "create the first one");
    wpa_tty_send(tty, "one long phrase\r");
    wpa_tty_send(tty, "another phrase\r");
    wpa_tty_expect(tty, "The two passphrases differ.");
    wpa_tty_send(tty,
                 "\025one long phrase\r"); /* the first field is kept: Ctrl-U is for the second */
    wpa_tty_expect(tty, "LIVE  mira guardian");
    wpa_tty_expect(tty, "Health 87");
    assert_true(wpa_tty_wait_gone(tty, "phrase", WPA_PATIENCE_MS));
}

static void test_rollback_key(void **state)
{
    (void)state;
    char window[4096];
    const char *source = getenv("WPA_SOURCE_DIR"); // NOLINT(concurrency-mt-unsafe)
    (void)snprintf(window, sizeof window, "%s/tests/harness/long_window.yaml",
                   source ? source : ".");
    WPA_AUTO(wpa_tty) *tty =
        start((const char *const[]){"--signed-in", "--config", window, NULL}, 24, 80);
    wpa_tty_expect(tty, "Health 87");
    wpa_tty_press(tty, "5");
    wpa_tty_expect(tty, "▸ d-1042");
    wpa_tty_press(tty, "R");
    wpa_tty_expect(tty, "ROLLING BACK d-1042 in");
    wpa_tty_expect(tty, "held: no further workflow is switched");
    wpa_tty_press(tty, "\033");
    wpa_tty_expect(tty, "rollback cancelled");
    assert_true(wpa_tty_wait_gone(tty, "ROLLING BACK", WPA_PATIENCE_MS));
    wpa_tty_settle(tty, 300); /* an R right behind an Esc could be the end of a torn report */
    wpa_tty_press(tty, "R");
    wpa_tty_expect(tty, "ROLLING BACK d-1042 in");
    wpa_tty_press(tty, "\r");
    wpa_tty_expect(tty, "rollback of d-1042 started");
    wpa_tty_expect(tty, "rolled_back");
}

/* Byte by byte, as over a slow line; whether it has pressed R. */
static bool is_rolling_back_after(wpa_tty *tty, const char *report)
{
    for (const char *byte = report; *byte; byte++) {
        wpa_tty_send_bytes(tty, byte, 1);
        wpa_tty_settle(tty, 10);
    }
    wpa_tty_settle(tty, 30);
    return wpa_tty_has(tty, "ROLLING BACK");
}

/* Text that is pasted, and answers of a terminal that arrive in pieces, press no key. */
static void test_no_key_out_of_other_bytes(void **state)
{
    (void)state;
    static const char *const hostile[] = {"RRR",
                                          "xxRyy",
                                          "\033[5;1R",
                                          "\033[200~R\033[201~",
                                          "\033[12;40R\033[1;1R",
                                          "\033]11;rgb:0/0/0\033\\",
                                          "\033P1$r0mR\033\\"};
    WPA_AUTO(wpa_tty) *tty = start(signed_in, 24, 80);
    wpa_tty_expect(tty, "Health 87");
    wpa_tty_press(tty, "5");
    wpa_tty_expect(tty, "▸ d-1042");
    for (size_t i = 0; i < WPA_COUNT(hostile); i++) {
        wpa_tty_send(tty, hostile[i]);
        wpa_tty_settle(tty, 30);
        assert_false(wpa_tty_has(tty, "ROLLING BACK"));
    }
    /* Where this machine stands still in the middle of it, its end may be a key for all that
     * anybody can tell: not each time. */
    int n_pressed = 0;
    while (n_pressed < 5 && is_rolling_back_after(tty, "\033[24;80R")) {
        n_pressed++;
        wpa_tty_press(tty, "\033");
        wpa_tty_expect(tty, "rollback cancelled");
        assert_true(wpa_tty_wait_gone(tty, "ROLLING BACK", WPA_PATIENCE_MS));
        wpa_tty_settle(tty, 300);
    }
    assert_true(n_pressed < 5);
    wpa_tty_press(tty, "?");
    wpa_tty_expect(tty, "Help: keys for deploys");
}

/* The map is walked, and what is selected put in the middle, by keys of a real terminal. */
static void test_map(void **state)
{
    (void)state;
    WPA_AUTO(wpa_tty) *tty = start(signed_in, 24, 80);
    wpa_tty_expect(tty, "Health 87");
    wpa_tty_press(tty, "6");
    wpa_tty_expect(tty, "┌▸ web/release.yml ↻      49");
    wpa_tty_press(tty, "\033[B");
    wpa_tty_expect(tty, "┼▸ mobile/nightly.yml");
    wpa_tty_press(tty, "\r");
    wpa_tty_expect(tty, "Map: mobile/nightly.yml");
    wpa_tty_press(tty, "\033[D");
    wpa_tty_expect(tty, "─▸ mobile/nightly.~");
    wpa_tty_press(tty, "=");
    wpa_tty_expect(tty, "Used by: a change here reaches these");
    wpa_tty_press(tty, "\033");
    wpa_tty_expect(tty, "Map: payments/ci.yml");
}

static void test_resize_storm(void **state)
{
    (void)state;
    static const int sizes[][2] = {{5, 20}, {24, 80},  {1, 1},   {60, 200},  {10, 40},
                                   {9, 39}, {50, 133}, {23, 79}, {120, 400}, {24, 80}};
    WPA_AUTO(wpa_tty) *tty = start(signed_in, 24, 80);
    wpa_tty_expect(tty, "Health 87");
    for (size_t i = 0; i < WPA_COUNT(sizes); i++) {
        wpa_tty_resize(tty, sizes[i][0], sizes[i][1]);
        wpa_tty_send(tty, i % 2 ? "j" : "\t");
        wpa_tty_settle(tty, 20);
    }
    wpa_tty_expect(tty, "Workflows, worst first");
    wpa_tty_expect(tty, "LIVE  mira guardian");
    wpa_tty_resize(tty, 5, 20);
    wpa_tty_expect(tty, "wpa needs 40x10");
    wpa_tty_press(tty, "q");
    assert_int_equal(wpa_tty_wait_exit(tty, WPA_PATIENCE_MS), 0);
}

static void test_signals_give_the_terminal_back(void **state)
{
    (void)state;
    static const int signals[] = {SIGTERM, SIGHUP, SIGINT};
    for (size_t i = 0; i < WPA_COUNT(signals); i++) {
        WPA_AUTO(wpa_tty) *tty = start(signed_in, 24, 80);
        wpa_tty_expect(tty, "Health 87");
        wpa_tty_signal(tty, signals[i]);
        assert_int_equal(wpa_tty_wait_exit(tty, WPA_PATIENCE_MS), 0);
        assert_false(wpa_tty_is_alternate(tty));
        assert_true(wpa_tty_is_cooked(tty));
    }
}

#ifndef WPA_SANITIZED /* there the sanitizer's handler comes first, and tells more */
static void test_crash_gives_the_terminal_back(void **state)
{
    (void)state;
    WPA_AUTO(wpa_tty) *tty = start(signed_in, 24, 80);
    wpa_tty_expect(tty, "Health 87");
    wpa_tty_signal(tty, SIGABRT);
    assert_int_equal(wpa_tty_wait_exit(tty, WPA_PATIENCE_MS), 128 + SIGABRT);
    assert_false(wpa_tty_is_alternate(tty));
    assert_true(wpa_tty_is_cooked(tty));
}
#endif

static void test_suspend_and_continue(void **state)
{
    (void)state;
    WPA_AUTO(wpa_tty) *tty = start(signed_in, 24, 80);
    wpa_tty_expect(tty, "Health 87");
    wpa_tty_press(tty, "\032");
    assert_true(wpa_tty_wait_gone(tty, "Health 87", WPA_PATIENCE_MS));
    for (int64_t end_ms = wpa_monotonic_ms() + WPA_PATIENCE_MS;
         !wpa_tty_is_stopped(tty) && wpa_monotonic_ms() < end_ms;) {
        wpa_tty_settle(tty, 10);
    }
    assert_true(wpa_tty_is_stopped(tty));
    assert_true(wpa_tty_is_cooked(tty)); /* left to the shell as it was */
    wpa_tty_signal(tty, SIGCONT);
    wpa_tty_expect(tty, "Health 87");
    wpa_tty_press(tty, "2");
    wpa_tty_expect(tty, "[2 Workflows]");
}

/* A screen without news sends its clock and nothing else. */
static void test_quiet_screen(void **state)
{
    (void)state;
    WPA_AUTO(wpa_tty) *tty = start(signed_in, 24, 80);
    wpa_tty_expect(tty, "Health 87");
    wpa_tty_settle(tty, 300);
    size_t before = wpa_tty_bytes(tty), bytes = 0;
    int64_t start_ms = wpa_monotonic_ms(), ms = 0;
    while (ms < 2500 || (bytes == 0 && ms < WPA_PATIENCE_MS)) {
        wpa_tty_settle(tty, 100);
        ms = wpa_monotonic_ms() - start_ms;
        bytes = wpa_tty_bytes(tty) - before;
    }
    assert_true(bytes > 0);
    assert_true(bytes < 200 * (size_t)(ms / 1000 + 1)); /* clock and one bake timer, each second */
}

/* As a terminal reports it: what is asked for at the start, a click, the wheel. */
static void test_mouse_reports(void **state)
{
    (void)state;
    WPA_AUTO(wpa_tty) *tty = start(signed_in, 24, 80);
    wpa_tty_expect(tty, "Health 87");
    wpa_tty_press(tty, "\033[<0;27;2M\033[<0;27;2m");
    wpa_tty_expect(tty, "[3 Findings]");
    wpa_tty_press(tty, "\033[<65;10;10M");
    wpa_tty_expect(tty, "4 of 12");
    wpa_tty_press(tty, "\033[<0;10;6M\033[<0;10;6m");
    wpa_tty_expect(tty, "2 of 12");
    wpa_tty_press(tty, "m");
    wpa_tty_expect(tty, "mouse off");
    wpa_tty_press(tty, "\033[<0;10;8M"); /* not asked for: swallowed */
    wpa_tty_press(tty, "j");
    wpa_tty_expect(tty, "3 of 12");
}

/*
 * A step of the cursor sends the two rows and what is told of the new one, and no colour twice. The
 * least of a few steps is looked at: a second that passes draws its clock beside one of them.
 */
static void test_step_of_the_cursor(void **state)
{
    (void)state;
    WPA_AUTO(wpa_tty) *tty = start(signed_in, 24, 80);
    wpa_tty_expect(tty, "Health 87");
    wpa_tty_press(tty, "2");
    wpa_tty_expect(tty, "1 of 9");
    size_t least = SIZE_MAX;
    for (int i = 0; i < 6; i++) {
        wpa_tty_settle(tty, 200);
        size_t before = wpa_tty_bytes(tty);
        wpa_tty_press(tty, i % 2 ? "k" : "j");
        wpa_tty_expect(tty, i % 2 ? "1 of 9" : "2 of 9");
        wpa_tty_settle(tty, 100);
        size_t bytes = wpa_tty_bytes(tty) - before;
        least = bytes < least ? bytes : least;
    }
    assert_in_range(least, 1, 450);
}

static void test_wall_takes_no_keys(void **state)
{
    (void)state;
    static const char *const args[] = {"--wall", NULL};
    WPA_AUTO(wpa_tty) *tty = start(args, 45, 160);
    wpa_tty_expect(tty, "FLEET HEALTH");
    for (const char *key = "5RDAXHKq:"; *key; key++) {
        wpa_tty_send_bytes(tty, key, 1);
        wpa_tty_settle(tty, 10);
    }
    assert_true(wpa_tty_has(tty, "FLEET HEALTH"));
    wpa_tty_press(tty, "\003");
    assert_int_equal(wpa_tty_wait_exit(tty, WPA_PATIENCE_MS), 0);
}

/* Is this text in the file? It may not be there yet. */
static bool file_has(const char *path, const char *text)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    size_t size_bytes = 0;
    const char *file = wpa_file_read(path, 65536, arena, &size_bytes, &err);
    return file && strstr(file, text);
}

static void test_killed_it_goes_on_where_it_was(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    const char *folder = wpa_dir_temp("/tmp/wpa-killed-", arena, &err);
    const char *file = wpa_path_join(arena, folder, "console-mira-small.yaml");
    const char *const args[] = {"--signed-in", "--config",
                                wpa_path_join(arena, folder, "console.yaml"), NULL};
    wpa_tty *tty = start(args, 24, 80);
    wpa_tty_expect(tty, "Health 87");
    wpa_tty_press(tty, "4");
    wpa_tty_expect(tty, "[4 Patches]");
    for (int64_t end_ms = wpa_monotonic_ms() + WPA_PATIENCE_MS; !file_has(file, "tab: 4");) {
        assert_true(wpa_monotonic_ms() < end_ms);
        wpa_tty_settle(tty, 20);
        wpa_sleep_ms(20);
    }
    wpa_tty_signal(tty, SIGKILL);
    assert_int_equal(wpa_tty_wait_exit(tty, WPA_PATIENCE_MS), 128 + SIGKILL);
    wpa_tty_free(tty);

    tty = start(args, 24, 80);
    wpa_tty_expect(tty, "[4 Patches]");
    wpa_tty_free(tty);
    assert_true(wpa_dir_remove(folder, &err));
}

static void test_no_terminal(void **state)
{
    (void)state;
    wpa_error err = {0};
    char path[4096];
    const char *build = getenv("WPA_BUILD_DIR"); // NOLINT(concurrency-mt-unsafe)
    (void)snprintf(path, sizeof path, "%s/ui_demo", build ? build : ".");
    const char *argv[] = {"setsid", "-w", path, NULL};
    const char *env[] = {"TERM=dumb", NULL};
    WPA_AUTO(wpa_tty) *tty = wpa_tty_start(argv, env, 24, 80, &err);
    assert_non_null(tty);
    wpa_tty_expect(tty, "TERM is 'dumb'");
    assert_int_equal(wpa_tty_wait_exit(tty, WPA_PATIENCE_MS), 1);
    WPA_AUTO(wpa_tty) *gone = wpa_tty_start(argv, NULL, 24, 80, &err);
    assert_non_null(gone);
    wpa_tty_expect(gone, "there is no terminal here");
    assert_int_equal(wpa_tty_wait_exit(gone, WPA_PATIENCE_MS), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sign_in_and_leave),
        cmocka_unit_test(test_first_guardian),
        cmocka_unit_test(test_rollback_key),
        cmocka_unit_test(test_no_key_out_of_other_bytes),
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_resize_storm),
        cmocka_unit_test(test_signals_give_the_terminal_back),
#ifndef WPA_SANITIZED
        cmocka_unit_test(test_crash_gives_the_terminal_back),
#endif
        cmocka_unit_test(test_suspend_and_continue),
        cmocka_unit_test(test_quiet_screen),
        cmocka_unit_test(test_mouse_reports),
        cmocka_unit_test(test_step_of_the_cursor),
        cmocka_unit_test(test_wall_takes_no_keys),
        cmocka_unit_test(test_killed_it_goes_on_where_it_was),
        cmocka_unit_test(test_no_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
