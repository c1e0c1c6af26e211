#include "match/words.h"

#include <stdint.h>
#include <string.h>

#include <wpa/text.h>

/* One of 64 bits for two bytes, in any case of letters: of text few pairs share one. Texts are
 * short, and a whole table would take longer to make than to use. */
static uint64_t bit_of(char first, char second)
{
    unsigned a = (unsigned char)first | 0x20, b = (unsigned char)second | 0x20;
    return UINT64_C(1) << ((a * 5 + b) & 63);
}

/* The word that the text begins with, n if with none. */
static size_t word_at(const char *text, size_t length, const char *const words[], size_t n,
                      bool is_ci)
{
    size_t i = 0;
    for (; i < n; i++) {
        bool may_be = *text == *words[i] || (is_ci && !((*text ^ *words[i]) & ~0x20));
        size_t size = may_be ? strlen(words[i]) : 0;
        if (may_be && size <= length &&
            (is_ci ? wpa_bytes_are_ci(text, words[i], size) : memcmp(text, words[i], size) == 0)) {
            break;
        }
    }
    return i;
}

wpa_words wpa_words_of(const char *const words[], size_t n)
{
    wpa_words all = {words, n, 0, 0};
    for (size_t i = 0; i < n; i++) {
        const char *word = words[i];
        all.firsts |= word[1] ? bit_of(word[0], word[1]) : UINT64_MAX;
        all.seconds |= word[1] && word[2] ? bit_of(word[1], word[2]) : UINT64_MAX;
    }
    return all;
}

/* The first two bytes of a word and its second two have to be there: few places have both. */
static const char *seek(const wpa_words *words, const char *text, size_t length, size_t *which,
                        bool is_ci)
{
    uint64_t first = length > 1 ? bit_of(text[0], text[1]) : UINT64_MAX;
    for (size_t at = 0; at < length; at++) {
        uint64_t second = at + 2 < length ? bit_of(text[at + 1], text[at + 2]) : UINT64_MAX;
        bool may_begin = (words->firsts & first) && (words->seconds & second);
        size_t i =
            may_begin ? word_at(text + at, length - at, words->words, words->n, is_ci) : words->n;
        if (i < words->n) {
            if (which) {
                *which = i;
            }
            return text + at;
        }
        first = second;
    }
    return NULL;
}

const char *wpa_words_seek(const wpa_words *words, const char *text, size_t length, size_t *which)
{
    return seek(words, text, length, which, false);
}

const char *wpa_words_seek_ci(const wpa_words *words, const char *text, size_t length,
                              size_t *which)
{
    return seek(words, text, length, which, true);
}

const char *wpa_words_find(const char *text, size_t length, const char *const words[], size_t n,
                           size_t *which)
{
    wpa_words all = wpa_words_of(words, n);
    return seek(&all, text, length, which, false);
}

const char *wpa_words_find_ci(const char *text, size_t length, const char *const words[], size_t n,
                              size_t *which)
{
    wpa_words all = wpa_words_of(words, n);
    return seek(&all, text, length, which, true);
}
