/* Inside src/api only: event streams (Server-Sent Events) of what changes. */
#pragma once

#include "api/server.h"

#define WPA_API_STREAMS_MAX 4096
#define WPA_API_NEWS_MAX 256

/** In the connection's thread: begin to stream. Returns libmicrohttpd's result. */
int wpa_api_stream_open(wpa_api_call *call);
/** One event to every stream: event name and JSON data. Thread: any. */
void wpa_api_streams_tell(wpa_api *api, const char *event, const char *data);
/** Does anybody listen? */
bool wpa_api_streams_any(wpa_api *api);
/**
 * Notifications of the database, "patch:12" or "patch:*", as an event each, in their order.
 *
 * db        for what the numbers are known as; where it cannot say, ids are null.
 * payloads  [n], n at most WPA_API_NEWS_MAX.
 */
void wpa_api_news_tell(wpa_api *api, wpa_db *db, const char *const payloads[], size_t n);
/**
 * End those whose callers' tokens would not be taken any more: signed out, revoked, at their end,
 * of somebody who was disabled. Without a database all stay: it has no news either.
 */
void wpa_api_streams_check(wpa_api *api, wpa_db *db);
/** A sign of life where there was nothing for a while: a client that left is noticed by it. */
void wpa_api_streams_beat(wpa_api *api);
/** End all of them; call before the daemon stops. */
void wpa_api_streams_end(wpa_api *api);
extern const wpa_api_route wpa_api_events;
