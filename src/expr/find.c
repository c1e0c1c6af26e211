#include <string.h>

#include "core/room.h"
#include "expr/expr.h"

const char *wpa_expr_open(const char *text, size_t length, size_t from)
{
    /* Scripts hold many a "$", but few a "{". */
    for (size_t i = from + 1; i < length && length - i >= 2; i += 2) {
        const char *brace = memchr(text + i, '{', length - 1 - i);
        if (!brace) {
            return NULL;
        }
        if (brace[1] == '{' && brace[-1] == '$') {
            return brace - 1;
        }
        i = (size_t)(brace - text);
    }
    return NULL;
}

static size_t first_close(const char *text, size_t length, size_t from)
{
    const char *end = text + length, *at = from < length ? text + from : end;
    while ((at = memchr(at, '}', (size_t)(end - at)))) {
        if (end - at > 1 && at[1] == '}') {
            return (size_t)(at - text);
        }
        at++;
    }
    return SIZE_MAX;
}

size_t wpa_expr_close(const char *text, size_t length, size_t from)
{
    size_t first = first_close(text, length, from);
    if (first == SIZE_MAX || !memchr(text + from, '\'', first - from)) {
        return first; /* as most are: no string is in front of it */
    }
    bool is_in_string = false;
    for (size_t at = from; at + 1 < length; at++) {
        is_in_string ^= text[at] == '\'';
        if (!is_in_string && text[at] == '}' && text[at + 1] == '}') {
            return at;
        }
    }
    return first;
}

/* A text that was parsed, and the one before it with the same hash, from 1 on. */
typedef struct wpa_expr_known_text {
    const char *text;
    size_t length;
    wpa_expr_parsed parsed;
    uint32_t before;
} known_text;

/* As many as people write; a hostile file has its trees made anew. */
#define TEXTS_MAX 65536
#define LOOKS_MAX 8

/* Of its length and its ends, which is enough to tell those of one file apart, mostly. */
static size_t slot_of(const char *text, size_t length)
{
    uint64_t first = 0, last = 0;
    if (length >= sizeof first) {
        memcpy(&first, text, sizeof first);
        memcpy(&last, text + length - sizeof last, sizeof last);
    } else {
        memcpy(&first, text, length);
    }
    uint64_t mixed = (first + length) * UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ mixed >> 32 ^ last) * UINT64_C(0xFF51AFD7ED558CCD);
    return (mixed >> 32) % WPA_EXPR_SLOTS;
}

static const known_text *find_text(const wpa_expr_known *known, size_t slot, const char *text,
                                   size_t length)
{
    uint32_t at = known->slots[slot];
    for (int i = 0; at && i < LOOKS_MAX; i++) {
        const known_text *one = &known->texts[at - 1];
        if (one->length == length && memcmp(one->text, text, length) == 0) {
            return one;
        }
        at = one->before;
    }
    return NULL;
}

/** known may be NULL. */
static wpa_expr_parsed parse(const char *text, size_t length, wpa_expr_known *known,
                             wpa_arena *arena)
{
    if (!known) {
        return wpa_expr_parse(text, length, arena);
    }
    size_t slot = slot_of(text, length);
    const known_text *before = find_text(known, slot, text, length);
    if (before) {
        return before->parsed;
    }
    wpa_expr_parsed parsed = wpa_expr_parse(text, length, arena);
    parsed.memo = wpa_arena_alloc(arena, sizeof(wpa_expr_memo));
    if (known->n < TEXTS_MAX) {
        known->texts =
            wpa_arena_grow(arena, known->texts, known->n, &known->capacity, sizeof *known->texts);
        known->texts[known->n++] = (known_text){text, length, parsed, known->slots[slot]};
        known->slots[slot] = (uint32_t)known->n;
    }
    return parsed;
}

/** Few who look for expressions ask where they stand, but a rule's arena may be rewound before. */
static wpa_yaml_places *places_of(const wpa_yaml_node *node, const wpa_expr_known *known,
                                  wpa_arena *arena)
{
    wpa_yaml_places *in_file = wpa_arena_room(arena, sizeof *in_file);
    *in_file = (wpa_yaml_places){node, arena, known ? NULL : wpa_yaml_map_new(node, arena)};
    return in_file;
}

static wpa_expr_place make_place(const wpa_yaml_node *node, wpa_yaml_places *in_file, size_t open,
                                 wpa_expr_known *known, wpa_arena *arena)
{
    wpa_expr_place place = {.node = node, .in_file = in_file};
    size_t close = wpa_expr_close(node->text, node->length, open + 3);
    if (close == SIZE_MAX) {
        place.outer = (wpa_span){open, node->length};
        place.inner = (wpa_span){open + 3, node->length};
        place.parsed = (wpa_expr_parsed){.fault = WPA_EXPR_NOT_CLOSED,
                                         .fault_span = {0, node->length - open - 3},
                                         .message = "'${{' without '}}'"};
        return place;
    }
    place.outer = (wpa_span){open, close + 2};
    place.inner = (wpa_span){open + 3, close};
    place.parsed = parse(node->text + open + 3, close - open - 3, known, arena);
    return place;
}

static wpa_expr_place *find(const wpa_yaml_node *node, wpa_expr_known *known, wpa_arena *arena,
                            size_t *n)
{
    *n = 0;
    const char *open =
        wpa_yaml_is(node, WPA_YAML_SCALAR) ? wpa_expr_open(node->text, node->length, 0) : NULL;
    if (!open) {
        return NULL;
    }
    wpa_yaml_places *in_file = places_of(node, known, arena);
    wpa_expr_place *places = wpa_arena_room(arena, sizeof *places); /* as most are alone */
    size_t capacity = 1, at;
    while (open) {
        places = wpa_arena_grow(arena, places, *n, &capacity, sizeof *places);
        places[*n] = make_place(node, in_file, (size_t)(open - node->text), known, arena);
        at = places[(*n)++].outer.end;
        open = wpa_expr_open(node->text, node->length, at);
    }
    return places;
}

static wpa_expr_place *find_condition(const wpa_yaml_node *node, wpa_expr_known *known,
                                      wpa_arena *arena, size_t *n)
{
    wpa_expr_place *places = find(node, known, arena, n);
    if (*n > 0 || !wpa_yaml_is(node, WPA_YAML_SCALAR) || node->is_incomplete ||
        wpa_yaml_is_null(node)) {
        return places;
    }
    wpa_expr_place *place = wpa_arena_alloc(arena, sizeof *place);
    place->node = node;
    place->outer = place->inner = (wpa_span){0, node->length};
    place->is_bare = true;
    place->in_file = places_of(node, known, arena);
    place->parsed = parse(node->text, node->length, known, arena);
    *n = 1;
    return place;
}

wpa_expr_place *wpa_expr_find(const wpa_yaml_node *scalar, wpa_arena *arena, size_t *n)
{
    return find(wpa_yaml_resolve(scalar), NULL, arena, n);
}

wpa_expr_place *wpa_expr_find_condition(const wpa_yaml_node *scalar, wpa_arena *arena, size_t *n)
{
    return find_condition(wpa_yaml_resolve(scalar), NULL, arena, n);
}

wpa_expr_place *wpa_expr_find_again(const wpa_yaml_node *scalar, bool is_condition,
                                    wpa_expr_known *known, wpa_arena *arena, size_t *n)
{
    const wpa_yaml_node *node = wpa_yaml_resolve(scalar);
    return is_condition ? find_condition(node, known, arena, n) : find(node, known, arena, n);
}

wpa_span wpa_expr_source_span(const wpa_expr_place *place, wpa_span in_tree)
{
    return wpa_yaml_map_span(wpa_yaml_places_map(place->in_file),
                             place->inner.start + in_tree.start, place->inner.start + in_tree.end);
}

wpa_span wpa_expr_outer_span(const wpa_expr_place *place)
{
    return wpa_yaml_map_span(wpa_yaml_places_map(place->in_file), place->outer.start,
                             place->outer.end);
}
