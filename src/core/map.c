#include <stdint.h>
#include <string.h>

#include <wpa/map.h>

#define FIRST_SLOTS 16

typedef struct entry {
    const char *key;
    void *value;
    uint32_t hash;
} entry;

struct wpa_map {
    wpa_arena *arena;
    entry *entries; /* [count] in order of insertion */
    size_t count, capacity;
    uint32_t *slots; /* [n_slots] index + 1 into entries, 0 = free */
    size_t n_slots;  /* a power of two, 0 before the first entry */
};

/* FNV-1a. */
static uint32_t hash_text(const char *text)
{
    uint32_t hash = 2166136261U;
    for (; *text; text++) {
        hash = (hash ^ (unsigned char)*text) * 16777619U;
    }
    return hash;
}

static void place(wpa_map *map, size_t index)
{
    size_t mask = map->n_slots - 1, at = map->entries[index].hash & mask;
    while (map->slots[at]) {
        at = (at + 1) & mask;
    }
    map->slots[at] = (uint32_t)index + 1;
}

/** Twice as many slots. */
static void rehash(wpa_map *map)
{
    if (map->n_slots == 0) {
        map->n_slots = FIRST_SLOTS;
        map->slots = wpa_arena_array(map->arena, FIRST_SLOTS, sizeof *map->slots);
        return;
    }
    map->slots =
        wpa_arena_grow(map->arena, map->slots, map->n_slots, &map->n_slots, sizeof *map->slots);
    memset(map->slots, 0, map->n_slots * sizeof *map->slots);
    for (size_t i = 0; i < map->count; i++) {
        place(map, i);
    }
}

static entry *find(const wpa_map *map, const char *key, uint32_t hash)
{
    size_t mask = map->n_slots - 1;
    for (size_t at = hash & mask; map->count && map->slots[at]; at = (at + 1) & mask) {
        entry *found = &map->entries[map->slots[at] - 1];
        if (found->hash == hash && strcmp(found->key, key) == 0) {
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

void wpa_map_put(wpa_map *map, const char *key, void *value)
{
    uint32_t hash = hash_text(key);
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
    map->entries[map->count] = (entry){wpa_arena_text(map->arena, key), value, hash};
    place(map, map->count++);
}

void *wpa_map_get(const wpa_map *map, const char *key)
{
    entry *found = map->count ? find(map, key, hash_text(key)) : NULL;
    return found ? found->value : NULL;
}

bool wpa_map_has(const wpa_map *map, const char *key)
{
    return map->count && find(map, key, hash_text(key)) != NULL;
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
