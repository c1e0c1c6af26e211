/*
 * Which runs of four bytes a file holds, as a filter: most questions whether some text stands
 * anywhere in a file are answered with no by a few bits, without going through its bytes.
 */
#include <endian.h>
#include <string.h>

#include "core/room.h"
#include "yaml/internal.h"

#define GRAM 4
#define BITS_MIN 10 /* of the size of a filter, as a power of two */
#define BITS_MAX 16

struct wpa_yaml_grams {
    unsigned shift; /* of a hash, so that a place in the filter is left */
    uint64_t bits[];
};

/* Odd, so that no bit of a gram is lost. */
#define LOW_FACTOR 0x9e37U
#define HIGH_FACTOR 0x79b5U
#define FOLD 0x2020U

/**
 * Letters' case folded; other bytes that differ in that bit alone are told apart by nobody. Two
 * products of 16 bits, since that many are made at once of as many bytes as fit a register. The
 * upper bits are those that depend on all of the gram.
 */
static uint32_t hash_of(const char *gram)
{
    uint16_t low, high;
    memcpy(&low, gram, sizeof low);
    memcpy(&high, gram + sizeof low, sizeof high);
    uint32_t hash = (low | FOLD) * LOW_FACTOR + (high | FOLD) * HIGH_FACTOR;
    return (hash & 0xffff) << 16;
}

/* Of the 64 places of a word the first eight are the lowest bits of its eight bytes, the next their
   second bits: so packing a whole file's takes a shift for eight of them. */
static uint64_t bit_of(uint32_t at)
{
    return UINT64_C(1) << (at * 8 + at / 8 % 8) % 64;
}

static void mark(wpa_yaml_grams *grams, uint32_t hash)
{
    uint32_t at = hash >> grams->shift;
    grams->bits[at / 64] |= bit_of(at);
}

static bool is_marked(const wpa_yaml_grams *grams, uint32_t hash)
{
    uint32_t at = hash >> grams->shift;
    return (grams->bits[at / 64] & bit_of(at)) != 0;
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
    for (size_t i = 0; i + GRAM <= length; i++) {
        mark(doc->grams, hash_of(text + i));
    }
}

void wpa_yaml_add_name(const wpa_yaml_doc *doc, const char *name)
{
    mark(doc->grams, hash_of_name(name));
}

/* ---- of a whole file ---- */

#define LANES 8
typedef uint16_t lanes __attribute__((vector_size(LANES * sizeof(uint16_t))));

/** As hash_of, of every other gram from here on; the result is of 16 bits less the shift. */
static lanes hashes_of(const char *text, unsigned shift)
{
    lanes low, high;
    memcpy(&low, text, sizeof low);
    memcpy(&high, text + sizeof(uint16_t), sizeof high);
    return ((low | FOLD) * LOW_FACTOR + (high | FOLD) * HIGH_FACTOR) >> shift;
}

/** One byte a bit of the filter: setting it takes one instruction, where a bit takes six. */
static void mark_all(const char *text, size_t length, unsigned shift, uint8_t *marks)
{
    size_t i = 0;
    for (uint16_t at[2 * LANES]; i + sizeof(lanes) + GRAM - 1 <= length; i += 2 * LANES) {
        lanes even = hashes_of(text + i, shift), odd = hashes_of(text + i + 1, shift);
        memcpy(at, &even, sizeof even);
        memcpy(at + LANES, &odd, sizeof odd);
#pragma GCC unroll 16
        for (unsigned k = 0; k < 2 * LANES; k++) {
            marks[at[k]] = 1;
        }
    }
    for (; i + GRAM <= length; i++) {
        marks[hash_of(text + i) >> 16 >> shift] = 1;
    }
}

/** 64 bytes of 0 or 1 as bits, where bit_of has them. */
static uint64_t pack(const uint8_t *marks)
{
    uint64_t bits = 0;
#pragma GCC unroll 8
    for (unsigned i = 0; i < 8; i++) {
        uint64_t eight;
        memcpy(&eight, marks + sizeof eight * i, sizeof eight);
        bits |= le64toh(eight) << i;
    }
    return bits;
}

void wpa_yaml_index_grams(wpa_yaml_doc *doc, wpa_arena *scratch)
{
    unsigned bits = BITS_MIN;
    while (bits < BITS_MAX && ((size_t)1 << bits) < doc->size_bytes * 4) {
        bits++;
    }
    size_t n = (size_t)1 << bits;
    uint8_t *marks = wpa_arena_alloc(scratch, n);
    mark_all(doc->source, doc->size_bytes, 16 - bits, marks);
    doc->grams = wpa_arena_room(doc->arena, sizeof *doc->grams + n / 8);
    doc->grams->shift = 32 - bits;
    for (size_t i = 0; i < n / 64; i++) {
        doc->grams->bits[i] = pack(marks + i * 64);
    }
}

bool wpa_yaml_may_hold_slice(const wpa_yaml_doc *doc, wpa_slice text)
{
    size_t n = text.length < GRAM ? 0 : text.length - GRAM + 1;
    /* The last and every other one are made of all bytes that there are. */
    bool may = n == 0 || is_marked(doc->grams, hash_of(text.at + n - 1));
    for (size_t i = 0; may && i + 1 < n; i += 2) {
        may = is_marked(doc->grams, hash_of(text.at + i));
    }
    return may;
}

bool wpa_yaml_may_name(const wpa_yaml_doc *doc, const char *name)
{
    return is_marked(doc->grams, hash_of_name(name));
}
