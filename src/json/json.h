/*
 * JSON: values in an arena, read with limits, built by hand, written in one canonical form.
 *
 * A value lives as long as its arena; there is nothing to free. Each value knows where it stands,
 * so that a reader's error names the field: "field 'stages[1].bake' must be an integer".
 */
#pragma once

#include <stdint.h>

#include <wpa/arena.h>
#include <wpa/buf.h>

typedef struct wpa_json wpa_json;

typedef enum wpa_json_kind {
    WPA_JSON_NULL,
    WPA_JSON_BOOL,
    WPA_JSON_INT,
    WPA_JSON_REAL,
    WPA_JSON_TEXT,
    WPA_JSON_ARRAY,
    WPA_JSON_OBJECT
} wpa_json_kind;

#define WPA_JSON_MAX_DEPTH 100
#define WPA_JSON_MAX_BYTES (16U << 20) /* for callers without a smaller limit of their own */

/**
 * Read one JSON text.
 *
 * text      text[length], UTF-8; any value may stand at the top.
 * max_bytes more than that is refused before anything is read.
 *
 * Errors    WPA_E_LIMIT (size, depth), WPA_E_INVALID with line and column: malformed, a key twice
 *           in one object, bad UTF-8, a NUL character, an integer beyond 64 bits.
 */
wpa_json *wpa_json_parse(const char *text, size_t length, size_t max_bytes, wpa_arena *arena,
                         wpa_error *err);

/* A long list whose items are read one by one, so that never all of them are in memory. */
typedef struct wpa_json_items {
    const wpa_json *list; /* in the document; NULL: there is none */
    const char *text;     /* that was read, borrowed: its items are in text[start, end) */
    size_t start, end;
    int line; /* where they begin; from 1 */
    size_t line_start;
} wpa_json_items;

/**
 * As wpa_json_parse, but for a list: the document has an empty one in its place.
 *
 * key       of the list, a member of the object that stands at the top.
 * items     what wpa_json_visit_items reads; whether it can be is seen there.
 */
wpa_json *wpa_json_parse_around(const char *text, size_t length, size_t max_bytes, const char *key,
                                wpa_arena *arena, wpa_json_items *items, wpa_error *err);
/** What to do with an item, which is gone behind the call; false with *err ends the reading. */
typedef bool (*wpa_json_visit)(void *context, const wpa_json *item, wpa_error *err);
/** Read the items in order. Errors as wpa_json_parse, behind the items in front, and of visit. */
bool wpa_json_visit_items(const wpa_json_items *items, wpa_json_visit visit, void *context,
                          wpa_error *err) WPA_CHECK;

wpa_json_kind wpa_json_kind_of(const wpa_json *value);
/** "an integer", "a list", ...: for messages. */
const char *wpa_json_kind_name(wpa_json_kind kind);
/** "stages[1].bake" into the arena; "the document" for the top. */
const char *wpa_json_path(const wpa_json *value, wpa_arena *arena);

/* ---- lenient reading: a value of another kind, or NULL for value, gives the fallback ---- */

/** Text of a text value, else NULL. */
const char *wpa_json_text_of(const wpa_json *value);
int64_t wpa_json_int_of(const wpa_json *value, int64_t fallback);
/** Of an integer or real value. */
double wpa_json_real_of(const wpa_json *value, double fallback);
bool wpa_json_bool_of(const wpa_json *value, bool fallback);
/** Members of an array or object; 0 for anything else. */
size_t wpa_json_count(const wpa_json *value);
/** The i-th member of an array or object in order; NULL out of range. */
const wpa_json *wpa_json_at(const wpa_json *value, size_t i);
/** Is the text among the members of an array or object? */
bool wpa_json_has_text(const wpa_json *value, const char *text);
/** Key of the i-th member of an object; NULL out of range. */
const char *wpa_json_key_at(const wpa_json *object, size_t i);
/** Member by key; NULL if value is no object (or NULL) or has none. */
const wpa_json *wpa_json_find(const wpa_json *object, const char *key);

/* ---- strict reading of an object's members: WPA_E_INVALID names the field ---- */

/** Must be there and be text, array, object: NULL with *err set otherwise. */
const char *wpa_json_get_text(const wpa_json *object, const char *key, wpa_error *err);
const wpa_json *wpa_json_get_array(const wpa_json *object, const char *key, wpa_error *err);
const wpa_json *wpa_json_get_object(const wpa_json *object, const char *key, wpa_error *err);
/** Must be there and lie within [min, max]. */
bool wpa_json_get_int(const wpa_json *object, const char *key, int64_t min, int64_t max,
                      int64_t *value, wpa_error *err) WPA_CHECK;
bool wpa_json_get_real(const wpa_json *object, const char *key, double *value,
                       wpa_error *err) WPA_CHECK;
bool wpa_json_get_bool(const wpa_json *object, const char *key, bool *value,
                       wpa_error *err) WPA_CHECK;

/** May be missing or null, which leaves *value as it is; must have the right kind otherwise. */
bool wpa_json_opt_text(const wpa_json *object, const char *key, const char **value,
                       wpa_error *err) WPA_CHECK;
bool wpa_json_opt_array(const wpa_json *object, const char *key, const wpa_json **value,
                        wpa_error *err) WPA_CHECK;
bool wpa_json_opt_object(const wpa_json *object, const char *key, const wpa_json **value,
                         wpa_error *err) WPA_CHECK;
bool wpa_json_opt_int(const wpa_json *object, const char *key, int64_t min, int64_t max,
                      int64_t *value, wpa_error *err) WPA_CHECK;
bool wpa_json_opt_real(const wpa_json *object, const char *key, double *value,
                       wpa_error *err) WPA_CHECK;
bool wpa_json_opt_bool(const wpa_json *object, const char *key, bool *value,
                       wpa_error *err) WPA_CHECK;

/** Is value an object with no key outside names[n]? The error proposes the nearest name. */
bool wpa_json_check_keys(const wpa_json *value, const char *const names[], size_t n,
                         wpa_error *err) WPA_CHECK;
/** WPA_E_INVALID "field 'PATH' WHAT" about a value that the caller found wrong; returns false. */
bool wpa_json_fail(const wpa_json *value, wpa_error *err, const char *what);

/* ---- building: keys and texts are copied; bad UTF-8 in them is replaced by U+FFFD ---- */

wpa_json *wpa_json_new_object(wpa_arena *arena);
wpa_json *wpa_json_new_array(wpa_arena *arena);
/** NULL text gives a null value. */
wpa_json *wpa_json_new_text(wpa_arena *arena, const char *text);
wpa_json *wpa_json_new_int(wpa_arena *arena, int64_t number);
/** NaN and infinity, which JSON lacks, give a null value. */
wpa_json *wpa_json_new_real(wpa_arena *arena, double number);
wpa_json *wpa_json_new_bool(wpa_arena *arena, bool truth);
wpa_json *wpa_json_new_null(wpa_arena *arena);

/** Set or replace a member. value must be of the same arena, and a member of nothing else. */
void wpa_json_set(wpa_json *object, const char *key, wpa_json *value);
void wpa_json_set_text(wpa_json *object, const char *key, const char *text);
void wpa_json_set_int(wpa_json *object, const char *key, int64_t number);
void wpa_json_set_real(wpa_json *object, const char *key, double number);
void wpa_json_set_bool(wpa_json *object, const char *key, bool truth);
void wpa_json_set_null(wpa_json *object, const char *key);
/** Set a new empty object or array and return it. */
wpa_json *wpa_json_set_object(wpa_json *object, const char *key);
wpa_json *wpa_json_set_array(wpa_json *object, const char *key);

void wpa_json_push(wpa_json *array, wpa_json *value);
void wpa_json_push_text(wpa_json *array, const char *text);
void wpa_json_push_int(wpa_json *array, int64_t number);
wpa_json *wpa_json_push_object(wpa_json *array);

/** A deep copy in another (or the same) arena. */
wpa_json *wpa_json_dup(const wpa_json *value, wpa_arena *arena);

/**
 * One line, the same bytes for the same content: keys sorted by bytes, no white space, UTF-8 left
 * as it is, integral numbers without exponent or fraction, other reals with the fewest digits that
 * read back the same. What is hashed, and what is stored.
 */
char *wpa_json_dump(const wpa_json *value, wpa_arena *arena);
/** Indented by two, keys in the order they were set: for people and files. */
char *wpa_json_dump_pretty(const wpa_json *value, wpa_arena *arena);
/** text[length] as a JSON string, with its quotes. */
void wpa_json_append_text(wpa_buf *buf, const char *text, size_t length);
/** As wpa_json_dump has it, behind what the buffer holds. */
void wpa_json_append(wpa_buf *buf, const wpa_json *value);
