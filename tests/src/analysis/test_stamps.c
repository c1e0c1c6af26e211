/* What files hold by how they lie on disk: only what cannot have changed unseen is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "analysis/stamps.h"

static const uint8_t digest[WPA_SHA256_SIZE] = {1, 2, 3};

static struct stat lies(time_t modified, time_t changed)
{
    struct stat status = {.st_dev = 1, .st_ino = 7, .st_size = 100};
    status.st_mtim.tv_sec = modified;
    status.st_ctim.tv_sec = changed;
    return status;
}

/** A run that reads one file, and keeps how it lay. */
static void keep(wpa_cache *cache, const struct stat *status, wpa_arena *arena)
{
    wpa_stamps *stamps = wpa_stamps_open(cache, "/r", arena);
    wpa_stamp stamp = wpa_stamp_of(status);
    wpa_stamps_note(stamps, "a.yml", &stamp, digest);
    wpa_stamps_close(stamps);
}

static bool knows(wpa_cache *cache, const char *folder, const char *path, struct stat status,
                  wpa_arena *arena)
{
    wpa_stamps *stamps = wpa_stamps_open(cache, folder, arena);
    wpa_stamp stamp = wpa_stamp_of(&status);
    uint8_t found[WPA_SHA256_SIZE] = {0};
    bool is_known = wpa_stamps_find(stamps, path, &stamp, found);
    assert_true(!is_known || memcmp(found, digest, sizeof found) == 0);
    return is_known;
}

static void test_what_lies_as_it_did_is_known(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_cache) *cache = wpa_cache_open(NULL);
    struct stat old = lies(1000, 1000), other = old;
    keep(cache, &old, arena);
    assert_true(knows(cache, "/r", "a.yml", old, arena));
    assert_false(knows(cache, "/r", "b.yml", old, arena));
    assert_false(knows(cache, "/s", "a.yml", old, arena));
    other.st_size = 101;
    assert_false(knows(cache, "/r", "a.yml", other, arena));
    other = old;
    other.st_ino = 8;
    assert_false(knows(cache, "/r", "a.yml", other, arena));
    /* Written anew, and the time of it set back. */
    assert_false(knows(cache, "/r", "a.yml", lies(1000, 2000), arena));
}

/** It may change again within the same tick of the clock. */
static void test_what_has_just_changed_is_not_kept(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_cache) *cache = wpa_cache_open(NULL);
    time_t now = time(NULL);
    struct stat fresh = lies(1000, now), ahead = lies(now + 1000, 1000);
    keep(cache, &fresh, arena);
    assert_false(knows(cache, "/r", "a.yml", fresh, arena));
    keep(cache, &ahead, arena);
    assert_false(knows(cache, "/r", "a.yml", ahead, arena));
}

/** Parts of a millisecond are the kernel's clock, which ticks a hundred times a second at least. */
static void test_fine_clocks_settle_soon(void **state)
{
    (void)state;
    static const struct {
        int64_t changed_ns, age_ns;
        bool is_settled;
    } cases[] = {
        {INT64_C(5000000123), INT64_C(90000000), false},
        {INT64_C(5000000123), INT64_C(110000000), true},
        {INT64_C(5000000000), INT64_C(110000000), false},
        {INT64_C(5001000000), INT64_C(2400000000), false},
        {INT64_C(5000000000), INT64_C(2600000000), true},
        {INT64_C(5000000123), INT64_C(-1000000000), false},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        wpa_stamp stamp = {.modified_ns = 1000, .changed_ns = cases[i].changed_ns};
        assert_int_equal(wpa_stamp_is_settled(&stamp, stamp.changed_ns + cases[i].age_ns),
                         cases[i].is_settled);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_lies_as_it_did_is_known),
        cmocka_unit_test(test_what_has_just_changed_is_not_kept),
        cmocka_unit_test(test_fine_clocks_settle_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
