/* The order of lists: while the database is lost, and when it changes under the reader. */
#include "ui/stage.h"

/* Rows from top to bottom as far as one word of each tells. */
static void expect_order(stage *s, const char *const words[], size_t n, int line)
{
    const char *at = screen(s);
    for (size_t i = 0; i < n; i++) {
        const char *next = strstr(at, words[i]);
        if (!next) {
            (void)fprintf(stderr, "line %d: '%s' is not behind '%s' on\n%s", line, words[i],
                          i ? words[i - 1] : "the start", screen(s));
            fail();
        }
        at = next;
    }
}
#define EXPECT_ORDER(...)                                                                          \
    expect_order(s, (const char *const[]){__VA_ARGS__},                                            \
                 sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), __LINE__)

static void test_sort_goes_over_what_is_loaded_while_lost(void **state)
{
    stage *s = *state;
    press(s, "2");
    press(s, "j");
    EXPECT_ORDER("payments/ci", "web/release", "mobile/", "infra/", "auth/", "data/");
    wpa_scripted_set_slow(s->engine, true);
    wpa_scripted_lose(s->engine, "refused");
    step(s);
    press(s, "s");
    EXPECT("9 of 9 of 9 loaded   sort name"); /* the selected row is the last one by name */
    EXPECT_ORDER("auth/", "billing/", "data/", "docs/", "infra/", "mobile/", "payments/", "web/");
    press(s, "S");
    EXPECT("1 of 9 of 9 loaded   sort name turned");
    EXPECT_ORDER("web/", "search/", "payments/", "mobile/", "infra/", "docs/", "data/", "auth/");
    press(s, "s");
    EXPECT("sort findings turned");
    EXPECT_ORDER("docs/", "billing/", "search/", "auth/", "infra/", "mobile/", "web/", "payments/");
    press(s, "/");
    type(s, "score<60");
    press(s, "Enter");
    EXPECT("of 3 of 9 loaded   sort findings turned");
    EXPECT_ORDER("mobile/", "web/", "payments/");
    press(s, "Esc");
    press(s, "s");
    press(s, "s");
    press(s, "S");
    EXPECT_ORDER("payments/ci", "web/release", "mobile/", "infra/", "auth/", "data/");
    press(s, "3");
    EXPECT("Not loaded before the database was lost");
    press(s, "s");
    press(s, "S");
    press(s, "5");
    press(s, "s");
    EXPECT("this list has one order");
    wpa_scripted_set_slow(s->engine, false);
    wpa_scripted_restore(s->engine);
    press(s, "2");
    step(s);
    assert_false(shows(s, "loaded"));
    EXPECT("3 of 9");
}

static void test_findings_and_patches_sort_while_lost(void **state)
{
    stage *s = *state;
    press(s, "4");
    press(s, "3");
    wpa_scripted_set_slow(s->engine, true);
    wpa_scripted_lose(s->engine, "refused");
    step(s);
    press(s, "S");
    press(s, "g");
    EXPECT("12 of 12 loaded   turned");
    EXPECT_ORDER("OPP", "MED", "HIGH");
    press(s, "s");
    press(s, "S");
    EXPECT("12 loaded   sort age");
    press(s, "g");
    EXPECT_ORDER(":48", ":49", ":50", ":51");
    press(s, "s");
    EXPECT("sort name");
    press(s, "g");
    EXPECT_ORDER("data/backfill", "docs/pages", "payments/ci");
    press(s, "s");
    press(s, "g");
    EXPECT("1 of 12 of 12 loaded   sort state"); /* in patch before open */
    EXPECT_ORDER("▸ CRIT", "HIGH");
}

#define SIGNED_IN(test) cmocka_unit_test_setup_teardown(test, open_signed_in, close_stage)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIGNED_IN(test_sort_goes_over_what_is_loaded_while_lost),
        SIGNED_IN(test_findings_and_patches_sort_while_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
