/* Sixteen bytes that are looked at together. */
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define WPA_LANES 16
typedef uint8_t wpa_lanes __attribute__((vector_size(WPA_LANES)));

static inline wpa_lanes wpa_lanes_at(const char *at)
{
    wpa_lanes bytes;
    memcpy(&bytes, at, sizeof bytes);
    return bytes;
}

/** Which of them are from first to last: all bits or none. */
static inline wpa_lanes wpa_lanes_from_to(wpa_lanes bytes, uint8_t first, uint8_t last)
{
    typedef int8_t signed_lanes __attribute__((vector_size(WPA_LANES)));
    /* Moved so that the last one becomes the greatest there is, one comparison tells. */
    signed_lanes moved = (signed_lanes)(bytes + (uint8_t)(INT8_MAX - last));
    return (wpa_lanes)(moved > (int8_t)(INT8_MAX - 1 - (last - first)));
}

/** One bit of each of eight bytes that are all ones or all zeros, the first one lowest. */
static inline unsigned wpa_lanes_pack(uint64_t bytes)
{
    bytes = le64toh(bytes) & UINT64_C(0x8040201008040201);
    return (unsigned)(bytes * UINT64_C(0x0101010101010101) >> 56);
}

/** One bit of each lane, the first one lowest; the lanes are all ones or all zeros. */
static inline unsigned wpa_lanes_bits(wpa_lanes lanes)
{
#ifdef __SSE2__ /* one instruction, which nothing portable is made into */
    typedef char signed_lanes __attribute__((vector_size(WPA_LANES)));
    return (unsigned)__builtin_ia32_pmovmskb128((signed_lanes)lanes);
#else
    uint64_t halves[2];
    memcpy(halves, &lanes, sizeof halves);
    return wpa_lanes_pack(halves[0]) | wpa_lanes_pack(halves[1]) << 8;
#endif
}

/** The same of four times as many. */
static inline uint64_t wpa_lanes_bits_of_four(wpa_lanes a, wpa_lanes b, wpa_lanes c, wpa_lanes d)
{
    uint64_t low = wpa_lanes_bits(a) | wpa_lanes_bits(b) << WPA_LANES;
    uint64_t high = wpa_lanes_bits(c) | wpa_lanes_bits(d) << WPA_LANES;
    return low | high << 2 * WPA_LANES;
}
