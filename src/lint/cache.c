#include "lint/cache.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wpa/buf.h>
#include <wpa/file.h>

#include "auth/hash.h"
#include "json/json.h"

struct wpa_lint_cache {
    wpa_arena *arena;
    const char *path; /* NULL: there is none */
    wpa_map *lines;   /* key -> JSON behind it */
    char *added;      /* lines to append */
    size_t added_bytes, added_capacity;
    size_t size_bytes; /* of the file as it was read */
};

/* XDG_CACHE_HOME/wpa, made if it is not there; NULL without a home. */
static const char *cache_folder(wpa_arena *arena)
{
    const char *xdg = getenv("XDG_CACHE_HOME"); /* NOLINT(concurrency-mt-unsafe) */
    const char *home = getenv("HOME");          /* NOLINT(concurrency-mt-unsafe) */
    if (!(xdg && *xdg == '/') && !(home && *home == '/')) {
        return NULL;
    }
    const char *root = xdg && *xdg == '/' ? xdg : wpa_path_join(arena, home, ".cache");
    const char *folder = wpa_path_join(arena, root, "wpa");
    (void)mkdir(root, 0700);
    (void)mkdir(folder, 0700);
    return wpa_path_exists(folder) ? folder : NULL;
}

static void read_lines(wpa_lint_cache *cache, char *text)
{
    while (text && *text) {
        char *end = strchr(text, '\n');
        if (!end) {
            return; /* one that was cut short */
        }
        *end = '\0';
        char *blank = strchr(text, ' ');
        if (blank) {
            *blank = '\0';
            wpa_map_put(cache->lines, text, blank + 1);
        }
        text = end + 1;
    }
}

wpa_lint_cache *wpa_lint_cache_open(wpa_arena *arena)
{
    wpa_lint_cache *cache = wpa_arena_alloc(arena, sizeof *cache);
    *cache = (wpa_lint_cache){.arena = arena, .lines = wpa_map_new(arena)};
    const char *folder = cache_folder(arena);
    cache->path = folder ? wpa_path_join(arena, folder, "lint-1") : NULL;
    if (cache->path) {
        wpa_error err = {0};
        const char *text =
            wpa_file_read(cache->path, WPA_LINT_CACHE_MAX_BYTES, arena, &cache->size_bytes, &err);
        read_lines(cache, text ? wpa_arena_slice(arena, text, cache->size_bytes) : NULL);
    }
    return cache;
}

const char *wpa_lint_cache_key(const wpa_lint_program *program, const char *path,
                               const wpa_lint_job *job, wpa_arena *arena)
{
    struct stat status = {0};
    (void)stat(path, &status);
    wpa_sha256_state hash;
    uint8_t digest[WPA_SHA256_SIZE];
    char *hex = wpa_arena_alloc(arena, WPA_SHA256_HEX_SIZE);
    wpa_sha256_init(&hash);
    wpa_sha256_update(&hash, path, strlen(path) + 1);
    wpa_sha256_update(&hash, &status.st_size, sizeof status.st_size);
    wpa_sha256_update(&hash, &status.st_mtime, sizeof status.st_mtime);
    for (size_t i = 0; program->argv[i]; i++) {
        wpa_sha256_update(&hash, program->argv[i], strlen(program->argv[i]) + 1);
    }
    wpa_sha256_update(&hash, job->text, job->length);
    wpa_sha256_final(&hash, digest);
    wpa_hex_encode(digest, WPA_SHA256_SIZE, hex);
    return hex;
}

/* ---- comments as [start, end, code, level, message, [[start, end, text], ...]] ----------------
 */

static bool read_span(const wpa_json *list, size_t length, wpa_span *span)
{
    int64_t start = wpa_json_int_of(wpa_json_at(list, 0), -1);
    int64_t end = wpa_json_int_of(wpa_json_at(list, 1), -1);
    *span = (wpa_span){(size_t)start, (size_t)end};
    return start >= 0 && end >= start && (size_t)end <= length;
}

static bool read_comment(const wpa_json *from, wpa_lint_job *job, wpa_lint_comment *comment,
                         wpa_arena *arena)
{
    if (wpa_json_count(from) != 6 || !read_span(from, job->length, &comment->span)) {
        return false;
    }
    const char *code = wpa_json_text_of(wpa_json_at(from, 2));
    comment->code = code && *code ? code : NULL;
    comment->level = wpa_json_text_of(wpa_json_at(from, 3));
    comment->message = wpa_json_text_of(wpa_json_at(from, 4));
    const wpa_json *list = wpa_json_at(from, 5);
    size_t n = wpa_json_count(list);
    wpa_lint_replacement *replacements = wpa_arena_array(arena, n + 1, sizeof *replacements);
    for (size_t i = 0; i < n; i++) {
        const wpa_json *at = wpa_json_at(list, i);
        replacements[i].text =
            wpa_json_count(at) == 3 ? wpa_json_text_of(wpa_json_at(at, 2)) : NULL;
        if (!replacements[i].text || !read_span(at, job->length, &replacements[i].span)) {
            return false;
        }
    }
    comment->replacements = replacements;
    comment->n_replacements = n;
    return comment->level && comment->message;
}

bool wpa_lint_cache_find(const wpa_lint_cache *cache, const char *key, wpa_lint_job *job,
                         wpa_arena *arena)
{
    const char *line = wpa_map_get(cache->lines, key);
    wpa_error err = {0};
    const wpa_json *root =
        line ? wpa_json_parse(line, strlen(line), WPA_LINT_CACHE_MAX_BYTES, arena, &err) : NULL;
    if (!root || wpa_json_kind_of(root) != WPA_JSON_ARRAY) {
        return false;
    }
    size_t n = wpa_json_count(root);
    wpa_lint_comment *comments = wpa_arena_array(arena, n + 1, sizeof *comments);
    for (size_t i = 0; i < n; i++) {
        if (!read_comment(wpa_json_at(root, i), job, &comments[i], arena)) {
            return false;
        }
    }
    job->comments = comments;
    job->n_comments = n;
    return true;
}

static void push_span(wpa_json *list, wpa_span span)
{
    wpa_json_push_int(list, (int64_t)span.start);
    wpa_json_push_int(list, (int64_t)span.end);
}

static const char *dump(const wpa_lint_job *job, wpa_arena *arena)
{
    wpa_json *root = wpa_json_new_array(arena);
    for (size_t i = 0; i < job->n_comments; i++) {
        const wpa_lint_comment *comment = &job->comments[i];
        wpa_json *at = wpa_json_new_array(arena), *list = wpa_json_new_array(arena);
        push_span(at, comment->span);
        wpa_json_push_text(at, comment->code ? comment->code : "");
        wpa_json_push_text(at, comment->level);
        wpa_json_push_text(at, comment->message);
        for (size_t k = 0; k < comment->n_replacements; k++) {
            wpa_json *one = wpa_json_new_array(arena);
            push_span(one, comment->replacements[k].span);
            wpa_json_push_text(one, comment->replacements[k].text);
            wpa_json_push(list, one);
        }
        wpa_json_push(at, list);
        wpa_json_push(root, at);
    }
    return wpa_json_dump(root, arena);
}

void wpa_lint_cache_add(wpa_lint_cache *cache, const char *key, const wpa_lint_job *job)
{
    if (!cache->path) {
        return;
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *line = wpa_arena_printf(arena, "%s %s\n", key, dump(job, arena));
    size_t length = strlen(line);
    for (size_t i = 0; i < length; i++) {
        cache->added = wpa_arena_grow(cache->arena, cache->added, cache->added_bytes,
                                      &cache->added_capacity, 1);
        cache->added[cache->added_bytes++] = line[i];
    }
}

void wpa_lint_cache_close(wpa_lint_cache *cache)
{
    if (!cache->path || !cache->added_bytes) {
        return;
    }
    bool is_full = cache->size_bytes + cache->added_bytes > WPA_LINT_CACHE_MAX_BYTES / 2;
    int fd = open(cache->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (is_full ? O_TRUNC : 0),
                  0600);
    if (fd < 0) {
        return;
    }
    for (size_t at = 0; at < cache->added_bytes;) {
        ssize_t n = write(fd, cache->added + at, cache->added_bytes - at);
        if (n <= 0) {
            break;
        }
        at += (size_t)n;
    }
    (void)close(fd);
}
