/*
 * Fields of queries, bodies and answers: one table says what is taken, checks it, and describes it
 * in the OpenAPI document.
 */
#pragma once

#include "json/json.h"

typedef enum wpa_api_type {
    WPA_API_TEXT,
    WPA_API_INT,
    WPA_API_REAL,
    WPA_API_BOOL,
    WPA_API_TIME,   /* RFC 3339 */
    WPA_API_OBJECT, /* of fields; of any members if it has none */
    WPA_API_MAP,    /* of any names to values of item */
    WPA_API_LIST,   /* of item */
    WPA_API_ANY
} wpa_api_type;

typedef struct wpa_api_field wpa_api_field;
struct wpa_api_field {
    const char *name; /* NULL ends a table */
    wpa_api_type type;
    bool is_required;
    bool is_nullable;            /* in answers: null where it was not measured */
    bool is_secret;              /* a passphrase: kept in no form but its slow hash */
    const char *const *choices;  /* NULL-terminated, or NULL: any text */
    int64_t min, max;            /* of numbers, or length in bytes of texts; both 0: the usual */
    const char *fallback;        /* what stands for an absent one, for the document; or NULL */
    const wpa_api_field *fields; /* of an object, or of a list's items */
    wpa_api_type item;           /* of a list or map; OBJECT: of fields */
    const char *words;           /* one sentence for people */
    const char *example;         /* JSON, or NULL */
};

#define WPA_API_TEXT_MAX_BYTES 4096

#define WPA_API_PASSPHRASE                                                                         \
    {                                                                                              \
        .name = "passphrase", .type = WPA_API_TEXT, .is_required = true, .is_secret = true,        \
        .min = 1, .max = 1024                                                                      \
    }

/* What a job, a notice, a delivery or a row of the audit log is about. */
#define WPA_API_SUBJECT(may_be_none)                                                               \
    {.name = "subject",                                                                            \
     .type = WPA_API_TEXT,                                                                         \
     .is_required = true,                                                                          \
     .is_nullable = (may_be_none),                                                                 \
     .words = "what it is about: kind and number, which are those of short ids",                   \
     .example = "\"patch:12\""},                                                                   \
    {                                                                                              \
        .name = "subject_id", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true,      \
        .words = "UUID of that thing, of what it is part of (of a stage, its deployment); null "   \
                 "where there is none"                                                             \
    }

/**
 * Does the object hold only these fields, each as its row says? The error names the field.
 *
 * Errors    WPA_E_INVALID.
 */
bool wpa_api_fields_check(const wpa_api_field *fields, const wpa_json *object,
                          wpa_error *err) WPA_CHECK;
/** JSON schema of an object with these fields, in the arena. */
wpa_json *wpa_api_fields_schema(const wpa_api_field *fields, bool is_answer, wpa_arena *arena);
/** JSON schema of one field. */
wpa_json *wpa_api_field_schema(const wpa_api_field *field, bool is_answer, wpa_arena *arena);
/** A query's text as the field's type. Errors WPA_E_INVALID, naming the parameter. */
wpa_json *wpa_api_field_parse(const wpa_api_field *field, const char *text, wpa_arena *arena,
                              wpa_error *err);
const wpa_api_field *wpa_api_field_find(const wpa_api_field *fields, const char *name);
