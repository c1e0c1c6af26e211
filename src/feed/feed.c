#include "feed/feed.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <wpa/memory.h>
#include <wpa/text.h>

#include "feed/parts.h"

bool wpa_feed_send(wpa_feed *feed, wpa_msg *msg)
{
    wpa_error err = {0};
    return wpa_queue_push(feed->inbox, msg, WPA_QUEUE_WAIT, &err);
}

void wpa_feed_reply(wpa_feed *feed, const wpa_command *command, const wpa_error *error,
                    wpa_object object, const char *text)
{
    wpa_msg *msg = wpa_msg_new(WPA_FEED_REPLY);
    wpa_reply_view *view = wpa_arena_alloc(msg->arena, sizeof *view);
    *view = (wpa_reply_view){
        .request_id = command->request_id,
        .kind = command->kind,
        .error = *error,
        .object = object,
        .text = wpa_arena_text(msg->arena, text),
    };
    msg->body = view;
    (void)!wpa_feed_send(feed, msg);
}

bool wpa_feed_order_push(wpa_queue *queue, wpa_feed_order_kind kind, wpa_command *command,
                         const wpa_actor *actor, wpa_error *err)
{
    wpa_msg *msg = wpa_msg_new(kind);
    wpa_feed_order *order = wpa_arena_alloc(msg->arena, sizeof *order);
    order->command = command;
    if (actor) {
        order->actor = *actor;
    }
    msg->body = order;
    if (!wpa_queue_push(queue, msg, WPA_QUEUE_REFUSE, err)) {
        wpa_command_free(command);
        return false;
    }
    return true;
}

void wpa_feed_orders_drain(wpa_queue *queue)
{
    for (wpa_msg *msg = wpa_queue_pop(queue); msg; msg = wpa_queue_pop(queue)) {
        wpa_command_free(((wpa_feed_order *)msg->body)->command);
        wpa_msg_free(msg);
    }
}

/** Looking is the data thread's; acting is the quick lane's. */
static bool submit(void *context, wpa_command *command, wpa_error *err)
{
    wpa_feed *feed = context;
    bool is_looking = command->kind == WPA_COMMAND_WATCH_LIST ||
                      command->kind == WPA_COMMAND_WATCH_OBJECT ||
                      command->kind == WPA_COMMAND_REFRESH;
    return wpa_feed_order_push(is_looking ? feed->to_reader : feed->quick.orders, WPA_ORDER_COMMAND,
                               command, NULL, err);
}

static void copy_options(wpa_feed *feed, const wpa_feed_options *options)
{
    char host[256] = "wpa";
    (void)gethostname(host, sizeof host - 1);
    feed->options = *options;
    feed->options.fleet = wpa_arena_text(feed->arena, options->fleet ? options->fleet : host);
    wpa_engine_options *engine = &feed->options.engine;
    engine->dsn = wpa_arena_text(feed->arena, engine->dsn);
    engine->state_folder = wpa_arena_text(feed->arena, engine->state_folder);
    engine->cache_folder = wpa_arena_text(feed->arena, engine->cache_folder);
    engine->name = wpa_arena_text(feed->arena, engine->name);
}

wpa_feed *wpa_feed_open(const wpa_feed_options *options, wpa_error *err)
{
    wpa_feed *feed = wpa_alloc(sizeof *feed);
    feed->arena = wpa_arena_new();
    copy_options(feed, options);
    wpa_session_locate(&feed->where);
    feed->inbox = wpa_queue_new(WPA_FEED_INBOX_MAX);
    feed->to_reader = wpa_queue_new(WPA_FEED_ORDERS_MAX);
    feed->quick = (wpa_feed_lane){.feed = feed, .orders = wpa_queue_new(WPA_FEED_ORDERS_MAX)};
    feed->slow = (wpa_feed_lane){.feed = feed, .orders = wpa_queue_new(WPA_FEED_ORDERS_MAX)};
    feed->port = (wpa_console_port){.context = feed, .submit = submit, .inbox = feed->inbox};
    if (pthread_create(&feed->reader, NULL, wpa_feed_read, feed) != 0) {
        (void)WPA_FAIL(err, WPA_E_INTERNAL, "cannot start the data thread");
        wpa_feed_close(feed);
        return NULL;
    }
    feed->is_reader_started = true;
    return feed;
}

wpa_console_port *wpa_feed_port(wpa_feed *feed)
{
    return &feed->port;
}

static void stop_lane(wpa_feed_lane *lane)
{
    if (lane->is_started) {
        (void)pthread_join(lane->thread, NULL);
    }
}

static void free_orders(wpa_queue *queue)
{
    wpa_feed_orders_drain(queue);
    wpa_queue_free(queue);
}

void wpa_feed_close(wpa_feed *feed)
{
    if (!feed) {
        return;
    }
    atomic_store(&feed->is_closing, true);
    wpa_queue_close(feed->inbox);
    wpa_queue_close(feed->to_reader);
    wpa_queue_close(feed->quick.orders);
    wpa_queue_close(feed->slow.orders);
    if (feed->is_reader_started) {
        (void)pthread_join(feed->reader, NULL); /* it starts the lanes, so it goes first */
    }
    stop_lane(&feed->quick);
    stop_lane(&feed->slow);
    wpa_feed_browser_end(feed);
    if (feed->engine) {
        wpa_feed_session_leave(feed);
        wpa_engine_close(feed->engine);
    }
    free_orders(feed->to_reader);
    free_orders(feed->quick.orders);
    free_orders(feed->slow.orders);
    wpa_queue_free(feed->inbox);
    wpa_arena_free(feed->arena);
    wpa_free(feed);
}
