#include "rules/taint.h"

#include <ctype.h>
#include <string.h>

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
    *hop = (wpa_taint_hop){.source = source, .span = span, .label = label, .next = taint.hops};
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

/* "github.event.inputs.NAME" where the event is the caller's: of whoever starts that. */
static wpa_taint trace_callers_event(wpa_tracer *t, const wpa_site *site, const char *name)
{
    const char *path = wpa_arena_printf(t->run->arena, "github.event.inputs.%s", name);
    if (site->caller) {
        return wpa_trace_path(t, site->caller, path);
    }
    wpa_site callers[WPA_SITE_CALLERS_MAX];
    size_t n = wpa_site_callers(t->run, site->source, callers);
    wpa_taint worst = none;
    if (!n) {
        worst = (wpa_taint){
            .grade = WPA_TAINT_OF_DISPATCH,
            .path = path,
            .shape = "free text of whoever starts a workflow that calls this one",
            .trust.is_assumed = true,
            .trust.trust = WPA_TRUST_INSIDER,
        };
    }
    for (size_t i = 0; i < n && wpa_site_depth(&callers[i]) < WPA_SITE_DEPTH_MAX; i++) {
        worst = wpa_taint_worse(worst, wpa_trace_path(t, &callers[i], path));
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
    if (is_of_event && wpa_outline_trigger_find(source->outline, "workflow_call") &&
        !wpa_outline_trigger_find(source->outline, "workflow_dispatch")) {
        return trace_callers_event(t, site, name);
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

/* What callers hand a called workflow as a secret, which need be none. */
static wpa_taint trace_called_secret(wpa_tracer *t, const wpa_site *site, const char *name)
{
    wpa_site callers[WPA_SITE_CALLERS_MAX];
    wpa_taint worst = none;
    size_t n = 0;
    if (site->caller) {
        callers[n++] = *site->caller;
    } else if (wpa_outline_trigger_find(site->source->outline, "workflow_call")) {
        n = wpa_site_callers(t->run, site->source, callers);
    }
    for (size_t i = 0; i < n && wpa_site_depth(&callers[i]) < WPA_SITE_DEPTH_MAX; i++) {
        const wpa_yaml_node *job = callers[i].job && !callers[i].step ? callers[i].job->node : NULL;
        const wpa_yaml_node *secrets = wpa_yaml_resolve(wpa_yaml_get(job, "secrets"));
        const wpa_yaml_pair *pair =
            wpa_yaml_is(secrets, WPA_YAML_MAPPING) ? wpa_yaml_find_ci(secrets, name) : NULL;
        if (pair) {
            worst = wpa_taint_worse(
                worst, wpa_trace_scalar(t, &callers[i], wpa_yaml_resolve(pair->value)));
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

/* What the variable is defined as: the whole of an env that one expression makes. */
static const wpa_yaml_node *env_at(const wpa_yaml_node *scope, const char *name, bool ignores_case)
{
    const wpa_yaml_node *env = wpa_yaml_get(scope, "env");
    if (wpa_yaml_is(env, WPA_YAML_SCALAR) && env->text && wpa_outline_has_expression(env->text)) {
        return env;
    }
    const wpa_yaml_pair *pair =
        ignores_case ? wpa_yaml_find_ci(env, name) : wpa_yaml_find(env, name);
    return pair ? wpa_yaml_resolve(pair->value) : NULL;
}

/* May any script of the file set variables for later steps? Few do. */
static bool may_set_env(const wpa_source *source)
{
    return wpa_yaml_may_hold(source->yaml, "GITHUB_ENV") ||
           wpa_yaml_may_hold(source->yaml, "exportVariable(") ||
           wpa_yaml_may_hold(source->yaml, "set-env name=");
}

static wpa_taint defined_as(wpa_tracer *t, const wpa_site *site, const wpa_yaml_node *value)
{
    wpa_taint taint = wpa_taint_worse(unknown, wpa_trace_scalar(t, site, value));
    return taint;
}

/* What the steps that use an action hand it by their environment. */
static wpa_taint trace_called_env(wpa_tracer *t, const wpa_site *site, const char *name)
{
    if (site->source->kind != WPA_INPUT_ACTION) {
        return unknown;
    }
    if (site->caller) {
        return wpa_trace_env(t, site->caller, name);
    }
    wpa_taint worst = unknown;
    wpa_site callers[WPA_SITE_CALLERS_MAX];
    size_t n = wpa_site_callers(t->run, site->source, callers);
    for (size_t i = 0; i < n; i++) {
        if (!t->left || t->depth >= WPA_TAINT_MAX_HOPS) {
            t->is_cut = true;
            break;
        }
        t->left--;
        t->depth++;
        worst = wpa_taint_worse(worst, wpa_trace_env(t, &callers[i], name));
        t->depth--;
    }
    return worst;
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
        wpa_taint taint = earlier.step->run ? wpa_trace_export(t, &earlier, "GITHUB_ENV", name)
                                            : wpa_trace_client_env(t, &earlier, name);
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
    return trace_called_env(t, site, name);
}

/* The worst of all that are set: "toJSON(env)", "env[matrix.name]". */
static wpa_taint trace_all_env(wpa_tracer *t, const wpa_site *site)
{
    const wpa_outline_job *job = site->job;
    const wpa_yaml_node *scopes[] = {
        site->step && site->step != t->outer ? site->step->node : NULL,
        job && job->key ? job->node : NULL,
        site->source->outline->root,
    };
    wpa_taint worst = unknown;
    for (size_t i = 0; i < WPA_COUNT(scopes); i++) {
        const wpa_yaml_node *env = wpa_yaml_get(scopes[i], "env");
        size_t n = wpa_yaml_is(env, WPA_YAML_MAPPING) ? env->n_pairs : 0;
        for (size_t k = 0; k < n && wpa_rule_spend(t->run, 50 + n); k++) {
            const char *name = wpa_yaml_text(env->pairs[k].key);
            const char *value = wpa_yaml_text(env->pairs[k].value);
            if (name && value && wpa_outline_has_expression(value)) {
                worst = wpa_taint_worse(worst, wpa_trace_env(t, site, name));
            }
        }
    }
    return worst;
}

/* ---- paths -------------------------------------------------------------------------------------
 */

const char *wpa_trace_part(wpa_tracer *t, const char *path, size_t index)
{
    for (; index && path; index--) {
        path = strchr(path, '.');
        path = path ? path + 1 : NULL;
    }
    return path ? wpa_arena_slice(t->run->arena, path, strcspn(path, ".")) : "";
}

/* Is the path of one of these contexts, or the whole of it? */
static bool is_of_any(const char *lower, const char *const contexts[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(contexts[i]);
        if (strncmp(lower, contexts[i], length) == 0 && (!lower[length] || lower[length] == '.')) {
            return true;
        }
    }
    return false;
}

/* Of what gives outputs: as a word, and before a dot. */
static const char *const givers[] = {"steps", "needs", "jobs"};

/* Where the path is asked for: what is the same for all steps of a job is the job's. */
static wpa_site site_of(const wpa_site *site, const char *lower)
{
    bool is_of_job =
        is_of_any(lower, givers, WPA_COUNT(givers)) || wpa_text_starts(lower, "matrix.");
    wpa_site of = *site;
    of.step = is_of_job ? NULL : site->step;
    return of;
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
        return trace_input(t, site, wpa_trace_part(t, path, 3), true);
    }
    if (wpa_text_starts(lower, "inputs.")) {
        return trace_input(t, site, wpa_trace_part(t, path, 1), false);
    }
    if (wpa_text_is(lower, "env") || wpa_text_is(lower, "env.*")) {
        return trace_all_env(t, site);
    }
    if (wpa_text_starts(lower, "env.")) {
        return wpa_trace_env(t, site, wpa_trace_part(t, path, 1));
    }
    if (is_of_any(lower, givers, WPA_COUNT(givers))) {
        return wpa_trace_output(t, site, path, lower);
    }
    if (wpa_text_starts(lower, "matrix.")) {
        return wpa_trace_matrix(t, site, path);
    }
    if (wpa_text_starts(lower, "secrets.")) {
        return trace_called_secret(t, site, wpa_trace_part(t, path, 1));
    }
    static const char *const opaque[] = {"vars", "matrix"};
    return is_of_any(lower, opaque, WPA_COUNT(opaque)) ? unknown
                                                       : wpa_trace_source(t, site, path, lower);
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
    for (size_t i = 0; i <= length; i++) {
        lower[i] = (char)tolower((unsigned char)path[i]);
    }
    const wpa_site of = site_of(site, lower);
    const wpa_taint *known = wpa_trace_known(t, &of, 'P', 0, path, &memo);
    if (known) {
        return *known;
    }
    t->left--;
    t->depth++;
    wpa_taint taint = trace_kind(t, &of, path, lower);
    t->depth--;
    return wpa_trace_keep(t, &memo, taint);
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
