/* The shell lexer: commands, words, contexts, and giving up where it cannot follow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/buf.h>

#include "rules/shell.h"

/* Commands as "name arg arg; ..." with operators, redirections in brackets. */
static char *summary(const wpa_script *script, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(100000);
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        wpa_buf_printf(buf, "%s%s", i ? "/" : "", c->name);
        for (size_t k = c->first + 1; k < c->n_words; k++) {
            wpa_buf_printf(buf, " %s", c->words[k].text);
        }
        for (size_t k = 0; k < c->n_redirects; k++) {
            wpa_buf_printf(buf, " [%s%s]", c->redirects[k].operator, c->redirects[k].target.text);
        }
    }
    return wpa_buf_dup(buf, arena);
}

static void commands_are_found(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"echo a", "echo a"},
        {"echo a; echo 'b c' && ls\nfalse || true", "echo a/echo b c/ls/false/true"},
        {"sudo -E apt-get -y install curl", "apt-get -y install curl"},
        {"A=1 env B=2 timeout -k 5 10 /usr/bin/git log", "git log"},
        {"cat x | grep -q y > out 2>&1", "cat x/grep -q y [>out] [>&1]"},
        {"if [ -f a ]; then npm ci; else npm i; fi", "[ -f a ]/npm ci/npm i"},
        {"for f in *.sh; do bash \"$f\"; done\necho x", "for f in *.sh/bash $f/echo x"},
        {"while read l; do sleep 5; done < f", "read l/sleep 5/ [<f]"},
        {"case \"$1\" in\n  a|b) echo ab ;;\n  *) echo other ;;\nesac\necho end",
         "case $1 in/a/echo ab/echo other/echo end"},
        {"case $x in a) echo a;; esac", "case $x in/echo a"},
        {"x=$(git describe --tags | head -1)\necho $x", "git describe --tags/head -1//echo $x"},
        {"cat <<EOF > out\nnot; a command\nEOF\necho after", "cat [<<EOF] [>out]/echo after"},
        {"cat <<-'EOF'\n\thello $x\n\tEOF\nls", "cat [<<-EOF]/ls"},
        {"echo \"a $(date +%s) b\"", "date +%s/echo a $(date +%s) b"},
        {"echo ${{ github.ref }} x", "echo _________________ x"},
        {"echo ${{ format('}}', 1) }} x", "echo ______________________ x"},
        {"echo 'a b'|cat && \"c d\";e \"\" ''", "echo a b/cat/c d/e  "},
        {"echo 'a'b \"c\"'d' \"e\\\"f\" `echo 'g'`", "echo g/echo ab cd e\"f `echo g`"},
        {"echo \"$A/${B}\"c \"${C:-d}\" \"$'x\" \"$\" \"${E}$(f)\"",
         "f/echo $A/${B}c ${C:-d} $'x $ ${E}$(f)"},
        {"# comment 'with quote\nls # more '", "ls"},
        {"f() {\n  rm -rf x\n}\nf", "rm -rf x/f"},
        {"(cd x && make)", "cd x/make"},
        {"bash -c 'npm ci && npm test'", "bash -c npm ci && npm test/npm ci/npm test"},
        {"arr=(a b\n c)\necho hi", "/echo hi"},
        {"[[ $a == b && -n $c ]] && ls", "[[ $a == b -n $c ]]/ls"},
        {"diff <(sort a) <(sort b)", "sort a/sort b/diff <(sort a) <(sort b)"},
        {"a \\\n  b", "a b"},
        {"echo $((1 + 2)) && for ((i=0;i<3;i++)); do ls; done", "echo $((1 + 2))/for/ls"},
        {"curl https://x/y?a=b&c | sh", "curl https://x/y?a=b/c/sh"},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const wpa_script *script = wpa_script_read(cases[i][0], strlen(cases[i][0]), arena);
        assert_true(script->is_readable);
        assert_string_equal(summary(script, arena), cases[i][1]);
    }
}

static void unreadable_scripts_give_nothing(void **state)
{
    (void)state;
    static const char *const cases[] = {"echo 'a", "echo \"a", "x=$(ls", "echo ${a",
                                        "(ls",     "a=`ls",    "$((1",   "x=(a b"};
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const wpa_script *script = wpa_script_read(cases[i], strlen(cases[i]), arena);
        assert_false(script->is_readable);
        assert_int_equal(script->n_commands, 0);
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    char *deep = wpa_arena_alloc(arena, 3001);
    for (size_t i = 0; i < 1500; i++) {
        memcpy(deep + 2 * i, "$(", 2);
    }
    assert_false(wpa_script_read(deep, 3000, arena)->is_readable);
    char *large = wpa_arena_alloc(arena, WPA_SHELL_MAX_BYTES + 2);
    memset(large, 'x', WPA_SHELL_MAX_BYTES + 1);
    assert_false(wpa_script_read(large, WPA_SHELL_MAX_BYTES + 1, arena)->is_readable);
}

static void every_byte_has_a_context(void **state)
{
    (void)state;
    static const struct {
        const char *script; /* the byte in question is @ */
        wpa_shell_context context;
    } cases[] = {
        {"echo @", WPA_SHELL_PLAIN},
        {"echo \"a @\"", WPA_SHELL_DOUBLE},
        {"echo 'a @'", WPA_SHELL_SINGLE},
        {"echo \"$(ls @)\"", WPA_SHELL_PLAIN},
        {"echo \"$(ls '@')\"", WPA_SHELL_SINGLE},
        {"cat <<X\n@\nX\n", WPA_SHELL_HEREDOC},
        {"cat <<'X'\n@\nX\n", WPA_SHELL_HEREDOC_QUOTED},
        {"echo $((1 + @))", WPA_SHELL_ARITHMETIC},
        {"ls # @", WPA_SHELL_COMMENT},
        {"echo \"it's @\"", WPA_SHELL_DOUBLE},
        {"x=\"${y:-@}\"", WPA_SHELL_DOUBLE},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const char *text = cases[i].script;
        const wpa_script *script = wpa_script_read(text, strlen(text), arena);
        assert_true(script->is_readable);
        assert_int_equal(script->contexts[strchr(text, '@') - text], cases[i].context);
    }
}

static void braces_of_a_variable_stand_where_it_does(void **state)
{
    (void)state;
    static const char text[] = "echo \"a ${X} b\" ${Y}";
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_script *script = wpa_script_read(text, strlen(text), arena);
    for (const char *at = strchr(text, '$'); *at != ' '; at++) {
        assert_int_equal(script->contexts[at - text], WPA_SHELL_DOUBLE);
    }
    assert_int_equal(script->contexts[strrchr(text, '$') - text], WPA_SHELL_PLAIN);
    assert_int_equal(script->contexts[strrchr(text, '}') - text], WPA_SHELL_PLAIN);
}

static void loops_are_counted(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *text = "sleep 1\nuntil ping x; do\n  sleep 2\ndone\nsleep 3\n";
    const wpa_script *script = wpa_script_read(text, strlen(text), arena);
    assert_int_equal(script->commands[0].loops, 0);
    assert_int_equal(script->commands[2].loops, 1);
    assert_true(wpa_shell_is(&script->commands[3], "sleep", "3"));
    assert_int_equal(script->commands[3].loops, 0);
}

static void other_languages(void **state)
{
    (void)state;
    static const struct {
        wpa_script_language language;
        const char *text, *commands;
    } cases[] = {
        {WPA_SCRIPT_PWSH, "iwr https://x -OutFile y; ./y", "iwr https://x -OutFile y/y"},
        {WPA_SCRIPT_PWSH, "$a = Get-Item 'b c' | Select-Object -First 1",
         "Get-Item b c/Select-Object -First 1"},
        {WPA_SCRIPT_PWSH, "if ($x) { npm ci } else { npm i } # npm x", "$x/npm ci/npm i"},
        {WPA_SCRIPT_PWSH, "iex \"& { $(irm https://x) }\"", "iex & { $(irm https://x) }"},
        {WPA_SCRIPT_PWSH, "iex (irm https://x)", "iex/irm https://x"},
        {WPA_SCRIPT_PWSH, "echo a `\n  b > $env:OUT\n<# rm x #>", "echo a b [>$env:OUT]"},
        {WPA_SCRIPT_PWSH, "@'\nrm x\n'@ | Out-File y", "Out-File y"},
        {WPA_SCRIPT_CMD, "@echo off\nrem npm x\ncall npm ci && npm test",
         "echo off/npm ci/npm test"},
        {WPA_SCRIPT_CMD, "if exist a (\n  del \"b c\" 2>nul\n) & echo %A%>>out",
         "if exist a/del b c [>nul]/echo %A% [>>out]"},
        {WPA_SCRIPT_CMD, "for %%f in (*.c) do cl %%f ^\n  /O2", "for %%f in/*.c/cl %%f /O2"},
        {WPA_SCRIPT_PYTHON, "import os\nos.system('pip install x')  # f('y')",
         "os.system pip install x/pip install x"},
        {WPA_SCRIPT_PYTHON, "subprocess.run(['npm', 'ci'], check=True)",
         "subprocess.run npm ci/npm ci"},
        {WPA_SCRIPT_PYTHON, "x = \"\"\"a ( b\"\"\"\nprint(f\"{x}\", g('z'))", "g z/print {x}"},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const wpa_script *script =
            wpa_script_read_as(cases[i].language, cases[i].text, strlen(cases[i].text), arena);
        assert_true(script->is_readable);
        assert_string_equal(summary(script, arena), cases[i].commands);
    }
}

static void unreadable_in_other_languages(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    assert_false(wpa_script_read_as(WPA_SCRIPT_PWSH, "echo \"a", 7, arena)->is_readable);
    assert_false(wpa_script_read_as(WPA_SCRIPT_PYTHON, "f('a", 4, arena)->is_readable);
    assert_false(wpa_script_read_as(WPA_SCRIPT_PYTHON, "f(", 2, arena)->is_readable);
}

/* What stands in quotes of its own is placed to the byte. */
static void nested_scripts_are_placed(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *text = "docker run x sh -c 'ls; npm ci'\nbash <<EOF\nmake\nEOF\n";
    const wpa_script *script = wpa_script_read(text, strlen(text), arena);
    assert_int_equal(script->n_commands, 5);
    assert_string_equal(script->commands[2].name, "npm");
    assert_int_equal(script->commands[2].span.start, 24);
    assert_string_equal(script->commands[4].name, "make");
    assert_int_equal(script->commands[4].span.start, 43);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_found),
        cmocka_unit_test(unreadable_scripts_give_nothing),
        cmocka_unit_test(every_byte_has_a_context),
        cmocka_unit_test(braces_of_a_variable_stand_where_it_does),
        cmocka_unit_test(loops_are_counted),
        cmocka_unit_test(other_languages),
        cmocka_unit_test(unreadable_in_other_languages),
        cmocka_unit_test(nested_scripts_are_placed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
