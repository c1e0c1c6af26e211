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

/**
 * Does the variable's name stand anywhere in these bytes of the document, but in those where it is
 * defined?
 */
bool wpa_variable_is_named(wpa_slice in, const wpa_yaml_doc *doc, wpa_span own, const char *name);

/** The variable that holds the expression's value anyway: "GITHUB_REF" of "github.ref"; or NULL. */
const char *wpa_variable_set(const char *expression);
/** A name for it: "ISSUE_TITLE" of "github.event.issue.title". */
const char *wpa_variable_name(const char *expression, wpa_arena *arena);
/** Is it called after several things ("CFLAGS", "extra_args", "packages"), to be several words? */
bool wpa_variable_holds_list(wpa_slice name);
