#include "db/embedded.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libpq-fe.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "auth/hash.h"
#include "db/server.h"
#include "gen/calls_pq.h"

enum {
    LOCK_TIMEOUT_MS = 60000,
    READY_TIMEOUT_MS = 60000,
    RESTART_TIMEOUT_MS = 15000, /* while children of a killed server still hold its memory */
    STOP_TIMEOUT_MS = 30000,
    POLL_MS = 10,
    SOCKET_FOLDER_MAX_BYTES = 107 - (int)sizeof "/.s.PGSQL.5432" + 1,
    WATCH_RETRY_MS = 2000
};

struct wpa_embedded {
    wpa_arena *arena; /* owns the texts; read-only once open */
    wpa_log *log;
    wpa_server_user user;
    wpa_server_programs programs;
    const char *folder; /* the cluster's; owned by user, 0700 */
    const char *data, *socket, *server_log, *dsn;
    int start_lock; /* held while anything is started, stopped or decided */
    int users_lock; /* shared by whoever uses the server */
    bool is_new;
    bool is_watching;
    pthread_t watcher;
    int stop_fd;
};

static const char *const step_texts[WPA_EMBEDDED_STEP_COUNT] = {
    [WPA_EMBEDDED_FIND] = "find PostgreSQL",
    [WPA_EMBEDDED_CREATE] = "create the database",
    [WPA_EMBEDDED_START] = "start the database",
    [WPA_EMBEDDED_READY] = "database ready",
};

const char *wpa_embedded_step_text(wpa_embedded_step step)
{
    return step_texts[step];
}

static void tell(const wpa_embedded_options *options, wpa_embedded_step step)
{
    if (options->progress) {
        options->progress(options->context, step);
    }
}

/* ---- folders ---- */

/* A folder of ours that nobody else could have put there or can enter. */
static bool make_private(const char *path, const wpa_server_user *user, wpa_error *err)
{
    bool is_made = mkdir(path, 0700) == 0;
    if (!is_made && errno != EEXIST) {
        return WPA_FAIL(err, WPA_E_IO, "cannot make '%s': %s", path, wpa_strerror(errno));
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat info;
    bool is_good = fd >= 0 && fstat(fd, &info) == 0;
    if (is_good && info.st_uid != user->uid) {
        /* root may take over what root made (a start cut short right here), nothing else */
        is_good = info.st_uid == geteuid() && fchown(fd, user->uid, user->gid) == 0;
    }
    is_good = is_good && ((info.st_mode & 077) == 0 || fchmod(fd, 0700) == 0);
    if (fd >= 0) {
        close(fd);
    }
    if (!is_good) {
        return WPA_FAIL(err, WPA_E_IO, "'%s' is not a folder of this user alone", path);
    }
    return true;
}

static char *hash_of(wpa_arena *arena, const char *path)
{
    char hex[WPA_SHA256_HEX_SIZE];
    return wpa_arena_slice(arena, wpa_sha256_hex(path, strlen(path), hex), 8);
}

static bool place_cluster(wpa_embedded *self, const char *state, wpa_error *err)
{
    self->folder = wpa_path_join(self->arena, state, "postgres");
    if (self->user.is_other && !wpa_path_exists(self->folder)) {
        char *parent = wpa_arena_text(self->arena, state);
        char *slash = strrchr(parent, '/');
        bool can_reach = slash && slash != parent;
        if (can_reach) {
            *slash = 0;
            can_reach = wpa_server_user_can_reach(&self->user, parent) && chmod(state, 0711) == 0;
        }
        if (!can_reach) {
            if (!wpa_dir_make("/var/lib/wpa", 0755, err)) {
                return false;
            }
            self->folder = wpa_path_join(self->arena, "/var/lib/wpa", hash_of(self->arena, state));
        }
    }
    return make_private(self->folder, &self->user, err);
}

/* The cluster's own folder holds the socket, unless its path is too long for one. */
static bool place_socket(wpa_embedded *self, wpa_error *err)
{
    self->socket = self->folder;
    if (strlen(self->folder) <= SOCKET_FOLDER_MAX_BYTES) {
        return true;
    }
    const char *runtime = self->user.is_other ? "/run" : getenv("XDG_RUNTIME_DIR");
    if (!runtime || runtime[0] != '/' || strlen(runtime) > SOCKET_FOLDER_MAX_BYTES / 2 ||
        access(runtime, W_OK | X_OK) != 0) {
        runtime = "/tmp";
    }
    self->socket = wpa_arena_printf(self->arena, "%s/wpa-%u-%s", runtime, (unsigned)self->user.uid,
                                    hash_of(self->arena, self->folder));
    return make_private(self->socket, &self->user, err);
}

/* Conninfo quoting: backslash before quote and backslash. */
static const char *make_dsn(wpa_arena *arena, const char *socket)
{
    char *quoted = wpa_arena_alloc(arena, 2 * strlen(socket) + 1);
    size_t n = 0;
    for (const char *c = socket; *c; c++) {
        if (*c == '\'' || *c == '\\') {
            quoted[n++] = '\\';
        }
        quoted[n++] = *c;
    }
    return wpa_arena_printf(arena, "host='%s' port=5432 user=wpa dbname=postgres", quoted);
}

/* ---- locks ---- */

static int open_lock(wpa_arena *arena, const char *state, const char *name, wpa_error *err)
{
    const char *path = wpa_path_join(arena, state, name);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        WPA_FAIL(err, WPA_E_IO, "cannot open '%s': %s", path, wpa_strerror(errno));
    }
    return fd;
}

static bool lock_start(wpa_embedded *self, wpa_error *err)
{
    int64_t deadline = wpa_monotonic_ms() + LOCK_TIMEOUT_MS;
    while (flock(self->start_lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return WPA_FAIL(err, WPA_E_IO, "cannot lock the database's folder: %s",
                            wpa_strerror(errno));
        }
        if (wpa_monotonic_ms() > deadline) {
            return WPA_FAIL(err, WPA_E_TIMEOUT,
                            "another wpa has been starting or stopping the database for %d s",
                            LOCK_TIMEOUT_MS / 1000);
        }
        wpa_sleep_ms(POLL_MS);
    }
    return true;
}

static void unlock_start(wpa_embedded *self)
{
    flock(self->start_lock, LOCK_UN);
}

/* ---- the cluster ---- */

/* Major version of the cluster, 0 if there is none. */
static int cluster_major(wpa_embedded *self)
{
    wpa_error unread = {0};
    size_t size = 0;
    char *text = wpa_file_read(wpa_path_join(self->arena, self->data, "PG_VERSION"), 64,
                               self->arena, &size, &unread);
    int64_t major = 0;
    if (text) {
        text[strcspn(text, "\n")] = 0;
    }
    return text && wpa_text_to_int(text, 1, 1000, &major) ? (int)major : 0;
}

/* Made beside and renamed, so that a start cut short leaves no half cluster to be taken for one. */
static bool create_cluster(wpa_embedded *self, wpa_error *err)
{
    const char *fresh = wpa_path_join(self->arena, self->folder, "data.new");
    if (!wpa_dir_remove(fresh, err)) {
        return false;
    }
    locale_t utf8 = newlocale(LC_ALL_MASK, "C.UTF-8", NULL);
    const char *argv[] = {self->programs.initdb,
                          "--pgdata",
                          fresh,
                          "--username=wpa",
                          "--auth=trust", /* the folder decides who comes as far as the socket */
                          "--encoding=UTF8",
                          utf8 ? "--locale=C.UTF-8" : "--locale=C",
                          "--data-checksums",
                          "--no-sync", /* see sync_new_cluster */
                          NULL};
    if (utf8) {
        freelocale(utf8);
    }
    if (!wpa_server_run(&self->user, argv, self->server_log, err)) {
        return wpa_error_within(err, "create the database");
    }
    if (rename(fresh, self->data) != 0) {
        return WPA_FAIL(err, WPA_E_IO, "cannot rename '%s': %s", fresh, wpa_strerror(errno));
    }
    self->is_new = true;
    return true;
}

/* initdb's own fsync costs seconds of the first start; one syncfs does it while wpa is already up.
 */
static void sync_new_cluster(wpa_embedded *self)
{
    int fd = open(self->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        if (syncfs(fd) != 0) {
            wpa_log_write(self->log, WPA_LOG_WARN, "db", "cannot sync '%s': %s", self->data,
                          wpa_strerror(errno));
        }
        close(fd);
    }
}

/* ---- the server ---- */

static bool is_answering(const wpa_embedded *self)
{
    wpa_error err = {0};
    return wpa_pq_open(&err) && PQping(self->dsn) == PQPING_OK;
}

static pid_t spawn(wpa_embedded *self, wpa_error *err)
{
    const char *argv[] = {self->programs.postgres,
                          "-D",
                          self->data,
                          "-k",
                          self->socket,
                          "-c",
                          "listen_addresses=",
                          "-c",
                          "port=5432",
                          "-c",
                          "unix_socket_permissions=0700",
                          "-c",
                          "max_connections=200",
                          "-c",
                          "max_wal_size=256MB",
                          "-c",
                          "jit=off", /* many short statements */
                          "-c",
                          "log_timezone=UTC",
                          "-c",
                          "cluster_name=wpa",
                          NULL};
    return wpa_server_spawn(&self->user, argv, self->server_log, err);
}

/* Under the start lock. Waits for a server that is starting; starts one where none lives. */
static bool ensure_running(wpa_embedded *self, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    int64_t begun = wpa_monotonic_ms();
    pid_t pid = 0;
    while (!is_answering(self)) {
        int64_t waited = wpa_monotonic_ms() - begun;
        bool lives = pid ? wpa_server_is_alive(pid) : wpa_server_find(self->data) != 0;
        if (waited > READY_TIMEOUT_MS || (pid && !lives && waited > RESTART_TIMEOUT_MS)) {
            return WPA_FAIL(err, WPA_E_UNAVAILABLE, "the database does not start: %s (see '%s')",
                            wpa_server_log_tail(self->server_log, arena), self->server_log);
        }
        if (!lives) {
            if (pid) {
                wpa_sleep_ms(20L * POLL_MS);
            }
            /* A stale file makes the server refuse if its number lives again or is a zombie. */
            unlink(wpa_path_join(arena, self->data, "postmaster.pid"));
            pid = spawn(self, err);
            if (!pid) {
                return false;
            }
        }
        wpa_sleep_ms(POLL_MS);
    }
    return true;
}

/* ---- the watcher ---- */

/* Waits until the server dies or we are told to stop; true to go on watching. */
static bool wait_for_death(wpa_embedded *self)
{
    pid_t pid = wpa_server_find(self->data);
    int pid_fd = pid ? pidfd_open(pid, 0) : -1;
    struct pollfd fds[] = {{.fd = self->stop_fd, .events = POLLIN},
                           {.fd = pid_fd, .events = POLLIN}};
    /* A server that cannot be watched (gone already, or an old kernel) is looked at in a while. */
    int timeout_ms = pid_fd >= 0 ? -1 : (pid ? WATCH_RETRY_MS : 0);
    while (poll(fds, WPA_COUNT(fds), timeout_ms) < 0 && errno == EINTR) {
    }
    if (pid_fd >= 0) {
        close(pid_fd);
    }
    return !(fds[0].revents & POLLIN);
}

static void *watch(void *context)
{
    wpa_embedded *self = context;
    if (self->is_new) {
        sync_new_cluster(self);
    }
    while (wait_for_death(self)) {
        wpa_error err = {0};
        if (wpa_server_find(self->data)) {
            continue;
        }
        wpa_log_write(self->log, WPA_LOG_WARN, "db", "the database server is gone; starting it");
        bool is_good = lock_start(self, &err);
        if (is_good) {
            is_good = ensure_running(self, &err);
            unlock_start(self);
        }
        if (!is_good) {
            wpa_log_error(self->log, "db", &err);
            struct pollfd stop = {.fd = self->stop_fd, .events = POLLIN};
            poll(&stop, 1, WATCH_RETRY_MS);
        }
    }
    return NULL;
}

static bool start_watcher(wpa_embedded *self, wpa_error *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals belong to main */
    int reason = pthread_create(&self->watcher, NULL, watch, self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (reason) {
        return WPA_FAIL(err, WPA_E_IO, "cannot start a thread: %s", wpa_strerror(reason));
    }
    self->is_watching = true;
    return true;
}

/* ---- open and close ---- */

static bool prepare(wpa_embedded *self, const char *state, wpa_error *err)
{
    self->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (self->stop_fd < 0) {
        return WPA_FAIL(err, WPA_E_IO, "eventfd: %s", wpa_strerror(errno));
    }
    self->server_log = wpa_path_join(self->arena, state, "postgres.log");
    self->start_lock = open_lock(self->arena, state, "postgres.start", err);
    if (self->start_lock < 0) {
        return false;
    }
    self->users_lock = open_lock(self->arena, state, "postgres.users", err);
    return self->users_lock >= 0 && wpa_server_user_find(&self->user, err);
}

/* Under the start lock. */
static bool bring_up(wpa_embedded *self, const wpa_embedded_options *options, wpa_error *err)
{
    if (!place_cluster(self, options->state_folder, err) || !place_socket(self, err)) {
        return false;
    }
    self->data = wpa_path_join(self->arena, self->folder, "data");
    self->dsn = make_dsn(self->arena, self->socket);
    int major = cluster_major(self);
    if (!wpa_server_programs_find(major, self->arena, &self->programs, err)) {
        return false;
    }
    if (!major) {
        tell(options, WPA_EMBEDDED_CREATE);
        if (!create_cluster(self, err)) {
            return false;
        }
    }
    tell(options, WPA_EMBEDDED_START);
    if (!ensure_running(self, err)) {
        return false;
    }
    if (flock(self->users_lock, LOCK_SH) != 0) {
        return WPA_FAIL(err, WPA_E_IO, "cannot lock the database's users: %s", wpa_strerror(errno));
    }
    return true;
}

wpa_embedded *wpa_embedded_open(const wpa_embedded_options *options, wpa_error *err)
{
    WPA_AUTO(wpa_embedded) *self = wpa_alloc(sizeof *self);
    *self = (wpa_embedded){.arena = wpa_arena_new(),
                           .log = options->log,
                           .start_lock = -1,
                           .users_lock = -1,
                           .stop_fd = -1};
    tell(options, WPA_EMBEDDED_FIND);
    if (!prepare(self, options->state_folder, err) || !lock_start(self, err)) {
        return NULL;
    }
    bool is_up = bring_up(self, options, err);
    unlock_start(self);
    if (!is_up || !start_watcher(self, err)) {
        return NULL;
    }
    tell(options, WPA_EMBEDDED_READY);
    return WPA_STEAL(self);
}

const char *wpa_embedded_dsn(const wpa_embedded *embedded)
{
    return embedded->dsn;
}

/*
 * Asking for the exclusive lock gives our shared one up first, which is fine: whoever else comes
 * or leaves must hold the start lock, so under it the answer "nobody else" cannot change.
 */
static void leave(wpa_embedded *self)
{
    wpa_error err = {0};
    if (!lock_start(self, &err)) {
        wpa_log_error(self->log, "db", &err);
        return;
    }
    if (self->data && flock(self->users_lock, LOCK_EX | LOCK_NB) == 0) {
        if (!wpa_server_stop(self->data, STOP_TIMEOUT_MS, &err)) {
            wpa_log_error(self->log, "db", &err);
        } else if (self->socket != self->folder) {
            rmdir(self->socket);
        }
    }
    unlock_start(self);
}

void wpa_embedded_close(wpa_embedded *embedded)
{
    wpa_embedded *self = embedded;
    if (self->is_watching) {
        uint64_t one = 1;
        ssize_t ignored = write(self->stop_fd, &one, sizeof one);
        (void)ignored;
        pthread_join(self->watcher, NULL);
    }
    if (self->start_lock >= 0 && self->users_lock >= 0) {
        leave(self);
    }
    int fds[] = {self->users_lock, self->start_lock, self->stop_fd};
    for (size_t i = 0; i < WPA_COUNT(fds); i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    wpa_arena_free(self->arena);
    wpa_free(self);
}
