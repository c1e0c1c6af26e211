/* Shared by shape.c, shape_choice.c and shape_report.c alone. */
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

/* Items of a list, as steps are, of which many have the same keys, also in other files of a
   repository: what each value must be. */
#define WPA_SHAPE_KEYS_MAX 8
#define WPA_SHAPE_FORMS 64

typedef struct wpa_shape_form {
    const wpa_yaml_node *like; /* one with these keys */
    const wpa_schema_def *values[WPA_SHAPE_KEYS_MAX];
} wpa_shape_form;

/* By a hash of the keys' bits. */
typedef struct wpa_shape_forms {
    const wpa_schema_def *defs[WPA_SHAPE_FORMS]; /* what the items are; NULL: there is no form */
    wpa_shape_form *items;                       /* [WPA_SHAPE_FORMS] */
} wpa_shape_forms;

/** The form of a mapping with these keys in this order, if one was noted; or NULL. */
const wpa_shape_form *wpa_shape_form_find(const wpa_shape_forms *forms, const wpa_schema_def *def,
                                          const wpa_yaml_node *node);
/**
 * Note a mapping in which nothing is wrong but perhaps values: what each of them must be, NULL
 * where a key is no property. Not noted then, nor if its values tell which of the definitions it
 * is.
 */
void wpa_shape_form_note(wpa_shape_forms *forms, const wpa_schema_def *def,
                         const wpa_schema_def *const values[], const wpa_yaml_node *node);

/** Lists of the set that a definition may be named in. */
typedef enum __attribute__((packed)) wpa_shape_lists {
    WPA_SHAPE_LEFT_TO_OTHERS = 1,
    WPA_SHAPE_MAY_BE_NULL = 2,
    WPA_SHAPE_NEEDS = 4
} wpa_shape_lists;

/* So many kinds of names, by what most others do not have. */
#define WPA_SHAPE_MARKS 256

/** The same for all files that are judged together, as far as they have one set. */
typedef struct wpa_shape_walker {
    wpa_rule_run *run;
    const wpa_shape_set *set;
    wpa_shape_lists lists[WPA_SHAPE_MARKS]; /* by the mark of a name: it may be in these */
    wpa_shape_forms forms;
} wpa_shape_walker;

/** Where it is. */
typedef struct wpa_shape_place {
    wpa_shape_walker *by;
    const wpa_yaml_node *key; /* of the value that is looked at; NULL at the root and in lists */
    bool has_expressions;     /* an expression may stand here or in what is around */
    int depth;
} wpa_shape_place;

/* What is said of a place (shape_report.c). */

/** Number of the check, or NULL: it is not reported. */
const char *wpa_shape_check_of(const wpa_shape_place *at, wpa_shape_wrong fault,
                               const wpa_schema_def *def);
/** The key of the value, quoted, or "the file". */
const char *wpa_shape_quoted_key(const wpa_shape_place *at);
/** Where to point: at the value, or at its key where there is nothing. */
wpa_span wpa_shape_span_of(const wpa_shape_place *at, const wpa_yaml_node *node);
/** The value is of no kind or text that may stand here. */
void wpa_shape_report_shape(const wpa_shape_place *at, const wpa_schema_def *def,
                            const wpa_yaml_node *node);
/** It is right but for what is around its one expression. */
void wpa_shape_report_padded(const wpa_shape_place *at, const wpa_schema_def *def,
                             const wpa_yaml_node *node);
void wpa_shape_report_missing(const wpa_shape_place *at, const wpa_schema_def *def,
                              const wpa_yaml_node *node, const char *name);
