/*
 * The feed: what stands between the console and the engine. Its data thread opens the engine, reads
 * what the console watches over a connection of its own, listens for changes and sends immutable
 * snapshots, at most ten times a second. Orders are carried out by two other threads (quick ones,
 * such as a rollback, never wait behind slow ones), in the name of whoever has signed in.
 *
 * When the database is cut off it says so and comes back by itself.
 */
#pragma once

#include <wpa/agent.h>
#include <wpa/console.h>

typedef struct wpa_feed wpa_feed;

typedef struct wpa_feed_options {
    wpa_engine_options engine; /* opened by the feed; progress and context are the feed's */
    const char *fleet;         /* name of the fleet; NULL: host name */
    bool is_wall;              /* no sign-in: a viewer without a session; needs engine.is_viewer */
    int64_t rollback_delay_ms; /* length of the window after R */
} wpa_feed_options;

/** Start the threads; returns at once. All texts are copied. */
wpa_feed *wpa_feed_open(const wpa_feed_options *options, wpa_error *err);
/** For wpa_ui_run, wpa_wall_run; valid until closed. */
wpa_console_port *wpa_feed_port(wpa_feed *feed);
/** Closes the inbox, ends the threads, signs out, closes the engine. */
void wpa_feed_close(wpa_feed *feed);
WPA_DEFINE_AUTO(wpa_feed, wpa_feed_close);
