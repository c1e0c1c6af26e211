#include "rules/legs.h"

#include <string.h>

#include "rules/flow.h"
#include "rules/toolchain.h"

static const wpa_yaml_node *matrix_of(const wpa_outline_job *job)
{
    return wpa_yaml_get(wpa_yaml_get(job->node, "strategy"), "matrix");
}

bool wpa_legs_are_several(const wpa_outline_job *job)
{
    const wpa_yaml_node *matrix = matrix_of(job);
    const wpa_yaml_node *include = wpa_yaml_get(matrix, "include");
    size_t legs = wpa_yaml_is(include, WPA_YAML_SEQUENCE) ? include->n_items : 0;
    for (size_t i = 0; wpa_yaml_is(matrix, WPA_YAML_MAPPING) && i < matrix->n_pairs; i++) {
        const wpa_yaml_node *row = wpa_yaml_resolve(matrix->pairs[i].value);
        bool is_row = wpa_yaml_is(row, WPA_YAML_SEQUENCE) && row != include;
        legs = is_row && row->n_items > legs ? row->n_items : legs;
    }
    return legs > 1;
}

/* Contexts that are the same in every leg. */
static bool is_shared(const char *path)
{
    static const char *const shared[] = {"github.", "inputs.", "vars.", "needs."};
    for (size_t i = 0; i < WPA_COUNT(shared); i++) {
        if (wpa_text_starts(path, shared[i])) {
            return true;
        }
    }
    return false;
}

bool wpa_legs_share(const char *text, wpa_arena *arena)
{
    size_t at = 0, length = strlen(text);
    wpa_span fence, inside;
    while (wpa_flow_next_fence(text, length, &at, &fence, &inside)) {
        wpa_flow flow = wpa_flow_read(text + inside.start, wpa_span_length(inside), arena);
        for (size_t i = 0; i < flow.n; i++) {
            if (!is_shared(flow.paths[i])) {
                return false;
            }
        }
        if (!flow.is_readable || flow.n == 0) {
            return false;
        }
    }
    return true;
}

typedef struct values {
    const char *refused;
    size_t n;
    const wpa_yaml_node *bad; /* the first of them, or NULL */
} values;

static void see_value(const wpa_yaml_node *value, void *context)
{
    values *v = context;
    v->n++;
    v->bad = v->bad || !strpbrk(value->text, v->refused) ? v->bad : value;
}

const wpa_yaml_node *wpa_legs_refused(const wpa_outline_job *job, const char *key,
                                      const char *refused, size_t *n)
{
    values v = {.refused = refused};
    wpa_matrix_each(job, key, see_value, &v);
    if (n) {
        *n = v.n;
    }
    return v.bad;
}

const char *wpa_legs_suffix(const wpa_outline_job *job, const char *refused, wpa_arena *arena)
{
    const wpa_yaml_node *matrix = matrix_of(job);
    const char *suffix = "";
    for (size_t i = 0; i < matrix->n_pairs; i++) {
        const char *key = wpa_yaml_text(matrix->pairs[i].key);
        const wpa_yaml_node *row = wpa_yaml_resolve(matrix->pairs[i].value);
        size_t n;
        if (wpa_text_is(key, "exclude")) {
            continue;
        }
        if (!key || wpa_text_is(key, "include") || !wpa_yaml_is(row, WPA_YAML_SEQUENCE) ||
            wpa_legs_refused(job, key, refused, &n) || n != row->n_items) {
            return "";
        }
        suffix = n > 1 ? wpa_arena_printf(arena, "%s-${{ matrix.%s }}", suffix, key) : suffix;
    }
    return suffix;
}
