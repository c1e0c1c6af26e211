#include "rules/payload.h"

#include <wpa/text.h>

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

const wpa_type *wpa_payload_type(const wpa_workflow *workflow, wpa_arena *arena)
{
    const wpa_trigger *dispatch = wpa_workflow_trigger(workflow, "workflow_dispatch");
    /* A called workflow sees the event of its caller. */
    if (!dispatch || workflow->has_unknown_triggers ||
        wpa_workflow_trigger(workflow, "workflow_call")) {
        return wpa_type_loose();
    }
    wpa_type_builder builder = wpa_type_builder_new(arena);
    builder.is_loose = true;
    wpa_type_builder_add(&builder, "inputs", dispatch_inputs(dispatch, arena));
    return wpa_type_builder_end(&builder);
}
