/*
 * Which runs of four bytes a file holds, as a filter: most questions whether some text stands
 * anywhere in a file are answered with no by a few bits, without going through its bytes.
 */
#include <string.h>

#include "yaml/internal.h"

#define GRAM 4
#define BITS_MIN 10 /* of the size of a filter, as a power of two */
#define BITS_MAX 16

struct wpa_yaml_grams {
    unsigned shift; /* of a hash, so that a place in the filter is left */
    uint64_t bits[];
};

/** Letters' case folded; other bytes that differ in that bit alone are told apart by nobody. */
static uint32_t hash_of(uint32_t gram)
{
    return (gram | 0x20202020U) * 0x9e3779b1U;
}

static void mark(wpa_yaml_grams *grams, uint32_t hash)
{
    uint32_t at = hash >> grams->shift;
    grams->bits[at / 64] |= UINT64_C(1) << at % 64;
}

static bool is_marked(const wpa_yaml_grams *grams, uint32_t hash)
{
    uint32_t at = hash >> grams->shift;
    return (grams->bits[at / 64] >> at % 64 & 1) != 0;
}

static uint32_t hash_of_name(const char *name)
{
    uint32_t hash = 0x811c9dc5U;
    for (; *name; name++) {
        hash = (hash ^ (unsigned char)*name) * 0x01000193U;
    }
    return hash * 0x85ebca6bU;
}

void wpa_yaml_add_text(const wpa_yaml_doc *doc, const char *text, size_t length)
{
    wpa_yaml_grams *grams = doc->grams;
    size_t i = 0;
    for (uint64_t eight; i + sizeof eight <= length; i += sizeof eight - GRAM + 1) {
        memcpy(&eight, text + i, sizeof eight);
        for (unsigned k = 0; k <= sizeof eight - GRAM; k++) { /* five runs in eight bytes */
            mark(grams, hash_of((uint32_t)(eight >> 8 * k)));
        }
    }
    for (uint32_t gram; i + GRAM <= length; i++) {
        memcpy(&gram, text + i, sizeof gram);
        mark(grams, hash_of(gram));
    }
}

void wpa_yaml_add_name(const wpa_yaml_doc *doc, const char *name)
{
    mark(doc->grams, hash_of_name(name));
}

void wpa_yaml_index_grams(wpa_yaml_doc *doc)
{
    unsigned bits = BITS_MIN;
    while (bits < BITS_MAX && ((size_t)1 << bits) < doc->size_bytes * 4) {
        bits++;
    }
    doc->grams = wpa_arena_alloc(doc->arena, sizeof *doc->grams + ((size_t)1 << bits) / 8);
    doc->grams->shift = 32 - bits;
    wpa_yaml_add_text(doc, doc->source, doc->size_bytes);
}

bool wpa_yaml_may_hold(const wpa_yaml_doc *doc, const char *text)
{
    uint32_t gram;
    for (size_t length = strlen(text), i = 0; i + GRAM <= length; i++) {
        memcpy(&gram, text + i, sizeof gram);
        if (!is_marked(doc->grams, hash_of(gram))) {
            return false;
        }
    }
    return true;
}

bool wpa_yaml_may_name(const wpa_yaml_doc *doc, const char *name)
{
    return is_marked(doc->grams, hash_of_name(name));
}
