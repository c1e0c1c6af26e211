/* What fixes of one file and fixes over several share. Private to src/rules. */
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
/** Every rule at every level, with the options as they are and nothing silenced. */
const wpa_settings *wpa_fix_judge(const wpa_settings *settings, wpa_arena *arena);
/**
 * Why the change is no improvement, or NULL if it is one: every finding gone, nothing new at or
 * above the worst of them, but for what auditors alone are shown and for likenesses. Lists of mixed
 * severity are made of lists of one that held before.
 */
const char *wpa_fix_fault(const wpa_fix_candidates *list, const wpa_result *before,
                          const wpa_result *after, wpa_arena *arena);
/** Text with edits of one file, in any order, NUL-terminated. */
const char *wpa_fix_text(const char *from, size_t from_bytes, const wpa_fix_edit **edits, size_t n,
                         wpa_arena *arena, size_t *size_bytes);
