#include <ctype.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "cli/cli.h"
#include "run.h"

static void test_wrong_words_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int code;
        const char *out, *err;
    } cases[] = {
        {"wpa version", 0, "wpa 1.0.0", ""},
        {"wpa --version", 0, "wpa 1.0.0", ""},
        {"wpa --help", 0, "commands:", ""},
        {"wpa help", 0, "commands:", ""},
        {"wpa help version", 0, "usage: wpa version", ""},
        {"wpa help nonsense", 2, "", "no command 'nonsense'"},
        {"wpa help", 0, "  man rules ", ""},
        {"wpa help patch", 0, "wpa patch create", ""},
        {"wpa patch --help", 0, "wpa patch create", ""},
        {"wpa nonsense --help", 2, "", "unknown command"},
        {"wpa version --help", 0, "usage: wpa version", ""},
        {"wpa version -h", 0, "usage: wpa version", ""},
        {"wpa -v version", 0, "wpa 1.0.0", ""},
        {"wpa --db host=x version", 0, "wpa 1.0.0", ""},
        {"wpa --db=host=x version", 0, "wpa 1.0.0", ""},
        {"wpa verison", 2, "", "did you mean version?"},
        {"wpa xyzzyx", 2, "", "unknown command 'xyzzyx'"},
        {"wpa \033[31mred", 2, "", "‹1b›[31mred"},
        {"wpa version now", 2, "", "unexpected 'now'"},
        {"wpa version --verbos x", 2, "", "unexpected 'x'"},
        {"wpa version --vrebose", 2, "", "did you mean --verbose?"},
        {"wpa version --qqqqqq", 2, "", "unknown option '--qqqqqq'"},
        {"wpa version -q", 2, "", "unknown option '-q'"},
        {"wpa version -vq", 2, "", "unknown option '-vq'"},
        {"wpa version --db", 2, "", "'--db' needs a value"},
        {"wpa version --help=x", 2, "", "'--help=x' takes no value"},
        {"wpa version -- -v", 2, "", "unexpected '-v'"},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        printed result = run(cases[i].line);
        if (result.code != cases[i].code || !strstr(result.out, cases[i].out) ||
            !strstr(result.err, cases[i].err)) {
            fail_msg("%s: %d '%s' '%s'", cases[i].line, result.code, result.out, result.err);
        }
        assert_int_equal(result.err[0] == 0, cases[i].code == 0);
        forget(&result);
    }
}

static void check_option(const wpa_cli_command *command, const wpa_cli_option *option)
{
    if (!option->summary || !option->summary[0] || islower(option->summary[0]) == 0 ||
        wpa_text_ends(option->summary, ".") || (option->kind == WPA_CLI_FLAG) != !option->value) {
        fail_msg("wpa %s --%s: its row is incomplete", command->name, option->name);
    }
}

static void test_rows_have_their_words(void **state)
{
    (void)state;
    size_t n, n_common;
    const wpa_cli_command *const *commands = wpa_cli_commands(&n);
    const wpa_cli_option *common = wpa_cli_common_options(&n_common);
    for (size_t i = 0; i < n; i++) {
        const wpa_cli_command *command = commands[i];
        if (!command->summary || !command->operands || !command->run ||
            wpa_text_ends(command->summary, ".")) {
            fail_msg("wpa %s: its row is incomplete", command->name);
        }
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(command->name, commands[k]->name);
        }
        for (size_t k = 0; k < command->n_options; k++) {
            check_option(command, &command->options[k]);
            for (size_t other = 0; other < n_common; other++) {
                assert_string_not_equal(command->options[k].name, common[other].name);
            }
        }
    }
}

static bool has_escaped(const char *page, const char *before, const char *name)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    char *escaped = wpa_arena_alloc(arena, 2 * strlen(name) + 1);
    size_t used = 0;
    for (const char *c = name; *c; c++) {
        if (*c == '-') {
            escaped[used++] = '\\';
        }
        escaped[used++] = *c;
    }
    return strstr(page, wpa_arena_printf(arena, "%s%s", before, escaped)) != NULL;
}

static void test_manual_has_every_command_and_option(void **state)
{
    (void)state;
    size_t n;
    const wpa_cli_command *const *commands = wpa_cli_commands(&n);
    printed page = run("wpa man");
    assert_int_equal(page.code, 0);
    for (size_t i = 0; i < n; i++) {
        if (!has_escaped(page.out, ".SS wpa ", commands[i]->name)) {
            fail_msg("wpa %s is not in the manual", commands[i]->name);
        }
        for (size_t k = 0; k < commands[i]->n_options; k++) {
            if (!has_escaped(page.out, "\\-\\-", commands[i]->options[k].name)) {
                fail_msg("--%s is not in the manual", commands[i]->options[k].name);
            }
        }
    }
    forget(&page);
}

static void test_every_command_has_help(void **state)
{
    (void)state;
    size_t n;
    const wpa_cli_command *const *commands = wpa_cli_commands(&n);
    for (size_t i = 0; i < n; i++) {
        char line[128], usage[128];
        wpa_text_format(line, sizeof line, "wpa %s%s--help -v", commands[i]->name,
                        commands[i]->name[0] ? " " : "");
        wpa_text_format(usage, sizeof usage, "usage: wpa %s", commands[i]->name);
        printed result = run(line);
        assert_int_equal(result.code, 0);
        assert_non_null(strstr(result.out, usage));
        forget(&result);
    }
}

/* "wpa help | head": who has read enough is told nothing; a full disk is. */
static void test_a_reader_that_has_gone_is_no_mistake(void **state)
{
    (void)state;
    static const char full[] = "/dev/full";
    int ends[2];
    char line[] = "wpa man", *words[MAX_WORDS + 1], *text;
    int n = cut(line, words);
    size_t size;
    (void)signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(ends), 0);
    (void)close(ends[0]);
    for (int i = 0; i < 2; i++) {
        FILE *out = i ? fopen(full, "w") : fdopen(ends[1], "w");
        FILE *err = open_memstream(&text, &size);
        assert_non_null(out);
        assert_int_equal(wpa_cli_main(n, words, stdin, out, err), WPA_EXIT_IO);
        (void)fclose(out);
        (void)fclose(err);
        assert_string_equal(
            text, i ? "wpa: cannot write to standard output: No space left on device\n" : "");
        free(text);
    }
}

static void test_ids_may_have_their_letter(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_good;
        int64_t id;
    } cases[] = {
        {"d-17", true, 17}, {"17", true, 17}, {"p-17", false, 0}, {"d-", false, 0},
        {"d-0", false, 0},  {"", false, 0},   {"d-1x", false, 0}, {"-17", false, 0},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        wpa_error err = {0};
        int64_t id = 0;
        assert_int_equal(wpa_cli_parse_id(cases[i].text, 'd', &id, &err), cases[i].is_good);
        assert_int_equal(id, cases[i].id);
    }
}

static void test_exit_codes_follow_errors(void **state)
{
    (void)state;
    static const struct {
        wpa_code code;
        int exit;
    } cases[] = {
        {WPA_E_REFUSED, 1},     {WPA_E_DENIED, 1},     {WPA_E_INVALID, 2},  {WPA_E_CONFLICT, 3},
        {WPA_E_UNAVAILABLE, 6}, {WPA_E_LEASE_LOST, 7}, {WPA_E_TIMEOUT, 75}, {WPA_OK, 0},
        {WPA_E_NOT_FOUND, 2},   {WPA_E_INTERNAL, 70},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        assert_int_equal(wpa_cli_exit_code(cases[i].code), cases[i].exit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_words_are_named),
        cmocka_unit_test(test_rows_have_their_words),
        cmocka_unit_test(test_manual_has_every_command_and_option),
        cmocka_unit_test(test_every_command_has_help),
        cmocka_unit_test(test_a_reader_that_has_gone_is_no_mistake),
        cmocka_unit_test(test_ids_may_have_their_letter),
        cmocka_unit_test(test_exit_codes_follow_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
