/* Folders for one piece of work, and what is left of those whose process was killed. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/file.h>

#include "core/scratch.h"

static const char *make(const char *parent, const char *name, bool is_old, wpa_arena *arena)
{
    wpa_error err = {0};
    const char *path = wpa_path_join(arena, parent, name);
    const struct timespec long_ago[] = {{1700000000, 0}, {1700000000, 0}};
    assert_true(wpa_dir_make(path, 0700, &err));
    assert_true(wpa_file_replace(wpa_path_join(arena, path, "a"), "a", 1, 0600, &err));
    if (is_old) {
        assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
    }
    return path;
}

static void what_is_left_is_removed(void **state)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    const char *parent = wpa_dir_temp("/tmp/wpa-scratch", arena, &err);
    (void)state;
    assert_non_null(parent);
    const char *left = make(parent, "test-aaaaaa", true, arena);
    const char *held = make(parent, "test-bbbbbb", true, arena);
    const char *young = make(parent, "test-cccccc", false, arena);
    const char *longer = make(parent, "test-dddddd.git", true, arena);
    const char *other = make(parent, "other-aaaaaa", true, arena);
    const int fd = open(held, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);

    wpa_scratch scratch = {0};
    assert_true(wpa_scratch_open(&scratch, parent, "test", arena, &err));
    assert_true(wpa_path_is_dir(scratch.path));
    assert_false(wpa_path_exists(left));
    assert_true(wpa_path_exists(held) && wpa_path_exists(young));
    assert_true(wpa_path_exists(longer) && wpa_path_exists(other));

    const char *path = scratch.path;
    assert_true(wpa_file_replace(wpa_path_join(arena, path, "a"), "a", 1, 0600, &err));
    wpa_scratch_close(&scratch);
    assert_false(wpa_path_exists(path));
    wpa_scratch_close(&scratch); /* twice is once */
    close(fd);
    assert_true(wpa_dir_remove(parent, &err));
}

static void a_folder_needs_its_parent(void **state)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    wpa_scratch scratch = {0};
    (void)state;
    assert_false(wpa_scratch_open(&scratch, "/nonexistent", "test", arena, &err));
    assert_int_equal(err.code, WPA_E_NOT_FOUND);
    wpa_scratch_close(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_is_removed),
        cmocka_unit_test(a_folder_needs_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
