#include "term/term.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <wpa/buf.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "term/fatal.h"
#include "term/internal.h"
#include "term/terminfo.h"

#define MOUSE_ON "\033[?1000h\033[?1006h"
#define MOUSE_OFF "\033[?1006l\033[?1000l"
#define FRAME_MAX_BYTES ((size_t)32 * 1024 * 1024)

static bool names_any(const char *term, const char *const prefixes[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (wpa_text_starts(term, prefixes[i])) {
            return true;
        }
    }
    return false;
}

static wpa_depth depth_of(const char *color, int colors)
{
    const char *no_color = getenv("NO_COLOR"); // NOLINT(concurrency-mt-unsafe): nothing sets it
    if (color ? wpa_text_is(color, "never") : no_color && *no_color) {
        return WPA_DEPTH_MONO;
    }
    int wanted = color ? (wpa_text_is(color, "16") ? 16 : 256) : colors;
    colors = colors < wanted ? colors : wanted;
    return colors >= 256  ? WPA_DEPTH_256
           : colors >= 16 ? WPA_DEPTH_16
           : colors >= 8  ? WPA_DEPTH_8
                          : WPA_DEPTH_MONO;
}

/* Our own characters are drawn by width, so only the encoding matters, not the language. */
static bool knows_unicode(wpa_choice choice)
{
    bool is_utf8 = setlocale(LC_CTYPE, "") && wpa_text_is(nl_langinfo(CODESET), "UTF-8");
    if (!is_utf8 && choice == WPA_CHOICE_YES) {
        is_utf8 = setlocale(LC_CTYPE, "C.UTF-8") != NULL;
    }
    return is_utf8 && choice != WPA_CHOICE_NO;
}

static void make_raw(int fd, const struct termios *saved)
{
    struct termios raw = *saved;
    raw.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | ISTRIP | IXON | BRKINT | PARMRK);
    raw.c_oflag &= ~(tcflag_t)OPOST; /* curses counts on line feed moving down and nothing else */
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL | ISIG | IEXTEN);
    raw.c_cflag = (raw.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    (void)tcsetattr(fd, TCSADRAIN, &raw);
}

static bool block_signals(wpa_term *term, wpa_error *err)
{
    sigset_t set;
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGCONT};
    (void)sigemptyset(&set);
    for (size_t i = 0; i < WPA_COUNT(signals); i++) {
        (void)sigaddset(&set, signals[i]);
    }
    (void)pthread_sigmask(SIG_BLOCK, &set, &term->saved_mask);
    term->has_mask = true;
    term->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (term->signal_fd < 0) {
        return WPA_FAIL(err, WPA_E_IO, "signalfd: %s", wpa_strerror(errno));
    }
    return true;
}

static bool start_curses(wpa_term *term, wpa_error *err)
{
    static const char *const fallbacks[] = {NULL, "xterm", "vt100"};
    /* curses writes here: a file in memory takes a frame of any size and never blocks. */
    term->frame_fd = memfd_create("wpa-frame", MFD_CLOEXEC);
    int frame_copy = term->frame_fd < 0 ? -1 : fcntl(term->frame_fd, F_DUPFD_CLOEXEC, 0);
    int tty_copy = fcntl(term->fd, F_DUPFD_CLOEXEC, 0);
    term->out = frame_copy < 0 ? NULL : fdopen(frame_copy, "w");
    term->in = tty_copy < 0 ? NULL : fdopen(tty_copy, "r");
    if (!term->out || !term->in) {
        return WPA_FAIL(err, WPA_E_IO, "terminal: %s", wpa_strerror(errno));
    }
    for (size_t i = 0; i < WPA_COUNT(fallbacks) && !term->screen; i++) {
        term->screen = newterm(fallbacks[i], term->out, term->in);
    }
    const char *cup = term->screen ? tigetstr("cup") : NULL;
    if (!cup || (intptr_t)cup == -1) {
        return WPA_FAIL(err, WPA_E_UNAVAILABLE,
                        "terminal '%s' cannot move its cursor: the console needs one that can",
                        term->name);
    }
    (void)noecho();
    (void)nonl();
    (void)typeahead(-1); /* curses must not look at the keyboard */
    (void)leaveok(stdscr, FALSE);
    (void)scrollok(stdscr, FALSE);
    (void)idlok(stdscr, TRUE);
    if (term->depth != WPA_DEPTH_MONO) {
        (void)start_color();
        (void)use_default_colors();
    }
    return true;
}

/* Questions whose answers come as WPA_KEY_SYNC_MODE and WPA_KEY_BACKGROUND, if at all. */
static void ask_terminal(wpa_term *term)
{
    static const char *const simple[] = {"linux", "vt", "cons", "dumb", "ansi", "screen"};
    wpa_buf_text(term->unsent, "\033[?2004h");
    if (!names_any(term->name, simple, WPA_COUNT(simple))) {
        wpa_buf_text(term->unsent, "\033[?2026$p\033]11;?\033\\");
    }
}

static bool find_tty(wpa_term *term, const char *path, wpa_error *err)
{
    term->fd = open(path ? path : "/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (term->fd < 0 || tcgetattr(term->fd, &term->saved) != 0) {
        return WPA_FAIL(err, WPA_E_UNAVAILABLE,
                        "there is no terminal here (%s): the console needs one; "
                        "'wpa --help' lists what works without",
                        wpa_strerror(errno));
    }
    return true;
}

/* Not O_NONBLOCK on a descriptor that others share: our own one, opened for output alone. */
static void open_output(wpa_term *term)
{
    char path[64];
    (void)wpa_text_format(path, sizeof path, "/proc/self/fd/%d", term->fd);
    term->out_fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

wpa_term *wpa_term_open(const wpa_ui_options *options, wpa_error *err)
{
    wpa_term *term = wpa_alloc(sizeof *term);
    term->fd = term->out_fd = term->frame_fd = term->signal_fd = -1;
    term->unsent = wpa_buf_new(FRAME_MAX_BYTES);
    term->frame = wpa_buf_new(FRAME_MAX_BYTES);
    const char *name = getenv("TERM"); // NOLINT(concurrency-mt-unsafe): nothing sets it
    (void)wpa_text_copy(term->name, sizeof term->name, name ? name : "");
    if (wpa_text_is(term->name, "") || wpa_text_is(term->name, "dumb")) {
        (void)WPA_FAIL(err, WPA_E_UNAVAILABLE, "TERM is '%s': a screen cannot be drawn on it",
                       term->name);
        wpa_term_close(term);
        return NULL;
    }
    bool is_unicode = knows_unicode(options->unicode);
    term->is_ascii = !is_unicode;
    if (!wpa_ncursesw_open(err) || !find_tty(term, options->tty, err) ||
        !block_signals(term, err)) {
        wpa_term_close(term);
        return NULL;
    }
    open_output(term);
    int colors = 0;
    bool is_known =
        wpa_terminfo_count_colors(term->out_fd < 0 ? term->fd : term->out_fd, &colors, err);
    term->depth = depth_of(options->color, colors);
    if (!is_known || !start_curses(term, err)) {
        wpa_term_close(term);
        return NULL;
    }
    make_raw(term->fd, &term->saved);
    wpa_fatal_arm(term->fd, &term->saved);
    term->is_raw = true;
    term->shown = wpa_grid_new(1, 1);
    term->next = wpa_grid_new(1, 1);
    wpa_pen_init(&term->pen, term->depth != WPA_DEPTH_MONO);
    ask_terminal(term);
    (void)wpa_text_format(term->text, sizeof term->text, "%s, %s, %s", term->name,
                          term->depth == WPA_DEPTH_256  ? "256 colours"
                          : term->depth == WPA_DEPTH_16 ? "16 colours"
                          : term->depth == WPA_DEPTH_8  ? "8 colours"
                                                        : "no colour",
                          is_unicode ? "UTF-8" : "ASCII");
    return term;
}

/* Everything curses has written since the last time goes to unsent. */
static void take_frame(wpa_term *term)
{
    (void)fflush(term->out);
    off_t size = lseek(term->frame_fd, 0, SEEK_CUR);
    char bytes[16384];
    wpa_buf_truncate(term->frame, 0);
    for (off_t at = 0; at < size;) {
        ssize_t n = pread(term->frame_fd, bytes, sizeof bytes, at);
        if (n <= 0) {
            break;
        }
        wpa_buf_append(term->frame, bytes, (size_t)n);
        at += n;
    }
    wpa_pen_pass(&term->pen, wpa_buf_data(term->frame), wpa_buf_size(term->frame), term->unsent);
    (void)lseek(term->frame_fd, 0, SEEK_SET);
    (void)!ftruncate(term->frame_fd, 0);
}

/* Leaving is the one time to wait for the terminal: but not for ever, it may have gone. */
static void flush_patiently(wpa_term *term)
{
    for (int i = 0; i < 100 && wpa_term_is_busy(term) && wpa_term_flush(term); i++) {
        if (wpa_term_is_busy(term)) {
            (void)usleep(5000);
        }
    }
}

static void give_back(wpa_term *term)
{
    if (!term->is_raw) {
        return;
    }
    (void)endwin();
    take_frame(term);
    if (term->has_mouse) {
        wpa_buf_text(term->unsent, MOUSE_OFF);
    }
    wpa_buf_text(term->unsent, "\033[?2004l\033[0m\033[?25h");
    wpa_pen_reset(&term->pen);
    flush_patiently(term);
    (void)tcsetattr(term->fd, TCSADRAIN, &term->saved);
    wpa_fatal_disarm();
    term->is_raw = false;
}

void wpa_term_close(wpa_term *term)
{
    if (!term) {
        return;
    }
    give_back(term);
    if (term->screen) {
        delscreen(term->screen);
    }
    FILE *files[] = {term->out, term->in};
    for (size_t i = 0; i < WPA_COUNT(files); i++) {
        if (files[i]) {
            (void)fclose(files[i]);
        }
    }
    int fds[] = {term->fd, term->out_fd, term->frame_fd, term->signal_fd};
    for (size_t i = 0; i < WPA_COUNT(fds); i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
    if (term->has_mask) {
        (void)pthread_sigmask(SIG_SETMASK, &term->saved_mask, NULL);
    }
    wpa_grid_free(term->shown);
    wpa_grid_free(term->next);
    wpa_buf_free(term->frame);
    wpa_buf_free(term->unsent);
    wpa_free(term);
}

int wpa_term_fd(const wpa_term *term)
{
    return term->fd;
}

int wpa_term_signal_fd(const wpa_term *term)
{
    return term->signal_fd;
}

wpa_term_event wpa_term_next_event(wpa_term *term)
{
    struct signalfd_siginfo info;
    while (read(term->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        switch (info.ssi_signo) {
        case SIGWINCH:
            return WPA_TERM_RESIZED;
        case SIGTSTP:
            return WPA_TERM_SUSPEND;
        case SIGCONT:
            return WPA_TERM_RESUMED;
        default:
            return WPA_TERM_LEAVE;
        }
    }
    return WPA_TERM_NOTHING;
}

void wpa_term_size(const wpa_term *term, int *rows, int *cols)
{
    struct winsize size = {0};
    bool is_known = ioctl(term->fd, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col;
    *rows = is_known ? size.ws_row : 24;
    *cols = is_known ? size.ws_col : 80;
    *rows = *rows > WPA_GRID_MAX ? WPA_GRID_MAX : *rows;
    *cols = *cols > WPA_GRID_MAX ? WPA_GRID_MAX : *cols;
}

bool wpa_term_is_ascii(const wpa_term *term)
{
    return term->is_ascii;
}

const char *wpa_term_text(const wpa_term *term)
{
    return term->text;
}

int wpa_term_read(wpa_term *term, char *bytes, size_t size_bytes)
{
    int waiting = 0;
    if (ioctl(term->fd, FIONREAD, &waiting) == 0 && waiting == 0) {
        return -1; /* readable with nothing to read: hung up */
    }
    ssize_t n = read(term->fd, bytes, size_bytes);
    return n > 0 ? (int)n : n < 0 && (errno == EINTR || errno == EAGAIN) ? 0 : -1;
}

void wpa_term_set_sync(wpa_term *term)
{
    term->has_sync = true;
}

bool wpa_term_is_busy(const wpa_term *term)
{
    return term->n_sent < wpa_buf_size(term->unsent);
}

bool wpa_term_flush(wpa_term *term)
{
    int fd = term->out_fd >= 0 ? term->out_fd : term->fd;
    while (wpa_term_is_busy(term)) {
        ssize_t n = write(fd, wpa_buf_data(term->unsent) + term->n_sent,
                          wpa_buf_size(term->unsent) - term->n_sent);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return errno == EAGAIN;
        }
        term->n_sent += (size_t)n;
    }
    wpa_buf_truncate(term->unsent, 0);
    term->n_sent = 0;
    return true;
}

void wpa_term_draw(wpa_term *term, const wpa_grid *grid, bool is_full)
{
    if (!wpa_term_is_busy(term)) {
        wpa_buf_truncate(term->unsent, 0);
        term->n_sent = 0;
    }
    wpa_screen_put(term, grid, is_full);
    if (term->has_sync) {
        wpa_buf_text(term->unsent, "\033[?2026h");
    }
    take_frame(term);
    if (term->has_sync) {
        wpa_buf_text(term->unsent, "\033[?2026l");
    }
    (void)!wpa_term_flush(term);
}

void wpa_term_bell(wpa_term *term)
{
    wpa_buf_char(term->unsent, '\a');
}

void wpa_term_copy(wpa_term *term, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = strlen(text);
    wpa_buf_text(term->unsent, "\033]52;c;");
    for (size_t i = 0; i < n; i += 3) {
        uint32_t word = (uint32_t)(unsigned char)text[i] << 16;
        word |= i + 1 < n ? (uint32_t)(unsigned char)text[i + 1] << 8 : 0;
        word |= i + 2 < n ? (uint32_t)(unsigned char)text[i + 2] : 0;
        wpa_buf_char(term->unsent, digits[word >> 18 & 63]);
        wpa_buf_char(term->unsent, digits[word >> 12 & 63]);
        wpa_buf_char(term->unsent, i + 1 < n ? digits[word >> 6 & 63] : '=');
        wpa_buf_char(term->unsent, i + 2 < n ? digits[word & 63] : '=');
    }
    wpa_buf_text(term->unsent, "\033\\");
}

void wpa_term_set_mouse(wpa_term *term, bool is_on)
{
    if (is_on != term->has_mouse) {
        wpa_buf_text(term->unsent, is_on ? MOUSE_ON : MOUSE_OFF);
        term->has_mouse = is_on;
    }
}

void wpa_term_suspend(wpa_term *term)
{
    give_back(term);
    (void)raise(SIGSTOP);
    make_raw(term->fd, &term->saved);
    wpa_fatal_arm(term->fd, &term->saved);
    term->is_raw = true;
    wpa_buf_text(term->unsent, "\033[?2004h");
    if (term->has_mouse) {
        wpa_buf_text(term->unsent, MOUSE_ON);
    }
}
