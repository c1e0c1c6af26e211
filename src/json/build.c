#include <assert.h>
#include <math.h>
#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#include "json/value.h"

/* An object with more members than this is looked up by hash. */
#define INDEX_FROM 32

static wpa_json *new_value(wpa_arena *arena, wpa_json_kind kind)
{
    wpa_json *value = wpa_arena_alloc(arena, sizeof *value);
    value->kind = kind;
    value->arena = arena;
    return value;
}

/** A copy that is UTF-8 whatever came in, since nobody downstream accepts anything else. */
static const char *dup_utf8(wpa_arena *arena, const char *text)
{
    size_t length = strlen(text);
    if (wpa_utf8_is_valid(text, length)) {
        return wpa_arena_slice(arena, text, length);
    }
    char *clean = wpa_arena_alloc(arena, length * 3 + 1); /* U+FFFD takes three bytes */
    size_t size_bytes = 0;
    for (size_t at = 0; at < length;) {
        size_bytes += wpa_utf8_encode(wpa_utf8_next(text, length, &at), clean + size_bytes);
    }
    return clean;
}

wpa_json *wpa_json_new_object(wpa_arena *arena)
{
    return new_value(arena, WPA_JSON_OBJECT);
}

wpa_json *wpa_json_new_array(wpa_arena *arena)
{
    return new_value(arena, WPA_JSON_ARRAY);
}

wpa_json *wpa_json_new_text(wpa_arena *arena, const char *text)
{
    if (!text) {
        return wpa_json_new_null(arena);
    }
    wpa_json *value = new_value(arena, WPA_JSON_TEXT);
    value->text = dup_utf8(arena, text);
    return value;
}

wpa_json *wpa_json_new_int(wpa_arena *arena, int64_t number)
{
    wpa_json *value = new_value(arena, WPA_JSON_INT);
    value->integer = number;
    return value;
}

wpa_json *wpa_json_new_real(wpa_arena *arena, double number)
{
    if (!isfinite(number)) {
        return wpa_json_new_null(arena);
    }
    wpa_json *value = new_value(arena, WPA_JSON_REAL);
    value->real = number;
    return value;
}

wpa_json *wpa_json_new_bool(wpa_arena *arena, bool truth)
{
    wpa_json *value = new_value(arena, WPA_JSON_BOOL);
    value->truth = truth;
    return value;
}

wpa_json *wpa_json_new_null(wpa_arena *arena)
{
    return new_value(arena, WPA_JSON_NULL);
}

static void adopt(wpa_json *parent, wpa_json *value, const char *key, size_t position)
{
    assert(!value->parent);
    value->parent = parent;
    value->key = key;
    value->position = position;
}

static void append(wpa_json *parent, const char *key, wpa_json *value)
{
    parent->members = wpa_arena_grow(parent->arena, parent->members, parent->n_members,
                                     &parent->capacity, sizeof *parent->members);
    adopt(parent, value, key, parent->n_members);
    parent->members[parent->n_members++] = (json_member){.key = key, .value = value};
}

static void index_member(wpa_json *object, wpa_json *value)
{
    if (object->index) {
        wpa_map_put(object->index, value->key, value);
    } else if (object->n_members > INDEX_FROM) {
        object->index = wpa_map_new(object->arena);
        for (size_t i = 0; i < object->n_members; i++) {
            wpa_map_put(object->index, object->members[i].key, object->members[i].value);
        }
    }
}

static wpa_json *lookup(const wpa_json *object, const char *key)
{
    if (!object || object->kind != WPA_JSON_OBJECT) {
        return NULL;
    }
    if (object->index) {
        return wpa_map_get(object->index, key);
    }
    for (size_t i = 0; i < object->n_members; i++) {
        if (wpa_text_is(object->members[i].key, key)) {
            return object->members[i].value;
        }
    }
    return NULL;
}

const wpa_json *wpa_json_find(const wpa_json *object, const char *key)
{
    return lookup(object, key);
}

void wpa_json_set(wpa_json *object, const char *key, wpa_json *value)
{
    assert(object->kind == WPA_JSON_OBJECT);
    const char *clean = dup_utf8(object->arena, key);
    wpa_json *old = lookup(object, clean);
    if (old) {
        adopt(object, value, old->key, old->position);
        object->members[old->position].value = value;
        old->parent = NULL;
    } else {
        append(object, clean, value);
    }
    index_member(object, value);
}

void wpa_json_set_text(wpa_json *object, const char *key, const char *text)
{
    wpa_json_set(object, key, wpa_json_new_text(object->arena, text));
}

void wpa_json_set_int(wpa_json *object, const char *key, int64_t number)
{
    wpa_json_set(object, key, wpa_json_new_int(object->arena, number));
}

void wpa_json_set_real(wpa_json *object, const char *key, double number)
{
    wpa_json_set(object, key, wpa_json_new_real(object->arena, number));
}

void wpa_json_set_bool(wpa_json *object, const char *key, bool truth)
{
    wpa_json_set(object, key, wpa_json_new_bool(object->arena, truth));
}

void wpa_json_set_null(wpa_json *object, const char *key)
{
    wpa_json_set(object, key, wpa_json_new_null(object->arena));
}

wpa_json *wpa_json_set_object(wpa_json *object, const char *key)
{
    wpa_json *value = wpa_json_new_object(object->arena);
    wpa_json_set(object, key, value);
    return value;
}

wpa_json *wpa_json_set_array(wpa_json *object, const char *key)
{
    wpa_json *value = wpa_json_new_array(object->arena);
    wpa_json_set(object, key, value);
    return value;
}

void wpa_json_push(wpa_json *array, wpa_json *value)
{
    assert(array->kind == WPA_JSON_ARRAY);
    append(array, NULL, value);
}

void wpa_json_push_text(wpa_json *array, const char *text)
{
    wpa_json_push(array, wpa_json_new_text(array->arena, text));
}

void wpa_json_push_int(wpa_json *array, int64_t number)
{
    wpa_json_push(array, wpa_json_new_int(array->arena, number));
}

wpa_json *wpa_json_push_object(wpa_json *array)
{
    wpa_json *value = wpa_json_new_object(array->arena);
    wpa_json_push(array, value);
    return value;
}

wpa_json *wpa_json_dup(const wpa_json *value, wpa_arena *arena)
{
    wpa_json *copy = new_value(arena, value->kind);
    copy->truth = value->truth;
    copy->integer = value->integer;
    copy->real = value->real;
    copy->text = wpa_arena_text(arena, value->text);
    for (size_t i = 0; i < value->n_members; i++) {
        wpa_json *member = wpa_json_dup(value->members[i].value, arena);
        if (value->kind == WPA_JSON_OBJECT) {
            wpa_json_set(copy, value->members[i].key, member);
        } else {
            wpa_json_push(copy, member);
        }
    }
    return copy;
}
