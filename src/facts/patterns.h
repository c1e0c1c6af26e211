/*
 * What words behind a program's name a row of the tables speaks of: a pattern, written in the data
 * as "run|exec *test*" and read when the tables are made.
 *
 * The words of a pattern stand for the arguments in order, options in between passed over. "a|b" is
 * one of several, "*" any characters; a word that begins with "-" may stand anywhere, one that
 * begins with "**" fits any argument.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wpa/text.h>

/** One bit of 32 for a word by its first letter. */
static inline uint32_t wpa_fact_first_bit(const char *word)
{
    return (uint32_t)1 << (*word & 31);
}

/** One of "a|b". */
typedef struct wpa_fact_choice {
    const char *text;
    uint16_t length;
    bool is_open; /* it holds a "*" */
} wpa_fact_choice;

typedef struct wpa_fact_pattern_word {
    const wpa_fact_choice *choices; /* [n] without the "**" of those that fit any argument */
    uint16_t n;
    bool is_anywhere; /* an option, or one that fits any argument */
    uint32_t firsts;  /* wpa_fact_first_bit of what fits it */
} wpa_fact_pattern_word;

/** Without words it fits any command. */
typedef struct wpa_fact_pattern {
    const wpa_fact_pattern_word *words; /* [n] */
    uint16_t n;
} wpa_fact_pattern;

/** What stands behind a program's name, with what is asked of it for each row of the program. */
typedef struct wpa_fact_words {
    const char *const *at; /* [n] borrowed; options included */
    size_t n, first;       /* index of the first argument, n: there is none */
    uint32_t first_bit;    /* wpa_fact_first_bit of it; 0 */
    uint32_t firsts;       /* of all of them */
} wpa_fact_words;

wpa_fact_words wpa_fact_words_of(const char *const words[], size_t n);
/** Private to wpa_fact_pattern_fits. */
bool wpa_fact_all_fit(const wpa_fact_pattern *pattern, const wpa_fact_words *words, size_t *behind);
/** *behind receives one more than the index of the last argument that the pattern took, or 0. */
static inline bool wpa_fact_pattern_fits(const wpa_fact_pattern *pattern,
                                         const wpa_fact_words *words, size_t *behind)
{
    /* Most rows of a program want another first word. */
    const wpa_fact_pattern_word *first = pattern->n ? pattern->words : NULL;
    uint32_t bits = first && first->is_anywhere ? words->firsts : words->first_bit;
    return !(first && !(first->firsts & bits)) && wpa_fact_all_fit(pattern, words, behind);
}
/** Does the text fit, in which "*" is any characters? */
bool wpa_fact_glob_fits(wpa_slice glob, const char *text);
