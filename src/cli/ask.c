#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "auth/password.h"
#include "cli/session.h"

/* A line of at most WPA_PASSPHRASE_MAX_BYTES bytes; wiped from the buffer it was read into. */
static wpa_secret *read_line(int fd, wpa_error *err)
{
    char line[WPA_PASSPHRASE_MAX_BYTES + 1];
    size_t n = 0;
    ssize_t got = 0;
    while (n < sizeof line && ((got = read(fd, line + n, 1)) == 1 || (got < 0 && errno == EINTR))) {
        if (got == 1 && line[n] == '\n') {
            break;
        }
        n += got == 1;
    }
    if (n > 0 && line[n - 1] == '\r') {
        n--;
    }
    wpa_secret *secret = NULL;
    if (got < 0) {
        WPA_FAIL(err, WPA_E_IO, "cannot read the passphrase: %s", wpa_strerror(errno));
    } else if (n == sizeof line) {
        WPA_FAIL(err, WPA_E_LIMIT, "a passphrase has at most %d bytes", WPA_PASSPHRASE_MAX_BYTES);
    } else if (n == 0) {
        WPA_FAIL(err, WPA_E_INVALID, "no passphrase was given");
    } else {
        secret = wpa_secret_new(line, n);
    }
    wpa_wipe(line, sizeof line);
    return secret;
}

static wpa_secret *read_file(wpa_cli *cli, const char *path, wpa_error *err)
{
    if (strcmp(path, "-") == 0) {
        return read_line(fileno(cli->in), err);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        WPA_FAIL(err, errno == ENOENT ? WPA_E_NOT_FOUND : WPA_E_IO, "cannot read '%s': %s", path,
                 wpa_strerror(errno));
        return NULL;
    }
    wpa_secret *secret = read_line(fd, err);
    close(fd);
    return secret;
}

static wpa_secret *ask(int tty, const char *prompt, wpa_error *err)
{
    struct termios shown, hidden;
    if (tcgetattr(tty, &shown) != 0) {
        WPA_FAIL(err, WPA_E_UNAVAILABLE, "cannot hide what is typed: %s", wpa_strerror(errno));
        return NULL;
    }
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    wpa_secret *secret = NULL;
    bool is_asked = tcsetattr(tty, TCSAFLUSH, &hidden) == 0 &&
                    wpa_fd_write_all(tty, prompt, strlen(prompt), err);
    if (is_asked) {
        secret = read_line(tty, err);
    }
    tcsetattr(tty, TCSAFLUSH, &shown);
    wpa_error unread = {0};
    bool is_ended = wpa_fd_write_all(tty, "\n", 1, &unread);
    (void)is_ended;
    return secret;
}

wpa_secret *wpa_cli_ask_passphrase(wpa_cli *cli, const char *prompt, const char *path, bool is_new,
                                   wpa_error *err)
{
    if (path) {
        return read_file(cli, path, err);
    }
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (tty < 0) {
        WPA_FAIL(err, WPA_E_UNAVAILABLE,
                 "no terminal to ask for the %.*s (give a file: see --help)",
                 (int)strcspn(prompt, ":"), prompt);
        return NULL;
    }
    wpa_secret *first = ask(tty, prompt, err);
    if (first && is_new) {
        WPA_AUTO(wpa_secret) *second = ask(tty, "once more: ", err);
        if (!second || !wpa_secret_is(first, second)) {
            if (second) {
                WPA_FAIL(err, WPA_E_INVALID, "the two passphrases differ");
            }
            wpa_secret_free(first);
            first = NULL;
        }
    }
    close(tty);
    return first;
}
