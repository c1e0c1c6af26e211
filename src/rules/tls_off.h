/*
 * What switches the check of a server's certificate or key off: options of programs, settings of
 * theirs, variables.
 */
#pragma once

#include "rules/shell.h"

/** How many words of the command from the i-th on do; 0: none. */
size_t wpa_tls_off_words(const wpa_shell_command *c, size_t i);
/** Does this value of the variable name[length]? */
bool wpa_tls_off_variable(const char *name, size_t length, const char *value);
/** Does the value hold options of ssh that do? */
bool wpa_tls_off_ssh(const char *value);
/** Does text[length], written to this file? found receives the setting's place in text. */
bool wpa_tls_off_in_file(const char *file, const char *text, size_t length, wpa_span *found);
