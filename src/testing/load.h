/* A patch out of the database and git, as the checks want it. Private to src/testing. */
#pragma once

#include "db/db.h"
#include "testing/subject.h"

typedef struct wpa_test_loaded {
    wpa_test_patch patch;
    const char *state;       /* of the patch */
    int64_t attempt;         /* tests begun so far */
    const char *digest_text; /* as the database writes it */
} wpa_test_loaded;

/** Errors NOT_FOUND, INVALID (edits that cannot be read), and the database's. */
wpa_test_loaded *wpa_test_load(wpa_db *db, int64_t patch_id, wpa_arena *arena, wpa_error *err);

/**
 * Open the repositories of all targets and read what lies around the files. What cannot be reached
 * is noted in its target: the checks that need it say so.
 */
void wpa_test_open_targets(wpa_test_patch *patch, const char *cache_folder, int64_t now_us,
                           wpa_arena *arena);
void wpa_test_close_targets(wpa_test_patch *patch);
