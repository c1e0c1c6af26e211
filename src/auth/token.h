/*
 * Session tokens: JSON Web Tokens (RFC 7519) signed with HS256 and a key of this host.
 *
 * Verification chooses the key by our own configuration, never by what the token says it is, and
 * answers every failure with the same words; why it failed is told apart, for a log alone. Whether
 * a session was ended early is known to the database, not here: see guardian/session.h.
 */
#pragma once

#include <wpa/arena.h>
#include <wpa/log.h>

#include "auth/secret.h"

#define WPA_TOKEN_MAX_BYTES 8192
#define WPA_TOKEN_ISSUER "wpa"
#define WPA_TOKEN_AUDIENCE "wpa"
/* All that whoever shows a bad token is told. */
#define WPA_TOKEN_REFUSED "the token is not valid; sign in again"

typedef struct wpa_token_keys wpa_token_keys;

typedef struct wpa_token_claims {
    const char *subject; /* the principal's name */
    const char *role;
    const char *jti; /* the session's UUID */
    int64_t issued_at_s, expires_at_s;
} wpa_token_claims;

/**
 * The signing keys of a file; the file is made with one random key when it is missing. Whenever it
 * changes, the next token that is signed or verified goes by what it says then: while it is gone,
 * broken or open to others, no token is signed or verified.
 *
 * path      lines "HS256 <kid> <base64url key> [<until>]"; the first signs, all verify, those with
 *           a Unix time until then: a new line in front rotates. Refused if anybody else can read
 *           it.
 *
 * Errors    WPA_E_DENIED (owner, mode), WPA_E_INVALID (names the line), WPA_E_IO.
 * Thread    opened and freed by one; used by any.
 */
wpa_token_keys *wpa_token_keys_open(const char *path, wpa_error *err);
void wpa_token_keys_free(wpa_token_keys *keys);
WPA_DEFINE_AUTO(wpa_token_keys, wpa_token_keys_free);
/** Where to say, once each time, that the file can be used no more, and that it can be again. */
void wpa_token_keys_set_log(wpa_token_keys *keys, wpa_log *log);

typedef struct wpa_token_key_info {
    const char *kid;
    bool is_signing;
    int64_t until_s; /* Unix time from which it verifies nothing; 0: no end yet */
} wpa_token_key_info;

/** All keys of the file, [*n] in the arena; never the keys themselves. */
const wpa_token_key_info *wpa_token_keys_list(const wpa_token_keys *keys, wpa_arena *arena,
                                              size_t *n);
/**
 * Put a new key in front of the file. Those before it verify for as long as a token signed with
 * them may stand, then go at a later rotation.
 *
 * life_s    longest life of a token in seconds; 0: all others go at once, and with them all tokens.
 *
 * Errors    as wpa_token_keys_open; WPA_E_LIMIT (too many keys still verify).
 */
bool wpa_token_keys_rotate(const char *path, int64_t now_s, int64_t life_s,
                           wpa_error *err) WPA_CHECK;

/** Compact JWS in the arena, or NULL. Errors WPA_E_UNAVAILABLE (there are no keys now). */
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
 * Thread    any.
 * Source    RFC 7515 (JWS), RFC 7519 section 4.1 (claims), RFC 8725 (what to refuse).
 */
bool wpa_token_verify(const wpa_token_keys *keys, const char *token, int64_t now_s,
                      wpa_arena *arena, wpa_token_claims *claims, const char **why,
                      wpa_error *err) WPA_CHECK;
