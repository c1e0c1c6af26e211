/* All rules, in the order of the catalogue. */
#pragma once

#include "rules/rule.h"

/** Every rule; n receives how many. Static. */
const wpa_rule *const *wpa_rules_all(size_t *n);

/**
 * The rule named by its id, its code or a foreign name ("zizmor/artipacked"; bare "artipacked" if
 * unambiguous), with or without "/check" behind an id or code. check receives the part behind it,
 * or NULL.
 *
 * Returns  the rule, or NULL with *err naming the nearest legal name (WPA_E_INVALID).
 */
const wpa_rule *wpa_rules_find(const char *name, const char **check, wpa_error *err);

/** Place among all rules; their number for a rule outside the registry. */
size_t wpa_rules_index(const wpa_rule *rule);

/**
 * What programs outside report ("ext/<tool>/<rule>": the check says which): no row of the registry,
 * since nothing of ours runs for it.
 */
extern const wpa_rule wpa_rule_external;

/** Does one of the names by which the rule is known say name (id, code, foreign, bare foreign)? */
bool wpa_rule_is_named(const wpa_rule *rule, const char *name);

/** Changes whenever a rule's outcome may: part of the key under which results are kept. */
const char *wpa_rules_version(void);
