/* wpa data as a user meets it: what a mirror has is taken over, and rules go by it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "auth/hash.h"
#include "world.h"

#define ONES "1111111111111111111111111111111111111111"
#define RULES                                                                                      \
    "check --no-config --format json --only "                                                      \
    "known-vulnerable-actions,archived-uses,action-inputs ."

static const char *today(const world *w)
{
    char text[WPA_TIMESTAMP_SIZE];
    wpa_timestamp_format(wpa_now_us(), text);
    return wpa_arena_slice(w->arena, text, strlen("YYYY-MM-DD"));
}

static void set_folder(const world *w, const char *variable, const char *name)
{
    assert_int_equal(setenv(variable, wpa_path_join(w->arena, w->folder, name), 1), 0);
}

static int open_world(void **state)
{
    world *w =
        open_repository("name: CI\non: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n"
                        "      - uses: acme/deploy@v1.2.0\n        with:\n          colour: red\n");
    set_folder(w, "XDG_DATA_HOME", "data");
    set_folder(w, "XDG_CACHE_HOME", ".git/cache");
    *state = w;
    return 0;
}

static int close_world(void **state)
{
    assert_int_equal(setenv("XDG_DATA_HOME", "/nonexistent", 1), 0);
    return close_repository(*state);
}

static void put_table(world *w, const char *name, const char *kind, const char *rows)
{
    char digest[WPA_SHA256_HEX_SIZE];
    put(w, name,
        wpa_arena_printf(w->arena, "wpa.facts/1 %s\ndate %s\ndigest %s\n%s", kind, today(w),
                         wpa_sha256_hex(rows, strlen(rows), digest), rows));
}

static void put_mirror(world *w, const char *fixed)
{
    put_table(w, "mirror/tags.txt", "tags",
              wpa_arena_printf(w->arena,
                               "repo acme/deploy %s\ntag v1.2.0 " ONES "\ntag v1.3.0 " ONES "\n",
                               today(w)));
    put_table(w, "mirror/forge.txt", "forge",
              wpa_arena_printf(w->arena,
                               "advisories %s\nadvisory GHSA-9 2026-11-01 high acme/deploy It "
                               "leaks.\nrange 0 %s -\nrepo acme/deploy %s archived\n"
                               "action acme/deploy %s v1.3.0 " ONES
                               " node24\ninput color --\noutput url\n",
                               today(w), fixed, today(w), today(w)));
}

static void rules_go_by_what_was_refreshed(void **state)
{
    world *w = *state;
    assert_int_equal(run_in(w, RULES, ""), 0);
    put_mirror(w, "1.3.0");
    assert_int_equal(run_in(w, "data update --from mirror .", ""), 0);
    assert_string_equal(w->err, "");
    assert_non_null(strstr(w->out, "1 of 1 repositories refreshed"));
    assert_non_null(strstr(w->out, "data/wpa/facts/forge.txt"));
    assert_string_equal(get(w, "data/wpa/facts/forge.txt"), get(w, "mirror/forge.txt"));

    /* What was kept before counts no more. */
    assert_int_equal(run_in(w, RULES, ""), 1);
    assert_non_null(strstr(w->out, "is affected by GHSA-9: It leaks"));
    assert_non_null(strstr(w->out, "is archived and gets no fixes any more"));
    assert_non_null(strstr(w->out, "'colour'"));
    assert_non_null(strstr(w->out, wpa_arena_printf(w->arena, "\"advisories\": \"%s\"", today(w))));

    put_mirror(w, "1.1.0");
    assert_int_equal(run_in(w, "data update --from mirror --only advisories .", ""), 0);
    assert_int_equal(run_in(w, RULES, ""), 1);
    assert_non_null(strstr(w->out, "GHSA-9")); /* of the same day: no newer one */
    put(w, "data/wpa/facts/forge.txt", get(w, "mirror/forge.txt"));
    assert_int_equal(run_in(w, RULES, ""), 1);
    assert_null(strstr(w->out, "GHSA-9"));

    assert_int_equal(run_in(w, "data show --json", ""), 0);
    assert_non_null(strstr(w->out, "\"refreshed_actions\": 1"));
    assert_non_null(strstr(w->out, "\"refreshed_rows\": 1"));
    assert_int_equal(run_in(w, "data show", ""), 0);
    assert_non_null(strstr(w->out, "and 1 repositories of "));
}

/** The old table stands until a new one is whole. */
static void what_is_there_outlives_what_fails(void **state)
{
    world *w = *state;
    put_mirror(w, "1.3.0");
    assert_int_equal(run_in(w, "data update --from mirror .", ""), 0);
    const char *before = get(w, "data/wpa/facts/forge.txt");
    put(w, "mirror/forge.txt", "wpa.facts/1 forge\n");
    assert_int_equal(run_in(w, "data update --from mirror .", ""), 2);
    assert_non_null(strstr(w->err, "forge.txt"));
    assert_string_equal(get(w, "data/wpa/facts/forge.txt"), before);

    put(w, "empty/x", "");
    assert_int_equal(run_in(w, "data update --from empty --api http://127.0.0.1:1 .", ""), 6);
    assert_non_null(strstr(w->err, "nothing was refreshed"));
    assert_non_null(strstr(w->err, today(w)));
    assert_non_null(strstr(w->out, "advisories: not refreshed, they stay as of"));
    assert_string_equal(get(w, "data/wpa/facts/forge.txt"), before);
    assert_int_equal(run_in(w, RULES, ""), 1);
    assert_non_null(strstr(w->out, "GHSA-9"));

    /* A damaged one on this machine is left alone, and that is said. */
    put(w, "data/wpa/facts/forge.txt", wpa_arena_printf(w->arena, "%srepo a/b\n", before));
    assert_int_equal(run_in(w, RULES, ""), 0);
    assert_non_null(strstr(w->err, "forge.txt:3: its digest is not that of its content"));
}

/** Of two at once the later would lose what the other has learned. */
static void one_at_a_time(void **state)
{
    world *w = *state;
    put_mirror(w, "1.3.0");
    assert_int_equal(run_in(w, "data update --from mirror .", ""), 0);
    put(w, "data/wpa/facts/update.lock", "4711\n");
    int fd =
        open(wpa_path_join(w->arena, w->folder, "data/wpa/facts/update.lock"), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(run_in(w, "data update --from mirror .", ""), 3);
    assert_non_null(strstr(w->err, "another 'wpa data update' is at it, process 4711"));
    assert_int_equal(close(fd), 0);
    assert_int_equal(run_in(w, "data update --from mirror .", ""), 0);
}

static void words_that_are_wrong(void **state)
{
    world *w = *state;
    assert_int_equal(run_in(w, "data update --only tags,soup .", ""), 2);
    assert_non_null(strstr(w->err, "'soup' is no table that can be refreshed"));
    assert_int_equal(run_in(w, "data update --only , .", ""), 2);
    put(w, "token", "s3cret\n");
    assert_int_equal(
        run_in(w, "data update --only archived --api http://forge.example --token-file token .",
               ""),
        2);
    assert_non_null(strstr(w->err, "it would go in the clear"));
    assert_null(strstr(w->err, "s3cret"));
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rules_go_by_what_was_refreshed),
        CASE(what_is_there_outlives_what_fails),
        CASE(one_at_a_time),
        CASE(words_that_are_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
