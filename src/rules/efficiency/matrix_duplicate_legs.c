/* EFF-005: the same leg of a matrix twice. */
#include <ctype.h>
#include <string.h>

#include <wpa/map.h>

#include "rules/expressions.h"
#include "rules/pin.h"
#include "rules/work.h"

/* Each value is compared with all before it; GitHub makes at most 256 legs of a matrix. */
#define ITEMS_MAX 1024
#define LEGS_MAX 256

static bool is_number(const wpa_yaml_node *node)
{
    wpa_yaml_type type = wpa_yaml_scalar_type(node);
    return type == WPA_YAML_INT || type == WPA_YAML_FLOAT;
}

/* By the byte that it begins with, or by what is said of it. */
static bool may_be_number(const wpa_yaml_node *node)
{
    char c = *node->text;
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || wpa_yaml_tag(node);
}

/* Equal in depth and by YAML type: "1" is not 1. */
static bool is_same(const wpa_yaml_node *a, const wpa_yaml_node *b, int depth)
{
    a = wpa_yaml_resolve(a);
    b = wpa_yaml_resolve(b);
    if (!a || !b || a->kind != b->kind || depth > 20) {
        return false;
    }
    if (a->kind == WPA_YAML_SCALAR) {
        bool is_written_same = a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
        if (!is_written_same &&
            !(may_be_number(a) && may_be_number(b) && wpa_matrix_filter_fits(a, b))) {
            return false; /* as most are */
        }
        return is_number(a) && is_number(b)
                   ? wpa_matrix_filter_fits(a, b) /* 1.0 is 1 */
                   : is_written_same && wpa_yaml_scalar_type(a) == wpa_yaml_scalar_type(b);
    }
    if (a->n_items != b->n_items || a->n_pairs != b->n_pairs) {
        return false;
    }
    for (size_t i = 0; i < a->n_items; i++) {
        if (!is_same(a->items[i], b->items[i], depth + 1)) {
            return false;
        }
    }
    for (size_t i = 0; i < a->n_pairs; i++) {
        const char *key = wpa_yaml_text(a->pairs[i].key);
        const wpa_yaml_pair *other = key ? wpa_yaml_find(b, key) : NULL;
        if (!other || !is_same(a->pairs[i].value, other->value, depth + 1)) {
            return false;
        }
    }
    return true;
}

/* As written, blanks and line breaks collapsed. */
static const char *show(wpa_rule_run *run, const wpa_yaml_node *node)
{
    const char *source = node->doc->source;
    char *text = wpa_arena_alloc(run->arena, wpa_span_length(node->span) + 1);
    size_t n = 0;
    for (size_t i = node->span.start; i < node->span.end; i++) {
        bool is_blank = strchr(" \t\r\n", source[i]) != NULL;
        if (!is_blank) {
            text[n++] = source[i];
        } else if (n && text[n - 1] != ' ') {
            text[n++] = ' ';
        }
    }
    return wpa_rule_quote(run, text, n);
}

/* M1 in a row, M3 in include. */
static void check_items(wpa_rule_run *run, const wpa_yaml_node *list, const char *check,
                        const char *what)
{
    for (size_t i = 0; i < list->n_items && i < ITEMS_MAX; i++) {
        for (size_t k = 0; k < i; k++) { /* one expression written twice has one value */
            if (!is_same(list->items[k], list->items[i], 0)) {
                continue;
            }
            wpa_finding *finding =
                wpa_rule_report(run, list->items[i]->span, check, list->items[i],
                                "%s %s stands there twice", what, show(run, list->items[i]));
            wpa_rule_relate(run, finding, list->items[k]->span, "first here");
            break;
        }
    }
}

/* Does the row's list hold the value? */
static bool row_has(const wpa_yaml_node *row, const wpa_yaml_node *value)
{
    for (size_t i = 0; wpa_yaml_is(row, WPA_YAML_SEQUENCE) && i < row->n_items && i < ITEMS_MAX;
         i++) {
        if (is_same(row->items[i], value, 0)) {
            return true;
        }
    }
    return false;
}

/* M3: an include entry that names only values which the rows make anyway, and all rows. */
static void check_include(wpa_rule_run *run, const wpa_yaml_node *matrix,
                          const wpa_yaml_node *include)
{
    size_t n_rows = 0;
    for (size_t i = 0; i < matrix->n_pairs; i++) {
        const char *key = wpa_yaml_text(matrix->pairs[i].key);
        n_rows += !wpa_text_is(key, "include") && !wpa_text_is(key, "exclude");
    }
    for (size_t i = 0;
         n_rows && !wpa_yaml_find(matrix, "exclude") && i < include->n_items && i < ITEMS_MAX;
         i++) {
        const wpa_yaml_node *entry = wpa_yaml_resolve(include->items[i]);
        bool is_known = wpa_yaml_is(entry, WPA_YAML_MAPPING) && entry->n_pairs == n_rows;
        for (size_t k = 0; is_known && k < entry->n_pairs; k++) {
            const char *key = wpa_yaml_text(entry->pairs[k].key);
            is_known = key && row_has(wpa_yaml_get(matrix, key), entry->pairs[k].value);
        }
        if (is_known) {
            (void)wpa_rule_report(run, include->items[i]->span, "M3", include->items[i],
                                  "this include entry repeats a leg that the rows make already");
        }
    }
}

static void check_matrix(wpa_rule_run *run, const wpa_yaml_node *matrix)
{
    for (size_t i = 0; i < matrix->n_pairs; i++) {
        const char *key = wpa_yaml_text(matrix->pairs[i].key);
        const wpa_yaml_node *value = wpa_yaml_resolve(matrix->pairs[i].value);
        if (!key || !wpa_yaml_is(value, WPA_YAML_SEQUENCE) || wpa_text_is(key, "exclude")) {
            continue;
        }
        if (wpa_text_is(key, "include")) {
            check_items(run, value, "M3", "include entry");
            check_include(run, matrix, value);
        } else {
            check_items(run, value, "M1", "matrix value");
        }
    }
}

/* ---- whole legs: M2, M4 ---- */

/* What the expressions of a job read of its matrix. */
typedef struct reading {
    wpa_map *keys;   /* lower case */
    bool is_unknown; /* all of it, or by an index that is computed */
    wpa_arena *arena;
} reading;

static const char *lower(wpa_arena *arena, const char *text)
{
    char *copy = wpa_arena_dup(arena, text, strlen(text) + 1);
    for (char *c = copy; *c; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    return copy;
}

static void look(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    reading *r = context;
    if (node->kind != WPA_EXPR_NAME) {
        return;
    }
    bool is_matrix = wpa_text_is_ci(node->text, "matrix");
    bool is_member = parent && parent->kind == WPA_EXPR_MEMBER;
    bool is_index = parent && parent->kind == WPA_EXPR_INDEX && parent->args[0] == node &&
                    parent->args[1]->kind == WPA_EXPR_STRING;
    if (is_matrix && (is_member || is_index)) {
        const char *key = is_member ? parent->text : parent->args[1]->text;
        wpa_map_put(r->keys, lower(r->arena, key), r);
    }
    r->is_unknown = r->is_unknown || (is_matrix && !is_member && !is_index) ||
                    wpa_text_is_ci(node->text, "strategy"); /* legs by their number */
}

/* Composite actions of the repository may read it as well. */
static reading read_keys(const wpa_rule_run *run, const wpa_outline_job *job, wpa_arena *arena)
{
    reading r = {.keys = wpa_map_new(arena), .arena = arena, .is_unknown = job->is_call};
    for (size_t i = 0; i < job->n_steps; i++) {
        r.is_unknown = r.is_unknown || job->steps[i].uses.kind == WPA_OUTLINE_LOCAL;
    }
    const wpa_expressions *all = run->source->expressions;
    for (size_t i = 0; i < all->n && !r.is_unknown; i++) {
        const wpa_expr_parsed *parsed = &all->items[i].place->parsed;
        if (all->items[i].job == job &&
            (wpa_expr_may_refer(parsed, "matrix") || wpa_expr_may_refer(parsed, "strategy"))) {
            wpa_expr_walk(parsed->root, look, &r);
        }
    }
    return r;
}

/* More keys than any matrix of people has. */
#define ROWS_MAX 64

/* What legs are compared by: their values in the order of the first leg's keys. */
typedef struct comparison {
    const wpa_matrix_leg *legs; /* the first of them */
    const bool *counts;         /* of each key: are its values looked at? NULL: all are */
    wpa_arena *arena;
} comparison;

/* A leg as it is compared. */
typedef struct shown {
    bool is_known;
    size_t n;      /* values that count */
    uint64_t hash; /* of their text */
} shown;

static bool counts(const comparison *c, size_t key)
{
    return !c->counts || c->counts[key];
}

static uint64_t hash_text(uint64_t hash, const char *text, char end)
{
    for (; *text; text++) {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    }
    return (hash ^ (unsigned char)end) * UINT64_C(0x100000001b3);
}

static shown show_leg(const comparison *c, const wpa_matrix_leg *leg)
{
    const wpa_matrix_leg *order = &c->legs[0];
    shown s = {.is_known = true};
    size_t n = 0;
    for (size_t i = 0; i < order->n && s.is_known; i++) {
        const char *name = order->values[i].name;
        const wpa_yaml_node *node = wpa_yaml_resolve(wpa_matrix_leg_get(leg, name));
        n += node != NULL;
        if (node && counts(c, i)) {
            s.is_known =
                node->kind == WPA_YAML_SCALAR && !node->is_incomplete && node->length < 200;
            s.hash = s.is_known ? hash_text(hash_text(s.hash, name, '='), node->text, '\n') : 0;
            s.n++;
        }
    }
    s.is_known = s.is_known && n == leg->n; /* other keys than the first has */
    return s;
}

static const char *text_of(const comparison *c, const wpa_matrix_leg *leg)
{
    const wpa_matrix_leg *order = &c->legs[0];
    const char *text = "";
    for (size_t i = 0; i < order->n; i++) {
        const char *name = order->values[i].name;
        const wpa_yaml_node *node = wpa_yaml_resolve(wpa_matrix_leg_get(leg, name));
        if (node && counts(c, i)) {
            text = wpa_arena_printf(c->arena, "%s%s=%s\n", text, name, node->text);
        }
    }
    return text;
}

/* The first leg before this one that is known and reads the same; or NULL. */
static const wpa_matrix_leg *find_same(const comparison *c, const shown all[], size_t own)
{
    for (size_t i = 0; all[own].is_known && i < own; i++) {
        bool may_be = all[i].is_known && all[i].hash == all[own].hash;
        if (may_be && wpa_text_is(text_of(c, &c->legs[i]), text_of(c, &c->legs[own]))) {
            return &c->legs[i];
        }
    }
    return NULL;
}

/* Which keys of the first leg are read. */
static const bool *list_read(const wpa_matrix_leg *first, const wpa_map *keys, wpa_arena *arena)
{
    bool *are_read = wpa_arena_array(arena, first->n + 1, sizeof *are_read);
    for (size_t i = 0; i < first->n; i++) {
        are_read[i] = wpa_map_has(keys, lower(arena, first->values[i].name));
    }
    return are_read;
}

/* The value by which two legs are told apart in the file. */
static const wpa_yaml_node *place_of(const wpa_matrix_leg *leg, const wpa_matrix_leg *other)
{
    if (leg->include) {
        return leg->include;
    }
    for (size_t i = 0; i < leg->n; i++) {
        if (leg->values[i].node != wpa_matrix_leg_get(other, leg->values[i].name)) {
            return leg->values[i].node;
        }
    }
    return NULL;
}

/* Told already as a value or an entry that stands there twice? */
static bool is_told(const wpa_matrix_leg *leg, const wpa_matrix_leg *other)
{
    bool is_told = true;
    for (size_t i = 0; i < leg->n && is_told; i++) {
        const wpa_yaml_node *value = wpa_matrix_leg_get(other, leg->values[i].name);
        is_told = is_same(leg->values[i].node, value, 0);
    }
    return is_told;
}

static void report_leg(wpa_rule_run *run, const wpa_yaml_node *at, bool is_same,
                       const wpa_yaml_node *first)
{
    wpa_finding *finding = wpa_rule_report(
        run, at->span, is_same ? "M2" : "M4", at,
        is_same ? "this makes a leg whose values are the same text as those of another"
                : "this leg differs from another in nothing that a step reads");
    if (first) {
        wpa_rule_relate(run, finding, first->span, "the other one");
    }
}

static void compare_legs(wpa_rule_run *run, const comparison *whole, const comparison *by_read,
                         size_t n)
{
    shown all[LEGS_MAX], read[LEGS_MAX];
    wpa_map *told = wpa_map_new(whole->arena);
    for (size_t i = 0; i < n; i++) {
        const wpa_matrix_leg *leg = &whole->legs[i];
        all[i] = show_leg(whole, leg);
        read[i] = by_read->counts ? show_leg(by_read, leg) : (shown){0};
        const wpa_matrix_leg *same = find_same(whole, all, i);
        const wpa_matrix_leg *other = same ? same : read[i].n ? find_same(by_read, read, i) : NULL;
        const wpa_yaml_node *at = other && !is_told(leg, other) ? place_of(leg, other) : NULL;
        const char *where = at ? wpa_arena_printf(whole->arena, "%zu", at->span.start) : NULL;
        if (at && !wpa_map_has(told, where)) {
            wpa_map_put(told, where, told);
            report_leg(run, at, same != NULL, place_of(other, leg));
        }
    }
}

/* As they are compared: in a text of its own line each. */
static bool has_distinct_values(const wpa_matrix_row *row)
{
    bool are_distinct = row->n_values <= LEGS_MAX;
    for (size_t i = 0; i < row->n_values && are_distinct; i++) {
        const wpa_yaml_node *own = row->values[i];
        bool is_line = own->kind == WPA_YAML_SCALAR && !strchr(own->text, '\n');
        are_distinct = is_line;
        for (size_t k = 0; k < i && are_distinct; k++) {
            are_distinct = !wpa_text_is(own->text, row->values[k]->text);
        }
    }
    return are_distinct;
}

/** Legs that rows alone make, none of which says the same twice: each is another one. */
static bool are_surely_distinct(const wpa_matrix *m)
{
    bool are = m->n_includes == 0 && m->n_rows > 0;
    for (size_t i = 0; i < m->n_rows && are; i++) {
        are = has_distinct_values(&m->rows[i]);
        for (size_t k = 0; k < i && are; k++) {
            are = !wpa_text_is(m->rows[i].name, m->rows[k].name);
        }
    }
    return are;
}

static void check_legs(wpa_rule_run *run, const wpa_outline_job *job)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new_within(wpa_arena_budget(run->arena));
    const wpa_work_matrix *matrix = wpa_work_matrix_of(run, job, arena);
    const wpa_matrix *m = &matrix->strategy.matrix;
    const wpa_matrix_legs *legs = &matrix->legs;
    bool is_small = legs->n <= LEGS_MAX && m->n_rows <= ROWS_MAX;
    if (!m->node || m->is_open || legs->n < 2 || !is_small || legs->is_open ||
        are_surely_distinct(m)) {
        return;
    }
    const reading r = m->n_rows ? (reading){.is_unknown = true} : read_keys(run, job, arena);
    bool has_unread = !r.is_unknown && wpa_map_count(r.keys) > 0;
    const comparison whole = {.legs = legs->legs, .arena = arena};
    const comparison by_read = {.legs = legs->legs,
                                .counts =
                                    has_unread ? list_read(&legs->legs[0], r.keys, arena) : NULL,
                                .arena = arena};
    compare_legs(run, &whole, &by_read, legs->n);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_yaml_node *matrix =
            wpa_yaml_get(wpa_yaml_get(o->jobs[i].node, "strategy"), "matrix");
        if (wpa_yaml_is(matrix, WPA_YAML_MAPPING)) {
            check_matrix(run, matrix);
            check_legs(run, &o->jobs[i]);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *item = finding->subject;
    const wpa_yaml_node *list = item->parent;
    bool is_text = wpa_text_is(finding->check, "M2") || wpa_text_is(finding->check, "M4");
    wpa_fix *fix = wpa_rule_fix(run, finding, is_text ? WPA_FIX_UNSAFE : WPA_FIX_SAFE, "remove it");
    if (list && list->kind == WPA_YAML_SEQUENCE) {
        (void)wpa_rule_remove_entry(run, fix, item);
    }
}

const wpa_rule wpa_rule_matrix_duplicate_legs = {
    .code = "EFF-005",
    .id = "matrix-duplicate-legs",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A matrix runs the same leg more than once",
    .why = "The same work is done and paid for twice.",
    .fix = "Remove the repeated value.",
    .checks = (const char *const[]){"M1", "M2", "M3", "M4", NULL},
    .elsewhere = (const char *const[]){"actionlint/matrix", NULL},
    .declares = WPA_DECLARES_MATRIX,
    .words = (const char *const[]){"strategy", NULL},
    .check = check,
    .repair = repair,
};
