/* libmicrohttpd: sockets and bytes in, answers out. The only file here that includes it, beside
   events.c. */
#include "api/server.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <microhttpd.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "api/events.h"
#include "api/figures.h"
#include "api/kept.h"
#include "api/limits.h"
#include "api/listen.h"
#include "api/metrics.h"
#include "core/heap.h"
#include "gen/calls_microhttpd.h"

#define PEM_MAX_BYTES ((size_t)1 << 20)
/* A body beyond the limit is swallowed so far, so that the refusal can be read. */
#define SWALLOW_MAX_BYTES (WPA_API_BODY_MAX_BYTES * 4)
#define REQUEST_SECONDS 30
#define STOPPING "the server is stopping"
#define STOP_LOOK_MS 10
#define LAST_WORDS_MS 1000 /* for answers to leave, once all are made */
/* For the head of a request, and what is put together of an answer: an idle stream holds it too. */
#define CONNECTION_BYTES ((size_t)16 << 10)

const char *wpa_api_header(const wpa_api_call *call, const char *name)
{
    return MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, name);
}

void wpa_api_set_header(wpa_api_call *call, const char *name, const char *value)
{
    call->headers = call->headers ? call->headers : wpa_map_new(call->arena);
    wpa_map_put(call->headers, name, wpa_arena_text(call->arena, value));
}

/* ---- paths and parameters -----------------------------------------------------------------------
 */

/* The library keeps each parameter in the connection's memory, and where they do not fit it never
   answers. No route takes as many as this; what stands in their place is refused as unknown. */
#define PARAMETERS_MAX 64
#define TARGET_MAX_BYTES 8192
static const char too_many[] = "more+than+64+parameters+or+8+KiB";

static void *look_at_target(void *context, const char *target, struct MHD_Connection *connection)
{
    const char *query = strchr(target, '?');
    size_t n = query != NULL;
    (void)context;
    (void)connection;
    for (const char *at = query; at && *at; at++) {
        n += *at == '&';
    }
    bool has_room = query && strlen(query) > sizeof too_many; /* in the connection's own buffer */
    if (has_room && (n > PARAMETERS_MAX || strlen(target) > TARGET_MAX_BYTES)) {
        memcpy((char *)(uintptr_t)query + 1, too_many, sizeof too_many);
    }
    return NULL;
}

/** In place. What would end the text early stays as it was written: it is the name of nothing. */
static size_t unescape(void *context, struct MHD_Connection *connection, char *text)
{
    char *to = text;
    (void)context;
    (void)connection;
    for (const char *from = text; *from; from++) {
        int high = *from == '%' ? wpa_hex_digit(from[1]) : -1;
        int low = high >= 0 ? wpa_hex_digit(from[2]) : -1;
        if (low >= 0 && high + low > 0) {
            *to++ = (char)(high * 16 + low);
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    return (size_t)(to - text);
}

/* ---- answers ------------------------------------------------------------------------------------
 */

static void add_headers(struct MHD_Response *response, const wpa_api_call *call)
{
    const wpa_api_request *r = &call->request;
    bool is_problem = r->status >= 400;
    const char *content = r->route && r->route->content && !is_problem ? r->route->content
                          : is_problem                                 ? "application/problem+json"
                                                                       : "application/json";
    (void)MHD_add_response_header(response, "Content-Type", content);
    (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (r->etag) {
        (void)MHD_add_response_header(response, "ETag",
                                      wpa_arena_printf(call->arena, "\"%s\"", r->etag));
    }
    if (r->location) {
        (void)MHD_add_response_header(response, "Location", r->location);
    }
    if (r->link) {
        (void)MHD_add_response_header(response, "Link", r->link);
    }
    for (size_t i = 0; call->headers && i < wpa_map_count(call->headers); i++) {
        void *value;
        const char *name = wpa_map_at(call->headers, i, &value);
        (void)MHD_add_response_header(response, name, value);
    }
}

static enum MHD_Result send_answer(wpa_api_call *call)
{
    wpa_api_request *r = &call->request;
    atomic_store(&call->state, WPA_CALL_DONE);
    if (r->answer && !r->text) {
        r->text = wpa_json_dump(r->answer, call->arena);
        r->text_bytes = strlen(r->text);
    }
    bool has_body = r->status != 204 && r->status != 304;
    /* The text lives in the call's arena, which outlasts the answer. */
    struct MHD_Response *response = MHD_create_response_from_buffer(
        has_body ? r->text_bytes : 0, (void *)(uintptr_t)(r->text ? r->text : ""),
        MHD_RESPMEM_PERSISTENT);
    if (!response) {
        return MHD_NO;
    }
    add_headers(response, call);
    enum MHD_Result queued = MHD_queue_response(call->connection, (unsigned)r->status, response);
    MHD_destroy_response(response);
    return queued;
}

static void make_refusal(wpa_api_call *call, wpa_code code, int status, const char *text)
{
    wpa_error err = {0};
    (void)WPA_FAIL(&err, code, "%s", text);
    wpa_api_problem(&call->request, &err);
    call->request.status = status;
    wpa_json_set_int(call->request.answer, "status", status);
    wpa_api_set_header(call, "Connection", "close");
}

static enum MHD_Result refuse(wpa_api_call *call, wpa_code code, int status, const char *text)
{
    make_refusal(call, code, status, text);
    return send_answer(call);
}

/* ---- calls --------------------------------------------------------------------------------------
 */

static wpa_api_call *new_call(wpa_api *api, struct MHD_Connection *connection, const char *method,
                              const char *url)
{
    wpa_arena *arena = wpa_arena_new();
    wpa_api_call *call = wpa_arena_alloc(arena, sizeof *call);
    const char *whole = url[0] == '/' ? NULL : strstr(url, "://"); /* an address: RFC 9112, 3.2.2 */
    url = whole && strchr(whole + 3, '/') ? strchr(whole + 3, '/') : url;
    atomic_fetch_add(&api->n_calls, 1);
    call->api = api;
    call->connection = connection;
    call->arena = arena;
    call->started_ms = wpa_monotonic_ms();
    call->upload = wpa_buf_new(WPA_API_BODY_MAX_BYTES);
    call->request = (wpa_api_request){.arena = arena,
                                      .api = api,
                                      .engine = api->engine,
                                      .method = wpa_arena_text(arena, method),
                                      .path = wpa_arena_text(arena, url)};
    return call;
}

static bool is_announced_too_large(const wpa_api_call *call)
{
    const char *length = wpa_api_header(call, "Content-Length");
    int64_t n = 0;
    return length &&
           (!wpa_text_to_int(length, 0, INT64_MAX, &n) || n > (int64_t)WPA_API_BODY_MAX_BYTES);
}

typedef struct head {
    size_t hosts, lengths, codings, tokens, encodings;
} head;

static enum MHD_Result count_header(void *context, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    head *seen = context;
    const struct {
        const char *name;
        size_t *n;
    } counted[] = {
        {"Host", &seen->hosts},
        {"Content-Length", &seen->lengths},
        {"Transfer-Encoding", &seen->codings},
        {"Authorization", &seen->tokens},
        {"Content-Encoding", &seen->encodings},
    };
    (void)kind;
    for (size_t i = 0; i < WPA_COUNT(counted); i++) {
        bool is_plain = value && strcasecmp(value, "identity") == 0; /* no coding at all */
        *counted[i].n += strcasecmp(name, counted[i].name) == 0 && !is_plain;
    }
    return MHD_YES;
}

/** What we would read in one way and a proxy before us in another is taken in neither. */
static const char *find_ambiguity(const wpa_api_call *call, const char *version, int *status)
{
    head seen = {0};
    (void)MHD_get_connection_values(call->connection, MHD_HEADER_KIND, count_header, &seen);
    bool needs_host = wpa_text_is(version, "HTTP/1.1");
    *status = 400;
    if (seen.lengths + seen.codings > 1) {
        return "the body's length is given more than once";
    }
    if (seen.tokens > 1) {
        return "Authorization is given more than once";
    }
    if (seen.hosts > 1 || (seen.hosts == 0 && needs_host)) {
        return "Host must be given, once";
    }
    *status = 415;
    return seen.encodings ? "a body comes as it is, without Content-Encoding" : NULL;
}

static enum MHD_Result begin_call(wpa_api_call *call, const char *version)
{
    int status = 0;
    const char *ambiguity = find_ambiguity(call, version, &status);
    if (ambiguity) {
        return refuse(call, WPA_E_INVALID, status, ambiguity);
    }
    return is_announced_too_large(call)
               ? refuse(call, WPA_E_LIMIT, 413, "the body is larger than 4 MiB")
               : MHD_YES;
}

static enum MHD_Result take_upload(wpa_api_call *call, const char *data, size_t size_bytes)
{
    call->upload_bytes += size_bytes;
    if (call->upload_bytes > WPA_API_BODY_MAX_BYTES) {
        call->is_too_large = true;
        return call->upload_bytes > SWALLOW_MAX_BYTES ? MHD_NO : MHD_YES;
    }
    wpa_buf_append(call->upload, data, size_bytes);
    return MHD_YES;
}

int64_t wpa_api_request_ms(const wpa_api *api)
{
    int64_t seconds = api->options.request_seconds;
    return (seconds > 0 ? seconds : REQUEST_SECONDS) * 1000;
}

static void set_reading(struct MHD_Connection *connection, int64_t since_ms)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    wpa_api_peer *peer = info ? info->socket_context : NULL;
    if (peer) {
        atomic_store(&peer->reading_since_ms, since_ms);
    }
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size_bytes, void **own)
{
    wpa_api *api = context;
    wpa_api_call *call = *own;
    if (!call) {
        *own = call = new_call(api, connection, method, url);
        return begin_call(call, version);
    }
    if (atomic_load(&call->state) == WPA_CALL_DONE) {
        return send_answer(call);
    }
    if (atomic_load(&call->state) == WPA_CALL_STREAMING) {
        return wpa_api_stream_open(call);
    }
    if (*size_bytes) {
        enum MHD_Result taken = take_upload(call, data, *size_bytes);
        *size_bytes = 0;
        return taken;
    }
    set_reading(connection, 0);
    if (call->is_too_large) {
        return refuse(call, WPA_E_LIMIT, 413, "the body is larger than 4 MiB");
    }
    if (atomic_load(&api->is_stopping)) {
        return refuse(call, WPA_E_UNAVAILABLE, 503, STOPPING);
    }
    if (wpa_api_is_immediate(call)) {
        wpa_api_serve(call, NULL);
        wpa_api_count(call);
        return send_answer(call);
    }
    MHD_suspend_connection(connection);
    if (!wpa_api_enqueue(call)) {
        make_refusal(call, WPA_E_UNAVAILABLE, 503, STOPPING);
        wpa_api_finish(call);
    }
    return MHD_YES;
}

static void forget(void *context, struct MHD_Connection *connection, void **own,
                   enum MHD_RequestTerminationCode code)
{
    wpa_api *api = context;
    wpa_api_call *call = *own;
    (void)code;
    /* The next one on this connection may begin when it has been idle for as long as it may be. */
    set_reading(connection, wpa_monotonic_ms() + 2 * wpa_api_request_ms(api));
    if (call) {
        wpa_buf_free(call->upload);
        wpa_buf_free(call->written);
        wpa_arena_free(call->arena);
        atomic_fetch_sub(&api->n_calls, 1);
        *own = NULL;
    }
}

/* ---- connections --------------------------------------------------------------------------------
 */

static void notice(void *context, struct MHD_Connection *connection, void **own,
                   enum MHD_ConnectionNotificationCode code)
{
    wpa_api *api = context;
    wpa_api_peer *peer = *own;
    pthread_mutex_lock(&api->mutex);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        peer = wpa_alloc(sizeof *peer);
        *peer = (wpa_api_peer){.next = api->peers, .fd = info ? info->connect_fd : -1};
        atomic_store(&peer->reading_since_ms, wpa_monotonic_ms());
        if (api->peers) {
            api->peers->before = peer;
        }
        api->peers = peer;
        *own = peer;
    } else if (peer) {
        *(peer->before ? &peer->before->next : &api->peers) = peer->next;
        if (peer->next) {
            peer->next->before = peer->before;
        }
        wpa_free(peer);
        *own = NULL;
    }
    pthread_mutex_unlock(&api->mutex);
}

/* ---- starting and stopping ----------------------------------------------------------------------
 */

/* The library's own words: mostly of clients that left. */
static WPA_PRINTF(2, 0) void log_library(void *context, const char *format, va_list values)
{
    const wpa_api *api = context;
    char text[512];
    (void)vsnprintf(text, sizeof text, format, values);
    text[strcspn(text, "\n")] = '\0';
    wpa_log_write(api->log, WPA_LOG_DEBUG, "api", "%s", text);
}

static struct MHD_Daemon *start_daemon(wpa_api *api, int fd, wpa_error *err)
{
    const wpa_api_options *o = &api->options;
    struct MHD_OptionItem tls[3] = {{MHD_OPTION_END, 0, NULL}};
    if (!wpa_microhttpd_open(err)) {
        return NULL;
    }
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    if (o->certificate) {
        size_t size;
        char *certificate = wpa_file_read(o->certificate, PEM_MAX_BYTES, api->arena, &size, err);
        char *key = certificate
                        ? wpa_file_read(o->private_key, PEM_MAX_BYTES, api->arena, &size, err)
                        : NULL;
        if (!key) {
            return NULL;
        }
        tls[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, certificate};
        tls[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, key};
        tls[2] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
        flags |= MHD_USE_TLS;
    }
    struct MHD_Daemon *daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, api, MHD_OPTION_ARRAY, tls, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_THREAD_POOL_SIZE, 2U, MHD_OPTION_CONNECTION_LIMIT,
        o->connections_max ? o->connections_max : 4096U, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)(2 * wpa_api_request_ms(api) / 1000), MHD_OPTION_NOTIFY_COMPLETED, forget, api,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, MHD_OPTION_NOTIFY_CONNECTION, notice,
        api, MHD_OPTION_EXTERNAL_LOGGER, log_library, api, MHD_OPTION_UNESCAPE_CALLBACK, unescape,
        NULL, MHD_OPTION_URI_LOG_CALLBACK, look_at_target, NULL, MHD_OPTION_END);
    if (!daemon) {
        (void)WPA_FAIL(err, WPA_E_INVALID,
                       "the HTTP server does not start (is the certificate a PEM file that fits "
                       "its key?)");
    }
    return daemon;
}

static bool start_threads(wpa_api *api, wpa_error *err)
{
    api->started_at_us = wpa_now_us();
    size_t wanted = api->options.n_workers > 0 ? (size_t)api->options.n_workers : 4;
    wanted = wanted < WPA_API_WORKERS_MAX ? wanted : WPA_API_WORKERS_MAX;
    api->is_watcher_started = pthread_create(&api->watcher, NULL, wpa_api_watch, api) == 0;
    while (api->is_watcher_started && api->n_workers < wanted &&
           pthread_create(&api->workers[api->n_workers], NULL, wpa_api_work, api) == 0) {
        api->n_workers++;
    }
    pthread_mutex_lock(&api->mutex);
    while (api->n_ready < api->n_workers) {
        pthread_cond_wait(&api->ready, &api->mutex);
    }
    pthread_mutex_unlock(&api->mutex);
    return api->n_workers == wanted ||
           WPA_FAIL(err, WPA_E_UNAVAILABLE, "no more threads can be started");
}

/* The watcher first: it hands what is parked to the workers, who must be there to answer it. A call
   that stayed suspended would end the process when the library stops. */
static void end_threads(wpa_api *api)
{
    atomic_store(&api->is_stopping, true);
    if (api->watcher_fd >= 0) {
        (void)eventfd_write(api->watcher_fd, 1);
    }
    if (api->is_watcher_started) {
        (void)pthread_join(api->watcher, NULL);
    }
    pthread_mutex_lock(&api->mutex);
    api->is_closed = true;
    pthread_cond_broadcast(&api->work);
    pthread_mutex_unlock(&api->mutex);
    for (size_t i = 0; i < api->n_workers; i++) {
        (void)pthread_join(api->workers[i], NULL);
    }
}

static void release(wpa_api *api)
{
    if (api->options.unix_socket && api->socket_fd >= 0) {
        (void)unlink(api->options.unix_socket);
    }
    if (api->watcher_fd >= 0) {
        (void)close(api->watcher_fd);
    }
    if (api->keys) {
        wpa_token_keys_free(api->keys);
    }
    wpa_api_limits_free(api->limits);
    wpa_api_issuers_free(api);
    wpa_api_kept_free(api->kept);
    wpa_api_figures_free(api->windows);
    wpa_api_figures_free(api->split);
    (void)pthread_cond_destroy(&api->work);
    (void)pthread_cond_destroy(&api->ready);
    (void)pthread_mutex_destroy(&api->mutex);
    (void)pthread_mutex_destroy(&api->stream_mutex);
    wpa_arena_free(api->arena);
}

wpa_api *wpa_api_start(wpa_engine *engine, const wpa_api_options *options, wpa_error *err)
{
    wpa_heap_for_requests();
    wpa_arena *arena = wpa_arena_new();
    wpa_api *api = wpa_arena_alloc(arena, sizeof *api);
    *api = (wpa_api){.engine = engine, .options = *options, .arena = arena, .log = options->log};
    api->socket_fd = -1;
    (void)pthread_mutex_init(&api->mutex, NULL);
    (void)pthread_mutex_init(&api->stream_mutex, NULL);
    (void)pthread_cond_init(&api->work, NULL);
    (void)pthread_cond_init(&api->ready, NULL);
    api->limits = wpa_api_limits_new();
    api->kept = wpa_api_kept_new();
    api->windows = wpa_api_figures_new(WPA_API_METRICS_MAX_BYTES);
    api->split = wpa_api_figures_new(WPA_API_METRICS_MAX_BYTES);
    api->watcher_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    api->keys = wpa_token_keys_open(options->keys_path, err);
    if (api->keys) {
        wpa_token_keys_set_log(api->keys, api->log);
    }
    int fd = api->keys && wpa_api_documents_make(api, err) ? wpa_api_listen(options, err) : -1;
    api->socket_fd = options->listen_fd < 0 ? fd : -1;
    api->port = fd >= 0 ? wpa_api_port_of(fd) : 0;
    /* The workers come first: whoever is answered at all is answered fast. */
    api->daemon = fd >= 0 && start_threads(api, err) ? start_daemon(api, fd, err) : NULL;
    if (!api->daemon) {
        end_threads(api);
        if (fd >= 0) {
            (void)close(fd);
        }
        release(api);
        return NULL;
    }
    return api;
}

int wpa_api_port(const wpa_api *api)
{
    return api->port;
}

static bool is_idle(wpa_api *api)
{
    pthread_mutex_lock(&api->mutex);
    bool is_idle = !api->first && !api->parked && api->n_working == 0;
    pthread_mutex_unlock(&api->mutex);
    return is_idle;
}

static bool is_silent(wpa_api *api)
{
    return atomic_load(&api->n_calls) == 0;
}

static void wait_until(bool (*is_so)(wpa_api *), wpa_api *api, int64_t most_ms)
{
    int64_t until_ms = wpa_monotonic_ms() + most_ms;
    while (!is_so(api) && wpa_monotonic_ms() < until_ms) {
        wpa_sleep_ms(STOP_LOOK_MS);
    }
}

void wpa_api_stop(wpa_api *api, int64_t grace_ms)
{
    MHD_socket fd = MHD_quiesce_daemon(api->daemon);
    wait_until(is_idle, api, grace_ms);
    end_threads(api);
    wpa_api_streams_end(api);
    wait_until(is_silent, api, LAST_WORDS_MS); /* the library drops what it has not sent */
    MHD_stop_daemon(api->daemon);
    if (fd != MHD_INVALID_SOCKET) {
        (void)close(fd);
    }
    release(api);
}
