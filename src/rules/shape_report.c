/* What is said of a shape that is wrong, and what may be meant. */
#include <string.h>

#include "rules/shape_internal.h"
#include "rules/upgrade.h"

#define NAMES_MAX 400
#define NAMES_LISTED_MAX 12

/* What a repair needs: a key or value, and what was meant. */
typedef struct misspelling {
    const wpa_yaml_node *node;
    const char *right;
} misspelling;

const char *wpa_shape_quoted_key(const wpa_shape_place *at)
{
    return at->key ? wpa_rule_quote(at->by->run, at->key->text, at->key->length) : "the file";
}

wpa_span wpa_shape_span_of(const wpa_shape_place *at, const wpa_yaml_node *node)
{
    bool is_empty = wpa_yaml_is_null(node) && wpa_span_length(node->span) == 0 && at->key;
    return is_empty ? at->key->span : wpa_yaml_full(node);
}

const char *wpa_shape_check_of(const wpa_shape_place *at, wpa_shape_wrong fault,
                               const wpa_schema_def *def)
{
    return at->by->set->check_of(fault, def->name);
}

static const void *misspelling_new(wpa_rule_run *run, const wpa_yaml_node *node, const char *right)
{
    misspelling *wrong = wpa_arena_alloc(run->arena, sizeof *wrong);
    *wrong = (misspelling){node, right};
    return wrong;
}

static size_t collect_allowed(const wpa_schema_def *def, const char **names, size_t n)
{
    if (def->constant && n < NAMES_MAX) {
        names[n++] = def->constant;
    }
    for (size_t i = 0; def->allowed[i] && n < NAMES_MAX; i++) {
        names[n++] = def->allowed[i];
    }
    for (size_t i = 0; def->kind == WPA_SCHEMA_ONE_OF && def->choices[i]; i++) {
        n = collect_allowed(def->choices[i], names, n);
    }
    return n;
}

/** Nothing where there are too many to read. */
static const char *list_allowed(const char *const names[], size_t n, wpa_arena *arena)
{
    const char *list = "";
    for (size_t i = 0; i < n && n <= NAMES_LISTED_MAX; i++) {
        list = wpa_arena_printf(arena, "%s%s %s", list, i ? "," : ", only", names[i]);
    }
    return list;
}

/* A text that is none of those which may stand here. */
static bool report_not_allowed(const wpa_shape_place *at, const wpa_schema_def *def,
                               const wpa_yaml_node *node)
{
    const char *names[NAMES_MAX];
    size_t n = node->kind == WPA_YAML_SCALAR && node->length ? collect_allowed(def, names, 0) : 0;
    const char *check = wpa_shape_check_of(at, WPA_SHAPE_NOT_ALLOWED, def);
    if (!n || !check) {
        return n > 0;
    }
    wpa_arena *arena = at->by->run->arena;
    const char *text = wpa_yaml_text(node);
    const char *near = text ? wpa_text_nearest(text, names, n) : NULL;
    const char *hint = near ? wpa_arena_printf(arena, " (did you mean '%s'?)", near)
                            : list_allowed(names, n, arena);
    wpa_rule_report(at->by->run, wpa_shape_span_of(at, node), check,
                    near ? misspelling_new(at->by->run, node, near) : NULL, "%s cannot be %s%s: %s",
                    at->key ? wpa_shape_quoted_key(at) : "an entry",
                    wpa_rule_quote(at->by->run, node->text, node->length), hint,
                    at->by->set->refusal);
    return true;
}

typedef struct expectation {
    wpa_shape_wrong fault;
    const char *what;
} expectation;

static expectation expected_by(const wpa_schema_def *def, const wpa_yaml_node *node,
                               bool has_expressions)
{
    bool is_mapping = wpa_shape_takes(def, WPA_SCHEMA_MAPPING),
         is_list = wpa_shape_takes(def, WPA_SCHEMA_SEQUENCE);
    bool is_text =
        wpa_shape_takes(def, WPA_SCHEMA_STRING) || wpa_shape_takes(def, WPA_SCHEMA_ALLOWED);
    if (wpa_shape_takes(def, WPA_SCHEMA_BOOLEAN) && !is_text) {
        return (expectation){WPA_SHAPE_NOT_BOOL, "true or false"};
    }
    if (wpa_shape_takes(def, WPA_SCHEMA_NUMBER) && !is_text) {
        return (expectation){WPA_SHAPE_NOT_NUMBER, "a number"};
    }
    bool is_open = has_expressions && node->kind == WPA_YAML_SCALAR;
    if (is_mapping && !is_text) {
        return (expectation){is_open ? WPA_SHAPE_NOT_EXPRESSION : WPA_SHAPE_NOT_MAPPING,
                             is_open   ? "a mapping or one expression"
                             : is_list ? "a mapping or a list"
                                       : "a mapping"};
    }
    if (is_list && !is_text) {
        return (expectation){is_open ? WPA_SHAPE_NOT_EXPRESSION : WPA_SHAPE_NOT_SEQUENCE,
                             is_open ? "a list or one expression" : "a list"};
    }
    if (wpa_shape_takes(def, WPA_SCHEMA_NULL) && !is_text && !is_mapping && !is_list) {
        return (expectation){WPA_SHAPE_NOT_SCALAR, "empty"};
    }
    return (expectation){WPA_SHAPE_NOT_SCALAR, is_mapping ? "text or a mapping"
                                               : is_list  ? "text or a list"
                                                          : "text"};
}

static wpa_shape_wrong fault_of_empty(const wpa_schema_def *def)
{
    bool is_text =
        wpa_shape_takes(def, WPA_SCHEMA_STRING) || wpa_shape_takes(def, WPA_SCHEMA_ALLOWED);
    return is_text                                     ? WPA_SHAPE_EMPTY_TEXT
           : wpa_shape_takes(def, WPA_SCHEMA_MAPPING)  ? WPA_SHAPE_NOT_MAPPING
           : wpa_shape_takes(def, WPA_SCHEMA_SEQUENCE) ? WPA_SHAPE_NOT_SEQUENCE
           : wpa_shape_takes(def, WPA_SCHEMA_BOOLEAN)  ? WPA_SHAPE_NOT_BOOL
           : wpa_shape_takes(def, WPA_SCHEMA_NUMBER)   ? WPA_SHAPE_NOT_NUMBER
                                                       : WPA_SHAPE_NOT_SCALAR;
}

void wpa_shape_report_shape(const wpa_shape_place *at, const wpa_schema_def *def,
                            const wpa_yaml_node *node)
{
    const char *check;
    if (wpa_yaml_is_null(node) || (node->kind == WPA_YAML_SCALAR && node->length == 0)) {
        check = wpa_shape_check_of(at, fault_of_empty(def), def);
        if (check) {
            wpa_rule_report(at->by->run, wpa_shape_span_of(at, node), check, NULL,
                            "%s is empty: %s", at->key ? wpa_shape_quoted_key(at) : "this entry",
                            at->by->set->refusal);
        }
        return;
    }
    expectation wanted = expected_by(def, node, at->has_expressions);
    bool is_word = wanted.fault == WPA_SHAPE_NOT_SCALAR && node->kind == WPA_YAML_SCALAR;
    if (is_word && report_not_allowed(at, def, node)) {
        return;
    }
    check = wpa_shape_check_of(at, wanted.fault, def);
    if (check) {
        wpa_rule_report(at->by->run, wpa_shape_span_of(at, node), check, NULL,
                        "%s must be %s, and is %s: %s",
                        at->key ? wpa_shape_quoted_key(at) : "this entry", wanted.what,
                        wpa_yaml_describe(node), at->by->set->refusal);
    }
}

void wpa_shape_report_padded(const wpa_shape_place *at, const wpa_schema_def *def,
                             const wpa_yaml_node *node)
{
    expectation wanted = expected_by(def, node, at->has_expressions);
    const char *check = wpa_shape_check_of(at, wanted.fault, def);
    const char *hint = node->style == WPA_YAML_LITERAL ? "the line break at its end makes text of "
                                                         "it: '|-' has none"
                       : node->style == WPA_YAML_FOLDED
                           ? "the line break at its end makes text of it: '>-' has none"
                           : "the blanks around the expression make text of it";
    if (check) {
        wpa_rule_report(at->by->run, wpa_shape_span_of(at, node), check, NULL,
                        "%s must be %s, and %s", at->key ? wpa_shape_quoted_key(at) : "this entry",
                        wanted.what, hint);
    }
}

/** Keys of the mapping for "did you mean"; only those that are not there yet. */
static const char *nearest_key(const wpa_schema_def *def, const wpa_yaml_node *node,
                               const char *key)
{
    const char *names[NAMES_MAX];
    size_t n = 0;
    if (node->n_pairs > NAMES_MAX) {
        return NULL; /* no mapping of known keys is that long */
    }
    for (size_t i = 0; i < def->n_properties && n < NAMES_MAX; i++) {
        if (!wpa_yaml_find_name(node, def->properties[i].name)) {
            names[n++] = def->properties[i].name.text;
        }
    }
    return wpa_text_nearest(key, names, n);
}

bool wpa_shape_has_misspelt(const wpa_schema_def *def, const wpa_yaml_node *mapping,
                            const char *name)
{
    for (size_t i = 0; wpa_yaml_is(mapping, WPA_YAML_MAPPING) && i < mapping->n_pairs; i++) {
        const char *key = wpa_yaml_text(mapping->pairs[i].key);
        bool is_known = !key || wpa_schema_property_find(def, wpa_slice_of(key));
        if (!is_known && wpa_text_is(nearest_key(def, mapping, key), name)) {
            return true;
        }
    }
    return false;
}

void wpa_shape_report_missing(const wpa_shape_place *at, const wpa_schema_def *def,
                              const wpa_yaml_node *node, const char *name)
{
    const char *check = wpa_shape_check_of(at, WPA_SHAPE_MISSING_KEY, def);
    size_t start = wpa_yaml_full(node).start;
    wpa_span span = at->key         ? at->key->span
                    : node->n_pairs ? node->pairs[0].key->span
                                    : (wpa_span){start, start};
    bool is_told = at->by->set->takes_misspelt && wpa_shape_has_misspelt(def, node, name);
    if (check && !is_told) {
        wpa_rule_report(at->by->run, span, check, NULL, "%s lacks '%s': %s",
                        at->key        ? wpa_shape_quoted_key(at)
                        : node->parent ? "this entry"
                                       : "the file",
                        name, at->by->set->refusal);
    }
}

/* The keys that may stand there, if they are not too many to read. */
static const char *list_keys(const wpa_schema_def *def, wpa_arena *arena)
{
    const char *names[WPA_HINT_MAX + 1] = {NULL};
    for (size_t i = 0; i < def->n_properties && def->n_properties <= WPA_HINT_MAX; i++) {
        names[i] = def->properties[i].name.text;
    }
    return wpa_rule_hint(NULL, names, arena);
}

void wpa_shape_report_unknown(wpa_rule_run *run, const wpa_shape_set *set, const char *check,
                              const wpa_schema_def *def, const wpa_yaml_node *mapping,
                              const wpa_yaml_node *key)
{
    const char *near = nearest_key(def, mapping, key->text);
    wpa_rule_report(run, key->span, check, near ? misspelling_new(run, key, near) : NULL,
                    "unknown key %s%s: %s", wpa_rule_quote(run, key->text, key->length),
                    near ? wpa_rule_hint(near, NULL, run->arena) : list_keys(def, run->arena),
                    set->refusal);
}

void wpa_shape_repair(wpa_rule_run *run, wpa_finding *finding)
{
    const misspelling *wrong = finding->subject;
    if (!wrong || wrong->node->style != WPA_YAML_PLAIN || wrong->node->kind != WPA_YAML_SCALAR) {
        return;
    }
    if (wpa_text_is_ci(wrong->node->text, wrong->right) ||
        wpa_rule_is_one_edit(wpa_slice_of(wrong->node->text), wrong->right)) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "write '%s'", wrong->right);
        wpa_rule_edit(run, fix, wrong->node->span, "%s", wrong->right);
    }
}
