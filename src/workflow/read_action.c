#include "workflow/reader.h"

static wpa_action_kind kind_of(const char *using)
{
    static const struct {
        const char *prefix;
        wpa_action_kind kind;
    } kinds[] = {{"composite", WPA_ACTION_COMPOSITE},
                 {"node", WPA_ACTION_JAVASCRIPT},
                 {"docker", WPA_ACTION_DOCKER}};
    for (size_t i = 0; using && i < WPA_COUNT(kinds); i++) {
        if (wpa_text_starts(using, kinds[i].prefix)) {
            return kinds[i].kind;
        }
    }
    return WPA_ACTION_UNKNOWN;
}

static void read_runs(wpa_reader *r, wpa_action_file *a, const wpa_yaml_node *runs)
{
    a->using_value = wpa_reader_value(r, runs, "using");
    a->kind = kind_of(a->using_value.text);
    a->main = wpa_reader_value(r, runs, "main");
    a->pre = wpa_reader_value(r, runs, "pre");
    a->post = wpa_reader_value(r, runs, "post");
    a->pre_if = wpa_reader_value(r, runs, "pre-if");
    a->post_if = wpa_reader_value(r, runs, "post-if");
    a->image = wpa_reader_value(r, runs, "image");
    a->entrypoint = wpa_reader_value(r, runs, "entrypoint");
    a->pre_entrypoint = wpa_reader_value(r, runs, "pre-entrypoint");
    a->post_entrypoint = wpa_reader_value(r, runs, "post-entrypoint");
    a->args = wpa_reader_list(r, runs, "args");
    a->env = wpa_reader_map(r, runs, "env");
    if (!r->is_frame) {
        const wpa_yaml_node *steps =
            wpa_reader_sequence(r, runs, "steps", &a->steps_key, &a->has_unknown_steps);
        a->steps = wpa_reader_steps(r, steps, &a->n_steps);
    }
}

const wpa_action_file *wpa_reader_action(wpa_reader *r, const wpa_yaml_node *root)
{
    wpa_action_file *a = wpa_arena_alloc(r->arena, sizeof *a);
    bool is_unknown;
    a->name = wpa_reader_value(r, root, "name");
    a->description = wpa_reader_value(r, root, "description");
    a->author = wpa_reader_value(r, root, "author");
    const wpa_yaml_node *inputs =
        wpa_reader_mapping(r, root, "inputs", &a->inputs_key, &is_unknown);
    a->inputs = wpa_reader_parameters(r, inputs, &a->n_inputs);
    const wpa_yaml_node *outputs =
        wpa_reader_mapping(r, root, "outputs", &a->outputs_key, &is_unknown);
    a->outputs = wpa_reader_interfaces(r, outputs, &a->n_outputs);
    a->runs_node = wpa_reader_mapping(r, root, "runs", &a->runs_key, &is_unknown);
    read_runs(r, a, a->runs_node);
    const wpa_yaml_node *key;
    const wpa_yaml_node *branding = wpa_reader_mapping(r, root, "branding", &key, &is_unknown);
    a->icon = wpa_reader_value(r, branding, "icon");
    a->color = wpa_reader_value(r, branding, "color");
    return a;
}

static wpa_dependabot_update read_update(wpa_reader *r, const wpa_yaml_node *written)
{
    const wpa_yaml_node *node = wpa_yaml_resolve(written);
    wpa_dependabot_update u = {.node = node ? node : written};
    if (!wpa_yaml_is(node, WPA_YAML_MAPPING)) {
        wpa_reader_fault(r, written, "a mapping");
        u.is_unknown = true;
        return u;
    }
    bool is_unknown;
    u.ecosystem = wpa_reader_value(r, node, "package-ecosystem");
    u.directory = wpa_reader_value(r, node, "directory");
    u.directories = wpa_reader_list(r, node, "directories");
    u.target_branch = wpa_reader_value(r, node, "target-branch");
    u.open_pull_requests_limit = wpa_reader_value(r, node, "open-pull-requests-limit");
    u.rebase_strategy = wpa_reader_value(r, node, "rebase-strategy");
    u.insecure_external_code = wpa_reader_value(r, node, "insecure-external-code-execution");
    u.schedule_node = wpa_reader_mapping(r, node, "schedule", &u.schedule_key, &is_unknown);
    u.interval = wpa_reader_value(r, u.schedule_node, "interval");
    u.day = wpa_reader_value(r, u.schedule_node, "day");
    u.time = wpa_reader_value(r, u.schedule_node, "time");
    u.timezone = wpa_reader_value(r, u.schedule_node, "timezone");
    u.cronjob = wpa_reader_value(r, u.schedule_node, "cronjob");
    u.cooldown_node = wpa_reader_mapping(r, node, "cooldown", &u.cooldown_key, &is_unknown);
    u.groups_node = wpa_reader_mapping(r, node, "groups", &u.groups_key, &is_unknown);
    u.registries = wpa_reader_list(r, node, "registries");
    u.labels = wpa_reader_list(r, node, "labels");
    return u;
}

const wpa_dependabot *wpa_reader_dependabot(wpa_reader *r, const wpa_yaml_node *root)
{
    wpa_dependabot *d = wpa_arena_alloc(r->arena, sizeof *d);
    bool is_unknown;
    d->version = wpa_reader_value(r, root, "version");
    d->registries_node = wpa_reader_mapping(r, root, "registries", &d->registries_key, &is_unknown);
    const wpa_yaml_node *updates =
        wpa_reader_sequence(r, root, "updates", &d->updates_key, &d->has_unknown_updates);
    d->n_updates = updates ? updates->n_items : 0;
    wpa_dependabot_update *list = wpa_arena_array(r->arena, d->n_updates + 1, sizeof *list);
    for (size_t i = 0; i < d->n_updates; i++) {
        list[i] = read_update(r, updates->items[i]);
    }
    d->updates = list;
    return d;
}
