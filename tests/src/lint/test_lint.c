/* Asking the programs that are installed: places to the byte, each script once, the cache. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/file.h>

#include "analysis/tree.h"
#include "lint/lint.h"
#include "lint/tools.h"

static const char workflow[] = "on: push\n"
                               "jobs:\n"
                               "  a:\n"
                               "    runs-on: ubuntu-latest\n"
                               "    steps:\n"
                               "      - run: echo \"é\" $FOO\n"
                               "      - run: |\n"
                               "          cd x\n"
                               "          if true; then\n"
                               "            echo y\n"
                               "      - shell: python\n"
                               "        run: |\n"
                               "          def f(:\n";

static char folder[] = "/tmp/wpa-test-lint-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread */
    return mkdtemp(folder) && setenv("XDG_CACHE_HOME", folder, 1) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    for (unsigned i = 0; i < 256; i++) {
        (void)unlink(wpa_arena_printf(arena, "%s/wpa/lint/%02x.results", folder, i));
    }
    (void)rmdir(wpa_path_join(arena, folder, "wpa/lint"));
    (void)rmdir(wpa_path_join(arena, folder, "wpa"));
    (void)unlink(wpa_path_join(arena, folder, "a.yml"));
    return rmdir(folder);
}

static wpa_arena *ask(void *context, wpa_tree_file *const files[], size_t n)
{
    wpa_lint_file asked[1];
    assert_int_equal(n, WPA_COUNT(asked));
    asked[0] = (wpa_lint_file){files[0]->source, &files[0]->settings};
    return wpa_lint_batch(context, asked, n);
}

/* The only result of a tree, whose texts would go with it. */
static wpa_result keep_result(wpa_tree *tree, const char *path, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *packed = wpa_buf_new((size_t)1 << 20);
    wpa_result result = wpa_results_at(wpa_tree_results(tree), 0, arena);
    wpa_result_pack(&result, false, packed);
    assert_true(wpa_result_unpack(wpa_buf_dup(packed, arena), wpa_buf_size(packed), path, "", arena,
                                  &result));
    return result;
}

static wpa_result check(wpa_settings *settings, wpa_arena *arena)
{
    wpa_error err = {0};
    const char *path = wpa_path_join(arena, folder, "a.yml");
    assert_true(wpa_file_replace(path, workflow, strlen(workflow), 0644, &err));
    static const wpa_input_kind kind = WPA_INPUT_WORKFLOW;
    WPA_AUTO(wpa_lint) *lint = wpa_lint_open(settings, 2, true, &err);
    assert_non_null(lint);
    const wpa_tree_options options = {
        .settings = settings, .kind = &kind, .batch = ask, .context = lint};
    WPA_AUTO(wpa_tree) *tree = wpa_tree_new(&options);
    assert_true(wpa_tree_add(tree, path, &err));
    assert_true(wpa_tree_finish(tree, &err));
    assert_int_equal(wpa_results_count(wpa_tree_results(tree)), 1);
    return keep_result(tree, path, arena);
}

static const wpa_finding *find(const wpa_result *result, const char *rule, const char *code)
{
    for (size_t i = 0; i < result->n_findings; i++) {
        const wpa_finding *finding = result->findings[i];
        if (wpa_text_is(finding->rule->id, rule) && (!code || wpa_text_is(finding->check, code))) {
            return finding;
        }
    }
    return NULL;
}

/* Skip the test unless one of these is installed. Called before anything else: it does not return
 * then. */
static void need(const char *const names[], size_t n)
{
    bool is_there = false;
    wpa_arena *arena = wpa_arena_new();
    for (size_t i = 0; i < n; i++) {
        is_there |= wpa_lint_find(names[i], NULL, arena) != NULL;
    }
    wpa_arena_free(arena);
    if (!is_there) {
        print_message("skipped: %s is not installed\n", names[0]);
        skip();
    }
}

static const char *const shellcheck[] = {"shellcheck"}, *const python[] = {"python3"},
                         *const python_linters[] = {"ruff", "pyflakes", "pyflakes3"};

static void shellcheck_is_asked(void **state)
{
    (void)state;
    need(shellcheck, WPA_COUNT(shellcheck));
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    for (int i = 0; i < 2; i++) { /* the second time out of the cache */
        wpa_settings *settings = wpa_settings_new(0, arena);
        wpa_result result = check(settings, arena);
        const wpa_finding *finding = find(&result, "shellcheck", "SC2086");
        assert_non_null(finding);
        assert_int_equal(finding->span.start.line, 6);
        assert_int_equal(finding->span.start.column, 23);
        assert_int_equal(finding->span.end.column, 27);
        assert_null(find(&result, "shellcheck", "SC2164")); /* the runner's -e minds cd */
    }
}

static void interpreters_are_asked(void **state)
{
    (void)state;
    need(python, WPA_COUNT(python));
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_result result = check(wpa_settings_new(0, arena), arena);
    size_t n = 0;
    for (size_t i = 0; i < result.n_findings; i++) {
        n += wpa_text_is(result.findings[i]->rule->id, "script-syntax");
    }
    assert_int_equal(n, 2);
}

/* ---- Python within a shell's script, and the repository's settings ---- */

static const char embedded[] = "on: push\n"
                               "jobs:\n"
                               "  a:\n"
                               "    runs-on: ubuntu-latest\n"
                               "    steps:\n"
                               "      - run: |\n"
                               "          echo $FOO\n"
                               "          python3 - <<'EOF'\n"
                               "          import os\n"
                               "          print(missing)\n"
                               "          EOF\n"
                               "      - run: python -c 'def f(:'\n"
                               "      - run: python -c \"print($FOO\"\n"
                               "      - run: python2 -c 'print 1'\n";

/* Findings of a repository with this .shellcheckrc (NULL: none). */
static wpa_result check_repository(const char *rc, wpa_arena *arena)
{
    wpa_error err = {0};
    const char *root = wpa_path_join(arena, folder, "repository");
    const char *github = wpa_path_join(arena, root, ".github");
    const char *workflows = wpa_path_join(arena, github, "workflows");
    const char *file = wpa_path_join(arena, workflows, "a.yml");
    const char *settings_file = wpa_path_join(arena, root, ".shellcheckrc");
    assert_int_equal(mkdir(root, 0700) | mkdir(github, 0700) | mkdir(workflows, 0700), 0);
    assert_true(wpa_file_replace(file, embedded, strlen(embedded), 0644, &err));
    if (rc) {
        assert_true(wpa_file_replace(settings_file, rc, strlen(rc), 0644, &err));
    }
    wpa_settings *settings = wpa_settings_new(0, arena);
    WPA_AUTO(wpa_lint) *lint = wpa_lint_open(settings, 2, true, &err);
    assert_non_null(lint);
    const wpa_tree_options options = {
        .settings = settings, .is_root = true, .batch = ask, .context = lint};
    WPA_AUTO(wpa_tree) *tree = wpa_tree_new(&options);
    assert_true(wpa_tree_add(tree, root, &err) && wpa_tree_finish(tree, &err));
    assert_int_equal(wpa_results_count(wpa_tree_results(tree)), 1);
    wpa_result result = keep_result(tree, file, arena);
    (void)unlink(settings_file);
    (void)unlink(file);
    (void)rmdir(workflows);
    (void)rmdir(github);
    (void)rmdir(root);
    return result;
}

static void shellcheckrc_is_honoured(void **state)
{
    (void)state;
    need(shellcheck, WPA_COUNT(shellcheck));
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_result result = check_repository(NULL, arena);
    assert_non_null(find(&result, "shellcheck", "SC2086"));
    assert_null(find(&result, "shellcheck", "SC2250"));
    result = check_repository("# of us\nenable=require-variable-braces\ndisable=SC2086\n"
                              "external-sources=true\n",
                              arena);
    assert_null(find(&result, "shellcheck", "SC2086"));
    result = check_repository("enable=no-such-thing\n", arena);
    const wpa_finding *finding = find(&result, "shellcheck", "SC2086");
    assert_non_null(finding);
    assert_int_equal(finding->span.start.line, 7);
    assert_int_equal(finding->span.start.column, 16);
}

static void python_in_shell_is_asked_about(void **state)
{
    (void)state;
    need(python, WPA_COUNT(python));
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_result result = check_repository(NULL, arena);
    size_t n = 0;
    for (size_t i = 0; i < result.n_findings; i++) {
        const wpa_finding *finding = result.findings[i];
        if (wpa_text_is(finding->rule->id, "script-syntax")) {
            n++;
            assert_int_equal(finding->span.start.line, 12);
            assert_int_equal(finding->span.start.column, 31);
        }
    }
    assert_int_equal(n, 1);
}

static void python_linters_are_asked(void **state)
{
    (void)state;
    need(python_linters, WPA_COUNT(python_linters));
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_result result = check_repository(NULL, arena);
    size_t n_unused = 0, n_undefined = 0;
    for (size_t i = 0; i < result.n_findings; i++) {
        const wpa_finding *finding = result.findings[i];
        if (wpa_text_is(finding->rule->id, "python-lint")) {
            n_unused += finding->span.start.line == 9 && strstr(finding->message, "unused");
            n_undefined += finding->span.start.line == 10 && strstr(finding->message, "missing") &&
                           finding->span.start.column == 17;
        }
    }
    assert_int_equal(n_unused, 1);
    assert_int_equal(n_undefined, 1);
}

static void tools_can_be_off_or_required(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_settings *settings = wpa_settings_new(0, arena);
    settings->tools[WPA_TOOL_SHELLCHECK].is_off = true;
    wpa_result result = check(settings, arena);
    assert_null(find(&result, "shellcheck", NULL));
    assert_non_null(find(&result, "script-syntax", NULL));
    for (size_t i = 0; i < WPA_TOOL_COUNT; i++) {
        settings->tools[i].is_off = true;
    }
    result = check(settings, arena);
    assert_null(find(&result, "script-syntax", NULL));
    settings->tools[WPA_TOOL_SHELLCHECK] =
        (wpa_tool_setting){.is_required = true, .path = "/nonexistent/shellcheck"};
    wpa_error err = {0};
    assert_null(wpa_lint_open(settings, 1, true, &err));
    assert_int_equal(err.code, WPA_E_INVALID);
}

/* Nothing but a ruff is there: it stands in for pyflakes, and python3 would not. */
static void what_is_required_may_be_another_of_its_kind(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_settings *settings = wpa_settings_new(0, arena);
    wpa_error err = {0};
    const char *names[] = {"python3", "ruff"};
    const char *path = wpa_arena_text(arena, getenv("PATH")); // NOLINT(concurrency-mt-unsafe)
    assert_int_equal(setenv("PATH", folder, 1), 0);           // NOLINT(concurrency-mt-unsafe)
    settings->tools[WPA_TOOL_PYFLAKES].is_required = true;
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        const char *program = wpa_path_join(arena, folder, names[i]);
        assert_true(wpa_file_replace(program, "#!/bin/sh\n", 10, 0755, &err));
        WPA_AUTO(wpa_lint) *linter = wpa_lint_open(settings, 1, false, &err);
        assert_int_equal(linter != NULL, i == 1);
        assert_true(linter || strstr(err.message, "pyflakes is required"));
        wpa_error_clear(&err);
    }
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        (void)unlink(wpa_path_join(arena, folder, names[i]));
    }
    assert_int_equal(setenv("PATH", path, 1), 0); // NOLINT(concurrency-mt-unsafe)
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shellcheck_is_asked),
        cmocka_unit_test(interpreters_are_asked),
        cmocka_unit_test(shellcheckrc_is_honoured),
        cmocka_unit_test(python_in_shell_is_asked_about),
        cmocka_unit_test(python_linters_are_asked),
        cmocka_unit_test(tools_can_be_off_or_required),
        cmocka_unit_test(what_is_required_may_be_another_of_its_kind),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
