/* Starting a program over files of scripts: in the sandbox, else as a child with limits. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <wpa/buf.h>
#include <wpa/clock.h>
#include <wpa/file.h>

#include "lint/lint.h"
#include "lint/tools.h"
#include "sandbox/sandbox.h"

#define OUTPUT_MAX_BYTES ((size_t)32 << 20)
#define CPU_MAX_S 60
#define PATHS_DEFAULT "/usr/local/bin:/usr/bin:/bin"

const char *wpa_lint_find(const char *name, const char *path, wpa_arena *arena)
{
    if (path) {
        return access(path, X_OK) == 0 ? path : NULL;
    }
    const char *at = getenv("PATH"); /* NOLINT(concurrency-mt-unsafe) */
    at = at && *at ? at : PATHS_DEFAULT;
    while (*at) {
        size_t length = strcspn(at, ":");
        const char *file = wpa_arena_printf(arena, "%.*s/%s", (int)length, at, name);
        struct stat status;
        if (length && at[0] == '/' && access(file, X_OK) == 0 && stat(file, &status) == 0 &&
            S_ISREG(status.st_mode)) {
            return file;
        }
        at += length + (at[length] == ':');
    }
    return NULL;
}

/* ---- in the sandbox ----------------------------------------------------------------------------
 */

static bool is_seen_from_sandbox(const char *program)
{
    return wpa_text_starts(program, "/usr/") || wpa_text_starts(program, "/bin/") ||
           wpa_text_starts(program, "/opt/");
}

static const char *call_in_sandbox(const wpa_lint_program *program, const char *const argv[],
                                   wpa_lint_job *const jobs[], size_t n, wpa_arena *arena,
                                   size_t *size_bytes, wpa_error *err)
{
    wpa_sandbox_file *files = wpa_arena_array(arena, n, sizeof *files);
    for (size_t i = 0; i < n; i++) {
        files[i] = (wpa_sandbox_file){.path = jobs[i]->file,
                                      .data = (const uint8_t *)jobs[i]->text,
                                      .size_bytes = jobs[i]->length};
    }
    const wpa_sandbox_request request = {
        .argv = argv,
        .files = files,
        .n_files = n,
        .is_reader = !program->sees_more,
        .limits = {.wall_ms = WPA_LINT_BATCH_MS,
                   .cpu_s = CPU_MAX_S,
                   .keep_bytes = (int64_t)OUTPUT_MAX_BYTES},
    };
    const wpa_sandbox_result *run = wpa_sandbox_run(&request, arena, err);
    if (run && run->end != WPA_SANDBOX_EXITED) {
        (void)WPA_FAIL(err, WPA_E_TIMEOUT, "%s", wpa_sandbox_end_name(run->end));
        return NULL;
    }
    *size_bytes = run ? run->out.size_bytes : 0;
    return run ? run->out.text : NULL;
}

/* ---- as a child: where no namespaces can be had (most containers) ------------------------------
 */

/* A folder of our own with the scripts in it. */
static char *write_files(wpa_lint_job *const jobs[], size_t n, wpa_arena *arena, wpa_error *err)
{
    const char *root = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe) */
    char *folder = wpa_arena_printf(arena, "%s/wpa-lint-XXXXXX", root && *root ? root : "/tmp");
    if (!mkdtemp(folder)) {
        (void)WPA_FAIL(err, WPA_E_IO, "cannot make a folder: %s", wpa_strerror(errno));
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        if (!wpa_file_replace(wpa_path_join(arena, folder, jobs[i]->file), jobs[i]->text,
                              jobs[i]->length, 0600, err)) {
            break;
        }
    }
    return folder;
}

static void remove_files(const char *folder, wpa_lint_job *const jobs[], size_t n, wpa_arena *arena)
{
    for (size_t i = 0; i < n; i++) {
        (void)unlink(wpa_path_join(arena, folder, jobs[i]->file));
    }
    (void)rmdir(folder);
}

static bool spawn(const char *const argv[], const char *folder, pid_t *pid, int *out,
                  wpa_error *err)
{
    static char path[] = "PATH=" PATHS_DEFAULT, home[] = "HOME=/nonexistent",
                lang[] = "LANG=C.UTF-8";
    char *environment[] = {path, home, lang, NULL};
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return WPA_FAIL(err, WPA_E_IO, "pipe: %s", wpa_strerror(errno));
    }
    posix_spawn_file_actions_t actions;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    (void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    (void)posix_spawn_file_actions_addchdir_np(&actions, folder);
    posix_spawnattr_t attributes;
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    int failed = posix_spawn(pid, argv[0], &actions, &attributes, (char *const *)(uintptr_t)argv,
                             environment);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    (void)close(ends[1]);
    *out = ends[0];
    if (failed) {
        (void)close(ends[0]);
        return WPA_FAIL(err, WPA_E_UNAVAILABLE, "cannot start %s: %s", argv[0],
                        wpa_strerror(failed));
    }
    const struct rlimit cpu = {CPU_MAX_S, CPU_MAX_S}, file = {1 << 20, 1 << 20};
    (void)prlimit(*pid, RLIMIT_CPU, &cpu, NULL);
    (void)prlimit(*pid, RLIMIT_FSIZE, &file, NULL);
    return true;
}

/* Everything it writes until it closes its output or its time is over. */
static bool drain(int fd, wpa_buf *buf, wpa_error *err)
{
    int64_t deadline_ms = wpa_monotonic_ms() + WPA_LINT_BATCH_MS;
    char chunk[65536];
    for (;;) {
        int64_t left_ms = deadline_ms - wpa_monotonic_ms();
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        int ready = left_ms > 0 ? poll(&poll_fd, 1, (int)left_ms) : 0;
        if (ready == 0) {
            return WPA_FAIL(err, WPA_E_TIMEOUT, "timed out");
        }
        ssize_t n = ready > 0 ? read(fd, chunk, sizeof chunk) : -1;
        if (n == 0) {
            return true;
        }
        if (n < 0 && errno != EINTR) {
            return WPA_FAIL(err, WPA_E_IO, "read: %s", wpa_strerror(errno));
        }
        if (n > 0) {
            wpa_buf_append(buf, chunk, (size_t)n);
        }
        if (wpa_buf_size(buf) >= OUTPUT_MAX_BYTES - sizeof chunk) {
            return WPA_FAIL(err, WPA_E_LIMIT, "wrote too much");
        }
    }
}

static const char *call_as_child(const char *const argv[], wpa_lint_job *const jobs[], size_t n,
                                 wpa_arena *arena, size_t *size_bytes, wpa_error *err)
{
    char *folder = write_files(jobs, n, arena, err);
    if (!folder) {
        return NULL;
    }
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(OUTPUT_MAX_BYTES);
    pid_t pid;
    int out;
    bool ok = spawn(argv, folder, &pid, &out, err);
    if (ok) {
        ok = drain(out, buf, err);
        (void)close(out);
        (void)kill(-pid, SIGKILL); /* it has closed its output, or its time is over */
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    remove_files(folder, jobs, n, arena);
    *size_bytes = wpa_buf_size(buf);
    return ok ? wpa_buf_dup(buf, arena) : NULL;
}

const char *wpa_lint_call(const wpa_lint_program *program, const char *const argv[],
                          wpa_lint_job *const jobs[], size_t n, wpa_arena *arena,
                          size_t *size_bytes, wpa_error *err)
{
    *size_bytes = 0;
    if (is_seen_from_sandbox(argv[0])) {
        const char *text = call_in_sandbox(program, argv, jobs, n, arena, size_bytes, err);
        if (text || err->code != WPA_E_UNAVAILABLE) {
            return text;
        }
        wpa_error_clear(err);
    }
    return call_as_child(argv, jobs, n, arena, size_bytes, err);
}
