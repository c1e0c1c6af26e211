#include "analysis/stamps.h"

#include <string.h>

#include <wpa/buf.h>
#include <wpa/clock.h>
#include <wpa/map.h>

/* A list that does not fit into an entry of the cache is not kept. */
#define LIST_MAX_BYTES ((size_t)500 * 1024)
/*
 * A file that changed this shortly before it was looked at may change again without a mark: clocks
 * of file systems tick in steps, up to two seconds on the coarsest. Where a stamp has parts of a
 * millisecond they are those of the kernel, a hundredth of a second at most.
 */
#define SETTLED_NS INT64_C(2500000000)
#define SETTLED_FINE_NS INT64_C(100000000)
#define MILLISECOND_NS 1000000

/* A file in the list as it is kept; its path stands behind, with a NUL. */
typedef struct entry {
    wpa_stamp stamp;
    uint8_t digest[WPA_SHA256_SIZE];
    uint64_t path_bytes;
} entry;

struct wpa_stamps {
    wpa_cache *cache;
    wpa_arena *arena;
    uint8_t key[WPA_CACHE_KEY_SIZE];
    int64_t began_ns;
    wpa_map *known; /* path -> entry of the list as it was kept */
    wpa_map *noted; /* path -> entry, of this run */
};

static void make_key(const char *folder, uint8_t key[WPA_CACHE_KEY_SIZE])
{
    static const char name[] = "stamps 1";
    wpa_sha256_state hash;
    wpa_sha256_init(&hash);
    wpa_sha256_update(&hash, name, sizeof name);
    wpa_sha256_update(&hash, folder, strlen(folder));
    wpa_sha256_final(&hash, key);
}

/** Up to the first thing that is no entry. */
static void read_list(wpa_stamps *stamps, const uint8_t *at, size_t size_bytes)
{
    while (size_bytes >= sizeof(entry)) {
        entry *one = wpa_arena_dup(stamps->arena, at, sizeof *one);
        const char *path = (const char *)at + sizeof *one;
        if (one->path_bytes == 0 || one->path_bytes > size_bytes - sizeof *one ||
            path[one->path_bytes - 1] != '\0') {
            return;
        }
        wpa_map_put(stamps->known, path, one);
        at += sizeof *one + (size_t)one->path_bytes;
        size_bytes -= sizeof *one + (size_t)one->path_bytes;
    }
}

wpa_stamps *wpa_stamps_open(wpa_cache *cache, const char *folder, wpa_arena *arena)
{
    wpa_stamps *stamps = wpa_arena_alloc(arena, sizeof *stamps);
    size_t size_bytes;
    *stamps = (wpa_stamps){.cache = cache, .arena = arena, .began_ns = wpa_now_us() * 1000};
    stamps->known = wpa_map_new(arena);
    stamps->noted = wpa_map_new(arena);
    make_key(folder, stamps->key);
    const void *list = wpa_cache_find(cache, stamps->key, arena, &size_bytes);
    if (list) {
        read_list(stamps, list, size_bytes);
    }
    return stamps;
}

static void append(const wpa_map *map, size_t i, wpa_buf *out)
{
    void *value;
    const char *path = wpa_map_at(map, i, &value);
    wpa_buf_append(out, value, sizeof(entry));
    wpa_buf_append(out, path, strlen(path) + 1);
}

/** What was not asked for this time is of files that are gone, and falls out. */
void wpa_stamps_close(wpa_stamps *stamps)
{
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(LIST_MAX_BYTES);
    size_t n = wpa_map_count(stamps->noted);
    bool is_new = n != wpa_map_count(stamps->known);
    for (size_t i = 0; i < n; i++) {
        void *now;
        const entry *before = wpa_map_get(stamps->known, wpa_map_at(stamps->noted, i, &now));
        is_new = is_new || !before || memcmp(before, now, sizeof *before) != 0;
        append(stamps->noted, i, out);
    }
    if (is_new && !wpa_buf_is_full(out)) {
        wpa_cache_put(stamps->cache, stamps->key, wpa_buf_data(out), wpa_buf_size(out));
    }
}

static int64_t nanoseconds(struct timespec at)
{
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

wpa_stamp wpa_stamp_of(const struct stat *status)
{
    return (wpa_stamp){
        .device = (uint64_t)status->st_dev,
        .inode = (uint64_t)status->st_ino,
        .size_bytes = (uint64_t)status->st_size,
        .modified_ns = nanoseconds(status->st_mtim),
        .changed_ns = nanoseconds(status->st_ctim),
    };
}

bool wpa_stamps_find(const wpa_stamps *stamps, const char *path, const wpa_stamp *stamp,
                     uint8_t digest[WPA_SHA256_SIZE])
{
    const entry *known = wpa_map_get(stamps->known, path);
    bool is_same = known && memcmp(&known->stamp, stamp, sizeof *stamp) == 0;
    if (is_same) {
        memcpy(digest, known->digest, WPA_SHA256_SIZE);
    }
    return is_same;
}

bool wpa_stamp_is_settled(const wpa_stamp *stamp, int64_t seen_ns)
{
    int64_t latest =
        stamp->modified_ns > stamp->changed_ns ? stamp->modified_ns : stamp->changed_ns;
    bool is_fine = stamp->changed_ns % MILLISECOND_NS != 0;
    return latest < seen_ns - (is_fine ? SETTLED_FINE_NS : SETTLED_NS);
}

void wpa_stamps_note(wpa_stamps *stamps, const char *path, const wpa_stamp *stamp,
                     const uint8_t digest[WPA_SHA256_SIZE])
{
    if (wpa_stamp_is_settled(stamp, stamps->began_ns)) {
        entry one = {.stamp = *stamp, .path_bytes = strlen(path) + 1};
        memcpy(one.digest, digest, sizeof one.digest);
        wpa_map_put(stamps->noted, path, wpa_arena_dup(stamps->arena, &one, sizeof one));
    }
}
