/* The programs behind the linter: how each is called, and how its answer is read. */
#pragma once

#include "rules/lint.h"
#include "rules/settings.h"

/** One script on its way to a program. */
typedef struct wpa_lint_job {
    const char *key; /* wpa_lint_key */
    const uint8_t *cache_key;
    const char *dialect;
    const char *text; /* what the program reads: with the line that stands for the runner's -e */
    size_t length;
    size_t lead;                /* bytes of text in front of the script itself */
    const char *file;           /* name it gets */
    wpa_lint_comment *comments; /* [n_comments], what was read of the answer */
    size_t n_comments, capacity;
} wpa_lint_job;

typedef struct wpa_lint_program wpa_lint_program;
struct wpa_lint_program {
    const char *name; /* looked for in PATH */
    wpa_lint_tool tool;
    wpa_tool setting;
    const char *dialect;     /* of the scripts it reads */
    const char *extension;   /* of their files */
    const char *const *argv; /* in front of the file names, without the program; NULL at its end */
    /** Give jobs[n] their answers; false if the output cannot be read. */
    bool (*read)(const char *output, size_t size_bytes, wpa_lint_job *const jobs[], size_t n,
                 wpa_arena *arena);
    bool sees_more; /* of the host than programs and libraries: its runtime looks for it */
};

/** All of them; for one tool and dialect the first that is installed is asked. */
const wpa_lint_program *wpa_lint_programs(size_t *n);

/** Where a program lies; NULL if it is not there. */
const char *wpa_lint_find(const char *name, const char *path, wpa_arena *arena);
/**
 * Run argv, which calls the program, over the jobs' files: in the sandbox if there is one and the
 * program is seen from it.
 *
 * Returns   what it wrote to standard output, or NULL with *err set.
 */
const char *wpa_lint_call(const wpa_lint_program *program, const char *const argv[],
                          wpa_lint_job *const jobs[], size_t n, wpa_arena *arena,
                          size_t *size_bytes, wpa_error *err);
