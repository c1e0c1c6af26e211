/*
 * A repository in a folder of its own, in which commands run; it is the working folder until it is
 * closed. Included by the tests of this folder alone.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/file.h>

#include "run.h"

typedef struct world {
    wpa_arena *arena;
    const char *folder;
    char before[4096]; /* the working folder */
    char *out, *err;   /* what the last command has printed */
} world;

/** Write a file, with the folders that it lies in. */
static inline void put(world *w, const char *name, const char *text)
{
    wpa_error err = {0};
    const char *path = wpa_path_join(w->arena, w->folder, name);
    char *folder = wpa_arena_text(w->arena, path);
    *strrchr(folder, '/') = '\0';
    assert_true(wpa_dir_make(folder, 0755, &err));
    assert_true(wpa_file_replace(path, text, strlen(text), 0640, &err));
}

/** NULL: there is none. */
static inline const char *get(world *w, const char *name)
{
    wpa_error err = {0};
    size_t size;
    return wpa_file_read(wpa_path_join(w->arena, w->folder, name), 1 << 20, w->arena, &size, &err);
}

/** With one workflow, ci.yml. */
static inline world *open_repository(const char *workflow)
{
    world *w = calloc(1, sizeof *w);
    wpa_error err = {0};
    w->arena = wpa_arena_new();
    w->folder = wpa_dir_temp("/tmp/wpa-cli", w->arena, &err);
    assert_non_null(getcwd(w->before, sizeof w->before));
    put(w, ".git/HEAD", "ref: refs/heads/main\n");
    put(w, ".github/workflows/ci.yml", workflow);
    assert_int_equal(chdir(w->folder), 0);
    return w;
}

static inline int close_repository(world *w)
{
    wpa_error err = {0};
    assert_int_equal(chdir(w->before), 0);
    assert_true(wpa_dir_remove(w->folder, &err));
    wpa_arena_free(w->arena);
    free(w->out);
    free(w->err);
    free(w);
    return 0;
}

/** The words of the line behind "wpa"; its exit code. */
static inline int run_in(world *w, const char *line, const char *input)
{
    printed result = run_with(wpa_arena_printf(w->arena, "wpa %s", line), input);
    free(w->out);
    free(w->err);
    w->out = result.out;
    w->err = result.err;
    return result.code;
}
