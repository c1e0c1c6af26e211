#include "rules/fix_tree.h"

#include <stdlib.h>
#include <string.h>

#include <wpa/map.h>
#include <wpa/text.h>

#include "rules/fix_internal.h"
#include "rules/graph.h"

/* Files that one fix may change. */
#define TOUCHED_MAX 256

struct wpa_fix_tree {
    const wpa_surroundings *base;
    const wpa_surroundings *around; /* as it is now; NULL: to be made */
    wpa_arena *arena;
    wpa_fix_change *changes; /* [n] */
    size_t n, capacity;
    wpa_map *dropped; /* fingerprints of findings whose fix did not hold */
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

/** A repository in which these files are as they would be. */
static const wpa_surroundings *lay_over(const wpa_surroundings *base, const wpa_fix_change *changes,
                                        size_t n, wpa_arena *arena)
{
    layer *l = wpa_arena_alloc(arena, sizeof *l);
    wpa_fix_change *kept = wpa_arena_array(arena, n + 1, sizeof *kept);
    if (n) {
        memcpy(kept, changes, n * sizeof *kept);
    }
    *l = (layer){base, kept, n};
    wpa_surroundings *around = wpa_arena_dup(arena, base, sizeof *base);
    const wpa_source **sources = wpa_arena_array(arena, n + 1, sizeof *sources);
    size_t n_sources = 0;
    list_paths(around, l, arena);
    around->read = read_layered;
    around->read_context = l;
    around->parsed = parsed_layered;
    around->parsed_context = l;
    around->trace = NULL;
    for (size_t i = 0; i < n; i++) {
        const wpa_source *source = read_change(&l->changes[i], around, arena);
        if (source) {
            sources[n_sources++] = source;
        }
    }
    around->graph = base->graph ? wpa_graph_with(base->graph, sources, n_sources, arena) : NULL;
    return around;
}

wpa_fix_tree *wpa_fix_tree_new(const wpa_surroundings *base, wpa_arena *arena)
{
    wpa_fix_tree *tree = wpa_arena_alloc(arena, sizeof *tree);
    *tree = (wpa_fix_tree){.base = base, .arena = arena, .dropped = wpa_map_new(arena)};
    return tree;
}

const wpa_surroundings *wpa_fix_tree_around(wpa_fix_tree *tree)
{
    if (!tree->around) {
        tree->around = lay_over(tree->base, tree->changes, tree->n, tree->arena);
    }
    return tree->around;
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
}

static const wpa_source *source_in(const wpa_surroundings *around, const char *path,
                                   wpa_arena *arena)
{
    wpa_fix_change as_it_is = {.path = path};
    as_it_is.after = text_of(around, path, arena, &as_it_is.after_bytes);
    return as_it_is.after ? read_change(&as_it_is, around, arena) : NULL;
}

const wpa_source *wpa_fix_tree_source(wpa_fix_tree *tree, const char *path)
{
    return source_in(wpa_fix_tree_around(tree), path, tree->arena);
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
    const wpa_surroundings *around;
    const wpa_settings *judge;
    wpa_arena *arena;
    wpa_result all;
    size_t capacity;
    bool is_readable;
} judgement;

static void judge_file(judgement *j, const char *path)
{
    wpa_input_kind kind;
    if (!wpa_input_of_path(path, &kind) || !wpa_surroundings_has(j->around, path)) {
        return;
    }
    const wpa_source *source = source_in(j->around, path, j->arena);
    bool is_readable = source && source->yaml && source->yaml->root && !source->is_partial;
    j->is_readable = j->is_readable && is_readable;
    wpa_result one = source ? wpa_rules_run(source, j->judge, j->arena) : (wpa_result){0};
    wpa_result *all = &j->all;
    for (size_t i = 0; i < one.n_findings; i++) {
        all->findings = wpa_arena_grow(j->arena, all->findings, all->n_findings, &j->capacity,
                                       sizeof *all->findings);
        all->findings[all->n_findings++] = one.findings[i];
    }
}

/** The touched files, and that of the finding. */
static judgement judge_all(const wpa_surroundings *around, const touched *t,
                           const wpa_settings *judge, wpa_arena *arena)
{
    judgement j = {.around = around, .judge = judge, .arena = arena, .is_readable = true};
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

/** Would the repository be better? If not, why, in the tree's arena. */
static bool holds(wpa_fix_tree *tree, wpa_fix_candidate candidate, const wpa_settings *settings,
                  const touched *t, wpa_arena *arena, const char **fault)
{
    wpa_fix_candidates list = {&candidate, 1, 1};
    const wpa_settings *judge = wpa_fix_judge(settings, arena);
    size_t n;
    const wpa_fix_change *changes = join(tree, t, arena, &n);
    const wpa_surroundings *then = lay_over(tree->base, changes, n, arena);
    judgement before = judge_all(wpa_fix_tree_around(tree), t, judge, arena);
    judgement after = judge_all(then, t, judge, arena);
    *fault =
        before.is_readable && !after.is_readable
            ? "a file could not be read any more"
            : wpa_arena_text(tree->arena, wpa_fix_fault(&list, &before.all, &after.all, arena));
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

static void note_applied(wpa_fix_tree *tree, gathering *g, wpa_fix_candidate candidate)
{
    wpa_fix_outcome *o = &g->outcome;
    o->applied = wpa_arena_grow(tree->arena, o->applied, o->n_applied, &g->applied_capacity,
                                sizeof *o->applied);
    o->fixes =
        wpa_arena_grow(tree->arena, o->fixes, o->n_applied, &g->fixes_capacity, sizeof *o->fixes);
    o->applied[o->n_applied] = candidate.finding;
    o->fixes[o->n_applied++] = candidate.fix;
}

static void note_dropped(wpa_fix_tree *tree, gathering *g, const wpa_finding *finding,
                         const char *fault)
{
    wpa_fix_outcome *o = &g->outcome;
    wpa_map_put(tree->dropped, finding->fingerprint, tree);
    g->notes =
        wpa_arena_grow(tree->arena, g->notes, o->n_notes, &g->notes_capacity, sizeof *g->notes);
    g->notes[o->n_notes++] = (wpa_note){
        .path = finding->path,
        .rule = finding->rule->id,
        .text = wpa_arena_printf(tree->arena, "fix at line %zu dropped: %s",
                                 finding->span.start.line, fault),
    };
    o->notes = g->notes;
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

wpa_fix_outcome wpa_fix_tree_fix(wpa_fix_tree *tree, const char *path, const wpa_settings *settings,
                                 const wpa_fix_choice *choice)
{
    gathering g = {0};
    bool is_changed = true;
    wpa_result result = {0};
    for (;;) {
        if (is_changed) { /* what was found before speaks of a file that is another one now */
            const wpa_source *source = wpa_fix_tree_source(tree, path);
            result = source ? wpa_rules_run(source, settings, tree->arena) : (wpa_result){0};
        }
        wpa_fix_candidate candidate = next_candidate(tree, &result, choice);
        if (!candidate.finding) {
            return g.outcome;
        }
        is_changed = try_fix(tree, candidate, settings, &g);
    }
}
