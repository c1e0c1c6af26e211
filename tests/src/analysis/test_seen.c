/* What a run has looked at, told again: whatever lies otherwise is noticed. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "analysis/seen.h"

typedef struct world {
    wpa_arena *arena;
    const char *folder;
} world;

static const char *at(const world *w, const char *name)
{
    return wpa_path_join(w->arena, w->folder, name);
}

static void put(const world *w, const char *name)
{
    FILE *file = fopen(at(w, name), "we");
    assert_non_null(file);
    fputs("text", file);
    assert_int_equal(fclose(file), 0);
}

static void settle(void)
{
    usleep(250 * 1000);
}

static int open_world(void **state)
{
    world *w = calloc(1, sizeof *w);
    wpa_error err = {0};
    w->arena = wpa_arena_new();
    w->folder = wpa_dir_temp("/tmp/wpa-seen", w->arena, &err);
    assert_non_null(w->folder);
    put(w, "one");
    put(w, "two");
    assert_int_equal(symlink("one", at(w, "link")), 0);
    settle();
    *state = w;
    return 0;
}

static int close_world(void **state)
{
    world *w = *state;
    wpa_error err = {0};
    assert_true(wpa_dir_remove(w->folder, &err));
    wpa_arena_free(w->arena);
    free(w);
    return 0;
}

static void see_folder(const world *w, wpa_seen *seen)
{
    wpa_seen_listing listing;
    uint8_t names[WPA_SEEN_NAMES_SIZE];
    assert_true(wpa_seen_list(w->folder, w->arena, &listing));
    wpa_seen_digest_names(&listing, names);
    wpa_seen_folder(seen, w->folder, &listing.status, names);
}

/** Everything there is to look at. */
static wpa_buf *look(const world *w)
{
    WPA_AUTO(wpa_seen) *seen = wpa_seen_new();
    wpa_buf *out = wpa_buf_new(1 << 20);
    see_folder(w, seen);
    wpa_seen_path(seen, at(w, "one"));
    wpa_seen_path(seen, at(w, "none"));
    wpa_seen_path(seen, at(w, "no/folder/here"));
    wpa_seen_path(seen, at(w, "no/folder/there"));
    wpa_seen_path(seen, "/nonexistent/a/b");
    wpa_seen_link(seen, at(w, "link"), at(w, "one"));
    assert_true(wpa_seen_write(seen, out));
    return out;
}

static bool holds(const wpa_buf *seen)
{
    return wpa_seen_holds(wpa_buf_data(seen), wpa_buf_size(seen));
}

static void test_what_lies_as_it_did_holds(void **state)
{
    world *w = *state;
    WPA_AUTO(wpa_buf) *seen = look(w);
    assert_true(holds(seen));
    put(w, "two"); /* of which nobody has looked at more than the name */
    assert_true(holds(seen));
    put(w, "three");
    assert_false(holds(seen));
    assert_int_equal(unlink(at(w, "three")), 0);
    assert_true(holds(seen)); /* the folder's time is another, and its names are what they were */
    put(w, "one");
    assert_false(holds(seen));
}

static void test_what_was_missing_is_missed(void **state)
{
    world *w = *state;
    WPA_AUTO(wpa_seen) *seen = wpa_seen_new();
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(1 << 20);
    wpa_seen_path(seen, at(w, "no/folder/here"));
    assert_true(wpa_seen_write(seen, out));
    assert_true(holds(out));
    assert_int_equal(mkdir(at(w, "no"), 0700), 0);
    assert_false(holds(out));
}

static void test_links_lead_elsewhere(void **state)
{
    world *w = *state;
    WPA_AUTO(wpa_seen) *seen = wpa_seen_new();
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(1 << 20);
    wpa_seen_link(seen, at(w, "link"), at(w, "one"));
    assert_true(wpa_seen_write(seen, out));
    assert_true(holds(out));
    assert_int_equal(unlink(at(w, "link")), 0);
    assert_false(holds(out));
    assert_int_equal(symlink("two", at(w, "link")), 0);
    assert_false(holds(out));
    assert_int_equal(rename(at(w, "one"), at(w, "two")), 0);
    assert_false(holds(out));
}

static void test_what_cannot_be_told_is_not_written(void **state)
{
    world *w = *state;
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(1 << 20);
    bool is_written = true;
    for (int i = 0; i < 1000 && is_written; i++) { /* until this machine looks soon enough */
        WPA_AUTO(wpa_seen) *fresh = wpa_seen_new();
        put(w, "fresh");
        wpa_seen_path(fresh, at(w, "fresh")); /* may change again within the same tick */
        is_written = wpa_seen_write(fresh, out);
    }
    assert_false(is_written);

    WPA_AUTO(wpa_seen) *moved = wpa_seen_new();
    wpa_seen_path(moved, at(w, "one"));
    put(w, "one");
    settle();
    wpa_seen_path(moved, at(w, "one")); /* which of both was read? */
    assert_false(wpa_seen_write(moved, out));

    WPA_AUTO(wpa_seen) *came = wpa_seen_new();
    wpa_seen_path(came, at(w, "late"));
    put(w, "late");
    settle();
    wpa_seen_path(came, at(w, "late"));
    assert_false(wpa_seen_write(came, out));

    WPA_AUTO(wpa_seen) *lost = wpa_seen_new();
    wpa_seen_lose(lost);
    assert_false(wpa_seen_write(lost, out));
    wpa_seen_path(NULL, at(w, "one"));
    wpa_seen_lose(NULL);
}

static void test_a_folder_that_has_just_changed_is_told_by_its_names(void **state)
{
    world *w = *state;
    WPA_AUTO(wpa_seen) *seen = wpa_seen_new();
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(1 << 20);
    put(w, "fresh");
    see_folder(w, seen);
    wpa_seen_path(seen, at(w, "none")); /* its folder does not speak for it */
    assert_true(wpa_seen_write(seen, out));
    assert_true(holds(out));
    put(w, "none");
    assert_false(holds(out));
}

/** Nothing that is cut short or made up holds, and nothing is read beyond it. */
static void test_broken_bytes_do_not_hold(void **state)
{
    world *w = *state;
    WPA_AUTO(wpa_buf) *seen = look(w);
    size_t n = 0;
    for (size_t size = 1; size < wpa_buf_size(seen); size++) {
        char *copy = wpa_arena_dup(w->arena, wpa_buf_data(seen), size);
        n += wpa_seen_holds(copy, size); /* whole records in front */
    }
    assert_true(n < 6);
    for (size_t i = 0; i < 12; i++) { /* of the first record's kind and sizes */
        char *copy = wpa_arena_dup(w->arena, wpa_buf_data(seen), wpa_buf_size(seen));
        copy[i] = (char)0xEE;
        assert_false(wpa_seen_holds(copy, wpa_buf_size(seen)));
    }
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_what_lies_as_it_did_holds),
        CASE(test_what_was_missing_is_missed),
        CASE(test_links_lead_elsewhere),
        CASE(test_what_cannot_be_told_is_not_written),
        CASE(test_a_folder_that_has_just_changed_is_told_by_its_names),
        CASE(test_broken_bytes_do_not_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
