#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <wpa/clock.h>
#include <wpa/memory.h>

#include "console/ui.h"
#include "term/term.h"
#include "wall/wall.h"

#define LIVE_MS 100

typedef struct loop {
    wpa_ui *ui;
    wpa_term *term;
    wpa_keys keys;
    int64_t painted_ms, resized_ms;
    bool was_key, is_gone;
} loop;

static void handle_keys(loop *l, const wpa_key *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (keys[i].code == WPA_KEY_SYNC_MODE) {
            wpa_term_set_sync(l->term);
            continue;
        }
        l->keys.takes_text = wpa_ui_takes_text(l->ui);
        if (l->ui->is_wall) {
            wpa_wall_key(l->ui, &keys[i]);
        } else {
            wpa_ui_key(l->ui, &keys[i]);
        }
        l->was_key = true;
    }
}

static void read_keys(loop *l)
{
    char bytes[WPA_KEYS_READ_MAX];
    wpa_key keys[WPA_KEYS_MAX + 1];
    int n = wpa_term_read(l->term, bytes, sizeof bytes);
    if (n < 0) {
        l->is_gone = true;
        return;
    }
    l->keys.takes_text = wpa_ui_takes_text(l->ui);
    l->keys.has_mouse = l->ui->has_mouse;
    handle_keys(l, keys, wpa_keys_feed(&l->keys, bytes, (size_t)n, wpa_monotonic_ms(), keys));
}

static void resize(loop *l)
{
    int rows = 0, cols = 0;
    wpa_term_size(l->term, &rows, &cols);
    wpa_ui_resize(l->ui, rows, cols);
    l->was_key = true;
}

static void suspend(loop *l)
{
    l->ui->wants_suspend = false;
    wpa_term_suspend(l->term);
    resize(l);
    l->ui->wants_full = true;
}

static void read_signals(loop *l)
{
    for (;;) {
        switch (wpa_term_next_event(l->term)) {
        case WPA_TERM_NOTHING:
            return;
        case WPA_TERM_RESIZED:
            resize(l);
            break;
        case WPA_TERM_SUSPEND:
            suspend(l);
            break;
        case WPA_TERM_RESUMED:
            l->ui->wants_full = true;
            break;
        case WPA_TERM_LEAVE:
            l->ui->is_quitting = true;
            break;
        }
    }
}

/* Keys at once; live data at most ten times a second; nothing while a frame is on its way. */
static bool may_paint(const loop *l, int64_t now_ms)
{
    const wpa_ui *ui = l->ui;
    int64_t pause_ms = 1000 / (ui->config.live_fps ? ui->config.live_fps : 1000 / LIVE_MS);
    bool wants = ui->is_dirty || ui->wants_full || ui->theme_changed;
    return wants && !wpa_term_is_busy(l->term) &&
           (l->was_key || now_ms - l->painted_ms >= pause_ms);
}

static void paint(loop *l, int64_t now_ms)
{
    wpa_ui *ui = l->ui;
    if (ui->theme_changed) {
        wpa_term_set_theme(l->term, ui->themes[ui->theme]);
        ui->theme_changed = false;
    }
    if (ui->wants_bell) {
        wpa_term_bell(l->term);
        ui->wants_bell = false;
    }
    if (ui->clipboard) {
        wpa_term_copy(l->term, ui->clipboard);
        wpa_free(ui->clipboard);
        ui->clipboard = NULL;
    }
    wpa_term_set_mouse(l->term, ui->has_mouse && !ui->is_wall);
    if (ui->is_wall) {
        wpa_wall_paint(ui);
    } else {
        wpa_ui_paint(ui);
    }
    wpa_term_draw(l->term, ui->grid, ui->wants_full);
    ui->wants_full = false;
    l->painted_ms = now_ms;
    l->was_key = false;
}

static int wait_ms(const loop *l, int64_t now_ms)
{
    int wait = wpa_ui_wait_ms(l->ui);
    int keys = wpa_keys_wait_ms(&l->keys, now_ms);
    int64_t next = l->painted_ms + LIVE_MS - now_ms;
    if (l->ui->is_dirty && !wpa_term_is_busy(l->term) && next < wait) {
        wait = next < 0 ? 0 : (int)next;
    }
    return keys >= 0 && keys < wait ? keys : wait;
}

static bool run_loop(loop *l, wpa_error *err)
{
    wpa_ui *ui = l->ui;
    enum {
        TTY,
        OUTPUT,
        SIGNALS,
        INBOX,
        STOP,
        COUNT
    };
    while (!ui->is_quitting && !l->is_gone) {
        int64_t now_ms = wpa_monotonic_ms();
        struct pollfd fds[COUNT] = {
            [TTY] = {.fd = wpa_term_fd(l->term), .events = POLLIN},
            [OUTPUT] = {.fd = wpa_term_is_busy(l->term) ? wpa_term_fd(l->term) : -1,
                        .events = POLLOUT},
            [SIGNALS] = {.fd = wpa_term_signal_fd(l->term), .events = POLLIN},
            [INBOX] = {.fd = wpa_queue_fd(ui->port->inbox), .events = POLLIN},
            [STOP] = {.fd = ui->options->stop_fd > 0 ? ui->options->stop_fd : -1, .events = POLLIN},
        };
        if (poll(fds, COUNT, wait_ms(l, now_ms)) < 0 && errno != EINTR) {
            return WPA_FAIL(err, WPA_E_INTERNAL, "poll: %s", wpa_strerror(errno));
        }
        wpa_key keys[WPA_KEYS_MAX + 1];
        now_ms = wpa_monotonic_ms();
        wpa_ui_tick(ui, wpa_now_us());
        if (fds[TTY].revents) {
            read_keys(l);
        }
        handle_keys(l, keys, wpa_keys_tick(&l->keys, now_ms, keys));
        if (fds[OUTPUT].revents && !wpa_term_flush(l->term)) {
            l->is_gone = true;
        }
        if (fds[SIGNALS].revents) {
            read_signals(l);
        }
        if (!wpa_ui_read_inbox(ui) || fds[STOP].revents) {
            ui->is_quitting = true;
        }
        if (ui->wants_suspend) {
            suspend(l);
        }
        wpa_resume_follow(ui);
        if (may_paint(l, now_ms)) {
            paint(l, now_ms);
        }
    }
    return true;
}

static bool run(const wpa_ui_options *options, wpa_console_port *port, bool is_wall, wpa_error *err)
{
    WPA_AUTO(wpa_term) *term = wpa_term_open(options, err);
    if (!term) {
        return false;
    }
    int rows = 0, cols = 0;
    wpa_term_size(term, &rows, &cols);
    WPA_AUTO(wpa_ui) *ui = wpa_ui_new(options, port, wpa_term_text(term), rows, cols, err);
    if (!ui) {
        return false;
    }
    ui->is_ascii = wpa_term_is_ascii(term);
    ui->is_wall = is_wall;
    ui->config.reduces_motion |= options->reduces_motion;
    loop l = {.ui = ui, .term = term, .was_key = true};
    int64_t esc_ms = ui->config.esc_ms ? ui->config.esc_ms : options->is_over_ssh ? 50 : 25;
    wpa_keys_init(&l.keys, esc_ms);
    if (is_wall) {
        wpa_wall_start(ui);
    }
    bool is_good = run_loop(&l, err);
    wpa_resume_keep(ui);
    return is_good;
}

bool wpa_ui_run(const wpa_ui_options *options, wpa_console_port *port, wpa_error *err)
{
    return run(options, port, false, err);
}

bool wpa_wall_run(const wpa_ui_options *options, wpa_console_port *port, wpa_error *err)
{
    return run(options, port, true, err);
}
