/* Declared objects: a table of fields turns a YAML mapping into a JSON object, checked. */
#pragma once

#include <wpa/yaml.h>

#include "json/json.h"

typedef enum wpa_field_type {
    WPA_FIELD_TEXT,
    WPA_FIELD_CHOICE,
    WPA_FIELD_BOOL,
    WPA_FIELD_INT,      /* within [min, max] */
    WPA_FIELD_DURATION, /* "90s", within [min, max] ms; stored as the integer <key>_ms */
    WPA_FIELD_TEXTS,    /* a list of texts, or one */
    WPA_FIELD_INTS,     /* a list of integers within [min, max]; "rest" is 0 */
    WPA_FIELD_MAP       /* text to text */
} wpa_field_type;

typedef struct wpa_field {
    const char *key;
    wpa_field_type type;
    int64_t min;
    int64_t max;
    const char *const *choices; /* [n_choices] */
    size_t n_choices;
    const char *kind; /* the field exists only in objects of this kind; NULL: in all */
    bool is_required;
} wpa_field;

typedef struct wpa_fields {
    const wpa_field *items;
    size_t n;
    const char *const *beside; /* [n_beside] keys of the mapping that the caller reads itself */
    size_t n_beside;
    bool has_plain_durations; /* stored as "<n>ms" under the key itself */
} wpa_fields;

/**
 * Overlay base with what the mapping says.
 *
 * kind      of the object, for fields that exist in one kind only; NULL if there are no kinds.
 * base      JSON object that is copied, mostly the defaults.
 *
 * Errors    INVALID with file, line and field.
 */
wpa_json *wpa_fields_read(const wpa_fields *fields, const wpa_yaml_node *mapping, const char *kind,
                          const wpa_json *base, wpa_arena *arena, wpa_error *err);
