/* wpa check and the files and findings of other programs: zizmor, actionlint, analysers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "world.h"

static int open_world(void **state)
{
    *state = open_repository("name: CI\non: push\njobs: {}\n");
    return 0;
}

static int close_world(void **state)
{
    return close_repository(*state);
}

/** Words separated by blanks, behind "wpa check". */
static int check(world *w, const char *line)
{
    return run_in(w, wpa_arena_printf(w->arena, "check %s", line), "");
}

/* What is shown is what holds: another program's file does once ours asks for it, or is named
 * itself. */
static void test_files_of_other_programs_are_shown_where_they_count(void **state)
{
    world *w = *state;
    static const char key[] = "zizmor.rules.artipacked: {disable: true}";
    put(w, "zizmor.yml", "rules: {artipacked: {disable: true}}\n");
    assert_int_equal(run_in(w, "config show", ""), 0);
    assert_null(strstr(w->out, key));
    assert_non_null(strstr(w->err, "zizmor.yml is not read: no 'compat:"));
    assert_int_equal(run_in(w, "config check", ""), 0);
    assert_non_null(strstr(w->out, "zizmor.yml: can be read, and is not: no 'compat:"));
    assert_int_equal(run_in(w, "config show zizmor.yml", ""), 0);
    assert_non_null(strstr(w->out, key));
    put(w, "wpa.yml", "compat: {read: [zizmor]}\n");
    assert_int_equal(run_in(w, "config show", ""), 0);
    assert_non_null(strstr(w->out, key));
    assert_string_equal(w->err, "");
}

/* What is printed says the same, once, and what it cannot say is told. */
static void test_files_of_other_programs_are_imported(void **state)
{
    world *w = *state;
    put(w, "zizmor.yml", "rules:\n  artipacked: {disable: true}\n  no-such: {disable: true}\n");
    assert_int_equal(run_in(w, "config import zizmor.yml", ""), 0);
    assert_string_equal(w->out, "# made from zizmor.yml by wpa config import\nversion: 1\n"
                                "rules:\n  persisted-credentials: off\n");
    assert_string_equal(w->err,
                        "zizmor.yml:3: no audit of zizmor's is known as 'no-such': left out\n");
    put(w, ".github/actionlint.yaml",
        "self-hosted-runner:\n  labels: [gpu-*, 'mac-m[12]-[a-z]', x, x]\n"
        "config-variables: [STAGE]\n");
    assert_int_equal(run_in(w, "config import .github/actionlint.yaml", ""), 0);
    assert_string_equal(w->out,
                        "# made from .github/actionlint.yaml by wpa config import\nversion: 1\n"
                        "runners:\n  labels: [\"gpu-*\", \"mac-m?-?\", \"x\"]\n"
                        "names:\n  vars: [\"STAGE\"]\n");
    assert_int_equal(run_in(w, "config import wpa.yml", ""), 2);
    assert_non_null(strstr(w->err, "'wpa.yml' is called neither zizmor.yml nor actionlint.yaml"));

    /* The classes of such a glob are no mistake of a workflow's. */
    put(w, "wpa.yml", "compat: {read: [actionlint]}\n");
    put(w, ".github/workflows/ci.yml",
        "on: push\njobs:\n  a:\n    runs-on: [self-hosted, mac-m1-b]\n    steps: [{run: ls}]\n");
    assert_int_equal(check(w, "--only runner-label --persona auditor --format oneline"), 0);
    assert_string_equal(w->out, "");
}

/* zizmor's findings begin at the step or at the whole value, ours at what is wrong in it. */
static void test_places_of_zizmor_reach_what_they_are_about(void **state)
{
    world *w = *state;
    put(w, "wpa.yml", "compat: {read: [zizmor]}\n");
    put(w, ".github/workflows/zz.yml",
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n"
        "      - name: x\n        uses: a/b@v1\n      - uses: a/c@v1\n      - uses: a/d@v1\n"
        "      - run: echo ${{ github.ref_name }} ${{ github.head_ref }}\n");
    put(w, "zizmor.yml",
        "rules:\n  unpinned-uses: {ignore: ['zz.yml:6', 'zz.yml:8:15', 'zz.yml:9:40']}\n"
        "  template-injection: {ignore: ['zz.yml:10:23']}\n");
    (void)check(w, "--only unpinned-uses,template-injection --format oneline "
                   ".github/workflows/zz.yml");
    assert_null(strstr(w->out, "zz.yml:7:"));
    assert_null(strstr(w->out, "zz.yml:8:"));
    assert_non_null(strstr(w->out, "zz.yml:9:"));
    assert_null(strstr(w->out, "zz.yml:10:23"));
    assert_non_null(strstr(w->out, "zz.yml:10:46"));
    put(w, ".github/workflows/call.yml",
        "on: push\njobs:\n  a:\n    name: a\n    uses: a/b/.github/workflows/c.yml@v1\n"
        "    secrets: inherit\n");
    for (int at = 4; at <= 5; at++) { /* zizmor's finding is at what is called */
        put(w, "zizmor.yml",
            wpa_arena_printf(w->arena, "rules: {secrets-inherit: {ignore: ['call.yml:%d']}}\n",
                             at));
        (void)check(w, "--only secrets-inherit --format oneline .github/workflows/call.yml");
        assert_int_equal(strstr(w->out, "call.yml:6:") != NULL, at == 4);
    }
    put(w, ".github/dependabot.yml",
        "version: 2\nupdates:\n  - package-ecosystem: npm\n    directory: /\n"
        "    schedule: {interval: weekly}\n    insecure-external-code-execution: allow\n");
    static const char line[] = "--only dependabot-execution --format oneline "
                               ".github/dependabot.yml";
    (void)check(w, line);
    assert_non_null(strstr(w->out, "dependabot.yml:6:"));
    put(w, "zizmor.yml", "rules: {dependabot-execution: {ignore: ['dependabot.yml:3']}}\n");
    (void)check(w, line);
    assert_null(strstr(w->out, "dependabot.yml:6:"));
}

#define GUEST "{\\\"version\\\":\\\"2.1.0\\\",\\\"runs\\\":[{\\\"results\\\":[%s]}]}"
#define RESULT(rule, line)                                                                         \
    "{\\\"ruleId\\\":\\\"" rule "\\\",\\\"message\\\":{\\\"text\\\":\\\"says " rule                \
    "\\\"},\\\"locations\\\":[{\\\"physicalLocation\\\":{\\\"artifactLocation\\\":{\\\"uri\\\":"   \
    "\\\".github/workflows/ci.yml\\\"},\\\"region\\\":{\\\"startLine\\\":" line "}}}]}"

static void test_findings_of_others_are_silenced(void **state)
{
    world *w = *state;
    static const char results[] =
        RESULT("one", "1") "," RESULT("two", "2") "," RESULT("three", "3");
    put(w, ".github/workflows/ci.yml",
        "name: CI # wpa: ignore[ext/house/one] known\non: push\npermissions: {}\njobs: {}\n");
    put(w, "wpa.yml",
        wpa_arena_printf(w->arena,
                         "analysers: {house: {command: [/bin/echo, \"" GUEST "\"]}}\n"
                         "ignore:\n  - {rules: [ext/house/two], reason: ours}\n"
                         "  - {rules: [ext/house/four], reason: nobody says it}\n",
                         results));
    assert_int_equal(check(w, "--exit-zero --no-cache --format oneline ."), 0);
    if (strstr(w->err, "note: analyser house")) {
        print_message("skipped: no sandbox here: %s\n", w->err);
        skip();
    }
    assert_null(strstr(w->out, "says one"));
    assert_null(strstr(w->out, "says two"));
    assert_non_null(strstr(w->out, "ci.yml:3:1: medium: says three [ext/house/three]\n"));
    assert_non_null(strstr(w->out, "wpa.yml:4:5: low: nothing is silenced by this ignore of "
                                   "'ext/house/four' [unused-ignore/I6]\n"));
    assert_null(strstr(w->out, "wpa.yml:3"));
    assert_int_equal(check(w, "--exit-zero --no-cache --show-ignored --format oneline ."), 0);
    assert_non_null(strstr(w->out, "says one [ext/house/one] (ignored)\n"));
    assert_non_null(strstr(w->out, "says two [ext/house/two] (ignored)\n"));
    assert_int_equal(check(w, "--exit-zero --no-cache --no-ignores --format oneline ."), 0);
    assert_non_null(strstr(w->out, "says one [ext/house/one]\n"));
}

/* Why an analyser has failed it says itself, elsewhere. */
static void test_an_analyser_that_prints_nothing_is_told_of(void **state)
{
    world *w = *state;
    put(w, "wpa.yml", "analysers: {house: {command: [/bin/false]}}\n");
    assert_int_equal(check(w, "--exit-zero --no-cache --format oneline ."), 0);
    assert_non_null(strstr(w->err, "note: analyser house: "));
    if (!strstr(w->err, "it printed nothing, and its exit code is 1: ")) {
        print_message("skipped: no sandbox here: %s\n", w->err);
        skip();
    }
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, open_world, close_world)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(test_files_of_other_programs_are_shown_where_they_count),
        CASE(test_files_of_other_programs_are_imported),
        CASE(test_places_of_zizmor_reach_what_they_are_about),
        CASE(test_findings_of_others_are_silenced),
        CASE(test_an_analyser_that_prints_nothing_is_told_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
