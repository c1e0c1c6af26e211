/* The lanes: orders of the console, one after the other, each answered once. */
#include <poll.h>

#include "feed/parts.h"

static bool is_session_command(wpa_command_kind kind)
{
    return kind == WPA_COMMAND_FIRST_GUARDIAN || kind == WPA_COMMAND_SIGN_IN ||
           kind == WPA_COMMAND_SIGN_IN_READ_ONLY || kind == WPA_COMMAND_SIGN_IN_BROWSER ||
           kind == WPA_COMMAND_SIGN_OUT;
}

/** What reads many files or rows does not stand in front of a rollback. */
static bool is_slow(const wpa_command *command)
{
    wpa_command_kind kind = command->kind;
    return command->is_matching || kind == WPA_COMMAND_VERIFY_AUDIT ||
           kind == WPA_COMMAND_CREATE_PATCH || kind == WPA_COMMAND_DEPLOY ||
           kind == WPA_COMMAND_ANALYSE;
}

static void do_and_reply(wpa_feed *feed, const wpa_actor *actor, const wpa_command *command)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    wpa_object object = {WPA_OBJECT_NONE, 0};
    const char *text = NULL;
    if (!wpa_feed_do(feed->engine, actor, command, arena, &object, &text, &err) &&
        err.code == WPA_OK) {
        (void)WPA_FAIL(&err, WPA_E_INTERNAL, "%s failed", wpa_command_name(command->kind));
    }
    wpa_feed_reply(feed, command, &err, object, text);
}

static void serve_quick(wpa_feed *feed, wpa_command *taken)
{
    WPA_AUTO(wpa_command) *command = taken;
    wpa_error err = {0};
    const wpa_object none = {WPA_OBJECT_NONE, 0};
    if (is_session_command(command->kind)) {
        (void)!wpa_feed_session_command(feed, command, &err);
        wpa_feed_reply(feed, command, &err, none, NULL);
    } else if (!wpa_feed_session_check(feed, &err)) {
        wpa_feed_reply(feed, command, &err, none, NULL);
    } else if (command->kind == WPA_COMMAND_PLACE) {
        (void)!wpa_feed_session_place(feed, command, &err);
        wpa_feed_reply(feed, command, &err, none, NULL);
    } else if (is_slow(command)) {
        wpa_command *given = WPA_STEAL(command);
        const wpa_command head = {.kind = given->kind, .request_id = given->request_id};
        if (!wpa_feed_order_push(feed->slow.orders, WPA_ORDER_COMMAND, given, &feed->session.actor,
                                 &err)) {
            wpa_feed_reply(feed, &head, &err, none, NULL);
        }
    } else {
        do_and_reply(feed, &feed->session.actor, command);
    }
}

/** The next order, waiting for it; NULL once the lane is closed. */
static wpa_msg *next_order(wpa_feed_lane *lane)
{
    while (!atomic_load(&lane->feed->is_closing)) {
        wpa_msg *msg = wpa_queue_pop(lane->orders);
        if (msg) {
            return msg;
        }
        bool is_quick = lane == &lane->feed->quick; /* the flow is its own */
        struct pollfd fd = {.fd = wpa_queue_fd(lane->orders), .events = POLLIN};
        if (poll(&fd, 1, is_quick ? wpa_feed_browser_wait_ms(lane->feed) : -1) == 0) {
            wpa_feed_browser_step(lane->feed);
        }
    }
    return NULL;
}

void *wpa_feed_serve_quick(void *argument)
{
    wpa_feed_lane *lane = argument;
    wpa_feed_first_session(lane->feed);
    for (wpa_msg *msg = next_order(lane); msg; msg = next_order(lane)) {
        wpa_command *command = ((wpa_feed_order *)msg->body)->command;
        wpa_msg_free(msg);
        serve_quick(lane->feed, command);
    }
    return NULL;
}

void *wpa_feed_serve_slow(void *argument)
{
    wpa_feed_lane *lane = argument;
    for (wpa_msg *msg = next_order(lane); msg; msg = next_order(lane)) {
        const wpa_feed_order *order = msg->body;
        WPA_AUTO(wpa_command) *command = order->command;
        do_and_reply(lane->feed, &order->actor, command);
        wpa_msg_free(msg);
    }
    return NULL;
}
