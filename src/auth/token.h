/*
 * Session tokens: JSON Web Tokens (RFC 7519) signed with HS256 and a key of this host.
 *
 * Verification chooses the key by our own configuration, never by what the token says it is, and
 * answers every failure with the same words; why it failed is told apart, for a log alone. Whether
 * a session was ended early is known to the database, not here: see guardian/session.h.
 */
#pragma once

#include <wpa/arena.h>

#include "auth/secret.h"

#define WPA_TOKEN_MAX_BYTES 4096
#define WPA_TOKEN_ISSUER "wpa"
#define WPA_TOKEN_AUDIENCE "wpa"

typedef struct wpa_token_keys wpa_token_keys;

typedef struct wpa_token_claims {
    const char *subject; /* the principal's name */
    const char *role;
    const char *jti; /* the session's UUID */
    int64_t issued_at_s, expires_at_s;
} wpa_token_claims;

/**
 * The signing keys of a file; the file is made with one random key when it is missing.
 *
 * path      lines "HS256 <kid> <base64url key>"; the first signs, all verify: a new line in front
 *           rotates. Refused if anybody else can read it.
 *
 * Errors    WPA_E_DENIED (owner, mode), WPA_E_INVALID (names the line), WPA_E_IO.
 */
wpa_token_keys *wpa_token_keys_open(const char *path, wpa_error *err);
void wpa_token_keys_free(wpa_token_keys *keys);
WPA_DEFINE_AUTO(wpa_token_keys, wpa_token_keys_free);

/** Compact JWS in the arena, or NULL. */
char *wpa_token_issue(const wpa_token_keys *keys, const wpa_token_claims *claims, wpa_arena *arena,
                      wpa_error *err);

/**
 * Verify a token and return its claims: the only place where a token becomes an identity.
 *
 * token     compact JWS, NUL-terminated; borrowed.
 * now_s     Unix time in seconds; passed in so that a test can choose it.
 * arena     receives the claims.
 * why       receives what was wrong, a literal for the log; may be NULL.
 *
 * Returns   true, or false with *err set.
 * Errors    WPA_E_DENIED, always with the same words.
 * Thread    any; no shared state.
 * Source    RFC 7515 (JWS), RFC 7519 section 4.1 (claims), RFC 8725 (what to refuse).
 */
bool wpa_token_verify(const wpa_token_keys *keys, const char *token, int64_t now_s,
                      wpa_arena *arena, wpa_token_claims *claims, const char **why,
                      wpa_error *err) WPA_CHECK;
