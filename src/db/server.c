#include "db/server.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

static const char *const folder_patterns[] = {
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
};

enum {
    LOG_MAX_BYTES = 16 << 20,
    LOG_TAIL_BYTES = 4096,
    POLL_MS = 10
};

/* ---- users ------------------------------------------------------------------------------------
 */

bool wpa_server_user_find(wpa_server_user *user, wpa_error *err)
{
    *user = (wpa_server_user){.uid = geteuid(), .gid = getegid()};
    if (user->uid != 0) {
        return true;
    }
    char text[4096];
    struct passwd entry, *found = NULL;
    if (getpwnam_r("postgres", &entry, text, sizeof text, &found) != 0 || !found) {
        return WPA_FAIL(err, WPA_E_UNAVAILABLE,
                        "PostgreSQL does not run as root, and there is no user 'postgres' to run "
                        "it as (install PostgreSQL, or name a database with --db)");
    }
    user->is_other = true;
    user->uid = found->pw_uid;
    user->gid = found->pw_gid;
    user->n_groups = WPA_COUNT(user->groups);
    if (getgrouplist("postgres", found->pw_gid, user->groups, &user->n_groups) < 0) {
        user->n_groups = 0; /* more groups than anybody needs: its own one suffices */
    }
    return true;
}

/* In the child: only calls that are safe after a fork of a program with threads. */
static bool become(const wpa_server_user *user)
{
    if (!user->is_other) {
        return true;
    }
    return setgroups((size_t)user->n_groups, user->groups) == 0 &&
           setresgid(user->gid, user->gid, user->gid) == 0 &&
           setresuid(user->uid, user->uid, user->uid) == 0;
}

/* A child that ends with 0 or not. */
static bool wait_for(pid_t pid, int *status)
{
    while (waitpid(pid, status, 0) < 0) {
        if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool wpa_server_user_can_reach(const wpa_server_user *user, const char *folder)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(become(user) && chdir(folder) == 0 ? 0 : 1);
    }
    int status = 1;
    return pid > 0 && wait_for(pid, &status) && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- running programs ---------------------------------------------------------------------------
 */

static void reset_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < NSIG; number++) {
        (void)signal(number, SIG_DFL);
    }
}

/*
 * Never returns. report tells our pid, then, only if the program could not be started, errno; being
 * close-on-exec it ends with a successful start.
 */
static void exec_program(const wpa_server_user *user, const char *const argv[], int log_fd,
                         int report)
{
    static const char *const environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", NULL};
    int self = getpid();
    reset_signals();
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    bool is_ready = write(report, &self, sizeof self) == sizeof self && null_fd >= 0 &&
                    dup2(null_fd, 0) == 0 && dup2(log_fd, 1) == 1 && dup2(log_fd, 2) == 2 &&
                    dup2(report, 3) == 3 && fcntl(3, F_SETFD, FD_CLOEXEC) == 0 &&
                    close_range(4, ~0U, 0) == 0 && become(user) && chdir("/") == 0;
    if (is_ready) {
        umask(077);
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): execve wants texts that are not const */
        execve(argv[0], (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)environment);
    }
    int reason = errno;
    ssize_t ignored = write(3, &reason, sizeof reason);
    (void)ignored;
    _exit(127);
}

static int open_log(const char *path, wpa_error *err)
{
    struct stat info;
    if (lstat(path, &info) == 0 && info.st_size > LOG_MAX_BYTES) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        if (rename(path, wpa_arena_printf(arena, "%s.1", path)) != 0) {
            WPA_FAIL(err, WPA_E_IO, "cannot rename '%s': %s", path, wpa_strerror(errno));
            return -1;
        }
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        WPA_FAIL(err, WPA_E_IO, "cannot write '%s': %s", path, wpa_strerror(errno));
    }
    return fd;
}

/* The child, or with is_detached the grandchild that belongs to init; never returns there. */
static void run_child(const wpa_server_user *user, const char *const argv[], int log_fd, int report,
                      bool is_detached)
{
    /* Out of the way of 0-3, which exec_program fills. */
    int log_copy = fcntl(log_fd, F_DUPFD_CLOEXEC, 10);
    int report_copy = fcntl(report, F_DUPFD_CLOEXEC, 10);
    if (is_detached) {
        setsid(); /* or Ctrl-C in our terminal would stop the database */
        pid_t server = fork();
        if (server != 0) {
            _exit(server > 0 ? 0 : 1);
        }
    }
    exec_program(user, argv, log_copy, report_copy);
}

/* Waits until exec has happened (*error_number 0) or failed. The pid, or 0 with err set. */
static pid_t start(const wpa_server_user *user, const char *const argv[], const char *log_path,
                   bool is_detached, wpa_error *err)
{
    int log_fd = open_log(log_path, err);
    if (log_fd < 0) {
        return 0;
    }
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0) {
        close(log_fd);
        WPA_FAIL(err, WPA_E_IO, "pipe: %s", wpa_strerror(errno));
        return 0;
    }
    pid_t child = fork();
    if (child == 0) {
        run_child(user, argv, log_fd, fds[1], is_detached);
    }
    int reason = child < 0 ? errno : 0;
    close(fds[1]);
    close(log_fd);
    int words[2] = {0}; /* pid, errno */
    size_t n_bytes = 0;
    for (ssize_t n = 1; child > 0 && n != 0 && n_bytes < sizeof words;) {
        n = read(fds[0], (char *)words + n_bytes, sizeof words - n_bytes);
        n_bytes += n > 0 ? (size_t)n : 0;
    }
    close(fds[0]);
    if (child > 0 && (is_detached || words[1])) {
        int status;
        wait_for(child, &status);
    }
    reason = words[1] ? words[1] : reason;
    if (reason || !words[0]) {
        WPA_FAIL(err, WPA_E_UNAVAILABLE, "cannot start '%s': %s", argv[0], wpa_strerror(reason));
        return 0;
    }
    return words[0];
}

const char *wpa_server_log_tail(const char *log_path, wpa_arena *arena)
{
    char text[LOG_TAIL_BYTES];
    int fd = open(log_path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return "";
    }
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from = size > LOG_TAIL_BYTES ? size - LOG_TAIL_BYTES : 0;
    ssize_t n = pread(fd, text, sizeof text, from);
    close(fd);
    const char *best = NULL;
    size_t best_length = 0;
    for (size_t at = 0, length = n > 0 ? (size_t)n : 0; at < length;) {
        const char *line = text + at;
        const char *end = memchr(line, '\n', length - at);
        size_t line_length = end ? (size_t)(end - line) : length - at;
        bool tells = memmem(line, line_length, "FATAL", 5) || memmem(line, line_length, "rror", 4);
        if (line_length > 0 && (tells || !best)) {
            best = line;
            best_length = line_length;
        }
        at += line_length + 1;
    }
    return best ? wpa_text_visible(arena, best, best_length, false) : "";
}

bool wpa_server_run(const wpa_server_user *user, const char *const argv[], const char *log_path,
                    wpa_error *err)
{
    pid_t child = start(user, argv, log_path, false, err);
    if (!child) {
        return false;
    }
    int status = 1;
    if (!wait_for(child, &status)) {
        return WPA_FAIL(err, WPA_E_IO, "lost '%s': %s", argv[0], wpa_strerror(errno));
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        return WPA_FAIL(err, WPA_E_UNAVAILABLE, "'%s' failed: %s (see '%s')", argv[0],
                        wpa_server_log_tail(log_path, arena), log_path);
    }
    return true;
}

pid_t wpa_server_spawn(const wpa_server_user *user, const char *const argv[], const char *log_path,
                       wpa_error *err)
{
    return start(user, argv, log_path, true, err);
}

/* ---- which programs -----------------------------------------------------------------------------
 */

/* Major version that "postgres --version" prints, 0 if it cannot be run. */
static int read_major(const char *postgres)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0) {
        return 0;
    }
    pid_t pid = fork();
    if (pid == 0) {
        if (dup2(fds[1], 1) == 1) {
            execl(postgres, postgres, "--version", (char *)NULL);
        }
        _exit(127);
    }
    close(fds[1]);
    char text[128] = "";
    ssize_t n = pid > 0 ? read(fds[0], text, sizeof text - 1) : -1;
    close(fds[0]);
    int status = 1;
    if (pid <= 0 || !wait_for(pid, &status) || status != 0 || n <= 0) {
        return 0;
    }
    const char *number = strstr(text, "(PostgreSQL) "); /* "postgres (PostgreSQL) 15.20 (...)" */
    return number ? (int)strtol(number + strlen("(PostgreSQL) "), NULL, 10) : 0;
}

static void consider(const char *folder, int wanted, wpa_arena *arena, wpa_server_programs *best,
                     int *newest_seen)
{
    const char *initdb = wpa_path_join(arena, folder, "initdb");
    const char *postgres = wpa_path_join(arena, folder, "postgres");
    if (folder[0] != '/' || access(initdb, X_OK) != 0 || access(postgres, X_OK) != 0) {
        return;
    }
    int major = read_major(postgres);
    *newest_seen = major > *newest_seen ? major : *newest_seen;
    bool fits = wanted ? major == wanted : major >= WPA_SERVER_MIN_MAJOR;
    if (fits && major > best->major) {
        *best = (wpa_server_programs){.major = major, .initdb = initdb, .postgres = postgres};
    }
}

bool wpa_server_programs_find(int major, wpa_arena *arena, wpa_server_programs *programs,
                              wpa_error *err)
{
    *programs = (wpa_server_programs){0};
    int newest_seen = 0;
    const char *path = getenv("PATH");
    for (const char *at = path; at && *at;) {
        size_t length = strcspn(at, ":");
        consider(wpa_arena_slice(arena, at, length), major, arena, programs, &newest_seen);
        at += length + (at[length] == ':');
    }
    for (size_t i = 0; i < WPA_COUNT(folder_patterns); i++) {
        glob_t found = {0};
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets variables, nor reads users here */
        if (glob(folder_patterns[i], 0, NULL, &found) == 0) {
            for (size_t k = 0; k < found.gl_pathc; k++) {
                consider(found.gl_pathv[k], major, arena, programs, &newest_seen);
            }
        }
        globfree(&found);
    }
    if (programs->major) {
        return true;
    }
    if (major) {
        return WPA_FAIL(err, WPA_E_UNAVAILABLE,
                        "the database was made by PostgreSQL %d, which is not installed any more "
                        "(install it again, or name another database with --db)",
                        major);
    }
    return WPA_FAIL(err, WPA_E_UNAVAILABLE,
                    "no PostgreSQL of version %d or newer is installed%s (apt install postgresql, "
                    "or name a database with --db)",
                    WPA_SERVER_MIN_MAJOR, newest_seen ? ", only an older one" : "");
}

/* ---- the server in a data folder ---- */

bool wpa_server_is_alive(pid_t pid)
{
    char path[64], text[512];
    wpa_text_format(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0) {
        return false;
    }
    text[n] = 0;
    const char *state = strrchr(text, ')'); /* the name may hold anything; the state follows it */
    return state && state[1] == ' ' && state[2] != 'Z' && state[2] != 'X';
}

pid_t wpa_server_find(const char *data_folder)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error unread = {0};
    size_t size = 0;
    char *text = wpa_file_read(wpa_path_join(arena, data_folder, "postmaster.pid"), LOG_TAIL_BYTES,
                               arena, &size, &unread);
    if (!text) {
        return 0;
    }
    text[strcspn(text, "\n")] = 0;
    int64_t pid = 0;
    if (!wpa_text_to_int(text, 2, INT32_MAX, &pid) || !wpa_server_is_alive((pid_t)pid)) {
        return 0;
    }
    /* A number from before a reboot may belong to anybody; a postmaster sits in its data folder. */
    char link[4096], real[4096];
    ssize_t n = readlink(wpa_arena_printf(arena, "/proc/%d/cwd", (int)pid), link, sizeof link - 1);
    if (n <= 0 || !realpath(data_folder, real)) {
        return 0;
    }
    link[n] = 0;
    return strcmp(link, real) == 0 ? (pid_t)pid : 0;
}

bool wpa_server_stop(const char *data_folder, int64_t timeout_ms, wpa_error *err)
{
    pid_t pid = wpa_server_find(data_folder);
    if (!pid) {
        return true;
    }
    if (kill(pid, SIGINT) != 0 && errno != ESRCH) {
        return WPA_FAIL(err, WPA_E_IO, "cannot stop the database server %d: %s", (int)pid,
                        wpa_strerror(errno));
    }
    int64_t deadline = wpa_monotonic_ms() + timeout_ms;
    while (wpa_server_is_alive(pid)) {
        if (wpa_monotonic_ms() > deadline) {
            return WPA_FAIL(err, WPA_E_TIMEOUT,
                            "the database server %d did not stop within %lld ms", (int)pid,
                            (long long)timeout_ms);
        }
        wpa_sleep_ms(POLL_MS);
    }
    return true;
}
