/* Where a job runs: the labels of runs-on, through the matrix where it names one. */
#include <string.h>

#include "expr/expr.h"
#include "rules/outline_internal.h"

static void add_label(wpa_arena *arena, wpa_outline_job *job, const wpa_yaml_node *node, size_t set,
                      size_t *capacity)
{
    const char *text = wpa_yaml_text(node);
    if (!text || wpa_outline_has_expression(text)) {
        job->has_open_labels = true;
        return;
    }
    job->labels = wpa_arena_grow(arena, job->labels, job->n_labels, capacity, sizeof *job->labels);
    job->labels[job->n_labels++] = (wpa_outline_label){
        .node = wpa_yaml_resolve(node),
        .text = text,
        .runner = wpa_facts_runner_find(wpa_slice_of(text)),
        .is_from_matrix = set > 0,
        .set = set,
    };
    job->is_self_hosted = job->is_self_hosted || wpa_text_is_ci(text, "self-hosted");
}

/* "K" or "K.L" of "${{ matrix.K.L }}" and nothing else, in the arena; NULL otherwise. */
static const char *matrix_key(const char *text, wpa_arena *arena)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    const char *at = text + strspn(text, " ");
    if (!wpa_text_starts(at, "${{")) {
        return NULL;
    }
    at += 3;
    at += strspn(at, " ");
    if (!wpa_text_starts(at, "matrix.")) {
        return NULL;
    }
    at += 7;
    size_t n = strspn(at, letters);
    const char *behind = at + n + strspn(at + n, " ");
    bool is_whole = n && wpa_text_starts(behind, "}}") && !behind[2 + strspn(behind + 2, " \n")];
    return is_whole ? wpa_arena_slice(arena, at, n) : NULL;
}

/* The member that a path of names leads to below a matrix value; the value itself for "". */
static const wpa_yaml_node *member_at(wpa_arena *arena, const wpa_yaml_node *value,
                                      const char *path)
{
    while (value && *path) {
        size_t length = strcspn(path, ".");
        value = wpa_yaml_get(value, wpa_arena_slice(arena, path, length));
        path += length + (path[length] == '.');
    }
    return wpa_yaml_resolve(value);
}

/* A matrix value as label or list of labels. */
static void add_matrix_value(wpa_arena *arena, wpa_outline_job *job, const wpa_yaml_node *value,
                             size_t set, size_t *capacity)
{
    if (wpa_yaml_is(value, WPA_YAML_SEQUENCE)) {
        for (size_t i = 0; i < value->n_items; i++) {
            add_label(arena, job, value->items[i], set, capacity);
        }
    } else {
        add_label(arena, job, value, set, capacity);
    }
}

static void add_matrix_labels(wpa_arena *arena, wpa_outline_job *job, const char *path,
                              size_t *capacity)
{
    const wpa_yaml_node *matrix = wpa_yaml_get(wpa_yaml_get(job->node, "strategy"), "matrix");
    size_t length = strcspn(path, ".");
    const char *key = wpa_arena_slice(arena, path, length);
    const char *rest = path[length] ? path + length + 1 : "";
    const wpa_yaml_node *row = wpa_yaml_get(matrix, key);
    const wpa_yaml_node *include = wpa_yaml_get(matrix, "include");
    bool is_found = false;
    size_t set = 0;
    if (wpa_yaml_is(row, WPA_YAML_SEQUENCE)) {
        for (size_t i = 0; i < row->n_items; i++) {
            add_matrix_value(arena, job, member_at(arena, row->items[i], rest), ++set, capacity);
        }
        is_found = true;
    } else if (row) {
        job->has_open_labels = true;
    }
    if (wpa_yaml_is(include, WPA_YAML_SEQUENCE)) {
        for (size_t i = 0; i < include->n_items; i++) {
            const wpa_yaml_node *value = wpa_yaml_get(include->items[i], key);
            if (value) {
                add_matrix_value(arena, job, member_at(arena, value, rest), ++set, capacity);
                is_found = true;
            }
        }
    } else if (include) {
        job->has_open_labels = true;
    }
    job->has_open_labels = job->has_open_labels || !is_found;
}

/* The text that an expression of literals alone gives, as a label; NULL if it cannot be told. */
static const char *folded_label(wpa_arena *arena, const wpa_yaml_node *node)
{
    size_t n;
    const wpa_yaml_node *value = wpa_yaml_resolve(node);
    if (!wpa_yaml_is(value, WPA_YAML_SCALAR) || !wpa_outline_has_expression(value->text)) {
        return NULL;
    }
    const wpa_expr_place *places = wpa_expr_find(value, arena, &n);
    if (n != 1 || !places[0].parsed.root || wpa_span_length(places[0].outer) != value->length) {
        return NULL;
    }
    wpa_expr_value folded = wpa_expr_fold(places[0].parsed.root, NULL, NULL, arena);
    return folded.type == WPA_EXPR_IS_STRING ? folded.text : NULL;
}

static void read_label_value(wpa_arena *arena, wpa_outline_job *job, const wpa_yaml_node *value,
                             size_t *capacity)
{
    const char *text = wpa_yaml_text(value);
    const char *key = text ? matrix_key(text, arena) : NULL;
    const char *folded = key ? NULL : folded_label(arena, value);
    if (key) {
        add_matrix_labels(arena, job, key, capacity);
        return;
    }
    size_t n_before = job->n_labels;
    bool was_open = job->has_open_labels;
    add_label(arena, job, value, 0, capacity);
    if (folded && job->n_labels == n_before) {
        job->has_open_labels = was_open;
        job->labels =
            wpa_arena_grow(arena, job->labels, job->n_labels, capacity, sizeof *job->labels);
        job->labels[job->n_labels++] = (wpa_outline_label){
            .node = wpa_yaml_resolve(value),
            .text = folded,
            .runner = wpa_facts_runner_find(wpa_slice_of(folded)),
        };
    }
}

static wpa_fact_os os_of_label(const wpa_outline_label *label)
{
    return label->runner                            ? label->runner->os
           : wpa_text_is_ci(label->text, "linux")   ? WPA_OS_LINUX
           : wpa_text_is_ci(label->text, "windows") ? WPA_OS_WINDOWS
           : wpa_text_is_ci(label->text, "macos")   ? WPA_OS_MACOS
                                                    : WPA_OS_UNKNOWN;
}

void wpa_outline_read_runner(wpa_outline_job *job, wpa_arena *arena)
{
    size_t capacity = 0;
    const wpa_yaml_node *runs_on = wpa_yaml_get(job->node, "runs-on");
    if (wpa_yaml_is(runs_on, WPA_YAML_MAPPING)) {
        job->is_self_hosted = wpa_yaml_find(runs_on, "group") != NULL;
        job->has_open_labels = job->is_self_hosted;
        runs_on = wpa_yaml_get(runs_on, "labels");
    }
    if (wpa_yaml_is(runs_on, WPA_YAML_SEQUENCE)) {
        for (size_t i = 0; i < runs_on->n_items; i++) {
            read_label_value(arena, job, runs_on->items[i], &capacity);
        }
    } else if (runs_on) {
        read_label_value(arena, job, runs_on, &capacity);
    }
    for (size_t i = 0; i < job->n_labels; i++) {
        wpa_fact_os os = os_of_label(&job->labels[i]);
        bool is_set = !job->labels[i].is_from_matrix; /* one of several labels of one runner */
        if (os == WPA_OS_UNKNOWN && is_set && job->n_labels > 1) {
            continue;
        }
        if (i == 0 || job->os == WPA_OS_UNKNOWN) {
            job->os = i == 0 || is_set ? os : WPA_OS_UNKNOWN;
        } else if (os != job->os) {
            job->os = WPA_OS_UNKNOWN;
            break;
        }
    }
    job->os = job->has_open_labels ? WPA_OS_UNKNOWN : job->os;
}
