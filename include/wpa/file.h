/* Files and paths. Sizes from outside are checked against a maximum before anything is read. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <wpa/arena.h>
#include <wpa/buf.h>

/** Whole regular file, NUL-terminated behind size_bytes. Errors NOT_FOUND, LIMIT, INVALID, IO. */
char *wpa_file_read(const char *path, size_t max_bytes, wpa_arena *arena, size_t *size_bytes,
                    wpa_error *err);
/** The same of one that had *size_bytes when it was looked at: if it still has, nothing else is
   asked of it. */
char *wpa_file_read_again(const char *path, size_t max_bytes, wpa_arena *arena, size_t *size_bytes,
                          wpa_error *err);
/** Everything from a descriptor until its end. */
char *wpa_fd_read_all(int fd, size_t max_bytes, wpa_arena *arena, size_t *size_bytes,
                      wpa_error *err);
bool wpa_fd_write_all(int fd, const void *data, size_t size_bytes, wpa_error *err) WPA_CHECK;
/** Write beside, fsync, rename over: the file is the old one or the new one, never half. */
bool wpa_file_replace(const char *path, const void *data, size_t size_bytes, mode_t mode,
                      wpa_error *err) WPA_CHECK;
/** The same, written as it is made: it need not fit into memory. LIMIT beyond max_bytes. */
typedef void (*wpa_file_fill)(void *context, wpa_buf *out);
bool wpa_file_replace_by(const char *path, size_t max_bytes, mode_t mode, wpa_file_fill fill,
                         void *context, wpa_error *err) WPA_CHECK;
/** mkdir -p; folders it makes get mode. */
bool wpa_dir_make(const char *path, mode_t mode, wpa_error *err) WPA_CHECK;
/** rm -rf without following symlinks; a path that is not there is fine. */
bool wpa_dir_remove(const char *path, wpa_error *err) WPA_CHECK;
/** A fresh folder from "/tmp/wpa-XXXXXX", mode 0700; the name in the arena. */
char *wpa_dir_temp(const char *prefix, wpa_arena *arena, wpa_error *err);
bool wpa_path_exists(const char *path);
bool wpa_path_is_dir(const char *path);
char *wpa_path_join(wpa_arena *arena, const char *folder, const char *name);

/**
 * Is this a path that may be written inside a repository? Relative, no "..", ".", "//", ".git"
 * (any case), backslash, control character; at most 4096 bytes. err says which.
 */
bool wpa_path_check_relative(const char *path, wpa_error *err) WPA_CHECK;

/** Folder for durable state ($XDG_STATE_HOME/wpa or ~/.local/state/wpa), made with mode 0700. */
char *wpa_path_state(wpa_arena *arena, wpa_error *err);
/** $XDG_CONFIG_HOME/wpa or ~/.config/wpa; not made. */
char *wpa_path_config(wpa_arena *arena, wpa_error *err);
/** $XDG_DATA_HOME/wpa or ~/.local/share/wpa; not made. */
char *wpa_path_data(wpa_arena *arena, wpa_error *err);
/** $XDG_CACHE_HOME/wpa or ~/.cache/wpa, made with mode 0700. */
char *wpa_path_cache(wpa_arena *arena, wpa_error *err);
