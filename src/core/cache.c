#include "core/cache.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
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

/* A file begins with this, then the heads of its n entries, so that few pages tell what it has,
 * then their bytes in the same order, each padded to a multiple of 8. */
typedef struct preface {
    char magic[8];
    uint64_t n;
} preface;

#define MAGIC "wpacach2" /* of this layout */

typedef struct head {
    uint8_t key[WPA_CACHE_KEY_SIZE];
    uint64_t check;
    uint64_t size_bytes;
} head;

typedef struct slot {
    const uint8_t *key;
    const void *bytes;
    size_t size_bytes;
    bool is_used; /* was asked for since its file was read */
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
    atomic_size_t touched_bytes; /* about what of the maps has come into memory */
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
    *at = (slot){key, bytes, size_bytes, false};
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
                    status.st_size > (off_t)sizeof(preface) &&
                    (size_t)status.st_size <= SHARD_MAX_BYTES + sizeof(preface);
    void *map =
        is_sound ? mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    (void)close(fd);
    if (map != MAP_FAILED) {
        s->map = map;
        s->map_bytes = (size_t)status.st_size;
    }
}

/** Heads in the file, or none. */
static const head *heads_of(const shard *s, size_t *n)
{
    preface p;
    *n = 0;
    if (s->map_bytes < sizeof p) {
        return NULL;
    }
    memcpy(&p, s->map, sizeof p);
    if (memcmp(p.magic, MAGIC, sizeof p.magic) != 0 ||
        p.n > (s->map_bytes - sizeof p) / sizeof(head)) {
        return NULL;
    }
    *n = (size_t)p.n;
    return (const head *)(const void *)(s->map + sizeof p); /* a map begins at a page */
}

/** List what the file holds; the first entry that is not in it ends it. */
static void index_file(shard *s)
{
    size_t n;
    const head *heads = heads_of(s, &n);
    size_t at = sizeof(preface) + n * sizeof *heads;
    for (size_t i = 0; i < n; i++) {
        size_t left = s->map_bytes - at;
        uint64_t size_bytes = heads[i].size_bytes;
        if (size_bytes > ENTRY_MAX_BYTES || padded((size_t)size_bytes) > left) {
            return;
        }
        enter(s, heads[i].key, s->map + at, (size_t)size_bytes);
        at += padded((size_t)size_bytes);
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
    index_file(s);
}

static bool is_in_map(const shard *s, const uint8_t *key)
{
    return s->map && key >= s->map && key < s->map + s->map_bytes;
}

/* What a file is to hold. */
typedef struct selection {
    struct {
        head h;
        const void *bytes;
    } * entries; /* [n] */
    size_t n, size_bytes;
} selection;

static void choose(selection *chosen, const head *h, const void *bytes)
{
    size_t size_bytes = sizeof *h + padded((size_t)h->size_bytes);
    if (chosen->size_bytes + size_bytes <= SHARD_MAX_BYTES) {
        chosen->entries[chosen->n].h = *h;
        chosen->entries[chosen->n++].bytes = bytes;
        chosen->size_bytes += size_bytes;
    }
}

static void choose_new(selection *chosen, const shard *s)
{
    for (size_t i = 0; i < s->n_slots; i++) {
        const slot *entry = &s->slots[i];
        if (entry->key && !is_in_map(s, entry->key)) {
            head h = {.check = checksum(entry->bytes, entry->size_bytes),
                      .size_bytes = entry->size_bytes};
            memcpy(h.key, entry->key, sizeof h.key);
            choose(chosen, &h, entry->bytes);
        }
    }
}

/** With the sum that the file has for it, which tells if it is broken. */
static void choose_old(selection *chosen, const shard *s, bool are_used)
{
    size_t n;
    const head *heads = heads_of(s, &n);
    for (size_t i = 0; i < n; i++) {
        const slot *entry = &s->slots[slot_of(s, heads[i].key)];
        if (entry->key == heads[i].key && entry->is_used == are_used) {
            choose(chosen, &heads[i], entry->bytes);
        }
    }
}

static void append_all(const selection *chosen, wpa_buf *out)
{
    static const uint8_t zeros[8];
    preface p = {.n = chosen->n};
    memcpy(p.magic, MAGIC, sizeof p.magic);
    wpa_buf_append(out, &p, sizeof p);
    for (size_t i = 0; i < chosen->n; i++) {
        wpa_buf_append(out, &chosen->entries[i].h, sizeof chosen->entries[i].h);
    }
    for (size_t i = 0; i < chosen->n; i++) {
        size_t size_bytes = (size_t)chosen->entries[i].h.size_bytes;
        wpa_buf_append(out, chosen->entries[i].bytes, size_bytes);
        wpa_buf_append(out, zeros, padded(size_bytes) - size_bytes);
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

/** New entries first, then what was asked for, then the others in their order: the oldest fall out.
 */
static void save(const wpa_cache *cache, const shard *s)
{
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(SHARD_MAX_BYTES + sizeof(preface));
    selection chosen = {.entries = wpa_alloc((s->n + 1) * sizeof *chosen.entries)};
    choose_new(&chosen, s);
    choose_old(&chosen, s, true);
    choose_old(&chosen, s, false);
    append_all(&chosen, out);
    write_file(file_of(cache, (size_t)(s - cache->shards), s->arena), out, s->arena);
    wpa_free(chosen.entries);
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

/* Fewer cost more to map in again than they hold. */
#define RELAX_MIN_BYTES ((size_t)4 << 20)
#define PAGE_BYTES ((size_t)4096)

/** The pages are the file's, and the kernel's to keep; as ours they would count until the end. */
static void relax(shard *s)
{
    (void)pthread_mutex_lock(&s->lock);
    if (s->map) {
        (void)madvise(s->map, s->map_bytes, MADV_DONTNEED);
    }
    (void)pthread_mutex_unlock(&s->lock);
}

void wpa_cache_relax(wpa_cache *cache)
{
    if (atomic_load(&cache->touched_bytes) < RELAX_MIN_BYTES) {
        return;
    }
    atomic_store(&cache->touched_bytes, 0);
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
    slot *entry = &s->slots[slot_of(s, key)];
    bool is_there = entry->key && is_whole(s, entry);
    entry->is_used = is_there;
    const void *bytes = is_there ? wpa_arena_dup(arena, entry->bytes, entry->size_bytes) : NULL;
    *size_bytes = is_there ? entry->size_bytes : 0;
    atomic_fetch_add(&cache->touched_bytes, *size_bytes + PAGE_BYTES);
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
