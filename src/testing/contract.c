#include "testing/contract.h"

#include <string.h>

#include <wpa/map.h>
#include <wpa/text.h>

#include "rules/shell.h"

#define PARTS_MAX 300 /* jobs, and steps of one, whose references are compared */
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

typedef struct changes {
    wpa_arena *arena;
    wpa_contract_change *items;
    size_t n, capacity;
} changes;

static void add(changes *list, wpa_contract_change one)
{
    list->items =
        wpa_arena_grow(list->arena, list->items, list->n, &list->capacity, sizeof *list->items);
    list->items[list->n++] = one;
}

/* ---- the interface ---- */

typedef struct interface {
    const wpa_parameter *inputs;
    size_t n_inputs;
    const wpa_interface *outputs;
    size_t n_outputs;
    const wpa_interface *secrets;
    size_t n_secrets;
    bool is_there;
    bool is_action;
} interface;

static interface interface_of(const wpa_model *model)
{
    const wpa_trigger *call =
        model && model->workflow ? wpa_workflow_trigger(model->workflow, "workflow_call") : NULL;
    if (model && model->action) {
        const wpa_action_file *action = model->action;
        return (interface){.inputs = action->inputs,
                           .n_inputs = action->n_inputs,
                           .outputs = action->outputs,
                           .n_outputs = action->n_outputs,
                           .is_there = true,
                           .is_action = true};
    }
    return call ? (interface){.inputs = call->inputs,
                              .n_inputs = call->n_inputs,
                              .outputs = call->outputs,
                              .n_outputs = call->n_outputs,
                              .secrets = call->secrets,
                              .n_secrets = call->n_secrets,
                              .is_there = true}
                : (interface){.is_there = false};
}

bool wpa_contract_is_callable(const wpa_model *model)
{
    return interface_of(model).is_there;
}

static const char *lower(const char *text, wpa_arena *arena)
{
    char *copy = wpa_arena_text(arena, text);
    for (char *c = copy; *c; c++) {
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    }
    return copy;
}

static wpa_map *parameters_by_name(const wpa_parameter *items, size_t n, wpa_arena *arena)
{
    wpa_map *map = wpa_map_new(arena);
    for (size_t i = 0; i < n; i++) {
        wpa_map_put(map, lower(items[i].name, arena), (void *)(uintptr_t)&items[i]);
    }
    return map;
}

static wpa_map *interfaces_by_name(const wpa_interface *items, size_t n, wpa_arena *arena)
{
    wpa_map *map = wpa_map_new(arena);
    for (size_t i = 0; i < n; i++) {
        wpa_map_put(map, lower(items[i].name, arena), (void *)(uintptr_t)&items[i]);
    }
    return map;
}

/* ---- inputs ---- */

static bool is_demanded(const wpa_parameter *input)
{
    return wpa_value_bool(&input->required) == 1 && !wpa_value_is_set(&input->default_value);
}

static void compare_input(changes *list, const wpa_parameter *was, const wpa_parameter *is,
                          bool is_action)
{
    const char *name = was->name;
    const char *old_type = was->type.text ? was->type.text : "string";
    const char *new_type = is->type.text ? is->type.text : "string";
    if (!is_demanded(was) && is_demanded(is)) {
        add(list, (wpa_contract_change){
                      .rule = "C302",
                      .is_error = !is_action, /* of actions nobody holds it up */
                      .concern = WPA_CONTRACT_OMITS,
                      .name = name,
                      .text = wpa_arena_printf(list->arena, "input '%s' must be given now", name)});
    }
    if (!is_action && !wpa_text_is(old_type, new_type)) {
        add(list, (wpa_contract_change){.rule = "C303",
                                        .is_error = true,
                                        .concern = WPA_CONTRACT_GIVES,
                                        .name = name,
                                        .text = wpa_arena_printf(list->arena,
                                                                 "input '%s' is a %s, and was a %s",
                                                                 name, new_type, old_type)});
    }
    const char *old_default = was->default_value.text, *new_default = is->default_value.text;
    if (!wpa_text_is(old_default ? old_default : "", new_default ? new_default : "")) {
        add(list, (wpa_contract_change){.rule = "C304",
                                        .concern = WPA_CONTRACT_OMITS,
                                        .name = name,
                                        .text = wpa_arena_printf(
                                            list->arena, "input '%s' has another default", name)});
    }
}

static void compare_inputs(changes *list, const interface *before, const interface *after)
{
    const wpa_map *was = parameters_by_name(before->inputs, before->n_inputs, list->arena);
    const wpa_map *is = parameters_by_name(after->inputs, after->n_inputs, list->arena);
    for (size_t i = 0; i < wpa_map_count(was); i++) {
        void *old;
        const wpa_parameter *now = wpa_map_get(is, wpa_map_at(was, i, &old));
        const wpa_parameter *input = old;
        if (now) {
            compare_input(list, input, now, before->is_action);
        } else {
            add(list, (wpa_contract_change){
                          .rule = "C301",
                          .is_error = true,
                          .concern = WPA_CONTRACT_GIVES,
                          .name = input->name,
                          .text = wpa_arena_printf(list->arena, "input '%s' goes", input->name)});
        }
    }
    for (size_t i = 0; i < after->n_inputs; i++) {
        const wpa_parameter *input = &after->inputs[i];
        if (!wpa_map_has(was, lower(input->name, list->arena)) && is_demanded(input)) {
            add(list,
                (wpa_contract_change){
                    .rule = "C302",
                    .is_error = !before->is_action,
                    .concern = WPA_CONTRACT_OMITS,
                    .name = input->name,
                    .text = wpa_arena_printf(
                        list->arena, "there is an input '%s' that must be given", input->name)});
        }
    }
}

/* ---- outputs and secrets ---- */

/** The job whose output a workflow's output hands on, if its value is just that; or NULL. */
static const wpa_workflow_job *source_of(const wpa_model *model, const wpa_interface *output)
{
    static const char prefix[] = "jobs.";
    const char *at =
        model->workflow && output->value.text ? strstr(output->value.text, prefix) : NULL;
    for (size_t i = 0; at && i < model->workflow->n_jobs; i++) {
        const wpa_workflow_job *job = &model->workflow->jobs[i];
        size_t length = strlen(job->id);
        if (strncmp(at + strlen(prefix), job->id, length) == 0 &&
            at[strlen(prefix) + length] == '.') {
            return job;
        }
    }
    return NULL;
}

static void compare_outputs(changes *list, const wpa_model *was, const wpa_model *is,
                            const interface *before, const interface *after)
{
    const wpa_map *now = interfaces_by_name(after->outputs, after->n_outputs, list->arena);
    for (size_t i = 0; i < before->n_outputs; i++) {
        const wpa_interface *old = &before->outputs[i];
        const wpa_interface *new = wpa_map_get(now, lower(old->name, list->arena));
        const wpa_workflow_job *old_job = source_of(was, old);
        const wpa_workflow_job *new_job = new ? source_of(is, new) : NULL;
        if (!new) {
            add(list, (wpa_contract_change){
                          .rule = "C306",
                          .is_error = true,
                          .concern = WPA_CONTRACT_READS,
                          .name = old->name,
                          .text = wpa_arena_printf(list->arena, "output '%s' goes", old->name)});
        } else if (old_job && new_job && !old_job->condition.node && new_job->condition.node) {
            add(list, (wpa_contract_change){
                          .rule = "C307",
                          .concern = WPA_CONTRACT_READS,
                          .name = old->name,
                          .text = wpa_arena_printf(list->arena,
                                                   "output '%s' comes from a job that has a "
                                                   "condition now",
                                                   old->name)});
        }
    }
}

static void compare_secrets(changes *list, const interface *before, const interface *after)
{
    const wpa_map *was = interfaces_by_name(before->secrets, before->n_secrets, list->arena);
    const wpa_map *is = interfaces_by_name(after->secrets, after->n_secrets, list->arena);
    for (size_t i = 0; i < before->n_secrets; i++) {
        const char *name = before->secrets[i].name;
        if (!wpa_map_has(is, lower(name, list->arena))) {
            add(list, (wpa_contract_change){
                          .rule = "C308",
                          .is_error = true,
                          .is_secret = true,
                          .concern = WPA_CONTRACT_GIVES,
                          .name = name,
                          .text = wpa_arena_printf(list->arena, "secret '%s' goes", name)});
        }
    }
    for (size_t i = 0; i < after->n_secrets; i++) {
        const wpa_interface *secret = &after->secrets[i];
        const wpa_interface *old = wpa_map_get(was, lower(secret->name, list->arena));
        if (wpa_value_bool(&secret->required) == 1 &&
            (!old || wpa_value_bool(&old->required) != 1)) {
            add(list, (wpa_contract_change){
                          .rule = "C309",
                          .is_error = true,
                          .is_secret = true,
                          .concern = WPA_CONTRACT_OMITS,
                          .name = secret->name,
                          .text = wpa_arena_printf(list->arena, "secret '%s' must be given now",
                                                   secret->name)});
        }
    }
}

/* ---- permissions ---- */

static int level_of(const wpa_value_map *permissions, const char *scope)
{
    static const char *const levels[] = {"none", "read", "write"};
    const wpa_named *named = wpa_value_map_find(permissions, scope);
    const char *all = permissions->scalar.text;
    if (!permissions->key ||
        (all && !wpa_text_is(all, "read-all") && !wpa_text_is(all, "write-all"))) {
        return -1;
    }
    return all     ? 1 + wpa_text_is(all, "write-all")
           : named ? wpa_text_index(named->value.text, levels, WPA_COUNT(levels))
                   : 0;
}

int wpa_contract_level(const wpa_workflow *workflow, const wpa_workflow_job *job, const char *scope)
{
    return job->permissions.key ? level_of(&job->permissions, scope)
                                : level_of(&workflow->permissions, scope);
}

/** The most that a job of it asks for; -1: one asks for whatever there is. */
static int most_asked(const wpa_workflow *workflow, const char *scope)
{
    int most = 0;
    for (size_t i = 0; i < workflow->n_jobs; i++) {
        int level = wpa_contract_level(workflow, &workflow->jobs[i], scope);
        if (level < 0) {
            return -1;
        }
        most = level > most ? level : most;
    }
    return most;
}

static void compare_scope(changes *list, const wpa_workflow *was, const wpa_workflow *is,
                          const char *scope)
{
    static const char *const levels[] = {"none", "read", "write"};
    int before = most_asked(was, scope), after = most_asked(is, scope);
    if (before < 0 || after <= before) {
        return;
    }
    add(list, (wpa_contract_change){.rule = "C314",
                                    .is_error = true,
                                    .concern = WPA_CONTRACT_LENDS,
                                    .name = wpa_arena_text(list->arena, scope),
                                    .level = after,
                                    .text = wpa_arena_printf(list->arena, "it asks for %s: %s",
                                                             scope, levels[after])});
}

static void compare_permissions(changes *list, const wpa_workflow *was, const wpa_workflow *is)
{
    wpa_map *scopes = wpa_map_new(list->arena);
    for (size_t i = 0; i <= is->n_jobs; i++) {
        const wpa_value_map *map = i < is->n_jobs ? &is->jobs[i].permissions : &is->permissions;
        for (size_t k = 0; k < map->n && wpa_map_count(scopes) < 50; k++) {
            wpa_map_put(scopes, map->items[k].name, scopes);
        }
    }
    for (size_t i = 0; i < wpa_map_count(scopes); i++) {
        compare_scope(list, was, is, wpa_map_at(scopes, i, NULL));
    }
}

/* ---- actions ---- */

static void compare_actions(changes *list, const wpa_action_file *was, const wpa_action_file *is)
{
    const char *old = was->using_value.text, *new = is->using_value.text;
    bool loses_part = (was->post.text && !is->post.text) || (was->pre.text && !is->pre.text);
    if (was->kind != is->kind) {
        add(list, (wpa_contract_change){.rule = "C327",
                                        .is_error = true,
                                        .text = "the action is of another kind (using)"});
    } else if (!wpa_text_is(old, new)) {
        add(list, (wpa_contract_change){.rule = "C326", .text = "the action has another runtime"});
    }
    if (loses_part) {
        add(list, (wpa_contract_change){.rule = "C328",
                                        .text = "the action loses what it did before or behind "
                                                "the job"});
    }
}

/* ---- variables that an action leaves to the steps behind it ---- */

static void note_variables(wpa_map *names, const wpa_step *step, wpa_arena *arena)
{
    const char *text = step->run.text;
    const wpa_script *script =
        text && strstr(text, "GITHUB_ENV") ? wpa_script_read(text, strlen(text), arena) : NULL;
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *command = &script->commands[i];
        bool is_told = false;
        for (size_t k = 0; k < command->n_redirects; k++) {
            is_told = is_told || strstr(command->redirects[k].target.text, "GITHUB_ENV");
        }
        for (size_t k = command->first + 1; k < command->n_words && is_told; k++) {
            const char *word = command->words[k].text, *equals = strchr(word, '=');
            if (equals > word && equals == word + strspn(word, LETTERS)) {
                wpa_map_put(names, wpa_arena_slice(arena, word, (size_t)(equals - word)), names);
            }
        }
    }
}

static wpa_map *variables_of(const wpa_action_file *action, wpa_arena *arena)
{
    wpa_map *names = wpa_map_new(arena);
    for (size_t i = 0; i < action->n_steps; i++) {
        note_variables(names, &action->steps[i], arena);
    }
    return names;
}

static void compare_variables(changes *list, const wpa_action_file *was, const wpa_action_file *is)
{
    const wpa_map *before = variables_of(was, list->arena), *after = variables_of(is, list->arena);
    for (size_t i = 0; i < wpa_map_count(before); i++) {
        const char *name = wpa_map_at(before, i, NULL);
        if (!wpa_map_has(after, name)) {
            add(list, (wpa_contract_change){
                          .rule = "C329",
                          .concern = WPA_CONTRACT_SEES,
                          .name = name,
                          .text = wpa_arena_printf(list->arena,
                                                   "the variable '%s' is not set any more", name)});
        }
    }
}

/* ---- what it is started with ---- */

static const wpa_trigger *dispatch_of(const wpa_model *model)
{
    return model && model->workflow ? wpa_workflow_trigger(model->workflow, "workflow_dispatch")
                                    : NULL;
}

bool wpa_contract_is_startable(const wpa_model *model)
{
    return dispatch_of(model) != NULL;
}

static void compare_choices(changes *list, const wpa_parameter *was, const wpa_parameter *is)
{
    for (size_t i = 0; i < was->options.n && is->options.n; i++) {
        const char *value = was->options.items[i].text;
        if (value && !wpa_value_list_has(&is->options, value)) {
            add(list, (wpa_contract_change){.rule = "C305",
                                            .is_error = true,
                                            .concern = WPA_CONTRACT_STARTS,
                                            .name = was->name,
                                            .value = value,
                                            .text = wpa_arena_printf(
                                                list->arena, "input '%s' cannot be '%s' any more",
                                                was->name, value)});
        }
    }
}

/** Whether it can be started at all is for the trigger corpus to say. */
static void compare_dispatch(changes *list, const wpa_model *before, const wpa_model *after)
{
    const wpa_trigger *was = dispatch_of(before), *is = dispatch_of(after);
    const wpa_map *now =
        is ? parameters_by_name(is->inputs, is->n_inputs, list->arena) : wpa_map_new(list->arena);
    for (size_t i = 0; was && is && i < was->n_inputs; i++) {
        const wpa_parameter *input = &was->inputs[i];
        const wpa_parameter *same = wpa_map_get(now, lower(input->name, list->arena));
        if (same) {
            compare_choices(list, input, same);
        } else {
            add(list,
                (wpa_contract_change){.rule = "C317",
                                      .is_error = true,
                                      .concern = WPA_CONTRACT_STARTS,
                                      .name = input->name,
                                      .text = wpa_arena_printf(list->arena,
                                                               "it cannot be started with '%s' any "
                                                               "more",
                                                               input->name)});
        }
    }
}

/* ---- where its parts come from ---- */

static void compare_reference(changes *list, const wpa_reference *was, const wpa_reference *is)
{
    if (was->kind == WPA_REFERENCE_REPOSITORY && is->kind == WPA_REFERENCE_REPOSITORY &&
        !wpa_text_is_ci(was->slug, is->slug)) {
        add(list, (wpa_contract_change){.rule = "C330",
                                        .is_error = true,
                                        .text = wpa_arena_printf(list->arena,
                                                                 "what came from '%s' comes from "
                                                                 "'%s'",
                                                                 was->slug, is->slug)});
    }
}

static const wpa_step *same_step(const wpa_step *steps, size_t n, const wpa_step *like,
                                 size_t n_like)
{
    for (size_t i = 0; i < n && (like->id.text || like->name.text); i++) {
        if (like->id.text ? wpa_text_is(steps[i].id.text, like->id.text)
                          : wpa_text_is(steps[i].name.text, like->name.text)) {
            return &steps[i];
        }
    }
    return n == n_like ? &steps[like->index] : NULL;
}

static void compare_steps(changes *list, const wpa_step *was, size_t n_was, const wpa_step *is,
                          size_t n_is)
{
    for (size_t i = 0; i < n_was && i < PARTS_MAX; i++) {
        const wpa_step *same = same_step(is, n_is, &was[i], n_was);
        if (same) {
            compare_reference(list, &was[i].uses, &same->uses);
        }
    }
}

static void compare_references(changes *list, const wpa_model *was, const wpa_model *is)
{
    for (size_t i = 0; was->workflow && is->workflow && i < was->workflow->n_jobs && i < PARTS_MAX;
         i++) {
        const wpa_workflow_job *job = &was->workflow->jobs[i];
        const wpa_workflow_job *same = wpa_workflow_job_find(is->workflow, job->id);
        if (same) {
            compare_reference(list, &job->uses, &same->uses);
            compare_steps(list, job->steps, job->n_steps, same->steps, same->n_steps);
        }
    }
    if (was->action && is->action) {
        compare_steps(list, was->action->steps, was->action->n_steps, is->action->steps,
                      is->action->n_steps);
    }
}

const wpa_contract_change *wpa_contract_compare(const wpa_model *before, const wpa_model *after,
                                                wpa_arena *arena, size_t *n)
{
    changes list = {.arena = arena};
    const interface was = interface_of(before), is = interface_of(after);
    if (was.is_there && !is.is_there) {
        add(&list,
            (wpa_contract_change){.rule = "C315",
                                  .is_error = true,
                                  .text = after ? "it cannot be called any more" : "it goes"});
    } else if (was.is_there) {
        compare_inputs(&list, &was, &is);
        compare_outputs(&list, before, after, &was, &is);
        compare_secrets(&list, &was, &is);
        if (before->action && after->action) {
            compare_actions(&list, before->action, after->action);
            compare_variables(&list, before->action, after->action);
        } else if (before->workflow && after->workflow) {
            compare_permissions(&list, before->workflow, after->workflow);
        }
    }
    if (before && after) {
        compare_dispatch(&list, before, after);
        compare_references(&list, before, after);
    }
    *n = list.n;
    return list.items;
}
