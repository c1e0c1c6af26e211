#include "match/words.h"

#include <stdint.h>
#include <string.h>

#include <wpa/text.h>

/* Bytes that differ in their two highest bits alone share one: of text few do. Texts are short, and
 * a whole table would take longer to make than to use. */
static uint64_t bit_of(char c)
{
    return UINT64_C(1) << ((unsigned char)c & 63);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
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

static const char *find(const char *text, size_t length, const char *const words[], size_t n,
                        size_t *which, bool is_ci)
{
    uint64_t beginnings = 0;
    for (size_t i = 0; i < n; i++) {
        beginnings |= bit_of(*words[i]);
        beginnings |= is_ci && is_letter(*words[i]) ? bit_of((char)(*words[i] ^ 0x20)) : 0;
    }
    for (size_t at = 0; at < length; at++) {
        bool may_begin = (beginnings & bit_of(text[at])) != 0;
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
