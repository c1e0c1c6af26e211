#include "core/mix.h"

#include <string.h>

/* Odd, with as many ones as zeros, as in SplitMix64 and MurmurHash3. */
#define STEP UINT64_C(0x9E3779B97F4A7C15)
#define SPREAD UINT64_C(0xFF51AFD7ED558CCD)
#define LANES 4

static uint64_t word_at(const unsigned char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static uint64_t fold(uint64_t lane, uint64_t word)
{
    lane = (lane ^ word) * SPREAD;
    return lane ^ (lane >> 32);
}

/** Each lane takes its own word: the processor does all of them at once. */
static void take(uint64_t lanes[LANES], const unsigned char *at)
{
    for (size_t i = 0; i < LANES; i++) {
        lanes[i] = fold(lanes[i], word_at(at + i * sizeof lanes[i]));
    }
}

uint64_t wpa_mix(const void *data, size_t size_bytes)
{
    const unsigned char *at = data;
    uint64_t lanes[LANES] = {STEP, 2 * STEP, 3 * STEP, 4 * STEP};
    unsigned char rest[sizeof lanes] = {0};
    size_t left = size_bytes;
    for (; left >= sizeof lanes; left -= sizeof lanes, at += sizeof lanes) {
        take(lanes, at);
    }
    memcpy(rest, at, left);
    take(lanes, rest);
    uint64_t mixed = size_bytes;
    for (size_t i = 0; i < LANES; i++) {
        mixed = fold(mixed, lanes[i]);
    }
    return fold(mixed, STEP);
}
