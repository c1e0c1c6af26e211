/*
 * The REST API: the engine behind HTTP, for other software. Routes are rows (route.h); what they do
 * is the engine's work. One server per process; it owns its threads and connections.
 *
 * Threads: libmicrohttpd's own read and write the network and never wait for the database; workers
 * do the requests, each with a connection for looking; one more thread listens to the database,
 * wakes what waits for a job, feeds the event streams and ends what is too slow.
 */
#pragma once

#include <wpa/agent.h>

#define WPA_API_BASE "/api/v1/workflow-patch-agent"
#define WPA_API_DEFAULT_PORT 8000
#define WPA_API_BODY_MAX_BYTES ((size_t)4 << 20)
#define WPA_API_WORKERS_MAX 32

typedef struct wpa_api_options {
    const char *host;        /* address to listen on; NULL: 127.0.0.1 */
    int port;                /* 0: any free one, see wpa_api_port */
    const char *unix_socket; /* path of a socket instead of host and port, or NULL */
    int listen_fd;           /* socket handed over by systemd, or -1 */
    const char *keys_path;   /* signing keys of sessions, as auth/token.h reads them */
    const char *certificate; /* PEM files for TLS, or NULL: none */
    const char *private_key;
    const char *const *trusted_proxies; /* [n] addresses whose X-Forwarded-For counts */
    size_t n_trusted_proxies;
    int n_workers;            /* 0: 4 */
    bool is_open_to_viewers;  /* GETs need the viewer role only */
    bool are_metrics_open;    /* /metrics needs no token */
    int64_t request_seconds;  /* in which a request must have arrived; 0: 30 */
    unsigned connections_max; /* 0: 4096 */
    wpa_log *log;             /* borrowed; may be NULL */
} wpa_api_options;

typedef struct wpa_api wpa_api;

/**
 * Listen and serve until wpa_api_stop.
 *
 * engine    borrowed; outlives the server.
 *
 * Errors    WPA_E_INVALID (address, certificate), WPA_E_IO (port taken), WPA_E_UNAVAILABLE.
 */
wpa_api *wpa_api_start(wpa_engine *engine, const wpa_api_options *options, wpa_error *err);
/** Port it listens on; 0 for a unix socket. */
int wpa_api_port(const wpa_api *api);
/** Take no new connections, let what is running end (at most grace_ms), close. */
void wpa_api_stop(wpa_api *api, int64_t grace_ms);
static inline void wpa_api_stop_now(wpa_api *api)
{
    wpa_api_stop(api, 0);
}
WPA_DEFINE_AUTO(wpa_api, wpa_api_stop_now);
