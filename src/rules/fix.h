/*
 * Applying fixes to one file: in finding order, on the current text, in rounds, each checked
 * afterwards. Pure: text in, text out.
 */
#pragma once

#include "rules/engine.h"

#define WPA_FIX_MAX_ROUNDS 20

/** Which fixes may be taken. */
typedef struct wpa_fix_choice {
    bool has_unsafe;   /* not only safe ones */
    const bool *rules; /* [number of rules] in the order of the registry, or NULL: of any rule */
    const char *fingerprint; /* of this finding alone, or NULL */
} wpa_fix_choice;

typedef struct wpa_fix_outcome {
    const char *text; /* [size_bytes], the file afterwards; the file as it was if n_applied is 0 */
    size_t size_bytes;
    const wpa_finding **applied; /* [n_applied] findings whose fix was taken, in order */
    const wpa_fix **fixes;       /* [n_applied] the fix of each, with bytes of its round's text */
    size_t n_applied;
    const wpa_note *notes; /* [n_notes] fixes that were dropped, and why */
    size_t n_notes;
    wpa_result result; /* what is found in text */
    size_t work;       /* what rules looked at for all of it, counted */
} wpa_fix_outcome;

/**
 * Take every fix that the choice allows: the best allowed one of each finding. A fix is dropped,
 * with a note, unless afterwards the file parses, every rule has looked at all of it, the finding
 * is gone, and nothing new at or above its severity has appeared. All are tried at once, and apart
 * only where that does not hold. Running it again on the outcome changes nothing.
 */
wpa_fix_outcome wpa_rules_fix(const wpa_source *source, const wpa_settings *settings,
                              const wpa_fix_choice *choice, wpa_arena *arena);

/** Does the fix change this file alone? */
bool wpa_fix_is_of_file(const wpa_source *source, const wpa_fix *fix);

/** The text with one fix applied, whatever comes of it; its edits are sorted and sound. */
const char *wpa_fix_apply(const wpa_source *source, const wpa_fix *const fixes[], size_t n_fixes,
                          wpa_arena *arena, size_t *size_bytes);
