/*
 * What files hold, without reading them: a file that lies on disk as it did when an earlier run
 * read it holds what it held. One list a folder of a walk, in the cache. Private.
 */
#pragma once

#include <sys/stat.h>

#include "auth/hash.h"
#include "core/cache.h"

/** How a file lies on disk. Writing changes one of these, whatever a program sets back. */
typedef struct wpa_stamp {
    uint64_t device, inode, size_bytes;
    int64_t modified_ns, changed_ns;
} wpa_stamp;

typedef struct wpa_stamps wpa_stamps;

/** The list kept for a folder (its real path), or an empty one. cache is borrowed. */
wpa_stamps *wpa_stamps_open(wpa_cache *cache, const char *folder, wpa_arena *arena);
/** Keep the list, if something in it is new. */
void wpa_stamps_close(wpa_stamps *stamps);

wpa_stamp wpa_stamp_of(const struct stat *status);
/** Is it so old, by the clock at which it was taken, that a later change would show? */
bool wpa_stamp_is_settled(const wpa_stamp *stamp, int64_t seen_ns);
/** The digest of what the file holds; false if that is not known. Any thread, but not while noting.
 */
bool wpa_stamps_find(const wpa_stamps *stamps, const char *path, const wpa_stamp *stamp,
                     uint8_t digest[WPA_SHA256_SIZE]);
/** A file was read and lay like this before it was. path is borrowed. One thread at a time. */
void wpa_stamps_note(wpa_stamps *stamps, const char *path, const wpa_stamp *stamp,
                     const uint8_t digest[WPA_SHA256_SIZE]);
