/* Commands that lose data: what a command does, as far as its words tell. */
#pragma once

#include <wpa/arena.h>

#include "rules/shell.h"

typedef enum wpa_danger {
    WPA_DANGER_NONE,
    WPA_DANGER_UNRESOLVED, /* it depends on a variable */
    WPA_DANGER_CERTAIN
} wpa_danger;

typedef struct wpa_danger_finding {
    wpa_danger level;
    const char *what; /* static: "deletes outside the work folder" */
} wpa_danger_finding;

/**
 * script     the whole script, in which variables are followed if they are set once to a literal.
 */
wpa_danger_finding wpa_danger_of(const wpa_script *script, const wpa_shell_command *command,
                                 wpa_arena *arena);

/** Does this command back up, upload or publish something, or clean up? Static words, or NULL. */
const char *wpa_danger_keeps(const wpa_shell_command *command);
