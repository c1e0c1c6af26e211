/*
 * From bytes to keys. The decoder sees each read as a whole, because a key that changes the fleet
 * counts only if it was a lone key press: no other byte in the same read, none in the 5 ms before,
 * no escape sequence left unfinished in the last 250 ms, no paste open. Sequences that are not
 * known are swallowed whole, never read as letters.
 */
#pragma once

#include <stdint.h>

#include <wpa/error.h>

typedef enum wpa_key_code {
    WPA_KEY_NONE,
    WPA_KEY_CHAR, /* character: a code point, printable */
    WPA_KEY_CTRL, /* character: 'a' to 'z' */
    WPA_KEY_ENTER,
    WPA_KEY_TAB,
    WPA_KEY_BACK_TAB,
    WPA_KEY_ESC,
    WPA_KEY_BACKSPACE,
    WPA_KEY_DELETE,
    WPA_KEY_UP,
    WPA_KEY_DOWN,
    WPA_KEY_LEFT,
    WPA_KEY_RIGHT,
    WPA_KEY_HOME,
    WPA_KEY_END,
    WPA_KEY_PAGE_UP,
    WPA_KEY_PAGE_DOWN,
    WPA_KEY_F1,
    WPA_KEY_F2,
    WPA_KEY_F5,
    /* not keys, but what else arrives */
    WPA_KEY_PASTE_DROPPED, /* pasted text with no field open */
    WPA_KEY_SYNC_MODE,     /* terminal knows synchronized updates */
    WPA_KEY_BACKGROUND,    /* character: 0 dark, 1 light */
    WPA_KEY_MOUSE,         /* character: the button, 64 and 65 the wheel; pressed at row, col */
    WPA_KEY_MOUSE_LET_GO,  /* the same, when the button is let go */
} wpa_key_code;

typedef struct wpa_key {
    wpa_key_code code;
    uint32_t character;
    bool is_alone; /* was a lone key press: may change the fleet */
    int row, col;  /* of the mouse, from 0 */
} wpa_key;

#define WPA_KEYS_READ_MAX 4096 /* bytes of one read */
/* Keys of one read: a byte is one at most, and what was pending before it may be another. */
#define WPA_KEYS_MAX (WPA_KEYS_READ_MAX + 1)
#define WPA_SEQUENCE_MAX 256 /* bytes of an escape sequence that are remembered */

typedef struct wpa_keys {
    int64_t esc_ms;  /* a lone Esc is decided after this long */
    bool takes_text; /* a field is open: bursts and pastes are text */
    bool has_mouse;  /* its reports were asked for; others are swallowed */
    /* what has been read and not decided */
    char pending[WPA_SEQUENCE_MAX];
    size_t n_pending;
    int state;
    bool is_paste_open;
    bool is_line_broken; /* of a paste: a blank, if more text follows */
    int64_t pending_since_ms, last_byte_ms, guard_until_ms;
} wpa_keys;

void wpa_keys_init(wpa_keys *keys, int64_t esc_ms);
/**
 * Decode what one read brought. In a field all of it is text; elsewhere a burst of letters, or of
 * more keys than anybody presses, is dropped with PASTE_DROPPED.
 *
 * n        at most WPA_KEYS_READ_MAX.
 * now_ms   monotonic, when the read returned.
 * out      [WPA_KEYS_MAX]
 *
 * Returns the number of keys in out.
 */
size_t wpa_keys_feed(wpa_keys *keys, const char *bytes, size_t n, int64_t now_ms, wpa_key *out);
/** Time has passed: an Esc that stayed alone becomes a key, an unfinished sequence goes. */
size_t wpa_keys_tick(wpa_keys *keys, int64_t now_ms, wpa_key *out);
/** Milliseconds until wpa_keys_tick has to be called, or -1. */
int wpa_keys_wait_ms(const wpa_keys *keys, int64_t now_ms);

/** "R", "Ctrl-R", "PgDn", "Space": as help and console.yaml write it; false if there is none. */
bool wpa_key_parse(const char *text, wpa_key *key) WPA_CHECK;
char *wpa_key_text(const wpa_key *key, char *text, size_t size_bytes);
bool wpa_key_is(const wpa_key *a, const wpa_key *b);
