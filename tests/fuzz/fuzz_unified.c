/* A diff and a file, split at the first 0xff: applied or refused, and our own diffs always apply.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "edit/diff.h"
#include "edit/unified.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    wpa_unified_result result;
    const char *diff = wpa_arena_slice(arena, (const char *)data, size_bytes);
    const char *split = memchr(diff, 0xff, size_bytes);
    size_t n_diff = split ? (size_t)(split - diff) : size_bytes;
    const char *before = split ? split + 1 : "";
    size_t n_before = split ? size_bytes - n_diff - 1 : 0;
    (void)wpa_unified_is(diff, n_diff);
    if (!wpa_unified_apply(diff, n_diff, "f", before, n_before, arena, &result, &err) ||
        !result.bytes) {
        return 0;
    }
    const char *own =
        wpa_diff_unified("f", before, n_before, result.bytes, result.size_bytes, arena);
    wpa_unified_result again;
    if (*own && (!wpa_unified_apply(own, strlen(own), "f", before, n_before, arena, &again, &err) ||
                 again.size_bytes != result.size_bytes ||
                 memcmp(again.bytes, result.bytes, again.size_bytes) != 0)) {
        bool has_nul = memchr(before, 0, n_before) || memchr(result.bytes, 0, result.size_bytes);
        if (!has_nul) { /* a diff of ours is text */
            abort();
        }
    }
    return 0;
}
