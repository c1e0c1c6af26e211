/*
 * What fixes of one file (fix.c) and fixes over several (fix_tree.c) share; whether they hold is
 * judged by fix_judge.c. Private to src/rules.
 */
#pragma once

#include "rules/fix.h"

/** A fix that may be taken this round. */
typedef struct wpa_fix_candidate {
    const wpa_finding *finding;
    const wpa_fix *fix;
} wpa_fix_candidate;

typedef struct wpa_fix_candidates {
    wpa_fix_candidate *items;
    size_t n, capacity;
} wpa_fix_candidates;

/** Does the choice allow fixes of this finding? Which of them is another question. */
bool wpa_fix_is_wanted(const wpa_fix_choice *choice, const wpa_finding *finding);
/**
 * Every rule at every level and for every file, with the options and the severities of the
 * configuration: what is not shown must not be broken either.
 */
const wpa_settings *wpa_fix_judge(const wpa_settings *settings, wpa_arena *arena);
/** A rule that has failed, was stopped or did not get its turn: what it says is not all; or NULL.
 */
const char *wpa_fix_unfinished(const wpa_result *result);
/**
 * Why the change is no improvement, or NULL if it is one: every rule came to its end, every finding
 * is gone, and nothing is new at or above the worst of them, by the configuration or by the rules
 * themselves, but for what auditors alone are shown and for likenesses. A list of mixed severity is
 * made of lists of one that held before; strictly, at or above the least of them, of any.
 */
const char *wpa_fix_fault(const wpa_fix_candidates *list, bool is_strict, const wpa_result *before,
                          const wpa_result *after, wpa_arena *arena);
/** Text with edits of one file, in any order, NUL-terminated. */
const char *wpa_fix_text(const char *from, size_t from_bytes, const wpa_fix_edit **edits, size_t n,
                         wpa_arena *arena, size_t *size_bytes);
