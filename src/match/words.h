/*
 * Whether any of many words stands in a text, in one pass: a text is looked at once, however many
 * words there are, and most of its bytes begin none of them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Where the first of the words stands in text[length]; NULL if none does.
 *
 * words  [n] of at least one byte each.
 * which  receives the index of the word, of several at one place the first; may be NULL.
 */
const char *wpa_words_find(const char *text, size_t length, const char *const words[], size_t n,
                           size_t *which);
/** The same, ASCII case folded. */
const char *wpa_words_find_ci(const char *text, size_t length, const char *const words[], size_t n,
                              size_t *which);

/** Words for whoever looks for the same ones in many texts; borrowed, and not changed. */
typedef struct wpa_words {
    const char *const *words;
    size_t n;
    uint64_t firsts, seconds; /* private */
} wpa_words;

wpa_words wpa_words_of(const char *const words[], size_t n);
/** As wpa_words_find and wpa_words_find_ci. */
const char *wpa_words_seek(const wpa_words *words, const char *text, size_t length, size_t *which);
const char *wpa_words_seek_ci(const wpa_words *words, const char *text, size_t length,
                              size_t *which);
