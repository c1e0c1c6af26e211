/* A line of text being typed. A secret one shows dots, keeps no copies and is wiped. */
#pragma once

#include "term/keys.h"
#include "widgets/draw.h"

#define WPA_FIELD_MAX_BYTES 1024

typedef struct wpa_field {
    char text[WPA_FIELD_MAX_BYTES];
    size_t length, at; /* bytes; at is where the next character goes */
    bool is_secret;
} wpa_field;

/** Empty again; a secret is wiped. */
void wpa_field_clear(wpa_field *field);
void wpa_field_set(wpa_field *field, const char *text);
/** Takes the key if it edits the text: false if it means something else. */
bool wpa_field_key(wpa_field *field, const wpa_key *key);
/** Draws it into width cells, rest filled with rest (0: blanks); the cursor rests in it if focused.
 */
void wpa_field_draw(const wpa_field *field, const wpa_canvas *canvas, int row, int col, int width,
                    uint32_t rest, bool is_focused);
/** Flags on the cells that these bytes of the text were drawn in by wpa_field_draw. */
void wpa_field_flag(const wpa_field *field, const wpa_canvas *canvas, int row, int col, int width,
                    size_t from, size_t to, uint16_t flags);
