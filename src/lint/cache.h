/*
 * Answers of earlier runs, by what was asked: in the user's cache folder, in a store like that of
 * whole results. Without such a folder nothing is kept. An answer that makes no sense is as good as
 * none.
 */
#pragma once

#include "auth/hash.h"
#include "core/cache.h"
#include "lint/tools.h"

/** For this run alone if nothing is to be kept; NULL: there is no such folder. */
wpa_cache *wpa_lint_cache_open(bool is_kept, wpa_arena *arena);
/** A program, by its path, size and time, and how it is asked: makes keys of what it is asked. */
void wpa_lint_cache_program(const wpa_lint_program *program, const char *path,
                            uint8_t digest[WPA_SHA256_SIZE]);
/** The key of what a program says of a job. */
const uint8_t *wpa_lint_cache_key(const uint8_t program[WPA_SHA256_SIZE], const wpa_lint_job *job,
                                  wpa_arena *arena);
/** The comments that were kept under this key; false if there are none such. cache may be NULL. */
bool wpa_lint_cache_find(wpa_cache *cache, const uint8_t *key, wpa_lint_job *job, wpa_arena *arena);
void wpa_lint_cache_add(wpa_cache *cache, const uint8_t *key, const wpa_lint_job *job);
