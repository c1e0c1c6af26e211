/* What a step keeps between runs: caches of setup actions and of the cache actions themselves. */
#pragma once

#include "rules/outline.h"

typedef enum wpa_cache_state {
    WPA_CACHE_STATE_NONE,   /* not such a cache */
    WPA_CACHE_STATE_OFF,    /* it could keep it, and does not */
    WPA_CACHE_STATE_ON,     /* restores, and saves what the job leaves there */
    WPA_CACHE_STATE_READS,  /* restores only */
    WPA_CACHE_STATE_UNKNOWN /* the version, or an expression, does not tell */
} wpa_cache_state;

/**
 * Is this cache (a row of the table) on in this step? Decided by the version in use, its inputs
 * and what the action does by itself; a newest major is taken as the newest that is known.
 * Defaults that hang on other files count as WPA_CACHE_STATE_UNKNOWN, as does no version.
 */
wpa_cache_state wpa_caches_state(const wpa_outline_step *step, const wpa_fact_cache *cache);
/** The same where the expression that its input is has this value. */
wpa_cache_state wpa_caches_state_told(const wpa_outline_step *step, const wpa_fact_cache *cache,
                                      const char *value);

/** The usual value of the input that switches the cache off, or NULL. */
const char *wpa_caches_off_word(const wpa_fact_cache *cache, wpa_arena *arena);

/** The next row of the table for this step's action and version, from *at on; NULL behind the last.
 * Start with *at = 0. */
const wpa_fact_cache *wpa_caches_next(const wpa_outline_step *step, size_t *at);

/** The first row of the step that is on (or on and off as given), or NULL. */
const wpa_fact_cache *wpa_caches_find(const wpa_outline_step *step, wpa_cache_state state);

/** Does the step run a command that fills this cache? The command, or NULL. */
const wpa_shell_command *wpa_caches_install(const wpa_outline_step *step,
                                            const wpa_fact_cache *cache);
/** Does a list of paths, one a line, name a folder of this cache, or one inside or around it? */
bool wpa_caches_covers(const wpa_fact_cache *cache, const char *paths);
