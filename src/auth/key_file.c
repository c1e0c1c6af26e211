#include "auth/key_file.h"

#include <errno.h>
#include <unistd.h>

#include <wpa/arena.h>
#include <wpa/file.h>

#include "auth/hash.h"

bool wpa_key_file_make(const char *path, const char *text, size_t size_bytes, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    char unique[WPA_UUID_SIZE];
    wpa_uuid_new(unique);
    char *beside = wpa_arena_printf(arena, "%s.%s", path, unique);
    bool is_good = wpa_file_replace(beside, text, size_bytes, 0600, err);
    if (is_good && link(beside, path) != 0 && errno != EEXIST) {
        is_good = WPA_FAIL(err, WPA_E_IO, "cannot make '%s': %s", path, wpa_strerror(errno));
    }
    unlink(beside);
    return is_good;
}

bool wpa_key_file_check(const char *path, struct stat *info, wpa_error *err)
{
    if (lstat(path, info) != 0) {
        return WPA_FAIL(err, WPA_E_IO, "cannot read '%s': %s", path, wpa_strerror(errno));
    }
    if (!S_ISREG(info->st_mode) || info->st_uid != geteuid() || (info->st_mode & 077) != 0) {
        return WPA_FAIL(err, WPA_E_DENIED,
                        "the key file '%s' must belong to you and be closed to others (chmod 600)",
                        path);
    }
    return true;
}
