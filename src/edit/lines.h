/* Texts as lines, and the shortest way from one to the other. Private to src/edit. */
#pragma once

#include <wpa/text.h>

typedef struct wpa_lines {
    wpa_slice *items; /* [n] line breaks included */
    size_t n;
} wpa_lines;

/** What happened to the lines: kept, removed or added. */
typedef struct wpa_line_script {
    char *ops; /* [n] ' ', '-' or '+', in order of the output */
    size_t n;
} wpa_line_script;

wpa_lines wpa_lines_split(const char *text, size_t size_bytes, wpa_arena *arena);
/**
 * By Myers' algorithm; what differs too much for it in pieces between the lines that both texts
 * have once, and what differs too much still is replaced as a whole.
 */
wpa_line_script wpa_lines_compare(wpa_lines a, wpa_lines b, wpa_arena *arena);
