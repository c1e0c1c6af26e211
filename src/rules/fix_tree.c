#include "rules/fix_tree.h"

#include <stdlib.h>
#include <string.h>

#include <wpa/map.h>
#include <wpa/text.h>

#include "rules/fix_internal.h"
#include "rules/graph.h"

/* Files that one fix may change. */
#define TOUCHED_MAX 256
/*
 * What is analysed to see whether fixes hold: so much, and so much more for each byte of a file
 * that is asked for. Where every fix changes every file there would be no end else.
 */
#define TRIED_MAX_BYTES ((size_t)32 * 1024 * 1024)
#define TRIED_PER_BYTE 16
#define TRIED_MAX_WORK (2 * WPA_RULES_WORK_MAX)
#define WORK_PER_BYTE 256
#define TRIED_MAX_US ((int64_t)2 * WPA_RULES_TIME_MAX_MS * 1000)
#define US_PER_BYTE 2
/* What one file of the repository costs that is only looked at again for what it uses. */
#define SHARED_BYTES 128
/* What all states of the repository may hold. */
#define HELD_MAX_BYTES ((size_t)128 * 1024 * 1024)

struct wpa_fix_tree {
    const wpa_surroundings *base;
    const wpa_surroundings *around; /* as it is now; NULL: to be made */
    wpa_arena *arena;
    wpa_fix_change *changes; /* [n] */
    size_t n, capacity;
    size_t *pending; /* [n_pending] those of changes that are not among the records yet */
    size_t n_pending, pending_capacity;
    wpa_graph *records; /* what changed definitions say, as of each change */
    /* Graphs of this state and of the one before, which may still be looked at. */
    wpa_arena *now, *before;
    wpa_map *dropped;          /* fingerprints of findings whose fix did not hold */
    size_t n_tried, max_tried; /* bytes */
    size_t work, max_work;     /* and what rules looked at in them, */
    int64_t spent_us, max_us;  /* and how long they took */
    size_t held;               /* bytes of all states */
    bool is_stopped;           /* there was more than that */
};

/* Changes, and what lies below them: what readers of one state of the repository see. */
typedef struct layer {
    const wpa_surroundings *base;
    const wpa_fix_change *changes; /* [n] */
    size_t n;
} layer;

static const wpa_fix_change *find_change(const wpa_fix_change *changes, size_t n, const char *path)
{
    for (size_t i = 0; i < n; i++) {
        if (wpa_text_is(changes[i].path, path)) {
            return &changes[i];
        }
    }
    return NULL;
}

/* ---- the repository with changes ---- */

static const char *read_layered(void *context, const char *path, size_t max_bytes, wpa_arena *arena,
                                size_t *size_bytes)
{
    const layer *l = context;
    const wpa_fix_change *change = find_change(l->changes, l->n, path);
    if (!change) {
        return l->base->read
                   ? l->base->read(l->base->read_context, path, max_bytes, arena, size_bytes)
                   : NULL;
    }
    if (change->after_bytes > max_bytes) {
        return NULL;
    }
    *size_bytes = change->after_bytes;
    return wpa_arena_slice(arena, change->after, change->after_bytes);
}

static const wpa_source *parsed_layered(void *context, const char *path)
{
    const layer *l = context;
    bool is_changed = find_change(l->changes, l->n, path) != NULL;
    return is_changed || !l->base->parsed ? NULL : l->base->parsed(l->base->parsed_context, path);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void list_paths(wpa_surroundings *around, const layer *l, wpa_arena *arena)
{
    size_t n = around->n_paths;
    const char **paths = wpa_arena_array(arena, n + l->n + 1, sizeof *paths);
    if (n) {
        memcpy(paths, around->paths, n * sizeof *paths);
    }
    for (size_t i = 0; i < l->n; i++) {
        if (!l->changes[i].before) {
            paths[n++] = l->changes[i].path;
        }
    }
    if (n > around->n_paths) {
        qsort(paths, n, sizeof *paths, compare_paths);
    }
    around->paths = paths;
    around->n_paths = n;
}

static const wpa_source *read_change(const wpa_fix_change *change, const wpa_surroundings *around,
                                     wpa_arena *arena)
{
    wpa_input_kind kind;
    const char *shown =
        wpa_arena_printf(arena, "%s%s", around->prefix ? around->prefix : "", change->path);
    return wpa_input_of_path(change->path, &kind)
               ? wpa_source_read(kind, shown, change->after, change->after_bytes, around, arena)
               : NULL;
}

/** Add what these files say, if they are definitions. */
static void record(wpa_fix_tree *tree, wpa_graph *graph, const wpa_fix_change *change,
                   const wpa_surroundings *around)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new(); /* records are copies */
    const wpa_source *source = read_change(change, around, scratch);
    tree->n_tried += change->after_bytes;
    if (source) {
        wpa_graph_add(graph, source);
    }
}

/** A repository in which these files are as they would be; whose graph is still that of before. */
static wpa_surroundings *lay_over(const wpa_surroundings *base, const wpa_fix_change *changes,
                                  size_t n, wpa_arena *arena)
{
    layer *l = wpa_arena_alloc(arena, sizeof *l);
    *l = (layer){base, wpa_arena_dup(arena, changes, n * sizeof *changes), n};
    wpa_surroundings *around = wpa_arena_dup(arena, base, sizeof *base);
    list_paths(around, l, arena);
    around->read = read_layered;
    around->read_context = l;
    around->parsed = parsed_layered;
    around->parsed_context = l;
    around->trace = NULL;
    return around;
}

wpa_fix_tree *wpa_fix_tree_new(const wpa_surroundings *base, wpa_arena *arena)
{
    wpa_fix_tree *tree = wpa_arena_alloc(arena, sizeof *tree);
    *tree = (wpa_fix_tree){
        .base = base,
        .arena = arena,
        .records = wpa_graph_new(NULL, arena),
        .dropped = wpa_map_new(arena),
        .max_tried = TRIED_MAX_BYTES,
        .max_work = TRIED_MAX_WORK,
        .max_us = TRIED_MAX_US,
    };
    return tree;
}

void wpa_fix_tree_free(wpa_fix_tree *tree)
{
    if (tree) {
        wpa_arena_free(tree->now);
        wpa_arena_free(tree->before);
        tree->now = tree->before = NULL;
    }
}

static const wpa_graph *join_graph(wpa_fix_tree *tree, const wpa_graph *graph,
                                   const wpa_graph *changed, wpa_arena *arena)
{
    tree->n_tried += wpa_graph_count(graph) * SHARED_BYTES;
    return wpa_graph_over(graph, changed, arena);
}

const wpa_surroundings *wpa_fix_tree_around(wpa_fix_tree *tree)
{
    if (tree->around) {
        return tree->around;
    }
    size_t used = wpa_arena_used_bytes(tree->arena);
    wpa_surroundings *around = lay_over(tree->base, tree->changes, tree->n, tree->arena);
    wpa_arena_free(tree->before);
    tree->before = tree->now;
    tree->now = wpa_arena_new();
    for (size_t i = 0; around->graph && i < tree->n_pending; i++) {
        record(tree, tree->records, &tree->changes[tree->pending[i]], around);
    }
    if (around->graph) {
        around->graph = join_graph(tree, around->graph, tree->records, tree->now);
    }
    tree->n_pending = 0;
    tree->around = around;
    tree->held += wpa_arena_used_bytes(tree->arena) - used;
    return around;
}

const wpa_fix_change *wpa_fix_tree_changes(const wpa_fix_tree *tree, size_t *n)
{
    *n = tree->n;
    return tree->changes;
}

/** Text of a file in this repository; NULL if there is none. */
static const char *text_of(const wpa_surroundings *around, const char *path, wpa_arena *arena,
                           size_t *size_bytes)
{
    const wpa_source *parsed = around->parsed ? around->parsed(around->parsed_context, path) : NULL;
    *size_bytes = 0;
    if (parsed && parsed->yaml) {
        *size_bytes = parsed->yaml->size_bytes;
        return parsed->yaml->source;
    }
    return wpa_surroundings_read(around, path, WPA_YAML_MAX_BYTES, arena, size_bytes);
}

static wpa_fix_change *change_of(wpa_fix_tree *tree, const char *path)
{
    wpa_fix_change *known = (wpa_fix_change *)(uintptr_t)find_change(tree->changes, tree->n, path);
    if (known) {
        return known;
    }
    tree->changes =
        wpa_arena_grow(tree->arena, tree->changes, tree->n, &tree->capacity, sizeof *tree->changes);
    wpa_fix_change *change = &tree->changes[tree->n++];
    *change = (wpa_fix_change){.path = wpa_arena_text(tree->arena, path)};
    if (!tree->base->has_paths || wpa_surroundings_has(tree->base, path)) {
        change->before = text_of(tree->base, path, tree->arena, &change->before_bytes);
    }
    return change;
}

void wpa_fix_tree_put(wpa_fix_tree *tree, const char *path, const char *text, size_t size_bytes)
{
    wpa_fix_change *change = change_of(tree, path);
    change->after = wpa_arena_slice(tree->arena, text, size_bytes);
    change->after_bytes = size_bytes;
    tree->around = NULL;
    tree->pending = wpa_arena_grow(tree->arena, tree->pending, tree->n_pending,
                                   &tree->pending_capacity, sizeof *tree->pending);
    tree->pending[tree->n_pending++] = (size_t)(change - tree->changes);
}

static const wpa_source *source_in(const wpa_surroundings *around, const char *path,
                                   wpa_arena *arena)
{
    wpa_fix_change as_it_is = {.path = path};
    as_it_is.after = text_of(around, path, arena, &as_it_is.after_bytes);
    return as_it_is.after ? read_change(&as_it_is, around, arena) : NULL;
}

const wpa_source *wpa_fix_tree_source(wpa_fix_tree *tree, const char *path, wpa_arena *arena)
{
    return source_in(wpa_fix_tree_around(tree), path, arena);
}

/* ---- one fix ---- */

static const wpa_fix *best_across(const wpa_source *source, const wpa_fix_choice *choice,
                                  const wpa_finding *finding)
{
    for (size_t i = 0; wpa_fix_is_wanted(choice, finding) && i < finding->n_fixes; i++) {
        const wpa_fix *fix = finding->fixes[i];
        if (choice->has_unsafe || fix->safety == WPA_FIX_SAFE) {
            return wpa_fix_is_of_file(source, fix) ? NULL : fix;
        }
    }
    return NULL;
}

bool wpa_fix_is_across(const wpa_result *result, const wpa_fix_choice *choice)
{
    for (size_t i = 0; result->source && i < result->n_findings; i++) {
        if (best_across(result->source, choice, result->findings[i])) {
            return true;
        }
    }
    return false;
}

/* The files that a fix touches, each once, as they are with it. */
typedef struct touched {
    const char *own; /* path of the finding, which may not be among them */
    wpa_fix_change items[TOUCHED_MAX];
    size_t n;
} touched;

/** Edits are in the order of their files. False: too many files, or one that is not as expected. */
static bool apply(wpa_fix_tree *tree, const wpa_fix *fix, wpa_arena *arena, touched *t)
{
    const wpa_surroundings *around = wpa_fix_tree_around(tree);
    for (size_t i = 0; i < fix->n_edits;) {
        const char *shown = fix->edits[i].path;
        const char *path = wpa_surroundings_identity(around, shown);
        const wpa_fix_edit **edits = wpa_arena_array(arena, fix->n_edits, sizeof *edits);
        bool is_new = fix->edits[i].is_new;
        size_t n = 0, size_bytes = 0;
        for (; i < fix->n_edits && wpa_text_is(fix->edits[i].path, shown); i++) {
            edits[n++] = &fix->edits[i];
        }
        const char *text = is_new ? "" : text_of(around, path, arena, &size_bytes);
        bool fits = text && t->n < TOUCHED_MAX && (!is_new || !wpa_surroundings_has(around, path));
        for (size_t k = 0; k < n; k++) {
            fits = fits && edits[k]->bytes.end <= size_bytes;
        }
        if (!fits) {
            return false;
        }
        wpa_fix_change *change = &t->items[t->n++];
        *change = (wpa_fix_change){.path = path, .before = is_new ? NULL : text};
        change->before_bytes = size_bytes;
        change->after = wpa_fix_text(text, size_bytes, edits, n, arena, &change->after_bytes);
    }
    return t->n > 0;
}

/** Everything that the rules say of some files, as if they were one. */
typedef struct judgement {
    wpa_fix_tree *tree;
    const wpa_surroundings *around;
    const wpa_settings *judge;
    wpa_arena *arena;
    wpa_result all;
    const char *unfinished; /* a rule that has not said all, or NULL */
    size_t capacity;
    bool is_readable;
} judgement;

static wpa_result analyse(wpa_fix_tree *tree, const wpa_source *source,
                          const wpa_settings *settings, wpa_arena *arena)
{
    wpa_result result = source ? wpa_rules_run(source, settings, arena) : (wpa_result){0};
    tree->n_tried += source ? source->size_bytes : 0;
    tree->work += result.work;
    tree->spent_us += result.spent_us;
    return result;
}

static void judge_file(judgement *j, const char *path)
{
    wpa_input_kind kind;
    if (!wpa_input_of_path(path, &kind) || !wpa_surroundings_has(j->around, path)) {
        return;
    }
    const wpa_source *source = source_in(j->around, path, j->arena);
    bool is_readable = source && source->yaml && source->yaml->root && !source->is_partial;
    j->is_readable = j->is_readable && is_readable;
    wpa_result one = analyse(j->tree, source, j->judge, j->arena), *all = &j->all;
    j->unfinished = j->unfinished ? j->unfinished : wpa_fix_unfinished(&one);
    for (size_t i = 0; i < one.n_findings; i++) {
        all->findings = wpa_arena_grow(j->arena, all->findings, all->n_findings, &j->capacity,
                                       sizeof *all->findings);
        all->findings[all->n_findings++] = one.findings[i];
    }
}

/** The touched files, and that of the finding. */
static judgement judge_all(wpa_fix_tree *tree, const wpa_surroundings *around, const touched *t,
                           const wpa_settings *judge, wpa_arena *arena)
{
    judgement j = {
        .tree = tree, .around = around, .judge = judge, .arena = arena, .is_readable = true};
    bool has_own = false;
    for (size_t i = 0; i < t->n; i++) {
        judge_file(&j, t->items[i].path);
        has_own = has_own || wpa_text_is(t->items[i].path, t->own);
    }
    if (!has_own) {
        judge_file(&j, t->own);
    }
    return j;
}

/** The changes so far, and these on top. */
static const wpa_fix_change *join(const wpa_fix_tree *tree, const touched *t, wpa_arena *arena,
                                  size_t *n)
{
    wpa_fix_change *all = wpa_arena_array(arena, tree->n + t->n + 1, sizeof *all);
    *n = 0;
    for (size_t i = 0; i < tree->n; i++) {
        if (!find_change(t->items, t->n, tree->changes[i].path)) {
            all[(*n)++] = tree->changes[i];
        }
    }
    for (size_t i = 0; i < t->n; i++) {
        const wpa_fix_change *known = find_change(tree->changes, tree->n, t->items[i].path);
        all[*n] = t->items[i];
        all[*n].before = known ? known->before : t->items[i].before;
        (*n)++;
    }
    return all;
}

/** The repository as it would be with these files. */
static const wpa_surroundings *with_touched(wpa_fix_tree *tree, const touched *t, wpa_arena *arena)
{
    size_t n;
    const wpa_fix_change *changes = join(tree, t, arena, &n);
    wpa_surroundings *then = lay_over(tree->base, changes, n, arena);
    if (then->graph) {
        wpa_graph *changed = wpa_graph_new(NULL, arena);
        for (size_t i = 0; i < t->n; i++) {
            record(tree, changed, &t->items[i], then);
        }
        then->graph = join_graph(tree, wpa_fix_tree_around(tree)->graph, changed, arena);
    }
    return then;
}

/** Would the repository be better? If not, why, in the tree's arena. */
static bool holds(wpa_fix_tree *tree, wpa_fix_candidate candidate, const wpa_settings *settings,
                  const touched *t, wpa_arena *arena, const char **fault)
{
    wpa_fix_candidates list = {&candidate, 1, 1};
    const wpa_settings *judge = wpa_fix_judge(settings, arena);
    const wpa_surroundings *then = with_touched(tree, t, arena);
    judgement before = judge_all(tree, wpa_fix_tree_around(tree), t, judge, arena);
    judgement after = judge_all(tree, then, t, judge, arena);
    const char *unfinished = before.unfinished ? before.unfinished : after.unfinished;
    *fault = "a file could not be read any more";
    if (unfinished) {
        *fault = wpa_arena_printf(tree->arena, "%s does not come to its end", unfinished);
    } else if (after.is_readable || !before.is_readable) {
        const char *found = wpa_fix_fault(&list, false, &before.all, &after.all, arena);
        *fault = wpa_arena_text(tree->arena, found);
    }
    return *fault == NULL;
}

static void accept(wpa_fix_tree *tree, const touched *t)
{
    for (size_t i = 0; i < t->n; i++) {
        wpa_fix_tree_put(tree, t->items[i].path, t->items[i].after, t->items[i].after_bytes);
        wpa_fix_change *change = change_of(tree, t->items[i].path);
        change->is_shared = true;
        change->n_fixes++;
    }
}

/* ---- the fixes of a file ---- */

typedef struct gathering {
    wpa_fix_outcome outcome;
    wpa_note *notes;
    size_t applied_capacity, fixes_capacity, notes_capacity;
} gathering;

/** What is kept of a finding and its fix is what is told of them: places and words. */
static void note_applied(wpa_fix_tree *tree, gathering *g, wpa_fix_candidate candidate)
{
    wpa_fix_outcome *o = &g->outcome;
    wpa_arena *arena = tree->arena;
    wpa_finding *finding = wpa_arena_dup(arena, candidate.finding, sizeof *finding);
    wpa_fix *fix = wpa_arena_dup(arena, candidate.fix, sizeof *fix);
    o->applied =
        wpa_arena_grow(arena, o->applied, o->n_applied, &g->applied_capacity, sizeof *o->applied);
    o->fixes = wpa_arena_grow(arena, o->fixes, o->n_applied, &g->fixes_capacity, sizeof *o->fixes);
    finding->check = wpa_arena_text(arena, finding->check);
    finding->message = wpa_arena_text(arena, finding->message);
    finding->path = wpa_arena_text(arena, finding->path);
    finding->evidence = wpa_arena_text(arena, finding->evidence);
    finding->n_related = finding->n_structure = finding->n_fixes = 0;
    fix->title = wpa_arena_text(arena, fix->title);
    fix->needs = wpa_arena_text(arena, fix->needs);
    fix->n_edits = 0;
    o->applied[o->n_applied] = finding;
    o->fixes[o->n_applied++] = fix;
}

static void add_note(wpa_fix_tree *tree, gathering *g, const char *path, const char *rule,
                     const char *text)
{
    wpa_fix_outcome *o = &g->outcome;
    g->notes =
        wpa_arena_grow(tree->arena, g->notes, o->n_notes, &g->notes_capacity, sizeof *g->notes);
    g->notes[o->n_notes++] = (wpa_note){wpa_arena_text(tree->arena, path), rule, text};
    o->notes = g->notes;
}

static void note_dropped(wpa_fix_tree *tree, gathering *g, const wpa_finding *finding,
                         const char *fault)
{
    wpa_map_put(tree->dropped, finding->fingerprint, tree);
    add_note(tree, g, finding->path, finding->rule->id,
             wpa_arena_printf(tree->arena, "fix at line %zu dropped: %s", finding->span.start.line,
                              fault));
}

static bool try_fix(wpa_fix_tree *tree, wpa_fix_candidate candidate, const wpa_settings *settings,
                    gathering *g)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    touched *t = wpa_arena_alloc(scratch, sizeof *t);
    t->own = wpa_surroundings_identity(tree->base, candidate.finding->path);
    const char *fault = "a file is not what it was";
    if (apply(tree, candidate.fix, scratch, t) &&
        holds(tree, candidate, settings, t, scratch, &fault)) {
        accept(tree, t);
        note_applied(tree, g, candidate);
        return true;
    }
    note_dropped(tree, g, candidate.finding, fault);
    return false;
}

/** The first that is left; no finding if there is none. */
static wpa_fix_candidate next_candidate(const wpa_fix_tree *tree, const wpa_result *result,
                                        const wpa_fix_choice *choice)
{
    for (size_t i = 0; i < result->n_findings; i++) {
        const wpa_finding *finding = result->findings[i];
        const wpa_fix *fix = best_across(result->source, choice, finding);
        if (fix && !wpa_map_has(tree->dropped, finding->fingerprint)) {
            return (wpa_fix_candidate){finding, fix};
        }
    }
    return (wpa_fix_candidate){0};
}

static bool is_spent(const wpa_fix_tree *tree)
{
    return tree->n_tried > tree->max_tried || tree->work > tree->max_work ||
           tree->spent_us > tree->max_us || tree->held > HELD_MAX_BYTES;
}

static void note_untried(wpa_fix_tree *tree, gathering *g, const wpa_finding *finding)
{
    add_note(
        tree, g, finding->path, finding->rule->id,
        wpa_arena_printf(tree->arena,
                         "stopped: fix at line %zu not tried, nor are those over several files "
                         "behind it, as much was tried for this repository as may be",
                         finding->span.start.line));
}

bool wpa_fix_tree_is_stopped(const wpa_fix_tree *tree)
{
    return tree->is_stopped;
}

/** Take fixes of the file as it is now, up to the first that changes it; false if none does. */
static bool take_next(wpa_fix_tree *tree, const char *path, const wpa_settings *settings,
                      const wpa_fix_choice *choice, gathering *g)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new(); /* of what is found in a file that soon differs */
    wpa_result result = analyse(tree, wpa_fix_tree_source(tree, path, arena), settings, arena);
    wpa_fix_candidate candidate;
    while ((candidate = next_candidate(tree, &result, choice)).finding) {
        if (is_spent(tree)) {
            tree->is_stopped = true;
            note_untried(tree, g, candidate.finding);
            return false;
        }
        if (try_fix(tree, candidate, settings, g)) {
            return true;
        }
    }
    return false;
}

wpa_fix_outcome wpa_fix_tree_fix(wpa_fix_tree *tree, const char *path, const wpa_settings *settings,
                                 const wpa_fix_choice *choice)
{
    gathering g = {0};
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    size_t size_bytes, work = tree->work;
    (void)text_of(wpa_fix_tree_around(tree), path, arena, &size_bytes);
    tree->max_tried += TRIED_PER_BYTE * size_bytes;
    tree->max_work += WORK_PER_BYTE * size_bytes;
    tree->max_us += US_PER_BYTE * (int64_t)size_bytes;
    while (take_next(tree, path, settings, choice, &g)) {
    }
    g.outcome.work = tree->work - work;
    return g.outcome;
}
