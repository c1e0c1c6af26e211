#include "rules/shape.h"

#include <string.h>

#include <wpa/map.h>

#include "core/room.h"
#include "rules/shape_internal.h"

#define DEPTH_MAX 60
#define FEW_PAIRS 64

/** at is the walk's own from here on. */
static void walk(wpa_shape_place *at, const wpa_schema_def *def, const wpa_yaml_node *written);

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

/* How much of a value is one expression, as far as can be told without parsing it. */
typedef enum share {
    SHARE_PART,   /* or nothing */
    SHARE_PADDED, /* all but blanks and line breaks around it, which make text of its value */
    SHARE_ALL
} share;

static share share_of_expression(const wpa_yaml_node *node)
{
    const char *whole = wpa_yaml_text(node), *text = whole ? whole + strspn(whole, " \n") : "";
    if (!wpa_text_starts(text, "${{")) {
        return SHARE_PART;
    }
    bool is_quoted = false, is_padded = text > whole;
    for (text += 3; *text && (is_quoted || strncmp(text, "}}", 2) != 0); text++) {
        is_quoted = is_quoted != (*text == '\'');
    }
    if (!*text || text[2 + strspn(text + 2, " \n")] != '\0') {
        return SHARE_PART;
    }
    return is_padded || text[2] ? SHARE_PADDED : SHARE_ALL;
}

/* By the bit and the length, which hardly two names of a schema share. */
static size_t mark_of(uint32_t bit, size_t length)
{
    return ((size_t)__builtin_ctz(bit) * 8 + length) % WPA_SHAPE_MARKS;
}

/** The lists that may name the definition; for most: none. */
static unsigned lists_of(const wpa_shape_place *at, const wpa_schema_def *def)
{
    return at->by->lists[mark_of(def->name_bit, def->name_length)];
}

/* By hand, where the processor that is built for may have no instruction for it. */
static uint32_t count_bits(uint32_t bits)
{
    bits -= bits >> 1 & 0x55555555;
    bits = (bits & 0x33333333) + (bits >> 2 & 0x33333333);
    return ((bits + (bits >> 4)) & 0x0F0F0F0F) * 0x01010101 >> 24;
}

/* Keys of most mappings are so few that each is compared with those before it. */
static bool has_duplicates(const wpa_yaml_node *node)
{
    if (node->n_pairs <= 1 ||
        (node->n_pairs <= FEW_PAIRS && count_bits(node->keys) == node->n_pairs)) {
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
static bool check_duplicates(const wpa_shape_place *at, const wpa_schema_def *def,
                             const wpa_yaml_node *node)
{
    if (!has_duplicates(node)) {
        return false;
    }
    const char *check = wpa_shape_check_of(at, WPA_SHAPE_DUPLICATE, def);
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

static void report_key(const wpa_shape_place *at, const wpa_schema_def *def,
                       const wpa_yaml_node *key)
{
    wpa_rule_report(at->by->run, wpa_yaml_full(key),
                    wpa_shape_check_of(at, WPA_SHAPE_NOT_SCALAR, def), NULL,
                    "a key must be text: %s", at->by->set->refusal);
}

/** The key, which must be text; NULL: it is none. */
static inline const wpa_yaml_node *check_key(const wpa_shape_place *at, const wpa_schema_def *def,
                                             const wpa_yaml_node *key)
{
    const wpa_yaml_node *text = resolve(key);
    bool is_text = text && text->kind == WPA_YAML_SCALAR && !text->holds_nul;
    if (!is_text) {
        report_key(at, def, key);
    }
    return is_text ? text : NULL;
}

/**
 * True: the key is an expression, which may bring in any keys where expressions may stand, or one
 * that merges, of which the rule syntax tells.
 */
static bool is_computed(const wpa_shape_place *at, const wpa_schema_def *def,
                        const wpa_yaml_node *key)
{
    if (wpa_text_is(key->text, "<<")) {
        return key->style == WPA_YAML_PLAIN;
    }
    if (!strchr(key->text, '$') || !strstr(key->text, "${{")) {
        return false;
    }
    const char *check =
        at->has_expressions ? NULL : wpa_shape_check_of(at, WPA_SHAPE_UNKNOWN_KEY, def);
    if (check) {
        wpa_rule_report(at->by->run, key->span, check, NULL,
                        "no expression may stand for a key here: %s", at->by->set->refusal);
    }
    return true;
}

/** The property that it is; NULL: it is none. */
static const wpa_schema_property *walk_pair(const wpa_shape_place *at, const wpa_schema_def *def,
                                            const wpa_yaml_node *node, const wpa_yaml_pair *pair)
{
    const wpa_shape_set *set = at->by->set;
    const wpa_yaml_node *key = check_key(at, def, pair->key);
    if (!key) {
        return NULL;
    }
    wpa_slice name = {key->text, key->length};
    const wpa_schema_property *property = def->keys ? wpa_schema_property_find(def, name) : NULL;
    const wpa_schema_def *value = property ? property->def : def->loose;
    if (value && is_surely_fine(value, resolve(pair->value))) {
        return property;
    }
    if (!property && is_computed(at, def, key)) {
        return NULL;
    }
    if (!property && !def->is_loose) {
        const char *check = wpa_shape_check_of(at, WPA_SHAPE_UNKNOWN_KEY, def);
        bool is_told = set->tell_unknown && set->tell_unknown(at->by->run, def, node, pair->key);
        if (!is_told && check) {
            wpa_shape_report_unknown(at->by->run, set, check, def, node, pair->key);
        }
        return NULL;
    }
    wpa_shape_place below = {at->by, pair->key, at->has_expressions, at->depth + 1};
    if (value) {
        walk(&below, value, pair->value);
    }
    return property;
}

static void check_required(const wpa_shape_place *at, const wpa_schema_def *def,
                           const wpa_yaml_node *node)
{
    for (size_t i = 0; def->telling && def->telling[i]; i++) {
        const wpa_schema_property *property = def->telling[i];
        if (property->is_required && !wpa_shape_find_property(node, property)) {
            wpa_shape_report_missing(at, def, node, property->name.text);
        }
    }
}

/** What the schema does not tell. */
static void check_needed(const wpa_shape_place *at, const wpa_schema_def *def,
                         const wpa_yaml_node *node)
{
    bool may_need = (lists_of(at, def) & WPA_SHAPE_NEEDS) != 0;
    for (size_t i = 0; may_need && i < at->by->set->n_needs; i++) {
        const wpa_shape_need *need = &at->by->set->needs[i];
        if (wpa_text_is(need->form, def->name) && !wpa_yaml_find_ci(node, need->key)) {
            wpa_shape_report_missing(at, def, node, need->key);
        }
    }
}

/** True: keys could not be better. values: what those of the first must be, NULL: it is open. */
static bool walk_mapping(const wpa_shape_place *at, const wpa_schema_def *def,
                         const wpa_yaml_node *node,
                         const wpa_schema_def *values[WPA_SHAPE_KEYS_MAX])
{
    bool may_repeat = check_duplicates(at, def, node);
    bool is_told = at->by->set->tell_form && at->by->set->tell_form(at->by->run, def, node);
    int n_required = 0;
    for (size_t i = 0; i < node->n_pairs && !is_told; i++) {
        const wpa_schema_property *property = walk_pair(at, def, node, &node->pairs[i]);
        n_required += property && property->is_required;
        if (i < WPA_SHAPE_KEYS_MAX) {
            values[i] = property ? property->def : NULL;
        }
    }
    if (is_told || node->is_incomplete) {
        return false;
    }
    bool is_empty = node->n_pairs == 0 && at->key;
    const char *check = is_empty ? wpa_shape_check_of(at, WPA_SHAPE_EMPTY_MAPPING, def) : NULL;
    if (check) {
        wpa_rule_report(at->by->run, at->key->span, check, NULL, "%s is an empty mapping: %s",
                        wpa_shape_quoted_key(at), at->by->set->refusal);
        return false;
    }
    bool may_lack = may_repeat || n_required < def->n_required;
    if (may_lack) {
        check_required(at, def, node);
    }
    check_needed(at, def, node);
    return !may_lack && !(lists_of(at, def) & WPA_SHAPE_NEEDS);
}

/** The same of an item whose keys are known to be right. A copy: items below it have forms too. */
static void walk_values(const wpa_shape_place *at, wpa_shape_form form, const wpa_yaml_node *node)
{
    for (size_t i = 0; i < node->n_pairs; i++) {
        const wpa_yaml_pair *pair = &node->pairs[i];
        if (!is_surely_fine(form.values[i], resolve(pair->value))) {
            wpa_shape_place below = {at->by, pair->key, at->has_expressions, at->depth + 1};
            walk(&below, form.values[i], pair->value);
        }
    }
}

static void walk_item(const wpa_shape_place *at, const wpa_schema_def *def,
                      const wpa_schema_def *mapping, const wpa_yaml_node *node)
{
    const wpa_schema_def *values[WPA_SHAPE_KEYS_MAX];
    if (walk_mapping(at, mapping, node, values)) {
        wpa_shape_form_note(&at->by->forms, def, values, node);
    }
}

/* Below values of any shape only keys that are no text or stand twice are wrong. */
static void walk_any(wpa_shape_place at, const wpa_schema_def *def, const wpa_yaml_node *node)
{
    if (at.depth > DEPTH_MAX) {
        return;
    }
    at.depth++;
    if (node->kind == WPA_YAML_MAPPING) {
        (void)check_duplicates(&at, def, node);
    }
    for (size_t i = 0; i < node->n_pairs; i++) {
        (void)check_key(&at, def, node->pairs[i].key);
        walk_any(at, def, node->pairs[i].value);
    }
    for (size_t i = 0; i < node->n_items; i++) {
        walk_any(at, def, node->items[i]);
    }
}

static void walk_sequence(const wpa_shape_place *at, const wpa_schema_def *def,
                          const wpa_yaml_node *node)
{
    bool is_empty = node->n_items == 0 && !node->is_incomplete && at->key;
    const char *check = is_empty ? wpa_shape_check_of(at, WPA_SHAPE_EMPTY_SEQUENCE, def) : NULL;
    if (check) {
        wpa_rule_report(at->by->run, at->key->span, check, NULL, "%s is an empty list: %s",
                        wpa_shape_quoted_key(at), at->by->set->refusal);
    }
    for (size_t i = 0; i < node->n_items; i++) {
        if (def->item && is_surely_fine(def->item, resolve(node->items[i]))) {
            continue; /* as most texts are */
        }
        wpa_shape_place below = {at->by, NULL, at->has_expressions, at->depth + 1};
        if (def->item) {
            walk(&below, def->item, node->items[i]);
        } else { /* of any shape */
            walk_any(below, def, node->items[i]);
        }
    }
}

/** Digits alone, and not just zeros. */
static bool is_plain_amount(const char *text)
{
    size_t n = 0, n_zeros = 0;
    for (; text[n] >= '0' && text[n] <= '9'; n++) {
        n_zeros += text[n] == '0';
    }
    return n > n_zeros && !text[n];
}

/* Numbers have a range that the schema does not tell: counts begin with 1, times are above 0. */
static void check_number(const wpa_shape_place *at, const wpa_schema_def *def,
                         const wpa_yaml_node *node)
{
    bool is_count = at->key && wpa_text_is(at->key->text, "max-parallel");
    wpa_shape_wrong fault = is_count ? WPA_SHAPE_NOT_COUNT : WPA_SHAPE_NOT_NUMBER;
    double number = 0;
    if (!is_count && is_plain_amount(node->text)) {
        return; /* as nearly all are */
    }
    const char *check = wpa_shape_check_of(at, fault, def);
    bool is_fine = wpa_text_to_double(node->text, &number)
                       ? number > 0 && (!is_count || wpa_yaml_scalar_type(node) == WPA_YAML_INT)
                       : strchr(node->text, 'x') || strchr(node->text, 'o');
    if (!is_fine && check) {
        wpa_rule_report(at->by->run, wpa_shape_span_of(at, node), check, NULL,
                        "%s must be %s, and is %s", wpa_shape_quoted_key(at),
                        is_count ? "a whole number of at least 1" : "above 0",
                        wpa_rule_quote(at->by->run, node->text, node->length));
    }
}

static void walk_scalar(const wpa_shape_place *at, const wpa_schema_def *def,
                        const wpa_yaml_node *node)
{
    bool fits = wpa_shape_fits(def, node); /* nearly always, and asked for much more cheaply */
    if (fits && def->kind != WPA_SCHEMA_NUMBER) {
        return;
    }
    bool is_text =
        wpa_shape_takes(def, WPA_SCHEMA_STRING) || wpa_shape_takes(def, WPA_SCHEMA_ALLOWED);
    share part = is_text || !at->has_expressions ? SHARE_PART : share_of_expression(node);
    bool is_open = part == SHARE_ALL || (is_text && at->has_expressions && has_expression(node));
    bool may_be_empty = def->kind == WPA_SCHEMA_STRING && !def->is_non_empty;
    if (is_open || (may_be_empty && wpa_yaml_is_null(node))) {
        return; /* null where a text may be empty is read as the empty text */
    }
    if (part == SHARE_PADDED) {
        wpa_shape_report_padded(at, def, node);
    } else if (!fits) {
        wpa_shape_report_shape(at, def, node);
    } else {
        check_number(at, def, node);
    }
}

/** What is left to other rules: but that its keys are text and stand there once. */
static void walk_left(wpa_shape_place at, const wpa_schema_def *def, const wpa_yaml_node *node)
{
    bool is_mapping = node->kind == WPA_YAML_MAPPING;
    const wpa_schema_def *keys = is_mapping ? wpa_shape_best_mapping(def, node) : NULL;
    if (node->kind != WPA_YAML_SCALAR && !wpa_shape_fits(def, node)) {
        wpa_shape_report_shape(&at, def, node);
    } else if (keys) {
        (void)check_duplicates(&at, keys, node);
        for (size_t i = 0; i < node->n_pairs; i++) {
            (void)check_key(&at, keys, node->pairs[i].key);
        }
    }
}

/** Names of any kind with a text each, as under "with" and "env": nothing can be wrong. */
static bool is_map_of_texts(const wpa_shape_place *at, const wpa_schema_def *def,
                            const wpa_yaml_node *node)
{
    const wpa_schema_def *form = def->mappings[0];
    bool takes_all = form && !def->mappings[1] && form->n_properties == 0 && form->loose &&
                     form->loose->texts == WPA_SCHEMA_TEXTS_ALL &&
                     !(lists_of(at, form) & WPA_SHAPE_NEEDS);
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

static bool is_left_to_others(const wpa_shape_set *set, const wpa_schema_def *def)
{
    return wpa_text_index(def->name, set->left_to_others, set->n_left_to_others) >= 0;
}

static bool is_null_allowed(const wpa_shape_set *set, const wpa_schema_def *def)
{
    return wpa_text_index(def->name, set->may_be_null, set->n_may_be_null) >= 0;
}

static void walk(wpa_shape_place *at, const wpa_schema_def *def, const wpa_yaml_node *written)
{
    const wpa_yaml_node *node = resolve(written);
    bool is_unread = !node || (node->is_incomplete && node->kind == WPA_YAML_SCALAR);
    const wpa_shape_set *set = at->by->set;
    if (is_unread || at->depth > DEPTH_MAX) {
        return;
    }
    unsigned lists = lists_of(at, def);
    if ((lists & WPA_SHAPE_LEFT_TO_OTHERS) && is_left_to_others(set, def)) {
        walk_left(*at, def, node);
        return;
    }
    if (def->kind == WPA_SCHEMA_ANY) {
        walk_any(*at, def, node);
        return;
    }
    if ((lists & WPA_SHAPE_MAY_BE_NULL) && wpa_yaml_is_null(node) && is_null_allowed(set, def)) {
        return;
    }
    at->has_expressions = at->has_expressions || def->takes_expressions;
    const wpa_schema_def *mapping = NULL, *sequence = NULL, *values[WPA_SHAPE_KEYS_MAX];
    const wpa_shape_form *form = NULL;
    switch (node->kind) {
    case WPA_YAML_MAPPING:
        if (is_map_of_texts(at, def, node)) {
            return;
        }
        form = at->key ? NULL : wpa_shape_form_find(&at->by->forms, def, node);
        if (form) {
            walk_values(at, *form, node);
            return;
        }
        mapping = wpa_shape_best_mapping(def, node);
        if (mapping && !at->key) {
            walk_item(at, def, mapping, node);
        } else if (mapping) {
            (void)walk_mapping(at, mapping, node, values);
        } else if (!wpa_shape_fits(def, node)) {
            wpa_shape_report_shape(at, def, node);
        }
        return;
    case WPA_YAML_SEQUENCE:
        sequence = wpa_shape_find_sequence(def);
        if (sequence) {
            walk_sequence(at, sequence, node);
        } else if (!wpa_shape_fits(def, node)) {
            wpa_shape_report_shape(at, def, node);
        }
        return;
    case WPA_YAML_SCALAR:
    case WPA_YAML_ALIAS:
        walk_scalar(at, def, node);
        return;
    }
}

static void add_to_list(wpa_shape_walker *by, wpa_shape_lists list, const char *name)
{
    wpa_yaml_name of = wpa_yaml_name_of(name);
    by->lists[mark_of(of.bit, of.length)] |= list;
}

static void read_set(wpa_shape_walker *by, const wpa_shape_set *set)
{
    by->set = set;
    for (size_t i = 0; i < set->n_left_to_others; i++) {
        add_to_list(by, WPA_SHAPE_LEFT_TO_OTHERS, set->left_to_others[i]);
    }
    for (size_t i = 0; i < set->n_may_be_null; i++) {
        add_to_list(by, WPA_SHAPE_MAY_BE_NULL, set->may_be_null[i]);
    }
    for (size_t i = 0; i < set->n_needs; i++) {
        add_to_list(by, WPA_SHAPE_NEEDS, set->needs[i].form);
    }
}

static void walker_init(wpa_shape_walker *by, const wpa_rule_run *run, const wpa_shape_set *set)
{
    wpa_shape_form *items = by->forms.items;
    if (!items) {
        items = wpa_arena_room(run->lasting, WPA_SHAPE_FORMS * sizeof *items);
    }
    *by = (wpa_shape_walker){.forms = {.items = items}};
    read_set(by, set);
}

void wpa_shape_check(wpa_rule_run *run, const wpa_shape_set *set, const wpa_schema_def *def,
                     const wpa_yaml_node *root)
{
    wpa_shape_walker *by = wpa_rule_keep(run, sizeof *by);
    if (by->set != set) {
        walker_init(by, run, set);
    }
    by->run = run;
    wpa_shape_place whole = {.by = by};
    walk(&whole, def, root);
}
