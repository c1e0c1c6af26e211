#include "testing/subject.h"

#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#define WORDS_MAX_BYTES 2000
#define EDITS_MAX 10000
#define IMAGE_MAX_BYTES ((size_t)8 << 20)

/** skipped: a text that is left out, or NULL. */
static const char *const *read_texts(const wpa_json *list, const char *skipped, wpa_arena *arena)
{
    size_t kept = 0;
    const char **texts = wpa_arena_array(arena, wpa_json_count(list) + 1, sizeof *texts);
    for (size_t i = 0; i < wpa_json_count(list); i++) {
        const char *text = wpa_json_text_of(wpa_json_at(list, i));
        if (text && !wpa_text_is(text, skipped)) {
            texts[kept++] = text;
        }
    }
    return kept ? texts : NULL;
}

static const char *const *read_environment(const wpa_json *map, wpa_arena *arena)
{
    size_t n = wpa_json_count(map);
    const char **pairs = wpa_arena_array(arena, n + 1, sizeof *pairs);
    for (size_t i = 0; i < n; i++) {
        const char *value = wpa_json_text_of(wpa_json_at(map, i));
        pairs[i] = wpa_arena_printf(arena, "%s=%s", wpa_json_key_at(map, i), value ? value : "");
    }
    return n ? pairs : NULL;
}

wpa_test_command_spec wpa_test_command_read(const wpa_json *json, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *words = wpa_buf_new(WORDS_MAX_BYTES);
    wpa_test_command_spec spec = {
        .argv = read_texts(wpa_json_find(json, "command"), NULL, arena),
        .environment = read_environment(wpa_json_find(json, "env"), arena),
        /* "-" is standard output, which is read anyway */
        .reports = read_texts(wpa_json_find(json, "reports"), "-", arena),
        .has_network = wpa_json_bool_of(wpa_json_find(json, "network"), false),
        .timeout_ms = wpa_json_int_of(wpa_json_find(json, "timeout_ms"), 0)};
    for (size_t i = 0; spec.argv && spec.argv[i]; i++) {
        wpa_buf_printf(words, "%s%s", i ? " " : "", spec.argv[i]);
    }
    spec.words = wpa_buf_dup(words, arena);
    return spec;
}

bool wpa_test_edits_read(const wpa_json *json, wpa_arena *arena, wpa_test_edits *edits,
                         wpa_error *err)
{
    size_t n = wpa_json_count(json), last_end = 0;
    if (wpa_json_kind_of(json) != WPA_JSON_ARRAY || n > EDITS_MAX) {
        return WPA_FAIL(err, WPA_E_INVALID, "edits are no list, or too many");
    }
    wpa_test_edit *items = wpa_arena_array(arena, n + 1, sizeof *items);
    for (size_t i = 0; i < n; i++) {
        const wpa_json *item = wpa_json_at(json, i);
        int64_t start = 0, end = 0;
        const char *text = wpa_json_get_text(item, "text", err);
        if (!text || !wpa_json_get_int(item, "start", 0, IMAGE_MAX_BYTES, &start, err) ||
            !wpa_json_get_int(item, "end", start, IMAGE_MAX_BYTES, &end, err)) {
            return false;
        }
        if (i > 0 && (size_t)start < last_end) {
            return WPA_FAIL(err, WPA_E_INVALID, "edit %zu overlaps the one before it", i);
        }
        last_end = (size_t)end;
        items[i] = (wpa_test_edit){
            .start = (size_t)start, .end = (size_t)end, .text = text, .text_bytes = strlen(text)};
    }
    *edits = (wpa_test_edits){.items = items, .n = n};
    return true;
}

const char *wpa_test_edits_apply(const wpa_test_edits *edits, const wpa_test_image *image,
                                 wpa_arena *arena, size_t *size_bytes, wpa_error *err)
{
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(2 * IMAGE_MAX_BYTES);
    size_t at = 0;
    for (size_t i = 0; i < edits->n; i++) {
        const wpa_test_edit *edit = &edits->items[i];
        if (edit->end > image->size_bytes || edit->start < at) {
            WPA_FAIL(err, WPA_E_INVALID, "edit of bytes %zu to %zu does not fit a file of %zu",
                     edit->start, edit->end, image->size_bytes);
            return NULL;
        }
        wpa_buf_append(out, image->bytes + at, edit->start - at);
        wpa_buf_append(out, edit->text, edit->text_bytes);
        at = edit->end;
    }
    wpa_buf_append(out, image->bytes + at, image->size_bytes - at);
    if (!wpa_buf_check(out, "the edited file", err)) {
        return NULL;
    }
    *size_bytes = wpa_buf_size(out);
    return wpa_buf_dup(out, arena);
}

bool wpa_test_image_is(const wpa_test_image *image, const char *bytes, size_t size_bytes)
{
    return image->bytes && image->size_bytes == size_bytes &&
           memcmp(image->bytes, bytes, size_bytes) == 0;
}
