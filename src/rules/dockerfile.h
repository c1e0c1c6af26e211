/* Dockerfiles that a script writes: what they run as the image is built. */
#pragma once

#include <wpa/yaml.h>

#include "rules/shell.h"

/**
 * The commands behind RUN in Dockerfiles that the script writes by here-document, or hands to a
 * build by one, or prints. doc is the file that the script stands in.
 *
 * Returns a script whose commands stand where they stand in script; NULL if there are none.
 */
const wpa_script *wpa_dockerfile_commands(const wpa_script *script, const wpa_yaml_doc *doc,
                                          wpa_arena *arena);
