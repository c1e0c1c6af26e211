#include "rules/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <wpa/map.h>

#include "core/large.h"
#include "core/paged.h"
#include "rules/similarity.h"

/* What one workflow of this project is called, or its runs are. */
typedef struct label {
    uint64_t first; /* bytes of the text in lower case: most are told apart without a look at it */
    const char *text;
    const wpa_graph_file *file;
} label;

/* By their text, without regard to case. */
typedef struct labels {
    label *items;
    size_t n;
} labels;

struct wpa_graph {
    wpa_arena *arena;
    const char *repository;
    const wpa_graph_file **files; /* [n], by path once closed */
    size_t n, capacity;
    wpa_map *by_path;
    wpa_map *users;       /* path -> users, once closed */
    wpa_map *named;       /* name -> files, once closed */
    wpa_map *followers;   /* name -> files that wait for it, once closed */
    labels names, groups; /* once closed */
    bool is_partial;
    wpa_map *values;  /* name -> holders, once closed */
    wpa_map *actions; /* owner/repo[/path] in lower case -> versions, once closed */
    bool *has_asked;  /* of the reader whose view this is, or NULL */
    wpa_budget *budget;
    wpa_similarity_index *similar;
};

/* All places that use one definition. */
typedef struct users {
    wpa_graph_user *items;
    size_t n, capacity;
} users;

/* All that are used of one action: by this project, and by those that are copied into it. */
typedef struct versions {
    wpa_graph_version *items[2];
    size_t n[2], capacity[2];
} versions;

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

void wpa_graph_put(wpa_graph *graph, wpa_graph_file *file)
{
    graph->files = wpa_arena_grow(graph->arena, graph->files, graph->n, &graph->capacity,
                                  sizeof *graph->files);
    graph->files[graph->n++] = file;
    wpa_map_put_borrowed(graph->by_path, file->path, file);
}

void wpa_graph_add(wpa_graph *graph, const wpa_source *source)
{
    wpa_graph_put(graph, wpa_graph_read(source, graph->arena));
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
            wpa_map_put_borrowed(other->by_path, file->path,
                                 (void *)(uintptr_t)other->files[other->n - 1]);
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
    wpa_paged_relax();
    return wpa_budget_spend(graph->budget, QUESTION_WORK);
}

static int compare_files(const void *a, const void *b)
{
    wpa_paged_relax();
    return strcmp((*(const wpa_graph_file *const *)a)->path,
                  (*(const wpa_graph_file *const *)b)->path);
}

static void add_user(const wpa_graph *graph, const char *path, wpa_graph_user user)
{
    users *list = wpa_map_get(graph->users, path);
    if (!list) {
        list = wpa_arena_alloc(graph->arena, sizeof *list);
        wpa_map_put_borrowed(graph->users, path, list);
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

static void count_version(const wpa_graph *graph, versions *list, wpa_graph_user user)
{
    unsigned of = user.file->is_of_copy;
    size_t i = 0;
    while (i < list->n[of] && list->items[of][i].major != user.use->major) {
        i++;
    }
    if (i == WPA_GRAPH_VERSIONS_MAX) {
        return;
    }
    if (i == list->n[of]) {
        list->items[of] = wpa_arena_grow(graph->arena, list->items[of], i, &list->capacity[of],
                                         sizeof *list->items[of]);
        list->items[of][list->n[of]++] = (wpa_graph_version){user.use->major, 0, user};
    }
    list->items[of][i].n_uses++;
}

static versions *versions_of(const wpa_graph *graph, const char *slug)
{
    versions *list = wpa_map_get(graph->actions, slug);
    if (!list) {
        list = wpa_arena_alloc(graph->arena, sizeof *list);
        wpa_map_put(graph->actions, slug, list);
    }
    return list;
}

static void index_actions(const wpa_graph *graph)
{
    size_t n_seen = 0;
    for (size_t i = 0; i < graph->n; i++) {
        wpa_paged_relax();
        const wpa_graph_file *file = graph->files[i];
        for (size_t k = 0; k < file->n_uses && n_seen++ < ACTION_USES_MAX; k++) {
            const char *text = file->uses[k].text, *at = text ? strchr(text, '@') : NULL;
            char folded[SLUG_MAX_BYTES];
            if (at && file->uses[k].major >= 0 &&
                fold_slug((wpa_slice){text, (size_t)(at - text)}, folded)) {
                count_version(graph, versions_of(graph, folded),
                              (wpa_graph_user){file, &file->uses[k]});
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
        wpa_map_put_borrowed(lists, name, list);
    }
    list->items =
        wpa_arena_grow(graph->arena, list->items, list->n, &list->capacity, sizeof(void *));
    list->items[list->n++] = file;
}

static void list_names(wpa_graph *graph)
{
    for (size_t i = 0; i < graph->n; i++) {
        wpa_paged_relax();
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
            wpa_map_put_borrowed(graph->values, file->values[i].name, list);
        }
        list->items = wpa_arena_grow(graph->arena, list->items, list->n, &list->capacity,
                                     sizeof *list->items);
        list->items[list->n++] = (wpa_graph_holder){file, &file->values[i]};
    }
}

static int compare_labels(const void *a, const void *b)
{
    const label *x = a, *y = b;
    if (x->first != y->first) {
        return x->first < y->first ? -1 : 1;
    }
    wpa_paged_relax();
    return strcasecmp(x->text, y->text);
}

static void add_label(labels *list, const char *text, const wpa_graph_file *file)
{
    uint64_t first = 0;
    for (size_t i = 0, n = 0; i < sizeof first; i++) {
        unsigned char c = (unsigned char)text[n];
        first = first << 8 | (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        n += c != '\0';
    }
    list->items[list->n++] = (label){first, text, file};
}

static void sort_labels(labels *list)
{
    if (list->n) {
        qsort(list->items, list->n, sizeof *list->items, compare_labels);
    }
}

static void list_labels(wpa_graph *graph)
{
    graph->names.items = wpa_arena_array(graph->arena, graph->n, sizeof(label));
    graph->groups.items = wpa_arena_array(graph->arena, graph->n, sizeof(label));
    for (size_t i = 0; i < graph->n; i++) {
        wpa_paged_relax();
        const wpa_graph_file *file = graph->files[i];
        if (file->is_of_copy || file->kind != WPA_INPUT_WORKFLOW) {
            continue;
        }
        if (file->name) {
            add_label(&graph->names, file->name, file);
        }
        if (file->group) {
            add_label(&graph->groups, file->group, file);
        }
    }
    sort_labels(&graph->names);
    sort_labels(&graph->groups);
}

/** By what their steps are like. */
static void index_jobs(wpa_graph *graph)
{
    graph->similar = wpa_similarity_index_new(graph->arena);
    for (size_t i = 0; i < graph->n; i++) {
        wpa_paged_relax();
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
        wpa_paged_relax();
        const wpa_graph_file *file = graph->files[i];
        for (size_t k = 0; k < file->n_uses; k++) {
            const char *local = file->uses[k].local_path;
            const wpa_graph_file *target = local ? wpa_graph_local(graph, local) : NULL;
            if (target) {
                add_user(graph, target->path, (wpa_graph_user){file, &file->uses[k]});
            }
        }
    }
    for (size_t i = 0; i < graph->n; i++) {
        wpa_paged_relax();
        list_values(graph, graph->files[i]);
    }
    index_actions(graph);
    list_names(graph);
    list_labels(graph);
    index_jobs(graph);
}

const wpa_graph *wpa_graph_of_one(const wpa_source *source, wpa_arena *arena)
{
    wpa_graph *graph = wpa_graph_new(NULL, arena);
    wpa_graph_put(graph, wpa_graph_read_likeness(source, arena));
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
    if (file && file->digest == source->digest) {
        return file;
    }
    return wpa_graph_read(source, arena);
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

const wpa_graph_file *wpa_graph_used(const wpa_graph *graph, const wpa_outline_uses *uses,
                                     wpa_arena *arena)
{
    bool is_local = graph && uses->kind == WPA_OUTLINE_LOCAL;
    const char *path = is_local ? wpa_graph_local_path(wpa_yaml_text(uses->node), arena) : NULL;
    return path ? wpa_graph_local(graph, path) : NULL; /* none for "." and "../x" */
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

const wpa_graph_version *wpa_graph_versions_of(const wpa_graph *graph, wpa_slice slug,
                                               bool is_of_copy, size_t *n)
{
    char folded[SLUG_MAX_BYTES];
    (void)note(graph);
    const versions *list = fold_slug(slug, folded) ? wpa_map_get(graph->actions, folded) : NULL;
    *n = list ? list->n[is_of_copy] : 0;
    return list ? list->items[is_of_copy] : NULL;
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

/** How the text stands to those that are this name with that character behind it. */
static int compare_to(const char *text, const char *name, size_t length, char end)
{
    int order = strncasecmp(text, name, length);
    return order ? order : (int)(unsigned char)text[length] - (int)(unsigned char)end;
}

/** Is there such a label of another file? */
static bool is_elsewhere(const labels *list, const char *name, char end, const char *self)
{
    size_t length = strlen(name), low = 0, high = list->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_to(list->items[middle].text, name, length, end) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < list->n && compare_to(list->items[low].text, name, length, end) == 0; low++) {
        if (!wpa_text_is(list->items[low].file->path, self)) {
            return true;
        }
    }
    return false;
}

bool wpa_graph_is_taken(const wpa_graph *graph, const char *name, const char *self)
{
    (void)note(graph);
    return is_elsewhere(&graph->names, name, '\0', self) ||
           is_elsewhere(&graph->groups, name, '-', self);
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
