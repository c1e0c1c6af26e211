/* Hash map from text to a pointer, in an arena. Iterates in order of insertion. */
#pragma once

#include <wpa/arena.h>

typedef struct wpa_map wpa_map;

/** Keys are copied into the arena; values are borrowed. Lives as long as the arena. */
wpa_map *wpa_map_new(wpa_arena *arena);
/** Sets or replaces. */
void wpa_map_put(wpa_map *map, const char *key, void *value);
void *wpa_map_get(const wpa_map *map, const char *key);
bool wpa_map_has(const wpa_map *map, const char *key);
size_t wpa_map_count(const wpa_map *map);
/** The i-th inserted entry, 0 <= i < count; value may be NULL to ask for the key only. */
const char *wpa_map_at(const wpa_map *map, size_t i, void **value);
