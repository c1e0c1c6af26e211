/* What github.event holds, by the triggers of the workflow. */
#pragma once

#include "expr/type.h"
#include "workflow/workflow.h"

/** Joined over all triggers; loose where a payload is not known. */
const wpa_type *wpa_payload_type(const wpa_workflow *workflow, wpa_arena *arena);
/** Has the payload of any event, whether the workflow has that trigger or not, a member so named?
 */
bool wpa_payload_is_member(const char *name);
