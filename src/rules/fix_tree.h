/*
 * Fixes over several files of one repository, in memory: what they change lies over what was read,
 * and the rules see the repository as it would be. Pure: what is on disk stays as it is.
 */
#pragma once

#include "rules/fix.h"

/** A file as fixes have changed it. */
typedef struct wpa_fix_change {
    const char *path;   /* in the repository */
    const char *before; /* [before_bytes]; NULL: there was no such file */
    size_t before_bytes;
    const char *after; /* [after_bytes] */
    size_t after_bytes;
    bool is_shared; /* by a fix over several files: they are changed together or not at all */
    size_t n_fixes; /* over several files that changed this one */
} wpa_fix_change;

typedef struct wpa_fix_tree wpa_fix_tree;

/**
 * base is borrowed and knows paths, graph and reader; all but graphs is in the arena, and those of
 * former states are let go of with every change. One thread.
 */
wpa_fix_tree *wpa_fix_tree_new(const wpa_surroundings *base, wpa_arena *arena);
/** Let go of the graph too: sources can be read then, and no rule run over them. NULL is none. */
void wpa_fix_tree_free(wpa_fix_tree *tree);
WPA_DEFINE_AUTO(wpa_fix_tree, wpa_fix_tree_free);
/** Does the choice allow a fix in this result that changes other files? */
bool wpa_fix_is_across(const wpa_result *result, const wpa_fix_choice *choice);
/** Put what fixes of this file alone made of it. */
void wpa_fix_tree_put(wpa_fix_tree *tree, const char *path, const char *text, size_t size_bytes);
/** A definition as it is now, in the repository as it is now; NULL if there is none. In arena. */
const wpa_source *wpa_fix_tree_source(wpa_fix_tree *tree, const char *path, wpa_arena *arena);
/** The repository as it is now; changes with the next fix. */
const wpa_surroundings *wpa_fix_tree_around(wpa_fix_tree *tree);
/**
 * Take the fixes over several files that the choice allows for findings of this file, one after the
 * other. Each is dropped with a note, unless afterwards every file that it touches parses, the
 * finding is gone, and nothing new at or above its severity is in any of them. What may be tried is
 * counted over all files, and grows with their size; once it is used up a note says so.
 *
 * Returns  what was applied and dropped; text and result are not filled.
 */
wpa_fix_outcome wpa_fix_tree_fix(wpa_fix_tree *tree, const char *path, const wpa_settings *settings,
                                 const wpa_fix_choice *choice);
/** Was more asked for than is tried for one repository? A note says where that was. */
bool wpa_fix_tree_is_stopped(const wpa_fix_tree *tree);
/** [n] what has changed so far, in no order. */
const wpa_fix_change *wpa_fix_tree_changes(const wpa_fix_tree *tree, size_t *n);
