#include "facts/payloads.h"

#include "facts/tables.h"

const wpa_fact_payload_object *wpa_facts_payload_object_find(const char *name)
{
    for (size_t i = 0; i < wpa_fact_n_payload_objects; i++) {
        if (wpa_text_is(wpa_fact_payload_objects[i].name, name)) {
            return &wpa_fact_payload_objects[i];
        }
    }
    return NULL;
}

const wpa_fact_payload *wpa_facts_payload_find(const char *event)
{
    for (size_t i = 0; i < wpa_fact_n_payloads; i++) {
        if (wpa_text_is(wpa_fact_payloads[i].event, event)) {
            return &wpa_fact_payloads[i];
        }
    }
    return NULL;
}

size_t wpa_facts_payload_activity_count(void)
{
    return wpa_fact_n_payload_activities;
}

const wpa_fact_payload_activity *wpa_facts_payload_activity_at(size_t i)
{
    return &wpa_fact_payload_activities[i];
}

const wpa_fact_payload_activity *wpa_facts_payload_activity_find(const char *event,
                                                                 const char *type)
{
    for (size_t i = 0; i < wpa_fact_n_payload_activities; i++) {
        const wpa_fact_payload_activity *row = &wpa_fact_payload_activities[i];
        if (wpa_text_is(row->type, type) && wpa_text_is(row->event, event)) {
            return row;
        }
    }
    return NULL;
}
