/* Inside src/http only: what holds for every conversation, of whatever protocol. */
#pragma once

#include <curl/curl.h>

#include "http/http.h"

typedef struct wpa_http_guard {
    const char *refusal; /* of the last address that was refused */
    bool is_private_refused;
    bool (*is_cancelled)(void *context); /* NULL: never */
    void *cancel_context;
    char why[CURL_ERROR_SIZE];
} wpa_http_guard;

/** Time limit, checked addresses, no proxy, no signals; guard is borrowed as long as easy lives. */
void wpa_http_guard_put(wpa_http_guard *guard, CURL *easy, int64_t timeout_ms);
/** Fill err from what libcurl said about url. */
bool wpa_http_guard_fail(const wpa_http_guard *guard, CURLcode rc, const char *url, wpa_error *err);
