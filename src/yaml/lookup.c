#include <endian.h>
#include <string.h>

#include <wpa/buf.h>
#include <wpa/map.h>

#include "internal.h"

#define PATH_MAX_BYTES 4096

const wpa_yaml_node *wpa_yaml_resolve(const wpa_yaml_node *node)
{
    return node && node->kind == WPA_YAML_ALIAS ? node->target : node;
}

bool wpa_yaml_is(const wpa_yaml_node *node, wpa_yaml_kind kind)
{
    node = wpa_yaml_resolve(node);
    return node && node->kind == kind;
}

const char *wpa_yaml_text(const wpa_yaml_node *node)
{
    node = wpa_yaml_resolve(node);
    return node && node->kind == WPA_YAML_SCALAR && !node->holds_nul ? node->text : NULL;
}

static const wpa_yaml_properties *properties_of(const wpa_yaml_node *node)
{
    static const wpa_yaml_properties none = {0};
    return node->has_properties ? &((const wpa_yaml_tagged *)node)->properties : &none;
}

const char *wpa_yaml_anchor(const wpa_yaml_node *node)
{
    return properties_of(node)->anchor;
}

const char *wpa_yaml_tag(const wpa_yaml_node *node)
{
    return properties_of(node)->tag;
}

wpa_span wpa_yaml_full(const wpa_yaml_node *node)
{
    size_t start = node->has_properties ? properties_of(node)->start : node->span.start;
    return (wpa_span){start, node->span.end};
}

size_t wpa_yaml_n_uses(const wpa_yaml_node *node)
{
    return properties_of(node)->n_uses;
}

static bool is_merge_key(const wpa_yaml_node *key)
{
    return key->kind == WPA_YAML_SCALAR && key->length == 2 && key->style == WPA_YAML_PLAIN &&
           !wpa_yaml_tag(key) && wpa_text_is(key->text, "<<");
}

static inline bool is_name(const wpa_yaml_node *key, wpa_yaml_name name, bool has_case)
{
    return key->length == name.length &&
           (has_case ? wpa_bytes_are(key->text, name.text, name.length)
                     : wpa_bytes_are_ci(key->text, name.text, name.length));
}

static inline const wpa_yaml_pair *find(const wpa_yaml_node *mapping, wpa_yaml_name name,
                                        bool has_case);

static const wpa_yaml_pair *find_merged(const wpa_yaml_node *mapping, wpa_yaml_name name,
                                        bool has_case)
{
    for (size_t i = 0; i < mapping->n_pairs; i++) {
        if (!is_merge_key(mapping->pairs[i].key)) {
            continue;
        }
        const wpa_yaml_node *merged = wpa_yaml_resolve(mapping->pairs[i].value);
        const wpa_yaml_pair *pair = find(merged, name, has_case);
        for (size_t k = 0; !pair && wpa_yaml_is(merged, WPA_YAML_SEQUENCE) && k < merged->n_items;
             k++) {
            pair = find(merged->items[k], name, has_case);
        }
        if (pair) {
            return pair;
        }
    }
    return NULL;
}

#define ONES UINT64_C(0x0101010101010101)

/* Of the next eight keys those whose mark is the sought one, which is there eight times: where all
   keys are what they seem, that is nearly always the one of the name. The highest bit of each byte
   that is 0 is told, and perhaps that of a 1 behind such. */
static inline uint64_t marked(const char *marks, uint64_t sought)
{
    uint64_t eight;
    memcpy(&eight, marks, sizeof eight);
    eight = le64toh(eight) ^ sought;
    return (eight - ONES) & ~eight & ONES << 7;
}

static const wpa_yaml_pair *find_marked(const wpa_yaml_node *mapping, wpa_yaml_name name)
{
    const wpa_yaml_pair *pairs = mapping->pairs, *end = pairs + mapping->n_pairs;
    const char *marks = wpa_yaml_key_marks(mapping);
    for (; pairs < end; pairs += 8, marks += 8) {
        uint64_t hits = marked(marks, wpa_yaml_mark_of(name.bit) * ONES);
        for (; hits; hits &= hits - 1) {
            const wpa_yaml_pair *pair = pairs + __builtin_ctzll(hits) / 8;
            if (is_name(pair->key, name, true)) {
                return pair;
            }
        }
    }
    return NULL;
}

static const wpa_yaml_pair *find_marked_ci(const wpa_yaml_node *mapping, wpa_yaml_name name)
{
    const wpa_yaml_pair *pairs = mapping->pairs, *end = pairs + mapping->n_pairs;
    const char *marks = wpa_yaml_key_marks(mapping);
    for (; pairs < end; pairs += 8, marks += 8) {
        uint64_t hits = marked(marks, wpa_yaml_mark_of(name.bit) * ONES);
        for (; hits; hits &= hits - 1) {
            const wpa_yaml_pair *pair = pairs + __builtin_ctzll(hits) / 8;
            if (is_name(pair->key, name, false)) {
                return pair;
            }
        }
    }
    return NULL;
}

/* An alias target is complete before its alias, so merges cannot run in circles. */
static const wpa_yaml_pair *find_odd(const wpa_yaml_node *mapping, wpa_yaml_name name,
                                     bool has_case)
{
    bool is_indexed = mapping->n_pairs >= WPA_YAML_INDEX_MIN_PAIRS && has_case;
    const wpa_map *by_key = is_indexed ? *wpa_yaml_key_index(mapping) : NULL;
    const wpa_yaml_pair *known = by_key ? wpa_map_get(by_key, name.text) : NULL;
    if (known || (by_key && !wpa_map_has(by_key, "<<"))) {
        return known;
    }
    bool has_merge = is_indexed;
    for (size_t i = 0; !is_indexed && i < mapping->n_pairs; i++) {
        const wpa_yaml_node *key = wpa_yaml_resolve(mapping->pairs[i].key);
        if (key && key->kind == WPA_YAML_SCALAR && is_name(key, name, has_case)) {
            return &mapping->pairs[i];
        }
        has_merge = has_merge || is_merge_key(mapping->pairs[i].key);
    }
    return has_merge ? find_merged(mapping, name, has_case) : NULL;
}

static inline const wpa_yaml_pair *find(const wpa_yaml_node *mapping, wpa_yaml_name name,
                                        bool has_case)
{
    mapping = mapping && mapping->kind == WPA_YAML_ALIAS ? mapping->target : mapping;
    if (!mapping || !(mapping->keys & name.bit)) { /* no mapping has none */
        return NULL;
    }
    return mapping->keys == UINT32_MAX ? find_odd(mapping, name, has_case)
           : has_case                  ? find_marked(mapping, name)
                                       : find_marked_ci(mapping, name);
}

const wpa_yaml_pair *wpa_yaml_find_name(const wpa_yaml_node *mapping, wpa_yaml_name name)
{
    return find(mapping, name, true);
}

const wpa_yaml_pair *wpa_yaml_find_name_ci(const wpa_yaml_node *mapping, wpa_yaml_name name)
{
    return find(mapping, name, false);
}

const wpa_yaml_node *wpa_yaml_get_name(const wpa_yaml_node *mapping, wpa_yaml_name name)
{
    const wpa_yaml_pair *pair = find(mapping, name, true);
    return pair ? wpa_yaml_resolve(pair->value) : NULL;
}

const wpa_yaml_node *wpa_yaml_get_name_ci(const wpa_yaml_node *mapping, wpa_yaml_name name)
{
    const wpa_yaml_pair *pair = find(mapping, name, false);
    return pair ? wpa_yaml_resolve(pair->value) : NULL;
}

typedef struct merge {
    wpa_arena *arena;
    wpa_map *seen;
    wpa_yaml_pair *pairs;
    size_t n, capacity;
} merge;

static void merge_pairs(merge *m, const wpa_yaml_node *mapping)
{
    mapping = wpa_yaml_resolve(mapping);
    if (!mapping || mapping->kind == WPA_YAML_SCALAR) {
        return;
    }
    for (size_t i = 0; i < mapping->n_items; i++) {
        if (wpa_yaml_is(mapping->items[i], WPA_YAML_MAPPING)) {
            merge_pairs(m, mapping->items[i]);
        }
    }
    for (size_t i = 0; i < mapping->n_pairs; i++) {
        const wpa_yaml_pair *pair = &mapping->pairs[i];
        const char *text = wpa_yaml_text(pair->key);
        if (is_merge_key(pair->key) || (text && wpa_map_has(m->seen, text))) {
            continue;
        }
        if (text) {
            wpa_map_put(m->seen, text, pair->value);
        }
        m->pairs = wpa_arena_grow(m->arena, m->pairs, m->n, &m->capacity, sizeof *m->pairs);
        m->pairs[m->n++] = *pair;
    }
    for (size_t i = 0; i < mapping->n_pairs; i++) {
        if (is_merge_key(mapping->pairs[i].key)) {
            merge_pairs(m, mapping->pairs[i].value);
        }
    }
}

const wpa_yaml_pair *wpa_yaml_pairs_merged(const wpa_yaml_node *mapping, wpa_arena *arena,
                                           size_t *n_pairs)
{
    if (!wpa_yaml_is(mapping, WPA_YAML_MAPPING)) {
        *n_pairs = 0;
        return NULL;
    }
    mapping = wpa_yaml_resolve(mapping);
    /* As many bits as pairs: no key stands there twice, and none merges. */
    bool is_plain = mapping->keys != UINT32_MAX &&
                    (size_t)__builtin_popcount(mapping->keys) == mapping->n_pairs;
    if (is_plain) {
        *n_pairs = mapping->n_pairs;
        return mapping->pairs;
    }
    merge m = {.arena = arena, .seen = wpa_map_new(arena)};
    merge_pairs(&m, mapping);
    *n_pairs = m.n;
    return m.pairs;
}

/* ---- types ---- */

static size_t skip_digits(const char *text, size_t at, const char *digits)
{
    return at + strspn(text + at, digits);
}

static bool is_int(const char *text)
{
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'o')) {
        const char *digits = text[1] == 'x' ? "0123456789abcdefABCDEF" : "01234567";
        size_t end = skip_digits(text, 2, digits);
        return end > 2 && text[end] == '\0';
    }
    size_t start = text[0] == '-' || text[0] == '+' ? 1 : 0;
    size_t end = skip_digits(text, start, "0123456789");
    return end > start && text[end] == '\0';
}

static bool is_float(const char *text)
{
    static const char *const words[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"};
    size_t at = text[0] == '-' || text[0] == '+' ? 1 : 0;
    if (wpa_text_index(text + at, words, 3) >= 0 || wpa_text_index(text, words + 3, 3) >= 0) {
        return true;
    }
    size_t whole = skip_digits(text, at, "0123456789");
    size_t n_digits = whole - at;
    at = whole;
    if (text[at] == '.') {
        size_t fraction = skip_digits(text, at + 1, "0123456789");
        n_digits += fraction - at - 1;
        at = fraction;
    }
    if (n_digits == 0) {
        return false;
    }
    if (text[at] == 'e' || text[at] == 'E') {
        at += text[at + 1] == '-' || text[at + 1] == '+' ? 2 : 1;
        size_t exponent = skip_digits(text, at, "0123456789");
        if (exponent == at) {
            return false;
        }
        at = exponent;
    }
    return text[at] == '\0';
}

static bool is_null_word(const char *text)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    return wpa_text_index(text, words, WPA_COUNT(words)) >= 0;
}

static int bool_word(const char *text)
{
    static const char *const words[] = {"false", "False", "FALSE", "true", "True", "TRUE"};
    int i = wpa_text_index(text, words, WPA_COUNT(words));
    return i < 0 ? -1 : i / 3;
}

/* What a plain scalar may be by its first byte: nearly all begin with one that only text does. */
typedef enum __attribute__((packed)) beginning {
    BEGINS_TEXT,
    BEGINS_NULL,
    BEGINS_BOOL,
    BEGINS_NUMBER
} beginning;

static const beginning beginnings[256] = {
    ['\0'] = BEGINS_NULL,  ['~'] = BEGINS_NULL,   ['n'] = BEGINS_NULL,   ['N'] = BEGINS_NULL,
    ['t'] = BEGINS_BOOL,   ['T'] = BEGINS_BOOL,   ['f'] = BEGINS_BOOL,   ['F'] = BEGINS_BOOL,
    ['.'] = BEGINS_NUMBER, ['+'] = BEGINS_NUMBER, ['-'] = BEGINS_NUMBER, ['0'] = BEGINS_NUMBER,
    ['1'] = BEGINS_NUMBER, ['2'] = BEGINS_NUMBER, ['3'] = BEGINS_NUMBER, ['4'] = BEGINS_NUMBER,
    ['5'] = BEGINS_NUMBER, ['6'] = BEGINS_NUMBER, ['7'] = BEGINS_NUMBER, ['8'] = BEGINS_NUMBER,
    ['9'] = BEGINS_NUMBER,
};

static wpa_yaml_type plain_type(const char *text)
{
    switch (beginnings[(unsigned char)*text]) {
    case BEGINS_TEXT:
        break;
    case BEGINS_NULL:
        return is_null_word(text) ? WPA_YAML_NULL : WPA_YAML_TEXT;
    case BEGINS_BOOL:
        return bool_word(text) >= 0 ? WPA_YAML_BOOL : WPA_YAML_TEXT;
    case BEGINS_NUMBER:
        return is_int(text) ? WPA_YAML_INT : is_float(text) ? WPA_YAML_FLOAT : WPA_YAML_TEXT;
    }
    return WPA_YAML_TEXT;
}

/* Text for all tags but the four that make something else of a scalar. */
static wpa_yaml_type tagged_type(const char *tag)
{
    static const struct {
        const char *tag;
        wpa_yaml_type type;
    } tags[] = {
        {"tag:yaml.org,2002:null", WPA_YAML_NULL},
        {"tag:yaml.org,2002:bool", WPA_YAML_BOOL},
        {"tag:yaml.org,2002:int", WPA_YAML_INT},
        {"tag:yaml.org,2002:float", WPA_YAML_FLOAT},
    };
    for (size_t i = 0; i < WPA_COUNT(tags); i++) {
        if (wpa_text_is(tag, tags[i].tag)) {
            return tags[i].type;
        }
    }
    return WPA_YAML_TEXT;
}

wpa_yaml_type wpa_yaml_scalar_type(const wpa_yaml_node *scalar)
{
    scalar = wpa_yaml_resolve(scalar);
    if (!scalar || scalar->kind != WPA_YAML_SCALAR || scalar->is_incomplete) {
        return WPA_YAML_TEXT;
    }
    const char *tag = wpa_yaml_tag(scalar);
    if (tag) {
        return tagged_type(tag);
    }
    return scalar->style == WPA_YAML_PLAIN ? plain_type(scalar->text) : WPA_YAML_TEXT;
}

bool wpa_yaml_tag_is_taken(const wpa_yaml_node *node)
{
    const char *tag = wpa_yaml_tag(node);
    if (node->kind != WPA_YAML_SCALAR || wpa_text_is(tag, "tag:yaml.org,2002:str")) {
        return true;
    }
    wpa_yaml_type said = tagged_type(tag), plain = plain_type(node->text);
    bool is_number = said == WPA_YAML_FLOAT && plain == WPA_YAML_INT;
    return said != WPA_YAML_TEXT && node->style == WPA_YAML_PLAIN && (said == plain || is_number);
}

bool wpa_yaml_is_null(const wpa_yaml_node *node)
{
    node = wpa_yaml_resolve(node);
    if (!node || node->kind != WPA_YAML_SCALAR) {
        return !node;
    }
    char first = *node->text;
    bool may_be = !first || first == '~' || (first | 0x20) == 'n' || node->has_properties;
    return may_be && wpa_yaml_scalar_type(node) == WPA_YAML_NULL;
}

const char *wpa_yaml_describe(const wpa_yaml_node *node)
{
    static const char *const types[] = {"text", "nothing", "true or false", "a whole number",
                                        "a number"};
    const wpa_yaml_node *resolved = wpa_yaml_resolve(node);
    if (!resolved) {
        return node ? "an alias of nothing" : "nothing";
    }
    switch (resolved->kind) {
    case WPA_YAML_SCALAR:
        return types[wpa_yaml_scalar_type(resolved)];
    case WPA_YAML_MAPPING:
        return "a mapping";
    case WPA_YAML_SEQUENCE:
        return "a list";
    case WPA_YAML_ALIAS:
        break;
    }
    return "nothing";
}

/* ---- ways through the tree ---- */

static void append_path(wpa_buf *buf, const wpa_yaml_node *node)
{
    if (!node->parent) {
        return;
    }
    append_path(buf, node->parent); /* at most WPA_YAML_MAX_DEPTH deep */
    if (node->parent->kind == WPA_YAML_SEQUENCE) {
        wpa_buf_printf(buf, "[%u]", node->index);
        return;
    }
    const wpa_yaml_node *key = node->key ? node->key : node;
    if (key->kind == WPA_YAML_SCALAR) {
        wpa_buf_printf(buf, "%s%s", wpa_buf_size(buf) > 0 ? "." : "", key->text);
    }
}

const char *wpa_yaml_path(const wpa_yaml_node *node, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(PATH_MAX_BYTES);
    if (node) {
        append_path(buf, node);
    }
    return wpa_text_visible(arena, wpa_buf_data(buf), wpa_buf_size(buf), false);
}

static bool holds(const wpa_yaml_node *node, size_t offset)
{
    wpa_span full = wpa_yaml_full(node);
    return full.start <= offset && offset < full.end;
}

/** The child, or key, that begins last before the offset or at it: they are in order. */
static size_t last_before(const wpa_yaml_node *node, size_t offset)
{
    size_t low = 0, high = (size_t)node->n_items + node->n_pairs;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        const wpa_yaml_node *child = node->n_items ? node->items[middle] : node->pairs[middle].key;
        if (wpa_yaml_full(child).start <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static const wpa_yaml_node *child_at(const wpa_yaml_node *node, size_t offset)
{
    size_t i = last_before(node, offset);
    if (node->n_items) {
        return holds(node->items[i], offset) ? node->items[i] : NULL;
    }
    if (node->n_pairs && holds(node->pairs[i].key, offset)) {
        return node->pairs[i].key;
    }
    return node->n_pairs && holds(node->pairs[i].value, offset) ? node->pairs[i].value : NULL;
}

const wpa_yaml_node *wpa_yaml_node_at(const wpa_yaml_doc *doc, size_t offset)
{
    const wpa_yaml_node *node = doc->root && holds(doc->root, offset) ? doc->root : NULL;
    const wpa_yaml_node *child = node;
    while (child) {
        node = child;
        child = child_at(node, offset);
    }
    return node;
}
