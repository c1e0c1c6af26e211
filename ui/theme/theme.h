/*
 * Themes: what the roles look like. Ours are compiled in from themes/; a user's stand in the
 * configuration folder's themes/ and may inherit from ours.
 */
#pragma once

#include <stdint.h>

#include <wpa/arena.h>

#include "paint.h"

enum { /* attributes */
    WPA_ATTR_BOLD = 1,
    WPA_ATTR_UNDERLINE = 2,
    WPA_ATTR_REVERSE = 4,
    WPA_ATTR_DIM = 8,
};

#define WPA_COLOR_DEFAULT (-1) /* the terminal's own */

typedef struct wpa_style {
    int fg_256, bg_256;        /* 0 to 255 or WPA_COLOR_DEFAULT */
    int fg_16, bg_16;          /* 0 to 15 or WPA_COLOR_DEFAULT */
    uint32_t fg_true, bg_true; /* 0xRRGGBB, for contrast; valid where fg_256 is not default */
    unsigned attrs;            /* with colours */
    unsigned mono_attrs;       /* without */
} wpa_style;

typedef struct wpa_theme {
    const char *name;
    bool is_light;
    uint32_t background; /* 0xRRGGBB, against which contrast counts */
    wpa_style styles[WPA_PAINT_COUNT];
} wpa_theme;

/** A theme compiled in. */
typedef struct wpa_theme_file {
    const char *name; /* "dark" */
    const char *text; /* YAML */
} wpa_theme_file;
extern const wpa_theme_file wpa_theme_files[];
extern const size_t wpa_n_theme_files;

/** "wpa-dark" or "dark", ... of the compiled-in ones; NULL if there is none of this name. */
const wpa_theme_file *wpa_theme_find(const char *name);

/**
 * Read a theme.
 *
 * path   for messages; text  its YAML; both borrowed for the call.
 * arena  receives the theme.
 *
 * Errors  WPA_E_INVALID: unknown role or colour, contrast of a text role under 4.5 to 1, two
 *         patch states that look the same; the message has line and column.
 */
wpa_theme *wpa_theme_parse(const char *path, const char *text, wpa_arena *arena, wpa_error *err);
/** By name: user's folder first, then ours. Errors also NOT_FOUND. */
wpa_theme *wpa_theme_load(const char *name, wpa_arena *arena, wpa_error *err);

/** WCAG 2 contrast of two colours 0xRRGGBB, 1 to 21. */
double wpa_contrast(uint32_t a, uint32_t b);
