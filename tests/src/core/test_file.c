/* Whole files: read by the size that is expected, and written as they are made, whole or not at
 * all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/file.h>
#include <wpa/text.h>

#define TEXT "name: ci\n"
#define LENGTH (sizeof TEXT - 1)

static const struct {
    const char *title, *name;
    size_t expected_bytes, max_bytes;
    wpa_code code;
} cases[] = {
    {"as expected", "file", LENGTH, 100, WPA_OK},
    {"nothing is known", "file", 0, 100, WPA_OK},
    {"has grown", "file", LENGTH - 1, 100, WPA_OK},
    {"has shrunk", "file", LENGTH + 1, 100, WPA_OK},
    {"just small enough", "file", LENGTH, LENGTH, WPA_OK},
    {"too large", "file", LENGTH, LENGTH - 1, WPA_E_LIMIT},
    {"has grown too large", "file", LENGTH - 1, LENGTH - 1, WPA_E_LIMIT},
    {"gone", "none", LENGTH, 100, WPA_E_NOT_FOUND},
    {"a folder now", ".", LENGTH, 100, WPA_E_INVALID},
    {"a pipe now", "pipe", LENGTH, 100, WPA_E_INVALID},
};

static void files_are_read_whole(void **state)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    char folder[] = "/tmp/wpa-file-XXXXXX";
    wpa_error err = {0};
    (void)state;
    assert_non_null(mkdtemp(folder));
    const char *file = wpa_path_join(arena, folder, "file");
    const char *pipe = wpa_path_join(arena, folder, "pipe");
    assert_true(wpa_file_replace(file, TEXT, LENGTH, 0600, &err));
    assert_int_equal(mkfifo(pipe, 0600), 0);
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        size_t size_bytes = cases[i].expected_bytes;
        err = (wpa_error){0};
        const char *text = wpa_file_read_again(wpa_path_join(arena, folder, cases[i].name),
                                               cases[i].max_bytes, arena, &size_bytes, &err);
        bool is_right = text ? size_bytes == LENGTH && strcmp(text, TEXT) == 0 : true;
        if (err.code != cases[i].code || !text != (cases[i].code != WPA_OK) || !is_right) {
            print_error("%s: %s\n", cases[i].title, text ? text : err.message);
            fail();
        }
    }
    assert_int_equal(unlink(file) | unlink(pipe) | rmdir(folder), 0);
}

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
        cmocka_unit_test(files_are_read_whole),
        cmocka_unit_test(replaces_by_what_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
