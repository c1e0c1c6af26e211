#include "auth/otp.h"

#include <stdio.h>
#include <string.h>

#include <wpa/text.h>

#include "auth/hash.h"

enum {
    BLOCK = 64,
    ROUNDS = 80
};

/* ---- SHA-1: RFC 3174 section 6.1 ----------------------------------------------------------------
 */

typedef struct sha1 {
    uint32_t h[5];
    uint8_t block[BLOCK];
    uint64_t total_bytes; /* modulo BLOCK: bytes of the block that wait */
} sha1;

static uint32_t rotate(uint32_t value, int by)
{
    return value << by | value >> (32 - by);
}

static void mix(sha1 *self)
{
    static const uint32_t constants[] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    uint32_t w[ROUNDS], a = self->h[0], b = self->h[1], c = self->h[2], d = self->h[3],
                        e = self->h[4];
    for (int i = 0; i < 16; i++) {
        const uint8_t *at = self->block + (size_t)i * 4;
        w[i] = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    }
    for (int i = 16; i < ROUNDS; i++) {
        w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    }
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t f = i < 20   ? (b & c) | (~b & d)
                     : i < 40 ? b ^ c ^ d
                     : i < 60 ? (b & c) | (b & d) | (c & d)
                              : b ^ c ^ d;
        uint32_t next = rotate(a, 5) + f + e + w[i] + constants[i / 20];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    const uint32_t sums[] = {a, b, c, d, e};
    for (size_t i = 0; i < WPA_COUNT(sums); i++) {
        self->h[i] += sums[i];
    }
}

static void start(sha1 *self)
{
    *self = (sha1){.h = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}};
}

static void add(sha1 *self, const void *data, size_t size_bytes)
{
    const uint8_t *at = data;
    for (size_t i = 0; i < size_bytes; i++) {
        self->block[self->total_bytes++ % BLOCK] = at[i];
        if (self->total_bytes % BLOCK == 0) {
            mix(self);
        }
    }
}

static void finish(sha1 *self, uint8_t digest[WPA_SHA1_SIZE])
{
    static const uint8_t padding[BLOCK] = {0x80};
    size_t n = self->total_bytes % BLOCK;
    uint64_t bits = self->total_bytes * 8;
    uint8_t length[8];
    for (int i = 0; i < 8; i++) {
        length[i] = (uint8_t)(bits >> (56 - 8 * i));
    }
    add(self, padding, (n < 56 ? 56 : 56 + BLOCK) - n);
    add(self, length, sizeof length);
    for (size_t i = 0; i < WPA_SHA1_SIZE; i++) {
        digest[i] = (uint8_t)(self->h[i / 4] >> (24 - 8 * (i % 4)));
    }
    wpa_wipe(self, sizeof *self);
}

static void hash_keyed(const uint8_t key[BLOCK], uint8_t with, const void *data, size_t size_bytes,
                       uint8_t digest[WPA_SHA1_SIZE])
{
    sha1 state;
    uint8_t pad[BLOCK];
    for (size_t i = 0; i < BLOCK; i++) {
        pad[i] = key[i] ^ with;
    }
    start(&state);
    add(&state, pad, sizeof pad);
    add(&state, data, size_bytes);
    finish(&state, digest);
    wpa_wipe(pad, sizeof pad);
}

void wpa_hmac_sha1(const void *key, size_t key_bytes, const void *data, size_t size_bytes,
                   uint8_t mac[WPA_SHA1_SIZE])
{
    uint8_t block[BLOCK] = {0}, inner[WPA_SHA1_SIZE];
    if (key_bytes > BLOCK) {
        sha1 state;
        start(&state);
        add(&state, key, key_bytes);
        finish(&state, block);
    } else {
        memcpy(block, key, key_bytes);
    }
    hash_keyed(block, 0x36, data, size_bytes, inner);
    hash_keyed(block, 0x5c, inner, sizeof inner, mac);
    wpa_wipe(block, sizeof block);
}

/* ---- codes --------------------------------------------------------------------------------------
 */

char *wpa_otp_code(const wpa_secret *secret, int64_t step, char *code)
{
    uint8_t counter[8], mac[WPA_SHA1_SIZE];
    for (int i = 0; i < 8; i++) {
        counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
    }
    wpa_hmac_sha1(wpa_secret_bytes(secret), wpa_secret_size(secret), counter, sizeof counter, mac);
    const uint8_t *at = mac + (mac[WPA_SHA1_SIZE - 1] & 0x0f);
    uint32_t number =
        ((uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]) %
        1000000;
    for (int i = WPA_OTP_DIGITS - 1; i >= 0; i--, number /= 10) {
        code[i] = (char)('0' + number % 10);
    }
    code[WPA_OTP_DIGITS] = '\0';
    wpa_wipe(mac, sizeof mac);
    return code;
}

int64_t wpa_otp_step(const wpa_secret *secret, const char *code, int64_t now_s, int64_t last_step)
{
    int64_t now = now_s / WPA_OTP_STEP_SECONDS, found = 0;
    bool is_long_enough = strlen(code) == WPA_OTP_DIGITS;
    for (int64_t step = now - WPA_OTP_STEPS_AROUND; step <= now + WPA_OTP_STEPS_AROUND; step++) {
        char right[WPA_OTP_CODE_SIZE];
        (void)wpa_otp_code(secret, step, right);
        bool is_it = is_long_enough && wpa_equal_constant_time(right, code, WPA_OTP_DIGITS);
        found = is_it && step > last_step ? step : found;
        wpa_wipe(right, sizeof right);
    }
    return found;
}

char *wpa_base32_encode(wpa_arena *arena, const void *data, size_t size_bytes)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const uint8_t *at = data;
    char *text = wpa_arena_alloc(arena, size_bytes * 8 / 5 + 2), *to = text;
    uint32_t held = 0;
    int bits = 0;
    for (size_t i = 0; i < size_bytes; i++) {
        held = (held << 8 | at[i]) & 0xfff;
        for (bits += 8; bits >= 5; bits -= 5) {
            *to++ = letters[held >> (bits - 5) & 31];
        }
    }
    if (bits > 0) {
        *to++ = letters[held << (5 - bits) & 31];
    }
    return text;
}

char *wpa_otp_uri(const wpa_secret *secret, const char *name, wpa_arena *arena)
{
    return wpa_arena_printf(
        arena, "otpauth://totp/wpa:%s?secret=%s&issuer=wpa&algorithm=SHA1&digits=%d&period=%d",
        wpa_text_url_encode(arena, name),
        wpa_base32_encode(arena, wpa_secret_bytes(secret), wpa_secret_size(secret)), WPA_OTP_DIGITS,
        WPA_OTP_STEP_SECONDS);
}
