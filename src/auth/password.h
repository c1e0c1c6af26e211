/* Passphrases as argon2id hashes. A hash costs about 100 ms and 64 MiB, on purpose. */
#pragma once

#include "auth/secret.h"

#define WPA_PASSWORD_HASH_SIZE 128
#define WPA_PASSPHRASE_MIN_BYTES 8
#define WPA_PASSPHRASE_MAX_BYTES 1024

/** May this be somebody's passphrase? Errors: WPA_E_INVALID (short, long, control characters). */
bool wpa_passphrase_check(const wpa_secret *passphrase, wpa_error *err) WPA_CHECK;

/** A fresh salted hash as text into hash[WPA_PASSWORD_HASH_SIZE]. */
bool wpa_password_hash(const wpa_secret *passphrase, char *hash, wpa_error *err) WPA_CHECK;
/** hash: as stored, or NULL (no such person): takes as long, and is false. */
bool wpa_password_verify(const char *hash, const wpa_secret *passphrase);
/** Was it made with less effort than today's? Then hash anew after the next good sign-in. */
bool wpa_password_is_outdated(const char *hash);
