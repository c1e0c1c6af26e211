/*
 * Files that say the same in two places: a manifest and its lock file (checks V109), workflows and
 * what the project itself says of its toolchains (V114). Decided from the files that a patch
 * changes and the repository that it was made on.
 */
#pragma once

#include "analysis/analysis.h"
#include "patch/patch.h"

/**
 * Note what there is to compare in the files of this repository, and whether toolchains agree;
 * called while they are at hand.
 *
 * base   the repository as it is; borrowed for the call.
 */
void wpa_patch_look_at_agreement(const wpa_surroundings *base, const wpa_settings *settings,
                                 int64_t repository_id, wpa_arena *arena, wpa_patch_draft *draft);
/**
 * Does what the patch makes of manifest and lock file fit together, does it hold this dependency as
 * it is named, and has nothing moved that is not named?
 *
 * draft   may be NULL: nothing is known of files.
 * named   all dependencies that the patch names.
 */
wpa_patch_agreement wpa_patch_locks_agree(const wpa_patch_draft *draft, const wpa_json *named,
                                          const wpa_json *item, wpa_arena *arena);
/** Name of a dependency as it was given, and the version it goes to; NULL where it says none. */
const char *wpa_patch_dependency_name(const wpa_json *item, wpa_arena *arena, const char **to);
