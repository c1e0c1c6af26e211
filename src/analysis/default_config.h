/*
 * The wpa.yml that holds for every repository of the fleet, kept in the database: the lowest layer,
 * over which a repository's own is read.
 */
#pragma once

#include <wpa/actor.h>

#include "db/db.h"
#include "rules/settings.h"

#define WPA_DEFAULT_CONFIG_NAME "the fleet's wpa.yml" /* in messages */
#define WPA_DEFAULT_CONFIG_MAX_BYTES ((size_t)64 * 1024)

typedef struct wpa_default_config {
    const char *content;    /* NULL: there is none */
    const char *changed_by; /* name, or NULL: nobody ever has */
    int64_t version, changed_at_us;
} wpa_default_config;

/** As it is now. Any role. */
bool wpa_default_config_read(wpa_db *db, wpa_arena *arena, wpa_default_config *config,
                             wpa_error *err) WPA_CHECK;
/**
 * Settings as the fleet wants them, at this time. What this program cannot read is as good as none.
 *
 * persona   where nothing else is wanted.
 * content   may be NULL; borrowed as long as the settings are used.
 */
wpa_settings *wpa_default_config_settings(const char *content, wpa_persona persona, int64_t now_us,
                                          wpa_arena *arena);
/**
 * Replace it, or with NULL take it away.
 *
 * version   that it is to have now; -1: any.
 *
 * Errors    DENIED (only a guardian), CONFLICT (somebody has changed it), LIMIT, INVALID: it cannot
 *           be read, with line and column; or says what only a repository's own can (baseline,
 *           analysers, compat, paths of programs).
 */
bool wpa_default_config_set(wpa_db *db, const wpa_actor *actor, const char *content,
                            int64_t version, wpa_error *err) WPA_CHECK;
