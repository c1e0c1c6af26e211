/* Two changes as one: the text in between as pieces, each kept from the first text or inserted. */
#include <string.h>

#include "edit/edit.h"

typedef struct piece {
    const char *text; /* inserted; NULL: kept */
    size_t start;     /* kept: where it stands in the first text */
    size_t length;
} piece;

typedef struct pieces {
    piece *items;
    size_t n, capacity;
    wpa_arena *arena;
} pieces;

static void add(pieces *list, piece one)
{
    if (one.length > 0) {
        list->items =
            wpa_arena_grow(list->arena, list->items, list->n, &list->capacity, sizeof one);
        list->items[list->n++] = one;
    }
}

/** Bytes [start, end) of what the pieces stand for. */
static void add_range(pieces *to, const pieces *from, size_t start, size_t end)
{
    size_t at = 0;
    for (size_t i = 0; i < from->n && at < end; i++) {
        const piece *one = &from->items[i];
        size_t low = start > at ? start - at : 0;
        size_t high = end - at < one->length ? end - at : one->length;
        if (low < high) {
            add(to, (piece){one->text ? one->text + low : NULL, one->start + low, high - low});
        }
        at += one->length;
    }
}

static pieces apply(const pieces *from, size_t size_bytes, const wpa_edit *edits, size_t n)
{
    pieces to = {.arena = from->arena};
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        add_range(&to, from, at, edits[i].bytes.start);
        add(&to, (piece){edits[i].text, 0, edits[i].text_bytes});
        at = edits[i].bytes.end;
    }
    add_range(&to, from, at, size_bytes);
    return to;
}

static size_t total(const pieces *list)
{
    size_t size_bytes = 0;
    for (size_t i = 0; i < list->n; i++) {
        size_bytes += list->items[i].length;
    }
    return size_bytes;
}

/** Texts inserted from piece i on until one that is kept, joined. */
static char *join(const pieces *list, size_t i, size_t *length)
{
    size_t end = i;
    *length = 0;
    for (; end < list->n && list->items[end].text; end++) {
        *length += list->items[end].length;
    }
    char *text = wpa_arena_alloc(list->arena, *length + 1), *at = text;
    for (; i < end; i++) {
        memcpy(at, list->items[i].text, list->items[i].length);
        at += list->items[i].length;
    }
    return text;
}

wpa_edit *wpa_edits_compose(const wpa_edit *first, size_t n_first, const wpa_edit *second,
                            size_t n_second, size_t before_bytes, wpa_arena *arena, size_t *n)
{
    pieces whole = {.arena = arena};
    add(&whole, (piece){NULL, 0, before_bytes});
    pieces between = apply(&whole, before_bytes, first, n_first);
    pieces last = apply(&between, total(&between), second, n_second);
    wpa_edit *edits = wpa_arena_array(arena, last.n + 1, sizeof *edits);
    size_t at = 0;
    *n = 0;
    for (size_t i = 0; i <= last.n;) {
        size_t length;
        const char *text = join(&last, i, &length);
        while (i < last.n && last.items[i].text) {
            i++;
        }
        size_t next = i < last.n ? last.items[i].start : before_bytes;
        if (length > 0 || next > at) {
            edits[(*n)++] = (wpa_edit){{at, next}, text, length};
        }
        at = i < last.n ? next + last.items[i].length : before_bytes;
        i++;
    }
    return edits;
}
