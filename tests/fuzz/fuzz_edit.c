/* Two texts, split at the first 0xff: the edits between them lead there and back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "edit/diff.h"
#include "edit/edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void need(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

static bool is_same(const char *a, size_t n_a, const char *b, size_t n_b)
{
    return n_a == n_b && memcmp(a, b, n_a) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    const char *before = wpa_arena_slice(arena, (const char *)data, size_bytes);
    const char *split = memchr(before, 0xff, size_bytes);
    size_t n_before = split ? (size_t)(split - before) : size_bytes;
    const char *after = split ? split + 1 : "";
    size_t n_after = split ? size_bytes - n_before - 1 : 0;
    size_t n, size;
    wpa_edit *edits = wpa_edits_between(before, n_before, after, n_after, arena, &n);
    need(wpa_edits_sort(edits, n, n_before, &err));
    const char *made = wpa_edits_apply(edits, n, before, n_before, arena, &size);
    need(is_same(made, size, after, n_after));
    wpa_edit *inverse = wpa_edits_invert(edits, n, before, arena);
    need(wpa_edits_sort(inverse, n, n_after, &err));
    const char *back = wpa_edits_apply(inverse, n, made, size, arena, &size);
    need(is_same(back, size, before, n_before));
    (void)wpa_diff_unified("a", before, n_before, after, n_after, arena);
    return 0;
}
