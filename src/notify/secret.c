/*
 * References to secrets: a variable of a name that nothing else has, or a file of a folder that
 * holds nothing else. Whoever says where notices go says where the secret is sent as well: any
 * other file that we may read, our own keys among them, could be had that way.
 */
#include "auth/secret.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "notify/notify.h"

#define SECRET_MAX_BYTES 8192
#define VARIABLE "env:"
#define FILE_AT "file:"
/* Any variable could be named otherwise, and with it the database's password sent away. */
#define VARIABLE_PREFIX "WPA_SECRET_"
#define FOLDER "secrets" /* in wpa_path_config */
#define SYSTEM_FOLDER "/etc/wpa/secrets"
#define FOLDERS SYSTEM_FOLDER " or ~/.config/wpa/" FOLDER

static bool is_variable(const char *name)
{
    if (!wpa_text_starts(name, VARIABLE_PREFIX) || strlen(name) > 90) {
        return false;
    }
    const char *c = name + strlen(VARIABLE_PREFIX);
    bool is_named = *c != '\0';
    for (; *c; c++) {
        is_named =
            is_named && (isupper((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '_');
    }
    return is_named;
}

bool wpa_notify_secret_check(const char *reference, wpa_error *err)
{
    if (wpa_text_starts(reference, VARIABLE)) {
        return is_variable(reference + strlen(VARIABLE)) ||
               WPA_FAIL(err, WPA_E_INVALID,
                        "field 'secret': a variable's name must begin with " VARIABLE_PREFIX
                        ", as in env:" VARIABLE_PREFIX "HOOK");
    }
    return (wpa_text_starts(reference, FILE_AT "/") && strlen(reference) < 1000) ||
           WPA_FAIL(err, WPA_E_INVALID,
                    "field 'secret' says where the secret is, not what it is: "
                    "env:" VARIABLE_PREFIX "NAME or file:" SYSTEM_FOLDER "/NAME");
}

static wpa_secret *make(const char *name, char *text, size_t size_bytes, wpa_error *err)
{
    while (size_bytes > 0 && (text[size_bytes - 1] == '\n' || text[size_bytes - 1] == '\r')) {
        size_bytes--;
    }
    if (size_bytes == 0) {
        WPA_FAIL(err, WPA_E_NOT_FOUND, "the secret %s is empty", name);
        return NULL;
    }
    return wpa_secret_new(text, size_bytes);
}

static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

/** Does a path without links lead into the folder, wherever links lead the folder itself? */
static bool is_in(const char *path, const char *folder)
{
    char *real = folder ? realpath(folder, NULL) : NULL;
    bool is = real && is_below(path, real);
    free(real); /* realpath's own */
    return is;
}

static bool is_secrets_place(const char *path, bool (*is_of)(const char *, const char *))
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error ignored = {0};
    const char *config = wpa_path_config(arena, &ignored);
    return is_of(path, SYSTEM_FOLDER) ||
           (config && is_of(path, wpa_path_join(arena, config, FOLDER)));
}

static bool is_state_place(const char *path)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error ignored = {0};
    return is_in(path, wpa_path_state(arena, &ignored));
}

static bool refuse_place(const char *path, wpa_error *err)
{
    return WPA_FAIL(err, WPA_E_REFUSED,
                    "the secret's file '%s' is not in " FOLDERS ": no other is taken", path);
}

/** Of what was opened, not of what stands there now. own: its name in /proc. */
static bool may_be_read(int fd, const char *own, const char *path, wpa_error *err)
{
    char real[PATH_MAX];
    struct stat status;
    ssize_t length = readlink(own, real, sizeof real - 1);
    real[length > 0 ? length : 0] = '\0';
    if (!is_secrets_place(real, is_in) || is_state_place(real)) {
        return refuse_place(path, err);
    }
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        return WPA_FAIL(err, WPA_E_REFUSED, "the secret's file '%s' is no file", path);
    }
    return (status.st_mode & 007) == 0 ||
           WPA_FAIL(err, WPA_E_REFUSED,
                    "the secret's file '%s' can be read by everybody (chmod 600)", path);
}

/** -1 with err set, or for reading. Nothing is set going in what is not taken: a path first. */
static int open_file(const char *path, wpa_error *err)
{
    char own[sizeof "/proc/self/fd/" + 3 * sizeof(int)];
    int place = open(path, O_PATH | O_CLOEXEC), error = errno;
    if (place < 0) { /* whether there are other files is nobody's business */
        (void)(is_secrets_place(path, is_below)
                   ? WPA_FAIL(err, WPA_E_NOT_FOUND, "the secret's file '%s': %s", path,
                              wpa_strerror(error))
                   : refuse_place(path, err));
        return -1;
    }
    (void)snprintf(own, sizeof own, "/proc/self/fd/%d", place);
    int fd = -1;
    if (may_be_read(place, own, path, err)) {
        fd = open(own, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0) {
            WPA_FAIL(err, WPA_E_NOT_FOUND, "the secret's file '%s': %s", path, wpa_strerror(errno));
        }
    }
    (void)close(place);
    return fd;
}

static wpa_secret *read_file(const char *path, wpa_error *err)
{
    char text[SECRET_MAX_BYTES + 1];
    int fd = open_file(path, err);
    if (fd < 0) {
        return NULL;
    }
    ssize_t n = read(fd, text, sizeof text);
    (void)close(fd);
    wpa_secret *secret = NULL;
    if (n > SECRET_MAX_BYTES) {
        WPA_FAIL(err, WPA_E_LIMIT, "the secret's file '%s' has more than %d bytes", path,
                 SECRET_MAX_BYTES);
    } else if (n >= 0) {
        secret = make(path, text, (size_t)n, err);
    } else {
        WPA_FAIL(err, WPA_E_IO, "the secret's file '%s' cannot be read", path);
    }
    wpa_wipe(text, sizeof text);
    return secret;
}

struct wpa_secret *wpa_notify_secret_read(const char *reference, wpa_error *err)
{
    if (!wpa_notify_secret_check(reference, err)) {
        return NULL;
    }
    if (wpa_text_starts(reference, FILE_AT)) {
        return read_file(reference + strlen(FILE_AT), err);
    }
    const char *name = reference + strlen(VARIABLE);
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody sets any */
    if (!value) {
        WPA_FAIL(err, WPA_E_NOT_FOUND, "the variable %s is not set where notices are delivered",
                 name);
        return NULL;
    }
    return make(name, (char *)(uintptr_t)value, strlen(value), err);
}
