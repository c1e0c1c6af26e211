#include <string.h>

#include "workflow/reader.h"

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_yaml_name(const char *name, const char *stem)
{
    size_t length = strlen(stem);
    return strncmp(name, stem, length) == 0 &&
           (wpa_text_is(name + length, ".yml") || wpa_text_is(name + length, ".yaml"));
}

wpa_file_kind wpa_file_kind_of(const char *path)
{
    static const char folder[] = ".github/workflows/";
    const char *name = base_name(path);
    if (is_yaml_name(name, "action")) {
        const char *in_workflows = strstr(path, folder);
        return in_workflows ? WPA_FILE_WORKFLOW : WPA_FILE_ACTION;
    }
    if (is_yaml_name(name, "dependabot") &&
        (!strchr(path, '/') ||
         wpa_text_ends(path, wpa_text_ends(path, ".yml") ? ".github/dependabot.yml"
                                                         : ".github/dependabot.yaml"))) {
        return WPA_FILE_DEPENDABOT;
    }
    const char *at = strstr(path, folder);
    bool is_direct = at && (at == path || at[-1] == '/') && !strchr(at + strlen(folder), '/');
    return is_direct && (wpa_text_ends(path, ".yml") || wpa_text_ends(path, ".yaml"))
               ? WPA_FILE_WORKFLOW
               : WPA_FILE_OTHER;
}

static wpa_file_kind kind_by_content(const wpa_yaml_node *root)
{
    if (wpa_yaml_find(root, "jobs")) {
        return WPA_FILE_WORKFLOW;
    }
    if (wpa_yaml_find(root, "runs")) {
        return WPA_FILE_ACTION;
    }
    return wpa_yaml_find(root, "updates") ? WPA_FILE_DEPENDABOT : WPA_FILE_OTHER;
}

const wpa_model *wpa_model_read(const wpa_yaml_doc *doc, wpa_file_kind kind, wpa_arena *arena)
{
    wpa_model *model = wpa_arena_alloc(arena, sizeof *model);
    wpa_reader r = {.arena = arena};
    const wpa_yaml_node *root = wpa_yaml_resolve(doc->root);
    if (kind == WPA_FILE_OTHER) {
        kind = wpa_file_kind_of(doc->path);
    }
    if (kind == WPA_FILE_OTHER) {
        kind = kind_by_content(root);
    }
    model->kind = kind;
    model->path = doc->path;
    model->doc = doc;
    if (root && root->kind != WPA_YAML_MAPPING && !wpa_yaml_is_null(root)) {
        wpa_reader_fault(&r, root, "a mapping");
    }
    switch (kind) {
    case WPA_FILE_WORKFLOW:
        model->workflow = wpa_reader_workflow(&r, root);
        break;
    case WPA_FILE_ACTION:
        model->action = wpa_reader_action(&r, root);
        break;
    case WPA_FILE_DEPENDABOT:
        model->dependabot = wpa_reader_dependabot(&r, root);
        break;
    case WPA_FILE_OTHER:
        break;
    }
    model->shape_faults = r.faults;
    model->n_shape_faults = r.n_faults;
    return model;
}

const wpa_workflow *wpa_model_frame(const wpa_yaml_doc *doc, wpa_arena *arena)
{
    wpa_reader r = {.arena = arena, .is_frame = true};
    return wpa_reader_workflow(&r, wpa_yaml_resolve(doc->root));
}

const wpa_workflow *wpa_model_triggers(const wpa_yaml_doc *doc, wpa_arena *arena)
{
    wpa_reader r = {.arena = arena, .is_frame = true};
    return wpa_reader_triggers(&r, wpa_yaml_resolve(doc->root));
}

const wpa_workflow_job *wpa_model_job_frame(const wpa_yaml_node *job, wpa_arena *arena)
{
    wpa_reader r = {.arena = arena, .is_frame = true};
    return wpa_reader_job_frame(&r, job);
}

const wpa_action_file *wpa_model_action_frame(const wpa_yaml_doc *doc, wpa_arena *arena)
{
    wpa_reader r = {.arena = arena, .is_frame = true};
    return wpa_reader_action(&r, wpa_yaml_resolve(doc->root));
}

const wpa_model *wpa_model_parse(const char *path, wpa_file_kind kind, const void *data,
                                 size_t size_bytes, wpa_arena *arena, wpa_error *err)
{
    const wpa_yaml_doc *doc = wpa_yaml_parse(path, data, size_bytes, arena, err);
    return doc ? wpa_model_read(doc, kind, arena) : NULL;
}

/* ---- finding things ---- */

const wpa_named *wpa_value_map_find(const wpa_value_map *map, const char *name)
{
    for (size_t i = 0; i < map->n; i++) {
        if (wpa_text_is(map->items[i].name, name)) {
            return &map->items[i];
        }
    }
    return NULL;
}

const wpa_named *wpa_value_map_find_ci(const wpa_value_map *map, const char *name)
{
    for (size_t i = 0; i < map->n; i++) {
        if (wpa_text_is_ci(map->items[i].name, name)) {
            return &map->items[i];
        }
    }
    return NULL;
}

bool wpa_value_list_has(const wpa_value_list *list, const char *text)
{
    for (size_t i = 0; i < list->n; i++) {
        if (wpa_text_is(list->items[i].text, text)) {
            return true;
        }
    }
    return false;
}

bool wpa_value_is_set(const wpa_value *value)
{
    return value->node != NULL || value->is_unknown;
}

int wpa_value_bool(const wpa_value *value)
{
    if (!value->text || wpa_yaml_scalar_type(value->node) != WPA_YAML_BOOL) {
        return -1;
    }
    return wpa_text_is_ci(value->text, "true") ? 1 : 0;
}

bool wpa_value_number(const wpa_value *value, double *number)
{
    return value->text && wpa_text_to_double(value->text, number);
}

const wpa_trigger *wpa_workflow_trigger(const wpa_workflow *workflow, const char *name)
{
    for (size_t i = 0; i < workflow->n_triggers; i++) {
        if (wpa_text_is(workflow->triggers[i].name, name)) {
            return &workflow->triggers[i];
        }
    }
    return NULL;
}

const wpa_workflow_job *wpa_workflow_job_find(const wpa_workflow *workflow, const char *id)
{
    for (size_t i = 0; i < workflow->n_jobs; i++) {
        if (wpa_text_is_ci(workflow->jobs[i].id, id)) {
            return &workflow->jobs[i];
        }
    }
    return NULL;
}

const wpa_step *wpa_workflow_job_step(const wpa_workflow_job *job, const char *id)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        if (job->steps[i].id.text && wpa_text_is_ci(job->steps[i].id.text, id)) {
            return &job->steps[i];
        }
    }
    return NULL;
}

/* The first eight words of a script. */
static const char *first_words(const char *script, wpa_arena *arena)
{
    size_t at = 0;
    for (int word = 0; word < 8 && script[at]; word++) {
        at += strspn(script + at, " \t\n");
        at += strcspn(script + at, " \t\n");
    }
    return wpa_arena_slice(arena, script, at);
}

const char *wpa_step_identity(const wpa_step *step, wpa_arena *arena)
{
    if (step->id.text) {
        return step->id.text;
    }
    if (step->name.text) {
        return step->name.text;
    }
    if (step->uses.text) {
        return step->uses.slug ? step->uses.slug : step->uses.text;
    }
    return step->run.text ? first_words(step->run.text, arena)
                          : wpa_arena_printf(arena, "step %zu", step->index + 1);
}

const wpa_value *wpa_step_shell(const wpa_step *step, const wpa_workflow_job *job,
                                const wpa_workflow *workflow)
{
    if (wpa_value_is_set(&step->shell)) {
        return &step->shell;
    }
    if (job && wpa_value_is_set(&job->defaults.shell)) {
        return &job->defaults.shell;
    }
    return workflow && wpa_value_is_set(&workflow->defaults.shell) ? &workflow->defaults.shell
                                                                   : NULL;
}
