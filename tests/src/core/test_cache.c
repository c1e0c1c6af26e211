/* Results kept between runs: found again, bounded, and no worse than nothing once they are broken.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "core/cache.h"

/* All keys begin alike: it is one shard. */
#define BIG_BYTES ((size_t)100 * 1000)
#define A_RUN 12 /* entries; a shard has room for some twenty */

static const uint8_t *key_of(int i)
{
    static uint8_t key[WPA_CACHE_KEY_SIZE];
    memset(key, 0, sizeof key);
    key[1] = (uint8_t)i;
    key[2] = (uint8_t)(i >> 8);
    return key;
}

static bool has(wpa_cache *cache, int i)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    size_t size_bytes;
    const uint8_t *bytes = wpa_cache_find(cache, key_of(i), arena, &size_bytes);
    assert_true(!bytes || (size_bytes == BIG_BYTES && bytes[0] == i && bytes[BIG_BYTES - 1] == i));
    return bytes != NULL;
}

/** A run that asks for the first n, and puts others. */
static void put_beside(const char *folder, int n, int from, int to)
{
    static uint8_t bytes[BIG_BYTES];
    WPA_AUTO(wpa_cache) *cache = wpa_cache_open(folder);
    for (int i = 0; i < n; i++) {
        assert_true(has(cache, i));
    }
    for (int i = from; i < to; i++) {
        memset(bytes, i, sizeof bytes);
        wpa_cache_put(cache, key_of(i), bytes, sizeof bytes);
    }
}

static void put(const char *folder, int from, int to)
{
    put_beside(folder, 0, from, to);
}

static int count(const char *folder, int from, int to)
{
    WPA_AUTO(wpa_cache) *cache = wpa_cache_open(folder);
    int n = 0;
    for (int i = from; i < to; i++) {
        n += has(cache, i);
    }
    return n;
}

static const char *make_folder(wpa_arena *arena)
{
    wpa_error err = {0};
    const char *folder = wpa_dir_temp("/tmp/wpa-cache", arena, &err);
    assert_non_null(folder);
    return folder;
}

static void remove_folder(const char *folder)
{
    wpa_error err = {0};
    assert_true(wpa_dir_remove(folder, &err));
}

static void test_what_was_put_is_found_by_the_next(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *folder = make_folder(arena);
    put(folder, 0, 3);
    put(folder, 3, 5);
    assert_int_equal(count(folder, 0, 5), 5);
    assert_int_equal(count(folder, 5, 9), 0);
    remove_folder(folder);
}

/** Of a full shard the oldest go, and what runs ask for is never old. */
static void test_what_is_asked_for_stays_in_a_full_cache(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *folder = make_folder(arena);
    put(folder, 0, 3);
    for (int run = 1; run <= 10; run++) {
        put_beside(folder, 3, run * A_RUN, (run + 1) * A_RUN);
    }
    assert_int_equal(count(folder, 0, 3), 3);
    assert_int_equal(count(folder, 10 * A_RUN, 11 * A_RUN), A_RUN);
    assert_true(count(folder, 0, 11 * A_RUN) < 2 * A_RUN);
    remove_folder(folder);
}

static void test_broken_files_are_as_good_as_none(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *folder = make_folder(arena);
    const char *file = wpa_path_join(arena, folder, "00.results");
    put(folder, 0, 2);
    int fd = open(file, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    off_t end = lseek(fd, 0, SEEK_END);
    assert_int_equal(pwrite(fd, "broken", 6, end - 64), 6); /* within the second's bytes */
    assert_int_equal(count(folder, 0, 2), 1);
    put(folder, 2, 3); /* its sum goes along */
    assert_int_equal(count(folder, 0, 3), 2);
    const uint64_t absurd = UINT64_MAX / 2;
    assert_int_equal(pwrite(fd, &absurd, sizeof absurd, 8), sizeof absurd);
    (void)close(fd);
    fd = open(file, O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, &absurd, sizeof absurd, 8), sizeof absurd);
    assert_int_equal(count(folder, 0, 3), 0);
    assert_int_equal(ftruncate(fd, 100), 0);
    (void)close(fd);
    assert_int_equal(count(folder, 0, 3), 0);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_put_is_found_by_the_next),
        cmocka_unit_test(test_what_is_asked_for_stays_in_a_full_cache),
        cmocka_unit_test(test_broken_files_are_as_good_as_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
