/*
 * The data thread: opens the engine, listens, reads what is watched, sends it. It owns its
 * connection and all watches.
 */
#include <poll.h>

#include <wpa/clock.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "feed/parts.h"
#include "gen/sql.h"

#define SEND_EVERY_MS 100 /* at most ten times a second */
#define IDLE_MS 5000      /* what only time changes (agents alive, ages) */
#define CLOCK_EVERY_MS 60000
#define COUNT_WITHIN_US 250000
#define RETRY_FIRST_MS 500
#define RETRY_MAX_MS 5000

typedef struct reader {
    wpa_feed *feed;
    wpa_db *db;
    wpa_list_watch lists[WPA_LIST_COUNT];
    uint64_t object_request;
    wpa_object object;
    bool is_signed_in, is_live, is_dirty, is_telling;
    wpa_feed_told told; /* notices, once is_telling */
    int64_t next_send_ms, next_idle_ms, next_clock_ms;
    wpa_link_view link;
    char reason[512], database[96];
} reader;

/* ---- link ---------------------------------------------------------------------------------------
 */

static void send_link(reader *r)
{
    wpa_msg *msg = wpa_msg_new(WPA_FEED_LINK);
    wpa_link_view *view = wpa_arena_alloc(msg->arena, sizeof *view);
    *view = r->link;
    view->reason = r->reason[0] ? wpa_arena_text(msg->arena, r->reason) : NULL;
    view->database = r->database[0] ? wpa_arena_text(msg->arena, r->database) : NULL;
    msg->body = view;
    (void)!wpa_feed_send(r->feed, msg);
}

static bool read_clock(reader *r, wpa_error *err)
{
    int64_t sent_us = wpa_now_us();
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(r->db, WPA_SQL_FEED_CLOCK, NULL, 0, err);
    if (!rows) {
        return false;
    }
    int64_t now_us = wpa_now_us();
    r->link.latency_ms = (double)(now_us - sent_us) / 1000;
    r->link.clock_offset_us = wpa_rows_int(rows, 0, 0) - (sent_us + now_us) / 2;
    (void)wpa_text_format(r->database, sizeof r->database, "%s%s", wpa_rows_text(rows, 0, 1),
                          wpa_engine_is_embedded(r->feed->engine) ? ", embedded" : "");
    r->next_clock_ms = wpa_monotonic_ms() + CLOCK_EVERY_MS;
    return true;
}

static void become_live(reader *r)
{
    r->is_live = true;
    r->is_dirty = true;
    r->reason[0] = '\0';
    r->link.state = WPA_LINK_LIVE;
    r->link.lost_at_us = r->link.next_try_us = 0;
    r->link.attempt = 0;
    send_link(r);
}

static void become_lost(reader *r, const wpa_error *why)
{
    r->is_live = false;
    if (r->link.state == WPA_LINK_LIVE) {
        r->link.state = WPA_LINK_LOST;
        r->link.lost_at_us = wpa_now_us() + r->link.clock_offset_us;
    }
    (void)wpa_text_copy(r->reason, sizeof r->reason, why->message);
}

/* ---- start --------------------------------------------------------------------------------------
 */

typedef struct starter {
    reader *r;
    const char *steps[16];
    size_t n;
} starter;

static void send_start(starter *s, bool is_failed)
{
    wpa_msg *msg = wpa_msg_new(WPA_FEED_START);
    wpa_start_view *view = wpa_arena_alloc(msg->arena, sizeof *view);
    wpa_start_step *steps = wpa_arena_array(msg->arena, s->n + 1, sizeof *steps);
    for (size_t i = 0; i < s->n; i++) {
        bool is_last = i + 1 == s->n;
        steps[i] = (wpa_start_step){.name = wpa_arena_text(msg->arena, s->steps[i]),
                                    .is_running = is_last && !is_failed,
                                    .is_done = !is_last,
                                    .is_failed = is_last && is_failed};
    }
    *view = (wpa_start_view){.title = "Starting", .steps = steps, .n_steps = s->n};
    msg->body = view;
    (void)!wpa_feed_send(s->r->feed, msg);
}

static void tell_step(void *context, const char *step)
{
    starter *s = context;
    if (s->n < WPA_COUNT(s->steps)) {
        s->steps[s->n++] = step; /* static texts of the engine */
        send_start(s, false);
    }
}

/** Wait, but wake at once when the console is left; false then. */
static bool rest(reader *r, int64_t ms)
{
    struct pollfd fd = {.fd = wpa_queue_fd(r->feed->to_reader), .events = POLLIN};
    (void)poll(&fd, 1, (int)ms);
    return !atomic_load(&r->feed->is_closing);
}

static bool start_lane(wpa_feed_lane *lane, void *(*serve)(void *))
{
    lane->is_started = pthread_create(&lane->thread, NULL, serve, lane) == 0;
    return lane->is_started;
}

static bool open_engine(reader *r)
{
    while (!atomic_load(&r->feed->is_closing)) {
        wpa_error err = {0};
        starter s = {.r = r};
        wpa_engine_options options = r->feed->options.engine;
        options.progress = tell_step;
        options.context = &s;
        r->feed->engine = wpa_engine_open(&options, &err);
        if (r->feed->engine) {
            return start_lane(&r->feed->quick, wpa_feed_serve_quick) &&
                   start_lane(&r->feed->slow, wpa_feed_serve_slow);
        }
        wpa_log_error(r->feed->options.engine.log, "feed", &err);
        send_start(&s, true);
        (void)wpa_error_text(&err, r->reason, sizeof r->reason);
        r->link.state = WPA_LINK_STARTING;
        r->link.attempt++;
        r->link.next_try_us = wpa_now_us() + (int64_t)RETRY_MAX_MS * 1000;
        send_link(r);
        if (!rest(r, RETRY_MAX_MS)) {
            return false;
        }
    }
    return false;
}

/* ---- connection ---------------------------------------------------------------------------------
 */

static bool connect_reader(reader *r, wpa_error *err)
{
    if (!r->db) {
        r->db = wpa_engine_connect_reader(r->feed->engine, err);
        return r->db && wpa_db_listen(r->db, WPA_SQL_DB_LISTEN_CHANGE, err) && read_clock(r, err);
    }
    return wpa_db_reconnect(r->db, err) && read_clock(r, err);
}

static void try_again(reader *r)
{
    wpa_error err = {0};
    r->link.next_try_us = 0;
    r->link.attempt++;
    send_link(r);
    if (connect_reader(r, &err)) {
        become_live(r);
        return;
    }
    become_lost(r, &err);
    int64_t pause_ms = (int64_t)RETRY_FIRST_MS << (r->link.attempt < 4 ? r->link.attempt : 4);
    pause_ms = pause_ms < RETRY_MAX_MS ? pause_ms : RETRY_MAX_MS;
    r->link.next_try_us = wpa_now_us() + r->link.clock_offset_us + pause_ms * 1000;
    send_link(r);
    (void)rest(r, pause_ms);
}

/* ---- sending ------------------------------------------------------------------------------------
 */

static bool send_made(reader *r, wpa_msg *msg)
{
    return msg && wpa_feed_send(r->feed, msg);
}

/**
 * What each term keeps out is told behind the rows, once for a filter, and only where the rows came
 * so soon that counting again is not felt: the next thing typed waits for it.
 */
static bool send_counts(reader *r, wpa_list_watch *watch, int64_t took_us, wpa_error *err)
{
    bool is_new = !watch->is_answered;
    watch->is_answered = true;
    if (!is_new || watch->query.n_terms < 2 || took_us > COUNT_WITHIN_US) {
        return true;
    }
    watch->counts_terms = true;
    wpa_msg *msg = wpa_feed_list(r->db, watch, err);
    watch->counts_terms = false;
    return send_made(r, msg);
}

/** A list that cannot be read (its filter takes too long) is told of; all else goes on. */
static bool send_list(reader *r, wpa_list_watch *watch, wpa_error *err)
{
    if (!watch->arena) {
        return true;
    }
    wpa_msg *msg = wpa_feed_list(r->db, watch, err);
    int64_t took_us = msg ? ((const wpa_list_view *)msg->body)->took_us : 0;
    if (msg || err->code == WPA_E_UNAVAILABLE || wpa_db_is_lost(r->db)) {
        return send_made(r, msg) && send_counts(r, watch, took_us, err);
    }
    const wpa_command command = {.kind = WPA_COMMAND_WATCH_LIST, .request_id = watch->request_id};
    wpa_feed_reply(r->feed, &command, err, (wpa_object){WPA_OBJECT_NONE, 0}, NULL);
    wpa_log_error(r->feed->options.engine.log, "feed", err);
    wpa_error_clear(err);
    return true;
}

static bool send_lists(reader *r, wpa_error *err)
{
    for (size_t i = 0; i < WPA_LIST_COUNT; i++) {
        if (!send_list(r, &r->lists[i], err)) {
            return false;
        }
    }
    return true;
}

static bool send_object(reader *r, wpa_error *err)
{
    return !r->object.kind ||
           send_made(r, wpa_feed_detail(r->db, r->object_request, r->object, err));
}

static bool send_notices(reader *r, wpa_error *err)
{
    if (!r->is_telling) {
        r->is_telling = wpa_feed_told_begin(r->db, &r->told, err);
        return r->is_telling;
    }
    return wpa_feed_notices(r->db, &r->told, r->feed->inbox, err);
}

/** Everything watched. A big fleet takes longer to read: then it is read less often. */
static bool send_all(reader *r, wpa_error *err)
{
    int64_t started_ms = wpa_monotonic_ms();
    r->is_dirty = false;
    if (!send_notices(r, err) || !send_made(r, wpa_feed_dashboard(r->db, WPA_UNKNOWN, err)) ||
        !send_lists(r, err) || !send_object(r, err)) {
        return false;
    }
    int64_t now_ms = wpa_monotonic_ms();
    int64_t pause_ms = 3 * (now_ms - started_ms);
    r->next_send_ms = now_ms + (pause_ms > SEND_EVERY_MS ? pause_ms : SEND_EVERY_MS);
    r->next_idle_ms = now_ms + IDLE_MS;
    return true;
}

/* ---- what the console asks ---- */

static void watch_list(reader *r, wpa_command *command)
{
    if ((unsigned)command->query.list >= WPA_LIST_COUNT) {
        return;
    }
    wpa_list_watch *watch = &r->lists[command->query.list];
    wpa_arena_free(watch->arena);
    *watch = (wpa_list_watch){0};
    if (command->query.n_before > 0 || command->query.n_after > 0) {
        watch->request_id = command->request_id;
        watch->query = command->query;
        watch->arena = WPA_STEAL(command->arena); /* the query lives in it */
    }
}

/** Answer one order at once; false only if the connection is lost. */
static bool take_order(reader *r, const wpa_msg *msg, wpa_error *err)
{
    wpa_feed_order *order = msg->body;
    WPA_AUTO(wpa_command) *command = order->command;
    if (msg->kind == WPA_ORDER_SIGNED_IN || msg->kind == WPA_ORDER_SIGNED_OUT) {
        r->is_signed_in = msg->kind == WPA_ORDER_SIGNED_IN;
        r->is_dirty = true;
        r->next_send_ms = 0;
        return true;
    }
    if (command->kind == WPA_COMMAND_WATCH_LIST) {
        size_t list = (size_t)command->query.list;
        watch_list(r, command);
        return !r->is_live || !r->is_signed_in || list >= WPA_LIST_COUNT ||
               send_list(r, &r->lists[list], err);
    }
    if (command->kind == WPA_COMMAND_WATCH_OBJECT) {
        r->object = command->object;
        r->object_request = command->request_id;
        return !r->is_live || !r->is_signed_in || send_object(r, err);
    }
    const wpa_error none = {0};
    r->is_dirty = true;
    r->next_send_ms = 0;
    wpa_feed_reply(r->feed, command, &none, (wpa_object){WPA_OBJECT_NONE, 0}, NULL);
    return true;
}

static bool take_orders(reader *r, wpa_error *err)
{
    for (wpa_msg *msg = wpa_queue_pop(r->feed->to_reader); msg;
         msg = wpa_queue_pop(r->feed->to_reader)) {
        bool is_good = take_order(r, msg, err);
        wpa_msg_free(msg);
        if (!is_good) {
            return false;
        }
    }
    return true;
}

/* ---- the loop ---- */

static int64_t wait_ms(const reader *r)
{
    int64_t now_ms = wpa_monotonic_ms();
    int64_t until_ms = r->is_dirty ? r->next_send_ms : r->next_idle_ms;
    return until_ms > now_ms ? until_ms - now_ms : 0;
}

static bool turn(reader *r, wpa_error *err)
{
    wpa_db_note note;
    while (wpa_db_note_next(r->db, &note)) {
        r->is_dirty = true;
    }
    if (!take_orders(r, err)) {
        return false;
    }
    int64_t now_ms = wpa_monotonic_ms();
    if (now_ms >= r->next_clock_ms && !read_clock(r, err)) {
        return false;
    }
    if (!r->is_signed_in) {
        return wpa_db_wait(r->db, wpa_queue_fd(r->feed->to_reader), IDLE_MS, err);
    }
    bool is_due = (r->is_dirty && now_ms >= r->next_send_ms) || now_ms >= r->next_idle_ms;
    if (is_due && !send_all(r, err)) {
        return false;
    }
    return wpa_db_wait(r->db, wpa_queue_fd(r->feed->to_reader), (int)wait_ms(r), err);
}

static void loop(reader *r)
{
    while (!atomic_load(&r->feed->is_closing)) {
        wpa_error err = {0};
        if (!r->is_live) {
            (void)!take_orders(r, &err);
            try_again(r);
            continue;
        }
        if (!turn(r, &err) && !atomic_load(&r->feed->is_closing)) {
            wpa_log_error(r->feed->options.engine.log, "feed", &err);
            if (err.code == WPA_E_UNAVAILABLE || wpa_db_is_lost(r->db)) {
                become_lost(r, &err);
            } else {
                r->next_send_ms = wpa_monotonic_ms() + RETRY_MAX_MS; /* a query of ours is wrong */
                r->next_idle_ms = r->next_send_ms;
            }
        }
    }
}

void *wpa_feed_read(void *argument)
{
    reader r = {.feed = argument, .link = {.latency_ms = WPA_UNKNOWN}};
    send_link(&r);
    if (open_engine(&r)) {
        loop(&r);
    }
    r.feed->was_live = r.is_live;
    for (size_t i = 0; i < WPA_LIST_COUNT; i++) {
        wpa_arena_free(r.lists[i].arena);
    }
    wpa_db_close(r.db);
    return NULL;
}
