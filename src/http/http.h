/*
 * HTTP and HTTPS requests with deadlines and limits. What is asked for may have been written by
 * anybody, so addresses that only this host can reach for its own sake (link-local, the metadata
 * services of clouds) are refused at the moment of connecting, whatever name led there.
 */
#pragma once

#include <stdint.h>

#include <wpa/arena.h>

#define WPA_HTTP_MAX_REDIRECTS 3

typedef struct wpa_http_request {
    const char *method;         /* NULL: GET, or POST if there is a body */
    const char *url;            /* http or https, no other */
    const char *const *headers; /* "Name: value", NULL behind the last; NULL: none */
    const char *body;           /* [body_bytes]; NULL: none */
    size_t body_bytes;
    int64_t timeout_ms;       /* of everything together; 0: 10 s */
    size_t max_body_bytes;    /* of the answer; 0: 1 MiB */
    bool is_redirect_refused; /* an answer 3xx is handed back as it is */
    const char *tls_roots;    /* file of trusted certificates; NULL: the system's */
    bool (*is_cancelled)(void *context);
    void *cancel_context;
} wpa_http_request;

typedef struct wpa_http_response {
    int status;
    const char *body; /* [body_bytes], NUL-terminated; hostile */
    size_t body_bytes;
    const char *content_type; /* "" if not told */
    const char *url;          /* that answered, after redirects */
    const char *address;      /* that answered */
    int64_t latency_ms;       /* from start to last byte */
} wpa_http_response;

/** Once, before threads. */
bool wpa_http_init(wpa_error *err) WPA_CHECK;

/**
 * Send and wait. Any status is an answer, not an error.
 *
 * Errors    WPA_E_INVALID (URL, header, other protocol), WPA_E_REFUSED (address that is not asked),
 *           WPA_E_TIMEOUT, WPA_E_LIMIT (body, redirects), WPA_E_UNAVAILABLE (name, connection,
 * TLS), WPA_E_CANCELLED.
 */
const wpa_http_response *wpa_http_send(const wpa_http_request *request, wpa_arena *arena,
                                       wpa_error *err);

struct sockaddr;
/** Why this address is never connected to, or NULL if it may be. */
const char *wpa_http_address_refusal(const struct sockaddr *address);
