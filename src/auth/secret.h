/*
 * Secrets: passphrases, keys, tokens. They live in guarded memory that is not swapped, are wiped
 * when freed, and have no function that prints them.
 */
#pragma once

#include <stdint.h>

#include <wpa/error.h>

typedef struct wpa_secret wpa_secret;

/** A copy; the caller wipes what he copied from. */
wpa_secret *wpa_secret_new(const void *data, size_t size_bytes);
wpa_secret *wpa_secret_new_random(size_t size_bytes);
wpa_secret *wpa_secret_dup(const wpa_secret *secret);
void wpa_secret_free(wpa_secret *secret);
WPA_DEFINE_AUTO(wpa_secret, wpa_secret_free);

/** NUL-terminated behind its size; valid until the secret is freed. */
const uint8_t *wpa_secret_bytes(const wpa_secret *secret);
size_t wpa_secret_size(const wpa_secret *secret);
/** Same bytes? In a time that does not tell where they differ. */
bool wpa_secret_is(const wpa_secret *a, const wpa_secret *b);

/** Overwrite memory in a way that the compiler keeps. */
void wpa_wipe(void *data, size_t size_bytes);
