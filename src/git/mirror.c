/*
 * Bare mirrors of repositories elsewhere, in a cache folder that any number of programs share. An
 * exchange holds its mirror by a lock of the system on its folder, which ends with its process
 * however that ends; locks of libgit2 are files, and stay.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "git/internal.h"

#define HALF_PACK "pack_git2_" /* what libgit2 calls a pack while it comes in */

/* The mirror's folder: readable name, and a blob id of the URL so that two never share one. */
static char *mirror_path(const char *url, const char *cache_dir, wpa_arena *arena, wpa_error *err)
{
    char oid[WPA_OID_SIZE];
    if (!wpa_git_blob_id(url, strlen(url), oid, err)) {
        return NULL;
    }
    char *name = wpa_git_url_name(arena, url);
    for (char *c = name; *c != '\0'; c++) {
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", *c) ==
            NULL) {
            *c = '_';
        }
    }
    return wpa_arena_printf(arena, "%s/%.40s-%.12s.git", cache_dir, name, oid);
}

static void unlink_in(const char *folder, const char *name)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    (void)unlink(wpa_path_join(arena, folder, name));
}

/** Its folder with the lock, or -1; a file system without such locks is no reason to do nothing. */
static int open_held(const char *path, int how)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd >= 0 && flock(fd, how) != 0) {
        if (errno != EINTR) {
            close(fd);
            return -1;
        }
    }
    return fd;
}

/** One whose maker was ended before its end is completed. */
static wpa_git *make_mirror(const char *path, const char *branch, wpa_error *err)
{
    if (!wpa_dir_make(path, 0700, err)) {
        return NULL;
    }
    const int fd = open_held(path, LOCK_EX);
    wpa_git *git = wpa_git_open_at(path, err); /* another may have made it meanwhile */
    if (git == NULL && err->code == WPA_E_INVALID) {
        wpa_error_clear(err);
        unlink_in(path, "config.lock");
        unlink_in(path, "HEAD.lock");
        git = wpa_git_create(path, branch, err);
    }
    if (fd >= 0) {
        /* By name: a child that was forked meanwhile has the folder open, too. */
        (void)flock(fd, LOCK_UN);
        close(fd);
    }
    return git;
}

wpa_git *wpa_git_mirror_open(const char *url, const char *branch, const char *cache_dir,
                             wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    if (!wpa_dir_make(cache_dir, 0700, err)) {
        return NULL;
    }
    const char *path = mirror_path(url, cache_dir, arena, err);
    if (path == NULL) {
        return NULL;
    }
    wpa_git *git = wpa_git_open_at(path, err);
    if (git == NULL && err->code == WPA_E_INVALID) {
        wpa_error_clear(err);
        git = make_mirror(path, branch, err);
    }
    return git;
}

static void remove_half_packs(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) { // NOLINT(concurrency-mt-unsafe): the stream is ours
        if (wpa_text_starts(entry->d_name, HALF_PACK)) {
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

/** What exchanges left behind that were killed: each lock would refuse all that come after. */
static void sweep(const wpa_git *git)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error ignored = {0}; /* what stays is met by the exchange, which says what is wrong */
    (void)!wpa_dir_remove(wpa_path_join(arena, git->path, "refs/wpa"), &ignored);
    unlink_in(git->path, wpa_arena_printf(arena, "refs/heads/%s.lock", git->branch));
    remove_half_packs(wpa_path_join(arena, git->path, "objects/pack"));
}

void wpa_git_mirror_hold(const wpa_git *git)
{
    const int fd = open_held(git->path, LOCK_EX | LOCK_NB);
    if (fd >= 0) {
        sweep(git);
        (void)flock(fd, LOCK_SH);
    } else {
        (void)open_held(git->path, LOCK_SH);
    }
}
