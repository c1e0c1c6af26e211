/*
 * The pen of the terminal: curses names foreground, background and attributes anew for every
 * stretch of text. This lets through what it writes, with as few bytes as the change of the pen
 * needs, made only once something is drawn with it. It carries the pen over from frame to frame.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <wpa/buf.h>

typedef struct wpa_pen_state {
    int fg, bg;      /* WPA_PEN_DEFAULT, or a colour as it was named */
    unsigned attrs;  /* bits of the SGR numbers 1 to 7 */
    char charset;    /* of G0: 'B' is ASCII; 0 not known */
    bool is_unknown; /* something was set that is not kept track of: only a reset leaves it */
} wpa_pen_state;

#define WPA_PEN_DEFAULT (-1)

typedef struct wpa_pen {
    wpa_pen_state is, wanted; /* of the terminal now; of what is drawn next */
    bool can_undo;            /* the terminal knows 22, 24 and 27, which end single attributes */
} wpa_pen;

/** Of a terminal of which nothing is known. */
void wpa_pen_init(wpa_pen *pen, bool can_undo);
/** The terminal was told to reset its pen by somebody else. */
void wpa_pen_reset(wpa_pen *pen);
/** What curses wrote, a whole number of sequences, goes to out. */
void wpa_pen_pass(wpa_pen *pen, const char *bytes, size_t n, wpa_buf *out);
