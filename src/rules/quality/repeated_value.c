/* QUA-005: one value written many times over. */
#include <string.h>

#include <wpa/map.h>

#include "rules/outline.h"
#include "rules/rule.h"

#define VALUES_MAX 4000
#define SHOWN_MAX 4

static const wpa_rule_option options[] = {
    {"min-count", "4", "times a value stands in a file before it is reported"},
    {"min-length", "6", "shorter values are never reported"},
    {0},
};

typedef struct value {
    const wpa_yaml_node *places[SHOWN_MAX];
    size_t n;
} value;

typedef struct collection {
    wpa_rule_run *run;
    wpa_map *by_text;
    size_t min_length;
} collection;

/* A version, an image, a path, a region or an address: not a word of the language. */
static bool is_telling(const char *text)
{
    bool has_digit = strpbrk(text, "0123456789") != NULL;
    bool has_mark = strpbrk(text, "/:.-") != NULL;
    return !strpbrk(text, " \t\n") && !wpa_outline_has_expression(text) &&
           ((has_digit && has_mark) || strstr(text, "://") || strchr(text, '/'));
}

static void add_value(collection *c, const wpa_yaml_node *node)
{
    node = wpa_yaml_resolve(node);
    const char *text = wpa_yaml_text(node);
    if (!text || node->length < c->min_length || !is_telling(text) ||
        wpa_map_count(c->by_text) > VALUES_MAX) {
        return;
    }
    value *v = wpa_map_get(c->by_text, text);
    if (!v) {
        v = wpa_arena_alloc(c->run->arena, sizeof *v);
        wpa_map_put(c->by_text, text, v);
    }
    if (v->n && v->places[(v->n < SHOWN_MAX ? v->n : SHOWN_MAX) - 1] == node) {
        return; /* the same node by an alias */
    }
    if (v->n < SHOWN_MAX) {
        v->places[v->n] = node;
    }
    v->n++;
}

static void add_values(collection *c, const wpa_yaml_node *mapping)
{
    for (size_t i = 0; wpa_yaml_is(mapping, WPA_YAML_MAPPING) && i < mapping->n_pairs; i++) {
        add_value(c, mapping->pairs[i].value);
    }
}

static void add_image(collection *c, const wpa_yaml_node *container)
{
    add_value(c, wpa_yaml_is(container, WPA_YAML_MAPPING) ? wpa_yaml_get(container, "image")
                                                          : container);
}

static void add_job(collection *c, const wpa_outline_job *job)
{
    add_values(c, wpa_yaml_get(job->node, "env"));
    add_values(c, wpa_yaml_get(job->node, "with"));
    add_image(c, wpa_yaml_get(job->node, "container"));
    const wpa_yaml_node *services = wpa_yaml_get(job->node, "services");
    for (size_t i = 0; wpa_yaml_is(services, WPA_YAML_MAPPING) && i < services->n_pairs; i++) {
        add_image(c, wpa_yaml_resolve(services->pairs[i].value));
    }
    for (size_t i = 0; i < job->n_steps; i++) {
        add_values(c, job->steps[i].with);
        add_values(c, job->steps[i].env);
        add_value(c, wpa_yaml_get(job->steps[i].node, "working-directory"));
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    collection c = {.run = run, .by_text = wpa_map_new(run->arena)};
    c.min_length = (size_t)wpa_rule_option_int(run, "min-length", 1, 1000, 6);
    size_t min = (size_t)wpa_rule_option_int(run, "min-count", 2, 1000, 4);
    for (size_t i = 0; i < run->source->outline->n_jobs; i++) {
        add_job(&c, &run->source->outline->jobs[i]);
    }
    for (size_t i = 0; i < wpa_map_count(c.by_text); i++) {
        void *found = NULL;
        const char *text = wpa_map_at(c.by_text, i, &found);
        const value *v = found;
        if (v->n < min) {
            continue;
        }
        wpa_finding *finding =
            wpa_rule_report(run, v->places[0]->span, NULL, NULL,
                            "%s stands here %zu times: a change has to find them all",
                            wpa_rule_quote(run, text, strlen(text)), v->n);
        for (size_t k = 1; k < v->n && k < SHOWN_MAX; k++) {
            wpa_rule_relate(run, finding, v->places[k]->span, "and here");
        }
    }
    return true;
}

const wpa_rule wpa_rule_repeated_value = {
    .code = "QUA-005",
    .id = "repeated-value",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "The same version, image, path or address is written many times",
    .why = "One of the copies is forgotten when it changes, and the jobs drift apart.",
    .fix = "Say it once, in the workflow's env, a variable of the repository or a version file; "
           "wpa does not choose the place.",
    .options = options,
    .check = check,
};
