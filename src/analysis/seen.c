#include "analysis/seen.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/clock.h>
#include <wpa/map.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "core/large.h"

/* Of paths; what a run needs beyond this is not kept. */
#define ENTRIES_MAX 400000

typedef enum kind {
    KIND_NOTHING, /* nothing is there */
    KIND_FILE,    /* or whatever else is no folder that was listed */
    KIND_FOLDER,
    KIND_LINK /* text is where it leads; "" nowhere */
} kind;

typedef struct entry {
    kind kind;
    bool is_settled;
    wpa_stamp stamp;
    uint8_t names[WPA_SEEN_NAMES_SIZE];
    const char *text;
} entry;

struct wpa_seen {
    pthread_mutex_t lock;
    wpa_arena *arena;
    wpa_map *entries; /* path -> entry */
    wpa_map *links;   /* likewise; what a link leads to is an entry of its own */
    int64_t began_ns;
    bool is_lost;
};

wpa_seen *wpa_seen_new(void)
{
    wpa_seen *seen = wpa_alloc(sizeof *seen);
    (void)pthread_mutex_init(&seen->lock, NULL);
    seen->arena = wpa_arena_new_large();
    seen->entries = wpa_map_new(seen->arena);
    seen->links = wpa_map_new(seen->arena);
    seen->began_ns = wpa_now_us() * 1000;
    return seen;
}

void wpa_seen_free(wpa_seen *seen)
{
    if (seen) {
        (void)pthread_mutex_destroy(&seen->lock);
        wpa_arena_free(seen->arena);
        wpa_free(seen);
    }
}

/* ---- noting ---- */

/** Looked at twice, and no change between: of what is nowhere, and of links, there is no stamp. */
static bool is_same(const entry *a, const entry *b)
{
    return (a->kind == KIND_NOTHING) == (b->kind == KIND_NOTHING) &&
           memcmp(&a->stamp, &b->stamp, sizeof a->stamp) == 0;
}

/** What lay otherwise at a second look is of no use; a folder's names tell more than its stamp. */
static void note(wpa_seen *seen, wpa_map *map, const char *path, const entry *one)
{
    path += wpa_text_starts(path, "./") ? 2 : 0;
    (void)pthread_mutex_lock(&seen->lock);
    const entry *before = wpa_map_get(map, path);
    if ((before && !is_same(before, one)) || wpa_map_count(map) >= ENTRIES_MAX) {
        seen->is_lost = true;
    } else if (!before || one->kind == KIND_FOLDER) {
        wpa_map_put(map, path, wpa_arena_dup(seen->arena, one, sizeof *one));
    }
    (void)pthread_mutex_unlock(&seen->lock);
}

void wpa_seen_status(wpa_seen *seen, const char *path, const struct stat *status)
{
    if (!seen) {
        return;
    }
    entry one = {.kind = status ? KIND_FILE : KIND_NOTHING, .is_settled = true};
    if (status) {
        one.stamp = wpa_stamp_of(status);
        one.is_settled = wpa_stamp_is_settled(&one.stamp, wpa_now_us() * 1000);
    }
    note(seen, seen->entries, path, &one);
}

void wpa_seen_path(wpa_seen *seen, const char *path)
{
    struct stat status;
    if (seen) {
        wpa_seen_status(seen, path, stat(path, &status) == 0 ? &status : NULL);
    }
}

void wpa_seen_folder(wpa_seen *seen, const char *path, const struct stat *status,
                     const uint8_t names[WPA_SEEN_NAMES_SIZE])
{
    if (!seen) {
        return;
    }
    entry one = {.kind = KIND_FOLDER, .stamp = wpa_stamp_of(status)};
    one.is_settled = wpa_stamp_is_settled(&one.stamp, wpa_now_us() * 1000);
    memcpy(one.names, names, sizeof one.names);
    note(seen, seen->entries, path, &one);
}

void wpa_seen_link(wpa_seen *seen, const char *path, const char *target)
{
    if (!seen) {
        return;
    }
    (void)pthread_mutex_lock(&seen->lock);
    entry one = {.kind = KIND_LINK, .is_settled = true};
    one.text = wpa_arena_text(seen->arena, target ? target : "");
    (void)pthread_mutex_unlock(&seen->lock);
    note(seen, seen->links, path, &one);
}

void wpa_seen_lose(wpa_seen *seen)
{
    if (seen) {
        (void)pthread_mutex_lock(&seen->lock);
        seen->is_lost = true;
        (void)pthread_mutex_unlock(&seen->lock);
    }
}

/* ---- writing ---- */

/* As it is written; the path stands behind, and a text, each with its NUL. */
typedef struct record {
    uint32_t kind, path_bytes, text_bytes, is_settled;
    wpa_stamp stamp;
    uint8_t names[WPA_SEEN_NAMES_SIZE];
} record;

static const char *parent_of(const char *path, wpa_arena *arena)
{
    const char *slash = strrchr(path, '/');
    return slash ? wpa_arena_slice(arena, path, (size_t)(slash - path)) : "";
}

/** A folder that has not changed since before the run tells by itself what is not in it. */
static bool is_told_by_folder(const wpa_seen *seen, const char *path, wpa_arena *arena)
{
    const entry *folder = wpa_map_get(seen->entries, parent_of(path, arena));
    return folder && folder->kind == KIND_FOLDER &&
           wpa_stamp_is_settled(&folder->stamp, seen->began_ns);
}

/** The highest thing on the way to what is not there that is not there either. */
static const char *first_missing(const wpa_seen *seen, const char *path, wpa_arena *arena)
{
    while (!is_told_by_folder(seen, path, arena)) {
        const char *parent = parent_of(path, arena);
        struct stat status;
        if (!*parent || stat(parent, &status) == 0) {
            return path;
        }
        path = parent;
    }
    return NULL;
}

static void append(const char *path, const entry *one, wpa_buf *out)
{
    record head = {.kind = (uint32_t)one->kind,
                   .path_bytes = (uint32_t)strlen(path) + 1,
                   .text_bytes = one->text ? (uint32_t)strlen(one->text) + 1 : 0,
                   .is_settled = one->is_settled,
                   .stamp = one->stamp};
    memcpy(head.names, one->names, sizeof head.names);
    wpa_buf_append(out, &head, sizeof head);
    wpa_buf_append(out, path, head.path_bytes);
    wpa_buf_append(out, one->text ? one->text : "", head.text_bytes);
}

/** What is not there may be in thousands of places: one missing folder stands for all below it. */
static void append_missing(const wpa_seen *seen, const char *path, const entry *one, wpa_map *done,
                           wpa_arena *arena, wpa_buf *out)
{
    path = first_missing(seen, path, arena);
    if (path && !wpa_map_has(done, path)) {
        wpa_map_put(done, path, done);
        append(path, one, out);
    }
}

static bool append_all(const wpa_seen *seen, const wpa_map *map, wpa_buf *out)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_map *done = wpa_map_new(arena);
    for (size_t i = 0; i < wpa_map_count(map); i++) {
        void *value;
        const char *path = wpa_map_at(map, i, &value);
        const entry *one = value;
        if (!one->is_settled && one->kind != KIND_FOLDER) {
            return false;
        }
        if (one->kind == KIND_NOTHING) {
            append_missing(seen, path, one, done, arena, out);
        } else {
            append(path, one, out);
        }
    }
    return true;
}

bool wpa_seen_write(const wpa_seen *seen, wpa_buf *out)
{
    return !seen->is_lost && append_all(seen, seen->entries, out) &&
           append_all(seen, seen->links, out) && !wpa_buf_is_full(out);
}

/* ---- looking again ---- */

static bool has_same_names(const char *path, const record *head)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_seen_listing now;
    uint8_t names[WPA_SEEN_NAMES_SIZE];
    if (!wpa_seen_list(path, arena, &now)) {
        return false;
    }
    wpa_seen_digest_names(&now, names);
    return memcmp(names, head->names, sizeof names) == 0;
}

static bool leads_as_before(const char *path, const char *target)
{
    char *real = realpath(path, NULL);
    bool is_same_place = wpa_text_is(real ? real : "", target);
    free(real);
    return is_same_place;
}

static bool lies_as_before(const record *head, const char *path, const char *text)
{
    struct stat status;
    if (head->kind == KIND_LINK) {
        return head->text_bytes && leads_as_before(path, text);
    }
    if (stat(*path ? path : ".", &status) != 0) {
        return head->kind == KIND_NOTHING && (errno == ENOENT || errno == ENOTDIR);
    }
    const wpa_stamp now = wpa_stamp_of(&status);
    bool is_same_stamp = head->is_settled && memcmp(&now, &head->stamp, sizeof now) == 0;
    return head->kind == KIND_FOLDER ? is_same_stamp || has_same_names(path, head)
                                     : head->kind == KIND_FILE && is_same_stamp;
}

/** A text with its NUL and none before; NULL if it is not there. */
static const char *take_text(const char **at, const char *end, uint32_t size_bytes)
{
    const char *text = *at;
    if (size_bytes > (size_t)(end - text) ||
        (size_bytes && memchr(text, '\0', size_bytes) != text + size_bytes - 1)) {
        return NULL;
    }
    *at += size_bytes;
    return text;
}

bool wpa_seen_holds(const void *bytes, size_t size_bytes)
{
    const char *at = bytes, *end = at + size_bytes;
    while (at < end) {
        record head;
        if ((size_t)(end - at) < sizeof head) {
            return false;
        }
        memcpy(&head, at, sizeof head);
        at += sizeof head;
        const char *path = head.path_bytes ? take_text(&at, end, head.path_bytes) : NULL;
        const char *text = path ? take_text(&at, end, head.text_bytes) : NULL;
        if (!text || !lies_as_before(&head, path, text)) {
            return false;
        }
    }
    return true;
}

/* ---- folders ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const wpa_seen_entry *)a)->name, ((const wpa_seen_entry *)b)->name);
}

static void read_entries(DIR *folder, wpa_arena *arena, wpa_seen_listing *list)
{
    size_t capacity = 0;
    struct dirent *found;
    /* One reader of this stream; glibc's readdir is safe between different streams. */
    while ((found = readdir(folder))) { /* NOLINT(concurrency-mt-unsafe) */
        if (!wpa_text_is(found->d_name, ".") && !wpa_text_is(found->d_name, "..")) {
            list->entries =
                wpa_arena_grow(arena, list->entries, list->n, &capacity, sizeof *list->entries);
            list->entries[list->n++] =
                (wpa_seen_entry){wpa_arena_text(arena, found->d_name), found->d_type};
        }
    }
    if (list->n) {
        qsort(list->entries, list->n, sizeof *list->entries, compare_names);
    }
}

bool wpa_seen_list(const char *path, wpa_arena *arena, wpa_seen_listing *listing)
{
    *listing = (wpa_seen_listing){0};
    DIR *folder = opendir(*path ? path : ".");
    if (!folder) {
        return false;
    }
    bool ok = fstat(dirfd(folder), &listing->status) == 0;
    int why = errno;
    if (ok) {
        read_entries(folder, arena, listing);
    }
    (void)closedir(folder);
    errno = why;
    return ok;
}

void wpa_seen_digest_names(const wpa_seen_listing *listing, uint8_t names[WPA_SEEN_NAMES_SIZE])
{
    uint8_t digest[WPA_SHA256_SIZE];
    wpa_sha256_state hash;
    wpa_sha256_init(&hash);
    for (size_t i = 0; i < listing->n; i++) {
        const wpa_seen_entry *one = &listing->entries[i];
        wpa_sha256_update(&hash, &one->type, sizeof one->type);
        wpa_sha256_update(&hash, one->name, strlen(one->name) + 1);
    }
    wpa_sha256_final(&hash, digest);
    memcpy(names, digest, WPA_SEEN_NAMES_SIZE);
}
