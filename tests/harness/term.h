/*
 * A program in a pseudo-terminal, its output read by a terminal emulator (libvterm) into a grid.
 * Tests send bytes as a keyboard does and wait for text to appear, never for time to pass.
 */
#pragma once

#include <wpa/arena.h>

typedef struct wpa_tty wpa_tty;

/**
 * Start a program.
 *
 * argv  NULL-terminated; argv[0] is found by PATH.
 * env   "NAME=value" lines that are added to ours, NULL-terminated; may be NULL. TERM is
 *       xterm-256color and LANG C.UTF-8 unless said otherwise here.
 *
 * Errors  WPA_E_IO.
 */
wpa_tty *wpa_tty_start(const char *const argv[], const char *const env[], int rows, int cols,
                       wpa_error *err);
/** Kills what still runs. */
void wpa_tty_free(wpa_tty *tty);
WPA_DEFINE_AUTO(wpa_tty, wpa_tty_free);

/** Type: one write, as a key press or a paste arrives. */
void wpa_tty_send(wpa_tty *tty, const char *bytes);
void wpa_tty_send_bytes(wpa_tty *tty, const char *bytes, size_t n);
void wpa_tty_resize(wpa_tty *tty, int rows, int cols);
void wpa_tty_signal(wpa_tty *tty, int signal_number);

/** Wait until the text stands on some row, if only for a moment; false after timeout_ms, or when
 * the program has ended. */
bool wpa_tty_wait(wpa_tty *tty, const char *text, int timeout_ms) WPA_CHECK;
/** The same for one of several texts, NULL-terminated. */
bool wpa_tty_wait_any(wpa_tty *tty, const char *const texts[], int timeout_ms) WPA_CHECK;
/** Wait until it stands nowhere. */
bool wpa_tty_wait_gone(wpa_tty *tty, const char *text, int timeout_ms) WPA_CHECK;
/** Wait until the program ends; its exit status, 128 + n for signal n, or -1 after timeout_ms. */
int wpa_tty_wait_exit(wpa_tty *tty, int timeout_ms);
/** Read for quiet_ms after the last byte: the screen has come to rest. */
void wpa_tty_settle(wpa_tty *tty, int quiet_ms);

bool wpa_tty_has(const wpa_tty *tty, const char *text);
/** The screen as text, a line feed behind each row. */
char *wpa_tty_text(const wpa_tty *tty, wpa_arena *arena);
/** Is the program on the alternate screen? */
bool wpa_tty_is_alternate(const wpa_tty *tty);
/** Bytes the program has written so far. */
size_t wpa_tty_bytes(const wpa_tty *tty);
int wpa_tty_pid(const wpa_tty *tty);
/** Are echo and line mode of the terminal on, as a shell leaves them? */
bool wpa_tty_is_cooked(const wpa_tty *tty);
/** Is the program stopped, as a shell would see? A signal to go on that comes before is lost. */
bool wpa_tty_is_stopped(const wpa_tty *tty);

/** Wait for the text; fails with the screen. */
void wpa_tty_expect(wpa_tty *tty, const char *text);
void wpa_tty_expect_gone(wpa_tty *tty, const char *text);
/** A key press of its own, once the screen has come to rest. */
void wpa_tty_press(wpa_tty *tty, const char *key);
/** A line behind a colon, once there is a place for it: what comes at once with the colon is
 * dropped as pasted. */
void wpa_tty_command(wpa_tty *tty, const char *line);
/** Esc, until it brings this text that did not stand there; then so long nothing that a letter
 * behind it cannot be taken for the end of a torn report. */
void wpa_tty_escape(wpa_tty *tty, const char *text);
