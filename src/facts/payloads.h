/*
 * What github.event holds for each event: members by name and type, of which rules/payload.h makes
 * types. Part of the tables of facts.h.
 */
#pragma once

#include "facts/facts.h"

typedef enum wpa_fact_payload_kind {
    WPA_PAYLOAD_STRING,
    WPA_PAYLOAD_NUMBER,
    WPA_PAYLOAD_BOOLEAN,
    WPA_PAYLOAD_ANY,
    WPA_PAYLOAD_OBJECT
} wpa_fact_payload_kind;

typedef struct wpa_fact_payload_object wpa_fact_payload_object;

typedef struct wpa_fact_payload_member {
    const char *name;
    wpa_fact_payload_kind kind;
    bool is_list;                          /* of such */
    const wpa_fact_payload_object *object; /* NULL: of any members, or no object */
} wpa_fact_payload_member;

/** An object that members of several events are. */
struct wpa_fact_payload_object {
    const char *name;                       /* "pull_request" */
    const wpa_fact_payload_member *members; /* [n_members] names once */
    size_t n_members;
    bool is_open; /* may have others */
};

/** What every payload of an event has. */
typedef struct wpa_fact_payload {
    const char *event;
    const wpa_fact_payload_member *members; /* [n_members] */
    size_t n_members;
} wpa_fact_payload;

/** What comes with one activity type besides. */
typedef struct wpa_fact_payload_activity {
    const char *event;
    const char *type;
    const wpa_fact_payload_member *members; /* [n_members] */
    size_t n_members;
} wpa_fact_payload_activity;

/** NULL: not known. */
const wpa_fact_payload_object *wpa_facts_payload_object_find(const char *name);
const wpa_fact_payload *wpa_facts_payload_find(const char *event);
size_t wpa_facts_payload_activity_count(void);
const wpa_fact_payload_activity *wpa_facts_payload_activity_at(size_t i);
/** NULL: the activity adds nothing. */
const wpa_fact_payload_activity *wpa_facts_payload_activity_find(const char *event,
                                                                 const char *type);
