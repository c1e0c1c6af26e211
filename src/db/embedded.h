/*
 * wpa's own PostgreSQL: used when nobody named a database.
 *
 * One cluster per state folder, reached over a unix socket in a folder that only its user (and
 * root) can enter; no TCP. All wpa processes of the folder share one server: the first starts it,
 * the last one to leave stops it. A process killed at any moment leaves nothing to clean up: locks
 * go with their processes, a cluster half made is made again, a server that was killed is started
 * again by whoever uses it.
 *
 * As root the server runs as user postgres, and the cluster lies below the state folder if that
 * user can reach it (the folder is then opened to 0711), else in /var/lib/wpa/<hash of the folder>.
 */
#pragma once

#include <wpa/arena.h>
#include <wpa/log.h>

typedef enum wpa_embedded_step {
    WPA_EMBEDDED_FIND,
    WPA_EMBEDDED_CREATE, /* only at the first start */
    WPA_EMBEDDED_START,
    WPA_EMBEDDED_READY,
    WPA_EMBEDDED_STEP_COUNT
} wpa_embedded_step;

/** "create the database": what is being done, for the screen of the first start. */
const char *wpa_embedded_step_text(wpa_embedded_step step);

typedef struct wpa_embedded_options {
    const char *state_folder; /* exists; see wpa_path_state */
    /* Called before each step, in the thread that opens; may be NULL. */
    void (*progress)(void *context, wpa_embedded_step step);
    void *context;
    wpa_log *log; /* may be NULL; borrowed until close */
} wpa_embedded_options;

typedef struct wpa_embedded wpa_embedded;

/**
 * Make the cluster if there is none, start its server if it does not run, and count as a user of
 * it until closed. A thread of its own starts the server again if it dies.
 *
 * Returns   the handle, or NULL.
 * Errors    WPA_E_UNAVAILABLE (no PostgreSQL, or it does not start: with its own words),
 *           WPA_E_TIMEOUT, WPA_E_IO.
 */
wpa_embedded *wpa_embedded_open(const wpa_embedded_options *options, wpa_error *err);
/** Conninfo of the database; valid until closed. */
const char *wpa_embedded_dsn(const wpa_embedded *embedded);
/** Leave; the last one stops the server. Never fails: what goes wrong is logged. */
void wpa_embedded_close(wpa_embedded *embedded);
WPA_DEFINE_AUTO(wpa_embedded, wpa_embedded_close);
