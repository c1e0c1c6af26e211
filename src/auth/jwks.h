/*
 * Public keys of an issuer of tokens as a JSON Web Key Set (RFC 7517). A key is good for just one
 * algorithm, told by its type: RSA for RS256, P-256 for ES256; a set never yields a shared secret.
 */
#pragma once

#include <wpa/arena.h>

#define WPA_JWKS_MAX_BYTES ((size_t)256 << 10)
#define WPA_JWKS_MAX_KEYS 64

typedef struct wpa_jwk {
    const char *kid;
    const char *algorithm; /* "RS256" or "ES256" */
    const char *pem;       /* SubjectPublicKeyInfo */
} wpa_jwk;

typedef struct wpa_jwks {
    const wpa_jwk *keys;
    size_t n;
} wpa_jwks;

/**
 * Read a set into the arena. Keys that are not for us (encryption, other types and curves, no kid,
 * RSA below 2048 or above 8192 bits, a private part) are left out.
 *
 * Errors    WPA_E_INVALID (no set, malformed), WPA_E_LIMIT (size).
 * Source    RFC 7517 sections 4, 5; RFC 7518 sections 6.2, 6.3.
 */
bool wpa_jwks_parse(const char *text, size_t size_bytes, wpa_arena *arena, wpa_jwks *set,
                    wpa_error *err) WPA_CHECK;
/** The key with this id; NULL if there is none. The algorithm tells apart two with one id. */
const wpa_jwk *wpa_jwks_find(const wpa_jwks *set, const char *kid, const char *algorithm);
