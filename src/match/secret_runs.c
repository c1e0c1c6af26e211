#include "match/secret_runs.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/lanes.h"

#define BLOCK_BYTES 64
/* Of longer runs the first so many. */
#define COUNTED_MAX_BYTES 32

const bool wpa_is_secret_byte[256] = {
    ['+'] = true, ['-'] = true, ['.'] = true, ['/'] = true, ['='] = true, ['_'] = true,
    ['~'] = true, ['0'] = true, ['1'] = true, ['2'] = true, ['3'] = true, ['4'] = true,
    ['5'] = true, ['6'] = true, ['7'] = true, ['8'] = true, ['9'] = true, ['A'] = true,
    ['B'] = true, ['C'] = true, ['D'] = true, ['E'] = true, ['F'] = true, ['G'] = true,
    ['H'] = true, ['I'] = true, ['J'] = true, ['K'] = true, ['L'] = true, ['M'] = true,
    ['N'] = true, ['O'] = true, ['P'] = true, ['Q'] = true, ['R'] = true, ['S'] = true,
    ['T'] = true, ['U'] = true, ['V'] = true, ['W'] = true, ['X'] = true, ['Y'] = true,
    ['Z'] = true, ['a'] = true, ['b'] = true, ['c'] = true, ['d'] = true, ['e'] = true,
    ['f'] = true, ['g'] = true, ['h'] = true, ['i'] = true, ['j'] = true, ['k'] = true,
    ['l'] = true, ['m'] = true, ['n'] = true, ['o'] = true, ['p'] = true, ['q'] = true,
    ['r'] = true, ['s'] = true, ['t'] = true, ['u'] = true, ['v'] = true, ['w'] = true,
    ['x'] = true, ['y'] = true, ['z'] = true,
};

/** As wpa_is_secret_byte, of each: all bits or none. */
static wpa_lanes secret_lanes(wpa_lanes c)
{
    wpa_lanes letter = wpa_lanes_from_to(c | 0x20, 'a', 'z');
    wpa_lanes digit = wpa_lanes_from_to(c, '-', '9'); /* or one of "-./" */
    wpa_lanes other = (wpa_lanes)((c == '_') | (c == '~') | (c == '+') | (c == '='));
    return letter | digit | other;
}

/** Of so many bytes of the text one bit each: is it one that secrets are made of? */
static uint64_t secret_bits(const char text[BLOCK_BYTES])
{
    uint64_t bits = 0;
#pragma GCC unroll 4
    for (size_t i = 0; i < BLOCK_BYTES; i += WPA_LANES) {
        bits |= (uint64_t)wpa_lanes_bits(secret_lanes(wpa_lanes_at(text + i))) << i;
    }
    return bits;
}

/**
 * Bytes that end n and more bytes of a run, of those that end n: the byte so many in front, in this
 * block or the one before, ends n as well. before: those of that block that end n.
 */
static uint64_t lengthen(uint64_t ends, size_t more, uint64_t *before)
{
    uint64_t longer = ends & (ends << more | *before >> (BLOCK_BYTES - more));
    *before = ends;
    return longer;
}

/* What is known of a block when the next one is looked at: ends of runs of 1, 2, 4 … bytes. */
typedef struct run_ends {
    size_t counted; /* bytes of a run, from WPA_SECRET_RUN_MIN_BYTES to COUNTED_MAX_BYTES */
    uint64_t of[5];
} run_ends;

/** Bytes of a block that end as many bytes of a run as are counted. */
static uint64_t ends_in(run_ends *e, uint64_t bits)
{
    for (size_t i = 0; i < 3; i++) {
        bits = lengthen(bits, (size_t)1 << i, &e->of[i]);
    }
    size_t more = e->counted < 16 ? e->counted - 8 : 8;
    bits = lengthen(bits, more, &e->of[3]);
    return e->counted > 16 ? lengthen(bits, e->counted - 16, &e->of[4]) : bits;
}

static size_t run_end(const char *text, size_t at, size_t length)
{
    while (at < length && wpa_is_secret_byte[(unsigned char)text[at]]) {
        at++;
    }
    return at;
}

/** Where the run ends that this byte of the block is of, whose bits these are. */
static size_t run_end_in(uint64_t bits, size_t block, size_t at, const char *text, size_t length)
{
    uint64_t others = ~bits >> (at - block);
    return others ? at + (size_t)__builtin_ctzll(others)
                  : run_end(text, block + BLOCK_BYTES, length);
}

/** Those bits of the block's bytes that are not in front of this byte of the text. */
static uint64_t bits_from(uint64_t bits, size_t block, size_t from)
{
    size_t n = from > block ? from - block : 0;
    return n < BLOCK_BYTES ? bits & (UINT64_MAX << n) : 0;
}

void wpa_secret_runs_each(const char *text, size_t length, size_t least,
                          void (*look)(void *context, wpa_span run), void *context)
{
    assert(least >= WPA_SECRET_RUN_MIN_BYTES);
    run_ends e = {.counted = least < COUNTED_MAX_BYTES ? least : COUNTED_MAX_BYTES};
    size_t known = 0; /* where the last run ends */
    for (size_t at = 0; at < length; at += BLOCK_BYTES) {
        char last[BLOCK_BYTES];
        bool is_last = length - at < BLOCK_BYTES;
        if (is_last) {
            memset(last, 0, sizeof last);
            memcpy(last, text + at, length - at);
        }
        uint64_t bits = secret_bits(is_last ? last : text + at), ends = ends_in(&e, bits);
        while ((ends = bits_from(ends, at, known))) {
            size_t end = at + (size_t)__builtin_ctzll(ends);
            known = run_end_in(bits, at, end, text, length);
            wpa_span run = {end + 1 - e.counted, known};
            if (wpa_span_length(run) >= least) {
                look(context, run);
            }
        }
    }
}
