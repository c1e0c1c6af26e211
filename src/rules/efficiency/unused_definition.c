/*
 * EFF-011: definitions that nothing reads. U1 variables, U2 inputs, U3 outputs of jobs and of
 * steps (those pedantic), U4 step ids (pedantic), U5 matrix rows, U6 secrets of a callee, U7 its
 * outputs (pedantic), U8 services that nobody can reach, U9 defaults that no run step uses, U10
 * YAML anchors, U11 local actions that nobody uses (pedantic).
 */
#include <string.h>

#include "rules/graph.h"
#include "rules/readings.h"
#include "rules/steps.h"
#include "rules/unread.h"
#include "rules/variables.h"
#include "rules/work.h"

#define GIVEN_MAX 200
#define VARIABLES_MAX 100

static const char *quote(wpa_rule_run *run, const char *text)
{
    return wpa_rule_quote(run, text, strlen(text));
}

/* ---- U1: variables ---- */

/* What variables are set for. */
typedef struct scope {
    const wpa_yaml_node *node;
    const char *name;
    const wpa_outline_job *jobs; /* [n_jobs] whose steps get them … */
    size_t n_jobs;
    const wpa_outline_step *step; /* … or the one that does */
} scope;

static wpa_variable_readers readers_of(const scope *s)
{
    wpa_variable_readers all = s->step ? wpa_variables_readers(s->step) : WPA_READERS_NONE;
    for (size_t i = 0; i < s->n_jobs; i++) {
        /* A called workflow has no steps here, and does not see them. */
        for (size_t k = 0; k < s->jobs[i].n_steps && all != WPA_READERS_ANY; k++) {
            wpa_variable_readers own = wpa_variables_readers(&s->jobs[i].steps[k]);
            all = own > all ? own : all;
        }
    }
    return all;
}

static void check_env(wpa_rule_run *run, const scope *s)
{
    const wpa_yaml_pair *own = wpa_yaml_find(s->node, "env");
    const wpa_yaml_node *env = own ? own->value : NULL;
    bool is_plain = wpa_yaml_is(env, WPA_YAML_MAPPING) && env->kind == WPA_YAML_MAPPING &&
                    !wpa_yaml_anchor(env) && env->n_pairs;
    wpa_variable_readers readers = is_plain ? readers_of(s) : WPA_READERS_ANY;
    bool is_closed =
        readers != WPA_READERS_ANY &&
        !wpa_work_mentions_any(s->node, (const char *const[]){"toJSON(env", "env[", NULL});
    for (size_t i = 0; is_closed && i < env->n_pairs && i < VARIABLES_MAX; i++) {
        const wpa_yaml_pair *pair = &env->pairs[i];
        const char *name = wpa_yaml_text(pair->key);
        if (!name || wpa_text_is(name, "<<") ||
            wpa_variable_is_named(wpa_work_text(s->node), run->source->yaml, pair->key->span,
                                  name) ||
            wpa_facts_is_tool_variable(name)) {
            continue;
        }
        wpa_finding *finding =
            wpa_rule_report(run, pair->key->span, "U1", pair->value,
                            "no command of this %s reads %s", s->name, quote(run, name));
        if (readers == WPA_READERS_ACTION) {
            finding->persona = WPA_PERSONA_AUDITOR;
            finding->confidence = WPA_CONFIDENCE_LOW;
        }
    }
}

static void check_job_variables(wpa_rule_run *run, const wpa_outline_job *job)
{
    for (size_t k = 0; k < job->n_steps; k++) {
        const wpa_outline_step *step = &job->steps[k];
        /* What is given to an action is meant for it. */
        if (step->env && (step->run || wpa_outline_step_uses(step, "actions/github-script"))) {
            check_env(run, &(scope){.node = step->node, .name = "step", .step = step});
        }
    }
    if (run->source->kind == WPA_INPUT_WORKFLOW && !job->is_call) {
        check_env(run, &(scope){.node = job->node, .name = "job", .jobs = job, .n_jobs = 1});
    }
}

static void check_variables(wpa_rule_run *run, const wpa_outline *o)
{
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_job_variables(run, &o->jobs[i]);
    }
    if (run->source->kind == WPA_INPUT_WORKFLOW && o->n_jobs) {
        check_env(
            run,
            &(scope){.node = o->root, .name = "workflow", .jobs = o->jobs, .n_jobs = o->n_jobs});
    }
}

/* ---- U2, U6: what a caller may give ---- */

/* Inputs of an action or of a called workflow: who gives them would have to be changed too. */
static bool has_callers(const wpa_yaml_node *event)
{
    const wpa_yaml_node *inputs = wpa_yaml_get(event, "inputs");
    const wpa_yaml_node *on = event->parent;
    return !inputs || !on || wpa_yaml_get(on, "workflow_dispatch") != event;
}

/* What the file reads of what is given, each once somebody asks. */
typedef struct given_readings {
    wpa_readings inputs, secrets, by_event;
} given_readings;

/* By the event too: what is read of github.event.inputs is found as of inputs. */
static bool is_read(wpa_rule_run *run, given_readings *given, bool are_secrets, const char *name)
{
    if (!are_secrets) {
        return wpa_readings_have(run, wpa_readings_once(run, &given->inputs, "inputs"), name);
    }
    return wpa_readings_have(run, wpa_readings_once(run, &given->secrets, "secrets"), name) ||
           wpa_readings_have(run, wpa_readings_once(run, &given->by_event, "github.event.inputs"),
                             name);
}

static bool is_deprecated(const wpa_yaml_node *given)
{
    const char *text = wpa_yaml_text(wpa_yaml_get(given, "description"));
    return wpa_yaml_get(given, "deprecationMessage") ||
           (text && wpa_text_find_ci(text, strlen(text), "deprecated"));
}

static void check_given(wpa_rule_run *run, given_readings *given, const wpa_yaml_node *list,
                        const char *check, const char *context, const char *what)
{
    bool are_secrets = wpa_text_is(context, "secrets");
    const wpa_yaml_doc *doc = run->source->yaml;
    if (!wpa_yaml_is(list, WPA_YAML_MAPPING)) {
        return;
    }
    bool is_told = true;
    for (size_t i = 0; i < list->n_pairs && is_told; i++) {
        const char *name = wpa_yaml_text(list->pairs[i].key);
        is_told = name && wpa_readings_tell(run, are_secrets ? &given->secrets : &given->inputs,
                                            context, name);
    }
    if (is_told) {
        return; /* as mostly all are */
    }
    bool is_opaque =
        wpa_readings_find_word(doc, wpa_arena_printf(run->arena, "toJSON(%s", context)) ||
        wpa_readings_find_text(doc, "github.event.inputs }}") ||
        wpa_readings_find_word(doc, "toJSON(github.event") ||
        wpa_readings_find_word(doc, "event_path") ||
        wpa_readings_find_text(doc, "JuliaRegistries/TagBot") || /* reads them in the event */
        (are_secrets && wpa_readings_find_text(doc, "secrets: inherit"));
    if (is_opaque) {
        return;
    }
    for (size_t i = 0; i < list->n_pairs; i++) {
        const char *name = wpa_yaml_text(list->pairs[i].key);
        if (!name || wpa_text_is(name, "<<") || is_read(run, given, are_secrets, name)) {
            continue;
        }
        bool is_asked = list->parent && has_callers(list->parent); /* who may give it */
        wpa_finding *finding = wpa_rule_report(run, list->pairs[i].key->span, check,
                                               is_asked ? NULL : list->pairs[i].value,
                                               "nothing reads %s %s", what, quote(run, name));
        if (is_deprecated(list->pairs[i].value)) {
            finding->persona = WPA_PERSONA_AUDITOR; /* kept for its callers */
        }
    }
}

static void check_inputs(wpa_rule_run *run, const wpa_outline *o)
{
    given_readings given = {0};
    if (run->source->kind == WPA_INPUT_ACTION) {
        const char *using = wpa_yaml_text(wpa_yaml_get(wpa_yaml_get(o->root, "runs"), "using"));
        if (wpa_text_is(using, "composite")) { /* others read them by themselves */
            check_given(run, &given, wpa_yaml_get(o->root, "inputs"), "U2", "inputs", "input");
        }
        return;
    }
    static const char *const events[] = {"workflow_call", "workflow_dispatch"};
    for (size_t i = 0; i < WPA_COUNT(events); i++) {
        const wpa_outline_trigger *t = wpa_outline_trigger_find(o, events[i]);
        check_given(run, &given, wpa_yaml_get(t ? t->config : NULL, "inputs"), "U2", "inputs",
                    "input");
        check_given(run, &given, wpa_yaml_get(t ? t->config : NULL, "secrets"), "U6", "secrets",
                    "secret");
    }
}

/* ---- U7: what a callee hands back to callers that do not take it ---- */

static void check_results(wpa_rule_run *run, const wpa_outline *o)
{
    const wpa_outline_trigger *t = wpa_outline_trigger_find(o, "workflow_call");
    const wpa_yaml_node *outputs = wpa_yaml_get(t ? t->config : NULL, "outputs");
    if (!wpa_yaml_is(outputs, WPA_YAML_MAPPING)) {
        return;
    }
    wpa_callers_readings callers = wpa_readings_of_callers(run);
    for (size_t i = 0; !callers.is_any && i < outputs->n_pairs && i < GIVEN_MAX; i++) {
        const char *name = wpa_yaml_text(outputs->pairs[i].key);
        if (name && !wpa_text_is(name, "<<") && !wpa_readings_callers_have(run, &callers, name)) {
            wpa_finding *finding =
                wpa_rule_report(run, outputs->pairs[i].key->span, "U7", NULL,
                                "no caller in this repository reads output %s", quote(run, name));
            finding->persona = WPA_PERSONA_PEDANTIC;
            finding->confidence = WPA_CONFIDENCE_MEDIUM; /* another repository may */
        }
    }
}

/* ---- U8: a service without a port, in a job that is not in its network ---- */

static void check_services(wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_yaml_node *services = wpa_yaml_get(job->node, "services");
    static const char *const ways[] = {"docker", "services.", "network", NULL};
    bool is_inside = wpa_yaml_find(job->node, "container") != NULL;
    bool is_open = services && wpa_work_mentions_any(wpa_yaml_get(job->node, "steps"), ways);
    for (size_t i = 0;
         !is_inside && !is_open && wpa_yaml_is(services, WPA_YAML_MAPPING) && i < services->n_pairs;
         i++) {
        const char *name = wpa_yaml_text(services->pairs[i].key);
        const wpa_yaml_node *service = wpa_yaml_resolve(services->pairs[i].value);
        bool is_reached =
            !name || wpa_yaml_find(service, "ports") || wpa_yaml_find(service, "volumes") ||
            wpa_work_mentions(service, "network") || !wpa_yaml_is(service, WPA_YAML_MAPPING);
        if (!is_reached) {
            wpa_finding *finding = wpa_rule_report(
                run, services->pairs[i].key->span, "U8", services->pairs[i].value,
                "service %s opens no port: no step of this job can reach it", quote(run, name));
            finding->confidence = WPA_CONFIDENCE_MEDIUM;
        }
    }
}

/* ---- U11 ---- */

/* By any path that ends with its folder: another checkout may stand in front of it. */
static bool is_used_somewhere(const wpa_graph *graph, const char *folder, wpa_arena *arena)
{
    const char *end = wpa_arena_printf(arena, "/%s", folder);
    for (size_t i = 0; i < wpa_graph_count(graph); i++) {
        const wpa_graph_file *file = wpa_graph_at(graph, i);
        for (size_t k = 0; k < file->n_uses; k++) {
            if (file->uses[k].text && strstr(file->uses[k].text, end)) {
                return true;
            }
        }
    }
    return false;
}

static void check_unused_action(wpa_rule_run *run, const wpa_outline *o)
{
    const wpa_graph *graph = run->source->around ? run->source->around->graph : NULL;
    const char *path = wpa_source_identity(run->source);
    const char *slash = strrchr(path, '/');
    const wpa_yaml_pair *name = wpa_yaml_find(o->root, "name");
    if (!graph || !name || run->source->kind != WPA_INPUT_ACTION ||
        !wpa_text_starts(path, ".github/")) {
        return;
    }
    const char *folder = wpa_arena_slice(run->arena, path, (size_t)(slash - path));
    if (!is_used_somewhere(graph, folder, run->arena)) {
        wpa_finding *finding = wpa_rule_report(run, name->value->span, "U11", NULL,
                                               "nothing in this repository uses this action");
        finding->persona = WPA_PERSONA_PEDANTIC;
        finding->confidence = WPA_CONFIDENCE_MEDIUM; /* another repository may */
    }
}

/* [1, 2, 3]: copies that share the work among themselves, a known idiom. */
static bool is_counter(const wpa_yaml_node *row)
{
    for (size_t i = 0; i < row->n_items; i++) {
        const wpa_yaml_node *item = wpa_yaml_resolve(row->items[i]);
        if (!item || item->kind != WPA_YAML_SCALAR || wpa_yaml_scalar_type(item) != WPA_YAML_INT) {
            return false;
        }
    }
    return true;
}

/* U5: a row of the matrix that no step, name or label reads makes legs that are all alike. */
static void check_rows(wpa_rule_run *run, wpa_readings *read, const wpa_outline_job *job)
{
    const wpa_yaml_node *matrix = wpa_yaml_get(wpa_yaml_get(job->node, "strategy"), "matrix");
    bool is_plain = wpa_yaml_is(matrix, WPA_YAML_MAPPING) && !job->is_call;
    for (size_t i = 0; is_plain && i < matrix->n_pairs; i++) {
        const char *name = wpa_yaml_text(matrix->pairs[i].key);
        const wpa_yaml_node *row = wpa_yaml_resolve(matrix->pairs[i].value);
        if (!name || wpa_text_is(name, "include") || wpa_text_is(name, "exclude") ||
            !wpa_yaml_is(row, WPA_YAML_SEQUENCE) || row->n_items < 2 || is_counter(row) ||
            wpa_readings_tell(run, read, "matrix", name) ||
            wpa_readings_have(run, wpa_readings_once(run, read, "matrix"), name) ||
            wpa_readings_actions_have_row(run, job, name)) {
            continue;
        }
        bool is_in_legs = wpa_yaml_find(matrix, "include") || wpa_yaml_find(matrix, "exclude");
        (void)wpa_rule_report(
            run, matrix->pairs[i].key->span, "U5", is_in_legs ? NULL : matrix->pairs[i].value,
            "nothing reads matrix.%s: its %u values make runs that are alike", name, row->n_items);
    }
}

static bool has_run_step(const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        if (job->steps[i].run) {
            return true;
        }
    }
    return false;
}

/* U9 */
static void check_defaults(wpa_rule_run *run, const wpa_outline *o)
{
    bool is_used = false;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_yaml_pair *own = wpa_yaml_find(o->jobs[i].node, "defaults");
        is_used = is_used || has_run_step(&o->jobs[i]);
        if (own && !o->jobs[i].is_call && !has_run_step(&o->jobs[i])) {
            (void)wpa_rule_report(run, own->key->span, "U9", own->value,
                                  "no run step of job %s uses these defaults",
                                  quote(run, o->jobs[i].id));
        }
    }
    const wpa_yaml_pair *all = wpa_yaml_find(o->root, "defaults");
    if (all && !is_used && o->n_jobs) {
        (void)wpa_rule_report(run, all->key->span, "U9", all->value,
                              "no run step of this workflow uses these defaults");
    }
}

/* U10 */
static void check_anchors(wpa_rule_run *run)
{
    const wpa_yaml_doc *doc = run->source->yaml;
    for (size_t i = 0; i < doc->n_anchored; i++) {
        const wpa_yaml_node *node = doc->anchored[i];
        if (node->kind != WPA_YAML_ALIAS && wpa_yaml_anchor(node) && wpa_yaml_n_uses(node) == 0) {
            size_t length = strlen(wpa_yaml_anchor(node)) + 1;
            const char *mark = memchr(doc->source + wpa_yaml_full(node).start, '&',
                                      wpa_span_length(wpa_yaml_full(node)));
            size_t start = mark ? (size_t)(mark - doc->source) : wpa_yaml_full(node).start;
            (void)wpa_rule_report(run, (wpa_span){start, start + length}, "U10", node,
                                  "no alias refers to anchor %s",
                                  quote(run, wpa_yaml_anchor(node)));
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    check_anchors(run);
    check_inputs(run, o);
    check_variables(run, o);
    check_results(run, o);
    check_unused_action(run, o);
    if (wpa_rule_is_wanted(run, WPA_PERSONA_PEDANTIC)) {
        wpa_unread_of_steps(run);
    }
    if (run->source->kind != WPA_INPUT_WORKFLOW) {
        return true;
    }
    wpa_readings matrix = {0}; /* once a row is asked for */
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_services(run, &o->jobs[i]);
        check_rows(run, &matrix, &o->jobs[i]);
    }
    wpa_unread_of_jobs(run);
    check_defaults(run, o);
    return true;
}

/* "&name " out of the line, with the blank in front of it or behind. */
static void drop_anchor(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_node *node, wpa_span anchor)
{
    const char *source = node->doc->source;
    if (anchor.start && source[anchor.start - 1] == ' ') {
        anchor.start--;
    } else if (source[anchor.end] == ' ') {
        anchor.end++;
    }
    wpa_rule_edit(run, fix, anchor, "%s", "");
}

/* The first entry of a step shares its line with the dash: what is behind it moves up. */
static void drop_first(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_node *mapping)
{
    if (mapping->n_pairs > 1 && mapping->style != WPA_YAML_FLOW) {
        wpa_span span = {mapping->pairs[0].key->span.start, mapping->pairs[1].key->span.start};
        wpa_rule_edit(run, fix, span, "%s", "");
    }
}

/* The mapping of a single entry; of a matrix its strategy, if that says nothing but how to run it.
 */
static const wpa_yaml_node *whole_of(const wpa_yaml_node *mapping, bool is_matrix)
{
    const wpa_yaml_node *strategy = is_matrix ? mapping->parent : NULL;
    for (size_t i = 0; strategy && i < strategy->n_pairs; i++) {
        const char *key = wpa_yaml_text(strategy->pairs[i].key);
        if (!wpa_text_is(key, "matrix") && !wpa_text_is(key, "fail-fast") &&
            !wpa_text_is(key, "max-parallel")) {
            return mapping;
        }
    }
    return strategy ? strategy : mapping;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    static const char *const safe[] = {"U4", "U9", "U10"};
    static const char *const whole[] = {"U1", "U3", "U5", "U8"};
    const wpa_yaml_node *value = finding->subject;
    if (!value) {
        return;
    }
    bool is_safe = wpa_text_index(finding->check, safe, WPA_COUNT(safe)) >= 0;
    wpa_fix *fix = wpa_rule_fix(run, finding, is_safe ? WPA_FIX_SAFE : WPA_FIX_UNSAFE, "remove it");
    const wpa_yaml_node *mapping = value->parent;
    if (wpa_text_is(finding->check, "U10")) {
        drop_anchor(run, fix, value, finding->span.bytes);
    } else if (wpa_text_is(finding->check, "U4") && mapping->pairs[0].value == value) {
        drop_first(run, fix, mapping);
    } else { /* of one entry the whole mapping goes */
        bool is_only =
            wpa_text_index(finding->check, whole, WPA_COUNT(whole)) >= 0 && mapping->n_pairs == 1;
        bool is_matrix = wpa_text_is(finding->check, "U5");
        (void)wpa_rule_remove_entry(run, fix, is_only ? whole_of(mapping, is_matrix) : value);
    }
}

const wpa_rule wpa_rule_unused_definition = {
    .code = "EFF-011",
    .id = "unused-definition",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "Something is defined that nothing reads",
    .why = "Readers look for what it is for, and a matrix row of it makes runs that are alike.",
    .fix = "Remove it, or use it where it was meant.",
    .elsewhere = (const char *const[]){"actionlint/S3", NULL},
    .checks = (const char *const[]){"U1", "U2", "U3", "U4", "U5", "U6", "U7", "U8", "U9", "U10",
                                    "U11", NULL},
    .declares = WPA_DECLARES_JOBS | WPA_DECLARES_NAMES | WPA_DECLARES_ENV,
    .claims_absence = true,
    .check = check,
    .repair = repair,
};
