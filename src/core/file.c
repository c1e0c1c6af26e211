#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wpa/buf.h>
#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "core/room.h"

static bool fail_errno(wpa_error *err, const char *verb, const char *path)
{
    int number = errno;
    wpa_code code = number == ENOENT || number == ENOTDIR ? WPA_E_NOT_FOUND : WPA_E_IO;
    return WPA_FAIL(err, code, "cannot %s '%s': %s", verb, path, wpa_strerror(number));
}

char *wpa_fd_read_all(int fd, size_t max_bytes, wpa_arena *arena, size_t *size_bytes,
                      wpa_error *err)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(max_bytes);
    char piece[65536];
    for (;;) {
        ssize_t got = read(fd, piece, sizeof piece);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            WPA_FAIL(err, WPA_E_IO, "cannot read: %s", wpa_strerror(errno));
            return NULL;
        }
        if (got == 0) {
            break;
        }
        wpa_buf_append(buf, piece, (size_t)got);
        if (!wpa_buf_check(buf, "the input", err)) {
            return NULL;
        }
    }
    *size_bytes = wpa_buf_size(buf);
    return wpa_buf_dup(buf, arena);
}

/** All of a file that has this size; NULL if it has another one after all, or cannot be read. */
static char *read_whole(int fd, size_t size_bytes, wpa_arena *arena)
{
    char *data = wpa_arena_room(arena, size_bytes + 1);
    ssize_t got = pread(fd, data, size_bytes + 1, 0); /* one more, to see that it ends there */
    if (got < 0 || (size_t)got != size_bytes) {
        return NULL;
    }
    data[size_bytes] = '\0';
    return data;
}

char *wpa_file_read(const char *path, size_t max_bytes, wpa_arena *arena, size_t *size_bytes,
                    wpa_error *err)
{
    *size_bytes = 0;
    return wpa_file_read_again(path, max_bytes, arena, size_bytes, err);
}

char *wpa_file_read_again(const char *path, size_t max_bytes, wpa_arena *arena, size_t *size_bytes,
                          wpa_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    char *data = NULL;
    bool is_known = fd >= 0 && *size_bytes > 0 && *size_bytes <= max_bytes;
    if (is_known && (data = read_whole(fd, *size_bytes, arena))) {
        (void)close(fd);
        return data;
    }
    if (fd < 0) {
        fail_errno(err, "open", path);
    } else if (fstat(fd, &info) != 0) {
        fail_errno(err, "read", path);
    } else if (!S_ISREG(info.st_mode)) {
        WPA_FAIL(err, WPA_E_INVALID, "'%s' is not a regular file", path);
    } else if ((size_t)info.st_size > max_bytes) {
        WPA_FAIL(err, WPA_E_LIMIT, "'%s' has %lld bytes, at most %zu are read", path,
                 (long long)info.st_size, max_bytes);
    } else if (info.st_size > 0 && (data = read_whole(fd, (size_t)info.st_size, arena))) {
        *size_bytes = (size_t)info.st_size;
    } else {
        data = wpa_fd_read_all(fd, max_bytes, arena, size_bytes, err);
        if (!data) {
            wpa_error_within(err, "read %s", path);
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return data;
}

bool wpa_fd_write_all(int fd, const void *data, size_t size_bytes, wpa_error *err)
{
    const char *at = data;
    while (size_bytes) {
        ssize_t written = write(fd, at, size_bytes);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return WPA_FAIL(err, WPA_E_IO, "cannot write: %s", wpa_strerror(errno));
        }
        at += written;
        size_bytes -= (size_t)written;
    }
    return true;
}

/* What is written beside a file and then takes its place. */
typedef struct draft {
    const char *path; /* of the file */
    char temporary[PATH_MAX];
    int fd;
    size_t left_bytes;
    wpa_error *err;
} draft;

static bool open_draft(draft *d, const char *path, wpa_error *err)
{
    d->path = path;
    d->err = err;
    if (!wpa_text_format(d->temporary, sizeof d->temporary, "%s.XXXXXX", path)) {
        return WPA_FAIL(err, WPA_E_LIMIT, "path '%s' is too long", path);
    }
    d->fd = mkostemp(d->temporary, O_CLOEXEC);
    return d->fd >= 0 || fail_errno(err, "write", path);
}

/** Put it in the file's place, if it was written. */
static bool close_draft(draft *d, bool is_written, mode_t mode)
{
    if (is_written && (fchmod(d->fd, mode) != 0 || fsync(d->fd) != 0)) {
        is_written = fail_errno(d->err, "write", d->path);
    }
    (void)close(d->fd);
    if (is_written && rename(d->temporary, d->path) != 0) {
        is_written = fail_errno(d->err, "replace", d->path);
    }
    if (!is_written) {
        (void)unlink(d->temporary);
    }
    return is_written;
}

bool wpa_file_replace(const char *path, const void *data, size_t size_bytes, mode_t mode,
                      wpa_error *err)
{
    draft d;
    return open_draft(&d, path, err) &&
           close_draft(&d, wpa_fd_write_all(d.fd, data, size_bytes, err), mode);
}

static bool drain_to_draft(void *context, const void *data, size_t size_bytes)
{
    draft *d = context;
    if (d->err->code != WPA_OK || size_bytes > d->left_bytes) {
        return false;
    }
    d->left_bytes -= size_bytes;
    return wpa_fd_write_all(d->fd, data, size_bytes, d->err);
}

bool wpa_file_replace_by(const char *path, size_t max_bytes, mode_t mode, wpa_file_fill fill,
                         void *context, wpa_error *err)
{
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(max_bytes);
    draft d = {.left_bytes = max_bytes};
    if (!open_draft(&d, path, err)) {
        return false;
    }
    wpa_buf_drain_to(out, drain_to_draft, &d);
    fill(context, out);
    bool is_written = wpa_buf_flush(out);
    if (!is_written && err->code == WPA_OK) {
        WPA_FAIL(err, WPA_E_LIMIT, "'%s' would be larger than %zu bytes", path, max_bytes);
    }
    return close_draft(&d, is_written, mode);
}

bool wpa_path_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

bool wpa_path_is_dir(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool wpa_dir_make(const char *path, mode_t mode, wpa_error *err)
{
    char partial[PATH_MAX];
    if (!wpa_text_copy(partial, sizeof partial, path)) {
        return WPA_FAIL(err, WPA_E_LIMIT, "path '%s' is too long", path);
    }
    for (char *at = partial + 1;; at++) {
        if (*at != '/' && *at != '\0') {
            continue;
        }
        char kept = *at;
        *at = '\0';
        if (mkdir(partial, mode) != 0 && errno != EEXIST) {
            return fail_errno(err, "make folder", partial);
        }
        if (kept == '\0') {
            break;
        }
        *at = kept;
    }
    return wpa_path_is_dir(path) ||
           WPA_FAIL(err, WPA_E_IO, "'%s' is there but is not a folder", path);
}

/* Below a folder's descriptor, so that a symlink put there meanwhile is never followed. */
static bool remove_children(int fd)
{
    DIR *dir = fdopendir(fd);
    if (!dir) {
        (void)close(fd);
        return false;
    }
    bool is_empty = true;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (unlinkat(dirfd(dir), entry->d_name, 0) == 0) {
            continue;
        }
        int child =
            openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        bool is_gone = child >= 0 && remove_children(child) &&
                       unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR) == 0;
        is_empty = is_empty && is_gone;
    }
    (void)closedir(dir);
    return is_empty;
}

bool wpa_dir_remove(const char *path, wpa_error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT || unlink(path) == 0 || fail_errno(err, "remove", path);
    }
    return (remove_children(fd) && rmdir(path) == 0) || fail_errno(err, "remove", path);
}

char *wpa_dir_temp(const char *prefix, wpa_arena *arena, wpa_error *err)
{
    char *path = wpa_arena_printf(arena, "%s-XXXXXX", prefix);
    if (!mkdtemp(path)) {
        fail_errno(err, "make folder", path);
        return NULL;
    }
    return path;
}

char *wpa_path_join(wpa_arena *arena, const char *folder, const char *name)
{
    return wpa_arena_printf(arena, "%s%s%s", folder, wpa_text_ends(folder, "/") ? "" : "/", name);
}

static bool check_part(const char *part, size_t length, const char *path, wpa_error *err)
{
    wpa_slice slice = {part, length};
    if (length == 0 || wpa_slice_is(slice, ".") || wpa_slice_is(slice, "..")) {
        return WPA_FAIL(err, WPA_E_INVALID, "path '%s' has an empty, '.' or '..' part", path);
    }
    if (wpa_slice_is_ci(slice, ".git") || wpa_slice_is_ci(slice, "git~1")) {
        return WPA_FAIL(err, WPA_E_INVALID, "path '%s' is inside '.git'", path);
    }
    return true;
}

bool wpa_path_check_relative(const char *path, wpa_error *err)
{
    size_t length = strlen(path);
    if (length == 0 || length > 4096) {
        return WPA_FAIL(err, WPA_E_INVALID, "a path needs 1 to 4096 bytes, this has %zu", length);
    }
    for (size_t at = 0; at < length;) {
        uint32_t c = wpa_utf8_next(path, length, &at);
        if (c == '\\' || c == 0xfffd || wpa_char_is_hidden(c)) {
            return WPA_FAIL(err, WPA_E_INVALID,
                            "path '%s' has a backslash, a control character or bad UTF-8", path);
        }
    }
    for (const char *part = path;;) {
        const char *slash = strchrnul(part, '/');
        if (!check_part(part, (size_t)(slash - part), path, err)) {
            return false;
        }
        if (!*slash) {
            return true;
        }
        part = slash + 1;
    }
}

static char *xdg_folder(wpa_arena *arena, const char *variable, const char *fallback,
                        wpa_error *err)
{
    const char *base = getenv(variable),
               *home = getenv("HOME"); /* NOLINT(concurrency-mt-unsafe): nobody calls setenv */
    if (base && base[0] == '/') {
        return wpa_arena_printf(arena, "%s/wpa", base);
    }
    if (home && home[0] == '/') {
        return wpa_arena_printf(arena, "%s/%s/wpa", home, fallback);
    }
    WPA_FAIL(err, WPA_E_INVALID, "neither %s nor HOME names an absolute folder", variable);
    return NULL;
}

static char *made(char *folder, wpa_error *err)
{
    return folder && wpa_dir_make(folder, 0700, err) ? folder : NULL;
}

char *wpa_path_state(wpa_arena *arena, wpa_error *err)
{
    return made(xdg_folder(arena, "XDG_STATE_HOME", ".local/state", err), err);
}

char *wpa_path_config(wpa_arena *arena, wpa_error *err)
{
    return xdg_folder(arena, "XDG_CONFIG_HOME", ".config", err);
}

char *wpa_path_data(wpa_arena *arena, wpa_error *err)
{
    return xdg_folder(arena, "XDG_DATA_HOME", ".local/share", err);
}

char *wpa_path_cache(wpa_arena *arena, wpa_error *err)
{
    return made(xdg_folder(arena, "XDG_CACHE_HOME", ".cache", err), err);
}
