/* Files that scripts write secrets into, and later steps that carry them away. */
#pragma once

#include "rules/outline.h"
#include "rules/rule.h"

/** A file that a command's text goes into, as far as it gets there whole. */
typedef struct wpa_secret_file {
    const char
        *path;     /* as the workspace names it, in run->arena; NULL: none, or it cannot be told */
    wpa_span span; /* of its name in the script */
} wpa_secret_file;

/**
 * The file that the i-th command of the step's script prints into: by a redirection of its own, or
 * at the end of a pipe of such as leave a text readable.
 */
wpa_secret_file wpa_secret_file_of(wpa_rule_run *run, const wpa_outline_step *step, size_t i);

/**
 * The step that uploads the file afterwards, or keeps it in a cache: by name, folder or pattern;
 * NULL if none does, or a script may have taken it away before.
 *
 * *path   of the step's input, where it says so.
 */
const wpa_outline_step *wpa_secret_file_taken(wpa_rule_run *run, const wpa_outline_step *step,
                                              const char *file, const wpa_yaml_node **path);
