/*
 * Which runs of four bytes a file holds, as a filter: most questions whether some text stands
 * anywhere in a file are answered with no by a few bits, without going through its bytes.
 */
#include <string.h>

#include "yaml/internal.h"

#define GRAM 4
#define BITS_MIN 10 /* of the size of a filter, as a power of two */
#define BITS_MAX 16

/** Letters' case folded; other bytes that differ in that bit alone are told apart by nobody. */
static uint32_t hash_at(const char *text)
{
    uint32_t gram;
    memcpy(&gram, text, GRAM);
    return (gram | 0x20202020U) * 0x9e3779b1U;
}

void wpa_yaml_index_grams(wpa_yaml_doc *doc)
{
    unsigned bits = BITS_MIN;
    while (bits < BITS_MAX && ((size_t)1 << bits) < doc->size_bytes * 4) {
        bits++;
    }
    uint8_t *grams = wpa_arena_array(doc->arena, ((size_t)1 << bits) / 8, sizeof *grams);
    for (size_t i = 0; i + GRAM <= doc->size_bytes; i++) {
        uint32_t at = hash_at(doc->source + i) >> (32 - bits);
        grams[at / 8] |= (uint8_t)(1U << at % 8);
    }
    doc->grams = grams;
    doc->gram_bits = bits;
}

bool wpa_yaml_may_hold(const wpa_yaml_doc *doc, const char *text)
{
    for (size_t length = strlen(text), i = 0; i + GRAM <= length; i++) {
        uint32_t at = hash_at(text + i) >> (32 - doc->gram_bits);
        if (!(doc->grams[at / 8] & 1U << at % 8)) {
            return false;
        }
    }
    return true;
}
