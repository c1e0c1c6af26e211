/* Who may read the variables of a step's environment. */
#pragma once

#include "rules/outline.h"

typedef enum wpa_variable_readers {
    WPA_READERS_NONE,   /* every command is known to read its own variables alone */
    WPA_READERS_ACTION, /* an action whose work is not known */
    WPA_READERS_ANY     /* programs of the project, or what cannot be told */
} wpa_variable_readers;

/** Who there is besides what the step's own text names. */
wpa_variable_readers wpa_variables_readers(const wpa_outline_step *step);
