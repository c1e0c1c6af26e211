/*
 * Answers of earlier runs, by what was asked: one file of lines in the user's cache folder, read
 * whole, appended to, begun anew when it has grown too large. Without such a folder nothing is
 * kept. A line that makes no sense is as good as none.
 */
#pragma once

#include "lint/tools.h"

#define WPA_LINT_CACHE_MAX_BYTES ((size_t)64 << 20)

typedef struct wpa_lint_cache wpa_lint_cache;

/** Never NULL. Thread: one at a time. */
wpa_lint_cache *wpa_lint_cache_open(wpa_arena *arena);
/** What identifies a question: the program as it is installed, its arguments, the script. */
const char *wpa_lint_cache_key(const wpa_lint_program *program, const char *path,
                               const wpa_lint_job *job, wpa_arena *arena);
/** The comments that were kept under this key; false if there are none such. */
bool wpa_lint_cache_find(const wpa_lint_cache *cache, const char *key, wpa_lint_job *job,
                         wpa_arena *arena);
void wpa_lint_cache_add(wpa_lint_cache *cache, const char *key, const wpa_lint_job *job);
/** Write what was added; what cannot be written is lost without a word. */
void wpa_lint_cache_close(wpa_lint_cache *cache);
