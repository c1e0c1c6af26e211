/* Dockerfiles that a script writes: what they run as the image is built. */
#pragma once

#include "rules/shell.h"

/**
 * The commands behind RUN in Dockerfiles that the script writes by here-document, or hands to a
 * build by one, or prints.
 *
 * Returns a script whose commands stand where they stand in script; NULL if there are none.
 */
const wpa_script *wpa_dockerfile_commands(const wpa_script *script, wpa_arena *arena);
