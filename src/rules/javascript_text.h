/* Where code stands in a script of actions/github-script, and where text and comments do. */
#pragma once

#include <wpa/arena.h>

#include "rules/shell.h"

/**
 * A context for each byte, [length]: WPA_SHELL_PLAIN for code, also within the braces of a
 * template; WPA_SHELL_SINGLE for text, patterns and the quotes around them; WPA_SHELL_COMMENT.
 */
const uint8_t *wpa_javascript_contexts(const char *text, size_t length, wpa_arena *arena);

/** The bracket of code that closes the one here, of those of one kind; 0: none does. */
size_t wpa_javascript_closing(const char *text, size_t length, const uint8_t *contexts,
                              size_t open);
