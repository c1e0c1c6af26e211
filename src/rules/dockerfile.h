/* Dockerfiles that a script writes: what they run as the image is built. */
#pragma once

#include <wpa/yaml.h>

#include "rules/shell.h"

/** False: no script of the file has anything to do with a Dockerfile. */
bool wpa_dockerfile_may_be_in(const wpa_yaml_doc *doc);

/**
 * The commands behind RUN in Dockerfiles that the script writes by here-document, or hands to a
 * build by one, or prints. To be asked where the file that it stands in may hold any.
 *
 * Returns a script whose commands stand where they stand in script; NULL if there are none.
 */
const wpa_script *wpa_dockerfile_commands(const wpa_script *script, wpa_arena *arena);
