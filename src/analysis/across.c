/* Fixes over several files of one repository, behind those that each file had by itself. */
#include <stdlib.h>
#include <string.h>

#include <wpa/text.h>

#include "analysis/key.h"
#include "analysis/unit.h"

#define ROUNDS_MAX 5

/* Have a tree of files that can be changed together, and one that asks for it? */
static bool is_wanted(const wpa_tree *tree, const wpa_unit *unit)
{
    const wpa_surroundings *around = &unit->around;
    bool is_found = false;
    if (!tree->options->fixes || !around->has_paths || !around->graph || unit->is_alone) {
        return false;
    }
    for (size_t i = 0; i < unit->n_files && !is_found; i++) {
        const wpa_unit_file *file = unit->files[i];
        is_found =
            file->state == WPA_UNIT_DONE && !file->is_twice && !file->is_stdin && file->is_across;
    }
    return is_found;
}

static wpa_unit_file *find_file(const wpa_unit *unit, const char *path)
{
    for (size_t i = 0; i < unit->n_files; i++) {
        wpa_unit_file *file = unit->files[i];
        if (wpa_text_is(file->identity, path) && file->state == WPA_UNIT_DONE && !file->is_twice) {
            return file;
        }
    }
    return NULL;
}

/** What files have become by themselves is what fixes over several begin with. */
static wpa_fix_tree *begin(wpa_unit *unit)
{
    wpa_fix_tree *fixes = wpa_fix_tree_new(&unit->around, unit->arena);
    for (size_t i = 0; i < unit->n_files; i++) {
        const wpa_unit_file *file = unit->files[i];
        if (file->state == WPA_UNIT_DONE && !file->is_twice && file->shown.fixed->n_applied) {
            wpa_fix_tree_put(fixes, file->identity, file->shown.fixed->text,
                             file->shown.fixed->size_bytes);
        }
    }
    return fixes;
}

static void add_notes(wpa_unit *unit, const wpa_fix_outcome *outcome)
{
    wpa_together *together = unit->together;
    for (size_t i = 0; i < outcome->n_notes; i++) {
        together->notes = wpa_arena_grow(unit->arena, together->notes, together->n_notes,
                                         &together->notes_capacity, sizeof *together->notes);
        together->notes[together->n_notes++] = outcome->notes[i];
    }
    together->n_applied += outcome->n_applied;
}

/** Fixes of single files that one over several has made possible. */
static size_t fix_alone(const wpa_tree *tree, wpa_unit *unit, wpa_fix_tree *fixes)
{
    size_t n, n_applied = 0;
    (void)wpa_fix_tree_changes(fixes, &n);
    for (size_t i = 0; i < n; i++) {
        size_t n_now;
        const wpa_fix_change *change = &wpa_fix_tree_changes(fixes, &n_now)[i];
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const wpa_source *source =
            change->is_shared ? wpa_fix_tree_source(fixes, change->path, arena) : NULL;
        if (!source) {
            continue;
        }
        wpa_fix_outcome outcome =
            wpa_rules_fix(source, wpa_settings_at(unit->settings, change->path, arena),
                          tree->options->fixes, arena);
        if (outcome.n_applied) {
            wpa_fix_tree_put(fixes, change->path, outcome.text, outcome.size_bytes);
            n_applied += outcome.n_applied;
        }
    }
    unit->together->n_applied += n_applied;
    return n_applied;
}

static size_t fix_together(const wpa_tree *tree, wpa_unit *unit, wpa_fix_tree *fixes)
{
    size_t n_applied = 0;
    for (size_t i = 0; i < unit->n_files && !wpa_fix_tree_is_stopped(fixes); i++) {
        const wpa_unit_file *file = unit->files[i];
        if (file->state == WPA_UNIT_DONE && !file->is_twice) {
            WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
            const wpa_settings *settings =
                wpa_settings_at(file->shown.settings, file->identity, scratch);
            wpa_fix_outcome outcome =
                wpa_fix_tree_fix(fixes, file->identity, settings, tree->options->fixes);
            add_notes(unit, &outcome);
            n_applied += outcome.n_applied;
        }
    }
    return n_applied;
}

static int compare_changes(const void *a, const void *b)
{
    return strcmp(((const wpa_fix_change *)a)->path, ((const wpa_fix_change *)b)->path);
}

/** Files that change together are delivered together, and not by themselves. */
static void hand_over(const wpa_tree *tree, wpa_unit *unit, wpa_fix_tree *fixes)
{
    wpa_together *together = unit->together;
    size_t n;
    const wpa_fix_change *changes = wpa_fix_tree_changes(fixes, &n);
    wpa_fix_change *shared = wpa_arena_array(unit->arena, n + 1, sizeof *shared);
    for (size_t i = 0; i < n; i++) {
        wpa_unit_file *file = changes[i].is_shared ? find_file(unit, changes[i].path) : NULL;
        if (changes[i].is_shared) {
            wpa_fix_change *own = &shared[together->shown.n++];
            *own = changes[i]; /* texts as they were may be those of trees, which go now */
            own->before =
                own->before ? wpa_arena_slice(unit->arena, own->before, own->before_bytes) : NULL;
        }
        if (file) {
            WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
            wpa_result now = wpa_rules_run(
                wpa_fix_tree_source(fixes, file->identity, scratch),
                wpa_settings_at(file->shown.settings, file->identity, scratch), scratch);
            file->is_together = true;
            wpa_key_repack(file, &now, tree->options->has_excerpts);
        }
    }
    if (together->shown.n) {
        qsort(shared, together->shown.n, sizeof *shared, compare_changes);
    }
    together->shown.changes = shared;
    together->shown.prefix = unit->around.prefix ? unit->around.prefix : "";
    together->shown.is_revision = unit->git != NULL;
    together->shown.notes = together->notes;
    together->shown.n_notes = together->n_notes;
    together->shown.n_applied = together->n_applied;
}

/** Files that nobody named are not changed: then nothing that hangs together is. */
static void refuse_part(wpa_unit *unit)
{
    const char *prefix = unit->around.prefix;
    wpa_note *note = wpa_arena_alloc(unit->arena, sizeof *note);
    *note = (wpa_note){
        .path = prefix && *prefix ? prefix : ".",
        .text = "fixes that change several files are made only where all of it is checked",
    };
    unit->together->shown.notes = note;
    unit->together->shown.n_notes = 1;
}

void wpa_unit_fix_together(wpa_tree *tree, wpa_unit *unit)
{
    if (!is_wanted(tree, unit)) {
        return;
    }
    unit->together = wpa_arena_alloc(unit->arena, sizeof *unit->together);
    if (unit->is_part) {
        refuse_part(unit);
        return;
    }
    WPA_AUTO(wpa_fix_tree) *fixes = begin(unit);
    for (int round = 0; round < ROUNDS_MAX; round++) {
        if (fix_together(tree, unit, fixes) + fix_alone(tree, unit, fixes) == 0) {
            break;
        }
    }
    hand_over(tree, unit, fixes);
}
