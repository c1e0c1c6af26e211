/* Which of several definitions of a schema is meant by what is written. */
#include <limits.h>
#include <string.h>

#include "rules/shape_internal.h"

static bool is_allowed(const wpa_schema_def *def, const wpa_yaml_node *node)
{
    wpa_slice text = {node->text, node->length};
    return def->constant ? wpa_slice_is(text, def->constant)
                         : !def->allowed[0] || wpa_fact_list_has(def->allowed, text);
}

bool wpa_shape_fits(const wpa_schema_def *def, const wpa_yaml_node *node)
{
    bool is_scalar = node->kind == WPA_YAML_SCALAR;
    switch (def->kind) {
    case WPA_SCHEMA_ANY:
        return true;
    case WPA_SCHEMA_MAPPING:
        return node->kind == WPA_YAML_MAPPING;
    case WPA_SCHEMA_SEQUENCE:
        return node->kind == WPA_YAML_SEQUENCE;
    case WPA_SCHEMA_NULL:
        return wpa_yaml_is_null(node);
    case WPA_SCHEMA_BOOLEAN:
        return is_scalar && wpa_yaml_scalar_type(node) == WPA_YAML_BOOL;
    case WPA_SCHEMA_NUMBER:
        return is_scalar && (wpa_yaml_scalar_type(node) == WPA_YAML_INT ||
                             wpa_yaml_scalar_type(node) == WPA_YAML_FLOAT);
    case WPA_SCHEMA_STRING:
    case WPA_SCHEMA_ALLOWED:
        return is_scalar && (!def->is_non_empty || (node->length > 0 && !wpa_yaml_is_null(node))) &&
               is_allowed(def, node);
    case WPA_SCHEMA_ONE_OF:
        for (size_t i = 0; def->choices[i]; i++) {
            if (wpa_shape_fits(def->choices[i], node)) {
                return true;
            }
        }
        return false;
    }
    return true;
}

static int count_known(const wpa_schema_def *def, const wpa_yaml_node *node)
{
    int n = 0;
    for (size_t i = 0; i < node->n_pairs; i++) {
        const char *key = wpa_yaml_text(node->pairs[i].key);
        n += key && (def->is_loose || wpa_schema_property_find(def, wpa_slice_of(key)));
    }
    return n;
}

/* Most are not there, and known not to be by the keys that are. */
const wpa_yaml_pair *wpa_shape_find_property(const wpa_yaml_node *mapping,
                                             const wpa_schema_property *property)
{
    bool may_be = (mapping->keys & property->name.bit) != 0;
    return may_be ? wpa_yaml_find_name_ci(mapping, property->name) : NULL;
}

/** A job with uses is a call, whatever else stands in it. */
static bool is_call(const wpa_schema_def *def, const wpa_yaml_node *node)
{
    static const char name[] = "workflow-job";
    return def->name_length == sizeof name - 1 && memcmp(def->name, name, sizeof name) == 0 &&
           wpa_yaml_find(node, "uses");
}

/** What tells the forms apart is what each requires, and a value that only one takes. */
static int count_telling(const wpa_schema_def *def, const wpa_yaml_node *node)
{
    int n = is_call(def, node) ? 1000 : 0;
    if (!(node->keys & def->telling_keys)) {
        return n - def->n_required; /* none of them is there */
    }
    for (size_t i = 0; def->telling && def->telling[i]; i++) {
        const wpa_schema_property *property = def->telling[i];
        const wpa_yaml_pair *pair = wpa_shape_find_property(node, property);
        const wpa_yaml_node *value = pair ? wpa_yaml_resolve(pair->value) : NULL;
        n += property->is_required ? (pair ? 100 : -1) : 0;
        n += value && property->def->constant && wpa_shape_fits(property->def, value) ? 500 : 0;
    }
    return n;
}

/* Of a choice; more no schema has. */
#define MAPPINGS_MAX 64

/* What they tell nearly always leaves one: known keys are counted where another may still win by
 * them. */
const wpa_schema_def *wpa_shape_best_of_many(const wpa_schema_def *def, const wpa_yaml_node *node)
{
    const wpa_schema_def *const *all = def->mappings, *best = all[0];
    int telling[MAPPINGS_MAX], most = INT_MIN, next = INT_MIN, most_known = INT_MIN;
    size_t n = 0;
    for (; n < MAPPINGS_MAX && all[n]; n++) {
        telling[n] = count_telling(all[n], node);
        if (telling[n] > most) {
            next = most;
            most = telling[n];
            best = all[n];
        } else if (telling[n] > next) {
            next = telling[n];
        }
    }
    bool is_sure = (int64_t)next + node->n_pairs < most;
    for (size_t i = 0; i < n && !is_sure; i++) {
        int known = telling[i] + count_known(all[i], node);
        best = known > most_known ? all[i] : best;
        most_known = known > most_known ? known : most_known;
    }
    return best;
}

const wpa_schema_def *wpa_shape_find_sequence(const wpa_schema_def *def)
{
    if (def->kind == WPA_SCHEMA_SEQUENCE) {
        return def;
    }
    if (!wpa_shape_takes(def, WPA_SCHEMA_SEQUENCE)) {
        return NULL;
    }
    const wpa_schema_def *found = NULL;
    for (size_t i = 0; def->kind == WPA_SCHEMA_ONE_OF && def->choices[i] && !found; i++) {
        found = wpa_shape_find_sequence(def->choices[i]);
    }
    return found;
}

/* ---- items of the same keys ---- */

static size_t slot_of(const wpa_yaml_node *node)
{
    return node->keys * UINT32_C(0x9E3779B1) >> 26;
}

static bool has_text(const wpa_yaml_node *key)
{
    return key->kind == WPA_YAML_SCALAR && !key->holds_nul;
}

/* Keys of a form have texts. */
static bool has_same_keys(const wpa_yaml_node *form, const wpa_yaml_node *node)
{
    bool is_same = form->keys == node->keys && form->n_pairs == node->n_pairs;
    for (size_t i = 0; is_same && i < form->n_pairs; i++) {
        const wpa_yaml_node *own = form->pairs[i].key, *key = node->pairs[i].key;
        is_same = key->length == own->length && has_text(key) &&
                  wpa_bytes_are(key->text, own->text, own->length);
    }
    return is_same;
}

const wpa_shape_form *wpa_shape_form_find(const wpa_shape_forms *forms, const wpa_schema_def *def,
                                          const wpa_yaml_node *node)
{
    size_t slot = slot_of(node);
    const wpa_shape_form *form = &forms->items[slot];
    return forms->defs[slot] == def && has_same_keys(form->like, node) ? form : NULL;
}

/** May a value tell which of the definitions is meant? */
static bool is_told_by_value(const wpa_schema_def *def, const wpa_yaml_node *node)
{
    for (const wpa_schema_def *const *one = def->mappings; *one; one++) {
        for (size_t i = 0; (*one)->telling && (*one)->telling[i]; i++) {
            const wpa_schema_property *property = (*one)->telling[i];
            if (property->def->constant && wpa_shape_find_property(node, property)) {
                return true;
            }
        }
    }
    return false;
}

void wpa_shape_form_note(wpa_shape_forms *forms, const wpa_schema_def *def,
                         const wpa_schema_def *const values[], const wpa_yaml_node *node)
{
    bool may_merge = node->keys == UINT32_MAX;
    bool is_one = !may_merge && node->n_pairs <= WPA_SHAPE_KEYS_MAX && !is_told_by_value(def, node);
    for (size_t i = 0; is_one && i < node->n_pairs; i++) {
        is_one = values[i] && has_text(node->pairs[i].key);
    }
    if (is_one) {
        size_t slot = slot_of(node);
        forms->defs[slot] = def;
        forms->items[slot].like = node;
        memcpy(forms->items[slot].values, values, node->n_pairs * sizeof(const wpa_schema_def *));
    }
}
