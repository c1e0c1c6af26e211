#include <string.h>

#include "workflow/reader.h"

/* ---- reading ---- */

static wpa_matrix_row read_row(wpa_reader *r, const wpa_yaml_pair *pair)
{
    const wpa_yaml_node *node = wpa_yaml_resolve(pair->value);
    wpa_matrix_row row = {.name = wpa_yaml_text(pair->key), .key = pair->key, .node = node};
    if (!wpa_yaml_is(node, WPA_YAML_SEQUENCE)) {
        row.is_open = true;
        if (!node || !wpa_yaml_text(node) || !strstr(node->text, "${{")) {
            wpa_reader_fault(r, pair->value, "a list");
        }
        return row;
    }
    const wpa_yaml_node **values =
        wpa_arena_array(r->arena, node->n_items + 1, sizeof(const wpa_yaml_node *));
    for (size_t i = 0; i < node->n_items; i++) {
        values[i] = wpa_yaml_resolve(node->items[i]);
        row.is_open = row.is_open || !values[i];
    }
    row.values = values;
    row.n_values = row.is_open ? 0 : node->n_items;
    row.is_open = row.is_open || node->is_incomplete;
    return row;
}

/* Entries of include or exclude; false if they are not known. */
static bool read_entries(wpa_reader *r, const wpa_yaml_node *matrix, const char *name,
                         const wpa_yaml_node **key, const wpa_yaml_node *const **entries, size_t *n)
{
    bool is_unknown;
    const wpa_yaml_node *list = wpa_reader_sequence(r, matrix, name, key, &is_unknown);
    size_t n_items = list ? list->n_items : 0;
    const wpa_yaml_node **items =
        wpa_arena_array(r->arena, n_items + 1, sizeof(const wpa_yaml_node *));
    for (size_t i = 0; i < n_items; i++) {
        const wpa_yaml_node *item = wpa_yaml_resolve(list->items[i]);
        if (wpa_yaml_is(item, WPA_YAML_MAPPING)) {
            items[(*n)++] = item;
        } else {
            is_unknown = true;
        }
    }
    *entries = items;
    return !is_unknown;
}

static wpa_matrix read_matrix(wpa_reader *r, const wpa_yaml_node *strategy)
{
    wpa_matrix m = {0};
    bool is_unknown;
    const wpa_yaml_node *node = wpa_reader_mapping(r, strategy, "matrix", &m.key, &is_unknown);
    m.node = m.key ? wpa_yaml_get(strategy, "matrix") : NULL;
    m.is_open = is_unknown;
    if (!node) {
        return m;
    }
    size_t n_pairs;
    const wpa_yaml_pair *pairs = wpa_reader_pairs(r, node, &n_pairs);
    wpa_matrix_row *rows = wpa_arena_array(r->arena, n_pairs + 1, sizeof *rows);
    for (size_t i = 0; i < n_pairs; i++) {
        const char *name = wpa_yaml_text(pairs[i].key);
        if (!wpa_text_is(name, "include") && !wpa_text_is(name, "exclude")) {
            rows[m.n_rows] = read_row(r, &pairs[i]);
            m.is_open = m.is_open || rows[m.n_rows].is_open;
            m.n_rows++;
        }
    }
    m.rows = rows;
    m.is_include_open =
        !read_entries(r, node, "include", &m.include_key, &m.includes, &m.n_includes);
    m.is_exclude_open =
        !read_entries(r, node, "exclude", &m.exclude_key, &m.excludes, &m.n_excludes);
    m.is_open = m.is_open || m.is_include_open || m.is_exclude_open;
    return m;
}

wpa_strategy wpa_reader_strategy(wpa_reader *r, const wpa_yaml_node *job)
{
    wpa_strategy s = {0};
    s.node = wpa_reader_mapping(r, job, "strategy", &s.key, &s.is_unknown);
    if (s.node) {
        s.fail_fast = wpa_reader_value(r, s.node, "fail-fast");
        s.max_parallel = wpa_reader_value(r, s.node, "max-parallel");
        s.matrix = read_matrix(r, s.node);
    }
    return s;
}

/* ---- comparing ---- */

/* What GitHub compares two scalars as that are not both text: see filters below. */
static bool to_number(const wpa_yaml_node *node, double *number)
{
    wpa_yaml_type type = wpa_yaml_scalar_type(node);
    if (type == WPA_YAML_NULL || type == WPA_YAML_BOOL || node->length == 0) {
        *number = type == WPA_YAML_BOOL && (*node->text == 't' || *node->text == 'T');
        return true;
    }
    return wpa_text_to_double(node->text, number);
}

/* By the letter that it begins with, and for being longer than any word of another type. */
static bool is_surely_text(const wpa_yaml_node *node)
{
    char letter = (char)(*node->text | 0x20);
    return !node->has_properties && letter >= 'a' && letter <= 'z' &&
           node->length > sizeof "false" - 1;
}

static bool is_text(const wpa_yaml_node *node)
{
    return is_surely_text(node) || wpa_yaml_scalar_type(node) == WPA_YAML_TEXT;
}

#define DIGITS_MAX 15 /* that a number keeps, all of them */

/* Other digits in the same places, as versions have them: neither one text nor one number. */
static bool are_other_digits(const wpa_yaml_node *a, const wpa_yaml_node *b)
{
    bool have_form = a->length == b->length && a->length <= DIGITS_MAX && !a->has_properties &&
                     !b->has_properties;
    bool differ = false;
    for (size_t i = 0; have_form && i < a->length; i++) {
        char x = a->text[i], y = b->text[i];
        have_form = (x >= '0' && x <= '9' && y >= '0' && y <= '9') || (x == '.' && y == '.');
        differ = differ || x != y;
    }
    return have_form && differ;
}

static bool fits_scalar(const wpa_yaml_node *filter, const wpa_yaml_node *value)
{
    if (is_surely_text(filter) && is_surely_text(value)) { /* as most are */
        return filter->length == value->length && wpa_text_is_ci(filter->text, value->text);
    }
    if (are_other_digits(filter, value)) {
        return false;
    }
    double x = 0, y = 0;
    bool are_texts = is_text(filter) && is_text(value);
    return are_texts ? wpa_text_is_ci(filter->text, value->text)
                     : to_number(filter, &x) && to_number(value, &y) && x >= y && x <= y;
}

bool wpa_matrix_filter_fits(const wpa_yaml_node *filter, const wpa_yaml_node *value)
{
    filter = wpa_yaml_resolve(filter);
    value = wpa_yaml_resolve(value);
    if (!filter || !value || filter->kind != value->kind) {
        return false;
    }
    if (filter->kind == WPA_YAML_SCALAR) {
        return fits_scalar(filter, value);
    }
    bool fits = filter->n_items <= value->n_items;
    for (size_t i = 0; fits && i < filter->n_items; i++) {
        fits = wpa_matrix_filter_fits(filter->items[i], value->items[i]);
    }
    for (size_t i = 0; fits && i < filter->n_pairs; i++) {
        const char *key = wpa_yaml_text(filter->pairs[i].key);
        const wpa_yaml_pair *own = key ? wpa_yaml_find(value, key) : NULL;
        fits = own && wpa_matrix_filter_fits(filter->pairs[i].value, own->value);
    }
    return fits;
}

/* ---- expanding ---- */

enum {
    EXPANSION_MAX_VALUES = 1 << 22, /* looked at */
    VALUE_WEIGHT = 16               /* of one that is kept, for the room that it takes */
};

typedef struct expansion {
    const wpa_matrix *matrix;
    wpa_arena *arena;
    wpa_matrix_leg *legs;
    size_t capacity;
    size_t n_products; /* legs that come from the rows */
    size_t spent;
    wpa_matrix_legs out;
} expansion;

static const wpa_yaml_node *leg_find(const wpa_matrix_leg *leg, const char *name, bool *has)
{
    *has = false;
    for (size_t i = 0; i < leg->n; i++) {
        if (wpa_text_is(leg->values[i].name, name)) {
            *has = true;
            return leg->values[i].node;
        }
    }
    return NULL;
}

const wpa_yaml_node *wpa_matrix_leg_get(const wpa_matrix_leg *leg, const char *name)
{
    bool has;
    return leg_find(leg, name, &has);
}

/* Legs are few, but each may have thousands of values, held against thousands of entries. */
static bool spend(expansion *e, size_t n_values)
{
    e->spent += n_values;
    e->out.is_truncated = e->out.is_truncated || e->spent > EXPANSION_MAX_VALUES;
    return !e->out.is_truncated;
}

/* Does every key of the entry that names a row say what the leg has? */
static bool is_excluded(expansion *e, const wpa_matrix_leg *leg)
{
    for (size_t i = 0; i < e->matrix->n_excludes && spend(e, leg->n); i++) {
        const wpa_yaml_node *entry = e->matrix->excludes[i];
        bool is_match = entry->n_pairs > 0;
        for (size_t k = 0; is_match && k < entry->n_pairs; k++) {
            bool has;
            const char *name = wpa_yaml_text(entry->pairs[k].key);
            const wpa_yaml_node *own = leg_find(leg, name ? name : "", &has);
            is_match = has && wpa_matrix_filter_fits(entry->pairs[k].value, own);
        }
        if (is_match) {
            return true;
        }
    }
    return false;
}

static void add_leg(expansion *e, wpa_matrix_leg leg)
{
    if (e->out.n >= WPA_MATRIX_MAX_LEGS) {
        e->out.is_truncated = true;
        return;
    }
    e->legs = wpa_arena_grow(e->arena, e->legs, e->out.n, &e->capacity, sizeof *e->legs);
    e->legs[e->out.n++] = leg;
}

/* Counts up through the product of the rows; an open row stands for one value not known. */
static void multiply(expansion *e)
{
    const wpa_matrix *m = e->matrix;
    if (m->n_excludes > WPA_MATRIX_MAX_LEGS) { /* each is held against each leg */
        e->out.is_truncated = true;
        return;
    }
    size_t *at = wpa_arena_array(e->arena, m->n_rows + 1, sizeof *at);
    for (size_t i = 0; i < m->n_rows; i++) {
        if (m->rows[i].n_values == 0 && !m->rows[i].is_open) {
            return; /* an empty row leaves nothing */
        }
    }
    size_t n_tried = 0;
    bool is_done = m->n_rows == 0;
    while (!is_done && !e->out.is_truncated && spend(e, VALUE_WEIGHT * m->n_rows)) {
        wpa_matrix_leg_value *values = wpa_arena_array(e->arena, m->n_rows + 1, sizeof *values);
        for (size_t i = 0; i < m->n_rows; i++) {
            const wpa_matrix_row *row = &m->rows[i];
            values[i] =
                (wpa_matrix_leg_value){row->name, row->n_values > 0 ? row->values[at[i]] : NULL};
        }
        wpa_matrix_leg leg = {values, m->n_rows, NULL};
        if (!is_excluded(e, &leg)) {
            add_leg(e, leg);
        }
        if (++n_tried >= (size_t)16 * WPA_MATRIX_MAX_LEGS) {
            e->out.is_truncated = true;
        }
        size_t digit = m->n_rows;
        while (digit > 0 && ++at[digit - 1] >= m->rows[digit - 1].n_values) {
            at[--digit] = 0;
        }
        is_done = digit == 0;
    }
    e->n_products = e->out.n;
}

static bool is_row(const wpa_matrix *m, const char *name)
{
    for (size_t i = 0; i < m->n_rows; i++) {
        if (wpa_text_is(m->rows[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* An include extends a leg if it contradicts none of the leg's own row values. */
static bool can_extend(const expansion *e, const wpa_matrix_leg *leg, const wpa_yaml_node *entry)
{
    for (size_t k = 0; k < entry->n_pairs; k++) {
        const char *name = wpa_yaml_text(entry->pairs[k].key);
        bool has;
        const wpa_yaml_node *own = leg_find(leg, name ? name : "", &has);
        if (name && is_row(e->matrix, name) &&
            !(has && wpa_matrix_filter_fits(entry->pairs[k].value, own))) {
            return false;
        }
    }
    return true;
}

static wpa_matrix_leg extend(expansion *e, const wpa_matrix_leg *leg, const wpa_yaml_node *entry)
{
    (void)spend(e, VALUE_WEIGHT * (leg->n + entry->n_pairs));
    wpa_matrix_leg_value *values =
        wpa_arena_array(e->arena, leg->n + entry->n_pairs + 1, sizeof *values);
    size_t n = leg->n;
    if (n > 0) {
        memcpy(values, leg->values, n * sizeof *values);
    }
    for (size_t k = 0; k < entry->n_pairs; k++) {
        const char *name = wpa_yaml_text(entry->pairs[k].key);
        size_t i = 0;
        while (name && i < n && !wpa_text_is(values[i].name, name)) {
            i++;
        }
        if (name) {
            values[i] = (wpa_matrix_leg_value){name, wpa_yaml_resolve(entry->pairs[k].value)};
            n += i == n;
        }
    }
    return (wpa_matrix_leg){values, n, leg->include};
}

static void include(expansion *e)
{
    static const wpa_matrix_leg nothing = {0};
    for (size_t i = 0; i < e->matrix->n_includes && !e->out.is_truncated; i++) {
        const wpa_yaml_node *entry = e->matrix->includes[i];
        bool is_used = false;
        for (size_t k = 0; k < e->n_products && spend(e, 1 + e->legs[k].n); k++) {
            if (can_extend(e, &e->legs[k], entry)) {
                e->legs[k] = extend(e, &e->legs[k], entry);
                is_used = true;
            }
        }
        if (!is_used) {
            wpa_matrix_leg leg = extend(e, &nothing, entry);
            leg.include = entry;
            add_leg(e, leg);
        }
    }
}

wpa_strategy wpa_strategy_of(const wpa_yaml_node *job, wpa_arena *arena)
{
    wpa_reader r = {.arena = arena};
    return wpa_reader_strategy(&r, job);
}

/* A value of a leg. */
#define VALUE_WORK 4

wpa_matrix_legs wpa_matrix_expand(const wpa_matrix *matrix, wpa_arena *arena)
{
    expansion e = {.matrix = matrix, .arena = arena};
    e.out.is_open = matrix->is_open;
    if (matrix->node) {
        multiply(&e);
        include(&e);
        (void)wpa_budget_spend(wpa_arena_budget(arena),
                               e.out.n * (matrix->n_rows + 1) * VALUE_WORK);
    }
    e.out.legs = e.legs;
    return e.out;
}
