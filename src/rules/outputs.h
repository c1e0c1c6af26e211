/* What a step writes to its outputs, as far as its own text tells. */
#pragma once

#include "rules/outline.h"
#include "rules/rule.h"

#define WPA_OUTPUTS_MAX 64

typedef struct wpa_outputs {
    const char *const *names; /* [n], each once or more, then NULL */
    size_t n;
    bool is_complete; /* there are no others; false: anything may be set */
} wpa_outputs;

/** Of a step that runs a script, or a script of actions/github-script; read once a file. */
const wpa_outputs *wpa_outputs_of(wpa_rule_run *run, const wpa_outline_step *step);
bool wpa_outputs_has(const wpa_outputs *outputs, const char *name);
/** Where the file says that the step has the output: in its code, or else at its first key. */
wpa_span wpa_outputs_place(const wpa_outline_step *step, const char *name);
