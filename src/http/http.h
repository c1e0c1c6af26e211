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
    const char *shown_url;      /* what errors call it, where it holds a secret; NULL: url */
    const char *const *headers; /* "Name: value", NULL behind the last; NULL: none */
    const char *body;           /* [body_bytes]; NULL: none */
    size_t body_bytes;
    int64_t timeout_ms;       /* of everything together; 0: 10 s */
    size_t max_body_bytes;    /* of the answer; 0: 1 MiB */
    bool is_redirect_refused; /* an answer 3xx is handed back as it is */
    bool is_private_refused;  /* nor any address of the host's own network */
    const char *tls_roots;    /* file of trusted certificates; NULL: the system's */
    bool (*is_cancelled)(void *context);
    void *cancel_context;
} wpa_http_request;

typedef struct wpa_http_response {
    int status;
    const char *body; /* [body_bytes], NUL-terminated; hostile */
    size_t body_bytes;
    const char *content_type; /* "" if not told */
    const char *link;         /* the header "Link", hostile; "" if not told */
    const char *url;          /* that answered, after redirects */
    const char *address;      /* that answered */
    int64_t latency_ms;       /* from start to last byte */
    int64_t retry_after_ms;   /* that the server asks for; 0: it did not, or for more than a day */
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

/** A message to be handed to a mail server. */
typedef struct wpa_http_mail {
    const char *server; /* smtp://host:587 or smtps://host:465 */
    bool is_plain;      /* without TLS; else STARTTLS must succeed */
    const char *user, *password;
    const char *sender;            /* of the envelope */
    const char *const *recipients; /* NULL behind the last */
    const char *message;           /* [message_bytes]: headers, an empty line, body; CRLF */
    size_t message_bytes;
    int64_t timeout_ms; /* of everything together; 0: 10 s */
    bool is_private_refused;
    const char *tls_roots;
    bool (*is_cancelled)(void *context);
    void *cancel_context;
} wpa_http_mail;

/**
 * Hand a message over. True: the server has taken it for every recipient.
 *
 * answer    receives the server's last words (one line), in the arena; may be NULL.
 * status    receives the last code of three digits, 0: none came.
 *
 * Errors    as wpa_http_send, and WPA_E_DENIED (user and password are not taken).
 */
bool wpa_http_mail_send(const wpa_http_mail *mail, wpa_arena *arena, const char **answer,
                        int *status, wpa_error *err) WPA_CHECK;

struct sockaddr;
/** Why this address is never connected to, or NULL if it may be. */
const char *wpa_http_address_refusal(const struct sockaddr *address);
/** What makes it an address of a network of one's own, or NULL if it is anybody's. */
const char *wpa_http_address_private(const struct sockaddr *address);
