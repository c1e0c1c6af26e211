/* Moving an action to another version without breaking this use of it. */
#pragma once

#include "facts/platforms.h"
#include "rules/pin.h"

/** Is one text the other with one character added, dropped, changed, or two neighbours swapped? */
bool wpa_rule_is_one_edit(wpa_slice a, const char *b);

/** The one of names (NULL-terminated) that differs by case alone or by one edit; NULL if none does,
 * or if several do by an edit. */
const char *wpa_rule_find_meant(const char *text, const char *const names[]);

/** Names that a message can list. */
#define WPA_HINT_MAX 9

/** What to write instead, to end a message with: what was meant; else the names (NULL-terminated),
 * unless they are too many to read. */
const char *wpa_rule_hint(const char *meant, const char *const names[], wpa_arena *arena);

#define WPA_UPGRADE_MAX 4

/** What a major version would break in this use, and what it changes for it. */
typedef struct wpa_upgrade {
    const char *removed[WPA_UPGRADE_MAX]; /* inputs given here that it does not take */
    size_t n_removed;
    const char *required;              /* an input it wants and this use does not give, or NULL */
    const char *lost[WPA_UPGRADE_MAX]; /* outputs read in this file that it does not have */
    size_t n_lost;
    const wpa_fact_migration *renamed[WPA_UPGRADE_MAX]; /* inputs and outputs used here */
    size_t n_renamed;
    const wpa_fact_migration *notes[WPA_UPGRADE_MAX]; /* defaults and behaviour */
    size_t n_notes;
} wpa_upgrade;

/** step NULL (a call): nothing is known to break. */
wpa_upgrade wpa_upgrade_look(const wpa_outline_step *step, const wpa_fact_major *major);
bool wpa_upgrade_is_clean(const wpa_upgrade *upgrade);

/**
 * The lowest major above the one in use that is supported, runs on a supported runtime and takes
 * the inputs given. False if there is none.
 */
bool wpa_upgrade_find(const wpa_outline_uses *uses, const wpa_outline_step *step,
                      wpa_fact_major *major);

/**
 * Offer to write it, in the style of the ref that stands there: commit, full version or major.
 * Inputs and outputs that have another name there are renamed, and steps that only go with it
 * (upload with download) move in the same fix.
 */
void wpa_upgrade_offer(wpa_rule_run *run, wpa_finding *finding, wpa_safety safety,
                       const wpa_outline_uses *uses, const wpa_fact_major *major);
