/*
 * Commands as a test runs them: in this process, with what they print in memory. Included by the
 * tests of this folder alone.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define MAX_WORDS 32

typedef struct printed {
    char *out, *err;
    int code;
} printed;

static inline void forget(printed *result)
{
    free(result->out);
    free(result->err);
}

/* Words separated by single blanks; a word in 'quotes' may hold blanks. Cut in place. */
static inline int cut(char *line, char *words[MAX_WORDS + 1])
{
    int n = 0;
    for (char *at = line; at && *at && n < MAX_WORDS; n++) {
        char stop = *at == '\'' ? '\'' : ' ';
        at += stop == '\'';
        words[n] = at;
        at = strchr(at, stop);
        if (at) {
            *at++ = 0;
            at += stop == '\'' && *at == ' ';
        }
    }
    words[n] = NULL;
    return n;
}

/* input: what stands on standard input. */
static inline printed run_with(const char *line, const char *input)
{
    char *words[MAX_WORDS + 1];
    char *copy = strdup(line);
    int n = cut(copy, words);
    printed result = {0};
    size_t out_size, err_size;
    FILE *in = tmpfile();
    FILE *out = open_memstream(&result.out, &out_size);
    FILE *err = open_memstream(&result.err, &err_size);
    fputs(input, in);
    rewind(in);
    result.code = wpa_cli_main(n, words, in, out, err);
    fclose(in);
    fclose(out);
    fclose(err);
    free(copy);
    return result;
}

static inline printed run(const char *line)
{
    return run_with(line, "");
}
