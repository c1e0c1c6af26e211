/*
 * What a run has looked at on disk, so that a later one can tell, without reading any of it, that
 * it would see the same: files by how they lie there, folders by that or by their names, what was
 * not there, and where symlinks lead. A NULL wpa_seen takes everything and keeps nothing.
 */
#pragma once

#include <sys/stat.h>

#include <wpa/buf.h>

#include "analysis/stamps.h"

/** Of all that is written; a run that has looked at more is not told again. */
#define WPA_SEEN_MAX_BYTES ((size_t)32 << 20)
#define WPA_SEEN_NAMES_SIZE 16

typedef struct wpa_seen wpa_seen;

wpa_seen *wpa_seen_new(void);
void wpa_seen_free(wpa_seen *seen);
WPA_DEFINE_AUTO(wpa_seen, wpa_seen_free);

/* Each before what is there is read: what changes behind that lies otherwise later. Paths are
 * copied; any thread. */

/** Whatever is there, or not. */
void wpa_seen_path(wpa_seen *seen, const char *path);
/** The same, if stat(2) was called already; status NULL: there is nothing. */
void wpa_seen_status(wpa_seen *seen, const char *path, const struct stat *status);
/** A folder, with a digest of the names in it; "" is the current one. */
void wpa_seen_folder(wpa_seen *seen, const char *path, const struct stat *status,
                     const uint8_t names[WPA_SEEN_NAMES_SIZE]);
/** Where a symlink leads: a real path, or NULL. */
void wpa_seen_link(wpa_seen *seen, const char *path, const char *target);
/** Something was looked at of which nobody can tell later. */
void wpa_seen_lose(wpa_seen *seen);

/** All of it; false if it cannot be told later: something has only just changed, or there is too
 * much. */
bool wpa_seen_write(const wpa_seen *seen, wpa_buf *out) WPA_CHECK;
/** Does everything lie as it was written? Bytes that are nothing of the kind do not. */
bool wpa_seen_holds(const void *bytes, size_t size_bytes);

/* What a folder tells of something in it. */
typedef struct wpa_seen_entry {
    const char *name;
    unsigned char type; /* DT_REG and so on, as readdir(3) has them */
} wpa_seen_entry;

typedef struct wpa_seen_listing {
    wpa_seen_entry *entries; /* [n] sorted by name */
    size_t n;
    struct stat status;
} wpa_seen_listing;

/** What a folder ("" is the current one) holds, without "." and ".."; false with errno. */
bool wpa_seen_list(const char *path, wpa_arena *arena, wpa_seen_listing *listing) WPA_CHECK;
void wpa_seen_digest_names(const wpa_seen_listing *listing, uint8_t names[WPA_SEEN_NAMES_SIZE]);
