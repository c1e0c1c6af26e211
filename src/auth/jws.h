/*
 * Inside src/auth only: a compact JWS (RFC 7515) read with suspicion. Which key and which algorithm
 * count is the caller's to say, never the token's; each fault is a literal for the log.
 */
#pragma once

#include <wpa/arena.h>

#include "json/json.h"

#define WPA_JWS_CLOCK_SKEW_S 60

typedef struct wpa_jws {
    const char *token;
    const wpa_json *header, *payload;
    const char *algorithm, *kid; /* as the header says them */
} wpa_jws;

/* What a token may be by its header's "typ", if it has one. */
typedef enum wpa_jws_kind {
    WPA_JWS_PLAIN, /* JWT */
    WPA_JWS_ACCESS /* that, or the type for access tokens alone (RFC 9068) */
} wpa_jws_kind;

typedef struct wpa_jws_times {
    int64_t issued_at_s, expires_at_s;
} wpa_jws_times;

/**
 * Take a token apart; nothing is verified yet.
 *
 * token       NUL-terminated, or NULL.
 * algorithms  [n] that are taken; any other, "none" first of all, is a fault.
 *
 * Returns   NULL, or what is wrong: size, shape, a key twice, algorithm, type, a critical header.
 */
const char *wpa_jws_read(const char *token, const char *const algorithms[], size_t n,
                         wpa_jws_kind kind, wpa_arena *arena, wpa_jws *jws);
/** Is it signed with this key (HMAC bytes, or a public key as PEM) by just this algorithm? */
const char *wpa_jws_check_signature(const wpa_jws *jws, const char *algorithm, const void *key,
                                    size_t size_bytes, wpa_arena *arena);
/** exp and iat must be there, nbf may: all integers, and now between them. */
const char *wpa_jws_check_times(const wpa_jws *jws, int64_t now_s, wpa_jws_times *times);
/** Does "aud", a text or a list of texts, name this audience? */
bool wpa_jws_is_for(const wpa_jws *jws, const char *audience);
