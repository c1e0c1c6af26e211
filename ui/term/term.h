/*
 * The terminal: the only user of curses, and the only place where bytes leave for the screen.
 * curses writes its frames into a pipe; this module carries them to the terminal when it takes
 * them, so that nothing ever blocks and no frame is made while the last one is still on its way.
 */
#pragma once

#include <wpa/console.h>

#include "theme/theme.h"
#include "widgets/grid.h"

typedef struct wpa_term wpa_term;

/**
 * Take the terminal: raw mode, alternate screen, signals read from a descriptor.
 *
 * Errors  WPA_E_UNAVAILABLE: no terminal, or one whose cursor cannot be moved.
 */
wpa_term *wpa_term_open(const wpa_ui_options *options, wpa_error *err);
/** Leaves the terminal as it was found. */
void wpa_term_close(wpa_term *term);
WPA_DEFINE_AUTO(wpa_term, wpa_term_close);

/** Read end of the terminal; readable when there is input. */
int wpa_term_fd(const wpa_term *term);
/** Readable when a signal has come. */
int wpa_term_signal_fd(const wpa_term *term);

typedef enum wpa_term_event {
    WPA_TERM_NOTHING,
    WPA_TERM_RESIZED,
    WPA_TERM_SUSPEND, /* somebody wants us stopped: call wpa_term_suspend */
    WPA_TERM_RESUMED, /* continued from outside: repaint */
    WPA_TERM_LEAVE,   /* SIGTERM, SIGHUP, SIGINT */
} wpa_term_event;

/** Next signal that has come, NOTHING when there is none. */
wpa_term_event wpa_term_next_event(wpa_term *term);

void wpa_term_size(const wpa_term *term, int *rows, int *cols);
/** No Unicode on this terminal. */
bool wpa_term_is_ascii(const wpa_term *term);
/** "xterm-256color, 256 colours, UTF-8", for the sign-in screen. */
const char *wpa_term_text(const wpa_term *term);

/** What has been typed, at most size_bytes; 0 nothing; -1 the terminal has gone. */
int wpa_term_read(wpa_term *term, char *bytes, size_t size_bytes);

/** The terminal has said that it knows synchronized updates (DECRQM 2026). */
void wpa_term_set_sync(wpa_term *term);
/** Colours to use from the next frame on; borrowed until the next call or close. */
void wpa_term_set_theme(wpa_term *term, const wpa_theme *theme);

/** Is a frame still on its way? Then no other may be drawn: poll for POLLOUT and flush. */
bool wpa_term_is_busy(const wpa_term *term);
/** Make the terminal show the grid; sends what it can at once. is_full: repaint everything. */
void wpa_term_draw(wpa_term *term, const wpa_grid *grid, bool is_full);
/** Send more of what is on its way; false if the terminal has gone. */
bool wpa_term_flush(wpa_term *term) WPA_CHECK;
/** Ring, within the frames. */
void wpa_term_bell(wpa_term *term);
/** Hand text to the terminal's clipboard (OSC 52). */
void wpa_term_copy(wpa_term *term, const char *text);
/** Reports of buttons and the wheel, never of motion; while on, the terminal's own selection needs
 * Shift. */
void wpa_term_set_mouse(wpa_term *term, bool is_on);
/** Give the terminal back, stop the process, take the terminal again when continued. */
void wpa_term_suspend(wpa_term *term);
