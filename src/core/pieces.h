/*
 * The pieces that a printf format comes to, found without writing any of them: their lengths tell
 * how much room the text takes, so that it is written once, where it stays. Knows what most formats
 * are made of; printf itself is several times as long at it, and is for the others.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <wpa/error.h>

#define WPA_PIECES_MAX 24
#define WPA_PIECES_ROOM 128

typedef struct wpa_pieces {
    struct {
        const char *at; /* of the format, of the values, or of room */
        size_t length;
    } items[WPA_PIECES_MAX];
    size_t n;
    size_t length;              /* of all of them */
    char room[WPA_PIECES_ROOM]; /* numbers and characters */
    size_t n_room;
} wpa_pieces;

/**
 * Find the pieces of a format of %s, %.*s, %c, %d, %u, %zu, %ld, %lld and %%; values stay as they
 * were. The pieces borrow from both, and point into themselves.
 *
 * Returns   false if the format has anything else, too much of it, or a NULL to show: let printf
 *           have it.
 */
bool wpa_pieces_read(wpa_pieces *pieces, const char *format, va_list values) WPA_PRINTF(2, 0);
/** Write them, and a NUL: length + 1 bytes. */
void wpa_pieces_write(const wpa_pieces *pieces, char *to);
