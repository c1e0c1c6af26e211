/*
 * For what grows with the number of files. Of an arena's many megabytes few are in memory
 * (core/paged.h), and maps in it have keys that are there anyway.
 */
#pragma once

#include <wpa/map.h>

/** As any other while there is little in it. */
wpa_arena *wpa_arena_new_large(void);
/** As wpa_map_put, for a key that lives as long as the map: it is not copied. */
void wpa_map_put_borrowed(wpa_map *map, const char *key, void *value);
