/* What is called sound is what the shells themselves read without complaint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/arena.h>
#include <wpa/text.h>

#include "lint/grammar.h"

/* Read by both shells; sound is what wpa is sure of. */
static const struct {
    const char *text;
    bool is_sound, is_sound_for_sh;
} scripts[] = {
    {"", true, true},
    {"echo a b # c\n\n  true; false &\nwait", true, true},
    {"a=1 b=\"$(date +%s)\" make -j \"$(nproc)\" </dev/null >out 2>&1 || exit 1", true, true},
    {"if a; then b; elif c | d; then e; else f; fi > x", true, true},
    {"for f in *.c \"$a\"; do\n  echo $f\ndone\nwhile ! ping; do sleep 1; done", true, true},
    {"case $x in\n  a | \"b c\") one ;;\n  (d) two;;\n  *) three\nesac", true, true},
    {"f() {\n  cd x && (make; make install)\n}\nf", true, true},
    {"cat <<'EOF' > a\nif then ' \"\nEOF\necho", true, true},
    {"cat <<-EOF\n\ta b\n\tEOF", true, true},
    {"cat <<EOF | tee x\n`if`\nEOF\n", true, false}, /* dash reads what it expands */
    {"x=${a:-b} y=\"${b#c}\" z=${#d} $((1 + (2 * $e))) $$ $? $#", true, true},
    {"a=(one \"two\" # three\n  $(four))\nlocal -a b=(x)\na+=(y)", true, false},
    {"[[ -f a && ! ( $b == c* || $d =~ ^v([0-9]+)$ ) ]] && ((i++))", true, false},
    {"for ((i = 0; i < $n; i++)); do echo ${a[i]} \"${b[@]}\" ${c//x/y}; done", true, false},
    {"diff <(a) <(b) <<< \"$c\" &> d", true, false},
    {"function f {\n  time x |& y\n}", true, false},
    {"echo `a \"b\"`", true, false},
    {"do-it() {\n  a[\"$b\"]=$((\"$c\" + 1))\n}", true, false},
    {"echo \"it's $'x'\"", true, true},
    /* What no shell reads. */
    {"echo 'a", false, false},
    {"echo \"a $(b\"", false, false},
    {"if a; then b", false, false},
    {"if a; then fi", false, false},
    {"for x in a; b; done", false, false},
    {"a && || b", false, false},
    {"a ; ; b", false, false},
    {"a | | b", false, false},
    {"echo (a)", false, false},
    {"{ a }", false, false},
    {"a )", false, false},
    {"case x in a) b;; ", false, false},
    {"echo ${a", false, false},
    {"echo $((1 + 2)", false, false},
    {"f() {", false, false},
    {"do x; done", false, false},
    {"fi", false, false},
    {"a | ! b", false, false},
    {"cat <<EOF\nx", false, false},
    {"x=$$(pwd)", false, false},
};

/** Does the shell read it from its standard input, and say nothing? */
static bool is_read_by(const char *shell, const char *text)
{
    char command[128];
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    rewind(file);
    (void)snprintf(command, sizeof command, "test -z \"$(%s -n 2>&1 <&%d)\"", shell, fileno(file));
    int status = system(command);
    (void)fclose(file);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void test_scripts_that_are_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(scripts); i++) {
        if (wpa_shell_is_sound(scripts[i].text, true) != scripts[i].is_sound ||
            wpa_shell_is_sound(scripts[i].text, false) != scripts[i].is_sound_for_sh) {
            fail_msg("%s", scripts[i].text);
        }
    }
}

/** Each of them, and each with one of its characters left out. */
static void test_shells_agree(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    for (size_t i = 0; i < WPA_COUNT(scripts); i++) {
        size_t length = strlen(scripts[i].text);
        for (size_t hole = 0; hole <= length; hole++) {
            char *text = wpa_arena_text(arena, scripts[i].text);
            memmove(text + hole, text + hole + (hole < length), length - hole);
            if (wpa_shell_is_sound(text, true) && !is_read_by("bash", text)) {
                fail_msg("bash refuses: %s", text);
            }
            if (wpa_shell_is_sound(text, false) && !is_read_by("sh", text)) {
                fail_msg("sh refuses: %s", text);
            }
        }
    }
}

static void test_depth_has_an_end(void **state)
{
    (void)state;
    enum {
        N = 100000
    };
    static char text[2 * N + 1];
    for (size_t i = 0; i < N; i++) {
        text[2 * i] = '$';
        text[2 * i + 1] = '(';
    }
    assert_false(wpa_shell_is_sound(text, true));
    memset(text, '(', 2 * N);
    assert_false(wpa_shell_is_sound(text, false));
    for (size_t i = 0; i < N; i++) {
        text[2 * i] = '$';
        text[2 * i + 1] = '{';
    }
    assert_false(wpa_shell_is_sound(text, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts_that_are_sound),
        cmocka_unit_test(test_shells_agree),
        cmocka_unit_test(test_depth_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
