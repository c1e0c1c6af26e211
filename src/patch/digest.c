#include "patch/digest.h"

#include <stdlib.h>
#include <string.h>

#include <wpa/text.h>

#include "auth/hash.h"

static int compare(const void *a, const void *b)
{
    const wpa_patch_content *x = *(const wpa_patch_content *const *)a;
    const wpa_patch_content *y = *(const wpa_patch_content *const *)b;
    if (x->repository_id != y->repository_id) {
        return x->repository_id < y->repository_id ? -1 : 1;
    }
    int by_ref = strcmp(x->ref, y->ref);
    return by_ref ? by_ref : strcmp(x->path, y->path);
}

static void add_field(wpa_sha256_state *hash, const void *data, size_t size_bytes)
{
    uint8_t length[8];
    for (size_t i = 0; i < sizeof length; i++) {
        length[i] = (uint8_t)((uint64_t)size_bytes >> (56 - 8 * i));
    }
    wpa_sha256_update(hash, length, sizeof length);
    wpa_sha256_update(hash, data, size_bytes);
}

static void add_text(wpa_sha256_state *hash, const char *text)
{
    add_field(hash, text, strlen(text));
}

void wpa_patch_digest(const wpa_patch_content contents[], size_t n, uint8_t digest[32])
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_patch_content **sorted = wpa_arena_array(arena, n + 1, sizeof(void *));
    for (size_t i = 0; i < n; i++) {
        sorted[i] = &contents[i];
    }
    qsort(sorted, n, sizeof(void *), compare);
    wpa_sha256_state hash;
    wpa_sha256_init(&hash);
    for (size_t i = 0; i < n; i++) {
        const wpa_patch_content *content = sorted[i];
        char id[32];
        (void)wpa_text_format(id, sizeof id, "%lld", (long long)content->repository_id);
        add_text(&hash, id);
        add_text(&hash, content->ref);
        add_text(&hash, content->path);
        add_text(&hash, content->before_oid ? content->before_oid : "absent");
        add_text(&hash, content->after_oid ? content->after_oid : "absent");
        add_field(&hash, content->after_oid ? content->after : "",
                  content->after_oid ? content->after_bytes : 0);
    }
    wpa_sha256_final(&hash, digest);
}
