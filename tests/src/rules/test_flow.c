/* What reaches the value of an expression: however deep the expression is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/flow.h"

#define MANY 200000

static char *repeat(wpa_arena *arena, const char *part, const char *tail)
{
    size_t length = strlen(part);
    char *text = wpa_arena_alloc(arena, MANY * length + strlen(tail) + 1);
    for (size_t i = 0; i < MANY; i++) {
        memcpy(text + i * length, part, length);
    }
    memcpy(text + MANY * length, tail, strlen(tail) + 1);
    return text;
}

/* An expression of any depth costs neither the stack nor the program. */
static void deep(void **state)
{
    (void)state;
    static const struct {
        const char *title, *part, *tail;
        bool is_readable;
    } cases[] = {
        {"not", "!", "github.head_ref", true},
        {"not with blanks", "! ", "github.head_ref", true},
        {"brackets", "(", "1", false},
        {"indexes", "a[", "1", false},
        {"calls", "format(", "1", false},
        {"not and brackets in turn", "!(", "1", false},
        {"links", "github.head_ref || ", "1", true},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const char *text = repeat(arena, cases[i].part, cases[i].tail);
        wpa_flow flow = wpa_flow_read(text, strlen(text), arena);
        if (flow.is_readable != cases[i].is_readable || flow.n > WPA_FLOW_MAX_PATHS) {
            fail_msg("%s: readable %d, %zu paths", cases[i].title, flow.is_readable, flow.n);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(deep)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
