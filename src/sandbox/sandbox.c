#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "sandbox/parts.h"

#define FLOOD_FACTOR 16
#define POLL_MS 100
#define KILL_GRACE_MS 5000
#define STATUS_MAX_BYTES 4096
/*
 * Whom root becomes before anything of the sandbox runs: ids of nobody, on purpose not 65534, which
 * services share. Where a container maps fewer ids, 65534 it is.
 */
#define SANDBOX_ID 64713
#define NOBODY_ID 65534

static const char *const end_names[] = {
    [WPA_SANDBOX_EXITED] = "exited",
    [WPA_SANDBOX_TIMED_OUT] = "timed out",
    [WPA_SANDBOX_CANCELLED] = "cancelled",
    [WPA_SANDBOX_FLOODED] = "flooded",
};

const char *wpa_sandbox_end_name(wpa_sandbox_end end)
{
    return end_names[end];
}

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value > 0 ? value : fallback;
}

wpa_sandbox_limits sandbox_limits_of(const wpa_sandbox_request *request)
{
    const wpa_sandbox_limits *asked = &request->limits;
    return (wpa_sandbox_limits){
        .wall_ms = or_default(asked->wall_ms, 60000),
        .cpu_s = or_default(asked->cpu_s, 600),
        .memory_bytes = or_default(asked->memory_bytes, (int64_t)2 << 30),
        .processes = or_default(asked->processes, 256),
        .file_bytes = or_default(asked->file_bytes, 256 << 20),
        .work_bytes = or_default(asked->work_bytes, 1 << 30),
        .keep_bytes = or_default(asked->keep_bytes, 1 << 20),
        .output_bytes = or_default(asked->output_bytes, 32 << 20),
        .output_files = or_default(asked->output_files, 256),
    };
}

/** One thing that comes out of the sandbox. */
typedef struct channel {
    int fd; /* -1 once at its end */
    wpa_buf *kept;
    int64_t total_bytes, kill_at_bytes;
} channel;

enum {
    OUT,
    ERR,
    REPORT,
    STATUS,
    N_CHANNELS
};

/** Everything of one run that must be given back. */
typedef struct run {
    wpa_sandbox_limits limits;
    const wpa_sandbox_request *request;
    channel channels[N_CHANNELS];
    int tree_fd;                   /* where the tar stream goes, -1 once sent */
    int child_fds[CHILD_FD_COUNT]; /* the child's ends, by the number it knows them by */
    sandbox_packer *packer;
    sandbox_cgroup group;
    pid_t pid;
    wpa_sandbox_end end;
    int64_t deadline_ms; /* of the program, and once that is killed of its end */
    bool is_killed;
} run;

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

static void close_child_fds(run *work)
{
    for (int i = 0; i < CHILD_FD_COUNT; i++) {
        close_fd(&work->child_fds[i]);
    }
}

/**
 * Killing bubblewrap ends its whole process namespace, whatever its members did to escape. While it
 * sets that up, its child would wait for it without end, with our pipes open, or not notice that it
 * is gone: until the program begins, that child is of bubblewrap's group.
 */
static void kill_bwrap(pid_t pid)
{
    (void)kill(pid, SIGKILL); /* first: it may have no group yet, and makes no child after this */
    (void)kill(-pid, SIGKILL);
}

static void run_free(run *work)
{
    close_child_fds(work);
    close_fd(&work->tree_fd);
    if (work->pid > 0) {
        kill_bwrap(work->pid);
        while (waitpid(work->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    for (int i = 0; i < N_CHANNELS; i++) {
        close_fd(&work->channels[i].fd);
        if (work->channels[i].kept) {
            wpa_buf_free(work->channels[i].kept);
        }
    }
    if (work->packer) {
        sandbox_packer_free(work->packer);
    }
    sandbox_cgroup_remove(&work->group);
}
WPA_DEFINE_AUTO(run, run_free);

/** A pipe whose parent end does not block; *theirs goes to the child. */
static bool make_pipe(int *ours, int *theirs, bool is_to_child, wpa_error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return WPA_FAIL(err, WPA_E_IO, "pipe: %s", wpa_strerror(errno));
    }
    *ours = ends[is_to_child ? 1 : 0];
    *theirs = ends[is_to_child ? 0 : 1];
    return fcntl(*ours, F_SETFL, O_NONBLOCK) == 0 ||
           WPA_FAIL(err, WPA_E_IO, "pipe: %s", wpa_strerror(errno));
}

static bool make_data(int *theirs, const char *text, wpa_error *err)
{
    *theirs = memfd_create("wpa-sandbox", MFD_CLOEXEC);
    if (*theirs < 0) {
        return WPA_FAIL(err, WPA_E_IO, "memfd: %s", wpa_strerror(errno));
    }
    return wpa_fd_write_all(*theirs, text, strlen(text), err) &&
           (lseek(*theirs, 0, SEEK_SET) == 0 ||
            WPA_FAIL(err, WPA_E_IO, "memfd: %s", wpa_strerror(errno)));
}

static bool open_fds(run *work, wpa_error *err)
{
    int *child = work->child_fds;
    channel *from = work->channels;
    child[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (child[0] < 0) {
        return WPA_FAIL(err, WPA_E_IO, "open /dev/null: %s", wpa_strerror(errno));
    }
    child[CHILD_FD_SECCOMP] = sandbox_seccomp_open(err);
    return child[CHILD_FD_SECCOMP] >= 0 && make_pipe(&from[OUT].fd, &child[1], false, err) &&
           make_pipe(&from[ERR].fd, &child[2], false, err) &&
           make_pipe(&from[REPORT].fd, &child[CHILD_FD_REPORT], false, err) &&
           make_pipe(&from[STATUS].fd, &child[CHILD_FD_STATUS], false, err) &&
           make_pipe(&work->tree_fd, &child[CHILD_FD_TREE], true, err) &&
           make_data(&child[CHILD_FD_PASSWD],
                     "root:x:0:0::/:/bin/false\nwpa:x:1000:1000::/tmp/home:/bin/sh\n", err) &&
           make_data(&child[CHILD_FD_GROUP], "root:x:0:\nwpa:x:1000:\n", err) &&
           make_data(&child[CHILD_FD_HOSTS], "127.0.0.1 localhost sandbox\n::1 localhost\n", err);
}

/* ---- in the child, between fork and exec: only async-signal-safe calls ---- */

/*
 * Raw calls: the library's wrappers want to tell the other threads, which this process lacks. The
 * inheritable set goes too, or a program with file capabilities could take them up again.
 */
static bool become_ordinary(void)
{
    if (geteuid() != 0 && getuid() != 0) {
        return true;
    }
    if (syscall(SYS_setgroups, 0, NULL) != 0) {
        return false;
    }
    static const unsigned ids[] = {SANDBOX_ID, NOBODY_ID};
    for (size_t i = 0; i < WPA_COUNT(ids); i++) {
        if (syscall(SYS_setresgid, ids[i], ids[i], ids[i]) == 0 &&
            syscall(SYS_setresuid, ids[i], ids[i], ids[i]) == 0) {
            struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
            struct __user_cap_data_struct none[2] = {{0}};
            return syscall(SYS_capset, &head, none) == 0 && getuid() == ids[i];
        }
    }
    return false;
}

/** Puts each descriptor where bubblewrap expects it and closes all others. */
static bool place_fds(const int *fds)
{
    int high[CHILD_FD_COUNT];
    for (int i = 0; i < CHILD_FD_COUNT; i++) {
        high[i] = fcntl(fds[i], F_DUPFD, CHILD_FD_COUNT); /* clear of all targets */
        if (high[i] < 0) {
            return false;
        }
    }
    for (int i = 0; i < CHILD_FD_COUNT; i++) {
        if (dup2(high[i], i) < 0) {
            return false;
        }
    }
    return syscall(SYS_close_range, CHILD_FD_COUNT, ~0U, 0) == 0;
}

__attribute__((noreturn)) static void become_bwrap(const run *work, char *const *argv, pid_t parent)
{
    static char *const no_environment[] = {NULL};
    sigset_t none;
    sigemptyset(&none);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < NSIG; number++) {
        (void)signal(number, SIG_DFL);
    }
    for (size_t i = 0; i < work->group.n; i++) {
        (void)!write(work->group.procs[i], "0", 1);
    }
    if (!become_ordinary()) {
        static const char text[] = "cannot become an ordinary user";
        (void)!write(work->child_fds[2], text, sizeof text - 1);
        _exit(1);
    }
    (void)setsid();
    /* After the change of user, which clears it; the parent may be gone already. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent && place_fds(work->child_fds) && chdir("/") == 0) {
        execve(argv[0], argv, no_environment);
    }
    _exit(1);
}

/* ---- in the parent ---- */

static bool start(run *work, char *const *argv, wpa_error *err)
{
    pid_t parent = getpid();
    work->pid = fork();
    if (work->pid < 0) {
        return WPA_FAIL(err, WPA_E_UNAVAILABLE, "fork: %s", wpa_strerror(errno));
    }
    if (work->pid == 0) {
        become_bwrap(work, argv, parent);
    }
    close_child_fds(work);
    return true;
}

static void stop(run *work, wpa_sandbox_end end)
{
    if (!work->is_killed) {
        work->is_killed = true;
        work->end = end;
        work->deadline_ms = wpa_monotonic_ms() + KILL_GRACE_MS;
        kill_bwrap(work->pid);
        close_fd(&work->tree_fd);
    }
}

static void read_channel(run *work, channel *from)
{
    char piece[64 * 1024];
    ssize_t got = read(from->fd, piece, sizeof piece);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        close_fd(&from->fd);
        return;
    }

    from->total_bytes += got;
    size_t room = (size_t)(from->kill_at_bytes / FLOOD_FACTOR) - wpa_buf_size(from->kept);
    wpa_buf_append(from->kept, piece, (size_t)got < room ? (size_t)got : room);
    if (from->total_bytes > from->kill_at_bytes) {
        stop(work, WPA_SANDBOX_FLOODED);
    }
}

static bool send_tree(run *work, wpa_error *err)
{
    const uint8_t *data = NULL;
    size_t size_bytes = 0;
    if (!sandbox_packer_next(work->packer, &data, &size_bytes, err)) {
        return false;
    }
    if (size_bytes == 0) {
        close_fd(&work->tree_fd);
        return true;
    }
    ssize_t sent = write(work->tree_fd, data, size_bytes);
    if (sent > 0) {
        sandbox_packer_advance(work->packer, (size_t)sent);
    } else if (errno != EAGAIN && errno != EINTR) {
        close_fd(&work->tree_fd); /* nobody reads: what went wrong is told by "ready" not coming */
    }
    return true;
}

static nfds_t fill_poll(run *work, struct pollfd *fds, channel **channels)
{
    nfds_t n = 0;
    for (int i = 0; i < N_CHANNELS; i++) {
        if (work->channels[i].fd >= 0) {
            channels[n] = &work->channels[i];
            fds[n++] = (struct pollfd){.fd = work->channels[i].fd, .events = POLLIN};
        }
    }
    if (work->tree_fd >= 0) {
        channels[n] = NULL;
        fds[n++] = (struct pollfd){.fd = work->tree_fd, .events = POLLOUT};
    }
    return n;
}

static bool poll_once(run *work, int wait_ms, bool *is_over, wpa_error *err)
{
    struct pollfd fds[N_CHANNELS + 1];
    channel *channels[N_CHANNELS + 1];
    nfds_t n = fill_poll(work, fds, channels);
    *is_over = n == 0;
    if (n == 0) {
        return true;
    }
    if (poll(fds, n, wait_ms) < 0) {
        return errno == EINTR || WPA_FAIL(err, WPA_E_INTERNAL, "poll: %s", wpa_strerror(errno));
    }
    for (nfds_t i = 0; i < n; i++) {
        if (fds[i].revents && channels[i]) {
            read_channel(work, channels[i]);
        } else if (fds[i].revents && work->tree_fd >= 0 && !send_tree(work, err)) {
            return false;
        }
    }
    return true;
}

/** Until every pipe is closed, which is when the last process of the namespace is gone. */
static bool attend(run *work, wpa_error *err)
{
    const wpa_sandbox_request *request = work->request;
    work->deadline_ms = wpa_monotonic_ms() + work->limits.wall_ms;
    for (bool is_over = false; !is_over;) {
        if (!work->is_killed && wpa_monotonic_ms() >= work->deadline_ms) {
            stop(work, WPA_SANDBOX_TIMED_OUT);
        }
        if (!work->is_killed && request->is_cancelled &&
            request->is_cancelled(request->cancel_context)) {
            stop(work, WPA_SANDBOX_CANCELLED);
        }
        int64_t left_ms = work->deadline_ms - wpa_monotonic_ms();
        if (left_ms <= 0 && work->is_killed) {
            return WPA_FAIL(err, WPA_E_INTERNAL, "the sandbox did not die within %d ms",
                            KILL_GRACE_MS);
        }
        left_ms = left_ms > 0 ? left_ms : 0;
        if (!poll_once(work, left_ms < POLL_MS ? (int)left_ms : POLL_MS, &is_over, err)) {
            return false;
        }
    }
    while (waitpid(work->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    work->pid = 0;
    return true;
}

/** What bubblewrap says after "exit-code"; -1 if it never came to that. */
static int exit_code_of(const run *work)
{
    const char *at = strstr(wpa_buf_data(work->channels[STATUS].kept), "\"exit-code\":");
    return at ? (int)strtol(at + strlen("\"exit-code\":"), NULL, 10) : -1;
}

static wpa_sandbox_text text_of(const channel *from, wpa_arena *arena)
{
    return (wpa_sandbox_text){.text = wpa_buf_dup(from->kept, arena),
                              .size_bytes = wpa_buf_size(from->kept),
                              .total_bytes = from->total_bytes};
}

static void find_leaks(const char *const *markers, wpa_sandbox_result *result)
{
    for (size_t i = 0; markers && markers[i] && !result->leak; i++) {
        size_t length = strlen(markers[i]);
        if (memmem(result->out.text, result->out.size_bytes, markers[i], length)) {
            result->leak_where = "standard output";
        } else if (memmem(result->err.text, result->err.size_bytes, markers[i], length)) {
            result->leak_where = "standard error";
        }
        for (size_t k = 0; k < result->n_files && !result->leak_where; k++) {
            const wpa_sandbox_file *file = &result->files[k];
            if (memmem(file->data, file->size_bytes, markers[i], length)) {
                result->leak_where = file->path;
            }
        }
        result->leak = result->leak_where ? markers[i] : NULL;
    }
}

static bool read_report(const run *work, wpa_sandbox_result *result, wpa_arena *arena,
                        wpa_error *err)
{
    static const char ready[] = "ready\n", done[] = "done\n";
    const wpa_buf *report = work->channels[REPORT].kept;
    const char *text = wpa_buf_data(report);
    size_t size_bytes = wpa_buf_size(report);
    if (!wpa_text_starts(text, ready)) {
        if (work->is_killed) {
            return true; /* ended before the program began: the end says why */
        }
        const char *why = result->err.size_bytes ? result->err.text : "no reason given";
        if (exit_code_of(work) == 125) {
            return WPA_FAIL(err, WPA_E_LIMIT, "the files do not fit into the sandbox: %s", why);
        }
        return WPA_FAIL(err, WPA_E_UNAVAILABLE, "no sandbox: %s", why);
    }
    size_t at = sizeof ready - 1;
    if (wpa_text_starts(text + at, done)) {
        at += sizeof done - 1;
        sandbox_unpack((const uint8_t *)text + at, size_bytes - at, &work->limits, result, arena);
        result->are_files_cut =
            result->are_files_cut || work->channels[REPORT].total_bytes > (int64_t)size_bytes;
    }
    result->exit_code = work->is_killed ? -1 : exit_code_of(work);
    return true;
}

static wpa_sandbox_result *make_result(const run *work, int64_t start_ms, wpa_arena *arena,
                                       wpa_error *err)
{
    wpa_sandbox_result *result = wpa_arena_alloc(arena, sizeof *result);
    result->end = work->end;
    result->exit_code = -1;
    result->out = text_of(&work->channels[OUT], arena);
    result->err = text_of(&work->channels[ERR], arena);
    if (!read_report(work, result, arena, err)) {
        return NULL;
    }
    find_leaks(work->request->markers, result);
    result->duration_ms = wpa_monotonic_ms() - start_ms;
    return result;
}

static void init_run(run *work, const wpa_sandbox_request *request)
{
    work->request = request;
    work->limits = sandbox_limits_of(request);
    work->tree_fd = -1;
    for (int i = 0; i < CHILD_FD_COUNT; i++) {
        work->child_fds[i] = -1;
    }
    const int64_t keep[] = {[OUT] = work->limits.keep_bytes,
                            [ERR] = work->limits.keep_bytes,
                            [REPORT] = work->limits.output_bytes,
                            [STATUS] = STATUS_MAX_BYTES};
    for (int i = 0; i < N_CHANNELS; i++) {
        work->channels[i] = (channel){.fd = -1,
                                      .kept = wpa_buf_new((size_t)keep[i]),
                                      .kill_at_bytes = keep[i] * FLOOD_FACTOR};
    }
}

wpa_sandbox_result *wpa_sandbox_run(const wpa_sandbox_request *request, wpa_arena *arena,
                                    wpa_error *err)
{
    int64_t start_ms = wpa_monotonic_ms();
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    if (!request->argv || !request->argv[0]) {
        WPA_FAIL(err, WPA_E_INVALID, "nothing to run");
        return NULL;
    }
    if (request->folder && !wpa_path_check_relative(request->folder, err)) {
        return NULL;
    }
    const char *bwrap = sandbox_find_bwrap(err);
    if (!bwrap) {
        return NULL;
    }
    run storage = {0};
    WPA_AUTO(run) *work = &storage;
    init_run(work, request);
    work->packer = sandbox_packer_new(request, scratch, err);
    if (!work->packer || !open_fds(work, err)) {
        return NULL;
    }
    sandbox_cgroup_make(&work->group, &work->limits);
    char *const *argv = sandbox_command(request, bwrap, work->group.has_memory, scratch);
    if (!start(work, argv, err) || !attend(work, err)) {
        return NULL;
    }
    return make_result(work, start_ms, arena, err);
}

bool wpa_sandbox_check(wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    static const char *const argv[] = {"true", NULL};
    const wpa_sandbox_request request = {.argv = argv, .limits = {.wall_ms = 10000}};
    const wpa_sandbox_result *result = wpa_sandbox_run(&request, arena, err);
    if (!result) {
        err->code = WPA_E_UNAVAILABLE;
        return false;
    }
    if (result->end != WPA_SANDBOX_EXITED || result->exit_code != 0) {
        return WPA_FAIL(err, WPA_E_UNAVAILABLE, "no sandbox: a trial of it %s with code %d",
                        wpa_sandbox_end_name(result->end), result->exit_code);
    }
    return true;
}
