/*
 * Results kept between runs, on disk: by what a file holds, the rules, the settings, and what was
 * asked of the repository around it. A cache: what is lost, broken or written over by another
 * process costs time and nothing else. Its size is bounded.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <wpa/arena.h>

#define WPA_CACHE_KEY_SIZE 32
/** Of all shards together. */
#define WPA_CACHE_MAX_BYTES ((size_t)128 << 20)

typedef struct wpa_cache wpa_cache;

/** folder: made if missing; NULL: for this run alone. */
wpa_cache *wpa_cache_open(const char *folder);
/** Write what is new and free; failures are nobody's business. */
void wpa_cache_close(wpa_cache *cache);
WPA_DEFINE_AUTO(wpa_cache, wpa_cache_close);

/** A copy of the bytes kept under a key; NULL if there are none. Any thread. */
const void *wpa_cache_find(wpa_cache *cache, const uint8_t key[WPA_CACHE_KEY_SIZE],
                           wpa_arena *arena, size_t *size_bytes);
/** Let go of memory that can be had again from the files. Any thread. */
void wpa_cache_relax(wpa_cache *cache);
/** Keep bytes; they are copied. Any thread. */
void wpa_cache_put(wpa_cache *cache, const uint8_t key[WPA_CACHE_KEY_SIZE], const void *bytes,
                   size_t size_bytes);
