/*
 * The work on a group of repositories, in stages: read, look into the cache, join, judge. Each
 * group is one thread's; within a stage others may take files of it, between stages its own thread
 * does what is about whole repositories. The thread that walks takes the groups out in their order.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "analysis/key.h"
#include "analysis/sarif.h"
#include "analysis/unit.h"
#include "core/large.h"
#include "core/paged.h"
#include "rules/fleet.h"

/* What trees may take that are held from joining until judging, of all groups that are at work;
 * files beyond that are read and parsed again, which costs more than all else that is done to join
 * them. */
#define HELD_MAX_BYTES ((size_t)8 * 1024 * 1024)
/* Text beyond that whose trees are there at a time, for a batch and its judging. */
#define SLICE_MAX_BYTES ((size_t)256 * 1024)
/* What the tree of a file takes that has hardly any text, as text. */
#define SLICE_FILE_BYTES 512

typedef struct wpa_group group;
typedef void (*stage_of)(group *g, wpa_unit_file *file);

struct wpa_group {
    wpa_pool_task task; /* the first: a task is its group */
    wpa_tree *tree;
    wpa_unit *first;
    wpa_unit_file **files; /* [n] of all units */
    size_t n;
    atomic_size_t held_bytes; /* part of the tree's */
    stage_of stage;
    wpa_arena **answers; /* [n_answers] of batches: fixes over several files ask for them again */
    size_t n_answers;
    group *next; /* in the order of the walk */
};

static void work_on(void *context, size_t i)
{
    group *g = context;
    g->stage(g, g->files[i]);
    wpa_paged_relax();
}

static void run_stage(group *g, stage_of stage)
{
    g->stage = stage;
    wpa_pool_each(g->tree->pool, g->n, work_on, g);
}

/* ---- what is held ---- */

/* What is left of the last block of an arena, as a rule. */
#define HELD_SLACK_BYTES ((size_t)16 * 1024)

static bool may_hold(group *g, const wpa_unit_file *file)
{
    size_t used_bytes = file->arena ? wpa_arena_used_bytes(file->arena) : 0;
    size_t size_bytes = used_bytes + HELD_SLACK_BYTES;
    size_t all_bytes = atomic_fetch_add(&g->tree->held_bytes, size_bytes) + size_bytes;
    if (all_bytes <= HELD_MAX_BYTES || g->n == 1) {
        (void)atomic_fetch_add(&g->held_bytes, size_bytes);
        return true;
    }
    (void)atomic_fetch_sub(&g->tree->held_bytes, size_bytes); /* smaller ones may have room */
    return false;
}

/** A tree has a copy of its text: from then on that is the text. */
static void parse(wpa_unit_file *file)
{
    bool is_only_text = file->arena && !file->is_held && !file->is_stdin;
    WPA_AUTO(wpa_arena) *read = is_only_text ? file->arena : NULL;
    file->arena = is_only_text || !file->arena ? wpa_arena_new() : file->arena;
    wpa_unit_parse(file, file->arena);
    const wpa_yaml_doc *doc = file->shown.source->yaml;
    if (read) {
        file->shown.text = doc ? doc->source : ""; /* too large to be read */
    }
}

/* ---- stages ---- */

/** Results are looked up by what files hold. */
static void stage_read(group *g, wpa_unit_file *file)
{
    if (wpa_key_recall_text(file)) {
        return;
    }
    if (wpa_unit_read(file)) {
        wpa_key_digest_text(file);
    }
    if (file->state == WPA_UNIT_WAITING && !may_hold(g, file)) {
        wpa_unit_release(file);
    }
}

static void stage_look(group *g, wpa_unit_file *file)
{
    if (file->state == WPA_UNIT_WAITING && !file->is_twice &&
        wpa_key_find(g->tree->options->cache, file)) {
        file->state = WPA_UNIT_DONE;
        wpa_unit_put_early(g->tree, file);
    }
}

static bool has_work(const wpa_unit *unit)
{
    for (size_t i = 0; i < unit->n_files; i++) {
        if (unit->files[i]->state == WPA_UNIT_WAITING && !unit->files[i]->is_twice) {
            return true;
        }
    }
    return false;
}

static bool is_fleet(const group *g)
{
    return g->tree->options->is_fleet && !g->tree->is_split && g->first->next;
}

/** In a fleet one that is not judged itself tells of itself, where another one is. */
static bool needs_graph(const group *g, const wpa_unit *unit)
{
    bool is_needed = has_work(unit);
    for (const wpa_unit *other = g->first; is_fleet(g) && other && !is_needed;
         other = other->next) {
        is_needed = has_work(other);
    }
    return unit->has_graph && is_needed;
}

static wpa_records *take_records(wpa_unit *unit)
{
    (void)pthread_mutex_lock(&unit->lock);
    wpa_records *records = unit->records;
    if (records) {
        unit->records = records->next;
    } else {
        records = wpa_arena_alloc(unit->arena, sizeof *records);
        records->arena = wpa_arena_new_large();
    }
    (void)pthread_mutex_unlock(&unit->lock);
    return records;
}

/** Reading takes long, and happens beside others; putting what was read into the graph does not. */
static void add_to_graph(wpa_unit *unit, const wpa_source *source)
{
    wpa_records *records = take_records(unit);
    wpa_graph_file *record = wpa_graph_read(source, records->arena);
    (void)pthread_mutex_lock(&unit->lock);
    wpa_graph_put(unit->graph, record);
    records->next = unit->records;
    unit->records = records;
    (void)pthread_mutex_unlock(&unit->lock);
}

static void stage_join(group *g, wpa_unit_file *file)
{
    wpa_unit *unit = file->unit;
    if (!unit->graph || file->state == WPA_UNIT_UNREADABLE || !wpa_unit_read(file)) {
        return; /* without a graph it is parsed when it is judged */
    }
    parse(file);
    add_to_graph(unit, file->shown.source);
    file->is_held = may_hold(g, file);
    if (!file->is_held) {
        wpa_unit_release(file);
    }
}

/** What was let go after joining: programs outside and rules want its tree again. */
static void stage_parse(group *g, wpa_unit_file *file)
{
    (void)g;
    bool is_wanted = file->state == WPA_UNIT_WAITING && !file->is_twice && !file->shown.source;
    if (is_wanted && wpa_unit_read(file)) {
        parse(file);
    }
}

static void stage_complete(group *g, wpa_unit_file *file)
{
    const wpa_tree_options *options = g->tree->options;
    if (!file->result) {
        return; /* not done, or completed early */
    }
    bool has_guests = options->outside && wpa_outside_has(options->outside, file->identity);
    bool is_read = has_guests && !file->shown.source && wpa_unit_read(file);
    if (is_read) {
        parse(file); /* for its comments, which silence findings of others too */
    }
    wpa_key_complete(options, file);
    if (is_read) {
        wpa_unit_release(file);
    }
}

/* ---- between the stages ---- */

static group *gather(wpa_tree *tree, wpa_unit *first)
{
    group *g = wpa_alloc(sizeof *g);
    g->tree = tree;
    g->first = first;
    for (wpa_unit *unit = first; unit; unit = unit->next) {
        g->n += unit->n_files;
    }
    g->files = wpa_alloc((g->n + 1) * sizeof *g->files);
    g->n = 0;
    for (wpa_unit *unit = first; unit; unit = unit->next) {
        memcpy(g->files + g->n, unit->files, unit->n_files * sizeof *unit->files);
        g->n += unit->n_files;
    }
    return g;
}

static void open_graphs(group *g)
{
    for (wpa_unit *unit = g->first; unit; unit = unit->next) {
        unit->graph =
            needs_graph(g, unit) ? wpa_graph_new(unit->around.repository, unit->arena) : NULL;
    }
}

/** Trees that are held serve their neighbours too, and others are read once for all. */
static void share_parsed(wpa_unit *unit)
{
    unit->shelf = wpa_shelf_new(&unit->around);
    for (size_t i = 0; i < unit->n_files; i++) {
        const wpa_unit_file *file = unit->files[i];
        wpa_paged_relax();
        if (file->state != WPA_UNIT_UNREADABLE && !file->is_stdin) {
            wpa_shelf_put(unit->shelf, file->identity, file->shown.size_bytes,
                          file->is_held ? file->shown.source : NULL);
        }
    }
    unit->around.parsed = wpa_shelf_find;
    unit->around.parsed_context = unit->shelf;
}

static void close_graphs(group *g)
{
    for (wpa_unit *unit = g->first; unit; unit = unit->next) {
        if (unit->graph) {
            share_parsed(unit);
        }
        if (unit->graph) {
            wpa_graph_close(unit->graph);
            unit->around.graph = unit->graph;
        }
    }
}

/** What all of them know together, for each of them. */
static void join_fleet(group *g)
{
    size_t n = 0;
    for (wpa_unit *unit = g->first; unit; unit = unit->next) {
        n += unit->graph != NULL;
    }
    if (!is_fleet(g) || n < 2) {
        return;
    }
    wpa_arena *arena = g->first->arena; /* which is let go of with all others */
    const wpa_graph **graphs = wpa_arena_array(arena, n, sizeof *graphs);
    n = 0;
    for (wpa_unit *unit = g->first; unit; unit = unit->next) {
        if (unit->graph) {
            graphs[n++] = unit->graph;
        }
    }
    const wpa_fleet *fleet = wpa_fleet_of(graphs, n, arena);
    for (wpa_unit *unit = g->first; unit; unit = unit->next) {
        unit->around.fleet = unit->graph ? fleet : NULL;
    }
}

static wpa_arena *call_batch(const group *g)
{
    const wpa_tree_options *options = g->tree->options;
    wpa_arena *answers = NULL;
    wpa_tree_file **files = wpa_alloc((g->n + 1) * sizeof(wpa_tree_file *));
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++) {
        wpa_unit_file *file = g->files[i];
        if (file->state == WPA_UNIT_WAITING && !file->is_twice && file->shown.source) {
            files[n++] = &file->shown;
        }
    }
    if (n) {
        (void)pthread_mutex_lock(&g->tree->batch_lock);
        answers = options->batch(options->context, files, n);
        (void)pthread_mutex_unlock(&g->tree->batch_lock);
    }
    wpa_free(files);
    return answers;
}

/** How many files from the first on may be judged together. */
static size_t measure_slice(const group *g, size_t from)
{
    size_t n = 0, size_bytes = 0;
    bool is_endless = !g->tree->options->batch;
    while (from + n < g->n) {
        const wpa_unit_file *file = g->files[from + n];
        bool is_new = file->state == WPA_UNIT_WAITING && !file->shown.source;
        size_bytes += is_new ? file->shown.size_bytes + SLICE_FILE_BYTES : 0;
        if (n && !is_endless && is_new &&
            size_bytes > SLICE_MAX_BYTES / g->tree->n_groups_at_once) {
            break;
        }
        n++;
    }
    return n;
}

static void keep_answers(group *g, wpa_arena *answers)
{
    if (answers) {
        g->answers = wpa_realloc(g->answers, (g->n_answers + 1) * sizeof(wpa_arena *));
        g->answers[g->n_answers++] = answers;
    }
}

/** Slice by slice, so that every file is in a batch and few trees are in memory. */
static void judge_all(group *g)
{
    for (size_t from = 0; from < g->n;) {
        group slice = {.tree = g->tree, .first = g->first, .files = g->files + from};
        slice.n = measure_slice(g, from);
        wpa_arena *answers = NULL;
        if (g->tree->options->batch) {
            run_stage(&slice, stage_parse);
            answers = call_batch(&slice);
        }
        wpa_unit_judge(g->tree, slice.files, slice.n);
        if (g->tree->options->fixes) {
            keep_answers(g, answers);
        } else {
            wpa_arena_free(answers);
        }
        from += slice.n;
    }
}

/** Notes of a file are its own, whoever writes it. */
static void deliver_fixes(wpa_tree *tree, wpa_unit_file *file)
{
    const wpa_tree_options *options = tree->options;
    wpa_unit *unit = file->unit;
    if (file->is_together) { /* its own are part of what is delivered together */
        file->shown.fixed->n_applied = 0;
    }
    file->shown.text = file->original;
    if (options->on_fixed) {
        options->on_fixed(options->context, &file->shown);
    }
    if (unit->together && !unit->together->is_delivered) {
        unit->together->is_delivered = true;
        options->on_together(options->context, &unit->together->shown);
    }
}

/** In the order of the walk, by the thread that called. */
static void deliver(group *g)
{
    wpa_tree *tree = g->tree;
    for (size_t i = 0; i < g->n; i++) {
        wpa_unit_file *file = g->files[i];
        if (file->is_twice) {
            continue;
        }
        if (file->state == WPA_UNIT_UNREADABLE) {
            wpa_tree_note_unreadable(tree, file->shown.path, file->fault);
            tree->n_files--;
        } else if (file->state == WPA_UNIT_DONE) {
            if (tree->options->fixes) {
                deliver_fixes(tree, file);
            }
            wpa_unit_put_result(tree, file);
        }
        wpa_paged_relax();
    }
}

static void count_none_held(group *g)
{
    (void)atomic_fetch_sub(&g->tree->held_bytes, atomic_exchange(&g->held_bytes, 0));
}

/** What is done may wait long for the groups before it: its results are all it needs for that. */
static void let_go(group *g)
{
    for (wpa_unit *unit = g->first; unit; unit = unit->next) {
        wpa_shelf_free(unit->shelf);
        unit->shelf = NULL;
    }
    for (size_t i = 0; i < g->n; i++) {
        wpa_unit_release(g->files[i]);
    }
}

static void run(wpa_pool_task *task)
{
    group *g = (group *)task;
    wpa_tree *tree = g->tree;
    if (tree->options->cache) { /* else each is read where it is parsed */
        run_stage(g, stage_read);
        for (wpa_unit *unit = g->first; unit; unit = unit->next) {
            wpa_key_digest_unit(tree, unit);
        }
        if (is_fleet(g)) {
            wpa_key_digest_fleet(g->first);
        }
        run_stage(g, stage_look);
    }
    open_graphs(g);
    count_none_held(g); /* texts have become part of the trees that come */
    run_stage(g, stage_join);
    close_graphs(g);
    join_fleet(g);
    judge_all(g);
    for (wpa_unit *unit = g->first; unit && tree->options->on_together; unit = unit->next) {
        wpa_unit_fix_together(tree, unit);
    }
    if (tree->options->outside || (tree->options->fixes && tree->options->baseline)) {
        run_stage(g, stage_complete);
    }
    let_go(g);
    count_none_held(g);
}

static void free_group(group *g)
{
    while (g->first) {
        wpa_unit *next = g->first->next;
        wpa_unit_free(g->first);
        g->first = next;
    }
    for (size_t i = 0; i < g->n_answers; i++) {
        wpa_arena_free(g->answers[i]);
    }
    wpa_free(g->answers);
    wpa_free(g->files);
    wpa_free(g);
}

/** The group that was handed over first is done. */
static void take_out(wpa_tree *tree)
{
    group *g = tree->groups;
    deliver(g);
    for (wpa_unit *unit = g->first; unit; unit = unit->next) {
        wpa_key_keep_stamps(unit);
    }
    tree->groups = g->next;
    tree->last_group = g->next ? tree->last_group : &tree->groups;
    free_group(g);
    if (tree->options->cache) {
        wpa_cache_relax(tree->options->cache);
    }
}

void wpa_groups_finish(wpa_tree *tree)
{
    while (tree->groups) {
        wpa_pool_wait(tree->pool, &tree->groups->task);
        take_out(tree);
    }
}

void wpa_group_run(wpa_tree *tree, wpa_unit *first)
{
    if (!first) {
        return;
    }
    group *g = gather(tree, first);
    g->task.run = run;
    *tree->last_group = g;
    tree->last_group = &g->next;
    wpa_pool_submit(tree->pool, &g->task);
    if (tree->options->fixes) { /* what comes next may read what is written now */
        wpa_groups_finish(tree);
    }
    while (tree->groups && wpa_pool_is_done(tree->pool, &tree->groups->task)) {
        take_out(tree);
    }
}

void wpa_groups_free(wpa_tree *tree)
{
    wpa_pool_free(tree->pool); /* behind the tasks that are at work */
    while (tree->groups) {
        group *next = tree->groups->next;
        free_group(tree->groups);
        tree->groups = next;
    }
}
