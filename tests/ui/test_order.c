/* Lists: their order while the database is lost and when it changes under the reader, marks. */
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

/* What comes in above the screen is counted until it has been looked at. */
static void test_new_rows_above_are_counted(void **state)
{
    stage *s = *state;
    wpa_ui_resize(s->ui, 10, 80); /* five rows */
    press(s, "2");
    press(s, "j");
    wpa_scripted_add_worst(s->engine);
    step(s);
    EXPECT("1 new above   3 of 10");
    EXPECT_ORDER("payments/ci", "▸  49", "web/release", "mobile/");
    assert_false(shows(s, "new/worst"));
    wpa_scripted_add_worst(s->engine);
    step(s);
    EXPECT("2 new above   4 of 11");
    press(s, "j");
    EXPECT("2 new above   5 of 11");
    press(s, "k");
    press(s, "k");
    press(s, "k");
    EXPECT("1 new above   2 of 11");
    press(s, "g");
    EXPECT_ORDER("1 of 11", "new/worst", "new/worst", "payments/ci");
    assert_false(shows(s, "new above"));
    press(s, "G");
    assert_false(shows(s, "new above"));
    press(s, "g");
    wpa_scripted_add_worst(s->engine); /* on the first row: it stays where it is, too */
    step(s);
    EXPECT("1 new above   2 of 12");
    wpa_ui_filter_list(s->ui, WPA_LIST_WORKFLOWS, "x");
    step(s);
    assert_false(shows(s, "new above"));
}

static void test_order_waits_for_the_cursor(void **state)
{
    stage *s = *state;
    press(s, "2");
    pass_time(s, 3000);
    wpa_scripted_swap(s->engine, 0, 2);
    step(s);
    EXPECT_ORDER("mobile/", "web/release", "payments/ci");
    press(s, "j");
    wpa_scripted_swap(s->engine, 0, 5);
    wpa_scripted_rescore(s->engine, 0, 17);
    step(s);
    EXPECT("order waits");
    EXPECT_ORDER("mobile/", "web/release", "payments/ci", "infra/", "auth/", " 17", "data/");
    pass_time(s, 1000);
    press(s, "k");
    pass_time(s, 1900);
    EXPECT("order waits");
    pass_time(s, 200);
    assert_false(shows(s, "order waits"));
    press(s, "g");
    EXPECT_ORDER(" 17", "data/", "web/release", "payments/ci", "infra/", "auth/", "mobile/");
    wpa_scripted_swap(s->engine, 0, 1);
    step(s);
    EXPECT("order waits");
    press(s, "s"); /* shows it at once, and sorts by nothing else */
    assert_false(shows(s, "order waits"));
    press(s, "g");
    EXPECT_ORDER("web/release", "data/", "payments/ci");
    assert_int_equal(s->ui->lists[WPA_LIST_WORKFLOWS].sort, WPA_SORT_DEFAULT);
    press(s, "j");
    wpa_scripted_swap(s->engine, 0, 1);
    wpa_scripted_add_worst(s->engine); /* what is new does not wait */
    step(s);
    EXPECT_ORDER("order waits", "web/release", "data/");
    press(s, "g");
    EXPECT_ORDER("new/worst", "web/release", "data/", "payments/ci");
}

static void test_back_tells_what_has_changed(void **state)
{
    stage *s = *state;
    wpa_scripted_lose(s->engine, "refused");
    pass_time(s, 2000);
    wpa_scripted_restore(s->engine);
    step(s);
    EXPECT("BACK, nothing happened while away (2.0 s)");
    press(s, "2");
    pass_time(s, 3000);
    wpa_scripted_lose(s->engine, "refused");
    pass_time(s, 14000);
    wpa_scripted_rescore(s->engine, 1, 33);
    wpa_scripted_rescore(s->engine, 4, 34);
    wpa_scripted_restore(s->engine);
    step(s);
    EXPECT("BACK, 2 changes while away (14 s)   + marks rows that are other");
    EXPECT("+  33  ▾1");
    EXPECT("+  34  ▴1");
    EXPECT("   58  ▴3");
    pass_time(s, 5200);
    assert_false(shows(s, "BACK"));
    EXPECT("+  33  ▾1");
    press(s, "j");
    EXPECT("▸  33");
    press(s, "j");
    EXPECT("   33  ▾1"); /* it has been looked at */
    EXPECT("+  34");
    press(s, "3");
    press(s, "2");
    EXPECT("   34");
    wpa_scripted_lose(s->engine, "refused");
    pass_time(s, 1000);
    wpa_scripted_restore(s->engine);
    step(s);
    EXPECT("BACK, 2 changes while away (1.0 s)"); /* the harness tells them as of now */
    assert_false(shows(s, "+ marks"));
}

/* All that match are marked by what they match: loaded or not, but for those left out. */
static void test_all_that_match_are_marked(void **state)
{
    stage *s = *state;
    wpa_scripted_set_findings(s->engine, 5000);
    press(s, "3");
    press(s, "*");
    EXPECT("5,000 marked, all that match; Space leaves one out");
    EXPECT("▪ HIGH SEC-001");
    press(s, "j");
    press(s, "Space");
    pass_time(s, 9000);
    EXPECT("4,999 marked, all that match but 1");
    press(s, "i");
    EXPECT("Ignore 4,999 findings, all that there are");
    type(s, "legacy");
    press(s, "Enter");
    press(s, "Enter");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_IGNORE), 1);
    assert_int_equal(wpa_scripted_expected(s->engine), 4999);
    step(s);
    assert_false(shows(s, "▪"));
    press(s, "*");
    press(s, "p");
    EXPECT("Make one patch for 5,000 findings, all that there are?");
    press(s, "y");
    assert_int_equal(wpa_scripted_expected(s->engine), 5000);
    press(s, "3");
    press(s, "*");
    press(s, "G"); /* not loaded when it was marked */
    press(s, "k");
    EXPECT("▪ OPP");
    press(s, "*");
    assert_false(shows(s, "▪"));
    press(s, "*");
    press(s, "/");
    type(s, "sev:hihg"); /* another filter matches something else */
    EXPECT("not understood");
    press(s, "Enter");
    assert_false(shows(s, "▪"));
    press(s, "*");
    press(s, "i");
    EXPECT("not understood: sev:hihg; more would match than is meant");
    press(s, "Esc");
    assert_false(shows(s, "▪"));
    press(s, "Esc");
    press(s, "*");
    wpa_scripted_lose(s->engine, "refused");
    step(s);
    press(s, "i");
    EXPECT("nothing can be changed until it is back");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_IGNORE), 1);
}

/* What is loaded whole is marked row by row, as before; other lists have no more than that. */
static void test_all_that_are_loaded_are_marked(void **state)
{
    stage *s = *state;
    press(s, "3");
    press(s, "*");
    EXPECT("12 marked");
    press(s, "i");
    EXPECT("Ignore 12 findings");
    press(s, "Esc");
    press(s, "Space");
    EXPECT("11 marked");
    press(s, "*");
    assert_false(shows(s, "marked"));
    press(s, "Space");
    press(s, "i");
    EXPECT("Ignore f-99813");
}

#define SIGNED_IN(test) cmocka_unit_test_setup_teardown(test, open_signed_in, close_stage)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIGNED_IN(test_sort_goes_over_what_is_loaded_while_lost),
        SIGNED_IN(test_findings_and_patches_sort_while_lost),
        SIGNED_IN(test_new_rows_above_are_counted),
        SIGNED_IN(test_order_waits_for_the_cursor),
        SIGNED_IN(test_back_tells_what_has_changed),
        SIGNED_IN(test_all_that_match_are_marked),
        SIGNED_IN(test_all_that_are_loaded_are_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
