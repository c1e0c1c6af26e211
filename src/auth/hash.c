#include "auth/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/text.h>

#include "auth/sha256.h"
#include "auth/sodium.h"

static_assert(sizeof(wpa_sha256_state) >= sizeof(crypto_hash_sha256_state), "state must fit");
static_assert(WPA_SHA256_SIZE == crypto_hash_sha256_BYTES, "SHA-256 is 32 bytes");

/* FIPS 180-4 section 5.3.3. */
void wpa_sha256_init(wpa_sha256_state *state)
{
    static const uint32_t first[] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    crypto_hash_sha256_state *s = (crypto_hash_sha256_state *)state;
    s->count = 0;
    memcpy(s->state, first, sizeof s->state);
}

void wpa_sha256_update(wpa_sha256_state *state, const void *data, size_t size_bytes)
{
    wpa_sha256_add(state, data, size_bytes);
}

static void put_big_endian(uint8_t *bytes, uint64_t number, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)(number >> 8 * (n - 1 - i));
    }
}

/* FIPS 180-4 section 5.1.1: a bit, zeros up to a whole block, the length in bits. */
void wpa_sha256_final(wpa_sha256_state *state, uint8_t digest[WPA_SHA256_SIZE])
{
    const crypto_hash_sha256_state *s = (const crypto_hash_sha256_state *)state;
    uint8_t padding[2 * sizeof s->buf] = {0x80};
    size_t n_held = (size_t)(s->count >> 3) % sizeof s->buf;
    size_t n = 2 * sizeof s->buf - n_held;
    n -= n >= sizeof s->buf + 1 + sizeof s->count ? sizeof s->buf : 0;
    put_big_endian(padding + n - sizeof s->count, s->count, sizeof s->count);
    wpa_sha256_add(state, padding, n);
    for (size_t i = 0; i < WPA_COUNT(s->state); i++) {
        put_big_endian(digest + i * sizeof *s->state, s->state[i], sizeof *s->state);
    }
}

void wpa_sha256(const void *data, size_t size_bytes, uint8_t digest[WPA_SHA256_SIZE])
{
    wpa_sha256_state state;
    wpa_sha256_init(&state);
    wpa_sha256_update(&state, data, size_bytes);
    wpa_sha256_final(&state, digest);
}

char *wpa_sha256_hex(const void *data, size_t size_bytes, char *hex)
{
    uint8_t digest[WPA_SHA256_SIZE];
    wpa_sha256(data, size_bytes, digest);
    wpa_hex_encode(digest, sizeof digest, hex);
    return hex;
}

char *wpa_blake2b_hex(const void *data, size_t size_bytes, char *hex)
{
    uint8_t digest[WPA_BLAKE2B_HEX_SIZE / 2];
    wpa_sodium_need(); /* chooses the code for this processor */
    (void)crypto_generichash(digest, sizeof digest, data, size_bytes, NULL, 0);
    wpa_hex_encode(digest, sizeof digest, hex);
    return hex;
}

void wpa_blake2b_keyed(const void *data, size_t size_bytes, const uint8_t key[WPA_SHA256_SIZE],
                       uint8_t digest[WPA_SHA256_SIZE])
{
    wpa_sodium_need(); /* chooses the code for this processor */
    (void)crypto_generichash(digest, WPA_SHA256_SIZE, data, size_bytes, key, WPA_SHA256_SIZE);
}

void wpa_hmac_sha256(const void *key, size_t key_bytes, const void *data, size_t size_bytes,
                     uint8_t mac[WPA_SHA256_SIZE])
{
    crypto_auth_hmacsha256_state state;
    wpa_sodium_need();
    crypto_auth_hmacsha256_init(&state, key, key_bytes);
    crypto_auth_hmacsha256_update(&state, data, size_bytes);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(&state, sizeof state);
}

void wpa_random_bytes(void *data, size_t size_bytes)
{
    wpa_sodium_need();
    randombytes_buf(data, size_bytes);
}

uint32_t wpa_random_below(uint32_t bound)
{
    assert(bound > 0);
    wpa_sodium_need();
    return randombytes_uniform(bound);
}

void wpa_uuid_new(char *uuid)
{
    uint8_t bytes[16];
    char hex[2 * sizeof bytes + 1];
    wpa_random_bytes(bytes, sizeof bytes);
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    wpa_hex_encode(bytes, sizeof bytes, hex);
    wpa_text_format(uuid, WPA_UUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
                    hex + 16, hex + 20);
}

bool wpa_uuid_is_valid(const char *text)
{
    if (!text || strlen(text) != WPA_UUID_SIZE - 1) {
        return false;
    }
    for (size_t i = 0; i < WPA_UUID_SIZE - 1; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? text[i] != '-' : !strchr("0123456789abcdefABCDEF", text[i])) {
            return false;
        }
    }
    return true;
}

bool wpa_equal_constant_time(const void *a, const void *b, size_t size_bytes)
{
    wpa_sodium_need();
    return sodium_memcmp(a, b, size_bytes) == 0;
}

char *wpa_base64_encode(wpa_arena *arena, const void *data, size_t size_bytes, bool is_url)
{
    int variant =
        is_url ? sodium_base64_VARIANT_URLSAFE_NO_PADDING : sodium_base64_VARIANT_ORIGINAL;
    size_t size = sodium_base64_ENCODED_LEN(size_bytes, variant);
    char *text = wpa_arena_alloc(arena, size);
    wpa_sodium_need();
    return sodium_bin2base64(text, size, data, size_bytes, variant);
}

uint8_t *wpa_base64_decode(wpa_arena *arena, const char *text, size_t length, bool is_url,
                           size_t *size_bytes, wpa_error *err)
{
    int variant =
        is_url ? sodium_base64_VARIANT_URLSAFE_NO_PADDING : sodium_base64_VARIANT_ORIGINAL;
    size_t room = length / 4 * 3 + 3;
    uint8_t *data = wpa_arena_alloc(arena, room + 1);
    wpa_sodium_need();
    if (sodium_base642bin(data, room, text, length, NULL, size_bytes, NULL, variant) != 0) {
        WPA_FAIL(err, WPA_E_INVALID, "not base64");
        return NULL;
    }
    data[*size_bytes] = 0;
    return data;
}
