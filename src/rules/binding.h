/* How code reads a variable of its environment where an expression stands now. */
#pragma once

#include "rules/rule.h"
#include "rules/site.h"

/** One expression in the text of a script. */
typedef struct wpa_binding {
    const wpa_outline_step *step;
    const wpa_yaml_node *node; /* scalar: the script */
    bool is_javascript;        /* of github-script */
    const char *path;          /* what the expression reads: "inputs.tag" */
    wpa_span fence, inside;    /* bytes of the decoded scalar, with "${{" and without */
} wpa_binding;

/**
 * The text to put in the place of the expression, so that it reads the variable of this name.
 *
 * span  filled with the bytes of the decoded scalar that it takes: the fence, and in JavaScript and
 *       Python the quotes around it.
 *
 * Returns NULL where it would not be read, would be code, or would be one word that was several.
 */
const char *wpa_binding_spell(wpa_rule_run *run, const wpa_binding *binding, const char *name,
                              wpa_span *span);
