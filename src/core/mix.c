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

uint64_t wpa_mix(const void *data, size_t size_bytes)
{
    const unsigned char *at = data;
    uint64_t lanes[LANES] = {STEP, 2 * STEP, 3 * STEP, size_bytes};
    size_t left = size_bytes;
    for (; left >= sizeof lanes; left -= sizeof lanes, at += sizeof lanes) {
        for (size_t i = 0; i < LANES; i++) { /* each on its own: the processor does all at once */
            lanes[i] = fold(lanes[i], word_at(at + i * sizeof lanes[i]));
        }
    }
    unsigned char rest[sizeof lanes] = {0};
    memcpy(rest, at, left);
    for (size_t i = 0; i < LANES; i++) {
        lanes[0] = fold(fold(lanes[0], word_at(rest + i * sizeof lanes[i])), lanes[i]);
    }
    return lanes[0] ^ (lanes[0] >> 29);
}
