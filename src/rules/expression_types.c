/*
 * What the contexts hold at a place of a file. Strict where the file or the tables say all there
 * is; loose wherever something may be there that neither shows.
 */
#include "rules/expression_types.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "core/room.h"
#include "rules/expression_matrix.h"
#include "rules/expression_outputs.h"
#include "rules/graph.h"
#include "rules/payload.h"
#include "workflow/workflow.h"

struct wpa_expression_types {
    wpa_rule_run *run; /* that asks just now */
    const wpa_source *source;
    const wpa_action_file *action; /* of an action, once anybody asks */
    const wpa_workflow *frame;     /* of a workflow; likewise */
    wpa_arena *arena;
    const wpa_expression *expression; /* whose scope was asked for last */
    wpa_types_reach reach;
    const wpa_type *github, *inputs, *jobs, *secrets, *runner, *strategy;
    struct job_types {
        const wpa_workflow_job *model; /* NULL in actions, and until anybody asks */
        const wpa_type *matrix, *needs, *job;
        wpa_type_member *steps; /* [n_steps] those with an id, in order */
        size_t *step_index;     /* [n_steps] which step of the job each is */
        size_t n_steps;
        bool has_open_ids; /* an id is an expression */
        bool are_steps_made;
    } * job_types; /* [outline->n_jobs] */
};

typedef struct job_types job_types;

/* ---- models: few files have expressions that ask for anything of them ---- */

/** NULL for actions. */
static const wpa_workflow *triggers_of(const wpa_expression_types *t)
{
    return wpa_expressions_triggers(t->source);
}

/** NULL for workflows. */
static const wpa_action_file *action_of(wpa_expression_types *t)
{
    if (!t->action && t->source->kind != WPA_INPUT_WORKFLOW) {
        t->action = wpa_model_action_frame(t->source->yaml, t->arena);
    }
    return t->action;
}

static bool is_workflow(const wpa_expression_types *t)
{
    return t->source->kind == WPA_INPUT_WORKFLOW;
}

static const wpa_outline_job *outline_of(const wpa_expression_types *t, const job_types *j)
{
    return &t->source->outline->jobs[j - t->job_types];
}

static const wpa_workflow_job *model_of(const wpa_expression_types *t, job_types *j)
{
    if (!j->model && is_workflow(t)) {
        j->model = wpa_model_job_frame(outline_of(t, j)->node, t->arena);
    }
    return j->model;
}

/** All jobs. */
static const wpa_workflow *frame_of(wpa_expression_types *t)
{
    t->frame = t->frame ? t->frame : wpa_model_frame(t->source->yaml, t->arena);
    return t->frame;
}

/** By its id; NULL: there is none. One that is no mapping, or is merged, has no outline. */
static const wpa_workflow_job *find_job(wpa_expression_types *t, const char *id)
{
    const wpa_outline *outline = t->source->outline;
    const wpa_outline_job *job = wpa_outline_job_find(outline, id);
    return job ? model_of(t, &t->job_types[job - outline->jobs])
               : wpa_workflow_job_find(frame_of(t), id);
}

static const wpa_type *string(void)
{
    return wpa_type_of(WPA_TYPE_STRING);
}

static const wpa_type *any(void)
{
    return wpa_type_of(WPA_TYPE_ANY);
}

/* ---- contexts of fixed members ---- */

static const wpa_type *kind_named(const char *name)
{
    return wpa_text_is(name, "string")    ? string()
           : wpa_text_is(name, "number")  ? wpa_type_of(WPA_TYPE_NUMBER)
           : wpa_text_is(name, "boolean") ? wpa_type_of(WPA_TYPE_BOOL)
                                          : wpa_type_loose();
}

/* Members as the tables have them, but for those that a file knows better: the same for all. */
#define FIXED_MAX WPA_TYPE_INDEX_MAX

static struct fixed_context {
    const char *name;
    const char *known[2]; /* or NULL: behind the others, of no type yet */
    wpa_type_member members[FIXED_MAX];
    size_t n; /* those that are known not included */
    wpa_type_index index;
    bool is_loose;
} fixed_contexts[] = {{.name = "github", .known = {"event"}},
                      {.name = "job", .known = {"container", "services"}},
                      {.name = "runner"},
                      {.name = "strategy"}};
static pthread_once_t fixed_once = PTHREAD_ONCE_INIT;

static void list_members(struct fixed_context *context)
{
    const wpa_fact_context *fact = wpa_facts_context_find(wpa_slice_of(context->name));
    context->is_loose = !fact || fact->is_open;
    for (size_t i = 0; fact && fact->properties[i]; i++) {
        const char *name = fact->properties[i];
        bool is_known =
            wpa_text_is(name, context->known[0]) || wpa_text_is(name, context->known[1]);
        assert(context->n < FIXED_MAX);
        context->members[context->n] = (wpa_type_member){name, kind_named(fact->types[i])};
        context->n += !is_known && context->n + WPA_COUNT(context->known) < FIXED_MAX;
    }
    size_t n = context->n;
    for (size_t i = 0; i < WPA_COUNT(context->known) && context->known[i]; i++) {
        context->members[n++] = (wpa_type_member){context->known[i], NULL};
    }
    context->index = wpa_type_index_of(context->members, n);
}

static void list_fixed(void)
{
    for (size_t i = 0; i < WPA_COUNT(fixed_contexts); i++) {
        list_members(&fixed_contexts[i]);
    }
}

/** Members that the caller knows better, in the order of their names. */
static const wpa_type *fixed_context(const char *name, const wpa_type_member *known, size_t n_known,
                                     wpa_arena *arena)
{
    (void)pthread_once(&fixed_once, list_fixed);
    const struct fixed_context *context = fixed_contexts;
    while (!wpa_text_is(context->name, name)) {
        context++;
    }
    const wpa_type_member *members = context->members;
    if (n_known) {
        size_t size_bytes = context->n * sizeof *members;
        wpa_type_member *own = wpa_arena_room(arena, size_bytes + n_known * sizeof *own);
        memcpy(own, members, size_bytes);
        memcpy(own + context->n, known, n_known * sizeof *own);
        members = own;
    }
    return wpa_type_object_indexed(arena, members, context->n + n_known, &context->index,
                                   context->is_loose ? any() : NULL);
}

static const wpa_type *load_event(const char *name, const void *data, wpa_arena *arena)
{
    (void)name;
    return wpa_payload_type(triggers_of(data), arena);
}

static const wpa_type *github_type(wpa_expression_types *t)
{
    if (!t->github) {
        const wpa_type *event =
            is_workflow(t) ? wpa_type_lazy(t->arena, load_event, "event", t) : wpa_type_loose();
        const wpa_type_member known[] = {{"event", event}};
        t->github = fixed_context("github", known, WPA_COUNT(known), t->arena);
    }
    return t->github;
}

/* ---- inputs ---- */

/** For names of the file itself, and for literals: they live as long as the types. */
static wpa_type_builder own_builder(const wpa_expression_types *t)
{
    wpa_type_builder builder = wpa_type_builder_new(t->arena);
    builder.keeps_names = true;
    return builder;
}

static const wpa_type *parameter_type(const wpa_parameter *parameter)
{
    const char *type = parameter->type.text;
    return !type                          ? any()
           : wpa_text_is(type, "boolean") ? wpa_type_of(WPA_TYPE_BOOL)
           : wpa_text_is(type, "number")  ? wpa_type_of(WPA_TYPE_NUMBER)
                                          : string();
}

static void add_parameters(wpa_type_builder *builder, const wpa_trigger *trigger)
{
    for (size_t i = 0; i < trigger->n_inputs; i++) {
        const wpa_parameter *parameter = &trigger->inputs[i];
        bool is_dispatch = wpa_text_is(trigger->name, "workflow_dispatch");
        bool is_text = is_dispatch && !wpa_value_is_set(&parameter->type);
        wpa_type_builder_add(builder, parameter->name,
                             is_text ? string() : parameter_type(parameter));
    }
    builder->is_loose = builder->is_loose || trigger->is_unknown;
}

static const wpa_type *inputs_type(wpa_expression_types *t)
{
    if (t->inputs) {
        return t->inputs;
    }
    wpa_type_builder builder = own_builder(t);
    builder.is_loose = t->source->is_partial;
    const wpa_workflow *workflow = triggers_of(t);
    const wpa_action_file *action = action_of(t);
    if (workflow) {
        const wpa_trigger *dispatch = wpa_workflow_trigger(workflow, "workflow_dispatch");
        const wpa_trigger *call = wpa_workflow_trigger(workflow, "workflow_call");
        if (dispatch) {
            add_parameters(&builder, dispatch);
        }
        if (call) {
            add_parameters(&builder, call);
        }
        builder.is_loose = builder.is_loose || workflow->has_unknown_triggers;
    }
    for (size_t i = 0; action && i < action->n_inputs; i++) {
        wpa_type_builder_add(&builder, action->inputs[i].name, string());
    }
    return t->inputs = wpa_type_builder_end(&builder);
}

/* ---- secrets ---- */

/** May a caller hand over all its secrets, declared or not? */
static bool has_inheriting_caller(const wpa_expression_types *t)
{
    const wpa_surroundings *around = t->source->around;
    size_t n = 0;
    const wpa_graph_user *users =
        around && around->graph ? wpa_graph_users(around->graph, wpa_source_identity(t->source), &n)
                                : NULL;
    for (size_t i = 0; i < n; i++) {
        if (users[i].use->inherits_secrets) {
            return true;
        }
    }
    return false;
}

/** Strict in a workflow that is only called, declares its secrets, and inherits none. */
static const wpa_type *secrets_type(wpa_expression_types *t)
{
    if (t->secrets) {
        return t->secrets;
    }
    const wpa_workflow *workflow =
        wpa_yaml_may_hold(t->source->yaml, "workflow_call") ? triggers_of(t) : NULL;
    const wpa_trigger *call = workflow ? wpa_workflow_trigger(workflow, "workflow_call") : NULL;
    bool is_closed = call && workflow->n_triggers == 1 && call->n_secrets && !call->is_unknown &&
                     !t->source->is_partial && !has_inheriting_caller(t);
    if (!is_closed) {
        return t->secrets = wpa_type_map(t->arena, string());
    }
    static const char *const builtin[] = {"github_token", "actions_step_debug",
                                          "actions_runner_debug"};
    wpa_type_builder builder = own_builder(t);
    for (size_t i = 0; i < call->n_secrets; i++) {
        wpa_type_builder_add(&builder, call->secrets[i].name, string());
    }
    for (size_t i = 0; i < WPA_COUNT(builtin); i++) {
        wpa_type_builder_add(&builder, builtin[i], string());
    }
    return t->secrets = wpa_type_builder_end(&builder);
}

/* ---- jobs ---- */

/** An object of these members and no others; their names are literals. */
static const wpa_type *strict(const wpa_type_member *members, size_t n, wpa_arena *arena)
{
    wpa_type_member *kept = wpa_arena_dup(arena, members, n * sizeof *members);
    return wpa_type_object(arena, kept, n, NULL);
}

/** {outputs, result} of a job as others see it. */
static const wpa_type *result_type(wpa_expression_types *t, const wpa_workflow_job *job)
{
    const wpa_type *outputs;
    if (!job || job->is_unknown) {
        outputs = wpa_type_map(t->arena, string());
    } else if (wpa_value_is_set(&job->uses_value)) {
        outputs = wpa_expression_outputs_of_call(t->run, job->uses_value.text, t->arena);
    } else {
        bool is_known = !job->outputs.is_unknown && !job->outputs.scalar.text;
        outputs = wpa_expression_outputs_declared(job->outputs.node, is_known, t->arena);
    }
    const wpa_type_member members[] = {{"outputs", outputs}, {"result", string()}};
    return strict(members, WPA_COUNT(members), t->arena);
}

static const wpa_type *jobs_type(wpa_expression_types *t)
{
    if (!t->jobs) {
        const wpa_workflow *workflow = frame_of(t);
        wpa_type_builder builder = own_builder(t);
        for (size_t i = 0; i < workflow->n_jobs; i++) {
            const wpa_workflow_job *job = &workflow->jobs[i];
            wpa_type_builder_add(&builder, job->id, result_type(t, job));
        }
        builder.is_loose = builder.is_loose || workflow->has_unknown_jobs || t->source->is_partial;
        t->jobs = wpa_type_builder_end(&builder);
    }
    return t->jobs;
}

static const wpa_type *needs_type(wpa_expression_types *t, job_types *j)
{
    if (j->needs) {
        return j->needs;
    }
    wpa_type_builder builder = own_builder(t);
    const wpa_workflow_job *model = model_of(t, j);
    builder.is_loose = !model || model->needs.is_unknown || t->source->is_partial;
    for (size_t i = 0; model && i < model->needs.n; i++) {
        const char *id = model->needs.items[i].text;
        if (id) {
            wpa_type_builder_add(&builder, id, result_type(t, find_job(t, id)));
        }
        builder.is_loose = builder.is_loose || !id || wpa_outline_has_expression(id);
    }
    return j->needs = wpa_type_builder_end(&builder);
}

static const wpa_type *service_type(wpa_arena *arena)
{
    const wpa_type_member members[] = {
        {"id", string()}, {"network", string()}, {"ports", wpa_type_map(arena, any())}};
    return strict(members, WPA_COUNT(members), arena);
}

static const wpa_type *job_type(wpa_expression_types *t, job_types *j)
{
    if (j->job) {
        return j->job;
    }
    const wpa_type *service = service_type(t->arena);
    wpa_type_builder services = own_builder(t);
    const wpa_workflow_job *job = model_of(t, j);
    for (size_t i = 0; job && i < job->n_services; i++) {
        wpa_type_builder_add(&services, job->services[i].name, service);
    }
    bool is_open =
        !job || job->is_unknown || t->source->is_partial ||
        (job->services_key && !wpa_yaml_is(wpa_yaml_get(job->node, "services"), WPA_YAML_MAPPING));
    const wpa_type_member known[] = {
        {"container", service},
        {"services", is_open ? wpa_type_map(t->arena, service) : wpa_type_builder_end(&services)}};
    return j->job = fixed_context("job", known, WPA_COUNT(known), t->arena);
}

static const wpa_type *matrix_type(wpa_expression_types *t, job_types *j)
{
    if (!j->matrix) {
        j->matrix = is_workflow(t)
                        ? wpa_expression_matrix_type(t->source, outline_of(t, j), t->arena)
                        : wpa_type_loose();
    }
    return j->matrix;
}

/* ---- steps ---- */

static void make_steps(wpa_expression_types *t, job_types *j, const wpa_outline_job *job)
{
    j->are_steps_made = true;
    j->steps = wpa_arena_array(t->arena, job->n_steps + 1, sizeof *j->steps);
    j->step_index = wpa_arena_array(t->arena, job->n_steps + 1, sizeof *j->step_index);
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        if (!step->id) {
            continue;
        }
        const wpa_type_member members[] = {
            {"outputs", wpa_expression_outputs_of_step(t->run, step, t->arena)},
            {"outcome", string()},
            {"conclusion", string()}};
        j->has_open_ids = j->has_open_ids || wpa_outline_has_expression(step->id);
        j->step_index[j->n_steps] = i;
        j->steps[j->n_steps++] =
            (wpa_type_member){step->id, strict(members, WPA_COUNT(members), t->arena)};
    }
}

static const wpa_type *steps_type(wpa_expression_types *t, job_types *j, const wpa_expression *e)
{
    if (!j->are_steps_made) {
        make_steps(t, j, e->job);
    }
    bool is_open = j->has_open_ids || t->source->is_partial || j->n_steps > WPA_TYPE_MAX_MEMBERS ||
                   wpa_yaml_find(e->job->node, "<<");
    size_t n = 0, end = j->n_steps;
    while (n < end) {
        size_t middle = n + (end - n) / 2;
        bool is_before = j->step_index[middle] < e->step;
        n = is_before ? middle + 1 : n;
        end = is_before ? end : middle;
    }
    wpa_type *type = wpa_arena_alloc(t->arena, sizeof *type);
    *type = (wpa_type){.kind = WPA_TYPE_OBJECT,
                       .members = j->steps,
                       .n_members = is_open ? 0 : n,
                       .item = is_open ? any() : NULL,
                       .later = j->steps + n,
                       .n_later = j->n_steps - n};
    return type;
}

/* ---- scopes ---- */

static job_types *job_types_of(wpa_expression_types *t, const wpa_expression *e)
{
    return e->job ? &t->job_types[e->job - t->source->outline->jobs] : NULL;
}

/* Once a file. */
static const wpa_type *fixed(wpa_expression_types *t, const char *name, const wpa_type **made)
{
    if (!*made) {
        *made = fixed_context(name, NULL, 0, t->arena);
    }
    return *made;
}

/** NULL: it is not known, or not the same in the whole file. */
static const wpa_type *type_in_file(wpa_expression_types *t, const char *context, wpa_arena *arena)
{
    if (wpa_text_is(context, "github")) {
        return github_type(t);
    }
    if (wpa_text_is(context, "inputs")) {
        return inputs_type(t);
    }
    if (wpa_text_is(context, "env") || wpa_text_is(context, "vars")) {
        return wpa_type_map(arena, string());
    }
    if (wpa_text_is(context, "secrets")) {
        return secrets_type(t);
    }
    if (wpa_text_is(context, "runner")) {
        return fixed(t, context, &t->runner);
    }
    if (wpa_text_is(context, "strategy")) {
        return fixed(t, context, &t->strategy);
    }
    return wpa_text_is(context, "jobs") && is_workflow(t) ? jobs_type(t) : NULL;
}

static const wpa_type *type_of(const char *context, void *data, wpa_arena *arena)
{
    wpa_expression_types *t = data;
    const wpa_type *type = type_in_file(t, context, arena);
    if (type) {
        return type;
    }
    bool is_of_step = wpa_text_is(context, "steps");
    t->reach = is_of_step || t->reach == WPA_TYPES_OF_STEP ? WPA_TYPES_OF_STEP : WPA_TYPES_OF_JOB;
    job_types *j = job_types_of(t, t->expression);
    return !j                               ? NULL
           : is_of_step                     ? steps_type(t, j, t->expression)
           : wpa_text_is(context, "needs")  ? needs_type(t, j)
           : wpa_text_is(context, "matrix") ? matrix_type(t, j)
           : wpa_text_is(context, "job")    ? job_type(t, j)
                                            : NULL;
}

wpa_expr_scope wpa_expression_types_scope(wpa_expression_types *types,
                                          const wpa_expression *expression)
{
    types->expression = expression;
    types->reach = WPA_TYPES_OF_FILE;
    const wpa_fact_availability *key = expression->key;
    return (wpa_expr_scope){
        .contexts = key ? key->context_bits : UINT32_MAX,
        .functions = key ? key->functions : NULL,
        .known_contexts = wpa_facts_context_names(),
        .key = expression->key_name,
        .type_of = type_of,
        .data = types,
    };
}

wpa_types_reach wpa_expression_types_reach(const wpa_expression_types *types)
{
    return types->reach;
}

const wpa_type *wpa_expression_types_default(const wpa_expression_types *types,
                                             const wpa_expression *expression)
{
    const wpa_workflow *workflow = triggers_of(types);
    const wpa_trigger *call = workflow ? wpa_workflow_trigger(workflow, "workflow_call") : NULL;
    for (size_t i = 0; call && i < call->n_inputs; i++) {
        if (call->inputs[i].default_value.node == expression->place->node) {
            return parameter_type(&call->inputs[i]);
        }
    }
    return NULL;
}

void wpa_expression_types_ask(wpa_expression_types *types, wpa_rule_run *run)
{
    types->run = run;
    types->source = run->source; /* as this run sees it */
}

wpa_expression_types *wpa_expression_types_new(wpa_rule_run *run)
{
    const wpa_source *source = run->source;
    wpa_arena *arena = source->yaml->arena; /* it outlives the run */
    wpa_expression_types *t = wpa_arena_alloc(arena, sizeof *t);
    t->run = run;
    t->source = source;
    t->arena = arena;
    t->job_types = wpa_arena_array(arena, source->outline->n_jobs + 1, sizeof *t->job_types);
    return t;
}
