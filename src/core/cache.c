#include "core/cache.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wpa/buf.h>
#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

/*
 * One file a shard, chosen by the first byte of the key, so that one small run opens one small
 * file. A shard is replaced whole, by rename: readers see the old one or the new one. Of two
 * processes that write at once the later wins, and the other's entries are made again some day.
 */
#define N_SHARDS 64
#define SHARD_MAX_BYTES (WPA_CACHE_MAX_BYTES / N_SHARDS)
#define ENTRY_MAX_BYTES ((size_t)512 * 1024)
/* New entries that a shard holds in memory before it is written and begun again. */
#define NEW_MAX_BYTES ((size_t)256 * 1024)

static const char magic[8] = "wpacach1";

/* In front of each entry's bytes; entries begin at multiples of 8. */
typedef struct head {
    uint8_t key[WPA_CACHE_KEY_SIZE];
    uint64_t check;
    uint64_t size_bytes;
} head;

typedef struct slot {
    const uint8_t *key;
    const void *bytes;
    size_t size_bytes;
} slot;

typedef struct shard {
    pthread_mutex_t lock;
    bool is_loaded, is_changed;
    uint8_t *map; /* [map_bytes] of the file, or NULL */
    size_t map_bytes;
    slot *slots; /* [n_slots] open addressing; a power of two, or NULL */
    size_t n_slots, n;
    wpa_arena *arena; /* of what is new, … */
    size_t new_bytes; /* … and how much that is */
} shard;

struct wpa_cache {
    char *folder; /* or NULL */
    shard shards[N_SHARDS];
};

/** Tells broken bytes from whole ones; no more is asked of it. */
static uint64_t checksum(const uint8_t *bytes, size_t size_bytes)
{
    uint64_t sum = 0x9E3779B97F4A7C15U ^ size_bytes, word = 0;
    size_t i = 0;
    for (; i + sizeof word <= size_bytes; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        sum = (sum ^ word) * 0xFF51AFD7ED558CCDU;
        sum ^= sum >> 32;
    }
    word = 0;
    memcpy(&word, bytes + i, size_bytes - i);
    sum = (sum ^ word) * 0xC4CEB9FE1A85EC53U;
    return sum ^ sum >> 29;
}

static size_t padded(size_t size_bytes)
{
    return (size_bytes + 7) & ~(size_t)7;
}

/* ---- the table of a shard ---- */

static size_t slot_of(const shard *s, const uint8_t *key)
{
    uint32_t hash;
    memcpy(&hash, key + 1, sizeof hash);
    size_t at = hash & (s->n_slots - 1);
    while (s->slots[at].key && memcmp(s->slots[at].key, key, WPA_CACHE_KEY_SIZE) != 0) {
        at = (at + 1) & (s->n_slots - 1);
    }
    return at;
}

static void grow(shard *s)
{
    shard old = *s;
    s->n_slots = old.n_slots ? old.n_slots * 2 : 256;
    s->slots = wpa_alloc(s->n_slots * sizeof *s->slots);
    for (size_t i = 0; i < old.n_slots; i++) {
        if (old.slots[i].key) {
            s->slots[slot_of(s, old.slots[i].key)] = old.slots[i];
        }
    }
    wpa_free(old.slots);
}

static void enter(shard *s, const uint8_t *key, const void *bytes, size_t size_bytes)
{
    if ((s->n + 1) * 2 > s->n_slots) {
        grow(s);
    }
    slot *at = &s->slots[slot_of(s, key)];
    s->n += at->key == NULL;
    *at = (slot){key, bytes, size_bytes};
}

/* ---- the file ---- */

static char *file_of(const wpa_cache *cache, size_t i, wpa_arena *arena)
{
    return wpa_arena_printf(arena, "%s/%02zx.results", cache->folder, i);
}

static void map_file(const char *path, shard *s)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return;
    }
    bool is_sound = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                    status.st_size > (off_t)sizeof magic &&
                    (size_t)status.st_size <= SHARD_MAX_BYTES;
    void *map =
        is_sound ? mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    (void)close(fd);
    if (map != MAP_FAILED) {
        s->map = map;
        s->map_bytes = (size_t)status.st_size;
    }
}

/** List what the file holds; the first thing that is not an entry ends it. */
static void index_file(shard *s)
{
    size_t at = sizeof magic;
    if (memcmp(s->map, magic, sizeof magic) != 0) {
        return;
    }
    while (s->map_bytes - at >= sizeof(head)) {
        head h;
        memcpy(&h, s->map + at, sizeof h);
        size_t left = s->map_bytes - at - sizeof h;
        if (h.size_bytes > ENTRY_MAX_BYTES || padded((size_t)h.size_bytes) > left) {
            return;
        }
        enter(s, s->map + at, s->map + at + sizeof h, (size_t)h.size_bytes);
        at += sizeof h + padded((size_t)h.size_bytes);
    }
}

static void load(wpa_cache *cache, shard *s)
{
    s->is_loaded = true;
    s->arena = wpa_arena_new();
    grow(s);
    if (cache->folder) {
        map_file(file_of(cache, (size_t)(s - cache->shards), s->arena), s);
    }
    if (s->map) {
        index_file(s);
    }
}

static bool is_in_map(const shard *s, const uint8_t *key)
{
    return s->map && key >= s->map && key < s->map + s->map_bytes;
}

static void append(wpa_buf *out, const slot *entry)
{
    static const uint8_t zeros[8];
    head h = {.check = checksum(entry->bytes, entry->size_bytes), .size_bytes = entry->size_bytes};
    memcpy(h.key, entry->key, sizeof h.key);
    wpa_buf_append(out, &h, sizeof h);
    wpa_buf_append(out, entry->bytes, entry->size_bytes);
    wpa_buf_append(out, zeros, padded(entry->size_bytes) - entry->size_bytes);
}

/** New entries first, then old ones as far as there is room: what is not asked for falls out. */
static void append_all(const shard *s, bool are_old, wpa_buf *out)
{
    for (size_t i = 0; i < s->n_slots; i++) {
        const slot *entry = &s->slots[i];
        if (entry->key && is_in_map(s, entry->key) == are_old &&
            wpa_buf_size(out) + sizeof(head) + padded(entry->size_bytes) <= SHARD_MAX_BYTES) {
            append(out, entry);
        }
    }
}

/** Without fsync: a file that a crash leaves short or empty is as good as none. */
static void write_file(const char *path, const wpa_buf *out, wpa_arena *arena)
{
    char *draft = wpa_arena_printf(arena, "%s.XXXXXX", path);
    int fd = mkostemp(draft, O_CLOEXEC);
    wpa_error err = {0};
    if (fd < 0) {
        return;
    }
    bool ok = wpa_fd_write_all(fd, wpa_buf_data(out), wpa_buf_size(out), &err);
    ok = close(fd) == 0 && ok;
    if (!ok || rename(draft, path) != 0) {
        (void)unlink(draft);
    }
}

static void save(const wpa_cache *cache, const shard *s)
{
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(SHARD_MAX_BYTES + sizeof magic);
    wpa_buf_append(out, magic, sizeof magic);
    append_all(s, false, out);
    append_all(s, true, out);
    write_file(file_of(cache, (size_t)(s - cache->shards), s->arena), out, s->arena);
}

/* ---- the whole ---- */

wpa_cache *wpa_cache_open(const char *folder)
{
    wpa_cache *cache = wpa_alloc(sizeof *cache);
    wpa_error err = {0};
    cache->folder = folder && wpa_dir_make(folder, 0700, &err) ? wpa_strdup(folder) : NULL;
    for (size_t i = 0; i < N_SHARDS; i++) {
        (void)pthread_mutex_init(&cache->shards[i].lock, NULL);
    }
    return cache;
}

/** Write what is new, and forget the shard until it is asked for again. */
static void put_away(const wpa_cache *cache, shard *s)
{
    if (s->is_changed && cache->folder) {
        save(cache, s);
    }
    if (s->map) {
        (void)munmap(s->map, s->map_bytes);
    }
    wpa_arena_free(s->arena);
    wpa_free(s->slots);
    s->is_loaded = s->is_changed = false;
    s->map = NULL;
    s->slots = NULL;
    s->arena = NULL;
    s->map_bytes = s->n_slots = s->n = s->new_bytes = 0;
}

void wpa_cache_close(wpa_cache *cache)
{
    if (!cache) {
        return;
    }
    for (size_t i = 0; i < N_SHARDS; i++) {
        put_away(cache, &cache->shards[i]);
        (void)pthread_mutex_destroy(&cache->shards[i].lock);
    }
    wpa_free(cache->folder);
    wpa_free(cache);
}

/* Shards that are smaller cost more to map in again than they hold. */
#define RELAX_MIN_BYTES ((size_t)256 * 1024)

/** The pages are the file's, and the kernel's to keep; as ours they would count until the end. */
static void relax(shard *s)
{
    (void)pthread_mutex_lock(&s->lock);
    if (s->map && s->map_bytes >= RELAX_MIN_BYTES) {
        (void)madvise(s->map, s->map_bytes, MADV_DONTNEED);
    }
    (void)pthread_mutex_unlock(&s->lock);
}

void wpa_cache_relax(wpa_cache *cache)
{
    for (size_t i = 0; i < N_SHARDS; i++) {
        relax(&cache->shards[i]);
    }
}

static shard *lock_shard(wpa_cache *cache, const uint8_t *key)
{
    shard *s = &cache->shards[key[0] % N_SHARDS];
    (void)pthread_mutex_lock(&s->lock);
    if (!s->is_loaded) {
        load(cache, s);
    }
    return s;
}

/** Of an entry in the file, when it is used: of all of them it would cost a start of its own. */
static bool is_whole(const shard *s, const slot *entry)
{
    head h;
    if (!is_in_map(s, entry->key)) {
        return true;
    }
    memcpy(&h, entry->key, sizeof h);
    return h.check == checksum(entry->bytes, entry->size_bytes);
}

const void *wpa_cache_find(wpa_cache *cache, const uint8_t key[WPA_CACHE_KEY_SIZE],
                           wpa_arena *arena, size_t *size_bytes)
{
    shard *s = lock_shard(cache, key);
    const slot *entry = &s->slots[slot_of(s, key)];
    bool is_there = entry->key && is_whole(s, entry);
    const void *bytes = is_there ? wpa_arena_dup(arena, entry->bytes, entry->size_bytes) : NULL;
    *size_bytes = is_there ? entry->size_bytes : 0;
    (void)pthread_mutex_unlock(&s->lock);
    return bytes;
}

void wpa_cache_put(wpa_cache *cache, const uint8_t key[WPA_CACHE_KEY_SIZE], const void *bytes,
                   size_t size_bytes)
{
    if (size_bytes > ENTRY_MAX_BYTES) {
        return;
    }
    shard *s = lock_shard(cache, key);
    enter(s, wpa_arena_dup(s->arena, key, WPA_CACHE_KEY_SIZE),
          wpa_arena_dup(s->arena, bytes, size_bytes), size_bytes);
    s->is_changed = true;
    s->new_bytes += size_bytes;
    if (s->new_bytes > NEW_MAX_BYTES) {
        put_away(cache, s);
    }
    (void)pthread_mutex_unlock(&s->lock);
}
