/* A file that is written as it is made: whole, or the old one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/file.h>

#define LINES 20000
#define LINE_BYTES 9

static void put_lines(void *context, wpa_buf *out)
{
    (void)context;
    for (unsigned i = 0; i < LINES; i++) {
        wpa_buf_printf(out, "%08u\n", i);
    }
}

static void replaces_by_what_is_made(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    const char *folder = wpa_dir_temp("/tmp/wpa-", arena, &err);
    assert_non_null(folder);
    const char *path = wpa_path_join(arena, folder, "a");
    const size_t all_bytes = (size_t)LINES * LINE_BYTES;
    size_t size_bytes;

    assert_true(wpa_file_replace_by(path, all_bytes, 0644, put_lines, NULL, &err));
    const char *text = wpa_file_read(path, all_bytes, arena, &size_bytes, &err);
    assert_non_null(text);
    assert_int_equal(size_bytes, all_bytes);
    assert_memory_equal(text + all_bytes - LINE_BYTES, "00019999\n", LINE_BYTES);

    assert_true(wpa_file_replace(path, "old", 3, 0644, &err));
    assert_false(wpa_file_replace_by(path, all_bytes - 1, 0644, put_lines, NULL, &err));
    assert_int_equal(err.code, WPA_E_LIMIT);
    assert_non_null(strstr(err.message, "larger than 179999 bytes"));
    wpa_error_clear(&err);
    assert_string_equal(wpa_file_read(path, all_bytes, arena, &size_bytes, &err), "old");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0); /* no draft is left */

    assert_false(wpa_file_replace_by(path, all_bytes, 0644, put_lines, NULL, &err));
    assert_int_equal(err.code, WPA_E_NOT_FOUND);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(replaces_by_what_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
