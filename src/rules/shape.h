/*
 * A file against the definitions of a schema: keys, shapes and requirements. The walk is the same
 * for workflows, actions, dependabot.yml and pre-commit files; what each of them calls its checks,
 * and what it leaves to other rules, stands in a wpa_shape_set.
 */
#pragma once

#include "facts/facts.h"
#include "rules/rule.h"

typedef enum wpa_shape_wrong {
    WPA_SHAPE_DUPLICATE, /* of a key, without regard to case */
    WPA_SHAPE_UNKNOWN_KEY,
    WPA_SHAPE_MISSING_KEY,
    WPA_SHAPE_NOT_MAPPING,
    WPA_SHAPE_EMPTY_MAPPING,
    WPA_SHAPE_NOT_SEQUENCE,
    WPA_SHAPE_EMPTY_SEQUENCE,
    WPA_SHAPE_NOT_SCALAR,
    WPA_SHAPE_EMPTY_TEXT,
    WPA_SHAPE_NOT_BOOL,
    WPA_SHAPE_NOT_COUNT,      /* a whole number of at least 1 */
    WPA_SHAPE_NOT_NUMBER,     /* or not above 0 where it must be */
    WPA_SHAPE_NOT_EXPRESSION, /* plain text where an expression or a collection is wanted */
    WPA_SHAPE_NOT_ALLOWED     /* none of the texts that may stand here */
} wpa_shape_wrong;

/** A key that a form needs although the schema says it may be left out. */
typedef struct wpa_shape_need {
    const char *form;
    const char *key;
} wpa_shape_need;

typedef struct wpa_shape_set {
    const char *refusal;               /* what happens: "GitHub refuses the file" */
    const char *const *left_to_others; /* [n] definitions that are not walked */
    size_t n_left_to_others;
    const char *const *may_be_null; /* [n_may_be_null] mappings that nothing may stand for */
    size_t n_may_be_null;
    const wpa_shape_need *needs; /* [n_needs] */
    size_t n_needs;
    bool takes_misspelt; /* a key that is there with a slip in it is not told to be missing too */
    /** Number of the check, a literal; NULL: not reported. form is the definition's name. */
    const char *(*check_of)(wpa_shape_wrong fault, const char *form);
    /**
     * May tell a mapping of properties in its own words; true: it is done with. False for an item
     * of a list is false for all that have the same keys. Or NULL.
     */
    bool (*tell_form)(wpa_rule_run *run, const wpa_schema_def *def, const wpa_yaml_node *mapping);
    /** May tell an unknown key in its own words, or let it pass; true if it did. Or NULL. */
    bool (*tell_unknown)(wpa_rule_run *run, const wpa_schema_def *def, const wpa_yaml_node *mapping,
                         const wpa_yaml_node *key);
} wpa_shape_set;

/** Walk the file's tree. */
void wpa_shape_check(wpa_rule_run *run, const wpa_shape_set *set, const wpa_schema_def *def,
                     const wpa_yaml_node *root);
/** Does an unknown key of the mapping stand for this one with a slip of letters? */
bool wpa_shape_has_misspelt(const wpa_schema_def *def, const wpa_yaml_node *mapping,
                            const char *name);
/** Report an unknown key with the nearest known one; what tell_unknown falls back on. */
void wpa_shape_report_unknown(wpa_rule_run *run, const wpa_shape_set *set, const char *check,
                              const wpa_schema_def *def, const wpa_yaml_node *mapping,
                              const wpa_yaml_node *key);
/** Offer to correct a key or value that is misspelt by one letter or by case. */
void wpa_shape_repair(wpa_rule_run *run, wpa_finding *finding);
