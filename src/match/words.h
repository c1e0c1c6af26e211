/*
 * Whether any of many words stands in a text, in one pass: a text is looked at once, however many
 * words there are, and most of its bytes begin none of them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

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
