#include "auth/sha256.h"

#include <string.h>

#include "auth/sodium.h"

#define BLOCK 64

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) &&                 \
    !defined(__SANITIZE_THREAD__) && !defined(__clang__)
#define WPA_HAS_CHOICE 1
#endif

static void add_anywhere(wpa_sha256_state *state, const void *data, size_t size_bytes)
{
    wpa_sodium_need();
    crypto_hash_sha256_update((crypto_hash_sha256_state *)state, data, size_bytes);
}

#ifdef WPA_HAS_CHOICE

#include <cpuid.h>
#include <immintrin.h>

/* FIPS 180-4 section 4.2.2. */
static const uint32_t round_keys[BLOCK] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

#define WPA_SHA __attribute__((target("sha,sse4.1")))

/* The instructions want the words of the state as ABEF and CDGH, the highest first. */
WPA_SHA static void load_state(const uint32_t words[8], __m128i *abef, __m128i *cdgh)
{
    __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)words), 0xb1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(words + 4)), 0x1b);
    *abef = _mm_alignr_epi8(abcd, efgh, 8);
    *cdgh = _mm_blend_epi16(efgh, abcd, 0xf0);
}

WPA_SHA static void store_state(uint32_t words[8], __m128i abef, __m128i cdgh)
{
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)words, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(words + 4), _mm_alignr_epi8(dchg, feba, 8));
}

WPA_SHA static void add_blocks(uint32_t words[8], const uint8_t *data, size_t n)
{
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i abef, cdgh;
    load_state(words, &abef, &cdgh);
    for (; n > 0; n--, data += BLOCK) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i schedule[4]; /* the latest sixteen words */
        for (size_t i = 0; i < 16; i++) {
            __m128i *now = &schedule[i % 4];
            if (i < 4) {
                __m128i bytes = _mm_loadu_si128((const __m128i *)(data + i * sizeof *now));
                *now = _mm_shuffle_epi8(bytes, big_endian);
            } else {
                __m128i last = schedule[(i + 3) % 4];
                __m128i middle = _mm_alignr_epi8(last, schedule[(i + 2) % 4], 4);
                __m128i sum =
                    _mm_add_epi32(_mm_sha256msg1_epu32(*now, schedule[(i + 1) % 4]), middle);
                *now = _mm_sha256msg2_epu32(sum, last);
            }
            __m128i keys = _mm_loadu_si128((const __m128i *)(round_keys + 4 * i));
            __m128i keyed = _mm_add_epi32(*now, keys);
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, keyed);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(keyed, 0x0e));
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    store_state(words, abef, cdgh);
}

static void add_with_instructions(wpa_sha256_state *state, const void *data, size_t size_bytes)
{
    crypto_hash_sha256_state *s = (crypto_hash_sha256_state *)state;
    const uint8_t *at = data;
    size_t n_held = (size_t)(s->count >> 3) % BLOCK;
    s->count += (uint64_t)size_bytes << 3; /* in bits */
    if (n_held) {
        size_t n = size_bytes < BLOCK - n_held ? size_bytes : BLOCK - n_held;
        memcpy(s->buf + n_held, at, n);
        if (n_held + n < BLOCK) {
            return;
        }
        add_blocks(s->state, s->buf, 1);
        at += n;
        size_bytes -= n;
    }
    add_blocks(s->state, at, size_bytes / BLOCK);
    memcpy(s->buf, at + size_bytes / BLOCK * BLOCK, size_bytes % BLOCK);
}

typedef void add_function(wpa_sha256_state *state, const void *data, size_t size_bytes);

#define LEAF_1_SSE41 (1U << 19)
#define LEAF_7_SHA (1U << 29)

/* Asked as the program starts. */
static add_function *choose(void)
{
    unsigned a, b, c, d, has_sse41, has_sha = 0;
    __cpuid(0, a, b, c, d);
    unsigned n_leaves = a;
    __cpuid(1, a, b, c, d);
    has_sse41 = c & LEAF_1_SSE41;
    if (n_leaves >= 7) {
        __cpuid_count(7, 0, a, b, c, d);
        has_sha = b & LEAF_7_SHA;
    }
    return has_sse41 && has_sha ? add_with_instructions : add_anywhere;
}

void wpa_sha256_add(wpa_sha256_state *state, const void *data, size_t size_bytes)
    __attribute__((ifunc("choose")));

#else

void wpa_sha256_add(wpa_sha256_state *state, const void *data, size_t size_bytes)
{
    add_anywhere(state, data, size_bytes);
}

#endif
