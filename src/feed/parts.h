/* Inside src/feed only: the feed's parts and who owns them. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "agent/pool.h"
#include "auth/issuer.h"
#include "feed/feed.h"
#include "feed/reader.h"
#include "guardian/session.h"

#define WPA_FEED_INBOX_MAX 256
#define WPA_FEED_ORDERS_MAX 64

/** Kinds of messages in a lane or to the reader; the body is a wpa_feed_order. */
typedef enum wpa_feed_order_kind {
    WPA_ORDER_COMMAND = 1, /* command */
    WPA_ORDER_SIGNED_IN,   /* to the reader: the console may see the fleet */
    WPA_ORDER_SIGNED_OUT
} wpa_feed_order_kind;

typedef struct wpa_feed_order {
    wpa_command *command; /* owned by whoever popped the message */
    wpa_actor actor;      /* slow lane: in whose name */
} wpa_feed_order;

typedef struct wpa_feed_lane {
    wpa_feed *feed;
    wpa_queue *orders;
    pthread_t thread;
    bool is_started;
} wpa_feed_lane;

struct wpa_feed {
    wpa_arena *arena; /* texts; read-only once open */
    wpa_feed_options options;
    wpa_console_port port;
    wpa_queue *inbox;
    wpa_queue *to_reader;
    pthread_t reader;
    bool is_reader_started;
    bool was_live;             /* the reader had its database when it ended */
    wpa_feed_lane quick, slow; /* their threads start once the engine is open */
    wpa_engine *engine;        /* made by the reader before the lanes start */
    atomic_bool is_closing;
    /* owned by the quick lane */
    wpa_actor where;
    wpa_session session;
    bool is_signed_in, is_read_only;
    bool needs_code;                /* the last try lacked nothing but a one-time code */
    bool can_browse;                /* a provider is set */
    struct wpa_feed_flow *flow;     /* a sign-in by a browser that is waited for, or NULL */
    const wpa_device_flow *browser; /* what it shows, or NULL */
    char refusal[256];              /* why it ended, or "" */
};

/** He has closed the console: his session ends, so that he is gone for the others too. */
void wpa_feed_session_leave(wpa_feed *feed);
/** What the console's person looks at, told to the others. */
bool wpa_feed_session_place(wpa_feed *feed, const wpa_command *command, wpa_error *err) WPA_CHECK;
/** Push a message for the console; false once the console is gone. */
bool wpa_feed_send(wpa_feed *feed, wpa_msg *msg);
void wpa_feed_reply(wpa_feed *feed, const wpa_command *command, const wpa_error *error,
                    wpa_object object, const char *text);
bool wpa_feed_order_push(wpa_queue *queue, wpa_feed_order_kind kind, wpa_command *command,
                         const wpa_actor *actor, wpa_error *err) WPA_CHECK;
/** Frees what is still waiting, commands too. */
void wpa_feed_orders_drain(wpa_queue *queue);

/** Threads: argument is the feed, or its lane. */
void *wpa_feed_read(void *argument);
void *wpa_feed_serve_quick(void *argument);
void *wpa_feed_serve_slow(void *argument);

/** Send the session as it is now. */
void wpa_feed_send_session(wpa_feed *feed);
/** First view after the start: is there a guardian at all? */
void wpa_feed_first_session(wpa_feed *feed);
/** Read whether a browser elsewhere could sign in. */
void wpa_feed_browser_look(wpa_feed *feed, wpa_db *db);
/** Ask the provider for a code; the session view then shows it. */
bool wpa_feed_browser_begin(wpa_feed *feed, wpa_error *err) WPA_CHECK;
void wpa_feed_browser_end(wpa_feed *feed);
/** Milliseconds until the provider is to be asked again; -1: nothing is waited for. */
int wpa_feed_browser_wait_ms(const wpa_feed *feed);
/** Ask it if it is time. */
void wpa_feed_browser_step(wpa_feed *feed);
/** FIRST_GUARDIAN, SIGN_IN, SIGN_IN_READ_ONLY, SIGN_IN_BROWSER, SIGN_OUT. */
bool wpa_feed_session_command(wpa_feed *feed, const wpa_command *command, wpa_error *err) WPA_CHECK;
/** Does the session still stand? Signs out if it does not. */
bool wpa_feed_session_check(wpa_feed *feed, wpa_error *err) WPA_CHECK;
/** Everything else that changes something; object and text for the reply. */
bool wpa_feed_do(wpa_engine *engine, const wpa_actor *actor, const wpa_command *command,
                 wpa_arena *arena, wpa_object *object, const char **text, wpa_error *err) WPA_CHECK;
