#include "widgets/cursor.h"

#include <stdlib.h>
#include <string.h>

#include "widgets/format.h"

static void select_row(wpa_cursor *cursor, const void *rows, size_t n, wpa_object_at at, int index)
{
    index = index >= (int)n ? (int)n - 1 : index;
    cursor->index = index < 0 ? 0 : index;
    cursor->selected = n ? at(rows, (size_t)cursor->index) : (wpa_object){WPA_OBJECT_NONE, 0};
}

/* Several rows may be about one thing (what happened to it): the one that is not far is meant, and
   of two the later one, for what is new comes first. */
static int nearest(const wpa_cursor *cursor, const void *rows, size_t n, wpa_object_at at)
{
    int found = -1;
    for (int i = 0; i < (int)n; i++) {
        bool is_nearer = found < 0 || abs(i - cursor->index) <= abs(found - cursor->index);
        if (is_nearer && wpa_object_is(at(rows, (size_t)i), cursor->selected)) {
            found = i;
        }
    }
    return found;
}

void wpa_cursor_follow(wpa_cursor *cursor, const void *rows, size_t n, wpa_object_at at)
{
    if (cursor->selected.kind == WPA_OBJECT_NONE) {
        select_row(cursor, rows, n, at, cursor->index);
        return;
    }
    int index = nearest(cursor, rows, n, at);
    if (index >= 0) {
        cursor->top += index - cursor->index;
        cursor->top = cursor->top < 0 ? 0 : cursor->top;
        cursor->index = index;
        return;
    }
    cursor->is_lost = true;
    select_row(cursor, rows, n, at, cursor->index);
}

void wpa_cursor_move(wpa_cursor *cursor, const void *rows, size_t n, wpa_object_at at, int by)
{
    int64_t index = (int64_t)cursor->index + by;
    index = index < 0 ? 0 : index >= (int64_t)n ? (int64_t)n - 1 : index;
    select_row(cursor, rows, n, at, (int)index);
    cursor->is_lost = false;
}

void wpa_cursor_show(wpa_cursor *cursor, size_t n, int height)
{
    int last = (int)n - height;
    cursor->top = cursor->top > last ? last : cursor->top;
    cursor->top = cursor->top > cursor->index ? cursor->index : cursor->top;
    if (height > 0 && cursor->top < cursor->index - height + 1) {
        cursor->top = cursor->index - height + 1;
    }
    cursor->top = cursor->top < 0 ? 0 : cursor->top;
    cursor->n_shown = (int)n - cursor->top < height ? (int)n - cursor->top : height;
}

bool wpa_cursor_is_marked(const wpa_cursor *cursor, wpa_object object)
{
    for (size_t i = 0; i < cursor->n_marks; i++) {
        if (wpa_object_is(cursor->marks[i], object)) {
            return !cursor->marks_all;
        }
    }
    return cursor->marks_all;
}

bool wpa_cursor_has_marks(const wpa_cursor *cursor)
{
    return cursor->n_marks > 0 || cursor->marks_all;
}

bool wpa_cursor_clear_marks(wpa_cursor *cursor)
{
    bool had = wpa_cursor_has_marks(cursor);
    cursor->n_marks = 0;
    cursor->marks_all = false;
    return had;
}

void wpa_cursor_mark(wpa_cursor *cursor, wpa_object object)
{
    for (size_t i = 0; i < cursor->n_marks; i++) {
        if (wpa_object_is(cursor->marks[i], object)) {
            memmove(&cursor->marks[i], &cursor->marks[i + 1],
                    (--cursor->n_marks - i) * sizeof cursor->marks[0]);
            return;
        }
    }
    if (cursor->n_marks < WPA_MARKS_MAX && object.kind != WPA_OBJECT_NONE) {
        cursor->marks[cursor->n_marks++] = object;
    }
}
