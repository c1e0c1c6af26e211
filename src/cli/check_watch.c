/* wpa check --watch: again whenever a file that was checked, or its folder, changes. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <wpa/map.h>
#include <wpa/text.h>

#include "cli/check_options.h"

#define FOLDERS_MAX 4096
/* Editors write in several steps: what follows this soon belongs together. */
#define QUIET_MS 80

struct wpa_check_watch {
    int fd;
    wpa_map *folders; /* watched so far */
    wpa_arena *arena;
};

wpa_check_watch *wpa_check_watch_new(wpa_arena *arena, wpa_error *err)
{
    wpa_check_watch *watch = wpa_arena_alloc(arena, sizeof *watch);
    watch->arena = arena;
    watch->folders = wpa_map_new(arena);
    watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch->fd < 0) {
        (void)WPA_FAIL(err, WPA_E_UNAVAILABLE, "cannot watch: %s", wpa_strerror(errno));
        return NULL;
    }
    return watch;
}

static void add_folder(wpa_check_watch *watch, const char *folder)
{
    static const uint32_t events = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE |
                                   IN_DELETE | IN_DELETE_SELF | IN_ONLYDIR;
    if (wpa_map_has(watch->folders, folder) || wpa_map_count(watch->folders) >= FOLDERS_MAX) {
        return;
    }
    wpa_map_put(watch->folders, folder, watch);
    (void)inotify_add_watch(watch->fd, folder, events); /* one that is gone brings no news */
}

static void add_folder_of(wpa_check_watch *watch, const char *path)
{
    const char *slash = strrchr(path, '/');
    add_folder(watch, slash ? wpa_arena_slice(watch->arena, path, (size_t)(slash - path)) : ".");
}

void wpa_check_watch_add(wpa_check_watch *watch, const wpa_check_options *options, wpa_tree *tree)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    const wpa_results *results = wpa_tree_results(tree);
    for (size_t i = 0; i < wpa_results_count(results); i++) {
        wpa_arena_reset(scratch);
        add_folder_of(watch, wpa_results_at(results, i, scratch).path);
    }
    if (options->n_paths == 0) {
        add_folder(watch, ".");
        add_folder(watch, ".github/workflows");
    }
    for (size_t i = 0; i < options->n_paths; i++) {
        add_folder(watch, options->paths[i]);
        add_folder(watch,
                   wpa_arena_printf(watch->arena, "%s/.github/workflows", options->paths[i]));
        add_folder_of(watch, options->paths[i]);
    }
}

/** Take what is there; true if there was anything. */
static bool drain(const wpa_check_watch *watch)
{
    char events[16 * 1024];
    bool has_any = false;
    while (read(watch->fd, events, sizeof events) > 0) {
        has_any = true;
    }
    return has_any;
}

bool wpa_check_watch_wait(wpa_check_watch *watch, wpa_error *err)
{
    struct pollfd fds = {.fd = watch->fd, .events = POLLIN};
    int timeout_ms = -1;
    while (true) {
        int n = poll(&fds, 1, timeout_ms);
        if (n < 0 && errno != EINTR) {
            return WPA_FAIL(err, WPA_E_IO, "poll: %s", wpa_strerror(errno));
        }
        if (n == 0) {
            return true; /* quiet again */
        }
        timeout_ms = n > 0 && drain(watch) ? QUIET_MS : timeout_ms;
    }
}

void wpa_check_watch_close(wpa_check_watch *watch)
{
    if (watch) {
        (void)close(watch->fd);
    }
}
