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

/* The value of "KEY" or "KEY.MEMBER" in a leg; NULL: none. */
static const wpa_yaml_node *node_in(const wpa_matrix_leg *leg, wpa_slice key, const char *member)
{
    for (size_t i = 0; i < leg->n; i++) {
        if (wpa_slice_is_ci(key, leg->values[i].name)) {
            const wpa_yaml_node *node = wpa_yaml_resolve(leg->values[i].node);
            return member ? wpa_yaml_resolve(wpa_yaml_get(node, member)) : node;
        }
    }
    return NULL;
}

/* The text of such a value; NULL: the leg has none, or it is not known. */
static const char *value_in(const wpa_matrix_leg *leg, const char *path)
{
    const char *dot = strchr(path, '.');
    wpa_slice key = {path, dot ? (size_t)(dot - path) : strlen(path)};
    const wpa_yaml_node *node =
        dot && strchr(dot + 1, '.') ? NULL : node_in(leg, key, dot ? dot + 1 : NULL);
    const char *text = wpa_yaml_text(node);
    return text && !wpa_outline_has_expression(text) ? text : NULL;
}

/* What an expression is in a leg, if it is a name alone; what all legs share stays as it is. */
static const char *part_in(const wpa_matrix_leg *leg, wpa_slice inside, wpa_arena *arena)
{
    static const char matrix[] = "matrix.";
    const char *path = wpa_arena_printf(arena, "%.*s", (int)inside.length, inside.at);
    const char *name = path + strspn(path, " ");
    size_t length = strcspn(name, " ");
    if (name[length + strspn(name + length, " ")] || strpbrk(name, "()[]'*!=&|")) {
        return NULL;
    }
    name = wpa_arena_printf(arena, "%.*s", (int)length, name);
    return is_shared(name)                 ? name
           : wpa_text_starts(name, matrix) ? value_in(leg, name + sizeof matrix - 1)
                                           : NULL;
}

static const char *text_in(const wpa_matrix_leg *leg, const char *text, wpa_arena *arena)
{
    const char *result = "";
    size_t at = 0, from = 0, length = strlen(text);
    wpa_span fence, inside;
    while (wpa_flow_next_fence(text, length, &at, &fence, &inside)) {
        const char *part =
            part_in(leg, (wpa_slice){text + inside.start, wpa_span_length(inside)}, arena);
        if (!part) {
            return NULL;
        }
        result = wpa_arena_printf(arena, "%s%.*s%s", result, (int)(fence.start - from), text + from,
                                  part);
        from = fence.end;
    }
    return wpa_arena_printf(arena, "%s%s", result, text + from);
}

const char *wpa_legs_clash(const wpa_matrix_legs *legs, const char *text, wpa_arena *arena)
{
    if (legs->is_open || legs->is_truncated) {
        return NULL;
    }
    wpa_map *seen = wpa_map_new(arena);
    const char *clash = NULL;
    for (size_t i = 0; i < legs->n; i++) {
        const char *made = text_in(&legs->legs[i], text, arena);
        if (!made) {
            return NULL;
        }
        clash = !clash && wpa_map_get(seen, made) ? made : clash;
        wpa_map_put(seen, made, seen);
    }
    return clash;
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
