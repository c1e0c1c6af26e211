#include "widgets/cursor.h"

#include <string.h>

#include "widgets/format.h"

static void select_row(wpa_cursor *cursor, const void *rows, size_t n, wpa_object_at at, int index)
{
    index = index >= (int)n ? (int)n - 1 : index;
    cursor->index = index < 0 ? 0 : index;
    cursor->selected = n ? at(rows, (size_t)cursor->index) : (wpa_object){WPA_OBJECT_NONE, 0};
}

void wpa_cursor_follow(wpa_cursor *cursor, const void *rows, size_t n, wpa_object_at at)
{
    if (cursor->selected.kind == WPA_OBJECT_NONE) {
        select_row(cursor, rows, n, at, cursor->index);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (wpa_object_is(at(rows, i), cursor->selected)) {
            cursor->top += (int)i - cursor->index;
            cursor->top = cursor->top < 0 ? 0 : cursor->top;
            cursor->index = (int)i;
            return;
        }
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
}

bool wpa_cursor_is_marked(const wpa_cursor *cursor, wpa_object object)
{
    for (size_t i = 0; i < cursor->n_marks; i++) {
        if (wpa_object_is(cursor->marks[i], object)) {
            return true;
        }
    }
    return false;
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
