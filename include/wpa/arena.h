/*
 * Arenas: all memory of one unit of work (an analysis, a request, a message, a frame), freed at
 * once. Not thread-safe: an arena belongs to whoever holds the unit of work.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <wpa/error.h>

typedef struct wpa_arena wpa_arena;

/**
 * What one unit of work may do: counted, not timed, so that the same input ends at the same place
 * on every machine. Work is what is looked at, in steps of some ten nanoseconds; bytes are those
 * that its arenas hold. Allocating never fails by it: whoever walks asks whether there is some
 * left.
 */
typedef struct wpa_budget {
    size_t work, max_work;
    size_t bytes, max_bytes;
    bool is_spent; /* one of them was passed, and stays so */
} wpa_budget;

/** Count work; false once there is nothing left. budget may be NULL: without limit. */
bool wpa_budget_spend(wpa_budget *budget, size_t work);

/** A new, empty arena. Never NULL: out of memory logs and aborts. */
wpa_arena *wpa_arena_new(void);
/** The same at the expense of a budget, which outlives it; NULL is none. */
wpa_arena *wpa_arena_new_within(wpa_budget *budget);
/** What it is at the expense of, or NULL: for arenas beside it, and for counting. arena may be
 * NULL. */
wpa_budget *wpa_arena_budget(const wpa_arena *arena);
void wpa_arena_free(wpa_arena *arena);
WPA_DEFINE_AUTO(wpa_arena, wpa_arena_free);

/** Give all memory back to the arena itself; what was allocated from it is gone. */
void wpa_arena_reset(wpa_arena *arena);

/** How far an arena has come. */
typedef struct wpa_arena_mark {
    void *block, *behind;
    size_t used_bytes, text_bytes;
} wpa_arena_mark;

wpa_arena_mark wpa_arena_here(const wpa_arena *arena);
/** Give back what was taken since; lists that began before the mark must not have grown. */
void wpa_arena_rewind(wpa_arena *arena, wpa_arena_mark mark);

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

/** What wpa_arena_grow comes to where the list is full. */
void *wpa_arena_double(wpa_arena *arena, void *items, size_t n_items, size_t *capacity,
                       size_t item_bytes);

/**
 * Room for one more item in an arena array.
 *
 * items     [n_items] so far, NULL at first; replaced by the returned array.
 * capacity  in/out, items there is room for, 0 at first; doubles when full.
 *
 * list->items = wpa_arena_grow(arena, list->items, list->n, &list->capacity, sizeof *list->items);
 * list->items[list->n++] = item;
 */
static inline void *wpa_arena_grow(wpa_arena *arena, void *items, size_t n_items, size_t *capacity,
                                   size_t item_bytes)
{
    return n_items < *capacity ? items
                               : wpa_arena_double(arena, items, n_items, capacity, item_bytes);
}

/** Bytes handed out since the arena was made or reset. */
size_t wpa_arena_used_bytes(const wpa_arena *arena);
