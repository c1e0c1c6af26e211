/*
 * Files of one folder that are changed together: all of them, or none. Nothing outside the folder
 * is reached, nothing goes through a symlink, and no file that is there is taken for a new one.
 */
#pragma once

#include <wpa/arena.h>
#include <wpa/error.h>

typedef struct wpa_file_write {
    const char *path;   /* relative to the folder */
    const char *before; /* [before_bytes] what must be there; NULL: nothing may be */
    size_t before_bytes;
    const char *after; /* [after_bytes] */
    size_t after_bytes;
} wpa_file_write;

/**
 * Write all drafts beside their files, then rename them one after the other; if one of them cannot
 * be, those before it are put back as they were. Files keep their mode; new ones get 0644, folders
 * on the way 0755.
 *
 * Errors    CONFLICT (a file is not what it was, or there is one where a new one should be),
 *           REFUSED (a symlink, a path out of the folder, a read-only file), IO, LIMIT.
 */
bool wpa_files_write(const char *folder, const wpa_file_write *writes, size_t n, wpa_arena *arena,
                     wpa_error *err) WPA_CHECK;
