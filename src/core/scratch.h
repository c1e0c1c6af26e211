/*
 * Folders for one piece of work, with as much in them as it needs. Each is held by a lock of the
 * system, which ends with its process: what is left of a process that was killed is removed by the
 * next one that makes such a folder beside it.
 */
#pragma once

#include <wpa/arena.h>

typedef struct wpa_scratch {
    const char *path; /* NULL: not open */
    int fd;
} wpa_scratch;

/**
 * Make "parent/name-XXXXXX", mode 0700; the path lives in the arena.
 *
 * Errors    WPA_E_NOT_FOUND, WPA_E_IO.
 */
bool wpa_scratch_open(wpa_scratch *scratch, const char *parent, const char *name, wpa_arena *arena,
                      wpa_error *err) WPA_CHECK;
/** Remove it with all that is in it; what cannot be removed stays for the next. */
void wpa_scratch_close(wpa_scratch *scratch);
WPA_DEFINE_AUTO(wpa_scratch, wpa_scratch_close);
