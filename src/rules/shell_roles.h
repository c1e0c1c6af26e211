/* What kind of work a script's commands do, by the table of commands. */
#pragma once

#include "facts/commands.h"
#include "rules/outline.h"

#define WPA_SHELL_WORDS_MAX 256

/** Roles (wpa_command_role bits) of one command; 0 if it is not known. */
static inline unsigned wpa_shell_roles(const wpa_shell_command *command)
{
    return command->roles;
}
/** The same out of the tables, for when the script is read. */
unsigned wpa_shell_read_roles(const wpa_shell_command *command);
/** The step's script, if it is made of commands and could be read: in any shell, but not python. */
static inline const wpa_script *wpa_step_commands(const wpa_outline_step *step)
{
    return step->commands;
}
/** Of all commands of a step's script, in any shell that is read; 0 for a step without one. */
static inline unsigned wpa_step_roles(const wpa_outline_step *step)
{
    return step->roles;
}
/** Texts of the words behind the name, for look-ups in tables; returns how many, at most max. */
size_t wpa_shell_arguments(const wpa_shell_command *command, const char *words[], size_t max);
