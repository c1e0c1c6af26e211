#include "rules/values.h"

#include <string.h>

typedef struct reader {
    wpa_arena *arena;
    wpa_named_value *values; /* [WPA_VALUES_MAX]; one without a text has several */
    size_t n;
} reader;

bool wpa_value_is_telling(const char *text)
{
    bool has_digit = strpbrk(text, "0123456789") != NULL;
    bool has_mark = strpbrk(text, "/:.-") != NULL;
    return !strpbrk(text, " \t\n") && !wpa_outline_has_expression(text) &&
           ((has_digit && has_mark) || strstr(text, "://") || strchr(text, '/'));
}

bool wpa_value_is_alike(const char *a, const char *b)
{
    static const char digits[] = "0123456789";
    while (*a && *b) {
        size_t n_a = strspn(a, digits), n_b = strspn(b, digits);
        if ((n_a == 0) != (n_b == 0) || (n_a == 0 && *a != *b)) {
            return false;
        }
        a += n_a ? n_a : 1;
        b += n_b ? n_b : 1;
    }
    return *a == *b;
}

static void add(reader *r, const char *kind, const char *name, size_t length,
                const wpa_yaml_node *node)
{
    node = wpa_yaml_resolve(node);
    const char *text = wpa_yaml_text(node);
    if (!text || *text == '-' || !strpbrk(text, "0123456789") || !wpa_value_is_telling(text)) {
        return;
    }
    const char *full = wpa_arena_printf(r->arena, "%s %.*s", kind, (int)length, name);
    for (size_t i = 0; i < r->n; i++) {
        if (wpa_text_is(r->values[i].name, full)) {
            bool is_same = wpa_text_is(r->values[i].text, text);
            r->values[i].text = is_same ? r->values[i].text : NULL;
            return;
        }
    }
    r->values =
        r->values ? r->values : wpa_arena_array(r->arena, WPA_VALUES_MAX, sizeof *r->values);
    if (r->n < WPA_VALUES_MAX) {
        r->values[r->n++] = (wpa_named_value){full, wpa_arena_text(r->arena, text), node->span};
    }
}

static void add_env(reader *r, const wpa_yaml_node *scope)
{
    const wpa_yaml_node *env = wpa_yaml_get(scope, "env");
    for (size_t i = 0; wpa_yaml_is(env, WPA_YAML_MAPPING) && i < env->n_pairs; i++) {
        const char *name = wpa_yaml_text(env->pairs[i].key);
        if (name) {
            add(r, "env", name, strlen(name), env->pairs[i].value);
        }
    }
}

/** "postgres" of "postgres:15.2": without a tag there is nothing to compare. */
static void add_image(reader *r, const wpa_yaml_node *container)
{
    const wpa_yaml_node *node =
        wpa_yaml_is(container, WPA_YAML_MAPPING) ? wpa_yaml_get(container, "image") : container;
    const char *text = wpa_yaml_text(node);
    const char *slash = text ? strrchr(text, '/') : NULL;
    const char *tag = text ? strchr(slash ? slash : text, ':') : NULL;
    if (tag && !strchr(text, '@')) {
        add(r, "image", text, (size_t)(tag - text), node);
    }
}

const wpa_named_value *wpa_values_read(const wpa_outline *outline, wpa_arena *arena, size_t *n)
{
    reader r = {.arena = arena};
    add_env(&r, outline->root);
    for (size_t i = 0; i < outline->n_jobs; i++) {
        const wpa_outline_job *job = &outline->jobs[i];
        const wpa_yaml_node *services = wpa_yaml_get(job->node, "services");
        add_env(&r, job->node);
        add_image(&r, wpa_yaml_get(job->node, "container"));
        for (size_t k = 0; wpa_yaml_is(services, WPA_YAML_MAPPING) && k < services->n_pairs; k++) {
            add_image(&r, wpa_yaml_resolve(services->pairs[k].value));
        }
        for (size_t k = 0; k < job->n_steps; k++) {
            add_env(&r, job->steps[k].node);
        }
    }
    *n = 0;
    for (size_t i = 0; i < r.n; i++) {
        if (r.values[i].text) {
            r.values[(*n)++] = r.values[i];
        }
    }
    return r.values;
}
