/* References to secrets: a variable of a name that nothing else has, or a file of one's own. */
#include "auth/secret.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wpa/text.h>

#include "notify/notify.h"

#define SECRET_MAX_BYTES 8192
#define VARIABLE "env:"
#define FILE_AT "file:"
/* Any variable could be named otherwise, and with it the database's password sent away. */
#define VARIABLE_PREFIX "WPA_SECRET_"

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
                    "env:" VARIABLE_PREFIX "NAME or file:/path");
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

static bool may_be_read(int fd, const char *path, wpa_error *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        return WPA_FAIL(err, WPA_E_REFUSED, "the secret's file '%s' is no file", path);
    }
    return (status.st_mode & 007) == 0 ||
           WPA_FAIL(err, WPA_E_REFUSED,
                    "the secret's file '%s' can be read by everybody (chmod 600)", path);
}

static wpa_secret *read_file(const char *path, wpa_error *err)
{
    char text[SECRET_MAX_BYTES + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        WPA_FAIL(err, WPA_E_NOT_FOUND, "the secret's file '%s': %s", path, wpa_strerror(errno));
        return NULL;
    }
    ssize_t n = may_be_read(fd, path, err) ? read(fd, text, sizeof text) : -1;
    (void)close(fd);
    wpa_secret *secret = NULL;
    if (n > SECRET_MAX_BYTES) {
        WPA_FAIL(err, WPA_E_LIMIT, "the secret's file '%s' has more than %d bytes", path,
                 SECRET_MAX_BYTES);
    } else if (n >= 0) {
        secret = make(path, text, (size_t)n, err);
    } else if (err->code == WPA_OK) {
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
