#include "harness/http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <wpa/memory.h>
#include <wpa/text.h>

#define MAX_SLOW 64

struct wpa_http_server {
    int listener, port, stop[2];
    int slow[MAX_SLOW]; /* connections that are never answered */
    int n_slow, n_flaky;
    pthread_t thread;
};

static void answer(int client, int status, const char *headers, const char *body, size_t length)
{
    char head[2048];
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 %d Status\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n",
                     status, length, headers);
    (void)!send(client, head, (size_t)n, MSG_NOSIGNAL);
    for (size_t sent = 0; sent < length;) {
        ssize_t step = send(client, body + sent, length - sent, MSG_NOSIGNAL);
        if (step <= 0) {
            return;
        }
        sent += (size_t)step;
    }
}

/** False if the connection stays open. */
static bool serve(wpa_http_server *server, int client, const char *request, const char *path)
{
    char header[1200];
    if (strncmp(path, "/status/", 8) == 0) {
        answer(client, (int)strtol(path + 8, NULL, 10), "", "", 0);
    } else if (strcmp(path, "/echo") == 0) {
        answer(client, 200, "Content-Type: text/plain\r\n", request, strlen(request));
    } else if (strcmp(path, "/loop") == 0) {
        answer(client, 302, "Location: /loop\r\n", "", 0);
    } else if (strncmp(path, "/to?", 4) == 0) {
        snprintf(header, sizeof header, "Location: %s\r\n", path + 4);
        answer(client, 302, header, "", 0);
    } else if (strcmp(path, "/slow") == 0 && server->n_slow < MAX_SLOW) {
        server->slow[server->n_slow++] = client;
        return false;
    } else if (strcmp(path, "/big") == 0) {
        static const char big[2 << 20];
        answer(client, 200, "", big, sizeof big);
    } else if (strcmp(path, "/flaky") == 0) {
        answer(client, server->n_flaky++ % 2 ? 500 : 200, "", "", 0);
    } else if (strcmp(path, "/json") == 0) {
        static const char json[] = "{\"errors\": 3, \"rate\": [0.5]}";
        answer(client, 200, "Content-Type: application/json\r\n", json, sizeof json - 1);
    } else {
        bool is_ok = strcmp(path, "/ok") == 0;
        answer(client, is_ok ? 200 : 404, "", "fine", is_ok ? 4 : 0);
    }
    return true;
}

static void handle(wpa_http_server *server, int client)
{
    char request[4096] = {0}, path[1024] = {0};
    size_t n = 0;
    while (n < sizeof request - 1 && !strstr(request, "\r\n\r\n")) {
        ssize_t got = recv(client, request + n, sizeof request - 1 - n, 0);
        if (got <= 0) {
            break;
        }
        n += (size_t)got;
    }
    if (sscanf(request, "%*15s %1023s", path) != 1 || serve(server, client, request, path)) {
        shutdown(client, SHUT_WR);
        close(client);
    }
}

static void *run(void *context)
{
    wpa_http_server *server = context;
    for (;;) {
        struct pollfd fds[] = {{.fd = server->listener, .events = POLLIN},
                               {.fd = server->stop[0], .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 || fds[1].revents) {
            return NULL;
        }
        int client = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        if (client >= 0) {
            handle(server, client);
        }
    }
}

wpa_http_server *wpa_http_server_start(void)
{
    wpa_http_server *server = wpa_alloc(sizeof *server);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = bind(server->listener, (struct sockaddr *)&address, sizeof address);
    rc = rc ? rc : listen(server->listener, 16);
    rc = rc ? rc : getsockname(server->listener, (struct sockaddr *)&address, &length);
    rc = rc ? rc : pipe(server->stop);
    server->port = ntohs(address.sin_port);
    rc = rc ? rc : pthread_create(&server->thread, NULL, run, server);
    if (rc != 0) {
        abort();
    }
    return server;
}

void wpa_http_server_stop(wpa_http_server *server)
{
    (void)!write(server->stop[1], "x", 1);
    pthread_join(server->thread, NULL);
    for (int i = 0; i < server->n_slow; i++) {
        close(server->slow[i]);
    }
    close(server->listener);
    close(server->stop[0]);
    close(server->stop[1]);
    wpa_free(server);
}

int wpa_http_server_port(const wpa_http_server *server)
{
    return server->port;
}
