/*
 * Which runs of four bytes a file holds, as a filter: most questions whether some text stands
 * anywhere in a file are answered with no by a few bits, without going through its bytes.
 */
#include <string.h>

#include "core/room.h"
#include "yaml/internal.h"

#define BITS_MIN 10 /* of the size of a filter, as a power of two */
#define BITS_MAX 16

static void mark(wpa_yaml_grams *grams, uint32_t hash)
{
    uint32_t at = hash >> grams->shift;
    grams->bits[at / 64] |= wpa_yaml_gram_bit(at);
}

uint32_t wpa_yaml_gram_of_name(const char *name)
{
    uint32_t hash = 0x811c9dc5U;
    for (; *name; name++) {
        hash = (hash ^ (unsigned char)*name) * 0x01000193U;
    }
    return hash * 0x85ebca6bU;
}

void wpa_yaml_add_name(const wpa_yaml_doc *doc, const char *name)
{
    mark(doc->grams, wpa_yaml_gram_of_name(name));
}

/* ---- of a text ---- */

#define LANES 8
typedef uint16_t lanes __attribute__((vector_size(LANES * sizeof(uint16_t))));

/** As wpa_yaml_gram_of, of every other gram from here on; the result is of 16 bits less the shift.
 */
static lanes hashes_of(const char *text, unsigned shift)
{
    lanes low, high;
    memcpy(&low, text, sizeof low);
    memcpy(&high, text + sizeof(uint16_t), sizeof high);
    return ((low | WPA_YAML_GRAM_FOLD) * WPA_YAML_GRAM_LOW +
            (high | WPA_YAML_GRAM_FOLD) * WPA_YAML_GRAM_HIGH) >>
           shift;
}

/** Of so many grams from here on where each is in the filter. */
static inline void places_of(const char *text, unsigned shift, uint16_t at[2 * LANES])
{
    lanes even = hashes_of(text, shift - 16), odd = hashes_of(text + 1, shift - 16);
    memcpy(at, &even, sizeof even);
    memcpy(at + LANES, &odd, sizeof odd);
}

/* Bytes that so many grams are made of. */
#define PLACES_BYTES (2 * LANES + WPA_YAML_GRAM - 1)

void wpa_yaml_add_text(const wpa_yaml_doc *doc, const char *text, size_t length)
{
    wpa_yaml_grams *grams = doc->grams;
    size_t i = 0;
    for (uint16_t at[2 * LANES]; i + PLACES_BYTES <= length; i += 2 * LANES) {
        places_of(text + i, grams->shift, at);
        for (unsigned k = 0; k < 2 * LANES; k++) {
            grams->bits[at[k] / 64] |= wpa_yaml_gram_bit(at[k]);
        }
    }
    for (; i + WPA_YAML_GRAM <= length; i++) {
        mark(grams, wpa_yaml_gram_of(text + i));
    }
}

/* ---- of a whole file ---- */

/**
 * Of the places in the filter, a byte each, those that are taken become all ones. Bytes, since
 * those are written without a look at what they were, which is what takes the time with bits.
 */
static void take_all(char *places, unsigned shift, const char *text, size_t length)
{
    size_t i = 0;
    for (uint16_t at[2 * LANES]; i + PLACES_BYTES <= length; i += 2 * LANES) {
        places_of(text + i, shift, at);
#pragma GCC unroll 16
        for (unsigned k = 0; k < 2 * LANES; k++) {
            places[at[k]] = '\xff';
        }
    }
    for (; i + WPA_YAML_GRAM <= length; i++) {
        places[wpa_yaml_gram_of(text + i) >> shift] = '\xff';
    }
}

#define PACKED (4 * WPA_LANES)

static void clear(char *places, size_t n)
{
    for (char *at = places; at < places + n; at += PACKED) {
        memset(at, 0, PACKED); /* of a size that is known, so that no call is made of it */
    }
}

static void pack(uint64_t *bits, const char *places, size_t n)
{
    for (const char *at = places; at < places + n; at += PACKED) {
        *bits++ = wpa_lanes_bits_of_four(wpa_lanes_at(at), wpa_lanes_at(at + WPA_LANES),
                                         wpa_lanes_at(at + 2 * WPA_LANES),
                                         wpa_lanes_at(at + 3 * WPA_LANES));
    }
}

void wpa_yaml_index_grams(wpa_yaml_doc *doc)
{
    char places[1U << BITS_MAX];
    unsigned bits = BITS_MIN;
    while (bits < BITS_MAX && ((size_t)1 << bits) < doc->size_bytes * 4) {
        bits++;
    }
    size_t n = (size_t)1 << bits;
    clear(places, n);
    doc->grams = wpa_arena_room(doc->arena, sizeof *doc->grams + n / 8);
    doc->grams->shift = 32 - bits;
    take_all(places, doc->grams->shift, doc->source, doc->size_bytes);
    pack(doc->grams->bits, places, n);
}

bool wpa_yaml_may_hold_slice(const wpa_yaml_doc *doc, wpa_slice text)
{
    size_t n = text.length < WPA_YAML_GRAM ? 0 : text.length - WPA_YAML_GRAM + 1;
    /* The last and every other one are made of all bytes that there are. */
    bool may = n == 0 || wpa_yaml_has_gram(doc, wpa_yaml_gram_of(text.at + n - 1));
    for (size_t i = 0; may && i + 1 < n; i += 2) {
        may = wpa_yaml_has_gram(doc, wpa_yaml_gram_of(text.at + i));
    }
    return may;
}

bool wpa_yaml_may_name(const wpa_yaml_doc *doc, const char *name)
{
    return wpa_yaml_has_gram(doc, wpa_yaml_gram_of_name(name));
}
