#include "rules/taint.h"

#include <ctype.h>
#include <string.h>

#include "rules/expressions.h"
#include "rules/taint_internal.h"

/* Paths that one question may look at, over all files. */
#define PATHS_MAX 2000
#define PATH_MAX_BYTES 512

static const wpa_taint none = {WPA_TAINT_NONE, NULL, NULL, {0}, false, NULL, 0};
static const wpa_taint unknown = {WPA_TAINT_UNKNOWN, NULL, NULL, {0}, false, NULL, 0};

/* ---- comparing ---------------------------------------------------------------------------------
 */

bool wpa_taint_is_tainted(const wpa_taint *taint)
{
    return taint->grade > WPA_TAINT_UNKNOWN;
}

bool wpa_taint_is_of_outsider(const wpa_taint *taint)
{
    return taint->grade >= WPA_TAINT_OF_STRUCTURED && taint->trust.trust != WPA_TRUST_INSIDER;
}

static unsigned rank_of(const wpa_taint *taint)
{
    bool is_worst = taint->trust.trust == WPA_TRUST_OUTSIDER_PRIVILEGED && taint->is_privileged;
    bool is_outside = taint->trust.trust != WPA_TRUST_INSIDER;
    return (unsigned)taint->grade * 4 + (is_worst ? 2 : 0) + (is_outside ? 1 : 0);
}

wpa_taint wpa_taint_worse(wpa_taint a, wpa_taint b)
{
    return rank_of(&b) > rank_of(&a) ? b : a;
}

wpa_taint wpa_taint_add_hop(wpa_tracer *t, wpa_taint taint, const wpa_source *source, wpa_span span,
                            const char *label)
{
    if (taint.grade == WPA_TAINT_NONE || taint.n_hops >= WPA_TAINT_MAX_HOPS) {
        return taint;
    }
    wpa_taint_hop *hop = wpa_arena_alloc(t->run->arena, sizeof *hop);
    *hop = (wpa_taint_hop){source, span, label, taint.hops};
    taint.hops = hop;
    taint.n_hops++;
    return taint;
}

void wpa_taint_relate(wpa_rule_run *run, wpa_finding *finding, const wpa_taint *taint)
{
    const wpa_taint_hop *hops[WPA_TAINT_MAX_HOPS];
    size_t n = 0;
    for (const wpa_taint_hop *hop = taint->hops; hop && n < WPA_COUNT(hops); hop = hop->next) {
        hops[n++] = hop;
    }
    while (n-- > 0) {
        wpa_rule_relate_in(run, finding, hops[n]->source, hops[n]->span, "%s", hops[n]->label);
        finding->related[finding->n_related - 1].is_step = true;
    }
}

/* ---- inputs ------------------------------------------------------------------------------------
 */

static const wpa_yaml_node *input_of(const wpa_yaml_node *owner, const char *name)
{
    const wpa_yaml_pair *pair = wpa_yaml_find_ci(wpa_yaml_get(owner, "inputs"), name);
    return pair ? wpa_yaml_resolve(pair->value) : NULL;
}

static const wpa_yaml_node *declared_at(const wpa_source *source, const char *event,
                                        const char *name, bool *is_declared)
{
    const wpa_outline_trigger *trigger = wpa_outline_trigger_find(source->outline, event);
    const wpa_yaml_node *inputs = trigger ? wpa_yaml_get(trigger->config, "inputs") : NULL;
    const wpa_yaml_pair *pair = wpa_yaml_find_ci(inputs, name);
    *is_declared = pair != NULL;
    return pair ? wpa_yaml_resolve(pair->value) : NULL;
}

static bool takes_text(const wpa_yaml_node *input)
{
    const char *type = wpa_yaml_text(wpa_yaml_get(input, "type"));
    return !type || wpa_text_is(type, "string");
}

/* What one caller puts in; *is_given is false where the default holds. */
static wpa_taint given_by(wpa_tracer *t, const wpa_site *caller, const char *name, bool *is_given)
{
    const wpa_yaml_node *holder = caller->step ? caller->step->node : caller->job->node;
    const wpa_yaml_pair *pair = wpa_yaml_find_ci(wpa_yaml_get(holder, "with"), name);
    *is_given = pair != NULL;
    return pair ? wpa_trace_scalar(t, caller, wpa_yaml_resolve(pair->value)) : none;
}

static wpa_taint given_or_default(wpa_tracer *t, const wpa_site *site, const wpa_site *caller,
                                  const char *name, const wpa_yaml_node *input)
{
    bool is_given;
    wpa_taint taint = given_by(t, caller, name, &is_given);
    if (is_given) {
        return taint;
    }
    wpa_site at = *site;
    at.caller = wpa_arena_dup(t->run->lasting, caller, sizeof *caller); /* told apart by address */
    const wpa_yaml_node *value = wpa_yaml_get(input, "default");
    return wpa_taint_add_hop(t, wpa_trace_scalar(t, &at, value), site->source,
                             value ? value->span : site->source->outline->root->span,
                             "the input's default");
}

/* An input that callers fill. */
static wpa_taint trace_called_input(wpa_tracer *t, const wpa_site *site, const char *name,
                                    const wpa_yaml_node *input)
{
    if (site->caller) {
        return given_or_default(t, site, site->caller, name, input);
    }
    wpa_taint worst = {
        .grade = WPA_TAINT_OF_CALLER,
        .path = wpa_arena_printf(t->run->arena, "inputs.%s", name),
        .shape = "whatever a caller puts in",
        .trust.is_assumed = true,
        .trust.trust = WPA_TRUST_INSIDER,
    };
    wpa_site callers[WPA_SITE_CALLERS_MAX];
    size_t n = wpa_site_callers(t->run, site->source, callers);
    for (size_t i = 0; i < n && wpa_site_depth(&callers[i]) < WPA_SITE_DEPTH_MAX; i++) {
        worst = wpa_taint_worse(worst, given_or_default(t, site, &callers[i], name, input));
    }
    return worst;
}

static wpa_taint trace_input(wpa_tracer *t, const wpa_site *site, const char *name,
                             bool is_of_event)
{
    const wpa_source *source = site->source;
    if (source->kind == WPA_INPUT_ACTION) {
        return trace_called_input(t, site, name, input_of(source->outline->root, name));
    }
    bool is_dispatched, is_called;
    const wpa_yaml_node *dispatched =
        declared_at(source, "workflow_dispatch", name, &is_dispatched);
    const wpa_yaml_node *called = declared_at(source, "workflow_call", name, &is_called);
    wpa_taint taint = none;
    if (is_dispatched && takes_text(dispatched)) {
        taint = (wpa_taint){
            .grade = WPA_TAINT_OF_DISPATCH,
            .path = wpa_arena_printf(t->run->arena, "inputs.%s", name),
            .shape = "free text of whoever starts the workflow",
            .trust.trust = WPA_TRUST_INSIDER,
            .trust.event = "workflow_dispatch",
        };
    }
    if (is_called && !is_of_event && takes_text(called)) {
        taint = wpa_taint_worse(taint, trace_called_input(t, site, name, called));
    }
    return taint;
}

/* The worst of all that are declared: "toJSON(inputs)", "inputs[matrix.name]". */
static wpa_taint trace_inputs(wpa_tracer *t, const wpa_site *site, bool is_of_event)
{
    const wpa_source *source = site->source;
    const wpa_yaml_node *owners[] = {
        source->kind == WPA_INPUT_ACTION ? source->outline->root : NULL, NULL, NULL};
    static const char *const events[] = {"workflow_dispatch", "workflow_call"};
    for (size_t i = 0; i < WPA_COUNT(events) && !owners[0]; i++) {
        const wpa_outline_trigger *trigger = wpa_outline_trigger_find(source->outline, events[i]);
        owners[i + 1] = trigger ? trigger->config : NULL;
    }
    wpa_taint worst = none;
    for (size_t i = 0; i < WPA_COUNT(owners); i++) {
        const wpa_yaml_node *inputs = wpa_yaml_get(owners[i], "inputs");
        for (size_t k = 0; inputs && k < inputs->n_pairs && wpa_rule_spend(t->run, 50); k++) {
            const char *name = wpa_yaml_text(inputs->pairs[k].key);
            worst = wpa_taint_worse(worst, name ? trace_input(t, site, name, is_of_event) : none);
        }
    }
    return worst;
}

/* ---- env ---------------------------------------------------------------------------------------
 */

/* Variables that the runner sets. */
static const char *const runner_variables[][2] = {
    {"GITHUB_HEAD_REF", "github.head_ref"}, {"GITHUB_REF_NAME", "github.ref_name"},
    {"GITHUB_BASE_REF", "github.base_ref"}, {"GITHUB_REF", "github.ref"},
    {"GITHUB_ACTOR", "github.actor"},       {"GITHUB_TRIGGERING_ACTOR", "github.triggering_actor"},
};

static const wpa_yaml_node *env_at(const wpa_yaml_node *scope, const char *name, bool ignores_case)
{
    const wpa_yaml_node *env = wpa_yaml_get(scope, "env");
    const wpa_yaml_pair *pair =
        ignores_case ? wpa_yaml_find_ci(env, name) : wpa_yaml_find(env, name);
    return pair ? wpa_yaml_resolve(pair->value) : NULL;
}

/* May any script of the file set variables for later steps? Few do. */
static bool may_set_env(const wpa_source *source)
{
    return wpa_yaml_may_hold(source->yaml, "GITHUB_ENV") ||
           wpa_yaml_may_hold(source->yaml, "set-env name=");
}

static wpa_taint defined_as(wpa_tracer *t, const wpa_site *site, const wpa_yaml_node *value)
{
    wpa_taint taint = wpa_taint_worse(unknown, wpa_trace_scalar(t, site, value));
    return taint;
}

wpa_taint wpa_trace_env(wpa_tracer *t, const wpa_site *site, const char *name)
{
    const wpa_outline_job *job = site->job;
    bool ignores_case = job && job->os == WPA_OS_WINDOWS;
    const wpa_outline_step *step = site->step != t->outer ? site->step : NULL;
    const wpa_yaml_node *value = step ? env_at(step->node, name, ignores_case) : NULL;
    if (value) {
        return defined_as(t, site, value);
    }
    bool may_be_set = step && may_set_env(site->source);
    for (size_t i = may_be_set ? step->index : 0; job && i-- > 0;) {
        wpa_site earlier = *site;
        earlier.step = &job->steps[i];
        wpa_taint taint = wpa_trace_export(t, &earlier, "GITHUB_ENV", name);
        if (taint.grade != WPA_TAINT_NONE) {
            return taint;
        }
    }
    const wpa_yaml_node *scopes[] = {job && job->key ? job->node : NULL,
                                     site->source->outline->root};
    for (size_t i = 0; i < WPA_COUNT(scopes); i++) {
        value = env_at(scopes[i], name, ignores_case);
        if (value) {
            /* Who the step runs for is what matters, but it has no part in what this env says. */
            const wpa_outline_step *outer = t->outer;
            t->outer = site->step;
            wpa_taint taint = defined_as(t, site, value);
            t->outer = outer;
            return taint;
        }
    }
    for (size_t i = 0; i < WPA_COUNT(runner_variables); i++) {
        if (wpa_text_is(name, runner_variables[i][0])) {
            return wpa_trace_path(t, site, runner_variables[i][1]);
        }
    }
    return site->caller && site->source->kind == WPA_INPUT_ACTION
               ? wpa_trace_env(t, site->caller, name)
               : unknown;
}

/* ---- outputs and matrices ----------------------------------------------------------------------
 */

static const wpa_outline_step *step_by_id(const wpa_outline_job *job, const char *id)
{
    for (size_t i = 0; job && i < job->n_steps; i++) {
        if (job->steps[i].id && wpa_text_is_ci(id, job->steps[i].id)) {
            return &job->steps[i];
        }
    }
    return NULL;
}

/* "value" of an output of a local action or a called workflow, judged with this caller. */
static wpa_taint trace_callee_output(wpa_tracer *t, const wpa_site *caller,
                                     const wpa_outline_uses *uses, const char *name)
{
    const wpa_source *callee = wpa_site_callee(t->run, uses);
    if (!callee || wpa_site_depth(caller) >= WPA_SITE_DEPTH_MAX) {
        return unknown;
    }
    const wpa_outline *o = callee->outline;
    const wpa_outline_trigger *call = wpa_outline_trigger_find(o, "workflow_call");
    const wpa_yaml_node *owner = callee->kind == WPA_INPUT_ACTION ? o->root
                                 : call                           ? call->config
                                                                  : NULL;
    const wpa_yaml_pair *output = wpa_yaml_find_ci(wpa_yaml_get(owner, "outputs"), name);
    const wpa_yaml_node *value = output ? wpa_yaml_get(output->value, "value") : NULL;
    wpa_site site = {.source = callee, .caller = caller};
    site.job = callee->kind == WPA_INPUT_ACTION && o->n_jobs ? &o->jobs[0] : NULL;
    return value ? wpa_trace_scalar(t, &site, value) : unknown;
}
/* "ID.outputs.NAME" */
static wpa_taint trace_step_output(wpa_tracer *t, const wpa_site *site, const char *id,
                                   const char *name, const char *path)
{
    wpa_site at = *site;
    at.step = step_by_id(site->job, id);
    if (!at.step) {
        return unknown;
    }
    if (at.step->run) {
        return wpa_taint_worse(wpa_trace_fetched(t, &at, name, path),
                               wpa_trace_export(t, &at, "GITHUB_OUTPUT", name));
    }
    const wpa_outline_uses *uses = &at.step->uses;
    if (uses->kind == WPA_OUTLINE_LOCAL) {
        const wpa_site *caller = wpa_arena_dup(t->run->lasting, &at, sizeof at);
        return wpa_taint_add_hop(t, trace_callee_output(t, caller, uses, name), site->source,
                                 uses->node->span, "gives it out");
    }
    return uses->kind == WPA_OUTLINE_REPOSITORY ? wpa_trace_fetched(t, &at, name, path) : unknown;
}

static wpa_taint trace_job_output(wpa_tracer *t, const wpa_site *site, const char *id,
                                  const char *name)
{
    const wpa_outline_job *job = wpa_site_job(site->source, id);
    if (!job || !wpa_rule_spend(t->run, site->source->outline->n_jobs)) {
        return unknown;
    }
    wpa_site at = {.source = site->source, .job = job, .caller = site->caller};
    if (job->is_call) {
        const wpa_site *caller = wpa_arena_dup(t->run->lasting, &at, sizeof at);
        return wpa_taint_add_hop(t, trace_callee_output(t, caller, &job->uses, name), site->source,
                                 job->key->span, "gives it out");
    }
    const wpa_yaml_pair *output = wpa_yaml_find_ci(wpa_yaml_get(job->node, "outputs"), name);
    return output ? wpa_trace_scalar(t, &at, wpa_yaml_resolve(output->value)) : unknown;
}

/* Values below a matrix row; closed lists of literals are nobody's choice. */
static wpa_taint trace_values(wpa_tracer *t, const wpa_site *site, const wpa_yaml_node *node,
                              unsigned depth)
{
    node = wpa_yaml_resolve(node);
    wpa_taint worst = none;
    if (wpa_yaml_is(node, WPA_YAML_SCALAR)) {
        bool is_open = wpa_outline_has_expression(node->text);
        return is_open ? wpa_taint_worse(unknown, wpa_trace_scalar(t, site, node)) : none;
    }
    size_t n = node ? node->n_items + node->n_pairs : 0;
    for (size_t i = 0; depth < 4 && i < n && i < 256; i++) {
        const wpa_yaml_node *child =
            node->kind == WPA_YAML_SEQUENCE ? node->items[i] : node->pairs[i].value;
        worst = wpa_taint_worse(worst, trace_values(t, site, child, depth + 1));
    }
    return worst;
}

/* May any of its values be computed? Of most matrices none is. */
static bool may_hold_expression(const wpa_source *source, const wpa_yaml_node *node)
{
    size_t next = wpa_expressions_from(source->expressions, node->span.start);
    return wpa_expressions_may_be_in(source->expressions, node, &next);
}

static wpa_taint trace_matrix(wpa_tracer *t, const wpa_site *site, const char *name)
{
    const wpa_yaml_node *matrix =
        site->job ? wpa_yaml_get(wpa_yaml_get(site->job->node, "strategy"), "matrix") : NULL;
    wpa_site at = *site;
    at.step = NULL;
    if (!matrix) {
        return unknown;
    }
    if (!may_hold_expression(site->source, matrix)) {
        return none;
    }
    if (wpa_yaml_is(matrix, WPA_YAML_SCALAR)) {
        return trace_values(t, &at, matrix, 0);
    }
    const wpa_yaml_pair *row = wpa_yaml_find_ci(matrix, name);
    wpa_taint worst = row ? trace_values(t, &at, row->value, 0) : none;
    const wpa_yaml_node *include = wpa_yaml_get(matrix, "include");
    if (wpa_yaml_is(include, WPA_YAML_SCALAR)) {
        worst = wpa_taint_worse(worst, trace_values(t, &at, include, 0));
    }
    for (size_t i = 0; wpa_yaml_is(include, WPA_YAML_SEQUENCE) && i < include->n_items; i++) {
        const wpa_yaml_pair *value = wpa_yaml_find_ci(include->items[i], name);
        worst = value ? wpa_taint_worse(worst, trace_values(t, &at, value->value, 0)) : worst;
    }
    return worst;
}

/* ---- paths -------------------------------------------------------------------------------------
 */

/* The part of a path between two dots; the arena holds the copy. */
static const char *part(wpa_tracer *t, const char *path, size_t index)
{
    for (; index && path; index--) {
        path = strchr(path, '.');
        path = path ? path + 1 : NULL;
    }
    return path ? wpa_arena_slice(t->run->arena, path, strcspn(path, ".")) : "";
}

/* "steps.ID.outputs.NAME", "needs.ID.outputs.NAME", "jobs.ID.outputs.NAME" */
static wpa_taint trace_output(wpa_tracer *t, const wpa_site *site, const char *path,
                              const char *lower)
{
    static const char *const fixed[] = {"outcome", "conclusion", "result"};
    const char *kind = part(t, lower, 2), *id = part(t, path, 1), *name = part(t, path, 3);
    if (wpa_text_index(kind, fixed, WPA_COUNT(fixed)) >= 0) {
        return none;
    }
    if (!wpa_text_is(kind, "outputs") || !*name) {
        return unknown;
    }
    return *lower == 's' ? trace_step_output(t, site, id, name, path)
                         : trace_job_output(t, site, id, name);
}

static wpa_taint trace_kind(wpa_tracer *t, const wpa_site *site, const char *path,
                            const char *lower)
{
    bool is_of_event =
        wpa_text_is(lower, "github.event.inputs") || wpa_text_is(lower, "github.event.inputs.*");
    if (is_of_event || wpa_text_is(lower, "inputs") || wpa_text_is(lower, "inputs.*")) {
        return trace_inputs(t, site, is_of_event);
    }
    if (wpa_text_starts(lower, "github.event.inputs.")) {
        return trace_input(t, site, part(t, path, 3), true);
    }
    if (wpa_text_starts(lower, "inputs.")) {
        return trace_input(t, site, part(t, path, 1), false);
    }
    if (wpa_text_starts(lower, "env.")) {
        return wpa_trace_env(t, site, part(t, path, 1));
    }
    bool is_output = wpa_text_starts(lower, "steps.") || wpa_text_starts(lower, "needs.") ||
                     wpa_text_starts(lower, "jobs.");
    if (is_output) {
        return trace_output(t, site, path, lower);
    }
    if (wpa_text_starts(lower, "matrix.")) {
        return trace_matrix(t, site, part(t, path, 1));
    }
    static const char *const opaque[] = {"vars.", "steps", "needs", "env", "matrix"};
    for (size_t i = 0; i < WPA_COUNT(opaque); i++) {
        if (i == 0 ? wpa_text_starts(lower, opaque[i]) : wpa_text_is(lower, opaque[i])) {
            return unknown;
        }
    }
    return wpa_trace_source(t, site, path, lower);
}

wpa_taint wpa_trace_path(wpa_tracer *t, const wpa_site *site, const char *path)
{
    char lower[PATH_MAX_BYTES];
    wpa_trace_memo memo;
    size_t length = strlen(path);
    if (length >= sizeof lower) {
        return unknown;
    }
    if (t->depth >= WPA_TAINT_MAX_HOPS || !t->left || !wpa_rule_spend(t->run, 200)) {
        t->is_cut = true;
        return unknown;
    }
    const wpa_taint *known = wpa_trace_known(t, site, 'P', 0, path, &memo);
    if (known) {
        return *known;
    }
    for (size_t i = 0; i <= length; i++) {
        lower[i] = (char)tolower((unsigned char)path[i]);
    }
    t->left--;
    t->depth++;
    wpa_taint taint = trace_kind(t, site, path, lower);
    t->depth--;
    wpa_trace_keep(t, &memo, &taint);
    return taint;
}

/* ---- scalars -----------------------------------------------------------------------------------
 */

wpa_taint wpa_trace_text(wpa_tracer *t, const wpa_site *site, const wpa_yaml_node *node,
                         wpa_span within)
{
    wpa_taint worst = none;
    size_t at = within.start;
    wpa_span fence, inside;
    if (!wpa_rule_spend(t->run, wpa_span_length(within))) {
        return unknown;
    }
    while (wpa_flow_next_fence(node->text, within.end, &at, &fence, &inside)) {
        wpa_flow flow = wpa_flow_at(site->source, node, inside, t->run->arena);
        for (size_t i = 0; i < flow.n; i++) {
            wpa_taint taint = wpa_trace_path(t, site, flow.paths[i]);
            if (rank_of(&taint) > rank_of(&worst)) {
                wpa_span span = wpa_site_span(t->run, node, inside.start, inside.end);
                worst = wpa_taint_add_hop(t, taint, site->source, span, "comes from here");
            }
        }
    }
    return worst;
}

wpa_taint wpa_trace_scalar(wpa_tracer *t, const wpa_site *site, const wpa_yaml_node *node)
{
    bool is_text = wpa_yaml_is(node, WPA_YAML_SCALAR) && node->text;
    return is_text ? wpa_trace_text(t, site, node, (wpa_span){0, node->length}) : none;
}

/* ---- asking ------------------------------------------------------------------------------------
 */

wpa_taint wpa_taint_of_path(wpa_rule_run *run, const wpa_site *site, const char *path,
                            wpa_taint_question question)
{
    wpa_tracer t = {.run = run, .question = question, .left = PATHS_MAX};
    return wpa_trace_path(&t, site, path);
}

wpa_taint wpa_taint_of_scalar(wpa_rule_run *run, const wpa_site *site, const wpa_yaml_node *node,
                              wpa_taint_question question)
{
    wpa_tracer t = {.run = run, .question = question, .left = PATHS_MAX};
    return wpa_trace_scalar(&t, site, wpa_yaml_resolve(node));
}

wpa_taint wpa_taint_of_script(wpa_rule_run *run, const wpa_site *site, wpa_span span,
                              wpa_taint_question question)
{
    wpa_tracer t = {.run = run, .question = question, .left = PATHS_MAX};
    return wpa_trace_script(&t, site, span);
}
