/*
 * Edits of a text: replace these bytes by those. Applied to the source itself, so that every byte
 * outside them stays.
 */
#pragma once

#include <wpa/arena.h>
#include <wpa/span.h>

typedef struct wpa_edit {
    wpa_span bytes;   /* of the text before; empty: an insertion */
    const char *text; /* [text_bytes] */
    size_t text_bytes;
} wpa_edit;

/**
 * Put edits in order and check them: inside the text, none overlapping, no two at one place.
 *
 * Errors    WPA_E_INVALID, with the offsets.
 */
bool wpa_edits_sort(wpa_edit *edits, size_t n, size_t size_bytes, wpa_error *err) WPA_CHECK;

/** The text with sorted edits in it, NUL-terminated behind *after_bytes. */
char *wpa_edits_apply(const wpa_edit *edits, size_t n, const char *before, size_t before_bytes,
                      wpa_arena *arena, size_t *after_bytes);

/** Sorted edits that turn the result back into before; texts point into before. */
wpa_edit *wpa_edits_invert(const wpa_edit *edits, size_t n, const char *before, wpa_arena *arena);

/**
 * Sorted edits that turn one text into the other: changed lines, each narrowed to the bytes that
 * differ, never in the middle of a character. Texts point into after.
 */
wpa_edit *wpa_edits_between(const char *before, size_t before_bytes, const char *after,
                            size_t after_bytes, wpa_arena *arena, size_t *n);

/**
 * Two changes as one: first turns before into a text, second turns that text into another; the
 * result, sorted, turns before into the other. What both touch becomes one edit.
 */
wpa_edit *wpa_edits_compose(const wpa_edit *first, size_t n_first, const wpa_edit *second,
                            size_t n_second, size_t before_bytes, wpa_arena *arena, size_t *n);
