#include "analysis/key.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <wpa/memory.h>

#include "analysis/baseline.h"
#include "analysis/sarif.h"
#include "facts/refreshed.h"

/* A result that read more of the repository than this is not kept. */
#define READS_MAX 64

/*
 * How much of the repository a result depends on. A file is looked up by the least first.
 */
typedef enum key_reach {
    REACH_FILE,
    REACH_PATHS,       /* which files there are */
    REACH_DEFINITIONS, /* what all definitions hold */
    REACH_COUNT
} key_reach;

/* In front of a kept result, as this machine writes it: the cache is of one machine. */
typedef struct kept_head {
    wpa_result_counts counts;
    uint64_t n_reads; /* records of kept_read, each with its path behind it */
} kept_head;

typedef struct kept_read {
    uint64_t path_bytes; /* with its NUL */
    uint8_t is_there;
    uint8_t digest[WPA_SHA256_SIZE];
} kept_read;

static void add_text(wpa_sha256_state *hash, const char *text)
{
    size_t length = text ? strlen(text) : 0;
    wpa_sha256_update(hash, &length, sizeof length);
    wpa_sha256_update(hash, text ? text : "", length);
}

bool wpa_key_recall_text(wpa_unit_file *file)
{
    file->is_digested =
        file->unit->stamps && file->has_stamp && !file->shown.text &&
        wpa_stamps_find(file->unit->stamps, file->identity, &file->stamp, file->digest);
    return file->is_digested;
}

/** As a file that is read beside another is digested; of what is too large, by its size. */
void wpa_key_digest_text(wpa_unit_file *file)
{
    if (file->shown.size_bytes > WPA_YAML_MAX_BYTES) {
        wpa_sha256(&file->shown.size_bytes, sizeof file->shown.size_bytes, file->digest);
    } else {
        wpa_sha256(file->shown.text, file->shown.size_bytes, file->digest);
    }
    file->is_digested = true;
}

static void digest_paths(wpa_unit *unit)
{
    wpa_sha256_state hash;
    wpa_sha256_init(&hash);
    for (size_t i = 0; i < unit->around.n_paths; i++) {
        wpa_sha256_update(&hash, unit->around.paths[i], strlen(unit->around.paths[i]) + 1);
    }
    wpa_sha256_final(&hash, unit->paths_digest);
}

/** Of all definitions by path: files are in the order of the walk, which is always the same. */
static void digest_definitions(wpa_unit *unit)
{
    wpa_sha256_state hash;
    wpa_sha256_init(&hash);
    wpa_sha256_update(&hash, unit->paths_digest, sizeof unit->paths_digest);
    for (size_t i = 0; i < unit->n_files; i++) {
        add_text(&hash, unit->files[i]->identity);
        wpa_sha256_update(&hash, unit->files[i]->digest, sizeof unit->files[i]->digest);
    }
    wpa_sha256_final(&hash, unit->definitions_digest);
}

/* A file that was read beside others. */
typedef struct neighbour {
    bool is_there, has_stamp;
    wpa_stamp stamp;
    uint8_t digest[WPA_SHA256_SIZE];
} neighbour;

static void read_neighbour(const wpa_unit *unit, const char *path, neighbour *beside)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_surroundings *around = &unit->around;
    size_t size_bytes = 0;
    const char *text = around->read ? around->read(around->read_context, path, WPA_YAML_MAX_BYTES,
                                                   arena, &size_bytes)
                                    : NULL;
    beside->is_there = text != NULL;
    if (text) {
        wpa_sha256(text, size_bytes, beside->digest);
    }
}

static void look_at(const wpa_unit *unit, const char *path, neighbour *beside)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    struct stat status;
    if (unit->stamps) {
        const char *shown = wpa_arena_printf(arena, "%s%s", unit->around.prefix, path);
        bool is_there = stat(shown, &status) == 0;
        wpa_seen_status(unit->seen, shown, is_there ? &status : NULL);
        if (!is_there) {
            return;
        }
        beside->stamp = wpa_stamp_of(&status);
        beside->has_stamp = S_ISREG(status.st_mode) && (size_t)status.st_size <= WPA_YAML_MAX_BYTES;
        beside->is_there = beside->has_stamp &&
                           wpa_stamps_find(unit->stamps, path, &beside->stamp, beside->digest);
    }
    if (!beside->is_there) {
        read_neighbour(unit, path, beside);
    }
}

/** Each is looked at once, however many files beside it have read it. */
static const neighbour *find_neighbour(wpa_unit *unit, const char *path)
{
    (void)pthread_mutex_lock(&unit->lock);
    unit->neighbours = unit->neighbours ? unit->neighbours : wpa_map_new(unit->arena);
    const neighbour *known = wpa_map_get(unit->neighbours, path);
    (void)pthread_mutex_unlock(&unit->lock);
    if (known) {
        return known;
    }
    neighbour beside = {0};
    look_at(unit, path, &beside);
    (void)pthread_mutex_lock(&unit->lock);
    neighbour *kept = wpa_arena_dup(unit->arena, &beside, sizeof beside);
    wpa_map_put(unit->neighbours, path, kept);
    (void)pthread_mutex_unlock(&unit->lock);
    return kept;
}

/** Settings of ShellCheck reach every script, and are read before a rule asks for anything. */
static void add_lint_settings(wpa_sha256_state *hash, wpa_unit *unit)
{
    static const char *const names[] = {".shellcheckrc", "shellcheckrc"};
    for (size_t i = 0; unit->around.read && i < WPA_COUNT(names); i++) {
        const neighbour *beside = find_neighbour(unit, names[i]);
        wpa_sha256_update(hash, beside->digest, sizeof beside->digest);
    }
}

static void settings_digest_of(const wpa_tree *tree, const wpa_settings *settings,
                               uint8_t digest[WPA_SHA256_SIZE])
{
    if (settings == tree->options->settings) {
        memcpy(digest, tree->settings_digest, WPA_SHA256_SIZE);
    } else {
        wpa_settings_digest(settings, digest);
    }
}

/** Settings, tables, and what is known of the repository as a whole. */
static void digest_settings(const wpa_tree *tree, wpa_unit *unit)
{
    const wpa_surroundings *around = &unit->around;
    wpa_sha256_state hash;
    uint8_t settings[WPA_SHA256_SIZE];
    settings_digest_of(tree, unit->settings, settings);
    wpa_sha256_init(&hash);
    add_text(&hash, wpa_rules_version());
    add_text(&hash, tree->options->tools);
    if (tree->options->tools) {
        add_lint_settings(&hash, unit);
    }
    wpa_sha256_update(&hash, settings, sizeof settings);
    add_text(&hash, around->repository);
    add_text(&hash, around->owner);
    add_text(&hash, around->default_branch);
    int known[] = {(int)around->visibility, around->has_paths, unit->has_graph, unit->is_alone,
                   around->read != NULL};
    wpa_sha256_update(&hash, known, sizeof known);
    for (int i = 0; i < WPA_FACTS_COUNT; i++) {
        add_text(&hash, wpa_facts_date((wpa_fact_table)i));
    }
    add_text(&hash, wpa_facts_digest());
    wpa_sha256_final(&hash, unit->settings_digest);
}

void wpa_key_digest_unit(const wpa_tree *tree, wpa_unit *unit)
{
    digest_settings(tree, unit);
    digest_paths(unit);
    digest_definitions(unit);
}

void wpa_key_digest_fleet(wpa_unit *first)
{
    wpa_sha256_state hash;
    uint8_t fleet[WPA_SHA256_SIZE];
    wpa_sha256_init(&hash);
    for (const wpa_unit *unit = first; unit; unit = unit->next) {
        add_text(&hash, unit->around.repository);
        wpa_sha256_update(&hash, unit->definitions_digest, sizeof unit->definitions_digest);
    }
    wpa_sha256_final(&hash, fleet);
    for (wpa_unit *unit = first; unit; unit = unit->next) {
        wpa_sha256_init(&hash);
        wpa_sha256_update(&hash, unit->settings_digest, sizeof unit->settings_digest);
        wpa_sha256_update(&hash, fleet, sizeof fleet);
        wpa_sha256_final(&hash, unit->settings_digest);
    }
}

static void make_key(const wpa_unit_file *file, key_reach reach, uint8_t key[WPA_CACHE_KEY_SIZE])
{
    const wpa_unit *unit = file->unit;
    wpa_sha256_state hash;
    int numbers[] = {(int)file->shown.kind, (int)reach};
    wpa_sha256_init(&hash);
    wpa_sha256_update(&hash, unit->settings_digest, sizeof unit->settings_digest);
    wpa_sha256_update(&hash, numbers, sizeof numbers);
    add_text(&hash, file->identity);
    wpa_sha256_update(&hash, file->digest, sizeof file->digest);
    if (reach == REACH_PATHS) {
        wpa_sha256_update(&hash, unit->paths_digest, sizeof unit->paths_digest);
    } else if (reach == REACH_DEFINITIONS) {
        wpa_sha256_update(&hash, unit->definitions_digest, sizeof unit->definitions_digest);
    }
    wpa_sha256_final(&hash, key);
}

static void keep_result(wpa_unit_file *file, const void *packed, size_t size_bytes,
                        const wpa_result_counts *counts)
{
    wpa_free(file->result);
    file->result = wpa_realloc(NULL, sizeof *file->result + size_bytes);
    file->result->counts = *counts;
    file->result->size_bytes = size_bytes;
    memcpy(file->result->packed, packed, size_bytes);
}

/* ---- looking up ---- */

/** Is what was read beside the file still what it was? */
static bool is_unchanged(wpa_unit *unit, const kept_read *read, const char *path)
{
    const neighbour *beside = find_neighbour(unit, path);
    return beside->is_there == (read->is_there != 0) &&
           memcmp(beside->digest, read->digest, sizeof beside->digest) == 0;
}

/** Where the packed result begins, or NULL: broken, or something that was read has changed. */
static const uint8_t *check_kept(wpa_unit *unit, const uint8_t *bytes, size_t size_bytes,
                                 kept_head *head)
{
    const uint8_t *end = bytes + size_bytes;
    if (size_bytes < sizeof *head) {
        return NULL;
    }
    memcpy(head, bytes, sizeof *head);
    bytes += sizeof *head;
    for (uint64_t i = 0; i < head->n_reads; i++) {
        kept_read read;
        if ((size_t)(end - bytes) < sizeof read) {
            return NULL;
        }
        memcpy(&read, bytes, sizeof read);
        bytes += sizeof read;
        if (read.path_bytes == 0 || read.path_bytes > (uint64_t)(end - bytes) ||
            bytes[read.path_bytes - 1] != '\0' || !is_unchanged(unit, &read, (const char *)bytes)) {
            return NULL;
        }
        bytes += read.path_bytes;
    }
    return bytes;
}

/** Where there is a list of paths, nothing is kept under a key without it. */
static int first_reach(const wpa_unit *unit)
{
    return unit->around.n_paths ? REACH_PATHS : REACH_FILE;
}

bool wpa_key_find(wpa_cache *cache, wpa_unit_file *file)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    for (int i = first_reach(file->unit); i < REACH_COUNT; i++) {
        uint8_t key[WPA_CACHE_KEY_SIZE];
        size_t size_bytes;
        kept_head head;
        make_key(file, (key_reach)i, key);
        const uint8_t *bytes = wpa_cache_find(cache, key, arena, &size_bytes);
        const uint8_t *at = bytes ? check_kept(file->unit, bytes, size_bytes, &head) : NULL;
        if (at) {
            keep_result(file, at, size_bytes - (size_t)(at - bytes), &head.counts);
            return true;
        }
    }
    return false;
}

/* ---- keeping ---- */

void wpa_key_keep_stamps(wpa_unit *unit)
{
    if (!unit->stamps) {
        return;
    }
    for (size_t i = 0; i < unit->n_files; i++) {
        wpa_unit_file *file = unit->files[i];
        if (file->is_digested && file->has_stamp && file->state != WPA_UNIT_UNREADABLE) {
            wpa_stamps_note(unit->stamps, file->identity, &file->stamp, file->digest);
        }
    }
    for (size_t i = 0; unit->neighbours && i < wpa_map_count(unit->neighbours); i++) {
        void *value;
        const char *path = wpa_map_at(unit->neighbours, i, &value);
        const neighbour *beside = value;
        if (beside->is_there && beside->has_stamp) {
            wpa_stamps_note(unit->stamps, path, &beside->stamp, beside->digest);
        }
    }
    wpa_stamps_close(unit->stamps);
}

/** A list of paths that is there may have been walked through without a question. */
static key_reach reach_of(const wpa_unit *unit, const wpa_surroundings_trace *trace)
{
    return trace->has_asked_graph ? REACH_DEFINITIONS
           : unit->around.n_paths ? REACH_PATHS
                                  : REACH_FILE;
}

static void keep(wpa_cache *cache, const wpa_unit_file *file, const wpa_surroundings_trace *trace,
                 const wpa_unit_result *result)
{
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(WPA_PACKED_MAX_BYTES);
    kept_head head = {.counts = result->counts, .n_reads = trace->n_reads};
    uint8_t key[WPA_CACHE_KEY_SIZE];
    wpa_buf_append(out, &head, sizeof head);
    for (size_t i = 0; i < trace->n_reads; i++) {
        const wpa_trace_read *from = &trace->reads[i];
        kept_read read = {.path_bytes = strlen(from->path) + 1, .is_there = from->is_there};
        memcpy(read.digest, from->digest, sizeof read.digest);
        wpa_buf_append(out, &read, sizeof read);
        wpa_buf_append(out, from->path, read.path_bytes);
    }
    wpa_buf_append(out, result->packed, result->size_bytes);
    make_key(file, reach_of(file->unit, trace), key);
    wpa_cache_put(cache, key, wpa_buf_data(out), wpa_buf_size(out));
}

/** A result that a limit cut short is of this moment, not of this file. */
static bool is_lasting(const wpa_result *result)
{
    return result->n_notes == 0;
}

/** In the place of what there was; false if it is too much and was cut short. */
static bool pack(wpa_unit_file *file, const wpa_result *result, bool has_excerpts)
{
    WPA_AUTO(wpa_buf) *packed = wpa_buf_new(WPA_PACKED_MAX_BYTES);
    wpa_result_counts counts;
    wpa_result_pack(result, has_excerpts, packed);
    wpa_result_count(result, &counts);
    keep_result(file, wpa_buf_data(packed), wpa_buf_size(packed), &counts);
    return !wpa_buf_is_full(packed);
}

void wpa_key_complete(const wpa_tree_options *options, wpa_unit_file *file)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_result result;
    if (!wpa_result_unpack(file->result->packed, file->result->size_bytes, file->shown.path,
                           file->unit->around.prefix, arena, &result)) {
        return;
    }
    if (options->outside) {
        wpa_outside_apply(options->outside, file->identity, file->shown.source,
                          wpa_settings_at(file->unit->settings, file->identity, arena), &result,
                          arena);
        if (result.n_findings) {
            qsort(result.findings, result.n_findings, sizeof *result.findings, wpa_finding_compare);
        }
    }
    if (options->baseline) {
        wpa_baseline_apply(options->baseline, file->identity, &result);
    }
    (void)pack(file, &result, true);
}

void wpa_key_repack(wpa_unit_file *file, const wpa_result *result, bool has_excerpts)
{
    (void)pack(file, result, has_excerpts);
}

void wpa_key_pack(wpa_cache *cache, wpa_unit_file *file, const wpa_result *result,
                  bool has_excerpts)
{
    bool is_whole = pack(file, result, has_excerpts || cache);
    const wpa_surroundings_trace *trace = file->shown.source->around->trace;
    if (cache && is_whole && trace->n_reads <= READS_MAX && is_lasting(result)) {
        keep(cache, file, trace, file->result);
    }
}
