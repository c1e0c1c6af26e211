/* Refreshed tables: what is read, what is refused, and what look-ups say of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "auth/hash.h"
#include "facts/refreshed.h"

#define S(text) wpa_slice_of(text)
#define A "1111111111111111111111111111111111111111"
#define B "2222222222222222222222222222222222222222"
#define TODAY "2027-01-15"
#define HEAD "wpa.facts/1 tags\ndate 2027-01-15\n"
#define REPO "repo actions/checkout 2027-01-15\n"

static const wpa_refreshed *parse(const char *head, const char *rows, wpa_arena *arena,
                                  wpa_error *err)
{
    char digest[WPA_SHA256_HEX_SIZE];
    const char *text = wpa_arena_printf(arena, "%sdigest %s\n%s", head,
                                        wpa_sha256_hex(rows, strlen(rows), digest), rows);
    return wpa_refreshed_parse("tags.txt", text, strlen(text), TODAY, arena, err);
}

static const struct {
    const char *title, *head, *rows, *message; /* NULL: it is a table */
} cases[] = {
    {"nothing in it", HEAD, "", NULL},
    {"a repository", HEAD, REPO "branch main " A "\ntag v4 " B "\ntag v4.9.0 " B " 2027-01-02\n",
     NULL},
    {"a tag and a branch of one name", HEAD, REPO "tag v4 " A "\nbranch v4 " B "\n", NULL},
    {"another schema", "wpa.facts/2 tags\ndate 2027-01-15\n", "", "tags.txt:1: this is no table"},
    {"no date", "wpa.facts/1 tags\ndate tomorrow\n", "", "tags.txt:2: there is no date"},
    {"a day that no year has", "wpa.facts/1 tags\ndate 2027-13-15\n", "", "there is no date"},
    {"a day that no month has", "wpa.facts/1 tags\ndate 2026-02-29\n", "", "there is no date"},
    {"a leap day", "wpa.facts/1 tags\ndate 2024-02-29\n", "", NULL},
    {"the last day of a year", "wpa.facts/1 tags\ndate 2026-12-31\n", "", NULL},
    {"tomorrow, which it is elsewhere", "wpa.facts/1 tags\ndate 2027-01-16\n", "", NULL},
    {"the day behind tomorrow", "wpa.facts/1 tags\ndate 2027-01-17\n", "",
     "tags.txt:2: the table is of 2027-01-17, a day to come"},
    {"a table for ever", "wpa.facts/1 tags\ndate 2999-12-31\n", "",
     "tags.txt:2: the table is of 2999-12-31, a day to come"},
    {"cut short", HEAD, REPO "tag v4 " A, "tags.txt:5: the file ends in the middle"},
    {"a line of another kind", HEAD, REPO "note x\n", "tags.txt:5: this line is none"},
    {"an empty line", HEAD, "\n", "this line is none"},
    {"a ref of no repository", HEAD, "tag v4 " A "\n", "this is no ref"},
    {"a path that leads out", HEAD, "repo ../etc 2027-01-15\n", "no repository's name"},
    {"a name with a path", HEAD, "repo a/b/c 2027-01-15\n", "no repository's name"},
    {"a name that is a folder", HEAD, "repo a/.. 2027-01-15\n", "no repository's name"},
    {"a repository of tomorrow", HEAD, "repo a/b 2027-01-16\n", "one of tomorrow"},
    {"a repository without a day", HEAD, "repo a/b\n", "has no date"},
    {"repositories out of order", HEAD, "repo b/b 2027-01-15\nrepo A/a 2027-01-15\n",
     "not in order"},
    {"a repository twice", HEAD, "repo b/b 2027-01-15\nrepo B/B 2027-01-15\n", "not in order"},
    {"refs out of order", HEAD, REPO "tag v5 " A "\ntag v4 " A "\n", "not in order"},
    {"a tag twice", HEAD, REPO "tag v4 " A "\ntag v4 " B "\n", "not in order"},
    {"a branch before its tag", HEAD, REPO "branch v4 " A "\ntag v4 " B "\n", "not in order"},
    {"a short commit", HEAD, REPO "tag v4 1234567\n", "this is no ref"},
    {"a commit that is none", HEAD, REPO "tag v4 z111111111111111111111111111111111111111\n",
     "this is no ref"},
    {"a control character", HEAD, REPO "tag v\033[2J " A "\n", "this is no ref"},
    {"a day that is none", HEAD, REPO "tag v4 " A " soon\n", "this is no ref"},
    {"a ref of a day that no month has", HEAD, REPO "tag v4 " A " 2026-11-31\n", "this is no ref"},
    {"a ref seen on the day of its repository", HEAD, REPO "tag v4 " A " 2027-01-15\n", NULL},
    {"a ref seen after the day of its repository", HEAD, REPO "tag v4 " A " 2027-01-16\n",
     "tags.txt:5: the ref was seen after the day of its repository"},
};

static void reads_and_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        print_message("%s\n", cases[i].title);
        const wpa_refreshed *table = parse(cases[i].head, cases[i].rows, arena, &err);
        assert_int_equal(cases[i].message == NULL, table != NULL);
        if (cases[i].message) {
            assert_int_equal(err.code, WPA_E_INVALID);
            assert_non_null(strstr(err.message, cases[i].message));
        }
    }
}

static void a_changed_byte_is_seen(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    const char *text = HEAD "digest "
                            "0000000000000000000000000000000000000000000000000000000000000000\n";
    assert_null(wpa_refreshed_parse("tags.txt", text, strlen(text), TODAY, arena, &err));
    assert_non_null(strstr(err.message, "tags.txt:3: its digest is not that of its content"));
}

static const char rows[] = "repo acme/deploy 2027-01-15\n"
                           "tag v1 " A "\n"
                           "tag v1.0.0 " B " 2027-01-10\n"
                           "tag v1.1.0 " A " 2027-01-15\n"
                           "tag v1.2.0-rc.1 " B "\n"
                           "repo Actions/Checkout 2027-01-15\n"
                           "branch main " B "\n"
                           "tag v4 " A "\n"
                           "tag v4.99.0 " A " 2027-01-12\n"
                           "repo docker/login-action 2026-01-15\n"
                           "tag v1 " A "\n";

static void look_ups_prefer_what_is_newer(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    wpa_fact_ref ref;
    wpa_fact_use use;
    const wpa_refreshed *table = parse(HEAD, rows, arena, &err);
    assert_non_null(table);
    assert_null(wpa_facts_repo_find(S("acme/deploy")));
    assert_string_equal(wpa_facts_digest(), "");
    wpa_facts_use_resolve(S("actions/checkout"), S("v4"), S(""), &use); /* not for later */
    assert_true(wpa_refreshed_use(table));
    assert_int_equal(strlen(wpa_facts_digest()), 64);
    assert_string_equal(wpa_facts_date(WPA_FACTS_TAGS), "2027-01-15");

    /* One that the tables do not have, with a path behind it. */
    const wpa_fact_repo *repo = wpa_facts_repo_find(S("Acme/Deploy/sub"));
    assert_non_null(repo);
    assert_string_equal(wpa_facts_repo_name(repo), "acme/deploy");
    assert_string_equal(wpa_facts_repo_date(repo), "2027-01-15");
    assert_int_equal(wpa_facts_repo_ref_count(repo), 4);
    assert_true(wpa_facts_ref_find(repo, S("v1.0.0"), &ref));
    assert_int_equal(ref.commit[0], 0x22);
    assert_false(wpa_facts_ref_find(repo, S("v1.0"), &ref));
    assert_string_equal(wpa_refreshed_seen(repo, S("v1.1.0")), "2027-01-15");
    assert_null(wpa_refreshed_seen(repo, S("v1")));
    wpa_facts_use_resolve(S("acme/deploy"), S(A), S(""), &use);
    assert_true(use.has_version && use.version.parts[1] == 1);

    /* One that they have: its refs are the new ones, what its action.yml says stays. */
    wpa_facts_use_resolve(S("actions/checkout"), S("v4"), S(""), &use);
    assert_int_equal(use.commit[0], 0x11);
    assert_int_equal(use.version.parts[1], 99);
    assert_true(use.has_major && use.major.n_inputs > 5);
    assert_string_equal(use.major.newest, "v4.99.0");
    assert_string_equal(use.major.newest_date, "2027-01-12");
    assert_string_not_equal(use.major.metadata, "v4.99.0");
    assert_false(wpa_facts_ref_find(use.repo, S("v4.2.2"), &ref));

    /* One that was refreshed before the program was built. */
    repo = wpa_facts_repo_find(S("docker/login-action"));
    assert_true(wpa_facts_repo_ref_count(repo) > 10);

    assert_true(wpa_refreshed_use(NULL));
    assert_null(wpa_facts_repo_find(S("acme/deploy")));
    wpa_facts_use_resolve(S("actions/checkout"), S("v4"), S(""), &use);
    assert_string_equal(use.major.newest, use.major.metadata);
}

static void an_old_table_is_not_used(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    const wpa_refreshed *table =
        parse("wpa.facts/1 tags\ndate 2026-01-15\n", "repo a/b 2026-01-15\n", arena, &err);
    assert_non_null(table);
    assert_false(wpa_refreshed_use(table));
    assert_null(wpa_refreshed_in_use());
    assert_null(wpa_facts_repo_find(S("a/b")));
}

static void what_is_printed_can_be_read(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(4096);
    wpa_error err = {0};
    wpa_refreshed_ref refs[] = {
        {"v2", NULL, {2}, true}, {"v2", NULL, {1}, false}, {"v1.0.0", "2027-01-02", {3}, false}};
    wpa_refreshed_repo repos[] = {{"z/z", "2027-01-15", NULL, 0}, {"B/b", "2027-01-02", refs, 3}};
    assert_true(wpa_refreshed_print("2027-01-15", repos, 2, out, &err));
    const wpa_refreshed *table =
        wpa_refreshed_parse("t", wpa_buf_data(out), wpa_buf_size(out), TODAY, arena, &err);
    assert_non_null(table);
    assert_int_equal(wpa_refreshed_repo_count(table), 2);
    assert_int_equal(wpa_refreshed_ref_count(table), 3);
    wpa_fact_ref ref;
    const wpa_fact_repo *repo = wpa_refreshed_repo_find(table, S("b/B"));
    assert_true(wpa_facts_ref_find(repo, S("v2"), &ref));
    assert_int_equal(ref.kind, WPA_FACT_TAG);
    assert_string_equal(wpa_refreshed_seen(repo, S("v1.0.0")), "2027-01-02");

    WPA_AUTO(wpa_buf) *small = wpa_buf_new(64);
    assert_false(wpa_refreshed_print("2027-01-15", repos, 2, small, &err));
    assert_int_equal(err.code, WPA_E_LIMIT);
}

static void old_tables_are_named(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    assert_null(wpa_facts_age_note("2026-11-26", arena));
    assert_null(wpa_facts_age_note("2027-02-20", arena)); /* 90 days of those of 2026-11-22 */
    const char *note = wpa_facts_age_note("2027-02-21", arena);
    assert_non_null(note);
    assert_non_null(strstr(note, "tags of 2026-11-22"));
    assert_non_null(strstr(note, "wpa data update"));
    assert_null(strstr(note, "2026-11-26"));

    wpa_error err = {0};
    assert_true(wpa_refreshed_use(parse(HEAD, rows, arena, &err)));
    note = wpa_facts_age_note("2027-02-21", arena);
    assert_non_null(note);
    assert_null(strstr(note, "tags of"));
    assert_true(wpa_refreshed_use(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_refuses),
        cmocka_unit_test(a_changed_byte_is_seen),
        cmocka_unit_test(look_ups_prefer_what_is_newer),
        cmocka_unit_test(an_old_table_is_not_used),
        cmocka_unit_test(what_is_printed_can_be_read),
        cmocka_unit_test(old_tables_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
