#include "rules/results.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wpa/memory.h>
#include <wpa/text.h>

#include "core/large.h"
#include "core/paged.h"
#include "core/temporary.h"

/* Beyond this the results go to a file. */
#define MEMORY_MAX_BYTES ((size_t)3 << 20)

/* What is read back at a time: results are asked for in about the order in which they came. */
#define WINDOW_BYTES ((size_t)64 << 10)

/* Where a result lies, and what is known of it without reading it. */
typedef struct entry {
    const char *path, *prefix, *identity;
    size_t offset, size_bytes;
    const uint8_t *counts; /* as put_counts writes them; NULL: nothing found and nothing noted */
} entry;

/* A piece of the file. */
typedef struct window {
    size_t offset, n;
    bool has_lost;              /* something that could not be read */
    uint8_t data[WINDOW_BYTES]; /* [n] */
} window;

struct wpa_results {
    pthread_mutex_t lock; /* of all of it, while results come in */
    wpa_arena *arena;     /* of entries, counts and identities */
    entry *entries;       /* [n] */
    size_t n, capacity;
    uint8_t *data; /* [used] those that are in memory; offsets go on in the file */
    size_t used, room, in_file;
    int fd;         /* of the file, or -1 */
    window *window; /* of the file */
    wpa_result_counts total;
};

wpa_results *wpa_results_new(void)
{
    wpa_results *results = wpa_alloc(sizeof *results);
    results->arena = wpa_arena_new_large();
    results->window = wpa_alloc(sizeof *results->window);
    results->fd = -1;
    (void)pthread_mutex_init(&results->lock, NULL);
    return results;
}

void wpa_results_free(wpa_results *results)
{
    if (!results) {
        return;
    }
    if (results->fd >= 0) {
        (void)close(results->fd);
    }
    wpa_free(results->window);
    wpa_free(results->data);
    wpa_arena_free(results->arena);
    (void)pthread_mutex_destroy(&results->lock);
    wpa_free(results);
}

static bool write_at(int fd, const uint8_t *data, size_t size_bytes, size_t offset)
{
    while (size_bytes) {
        ssize_t written = pwrite(fd, data, size_bytes, (off_t)offset);
        if (written <= 0) {
            return false;
        }
        data += written;
        size_bytes -= (size_t)written;
        offset += (size_t)written;
    }
    return true;
}

/** Move what is in memory to the file, if there can be one and its disk has room; else memory it
    is. */
static void spill(wpa_results *results)
{
    results->fd = results->fd < 0 ? wpa_temporary_open() : results->fd;
    if (results->fd >= 0 && write_at(results->fd, results->data, results->used, results->in_file)) {
        results->in_file += results->used;
        results->used = 0;
    }
}

static void *reserve(wpa_results *results, size_t size_bytes)
{
    if (results->used + size_bytes > MEMORY_MAX_BYTES && results->used) {
        spill(results);
    }
    size_t needed = results->used + size_bytes;
    if (needed > results->room) {
        results->room = results->room * 2 > needed ? results->room * 2 : needed + 4096;
        results->data = wpa_realloc(results->data, results->room);
    }
    void *at = results->data + results->used;
    results->used = needed;
    return at;
}

static bool is_nothing(const wpa_result_counts *counts)
{
    return !(counts->n_open + counts->n_ignored + counts->n_baseline + counts->n_notes);
}

/* ---- counts, of which most are 0 ---- */

typedef struct counts_list {
    size_t items[sizeof(wpa_result_counts) / sizeof(size_t)];
} counts_list;
#define COUNTS WPA_COUNT(((counts_list *)0)->items)
_Static_assert(sizeof(counts_list) == sizeof(wpa_result_counts) && COUNTS <= 32, "a bit for each");

/** Which there are, then these. */
static const uint8_t *put_counts(const wpa_result_counts *counts, wpa_arena *arena)
{
    counts_list list;
    uint32_t room[1 + COUNTS] = {0};
    size_t n = 1;
    memcpy(&list, counts, sizeof list);
    for (size_t i = 0; i < COUNTS; i++) {
        if (list.items[i]) {
            room[0] |= UINT32_C(1) << i;
            room[n++] = (uint32_t)list.items[i];
        }
    }
    return (const uint8_t *)wpa_arena_slice(arena, (const char *)room, n * sizeof *room);
}

static wpa_result_counts get_counts(const uint8_t *at)
{
    counts_list list = {0};
    wpa_result_counts counts;
    uint32_t are_there, count;
    memcpy(&are_there, at, sizeof are_there);
    for (size_t i = 0; i < COUNTS; i++) {
        if (are_there >> i & 1U) {
            at += sizeof count;
            memcpy(&count, at, sizeof count);
            list.items[i] = count;
        }
    }
    memcpy(&counts, &list, sizeof counts);
    return counts;
}

/* ---- coming in ---- */

/** Most paths end with the identity. */
static const char *keep_identity(wpa_results *results, const char *path, const char *identity)
{
    return wpa_text_ends(path, identity) ? path + strlen(path) - strlen(identity)
                                         : wpa_arena_text(results->arena, identity);
}

static void put(wpa_results *results, entry fresh, const void *packed,
                const wpa_result_counts *counts)
{
    results->entries = wpa_arena_grow(results->arena, results->entries, results->n,
                                      &results->capacity, sizeof *results->entries);
    memcpy(reserve(results, fresh.size_bytes), packed, fresh.size_bytes);
    fresh.offset = results->in_file + results->used - fresh.size_bytes;
    fresh.identity = keep_identity(results, fresh.path, fresh.identity);
    if (!is_nothing(counts)) {
        fresh.counts = put_counts(counts, results->arena);
        wpa_result_counts_add(&results->total, counts);
    }
    results->entries[results->n++] = fresh;
}

void wpa_results_put(wpa_results *results, const char *path, const char *prefix,
                     const char *identity, const void *packed, size_t size_bytes,
                     const wpa_result_counts *counts)
{
    entry fresh = {.path = path, .prefix = prefix, .identity = identity, .size_bytes = size_bytes};
    (void)pthread_mutex_lock(&results->lock);
    put(results, fresh, packed, counts);
    (void)pthread_mutex_unlock(&results->lock);
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->path, ((const entry *)b)->path);
}

void wpa_results_close(wpa_results *results)
{
    if (results->n) {
        qsort(results->entries, results->n, sizeof *results->entries, compare_entries);
    }
}

size_t wpa_results_count(const wpa_results *results)
{
    return results->n;
}

const char *wpa_results_identity(const wpa_results *results, size_t i)
{
    return results->entries[i].identity;
}

const wpa_result_counts *wpa_results_total(const wpa_results *results)
{
    return &results->total;
}

wpa_result_counts wpa_results_counts_at(const wpa_results *results, size_t i)
{
    const uint8_t *counts = results->entries[i].counts;
    wpa_paged_relax();
    return counts ? get_counts(counts) : (wpa_result_counts){0};
}

static bool is_in(const window *w, const entry *at)
{
    return at->offset >= w->offset && at->offset - w->offset + at->size_bytes <= w->n;
}

static bool read_at(const wpa_results *results, size_t offset, void *data, size_t size_bytes,
                    size_t *n)
{
    ssize_t got = pread(results->fd, data, size_bytes, (off_t)offset);
    *n = got > 0 ? (size_t)got : 0;
    return got >= 0;
}

/** A copy, out of the file; NULL if it cannot be read any more. */
static const void *fetch_far(const wpa_results *results, const entry *at, wpa_arena *arena)
{
    window *w = results->window;
    if (at->size_bytes > WINDOW_BYTES) {
        size_t n;
        void *copy = wpa_arena_alloc(arena, at->size_bytes);
        bool ok = read_at(results, at->offset, copy, at->size_bytes, &n);
        return ok && n == at->size_bytes ? copy : NULL;
    }
    if (!is_in(w, at)) {
        w->offset = at->offset;
        if (!read_at(results, at->offset, w->data, WINDOW_BYTES, &w->n) || !is_in(w, at)) {
            return NULL;
        }
    }
    return wpa_arena_dup(arena, w->data + (at->offset - w->offset), at->size_bytes);
}

static const void *fetch(const wpa_results *results, const entry *at, wpa_arena *arena)
{
    return at->offset >= results->in_file ? results->data + (at->offset - results->in_file)
                                          : fetch_far(results, at, arena);
}

wpa_result wpa_results_at(const wpa_results *results, size_t i, wpa_arena *arena)
{
    const entry *at = &results->entries[i];
    wpa_result result;
    wpa_paged_relax();
    const void *data = fetch(results, at, arena);
    if (!data || !wpa_result_unpack(data, at->size_bytes, at->path, at->prefix, arena, &result)) {
        static const wpa_note lost = {.text = "its result could not be read back"};
        result = (wpa_result){.path = at->path, .notes = &lost, .n_notes = 1};
        results->window->has_lost = true;
    }
    return result;
}

bool wpa_results_are_whole(const wpa_results *results)
{
    return !results->window->has_lost;
}

/* ---- counting ---- */

static void count_finding(wpa_result_counts *counts, const wpa_finding *finding)
{
    if (finding->state == WPA_FINDING_IGNORED) {
        counts->n_ignored++;
    } else if (finding->state == WPA_FINDING_BASELINE) {
        counts->n_baseline++;
    } else {
        counts->n_open++;
        counts->n_fixable += finding->n_fixes > 0;
        counts->by_severity[finding->severity]++;
        counts->by_kind[finding->kind]++;
        counts->by_dimension[finding->dimension]++;
        counts->by_both[finding->kind][finding->severity]++;
    }
}

void wpa_result_count(const wpa_result *result, wpa_result_counts *counts)
{
    *counts = (wpa_result_counts){.n_notes = result->n_notes};
    for (size_t i = 0; i < result->n_findings; i++) {
        count_finding(counts, result->findings[i]);
    }
}

static void add_all(size_t *to, const size_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] += from[i];
    }
}

void wpa_result_counts_add(wpa_result_counts *total, const wpa_result_counts *counts)
{
    total->n_open += counts->n_open;
    total->n_ignored += counts->n_ignored;
    total->n_baseline += counts->n_baseline;
    total->n_fixable += counts->n_fixable;
    total->n_notes += counts->n_notes;
    add_all(total->by_severity, counts->by_severity, WPA_SEVERITY_COUNT);
    add_all(total->by_kind, counts->by_kind, WPA_KIND_COUNT);
    add_all(total->by_dimension, counts->by_dimension, WPA_DIMENSION_COUNT);
    for (size_t i = 0; i < WPA_KIND_COUNT; i++) {
        add_all(total->by_both[i], counts->by_both[i], WPA_SEVERITY_COUNT);
    }
}
