/* Shared by shape.c and shape_choice.c alone. */
#pragma once

#include "rules/shape.h"

/** May a value of this kind be what the definition says? */
static inline bool wpa_shape_takes(const wpa_schema_def *def, wpa_schema_kind kind)
{
    return (def->takes >> kind & 1) != 0;
}
/** Is the node of the kind that the definition wants; of a choice: of any of its kinds? */
bool wpa_shape_fits(const wpa_schema_def *def, const wpa_yaml_node *node);
/** The pair of a property, whatever the case of its key; NULL: it is not there. */
const wpa_yaml_pair *wpa_shape_find_property(const wpa_yaml_node *mapping,
                                             const wpa_schema_property *property);
/**
 * Of the mappings that a choice may be, the first of those that tell and know most of the keys;
 * NULL: it may be none.
 */
const wpa_schema_def *wpa_shape_best_mapping(const wpa_schema_def *def, const wpa_yaml_node *node);
/** The list that a definition is, or may be; NULL: it may be none. */
const wpa_schema_def *wpa_shape_find_sequence(const wpa_schema_def *def);
