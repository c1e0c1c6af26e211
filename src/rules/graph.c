#include "rules/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/map.h>

#include "rules/expressions.h"
#include "rules/outline.h"
#include "rules/references.h"
#include "rules/shell_roles.h"
#include "rules/similarity.h"
#include "rules/toolchain.h"

struct wpa_graph {
    wpa_arena *arena;
    const char *repository;
    const wpa_graph_file **files; /* [n], by path once closed */
    size_t n, capacity;
    wpa_map *by_path;
    wpa_map *users;     /* path -> users, once closed */
    wpa_map *named;     /* name -> files, once closed */
    wpa_map *followers; /* name -> files that wait for it, once closed */
    bool is_partial;
    wpa_map *values;  /* name -> holders, once closed */
    wpa_map *actions; /* owner/repo[/path] in lower case -> users, once closed */
    bool *has_asked;  /* of the reader whose view this is, or NULL */
    wpa_budget *budget;
    wpa_similarity_index *similar;
};

/* All places that use one definition. */
typedef struct users {
    wpa_graph_user *items;
    size_t n, capacity;
} users;

/* All workflows that give one name a value. */
typedef struct holders {
    wpa_graph_holder *items;
    size_t n, capacity;
} holders;

/* Files in the order of their paths. */
typedef struct file_list {
    const wpa_graph_file **items;
    size_t n, capacity;
} file_list;

wpa_graph *wpa_graph_new(const char *repository, wpa_arena *arena)
{
    wpa_graph *graph = wpa_arena_alloc(arena, sizeof *graph);
    graph->arena = arena;
    graph->repository = repository ? wpa_arena_text(arena, repository) : NULL;
    graph->by_path = wpa_map_new(arena);
    graph->users = wpa_map_new(arena);
    graph->actions = wpa_map_new(arena);
    graph->values = wpa_map_new(arena);
    graph->named = wpa_map_new(arena);
    graph->followers = wpa_map_new(arena);
    return graph;
}

/* ---- reading one file ---- */

static const char *copy(const wpa_graph *graph, const char *text)
{
    return text ? wpa_arena_text(graph->arena, text) : NULL;
}

/** Texts of a scalar or a sequence; NULL if there is none. */
static const char *const *copy_texts(const wpa_graph *graph, const wpa_yaml_node *node)
{
    node = wpa_yaml_resolve(node);
    bool is_list = wpa_yaml_is(node, WPA_YAML_SEQUENCE);
    size_t n = is_list ? node->n_items : wpa_yaml_text(node) ? 1 : 0, n_kept = 0;
    if (n == 0) {
        return NULL;
    }
    const char **texts = wpa_arena_array(graph->arena, n + 1, sizeof *texts);
    for (size_t i = 0; i < n; i++) {
        const char *text = wpa_yaml_text(is_list ? node->items[i] : node);
        if (text) {
            texts[n_kept++] = copy(graph, text);
        }
    }
    return texts;
}

static const char *const *copy_crons(const wpa_graph *graph, const wpa_yaml_node *node)
{
    node = wpa_yaml_resolve(node);
    if (!wpa_yaml_is(node, WPA_YAML_SEQUENCE)) {
        return NULL;
    }
    const char **texts = wpa_arena_array(graph->arena, node->n_items + 1, sizeof *texts);
    size_t n = 0;
    for (size_t i = 0; i < node->n_items; i++) {
        const char *text = wpa_yaml_text(wpa_yaml_get(node->items[i], "cron"));
        if (text) {
            texts[n++] = copy(graph, text);
        }
    }
    return texts;
}

static void read_triggers(const wpa_graph *graph, wpa_graph_file *file, const wpa_outline *o)
{
    wpa_graph_trigger *triggers =
        wpa_arena_array(graph->arena, o->n_triggers + 1, sizeof *triggers);
    for (size_t i = 0; i < o->n_triggers; i++) {
        const wpa_outline_trigger *t = &o->triggers[i];
        triggers[i] = (wpa_graph_trigger){
            .name = copy(graph, t->name),
            .workflows = copy_texts(graph, wpa_yaml_get(t->config, "workflows")),
            .types = copy_texts(graph, wpa_yaml_get(t->config, "types")),
            .crons = wpa_text_is(t->name, "schedule") ? copy_crons(graph, t->config) : NULL,
        };
    }
    file->triggers = triggers;
    file->n_triggers = o->n_triggers;
}

const char *wpa_graph_local_path(const char *text, wpa_arena *arena)
{
    bool is_local = wpa_text_starts(text, "./") || wpa_text_starts(text, "$/");
    if (!is_local) {
        return NULL;
    }
    text += 2 + strspn(text + 2, "/");
    size_t length = strlen(text);
    while (length && text[length - 1] == '/') {
        length--;
    }
    return wpa_arena_slice(arena, text, length);
}

static wpa_graph_use use_of(const wpa_graph *graph, const wpa_outline_uses *uses, size_t job)
{
    const char *text = copy(graph, wpa_yaml_text(uses->node));
    return (wpa_graph_use){
        .text = text,
        .local_path = wpa_graph_local_path(text, graph->arena),
        .job = job,
        .span = uses->node->span,
        .major = uses->kind == WPA_OUTLINE_REPOSITORY ? wpa_outline_major(uses) : -1,
    };
}

static bool is_use(const wpa_outline_uses *uses)
{
    return uses->kind != WPA_OUTLINE_NONE && wpa_yaml_text(uses->node);
}

static void read_uses(const wpa_graph *graph, wpa_graph_file *file, const wpa_outline *o)
{
    size_t n = 0;
    for (size_t i = 0; i < o->n_jobs; i++) {
        n += 1 + o->jobs[i].n_steps;
    }
    wpa_graph_use *uses = wpa_arena_array(graph->arena, n + 1, sizeof *uses);
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        if (job->is_call && is_use(&job->uses)) {
            wpa_graph_use *use = &uses[file->n_uses++];
            *use = use_of(graph, &job->uses, i);
            use->is_call = true;
            use->inherits_secrets =
                wpa_text_is(wpa_yaml_text(wpa_yaml_get(job->node, "secrets")), "inherit");
        }
        for (size_t k = 0; k < job->n_steps; k++) {
            if (is_use(&job->steps[k].uses)) {
                uses[file->n_uses++] = use_of(graph, &job->steps[k].uses, i);
            }
        }
    }
    file->uses = uses;
}

/* Actions that test, by their names: there is no end of them. */
static bool names_test(const wpa_outline_uses *uses)
{
    static const char *const words[] = {"test", "cypress", "playwright", "emulator",  "jest",
                                        "spec", "check",   "coverage",   "benchmark", "verify"};
    for (size_t i = 0; uses->kind == WPA_OUTLINE_REPOSITORY && i < WPA_COUNT(words); i++) {
        if (memmem(uses->slug.at, uses->slug.length, words[i], strlen(words[i]))) {
            return !wpa_slice_is_ci(uses->slug, "actions/checkout");
        }
    }
    return false;
}

/* A script, a target or a task of the project's own: it may do anything. */
static bool runs_own(const wpa_outline_step *step)
{
    static const char *const runners[] = {
        "make",  "just",    "task",   "bash",      "sh",   "python",         "npm",   "yarn",
        "pnpm",  "python3", "node",   "docker",    "rake", "bundle",         "mage",  "nox",
        "tox",   "earthly", "bun",    "deno",      "pwsh", "docker-compose", "nix",   "rye",
        "hatch", "uv",      "poetry", "invoke",    "ant",  "bazel",          "buck2", "cmake",
        "ninja", "meson",   "swift",  "xcodebuild"};
    const wpa_script *script = wpa_step_commands(step);
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        const char *word = c->first < c->n_words ? c->words[c->first].text : "";
        bool is_known = wpa_shell_roles(c) != 0;
        bool is_runner = wpa_text_index(c->name, runners, WPA_COUNT(runners)) >= 0;
        if (!is_known && (is_runner || strpbrk(word, "/\\$"))) {
            return true;
        }
    }
    return step->run && !script;
}

static void read_work(const wpa_outline_job *job, wpa_graph_job *row)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        row->roles |= wpa_step_roles(&job->steps[i]);
        row->is_open = row->is_open || runs_own(&job->steps[i]) || names_test(&job->steps[i].uses);
    }
}

static void read_jobs(const wpa_graph *graph, wpa_graph_file *file, const wpa_outline *o)
{
    wpa_graph_job *jobs = wpa_arena_array(graph->arena, o->n_jobs + 1, sizeof *jobs);
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        jobs[i] = (wpa_graph_job){
            .id = copy(graph, job->id),
            .name = copy(graph, wpa_yaml_text(wpa_yaml_get(job->node, "name"))),
            .needs = copy_texts(graph, wpa_yaml_get(job->node, "needs")),
            .key_span = job->key ? job->key->span : job->node->span,
            .likeness = wpa_similarity_read(job, graph->arena),
        };
        read_work(job, &jobs[i]);
    }
    file->jobs = jobs;
    file->n_jobs = o->n_jobs;
}

static void read_toolchains(const wpa_graph *graph, wpa_graph_file *file, const wpa_source *source)
{
    if (file->kind != WPA_INPUT_WORKFLOW) {
        return;
    }
    size_t n, n_kept = 0;
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    const wpa_toolchain_use *uses = wpa_toolchain_read(source, scratch, &n);
    wpa_graph_toolchain *rows = n ? wpa_arena_array(graph->arena, n, sizeof *rows) : NULL;
    for (size_t i = 0; i < n; i++) {
        const char *line = uses[i].is_image ? NULL : wpa_toolchain_line(&uses[i]);
        if (line) {
            rows[n_kept++] = (wpa_graph_toolchain){uses[i].runtime, line, uses[i].span,
                                                   wpa_toolchain_is_leg(&uses[i])};
        }
    }
    file->toolchains = rows;
    file->n_toolchains = n_kept;
}

/** Tells texts apart that one file had one after the other. */
static uint64_t digest_of(const wpa_source *source)
{
    uint64_t hash = source->size_bytes, word;
    size_t n = source->yaml ? source->yaml->size_bytes : 0, i = 0;
    for (; i + sizeof word <= n; i += sizeof word) {
        memcpy(&word, source->yaml->source + i, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    for (; i < n; i++) {
        hash = (hash ^ (unsigned char)source->yaml->source[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static void read_group(const wpa_graph *graph, wpa_graph_file *file, const wpa_yaml_node *root)
{
    const wpa_yaml_node *concurrency = wpa_yaml_get(root, "concurrency");
    bool is_mapping = wpa_yaml_is(concurrency, WPA_YAML_MAPPING);
    const wpa_yaml_node *group = is_mapping ? wpa_yaml_get(concurrency, "group") : concurrency;
    if (file->kind != WPA_INPUT_WORKFLOW || !wpa_yaml_text(group)) {
        return;
    }
    const char *cancels = wpa_yaml_text(wpa_yaml_get(concurrency, "cancel-in-progress"));
    file->group = copy(graph, wpa_yaml_text(group));
    file->group_span = group->span;
    file->cancels = cancels && !wpa_text_is_ci(cancels, "false");
}

/* ---- what a called workflow asks for ---- */

typedef struct secret_list {
    const char *names[WPA_GRAPH_SECRETS_MAX];
    size_t n;
    bool has_more;
} secret_list;

static void add_secrets(secret_list *list, const wpa_expr_place *place, wpa_arena *arena)
{
    size_t n;
    wpa_expr_reference *references = wpa_expr_references(place->parsed.root, arena, &n);
    for (size_t i = 0; i < n; i++) {
        const char *path = references[i].path;
        if (!wpa_text_is(path, "secrets") && !wpa_text_starts(path, "secrets.")) {
            continue;
        }
        const char *name = wpa_expr_secret_name(&references[i]);
        bool is_known = false;
        for (size_t k = 0; name && k < list->n; k++) {
            is_known = is_known || wpa_text_is_ci(list->names[k], name);
        }
        if (!name || wpa_text_is(name, "*") || (!is_known && list->n == WPA_GRAPH_SECRETS_MAX)) {
            list->has_more = true;
        } else if (!is_known && !wpa_text_is_ci(name, "GITHUB_TOKEN")) {
            list->names[list->n++] = name;
        }
    }
}

/** Once a repository, not once a caller: a workflow may have thousands of them. */
static void read_secrets(const wpa_graph *graph, wpa_graph_file *file, const wpa_source *source)
{
    if (!wpa_graph_trigger_find(file, "workflow_call")) {
        return;
    }
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    secret_list list = {0};
    for (size_t i = 0; i < source->expressions->n; i++) {
        const wpa_expr_place *place = source->expressions->items[i].place;
        if (place->parsed.root && strcasestr(place->node->text, "secrets")) {
            add_secrets(&list, place, scratch);
        }
    }
    for (size_t i = 0; i < file->n_uses; i++) {
        list.has_more = list.has_more || file->uses[i].inherits_secrets;
    }
    const char **names = wpa_arena_array(graph->arena, list.n + 1, sizeof *names);
    for (size_t i = 0; i < list.n; i++) {
        names[i] = copy(graph, list.names[i]);
    }
    file->secrets = names;
    file->n_secrets = list.n;
    file->names_more_secrets = list.has_more;
}

/** What it is, and its jobs. */
static wpa_graph_file *add_file(wpa_graph *graph, const wpa_source *source)
{
    wpa_graph_file *file = wpa_arena_alloc(graph->arena, sizeof *file);
    const wpa_yaml_node *root = source->yaml ? source->yaml->root : NULL;
    const wpa_yaml_node *name = wpa_yaml_get(root, "name");
    *file = (wpa_graph_file){
        .path = copy(graph, wpa_source_identity(source)),
        .kind = source->kind,
        .is_partial = source->is_partial,
        .digest = digest_of(source),
        .name = copy(graph, wpa_yaml_text(name)),
    };
    if (name) {
        file->name_span = name->span;
    } else if (wpa_yaml_is(root, WPA_YAML_MAPPING) && root->n_pairs) {
        file->name_span = root->pairs[0].key->span;
    }
    read_jobs(graph, file, source->outline);
    graph->files = wpa_arena_grow(graph->arena, graph->files, graph->n, &graph->capacity,
                                  sizeof *graph->files);
    graph->files[graph->n++] = file;
    wpa_map_put(graph->by_path, file->path, file);
    return file;
}

void wpa_graph_add(wpa_graph *graph, const wpa_source *source)
{
    wpa_graph_file *file = add_file(graph, source);
    read_group(graph, file, source->yaml ? source->yaml->root : NULL);
    read_triggers(graph, file, source->outline);
    read_uses(graph, file, source->outline);
    read_toolchains(graph, file, source);
    read_secrets(graph, file, source);
    if (file->kind == WPA_INPUT_WORKFLOW) {
        file->values = wpa_values_read(source->outline, graph->arena, &file->n_values);
    }
    file->stores = wpa_stores_read(source->outline, graph->arena);
}

/** The record for another graph: a job's likeness is of one index only. */
static const wpa_graph_file *share(const wpa_graph_file *file, wpa_arena *arena)
{
    wpa_graph_file *shared = wpa_arena_dup(arena, file, sizeof *file);
    wpa_graph_job *jobs = wpa_arena_array(arena, file->n_jobs + 1, sizeof *jobs);
    for (size_t i = 0; i < file->n_jobs; i++) {
        jobs[i] = file->jobs[i];
        jobs[i].likeness = jobs[i].likeness
                               ? wpa_arena_dup(arena, jobs[i].likeness, sizeof *jobs[i].likeness)
                               : NULL;
    }
    shared->jobs = jobs;
    return shared;
}

/** The newest record of each path that the other graph has none of. */
static void share_missing(wpa_graph *other, const wpa_graph *graph)
{
    for (size_t i = graph->n; i-- > 0;) {
        const wpa_graph_file *file = graph->files[i];
        if (!wpa_map_has(other->by_path, file->path)) {
            other->files = wpa_arena_grow(other->arena, other->files, other->n, &other->capacity,
                                          sizeof(void *));
            other->files[other->n++] = share(file, other->arena);
            wpa_map_put(other->by_path, file->path, (void *)(uintptr_t)other->files[other->n - 1]);
        }
    }
}

const wpa_graph *wpa_graph_over(const wpa_graph *graph, const wpa_graph *changed, wpa_arena *arena)
{
    wpa_graph *other = wpa_graph_new(graph->repository, arena);
    share_missing(other, changed);
    share_missing(other, graph);
    wpa_graph_close(other);
    return other;
}

const wpa_graph *wpa_graph_traced(const wpa_graph *graph, bool *has_asked, wpa_arena *arena)
{
    wpa_graph *view = wpa_arena_dup(arena, graph, sizeof *graph);
    view->has_asked = has_asked;
    return view;
}

const wpa_graph *wpa_graph_within(const wpa_graph *graph, wpa_budget *budget, wpa_arena *arena)
{
    wpa_graph *view = wpa_arena_dup(arena, graph, sizeof *graph);
    view->budget = budget;
    return view;
}

/* What one question costs. */
#define QUESTION_WORK 2

static bool note(const wpa_graph *graph)
{
    if (graph->has_asked) {
        *graph->has_asked = true;
    }
    return wpa_budget_spend(graph->budget, QUESTION_WORK);
}

static int compare_files(const void *a, const void *b)
{
    return strcmp((*(const wpa_graph_file *const *)a)->path,
                  (*(const wpa_graph_file *const *)b)->path);
}

static void add_user(const wpa_graph *graph, wpa_map *map, const char *key, wpa_graph_user user)
{
    users *list = wpa_map_get(map, key);
    if (!list) {
        list = wpa_arena_alloc(graph->arena, sizeof *list);
        wpa_map_put(map, key, list);
    }
    list->items =
        wpa_arena_grow(graph->arena, list->items, list->n, &list->capacity, sizeof *list->items);
    list->items[list->n++] = user;
}

#define ACTION_USES_MAX 20000
#define SLUG_MAX_BYTES 1024

/* In lower case; false if it is too long to be one. */
static bool fold_slug(wpa_slice slug, char folded[SLUG_MAX_BYTES])
{
    for (size_t i = 0; i < slug.length && slug.length < SLUG_MAX_BYTES; i++) {
        char c = slug.at[i];
        folded[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    bool fits = slug.length < SLUG_MAX_BYTES;
    folded[fits ? slug.length : 0] = '\0';
    return fits;
}

static void index_actions(const wpa_graph *graph)
{
    size_t n_seen = 0;
    for (size_t i = 0; i < graph->n; i++) {
        const wpa_graph_file *file = graph->files[i];
        for (size_t k = 0; k < file->n_uses && n_seen++ < ACTION_USES_MAX; k++) {
            const char *text = file->uses[k].text, *at = text ? strchr(text, '@') : NULL;
            char folded[SLUG_MAX_BYTES];
            if (at && fold_slug((wpa_slice){text, (size_t)(at - text)}, folded)) {
                add_user(graph, graph->actions, folded, (wpa_graph_user){file, &file->uses[k]});
            }
        }
    }
}

static void list_file(const wpa_graph *graph, wpa_map *lists, const char *name,
                      const wpa_graph_file *file)
{
    file_list *list = wpa_map_get(lists, name);
    if (!list) {
        list = wpa_arena_alloc(graph->arena, sizeof *list);
        wpa_map_put(lists, name, list);
    }
    list->items =
        wpa_arena_grow(graph->arena, list->items, list->n, &list->capacity, sizeof(void *));
    list->items[list->n++] = file;
}

static void list_names(wpa_graph *graph)
{
    for (size_t i = 0; i < graph->n; i++) {
        const wpa_graph_file *file = graph->files[i];
        graph->is_partial = graph->is_partial || file->is_partial;
        if (file->kind != WPA_INPUT_WORKFLOW) {
            continue;
        }
        list_file(graph, graph->named, file->name ? file->name : file->path, file);
        const wpa_graph_trigger *trigger = wpa_graph_trigger_find(file, "workflow_run");
        for (size_t k = 0; trigger && trigger->workflows && trigger->workflows[k]; k++) {
            list_file(graph, graph->followers, trigger->workflows[k], file);
        }
    }
}

static void list_values(const wpa_graph *graph, const wpa_graph_file *file)
{
    for (size_t i = 0; i < file->n_values; i++) {
        holders *list = wpa_map_get(graph->values, file->values[i].name);
        if (!list) {
            list = wpa_arena_alloc(graph->arena, sizeof *list);
            wpa_map_put(graph->values, file->values[i].name, list);
        }
        list->items = wpa_arena_grow(graph->arena, list->items, list->n, &list->capacity,
                                     sizeof *list->items);
        list->items[list->n++] = (wpa_graph_holder){file, &file->values[i]};
    }
}

/** By what their steps are like. */
static void index_jobs(wpa_graph *graph)
{
    graph->similar = wpa_similarity_index_new(graph->arena);
    for (size_t i = 0; i < graph->n; i++) {
        for (size_t k = 0; k < graph->files[i]->n_jobs; k++) {
            wpa_similarity_job *job = graph->files[i]->jobs[k].likeness;
            if (job) {
                wpa_similarity_index_add(graph->similar, job, graph->files[i], k);
            }
        }
    }
    wpa_similarity_index_close(graph->similar);
}

void wpa_graph_close(wpa_graph *graph)
{
    if (graph->n) {
        qsort(graph->files, graph->n, sizeof *graph->files, compare_files);
    }
    for (size_t i = 0; i < graph->n; i++) {
        const wpa_graph_file *file = graph->files[i];
        for (size_t k = 0; k < file->n_uses; k++) {
            const char *local = file->uses[k].local_path;
            const wpa_graph_file *target = local ? wpa_graph_local(graph, local) : NULL;
            if (target) {
                add_user(graph, graph->users, target->path, (wpa_graph_user){file, &file->uses[k]});
            }
        }
    }
    for (size_t i = 0; i < graph->n; i++) {
        list_values(graph, graph->files[i]);
    }
    index_actions(graph);
    list_names(graph);
    index_jobs(graph);
}

const wpa_graph *wpa_graph_of_one(const wpa_source *source, wpa_arena *arena)
{
    wpa_graph *graph = wpa_graph_new(NULL, arena);
    (void)add_file(graph, source);
    index_jobs(graph);
    return graph;
}

/* ---- asking ---- */

const char *wpa_graph_repository(const wpa_graph *graph)
{
    return graph->repository;
}

size_t wpa_graph_count(const wpa_graph *graph)
{
    return note(graph) ? graph->n : 0;
}

const wpa_graph_file *wpa_graph_at(const wpa_graph *graph, size_t i)
{
    (void)note(graph);
    return graph->files[i];
}

const wpa_graph_file *wpa_graph_find(const wpa_graph *graph, const char *path)
{
    (void)note(graph);
    return wpa_map_get(graph->by_path, path);
}

const wpa_graph_file *wpa_graph_own(const wpa_graph *graph, const wpa_source *source,
                                    wpa_arena *arena)
{
    const wpa_graph_file *file = graph ? wpa_graph_find(graph, wpa_source_identity(source)) : NULL;
    if (file && file->digest == digest_of(source)) {
        return file;
    }
    wpa_graph *alone = wpa_graph_new(NULL, arena);
    wpa_graph_add(alone, source);
    return alone->files[0];
}

const wpa_graph_file *wpa_graph_local(const wpa_graph *graph, const char *local_path)
{
    static const char *const names[] = {"action.yml", "action.yaml"};
    const wpa_graph_file *file = wpa_graph_find(graph, local_path);
    char path[4096];
    for (size_t i = 0; i < WPA_COUNT(names) && !file; i++) {
        int length =
            snprintf(path, sizeof path, "%s%s%s", local_path, *local_path ? "/" : "", names[i]);
        file = length > 0 && (size_t)length < sizeof path ? wpa_graph_find(graph, path) : NULL;
    }
    return file;
}

const wpa_graph_trigger *wpa_graph_trigger_find(const wpa_graph_file *file, const char *name)
{
    for (size_t i = 0; i < file->n_triggers; i++) {
        if (wpa_text_is(file->triggers[i].name, name)) {
            return &file->triggers[i];
        }
    }
    return NULL;
}

const wpa_graph_user *wpa_graph_users(const wpa_graph *graph, const char *path, size_t *n)
{
    (void)note(graph);
    const users *list = wpa_map_get(graph->users, path);
    *n = list ? list->n : 0;
    return list ? list->items : NULL;
}

const wpa_graph_user *wpa_graph_uses_of(const wpa_graph *graph, wpa_slice slug, size_t *n)
{
    char folded[SLUG_MAX_BYTES];
    (void)note(graph);
    const users *list = fold_slug(slug, folded) ? wpa_map_get(graph->actions, folded) : NULL;
    *n = list ? list->n : 0;
    return list ? list->items : NULL;
}

static const wpa_graph_file *const *listed(const wpa_graph *graph, const wpa_map *lists,
                                           const char *name, size_t *n)
{
    (void)note(graph);
    const file_list *list = wpa_map_get(lists, name);
    *n = list ? list->n : 0;
    return list ? list->items : NULL;
}

const wpa_graph_file *const *wpa_graph_named(const wpa_graph *graph, const char *name, size_t *n)
{
    return listed(graph, graph->named, name, n);
}

const wpa_graph_file *const *wpa_graph_followers(const wpa_graph *graph, const wpa_graph_file *file,
                                                 size_t *n)
{
    return listed(graph, graph->followers, file->name ? file->name : file->path, n);
}

bool wpa_graph_is_whole(const wpa_graph *graph)
{
    (void)note(graph);
    return !graph->is_partial;
}

bool wpa_graph_is_first(const wpa_graph *graph, const wpa_source *source)
{
    (void)note(graph);
    for (size_t i = 0; i < graph->n; i++) {
        if (graph->files[i]->kind == source->kind) {
            return wpa_text_is(graph->files[i]->path, wpa_source_identity(source));
        }
    }
    return false;
}

const wpa_similarity_index *wpa_graph_similar(const wpa_graph *graph)
{
    (void)note(graph);
    return graph->similar;
}

const wpa_graph_holder *wpa_graph_values_of(const wpa_graph *graph, const char *name, size_t *n)
{
    (void)note(graph);
    const holders *list = wpa_map_get(graph->values, name);
    *n = list ? list->n : 0;
    return list ? list->items : NULL;
}
