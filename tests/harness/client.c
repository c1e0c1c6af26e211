#include "harness/client.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/buf.h>
#include <wpa/clock.h>
#include <wpa/text.h>

#include "harness/patience.h"

#define ANSWER_MAX_BYTES ((size_t)64 << 20)
#define ANSWER_SECONDS 150 /* longer than any call waits at the server */

#define PORTS_FROM 20000
#define N_PORTS 12000

static struct sockaddr_in address_of(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static bool is_free(int port)
{
    const struct sockaddr_in address = address_of(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    (void)close(fd);
    return is;
}

int wpa_client_free_port(void)
{
    int from = (int)getpid() % N_PORTS; /* of each test another */
    for (int i = 0; i < N_PORTS; i++) {
        int port = PORTS_FROM + (from + i) % N_PORTS;
        if (is_free(port)) {
            return port;
        }
    }
    fail_msg("no port from %d to %d is free", PORTS_FROM, PORTS_FROM + N_PORTS - 1);
    return -1;
}

int wpa_client_connect(const wpa_client *client)
{
    const struct sockaddr_in address = address_of(client->port);
    int64_t end_ms = wpa_monotonic_ms() + WPA_PATIENCE_MS;
    while (wpa_monotonic_ms() < end_ms) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const struct timeval limit = {.tv_sec = ANSWER_SECONDS};
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) {
            return fd;
        }
        (void)close(fd);
        wpa_sleep_ms(50);
    }
    fail_msg("nobody listens on port %d", client->port);
    return -1;
}

static void send_all(int fd, const char *bytes, size_t size_bytes)
{
    while (size_bytes) {
        ssize_t n = send(fd, bytes, size_bytes, MSG_NOSIGNAL);
        if (n <= 0) {
            return; /* refused before it was all sent: the answer tells */
        }
        bytes += n;
        size_bytes -= (size_t)n;
    }
}

static wpa_client_answer read_answer(const wpa_client *client, int fd)
{
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(ANSWER_MAX_BYTES);
    char block[16384];
    ssize_t n;
    while ((n = recv(fd, block, sizeof block, 0)) > 0) {
        wpa_buf_append(text, block, (size_t)n);
    }
    wpa_client_answer answer = {.headers = "", .body = ""};
    const char *whole = wpa_buf_dup(text, client->arena);
    const char *end = strstr(whole, "\r\n\r\n");
    if (end && strncmp(whole, "HTTP/1.1 ", 9) == 0) {
        answer.status = (int)strtol(whole + 9, NULL, 10);
        answer.headers = wpa_arena_slice(client->arena, whole, (size_t)(end - whole) + 2);
        answer.body = end + 4;
        answer.body_bytes = wpa_buf_size(text) - (size_t)(end + 4 - whole);
    }
    return answer;
}

wpa_client_answer wpa_client_raw(const wpa_client *client, const char *bytes, size_t size_bytes)
{
    int fd = wpa_client_connect(client);
    send_all(fd, bytes, size_bytes);
    wpa_client_answer answer = read_answer(client, fd);
    (void)close(fd);
    return answer;
}

wpa_client_answer wpa_client_call(const wpa_client *client, const char *method, const char *path,
                                  const char *body)
{
    const char *token =
        client->token
            ? wpa_arena_printf(client->arena, "Authorization: Bearer %s\r\n", client->token)
            : "";
    const char *content =
        body ? wpa_arena_printf(client->arena,
                                "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                                strlen(body))
             : "";
    const char *text = wpa_arena_printf(
        client->arena, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s%s%s\r\n%s",
        method, path, token, content, client->headers ? client->headers : "", body ? body : "");
    return wpa_client_raw(client, text, strlen(text));
}

const char *wpa_client_header(const wpa_client *client, const wpa_client_answer *answer,
                              const char *name)
{
    size_t length = strlen(name);
    for (const char *line = answer->headers; line && *line;) {
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            const char *value = line + length + 1 + strspn(line + length + 1, " ");
            return wpa_arena_slice(client->arena, value, strcspn(value, "\r\n"));
        }
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return NULL;
}
