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
    (void)unlink(wpa_path_join(arena, folder, "wpa/lint-1"));
    (void)rmdir(wpa_path_join(arena, folder, "wpa"));
    (void)unlink(wpa_path_join(arena, folder, "a.yml"));
    return rmdir(folder);
}

static void ask(void *context, wpa_tree_file *const files[], size_t n)
{
    wpa_lint_batch(context, files, n);
}

static wpa_result check(wpa_settings *settings, wpa_arena *arena)
{
    wpa_error err = {0};
    const char *path = wpa_path_join(arena, folder, "a.yml");
    assert_true(wpa_file_replace(path, workflow, strlen(workflow), 0644, &err));
    static const wpa_input_kind kind = WPA_INPUT_WORKFLOW;
    WPA_AUTO(wpa_lint) *lint = wpa_lint_open(settings, 2, &err);
    assert_non_null(lint);
    const wpa_tree_options options = {
        .settings = settings, .kind = &kind, .batch = ask, .context = lint};
    WPA_AUTO(wpa_tree) *tree = wpa_tree_new(&options);
    assert_true(wpa_tree_add(tree, path, &err));
    assert_true(wpa_tree_finish(tree, &err));
    assert_int_equal(wpa_results_count(wpa_tree_results(tree)), 1);
    /* Its texts go with the tree: a copy stays. */
    WPA_AUTO(wpa_buf) *packed = wpa_buf_new((size_t)1 << 20);
    wpa_result result = wpa_results_at(wpa_tree_results(tree), 0, arena);
    wpa_result_pack(&result, false, packed);
    assert_true(wpa_result_unpack(wpa_buf_dup(packed, arena), wpa_buf_size(packed), path, "", arena,
                                  &result));
    return result;
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

static void need(const char *program, wpa_arena *arena)
{
    if (!wpa_lint_find(program, NULL, arena)) {
        print_message("%s is not installed\n", program);
        skip();
    }
}

static void shellcheck_is_asked(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    need("shellcheck", arena);
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
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    need("python3", arena);
    wpa_result result = check(wpa_settings_new(0, arena), arena);
    size_t n = 0;
    for (size_t i = 0; i < result.n_findings; i++) {
        n += wpa_text_is(result.findings[i]->rule->id, "script-syntax");
    }
    assert_int_equal(n, 2);
}

static void tools_can_be_off_or_required(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_settings *settings = wpa_settings_new(0, arena);
    settings->tools[WPA_TOOL_SHELLCHECK].is_off = true;
    wpa_result result = check(settings, arena);
    assert_null(find(&result, "shellcheck", NULL));
    settings->tools[WPA_TOOL_SHELLCHECK] =
        (wpa_tool_setting){.is_required = true, .path = "/nonexistent/shellcheck"};
    wpa_error err = {0};
    assert_null(wpa_lint_open(settings, 1, &err));
    assert_int_equal(err.code, WPA_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shellcheck_is_asked),
        cmocka_unit_test(interpreters_are_asked),
        cmocka_unit_test(tools_can_be_off_or_required),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
