/* What the files of ui/term share: the terminal's state. */
#pragma once

#include <signal.h>
#include <stdio.h>
#include <termios.h>

#include <wpa/buf.h>

#include "gen/calls_ncursesw.h"
#include "term/pen.h"
#include "term/term.h"

typedef enum wpa_depth {
    WPA_DEPTH_MONO,
    WPA_DEPTH_8,
    WPA_DEPTH_16,
    WPA_DEPTH_256
} wpa_depth;

struct wpa_term {
    int fd, out_fd, frame_fd, signal_fd;
    FILE *out, *in; /* what curses believes to be the terminal */
    SCREEN *screen;
    bool has_mouse; /* its reports are on */
    struct termios saved;
    sigset_t saved_mask;
    bool has_mask, is_raw, is_ascii, has_sync;
    wpa_depth depth;
    char name[64], text[128];
    wpa_buf *unsent;
    size_t n_sent;
    wpa_buf *frame; /* what curses wrote for the one that is being made */
    wpa_pen pen;
    wpa_grid *shown; /* what the last frame showed */
    wpa_grid *next;  /* the same of the one that is being made */
    const wpa_theme *theme;
    attr_t attrs[WPA_PAINT_COUNT];
    int pairs[WPA_PAINT_COUNT];
};

/** Put the cells that differ from the last frame into curses' screen and let it write them. */
void wpa_screen_put(wpa_term *term, const wpa_grid *grid, bool is_full);
