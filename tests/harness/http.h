/* A small HTTP server on a free port of 127.0.0.1, in a thread of the test. */
#pragma once

typedef struct wpa_http_server wpa_http_server;

/**
 * Paths: /ok (200 "fine"), /status/N, /echo (the request itself), /loop (redirects to itself),
 * /to?URL (redirects to URL), /slow (never answers), /big (2 MiB), /flaky (200 and 500 by turns),
 * /json ({"errors": 3, "rate": [0.5]}).
 */
wpa_http_server *wpa_http_server_start(void);
void wpa_http_server_stop(wpa_http_server *server);
int wpa_http_server_port(const wpa_http_server *server);
