/* What scripts write to the files by which steps tell the runner, and later steps, something. */
#pragma once

#include "rules/site.h"

/** A line that a step's script writes into one of the runner's files. */
typedef struct wpa_export {
    const char *file;  /* "GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY" */
    const char *name;  /* of the variable or output, NULL if it cannot be told */
    wpa_span value;    /* bytes of the script that are written, with the name */
    wpa_span redirect; /* operator and target, or the command that writes */
} wpa_export;

/** What a script writes there, by position; for scripts of every shell. Found once a file. */
const wpa_export *wpa_exports_of(wpa_rule_run *run, const wpa_outline_step *step, size_t *n);

/**
 * Bytes of the script that a redirection of a command writes: its words and here-documents, what
 * comes down the pipe to it, or the group that it closes. redirect may be NULL: of the command
 * itself.
 */
wpa_span wpa_exports_text(const wpa_script *script, size_t index,
                          const wpa_shell_redirect *redirect);
