/* Which database to use: whoever names one last, or none, which means one of our own. */
#pragma once

#include <wpa/arena.h>

typedef struct wpa_db_source {
    const char *dsn;    /* conninfo or URI, "" for the PG* variables; NULL: embedded */
    const char *origin; /* what named it, for messages: "--db", "WPA_DB", a file's path, ... */
} wpa_db_source;

/**
 * In order: the option, WPA_DB, PG* variables that name a place, "db" in console.yaml of the user,
 * then of the system, else embedded.
 *
 * option    value of --db, or NULL; borrowed as long as the source.
 *
 * Errors    WPA_E_INVALID: a configuration file that cannot be read as YAML; using another database
 *           than the one it may name would be worse.
 */
bool wpa_db_source_find(const char *option, wpa_arena *arena, wpa_db_source *source,
                        wpa_error *err) WPA_CHECK;
