/*
 * A Guardian's day at the console, in a pseudo-terminal: first start, first Guardian, a finding,
 * its patch, the test, approval, deployment, and the way back. After each step the screen, the git
 * repository and the database have to agree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "harness/patience.h"
#include "harness/sample.h"

#define REPOSITORY "ledger-api"

/* Chapters follow each other: where one has failed, the next have nothing to stand on. */
typedef struct story {
    wpa_sample *sample;
    wpa_tty *tty;
    const char *before, *applied; /* commits */
    bool is_broken;
} story;

static story the_story;

static story *begin(void)
{
    if (the_story.is_broken) {
        fail_msg("an earlier step has failed");
    }
    the_story.is_broken = true;
    return &the_story;
}

static void end(story *s)
{
    s->is_broken = false;
}

static int open_story(void **state)
{
    (void)state;
    the_story.sample = wpa_sample_new_bare();
    return 0;
}

static int close_story(void **state)
{
    (void)state;
    wpa_tty_free(the_story.tty);
    wpa_sample_free(the_story.sample);
    return 0;
}

static void is_sql(story *s, const char *wanted, const char *sql)
{
    assert_string_equal(wpa_sample_sql(s->sample, "%s", sql), wanted);
}

static const char *tip(story *s)
{
    return wpa_sample_git(s->sample, REPOSITORY, "rev-parse refs/heads/main");
}

static const char *tree_of(story *s, const char *commit)
{
    return wpa_sample_git(s->sample, REPOSITORY, "rev-parse %s^{tree}", commit);
}

/* ---- chapters ---- */

static void first_start_makes_a_guardian(void **state)
{
    (void)state;
    story *s = begin();
    const char *source = getenv("WPA_SOURCE_DIR"); // NOLINT(concurrency-mt-unsafe)
    const char *words =
        wpa_arena_printf(wpa_sample_arena(s->sample),
                         "--workers 2 --fleet acme --config %s/tests/harness/long_window.yaml",
                         source ? source : ".");
    s->tty = wpa_sample_tty(s->sample, words, 24, 80);
    wpa_tty_expect(s->tty, "find PostgreSQL");
    wpa_tty_expect(s->tty, "create the database");
    wpa_tty_expect(s->tty, "No Guardian yet: create the first one.");
    wpa_tty_expect(s->tty, "embedded");
    wpa_tty_expect(s->tty, "Guardian      mira_");
    wpa_tty_send(s->tty, WPA_SAMPLE_PASSPHRASE "\t");
    wpa_tty_send(s->tty, "something else\r");
    wpa_tty_expect(s->tty, "The two passphrases differ.");
    assert_false(wpa_tty_has(s->tty, "correct"));
    wpa_tty_send(s->tty, "\025" WPA_SAMPLE_PASSPHRASE "\r");
    wpa_tty_expect(s->tty, "LIVE  mira guardian");
    wpa_tty_expect(s->tty, "No workflows are being watched yet.");
    wpa_tty_expect(s->tty, ":tour");
    is_sql(s, "mira", "SELECT name FROM wpa.principal WHERE role = 'guardian'");
    is_sql(s, "1", "SELECT count(*) FROM wpa.audit WHERE action = 'session.opened'");
    is_sql(s, "0", "SELECT count(*) FROM wpa.audit WHERE detail::text LIKE '%correct horse%'");
    end(s);
}

static void the_fleet_appears(void **state)
{
    (void)state;
    story *s = begin();
    wpa_sample_import(s->sample, true);
    wpa_tty_expect(s->tty, "Workflows, worst first");
    wpa_tty_expect(s->tty, "16 of 16");
    wpa_sample_sql_wait(s->sample, "0", WPA_PATIENCE_MS,
                        "SELECT count(*) FROM wpa.job WHERE state IN ('queued', 'running')");
    char *n = wpa_sample_sql(s->sample, "SELECT count(*) FROM wpa.workflow_analysis");
    assert_string_not_equal(n, "0");
    wpa_tty_expect(s->tty, "Needs you");
    /* What the dashboard counts is what the database holds. */
    char *critical = wpa_sample_sql(s->sample, "SELECT count(*) FROM wpa.finding WHERE severity = "
                                               "'critical' AND kind <> 'opportunity' AND persona = "
                                               "'default' AND state IN ('open', 'in_patch')");
    assert_string_not_equal(critical, "0");
    wpa_tty_expect(s->tty, wpa_arena_printf(wpa_sample_arena(s->sample), "CRIT %s ", critical));
    wpa_tty_resize(s->tty, 40, 120);
    wpa_tty_expect(s->tty, "infra/terraform.yml");
    wpa_tty_resize(s->tty, 5, 20);
    wpa_tty_expect(s->tty, "wpa needs 40x10");
    wpa_tty_resize(s->tty, 24, 80);
    wpa_tty_expect(s->tty, "Workflows, worst first");
    end(s);
}

static void a_finding_becomes_a_tested_patch(void **state)
{
    (void)state;
    static const char *const suites[] = {"✓ isolated", "✓ integration", "✓ safety",
                                         "compatibility"};
    story *s = begin();
    s->before = tip(s);
    wpa_tty_press(s->tty, "3");
    wpa_tty_expect(s->tty, "[3 Findings]");
    wpa_tty_press(s->tty, "/");
    wpa_tty_expect(s->tty, "Enter keep");
    wpa_tty_send(s->tty, "rule:template-injection repo:" REPOSITORY);
    wpa_tty_expect(s->tty, "1 of 1 of ");
    wpa_tty_press(s->tty, "\r");
    wpa_tty_expect_gone(s->tty, "Enter keep");
    wpa_tty_press(s->tty, "\r");
    wpa_tty_expect(s->tty, "─ template-injection ─");
    wpa_tty_expect(s->tty, "Why and what to do");
    wpa_tty_expect(s->tty, "github.event.pull_request");
    wpa_tty_press(s->tty, "p");
    wpa_tty_expect(s->tty, "─ p-1 ");
    wpa_tty_expect(s->tty, "Test report");
    wpa_tty_expect(s->tty, "─ ✓ tested ─");
    for (size_t i = 0; i < WPA_COUNT(suites); i++) {
        wpa_tty_expect(s->tty, suites[i]);
    }
    wpa_tty_press(s->tty, "d");
    wpa_tty_expect(s->tty, "│+         env:");
    wpa_tty_escape(s->tty, "Test report");
    is_sql(s, "tested", "SELECT state FROM wpa.patch WHERE id = 1");
    is_sql(s, "0", "SELECT count(*) FROM wpa.test_check WHERE result NOT IN ('pass', 'skipped')");
    is_sql(s, "t",
           "SELECT count(DISTINCT phase) >= 3 FROM wpa.test_check"); /* the 4th: none applies */
    assert_string_equal(tip(s), s->before);                          /* nothing has been deployed */
    end(s);
}

/* The bake timer stands at so many seconds, or is further: nobody says how soon it is looked at. */
static void expect_baked(wpa_tty *tty, int seconds)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *wanted[60] = {NULL};
    for (int i = seconds; i < 59; i++) {
        wanted[i - seconds] = wpa_arena_printf(arena, "00:%02d/00:06", i);
    }
    if (!wpa_tty_wait_any(tty, wanted, WPA_PATIENCE_MS)) {
        fail_msg("the bake timer never came to %d s", seconds);
    }
}

static void approved_and_deployed(void **state)
{
    (void)state;
    story *s = begin();
    wpa_tty_press(s->tty, "A");
    wpa_tty_expect(s->tty, "Approve p-1");
    wpa_tty_press(s->tty, "y");
    wpa_tty_expect(s->tty, "─ ◉ approved ─");
    is_sql(s, "mira",
           "SELECT p.name FROM wpa.approval a JOIN wpa.principal p ON p.id = a.guardian_id");
    wpa_tty_press(s->tty, "D");
    wpa_tty_expect(s->tty, "Deploy p-1");
    wpa_tty_expect(s->tty, "bake 6.0 s");
    assert_string_equal(tip(s), s->before);
    wpa_tty_press(s->tty, "y");
    wpa_tty_expect(s->tty, "─ d-1 ");
    wpa_tty_expect(s->tty, "▸ 1 canary");
    wpa_tty_expect(s->tty, "Health checks, stage 1");
    wpa_tty_expect(s->tty, "armed, back to");
    expect_baked(s->tty, 1); /* the bake timer moves, whatever the size */
    wpa_tty_resize(s->tty, 40, 120);
    expect_baked(s->tty, 2);
    wpa_tty_resize(s->tty, 5, 20);
    wpa_tty_expect(s->tty, "wpa needs 40x10");
    wpa_tty_resize(s->tty, 24, 80);
    wpa_tty_expect(s->tty, "exit 0"); /* the repository's own check, as a meter */
    wpa_tty_expect(s->tty, "─ ⬢ deployed ");
    wpa_tty_expect(s->tty, "✓ 1 canary");
    s->applied = tip(s);
    assert_string_not_equal(s->applied, s->before);
    assert_string_equal(wpa_sample_git(s->sample, REPOSITORY, "rev-parse %s^", s->applied),
                        s->before);
    char *message = wpa_sample_git(s->sample, REPOSITORY, "log -1 --format=%%B %s", s->applied);
    assert_non_null(strstr(message, "\nWpa-Patch: p-1\n"));
    assert_non_null(strstr(message, "\nWpa-Deployment: d-1\n"));
    assert_non_null(strstr(message, "\nWpa-Digest: "));
    assert_string_equal(
        wpa_sample_git(s->sample, REPOSITORY, "diff --name-only %s %s", s->before, s->applied),
        ".github/workflows/ci.yml");
    is_sql(s, "deployed", "SELECT state FROM wpa.patch WHERE id = 1");
    is_sql(s, "succeeded", "SELECT state FROM wpa.deployment WHERE id = 1");
    is_sql(s, s->applied, "SELECT applied_oid FROM wpa.deployment_target");
    is_sql(s, "t", "SELECT count(*) >= 3 FROM wpa.measurement");
    char *status = wpa_sample_wpa(s->sample, 0, "deploy status d-1 --json");
    assert_non_null(strstr(status, "\"state\": \"succeeded\""));
    end(s);
}

static void rolled_back_by_one_key(void **state)
{
    (void)state;
    story *s = begin();
    wpa_tty_press(s->tty, "R");
    wpa_tty_expect(s->tty, "ROLLING BACK d-1 in");
    wpa_tty_expect(s->tty, "Esc cancel");
    wpa_tty_escape(s->tty, "rollback cancelled");
    wpa_tty_expect_gone(s->tty, "ROLLING BACK");
    assert_string_equal(tip(s), s->applied);
    is_sql(s, "succeeded", "SELECT state FROM wpa.deployment WHERE id = 1");
    is_sql(s, "t", "SELECT rollback_at IS NULL FROM wpa.deployment WHERE id = 1");
    wpa_tty_press(s->tty, "R");
    wpa_tty_expect(s->tty, "ROLLING BACK d-1 in");
    wpa_tty_press(s->tty, "\r"); /* at once */
    wpa_tty_expect(s->tty, "↺ rolled_back");
    wpa_tty_expect(s->tty, "1 of 1 workflow back");
    const char *reverted = tip(s);
    assert_string_equal(wpa_sample_git(s->sample, REPOSITORY, "rev-parse %s^", reverted),
                        s->applied);
    assert_string_equal(tree_of(s, reverted), tree_of(s, s->before));
    char *message = wpa_sample_git(s->sample, REPOSITORY, "log -1 --format=%%B %s", reverted);
    assert_true(wpa_text_starts(message, "Revert "));
    assert_non_null(strstr(message, s->applied));
    is_sql(s, "rolled_back", "SELECT state FROM wpa.patch WHERE id = 1");
    is_sql(s, "rolled_back", "SELECT state FROM wpa.deployment WHERE id = 1");
    is_sql(s, reverted, "SELECT revert_oid FROM wpa.deployment_target WHERE state = 'reverted'");
    is_sql(s, "2,1,1",
           "SELECT count(*) FILTER (WHERE action = 'deployment.rollback_ordered') || ',' ||"
           " count(*) FILTER (WHERE action = 'deployment.rollback_cancelled') || ',' ||"
           " count(*) FILTER (WHERE action = 'deployment.rolled_back') FROM wpa.audit");
    end(s);
}

/* Two consoles, each told where the other is; and the map, of files that name each other. */
static void who_else_is_there(void **state)
{
    (void)state;
    story *s = begin();
    WPA_AUTO(wpa_tty) *other = wpa_sample_tty(s->sample, "--read-only --workers 0", 24, 80);
    wpa_tty_expect(other, "RO  viewer viewer");
    wpa_tty_press(other, "3");
    wpa_tty_expect(other, "[3 Findings]");
    wpa_tty_command(s->tty, "who");
    wpa_tty_expect(s->tty, "Guardians on line");
    wpa_tty_expect(s->tty, "viewer                  findings");
    wpa_tty_expect(s->tty, "mira (you)              who");
    wpa_tty_command(s->tty, "d-1");
    wpa_tty_command(other, "d-1");
    wpa_tty_expect(other, "mira here");
    wpa_tty_expect(s->tty, "viewer here");
    wpa_tty_press(other, "6");
    wpa_tty_expect(other, "USED BY");
    wpa_tty_press(other, "q");
    assert_int_equal(wpa_tty_wait_exit(other, WPA_PATIENCE_MS), 0);
    end(s);
}

static void the_audit_log_tells_it(void **state)
{
    (void)state;
    story *s = begin();
    wpa_tty_press(s->tty, "8");
    wpa_tty_expect(s->tty, "[8 Audit]");
    wpa_tty_expect(s->tty, "deployment rolled back");
    wpa_tty_command(s->tty, "verify chain");
    wpa_tty_expect(s->tty, "verified");
    wpa_tty_expect_gone(s->tty, "not verified");
    wpa_tty_press(s->tty, "q");
    assert_int_equal(wpa_tty_wait_exit(s->tty, WPA_PATIENCE_MS), 0);
    assert_false(wpa_tty_is_alternate(s->tty));
    assert_true(wpa_tty_is_cooked(s->tty));
    wpa_sample_server_wait_gone(s->sample, WPA_PATIENCE_MS); /* the last one has left */
    char *said = wpa_sample_wpa(s->sample, 0, "audit verify --json");
    assert_non_null(strstr(said, "\"sound\": true"));
    assert_int_equal(wpa_sample_server(s->sample), 0);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_start_makes_a_guardian),     cmocka_unit_test(the_fleet_appears),
        cmocka_unit_test(a_finding_becomes_a_tested_patch), cmocka_unit_test(approved_and_deployed),
        cmocka_unit_test(rolled_back_by_one_key),           cmocka_unit_test(who_else_is_there),
        cmocka_unit_test(the_audit_log_tells_it),
    };
    return cmocka_run_group_tests(tests, open_story, close_story);
}
