/*
 * Arenas: all memory of one unit of work (an analysis, a request, a message, a frame), freed at
 * once. Not thread-safe: an arena belongs to whoever holds the unit of work.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include <wpa/error.h>

typedef struct wpa_arena wpa_arena;

/** A new, empty arena. Never NULL: out of memory logs and aborts. */
wpa_arena *wpa_arena_new(void);
void wpa_arena_free(wpa_arena *arena);
WPA_DEFINE_AUTO(wpa_arena, wpa_arena_free);

/** Give all memory back to the arena itself; what was allocated from it is gone. */
void wpa_arena_reset(wpa_arena *arena);

/** Zeroed memory, aligned for any type; valid until the arena is freed or reset. Never NULL. */
void *wpa_arena_alloc(wpa_arena *arena, size_t size_bytes);
/** Zeroed array of count items; aborts if the product overflows. */
void *wpa_arena_array(wpa_arena *arena, size_t count, size_t item_bytes);

void *wpa_arena_dup(wpa_arena *arena, const void *data, size_t size_bytes);
/** Copy of text; NULL gives NULL. */
char *wpa_arena_text(wpa_arena *arena, const char *text);
/** Copy of text[length], NUL-terminated. */
char *wpa_arena_slice(wpa_arena *arena, const char *text, size_t length);
char *wpa_arena_printf(wpa_arena *arena, const char *format, ...) WPA_PRINTF(2, 3);
char *wpa_arena_vprintf(wpa_arena *arena, const char *format, va_list values) WPA_PRINTF(2, 0);

/**
 * Room for one more item in an arena array.
 *
 * items     [n_items] so far, NULL at first; replaced by the returned array.
 * capacity  in/out, items there is room for, 0 at first; doubles when full.
 *
 * list->items = wpa_arena_grow(arena, list->items, list->n, &list->capacity, sizeof *list->items);
 * list->items[list->n++] = item;
 */
void *wpa_arena_grow(wpa_arena *arena, void *items, size_t n_items, size_t *capacity,
                     size_t item_bytes);

/** Bytes handed out since the arena was made or reset. */
size_t wpa_arena_used_bytes(const wpa_arena *arena);
