/* wpa check as a user meets it: inputs, options, exit codes, files written. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "auth/hash.h"
#include "world.h"

static const char bad[] = "name: CI\non: push\njobs:\n  build:\n    name: b\n    runs-on: x\n"
                          "    if: |\n      ${{ env.A }}\n    steps:\n      - run: make\n";
static const char fixed[] = "name: CI\non: push\njobs:\n  build:\n    name: b\n    runs-on: x\n"
                            "    if: |-\n      ${{ env.A }}\n    steps:\n      - run: make\n";

static int open_world(void **state)
{
    *state = open_repository(bad);
    return 0;
}

static int close_world(void **state)
{
    return close_repository(*state);
}

/** Words separated by blanks, behind "wpa check"; standard input holds the text. */
static int check_with(world *w, const char *line, const char *input)
{
    return run_in(w, wpa_arena_printf(w->arena, "check %s", line), input);
}

static int check(world *w, const char *line)
{
    return check_with(w, line, "");
}

static void test_a_folder_is_searched(void **state)
{
    world *w = *state;
    put(w, "sub/action.yml", "name: a\ndescription: a\nruns: {using: composite, steps: []}\n");
    put(w, "sub/other.yml", "a: b\n");
    assert_int_equal(check(w, "--only unsound-condition --format oneline"), 1);
    assert_true(wpa_text_starts(w->out, ".github/workflows/ci.yml:7:9: high: "));
    assert_int_equal(check(w, "--only unsound-condition --format oneline ."), 1);
    assert_true(wpa_text_starts(w->out, ".github/workflows/ci.yml:7:9: high: "));
    assert_int_equal(check(w, "--format json sub"), 0);
    assert_non_null(strstr(w->out, "\"files\": 1,"));
}

static void test_exit_codes(void **state)
{
    world *w = *state;
    put(w, "good.yml", "name: CI\non: push\npermissions: {}\njobs:\n  a:\n    uses: ./x.yml\n");
    static const struct {
        const char *line;
        int code;
    } cases[] = {
        {"--only unsound-condition", 1},
        {"--only unsound-condition --exit-zero", 0},
        {"--only unsound-condition --fail-on none", 0},
        {"--only unsound-condition --fail-on issue=critical", 0},
        {"--only missing-timeout", 0},
        {"--only missing-timeout --fail-on medium", 1},
        {"--skip unsound-condition --only schema", 0},
        {"--no-such-option", 2},
        {"--format nosuch", 2},
        {"--only nosuch", 2},
        {"--persona nosuch", 2},
        {"--stdin-path a.yml", 2},
        {"--stdin-path a.yml .", 2},
        {"--format oneline=no/such/folder", 4},
        {"--config nosuch.yml", 2},
        {"nosuch.yml", 3},
        {"--only unsound-condition . nosuch.yml", 3},
        {"--only unsound-condition --keep-going . nosuch.yml", 1},
        {"--list-rules", 0},
        {"--list-rules=json", 0},
        {"--explain schema", 0},
        {"--explain SC2086", 0},
        {"--explain SC0", 2},
        {"--explain nosuch", 2},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        int code = check(w, cases[i].line);
        if (code != cases[i].code) {
            print_error("%s: %d\n%s%s\n", cases[i].line, code, w->out, w->err);
            fail();
        }
    }
}

static void test_fixes_are_written(void **state)
{
    world *w = *state;
    struct stat status;
    assert_int_equal(check(w, "--fix --only unsound-condition --diff"), 0);
    assert_non_null(strstr(w->out, "-    if: |\n+    if: |-\n"));
    assert_string_equal(get(w, ".github/workflows/ci.yml"), bad);
    assert_int_equal(check(w, "--fix --only unsound-condition"), 0);
    assert_string_equal(get(w, ".github/workflows/ci.yml"), fixed);
    assert_int_equal(stat(".github/workflows/ci.yml", &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    assert_int_equal(check(w, "--fix=missing-timeout --exit-zero"), 0);
    assert_non_null(strstr(get(w, ".github/workflows/ci.yml"), "timeout-minutes: 30\n"));
}

static void test_standard_input(void **state)
{
    world *w = *state;
    assert_int_equal(check_with(w, "--fix --only unsound-condition -", bad), 0);
    assert_string_equal(w->out, fixed);
    assert_int_equal(
        check_with(w, "--only unsound-condition --format oneline --stdin-path a/b.yml -", bad), 1);
    assert_true(wpa_text_starts(w->out, "a/b.yml:7:9: "));
}

static void test_a_file_in_utf16_is_told_so(void **state)
{
    world *w = *state;
    assert_int_equal(check_with(w, "--only syntax --format oneline -", "\xff\xfeo"), 1);
    assert_non_null(strstr(w->out, "a byte that is not UTF-8 is not allowed in a file that is "
                                   "YAML: save it as UTF-8, not UTF-16 [syntax/Y10]\n"));
}

static void test_configuration_is_found_and_beaten(void **state)
{
    world *w = *state;
    put(w, "wpa.yml", "rules: {unsound-condition: off}\n");
    assert_int_equal(check(w, "--dimension quality"), 0);
    assert_int_equal(check(w, "--only unsound-condition"), 1);
    assert_int_equal(check(w, "--no-config --dimension quality"), 1);
    put(w, "wpa.yml", "rules: {unsound-conditio: off}\n");
    assert_int_equal(check(w, "."), 2);
    assert_non_null(strstr(w->err, "wpa.yml:1:9: "));
    assert_non_null(strstr(w->err, "did you mean 'unsound-condition'"));
    put(w, "wpa.yml", "paths: {exclude: ['.github/**']}\n");
    assert_int_equal(check(w, "."), 3);
}

static void test_hostile_inputs(void **state)
{
    world *w = *state;
    assert_int_equal(symlink("/etc/passwd", ".github/workflows/evil.yml"), 0);
    assert_int_equal(truncate(".github/workflows/ci.yml", 100000000), 0);
    put(w, ".github/workflows/latin.yml", "name: \xe9\n");
    put(w, ".github/workflows/escape.yml", "name: \"\033[31m\"\non: [\n");
    assert_int_equal(check(w, "."), 1);
    assert_non_null(strstr(w->out, "evil.yml: is a symlink out of the tree"));
    assert_null(strstr(w->out, "root:"));
    assert_non_null(strstr(w->out, "syntax/Y9"));
    assert_non_null(strstr(w->out, "syntax/Y10"));
    assert_null(strchr(w->out, 033));
}

/* A file that must not be written is left as it is, said so, and keeps no other back. */
static void test_fix_spares_read_only_files(void **state)
{
    world *w = *state;
    put(w, ".github/workflows/a.yml", bad);
    put(w, ".github/workflows/b.yml", bad);
    assert_int_equal(chmod(".github/workflows/a.yml", 0444), 0);
    assert_int_equal(check(w, "--fix=unsound-condition ."), 4);
    assert_non_null(strstr(w->err, "a.yml is read-only and was left alone"));
    assert_null(strstr(w->err, "fixed 1 in .github/workflows/a.yml"));
    assert_string_equal(get(w, ".github/workflows/a.yml"), bad);
    assert_string_equal(get(w, ".github/workflows/b.yml"), fixed);
    assert_string_equal(get(w, ".github/workflows/ci.yml"), fixed);
}

/* A repository in which a workflow is not owned, and who is to own it is known. */
static void put_unowned(world *w)
{
    put(w, "wpa.yml", "version: 1\nowners: {codeowners: \"@acme/ops\"}\n");
    put(w, "Makefile", "all:\n");
    put(w, "src/main.c", "int main(void) { return 0; }\n");
}

static const char owning[] = "/.github/ @acme/ops\n";

static void test_fixes_make_files(void **state)
{
    world *w = *state;
    put_unowned(w);
    assert_int_equal(check(w, "--only missing-codeowners --fix=missing-codeowners --diff ."), 0);
    assert_string_equal(w->out, "--- /dev/null\n+++ b/.github/CODEOWNERS\n@@ -0,0 +1 @@\n"
                                "+/.github/ @acme/ops\n");
    assert_null(get(w, ".github/CODEOWNERS"));
    assert_int_equal(check(w, "--only missing-codeowners --format sarif"), 0);
    assert_non_null(strstr(w->out, "\"uri\":\".github/CODEOWNERS\""));
    assert_int_equal(check(w, "--only missing-codeowners --format json"), 0);
    assert_non_null(strstr(w->out, "\"new\":true"));
    assert_int_equal(check(w, "--only missing-codeowners --fix ."), 0); /* it is not a safe one */
    assert_null(get(w, ".github/CODEOWNERS"));
    assert_int_equal(check(w, "--only missing-codeowners --fix=all ."), 0);
    assert_non_null(strstr(w->err, "fixed 1 over 1 file:\n  .github/CODEOWNERS (new)\n"));
    assert_string_equal(get(w, ".github/CODEOWNERS"), owning);
    assert_int_equal(check(w, "--only missing-codeowners --fix=all ."), 0);
    assert_string_equal(w->err, "");
    assert_string_equal(get(w, ".github/CODEOWNERS"), owning);
}

static void test_fixes_of_a_part_are_its_own(void **state)
{
    world *w = *state;
    put_unowned(w);
    put(w, ".git/HEAD", "ref: refs/heads/main\n");
    assert_int_equal(check(w, "--only missing-codeowners --fix=all .github/workflows"), 0);
    assert_non_null(strstr(w->err, ": fixes that change several files are made only where all of "
                                   "it is checked\n"));
    assert_null(get(w, ".github/CODEOWNERS"));
    assert_int_equal(check(w, "--only missing-codeowners --fix .github/workflows"), 0);
    assert_null(strstr(w->err, "several files")); /* none was asked for */
}

/* What goes through a symlink may end anywhere. */
static void test_fixes_make_nothing_through_symlinks(void **state)
{
    world *w = *state;
    put_unowned(w);
    put(w, "elsewhere/owners", "* @acme/all\n* # nobody\n");
    assert_int_equal(symlink("../elsewhere/owners", ".github/CODEOWNERS"), 0);
    assert_int_equal(check(w, "--only missing-codeowners --fix=all ."), 4);
    assert_non_null(strstr(w->err, ".github/CODEOWNERS is a symlink"));
    assert_string_equal(get(w, "elsewhere/owners"), "* @acme/all\n* # nobody\n");
}

/* Alone it is called by nobody; beside the one that calls it, it is. The cache tells them apart. */
static void test_repositories_go_together(void **state)
{
    world *w = *state;
    put(w, "shared/.git/HEAD", "ref: refs/heads/main\n");
    put(w, "shared/.github/workflows/build.yml",
        "on: workflow_call\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: make\n");
    put(w, "web/.git/HEAD", "ref: refs/heads/main\n");
    put(w, "web/.github/workflows/ci.yml",
        "on: push\njobs:\n  a:\n    uses: acme/shared/.github/workflows/build.yml@v1\n");
    put(w, "other/.git/HEAD", "ref: refs/heads/main\n");
    put(w, "other/.github/workflows/ci.yml", "on: push\njobs:\n  a:\n    uses: a/b/c.yml@v1\n");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(check(w, "--only dead-workflow --format oneline shared web"), 0);
        assert_string_equal(w->out, "");
        assert_int_equal(check(w, "--only dead-workflow --format oneline shared other"), 0);
        assert_true(wpa_text_starts(w->out, "shared/.github/workflows/build.yml:1:5: low: "));
    }
}

static void test_says_what_is_no_file(void **state)
{
    world *w = *state;
    assert_int_equal(mkfifo(".github/workflows/pipe.yml", 0600), 0);
    assert_int_equal(check(w, "."), 3);
    assert_non_null(strstr(w->out, "pipe.yml: is neither a file nor a folder"));
}

static void test_threads_change_nothing(void **state)
{
    world *w = *state;
    for (int i = 0; i < 40; i++) {
        put(w, wpa_arena_printf(w->arena, ".github/workflows/w%d.yml", i), bad);
    }
    assert_int_equal(check(w, "--threads 1 --format json"), 1);
    const char *one = wpa_arena_text(w->arena, w->out);
    assert_int_equal(check(w, "--threads 8 --format json"), 1);
    assert_string_equal(w->out, one);
}

static void test_several_formats(void **state)
{
    world *w = *state;
    assert_int_equal(check(w, "--only unsound-condition --format oneline --format sarif=out.sarif"),
                     1);
    assert_true(wpa_text_starts(w->out, ".github/"));
    assert_non_null(strstr(get(w, "out.sarif"), "\"version\": \"2.1.0\""));
}

static void test_what_is_undecided_is_counted(void **state)
{
    world *w = *state;
    put(w, ".github/workflows/ci.yml",
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: acme/one@v1\n"
        "      - uses: acme/two@v1\n      - uses: actions/checkout@no-such-branch\n"
        "      - run: 'echo \"'\n      - run: echo\n");
    assert_int_equal(check(w, "-v --exit-zero --no-cache --format oneline ."), 0);
    assert_non_null(strstr(w->err, "undecided: 2 uses of repositories that no table has, 1 at refs "
                                   "that no table has, 1 scripts that could not be read\n"));
    assert_int_equal(check(w, "--exit-zero --no-cache --format oneline ."), 0);
    assert_null(strstr(w->err, "undecided"));
}

/* ---- what silences nothing ---- */

static const char plain[] =
    "name: CI\non: push\npermissions: {}\njobs:\n  build:\n    name: b\n"
    "    runs-on: x\n    steps:\n      - uses: foo/bar@v1\n      - run: make\n";

static void test_entries_that_silence_nothing(void **state)
{
    world *w = *state;
    put(w, ".github/workflows/ci.yml", plain);
    put(w, "wpa.yml",
        "rules:\n  missing-timeout: {ignore: [.github/workflows/ci.yml, 'old-*.yml']}\n  "
        "long-script: {paths: [gone.yml]}\n"
        "paths:\n  exclude: ['vendor/**']\n  'none/**': {rules: {syntax: on}}\n"
        "ignore:\n"
        "  - {rules: [missing-timeout], reason: used}\n"
        "  - {rules: [missing-concurrency], path: 'elsewhere/**', reason: no file}\n"
        "  - rules: [template-injection]\n    reason: nothing to silence\n"
        "  - {rules: [hardcoded-secret], until: 2020-01-01, reason: over}\n"
        "  - {message: 'no such words', reason: words}\n"
        "  - {rules: [anonymous-definition], path: '.github/workflows/ci.yml', reason: told "
        "there}\n");
    assert_int_equal(check(w, "--exit-zero --no-cache --format oneline ."), 0);
    assert_non_null(strstr(w->out,
                           "wpa.yml:9:5: low: no file that was checked fits 'elsewhere/**', "
                           "so nothing is ignored [unused-ignore/I6]\n"));
    assert_non_null(strstr(w->out, "wpa.yml:10:5: low: nothing is silenced by this ignore of "
                                   "'template-injection' [unused-ignore/I6]\n"));
    assert_non_null(strstr(w->out, "wpa.yml:12:5: low: this ignore of 'hardcoded-secret' ended on "
                                   "2020-01-01 [unused-ignore/I4]\n"));
    assert_non_null(strstr(w->out, "wpa.yml:13:5: low: nothing is silenced by this ignore of "
                                   "'no such words' [unused-ignore/I6]\n"));
    assert_non_null(strstr(w->out, "wpa.yml:2:3: low: no file that was checked fits 'old-*.yml'"));
    assert_null(strstr(w->out, "wpa.yml:8"));
    assert_null(strstr(w->out, "wpa.yml:14"));
    assert_null(strstr(strstr(w->out, "wpa.yml:2:3") + 1, "wpa.yml:2:3")); /* once */
    assert_non_null(
        strstr(w->err, "wpa.yml:5: no file that wpa reads fits 'vendor/**' of paths.exclude"));
    assert_non_null(strstr(w->err, "wpa.yml:6: no file that wpa reads fits 'none/**' of paths"));
    assert_non_null(strstr(
        w->err, "wpa.yml:3: no file that wpa reads fits 'gone.yml' of rules.long-script.paths"));

    /* Out of the cache, and where only a part was looked at or only some rules have run. */
    assert_int_equal(setenv("XDG_CACHE_HOME", wpa_path_join(w->arena, w->folder, ".git/cache"), 1),
                     0);
    assert_int_equal(check(w, "--exit-zero --format oneline ."), 0);
    const char *first = wpa_arena_text(w->arena, w->out);
    assert_int_equal(check(w, "--exit-zero --format oneline ."), 0);
    assert_string_equal(w->out, first);
    assert_int_equal(check(w, "--exit-zero --format oneline .github/workflows/ci.yml"), 0);
    assert_null(strstr(w->out, "wpa.yml:"));
    assert_int_equal(
        check(w, "--exit-zero --format oneline --only missing-timeout,unused-ignore ."), 0);
    assert_null(strstr(w->out, "template-injection"));
    assert_null(strstr(w->out, "no such words"));
    assert_int_equal(check(w, "--exit-zero --format oneline --no-ignores ."), 0);
    assert_null(strstr(w->out, "wpa.yml:"));
}

static void test_reasons_are_asked_for(void **state)
{
    world *w = *state;
    put(w, ".github/workflows/ci.yml", plain);
    put(w, "wpa.yml",
        "require-reason: true\nignore:\n  - {rules: [missing-timeout]}\n"
        "  - {rules: [missing-concurrency], reason: one branch}\n");
    assert_int_equal(check(w, "--exit-zero --format oneline ."), 0);
    assert_non_null(
        strstr(w->out, "wpa.yml:3:5: low: this ignore gives no reason [unused-ignore/I5]\n"));
    assert_null(strstr(w->out, "wpa.yml:4"));
}

/** Until the text has come; what was printed before it is passed over. */
static void wait_for(FILE *from, const char *text)
{
    char line[512];
    do {
        assert_non_null(fgets(line, sizeof line, from));
    } while (!strstr(line, text));
}

static void test_watching_outlives_a_wrong_configuration(void **state)
{
    world *w = *state;
    char line[] = "wpa check --watch --format oneline", *words[MAX_WORDS + 1];
    int n = cut(line, words);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        FILE *out = fdopen(ends[1], "w");
        setlinebuf(out);
        _exit(wpa_cli_main(n, words, stdin, out, out));
    }
    (void)close(ends[1]);
    FILE *said = fdopen(ends[0], "r");
    wait_for(said, "[unsound-condition");
    put(w, "wpa.yml", "persona: pedanti\n");
    wait_for(said, "wpa.yml:1:10: persona: 'pedanti' is no persona");
    put(w, "wpa.yml", "persona: pedantic\n");
    wait_for(said, "[unsound-condition");
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    (void)fclose(said);
}

/* The run that writes it says what the next one will. */
static void test_what_is_written_into_a_baseline_counts_no_more(void **state)
{
    world *w = *state;
    static const char line[] = "--no-config --only unsound-condition,missing-timeout";
    static const char *const cache[] = {"", " --no-cache"};
    for (size_t i = 0; i < WPA_COUNT(cache); i++) {
        const char *options = wpa_arena_printf(w->arena, "%s%s", line, cache[i]);
        assert_int_equal(check(w, options), 1);
        assert_int_equal(check(w, wpa_arena_printf(w->arena, "%s --write-baseline", options)), 0);
        assert_string_equal(w->out,
                            "0 findings in 1 file; 0 with a fix, 0 ignored, 2 in the baseline\n");
        assert_int_equal(unlink(".wpa-baseline.json"), 0);
    }
    /* It can be read once. */
    const char *from_stdin = wpa_arena_printf(w->arena, "%s --write-baseline -", line);
    assert_int_equal(check_with(w, from_stdin, bad), 1);
    assert_non_null(strstr(get(w, ".wpa-baseline.json"), "unsound-condition"));
}

static void test_gone_entries_of_a_baseline(void **state)
{
    world *w = *state;
    static const char line[] = "--no-config --exit-zero --format oneline --baseline b.json";
    put(w, ".github/workflows/ci.yml", plain);
    put(w, ".github/workflows/old.yml", plain);
    assert_int_equal(check(w, "--no-config --exit-zero --write-baseline ."), 0);
    assert_non_null(strstr(w->err, "read with '--baseline .wpa-baseline.json'"));
    assert_int_equal(check(w, "--no-config --exit-zero --baseline b.json --write-baseline ."), 0);
    assert_null(strstr(w->err, "read with"));
    assert_int_equal(check(w, wpa_arena_printf(w->arena, "%s .", line)), 0);
    assert_string_equal(w->out, "");
    put(w, ".github/workflows/ci.yml",
        wpa_arena_printf(w->arena, "%s    timeout-minutes: 5\n", plain));
    assert_int_equal(unlink(".github/workflows/old.yml"), 0);
    assert_int_equal(check(w, wpa_arena_printf(w->arena, "%s .", line)), 0);
    assert_non_null(strstr(w->out, "low: the finding of missing-timeout in "
                                   "'.github/workflows/ci.yml' that the baseline knows is gone "
                                   "[unused-ignore/I7]\n"));
    assert_non_null(strstr(w->out, "in '.github/workflows/old.yml' that the baseline knows"));

    /* What did not run is not gone, and not taken out. */
    const char *whole = get(w, "b.json");
    assert_int_equal(
        check(w, wpa_arena_printf(w->arena, "%s --only syntax --update-baseline .", line)), 0);
    assert_string_equal(get(w, "b.json"), whole);
    assert_int_equal(check(w, wpa_arena_printf(w->arena, "%s --update-baseline .", line)), 0);
    assert_null(strstr(get(w, "b.json"), "old.yml"));
    assert_null(strstr(get(w, "b.json"), "missing-timeout"));
    assert_non_null(strstr(get(w, "b.json"), "unpinned-uses"));
    assert_int_equal(check(w, wpa_arena_printf(w->arena, "%s .", line)), 0);
    assert_string_equal(w->out, "");
}

static const struct {
    const char *config, *message;
} wrong_values[] = {
    {"rules: {missing-timeout: {max: abc}}", "'abc' is no whole number"},
    {"rules: {long-script: {max-lines: -4}}", "'-4' is no whole number"},
    {"rules: {duplicate-steps: {similarity: much}}", "'much' is no number"},
    {"rules: {excessive-schedule: {min-interval: soon}}", "'soon' is no length of time"},
};

static void test_values_have_the_type_of_their_option(void **state)
{
    world *w = *state;
    for (size_t i = 0; i < WPA_COUNT(wrong_values); i++) {
        put(w, "wpa.yml", wrong_values[i].config);
        assert_int_equal(check(w, "."), 2);
        assert_non_null(strstr(w->err, wrong_values[i].message));
    }
    put(w, "wpa.yml",
        "rules:\n  duplicate-steps: {similarity: 0.9}\n  excessive-schedule: {min-interval: 30m}\n"
        "  fixed-sleep: {min-s: 10}\n  outdated-action-major: {min-age-days: 90}\n"
        "  full-history-checkout: {needs-history: [house-version]}\n"
        "  expensive-runner: {portable: [house-lint]}\n"
        "  missing-concurrency: {deploy-names: [ship]}\n");
    assert_int_equal(check(w, "--exit-zero --no-cache ."), 0);
}

/* ---- refreshed facts ---- */

#define REFRESHED "data/wpa/facts/tags.txt"
#define ONES "1111111111111111111111111111111111111111"
#define TWOS "2222222222222222222222222222222222222222"

static const char *day_in(const world *w, int64_t days)
{
    char text[WPA_TIMESTAMP_SIZE];
    wpa_timestamp_format(wpa_now_us() + days * 86400 * INT64_C(1000000), text);
    return wpa_arena_slice(w->arena, text, strlen("YYYY-MM-DD"));
}

static void put_facts(world *w, const char *date, const char *commit)
{
    char digest[WPA_SHA256_HEX_SIZE];
    const char *rows = wpa_arena_printf(w->arena, "repo acme/deploy %s\ntag v1 %s\ntag v1.2.0 %s\n",
                                        date, commit, commit);
    put(w, REFRESHED,
        wpa_arena_printf(w->arena, "wpa.facts/1 tags\ndate %s\ndigest %s\n%s", date,
                         wpa_sha256_hex(rows, strlen(rows), digest), rows));
}

static void test_refreshed_facts_are_used(void **state)
{
    world *w = *state;
    static const char line[] = "--no-config --format json --only unpinned-uses .";
    put(w, ".github/workflows/ci.yml",
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: acme/deploy@v1\n");
    assert_int_equal(setenv("XDG_DATA_HOME", wpa_path_join(w->arena, w->folder, "data"), 1), 0);
    assert_int_equal(setenv("XDG_CACHE_HOME", wpa_path_join(w->arena, w->folder, ".git/cache"), 1),
                     0);
    assert_int_equal(check(w, line), 1);
    assert_null(strstr(w->out, "pin to the commit"));

    const char *today = day_in(w, 0);
    put_facts(w, today, ONES); /* what was kept before does not count any more */
    assert_int_equal(check(w, line), 1);
    assert_non_null(strstr(w->out, "pin to the commit of v1.2.0"));
    assert_non_null(strstr(w->out, ONES));
    assert_non_null(strstr(w->out, wpa_arena_printf(w->arena, "\"tags\": \"%s\"", today)));
    put_facts(w, today, TWOS);
    assert_int_equal(check(w, line), 1);
    assert_non_null(strstr(w->out, TWOS));
    assert_string_equal(w->err, "");

    put(w, REFRESHED, wpa_arena_printf(w->arena, "%stag v2 " ONES "\n", get(w, REFRESHED)));
    assert_int_equal(check(w, line), 1);
    assert_null(strstr(w->out, "pin to the commit"));
    assert_non_null(strstr(w->out, "tags.txt:3: its digest is not that of its content"));
    assert_non_null(strstr(w->err, "refreshed facts are ignored"));

    const char *never = day_in(w, 3);
    put_facts(w, never, ONES);
    assert_int_equal(check(w, line), 1);
    assert_null(strstr(w->out, "pin to the commit"));
    assert_non_null(
        strstr(w->err,
               wpa_arena_printf(w->arena, "tags.txt:2: the table is of %s, a day to come", never)));
    assert_int_equal(setenv("XDG_DATA_HOME", "/nonexistent", 1), 0);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_folder_is_searched),
        CASE(test_exit_codes),
        CASE(test_fixes_are_written),
        CASE(test_standard_input),
        CASE(test_a_file_in_utf16_is_told_so),
        CASE(test_configuration_is_found_and_beaten),
        CASE(test_hostile_inputs),
        CASE(test_fix_spares_read_only_files),
        CASE(test_repositories_go_together),
        CASE(test_fixes_make_files),
        CASE(test_fixes_of_a_part_are_its_own),
        CASE(test_fixes_make_nothing_through_symlinks),
        CASE(test_says_what_is_no_file),
        CASE(test_threads_change_nothing),
        CASE(test_several_formats),
        CASE(test_refreshed_facts_are_used),
        CASE(test_what_is_undecided_is_counted),
        CASE(test_entries_that_silence_nothing),
        CASE(test_reasons_are_asked_for),
        CASE(test_what_is_written_into_a_baseline_counts_no_more),
        CASE(test_gone_entries_of_a_baseline),
        CASE(test_watching_outlives_a_wrong_configuration),
        CASE(test_values_have_the_type_of_their_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
