/* Hashes, random bytes, identifiers and base64, over libsodium. */
#pragma once

#include <stdint.h>

#include <wpa/arena.h>

#define WPA_SHA256_SIZE 32
#define WPA_SHA256_HEX_SIZE 65
#define WPA_BLAKE2B_HEX_SIZE 33
#define WPA_UUID_SIZE 37

/** A SHA-256 under way; plain memory, copied freely. */
typedef struct wpa_sha256_state {
    uint64_t opaque[16];
} wpa_sha256_state;

void wpa_sha256_init(wpa_sha256_state *state);
void wpa_sha256_update(wpa_sha256_state *state, const void *data, size_t size_bytes);
void wpa_sha256_final(wpa_sha256_state *state, uint8_t digest[WPA_SHA256_SIZE]);

void wpa_sha256(const void *data, size_t size_bytes, uint8_t digest[WPA_SHA256_SIZE]);
/** Lower-case hex digits into hex[WPA_SHA256_HEX_SIZE]; returns hex. */
char *wpa_sha256_hex(const void *data, size_t size_bytes, char *hex);
/**
 * 128 bits of BLAKE2b as hex digits into hex[WPA_BLAKE2B_HEX_SIZE]; returns hex. For what nobody
 * else computes: it takes a quarter of the time.
 */
char *wpa_blake2b_hex(const void *data, size_t size_bytes, char *hex);
/** 256 bits of keyed BLAKE2b, likewise. */
void wpa_blake2b_keyed(const void *data, size_t size_bytes, const uint8_t key[WPA_SHA256_SIZE],
                       uint8_t digest[WPA_SHA256_SIZE]);
/** HMAC-SHA-256 with a key of any length (RFC 2104). */
void wpa_hmac_sha256(const void *key, size_t key_bytes, const void *data, size_t size_bytes,
                     uint8_t mac[WPA_SHA256_SIZE]);

/** From the operating system's generator. */
void wpa_random_bytes(void *data, size_t size_bytes);
/** Evenly distributed in [0, bound); bound > 0. Not for replayable decisions: see wpa_sha256. */
uint32_t wpa_random_below(uint32_t bound);
/** A random (version 4) UUID, lower case, into uuid[WPA_UUID_SIZE]. */
void wpa_uuid_new(char *uuid);
/** Is text a UUID in its canonical form, either case? */
bool wpa_uuid_is_valid(const char *text);

/** In a time that depends on size_bytes alone. */
bool wpa_equal_constant_time(const void *a, const void *b, size_t size_bytes);

/** RFC 4648 base64 with padding; url: the URL alphabet without padding. */
char *wpa_base64_encode(wpa_arena *arena, const void *data, size_t size_bytes, bool is_url);
/** The bytes, NUL-terminated behind *size_bytes, or NULL with WPA_E_INVALID. */
uint8_t *wpa_base64_decode(wpa_arena *arena, const char *text, size_t length, bool is_url,
                           size_t *size_bytes, wpa_error *err);
