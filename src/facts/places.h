/*
 * Where refreshed facts lie on this machine: in the user's data folder, and in those of the system.
 */
#pragma once

#include "facts/told.h"

#define WPA_FACTS_FILE "tags.txt"

typedef struct wpa_facts_loaded {
    const wpa_refreshed *table; /* the newest that is sound, or NULL */
    const char *path;           /* of it */
    bool is_used;               /* it is not older than what is compiled in */
    const wpa_told *told;       /* the newest of what a forge has told, or NULL; in use */
    const char *told_path;      /* of it */
    const char *fault;          /* which file is not taken, and why; NULL: none */
} wpa_facts_loaded;

/**
 * The file that is written, WPA_FACTS_FILE or WPA_TOLD_FILE: the user's, or the system's first.
 * Errors INVALID (no home).
 */
const char *wpa_facts_place(const char *file, bool is_system, wpa_arena *arena, wpa_error *err);
/**
 * Read what there is, and use the newest; texts and tables are in the arena. Call
 * wpa_facts_unload before it goes. Never fails: see fault. today is "YYYY-MM-DD".
 */
wpa_facts_loaded wpa_facts_load(const char *today, wpa_arena *arena);
/** Nothing but what is compiled in is used from now on. */
void wpa_facts_unload(void);
