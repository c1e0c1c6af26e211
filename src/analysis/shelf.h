/*
 * Trees of one repository that rules look at beside the file they judge: those that are held
 * anyway, and others, read when they are first asked for, up to a limit. Threads share them, and
 * nobody changes them.
 */
#pragma once

#include <wpa/arena.h>

#include "rules/source.h"

/** Text whose trees a shelf reads by itself, and what these may take: that of a file which has
    hardly any text is many times as large. What is asked for beyond is read by who asks. */
#define WPA_SHELF_MAX_BYTES ((size_t)512 * 1024)
#define WPA_SHELF_TREES_MAX_BYTES ((size_t)6 * 1024 * 1024)

typedef struct wpa_shelf wpa_shelf;

/** around: how files are read and shown; borrowed until the end. */
wpa_shelf *wpa_shelf_new(const wpa_surroundings *around);
void wpa_shelf_free(wpa_shelf *shelf);

/** Before there are threads: a file of the repository, and its tree or NULL; borrowed. */
void wpa_shelf_put(wpa_shelf *shelf, const char *path, size_t size_bytes, const wpa_source *source);
/** As a wpa_surroundings_parsed: NULL for what is no file of the repository, or beyond the limit.
 */
const wpa_source *wpa_shelf_find(void *shelf, const char *path);
