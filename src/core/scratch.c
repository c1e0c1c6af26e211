#include "core/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#define MADE_CHARS 7          /* what wpa_dir_temp puts behind a name */
#define YOUNG_S INT64_C(3600) /* it may be made by another at this moment, and not be held yet */

static int open_folder(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/** Has whoever made it ended? A file system without such locks says no. */
static bool is_left(const char *path)
{
    struct stat about;
    const int fd = open_folder(path);
    bool is_old = fd >= 0 && fstat(fd, &about) == 0 &&
                  wpa_now_us() / 1000000 - about.st_mtim.tv_sec > YOUNG_S;
    bool is_free = is_old && flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return is_free;
}

static void remove_left(const char *parent, const char *name)
{
    const size_t length = strlen(name);
    DIR *dir = opendir(parent);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) { // NOLINT(concurrency-mt-unsafe): the stream is ours
        const char *found = entry->d_name;
        if (!wpa_text_starts(found, name) || found[length] != '-' ||
            strlen(found) != length + MADE_CHARS) {
            continue;
        }
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error ignored = {0};
        const char *path = wpa_path_join(arena, parent, found);
        if (is_left(path)) {
            (void)!wpa_dir_remove(path, &ignored);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

bool wpa_scratch_open(wpa_scratch *scratch, const char *parent, const char *name, wpa_arena *arena,
                      wpa_error *err)
{
    remove_left(parent, name);
    const char *path = wpa_dir_temp(wpa_path_join(arena, parent, name), arena, err);
    if (!path) {
        return false;
    }
    *scratch = (wpa_scratch){.path = path, .fd = open_folder(path)};
    while (scratch->fd >= 0 && flock(scratch->fd, LOCK_EX) != 0 && errno == EINTR) {
    }
    return true;
}

void wpa_scratch_close(wpa_scratch *scratch)
{
    wpa_error ignored = {0};
    if (!scratch->path) {
        return;
    }
    (void)!wpa_dir_remove(scratch->path, &ignored);
    if (scratch->fd >= 0) {
        close(scratch->fd);
    }
    scratch->path = NULL;
}
