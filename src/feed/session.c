/* Signing in and out of the console; all of it in the quick lane's thread. */
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include <wpa/text.h>

#include "feed/parts.h"
#include "guardian/guardian.h"

#define DEFAULT_WINDOW_MS 3000

static const char *account_name(void)
{
    const char *name = getenv("USER"); // NOLINT(concurrency-mt-unsafe): nobody sets variables
    return name && name[0] ? name : NULL;
}

static void send_view(wpa_feed *feed, wpa_session_state state)
{
    wpa_msg *msg = wpa_msg_new(WPA_FEED_SESSION);
    wpa_session_view *view = wpa_arena_alloc(msg->arena, sizeof *view);
    char host[256] = "";
    (void)gethostname(host, sizeof host - 1);
    *view = (wpa_session_view){
        .state = state,
        .fleet = wpa_arena_text(msg->arena, feed->options.fleet),
        .host = wpa_arena_text(msg->arena, host),
        .user = wpa_arena_text(msg->arena, account_name()),
        .can_read_only = state != WPA_SESSION_FIRST_GUARDIAN,
        .tries_left = WPA_UNKNOWN,
        .rollback_delay_ms = feed->options.rollback_delay_ms,
    };
    if (state == WPA_SESSION_SIGNED_OUT) {
        view->needs_code = feed->needs_code;
        view->can_browse = feed->can_browse;
        view->browser_url = feed->browser ? wpa_arena_text(msg->arena, feed->browser->url) : NULL;
        view->browser_code =
            feed->browser ? wpa_arena_text(msg->arena, feed->browser->user_code) : NULL;
        view->refusal = feed->refusal[0] ? wpa_arena_text(msg->arena, feed->refusal) : NULL;
    }
    if (state == WPA_SESSION_SIGNED_IN) {
        view->name = wpa_arena_text(msg->arena, feed->session.actor.name);
        view->role = feed->session.actor.role;
        view->is_read_only = feed->is_read_only || view->role == WPA_ROLE_VIEWER;
        for (int i = 0; i < WPA_ACTION_COUNT; i++) {
            view->may[i] = wpa_role_allows(view->role, (wpa_action)i);
        }
    }
    msg->body = view;
    (void)!wpa_feed_send(feed, msg);
}

void wpa_feed_send_session(wpa_feed *feed)
{
    wpa_error err = {0};
    (void)!wpa_feed_order_push(feed->to_reader,
                               feed->is_signed_in ? WPA_ORDER_SIGNED_IN : WPA_ORDER_SIGNED_OUT,
                               NULL, NULL, &err);
    send_view(feed, feed->is_signed_in ? WPA_SESSION_SIGNED_IN : WPA_SESSION_SIGNED_OUT);
}

void wpa_feed_first_session(wpa_feed *feed)
{
    wpa_error err = {0};
    bool exists = true;
    if (feed->options.is_wall) {
        feed->session.actor = feed->where;
        feed->session.actor.role = WPA_ROLE_VIEWER;
        (void)wpa_text_copy(feed->session.actor.name, sizeof feed->session.actor.name, "wall");
        feed->is_signed_in = feed->is_read_only = true;
        wpa_feed_send_session(feed);
        return;
    }
    wpa_db *db = wpa_engine_take(feed->engine, &err);
    bool is_known = db && wpa_guardian_exists(db, &exists, &err);
    if (is_known) {
        wpa_feed_browser_look(feed, db);
    }
    wpa_engine_give(feed->engine, db);
    if (!is_known) {
        wpa_log_error(feed->options.engine.log, "feed", &err);
    }
    send_view(feed, exists ? WPA_SESSION_SIGNED_OUT : WPA_SESSION_FIRST_GUARDIAN);
}

static bool sign_in(wpa_feed *feed, wpa_db *db, const wpa_command *command, wpa_error *err)
{
    if (command->kind == WPA_COMMAND_SIGN_IN_READ_ONLY) {
        return wpa_session_open_read_only(db, &feed->where, &feed->session, err);
    }
    if (!command->name || command->secret_bytes == 0) {
        return WPA_FAIL(err, WPA_E_INVALID, "a name and a passphrase are needed");
    }
    WPA_AUTO(wpa_secret) *secret = wpa_secret_new(command->secret, command->secret_bytes);
    return (command->kind != WPA_COMMAND_FIRST_GUARDIAN ||
            wpa_guardian_create_first(db, &feed->where, command->name, secret, err)) &&
           wpa_session_sign_in(db, &feed->where, command->name, secret,
                               wpa_engine_codes_key(feed->engine), command->text, "console",
                               &feed->session, err);
}

/* The form asks for a code from now on, whatever else is wrong. */
static void want_code(wpa_feed *feed)
{
    if (feed->session.needs_code && !feed->needs_code) {
        feed->needs_code = true;
        send_view(feed, WPA_SESSION_SIGNED_OUT);
    }
}

static bool sign_out(wpa_feed *feed, wpa_db *db, wpa_error *err)
{
    bool was_in = feed->is_signed_in;
    feed->is_signed_in = feed->needs_code = false;
    wpa_feed_browser_look(feed, db);
    bool is_done = !was_in || feed->options.is_wall || wpa_session_end(db, &feed->session, err);
    wpa_feed_send_session(feed);
    return is_done;
}

bool wpa_feed_session_command(wpa_feed *feed, const wpa_command *command, wpa_error *err)
{
    wpa_db *db = wpa_engine_take(feed->engine, err);
    if (!db) {
        return false;
    }
    bool is_done = false;
    if (command->kind == WPA_COMMAND_SIGN_OUT) {
        is_done = sign_out(feed, db, err);
    } else if (command->kind == WPA_COMMAND_SIGN_IN_BROWSER) {
        wpa_feed_browser_end(feed);
        is_done = command->text || wpa_feed_browser_begin(feed, err);
        send_view(feed, WPA_SESSION_SIGNED_OUT);
    } else {
        wpa_session before = feed->session;
        bool was_in = feed->is_signed_in;
        is_done = sign_in(feed, db, command, err);
        if (is_done) {
            wpa_error ignored = {0}; /* a session that is replaced may have ended by itself */
            (void)!(was_in && !feed->options.is_wall && wpa_session_end(db, &before, &ignored));
            feed->is_signed_in = true;
            feed->needs_code = false;
            feed->is_read_only = command->kind == WPA_COMMAND_SIGN_IN_READ_ONLY;
            wpa_feed_browser_end(feed);
            wpa_feed_send_session(feed);
        } else {
            want_code(feed);
            feed->session = before;
        }
    }
    wpa_engine_give(feed->engine, db);
    return is_done;
}

bool wpa_feed_session_check(wpa_feed *feed, wpa_error *err)
{
    if (!feed->is_signed_in) {
        return WPA_FAIL(err, WPA_E_DENIED, "sign in first");
    }
    if (feed->options.is_wall) {
        return true;
    }
    wpa_role before = feed->session.actor.role;
    wpa_db *db = wpa_engine_take(feed->engine, err);
    bool stands = db && wpa_session_check(db, &feed->session, err);
    wpa_engine_give(feed->engine, db);
    if (!stands && err->code == WPA_E_DENIED) {
        feed->is_signed_in = false;
        wpa_feed_send_session(feed);
    } else if (stands && feed->session.actor.role != before) {
        wpa_feed_send_session(feed);
    }
    return stands;
}

bool wpa_feed_session_place(wpa_feed *feed, const wpa_command *command, wpa_error *err)
{
    if (feed->options.is_wall) {
        return true;
    }
    wpa_db *db = wpa_engine_take(feed->engine, err);
    bool is_done =
        db && wpa_session_place(db, &feed->session, command->text ? command->text : "", err);
    wpa_engine_give(feed->engine, db);
    return is_done;
}

void wpa_feed_session_leave(wpa_feed *feed)
{
    /* Nobody waits at his shell for a database that is gone: others see it by his silence then. */
    if (!feed->is_signed_in || feed->options.is_wall || !feed->was_live) {
        return;
    }
    wpa_error err = {0};
    wpa_db *db = wpa_engine_take(feed->engine, &err);
    bool is_told = db && wpa_session_end(db, &feed->session, &err);
    wpa_engine_give(feed->engine, db);
    if (!is_told) {
        wpa_log_error(feed->options.engine.log, "feed", &err);
    }
}
