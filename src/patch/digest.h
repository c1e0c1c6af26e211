/* The digest of a patch: what is tested, approved and deployed is told by these 32 bytes. */
#pragma once

#include <stdint.h>

#include <wpa/arena.h>

/** What becomes of one file of one target. */
typedef struct wpa_patch_content {
    int64_t repository_id;
    const char *ref; /* "refs/heads/main" */
    const char *path;
    const char *before_oid; /* NULL: absent */
    const char *after_oid;  /* NULL: absent, that is deleted */
    const void *after;      /* [after_bytes] content of after_oid */
    size_t after_bytes;
} wpa_patch_content;

/**
 * SHA-256 over the contents in the order of repository id, ref and path (by bytes); of each the
 * repository id in decimal, ref, path, blob id before, blob id after ("absent" where there is
 * none) and the bytes after, every field led by its length as 8 bytes, most significant first.
 * The order given does not matter.
 */
void wpa_patch_digest(const wpa_patch_content contents[], size_t n, uint8_t digest[32]);
