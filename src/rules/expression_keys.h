/* What the tables say of the place at which an expression stands. For expressions.c alone. */
#pragma once

#include "rules/expressions.h"

/** Names of keys from the root; lists leave no trace but the flag. */
typedef struct wpa_key_path {
    const char *const *names; /* [n] */
    size_t n;
    bool is_item; /* of a list below the last key */
} wpa_key_path;

typedef struct wpa_key_facts {
    const wpa_fact_availability *key; /* NULL: the tables know of no expressions there */
    const char *name;                 /* of the key, for messages; or NULL */
    wpa_expression_use use;
} wpa_key_facts;

/** Of a workflow, or of an action file. */
wpa_key_facts wpa_key_facts_of(const wpa_key_path *path, bool is_workflow);
/** False: what stands under a key of this name is no condition, wherever that is. */
static inline bool wpa_key_may_be_condition(const char *name)
{
    return name[0] == 'i' ? name[1] == 'f' && !name[2]
                          : name[0] == 'p' && wpa_text_ends(name, "-if");
}
