#include <stdint.h>
#include <string.h>

#include <wpa/map.h>
#include <wpa/memory.h>

#include "core/large.h"

#define FIRST_SLOTS 16

typedef struct entry {
    const char *key;
    void *value;
} entry;

/* Entries of other keys that stand in the way are told apart without a look at them. */
typedef struct slot {
    uint32_t hash;
    uint32_t index; /* + 1 into entries, 0 = free */
} slot;

struct wpa_map {
    wpa_arena *arena;
    entry *entries; /* [count] in order of insertion */
    size_t count, capacity;
    slot *slots;    /* [n_slots] */
    size_t n_slots; /* a power of two, 0 before the first entry */
};

static uint64_t take_in(uint64_t hash, uint64_t bytes)
{
    hash = (hash ^ bytes) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/** Fewer than eight bytes as a number: two halves that overlap, or one by one. */
static uint64_t few_bytes(const char *text, size_t length)
{
    uint32_t first, last;
    uint64_t bytes = 0;
    if (length >= sizeof first) {
        memcpy(&first, text, sizeof first);
        memcpy(&last, text + length - sizeof last, sizeof last);
        return (uint64_t)first << 32 | last;
    }
    for (size_t i = 0; i < length; i++) {
        bytes = bytes << 8 | (unsigned char)text[i];
    }
    return bytes;
}

/** Eight bytes at once: one by one each would wait for the one before. It begins with where the map
    lies, which nobody knows beforehand: else a file could be full of keys that fall on one place.
 */
static uint32_t hash_of(const wpa_map *map, const char *text, size_t length)
{
    uint64_t hash = length ^ (uintptr_t)map, bytes;
    for (; length >= sizeof bytes; length -= sizeof bytes, text += sizeof bytes) {
        memcpy(&bytes, text, sizeof bytes);
        hash = take_in(hash, bytes);
    }
    return (uint32_t)take_in(hash, few_bytes(text, length));
}

static void place(wpa_map *map, slot taken)
{
    size_t mask = map->n_slots - 1, at = taken.hash & mask;
    while (map->slots[at].index) {
        at = (at + 1) & mask;
    }
    map->slots[at] = taken;
}

/** Twice as many slots. */
static void rehash(wpa_map *map)
{
    if (map->n_slots == 0) {
        map->n_slots = FIRST_SLOTS;
        map->slots = wpa_arena_array(map->arena, FIRST_SLOTS, sizeof *map->slots);
        return;
    }
    size_t n_before = map->n_slots;
    slot *before = wpa_realloc(NULL, n_before * sizeof *before);
    memcpy(before, map->slots, n_before * sizeof *before);
    map->slots =
        wpa_arena_grow(map->arena, map->slots, n_before, &map->n_slots, sizeof *map->slots);
    memset(map->slots, 0, map->n_slots * sizeof *map->slots);
    for (size_t i = 0; i < n_before; i++) {
        if (before[i].index) {
            place(map, before[i]);
        }
    }
    wpa_free(before);
}

static entry *find(const wpa_map *map, const char *key, uint32_t hash)
{
    size_t mask = map->n_slots - 1;
    for (size_t at = hash & mask; map->count && map->slots[at].index; at = (at + 1) & mask) {
        entry *found = &map->entries[map->slots[at].index - 1];
        if (map->slots[at].hash == hash && strcmp(found->key, key) == 0) {
            return found;
        }
    }
    return NULL;
}

wpa_map *wpa_map_new(wpa_arena *arena)
{
    wpa_map *map = wpa_arena_alloc(arena, sizeof *map);
    map->arena = arena;
    return map;
}

static void put(wpa_map *map, const char *key, void *value, bool is_borrowed)
{
    size_t length = strlen(key);
    uint32_t hash = hash_of(map, key, length);
    entry *found = find(map, key, hash);
    if (found) {
        found->value = value;
        return;
    }
    if ((map->count + 1) * 4 > map->n_slots * 3) {
        rehash(map);
    }
    map->entries =
        wpa_arena_grow(map->arena, map->entries, map->count, &map->capacity, sizeof *map->entries);
    key = is_borrowed ? key : wpa_arena_slice(map->arena, key, length);
    map->entries[map->count++] = (entry){key, value};
    place(map, (slot){hash, (uint32_t)map->count});
}

void wpa_map_put(wpa_map *map, const char *key, void *value)
{
    put(map, key, value, false);
}

void wpa_map_put_borrowed(wpa_map *map, const char *key, void *value)
{
    put(map, key, value, true);
}

void *wpa_map_get(const wpa_map *map, const char *key)
{
    entry *found = map->count ? find(map, key, hash_of(map, key, strlen(key))) : NULL;
    return found ? found->value : NULL;
}

bool wpa_map_has(const wpa_map *map, const char *key)
{
    return map->count && find(map, key, hash_of(map, key, strlen(key))) != NULL;
}

size_t wpa_map_count(const wpa_map *map)
{
    return map->count;
}

const char *wpa_map_at(const wpa_map *map, size_t i, void **value)
{
    if (value) {
        *value = map->entries[i].value;
    }
    return map->entries[i].key;
}
