/* CMP-010: an action file that GitHub refuses, or that does not mean what it says. */
#include <string.h>

#include <wpa/map.h>

#include "rules/graph.h"
#include "rules/outline.h"
#include "rules/steps.h"
#include "rules/upgrade.h"

typedef enum kind {
    KIND_UNKNOWN,
    KIND_JAVASCRIPT,
    KIND_DOCKER,
    KIND_COMPOSITE
} kind;

/* What is known of one kind: the definition of its "runs", and the key without which it is nothing.
 */
static const struct {
    const char *words, *form, *needs;
} kinds[] = {
    [KIND_UNKNOWN] = {"action of this kind", "", ""},
    [KIND_JAVASCRIPT] = {"JavaScript action", "node-runs-strict", "main"},
    [KIND_DOCKER] = {"Docker action", "container-runs-strict", "image"},
    [KIND_COMPOSITE] = {"composite action", "composite-runs-strict", "steps"},
};

typedef struct subject {
    const wpa_yaml_node *node;
    const char *text;
} subject;

static const char *quote(wpa_rule_run *run, const wpa_yaml_node *node)
{
    return wpa_rule_quote(run, node->text, node->length);
}

static wpa_finding *refused(wpa_rule_run *run, wpa_finding *finding)
{
    finding->severity = WPA_SEVERITY_HIGH;
    wpa_rule_relate_users(run, finding);
    return finding;
}

/* ---- the root ---------------------------------------------------------------------------------*/

/* M2 */
static void check_twins(wpa_rule_run *run, const wpa_yaml_node *root)
{
    const char *path = wpa_source_identity(run->source);
    const wpa_surroundings *around = run->source->around;
    if (around && around->has_paths && wpa_text_ends(path, "action.yaml")) {
        const char *twin = wpa_arena_printf(run->arena, "%.*s.yml", (int)(strlen(path) - 5), path);
        if (wpa_surroundings_has(around, twin)) {
            wpa_rule_report(run, root->n_pairs ? root->pairs[0].key->span : root->span, "M2", NULL,
                            "action.yml lies beside this file and is read in its place");
        }
    }
}

/* M3: without runs there is nothing; a name and a description are wanted by those who list it. */
static void check_root(wpa_rule_run *run, const wpa_yaml_node *root)
{
    static const char *const names[] = {"runs", "name", "description"};
    wpa_span at = root->n_pairs ? root->pairs[0].key->span : root->span;
    for (size_t i = 0; i < WPA_COUNT(names) && !root->is_incomplete; i++) {
        const wpa_yaml_pair *pair = wpa_yaml_find(root, names[i]);
        if (pair && (i == 0 || !wpa_yaml_is_null(pair->value))) {
            continue;
        }
        wpa_finding *finding =
            wpa_rule_report(run, pair ? pair->key->span : at, "M3", NULL,
                            i == 0 ? "the action lacks '%s': it cannot be run"
                                   : "the action lacks '%s', which GitHub wants of every action",
                            names[i]);
        finding->severity = WPA_SEVERITY_LOW;
        if (i == 0) {
            (void)refused(run, finding);
        } else {
            wpa_rule_relate_users(run, finding);
        }
    }
}

/* M6 */
static void check_branding(wpa_rule_run *run, const wpa_yaml_node *root, const char *key,
                           const char *form)
{
    const wpa_yaml_node *value = wpa_yaml_get(wpa_yaml_get(root, "branding"), key);
    const wpa_schema_def *def = wpa_schema_action_find(form);
    const char *text = wpa_yaml_text(value);
    /* A colour that the documentation lists and the schema does not. */
    bool is_black = wpa_text_is(key, "color") && wpa_text_is(text, "black");
    if (!text || !*text || !def || is_black ||
        wpa_fact_list_has(def->allowed, wpa_slice_of(text))) {
        return;
    }
    const char *meant = wpa_rule_find_meant(text, def->allowed);
    subject *s = meant ? wpa_arena_alloc(run->arena, sizeof *s) : NULL;
    if (s) {
        *s = (subject){value, meant};
    }
    wpa_finding *finding =
        wpa_rule_report(run, value->span, "M6", s, "there is no %s %s%s", key, quote(run, value),
                        wpa_rule_hint(meant, def->allowed, run->arena));
    wpa_rule_relate_users(run, finding);
}

/* ---- inputs and outputs -----------------------------------------------------------------------*/

/* M4; the mapping, or NULL. */
static const wpa_yaml_node *check_names(wpa_rule_run *run, const wpa_yaml_node *root,
                                        const char *name)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(root, name);
    const wpa_yaml_node *list = pair ? wpa_yaml_resolve(pair->value) : NULL;
    if (!list || list->is_incomplete || wpa_yaml_is_null(list)) {
        return NULL;
    }
    if (list->kind != WPA_YAML_MAPPING) {
        (void)refused(run, wpa_rule_report(run, wpa_yaml_full(list), "M4", NULL,
                                           "%s must be a mapping of names, and is %s", name,
                                           wpa_yaml_describe(list)));
        return NULL;
    }
    wpa_map *seen = wpa_map_new(run->arena);
    for (size_t i = 0; i < list->n_pairs; i++) {
        wpa_yaml_node *key = list->pairs[i].key;
        char *own = wpa_arena_text(run->arena, wpa_yaml_text(key));
        for (char *c = own; c && *c; c++) {
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
        }
        const wpa_yaml_node *first = own ? wpa_map_get(seen, own) : NULL;
        if (first) {
            wpa_finding *finding =
                refused(run, wpa_rule_report(run, key->span, "M4", NULL,
                                             "%s is there twice in %s: names do not differ by case",
                                             quote(run, key), name));
            wpa_rule_relate(run, finding, first->span, "first here");
        } else if (own) {
            wpa_map_put(seen, own, key);
        }
    }
    return list;
}

/* M5, M7, M17, M19 */
static void check_input(wpa_rule_run *run, const wpa_yaml_pair *input)
{
    static const char *const known[] = {"description", "required", "default", "deprecationMessage",
                                        NULL};
    const wpa_yaml_node *node = wpa_yaml_resolve(input->value);
    const char *name = quote(run, input->key);
    for (size_t i = 0; wpa_yaml_is(node, WPA_YAML_MAPPING) && i < node->n_pairs; i++) {
        const char *key = wpa_yaml_text(node->pairs[i].key);
        if (!key || wpa_text_is(key, "<<") || wpa_fact_list_has(known, wpa_slice_of(key))) {
            continue;
        }
        const char *meant = wpa_rule_find_meant(key, known);
        wpa_finding *finding =
            wpa_rule_report(run, node->pairs[i].key->span, "M5", NULL,
                            "nothing reads %s of an input: every input is text%s%s%s",
                            quote(run, node->pairs[i].key), meant ? " (did you mean '" : "",
                            meant ? meant : "", meant ? "'?)" : "");
        finding->severity = meant ? finding->severity : WPA_SEVERITY_LOW;
        wpa_rule_relate_users(run, finding);
    }
    const wpa_yaml_pair *message = wpa_yaml_find(node, "deprecationMessage");
    const wpa_yaml_pair *value = wpa_yaml_find(node, "default");
    if (message && !*(wpa_yaml_text(message->value) ? wpa_yaml_text(message->value) : "-")) {
        wpa_finding *finding =
            wpa_rule_report(run, message->key->span, "M7", NULL,
                            "input %s is deprecated with an empty message: nobody is told", name);
        finding->severity = WPA_SEVERITY_LOW;
        wpa_rule_relate_users(run, finding);
    }
    if (value && value->value && wpa_yaml_resolve(value->value) &&
        !wpa_yaml_is(value->value, WPA_YAML_SCALAR)) {
        (void)refused(run, wpa_rule_report(run, wpa_yaml_full(value->value), "M17", NULL,
                                           "the default of input %s must be text, and is %s", name,
                                           wpa_yaml_describe(value->value)));
    }
    if (value && wpa_text_is(wpa_yaml_text(wpa_yaml_get(node, "required")), "true")) {
        wpa_finding *finding = wpa_rule_report(
            run, value->key->span, "M19", NULL,
            "input %s is required and has a default, so nothing ever asks for it", name);
        finding->severity = WPA_SEVERITY_LOW;
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

/* M14 */
static void check_output(wpa_rule_run *run, const wpa_yaml_pair *output, kind of)
{
    const wpa_yaml_node *node = wpa_yaml_resolve(output->value);
    const wpa_yaml_pair *value = wpa_yaml_find(node, "value");
    bool is_read = node && (wpa_yaml_is(node, WPA_YAML_MAPPING) || wpa_yaml_is_null(node));
    if (of == KIND_COMPOSITE && is_read && !value && !node->is_incomplete) {
        wpa_finding *finding =
            wpa_rule_report(run, output->key->span, "M14", NULL,
                            "output %s has no value: it is always empty", quote(run, output->key));
        wpa_rule_relate_users(run, finding);
    } else if ((of == KIND_JAVASCRIPT || of == KIND_DOCKER) && value) {
        wpa_rule_report(run, value->key->span, "M14", NULL,
                        "a %s sets its outputs itself: this value of %s is ignored",
                        kinds[of].words, quote(run, output->key))
            ->severity = WPA_SEVERITY_LOW;
    }
}

/* ---- runs -------------------------------------------------------------------------------------*/

/* What 'using' may be, those left out that no runner starts any more. */
static const char *const *list_runtimes(wpa_rule_run *run, const wpa_schema_def *def)
{
    size_t n = def ? wpa_fact_list_count(def->allowed) : 0;
    const char **names = wpa_arena_alloc(run->arena, (n + 1) * sizeof *names);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (!wpa_facts_runtime_end(def->allowed[i])) {
            names[kept++] = def->allowed[i];
        }
    }
    return names;
}

/* M8 */
static kind check_using(wpa_rule_run *run, const wpa_yaml_pair *runs)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(runs->value, "using");
    const wpa_yaml_node *using = pair ? wpa_yaml_resolve(pair->value) : NULL;
    const char *text = wpa_yaml_text(using);
    const wpa_schema_def *def = wpa_schema_action_find("using");
    if (!pair) {
        (void)refused(run, wpa_rule_report(run, runs->key->span, "M8", NULL,
                                           "runs lacks 'using': what kind of action it is"));
        return KIND_UNKNOWN;
    }
    if (!text || using->is_incomplete) {
        return KIND_UNKNOWN;
    }
    if (wpa_text_is_ci(text, "composite") || wpa_text_is_ci(text, "docker")) {
        return wpa_text_is_ci(text, "docker") ? KIND_DOCKER : KIND_COMPOSITE;
    }
    bool is_known = (def && wpa_fact_list_has_ci(def->allowed, wpa_slice_of(text))) ||
                    wpa_facts_runtime_end(text);
    if (is_known) {
        return KIND_JAVASCRIPT; /* one that has ended is told by node-runtime */
    }
    const char *meant = def ? wpa_rule_find_meant(text, def->allowed) : NULL;
    (void)refused(run,
                  wpa_rule_report(run, wpa_span_length(using->span) ? using->span : pair->key->span,
                                  "M8", NULL, "no runner knows how to run %s%s", quote(run, using),
                                  wpa_rule_hint(meant, list_runtimes(run, def), run->arena)));
    return wpa_text_starts(text, "node") ? KIND_JAVASCRIPT : KIND_UNKNOWN;
}

/* M9, M10, M13 */
static void check_keys(wpa_rule_run *run, const wpa_yaml_pair *runs, kind of)
{
    const wpa_yaml_node *node = wpa_yaml_resolve(runs->value);
    const wpa_schema_def *own = wpa_schema_action_find(kinds[of].form);
    const wpa_yaml_pair *needed = wpa_yaml_find(node, kinds[of].needs);
    if (of == KIND_UNKNOWN || !own) {
        return;
    }
    if (!needed && !node->is_incomplete) {
        (void)refused(run, wpa_rule_report(run, runs->key->span, "M9", NULL, "a %s needs '%s'",
                                           kinds[of].words, kinds[of].needs));
    }
    for (size_t i = 0; i < node->n_pairs; i++) {
        const char *key = wpa_yaml_text(node->pairs[i].key);
        bool is_of_other = false;
        for (size_t k = 1; key && k < WPA_COUNT(kinds); k++) {
            const wpa_schema_def *def = wpa_schema_action_find(kinds[k].form);
            is_of_other = is_of_other || wpa_schema_property_find(def, wpa_slice_of(key));
        }
        if (is_of_other && !wpa_schema_property_find(own, wpa_slice_of(key))) {
            (void)refused(run, wpa_rule_report(run, node->pairs[i].key->span, "M10", NULL,
                                               "a %s may not have '%s'", kinds[of].words, key));
        }
    }
    static const char *const conditions[][3] = {{"pre-if", "pre", "pre-entrypoint"},
                                                {"post-if", "post", "post-entrypoint"}};
    for (size_t i = 0; i < WPA_COUNT(conditions); i++) {
        const wpa_yaml_pair *condition = wpa_yaml_find(node, conditions[i][0]);
        if (condition && !wpa_yaml_find(node, conditions[i][1]) &&
            !wpa_yaml_find(node, conditions[i][2])) {
            wpa_rule_report(run, condition->key->span, "M13", NULL,
                            "%s is the condition of '%s', which is not there", conditions[i][0],
                            conditions[i][of == KIND_DOCKER ? 2 : 1]);
        }
    }
}

/* Is there more in the tree than definitions: what they run? */
static bool is_checkout(const wpa_surroundings *around)
{
    wpa_input_kind read_kind;
    for (size_t i = 0; i < around->n_paths; i++) {
        const char *path = around->paths[i];
        if (!wpa_input_of_path(path, &read_kind) && !strstr(path, ".github/")) {
            return true;
        }
    }
    return false;
}

/* M11 */
static void check_file(wpa_rule_run *run, const wpa_yaml_node *runs, const char *key,
                       const char *folder)
{
    const wpa_surroundings *around = run->source->around;
    const wpa_yaml_node *value = wpa_yaml_get(runs, key);
    const char *text = wpa_yaml_text(value);
    if (!text || !*text || wpa_outline_has_expression(text) || strchr(text, ':') ||
        text[0] == '/') {
        return;
    }
    const char *path = wpa_path_in_tree(folder, wpa_slice_of(text), run->arena);
    if (!path || wpa_surroundings_has(around, path)) {
        return;
    }
    wpa_finding *finding =
        wpa_rule_report(run, value->span, "M11", NULL,
                        "%s is not in the repository: the action fails, unless a build puts it "
                        "there",
                        quote(run, value));
    finding->confidence = WPA_CONFIDENCE_MEDIUM;
    wpa_rule_relate_users(run, finding);
}

static void check_files(wpa_rule_run *run, const wpa_yaml_node *runs, kind of)
{
    static const char *const script_keys[] = {"main", "pre", "post"};
    const wpa_surroundings *around = run->source->around;
    const char *own = wpa_source_identity(run->source), *slash = strrchr(own, '/');
    const char *folder = slash ? wpa_arena_slice(run->arena, own, (size_t)(slash + 1 - own)) : "";
    if (!around || !around->has_paths || !is_checkout(around)) {
        return;
    }
    for (size_t i = 0; of == KIND_JAVASCRIPT && i < WPA_COUNT(script_keys); i++) {
        check_file(run, runs, script_keys[i], folder);
    }
    if (of == KIND_DOCKER) {
        check_file(run, runs, "image", folder);
    }
}

/* M15 */
static void check_steps(wpa_rule_run *run)
{
    const wpa_schema_def *all = wpa_schema_workflow_find("run-step");
    const wpa_schema_def *run_step = wpa_schema_action_find("run-step");
    const wpa_schema_def *uses_step = wpa_schema_action_find("uses-step");
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; o->n_jobs && i < o->jobs[0].n_steps; i++) {
        const wpa_yaml_node *step = o->jobs[0].steps[i].node;
        const wpa_schema_def *own = wpa_yaml_find(step, "uses") ? uses_step : run_step;
        for (size_t k = 0; all && own && k < step->n_pairs; k++) {
            const char *key = wpa_yaml_text(step->pairs[k].key);
            if (key && wpa_schema_property_find(all, wpa_slice_of(key)) &&
                !wpa_schema_property_find(own, wpa_slice_of(key)) && !wpa_text_is(key, "run")) {
                (void)refused(run,
                              wpa_rule_report(run, step->pairs[k].key->span, "M15", NULL,
                                              "'%s' may not stand in %s of a composite action", key,
                                              own == uses_step ? "a step with uses" : "a step"));
            }
        }
    }
}

/* ---- cycles (M18) -----------------------------------------------------------------------------*/

#define CYCLE_MAX 32

typedef struct trail {
    const wpa_graph *graph;
    const wpa_graph_file *files[CYCLE_MAX];
    size_t n;
    size_t n_looked; /* a bound on the search */
} trail;

/* Does a way lead from the last file of the trail back to the first? */
static bool leads_back(trail *t)
{
    const wpa_graph_file *last = t->files[t->n - 1];
    for (size_t i = 0; i < last->n_uses && t->n_looked < 1000; i++) {
        t->n_looked++;
        const char *path = last->uses[i].local_path;
        const wpa_graph_file *next = path ? wpa_graph_local(t->graph, path) : NULL;
        if (!next || next->kind != WPA_INPUT_ACTION) {
            continue;
        }
        if (next == t->files[0]) {
            return true;
        }
        bool is_on_trail = false;
        for (size_t k = 0; k < t->n; k++) {
            is_on_trail = is_on_trail || t->files[k] == next;
        }
        if (!is_on_trail && t->n < CYCLE_MAX) {
            t->files[t->n++] = next;
            if (leads_back(t)) {
                return true;
            }
            t->n--;
        }
    }
    return false;
}

/* Each cycle is told once, at its first file. */
static void check_cycle(wpa_rule_run *run)
{
    const wpa_surroundings *around = run->source->around;
    const wpa_graph_file *own =
        around && around->graph ? wpa_graph_find(around->graph, wpa_source_identity(run->source))
                                : NULL;
    trail t = {.graph = around ? around->graph : NULL, .files = {own}, .n = 1};
    if (!own || !leads_back(&t)) {
        return;
    }
    const char *path = own->path;
    for (size_t i = 1; i < t.n; i++) {
        if (strcmp(t.files[i]->path, own->path) < 0) {
            return;
        }
        path = wpa_arena_printf(run->arena, "%s → %s", path, t.files[i]->path);
    }
    const wpa_graph_use *first = NULL;
    for (size_t i = 0; i < own->n_uses && !first; i++) {
        const wpa_graph_file *next = own->uses[i].local_path
                                         ? wpa_graph_local(around->graph, own->uses[i].local_path)
                                         : NULL;
        first = next == (t.n > 1 ? t.files[1] : own) ? &own->uses[i] : NULL;
    }
    if (first) {
        (void)refused(run, wpa_rule_report(run, first->span, "M18", NULL,
                                           "actions use each other in a circle: %s → %s", path,
                                           own->path));
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_yaml_node *root = run->source->outline->root;
    if (!wpa_yaml_is(root, WPA_YAML_MAPPING)) {
        return true; /* syntax and schema say so */
    }
    check_twins(run, root);
    check_root(run, root);
    check_branding(run, root, "icon", "branding-icon");
    check_branding(run, root, "color", "branding-color");
    const wpa_yaml_pair *runs = wpa_yaml_find(root, "runs");
    bool is_read = runs && wpa_yaml_is(runs->value, WPA_YAML_MAPPING);
    kind of = is_read ? check_using(run, runs) : KIND_UNKNOWN;
    if (is_read) {
        check_keys(run, runs, of);
        check_files(run, wpa_yaml_resolve(runs->value), of);
    }
    const wpa_yaml_node *inputs = check_names(run, root, "inputs");
    const wpa_yaml_node *outputs = check_names(run, root, "outputs");
    for (size_t i = 0; inputs && i < inputs->n_pairs; i++) {
        check_input(run, &inputs->pairs[i]);
    }
    for (size_t i = 0; outputs && i < outputs->n_pairs; i++) {
        check_output(run, &outputs->pairs[i], of);
    }
    check_steps(run);
    check_cycle(run);
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (s) {
        (void)wpa_rule_rewrite(run, finding, s->node, s->text);
    }
}

const wpa_rule wpa_rule_action_metadata = {
    .code = "CMP-010",
    .id = "action-metadata",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_ACTION,
    .summary = "An action file says something that GitHub refuses or ignores",
    .why = "Whoever uses the action gets a failed step, or an output that is always empty.",
    .fix = "Give each kind of action the keys it needs and no others.",
    .checks = (const char *const[]){"M2", "M3", "M4", "M5", "M6", "M7", "M8", "M9", "M10", "M11",
                                    "M13", "M14", "M15", "M17", "M18", "M19", NULL},
    .elsewhere = (const char *const[]){"actionlint/action", NULL},
    .tables = 1U << WPA_FACTS_SCHEMA | 1U << WPA_FACTS_ARCHIVED,
    .declares = WPA_DECLARES_NAMES,
    .reads_dead_code = true,
    .check = check,
    .repair = repair,
};
