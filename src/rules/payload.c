#include "rules/payload.h"

#include <string.h>

#include "facts/payloads.h"

/* ---- members as the table has them ---- */

static const wpa_type *load_object(const char *name, const void *data, wpa_arena *arena);

static const wpa_type *type_of(const wpa_fact_payload_member *member, wpa_arena *arena)
{
    static const wpa_type_kind scalars[] = {[WPA_PAYLOAD_STRING] = WPA_TYPE_STRING,
                                            [WPA_PAYLOAD_NUMBER] = WPA_TYPE_NUMBER,
                                            [WPA_PAYLOAD_BOOLEAN] = WPA_TYPE_BOOL,
                                            [WPA_PAYLOAD_ANY] = WPA_TYPE_ANY};
    const wpa_fact_payload_object *object = member->object;
    const wpa_type *type = member->kind != WPA_PAYLOAD_OBJECT ? wpa_type_of(scalars[member->kind])
                           : object ? wpa_type_lazy(arena, load_object, object->name, NULL)
                                    : wpa_type_loose();
    return member->is_list ? wpa_type_array(arena, type) : type;
}

static void add_members(wpa_type_builder *builder, const wpa_fact_payload_member *members, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        wpa_type_builder_add(builder, members[i].name, type_of(&members[i], builder->arena));
    }
}

/** Names stand once in an object, so that nothing need be looked for. */
static const wpa_type *load_object(const char *name, const void *data, wpa_arena *arena)
{
    (void)data;
    const wpa_fact_payload_object *object = wpa_facts_payload_object_find(name);
    size_t n = object ? object->n_members : 0;
    wpa_type_member *members = wpa_arena_array(arena, n, sizeof *members);
    for (size_t i = 0; i < n; i++) {
        members[i] =
            (wpa_type_member){object->members[i].name, type_of(&object->members[i], arena)};
    }
    bool is_loose = !object || object->is_open;
    return wpa_type_object(arena, members, n, is_loose ? wpa_type_of(WPA_TYPE_ANY) : NULL);
}

/* ---- triggers ---- */

/** Inputs of a dispatch: text, whatever their types. */
static const wpa_type *dispatch_inputs(const wpa_trigger *dispatch, wpa_arena *arena)
{
    wpa_type_builder builder = wpa_type_builder_new(arena);
    for (size_t i = 0; i < dispatch->n_inputs; i++) {
        wpa_type_builder_add(&builder, dispatch->inputs[i].name, wpa_type_of(WPA_TYPE_STRING));
    }
    builder.is_loose = builder.is_loose || dispatch->is_unknown;
    return wpa_type_builder_end(&builder);
}

static void add_activity(wpa_type_builder *builder, const char *event, const char *type)
{
    const wpa_fact_payload_activity *activity = wpa_facts_payload_activity_find(event, type);
    if (activity) {
        add_members(builder, activity->members, activity->n_members);
    }
}

/** What comes with the activity types that the trigger names, or with those it has by itself. */
static void add_activities(wpa_type_builder *builder, const wpa_trigger *trigger)
{
    const wpa_fact_event *event = wpa_facts_event_find(wpa_slice_of(trigger->name));
    bool is_written = trigger->types.n > 0;
    for (size_t i = 0; i < trigger->types.n; i++) {
        const char *type = trigger->types.items[i].text;
        builder->is_loose =
            builder->is_loose || !type || !wpa_fact_list_has(event->types, wpa_slice_of(type));
        if (type) {
            add_activity(builder, trigger->name, type);
        }
    }
    for (size_t i = 0; !is_written && event->default_types[i]; i++) {
        add_activity(builder, trigger->name, event->default_types[i]);
    }
}

static void add_trigger(wpa_type_builder *builder, const wpa_trigger *trigger)
{
    const wpa_fact_payload *payload = wpa_facts_payload_find(trigger->name);
    bool is_known = payload && wpa_facts_event_find(wpa_slice_of(trigger->name)) &&
                    !trigger->is_unknown && !trigger->types.is_unknown;
    if (!is_known) {
        builder->is_loose = true;
        return;
    }
    add_members(builder, payload->members, payload->n_members);
    add_activities(builder, trigger);
}

const wpa_type *wpa_payload_type(const wpa_workflow *workflow, wpa_arena *arena)
{
    /* A called workflow sees the event of its caller. */
    if (workflow->has_unknown_triggers || !workflow->n_triggers ||
        wpa_workflow_trigger(workflow, "workflow_call")) {
        return wpa_type_loose();
    }
    wpa_type_builder builder = wpa_type_builder_new(arena);
    builder.keeps_names = true; /* of the tables */
    const wpa_trigger *dispatch = wpa_workflow_trigger(workflow, "workflow_dispatch");
    if (dispatch) {
        wpa_type_builder_add(&builder, "inputs", dispatch_inputs(dispatch, arena));
    }
    for (size_t i = 0; i < workflow->n_triggers; i++) {
        add_trigger(&builder, &workflow->triggers[i]);
    }
    /* Beside a trigger that is not known anything may be there, but what is known stays so. */
    return builder.is_loose
               ? wpa_type_object(arena, builder.members, builder.n, wpa_type_of(WPA_TYPE_ANY))
               : wpa_type_builder_end(&builder);
}

static bool names_member(const wpa_fact_payload_member *members, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (wpa_text_is_ci(members[i].name, name)) {
            return true;
        }
    }
    return false;
}

/** Is it an activity of an event that there is? */
static bool is_known(const wpa_fact_payload_activity *activity)
{
    const wpa_fact_event *event = wpa_facts_event_find(wpa_slice_of(activity->event));
    return event && wpa_fact_list_has(event->types, wpa_slice_of(activity->type));
}

bool wpa_payload_is_member(const char *name)
{
    bool does = wpa_text_is_ci(name, "inputs");
    for (size_t i = 0; i < wpa_facts_event_count() && !does; i++) {
        const wpa_fact_payload *payload = wpa_facts_payload_find(wpa_facts_event_at(i)->name);
        does = payload && names_member(payload->members, payload->n_members, name);
    }
    for (size_t i = 0; i < wpa_facts_payload_activity_count() && !does; i++) {
        const wpa_fact_payload_activity *activity = wpa_facts_payload_activity_at(i);
        does = names_member(activity->members, activity->n_members, name) && is_known(activity);
    }
    return does;
}
