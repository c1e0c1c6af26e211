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
/** What wpa_shape_best_mapping comes to where there are several. */
const wpa_schema_def *wpa_shape_best_of_many(const wpa_schema_def *def, const wpa_yaml_node *node);
/**
 * Of the mappings that a choice may be, the first of those that tell and know most of the keys;
 * NULL: it may be none.
 */
static inline const wpa_schema_def *wpa_shape_best_mapping(const wpa_schema_def *def,
                                                           const wpa_yaml_node *node)
{
    const wpa_schema_def *const *all = def->mappings;
    return all[0] && all[1]                  ? wpa_shape_best_of_many(def, node)
           : def->kind == WPA_SCHEMA_MAPPING ? def
                                             : all[0];
}
/** The list that a definition is, or may be; NULL: it may be none. */
const wpa_schema_def *wpa_shape_find_sequence(const wpa_schema_def *def);
