/* Files that change together: all, or none of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/file.h>
#include <wpa/file_set.h>
#include <wpa/text.h>

typedef struct world {
    wpa_arena *arena;
    const char *folder;
} world;

static void put(const world *w, const char *name, const char *text)
{
    wpa_error err = {0};
    const char *path = wpa_path_join(w->arena, w->folder, name);
    char *folder = wpa_arena_text(w->arena, path);
    *strrchr(folder, '/') = '\0';
    assert_true(wpa_dir_make(folder, 0755, &err));
    assert_true(wpa_file_replace(path, text, strlen(text), 0640, &err));
}

static const char *get(const world *w, const char *name)
{
    wpa_error err = {0};
    size_t size;
    const char *text =
        wpa_file_read(wpa_path_join(w->arena, w->folder, name), 4096, w->arena, &size, &err);
    return text ? text : "(none)";
}

static const char *in_folder(const world *w, const char *name)
{
    return wpa_path_join(w->arena, w->folder, name);
}

static int open_world(void **state)
{
    wpa_error err = {0};
    world *w = calloc(1, sizeof *w);
    w->arena = wpa_arena_new();
    w->folder = wpa_dir_temp("/tmp/wpa-set", w->arena, &err);
    put(w, "a.yml", "a\n");
    put(w, "sub/b.yml", "b\n");
    put(w, "outside/c", "c\n");
    *state = w;
    return 0;
}

static int close_world(void **state)
{
    wpa_error err = {0};
    world *w = *state;
    assert_true(wpa_dir_remove(w->folder, &err));
    wpa_arena_free(w->arena);
    free(w);
    return 0;
}

static wpa_file_write change(const char *path, const char *before, const char *after)
{
    return (wpa_file_write){path, before, before ? strlen(before) : 0, after, strlen(after)};
}

static void test_all_are_written(void **state)
{
    const world *w = *state;
    wpa_error err = {0};
    struct stat status;
    const wpa_file_write writes[] = {
        change("a.yml", "a\n", "A\n"),
        change("deep/er/new.sh", NULL, "#!\n"),
        change("sub/b.yml", "b\n", "B\n"),
    };
    assert_true(wpa_files_write(w->folder, writes, WPA_COUNT(writes), w->arena, &err));
    assert_string_equal(get(w, "a.yml"), "A\n");
    assert_string_equal(get(w, "sub/b.yml"), "B\n");
    assert_string_equal(get(w, "deep/er/new.sh"), "#!\n");
    assert_int_equal(stat(in_folder(w, "a.yml"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
}

/* In each the last one cannot be written; those before it are as they were, no draft is left. */
static void test_none_is_written(void **state)
{
    const world *w = *state;
    put(w, "locked", "l\n");
    put(w, "there", "t\n");
    assert_int_equal(chmod(in_folder(w, "locked"), 0444), 0);
    assert_int_equal(symlink("a.yml", in_folder(w, "link")), 0);
    assert_int_equal(symlink("outside", in_folder(w, "linked")), 0);
    assert_int_equal(symlink("nowhere", in_folder(w, "dangling")), 0);
    const struct {
        const char *title;
        wpa_file_write last;
        wpa_code code;
    } cases[] = {
        {"changed meanwhile", change("sub/b.yml", "x\n", "B\n"), WPA_E_CONFLICT},
        {"grown meanwhile", change("sub/b.yml", "b", "B\n"), WPA_E_CONFLICT},
        {"gone", change("gone", "g\n", "G\n"), WPA_E_CONFLICT},
        {"there already", change("there", NULL, "T\n"), WPA_E_CONFLICT},
        {"a link that leads nowhere is there", change("dangling", NULL, "D\n"), WPA_E_CONFLICT},
        {"symlink", change("link", "a\n", "A\n"), WPA_E_REFUSED},
        {"behind a symlink", change("linked/c", "c\n", "C\n"), WPA_E_REFUSED},
        {"new behind a symlink", change("linked/d", NULL, "D\n"), WPA_E_REFUSED},
        {"new behind a file", change("there/d", NULL, "D\n"), WPA_E_REFUSED},
        {"read-only", change("locked", "l\n", "L\n"), WPA_E_REFUSED},
        {"out of the folder", change("../escaped", NULL, "E\n"), WPA_E_REFUSED},
        {"absolute", change("/tmp/wpa-escaped", NULL, "E\n"), WPA_E_REFUSED},
        {"git's own", change(".git/hooks/x", NULL, "E\n"), WPA_E_REFUSED},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        wpa_error err = {0};
        const wpa_file_write writes[] = {change("a.yml", "a\n", "A\n"),
                                         change("made/new", NULL, "N\n"), cases[i].last};
        bool is_written = wpa_files_write(w->folder, writes, WPA_COUNT(writes), w->arena, &err);
        if (is_written || err.code != cases[i].code) {
            print_error("%s: %s\n", cases[i].title, err.message);
        }
        assert_false(is_written);
        assert_int_equal(err.code, cases[i].code);
        assert_string_equal(get(w, "a.yml"), "a\n");
        assert_string_equal(get(w, "sub/b.yml"), "b\n");
        assert_string_equal(get(w, "outside/c"), "c\n");
        assert_string_equal(get(w, "there"), "t\n");
        assert_false(wpa_path_exists(in_folder(w, "made")));
        assert_false(wpa_path_exists(in_folder(w, "outside/d")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all_are_written, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_none_is_written, open_world, close_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
