#include "harness/term.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <cmocka.h>
#include <vterm.h>

#include <wpa/buf.h>
#include <wpa/clock.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "harness/patience.h"

enum {
    PIECE_BYTES = 512,
    GUARD_MS = 300 /* longer than a letter behind an Esc may be the end of a torn report */
};

struct wpa_tty {
    int fd, slave;
    pid_t pid;
    VTerm *vt;
    VTermScreen *screen;
    bool is_alternate, has_ended;
    int status;
    size_t n_bytes;
};

static int on_property(VTermProp property, VTermValue *value, void *user)
{
    wpa_tty *tty = user;
    if (property == VTERM_PROP_ALTSCREEN) {
        tty->is_alternate = value->boolean;
    }
    return 1;
}

static const VTermScreenCallbacks callbacks = {.settermprop = on_property};

static void on_answer(const char *bytes, size_t n, void *user)
{
    wpa_tty *tty = user;
    ssize_t written = write(tty->fd, bytes, n);
    (void)written;
}

static void run_child(const char *const argv[], const char *const env[])
{
    /* Our own child, before exec: nobody else reads the environment. */
    (void)setenv("TERM", "xterm-256color", 1); // NOLINT(concurrency-mt-unsafe)
    (void)setenv("LANG", "C.UTF-8", 1);        // NOLINT(concurrency-mt-unsafe)
    (void)unsetenv("LC_ALL");                  // NOLINT(concurrency-mt-unsafe)
    (void)unsetenv("NO_COLOR");                // NOLINT(concurrency-mt-unsafe)
    for (size_t i = 0; env && env[i]; i++) {
        char name[256];
        const char *value = strchr(env[i], '=');
        if (value) {
            (void)wpa_text_format(name, sizeof name, "%.*s", (int)(value - env[i]), env[i]);
            (void)setenv(name, value + 1, 1); // NOLINT(concurrency-mt-unsafe)
        }
    }
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    union {
        const char *const *in;
        char *const *out;
    } args = {.in = argv}; /* execvp does not write to them */
    (void)execvp(argv[0], args.out);
    (void)dprintf(STDERR_FILENO, "%s: %s\n", argv[0], wpa_strerror(errno));
    _exit(127);
}

wpa_tty *wpa_tty_start(const char *const argv[], const char *const env[], int rows, int cols,
                       wpa_error *err)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols};
    wpa_tty *tty = wpa_alloc(sizeof *tty);
    tty->slave = -1;
    if (openpty(&tty->fd, &tty->slave, NULL, NULL, &size) != 0) {
        (void)WPA_FAIL(err, WPA_E_IO, "openpty: %s", wpa_strerror(errno));
        wpa_free(tty);
        return NULL;
    }
    tty->pid = fork();
    if (tty->pid == 0) {
        (void)login_tty(tty->slave);
        (void)close(tty->fd);
        run_child(argv, env);
    }
    tty->vt = vterm_new(rows, cols);
    vterm_set_utf8(tty->vt, 1);
    vterm_output_set_callback(tty->vt, on_answer, tty);
    tty->screen = vterm_obtain_screen(tty->vt);
    vterm_screen_set_callbacks(tty->screen, &callbacks, tty);
    vterm_screen_enable_altscreen(tty->screen, 1);
    vterm_screen_reset(tty->screen, 1);
    (void)fcntl(tty->fd, F_SETFL, fcntl(tty->fd, F_GETFL) | O_NONBLOCK);
    (void)fcntl(tty->fd, F_SETFD, FD_CLOEXEC);
    (void)fcntl(tty->slave, F_SETFD, FD_CLOEXEC);
    return tty;
}

static void reap(wpa_tty *tty)
{
    int status = 0;
    if (!tty->has_ended && waitpid(tty->pid, &status, WNOHANG) == tty->pid) {
        tty->has_ended = true;
        tty->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
}

void wpa_tty_free(wpa_tty *tty)
{
    if (!tty) {
        return;
    }
    reap(tty);
    if (!tty->has_ended) {
        (void)kill(tty->pid, SIGCONT);
        (void)kill(tty->pid, SIGKILL);
        (void)waitpid(tty->pid, NULL, 0);
    }
    (void)close(tty->fd);
    (void)close(tty->slave);
    vterm_free(tty->vt);
    wpa_free(tty);
}

void wpa_tty_send_bytes(wpa_tty *tty, const char *bytes, size_t n)
{
    while (n) {
        ssize_t written = write(tty->fd, bytes, n);
        if (written > 0) {
            bytes += written;
            n -= (size_t)written;
        } else if (errno != EAGAIN && errno != EINTR) {
            return;
        }
    }
}

void wpa_tty_send(wpa_tty *tty, const char *bytes)
{
    wpa_tty_send_bytes(tty, bytes, strlen(bytes));
}

void wpa_tty_resize(wpa_tty *tty, int rows, int cols)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols};
    (void)ioctl(tty->slave, TIOCSWINSZ, &size);
    vterm_set_size(tty->vt, rows, cols);
}

void wpa_tty_signal(wpa_tty *tty, int signal_number)
{
    (void)kill(tty->pid, signal_number);
}

static void append_row(const wpa_tty *tty, int row, int cols, wpa_buf *buf)
{
    size_t end = wpa_buf_size(buf);
    for (int col = 0; col < cols;) {
        VTermScreenCell cell;
        (void)vterm_screen_get_cell(tty->screen, (VTermPos){.row = row, .col = col}, &cell);
        if (!cell.chars[0] || cell.chars[0] == (uint32_t)-1) {
            wpa_buf_char(buf, ' ');
        }
        for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i]; i++) {
            char bytes[4];
            if (cell.chars[i] != (uint32_t)-1) {
                wpa_buf_append(buf, bytes, wpa_utf8_encode(cell.chars[i], bytes));
            }
        }
        bool is_blank = !cell.chars[0] || cell.chars[0] == ' ';
        end = is_blank ? end : wpa_buf_size(buf);
        col += cell.width > 0 ? cell.width : 1;
    }
    wpa_buf_truncate(buf, end);
}

char *wpa_tty_text(const wpa_tty *tty, wpa_arena *arena)
{
    int rows = 0, cols = 0;
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new((size_t)4 * 1024 * 1024);
    vterm_get_size(tty->vt, &rows, &cols);
    for (int row = 0; row < rows; row++) {
        append_row(tty, row, cols, buf);
        wpa_buf_char(buf, '\n');
    }
    return wpa_buf_dup(buf, arena);
}

static bool has_any(const wpa_tty *tty, const char *const texts[])
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *screen = wpa_tty_text(tty, arena);
    for (size_t i = 0; texts[i]; i++) {
        if (strstr(screen, texts[i])) {
            return true;
        }
    }
    return false;
}

/* What can be read now, drawn piece by piece: *is_seen if one of the texts stood there behind one
 * of them. Nobody says how soon we come to look, and by then another may have taken its place.
 * False if nothing came within wait_ms. */
static bool read_watching(wpa_tty *tty, int wait_ms, const char *const texts[], bool *is_seen)
{
    struct pollfd poll_fd = {.fd = tty->fd, .events = POLLIN};
    char bytes[16384];
    if (poll(&poll_fd, 1, wait_ms) <= 0) {
        return false;
    }
    ssize_t n = read(tty->fd, bytes, sizeof bytes);
    for (ssize_t at = 0; at < n; at += PIECE_BYTES) {
        size_t size = (size_t)(n - at < PIECE_BYTES ? n - at : PIECE_BYTES);
        tty->n_bytes += size;
        (void)vterm_input_write(tty->vt, bytes + at, size);
        *is_seen = *is_seen || (texts && has_any(tty, texts));
    }
    return n > 0;
}

static bool read_some(wpa_tty *tty, int wait_ms)
{
    bool is_seen = false;
    return read_watching(tty, wait_ms, NULL, &is_seen);
}

bool wpa_tty_has(const wpa_tty *tty, const char *text)
{
    return has_any(tty, (const char *const[]){text, NULL});
}

bool wpa_tty_wait_any(wpa_tty *tty, const char *const texts[], int timeout_ms)
{
    int64_t end_ms = wpa_monotonic_ms() + timeout_ms;
    bool is_seen = has_any(tty, texts);
    for (;;) {
        while (read_watching(tty, 0, texts, &is_seen)) {
        }
        if (is_seen) {
            return true;
        }
        reap(tty);
        if (wpa_monotonic_ms() >= end_ms ||
            (tty->has_ended && !read_watching(tty, 0, texts, &is_seen))) {
            return false;
        }
        (void)read_watching(tty, 20, texts, &is_seen);
    }
}

bool wpa_tty_wait(wpa_tty *tty, const char *text, int timeout_ms)
{
    return wpa_tty_wait_any(tty, (const char *const[]){text, NULL}, timeout_ms);
}

bool wpa_tty_wait_gone(wpa_tty *tty, const char *text, int timeout_ms)
{
    int64_t end_ms = wpa_monotonic_ms() + timeout_ms;
    for (;;) {
        while (read_some(tty, 0)) {
        }
        if (!wpa_tty_has(tty, text)) {
            return true;
        }
        reap(tty);
        if (wpa_monotonic_ms() >= end_ms || (tty->has_ended && !read_some(tty, 0))) {
            return false;
        }
        (void)read_some(tty, 20);
    }
}

int wpa_tty_wait_exit(wpa_tty *tty, int timeout_ms)
{
    int64_t end_ms = wpa_monotonic_ms() + timeout_ms;
    while (!tty->has_ended && wpa_monotonic_ms() < end_ms) {
        (void)read_some(tty, 10);
        reap(tty);
    }
    while (read_some(tty, 0)) {
    }
    return tty->has_ended ? tty->status : -1;
}

void wpa_tty_settle(wpa_tty *tty, int quiet_ms)
{
    while (read_some(tty, quiet_ms)) {
    }
}

bool wpa_tty_is_alternate(const wpa_tty *tty)
{
    return tty->is_alternate;
}

size_t wpa_tty_bytes(const wpa_tty *tty)
{
    return tty->n_bytes;
}

int wpa_tty_pid(const wpa_tty *tty)
{
    return (int)tty->pid;
}

bool wpa_tty_is_cooked(const wpa_tty *tty)
{
    struct termios modes;
    return tcgetattr(tty->slave, &modes) == 0 && (modes.c_lflag & ICANON) && (modes.c_lflag & ECHO);
}

bool wpa_tty_is_stopped(const wpa_tty *tty)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)tty->pid, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 && info.si_pid;
}

/* ---- as tests speak ---- */

static void fail_with_screen(const wpa_tty *tty, const char *what, const char *text)
{
    wpa_arena *arena = wpa_arena_new();
    (void)fprintf(stderr, "%s: %s\n%s", what, text, wpa_tty_text(tty, arena));
    wpa_arena_free(arena); /* by hand: fail() jumps over what would do it */
    fail();
}

void wpa_tty_expect(wpa_tty *tty, const char *text)
{
    if (!wpa_tty_wait(tty, text, WPA_PATIENCE_MS)) {
        fail_with_screen(tty, "waited for", text);
    }
}

void wpa_tty_expect_gone(wpa_tty *tty, const char *text)
{
    if (!wpa_tty_wait_gone(tty, text, WPA_PATIENCE_MS)) {
        fail_with_screen(tty, "waited for the end of", text);
    }
}

void wpa_tty_press(wpa_tty *tty, const char *key)
{
    wpa_tty_settle(tty, 25);
    wpa_tty_send(tty, key);
}

void wpa_tty_command(wpa_tty *tty, const char *line)
{
    wpa_tty_press(tty, ":");
    wpa_tty_expect(tty, "commands matching");
    wpa_tty_send(tty, line);
    wpa_tty_send(tty, "\r");
}

void wpa_tty_escape(wpa_tty *tty, const char *text)
{
    wpa_tty_press(tty, "\033");
    wpa_tty_expect(tty, text); /* it has been read: from then on the time counts */
    for (int64_t end_ms = wpa_monotonic_ms() + GUARD_MS; wpa_monotonic_ms() < end_ms;) {
        wpa_tty_settle(tty, 10);
    }
}
