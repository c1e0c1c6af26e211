/*
 * Secrets that lie in a database, encrypted with a key that lies in a file: XChaCha20-Poly1305. The
 * file is read at each use, so what is there at the time counts.
 */
#pragma once

#include <wpa/arena.h>

#include "auth/secret.h"

#define WPA_SEAL_EXTRA_BYTES 40 /* that a sealed text is longer */

/** Make the file with a random key, if there is none. Errors WPA_E_IO. */
bool wpa_seal_make_key(const char *path, wpa_error *err) WPA_CHECK;
/** Is a file there, whether it can be used or not? path may be NULL. */
bool wpa_seal_has_key(const char *path);
/**
 * what      the secret is, and whose: it opens as nothing else.
 *
 * Returns   [plain_bytes + WPA_SEAL_EXTRA_BYTES] in the arena, or NULL.
 * Errors    WPA_E_IO, WPA_E_DENIED (owner, mode), WPA_E_INVALID (no key in it).
 */
uint8_t *wpa_seal(const char *path, const char *what, const void *plain, size_t plain_bytes,
                  wpa_arena *arena, wpa_error *err);
/**
 * Errors    as above; WPA_E_UNAVAILABLE (there is no file, or path is NULL), WPA_E_INVALID (sealed
 *           with another key, as something else, or changed).
 */
wpa_secret *wpa_unseal(const char *path, const char *what, const uint8_t *sealed,
                       size_t sealed_bytes, wpa_error *err);
