/* Under which keys the result of a file is kept, and in which form. Private. */
#pragma once

#include "analysis/unit.h"

/** Of one result; what is beyond is cut off. */
#define WPA_PACKED_MAX_BYTES ((size_t)64 << 20)

/** What the file holds, if that is known without reading it. */
bool wpa_key_recall_text(wpa_unit_file *file);
/** What the file holds, of its text. */
void wpa_key_digest_text(wpa_unit_file *file);
/** For the next run: how the files lay that this one has read. */
void wpa_key_keep_stamps(wpa_unit *unit);
/** What surrounds the files of a repository: settings, paths, definitions. Needs the texts' own. */
void wpa_key_digest_unit(const wpa_tree *tree, wpa_unit *unit);
/** All repositories of a list go together: what one of them holds counts for each. */
void wpa_key_digest_fleet(wpa_unit *first);
/** Take the result out of the cache, if what it depended on is as it was. */
bool wpa_key_find(wpa_cache *cache, wpa_unit_file *file);
/** Findings of other analysers join the result, and those in the baseline get that state. */
void wpa_key_complete(const wpa_tree_options *options, wpa_unit_file *file);
/** Pack what is found now, in place of what was found before. */
void wpa_key_repack(wpa_unit_file *file, const wpa_result *result, bool has_excerpts);
/** Pack the result, and keep it under the key of what it depended on. cache may be NULL. */
void wpa_key_pack(wpa_cache *cache, wpa_unit_file *file, const wpa_result *result,
                  bool has_excerpts);
