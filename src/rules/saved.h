/* Files that a script downloads, and the commands that run them. */
#pragma once

#include "rules/shell.h"

/** Is it a program that runs scripts: a shell, python, node? */
bool wpa_is_interpreter(const char *name);
/**
 * The file that the i-th command, which downloads url, writes to; NULL if that cannot be told.
 * url may be NULL.
 */
const char *wpa_saved_as(const wpa_script *script, size_t i, const char *url, wpa_arena *arena);
/** Does the command run this file: by its path, as the script of an interpreter, as an installer?
 */
bool wpa_runs_file(const wpa_shell_command *c, const char *file);
/** Is the file made a program, for whoever runs it later? */
bool wpa_makes_program(const wpa_shell_command *c, const char *file);
