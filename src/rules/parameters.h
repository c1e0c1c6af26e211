/* Parameters of functions in scripts, and what calls in the same script give. */
#pragma once

#include "rules/site.h"

/** Bytes of the script that a parameter stands for inside the body of its function. */
typedef struct wpa_parameter_value {
    wpa_slice name; /* "args" is what no parameter takes; without its "$" */
    wpa_span body, value;
} wpa_parameter_value;

typedef struct wpa_parameter_values {
    wpa_parameter_value *items; /* [n] */
    size_t n, capacity;
} wpa_parameter_values;

/**
 * All that the step's calls give, and what parameters are without being given anything.
 *
 * step   with a script of PowerShell; none come of one that cannot be read.
 */
wpa_parameter_values wpa_parameter_values_of(wpa_rule_run *run, const wpa_outline_step *step,
                                             wpa_arena *arena);

/** As wpa_parameter_values_of for a script of Python; methods too, whatever they are called on. */
wpa_parameter_values wpa_parameter_values_of_python(wpa_rule_run *run, const wpa_outline_step *step,
                                                    wpa_arena *arena);

/**
 * As wpa_parameter_values_of for a script of actions/github-script; names of loops too, and what
 * methods call back with: "lines.forEach(line => ...)".
 *
 * contexts   of the text, as of wpa_javascript_contexts.
 */
wpa_parameter_values wpa_parameter_values_of_javascript(wpa_rule_run *run, const char *text,
                                                        size_t length, const uint8_t *contexts,
                                                        wpa_arena *arena);
