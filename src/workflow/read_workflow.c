#include <string.h>

#include "workflow/reader.h"

static wpa_concurrency read_concurrency(wpa_reader *r, const wpa_yaml_node *owner)
{
    wpa_concurrency c = {0};
    if (!wpa_reader_pair(owner, "concurrency", &c.key, &c.node) || !c.node) {
        return c;
    }
    if (c.node->kind == WPA_YAML_SCALAR) {
        c.group = wpa_reader_value_of(r, c.key, c.node);
        return c;
    }
    c.is_unknown = c.node->kind != WPA_YAML_MAPPING;
    if (c.is_unknown) {
        wpa_reader_fault(r, c.node, "text or a mapping");
        return c;
    }
    c.group = wpa_reader_value(r, c.node, "group");
    c.cancel_in_progress = wpa_reader_value(r, c.node, "cancel-in-progress");
    c.queue = wpa_reader_value(r, c.node, "queue");
    return c;
}

static wpa_defaults read_defaults(wpa_reader *r, const wpa_yaml_node *owner)
{
    wpa_defaults d = {0};
    const wpa_yaml_node *run_key;
    bool is_run_unknown = false;
    d.node = wpa_reader_mapping(r, owner, "defaults", &d.key, &d.is_unknown);
    const wpa_yaml_node *run =
        d.node ? wpa_reader_mapping(r, d.node, "run", &run_key, &is_run_unknown) : NULL;
    d.is_unknown = d.is_unknown || is_run_unknown;
    if (run) {
        d.shell = wpa_reader_value(r, run, "shell");
        d.working_directory = wpa_reader_value(r, run, "working-directory");
    }
    return d;
}

/* ---- triggers ---- */

static const wpa_schedule *read_schedules(wpa_reader *r, const wpa_yaml_node *list, size_t *n)
{
    *n = list->n_items;
    wpa_schedule *schedules = wpa_arena_array(r->arena, *n + 1, sizeof *schedules);
    for (size_t i = 0; i < *n; i++) {
        const wpa_yaml_node *node = wpa_yaml_resolve(list->items[i]);
        schedules[i] = (wpa_schedule){
            .node = node,
            .cron = wpa_reader_value(r, node, "cron"),
            .timezone = wpa_reader_value(r, node, "timezone"),
        };
        if (!wpa_yaml_is(node, WPA_YAML_MAPPING)) {
            wpa_reader_fault(r, list->items[i], "a mapping with cron");
            schedules[i].cron.is_unknown = true;
        }
    }
    return schedules;
}

static void read_filters(wpa_reader *r, wpa_trigger *t)
{
    const wpa_yaml_node *key, *node = t->node;
    bool is_unknown;
    t->types = wpa_reader_list(r, node, "types");
    t->branches = wpa_reader_list(r, node, "branches");
    t->tags = wpa_reader_list(r, node, "tags");
    t->tags_ignore = wpa_reader_list(r, node, "tags-ignore");
    if (!r->is_frame) {
        t->branches_ignore = wpa_reader_list(r, node, "branches-ignore");
        t->paths = wpa_reader_list(r, node, "paths");
        t->paths_ignore = wpa_reader_list(r, node, "paths-ignore");
        t->workflows = wpa_reader_list(r, node, "workflows");
    }
    const wpa_yaml_node *inputs = wpa_reader_mapping(r, node, "inputs", &key, &is_unknown);
    t->is_unknown = is_unknown;
    t->inputs = wpa_reader_parameters(r, inputs, &t->n_inputs);
    const wpa_yaml_node *outputs = wpa_reader_mapping(r, node, "outputs", &key, &is_unknown);
    t->is_unknown = t->is_unknown || is_unknown;
    t->outputs = wpa_reader_interfaces(r, outputs, &t->n_outputs);
    const wpa_yaml_node *secrets = wpa_reader_mapping(r, node, "secrets", &key, &is_unknown);
    t->is_unknown = t->is_unknown || is_unknown;
    t->secrets = wpa_reader_interfaces(r, secrets, &t->n_secrets);
}

static void read_trigger(wpa_reader *r, wpa_trigger *t, const wpa_yaml_node *name,
                         const wpa_yaml_node *body)
{
    const wpa_yaml_node *node = wpa_yaml_resolve(body);
    t->name = wpa_yaml_text(name);
    t->name_node = name;
    t->node = node && !wpa_yaml_is_null(node) ? node : NULL;
    if (!t->node) {
        return;
    }
    if (t->node->kind == WPA_YAML_SEQUENCE && wpa_text_is(t->name, "schedule")) {
        t->schedules = read_schedules(r, t->node, &t->n_schedules);
    } else if (t->node->kind == WPA_YAML_MAPPING) {
        read_filters(r, t);
    } else {
        wpa_reader_fault(r, body, "a mapping");
        t->is_unknown = true;
    }
}

static void add_trigger(wpa_reader *r, wpa_workflow *w, wpa_trigger *triggers,
                        const wpa_yaml_node *name, const wpa_yaml_node *body)
{
    if (!wpa_yaml_text(name)) {
        wpa_reader_fault(r, name, "the name of an event");
        w->has_unknown_triggers = true;
        return;
    }
    read_trigger(r, &triggers[w->n_triggers++], name, body);
}

static void read_triggers(wpa_reader *r, wpa_workflow *w, const wpa_yaml_node *root)
{
    if (!wpa_reader_pair(root, "on", &w->on_key, &w->on_node) || !w->on_node) {
        w->has_unknown_triggers = !w->on_key && wpa_yaml_find(root, "true") != NULL;
        return;
    }
    const wpa_yaml_node *on = w->on_node;
    size_t n_pairs = 0;
    const wpa_yaml_pair *pairs = wpa_yaml_pairs_merged(on, r->arena, &n_pairs);
    wpa_trigger *triggers = wpa_arena_array(
        r->arena, (size_t)(on->kind == WPA_YAML_SCALAR) + n_pairs + on->n_items, sizeof *triggers);
    w->triggers = triggers;
    w->has_unknown_triggers = on->is_incomplete;
    if (on->kind == WPA_YAML_SCALAR) {
        add_trigger(r, w, triggers, on, NULL);
    }
    for (size_t i = 0; i < on->n_items; i++) {
        const wpa_yaml_node *name = wpa_yaml_resolve(on->items[i]);
        add_trigger(r, w, triggers, name ? name : on->items[i], NULL);
    }
    for (size_t i = 0; i < n_pairs; i++) {
        add_trigger(r, w, triggers, pairs[i].key, pairs[i].value);
    }
}

/* ---- jobs ---- */

static wpa_container read_container_of(wpa_reader *r, const wpa_yaml_node *key,
                                       const wpa_yaml_node *written)
{
    const wpa_yaml_node *node = wpa_yaml_resolve(written);
    wpa_container c = {.key = key, .node = node};
    if (!node || node->kind == WPA_YAML_SCALAR) {
        c.image = wpa_reader_value_of(r, key, written);
        return c;
    }
    if (node->kind != WPA_YAML_MAPPING) {
        wpa_reader_fault(r, written, "an image or a mapping");
        c.is_unknown = true;
        return c;
    }
    const wpa_yaml_node *credentials_key;
    bool is_unknown;
    const wpa_yaml_node *credentials =
        wpa_reader_mapping(r, node, "credentials", &credentials_key, &is_unknown);
    c.image = wpa_reader_value(r, node, "image");
    c.options = wpa_reader_value(r, node, "options");
    c.username = wpa_reader_value(r, credentials, "username");
    c.password = wpa_reader_value(r, credentials, "password");
    c.env = wpa_reader_map(r, node, "env");
    c.ports = wpa_reader_list(r, node, "ports");
    c.volumes = wpa_reader_list(r, node, "volumes");
    return c;
}

static void read_container(wpa_reader *r, wpa_workflow_job *job, const wpa_yaml_node *node)
{
    const wpa_yaml_node *key, *value;
    if (wpa_reader_pair(node, "container", &key, &value) && value) {
        job->container = read_container_of(r, key, value);
    }
}

static void read_services(wpa_reader *r, wpa_workflow_job *job, const wpa_yaml_node *node)
{
    bool is_unknown;
    const wpa_yaml_node *services =
        wpa_reader_mapping(r, node, "services", &job->services_key, &is_unknown);
    if (!services) {
        return;
    }
    const wpa_yaml_pair *pairs = wpa_reader_pairs(r, services, &job->n_services);
    wpa_container *list = wpa_arena_array(r->arena, job->n_services, sizeof *list);
    for (size_t i = 0; i < job->n_services; i++) {
        list[i] = read_container_of(r, pairs[i].key, pairs[i].value);
        list[i].name = wpa_yaml_text(pairs[i].key);
    }
    job->services = list;
}

static void read_runner(wpa_reader *r, wpa_workflow_job *job, const wpa_yaml_node *node)
{
    const wpa_yaml_node *key, *value;
    if (!wpa_reader_pair(node, "runs-on", &key, &value) || !value) {
        return;
    }
    if (value->kind != WPA_YAML_MAPPING) {
        job->runs_on = wpa_reader_list_of(r, key, value);
        return;
    }
    job->runner_group = wpa_reader_value(r, value, "group");
    job->runs_on = wpa_reader_list(r, value, "labels");
    job->runs_on.key = key;
    job->runs_on.node = value;
}

static void read_environment(wpa_reader *r, wpa_workflow_job *job, const wpa_yaml_node *node)
{
    const wpa_yaml_node *key, *value;
    if (!wpa_reader_pair(node, "environment", &key, &value) || !value) {
        return;
    }
    if (value->kind == WPA_YAML_MAPPING) {
        job->environment = wpa_reader_value(r, value, "name");
        job->environment_url = wpa_reader_value(r, value, "url");
    } else {
        job->environment = wpa_reader_value_of(r, key, value);
    }
}

static void read_call(wpa_reader *r, wpa_workflow_job *job, const wpa_yaml_node *node)
{
    job->uses = wpa_reference_parse(&job->uses_value, r->arena);
    job->with = wpa_reader_map(r, node, "with");
    job->secrets = wpa_reader_map(r, node, "secrets");
}

/* How the job hangs together with others, and what runs beside it. */
static void read_frame(wpa_reader *r, wpa_workflow_job *job, const wpa_yaml_node *node)
{
    job->needs = wpa_reader_list(r, node, "needs");
    job->outputs = wpa_reader_map(r, node, "outputs");
    if (!r->is_frame) {
        job->strategy = wpa_reader_strategy(r, node);
        read_container(r, job, node);
    }
    read_services(r, job, node);
    job->uses_value = wpa_reader_value(r, node, "uses");
    if (!r->is_frame) {
        read_call(r, job, node);
    }
}

/* What it does, and how. */
static void read_work(wpa_reader *r, wpa_workflow_job *job, const wpa_yaml_node *node)
{
    job->name = wpa_reader_value(r, node, "name");
    job->condition = wpa_reader_value(r, node, "if");
    read_runner(r, job, node);
    job->permissions = wpa_reader_map(r, node, "permissions");
    read_environment(r, job, node);
    job->concurrency = read_concurrency(r, node);
    job->env = wpa_reader_map(r, node, "env");
    job->defaults = read_defaults(r, node);
    const wpa_yaml_node *steps =
        wpa_reader_sequence(r, node, "steps", &job->steps_key, &job->has_unknown_steps);
    job->steps = wpa_reader_steps(r, steps, &job->n_steps);
    job->timeout_minutes = wpa_reader_value(r, node, "timeout-minutes");
    job->continue_on_error = wpa_reader_value(r, node, "continue-on-error");
}

/** In place: a job is large. */
static void read_job(wpa_reader *r, wpa_workflow_job *job, const wpa_yaml_pair *pair, size_t index)
{
    const wpa_yaml_node *node = wpa_yaml_resolve(pair->value);
    job->index = index;
    job->id = wpa_yaml_text(pair->key);
    job->key = pair->key;
    job->node = node;
    if (!wpa_yaml_is(node, WPA_YAML_MAPPING)) {
        if (!node || !node->is_incomplete) {
            wpa_reader_fault(r, pair->value, "a mapping");
        }
        job->is_unknown = true;
        return;
    }
    read_frame(r, job, node);
    if (!r->is_frame) {
        read_work(r, job, node);
    }
    job->is_unknown = node->is_incomplete;
}

const wpa_workflow_job *wpa_reader_job_frame(wpa_reader *r, const wpa_yaml_node *job)
{
    wpa_workflow_job *frame = wpa_arena_alloc(r->arena, sizeof *frame);
    frame->node = wpa_yaml_resolve(job);
    read_frame(r, frame, frame->node);
    frame->is_unknown = frame->node->is_incomplete;
    return frame;
}

wpa_workflow *wpa_reader_triggers(wpa_reader *r, const wpa_yaml_node *root)
{
    wpa_workflow *w = wpa_arena_alloc(r->arena, sizeof *w);
    read_triggers(r, w, root);
    return w;
}

const wpa_workflow *wpa_reader_workflow(wpa_reader *r, const wpa_yaml_node *root)
{
    wpa_workflow *w = wpa_reader_triggers(r, root);
    if (!r->is_frame) {
        w->name = wpa_reader_value(r, root, "name");
        w->run_name = wpa_reader_value(r, root, "run-name");
        w->permissions = wpa_reader_map(r, root, "permissions");
        w->env = wpa_reader_map(r, root, "env");
        w->defaults = read_defaults(r, root);
        w->concurrency = read_concurrency(r, root);
    }
    w->jobs_node = wpa_reader_mapping(r, root, "jobs", &w->jobs_key, &w->has_unknown_jobs);
    const wpa_yaml_pair *pairs = wpa_reader_pairs(r, w->jobs_node, &w->n_jobs);
    if (w->n_jobs > WPA_WORKFLOW_MAX_JOBS) {
        w->n_jobs = WPA_WORKFLOW_MAX_JOBS;
        w->has_unknown_jobs = true;
    }
    wpa_workflow_job *jobs = wpa_arena_array(r->arena, w->n_jobs, sizeof *jobs);
    for (size_t i = 0; i < w->n_jobs; i++) {
        read_job(r, &jobs[i], &pairs[i], i);
    }
    w->jobs = jobs;
    return w;
}
