/*
 * Where the guardian is in a list: the selection is a thing, not a place. New rows never move it;
 * if it is gone its neighbour is selected, and changing keys are held off for a moment.
 */
#pragma once

#include <wpa/snapshot.h>

#define WPA_MARKS_MAX 1000

/** Identity of row i of whatever is listed. */
typedef wpa_object (*wpa_object_at)(const void *rows, size_t i);

typedef struct wpa_cursor {
    wpa_object selected;
    int index, top;
    int n_shown;                     /* rows on the screen when it was drawn last */
    bool is_lost;                    /* the selected row has gone: its neighbour is selected now */
    wpa_object marks[WPA_MARKS_MAX]; /* while all are marked: those that are not */
    size_t n_marks;
    bool marks_all;         /* whatever matches the filter is marked, loaded or not */
    const int64_t *changed; /* ids that rows begin with: these are told to be other; borrowed */
    size_t n_changed;
} wpa_cursor;

/** Rows have changed: find the selected one again and keep it on the same line of the screen. */
void wpa_cursor_follow(wpa_cursor *cursor, const void *rows, size_t n, wpa_object_at at);
/** Move by so many rows. */
void wpa_cursor_move(wpa_cursor *cursor, const void *rows, size_t n, wpa_object_at at, int by);
/** Scroll so that the selection is among the height rows shown. */
void wpa_cursor_show(wpa_cursor *cursor, size_t n, int height);
bool wpa_cursor_is_marked(const wpa_cursor *cursor, wpa_object object);
void wpa_cursor_mark(wpa_cursor *cursor, wpa_object object);
bool wpa_cursor_has_marks(const wpa_cursor *cursor);
/** True: there were some. */
bool wpa_cursor_clear_marks(wpa_cursor *cursor);
