/* Inside src/auth only: an issuer's parts, and asking it. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "auth/issuer.h"
#include "auth/jwks.h"
#include "json/json.h"

typedef struct wpa_issuer_endpoints {
    const char *keys, *token, *device; /* NULL: it has none */
} wpa_issuer_endpoints;

/* What tells one state of a file from another; all 0: there is none. */
typedef struct wpa_issuer_file {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec written_at, changed_at;
} wpa_issuer_file;

struct wpa_issuer {
    wpa_arena *arena; /* texts of the options; read-only once made */
    wpa_issuer_options options;
    atomic_bool *is_ending;
    pthread_mutex_t mutex; /* the rest, never held for long */
    pthread_cond_t asked;  /* the thread has ended */
    pthread_t thread;      /* asks for keys */
    bool has_thread, is_asking;
    wpa_arena *keys_arena;
    wpa_jwks keys;
    wpa_issuer_file file; /* that the keys were read from */
    bool is_file_read;
    int64_t keys_at_ms, tried_at_ms; /* monotonic; 0: never */
};

/** The time, by the issuer's clock. */
int64_t wpa_issuer_now_ms(const wpa_issuer *issuer);
/** May secrets travel there? https, or http to this host. */
bool wpa_issuer_is_safe_url(const char *url);
/** And may an issuer send us there? To http only one that is asked by http itself. */
bool wpa_issuer_may_name(const char *issuer_url, const char *url);
/**
 * GET, or POST of a form; the answer as JSON.
 *
 * status    receives the status; any is an answer. 0: there was none.
 */
const wpa_json *wpa_issuer_ask(const wpa_issuer *issuer, const char *url, const char *form,
                               wpa_arena *arena, int *status, wpa_error *err);
/** What the discovery document says. */
bool wpa_issuer_discover(const wpa_issuer *issuer, wpa_arena *arena, wpa_issuer_endpoints *found,
                         wpa_error *err) WPA_CHECK;
