#include "rules/shape.h"

#include <string.h>

#include <wpa/map.h>

#include "rules/shape_internal.h"
#include "rules/upgrade.h"

#define DEPTH_MAX 60
#define NAMES_MAX 400

/* Of some names what most others do not have. */
typedef struct name_marks {
    uint32_t bits;    /* wpa_yaml_key_bit */
    uint64_t lengths; /* bits, modulo 64 */
} name_marks;

/* The same for all files that are judged together, as far as they have one set. */
typedef struct walker {
    wpa_rule_run *run;
    const wpa_shape_set *set;
    name_marks left_to_others, may_be_null, needs; /* of the definitions that the set names */
    wpa_shape_forms forms;
} walker;

/* Where it is. */
typedef struct place {
    walker *by;
    const wpa_yaml_node *key; /* of the value that is looked at; NULL at the root and in lists */
    bool has_expressions;     /* an expression may stand here or in what is around */
    int depth;
} place;

/* What a repair needs: a key or value, and what was meant. */
typedef struct misspelling {
    const wpa_yaml_node *node;
    const char *right;
} misspelling;

static void walk(place at, const wpa_schema_def *def, const wpa_yaml_node *written);

/* ---- small questions ---- */

/* As wpa_yaml_resolve, without a call: it is asked of every key and value. */
static inline const wpa_yaml_node *resolve(const wpa_yaml_node *node)
{
    return node && node->kind == WPA_YAML_ALIAS ? node->target : node;
}

static bool has_expression(const wpa_yaml_node *node)
{
    const char *text = wpa_yaml_text(node);
    return text && strstr(text, "${{") != NULL;
}

/* One expression and nothing around it, as far as can be told without parsing it. */
static bool is_expression(const wpa_yaml_node *node)
{
    const char *text = wpa_yaml_text(node);
    text = text ? text + strspn(text, " \n") : "";
    if (!wpa_text_starts(text, "${{")) {
        return false;
    }
    bool is_quoted = false;
    for (text += 3; *text && (is_quoted || strncmp(text, "}}", 2) != 0); text++) {
        is_quoted = is_quoted != (*text == '\'');
    }
    return *text && text[2 + strspn(text + 2, " \n")] == '\0';
}

/** False: it is none of the names that the marks are of. */
static bool has_marks(const name_marks *marks, const wpa_schema_def *def)
{
    return (marks->bits & def->name_bit) && (marks->lengths >> (def->name_length & 63) & 1);
}

static const char *quoted_key(const place *at)
{
    return at->key ? wpa_rule_quote(at->by->run, at->key->text, at->key->length) : "the file";
}

static wpa_span span_of(const place *at, const wpa_yaml_node *node)
{
    bool is_empty = wpa_yaml_is_null(node) && wpa_span_length(node->span) == 0 && at->key;
    return is_empty ? at->key->span : wpa_yaml_full(node);
}

static const char *check_of(const place *at, wpa_shape_wrong fault, const wpa_schema_def *def)
{
    return at->by->set->check_of(fault, def->name);
}

static const void *misspelling_new(wpa_rule_run *run, const wpa_yaml_node *node, const char *right)
{
    misspelling *wrong = wpa_arena_alloc(run->arena, sizeof *wrong);
    *wrong = (misspelling){node, right};
    return wrong;
}

/* ---- what is wrong ---- */

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

/* A text that is none of those which may stand here. */
static bool report_not_allowed(const place *at, const wpa_schema_def *def,
                               const wpa_yaml_node *node)
{
    const char *names[NAMES_MAX];
    size_t n = node->kind == WPA_YAML_SCALAR && node->length ? collect_allowed(def, names, 0) : 0;
    const char *check = check_of(at, WPA_SHAPE_NOT_ALLOWED, def);
    if (!n || !check) {
        return n > 0;
    }
    const char *text = wpa_yaml_text(node), *near = NULL;
    near = text ? wpa_text_nearest(text, names, n) : NULL;
    const char *list = names[0];
    for (size_t i = 1; i < n && n <= 12; i++) {
        list = wpa_arena_printf(at->by->run->arena, "%s, %s", list, names[i]);
    }
    wpa_rule_report(at->by->run, span_of(at, node), check,
                    near ? misspelling_new(at->by->run, node, near) : NULL,
                    "%s cannot be %s%s%s%s%s: %s", at->key ? quoted_key(at) : "an entry",
                    wpa_rule_quote(at->by->run, node->text, node->length),
                    near      ? " (did you mean '"
                    : n <= 12 ? ", only "
                              : "",
                    near      ? near
                    : n <= 12 ? list
                              : "",
                    near ? "'?)" : "", "", at->by->set->refusal);
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

static void report_shape(const place *at, const wpa_schema_def *def, const wpa_yaml_node *node)
{
    const char *check;
    if (wpa_yaml_is_null(node) || (node->kind == WPA_YAML_SCALAR && node->length == 0)) {
        check = check_of(at, fault_of_empty(def), def);
        if (check) {
            wpa_rule_report(at->by->run, span_of(at, node), check, NULL, "%s is empty: %s",
                            at->key ? quoted_key(at) : "this entry", at->by->set->refusal);
        }
        return;
    }
    expectation wanted = expected_by(def, node, at->has_expressions);
    bool is_word = wanted.fault == WPA_SHAPE_NOT_SCALAR && node->kind == WPA_YAML_SCALAR;
    if (is_word && report_not_allowed(at, def, node)) {
        return;
    }
    check = check_of(at, wanted.fault, def);
    if (check) {
        wpa_rule_report(at->by->run, span_of(at, node), check, NULL, "%s must be %s, and is %s: %s",
                        at->key ? quoted_key(at) : "this entry", wanted.what,
                        wpa_yaml_describe(node), at->by->set->refusal);
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

static void report_missing(const place *at, const wpa_schema_def *def, const wpa_yaml_node *node,
                           const char *name)
{
    const char *check = check_of(at, WPA_SHAPE_MISSING_KEY, def);
    size_t start = wpa_yaml_full(node).start;
    wpa_span span = at->key         ? at->key->span
                    : node->n_pairs ? node->pairs[0].key->span
                                    : (wpa_span){start, start};
    bool is_told = at->by->set->takes_misspelt && wpa_shape_has_misspelt(def, node, name);
    if (check && !is_told) {
        wpa_rule_report(at->by->run, span, check, NULL, "%s lacks '%s': %s",
                        at->key        ? quoted_key(at)
                        : node->parent ? "this entry"
                                       : "the file",
                        name, at->by->set->refusal);
    }
}

void wpa_shape_report_unknown(wpa_rule_run *run, const wpa_shape_set *set, const char *check,
                              const wpa_schema_def *def, const wpa_yaml_node *mapping,
                              const wpa_yaml_node *key)
{
    const char *near = nearest_key(def, mapping, key->text);
    wpa_rule_report(run, key->span, check, near ? misspelling_new(run, key, near) : NULL,
                    "unknown key %s%s%s%s: %s", wpa_rule_quote(run, key->text, key->length),
                    near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "",
                    set->refusal);
}

/* ---- the walk ---- */

#define FEW_PAIRS 16

/* Keys of most mappings are so few that each is compared with those before it. */
static bool has_duplicates(const wpa_yaml_node *node)
{
    if (node->n_pairs <= FEW_PAIRS && __builtin_popcount(node->keys) == (int)node->n_pairs) {
        return false; /* keys that are one have one bit */
    }
    for (size_t i = 1; i < node->n_pairs && node->n_pairs <= FEW_PAIRS; i++) {
        const wpa_yaml_node *key = node->pairs[i].key;
        for (size_t k = 0; k < i; k++) {
            const wpa_yaml_node *other = node->pairs[k].key;
            if (key->length == other->length && wpa_text_is_ci(key->text, other->text)) {
                return true;
            }
        }
    }
    return node->n_pairs > FEW_PAIRS;
}

/* A known name in another case is an unknown key, which is said of it already. */
static bool is_read(const wpa_schema_def *def, const char *key)
{
    return def->kind != WPA_SCHEMA_MAPPING || def->is_loose ||
           wpa_schema_property_find(def, wpa_slice_of(key));
}

/** False: no key stands there twice. */
static bool check_duplicates(const place *at, const wpa_schema_def *def, const wpa_yaml_node *node)
{
    if (!has_duplicates(node)) {
        return false;
    }
    const char *check = check_of(at, WPA_SHAPE_DUPLICATE, def);
    wpa_map *seen = wpa_map_new(at->by->run->arena);
    for (size_t i = 0; check && i < node->n_pairs; i++) {
        wpa_yaml_node *key = node->pairs[i].key;
        const char *text = wpa_yaml_text(key);
        if (!text || wpa_text_is(text, "<<") || !is_read(def, text)) {
            continue;
        }
        char *folded = wpa_arena_text(at->by->run->arena, text);
        for (char *c = folded; *c; c++) {
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
        }
        const wpa_yaml_node *first = wpa_map_get(seen, folded);
        if (first) {
            wpa_finding *finding = wpa_rule_report(
                at->by->run, key->span, check, NULL, "key %s stands here twice: %s",
                wpa_rule_quote(at->by->run, key->text, key->length), at->by->set->refusal);
            wpa_rule_relate(at->by->run, finding, first->span, "the first one");
        } else {
            wpa_map_put(seen, folded, key);
        }
    }
    return true;
}

/** Is it a scalar of which nothing has to be looked at? Nearly all are. */
static bool is_surely_fine(const wpa_schema_def *def, const wpa_yaml_node *node)
{
    bool is_open = node && node->kind == WPA_YAML_SCALAR && def->texts;
    return is_open &&
           (def->texts == WPA_SCHEMA_TEXTS_ALL || (node->length && !wpa_yaml_is_null(node)));
}

/** True: its key is one that the mapping must have. */
static bool walk_pair(const place *at, const wpa_schema_def *def, const wpa_yaml_node *node,
                      const wpa_yaml_pair *pair)
{
    const wpa_shape_set *set = at->by->set;
    const wpa_yaml_node *key_node = resolve(pair->key);
    const char *key = key_node && key_node->kind == WPA_YAML_SCALAR && !key_node->holds_nul
                          ? key_node->text
                          : NULL;
    if (!key) {
        wpa_rule_report(at->by->run, wpa_yaml_full(pair->key),
                        check_of(at, WPA_SHAPE_NOT_SCALAR, def), NULL, "a key must be text: %s",
                        set->refusal);
        return false;
    }
    wpa_slice name = {key, key_node->length};
    const wpa_schema_property *property = def->keys ? wpa_schema_property_find(def, name) : NULL;
    const wpa_schema_def *value = property ? property->def : def->loose;
    bool is_required = property && property->is_required;
    if (value && is_surely_fine(value, resolve(pair->value))) {
        return is_required;
    }
    if (!property && (wpa_text_is(key, "<<") || (strchr(key, '$') && strstr(key, "${{")))) {
        return false;
    }
    if (!property && !def->is_loose) {
        const char *check = check_of(at, WPA_SHAPE_UNKNOWN_KEY, def);
        bool is_told = set->tell_unknown && set->tell_unknown(at->by->run, def, node, pair->key);
        if (!is_told && check) {
            wpa_shape_report_unknown(at->by->run, set, check, def, node, pair->key);
        }
        return false;
    }
    place below = {at->by, pair->key, at->has_expressions, at->depth + 1};
    if (value) {
        walk(below, value, pair->value);
    }
    return is_required;
}

static void check_required(const place *at, const wpa_schema_def *def, const wpa_yaml_node *node)
{
    for (size_t i = 0; def->telling && def->telling[i]; i++) {
        const wpa_schema_property *property = def->telling[i];
        if (property->is_required && !wpa_shape_find_property(node, property)) {
            report_missing(at, def, node, property->name.text);
        }
    }
}

/** What the schema does not tell. */
static void check_needed(const place *at, const wpa_schema_def *def, const wpa_yaml_node *node)
{
    bool may_need = has_marks(&at->by->needs, def);
    for (size_t i = 0; may_need && i < at->by->set->n_needs; i++) {
        const wpa_shape_need *need = &at->by->set->needs[i];
        if (wpa_text_is(need->form, def->name) && !wpa_yaml_find_ci(node, need->key)) {
            report_missing(at, def, node, need->key);
        }
    }
}

/** True: keys could not be better. */
static bool walk_mapping(const place *at, const wpa_schema_def *def, const wpa_yaml_node *node)
{
    bool may_repeat = check_duplicates(at, def, node);
    bool is_told = at->by->set->tell_form && at->by->set->tell_form(at->by->run, def, node);
    int n_required = 0;
    for (size_t i = 0; i < node->n_pairs && !is_told; i++) {
        n_required += walk_pair(at, def, node, &node->pairs[i]);
    }
    if (is_told || node->is_incomplete) {
        return false;
    }
    bool is_empty = node->n_pairs == 0 && at->key;
    const char *check = is_empty ? check_of(at, WPA_SHAPE_EMPTY_MAPPING, def) : NULL;
    if (check) {
        wpa_rule_report(at->by->run, at->key->span, check, NULL, "%s is an empty mapping: %s",
                        quoted_key(at), at->by->set->refusal);
        return false;
    }
    bool may_lack = may_repeat || n_required < def->n_required;
    if (may_lack) {
        check_required(at, def, node);
    }
    check_needed(at, def, node);
    return !may_lack && !has_marks(&at->by->needs, def);
}

/** The same of an item whose keys are known to be right. A copy: items below it have forms too. */
static void walk_values(const place *at, wpa_shape_form form, const wpa_yaml_node *node)
{
    for (size_t i = 0; i < node->n_pairs; i++) {
        const wpa_yaml_pair *pair = &node->pairs[i];
        if (!is_surely_fine(form.values[i], resolve(pair->value))) {
            place below = {at->by, pair->key, at->has_expressions, at->depth + 1};
            walk(below, form.values[i], pair->value);
        }
    }
}

static void walk_item(const place *at, const wpa_schema_def *def, const wpa_schema_def *mapping,
                      const wpa_yaml_node *node)
{
    if (walk_mapping(at, mapping, node)) {
        wpa_shape_form_note(&at->by->forms, def, mapping, node);
    }
}

static void walk_sequence(const place *at, const wpa_schema_def *def, const wpa_yaml_node *node)
{
    bool is_empty = node->n_items == 0 && !node->is_incomplete && at->key;
    const char *check = is_empty ? check_of(at, WPA_SHAPE_EMPTY_SEQUENCE, def) : NULL;
    if (check) {
        wpa_rule_report(at->by->run, at->key->span, check, NULL, "%s is an empty list: %s",
                        quoted_key(at), at->by->set->refusal);
    }
    for (size_t i = 0; def->item && i < node->n_items; i++) {
        place below = {at->by, NULL, at->has_expressions, at->depth + 1};
        walk(below, def->item, node->items[i]);
    }
}

/* Numbers have a range that the schema does not tell: counts begin with 1, times are above 0. */
static void check_number(const place *at, const wpa_schema_def *def, const wpa_yaml_node *node)
{
    bool is_count = at->key && wpa_text_is(at->key->text, "max-parallel");
    wpa_shape_wrong fault = is_count ? WPA_SHAPE_NOT_COUNT : WPA_SHAPE_NOT_NUMBER;
    const char *check = check_of(at, fault, def);
    double number = 0;
    bool is_fine = wpa_text_to_double(node->text, &number)
                       ? number > 0 && (!is_count || wpa_yaml_scalar_type(node) == WPA_YAML_INT)
                       : strchr(node->text, 'x') || strchr(node->text, 'o');
    if (!is_fine && check) {
        wpa_rule_report(at->by->run, span_of(at, node), check, NULL, "%s must be %s, and is %s",
                        quoted_key(at), is_count ? "a whole number of at least 1" : "above 0",
                        wpa_rule_quote(at->by->run, node->text, node->length));
    }
}

static void walk_scalar(const place *at, const wpa_schema_def *def, const wpa_yaml_node *node)
{
    bool fits = wpa_shape_fits(def, node); /* nearly always, and asked for much more cheaply */
    if (fits && def->kind != WPA_SCHEMA_NUMBER) {
        return;
    }
    bool is_text =
        wpa_shape_takes(def, WPA_SCHEMA_STRING) || wpa_shape_takes(def, WPA_SCHEMA_ALLOWED);
    bool is_open = at->has_expressions && (is_text ? has_expression(node) : is_expression(node));
    bool may_be_empty = def->kind == WPA_SCHEMA_STRING && !def->is_non_empty;
    if (is_open || (may_be_empty && wpa_yaml_is_null(node))) {
        return; /* null where a text may be empty is read as the empty text */
    }
    if (!fits) {
        report_shape(at, def, node);
    } else {
        check_number(at, def, node);
    }
}

/* Below values of any shape only keys written twice are wrong. */
static void walk_any(place at, const wpa_schema_def *def, const wpa_yaml_node *node)
{
    if (at.depth > DEPTH_MAX) {
        return;
    }
    at.depth++;
    if (node->kind == WPA_YAML_MAPPING) {
        (void)check_duplicates(&at, def, node);
    }
    for (size_t i = 0; i < node->n_pairs; i++) {
        walk_any(at, def, node->pairs[i].value);
    }
    for (size_t i = 0; i < node->n_items; i++) {
        walk_any(at, def, node->items[i]);
    }
}

/** marks: of the names. */
static bool is_listed(const wpa_schema_def *def, const name_marks *marks, const char *const names[],
                      size_t n)
{
    return has_marks(marks, def) && wpa_text_index(def->name, names, n) >= 0;
}

/** What is left to other rules: but that its keys stand there once. */
static void walk_left(place at, const wpa_schema_def *def, const wpa_yaml_node *node)
{
    bool is_mapping = node->kind == WPA_YAML_MAPPING;
    const wpa_schema_def *keys = is_mapping ? wpa_shape_best_mapping(def, node) : NULL;
    if (node->kind != WPA_YAML_SCALAR && !wpa_shape_fits(def, node)) {
        report_shape(&at, def, node);
    } else if (keys) {
        (void)check_duplicates(&at, keys, node);
    }
}

/** Names of any kind with a text each, as under "with" and "env": nothing can be wrong. */
static bool is_map_of_texts(const place *at, const wpa_schema_def *def, const wpa_yaml_node *node)
{
    const wpa_schema_def *form = def->mappings[0];
    bool takes_all = form && !def->mappings[1] && form->n_properties == 0 && form->loose &&
                     form->loose->texts == WPA_SCHEMA_TEXTS_ALL && !has_marks(&at->by->needs, form);
    if (!takes_all || node->n_pairs == 0 || node->is_incomplete || has_duplicates(node)) {
        return false;
    }
    for (size_t i = 0; i < node->n_pairs; i++) {
        const wpa_yaml_node *key = node->pairs[i].key, *value = resolve(node->pairs[i].value);
        bool is_plain = key->kind == WPA_YAML_SCALAR && !key->holds_nul && value &&
                        value->kind == WPA_YAML_SCALAR;
        if (!is_plain) {
            return false;
        }
    }
    return true;
}

static void walk(place at, const wpa_schema_def *def, const wpa_yaml_node *written)
{
    const wpa_yaml_node *node = resolve(written);
    bool is_unread = !node || (node->is_incomplete && node->kind == WPA_YAML_SCALAR);
    const wpa_shape_set *set = at.by->set;
    if (is_unread || at.depth > DEPTH_MAX) {
        return;
    }
    if (is_listed(def, &at.by->left_to_others, set->left_to_others, set->n_left_to_others)) {
        walk_left(at, def, node);
        return;
    }
    if (def->kind == WPA_SCHEMA_ANY) {
        walk_any(at, def, node);
        return;
    }
    if (is_listed(def, &at.by->may_be_null, set->may_be_null, set->n_may_be_null) &&
        wpa_yaml_is_null(node)) {
        return;
    }
    at.has_expressions = at.has_expressions || (def->contexts && def->contexts[0]);
    const wpa_schema_def *mapping = NULL, *sequence = NULL;
    const wpa_shape_form *form = NULL;
    switch (node->kind) {
    case WPA_YAML_MAPPING:
        if (is_map_of_texts(&at, def, node)) {
            return;
        }
        form = at.key ? NULL : wpa_shape_form_find(&at.by->forms, def, node);
        if (form) {
            walk_values(&at, *form, node);
            return;
        }
        mapping = wpa_shape_best_mapping(def, node);
        if (mapping && !at.key) {
            walk_item(&at, def, mapping, node);
        } else if (mapping) {
            (void)walk_mapping(&at, mapping, node);
        } else if (!wpa_shape_fits(def, node)) {
            report_shape(&at, def, node);
        }
        return;
    case WPA_YAML_SEQUENCE:
        sequence = wpa_shape_find_sequence(def);
        if (sequence) {
            walk_sequence(&at, sequence, node);
        } else if (!wpa_shape_fits(def, node)) {
            report_shape(&at, def, node);
        }
        return;
    case WPA_YAML_SCALAR:
    case WPA_YAML_ALIAS:
        walk_scalar(&at, def, node);
        return;
    }
}

static void add_mark(name_marks *marks, const char *name)
{
    wpa_yaml_name of = wpa_yaml_name_of(name);
    marks->bits |= of.bit;
    marks->lengths |= (uint64_t)1 << (of.length & 63);
}

static walker walker_of(const wpa_shape_set *set)
{
    walker by = {.set = set};
    for (size_t i = 0; i < set->n_left_to_others; i++) {
        add_mark(&by.left_to_others, set->left_to_others[i]);
    }
    for (size_t i = 0; i < set->n_may_be_null; i++) {
        add_mark(&by.may_be_null, set->may_be_null[i]);
    }
    for (size_t i = 0; i < set->n_needs; i++) {
        add_mark(&by.needs, set->needs[i].form);
    }
    return by;
}

void wpa_shape_check(wpa_rule_run *run, const wpa_shape_set *set, const wpa_schema_def *def,
                     const wpa_yaml_node *root)
{
    walker *by = wpa_rule_keep(run, sizeof *by);
    if (by->set != set) {
        *by = walker_of(set);
    }
    by->run = run;
    walk((place){.by = by}, def, root);
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
