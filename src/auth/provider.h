/* Inside src/auth only: an issuer's parts, and asking it. */
#pragma once

#include <pthread.h>

#include "auth/issuer.h"
#include "auth/jwks.h"
#include "json/json.h"

typedef struct wpa_issuer_endpoints {
    const char *keys, *token, *device; /* NULL: it has none */
} wpa_issuer_endpoints;

struct wpa_issuer {
    wpa_arena *arena; /* texts of the options; read-only once made */
    wpa_issuer_options options;
    pthread_mutex_t asking; /* held while the network is asked for keys or discovery */
    pthread_mutex_t mutex;  /* the rest, never held for long */
    wpa_arena *keys_arena;
    wpa_jwks keys;
    int64_t keys_at_ms, tried_at_ms; /* monotonic; 0: never */
};

/** May secrets travel there? https, or http to this host. */
bool wpa_issuer_is_safe_url(const char *url);
/**
 * GET, or POST of a form; the answer as JSON.
 *
 * status    receives the status; any is an answer.
 */
const wpa_json *wpa_issuer_ask(const wpa_issuer *issuer, const char *url, const char *form,
                               wpa_arena *arena, int *status, wpa_error *err);
/** What the discovery document says. */
bool wpa_issuer_discover(const wpa_issuer *issuer, wpa_arena *arena, wpa_issuer_endpoints *found,
                         wpa_error *err) WPA_CHECK;
