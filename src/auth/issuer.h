/*
 * An OpenID Connect provider that vouches for people: its discovery document, its keys, its tokens.
 * Tokens are RS256 or ES256; the key is chosen by the token's kid among the issuer's own, and its
 * type alone says which algorithm it is good for.
 *
 * Keys are fetched when they are first needed, again after an hour, and when a token names one that
 * is not known, though not more often than the interval: strangers cannot make us ask. A thread of
 * the issuer's own asks. The token that made it ask waits a moment for the answer, all others go by
 * the keys that are there; a day after the last answer these are good no more. Keys of a file are
 * those that it holds at each use, and none while it cannot be read.
 *
 * Thread: any; a known key never waits for the network.
 */
#pragma once

#include <stdint.h>

#include <wpa/arena.h>
#include <wpa/log.h>

#define WPA_ISSUER_KEYS_INTERVAL_MS INT64_C(30000)
#define WPA_ISSUER_KEYS_RENEW_MS INT64_C(3600000)
#define WPA_ISSUER_KEYS_LIFE_MS INT64_C(86400000)

typedef struct wpa_issuer wpa_issuer;

typedef struct wpa_issuer_options {
    const char *url;                  /* its name, as "iss" has it; https, or http to this host */
    const char *client_id;            /* what we are called there */
    const char *client_secret;        /* NULL: a public client */
    const char *audience;             /* of tokens shown to the API; NULL: those are not taken */
    const char *claim;                /* holds the name of the guardian; NULL: preferred_username */
    const char *jwks;                 /* URL or absolute path of its keys; NULL: discovery tells */
    const char *tls_roots;            /* file of trusted certificates; NULL: the system's */
    int64_t keys_interval_ms;         /* 0: WPA_ISSUER_KEYS_INTERVAL_MS */
    int64_t keys_renew_ms;            /* age at which they are asked for again; 0: as above */
    int64_t keys_life_ms;             /* age from which they verify nothing; 0: as above */
    wpa_log *log;                     /* borrowed; may be NULL */
    int64_t (*now_ms)(void *context); /* asked by any thread; NULL: wpa_monotonic_ms */
    void *clock_context;
} wpa_issuer_options;

typedef struct wpa_issuer_claims {
    const char *subject; /* the issuer's own, for ever the same person */
    const char *name;    /* from the claim */
    const char *id;      /* jti, or NULL */
    int64_t issued_at_s, expires_at_s;
} wpa_issuer_claims;

typedef enum wpa_issuer_use {
    WPA_ISSUER_BEARER,  /* a token shown to the API: for our audience */
    WPA_ISSUER_IDENTITY /* an ID token: for our client */
} wpa_issuer_use;

/**
 * Everything is copied; nothing is asked of the network yet.
 *
 * Errors    WPA_E_INVALID (names the option).
 */
wpa_issuer *wpa_issuer_new(const wpa_issuer_options *options, wpa_error *err);
/** Ends the thread that asks, if there is one: what it waits for is given up. */
void wpa_issuer_free(wpa_issuer *issuer);
WPA_DEFINE_AUTO(wpa_issuer, wpa_issuer_free);

const char *wpa_issuer_url(const wpa_issuer *issuer);

/**
 * Verify a token of the issuer.
 *
 * nonce     what was sent with the request for an ID token; NULL: none was. A token that repeats
 *           another one is refused.
 * now_s     Unix time in seconds.
 * why       receives what was wrong, a literal for the log; may be NULL.
 *
 * Errors    WPA_E_DENIED, always with the words of wpa_token_verify; WPA_E_UNAVAILABLE (the issuer
 *           has given no keys that still hold: nothing can be said of any token).
 * Source    OpenID Connect Core section 3.1.3.7; RFC 8725; RFC 9068.
 */
bool wpa_issuer_verify(wpa_issuer *issuer, wpa_issuer_use use, const char *token, const char *nonce,
                       int64_t now_s, wpa_arena *arena, wpa_issuer_claims *claims, const char **why,
                       wpa_error *err) WPA_CHECK;

/** Does the token say that it is signed with one of an issuer's algorithms? Nothing is verified. */
bool wpa_issuer_is_for(const char *token);

/* ---- device flow --------------------------------------------------------------------------------
 */

typedef struct wpa_device_flow {
    const char *user_code, *url; /* for people: open this, type that */
    const char *whole_url;       /* with the code in it; may be NULL */
    const char *nonce;
    int64_t interval_ms;       /* until the next question */
    int64_t usual_interval_ms; /* the same, when the issuer is well */
    int64_t expires_at_ms;     /* by the issuer's clock */
    const char *device_code;   /* secret */
    const char *token_url;
} wpa_device_flow;

typedef enum wpa_device_state {
    WPA_DEVICE_PENDING, /* nobody has decided yet: ask again after interval_ms */
    WPA_DEVICE_DONE,
    WPA_DEVICE_FAILED /* *err is set */
} wpa_device_state;

/**
 * Ask the issuer for a code that a person types in elsewhere.
 *
 * Errors    WPA_E_UNAVAILABLE, WPA_E_TIMEOUT (network), WPA_E_INVALID (what it answers is wrong, or
 *           it has no such flow), WPA_E_DENIED (it does not know us).
 * Source    RFC 8628 sections 3.1, 3.2.
 */
bool wpa_device_begin(wpa_issuer *issuer, wpa_arena *arena, wpa_device_flow *flow,
                      wpa_error *err) WPA_CHECK;
/**
 * Ask once whether the person has decided; flow's interval grows when the issuer says so. An issuer
 * that cannot be reached, or is unwell (5xx, 429), has not decided: it is asked again, less and
 * less often, until the code expires.
 *
 * id_token  receives the token, not verified yet.
 *
 * Errors    WPA_E_DENIED (the person said no), WPA_E_TIMEOUT (the code has expired), WPA_E_INVALID.
 * Source    RFC 8628 sections 3.4, 3.5.
 */
wpa_device_state wpa_device_poll(wpa_issuer *issuer, wpa_device_flow *flow, wpa_arena *arena,
                                 const char **id_token, wpa_error *err);
