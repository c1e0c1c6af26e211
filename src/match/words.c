#include "match/words.h"

#include <stdint.h>
#include <string.h>

#include <wpa/text.h>

/* One of 64 bits for the two bytes that a word begins with, in any case of letters: of text few
 * pairs share one. Texts are short, and a whole table would take longer to make than to use. */
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

/** The words' beginnings; all if one of them is of one byte, behind which anything may stand. */
static uint64_t beginnings_of(const char *const words[], size_t n)
{
    uint64_t beginnings = 0;
    for (size_t i = 0; i < n; i++) {
        beginnings |= words[i][1] ? bit_of(words[i][0], words[i][1]) : UINT64_MAX;
    }
    return beginnings;
}

static const char *find(const char *text, size_t length, const char *const words[], size_t n,
                        size_t *which, bool is_ci)
{
    uint64_t beginnings = beginnings_of(words, n);
    for (size_t at = 0; at < length; at++) {
        bool may_begin = at + 1 == length || (beginnings & bit_of(text[at], text[at + 1]));
        size_t i = may_begin ? word_at(text + at, length - at, words, n, is_ci) : n;
        if (i < n) {
            if (which) {
                *which = i;
            }
            return text + at;
        }
    }
    return NULL;
}

const char *wpa_words_find(const char *text, size_t length, const char *const words[], size_t n,
                           size_t *which)
{
    return find(text, length, words, n, which, false);
}

const char *wpa_words_find_ci(const char *text, size_t length, const char *const words[], size_t n,
                              size_t *which)
{
    return find(text, length, words, n, which, true);
}
