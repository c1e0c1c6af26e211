/* What reaches the value of an expression: however deep the expression is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/flow.h"

#define MANY 20000

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
        {"not", "!", "github.head_ref", false},
        {"not with blanks", "! ", "github.head_ref", false},
        {"brackets", "(", "1", false},
        {"indexes", "a[", "1", false},
        {"calls", "format(", "1", false},
        {"not and brackets in turn", "!(", "1", false},
        {"links", "github.head_ref || ", "1", false},
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

/* Which names reach the value, and which only decide about it. */
static void reaching(void **state)
{
    (void)state;
    static const struct {
        const char *expression, *paths;
    } cases[] = {
        {"github.head_ref", "github.head_ref"},
        {"github['event'].issue.title", "github.event.issue.title"},
        {"github.event.commits[0].message", "github.event.commits.*.message"},
        {"github.event.commits.*.message", "github.event.commits.*.message"},
        {"a.b || c.d", "a.b c.d"},
        {"a.b && c.d", "c.d"},
        {"a.b == 'x' && c.d || e.f", "c.d e.f"},
        {"a.b == c.d", ""},
        {"!a.b", ""},
        {"contains(a.b, 'x')", ""},
        {"format('{0} {1}', a.b, c.d)", "a.b c.d"},
        {"join(a.*.b, ',')", "a.*.b"},
        {"fromJSON(a.b).c", "a.b"},
        {"fromJSON(a.b)[x.y]", "a.b"},
        {"(a.b || c.d).e", "a.b c.d"},
        {"case(a.b, c.d, e.f)", "c.d e.f"},
        {"toJSON(github)", "github"},
        {"hashFiles(a.b)", ""},
        {"'x'", ""},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const char *text = cases[i].expression;
        wpa_flow flow = wpa_flow_read(text, strlen(text), arena);
        const char *paths = "";
        for (size_t k = 0; k < flow.n; k++) {
            paths = wpa_arena_printf(arena, "%s%s%s", paths, k ? " " : "", flow.paths[k]);
        }
        if (!flow.is_readable || strcmp(paths, cases[i].paths) != 0) {
            fail_msg("%s: readable %d, '%s'", text, flow.is_readable, paths);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(deep), cmocka_unit_test(reaching)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
