/* Inside src/api only: how often one network may try what strangers may try. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct wpa_api_limits wpa_api_limits;

wpa_api_limits *wpa_api_limits_new(void);
void wpa_api_limits_free(wpa_api_limits *limits);
/**
 * Count one try of an address; false if it has none left for now. Addresses of IPv6 count by their
 * network of 64 bits, one of IPv4 that is written as IPv6 counts as itself.
 *
 * what      is tried; each has a count of its own.
 * wait_s    receives the seconds until the next one.
 * Thread    any.
 */
bool wpa_api_limits_take(wpa_api_limits *limits, const char *what, const char *address,
                         int64_t now_ms, int64_t *wait_s);
/** Has the address a try left? Counts none. */
bool wpa_api_limits_has(wpa_api_limits *limits, const char *what, const char *address,
                        int64_t now_ms);
