/* QUA-005: one value written many times over. */
#include <ctype.h>
#include <string.h>

#include <wpa/map.h>

#include "rules/graph.h"
#include "rules/rule.h"

#define VALUES_MAX 4000
#define SHOWN_MAX 4
#define AGREEING_MIN 3  /* files that have the other value */
#define HOLDERS_MAX 200 /* of a name that more files have nobody expects that they agree */
#define VERSIONS_MAX 32 /* different values of it */
#define PLACES_MAX 64   /* of one value that a fix replaces */

static const wpa_rule_option options[] = {
    {"min-count", "4", "times a value stands in a file before it is reported", WPA_OPTION_NUMBER},
    {"min-length", "6", "shorter values are never reported", WPA_OPTION_NUMBER},
    {0},
};

typedef struct value {
    const wpa_yaml_node *places[PLACES_MAX];
    size_t n;
    bool takes_env; /* the env context may stand at every place */
} value;

typedef struct collection {
    wpa_rule_run *run;
    wpa_map *by_text;
    size_t min_length;
} collection;

static void add_value(collection *c, const wpa_yaml_node *node, bool takes_env)
{
    node = wpa_yaml_resolve(node);
    const char *text = wpa_yaml_text(node);
    if (!text || node->length < c->min_length || !wpa_value_is_telling(text) ||
        wpa_map_count(c->by_text) > VALUES_MAX) {
        return;
    }
    value *v = wpa_map_get(c->by_text, text);
    if (!v) {
        v = wpa_arena_alloc(c->run->arena, sizeof *v);
        v->takes_env = true;
        wpa_map_put(c->by_text, text, v);
    }
    if (v->n && v->places[(v->n < PLACES_MAX ? v->n : PLACES_MAX) - 1] == node) {
        return; /* the same node by an alias */
    }
    if (v->n < PLACES_MAX) {
        v->places[v->n] = node;
    }
    v->takes_env = v->takes_env && takes_env;
    v->n++;
}

static void add_values(collection *c, const wpa_yaml_node *mapping, bool takes_env)
{
    for (size_t i = 0; wpa_yaml_is(mapping, WPA_YAML_MAPPING) && i < mapping->n_pairs; i++) {
        add_value(c, mapping->pairs[i].value, takes_env);
    }
}

static void add_image(collection *c, const wpa_yaml_node *container)
{
    add_value(
        c, wpa_yaml_is(container, WPA_YAML_MAPPING) ? wpa_yaml_get(container, "image") : container,
        false);
}

static void add_job(collection *c, const wpa_outline_job *job)
{
    add_values(c, wpa_yaml_get(job->node, "env"), false);
    add_values(c, wpa_yaml_get(job->node, "with"), false);
    add_image(c, wpa_yaml_get(job->node, "container"));
    const wpa_yaml_node *services = wpa_yaml_get(job->node, "services");
    for (size_t i = 0; wpa_yaml_is(services, WPA_YAML_MAPPING) && i < services->n_pairs; i++) {
        add_image(c, wpa_yaml_resolve(services->pairs[i].value));
    }
    for (size_t i = 0; i < job->n_steps; i++) {
        add_values(c, job->steps[i].with, true);
        add_values(c, job->steps[i].env, true);
        add_value(c, wpa_yaml_get(job->steps[i].node, "working-directory"), true);
    }
}

/* ---- D1: what other workflows have another value for -------------------------------------------
 */

/* Values of one name, and how many other workflows have each. */
typedef struct vote {
    const wpa_graph_holder *first[VERSIONS_MAX];
    size_t counts[VERSIONS_MAX];
    size_t n, n_own;
} vote;

static void count_value(vote *v, const wpa_graph_holder *holder)
{
    for (size_t i = 0; i < v->n; i++) {
        if (wpa_text_is(v->first[i]->value->text, holder->value->text)) {
            v->counts[i]++;
            return;
        }
    }
    if (v->n < VERSIONS_MAX) {
        v->first[v->n] = holder;
        v->counts[v->n++] = 1;
    }
}

static void check_drift(wpa_rule_run *run, const wpa_graph *graph, const wpa_named_value *own)
{
    vote v = {.n_own = 1};
    size_t n, best = 0;
    const wpa_graph_holder *holders = wpa_graph_values_of(graph, own->name, &n);
    for (size_t i = 0; i < n && n <= HOLDERS_MAX; i++) {
        bool is_self = wpa_text_is(holders[i].file->path, wpa_source_identity(run->source));
        if (!is_self && wpa_text_is(holders[i].value->text, own->text)) {
            v.n_own++;
        } else if (!is_self) {
            count_value(&v, &holders[i]);
        }
    }
    for (size_t i = 1; i < v.n; i++) {
        best = v.counts[i] > v.counts[best] ? i : best;
    }
    /* They are meant to agree where nearly all do, and the rest has but other numbers. */
    if (!v.n || v.counts[best] < AGREEING_MIN || v.n_own * 3 > v.counts[best] ||
        !wpa_value_is_alike(own->text, v.first[best]->value->text)) {
        return;
    }
    const wpa_graph_holder *most = v.first[best];
    const char *name = strchr(own->name, ' ') + 1;
    wpa_finding *finding = wpa_rule_report(
        run, own->span, "D1", NULL, "%s is %s here, and %s in %zu other workflows",
        wpa_rule_quote(run, name, strlen(name)), wpa_rule_quote(run, own->text, strlen(own->text)),
        wpa_rule_quote(run, most->value->text, strlen(most->value->text)), v.counts[best]);
    const wpa_source *source = wpa_rule_source_at(run, most->file->path);
    if (source) {
        wpa_rule_relate_in(run, finding, source, most->value->span, "such as here");
    }
}

static void check_neighbours(wpa_rule_run *run, size_t min_length)
{
    const wpa_graph *graph = run->source->around ? run->source->around->graph : NULL;
    size_t n = 0;
    const wpa_named_value *values =
        graph ? wpa_values_read(run->source->outline, run->arena, &n) : NULL;
    for (size_t i = 0; i < n; i++) {
        if (strlen(values[i].text) >= min_length) {
            check_drift(run, graph, &values[i]);
        }
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
            wpa_rule_report(run, v->places[0]->span, NULL, v,
                            "%s stands here %zu times: a change has to find them all",
                            wpa_rule_quote(run, text, strlen(text)), v->n);
        for (size_t k = 1; k < v->n && k < SHOWN_MAX; k++) {
            wpa_rule_relate(run, finding, v->places[k]->span, "and here");
        }
    }
    check_neighbours(run, c.min_length);
    return true;
}

/* "node-version" → "NODE_VERSION"; NULL if the key gives no name, or one that is taken. */
static const char *variable_name(const wpa_rule_run *run, const wpa_yaml_node *place)
{
    const char *key = place->key ? wpa_yaml_text(place->key) : NULL;
    size_t length = key ? strlen(key) : 0;
    if (length < 2 || length > 40 || !isalpha((unsigned char)key[0])) {
        return NULL;
    }
    char *name = wpa_arena_slice(run->arena, key, length);
    for (size_t i = 0; i < length; i++) {
        name[i] = isalnum((unsigned char)name[i]) ? (char)toupper((unsigned char)name[i]) : '_';
    }
    bool is_kept = wpa_text_starts(name, "GITHUB_") || wpa_text_starts(name, "RUNNER_") ||
                   wpa_text_is(name, "PATH") || wpa_text_is(name, "NODE_OPTIONS");
    return is_kept || strstr(run->source->yaml->source, name) ? NULL : name;
}

/* Say it once in the workflow's env. */
static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const value *v = finding->subject;
    const wpa_yaml_node *root = run->source->outline->root;
    const char *name =
        v && v->takes_env && v->n <= PLACES_MAX ? variable_name(run, v->places[0]) : NULL;
    for (size_t i = 0; name && i < v->n; i++) {
        wpa_yaml_style style = v->places[i]->style;
        bool is_line = style == WPA_YAML_PLAIN || style == WPA_YAML_SINGLE_QUOTED ||
                       style == WPA_YAML_DOUBLE_QUOTED;
        name = is_line && !wpa_yaml_anchor(v->places[i]) ? name : NULL;
    }
    if (!name) {
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "say it once, as env.%s", name);
    const wpa_yaml_node *first = v->places[0];
    const char *text = wpa_arena_slice(run->arena, first->doc->source + first->span.start,
                                       wpa_span_length(first->span));
    if (wpa_rule_add_in(run, fix, root, "env", "on", name, text)) {
        for (size_t i = 0; i < v->n; i++) {
            bool is_flow = v->places[i]->parent && v->places[i]->parent->style == WPA_YAML_FLOW;
            const char *quote = is_flow ? "\"" : ""; /* its braces would be the mapping's */
            wpa_rule_edit(run, fix, v->places[i]->span, "%s${{ env.%s }}%s", quote, name, quote);
        }
    }
}

static const char *const checks[] = {"D1", NULL};

const wpa_rule wpa_rule_repeated_value = {
    .code = "QUA-005",
    .id = "repeated-value",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary =
        "The same version, image, path or address is written many times, or differs in one place",
    .why = "One of the copies is forgotten when it changes, and the jobs drift apart.",
    .fix = "Say it once, in the workflow's env, a variable of the repository or a version file.",
    .options = options,
    .checks = checks,
    .declares = WPA_DECLARES_ENV | WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
