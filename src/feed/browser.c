/* A sign-in by a browser elsewhere (OpenID Connect's device flow), in the quick lane: between
   orders the provider is asked whether somebody has said yes. */
#include <wpa/clock.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "feed/parts.h"
#include "guardian/vouched.h"

struct wpa_feed_flow {
    wpa_arena *arena;
    wpa_issuer *issuer;
    wpa_device_flow device;
    int64_t next_ms; /* monotonic: when to ask again */
};

void wpa_feed_browser_look(wpa_feed *feed, wpa_db *db)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error ignored = {0}; /* the passphrase still does */
    wpa_vouched_settings settings;
    feed->can_browse =
        db && wpa_vouched_read(db, arena, &settings, &ignored) && settings.issuer != NULL;
}

void wpa_feed_browser_end(wpa_feed *feed)
{
    struct wpa_feed_flow *flow = feed->flow;
    feed->flow = NULL;
    feed->browser = NULL;
    feed->refusal[0] = '\0';
    if (flow) {
        wpa_issuer_free(flow->issuer);
        wpa_arena_free(flow->arena);
        wpa_free(flow);
    }
}

bool wpa_feed_browser_begin(wpa_feed *feed, wpa_error *err)
{
    wpa_vouched_settings settings;
    struct wpa_feed_flow *flow = wpa_alloc(sizeof *flow);
    *flow = (struct wpa_feed_flow){.arena = wpa_arena_new()};
    feed->flow = flow;
    wpa_db *db = wpa_engine_take(feed->engine, err);
    bool is_read = db && wpa_vouched_read_all(db, flow->arena, &settings, err);
    wpa_engine_give(feed->engine, db);
    flow->issuer = is_read ? wpa_vouched_issuer(&settings, feed->options.engine.log, err) : NULL;
    if (!flow->issuer || !wpa_device_begin(flow->issuer, flow->arena, &flow->device, err)) {
        wpa_feed_browser_end(feed);
        return false;
    }
    flow->next_ms = wpa_monotonic_ms() + flow->device.interval_ms;
    feed->browser = &flow->device;
    return true;
}

int wpa_feed_browser_wait_ms(const wpa_feed *feed)
{
    if (!feed->flow) {
        return -1;
    }
    int64_t left_ms = feed->flow->next_ms - wpa_monotonic_ms();
    return left_ms < 0 ? 0 : (int)left_ms;
}

static bool open_session(wpa_feed *feed, const char *id_token, wpa_error *err)
{
    struct wpa_feed_flow *flow = feed->flow;
    wpa_db *db = wpa_engine_take(feed->engine, err);
    wpa_session session;
    bool is_in =
        db && wpa_vouched_sign_in(db, flow->issuer, id_token, flow->device.nonce, &feed->where,
                                  "console", feed->options.engine.log, &session, err);
    wpa_engine_give(feed->engine, db);
    if (is_in) {
        feed->session = session;
        feed->is_signed_in = true;
        feed->is_read_only = feed->needs_code = false;
    }
    return is_in;
}

void wpa_feed_browser_step(wpa_feed *feed)
{
    struct wpa_feed_flow *flow = feed->flow;
    wpa_error err = {0};
    const char *id_token = NULL;
    if (!flow || wpa_monotonic_ms() < flow->next_ms) {
        return;
    }
    wpa_device_state state =
        wpa_device_poll(flow->issuer, &flow->device, flow->arena, &id_token, &err);
    flow->next_ms = wpa_monotonic_ms() + flow->device.interval_ms;
    if (state == WPA_DEVICE_PENDING) {
        return;
    }
    bool is_in = state == WPA_DEVICE_DONE && open_session(feed, id_token, &err);
    wpa_feed_browser_end(feed);
    if (!is_in) {
        char text[sizeof err.message + sizeof err.context + 8];
        (void)wpa_text_copy(feed->refusal, sizeof feed->refusal,
                            wpa_error_text(&err, text, sizeof text));
    }
    wpa_feed_send_session(feed);
}
