/*
 * What github.event holds for each event: members by name and type, as one text that
 * rules/payload.h reads. Part of the tables of facts.h.
 */
#pragma once

#include "facts/facts.h"

/** An object of payloads, by which members name their types. */
typedef struct wpa_fact_payload_object {
    const char *name;    /* "pull_request" */
    const char *members; /* "id:number user:user labels:[label]" */
    bool is_open;        /* may have others */
} wpa_fact_payload_object;

/** What every payload of an event has. */
typedef struct wpa_fact_payload {
    const char *event;
    const char *members;
} wpa_fact_payload;

/** What comes with one activity type besides. */
typedef struct wpa_fact_payload_activity {
    const char *event;
    const char *type;
    const char *members;
} wpa_fact_payload_activity;

/** NULL: not known. */
const wpa_fact_payload_object *wpa_facts_payload_object_find(const char *name);
const wpa_fact_payload *wpa_facts_payload_find(const char *event);
/** NULL: the activity adds nothing. */
const wpa_fact_payload_activity *wpa_facts_payload_activity_find(const char *event,
                                                                 const char *type);
