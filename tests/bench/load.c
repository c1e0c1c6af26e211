/*
 * Requests at a constant rate, whatever the answers do: each has a time at which it is due, and its
 * latency counts from then, not from when a connection was free to send it. So a server that stands
 * still for a second is seen as every request of that second saw it (no coordinated omission).
 *
 * bench_load PORT TOKEN PATHS RATE SECONDS CONNECTIONS [BEFORE]
 *     paths: a file, one a line, taken in turn; before: so many seconds that are not counted
 * bench_load PORT TOKEN PATH streams SECONDS CONNECTIONS
 *     open event streams that only listen
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <wpa/arena.h>
#include <wpa/file.h>
#include <wpa/text.h>

#define PATHS_MAX_BYTES ((size_t)64 << 20)
#define REQUEST_MAX_BYTES 8192
#define HEAD_MAX_BYTES 8192
#define PATIENCE_NS INT64_C(10000000000) /* for what is still under way when the time is over */

typedef struct connection {
    int fd;
    bool is_busy, has_head, is_watching;
    int64_t due_ns;
    char request[REQUEST_MAX_BYTES];
    size_t n_request, n_sent;
    char head[HEAD_MAX_BYTES];
    size_t n_head;
    int64_t left_bytes; /* of the body */
    int status;
} connection;

typedef struct load {
    wpa_arena *arena;
    int port, poll_fd;
    const char *token;
    const char **paths;
    size_t n_paths, n_connections;
    connection *connections;
    int64_t rate, seconds, start_ns, n_due, n_started, n_done, n_broken, body_bytes;
    int64_t counted_ns; /* what was due before then is not */
    int64_t n_by_class[6];
    int64_t *latencies_ns; /* [rate * seconds] */
    size_t n_latencies;
} load;

static int64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static _Noreturn void die(const char *what)
{
    (void)fprintf(stderr, "%s: %s\n", what, strerror(errno)); // NOLINT(concurrency-mt-unsafe)
    exit(EXIT_FAILURE);                                       // NOLINT(concurrency-mt-unsafe)
}

/* ---- connections --------------------------------------------------------------------------------
 */

static void watch(load *l, connection *c, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = c};
    (void)epoll_ctl(l->poll_fd, c->is_watching ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &event);
    c->is_watching = true;
}

static void open_connection(load *l, connection *c)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)l->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        die("connect");
    }
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)fcntl(c->fd, F_SETFL, O_NONBLOCK);
    c->is_watching = false;
    watch(l, c, EPOLLIN);
}

static void break_off(load *l, connection *c)
{
    (void)close(c->fd);
    l->n_broken += c->is_busy;
    c->is_busy = false;
    open_connection(l, c);
}

static void send_more(load *l, connection *c)
{
    ssize_t n = send(c->fd, c->request + c->n_sent, c->n_request - c->n_sent, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) {
        break_off(l, c);
        return;
    }
    c->n_sent += n > 0 ? (size_t)n : 0;
    watch(l, c, c->n_sent < c->n_request ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void start_request(load *l, connection *c)
{
    const char *path = l->paths[(size_t)l->n_started % l->n_paths];
    c->due_ns = l->rate ? l->start_ns + l->n_started * 1000000000 / l->rate : now_ns();
    int n = snprintf(c->request, sizeof c->request,
                     "GET %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", path,
                     l->token);
    c->n_request = n > 0 && (size_t)n < sizeof c->request ? (size_t)n : 0;
    c->n_sent = c->n_head = 0;
    c->has_head = false;
    c->is_busy = true;
    l->n_started++;
    send_more(l, c);
}

/* ---- answers ------------------------------------------------------------------------------------
 */

static int64_t length_in(const char *head)
{
    const char *at = strcasestr(head, "\r\nContent-Length:");
    return at ? strtoll(at + 17, NULL, 10) : 0;
}

static void end_request(load *l, connection *c)
{
    unsigned class = (unsigned)c->status / 100;
    if (l->rate && c->due_ns >= l->counted_ns && l->n_latencies < (size_t)(l->rate * l->seconds)) {
        l->latencies_ns[l->n_latencies++] = now_ns() - c->due_ns;
    }
    l->n_by_class[class < 6 ? class : 0]++;
    l->n_done++;
    c->is_busy = false;
}

/** Take n bytes that came; how many of them belong to the head is found out here. */
static void take(load *l, connection *c, const char *bytes, size_t n)
{
    size_t room = sizeof c->head - 1 - c->n_head;
    if (!c->has_head) {
        size_t before = c->n_head, kept = n < room ? n : room;
        memcpy(c->head + c->n_head, bytes, kept);
        c->n_head += kept;
        c->head[c->n_head] = '\0';
        const char *end = strstr(c->head, "\r\n\r\n");
        if (!end) {
            return;
        }
        c->has_head = true;
        c->status = (int)strtol(c->head + strcspn(c->head, " "), NULL, 10);
        c->left_bytes = length_in(c->head);
        l->body_bytes += c->left_bytes;
        n -= (size_t)(end + 4 - c->head) - before;
    }
    c->left_bytes -= (int64_t)n;
    if (c->left_bytes <= 0 && l->rate) {
        end_request(l, c);
    }
}

static void read_more(load *l, connection *c)
{
    char block[65536];
    ssize_t n;
    while ((n = recv(c->fd, block, sizeof block, 0)) > 0) {
        if (c->is_busy) {
            take(l, c, block, (size_t)n);
        }
    }
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        break_off(l, c);
    }
}

/* ---- the whole ----------------------------------------------------------------------------------
 */

static void start_due(load *l)
{
    int64_t n_due = (now_ns() - l->start_ns) * l->rate / 1000000000 + 1;
    l->n_due = n_due < l->rate * l->seconds ? n_due : l->rate * l->seconds;
    for (size_t i = 0; i < l->n_connections && l->n_started < l->n_due; i++) {
        if (!l->connections[i].is_busy) {
            start_request(l, &l->connections[i]);
        }
    }
}

static void turn(load *l, int timeout_ms)
{
    struct epoll_event events[64];
    int n = epoll_wait(l->poll_fd, events, 64, timeout_ms);
    for (int i = 0; i < n; i++) {
        connection *c = events[i].data.ptr;
        if (events[i].events & EPOLLOUT) {
            send_more(l, c);
        }
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
            read_more(l, c);
        }
    }
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static double at_percent(const load *l, double percent)
{
    size_t i = (size_t)((double)l->n_latencies * percent / 100.0);
    return l->n_latencies == 0
               ? 0
               : (double)l->latencies_ns[i < l->n_latencies ? i : l->n_latencies - 1] / 1e6;
}

static void print_rate(load *l, int64_t took_ns)
{
    qsort(l->latencies_ns, l->n_latencies, sizeof *l->latencies_ns, compare);
    printf("{\"requests\": %lld, \"rate\": %.1f, \"p50_ms\": %.2f, \"p90_ms\": %.2f, \"p99_ms\": "
           "%.2f, \"p999_ms\": %.2f, \"max_ms\": %.2f, \"good\": %lld, \"refused\": %lld, "
           "\"failed\": %lld, \"broken\": %lld, \"unanswered\": %lld, \"body_bytes\": %lld}\n",
           (long long)l->n_latencies, (double)l->n_latencies * 1e9 / (double)took_ns,
           at_percent(l, 50), at_percent(l, 90), at_percent(l, 99), at_percent(l, 99.9),
           at_percent(l, 100), (long long)(l->n_by_class[2] + l->n_by_class[3]),
           (long long)l->n_by_class[4], (long long)(l->n_by_class[5] + l->n_by_class[0]),
           (long long)l->n_broken, (long long)(l->n_started - l->n_done - l->n_broken),
           (long long)l->body_bytes);
}

static void run_rate(load *l)
{
    int64_t end_ns = l->start_ns + l->seconds * 1000000000;
    while (l->n_done + l->n_broken < l->rate * l->seconds && now_ns() < end_ns + PATIENCE_NS) {
        start_due(l);
        turn(l, 1);
    }
    print_rate(l, now_ns() - l->counted_ns);
}

static void run_streams(load *l)
{
    int64_t end_ns = l->start_ns + l->seconds * 1000000000, n_open = 0;
    for (size_t i = 0; i < l->n_connections; i++) {
        start_request(l, &l->connections[i]);
    }
    while (now_ns() < end_ns) {
        turn(l, 50);
    }
    for (size_t i = 0; i < l->n_connections; i++) {
        n_open += l->connections[i].is_busy && l->connections[i].status == 200;
    }
    printf("{\"streams\": %lld, \"broken\": %lld}\n", (long long)n_open, (long long)l->n_broken);
}

static void read_paths(load *l, const char *argument, wpa_error *err)
{
    size_t size_bytes = 0;
    char *text = l->rate ? wpa_file_read(argument, PATHS_MAX_BYTES, l->arena, &size_bytes, err)
                         : wpa_arena_text(l->arena, argument);
    l->paths = wpa_arena_array(l->arena, size_bytes / 2 + 2, sizeof *l->paths);
    while (text && *text) {
        char *end = text + strcspn(text, "\n");
        l->paths[l->n_paths++] = wpa_arena_slice(l->arena, text, (size_t)(end - text));
        text = end + (*end == '\n');
    }
}

int main(int argc, char **argv)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    if (argc != 7 && argc != 8) {
        (void)fprintf(stderr, "see the head of tests/bench/load.c\n");
        return EXIT_FAILURE;
    }
    int64_t before_s = argc == 8 ? strtoll(argv[7], NULL, 10) : 0;
    load l = {.arena = arena,
              .port = (int)strtol(argv[1], NULL, 10),
              .token = argv[2],
              .rate = strtoll(argv[4], NULL, 10), /* "streams": 0 */
              .seconds = strtoll(argv[5], NULL, 10) + before_s,
              .n_connections = (size_t)strtoull(argv[6], NULL, 10),
              .poll_fd = epoll_create1(EPOLL_CLOEXEC)};
    read_paths(&l, argv[3], &err);
    if (l.n_paths == 0) {
        (void)fprintf(stderr, "%s: no paths\n", argv[3]);
        return EXIT_FAILURE;
    }
    l.connections = wpa_arena_array(arena, l.n_connections, sizeof *l.connections);
    l.latencies_ns = wpa_arena_array(arena, (size_t)(l.rate * l.seconds) + 1, sizeof(int64_t));
    for (size_t i = 0; i < l.n_connections; i++) {
        open_connection(&l, &l.connections[i]);
    }
    l.start_ns = now_ns();
    l.counted_ns = l.start_ns + before_s * 1000000000;
    if (l.rate) {
        run_rate(&l);
    } else {
        run_streams(&l);
    }
    return EXIT_SUCCESS;
}
