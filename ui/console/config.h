/* console.yaml: what the guardian may set for himself. */
#pragma once

#include <wpa/yaml.h>

#include "keymap/keymap.h"

#define WPA_DASH_PANES 8

/** Panes of the dashboard, by their index in wpa_pane_names; none: by the size of the screen. */
typedef struct wpa_layout {
    int panes[WPA_DASH_PANES], n;
} wpa_layout;

extern const char *const wpa_pane_names[WPA_DASH_PANES];

/** "live needs_you": false with err if there is another word, or one twice. */
bool wpa_layout_parse(wpa_layout *layout, const char *text, wpa_error *err) WPA_CHECK;

#define WPA_WALL_PAGES 3

/** The wall's part of it. */
typedef struct wpa_wall_config {
    int pages[WPA_WALL_PAGES], n_pages; /* 0 overview, 1 findings, 2 runs, in the order to show */
    int64_t turn_ms;                    /* each stands so long */
    int dim_from, dim_to;               /* minutes of the day in UTC; the same: never dim */
} wpa_wall_config;

typedef struct wpa_config {
    const char *theme; /* NULL: auto */
    int unicode;       /* wpa_choice */
    int64_t esc_ms;    /* 0: auto */
    bool reduces_motion;
    bool has_seconds;    /* clock */
    bool rings;          /* bell for alarms */
    int mouse;           /* wpa_choice; m turns it on and off */
    bool restores;       /* goes on where its Guardian was */
    int64_t lock_ms;     /* idle lock; 0 never */
    int64_t rollback_ms; /* window after R; negative: as the session says */
    wpa_layout dash;
    wpa_wall_config wall;
    int64_t live_fps; /* at most so many frames a second for live data */
} wpa_config;

/**
 * Defaults, then what console.yaml says. Wrong parts keep their defaults.
 *
 * path    NULL: console.yaml in wpa_path_config; a file that is not there is fine.
 * faults  receives up to max messages with line and column, in the arena.
 *
 * Returns the number of faults.
 */
size_t wpa_ui_config_read(wpa_config *config, wpa_keymap *keymap, const char *path,
                          wpa_arena *arena, const char **faults, size_t max);
