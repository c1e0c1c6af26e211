/* EFF-014: a workflow that waits for what never comes. */
#include <string.h>

#include "rules/fleet.h"
#include "rules/graph.h"
#include "rules/outline.h"
#include "rules/own.h"

/* ---- D1: workflow_run by a name that nobody has ------------------------------------------------
 */

/* Workflows that the forge itself runs, without a file in the repository. */
static const char *const of_forge[] = {"CodeQL",
                                       "pages-build-deployment",
                                       "pages build and deployment",
                                       "Dependabot Updates",
                                       "Automatic Dependency Submission",
                                       "Copilot",
                                       "Copilot coding agent",
                                       "Copilot code review"};

static bool has_workflow(const wpa_graph *graph, const char *name)
{
    size_t n = 0;
    if (wpa_text_index(name, of_forge, WPA_COUNT(of_forge)) >= 0) {
        return true;
    }
    (void)wpa_graph_named(graph, name, &n);
    return n > 0;
}

static const char *nearest_workflow(wpa_rule_run *run, const wpa_graph *graph, const char *name)
{
    size_t n = 0;
    const char **names = wpa_arena_array(run->arena, wpa_graph_count(graph) + 1, sizeof *names);
    for (size_t i = 0; i < wpa_graph_count(graph); i++) {
        const wpa_graph_file *file = wpa_graph_at(graph, i);
        if (file->kind == WPA_INPUT_WORKFLOW && file->name) {
            names[n++] = file->name;
        }
    }
    return n ? wpa_text_nearest(name, names, n) : NULL;
}

static void check_names(wpa_rule_run *run, const wpa_graph *graph,
                        const wpa_outline_trigger *trigger)
{
    const wpa_yaml_node *names = wpa_yaml_get(trigger->config, "workflows");
    size_t n = wpa_yaml_is(names, WPA_YAML_SEQUENCE) ? names->n_items : names ? 1 : 0;
    for (size_t i = 0; i < n; i++) {
        bool is_list = names->kind == WPA_YAML_SEQUENCE;
        const wpa_yaml_node *node = wpa_yaml_resolve(is_list ? names->items[i] : names);
        const char *name = wpa_yaml_text(node);
        if (!name || !*name || has_workflow(graph, name)) {
            continue;
        }
        const char *near = nearest_workflow(run, graph, name);
        const char *hint = near ? wpa_arena_printf(run->arena, " (did you mean %s?)",
                                                   wpa_rule_quote(run, near, strlen(near)))
                                : "";
        wpa_rule_report(run, node->span, "D1", NULL,
                        "no workflow of this repository is called %s%s: this never starts by it",
                        wpa_rule_quote(run, name, strlen(name)), hint);
    }
}

/* ---- D2: paths that no file has ----------------------------------------------------------------
 */

/* Globs of filters and of paths agree but for these characters. */
static bool is_plain_glob(const char *glob)
{
    for (const char *at = strstr(glob, "**"); at; at = strstr(at + 1, "**")) {
        bool is_part = (at == glob || at[-1] == '/') && (at[2] == '/' || !at[2]);
        if (!is_part) {
            return false;
        }
    }
    return *glob && !strpbrk(glob, "?+[]!\\") && glob[strlen(glob) - 1] != '/';
}

/* Is the tree more than a copy of its definitions? */
static bool has_sources(const wpa_surroundings *around)
{
    for (size_t i = wpa_surroundings_skip(around, 0, ".github/"); i < around->n_paths;
         i = wpa_surroundings_skip(around, i + 1, ".github/")) {
        const char *path = around->paths[i];
        if (!wpa_text_ends(path, ".yml") && !wpa_text_ends(path, ".yaml") && strchr(path, '/')) {
            return true;
        }
    }
    return false;
}

static void check_paths(wpa_rule_run *run, const wpa_outline_trigger *trigger)
{
    const wpa_yaml_node *paths = wpa_yaml_get(trigger->config, "paths");
    const wpa_yaml_node *first = NULL;
    for (size_t i = 0; wpa_yaml_is(paths, WPA_YAML_SEQUENCE) && i < paths->n_items; i++) {
        const wpa_yaml_node *node = wpa_yaml_resolve(paths->items[i]);
        const char *glob = wpa_yaml_text(node);
        if (!glob) {
            return;
        }
        if (*glob == '!') {
            continue;
        }
        if (!is_plain_glob(glob) || wpa_surroundings_match(run->source->around, glob)) {
            return;
        }
        first = first ? first : node;
    }
    if (first) {
        const char *text = wpa_yaml_text(first);
        wpa_rule_report(run, first->span, "D2", NULL,
                        "no file of the repository fits %s or what is listed with it: %s never "
                        "starts this",
                        wpa_rule_quote(run, text, strlen(text)), trigger->name);
    }
}

/* ---- D3: callable and called by nobody ---------------------------------------------------------
 */

/* Is the whole fleet known, and who calls whom in it? */
static bool knows_callers(const wpa_rule_run *run)
{
    const wpa_fleet *fleet = run->source->around->fleet;
    return fleet && fleet->knows_calls;
}

static void check_callers(wpa_rule_run *run, const wpa_graph *graph)
{
    static const char *const callable[] = {"workflow_call", NULL};
    const wpa_outline *o = run->source->outline;
    const char *path = wpa_source_identity(run->source);
    size_t n = 0;
    (void)wpa_graph_users(graph, path, &n);
    if (!wpa_outline_only_triggers(o, callable) || n || wpa_fleet_calls(run->source)) {
        return;
    }
    wpa_finding *finding =
        wpa_rule_report(run, o->triggers[0].node->span, "D3", NULL,
                        "this can only be called, and nothing that is known calls it");
    finding->severity = WPA_SEVERITY_LOW;
    if (wpa_rule_visibility(run) != WPA_VISIBILITY_PRIVATE && !knows_callers(run)) {
        finding->confidence = WPA_CONFIDENCE_LOW;
        finding->persona = WPA_PERSONA_AUDITOR; /* others may call it */
    }
}

/* ---- D4: repository_dispatch of a type that nobody sends ---------------------------------------
 */

static bool is_sent(wpa_rule_run *run, const wpa_graph *graph, const char *type)
{
    for (size_t i = 0; i < wpa_graph_count(graph); i++) {
        const wpa_graph_file *file = wpa_graph_at(graph, i);
        const wpa_source *other = wpa_rule_source_at(run, file->path);
        if (!other || !other->yaml) {
            return true; /* not known */
        }
        if (other != run->source && strstr(other->yaml->source, type)) {
            return true;
        }
    }
    return false;
}

static void check_types(wpa_rule_run *run, const wpa_graph *graph,
                        const wpa_outline_trigger *trigger)
{
    const wpa_yaml_node *types = wpa_yaml_get(trigger->config, "types");
    for (size_t i = 0; wpa_yaml_is(types, WPA_YAML_SEQUENCE) && i < types->n_items && i < 16; i++) {
        const wpa_yaml_node *node = wpa_yaml_resolve(types->items[i]);
        const char *type = wpa_yaml_text(node);
        if (type && *type && !is_sent(run, graph, type)) {
            wpa_finding *finding =
                wpa_rule_report(run, node->span, "D4", NULL,
                                "nothing in this repository sends a dispatch of type %s",
                                wpa_rule_quote(run, type, strlen(type)));
            finding->severity = WPA_SEVERITY_LOW;
            finding->confidence = WPA_CONFIDENCE_LOW;
            finding->persona = WPA_PERSONA_AUDITOR;
        }
    }
}

/* ---- D6: a schedule that the forge has switched off --------------------------------------------
 */

static void check_schedule(wpa_rule_run *run, const wpa_outline_trigger *trigger)
{
    const char *since = run->source->around->idle_since;
    wpa_visibility visibility = wpa_rule_visibility(run);
    if (!since || visibility == WPA_VISIBILITY_PRIVATE || !wpa_rule_is_on_github(run)) {
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        run, trigger->node->span, "D6", NULL,
        "nothing has changed in this repository since %s: schedules of public repositories are "
        "switched off after 60 days of that",
        since);
    finding->confidence = WPA_CONFIDENCE_MEDIUM;
    if (visibility != WPA_VISIBILITY_PUBLIC) {
        finding->confidence = WPA_CONFIDENCE_LOW;
        finding->persona = WPA_PERSONA_AUDITOR;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    const wpa_surroundings *around = run->source->around;
    const wpa_graph *graph = around ? around->graph : NULL;
    for (size_t i = 0; around && i < o->n_triggers; i++) {
        const wpa_outline_trigger *trigger = &o->triggers[i];
        if (around->has_paths && has_sources(around)) {
            check_paths(run, trigger);
        }
        if (graph && wpa_graph_is_whole(graph) && wpa_text_is(trigger->name, "workflow_run")) {
            check_names(run, graph, trigger);
        }
        if (wpa_text_is(trigger->name, "schedule")) {
            check_schedule(run, trigger);
        }
        if (graph && wpa_text_is(trigger->name, "repository_dispatch")) {
            check_types(run, graph, trigger);
        }
    }
    if (graph && wpa_graph_is_whole(graph)) {
        check_callers(run, graph);
    }
    return true;
}

static const char *const checks[] = {"D1", "D2", "D3", "D4", "D6", NULL};

const wpa_rule wpa_rule_dead_workflow = {
    .code = "EFF-014",
    .id = "dead-workflow",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A workflow waits for a run, a file or a caller that there is not",
    .why = "It looks like a check or a release step and never runs.",
    .fix = "Name what there is, or remove the workflow. There is no fix by machine.",
    .checks = checks,
    .claims_absence = true,
    .check = check,
};
