/* The commands of all scripts of a file, in one list, for comparing two versions of it. */
#pragma once

#include "rules/outline.h"
#include "rules/shell.h"
#include "testing/check.h"

typedef struct wpa_test_command {
    const char *text; /* its words, blanks between */
    const wpa_shell_command *command;
    const struct wpa_outline_step *step;
} wpa_test_command;

typedef struct wpa_test_commands {
    const wpa_test_command *items;
    size_t n;
    bool has_unreadable; /* a script could not be followed: its commands are not among these */
} wpa_test_commands;

wpa_test_commands wpa_test_commands_of(const wpa_test_context *context, wpa_test_image *image);
/** How often a command of exactly this text is in the list. */
size_t wpa_test_commands_count(const wpa_test_commands *list, const char *text);
/** A command's words, blanks between. */
const char *wpa_test_command_text(const wpa_shell_command *command, wpa_arena *arena);

/** The step of a job that another version calls so: by its id, else by its name, else by its place
    if there are as many steps. NULL: there is none. */
const wpa_outline_step *wpa_test_step_like(const wpa_outline_job *job,
                                           const wpa_outline_step *like);
