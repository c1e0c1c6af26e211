#include "api/listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <wpa/text.h>

/* What a server left that was killed: nobody listens there. Of one that does, binding says so. */
static void remove_left(const struct sockaddr_un *address)
{
    struct stat status;
    if (lstat(address->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode)) {
        return;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool is_left = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
                   errno == ECONNREFUSED;
    if (is_left) {
        (void)unlink(address->sun_path);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

static int listen_unix(const char *path, wpa_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!wpa_text_copy(address.sun_path, sizeof address.sun_path, path)) {
        (void)WPA_FAIL(err, WPA_E_INVALID, "socket path '%s' is longer than %zu bytes", path,
                       sizeof address.sun_path - 1);
        return -1;
    }
    remove_left(&address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before = umask(0077);
    bool is_bound = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
                    listen(fd, SOMAXCONN) == 0;
    (void)umask(before);
    if (!is_bound) {
        (void)WPA_FAIL(err, WPA_E_IO, "listen on '%s': %s", path, wpa_strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        return -1;
    }
    return fd;
}

static int bind_address(const struct addrinfo *info)
{
    int one = 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0) {
        return fd;
    }
    int cause = errno;
    (void)close(fd);
    errno = cause;
    return -1;
}

static int listen_tcp(const char *host, int port, wpa_error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV | AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    char service[16];
    (void)snprintf(service, sizeof service, "%d", port);
    if (getaddrinfo(host, service, &hints, &found) != 0 || !found) {
        (void)WPA_FAIL(err, WPA_E_INVALID, "'%s' is no address (expected 127.0.0.1, ::1, 0.0.0.0)",
                       host);
        return -1;
    }
    int fd = bind_address(found);
    if (fd < 0) {
        (void)WPA_FAIL(err, WPA_E_IO, "listen on %s port %d: %s", host, port, wpa_strerror(errno));
    }
    freeaddrinfo(found);
    return fd;
}

int wpa_api_port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char service[16];
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0 || address.ss_family == AF_UNIX ||
        getnameinfo((const struct sockaddr *)&address, size, NULL, 0, service, sizeof service,
                    NI_NUMERICSERV) != 0) {
        return 0;
    }
    int64_t port = 0;
    return wpa_text_to_int(service, 1, 65535, &port) ? (int)port : 0;
}

int wpa_api_listen(const wpa_api_options *options, wpa_error *err)
{
    if (options->listen_fd >= 0) {
        return options->listen_fd;
    }
    return options->unix_socket
               ? listen_unix(options->unix_socket, err)
               : listen_tcp(options->host ? options->host : "127.0.0.1", options->port, err);
}
