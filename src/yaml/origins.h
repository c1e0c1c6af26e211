/* Inside src/yaml only: from each byte of a decoded scalar back to those it was written with. */
#pragma once

#include <wpa/yaml.h>

/** The bytes of the file that one decoded byte came from. */
typedef struct wpa_yaml_origin {
    uint32_t start;
    uint32_t end;
} wpa_yaml_origin;

/**
 * Find them for all bytes of a scalar that is complete.
 *
 * origins   [scalar->length] receives them.
 *
 * Returns   false where the file, decoded, is not the text; origins then say nothing.
 */
bool wpa_yaml_origins_find(const wpa_yaml_node *scalar, wpa_yaml_origin origins[]);
