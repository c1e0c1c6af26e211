#include <inttypes.h>
#include <string.h>

#include <wpa/text.h>

#include "gen/calls_jansson.h"
#include "json/value.h"

/*
 * Depth is counted before the library sees the text: its own limit of 2048 is fixed, and names no
 * place. Strings are skipped; whether the brackets match is the library's business.
 */
static bool check_depth(const char *text, size_t length, wpa_error *err)
{
    json_place at = {.line = 1, .column = 0};
    int depth = 0;
    bool is_in_string = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        at.column++;
        if (c == '\n') {
            at = (json_place){.line = at.line + 1, .column = 0};
        } else if (is_in_string && c == '\\') {
            i++;
            at.column++;
        } else if (c == '"') {
            is_in_string = !is_in_string;
        } else if (!is_in_string && (c == '[' || c == '{')) {
            if (++depth > WPA_JSON_MAX_DEPTH) {
                return WPA_FAIL(err, WPA_E_LIMIT, "line %d column %d: nested deeper than %d levels",
                                at.line, at.column, WPA_JSON_MAX_DEPTH);
            }
        } else if (!is_in_string && (c == ']' || c == '}')) {
            depth--;
        }
    }
    return true;
}

static wpa_json *convert(json_t *from, wpa_arena *arena);

static wpa_json *convert_object(json_t *from, wpa_arena *arena)
{
    wpa_json *object = wpa_json_new_object(arena);
    const char *key = NULL;
    json_t *member = NULL;
    json_object_foreach(from, key, member)
    {
        wpa_json_set(object, key, convert(member, arena));
    }
    return object;
}

static wpa_json *convert_array(json_t *from, wpa_arena *arena)
{
    wpa_json *array = wpa_json_new_array(arena);
    for (size_t i = 0; i < json_array_size(from); i++) {
        wpa_json_push(array, convert(json_array_get(from, i), arena));
    }
    return array;
}

static wpa_json *convert(json_t *from, wpa_arena *arena)
{
    switch (json_typeof(from)) {
    case JSON_OBJECT:
        return convert_object(from, arena);
    case JSON_ARRAY:
        return convert_array(from, arena);
    case JSON_STRING:
        return wpa_json_new_text(arena, json_string_value(from));
    case JSON_INTEGER:
        return wpa_json_new_int(arena, json_integer_value(from));
    case JSON_REAL:
        return wpa_json_new_real(arena, json_real_value(from));
    case JSON_TRUE:
        return wpa_json_new_bool(arena, true);
    case JSON_FALSE:
        return wpa_json_new_bool(arena, false);
    case JSON_NULL:
        break;
    }
    return wpa_json_new_null(arena);
}

bool wpa_json_check_size(const char *text, size_t length, size_t max_bytes, wpa_error *err)
{
    if (length > max_bytes) {
        return WPA_FAIL(err, WPA_E_LIMIT, "JSON text of %zu bytes (at most %zu)", length,
                        max_bytes);
    }
    return check_depth(text, length, err);
}

wpa_json *wpa_json_parse_part(const char *text, size_t length, json_place start, wpa_arena *arena,
                              wpa_error *err)
{
    if (!wpa_jansson_open(err)) {
        return NULL;
    }
    json_error_t why;
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!root) {
        int line = why.line < 1 ? 1 : why.line, column = why.column < 1 ? 1 : why.column;
        WPA_FAIL(err, WPA_E_INVALID, "line %d column %d: %s", start.line - 1 + line,
                 (line == 1 ? start.column - 1 : 0) + column, why.text);
        return NULL;
    }
    wpa_json *value = convert(root, arena);
    json_delete(root); /* nobody else refers to it */
    return value;
}

wpa_json *wpa_json_parse(const char *text, size_t length, size_t max_bytes, wpa_arena *arena,
                         wpa_error *err)
{
    return wpa_json_check_size(text, length, max_bytes, err)
               ? wpa_json_parse_part(text, length, (json_place){1, 1}, arena, err)
               : NULL;
}
