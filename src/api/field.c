#include "api/field.h"

#include <stdio.h>
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

const wpa_api_field *wpa_api_field_find(const wpa_api_field *fields, const char *name)
{
    for (const wpa_api_field *field = fields; field && field->name; field++) {
        if (wpa_text_is(field->name, name)) {
            return field;
        }
    }
    return NULL;
}

/* ---- checking -----------------------------------------------------------------------------------
 */

static bool has_limits(const wpa_api_field *field)
{
    return field->min != 0 || field->max != 0;
}

static const char *list_choices(const char *const *choices, char *text, size_t size_bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (; *choices; choices++) {
        int n = snprintf(text + used, size_bytes - used, "%s%s", used ? ", " : "", *choices);
        if (n < 0 || (size_t)n >= size_bytes - used) {
            break;
        }
        used += (size_t)n;
    }
    return text;
}

static bool check_text(const wpa_api_field *field, const wpa_json *value, wpa_error *err)
{
    const char *text = wpa_json_text_of(value);
    char words[512], names[384];
    size_t max = field->max ? (size_t)field->max : WPA_API_TEXT_MAX_BYTES;
    if (!text) {
        return wpa_json_fail(value, err, "must be text");
    }
    for (const char *const *choice = field->choices; choice && *choice; choice++) {
        if (wpa_text_is(*choice, text)) {
            return true;
        }
    }
    if (field->choices) {
        (void)snprintf(words, sizeof words, "must be one of %s",
                       list_choices(field->choices, names, sizeof names));
        return wpa_json_fail(value, err, words);
    }
    if (strlen(text) > max || strlen(text) < (size_t)field->min) {
        (void)snprintf(words, sizeof words, "must have %lld to %zu bytes", (long long)field->min,
                       max);
        return wpa_json_fail(value, err, words);
    }
    return true;
}

static bool check_number(const wpa_api_field *field, const wpa_json *value, wpa_error *err)
{
    char words[128];
    wpa_json_kind kind = wpa_json_kind_of(value);
    bool is_number = kind == WPA_JSON_INT || (field->type == WPA_API_REAL && kind == WPA_JSON_REAL);
    if (!is_number) {
        return wpa_json_fail(
            value, err, field->type == WPA_API_INT ? "must be an integer" : "must be a number");
    }
    double number = wpa_json_real_of(value, 0);
    if (has_limits(field) && (number < (double)field->min || number > (double)field->max)) {
        (void)snprintf(words, sizeof words, "must lie between %lld and %lld", (long long)field->min,
                       (long long)field->max);
        return wpa_json_fail(value, err, words);
    }
    return true;
}

static bool check_value(const wpa_api_field *field, wpa_api_type type, const wpa_json *value,
                        wpa_error *err);

static bool check_items(const wpa_api_field *field, const wpa_json *value, wpa_error *err)
{
    wpa_json_kind wanted = field->type == WPA_API_LIST ? WPA_JSON_ARRAY : WPA_JSON_OBJECT;
    if (wpa_json_kind_of(value) != wanted) {
        return wpa_json_fail(value, err,
                             wanted == WPA_JSON_ARRAY ? "must be a list" : "must be an object");
    }
    for (size_t i = 0; i < wpa_json_count(value); i++) {
        if (!check_value(field, field->item, wpa_json_at(value, i), err)) {
            return false;
        }
    }
    return true;
}

static bool check_value(const wpa_api_field *field, wpa_api_type type, const wpa_json *value,
                        wpa_error *err)
{
    int64_t time_us;
    wpa_error ignored = {0};
    switch (type) {
    case WPA_API_TEXT:
        return check_text(field, value, err);
    case WPA_API_INT:
    case WPA_API_REAL:
        return check_number(field, value, err);
    case WPA_API_BOOL:
        return wpa_json_kind_of(value) == WPA_JSON_BOOL ||
               wpa_json_fail(value, err, "must be true or false");
    case WPA_API_TIME:
        return (wpa_json_text_of(value) &&
                wpa_timestamp_parse(wpa_json_text_of(value), &time_us, &ignored)) ||
               wpa_json_fail(value, err, "must be a time as 2026-11-22T10:00:00Z");
    case WPA_API_OBJECT:
        if (wpa_json_kind_of(value) != WPA_JSON_OBJECT) {
            return wpa_json_fail(value, err, "must be an object");
        }
        return !field->fields || wpa_api_fields_check(field->fields, value, err);
    case WPA_API_MAP:
    case WPA_API_LIST:
        return check_items(field, value, err);
    case WPA_API_ANY:
        return true;
    }
    return true;
}

bool wpa_api_fields_check(const wpa_api_field *fields, const wpa_json *object, wpa_error *err)
{
    const char *names[64];
    size_t n = 0;
    for (const wpa_api_field *field = fields; field->name && n < WPA_COUNT(names); field++) {
        names[n++] = field->name;
    }
    if (!wpa_json_check_keys(object, names, n, err)) {
        return false;
    }
    for (const wpa_api_field *field = fields; field->name; field++) {
        const wpa_json *value = wpa_json_find(object, field->name);
        bool is_given = value && wpa_json_kind_of(value) != WPA_JSON_NULL;
        if (!is_given && field->is_required) {
            return WPA_FAIL(err, WPA_E_INVALID, "field '%s' is missing", field->name);
        }
        if (is_given && !check_value(field, field->type, value, err)) {
            return false;
        }
    }
    return true;
}

wpa_json *wpa_api_field_parse(const wpa_api_field *field, const char *text, wpa_arena *arena,
                              wpa_error *err)
{
    int64_t number = 0;
    bool is_number = wpa_text_to_int(text, INT64_MIN, INT64_MAX, &number);
    if (!wpa_utf8_is_valid(text, strlen(text))) {
        (void)WPA_FAIL(err, WPA_E_INVALID, "parameter '%s' must be UTF-8", field->name);
        return NULL;
    }
    wpa_json *value = wpa_json_new_text(arena, text);
    if (field->type == WPA_API_INT && is_number) {
        value = wpa_json_new_int(arena, number);
    } else if (field->type == WPA_API_BOOL &&
               (wpa_text_is(text, "true") || wpa_text_is(text, "false"))) {
        value = wpa_json_new_bool(arena, *text == 't');
    }
    wpa_error why = {0};
    if (check_value(field, field->type, value, &why)) {
        return value;
    }
    const char *said = strstr(why.message, " must ");
    (void)WPA_FAIL(err, WPA_E_INVALID, "parameter '%s'%s", field->name,
                   said ? said : " has a wrong value");
    return NULL;
}

/* ---- describing ---------------------------------------------------------------------------------
 */

/** Of a text; NULL: any. */
static const char *format_of(const wpa_api_field *field, bool is_answer)
{
    bool is_uuid = is_answer && !wpa_text_is(field->name, "short_id") &&
                   (wpa_text_is(field->name, "id") || wpa_text_ends(field->name, "_id"));
    return field->is_secret ? "password" : is_uuid ? "uuid" : NULL;
}

static wpa_json *schema_of(const wpa_api_field *field, wpa_api_type type, bool is_answer,
                           wpa_arena *arena)
{
    static const struct {
        const char *type, *format;
    } words[] = {
        [WPA_API_TEXT] = {"string", NULL},
        [WPA_API_INT] = {"integer", NULL},
        [WPA_API_REAL] = {"number", NULL},
        [WPA_API_BOOL] = {"boolean", NULL},
        [WPA_API_TIME] = {"string", "date-time"},
        [WPA_API_OBJECT] = {"object", NULL},
        [WPA_API_MAP] = {"object", NULL},
        [WPA_API_LIST] = {"array", NULL},
        [WPA_API_ANY] = {NULL, NULL},
    };
    if (type == WPA_API_OBJECT && field->fields) {
        return wpa_api_fields_schema(field->fields, is_answer, arena);
    }
    wpa_json *schema = wpa_json_new_object(arena);
    if (words[type].type) {
        wpa_json_set_text(schema, "type", words[type].type);
    }
    const char *format = type == WPA_API_TEXT ? format_of(field, is_answer) : words[type].format;
    if (format) {
        wpa_json_set_text(schema, "format", format);
    }
    if (type == WPA_API_LIST) {
        wpa_json_set(schema, "items", schema_of(field, field->item, is_answer, arena));
    } else if (type == WPA_API_MAP) {
        wpa_json_set(schema, "additionalProperties",
                     schema_of(field, field->item, is_answer, arena));
    }
    if (type == WPA_API_TEXT && field->choices) {
        wpa_json *choices = wpa_json_set_array(schema, "enum");
        for (const char *const *choice = field->choices; *choice; choice++) {
            wpa_json_push_text(choices, *choice);
        }
    } else if (type == WPA_API_TEXT && !is_answer) {
        wpa_json_set_int(schema, "minLength", field->min);
        wpa_json_set_int(schema, "maxLength", field->max ? field->max : WPA_API_TEXT_MAX_BYTES);
    } else if ((type == WPA_API_INT || type == WPA_API_REAL) && has_limits(field)) {
        wpa_json_set_int(schema, "minimum", field->min);
        wpa_json_set_int(schema, "maximum", field->max);
    }
    return schema;
}

wpa_json *wpa_api_field_schema(const wpa_api_field *field, bool is_answer, wpa_arena *arena)
{
    wpa_json *schema = schema_of(field, field->type, is_answer, arena);
    const char *type = wpa_json_text_of(wpa_json_find(schema, "type"));
    if (field->is_nullable && type) {
        wpa_json *types = wpa_json_new_array(arena);
        wpa_json_push_text(types, type);
        wpa_json_push_text(types, "null");
        wpa_json_set(schema, "type", types);
    }
    if (field->words) {
        wpa_json_set_text(schema, "description", field->words);
    }
    wpa_error err = {0};
    wpa_json *fallback =
        field->fallback ? wpa_api_field_parse(field, field->fallback, arena, &err) : NULL;
    if (fallback) {
        wpa_json_set(schema, "default", fallback);
    }
    wpa_json *example = field->example ? wpa_json_parse(field->example, strlen(field->example),
                                                        WPA_JSON_MAX_BYTES, arena, &err)
                                       : NULL;
    if (example) {
        wpa_json *examples = wpa_json_set_array(schema, "examples");
        wpa_json_push(examples, example);
    }
    return schema;
}

wpa_json *wpa_api_fields_schema(const wpa_api_field *fields, bool is_answer, wpa_arena *arena)
{
    wpa_json *schema = wpa_json_new_object(arena);
    wpa_json_set_text(schema, "type", "object");
    wpa_json *properties = wpa_json_set_object(schema, "properties");
    wpa_json *required = wpa_json_new_array(arena);
    for (const wpa_api_field *field = fields; field->name; field++) {
        wpa_json_set(properties, field->name, wpa_api_field_schema(field, is_answer, arena));
        if (field->is_required) {
            wpa_json_push_text(required, field->name);
        }
    }
    if (wpa_json_count(required)) {
        wpa_json_set(schema, "required", required);
    }
    wpa_json_set_bool(schema, "additionalProperties", false);
    return schema;
}
