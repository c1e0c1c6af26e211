/* What a forge has told: what is read, what is refused, and what look-ups say of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "auth/hash.h"
#include "facts/told.h"

#define S(text) wpa_slice_of(text)
#define A "1111111111111111111111111111111111111111"
#define B "2222222222222222222222222222222222222222"
#define TODAY "2027-01-15"
#define HEAD "wpa.facts/1 forge\ndate 2027-01-15\n"
#define ASKED "advisories 2027-01-15\n"
#define ADVISORY ASKED "advisory GHSA-1 2027-01-02 high acme/deploy It leaks\n"
#define ACTION "action acme/deploy 2027-01-15 v1.2.0 " A " node24\n"

static const wpa_told *parse(const char *head, const char *rows, wpa_arena *arena, wpa_error *err)
{
    char digest[WPA_SHA256_HEX_SIZE];
    const char *text = wpa_arena_printf(arena, "%sdigest %s\n%s", head,
                                        wpa_sha256_hex(rows, strlen(rows), digest), rows);
    return wpa_told_parse("forge.txt", text, strlen(text), TODAY, arena, err);
}

static const struct {
    const char *title, *rows, *message; /* NULL: it is a table */
} cases[] = {
    {"nothing in it", "", NULL},
    {"advisories of a day on which there were none", ASKED, NULL},
    {"an advisory", ADVISORY "range 0 1.2.3 -\nrange 2.0.0 - 2.1.0\nrange 3 - -\n", NULL},
    {"two of one action", ADVISORY "advisory GHSA-2 2027-01-02 low acme/deploy/sub x\n", NULL},
    {"one that is withdrawn", ASKED "withdrawn GHSA-1\nwithdrawn GHSA-2\n", NULL},
    {"repositories",
     "repo a/a 2027-01-15 active\nrepo b/b 2027-01-14 archived\nrepo c/c 2027-01-15 moved d/d\n",
     NULL},
    {"an action",
     ACTION "image Dockerfile\ninput token rd\ninput old -- it is not read\noutput url\n"
            "uses actions/cache@v4\n",
     NULL},
    {"actions that differ in the case of a path",
     "action a/b/C 2027-01-15 v1.0.0 " A " docker\n"
     "action a/b/c 2027-01-15 v1.0.0 " A " docker\n",
     NULL},
    {"a line of another kind", "note x\n", "forge.txt:4: this line is none"},
    {"an empty line", "\n", "this line is none"},
    {"cut short", ADVISORY "range 0", "forge.txt:6: the file ends in the middle"},
    {"an advisory, though nobody asked", "advisory GHSA-1 2027-01-02 high acme/deploy x\n",
     "this is no advisory"},
    {"asked twice", ASKED ASKED, "advisories have no date, two"},
    {"asked tomorrow", "advisories 2027-01-16\n", "advisories have no date, two"},
    {"an advisory of tomorrow", ASKED "advisory GHSA-1 2027-01-16 high acme/deploy x\n",
     "one of tomorrow"},
    {"a severity that is none", ASKED "advisory GHSA-1 2027-01-02 huge acme/deploy x\n",
     "this is no advisory"},
    {"an id with more in it", ASKED "advisory GHSA-1;x 2027-01-02 high acme/deploy x\n",
     "this is no advisory"},
    {"an action that leads out", ASKED "advisory GHSA-1 2027-01-02 high acme/deploy/../x y\n",
     "this is no advisory"},
    {"a control character", ASKED "advisory GHSA-1 2027-01-02 high acme/deploy \033[2J\n",
     "this is no advisory"},
    {"text that runs backwards", ASKED "advisory GHSA-1 2027-01-02 high acme/deploy \xe2\x80\xae\n",
     "this is no advisory"},
    {"bad UTF-8", ASKED "advisory GHSA-1 2027-01-02 high acme/deploy \xff\n",
     "this is no advisory"},
    {"an advisory twice", ADVISORY "advisory GHSA-1 2027-01-02 high Acme/Deploy x\n",
     "not in order"},
    {"a range of no advisory", ASKED "range 0 1.2.3 -\n", "this is no range"},
    {"a range of no versions", ADVISORY "range 0 soon -\n", "this is no range"},
    {"a range without a beginning", ADVISORY "range - 1.2.3 -\n", "this is no range"},
    {"a range with two ends", ADVISORY "range 0 1.2.3 1.2.3\n", "this is no range"},
    {"withdrawn twice", ASKED "withdrawn GHSA-1\nwithdrawn GHSA-1\n", "out of order"},
    {"advisories behind repositories", "repo a/a 2027-01-15 active\n" ASKED, "not in order"},
    {"a repository twice", "repo a/a 2027-01-15 active\nrepo A/A 2027-01-15 active\n",
     "not in order"},
    {"a repository that is something else", "repo a/a 2027-01-15 lost\n", "no repository"},
    {"a repository that has moved nowhere", "repo a/a 2027-01-15 moved \n", "no repository"},
    {"a repository that has moved out", "repo a/a 2027-01-15 moved ../b\n", "no repository"},
    {"an active one with a target", "repo a/a 2027-01-15 active b/b\n", "no repository"},
    {"a repository of tomorrow", "repo a/a 2027-01-16 active\n", "no repository"},
    {"an action at no release", "action a/b 2027-01-15 v1 " A " node24\n", "no action"},
    {"an action at no commit", "action a/b 2027-01-15 v1.0.0 1234 node24\n", "no action"},
    {"an action that runs on nothing", "action a/b 2027-01-15 v1.0.0 " A "\n", "no action"},
    {"actions out of order", ACTION "action acme/a 2027-01-15 v1.0.0 " A " node24\n",
     "not in order"},
    {"an input of no action", "input token rd\n", "no input"},
    {"an input without marks", ACTION "input token\n", "no input"},
    {"an output of no action", "output url\n", "output of no action"},
    {"two images", ACTION "image a\nimage b\n", "no image"},
};

static void reads_and_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        print_message("%s\n", cases[i].title);
        const wpa_told *told = parse(HEAD, cases[i].rows, arena, &err);
        if (cases[i].message) {
            assert_null(told);
            assert_int_equal(err.code, WPA_E_INVALID);
            assert_non_null(strstr(err.message, cases[i].message));
            continue;
        }
        if (!told) {
            fail_msg("%s", err.message);
        }
        /* What was read is printed as it was. */
        WPA_AUTO(wpa_buf) *out = wpa_buf_new(4096);
        wpa_told copy = *told;
        assert_true(wpa_told_print(&copy, out, &err));
        assert_non_null(strstr(wpa_buf_data(out), cases[i].rows));
        WPA_AUTO(wpa_buf) *small = wpa_buf_new(64);
        assert_false(wpa_told_print(&copy, small, &err));
        assert_int_equal(err.code, WPA_E_LIMIT);
    }
}

static void heads_are_those_of_refreshed_tables(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    assert_null(parse("wpa.facts/1 tags\ndate 2027-01-15\n", "", arena, &err));
    assert_null(parse("wpa.facts/1 forge\ndate 2999-12-31\n", "", arena, &err));
    assert_non_null(strstr(err.message, "a day to come"));
    static const char damaged[] = HEAD "digest 00\n";
    assert_null(wpa_told_parse("f", damaged, strlen(damaged), TODAY, arena, &err));
    assert_non_null(strstr(err.message, "its digest is not that of its content"));
}

/* ---- look-ups ---- */

static void use(const char *rows, wpa_arena *arena)
{
    wpa_error err = {0};
    const wpa_told *told = parse(HEAD, rows, arena, &err);
    if (!told) {
        fail_msg("%s", err.message);
    }
    wpa_told_use(told, arena);
}

static wpa_fact_affected worst_of(const char *slug, const char *ref)
{
    wpa_fact_affected worst = WPA_AFFECTED_NO;
    wpa_fact_use resolved;
    wpa_facts_use_resolve(S(slug), S(ref), (wpa_slice){"", 0}, &resolved);
    for (size_t i = wpa_facts_advisory_of(S(slug), 0); i < wpa_facts_advisory_count();
         i = wpa_facts_advisory_of(S(slug), i + 1)) {
        wpa_fact_affected one =
            wpa_facts_advisory_affects(wpa_facts_advisory_at(i), S(slug), S(ref), &resolved);
        worst = one > worst ? one : worst;
    }
    return worst;
}

static void advisories_are_joined(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const size_t n = wpa_facts_advisory_count();
    const char *day = wpa_facts_date(WPA_FACTS_ADVISORIES);
    assert_int_equal(worst_of("acme/deploy", "v1.2.0"), WPA_AFFECTED_NO);
    assert_int_equal(worst_of("hashicorp/vault-action", "v2.1.0"), WPA_AFFECTED_YES);
    assert_string_equal(wpa_facts_digest(), "");

    use(ASKED "advisory GHSA-9 2027-01-02 high Acme/Deploy It leaks\nrange 1.0.0 1.2.3 -\n"
              "advisory GHSA-8 2027-01-02 low acme/deploy/sub It leaks too\nrange 0 - 2.0.0\n"
              "advisory GHSA-4mgv-m5cm-f9h7 2022-05-24 high hashicorp/vault-action Other words\n"
              "range 0 2.0.0 -\n",
        arena);
    assert_int_equal(wpa_facts_advisory_count(), n + 2);
    assert_string_equal(wpa_facts_date(WPA_FACTS_ADVISORIES), TODAY);
    assert_int_equal(strlen(wpa_facts_digest()), 64);
    assert_int_equal(worst_of("acme/deploy", "v1.2.0"), WPA_AFFECTED_YES);
    assert_int_equal(worst_of("acme/deploy", "v1.2.3"), WPA_AFFECTED_NO);
    assert_int_equal(worst_of("acme/deploy/sub", "v1.9.0"), WPA_AFFECTED_YES);
    assert_int_equal(worst_of("acme/deploy/sub", "v2.0.1"), WPA_AFFECTED_NO);
    /* What is known already gets its newer versions, and keeps the words that people have found. */
    assert_int_equal(worst_of("hashicorp/vault-action", "v2.1.0"), WPA_AFFECTED_NO);
    const wpa_fact_advisory *vault =
        wpa_facts_advisory_at(wpa_facts_advisory_of(S("hashicorp/vault-action"), 0));
    assert_string_equal(vault->kind, "secret-leak");
    assert_string_not_equal(vault->summary, "Other words");
    /* One that nobody told of stays. */
    assert_int_equal(worst_of("check-spelling/check-spelling", "v0.0.1"), WPA_AFFECTED_YES);

    char before[WPA_SHA256_HEX_SIZE];
    assert_true(wpa_text_copy(before, sizeof before, wpa_facts_digest()));
    use(ASKED "advisory GHSA-9 2027-01-02 high acme/deploy It leaks\n"
              "withdrawn GHSA-4mgv-m5cm-f9h7\n",
        arena);
    assert_string_not_equal(wpa_facts_digest(), before);
    assert_int_equal(worst_of("hashicorp/vault-action", "v2.1.0"), WPA_AFFECTED_NO);
    assert_int_equal(wpa_facts_advisory_count(), n);

    wpa_told_use(NULL, NULL);
    assert_int_equal(wpa_facts_advisory_count(), n);
    assert_string_equal(wpa_facts_date(WPA_FACTS_ADVISORIES), day);
    assert_int_equal(worst_of("hashicorp/vault-action", "v2.1.0"), WPA_AFFECTED_YES);
}

/** Nothing that a forge says makes a commit sound that is known to carry an attack. */
static void malicious_commits_stay(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_fact_advisory *bad = NULL;
    for (size_t i = 0; i < wpa_facts_advisory_count() && !bad; i++) {
        bad = wpa_facts_advisory_at(i)->bad_commits[0] ? wpa_facts_advisory_at(i) : NULL;
    }
    assert_non_null(bad);
    assert_int_equal(worst_of(bad->action, bad->bad_commits[0]), WPA_AFFECTED_MALICIOUS);
    use(wpa_arena_printf(arena, ASKED "advisory GHSA-9 2027-01-02 low a/b x\nwithdrawn %s\n",
                         bad->id),
        arena);
    assert_int_equal(worst_of(bad->action, bad->bad_commits[0]), WPA_AFFECTED_MALICIOUS);
    wpa_told_use(NULL, NULL);
}

static void an_old_answer_does_not_count(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const size_t n = wpa_facts_advisory_count();
    use("advisories 2026-01-15\nadvisory GHSA-9 2026-01-02 high acme/deploy x\nrange 0 - -\n"
        "repo 8398a7/action-slack 2026-01-15 active\nrepo acme/deploy 2026-01-15 archived\n",
        arena);
    assert_int_equal(wpa_facts_advisory_count(), n);
    assert_non_null(wpa_facts_archived_find(S("8398a7/action-slack")));
    assert_null(wpa_facts_archived_find(S("acme/deploy")));
    assert_string_equal(wpa_facts_date(WPA_FACTS_ARCHIVED),
                        wpa_facts_compiled_date(WPA_FACTS_ARCHIVED));
    wpa_told_use(NULL, NULL);
}

static void repositories_are_as_told(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    assert_string_equal(wpa_facts_archived_find(S("8398a7/action-slack"))->status, "archived");
    use("repo 8398a7/action-slack 2027-01-15 active\nrepo Acme/Deploy 2027-01-15 archived\n"
        "repo acme/old 2027-01-15 moved acme/new\nrepo actions-rs/cargo 2027-01-15 archived\n"
        "repo github/super-linter 2027-01-15 active\n",
        arena);
    assert_null(wpa_facts_archived_find(S("8398a7/action-slack"))); /* it is no more */
    const wpa_fact_archived *archived = wpa_facts_archived_find(S("acme/deploy/sub"));
    assert_string_equal(archived->status, "archived");
    assert_null(archived->successors[0]);
    archived = wpa_facts_archived_find(S("acme/old"));
    assert_string_equal(archived->status, "moved");
    assert_string_equal(archived->successors[0], "acme/new");
    /* What to take in its place, and what its owner says of it, the forge does not know. */
    assert_non_null(wpa_facts_archived_find(S("actions-rs/cargo"))->successors[0]);
    assert_string_equal(wpa_facts_archived_find(S("github/super-linter"))->status, "moved");
    assert_string_equal(wpa_facts_date(WPA_FACTS_ARCHIVED), TODAY);
    wpa_told_use(NULL, NULL);
    assert_null(wpa_facts_archived_find(S("acme/old")));
}

static void actions_are_as_their_newest_file_says(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_fact_use resolved;
    wpa_fact_input input;
    wpa_fact_ref latest;
    const char *date;
    wpa_facts_use_resolve(S("actions/checkout"), S("v4"), (wpa_slice){"", 0}, &resolved);
    const size_t n = wpa_facts_major_count(resolved.action);
    const int newest = wpa_facts_major_at(resolved.action, 0).number;
    use(wpa_arena_printf(arena,
                         "action acme/deploy 2027-01-15 v2.1.0 " A " composite\n"
                         "input token r- it is not read\ninput url -d\noutput place\n"
                         "uses actions/cache@v4\n"
                         "action actions/cache 2027-01-15 v4.0.0 " B " node12\n"
                         "action actions/checkout 2027-01-15 v%d.0.0 " B " node99\ninput all -d\n"
                         "action actions/setup-node 2027-01-15 v4.999.0 " B " node24\n"
                         "input brand-new --\n",
                         newest + 1),
        arena);
    /* A major that the tables do not have comes first. */
    const wpa_fact_action *checkout = wpa_facts_action_find(S("Actions/Checkout"));
    assert_int_equal(wpa_facts_major_count(checkout), n + 1);
    wpa_fact_major major = wpa_facts_major_at(checkout, 0);
    assert_int_equal(major.number, newest + 1);
    assert_string_equal(major.using, "node99");
    assert_int_equal(major.n_inputs, 1);
    assert_true(wpa_facts_input_find(&major, S("ALL"), &input));
    major = wpa_facts_major_at(checkout, 1);
    assert_int_equal(major.number, newest);
    assert_true(major.n_inputs > 5);
    assert_true(wpa_facts_major_find(checkout, newest, &major));
    assert_int_equal(major.number, newest);
    assert_true(wpa_facts_major_find(checkout, newest + 1, &major));
    assert_false(wpa_facts_major_find(checkout, newest + 2, &major));
    for (size_t i = 1; i < n + 1; i++) {
        assert_true(wpa_facts_major_at(checkout, i).number <
                    wpa_facts_major_at(checkout, i - 1).number);
    }

    /* A newer release of one that they have; an older one says nothing new. */
    assert_true(wpa_facts_major_find(wpa_facts_action_find(S("actions/setup-node")), 4, &major));
    assert_string_equal(major.metadata, "v4.999.0");
    assert_true(wpa_facts_input_find(&major, S("brand-new"), &input));
    assert_true(wpa_facts_major_find(wpa_facts_action_find(S("actions/cache")), 4, &major));
    assert_string_not_equal(major.using, "node12");

    /* One that they do not know at all. */
    const wpa_fact_action *deploy = wpa_facts_action_find(S("acme/deploy"));
    assert_non_null(deploy);
    assert_string_equal(wpa_facts_action_name(deploy), "acme/deploy");
    assert_int_equal(wpa_facts_major_count(deploy), 1);
    assert_true(wpa_facts_action_latest(deploy, &latest, &date));
    assert_string_equal(latest.name, "v2.1.0");
    assert_null(wpa_facts_action_find(S("acme/deploy/sub")));
    wpa_facts_use_resolve(S("acme/deploy"), S("v2.1.0"), (wpa_slice){"", 0}, &resolved);
    assert_true(resolved.has_major);
    assert_true(wpa_facts_input_find(&resolved.major, S("token"), &input));
    assert_true(input.is_required && !input.has_default);
    assert_string_equal(input.deprecated, "it is not read");
    assert_true(wpa_facts_output_has(&resolved.major, S("place")));
    assert_string_equal(wpa_facts_used_at(&resolved.major, 0), "actions/cache@v4");
    wpa_facts_use_resolve(S("acme/deploy"), S("v1.0.0"), (wpa_slice){"", 0}, &resolved);
    assert_false(resolved.has_major);
    wpa_told_use(NULL, NULL);
    assert_null(wpa_facts_action_find(S("acme/deploy")));
}

static void texts_fit_in_a_line(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    assert_string_equal(wpa_told_text("two\nlines \t", arena), "two lines");
    assert_null(strchr(wpa_told_text("\033[2J", arena), '\033'));
    char text[2 * WPA_TOLD_MAX_TEXT + 1];
    for (size_t i = 0; i + 2 < sizeof text; i += 2) {
        memcpy(text + i, "\xc3\xa4", 2);
    }
    text[sizeof text - 1] = '\0';
    memmove(text + 1, text, sizeof text - 2);
    text[0] = 'x';
    text[sizeof text - 2] = 'x';
    const char *cut = wpa_told_text(text, arena);
    assert_true(strlen(cut) <= WPA_TOLD_MAX_TEXT);
    assert_true(wpa_utf8_is_valid(cut, strlen(cut)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_refuses),
        cmocka_unit_test(heads_are_those_of_refreshed_tables),
        cmocka_unit_test(advisories_are_joined),
        cmocka_unit_test(malicious_commits_stay),
        cmocka_unit_test(an_old_answer_does_not_count),
        cmocka_unit_test(repositories_are_as_told),
        cmocka_unit_test(actions_are_as_their_newest_file_says),
        cmocka_unit_test(texts_fit_in_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
