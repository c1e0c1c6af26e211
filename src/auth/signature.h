/*
 * Inside src/auth only: signatures made with a private key, verified with the public one. Which
 * algorithm it is the caller says; nothing of a token is read here.
 */
#pragma once

#include <stdint.h>

#include <wpa/error.h>

/** Before the first signature is verified. Errors WPA_E_UNAVAILABLE. */
bool wpa_signature_open(wpa_error *err) WPA_CHECK;
/**
 * algorithm   RS256 or ES256; any other verifies nothing.
 * pem         the public key, of the algorithm's kind.
 * signature   as JWS has it: of ES256 two numbers of 32 bytes.
 *
 * Source      RFC 7518 sections 3.3, 3.4.
 */
bool wpa_signature_is_good(const char *algorithm, const char *pem, const void *data,
                           size_t size_bytes, const uint8_t *signature, size_t signature_bytes);
