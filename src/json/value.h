/* The shape of a JSON value, shared by the files of this folder. */
#pragma once

#include <wpa/map.h>

#include "json/json.h"

typedef struct json_member {
    const char *key; /* NULL in an array */
    wpa_json *value;
} json_member;

struct wpa_json {
    wpa_json_kind kind;
    bool truth;
    int64_t integer;
    double real;
    const char *text;
    json_member *members;
    size_t n_members, capacity;
    wpa_map *index;         /* key -> member's value, once there are many */
    wpa_arena *arena;       /* where members are added */
    const wpa_json *parent; /* NULL at the top */
    const char *key;        /* in the parent, NULL in an array */
    size_t position;        /* in the parent */
};

/* Both from 1. */
typedef struct json_place {
    int line, column;
} json_place;

/** As wpa_json_parse, for a part of a text that begins there and whose depth was looked at. */
wpa_json *wpa_json_parse_part(const char *text, size_t length, json_place start, wpa_arena *arena,
                              wpa_error *err);
/** Are both of them within their limits? Of a whole text. */
bool wpa_json_check_size(const char *text, size_t length, size_t max_bytes, wpa_error *err);
