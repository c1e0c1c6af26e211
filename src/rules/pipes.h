/* Who reads what a command writes, where groups and subshells stand between them. */
#pragma once

#include "rules/shell.h"

/** Commands [first, last) of a script. */
typedef struct wpa_command_range {
    size_t first, last;
} wpa_command_range;

/**
 * Which commands read what the i-th writes: "a | b", "(x; a) | b", "{ a; } | b", "a | (cd x; b)".
 *
 * script  one that bash or sh reads.
 * range   filled with the commands of the other end of the pipe; there may be others in it, of
 *         substitutions in their words.
 *
 * Returns false where nothing reads it by a pipe, or that cannot be told.
 */
bool wpa_shell_pipe(const wpa_script *script, size_t i, wpa_command_range *range);
