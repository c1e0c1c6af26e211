#include "fleet/fields.h"

#include <string.h>

static bool belongs(const wpa_field *field, const char *kind)
{
    return field->kind == NULL || wpa_text_is(field->kind, kind);
}

static bool check_keys(const wpa_fields *fields, const wpa_yaml_node *mapping, const char *kind,
                       wpa_arena *arena, wpa_error *err)
{
    const char **known = wpa_arena_array(arena, fields->n + fields->n_beside, sizeof *known);
    size_t n = 0;
    for (size_t i = 0; i < fields->n_beside; i++) {
        known[n++] = fields->beside[i];
    }
    for (size_t i = 0; i < fields->n; i++) {
        if (belongs(&fields->items[i], kind)) {
            known[n++] = fields->items[i].key;
        }
    }
    return wpa_yaml_check_keys(mapping, known, n, err);
}

static bool read_duration(const wpa_field *field, const wpa_yaml_node *mapping, bool is_plain,
                          wpa_json *into, wpa_arena *arena, wpa_error *err)
{
    int64_t ms = -1;
    if (!wpa_yaml_get_duration_ms(mapping, field->key, &ms, err)) {
        return false;
    }
    if (ms < 0) {
        return true;
    }
    if (ms < field->min || ms > field->max) {
        return wpa_yaml_fail(wpa_yaml_get(mapping, field->key), err,
                             "expected a duration from %lld ms to %lld ms", (long long)field->min,
                             (long long)field->max);
    }
    if (is_plain) {
        wpa_json_set_text(into, field->key, wpa_arena_printf(arena, "%lldms", (long long)ms));
    } else {
        wpa_json_set_int(into, wpa_arena_printf(arena, "%s_ms", field->key), ms);
    }
    return true;
}

static bool read_texts(const wpa_field *field, const wpa_yaml_node *mapping, wpa_json *into,
                       wpa_arena *arena, wpa_error *err)
{
    const char *const *values = NULL;
    size_t n = 0;
    if (!wpa_yaml_get_texts(mapping, field->key, arena, &values, &n, err)) {
        return false;
    }
    if (wpa_yaml_get(mapping, field->key) != NULL) {
        wpa_json *array = wpa_json_set_array(into, field->key);
        for (size_t i = 0; i < n; i++) {
            wpa_json_push_text(array, values[i]);
        }
    }
    return true;
}

static bool read_ints(const wpa_field *field, const wpa_yaml_node *mapping, wpa_json *into,
                      wpa_error *err)
{
    const wpa_yaml_node *list = NULL;
    if (!wpa_yaml_get_sequence(mapping, field->key, &list, err)) {
        return false;
    }
    if (list == NULL) {
        return true;
    }
    wpa_json *array = wpa_json_set_array(into, field->key);
    for (size_t i = 0; i < list->n_items; i++) {
        const char *text = wpa_yaml_text(list->items[i]);
        int64_t number = 0;
        const bool is_rest = wpa_text_is(text, "rest") && i + 1 == list->n_items;
        if (!is_rest && (text == NULL || !wpa_text_to_int(text, field->min, field->max, &number))) {
            return wpa_yaml_fail(list->items[i], err, "expected an integer from %lld to %lld",
                                 (long long)field->min, (long long)field->max);
        }
        wpa_json_push_int(array, number);
    }
    return true;
}

static bool read_map(const wpa_field *field, const wpa_yaml_node *mapping, wpa_json *into,
                     wpa_error *err)
{
    const wpa_yaml_node *map = NULL;
    if (!wpa_yaml_get_mapping(mapping, field->key, &map, err)) {
        return false;
    }
    if (map == NULL) {
        return true;
    }
    wpa_json *object = wpa_json_set_object(into, field->key);
    for (size_t i = 0; i < map->n_pairs; i++) {
        const char *key = wpa_yaml_text(map->pairs[i].key);
        const char *value = wpa_yaml_text(map->pairs[i].value);
        if (key == NULL || value == NULL) {
            return wpa_yaml_fail(map->pairs[i].value, err, "expected text, got %s",
                                 wpa_yaml_describe(map->pairs[i].value));
        }
        wpa_json_set_text(object, key, value);
    }
    return true;
}

static bool read_text(const wpa_field *field, const wpa_yaml_node *mapping, wpa_json *into,
                      wpa_error *err)
{
    const char *text = NULL;
    if (!wpa_yaml_get_text(mapping, field->key, &text, err)) {
        return false;
    }
    if (text != NULL) {
        wpa_json_set_text(into, field->key, text);
    }
    return true;
}

static bool read_number(const wpa_field *field, const wpa_yaml_node *mapping, wpa_json *into,
                        wpa_error *err)
{
    int64_t number = field->min;
    if (!wpa_yaml_get_int(mapping, field->key, field->min, field->max, &number, err)) {
        return false;
    }
    if (!wpa_yaml_is_null(wpa_yaml_get(mapping, field->key))) {
        wpa_json_set_int(into, field->key, number);
    }
    return true;
}

static bool read_one(const wpa_field *field, const wpa_yaml_node *mapping, bool is_plain,
                     wpa_json *into, wpa_arena *arena, wpa_error *err)
{
    bool truth = false;
    int choice = -1;
    switch (field->type) {
    case WPA_FIELD_TEXT:
        return read_text(field, mapping, into, err);
    case WPA_FIELD_CHOICE:
        if (!wpa_yaml_get_choice(mapping, field->key, field->choices, field->n_choices, &choice,
                                 err)) {
            return false;
        }
        if (choice >= 0) {
            wpa_json_set_text(into, field->key, field->choices[choice]);
        }
        return true;
    case WPA_FIELD_BOOL:
        if (!wpa_yaml_get_bool(mapping, field->key, &truth, err)) {
            return false;
        }
        if (!wpa_yaml_is_null(wpa_yaml_get(mapping, field->key))) {
            wpa_json_set_bool(into, field->key, truth);
        }
        return true;
    case WPA_FIELD_INT:
        return read_number(field, mapping, into, err);
    case WPA_FIELD_DURATION:
        return read_duration(field, mapping, is_plain, into, arena, err);
    case WPA_FIELD_TEXTS:
        return read_texts(field, mapping, into, arena, err);
    case WPA_FIELD_INTS:
        return read_ints(field, mapping, into, err);
    case WPA_FIELD_MAP:
        return read_map(field, mapping, into, err);
    }
    return true;
}

wpa_json *wpa_fields_read(const wpa_fields *fields, const wpa_yaml_node *mapping, const char *kind,
                          const wpa_json *base, wpa_arena *arena, wpa_error *err)
{
    wpa_json *into = base != NULL ? wpa_json_dup(base, arena) : wpa_json_new_object(arena);
    if (!check_keys(fields, mapping, kind, arena, err)) {
        return NULL;
    }
    for (size_t i = 0; i < fields->n; i++) {
        const wpa_field *field = &fields->items[i];
        if (!belongs(field, kind)) {
            continue;
        }
        if (field->is_required && wpa_yaml_need(mapping, field->key, err) == NULL) {
            return NULL;
        }
        if (!read_one(field, mapping, fields->has_plain_durations, into, arena, err)) {
            return NULL;
        }
    }
    return into;
}
