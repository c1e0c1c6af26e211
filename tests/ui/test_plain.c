/* The console as lines, typed at a terminal and out of a script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/patience.h"
#include "harness/scripted.h"
#include "harness/term.h"

#define ROWS 200 /* nothing of what was told has scrolled away */
#define COLS 160

static const char *demo(void)
{
    const char *build = getenv("WPA_BUILD_DIR"); // NOLINT(concurrency-mt-unsafe)
    static char path[4096];
    (void)snprintf(path, sizeof path, "%s/ui_demo", build ? build : ".");
    return path;
}

static wpa_tty *start(const char *option)
{
    wpa_error err = {0};
    char window[4096];
    const char *source = getenv("WPA_SOURCE_DIR"); // NOLINT(concurrency-mt-unsafe)
    (void)snprintf(window, sizeof window, "%s/tests/harness/long_window.yaml",
                   source ? source : ".");
    const char *argv[] = {demo(), "--plain", "--config", window, option, NULL};
    const char *env[] = {"TERM=dumb", NULL};
    wpa_tty *tty = wpa_tty_start(argv, env, ROWS, COLS, &err);
    assert_non_null(tty);
    return tty;
}

static void test_sign_in(void **state)
{
    (void)state;
    WPA_AUTO(wpa_tty) *tty = start(NULL);
    wpa_tty_expect(tty, "read-only looks around without rights");
    wpa_tty_expect(tty, "Guardian (mira):");
    wpa_tty_send(tty, "\n");
    wpa_tty_expect(tty, "Passphrase:");
    assert_false(wpa_tty_is_cooked(tty)); /* no echo */
    wpa_tty_send(tty, "wrong\n");
    wpa_tty_expect(tty, "error Wrong name or passphrase.");
    wpa_tty_send(tty, WPA_SCRIPTED_PASSPHRASE "\n");
    wpa_tty_expect(tty, "Signed in as mira, guardian. Live.");
    wpa_tty_expect(tty, "Health 87 of 100, up 2 since yesterday: security 91, performance 84");
    wpa_tty_expect(tty, "Type a number, a command, or ? for help.");
    assert_false(wpa_tty_has(tty, "horse"));
    assert_false(wpa_tty_has(tty, "wrong"));
    assert_true(wpa_tty_is_cooked(tty));
    assert_false(wpa_tty_is_alternate(tty));
    wpa_tty_send(tty, "lock\n");
    wpa_tty_expect(tty, "Signed out.");
    wpa_tty_send(tty, "read-only\n");
    wpa_tty_expect(tty, "Signed in as mira, viewer, read-only.");
    wpa_tty_send(tty, "approve p-2217\n");
    wpa_tty_expect(tty, "error A needs the right to approve: you may look only");
    wpa_tty_send(tty, "\004"); /* the end of the input */
    assert_int_equal(wpa_tty_wait_exit(tty, WPA_PATIENCE_MS), 0);
    assert_true(wpa_tty_is_cooked(tty));
}

static void test_first_guardian(void **state)
{
    (void)state;
    WPA_AUTO(wpa_tty) *tty = start("--first");
    wpa_tty_expect(tty, "There is no guardian yet: create the first one.");
    wpa_tty_send(tty, "mira\n");
    wpa_tty_expect(tty, "Passphrase:");
    wpa_tty_send(tty, "one long phrase\n");
    wpa_tty_expect(tty, "Passphrase again:");
    wpa_tty_send(tty, "one long phrase\n");
    wpa_tty_expect(tty, "Signed in as mira, guardian.");
    assert_false(wpa_tty_has(tty, "long phrase"));
}

static void test_rollback_window(void **state)
{
    (void)state;
    WPA_AUTO(wpa_tty) *tty = start("--signed-in");
    wpa_tty_expect(tty, "4. d-1042 pin actions to hashes: baking, stage 2 of 3, 2 of 2 workflows.");
    wpa_tty_send(tty, "rollback\n"); /* nothing is selected that nobody has heard of */
    wpa_tty_expect(tty, "note roll-back: which one? Type its number or its id behind");
    wpa_tty_send(tty, "rollback 4\n");
    wpa_tty_expect(tty, "Rolling back d-1042 in");
    wpa_tty_expect(tty, "Type c and Enter to cancel, now and Enter to start at once.");
    wpa_tty_send(tty, "c\n");
    wpa_tty_expect(tty, "ok d-1042: rollback cancelled, the rollout goes on");
    wpa_tty_send(tty, "R d-1042\n"); /* by the letter of its key */
    wpa_tty_expect(tty, "note rollback of d-1042 started");
    wpa_tty_expect(tty, "note d-1042 has ended: d-1042 tells how");
}

/* Everything a script says is done, each after the one before; and nothing but text is written. */
static void test_script(void **state)
{
    (void)state;
    static const char script[] =
        "script='findings\nmore\n3\ndiff p-2217\nback\nopen p-2214\napprove p-2217\nno\n"
        "approve p-2217\nyes\ndeploy p-2217\nyes\nignore f-99812\nlegacy runner\n\n"
        "patches\napprove\nappro p-1\nd-9999\naudit\nmap\njobs\nnotices\n?\n77\nquit\n';"
        "printf '%s' \"$script\" | \"$0\" --plain --signed-in | cat -v";
    wpa_error err = {0};
    const char *argv[] = {"sh", "-c", script, demo(), NULL};
    WPA_AUTO(wpa_tty) *tty = wpa_tty_start(argv, NULL, 900, COLS, &err);
    assert_non_null(tty);
    assert_int_equal(wpa_tty_wait_exit(tty, WPA_PATIENCE_MS), 0);
    static const char *const told[] = {
        "Columns: SEV, RULE, CAT, WHERE, WHAT, PATCH, AGE.",
        "1. CRIT SEC-014",
        "Rows 1 to 10 of 12.  Type more for the next.",
        "2. OPP  QUA-004",
        "note nothing was told under 3",
        "Approve p-2217  pin actions, batch 2?",
        "Type yes and Enter to approve; anything else does nothing.",
        "note nothing is done",
        "Deploy p-2217  pin actions, batch 2  to 4 workflows in 2 repositories?",
        "stage 1  canary  1 workflow",
        "ok d-1043 planned",
        "reason, Enter alone does nothing:",
        "for, Enter alone is 30d:",
        "note approve: which one?",
        "note no command 'appro': ? tells them",
        "there is no such thing",
        "approve: approve the patch",
        "note nothing was told under 77",
    };
    for (size_t i = 0; i < WPA_COUNT(told); i++) {
        wpa_tty_expect(tty, told[i]);
    }
    static const char *const never[] = {"^[", "─", "│", "█", "▸", "✓"};
    for (size_t i = 0; i < WPA_COUNT(never); i++) {
        assert_false(wpa_tty_has(tty, never[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sign_in),
        cmocka_unit_test(test_first_guardian),
        cmocka_unit_test(test_rollback_window),
        cmocka_unit_test(test_script),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
