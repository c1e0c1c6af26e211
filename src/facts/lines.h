/*
 * Tables of refreshed facts, line by line: what all of them have in common. Inside src/facts only.
 *
 *     <what it is>
 *     date <day>
 *     digest <SHA-256 of all that follows>
 *     <word> <word> ...
 */
#pragma once

#include <wpa/buf.h>

#include "auth/hash.h"
#include "facts/facts.h"

typedef struct wpa_fact_lines {
    const char *name; /* of the file, for messages */
    const char *at, *end;
    const char *today;
    size_t line;
    wpa_arena *arena;
    const char *date; /* of the table */
    char digest[WPA_SHA256_HEX_SIZE];
} wpa_fact_lines;

/** Read the head. Errors INVALID: another table, damaged, or of a day to come; LIMIT. */
bool wpa_fact_lines_open(wpa_fact_lines *lines, const char *name, const char *text,
                         size_t size_bytes, const char *first_line, const char *today,
                         wpa_arena *arena, wpa_error *err) WPA_CHECK;
/** The next line, without its break; every line has one. */
bool wpa_fact_lines_next(wpa_fact_lines *lines, wpa_slice *line, wpa_error *err) WPA_CHECK;
/** INVALID "tags.txt:3: what"; returns false. */
bool wpa_fact_lines_fail(const wpa_fact_lines *lines, wpa_error *err, const char *what);
/** The next word of a line, which goes on behind it; empty at its end. */
wpa_slice wpa_fact_lines_word(wpa_slice *line);
const char *wpa_fact_lines_keep(const wpa_fact_lines *lines, wpa_slice text);
/** NULL: the word is no day. */
const char *wpa_fact_lines_day(const wpa_fact_lines *lines, wpa_slice word);
/** 40 hexadecimal digits. */
bool wpa_fact_lines_commit(wpa_slice hex, uint8_t commit[WPA_COMMIT_BYTES]) WPA_CHECK;

/** The head, and the rows behind it. Errors LIMIT. */
bool wpa_fact_lines_print(const char *first_line, const char *date, const wpa_buf *rows,
                          wpa_buf *out, wpa_error *err) WPA_CHECK;
