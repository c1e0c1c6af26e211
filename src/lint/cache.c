#include "lint/cache.h"

#include <assert.h>
#include <string.h>
#include <sys/stat.h>

#include <wpa/file.h>

#include "json/json.h"

#define ANSWER_MAX_BYTES ((size_t)1 << 20)
/* What is said of most scripts. */
#define NOTHING "[]"

wpa_cache *wpa_lint_cache_open(bool is_kept, wpa_arena *arena)
{
    wpa_error err = {0};
    if (!is_kept) {
        return wpa_cache_open(NULL);
    }
    const char *folder = wpa_path_cache(arena, &err);
    return folder ? wpa_cache_open(wpa_path_join(arena, folder, "lint")) : NULL;
}

void wpa_lint_cache_program(const wpa_lint_program *program, const char *path,
                            uint8_t digest[WPA_SHA256_SIZE])
{
    struct stat status = {0};
    (void)stat(path, &status);
    wpa_sha256_state hash;
    wpa_sha256_init(&hash);
    wpa_sha256_update(&hash, path, strlen(path) + 1);
    wpa_sha256_update(&hash, &status.st_size, sizeof status.st_size);
    wpa_sha256_update(&hash, &status.st_mtime, sizeof status.st_mtime);
    for (size_t i = 0; program->argv[i]; i++) {
        wpa_sha256_update(&hash, program->argv[i], strlen(program->argv[i]) + 1);
    }
    wpa_sha256_final(&hash, digest);
}

const uint8_t *wpa_lint_cache_key(const uint8_t program[WPA_SHA256_SIZE], const wpa_lint_job *job,
                                  wpa_arena *arena)
{
    static_assert(WPA_CACHE_KEY_SIZE == WPA_SHA256_SIZE, "a digest is a key");
    uint8_t *key = wpa_arena_alloc(arena, WPA_CACHE_KEY_SIZE);
    wpa_blake2b_keyed(job->text, job->length, program, key);
    return key;
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

bool wpa_lint_cache_find(wpa_cache *cache, const uint8_t *key, wpa_lint_job *job, wpa_arena *arena)
{
    wpa_error err = {0};
    size_t size_bytes = 0;
    const char *text = cache ? wpa_cache_find(cache, key, arena, &size_bytes) : NULL;
    if (text && size_bytes == strlen(NOTHING) && memcmp(text, NOTHING, size_bytes) == 0) {
        return true;
    }
    const wpa_json *root =
        text ? wpa_json_parse(text, size_bytes, ANSWER_MAX_BYTES, arena, &err) : NULL;
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

void wpa_lint_cache_add(wpa_cache *cache, const uint8_t *key, const wpa_lint_job *job)
{
    if (cache) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const char *text = dump(job, arena);
        wpa_cache_put(cache, key, text, strlen(text));
    }
}
