/* CMP-017: exclude, include and rows of a matrix that do not fit together. */
#include <string.h>

#include "rules/expressions.h"
#include "rules/outline.h"
#include "rules/rule.h"
#include "rules/work.h"

/** Entries of exclude, and values of a row, that are compared with each other. */
#define SHOWN_MAX 8
#define ENTRIES_MAX 500
#define VALUES_MAX 2000

static bool has_expression(const wpa_yaml_node *node, int depth)
{
    node = wpa_yaml_resolve(node);
    if (!node || depth > WPA_YAML_MAX_DEPTH) {
        return true; /* not known */
    }
    bool has = node->kind == WPA_YAML_SCALAR && strstr(node->text, "${{");
    for (size_t i = 0; i < node->n_items && !has; i++) {
        has = has_expression(node->items[i], depth + 1);
    }
    for (size_t i = 0; i < node->n_pairs && !has; i++) {
        has = has_expression(node->pairs[i].value, depth + 1);
    }
    return has;
}

static const wpa_matrix_row *find_row(const wpa_matrix *m, const char *name)
{
    for (size_t i = 0; i < m->n_rows; i++) {
        if (wpa_text_is_ci(m->rows[i].name, name)) {
            return &m->rows[i];
        }
    }
    return NULL;
}

/* "'x'", "such a mapping" */
static const char *quote(wpa_rule_run *run, const wpa_yaml_node *node)
{
    return node->kind == WPA_YAML_SCALAR
               ? wpa_rule_quote(run, node->text, strlen(node->text))
               : wpa_arena_printf(run->arena, "such %s", wpa_yaml_describe(node));
}

/* ---- exclude ----------------------------------------------------------------------------------*/

/* X3 */
static void check_value(wpa_rule_run *run, const wpa_matrix_row *row, const wpa_yaml_node *written)
{
    const wpa_yaml_node *value = wpa_yaml_resolve(written);
    bool is_known =
        value && !row->is_open && row->n_values <= VALUES_MAX && !has_expression(value, 0);
    for (size_t i = 0; is_known && i < row->n_values; i++) {
        is_known =
            !has_expression(row->values[i], 0) && !wpa_matrix_filter_fits(value, row->values[i]);
    }
    if (is_known) {
        wpa_finding *finding =
            wpa_rule_report(run, value->span, "X3", written->parent,
                            "no value of %s is %s, so this entry of exclude takes out nothing",
                            row->name, quote(run, value));
        wpa_rule_relate(run, finding, row->key->span, "the values are these");
    }
}

static void check_excludes(wpa_rule_run *run, const wpa_matrix *m)
{
    if (m->exclude_key && m->n_rows == 0 && !m->is_open) {
        wpa_finding *finding =
            wpa_rule_report(run, m->exclude_key->span, "X1", NULL,
                            "exclude takes legs out of rows, and this matrix has none");
        wpa_rule_relate(run, finding, m->key->span, "the matrix");
        for (size_t i = 0; i < m->n_excludes && i < SHOWN_MAX; i++) {
            for (size_t k = 0; k < m->excludes[i]->n_pairs && k < SHOWN_MAX; k++) {
                wpa_rule_relate(run, finding, m->excludes[i]->pairs[k].key->span,
                                "takes out nothing");
            }
        }
        return;
    }
    for (size_t i = 0; i < m->n_excludes && i < ENTRIES_MAX; i++) {
        const wpa_yaml_node *entry = m->excludes[i];
        for (size_t k = 0; k < entry->n_pairs; k++) {
            const wpa_yaml_node *key = entry->pairs[k].key;
            const char *name = wpa_yaml_text(key);
            const wpa_matrix_row *row = name ? find_row(m, name) : NULL;
            if (row) {
                check_value(run, row, entry->pairs[k].value);
            } else if (name && !strstr(name, "${{") && !wpa_text_is(name, "<<")) {
                wpa_rule_report(run, key->span, "X2", entry,
                                "%s is no row of this matrix, so this entry of exclude takes out "
                                "nothing",
                                quote(run, key));
            }
        }
    }
}

/* ---- rows and include -------------------------------------------------------------------------*/

/* X4 */
static void check_rows(wpa_rule_run *run, const wpa_matrix *m)
{
    for (size_t i = 0; i < m->n_rows; i++) {
        const wpa_matrix_row *row = &m->rows[i];
        if (!row->is_open && row->n_values == 0 && !row->node->is_incomplete) {
            wpa_finding *finding =
                wpa_rule_report(run, row->key->span, "X4", NULL,
                                "row %s has no values: GitHub refuses the matrix", row->name);
            finding->severity = WPA_SEVERITY_HIGH;
        }
    }
}

/* X5: reading a member of what is a text in some legs gives nothing. */
static void check_include(wpa_rule_run *run, const wpa_matrix *m, const wpa_yaml_node *entry)
{
    for (size_t k = 0; k < entry->n_pairs; k++) {
        const char *name = wpa_yaml_text(entry->pairs[k].key);
        const wpa_matrix_row *row = name ? find_row(m, name) : NULL;
        const wpa_yaml_node *value = wpa_yaml_resolve(entry->pairs[k].value);
        bool is_known =
            row && value && !row->is_open && row->n_values > 0 && row->n_values <= VALUES_MAX;
        bool is_mapping = value && value->kind == WPA_YAML_MAPPING;
        for (size_t i = 0; is_known && i < row->n_values; i++) {
            bool is_other = row->values[i] && row->values[i]->kind == WPA_YAML_MAPPING;
            is_known = is_other != is_mapping && !has_expression(row->values[i], 0);
        }
        if (is_known && !has_expression(value, 0)) {
            wpa_finding *finding = wpa_rule_report(
                run, value->span, "X5", NULL,
                "%s is %s here and %s in its row: what reads it gets nothing in some legs", name,
                wpa_yaml_describe(value), wpa_yaml_describe(row->values[0]));
            finding->severity = WPA_SEVERITY_LOW;
            wpa_rule_relate(run, finding, row->key->span, "the row");
        }
    }
}

/* ---- reading what some legs lack (X6) ---------------------------------------------------------*/

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

typedef struct reads {
    wpa_rule_run *run;
    const wpa_matrix_legs *legs;
} reads;

static size_t count_lacking(const wpa_matrix_legs *legs, const char *name, size_t length)
{
    size_t n = 0;
    for (size_t i = 0; i < legs->n; i++) {
        bool has = false;
        for (size_t k = 0; k < legs->legs[i].n && !has; k++) {
            wpa_slice key = wpa_slice_of(legs->legs[i].values[k].name);
            has = key.length == length && strncasecmp(key.at, name, length) == 0;
        }
        n += !has;
    }
    return n;
}

/* Is the value used as it is, neither tested nor given a default? */
static bool is_bare(const wpa_expr_place *place, const wpa_expr_reference *reference)
{
    return !place->is_bare && place->parsed.root == reference->node;
}

/* "matrix.name" stands in the text, whole. */
static bool mentions(const char *text, const char *path, size_t length)
{
    static const char of_names[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    for (const char *at = text; at && (at = strcasestr(at, "matrix.")); at++) {
        if (strncasecmp(at, path, length) == 0 && !strspn(at + length, of_names)) {
            return true;
        }
    }
    return false;
}

/* condition: of the step or job that it stands in, or NULL */
static void check_scalar(const reads *r, const wpa_yaml_node *node, const char *condition)
{
    size_t n_places, n;
    const wpa_expr_place *places = wpa_expressions_find(r->run, node, &n_places);
    for (size_t i = 0; i < n_places; i++) {
        wpa_expr_reference *list = wpa_expr_references(places[i].parsed.root, r->run->arena, &n);
        for (size_t k = 0; k < n; k++) {
            if (!wpa_text_starts(list[k].path, "matrix.") || !is_bare(&places[i], &list[k])) {
                continue;
            }
            const char *name = list[k].path + strlen("matrix.");
            size_t length = strcspn(name, ".");
            size_t n_lacking = count_lacking(r->legs, name, length);
            if (n_lacking == 0 || n_lacking == r->legs->n || name[0] == '*' || name[0] == '[' ||
                mentions(condition, list[k].path, strlen("matrix.") + length)) {
                continue;
            }
            wpa_finding *finding = wpa_rule_report(
                r->run, wpa_expr_source_span(&places[i], list[k].node->span), "X6", NULL,
                "matrix.%.*s is not set in %zu of %zu legs, where this is empty", (int)length, name,
                n_lacking, r->legs->n);
            finding->severity = WPA_SEVERITY_LOW;
            finding->persona = WPA_PERSONA_PEDANTIC;
        }
    }
}

static void walk(const reads *r, const wpa_yaml_node *node, const char *condition, int depth)
{
    if (!node || depth > WPA_YAML_MAX_DEPTH) {
        return;
    }
    const wpa_yaml_pair *own = wpa_yaml_find(node, "if");
    condition = own ? wpa_yaml_text(own->value) : condition;
    bool may_read = node->kind == WPA_YAML_SCALAR &&
                    (node->holds_nul || wpa_outline_has_expression(node->text));
    if (may_read && strstr(node->text, "matrix.")) {
        check_scalar(r, node, condition); /* bare conditions test what they read */
    }
    for (size_t i = 0; i < node->n_pairs; i++) {
        if (!wpa_text_is(wpa_yaml_text(node->pairs[i].key), "strategy")) {
            walk(r, node->pairs[i].value, condition, depth + 1);
        }
    }
    for (size_t i = 0; i < node->n_items; i++) {
        walk(r, node->items[i], condition, depth + 1);
    }
}

/* Names of a leg that are held against those of others. */
#define NAMES_MAX 32

static bool has_names_of(const wpa_matrix_leg *leg, const wpa_matrix_leg *other)
{
    for (size_t i = 0; i < other->n; i++) {
        size_t k = 0;
        while (k < leg->n && !wpa_text_is_ci(leg->values[k].name, other->values[i].name)) {
            k++;
        }
        if (k == leg->n) {
            return false;
        }
    }
    return true;
}

/** May a name be set in some legs only? In most matrices all legs have the same ones. */
static bool may_lack_names(const wpa_matrix_legs *legs)
{
    const wpa_matrix_leg *first = legs->n ? &legs->legs[0] : NULL;
    bool may = first && first->n > NAMES_MAX;
    for (size_t i = 1; i < legs->n && !may; i++) {
        const wpa_matrix_leg *leg = &legs->legs[i];
        may = leg->n > NAMES_MAX || !has_names_of(leg, first) || !has_names_of(first, leg);
    }
    return may;
}

static void check_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new_within(wpa_arena_budget(run->arena));
    const wpa_work_matrix *matrix = wpa_work_matrix_of(run, job, arena);
    const wpa_matrix m = matrix->strategy.matrix;
    if (!m.node) {
        return;
    }
    check_excludes(run, &m);
    check_rows(run, &m);
    for (size_t i = 0; i < m.n_includes && i < ENTRIES_MAX; i++) {
        check_include(run, &m, m.includes[i]);
    }
    wpa_matrix_legs legs = matrix->legs;
    if (!m.is_open && !legs.is_open && !legs.is_truncated && m.n_includes &&
        may_lack_names(&legs)) {
        walk(&(reads){run, &legs}, job->node, NULL, 0);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        if (wpa_yaml_find(o->jobs[i].node, "strategy")) {
            check_job(run, &o->jobs[i]);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *entry = finding->subject;
    if (entry && entry->parent && entry->parent->kind == WPA_YAML_SEQUENCE) {
        wpa_fix *fix =
            wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "remove the entry, which does nothing");
        (void)wpa_rule_remove_entry(run, fix, entry);
    }
}

const wpa_rule wpa_rule_matrix_shape = {
    .code = "CMP-017",
    .id = "matrix-shape",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "Parts of a matrix do not fit its rows",
    .why = "GitHub refuses the matrix, or runs legs that were meant to be left out.",
    .fix = "Name rows and values that exist, or remove the entry.",
    .checks = (const char *const[]){"X1", "X2", "X3", "X4", "X5", "X6", NULL},
    .elsewhere = (const char *const[]){"actionlint/matrix", NULL},
    .declares = WPA_DECLARES_MATRIX,
    .reads_dead_code = true,
    .words = (const char *const[]){"strategy", NULL},
    .check = check,
    .repair = repair,
};
